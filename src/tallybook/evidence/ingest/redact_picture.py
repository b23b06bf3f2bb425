"""Redaction of pictures: boxes filled with one opaque colour, and a new PNG made of what is seen and of nothing else.

A box is filled, never blurred, pixelated or swirled: those keep a function of what was there, and a face or a number can be found
again by trying likely ones against it. A fill keeps nothing. The PNG is made anew from the pixels, so that no place in the file
of the first is carried over: no EXIF, colour profile, comment, text, thumbnail, further frame, or bytes after the end.

What was compressed with loss has traces of the box's content in the pixels next to it: a JPEG spreads them over blocks of up to
16 by 16 pixels. Draw boxes with a margin of 16.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from tallybook.errors import TallybookError
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.limits import DEFAULT, Limits
from tallybook.evidence.ingest.pictures import PictureError
from tallybook.evidence.ingest.told import told
from tallybook.evidence.redaction import Chance, Opening, RedactionError, Taken, seal, sealed

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
MOST_BOXES = 200
MEDIA_TYPE = "image/png"
BOX = "box"
CHUNKS = (b"IHDR", b"IDAT", b"IEND")
"""All that a redacted PNG is made of."""
_WHAT = "redacting a picture"
_START = b"\x89PNG\r\n\x1a\n"
_MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "RGBX": "RGB"}
_SEE_THROUGH = ("LA", "PA", "La", "RGBA", "RGBa")


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels of the picture as it is seen, turned as its camera says: `x`, `y` from the top left corner."""

    x: int
    y: int
    width: int
    height: int

    def told(self) -> str:
        """The box as a field of a removal."""
        return f"{BOX} {self.x},{self.y},{self.width},{self.height}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as it is seen. `mode` is L (one byte for each pixel) or RGB (three), `pixels` row by row from the top.

    `further`: the file has more frames or pages than this one.
    """

    mode: str
    width: int
    height: int
    pixels: bytes
    further: bool = False


@dataclass(frozen=True, slots=True)
class RedactedPicture:
    """A redacted picture as a PNG, and an opening for each box. `further`: frames or pages of the first were left out."""

    data: bytes
    width: int
    height: int
    openings: tuple[Opening, ...]
    further: bool

    @property
    def removed(self) -> list[dict[str, str]]:
        """What was removed, as it may be told below."""
        return [opening.told() for opening in self.openings]


def redact_picture(
    raw: bytes, boxes: Sequence[Box], chance: Chance, name: str = "the picture", limits: Limits = DEFAULT
) -> RedactedPicture:
    """The picture (JPEG, PNG, TIFF, WebP) with every box black, as a PNG of eight bits a channel. One input gives one output.

    Outside the boxes each pixel is that of the picture as it is seen: turned as its camera says, what is transparent on white.
    Only the first frame is kept. Raises RedactionError for a box that is not within the picture and for what is not redacted
    here, PictureError for bytes that are no whole picture within the limits, MissingExtraError without the extra `images`.
    """
    refuse_others(raw, name)
    if not 0 < len(boxes) <= MOST_BOXES:
        raise RedactionError(
            "no box" if not boxes else f"over {MOST_BOXES} boxes", where=name, do="give boxes as x,y,width,height"
        )
    seen = as_seen(raw, name, limits)
    for box in boxes:
        _check_box(box, seen, name)
    pixels = bytearray(seen.pixels)
    for box in boxes:
        _fill(pixels, seen, box)
    taken = [Taken(box.told(), BOX, inside(seen, box), 0, 0) for box in boxes]
    data = _png(seen.mode, seen.width, seen.height, bytes(pixels))
    return RedactedPicture(data, seen.width, seen.height, seal(taken, chance), seen.further)


def refuse_others(raw: bytes, name: str) -> None:
    """Raises RedactionError for what is known not to be redacted here, by how its bytes begin."""
    if raw.lstrip()[:5] == b"%PDF-":
        do = "make a picture of each page, redact these, and release them as exhibits"
        raise RedactionError("a PDF keeps text under what covers it, and is not redacted here", where=name, do=do)
    sound = raw[:4] in (b"OggS", b"fLaC") or raw[:3] == b"ID3" or raw[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
    film = raw[4:8] == b"ftyp" or raw[:4] == b"\x1a\x45\xdf\xa3"
    if sound or film or (raw[:4] == b"RIFF" and raw[8:12] in (b"WAVE", b"AVI ")):
        do = "release a transcript, or still pictures, as exhibits of their own"
        raise RedactionError("sound and film are not redacted here", where=name, do=do)


def as_seen(raw: bytes, name: str, limits: Limits = DEFAULT) -> Seen:
    """The first frame of a picture as it is seen. Raises PictureError; RedactionError for over eight bits a channel."""
    image, turn = needed("PIL.Image", "images", _WHAT), needed("PIL.ImageOps", "images", _WHAT)
    if len(raw) > limits.picture_bytes:
        raise PictureError(f"larger than {limits.picture_bytes:,} bytes", where=name, do="file a smaller copy, and redact that")
    with warnings.catch_warnings():
        # Pillow warns of bombs and of data that ends early; here both are reasons to refuse.
        warnings.simplefilter("error")
        try:
            with image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                width, height = opened.size
                if width * height > limits.pixels:
                    what = f"{width:,} by {height:,} pixels, over {limits.pixels:,} in all"
                    raise PictureError(what, where=name, do="file a smaller copy, and redact that")
                further = bool(getattr(opened, "is_animated", False))
                opened.load()
                shown = _shown(image, turn.exif_transpose(opened), name)
                return Seen(shown.mode, shown.width, shown.height, shown.tobytes(), further)
        except TallybookError:
            raise
        except image.UnidentifiedImageError as error:
            do = f"give one of {', '.join(FORMATS)}; make pictures of the pages of anything else"
            raise PictureError("no picture of a format that is redacted here", where=name, do=do) from error
        except Exception as error:  # a foreign decoder over hostile bytes: whatever it raises is a fault of the picture
            what = f"a picture that is cut off or damaged ({type(error).__name__})"
            raise PictureError(what, where=name, do="redact the whole file") from error


def _shown(image: Any, turned: Any, name: str) -> Any:
    """The picture in eight bits a channel without an alpha channel, under which pixels could hide."""
    if turned.mode in _SEE_THROUGH or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        return image.alpha_composite(image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    if turned.mode not in _MODES:
        do = "save it with eight bits a channel, file that, and redact it"
        raise RedactionError(f"pixels of the form {told(turned.mode)} are not redacted here", where=name, do=do)
    return turned.convert(_MODES[turned.mode])


def _check_box(box: Box, seen: Seen, name: str) -> None:
    right, below = box.x + box.width, box.y + box.height
    if box.width < 1 or box.height < 1 or box.x < 0 or box.y < 0 or right > seen.width or below > seen.height:
        do = f"the picture is {seen.width} by {seen.height} pixels as it is seen; the top left corner is 0,0"
        raise RedactionError(f"{box.told()} is not within the picture", where=name, do=do)


def _rows(seen: Seen, box: Box) -> list[slice]:
    """Where each row of a box stands in the pixels."""
    size = len(seen.mode)
    starts = (((box.y + row) * seen.width + box.x) * size for row in range(box.height))
    return [slice(start, start + box.width * size) for start in starts]


def inside(seen: Seen, box: Box) -> bytes:
    """The pixels in a box, row by row."""
    return b"".join(seen.pixels[row] for row in _rows(seen, box))


def _fill(pixels: bytearray, seen: Seen, box: Box) -> None:
    black = bytes(box.width * len(seen.mode))
    for row in _rows(seen, box):
        pixels[row] = black


def _png(mode: str, width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of these pixels. The image is a new one, so it has no metadata to write."""
    out = io.BytesIO()
    needed("PIL.Image", "images", _WHAT).frombytes(mode, (width, height), pixels).save(out, "PNG", compress_level=3)
    return out.getvalue()


