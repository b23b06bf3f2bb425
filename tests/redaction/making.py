"""Salts, rows, places and pictures that the tests of redaction share."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable
from zoneinfo import ZoneInfo

from PIL import Image

from tallybook.casefile.redacting import ROW, removed_json, row_bytes
from tallybook.evidence.redaction import Opening, Redacted, Setting
from tallybook.evidence.report import Place

VIENNA = ZoneInfo("Europe/Vienna")
PLACES = {
    "land": Place("land", "The Land", "zone", None, None, "", ()),
    "north": Place("north", "Northern zone", "zone", None, None, "land", ("The North",)),
    "north-1": Place("north-1", "Depot Alpha", "site", None, None, "north", ("Alpha yard",)),
    "north-2": Place("north-2", "Depot Beta", "site", None, None, "north", ()),
    "far": Place("far", "Far shore", "zone", None, None, "", ()),
}
OBSERVED = {
    "id": "OBS-7",
    "reported_at": "2020-03-04T10:15+01:00",
    "observed_from": "2020-03-03T23:40Z",
    "observed_to": "2020-03-04",
    "source_id": "S-9",
    "method": "site_visit",
    "observer": "Team 2",
    "place": "Depot Alpha",
    "item_class": "shell",
    "count": "42",
    "count_low": "",
    "count_high": "",
    "statement": "Colonel Brandt showed 42 shells; Brandt signed.",
    "citation": "Cable 81",
    "note": "",
    "exhibits": "EX-1; EX-2",
    "marking": "TLP:RED",
}
SETTING = Setting(VIENNA, PLACES)


def salts(seed: int = 1) -> Callable[[int], bytes]:
    """Salts that are the same in each run."""
    return random.Random(seed).randbytes


def act_of(first: bytes, redacted: bytes, openings: tuple[Opening, ...], form: str) -> dict[str, str]:
    """The act that links two forms."""
    told = {"id": "ACT-1", "act": "release", "record": "OBS-7", "new_record": "OBS-R1", "was": "TLP:RED", "becomes": "TLP:GREEN"}
    why = {"by": "releaser", "authority": "rule 5", "reason": "for the partner", "known_at": "2020-03-05", "marking": "TLP:RED"}
    return told | why | {"removed": removed_json(form, openings, first, redacted)}


def row_act(row: dict[str, str], made: Redacted) -> tuple[bytes, bytes, dict[str, str]]:
    """Both rows as bytes, and the act that links them."""
    first, new = row_bytes(row), row_bytes(made.row)
    return first, new, act_of(first, new, made.openings, ROW)


def picture(width: int = 40, height: int = 30, mode: str = "RGB", seed: int = 3) -> Image.Image:
    """Noise: no pixel is like its neighbour, and none is black."""
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), bytes(b % 255 + 1 for b in random.Random(seed).randbytes(size)))


def saved(image: Image.Image, form: str = "PNG", **how: object) -> bytes:
    """An image as a file."""
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, each sum checked; what follows the end as a last one of no name."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    found: list[tuple[bytes, bytes]] = []
    while at < len(data) and (not found or found[-1][0] != b"IEND"):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert int.from_bytes(data[at + 8 + size : at + 12 + size], "big") == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + size
    return [*found, (b"", data[at:])] if at < len(data) else found


def decoded(data: bytes) -> tuple[int, int, int, bytes]:
    """Width, height, bytes for each pixel and pixels of an eight-bit PNG, by a reader of our own (PNG 1.2, section 6)."""
    parts = chunks(data)
    width, height = (int.from_bytes(parts[0][1][at : at + 4], "big") for at in (0, 4))
    assert parts[0][1][8] == 8
    size = {0: 1, 2: 3}[parts[0][1][9]]
    raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    line, out, above = width * size, b"", bytes(width * size)
    for row in range(height):
        start = row * (line + 1)
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + line], above, size)
        out += above
    assert len(raw) == height * (line + 1)
    return width, height, size, out


def _unfiltered(how: int, line: bytes, above: bytes, size: int) -> bytes:
    out = bytearray()
    for at, value in enumerate(line):
        left, up = out[at - size] if at >= size else 0, above[at]
        corner = above[at - size] if at >= size else 0
        guess = left + up - corner
        near = min((left, up, corner), key=lambda one: abs(guess - one))
        out.append((value + (0, left, up, (left + up) // 2, near)[how]) & 255)
    return bytes(out)
