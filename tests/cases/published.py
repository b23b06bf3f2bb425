"""Published cases written as case folders: their answers, and the folder with one run of events put into it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tallybook import desk
from tallybook.agreement.claim import Fact
from tallybook.agreement.yamltext import read_yaml
from tallybook.commitments.commitment import Commitment, commitment, standing_of
from tallybook.verdicts.inquiry import Case, Inquiry

HERE = Path(__file__).parent
CONFORMANCE = HERE.parent / "conformance" / "cases"
DAY_0 = date(2020, 1, 1)


@cache
def published(number: str) -> Any:
    """A published case, by the number with which its file begins."""
    (path,) = CONFORMANCE.glob(f"{number}-*.json")
    return json.loads(path.read_text("utf-8"))


def part(number: str, name: str) -> Any:
    """One part of a published case."""
    return next(p for p in published(number)["parts"] if p["id"] == name)


@cache
def opened(name: str) -> Case:
    """A case folder, as it stands."""
    return desk.open_case(HERE / name)


def day(number: int) -> str:
    """The date of a day counted from the start of an agreement."""
    return (DAY_0 + timedelta(number)).isoformat()


def fact(atom: str, start: str, **keys: Any) -> dict[str, Any]:
    """An event or state that the log of the run records."""
    return {"atom": atom, "from": start, "recorded_by": ["LOG-1"], **keys}


def run(name: str, facts: Iterable[Mapping[str, Any]], into: Path, *, replace: tuple[str, str] = ("", "")) -> Case:
    """A case folder with the events of one run put into its agreement, which has none of its own.

    With `replace` (old, new) the agreement is written anew under `into` with that text replaced, and read as any case is.
    """
    case = reread(name, into, *replace) if replace[0] else opened(name)
    assert case.agreement.facts == []
    events = [Fact.model_validate(f) for f in facts]
    return dataclasses.replace(case, agreement=case.agreement.model_copy(update={"facts": events}))


def reread(name: str, into: Path, old: str, new: str) -> Case:
    """A copy of a case folder in which one text of the agreement is replaced. Raises CaseFaultsError where it has faults."""
    folder = into / "case"
    shutil.copytree(HERE / name, folder)
    path = folder / "agreement.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return desk.open_case(folder)


def duty(inquiry: Inquiry, name: str) -> Commitment:
    """A duty as it stands."""
    found: Any = inquiry.in_force.provisions[name]
    return commitment(inquiry, found)


def status(inquiry: Inquiry, name: str) -> str:
    """The norm status of a provision of any kind."""
    return standing_of(inquiry, inquiry.in_force.provisions[name]).status


def runs(name: str) -> dict[str, dict[str, Any]]:
    """The runs of a folder's runs.yaml: for each its events by day, and what is expected."""
    document = read_yaml((HERE / name / "runs.yaml").read_bytes(), "runs.yaml")
    assert document.faults == []
    found: dict[str, dict[str, Any]] = document.data
    return found


def facts_of(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of a run as facts."""
    listed = [(n, e if isinstance(e, list) else [e]) for n, e in entry["events"].items()]
    return [fact(atom, day(int(n))) for n, atoms in listed for atom in atoms]