def picture_faults(first: bytes, redacted: bytes, openings: Sequence[Opening], limits: Limits = DEFAULT) -> list[str]:
    """What is wrong with a redacted picture, held against the first and the openings; nothing where all is right.

    Raises PictureError and RedactionError where the first cannot be read.
    """
    faults = chunk_faults(redacted)
    if faults:
        return faults
    seen = as_seen(first, "the first picture", limits)
    try:
        made = as_seen(redacted, "the redacted picture", limits)
    except TallybookError as error:
        return [str(error)]
    if (made.mode, made.width, made.height) != (seen.mode, seen.width, seen.height):
        return ["the redacted picture is not of the size and the colours of the first"]
    pixels, cut = bytearray(seen.pixels), bytearray(made.pixels)
    for opening in openings:
        box = _box_of(opening)
        if box is None or _outside(box, seen):
            faults.append(f"{told(opening.field)} is no box within the picture")
            continue
        if not compare_digest(sealed(opening.salt, inside(seen, box)), opening.sha256):
            faults.append(f"{opening.field}: the hash is not of what was there")
        if any(inside(made, box)):
            faults.append(f"{opening.field} is not filled")
        _fill(pixels, seen, box)
        _fill(cut, seen, box)
    if pixels != cut:
        faults.append("pixels differ outside the boxes")
    return faults


