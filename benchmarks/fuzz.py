"""Fuzz every parser of untrusted bytes, each in a process of its own: `python benchmarks/fuzz.py --seconds 600`.

The seconds are shared out among the targets of `tests/fuzz/properties.py`; `--only note,csv` runs some, `--jobs` so many at a
time. Prints how many inputs each target ran, and how fast. What is found stays in the folder that is named, and the exit code
is 1. Needs atheris.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tests" / "fuzz" / "run_one.py"
GRACE = 60
INPUTS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def targets() -> list[str]:
    sys.path[0] = str(ROOT / "tests")  # in place of this folder, where this script would hide the package
    from fuzz.properties import TARGETS

    return list(TARGETS)


def run(name: str, seconds: int, folder: Path) -> tuple[str, int, str]:
    """Name, inputs run, and what went wrong or nothing."""
    command = [sys.executable, str(SCRIPT), name, str(seconds), str(folder)]
    folder.mkdir(parents=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + GRACE, cwd=ROOT)
    found = INPUTS.search(done.stderr)
    inputs = int(found[1]) if found else 0
    is_clean = done.returncode == 0 and inputs and not list(folder.glob("found-*"))
    return name, inputs, "" if is_clean else (done.stdout + done.stderr)[-4000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="of fuzzing in all, shared out among the targets")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="targets, with commas between")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else targets()
    each = max(1, options.seconds // len(names))
    folder = Path(tempfile.mkdtemp(prefix="tallybook-fuzz-"))
    is_clean = True
    print(f"{len(names)} targets, {each} s each")
    with ThreadPoolExecutor(options.jobs) as pool:
        for name, inputs, wrong in pool.map(lambda one: run(one, each, folder / one), names):
            print(
                f"{name:16} {inputs:>10,} inputs {inputs / each:>9,.0f}/s  {'FOUND: ' + str(folder / name) if wrong else 'clean'}"
            )
            if wrong:
                is_clean = False
                print(wrong, file=sys.stderr)
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
