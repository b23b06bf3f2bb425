"""Solves one case of the forms A, B, C or D: `python run.py CASE.json --answers OUT.json`.

Writes an object with the keys of the cases' NAME.answers.json, or {"impossible": true, "looks": [...]} where no state of the
world can give the counts. Exit 2 with words on the error stream where the case cannot be read or makes no sense.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tallybook.casefile.problem import read_problem_file
from tallybook.errors import TallybookError
from tallybook.holdings.answers import answers


def main(arguments: Sequence[str] | None = None) -> int:
    """Solve a case; the exit code."""
    parser = argparse.ArgumentParser(description="Solve a case of the forms A, B, C or D.")
    parser.add_argument("case", type=Path)
    parser.add_argument("--answers", type=Path, help="the file to write; the standard output without it")
    given = parser.parse_args(arguments)
    try:
        text = json.dumps(answers(read_problem_file(given.case), str(given.case)), allow_nan=False)
    except TallybookError as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    if given.answers is None:
        sys.stdout.write(text + "\n")
        return 0
    try:
        given.answers.write_text(text + "\n", "utf-8")
    except OSError as fault:
        sys.stderr.write(f"{given.answers}: {fault.strerror}\n    give a file that can be written\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
