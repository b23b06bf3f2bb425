"""Pictures: the boxes are one colour, everything else is as it was seen, and the file holds nothing but that."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from hashlib import sha256

import pytest
from PIL import Image, ImageCms, ImageOps, ImageSequence, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from redaction.making import chunks, decoded, picture, salts, saved
from tallybook.evidence.ingest import extras
from tallybook.evidence.ingest.extras import MissingExtraError
from tallybook.evidence.ingest.limits import Limits
from tallybook.evidence.ingest.pictures import PictureError
from tallybook.evidence.ingest.redact_picture import (
    CHUNKS,
    FORMATS,
    Box,
    RedactedPicture,
    as_seen,
    chunk_faults,
    redact_picture,
)
from tallybook.evidence.redaction import RedactionError

CANARY = b"CANARY-7f3a-Brandt"
WORDS = CANARY.decode()
BOX = Box(5, 4, 12, 9)


def redact(raw: bytes, *boxes: Box) -> RedactedPicture:
    return redact_picture(raw, boxes or (BOX,), salts())


def is_in(box: Box, x: int, y: int) -> bool:
    return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height


def check_pixels(made: bytes, seen: Image.Image, *boxes: Box) -> None:
    """By a decoder of our own: black in the boxes, the pixels of what is seen outside."""
    width, height, size, pixels = decoded(made)
    assert ((width, height), size) == (seen.size, len(seen.getbands()))
    wanted = seen.tobytes()
    for at in range(width * height):
        y, x = divmod(at, width)
        inside = any(is_in(box, x, y) for box in boxes)
        assert pixels[at * size : (at + 1) * size] == (bytes(size) if inside else wanted[at * size : (at + 1) * size])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_boxes_are_black_and_all_else_is_as_it_was_seen(form: str, mode: str) -> None:
    raw = saved(picture(mode=mode), form)
    other = Box(30, 0, 10, 30)
    with Image.open(io.BytesIO(raw)) as seen:
        check_pixels(redact(raw, BOX, other).data, seen.copy(), BOX, other)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_box_covers_what_is_seen_however_the_camera_was_held(turn: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    raw = saved(picture(), form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    with Image.open(io.BytesIO(raw)) as opened:
        seen = ImageOps.exif_transpose(opened)
    assert seen.size == ((30, 40) if turn > 4 else (40, 30))
    check_pixels(redact(raw, Box(2, 3, 20, 6)).data, seen, Box(2, 3, 20, 6))


@pytest.mark.parametrize("mode", ["P", "1", "CMYK", "LA", "RGBA", "PA"])
def test_pictures_of_other_forms_are_told_in_grey_or_colour(mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    image = picture(mode="RGB").convert("RGBA").convert("LA").convert("PA") if mode == "PA" else picture().convert(mode)
    raw = saved(image, form)
    with Image.open(io.BytesIO(raw)) as seen:
        check_pixels(redact(raw).data, seen.convert("L" if mode == "1" else "RGB"), BOX)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_more_than_eight_bits_a_channel_are_refused(mode: str) -> None:
    raw = saved(Image.new(mode, (40, 30), 1000 if mode != "F" else 0.5), "TIFF")
    with pytest.raises(RedactionError, match="pixels of the form"):
        redact(raw)


def test_one_input_gives_one_output() -> None:
    raw = saved(picture(), "JPEG")
    assert redact(raw).data == redact(raw).data


def test_a_removal_is_told_by_a_salted_hash_of_the_pixels() -> None:
    made = redact(saved(picture()))
    (opening,) = made.openings
    pixels = picture().crop((5, 4, 17, 13)).tobytes()
    assert made.removed == [{"field": "box 5,4,12,9", "how": "box", "sha256": sha256(opening.salt + pixels).hexdigest()}]


@pytest.mark.parametrize(
    "box",
    [Box(-1, 0, 2, 2), Box(0, -1, 2, 2), Box(39, 0, 2, 2), Box(0, 29, 2, 2), Box(0, 0, 0, 2), Box(0, 0, 2, -1), Box(0, 0, 1, 31)],
)
def test_a_box_outside_the_picture_is_refused(box: Box) -> None:
    with pytest.raises(RedactionError, match="is not within the picture"):
        redact(saved(picture()), box)


def test_a_box_is_held_against_the_picture_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = saved(picture(), "JPEG", exif=exif)
    assert redact(raw, Box(0, 35, 30, 5)).height == 40
    with pytest.raises(RedactionError, match="30 by 40"):
        redact(raw, Box(35, 0, 5, 5))


@pytest.mark.parametrize("count", [0, 201])
def test_no_box_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(RedactionError, match=r"no box|over 200 boxes"):
        redact_picture(saved(picture()), [BOX] * count, salts())


def exif_bytes() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = WORDS, WORDS
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + CANARY
    exif.get_ifd(0x8825)[0x001D] = WORDS
    return exif


def profile() -> bytes:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:-32] + (CANARY + bytes(32))[:32]


def jpeg_everywhere() -> bytes:
    thumbnail = saved(picture(16, 16), "JPEG", comment=CANARY)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + CANARY + b"</x:xmpmeta>"
    raw = saved(picture(), "JPEG", exif=exif_bytes(), icc_profile=profile(), comment=CANARY, xmp=xmp)
    extra = b"\xff\xe5" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    return raw[:2] + extra + raw[2:] + CANARY


def png_everywhere() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", WORDS)
    info.add_text("Packed", WORDS, zip=True)
    info.add_itxt("XML:com.adobe.xmp", WORDS)
    info.add_itxt("packed", WORDS, zip=True)
    info.add(b"teSt", CANARY)
    return saved(picture(), pnginfo=info, exif=exif_bytes(), icc_profile=profile()) + CANARY


def png_frames() -> bytes:
    return saved(picture(), save_all=True, append_images=[with_words("RGB", CANARY)])


def tiff_everywhere() -> bytes:
    tags = ImageFileDirectory_v2()
    tags[270], tags[700], tags[65000] = WORDS, CANARY, WORDS
    hidden = with_words("RGB", CANARY)
    return saved(picture(), "TIFF", tiffinfo=tags, icc_profile=profile(), save_all=True, append_images=[hidden]) + CANARY


def webp_everywhere() -> bytes:
    return saved(picture(), "WEBP", lossless=True, exif=exif_bytes(), icc_profile=profile(), xmp=CANARY) + CANARY


def with_words(mode: str, words: bytes) -> Image.Image:
    """A picture whose pixels spell the words, channel by channel."""
    size = 40 * 30 * len(mode)
    return Image.frombytes(mode, (40, 30), (words * (size // len(words) + 1))[:size])


def under_alpha() -> bytes:
    """Pixels that spell the words in their colours, and are fully transparent."""
    image = with_words("RGB", CANARY)
    image.putalpha(Image.new("L", image.size, 0))
    return saved(image)


def under_a_palette() -> bytes:
    """Words in colours of the palette that no pixel has."""
    image = Image.new("P", (40, 30))
    image.putpalette(bytes(3 * 8) + (CANARY * 50)[: 3 * 248])
    image.putdata([at % 8 for at in range(1200)])
    return saved(image)


EVERYWHERE: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg_everywhere,
    "PNG": png_everywhere,
    "animated PNG": png_frames,
    "TIFF of two pages": tiff_everywhere,
    "WebP": webp_everywhere,
    "under alpha": under_alpha,
    "in a palette": under_a_palette,
}


def holds_words(data: bytes) -> bool:
    """Whether the words stand in the bytes, or in anything in them that unpacks."""
    if CANARY in data:
        return True
    for at in range(len(data) - 1):
        if data[at] == 0x78 and data[at + 1] in (0x01, 0x5E, 0x9C, 0xDA):
            try:
                found = zlib.decompressobj().decompress(data[at:], 100_000)
            except zlib.error:
                continue
            if CANARY in found or CANARY in found.replace(b"\0", b""):
                return True
    return False


def all_pixels(raw: bytes) -> bytes:
    """The colours of every frame, whatever lies over them."""
    with Image.open(io.BytesIO(raw)) as opened:
        return b"".join(frame.convert("RGB").tobytes() for frame in ImageSequence.all_frames(opened))


@pytest.mark.parametrize("place", EVERYWHERE)
def test_nothing_that_was_planted_is_in_what_is_made(place: str) -> None:
    raw = EVERYWHERE[place]()
    assert holds_words(raw) or CANARY in all_pixels(raw), "the words were planted"
    made = redact(raw)
    assert not holds_words(made.data)
    assert CANARY not in decoded(made.data)[3]
    kinds = [kind for kind, _ in chunks(made.data)]
    assert kinds[0] == b"IHDR"
    assert set(kinds) == set(CHUNKS)
    with Image.open(io.BytesIO(made.data)) as opened:
        opened.load()
        assert opened.info == {}
        assert not opened.getexif()
    assert chunk_faults(made.data) == []
    assert made.further == (place in ("animated PNG", "TIFF of two pages"))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_words_in_the_box_are_gone(mode: str) -> None:
    raw = saved(with_words(mode, CANARY))
    made = redact(raw, Box(0, 0, 40, 30))
    assert CANARY in as_seen(raw, "a").pixels
    assert not any(decoded(made.data)[3])


def test_what_is_half_transparent_is_told_on_white() -> None:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 128))
    assert decoded(redact(saved(image)).data)[3][:3] == b"\x7f\x7f\x7f"


def test_a_colour_that_stands_for_transparent_is_white() -> None:
    raw = saved(Image.new("RGB", (40, 30), (9, 8, 7)), transparency=(9, 8, 7))
    assert decoded(redact(raw).data)[3][:3] == b"\xff\xff\xff"


def planted(data: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + chunk + data[33:]


def repacked(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The PNG with one IDAT of changed contents."""
    body = change(b"".join(body for kind, body in chunks(data) if kind == b"IDAT"))
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return data[:33] + chunk + data[-12:]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda d: d + b"x", "1 bytes after the end"),
        (lambda d: planted(d, b"tEXt", b"Comment\0secret"), "a chunk 'tEXt'"),
        (lambda d: planted(d, b"IHDR", d[16:29]), "not one header"),
        (lambda d: d[:-12] + planted(d[:33], b"IEND", b"secret")[33:], "a chunk 'IEND' of 6 bytes"),
        (lambda d: d[:-1], "cut off or damaged"),
        (lambda d: d[:-12], "not one header"),
        (lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:], "cut off or damaged"),
        (lambda d: d[:8], "not one header"),
        (lambda d: b"", "no PNG"),
        (lambda d: repacked(d, lambda p: p + b"secret"), "more or fewer bytes"),
        (lambda d: repacked(d, lambda p: zlib.compress(zlib.decompress(p) + b"secret")), "more or fewer bytes"),
        (lambda d: repacked(d, lambda p: p[:-2]), "more or fewer bytes"),
        (lambda d: repacked(d, lambda p: zlib.compress(zlib.decompress(p)[:-1])), "more or fewer bytes"),
        (lambda d: repacked(d, lambda p: b"\0" + p), "damaged"),
        (lambda d: saved(picture(), "JPEG"), "no PNG"),
        (lambda d: saved(picture().convert("RGBA")), "plain grey or colour"),
        (lambda d: saved(picture().convert("P")), "a chunk 'PLTE'"),
    ],
)
def test_a_file_with_more_than_its_pixels_is_seen(spoil: Callable[[bytes], bytes], why: str) -> None:
    faults = chunk_faults(spoil(redact(saved(picture())).data))
    assert len(faults) == 1
    assert why in faults[0]


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (b"%PDF-1.7\n", "a PDF keeps text"),
        (b"\n %PDF-1.4", "a PDF keeps text"),
        (b"RIFF\0\0\0\0WAVEfmt ", "sound and film"),
        (b"RIFF\0\0\0\0AVI LIST", "sound and film"),
        (b"ID3\x04", "sound and film"),
        (b"OggS\0", "sound and film"),
        (b"fLaC", "sound and film"),
        (b"\xff\xfb\x90\0", "sound and film"),
        (b"\0\0\0\x18ftypmp42", "sound and film"),
        (b"\x1a\x45\xdf\xa3", "sound and film"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_way(start: bytes, why: str) -> None:
    with pytest.raises(RedactionError, match=why) as caught:
        redact(start + bytes(100))
    assert "release" in caught.value.do


def test_limits_hold() -> None:
    raw = saved(picture())
    with pytest.raises(PictureError, match="larger than 100 bytes"):
        redact_picture(raw, [BOX], salts(), limits=Limits(picture_bytes=100))
    with pytest.raises(PictureError, match="40 by 30 pixels, over 1,000"):
        redact_picture(raw, [BOX], salts(), limits=Limits(pixels=1_000))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_picture_that_is_cut_off_is_refused(form: str, part: float) -> None:
    raw = saved(picture(200, 150), form)
    with pytest.raises(PictureError):
        redact(raw[: int(len(raw) * part)])


def test_other_formats_are_refused() -> None:
    for form in ("GIF", "BMP", "PPM"):
        with pytest.raises(PictureError, match="no picture of a format"):
            redact(saved(picture(), form))
    assert "GIF" not in FORMATS


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match="redacting a picture needs PIL") as caught:
        redact(b"\x89PNG")
    assert "tallybook[images]" in caught.value.do
    assert extras.needed("io", "images", "x") is io
