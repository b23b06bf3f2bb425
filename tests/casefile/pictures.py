"""Small files that stand for exhibits in tests: drawn and sounded here, so that they are nobody's."""

from __future__ import annotations

import struct
import zlib


def png(seed: int, side: int = 16) -> bytes:
    """A grey picture, the same for the same seed."""
    rows = b"".join(b"\0" + bytes((seed * 37 + x * 11 + y * y * 5) % 256 for x in range(side)) for y in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", _stored(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """Uncompressed in the form of zlib, so that the bytes are the same whatever library made them."""
    length = len(data)
    return b"\x78\x01\x01" + struct.pack("<HH", length, length ^ 0xFFFF) + data + struct.pack(">I", zlib.adler32(data))


def wav(seconds: float = 0.05, rate: int = 8000) -> bytes:
    """A short saw-tooth tone."""
    data = bytes((n * 4) % 256 for n in range(int(seconds * rate)))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8, b"data", len(data)
    )
    return head + data
