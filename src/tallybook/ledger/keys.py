"""Keys that sign notes, as text: C2SP signed-note verifier keys, and private keys as Go's note package writes them.

    example.com/log+530d903a+Aeky…                  name, key id in hex, base64 of the algorithm byte and the public key
    PRIVATE+KEY+example.com/log+530d903a+AYEK…      the same with the 32-byte seed; keep it secret

The key id is the first four bytes of SHA-256(name, newline, algorithm byte, public key). One more algorithm is one more
class that keeps to `Verifier`, one that keeps to `Signer`, and a line each in `_VERIFIERS` and `_SIGNERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallybook.ledger.checkpoint import CheckpointError, parse_body
from tallybook.ledger.strict import FormatError, has_control, read_base64, shown, write_base64
from tallybook.ledger.tree import LARGEST

ED25519 = 0x01
"""Ed25519 over the text of a note."""
COSIGNATURE = 0x04
"""Ed25519 over a time and the body of a checkpoint (C2SP tlog-cosignature)."""
SEED_SIZE = 32
KEY_SIZE = 32
SIGNATURE_SIZE = 64
TIME_SIZE = 8
LONGEST_KEY_TEXT = 8192

_HEX_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_DO = "copy the whole key again from where its owner publishes it"
_PRIVATE = "PRIVATE+KEY+"


class KeyTextError(FormatError):
    """Text that is not a key."""


class Verifier(Protocol):
    """A public key with a name, as a reader trusts it."""

    @property
    def name(self) -> str: ...
    @property
    def algorithm(self) -> int: ...
    @property
    def public(self) -> bytes: ...
    @property
    def key_id(self) -> int: ...

    def is_valid(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature, without its key id, is this key's over the text of a note."""


class Signer(Protocol):
    """A private key with a name, ready to sign the text of a note."""

    @property
    def verifier(self) -> Verifier: ...

    def sign(self, text: bytes) -> bytes:
        """The signature over the text of a note, without the key id."""


def is_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no Unicode space, no plus, no control character, writable as UTF-8."""
    return bool(name) and "+" not in name and not has_control(name) and not any(char.isspace() for char in name)


def key_id(name: str, algorithm: int, public: bytes) -> int:
    """The first four bytes, big-endian, of SHA-256 over name, newline, algorithm byte and public key (C2SP signed-note)."""
    return int.from_bytes(sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4], "big")


def vkey(verifier: Verifier) -> str:
    """The key as text, to be published."""
    return f"{verifier.name}+{verifier.key_id:08x}+{write_base64(bytes([verifier.algorithm]) + verifier.public)}"


def _is_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """An Ed25519 public key of 32 bytes (RFC 8032) that checks signatures over the text of a note."""

    name: str
    public: bytes

    @property
    def algorithm(self) -> int:
        return ED25519

    @property
    def key_id(self) -> int:
        return key_id(self.name, ED25519, self.public)

    def is_valid(self, text: bytes, signature: bytes) -> bool:
        return len(signature) == SIGNATURE_SIZE and _is_ed25519(self.public, text, signature)


def cosigned_message(text: bytes, seconds: int) -> bytes | None:
    """What a witness signs: a header, the time in seconds since 1970, and the body of a checkpoint. None for other texts."""
    try:
        parse_body(text.decode())
    except (CheckpointError, UnicodeDecodeError):
        return None
    return b"cosignature/v1\ntime %d\n" % seconds + text


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """An Ed25519 public key of 32 bytes that checks cosignatures: eight bytes of time, then the signature."""

    name: str
    public: bytes

    @property
    def algorithm(self) -> int:
        return COSIGNATURE

    @property
    def key_id(self) -> int:
        return key_id(self.name, COSIGNATURE, self.public)

    def is_valid(self, text: bytes, signature: bytes) -> bool:
        if len(signature) != TIME_SIZE + SIGNATURE_SIZE:
            return False
        seconds = int.from_bytes(signature[:TIME_SIZE], "big")
        message = cosigned_message(text, seconds) if seconds <= LARGEST else None
        return message is not None and _is_ed25519(self.public, message, signature[TIME_SIZE:])


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """An Ed25519 private key that signs the text of a note. `seed` is 32 bytes."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Ed25519Verifier:
        return Ed25519Verifier(self.name, _public(self.seed))

    def sign(self, text: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)


@dataclass(frozen=True, slots=True)
class CosignatureSigner:
    """An Ed25519 private key that cosigns checkpoints as of `seconds` since 1970; `at` sets the time."""

    name: str
    seed: bytes = field(repr=False)
    seconds: int = 0

    @property
    def verifier(self) -> CosignatureVerifier:
        return CosignatureVerifier(self.name, _public(self.seed))

    def at(self, seconds: int) -> CosignatureSigner:
        """The same key, to sign as of another time."""
        return CosignatureSigner(self.name, self.seed, seconds)

    def sign(self, text: bytes) -> bytes:
        """Time and signature. Raises CheckpointError where the text is no checkpoint or no time is set."""
        if not 0 < self.seconds <= LARGEST:
            raise CheckpointError(f"{self.seconds} is not a time to cosign at", do="give seconds since 1970")
        message = cosigned_message(text, self.seconds)
        if message is None:
            raise CheckpointError("a witness signs checkpoints only", do="give it the text of a checkpoint")
        return self.seconds.to_bytes(TIME_SIZE, "big") + Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


