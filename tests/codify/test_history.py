"""The lines of history: as consolidations note them where the instrument numbers its parts, by address elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codify.build import amending, article, case_of, change, code_of, notes, part, section
from tallybook.codify.history import VERBS

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "conformance" / "cases" / "07-amendment-and-consolidation.json").read_text("utf-8")
)
DUTY: dict[str, Any] = {"id": "go", "kind": "duty", "in": "act", "owed": {"by": "North", "to": "South"}, "achieve": "gone(arms)"}
HEAD = "the Memorandum, made 2023-05-02, in effect from 2023-05-02"


# ------------------------------------------------------------------ as a consolidation of numbered law notes them


def _published_part(raw: dict[str, Any]) -> dict[str, Any]:
    """A child such as 13(1) or 6(5)(c) of a published case, as a part."""
    number = "(" + raw["id"].rsplit("(", 1)[1]
    unit = "subsection" if number.strip("()").isdigit() else "paragraph"
    return {"id": number.strip("()"), "unit": unit, "number": number, "text": {"act": [raw["text"]]}}


def _published_provision(raw: dict[str, Any]) -> dict[str, Any]:
    name = raw["id"].replace("(", "-").replace(")", "")
    out = section(raw["id"], raw.get("text", ""), id=f"s{name}", heading=raw.get("heading", ""))
    return {**out, "parts": [_published_part(child) for child in raw.get("children", ())]}


def _target(text: str, provisions: list[str]) -> str:
    owner = max((p for p in provisions if text == p or text.startswith(f"{p}(")), key=len, default=text)
    rest = text.removeprefix(owner).strip("()")
    name = f"@s{owner.replace('(', '-').replace(')', '')}"
    return f"{name}.parts.{rest}" if rest else name


def _published_change(n: int, raw: dict[str, Any], made: str, provisions: list[str]) -> dict[str, Any]:
    common = {"in": "amending", "made": made, "clause": f"section {raw['section']}", "text": {"amending": [raw["text"]]}}
    verb = {"verb": "deleted"} if "delete subsection (1)" in raw["text"] and "principal" in raw["text"] else {}
    if raw["op"] == "repeal":
        return change(n, "repeal", _target(raw["target"], provisions), **common, **verb)
    new = raw["new"]
    if raw["op"] == "substitute":
        target = _target(raw["target"], provisions)
        whole = {"kind": "definition", "in": "amending", "heading": new.get("heading", ""), "text": {"amending": [new["text"]]}}
        value = {"text": {"amending": [new["text"]]}} if ".parts." in target else whole
        return change(n, "replace", target, value, **common)
    if "(" not in raw["after"]:
        value = {**section(new["id"]), "in": "amending", "heading": new["heading"], "text": {"amending": [new["text"]]}}
        return change(n, "add", f"@s{new['id']}", value, after=f"s{raw['after']}", **common)
    owner = _target(raw["after"], provisions).split(".")
    value = {**_published_part(new), "text": {"amending": [new["text"]]}}
    return change(n, "insert", f"{owner[0]}.parts", value, after=owner[-1], **common)


def _published(story: dict[str, Any], effective: str | None) -> Any:
    (work,) = story["amending"]
    commences = {"effective": effective or work["commences"] or "none"}
    instruments = {"amending": amending(work["work"], work["made"], **commences)}
    instruments["act"] = {"name": story["base"]["work"], "made": story["base"]["in_force_from"], "in_hand": "whole", "file": "a"}
    names = [raw["id"] for raw in story["base"]["provisions"]]
    changes = [_published_change(n, raw, work["made"], names) for n, raw in enumerate(work["instructions"], 1)]
    return case_of([_published_provision(raw) for raw in story["base"]["provisions"]], changes, instruments)


QUERIES = [(story, query) for story in PUBLISHED["parts"] for query in story["queries"]]


@pytest.mark.parametrize(("story", "query"), QUERIES, ids=lambda v: str(v.get("id") or v.get("valid_at")))
def test_a_published_consolidation_has_the_same_notes_text_and_order(story: dict[str, Any], query: dict[str, Any]) -> None:
    code = code_of(_published(story, query.get("if_commenced")), query["valid_at"], "2030-01-01")
    expect = query["expect"]
    told = [line.text for a in code.articles for line in a.history]
    assert sorted(expect.get("note", {}).values()) == sorted(told)
    if "order" in expect:
        assert [a.number for a in code.articles] == expect["order"]
    for owner, children in expect.get("children", {}).items():
        name = "s" + owner.replace("(", "-").replace(")", "")
        assert [f"{owner}{p.number}" for p in article(code, name).parts] == children
    for number, words in expect.get("text", {}).items():
        assert _words(code, number) == words
    for number, heading in expect.get("heading", {}).items():
        assert article(code, f"s{number}").heading == heading


def _words(code: Any, number: str) -> str | None:
    found = next((a for a in code.articles if a.number == number), None)
    if found is not None:
        return found.quotations[0].words if found.quotations else None
    owner, _, inner = number.rpartition("(")
    parts = next(a for a in code.articles if a.number == owner).parts
    (one,) = (p for p in parts if p.number == f"({inner}")
    return one.quotations[0].words if one.quotations else None


def test_what_has_not_commenced_is_listed_with_what_it_waits_for() -> None:
    story = next(s for s in PUBLISHED["parts"] if s["id"] == "not-commenced")
    code = code_of(_published(story, None), "2012-01-01", "2030-01-01")
    (entry,) = code.waiting
    assert entry.text == "paragraph (cc) inserted by section 2 of Act 3 of 2011"
    assert entry.waits_for == "no day is set; a later change must say when"
    assert code.changes == ()


# --------------------------------------------------------------------------------------------- each verb, both ways

NEW_DUTY = {key: value for key, value in DUTY.items() if key != "id"}
EACH: dict[str, tuple[dict[str, Any], str, str]] = {
    "add": (change(1, "add", "@go.by", "2031-01-01"), "section 1 (by) inserted by {}", "@go.by added by {}"),
    "insert": (
        change(1, "insert", "@go.steps", {"id": "pack"}),
        "section 1 (steps) inserted by {}",
        "pack in @go.steps inserted by {}",
    ),
    "replace": (
        change(1, "replace", "@go.owed.by", "South"),
        "section 1 (owed.by) substituted by {}",
        "@go.owed.by replaced by {}",
    ),
    "repeal": (change(1, "repeal", "@go"), "section 1 repealed by {}", "@go repealed by {}"),
    "renumber": (
        change(1, "renumber", "@go", "leave"),
        "section 1 (@leave, formerly @go) renumbered by {}",
        "@leave (formerly @go) renumbered by {}",
    ),
    "suspend": (
        change(1, "suspend", "@go", until="2031"),
        "section 1 suspended until 2031 by {}",
        "@go suspended until 2031 by {}",
    ),
    "resume": (change(1, "resume", "@go"), "section 1 resumed by {}", "@go resumed by {}"),
    "limit": (change(1, "limit", "@go", {"when": "closed(port)"}), "section 1 limited by {}", "@go limited by {}"),
    "extend": (change(1, "extend", "@go", {"until": "2032"}), "section 1 extended by {}", "@go extended by {}"),
    "interpret": (
        change(1, "interpret", "@go", {"achieve": "left(arms)"}, reading="north"),
        "section 1 interpreted under the reading north by {}",
        "@go interpreted under the reading north by {}",
    ),
    "correct": (
        change(1, "correct", "@go.achieve", "left(arms)"),
        "section 1 (achieve) corrected by {}",
        "@go.achieve corrected by {}",
    ),
    "postpone": (change(1, "postpone", "@go", "2024-01-01"), "section 1 postponed by {}", "@go postponed by {}"),
    "restate": (change(1, "restate", "@go", NEW_DUTY), "section 1 restated by {}", "@go restated by {}"),
}


def test_every_operation_has_its_word() -> None:
    assert set(EACH) == set(VERBS)


@pytest.mark.parametrize("op", EACH)
@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "by address"])
def test_every_operation_leaves_its_line(op: str, numbered: bool) -> None:
    raw, by_number, by_address = EACH[op]
    base = {**DUTY, "until": "2031", "steps": [{"id": "crate"}], **({"unit": "section", "number": "1"} if numbered else {})}
    code = code_of(case_of([base], [{**raw, "clause": "section 9"}], readings={"north": {"by": "North"}}))
    wanted = (
        by_number.format("section 9 of the Memorandum")
        if numbered
        else by_address.format("change memo#1, section 9 of the Memorandum, made 2023-05-02, in effect from 2023-05-02")
    )
    assert notes(code, "go")[-1] == wanted
    assert article(code, "go").history[-1].change == "memo#1"


def test_without_a_clause_the_instrument_alone_is_named() -> None:
    code = code_of(case_of([section("1", "x")], [change(1, "repeal", "@s1")]))
    assert notes(code, "s1") == ["section 1 repealed by the Memorandum"]


def test_the_word_of_the_instrument_goes_before_ours() -> None:
    raw = change(1, "repeal", "@s1.parts.1", verb="deleted", clause="section 1")
    code = code_of(case_of([section("1", parts=[part("(1)", "x"), part("(2)", "y")])], [raw]))
    assert notes(code, "s1") == ["subsection (1) deleted by section 1 of the Memorandum"]
    assert [(p.number, p.removed_by, bool(p.quotations)) for p in article(code, "s1").parts] == [
        ("(1)", "memo#1", False),
        ("(2)", "", True),
    ]


def test_a_part_of_a_part_is_named_by_its_innermost_number() -> None:
    inner = part("(a)", "alpha", "paragraph")
    base = section("1", parts=[part("(1)", "x", parts=[inner])])
    raw = [
        change(1, "replace", "@s1.parts.1.parts.a.text", {"act": ["beta"]}),
        change(2, "insert", "@s1.parts.1.parts", part("(aA)", "gamma", "paragraph"), after="a"),
    ]
    code = code_of(case_of([base], raw))
    assert notes(code, "s1") == [
        "paragraph (a) (text) substituted by the Memorandum",
        "paragraph (aA) inserted by the Memorandum",
    ]


def test_an_exception_put_in_by_a_limit_is_said_to_be_added() -> None:
    code = code_of(case_of([DUTY], [EACH["limit"][0]]))
    assert notes(code, "go-limit-memo-1") == [f"@go-limit-memo-1 added by change memo#1 of {HEAD}"]
    assert [s.text for s in article(code, "go").exceptions] == ["@go-limit-memo-1 lifts it, when `closed(port)`."]


def test_rows_that_record_a_change_are_named_and_quoted(case: Any) -> None:
    code = code_of(case, "1962-11-20")
    (line,) = article(code, "bomber-withdrawal").history
    assert line.text.endswith("made 1962-11-20, in effect from 1962-11-20, recorded by COM-68 and OBS-169")
    assert line.records[0][1].startswith("IL-28s to be withdrawn within a month")


def test_a_ruling_is_told_once_it_was_made(case: Any) -> None:
    (line,) = article(code_of(case, "1962-11-07"), "equally-effective").history
    assert line.ruling.startswith("ruled by Roswell Gilpatric, 1962-11-06: US ships come close")


def test_a_change_that_was_itself_changed_says_by_what() -> None:
    raw = [
        change(1, "replace", "@go.owed.by", "South"),
        change(2, "correct", "@memo#1.value", "East", made="2023-06-01", effective="2023-06-01"),
    ]
    code = code_of(case_of([DUTY], raw))
    assert notes(code, "go") == [f"@go.owed.by replaced by change memo#1 of {HEAD}, as altered by memo#2"]
    assert article(code, "go").fields["owed.by"] == "East"


def test_the_day_of_effect_is_the_one_that_a_condition_or_an_instrument_gives() -> None:
    raw = [
        change(1, "replace", "@go.owed.by", "South", effective={"when": "done(signing)"}),
        change(2, "add", "@go.by", "2031-01-01", **{"in": "late"}),
    ]
    instruments = {"late": amending("the Late Act", effective="2024-02-01")}
    facts = [{"atom": "done(signing)", "from": "2023-07-04T12:00+02:00", "text": {"act": ["signed"]}}]
    code = code_of(case_of([DUTY], raw, instruments, facts=facts))
    assert [line.since for line in article(code, "go").history] == ["2023-07-04T12:00:00+02:00", "2024-02-01"]
    assert "in effect from 2024-02-01" in notes(code, "go")[1]


def test_a_change_that_ends_what_it_waited_for_keeps_its_day() -> None:
    facts = [{"atom": "done(signing)", "from": "2023-07-04T12:00+02:00", "text": {"act": ["signed"]}}]
    base = {**DUTY, "in_force": "done(signing)"}
    code = code_of(case_of([base], [change(1, "repeal", "@go", effective={"when": "in-force @go"})], facts=facts))
    (line,) = article(code, "go").history
    assert line.since == "2023-07-04T12:00:00+02:00"


def test_a_renumbered_provision_is_found_under_its_earlier_id() -> None:
    code = code_of(case_of([DUTY], [change(1, "renumber", "@go", "leave")]))
    assert article(code, "@go").id == "leave"
    assert article(code, "leave").earlier == ("go",)
