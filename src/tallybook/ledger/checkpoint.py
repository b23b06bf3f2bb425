"""The body of a checkpoint: what a log signs about itself (C2SP tlog-checkpoint).

    example.com/log          the origin: which log
    1234                     the size: how many entries
    CsUYapGGPo4dkMgIAUqo…    the root over them, in base64
    …                        further lines, opaque

Who signed it is in `signed.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.ledger.strict import FormatError, has_control, read_decimal, read_hash, shown, write_base64
from tallybook.ledger.tree import HASH_SIZE, LARGEST

LONGEST_BODY = 1_000_000
"""No body is longer, in characters."""

_DO = "ask the log for its checkpoint again; this one was cut, changed or is of another format"


class CheckpointError(FormatError):
    """A body that is not a checkpoint's."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root. `root` is 32 bytes; `extensions` are the further lines, without their newlines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or any("\n" in line for line in self.extensions):
            raise CheckpointError("an origin without text, or a line that breaks in two", do="write each on one line")
        if has_control(self.origin) or any(has_control(line) for line in self.extensions):
            raise CheckpointError("control characters in a checkpoint", do="leave them out")
        if not 0 <= self.size <= LARGEST or len(self.root) != HASH_SIZE:
            raise CheckpointError(f"size {self.size} or a root of {len(self.root)} bytes", do=f"give a root of {HASH_SIZE} bytes")


def parse_body(text: str) -> Checkpoint:
    """The checkpoint that `text` states, to its last newline. Raises CheckpointError."""
    if len(text) > LONGEST_BODY:
        raise CheckpointError(f"a checkpoint of {len(text)} characters; at most {LONGEST_BODY}", do=_DO)
    if not text.endswith("\n"):
        raise CheckpointError("the last line has no end", do=_DO)
    if has_control(text):
        raise CheckpointError("control characters in a checkpoint", do=_DO)
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise CheckpointError(f"{len(lines)} lines; a checkpoint has an origin, a size and a root", do=_DO)
    origin, size_text, root_text, *extensions = lines
    if not origin:
        raise CheckpointError("no origin", where="line 1", do=_DO)
    size = read_decimal(size_text)
    if size is None:
        raise CheckpointError(f"{shown(size_text)} is not a size: digits only, no sign, no leading zero", where="line 2", do=_DO)
    root = read_hash(root_text)
    if root is None:
        raise CheckpointError(f"{shown(root_text)} is not {HASH_SIZE} bytes in base64", where="line 3", do=_DO)
    return Checkpoint(origin, size, root, tuple(extensions))


def format_body(checkpoint: Checkpoint) -> str:
    """The text that is signed: `parse_body` read backwards."""
    lines = (checkpoint.origin, str(checkpoint.size), write_base64(checkpoint.root), *checkpoint.extensions)
    return "".join(f"{line}\n" for line in lines)
