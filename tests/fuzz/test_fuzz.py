"""Every target for two seconds; its seeds and their neighbours without a fuzzer. `benchmarks/fuzz.py` runs them for longer."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fuzz.properties import TARGETS, BrokenPropertyError, same
from ledger.known_logs import one_bit_changes
from support import ROOT

SECONDS = 2
SCRIPT = ROOT / "tests" / "fuzz" / "run_one.py"


def fuzz(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), name, str(SECONDS), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, subprocess.CompletedProcess[str]]]:
    """Every target, two at a time."""
    folders = {name: tmp_path_factory.mktemp(name) for name in TARGETS}
    with ThreadPoolExecutor(2) as pool:
        return {
            name: (folders[name], done) for name, done in zip(folders, pool.map(fuzz, folders, folders.values()), strict=True)
        }


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_fuzzer_finds_nothing(fuzzed: dict[str, tuple[Path, subprocess.CompletedProcess[str]]], name: str) -> None:
    folder, done = fuzzed[name]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert list(folder.glob("found-*")) == []
    assert "stat::number_of_executed_units" in done.stderr


@pytest.mark.parametrize("name", TARGETS)
def test_every_neighbour_of_a_seed(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds:
        target.holds(seed)
        for at in range(0, len(seed), 7):
            target.holds(seed[:at])
            for word in target.words:
                target.holds(seed[:at] + word + seed[at:])
        for at, changed in one_bit_changes(seed):
            if at % 5 == 0:
                target.holds(changed)


def test_a_property_that_does_not_hold_is_noticed() -> None:
    with pytest.raises(BrokenPropertyError):
        same(b"a", b"b")
