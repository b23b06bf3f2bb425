"""Every limit at the door, by name: a file may be large, never larger than what is stated here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold at most.

    Sizes are in bytes unless said otherwise. `unpacked` is the total of all that an archive (zip, xlsx) unpacks to, or of
    the columns of a Parquet file; `ratio` is unpacked to packed bytes and counts only above `ratio_from` bytes, since a
    small file of blanks packs well and harms nobody. `faults` is how many faults are listed before the rest is summed up.
    """

    bytes: int = 64_000_000
    rows: int = 200_000
    columns: int = 100
    cells: int = 5_000_000
    field: int = 100_000
    """Characters in one field."""
    digits: int = 40
    """Characters in one number."""
    depth: int = 12
    """Brackets or elements within one another."""
    members: int = 200
    """Files in a zip of tables."""
    parts: int = 2_000
    """Parts in a workbook."""
    name: int = 200
    """Characters in the name of a file in a zip, a sheet or a column."""
    unpacked: int = 128_000_000
    ratio: int = 200
    ratio_from: int = 1_000_000
    faults: int = 1_000
    pixels: int = 64_000_000
    picture_bytes: int = 64_000_000
    mentions: int = 10_000
    """Near-duplicates that are listed."""


DEFAULT = Limits()
