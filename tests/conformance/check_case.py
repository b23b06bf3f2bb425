"""Compares answers with a conformance case, or writes the case without its answers.

    python tests/conformance/check_case.py CASE.json OUT.json       compare; exit 1 unless every item is right
    python tests/conformance/check_case.py --blind CASE.json        print the case as run.py may see it (inputs only)

Only cases of kind "temporal" and "logic" are answered by a script; see the README.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any
CASE_KEYS = ("case", "kind", "semantics", "traces", "signals", "threshold")
ITEM_KEYS = ("id", "text", "formula", "formula_ascii", "vars", "trace", "signal")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many answers are right, of how many, and the keys of those that are not."""

    right: int
    total: int
    not_covered: int
    wrong: tuple[str, ...]


def key_of(item: Mapping[str, Json]) -> str:
    """The key of an item in the answers."""
    return str(item.get("id") or item.get("formula_ascii") or item.get("ascii"))


def asked(case: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The items that a script must answer: those with a formula."""
    return [item for item in case.get("items", []) if "formula" in item]


def blind(case: Mapping[str, Json]) -> dict[str, Json]:
    """The case with every answer taken out: null stands where an answer goes."""
    if case["kind"] == "logic":
        tables = {name: [[*row[:-1], None] for row in rows] for name, rows in case["tables"].items()}
        kept = {key: case[key] for key in ("case", "kind", "semantics")}
        return {**kept, "tables": tables, "not": [[value, None] for value, _ in case["not"]]}
    items = []
    for item in asked(case):
        kept = {key: item[key] for key in ITEM_KEYS if key in item}
        if "probes" in item:
            items.append({**kept, "probes": [[probe[0], None] for probe in item["probes"]]})
        else:
            items.append({**kept, "expected": None, "undetermined": None})
    return {**{key: case[key] for key in CASE_KEYS if key in case}, "items": items}


def rows_of(expected: Json) -> list[tuple[Json, Json, str]] | None:
    """A list of {tp, ts, sat} as something comparable; None if it has another shape."""
    try:
        return sorted(
            (
                row["tp"],
                row["ts"],
                json.dumps(row["sat"] if isinstance(row["sat"], bool) else sorted(json.dumps(values) for values in row["sat"])),
            )
            for row in expected
        )
    except (TypeError, KeyError):
        return None


def is_right(item: Mapping[str, Json], answer: Json) -> bool:
    """Whether one answer matches: every probe, or every time-point's assignments and the undetermined ones."""
    if not isinstance(answer, dict):
        return False
    if "probes" in item:
        got = answer.get("probes")
        return isinstance(got, list) and [list(p) for p in item["probes"]] == [list(p) for p in got if isinstance(p, list)]
    same = rows_of(answer.get("expected")) == rows_of(item["expected"])
    return same and answer.get("undetermined") == item["undetermined"]


def compare(case: Mapping[str, Json], answers: Mapping[str, Json]) -> Comparison:
    """The answers against those of the case. What is not covered counts as not right."""
    if case["kind"] == "logic":
        wanted = {**case["tables"], "not": case["not"]}
        found = {**(answers.get("tables") or {}), "not": answers.get("not")}
        wrong = [key for key in wanted if found.get(key) != wanted[key]]
        return Comparison(len(wanted) - len(wrong), len(wanted), 0, tuple(wrong))
    items, total, skipped = answers.get("items") or {}, 0, 0
    wrong = []
    for item in asked(case):
        total += 1
        answer = items.get(key_of(item))
        if isinstance(answer, dict) and answer.get("not_covered"):
            skipped += 1
            wrong.append(f"{key_of(item)} (not covered)")
        elif not is_right(item, answer):
            wrong.append(key_of(item))
    return Comparison(total - len(wrong), total, skipped, tuple(wrong))


def main(arguments: Sequence[str]) -> int:
    """Compare, or print the case without its answers."""
    if len(arguments) != 2:
        sys.stderr.write(__doc__ or "")
        return 2
    if arguments[0] == "--blind":
        sys.stdout.write(json.dumps(blind(json.loads(Path(arguments[1]).read_text("utf-8"))), indent=1) + "\n")
        return 0
    case, answers = (json.loads(Path(name).read_text("utf-8")) for name in arguments)
    found = compare(case, answers)
    for key in found.wrong:
        sys.stdout.write(f"wrong: {key}\n")
    sys.stdout.write(f"{case['case']}: {found.right} of {found.total} right, {found.not_covered} not covered\n")
    return int(found.right < found.total or found.total == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