def _outside(box: Box, seen: Seen) -> bool:
    return min(box.width, box.height) < 1 or box.x + box.width > seen.width or box.y + box.height > seen.height


def _box_of(opening: Opening) -> Box | None:
    kind, _, numbers = opening.field.partition(" ")
    parts = numbers.split(",")
    if opening.how != BOX or kind != BOX or len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) < 7 for p in parts):
        return None
    return Box(*map(int, parts))


def chunk_faults(data: bytes) -> list[str]:
    """What a file has besides the pixels of one PNG: other chunks, wrong sums, pixel data or bytes too many."""
    if not data.startswith(_START):
        return ["the redacted picture is no PNG"]
    if len(data) > DEFAULT.picture_bytes:
        return [f"the redacted picture is larger than {DEFAULT.picture_bytes:,} bytes"]
    at = len(_START)
    kinds: list[bytes] = []
    packed: list[bytes] = []
    while at < len(data) and kinds[-1:] != [b"IEND"]:
        (length,), kind = struct.unpack(">I", data[at : at + 4].ljust(4, b"\xff")), data[at + 4 : at + 8]
        body, after = data[at + 8 : at + 8 + length], at + 12 + length
        if after > len(data) or struct.unpack(">I", data[after - 4 : after])[0] != zlib.crc32(kind + body):
            return ["a chunk of the redacted picture that is cut off or damaged"]
        if kind not in CHUNKS or (kind == b"IEND" and body):
            return [f"a chunk {told(kind.decode('latin-1'))} of {length:,} bytes in the redacted picture"]
        packed += [body] if kind == b"IDAT" else []
        kinds.append(kind)
        at = after
    if len(kinds) < 3 or kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:
        return ["the redacted picture is not one header, its pixels and an end"]
    return (
        [f"{len(data) - at:,} bytes after the end of the redacted picture"]
        if at < len(data)
        else _surplus(b"".join(packed), data)
    )


def _surplus(packed: bytes, data: bytes) -> list[str]:
    """Bytes within the pixel data that are no pixels: after the last row, or after the end of the packed stream."""
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    if data[8:12] != b"\0\0\0\r" or bits != 8 or colour not in (0, 2) or data[26:29] != b"\0\0\0":
        return ["the redacted picture is not in plain grey or colour of eight bits"]
    if width * height > DEFAULT.pixels:
        return [f"the redacted picture is of over {DEFAULT.pixels:,} pixels"]
    size = height * (1 + width * (1 if colour == 0 else 3))
    unpacked = zlib.decompressobj()
    try:
        pixels = unpacked.decompress(packed, size + 1)
    except zlib.error:
        return ["the pixels of the redacted picture are damaged"]
    if len(pixels) != size or not unpacked.eof or unpacked.unused_data:
        return ["the redacted picture has more or fewer bytes than its pixels"]
    return []
