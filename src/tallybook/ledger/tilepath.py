"""Where a tile of the log stands among its static files (C2SP tlog-tiles).

tile/0/x001/x234/067         level 0, tile 1234067, full: 256 hashes
tile/1/000.p/17              level 1, tile 0, partial: 17 hashes
tile/entries/000.p/17        the first 17 entries themselves
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tallybook.ledger.strict import FormatError, shown
from tallybook.ledger.tree import LARGEST

TILE_WIDTH = 256
TILE_HEIGHT = 8
HIGHEST_LEVEL = 63
LONGEST_PATH = 80
"""No path of a tile whose index fits has more characters."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII
)
_DO = "write it as C2SP tlog-tiles does, such as tile/0/x001/234 or tile/entries/000.p/17"


class TilePathError(FormatError):
    """Text that is not the path of a tile."""


@dataclass(frozen=True, slots=True)
class TilePath:
    """Level (or "entries" for a bundle), index from 0, and width: 1 to 255 where partial, 256 where full."""

    level: int | Literal["entries"]
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        is_level = self.level == "entries" or (isinstance(self.level, int) and 0 <= self.level <= HIGHEST_LEVEL)
        if not is_level or not 0 <= self.index <= LARGEST or not 1 <= self.width <= TILE_WIDTH:
            raise TilePathError(f"no tile of level {self.level}, index {self.index} and width {self.width}", do=_DO)

    def __str__(self) -> str:
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{self.level}/{'/'.join(groups)}{partial}"


def parse_tile_path(text: str) -> TilePath:
    """The tile that a path names. Raises TilePathError for a path that C2SP tlog-tiles would not write."""
    match = _PATH.fullmatch(text) if len(text) <= LONGEST_PATH else None
    if match is None:
        raise TilePathError(f"{shown(text)} is not the path of a tile", do=_DO)
    level = match["level"]
    index = int(match["index"].replace("x", "").replace("/", ""))
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    if index > LARGEST or (match["width"] and width >= TILE_WIDTH):
        raise TilePathError(f"{shown(text)}: an index that does not fit or a partial tile that is full", do=_DO)
    path = TilePath("entries" if level == "entries" else int(level), index, width)
    if str(path) != text:
        raise TilePathError(f"{shown(text)} would be written {path}", do=_DO)
    return path
