"""Paths of tiles."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.known_logs import pieces
from tallybook.ledger.tilepath import TilePath, TilePathError, parse_tile_path


@given(st.one_of(st.integers(0, 63), st.just("entries")), st.integers(0, (1 << 63) - 1), st.integers(1, 256))
def test_what_is_written_is_read_again(level: int | Literal["entries"], index: int, width: int) -> None:
    path = TilePath(level, index, width)
    assert parse_tile_path(str(path)) == path


@given(pieces("tile", "/", "entries", "x000", "x001", "000", "234", ".p/", "0", "9", "63", "255", "256", most=12))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        path = parse_tile_path(text)
    except TilePathError:
        return
    assert str(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/x01/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/100/000",
        "tile/0/000/",
        "/tile/0/000",
        "./tile/0/000",
        "tile//000",
        "tile/0/../000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.P/1",
        "tile/0/000\n",
        "tile/0/\u0661\u0662\u0663",
        "tile/data/000",
        "tile/8/0/000",
        "tile/Entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 1000 + "000",
    ],
)
def test_other_paths_are_refused(text: str) -> None:
    with pytest.raises(TilePathError) as caught:
        parse_tile_path(text)
    assert caught.value.do


@pytest.mark.parametrize(
    ("level", "index", "width"), [(64, 0, 256), (-1, 0, 256), (0, -1, 256), (0, 1 << 63, 256), (0, 0, 0), (0, 0, 257)]
)
def test_tiles_that_cannot_be_are_not_made(level: int, index: int, width: int) -> None:
    with pytest.raises(TilePathError):
        TilePath(level, index, width)
