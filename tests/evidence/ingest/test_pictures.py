"""Pictures: known formats, limited, whole; one picture in two forms is near itself, two pictures are not."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tallybook.evidence.ingest import extras
from tallybook.evidence.ingest.extras import MissingExtraError
from tallybook.evidence.ingest.limits import Limits
from tallybook.evidence.ingest.pictures import BITS, NEAR, Picture, PictureError, distance, look_at, near

WIDTH, HEIGHT = 320, 240


@lru_cache(maxsize=16)
def scene(seed: int) -> Image.Image:
    """Twelve soft blots of light and dark, with grain."""
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    light = np.zeros((HEIGHT, WIDTH, 3))
    for _ in range(12):
        x, y, size = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT), chance.uniform(12, 70)
        blot = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * size * size))
        light += blot[..., None] * chance.uniform(-1, 1, 3)
    light = (light - light.min()) / (light.max() - light.min()) * 255 + chance.normal(0, 6, light.shape)
    return Image.fromarray(light.clip(0, 255).astype(np.uint8))


def saved(picture: Image.Image, form: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def cropped(picture: Image.Image, part: float) -> Image.Image:
    x, y = int(picture.width * part), int(picture.height * part)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def deep(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 200)


SEEDS = range(8)
AGAIN: dict[str, tuple[Callable[[Image.Image], bytes], int]] = {
    "JPEG of low quality": (lambda p: saved(p, "JPEG", quality=30), 6),
    "WebP of low quality": (lambda p: saved(p, "WEBP", quality=30), 6),
    "GIF": (lambda p: saved(p.convert("P"), "GIF"), 6),
    "TIFF of sixteen bits": (lambda p: saved(deep(p), "TIFF"), 8),
    "a third of the size": (lambda p: saved(p.resize((WIDTH // 3, HEIGHT // 3))), 6),
    "brighter": (lambda p: saved(ImageEnhance.Brightness(p).enhance(1.2)), NEAR),
    "grey": (lambda p: saved(p.convert("L")), 4),
    "opaque with an alpha channel": (lambda p: saved(p.convert("RGBA")), 1),
    "cropped by 1 %": (lambda p: saved(cropped(p, 0.01)), 8),
    "cropped by 3 %": (lambda p: saved(cropped(p, 0.03)), NEAR),
}


@pytest.mark.parametrize("way", AGAIN)
def test_a_picture_that_was_saved_again_is_near(way: str) -> None:
    change, at_most = AGAIN[way]
    for seed in SEEDS:
        one, other = look_at(saved(scene(seed)), "a.png"), look_at(change(scene(seed)), "b")
        assert distance(one, other) <= at_most
        assert near(one, other)


def test_other_pictures_are_not_near() -> None:
    pictures = [look_at(saved(scene(seed)), "a.png") for seed in SEEDS]
    apart = [distance(a, b) for n, a in enumerate(pictures) for b in pictures[:n]]
    assert min(apart) > NEAR
    assert 24 < sum(apart) / len(apart) < 40
    assert all(distance(a, a) == 0 for a in pictures)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_even_picture_is_near_nothing(grey: int) -> None:
    one = look_at(saved(Image.new("L", (300, 200), grey)), "blank.png")
    assert one.plain
    assert not near(one, one)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "GIF", "WEBP"])
def test_what_is_kept(form: str) -> None:
    found = look_at(saved(scene(0), form), f"a.{form}")
    assert (found.format, found.width, found.height) == (form, WIDTH, HEIGHT)
    assert 0 <= found.dhash < 2**BITS
    assert 0 <= found.phash < 2**BITS


@pytest.mark.parametrize("form", ["BMP", "PPM", "PDF", "ICO", "TGA"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(PictureError, match="known format"):
        look_at(saved(scene(0).resize((64, 64)), form), "a")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_picture_that_is_cut_off(form: str, part: float) -> None:
    raw = saved(scene(0), form)
    with pytest.raises(PictureError) as caught:
        look_at(raw[: int(len(raw) * part)], "a.picture")
    assert caught.value.where == "a.picture"
    assert caught.value.do


def test_a_few_bytes_that_claim_a_huge_picture() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">2L5B", 60_000, 60_000, 8, 2, 0, 0, 0))
    raw = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")
    with pytest.raises(PictureError, match=r"60,000 by 60,000|DecompressionBomb"):
        look_at(raw, "a.png")
    with pytest.raises(PictureError, match="320 by 240 pixels, over 1,000"):
        look_at(saved(scene(0)), "a.png", Limits(pixels=1_000))
    with pytest.raises(PictureError, match="larger than 100 bytes"):
        look_at(saved(scene(0)), "a.png", Limits(picture_bytes=100))


def test_a_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = look_at(saved(scene(1).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95), "a.jpg")
    assert near(look_at(saved(scene(1)), "a.png"), turned)
    assert not near(look_at(saved(scene(1).transpose(Image.Transpose.ROTATE_90)), "a.png"), turned)


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (20, 30, 60, 90))
    plain = Image.new("RGB", (100, 100), "white")
    plain.paste((0, 0, 0), (20, 30, 60, 90))
    assert distance(look_at(saved(clear), "a.png"), look_at(saved(plain), "b.png")) == 0


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtraError) as caught:
        look_at(b"", "a.png")
    assert "pip install 'tallybook[images]'" in caught.value.do


def test_distance_counts_bits() -> None:
    one = Picture("PNG", 1, 1, 0, 0)
    assert distance(one, Picture("PNG", 1, 1, 2**BITS - 1, 2**BITS - 1)) == BITS
    assert distance(one, Picture("PNG", 1, 1, 1, 0)) == 1


SMALL = {form: saved(scene(0).resize((40, 30)), form) for form in ("JPEG", "PNG", "TIFF", "GIF", "WEBP")}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_no_damage_raises_anything_else(form: str, data: st.DataObject) -> None:
    raw = bytearray(SMALL[form])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(), suppress(PictureError):
        warnings.simplefilter("error")
        assert look_at(bytes(raw), "a").width > 0
