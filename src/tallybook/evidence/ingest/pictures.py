"""Pictures at the door: their format, size and perceptual hashes, by which one picture sent twice is found.

Hashes are those of ImageHash (BSD; extra `images`): dHash, the sign of the brightness gradient over a 9 by 8 thumbnail, and
pHash, the signs of the low frequencies of a cosine transform. Both stay near when a picture is saved again, scaled or
brightened; a crop of a few per cent moves them further, a mirror image or a turn moves them as far as another picture does.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from tallybook.errors import TallybookError
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.limits import DEFAULT, Limits

FORMATS = ("JPEG", "PNG", "TIFF", "GIF", "WEBP")
BITS = 64
NEAR = 12
"""The largest distance at which two pictures are shown as possibly one: crops of 5 % stay within it, other pictures do not."""


class PictureError(TallybookError):
    """Bytes that are no picture of a known format, or one that is larger than the limits or cut off."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is kept of a picture. `width` and `height` in pixels; `dhash` and `phash` are 64 bits each.

    `plain`: it is too even for its hashes to tell it from other pictures (a blank page, fog); they are then not compared.
    """

    format: str
    width: int
    height: int
    dhash: int
    phash: int
    plain: bool = False


def distance(one: Picture, other: Picture) -> int:
    """The mean of the two Hamming distances in bits, rounded up: 0 for the same picture, about 32 for different ones."""
    return ((one.dhash ^ other.dhash).bit_count() + (one.phash ^ other.phash).bit_count() + 1) // 2


def near(one: Picture, other: Picture, at_most: int = NEAR) -> bool:
    """Whether two pictures may be one."""
    return not (one.plain or other.plain) and distance(one, other) <= at_most


def look_at(raw: bytes, name: str, limits: Limits = DEFAULT) -> Picture:
    """The hashes of a picture (of its first frame). Pure: nothing is stored and the bytes are not changed.

    Raises PictureError for what is no whole picture within the limits, and MissingExtraError without the extra `images`.
    """
    image = needed("PIL.Image", "images", "looking at a picture")
    hashes = needed("imagehash", "images", "looking at a picture")
    if len(raw) > limits.picture_bytes:
        raise PictureError(f"larger than {limits.picture_bytes:,} bytes", where=name, do="send a smaller copy, and keep this one")
    with warnings.catch_warnings():
        # Pillow warns of bombs and of data that ends early; here both are reasons to refuse.
        warnings.simplefilter("error")
        try:
            with image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                width, height = opened.size
                if width * height > limits.pixels:
                    what = f"{width:,} by {height:,} pixels, over {limits.pixels:,} in all"
                    raise PictureError(what, where=name, do="send a smaller copy, and keep this one")
                opened.load()
                grey = _grey(image, opened)
                low, high = grey.resize((9, 8)).getextrema()
                dhash, phash = (_bits(made) for made in (hashes.dhash(grey), hashes.phash(grey)))
                return Picture(str(opened.format), width, height, dhash, phash, plain=high - low < 8)
        except PictureError:
            raise
        except image.UnidentifiedImageError as error:
            raise PictureError("no picture of a known format", where=name, do=f"send one of {', '.join(FORMATS)}") from error
        except Exception as error:  # a foreign decoder over hostile bytes: whatever it raises is a fault of the picture
            do = "send the whole file again"
            raise PictureError(f"a picture that is cut off or damaged ({type(error).__name__})", where=name, do=do) from error


def _grey(image: Any, opened: Any) -> Any:
    """The picture in grey: turned as its camera says, what is transparent on white, sixteen bits brought down to eight."""
    turned = needed("PIL.ImageOps", "images", "looking at a picture").exif_transpose(opened)
    if turned.mode.startswith("I") or turned.mode == "F":
        low, high = turned.getextrema()
        scale = 255 / (high - low) if high > low else 0.0
        return turned.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        return image.alpha_composite(image.new("RGBA", clear.size, "white"), clear).convert("L")
    return turned.convert("L")


def _bits(made: Any) -> int:
    return int(str(made), 16)
