"""Small agreements made in a test, and the codes of guidance of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallybook import desk
from tallybook.agreement.agreement import Agreement
from tallybook.codify.code import Article, Code
from tallybook.evidence.file import EvidenceFile
from tallybook.verdicts.inquiry import Case

ACT: dict[str, Any] = {"name": "the Act", "made": "2020-01-01", "in_hand": "whole", "file": "act.txt"}


def amending(name: str, made: str = "2023-05-02", **more: Any) -> dict[str, Any]:
    return {"name": name, "made": made, "in_hand": "whole", "file": "x.txt", **more}


def section(number: str, words: str = "", **more: Any) -> dict[str, Any]:
    text = {"text": {"act": [words]}} if words else {}
    return {"id": f"s{number}", "kind": "definition", "in": "act", "unit": "section", "number": number, **text, **more}


def part(number: str, words: str, unit: str = "subsection", **more: Any) -> dict[str, Any]:
    return {"id": number.strip("()"), "unit": unit, "number": number, "text": {"act": [words]}, **more}


def change(n: int, op: str, target: str, value: Any = None, **more: Any) -> dict[str, Any]:
    source = more.get("in", "memo")
    raw = {"in": source, "n": n, "made": "2023-05-02", "op": op, "target": target, "text": {source: ["so be it"]}, **more}
    return raw if value is None else {**raw, "value": value}


def case_of(
    provisions: Sequence[dict[str, Any]],
    changes: Sequence[dict[str, Any]] = (),
    instruments: dict[str, dict[str, Any]] | None = None,
    **more: Any,
) -> Case:
    raw: dict[str, Any] = {
        "agreement": "test-act",
        "title": "The Act",
        "time_zone": "Europe/Vienna",
        "default_as_of": "2030-01-01",
        "parties": {"North": {"name": "Kingdom of North"}, "South": {"name": "Republic of South"}},
        "instruments": {"act": ACT, "memo": amending("the Memorandum"), **(instruments or {})},
        "provisions": list(provisions),
        "changes": list(changes),
        "vocabulary": {"methods": {}, "stages": {}, "incidents": {}},
        "claims": [],
        "board": [{"id": "m", "measure": "watch"}],
        "measures": {"watch": {"title": "Watch"}},
        **more,
    }
    agreement = Agreement.model_validate(raw)
    base = {str(p["id"]): dict(p) for p in provisions}
    return Case("test-act", agreement, base, EvidenceFile({}, {}, (), {}, {}), {})


def code_of(case: Case, on: str = "2030-01-01", known: str | None = None, reading: str | None = None) -> Code:
    return desk.codify(desk.ask(case, on, known, reading))


def article(code: Code, name: str) -> Article:
    found = code.article(name)
    assert found is not None
    return found


def notes(code: Code, name: str) -> list[str]:
    return [line.text for line in article(code, name).history]
