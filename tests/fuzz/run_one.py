"""Fuzz one target for some seconds: `python tests/fuzz/run_one.py NAME SECONDS [FOLDER]`.

Exit 0 where nothing was found; else the input is in FOLDER (or a folder of its own), and the trace on standard error. Needs
atheris, a test dependency.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import atheris  # type: ignore[import-untyped, unused-ignore]

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
with atheris.instrument_imports(include=["tallybook.ledger", "tallybook.evidence.ingest", "tallybook.core.plaintext"]):
    from fuzz.properties import TARGETS

LONGEST_INPUT = 4096
SLOWEST_INPUT = 10
MEMORY_MB = 2048


def by_lines(raw: bytes, most: int, seed: int, words: Sequence[bytes]) -> bytes:
    """Half of the changes are libFuzzer's own; the others are those that a text format suffers: lines, words, digits."""
    choose = Random(seed)
    kind = choose.randrange(8)
    lines = raw.split(b"\n")
    at = choose.randrange(len(lines))
    if kind == 0:
        lines[at:at] = [choose.choice(lines)]
    elif kind == 1 and len(lines) > 1:
        del lines[at]
    elif kind == 2:
        cut = choose.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:cut] + choose.choice(words) + lines[at][cut:]
    elif kind == 3 and (digits := [place for place, byte in enumerate(raw) if byte in b"0123456789"]):
        place = choose.choice(digits)
        return raw[:place] + bytes([choose.choice(b"0123456789")]) + raw[place + 1 :]
    else:
        return bytes(atheris.Mutate(raw, most))
    return b"\n".join(lines)[:most]


def main(arguments: list[str]) -> None:
    name, seconds = arguments[:2]
    target = TARGETS[name]
    folder = Path(arguments[2]) if len(arguments) > 2 else Path(tempfile.mkdtemp(prefix="fuzz-"))
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (seeds / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words), "ascii")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={SLOWEST_INPUT}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/found-",
        "-print_final_stats=1",
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(seeds)],
        target.holds,
        custom_mutator=lambda raw, most, seed: by_lines(raw, most, seed, target.words),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