_VERIFIERS: dict[int, Callable[[str, bytes], Ed25519Verifier | CosignatureVerifier]] = {
    ED25519: Ed25519Verifier,
    COSIGNATURE: CosignatureVerifier,
}
_SIGNERS: dict[int, Callable[[str, bytes], Ed25519Signer | CosignatureSigner]] = {
    ED25519: Ed25519Signer,
    COSIGNATURE: CosignatureSigner,
}


def parse_vkey(text: str) -> Verifier:
    """The public key that `text` writes. Raises KeyTextError."""
    name, written_id, algorithm, public = _parts(text, "verifier key")
    if algorithm not in _VERIFIERS:
        raise KeyTextError(f"algorithm {algorithm:#04x} is not known", where=shown(text), do=f"use one of {_known()}")
    if len(public) != KEY_SIZE:
        raise KeyTextError(f"a public key of {len(public)} bytes, not {KEY_SIZE}", where=shown(text), do=_DO)
    verifier = _VERIFIERS[algorithm](name, public)
    _check_id(verifier, written_id, text)
    return verifier


def parse_signer(text: str) -> Ed25519Signer | CosignatureSigner:
    """The private key that `text` writes. Raises KeyTextError, which never shows the text."""
    if not text.startswith(_PRIVATE):
        raise KeyTextError(f"a private key begins with {_PRIVATE}", do="give the file of the private key, not the public one")
    name, written_id, algorithm, seed = _parts(text[len(_PRIVATE) :], "private key", is_secret=True)
    if algorithm not in _SIGNERS:
        raise KeyTextError(f"algorithm {algorithm:#04x} is not known", do=f"use one of {_known()}")
    if len(seed) != SEED_SIZE:
        raise KeyTextError(f"a private key of {len(seed)} bytes, not {SEED_SIZE}", do="restore the key from its copy")
    signer = _SIGNERS[algorithm](name, seed)
    _check_id(signer.verifier, written_id, "the private key")
    return signer


def format_signer(signer: Ed25519Signer | CosignatureSigner) -> str:
    """The private key as text, as Go's note package writes it. Keep it secret."""
    verifier = signer.verifier
    secret = write_base64(bytes([verifier.algorithm]) + signer.seed)
    return f"{_PRIVATE}{signer.name}+{verifier.key_id:08x}+{secret}"


def generate(name: str, seed: bytes, algorithm: int = ED25519) -> tuple[str, str]:
    """A private key and its verifier key, as text, from 32 bytes that nobody can guess. Raises KeyTextError."""
    if not is_name(name):
        raise KeyTextError(f"{shown(name)} cannot name a key", do="use a name without spaces and plus, such as example.org/log")
    if len(seed) != SEED_SIZE:
        raise KeyTextError(f"{len(seed)} bytes to make a key of, not {SEED_SIZE}", do=f"give {SEED_SIZE} random bytes")
    if algorithm not in _SIGNERS:
        raise KeyTextError(f"algorithm {algorithm:#04x} is not known", do=f"use one of {_known()}")
    signer = _SIGNERS[algorithm](name, seed)
    return format_signer(signer), vkey(signer.verifier)


def _known() -> str:
    return ", ".join(f"{algorithm:#04x}" for algorithm in _VERIFIERS)


def _parts(text: str, kind: str, *, is_secret: bool = False) -> tuple[str, str, int, bytes]:
    """Name, key id as written, algorithm byte and key bytes."""
    where = kind if is_secret else shown(text)
    if len(text) > LONGEST_KEY_TEXT:
        raise KeyTextError(f"{len(text)} characters; a key has at most {LONGEST_KEY_TEXT}", where=where, do=_DO)
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise KeyTextError(f"a {kind} is a name, a key id and a key with a plus between each", where=where, do=_DO)
    name, written_id, key64 = parts
    if not is_name(name):
        raise KeyTextError("a name with a space or control character, or none", where=where, do=_DO)
    if not _HEX_ID.fullmatch(written_id):
        raise KeyTextError("the key id is not eight small hexadecimal digits", where=where, do=_DO)
    raw = read_base64(key64)
    if not raw:
        raise KeyTextError("the key is not base64", where=where, do=_DO)
    return name, written_id, raw[0], raw[1:]


def _check_id(verifier: Verifier, written: str, where: str) -> None:
    if f"{verifier.key_id:08x}" != written:
        raise KeyTextError("the key id is not that of name and key: one of the three was changed", where=shown(where), do=_DO)
