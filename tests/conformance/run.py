"""Answers a conformance case of the kinds `temporal` and `logic` from its inputs alone.

    python tests/conformance/run.py CASE.json --answers OUT.json

Answers that stand in the case are never read, so a case without them (`check_case.py --blind`) gives the same file. An item that
cannot be answered is written as `{"not_covered": "reason"}`. Exit 2 when the case itself cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tallybook.core.truth import Truth, all_of, any_of, differ, implies
from tallybook.errors import TallybookError
from tallybook.formula.exhaustive import evaluated
from tallybook.formula.monitor import Monitor, Verdict, monitorable
from tallybook.formula.nodes import free
from tallybook.formula.signals import read_signals, verdicts
from tallybook.formula.trace import TimePoint
from tallybook.formula.tree import Formula, from_json

Json = Any

CONNECTIVES: dict[str, Callable[[Sequence[Truth]], Truth]] = {
    "and": all_of,
    "or": any_of,
    "implies": lambda parts: implies(parts[0], parts[-1]),
    "implied_by": lambda parts: implies(parts[-1], parts[0]),
    "xor": lambda parts: differ(*parts),
    "equivalent": lambda parts: ~differ(*parts),
    "nand": lambda parts: ~all_of(parts),
    "nor": lambda parts: ~any_of(parts),
    "not": lambda parts: ~parts[0],
}
OTHER_NAMES = {
    "&&": "and",
    "conjunction": "and",
    "||": "or",
    "disjunction": "or",
    "if": "implies",
    "implication": "implies",
    "exclusive_or": "xor",
    "iff": "equivalent",
    "xnor": "equivalent",
    "equivalence": "equivalent",
}


def key_of(item: Mapping[str, Json]) -> str:
    """The key of an item in the answers."""
    return str(item.get("id") or item.get("formula_ascii") or item.get("ascii"))


def answers(case: Mapping[str, Json]) -> dict[str, Json]:
    """The answers to a case. Raises TallybookError for a kind that has none."""
    if not isinstance(case, Mapping):
        raise TallybookError("no object", where="case", do="give a case as one JSON object")
    if case.get("kind") == "logic":
        tables = {name: table(name, rows) for name, rows in case.get("tables", {}).items()}
        return {"tables": tables, "not": table("not", case.get("not", []))}
    if case.get("kind") == "temporal":
        asked = [item for item in case.get("items", []) if "formula" in item]
        return {"items": {key_of(item): covered(case, item) for item in asked}}
    raise TallybookError(f"a case of kind {case.get('kind')!r}", where="kind", do="give a case of kind temporal or logic")


def covered(case: Mapping[str, Json], item: Mapping[str, Json]) -> dict[str, Json]:
    """The answer to an item, or why there is none."""
    try:
        formula = from_json(item["formula"])
        if "signal" in item or ("trace" not in item and "probes" in item):
            return signal_answer(case, item, formula)
        return trace_answer(chosen(case, item, "trace"), item, formula)
    except (ValueError, TallybookError, KeyError, TypeError, AttributeError) as error:
        return {"not_covered": str(error) or type(error).__name__}


def chosen(case: Mapping[str, Json], item: Mapping[str, Json], what: str) -> Json:
    """The trace or signal that an item names; the only one where it names none."""
    known = case[f"{what}s"]
    if what not in item and len(known) == 1:
        return next(iter(known.values()))
    return known[item[what]]


def signal_answer(case: Mapping[str, Json], item: Mapping[str, Json], formula: Formula) -> dict[str, Json]:
    """An answer at each probe, as given."""
    signals = read_signals(chosen(case, item, "signal"), case.get("threshold"))
    instants = [probe[0] if isinstance(probe, list) else probe for probe in item["probes"]]
    found = verdicts(formula, signals, instants)
    return {"probes": [[instant, truth] for instant, truth in zip(instants, found, strict=True)]}


def trace_answer(trace: Sequence[Mapping[str, Json]], item: Mapping[str, Json], formula: Formula) -> dict[str, Json]:
    """The assignments at each time-point and the undetermined time-points."""
    points = [time_point(n, row) for n, row in enumerate(trace)]
    names = free(formula) if item.get("vars") is None else item["vars"]
    wanted = [f"?{name.removeprefix('?')}" for name in names]
    found, undetermined = watched(formula, points, wanted)
    expected = [
        {"tp": verdict.tp, "ts": verdict.ts, "sat": [list(row) for row in verdict.rows] if wanted else bool(verdict.rows)}
        for verdict in found
    ]
    return {"expected": expected, "undetermined": list(undetermined)}


def time_point(n: int, row: Mapping[str, Json]) -> TimePoint:
    """A time-point of a case."""
    events: dict[str, list[tuple[Json, ...]]] = {}
    for event in row.get("events", ()):
        events.setdefault(event["pred"], []).append(tuple(event.get("args", ())))
    return TimePoint(row.get("tp", n), row["ts"], events)


def watched(formula: Formula, points: Sequence[TimePoint], wanted: Sequence[str]) -> tuple[list[Verdict], tuple[int, ...]]:
    """By the streaming monitor where it takes the formula, else by the evaluator of finished traces."""
    if monitorable(formula) is None and set(wanted) <= set(free(formula)):
        monitor = Monitor(formula, wanted)
        return list(monitor.run(points)), monitor.undetermined
    return evaluated(formula, points, wanted)


def table(name: str, rows: Sequence[Sequence[Json]]) -> Json:
    """A truth table with its last column filled in. Words other than true, false and null stand for what is not known."""
    plain = name.lower().replace(" ", "_").replace("-", "_")
    connective = CONNECTIVES.get(OTHER_NAMES.get(plain, plain))
    if connective is None:
        return {"not_covered": f"no connective is called {name}"}
    return [[*row[:-1], spoken(connective([truth(value) for value in row[:-1]]), row[:-1])] for row in rows]


def truth(value: Json) -> Truth:
    """The truth of a value in a table."""
    return Truth.of(value if isinstance(value, bool) else None)


def spoken(answer: Truth, operands: Sequence[Json]) -> Json:
    """An answer in the words of its row: what is not known keeps the word of the first operand that is not known."""
    if answer is Truth.UNKNOWN:
        words = [value for value in operands if isinstance(value, str)]
        return words[0] if words else None
    return answer is Truth.TRUE


def main(arguments: Sequence[str]) -> int:
    """Read the case, write the answers."""
    parser = argparse.ArgumentParser(description="answer a conformance case from its inputs alone")
    parser.add_argument("case", type=Path)
    parser.add_argument("--answers", type=Path, required=True)
    chosen_files = parser.parse_args(arguments)
    try:
        case = json.loads(chosen_files.case.read_text("utf-8"))
        found = answers(case)
        chosen_files.answers.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    except (OSError, ValueError, TallybookError) as error:
        sys.stderr.write(f"{chosen_files.case}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
