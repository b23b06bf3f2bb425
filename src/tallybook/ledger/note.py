"""Signed notes (C2SP signed-note): text, an empty line, and a line for each signature.

— example.com/foo Uw2QOkn8…      em dash, name of the key, base64 of four bytes of key id and the signature
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallybook.errors import TallybookError
from tallybook.ledger.keys import Signer, Verifier, is_name
from tallybook.ledger.strict import FormatError, has_control, read_base64, shown, write_base64

MOST_SIGNATURES = 100
LONGEST_NOTE = 2_000_000
"""No note has more bytes; a hundred signatures of the largest known kind fit."""
KEY_ID_SIZE = 4

_DASH = "\u2014 "
_DO = "get the note again from its log or its sender; this one was cut or changed"


class NoteError(FormatError):
    """Bytes that are not a signed note."""


class SignatureLineError(NoteError):
    """A note whose signatures cannot be read, whatever its text."""


class SignatureError(TallybookError):
    """A note that nobody trusted has signed, or whose signature is not over this text."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and what that key made (without the id)."""

    name: str
    key_id: int
    raw: bytes

    def line(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {write_base64(self.key_id.to_bytes(KEY_ID_SIZE, 'big') + self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read, nothing verified. `text` ends in a newline; trust it only as part of `Verified`."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A note, the trusted keys that signed it, and their signatures, in the order of the note."""

    note: Note
    keys: tuple[Verifier, ...]
    signatures: tuple[Signature, ...]


def parse_signature(line: str) -> Signature:
    """One signature line without its newline. Raises SignatureLineError."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    raw = read_base64(encoded)
    if not line.startswith(_DASH) or not space or not is_name(name) or raw is None or len(raw) <= KEY_ID_SIZE:
        raise SignatureLineError(f"{shown(line)} is not a signature line", do=_DO)
    return Signature(name, int.from_bytes(raw[:KEY_ID_SIZE], "big"), raw[KEY_ID_SIZE:])


def parse_note(raw: bytes) -> Note:
    """Text and signatures. Raises NoteError for anything that C2SP signed-note does not allow."""
    if len(raw) > LONGEST_NOTE:
        raise NoteError(f"{len(raw)} bytes; a note has at most {LONGEST_NOTE}", do=_DO)
    try:
        whole = raw.decode()
    except UnicodeDecodeError as error:
        raise NoteError("not UTF-8", where=f"byte {error.start}", do=_DO) from None
    if has_control(whole):
        raise NoteError("control characters in a note", do=_DO)
    split = whole.rfind("\n\n")
    if split < 0:
        raise NoteError("no empty line before the signatures", do=_DO)
    text, rest = whole[: split + 1], whole[split + 2 :]
    if not rest.endswith("\n"):
        raise NoteError("no signatures, or the last line has no end", do=_DO)
    lines = rest[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise SignatureLineError(f"{len(lines)} signatures; at most {MOST_SIGNATURES}", do=_DO)
    return Note(text, tuple(parse_signature(line) for line in lines))


def format_note(note: Note) -> bytes:
    """The note as bytes: `parse_note` read backwards. Raises NoteError where it could not be read again."""
    raw = f"{note.text}\n{''.join(signature.line() for signature in note.signatures)}".encode(errors="surrogatepass")
    if parse_note(raw) != note:
        raise NoteError(
            "a text or a signature that a note cannot hold", do="end the text with a newline and name the keys rightly"
        )
    return raw


def sign_note(text: str, signers: Sequence[Signer], others: Iterable[Signature] = ()) -> bytes:
    """The text with the signature of every signer after `others`; a signer's older signature is replaced. Raises NoteError."""
    if has_control(text):
        raise NoteError("control characters in a text to sign", do="leave them out")
    mine = {(signer.verifier.name, signer.verifier.key_id): signer for signer in signers}
    kept = [one for one in others if (one.name, one.key_id) not in mine]
    new = [Signature(name, number, signer.sign(text.encode())) for (name, number), signer in mine.items()]
    return format_note(Note(text, (*kept, *new)))


def verify_signatures(note: Note, trusted: Iterable[Verifier]) -> Verified:
    """Who of the trusted has signed.

    Unknown keys and repeats of a key are passed over. Raises SignatureError where the first signature of a trusted key is
    wrong, or where there is none; and for two trusted keys with one name and id, which nobody could tell apart.
    """
    known: dict[tuple[str, int], Verifier] = {}
    for verifier in trusted:
        if known.setdefault((verifier.name, verifier.key_id), verifier).public != verifier.public:
            raise SignatureError(
                f"two keys named {verifier.name} share the id {verifier.key_id:08x}", do="trust one of them only"
            )
    text = note.text.encode()
    found: dict[tuple[str, int], Signature] = {}
    for one in note.signatures:
        key = (one.name, one.key_id)
        if key in found or key not in known:
            continue
        if not known[key].is_valid(text, one.raw):
            raise SignatureError(
                f"the signature of {one.name} is not over this text",
                do="do not trust the note: text or signature was changed. Keep it and ask its sender",
            )
        found[key] = one
    if not found:
        raise SignatureError(
            "no trusted key has signed",
            where=", ".join(sorted({one.name for one in note.signatures})[:5]),
            do="give the verifier key of the one who should have signed",
        )
    return Verified(note, tuple(known[key] for key in found), tuple(found.values()))


def verify_note(raw: bytes, trusted: Iterable[Verifier]) -> Verified:
    """Read a note and see who of the trusted has signed. Raises NoteError and, as `verify_signatures` does, SignatureError."""
    return verify_signatures(parse_note(raw), trusted)
