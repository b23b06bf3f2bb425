"""The code of guidance: text, meaning, status, sources; what waits, what clashes, what was undone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codify.build import amending, article, case_of, change, code_of, part, section
from tallybook import desk
from tallybook.board.code_markdown import code_markdown
from tallybook.board.code_text import code_text
from tallybook.codify.blocks import HEADINGS, article_blocks, code_blocks
from tallybook.codify.code import Code
from tallybook.errors import TallybookError
from tallybook.verdicts.inquiry import Case

OWED = {"by": "North", "to": "South"}
DUTY: dict[str, Any] = {"id": "go", "kind": "duty", "in": "act", "owed": OWED, "achieve": "gone(arms)"}


def says(code: Code, name: str) -> list[str]:
    return [sentence.text for sentence in article(code, name).meaning]


def text_of(code: Code) -> str:
    """The articles as text: what must come back byte for byte."""
    return code_text(block for entry in code.articles for block in article_blocks(entry))


# ------------------------------------------------------------------------------------------------------- the example


def test_the_example_says_what_each_telegram_says_or_that_it_is_not_in_hand(case: Case) -> None:
    code = code_of(case, "1962-11-03")
    told = {entry.id: entry for entry in code.instruments}
    assert list(told)[-5:] == ["1147", "1159", "1166", "1177", "1189"]
    assert told["1147"].amended_by == ("1189#1",)
    assert told["1147"].standing == "not in hand; described in 1189"
    assert told["1147"].changed[0].startswith("@proof-of-removal.methods added by change 1147#1 of telegram 1147")
    for name, row in (("1159", "COM-33"), ("1166", "COM-34"), ("1177", "COM-36")):
        assert told[name].standing.startswith(f"not in hand; described by {row}: “Telegram {name}: ")
    assert not any(told[name].says or told[name].changed for name in ("1159", "1166", "1177"))
    assert told["1189"].standing == "in hand, whole (sources/1189.txt)"
    assert "equally-effective" in told["1189"].says
    assert article(code, "proof-of-removal").not_in_hand == ("1147",)


def test_the_meaning_of_the_example_changes_as_the_changes_say(case: Case) -> None:
    methods = "@removal is shown by @aerial-surveillance{}, to the standard “decisive” (at least 0.95)."
    before = methods.format(" and @ground-inspection-after-removal")
    after = methods.format(", @ground-inspection-after-removal and (@count-on-departing-ships or @equally-effective)")
    assert says(code_of(case, "1962-11-02"), "proof-of-removal") == [before]
    assert says(code_of(case, "1962-11-03"), "proof-of-removal") == [after]
    assert says(code_of(case, "1962-11-03"), "equally-effective") == ["It answers the question of correctness."]
    assert "As good as it: @alongside-observation." in says(code_of(case, "1962-11-07"), "equally-effective")
    readings = {day: [s.text for s in article(code_of(case, day), "offensive-weapons").readings] for day in DAYS}
    assert [len(readings[day]) for day in DAYS] == [1, 2, 1]
    assert readings["1962-11-07"][1] == "The reading “ussr” (of USSR) leaves out bomber and bomber_equipment."
    bombers = article(code_of(case, "1962-11-20"), "bomber-withdrawal")
    assert bombers.meaning[0].text.endswith("`departed(bombers, from=Cuba, to=USSR)`, by 1962-12-20.")
    assert code_of(case, "1962-11-20").undone[0].change == "soviet-position#1"


DAYS = ("1962-11-03", "1962-11-07", "1962-11-20")
LATER = {
    "1962-10-20": ("1189", "oct-27", "COM-", "Gilpatric"),
    "1962-10-29": ("1189", "1147", "November", "alongside"),
    "1962-11-02": ("read in 1189", "equally effective verification", "2384", "alongside", "as amended"),
    "1962-11-03": ("alongside", "COM-50", "November 7", "bomber-withdrawal", "nov-20-exchange"),
    "1962-11-07": ("bomber-withdrawal", "nov-20-exchange", "OBS-169", "1962-12-20"),
}


@pytest.mark.parametrize("day", LATER)
def test_nothing_known_later_shows_earlier(case: Case, day: str) -> None:
    code = code_of(case, day)
    # The title of a case is its own, of today.
    told = code_text(block for block in code_blocks(code) if block.kind != "title")
    assert [words for words in LATER[day] if words in told] == []


def test_what_was_known_then_of_a_later_day(case: Case) -> None:
    code = code_of(case, "1962-11-20", "1962-11-03")
    assert article(code, "equally-effective").history == ()
    later = code_of(case, "1962-11-03", "1962-11-20")
    assert {w.change for w in later.waiting} >= {"soviet-position#1", "nov-20-exchange#1"}
    assert next(w for w in later.waiting if w.change == "nov-20-exchange#1").waits_for == "its day, 1962-11-20, has not come"


@pytest.mark.parametrize("day", DAYS)
def test_every_sentence_has_a_source_that_is_there(case: Case, day: str) -> None:
    code = code_of(case, day)
    named = {entry.id for entry in code.instruments} | {f"@{a.id}" for a in code.articles}
    named |= code.known_changes | set(desk.ask(case, day).view.reports)
    blocks = [block for block in code_blocks(code) if block.kind not in (*HEADINGS, "lead")]
    assert len(blocks) > 100
    for block in blocks:
        sources = block.source.replace(" and ", ", ").replace("read in ", "").split(", ")
        assert set(sources) <= named, block


def test_an_instrument_is_known_through_a_change_of_its_own(case: Case) -> None:
    # It is dated to the day, its change to the hour.
    code = code_of(case, "1962-11-06T02:00-05:00")
    told = {entry.id: entry.standing for entry in code.instruments}
    assert told["soviet-position"] == "not in hand; known from COM-50"


def test_a_reading_shows_what_it_reads(case: Case) -> None:
    code = code_of(case, "1962-11-07", reading="ussr")
    assert code.article("no-base") is None
    assert [s.source for s in article(code, "offensive-weapons").readings] == ["soviet-position#1"]


# ----------------------------------------------------------------------------------------------------- each kind


def test_a_duty_in_words() -> None:
    base = {
        **DUTY,
        "when": "done(signing)",
        "by": "2031-01-01",
        "earliest": "2029-01-01",
        "in_return_for": ["@pay"],
        "unless": ["@closed"],
        "breached_when": "hidden(arms)",
        "steps": [{"id": "crate"}, {"id": "ship", "after": "crate"}],
        "proof": "@shown",
        "then": "kept(away)",
        "survives": True,
        "until": "2035",
    }
    pay = {**DUTY, "id": "pay", "owed": {"by": "South", "to": "Bank"}, "achieve": "paid(sum)", "within": "30d"}
    closed = {"id": "closed", "kind": "exception", "in": "act", "to": "@go", "when": "closed(port)"}
    shown = {"id": "shown", "kind": "proof", "in": "act", "for": "@go", "standard": "good", "methods": {"any": ["a", "b"]}}
    code = code_of(case_of([base, pay, closed, shown], standards={"good": {"at_least": 0.75}}))
    head, *rest = says(code, "go")
    assert head.startswith("Kingdom of North (North) owes it to Republic of South (South) to bring about that `gone(arms)`, when")
    assert head.endswith("that `gone(arms)`, when `done(signing)`, not before 2029-01-01, by 2031-01-01.")
    assert rest == [
        "It is owed in return for @pay.",
        "It is not owed where @closed applies.",
        "It is broken when `hidden(arms)`.",
        "Its steps are crate and ship (after crate).",
        "After that: `kept(away)`.",
        "It is proved as @shown says: @a or @b, to the standard “good” (at least 0.75).",
        "It applies until 2035.",
        "It outlasts the end of the agreement.",
    ]
    assert says(code, "pay") == [
        "Republic of South (South) owes it to Bank to bring about that `paid(sum)`, within 30d of its being owed."
    ]
    assert says(code, "closed") == ["It lifts @go when `closed(port)`."]
    assert says(code, "shown") == ["@go is shown by @a or @b, to the standard “good” (at least 0.75)."]


def test_liberty_power_definition_and_proof_in_words() -> None:
    provisions: list[dict[str, Any]] = [
        {"id": "watch", "kind": "liberty", "in": "act", "holder": "South", "while": "not done(signing)", "may_extend": True},
        {
            "id": "stop",
            "kind": "power",
            "in": "act",
            "holder": "South",
            "when": "refused(entry)",
            "used_by": "told(stop)",
            "effect": {"suspend": "@go", "at_most": "30d", "then": "end", "end": "@watch", "resume": "@fee"},
        },
        DUTY,
        {"id": "fee", "kind": "definition", "in": "act", "cases": [{"when": "late(it)", "is": 12}, {"is": 10}]},
        {
            "id": "arms",
            "kind": "definition",
            "in": "act",
            "term": "arms",
            "holds_when": "listed(arms)",
            "vague": "arms",
            "open": "x",
        },
        {"id": "bare", "kind": "definition", "in": "act"},
        {
            "id": "seen",
            "kind": "proof",
            "in": "act",
            "question": "correctness",
            "met_by": {"method": ["air", "ground"], "not_by": "South"},
            "observer": "neutral(?o)",
            "shows": "gone(arms)",
            "needs_coverage": "all ports",
        },
    ]
    code = code_of(case_of(provisions))
    assert says(code, "watch") == ["Republic of South (South) may do this, while `not done(signing)`.", "It may be extended."]
    assert says(code, "stop") == [
        "Republic of South (South) can do this, when `refused(entry)`.",
        "It is used by `told(stop)`.",
        "Its use suspends @go, for at most 30d; then they end.",
        "Its use resumes @fee.",
        "Its use ends @watch.",
    ]
    assert says(code, "fee") == ["“fee” is `12` when `late(it)`.", "“fee” is `10`."]
    assert article(code, "fee").status.text.startswith("in force since 2020-01-01T23:59:59+01:00; its value")
    assert says(code, "arms") == ["“arms” holds when `listed(arms)`."]
    assert (article(code, "arms").vague, article(code, "arms").open) == (("arms",), "x")
    assert says(code, "bare") == ["“bare” is defined by its words alone."]
    assert says(code, "seen") == [
        "It is met by reports on correctness with method air or ground and not by South.",
        "The observer: `neutral(?o)`.",
        "It shows that `gone(arms)`.",
        "It needs coverage: all ports.",
    ]


def test_the_reading_of_a_norm_is_told_apart() -> None:
    raw = change(1, "interpret", "@go", {"achieve": "left(arms)"}, reading="north")
    case = case_of([DUTY], [raw], readings={"north": {"by": "North"}})
    (told,) = article(code_of(case), "go").readings
    assert (told.text, told.source) == ("Under the reading “north” (of North), achieve is `left(arms)`.", "memo#1")
    assert "`left(arms)`" in says(code_of(case, reading="north"), "go")[0]


# -------------------------------------------------------------------------------------------------------- status


def status(code: Code, name: str = "go") -> str:
    return article(code, name).status.text


def test_status_in_words() -> None:
    since = "since 2020-01-01T23:59:59+01:00"
    assert status(code_of(case_of([DUTY]))) == f"in force {since}; owed"
    assert status(code_of(case_of([{**DUTY, "from": "2031"}]))) == "not in force yet: from 2031"
    assert status(code_of(case_of([{**DUTY, "in_force": "done(signing)"}]))) == "not in force yet: waits for `done(signing)`"
    assert status(code_of(case_of([{**DUTY, "until": "2025"}]))) == "lapsed: its term ended 2025"
    repealed = code_of(case_of([DUTY], [change(1, "repeal", "@go")]))
    assert status(repealed) == "repealed by memo#1"
    assert article(repealed, "go").meaning == ()
    held = code_of(case_of([DUTY], [change(1, "suspend", "@go")]))
    assert status(held) == f"suspended: in force {since}, suspended by memo#1 since 2023-05-02T23:59:59+02:00"
    partly = code_of(case_of([DUTY], [change(1, "suspend", "@go", {"in_part": True})]))
    assert status(partly) == f"in force {since}; suspended in part by memo#1 since 2023-05-02T23:59:59+02:00; owed"
    waiting = code_of(case_of([{**DUTY, "when": "done(signing)", "within": {"vague": "promptly"}}]))
    assert status(waiting).startswith("pending: its condition does not hold, as far as is known; not yet owed; due promptly")


@pytest.mark.parametrize(
    ("effective", "told"),
    [
        ("none", "its instrument has not been brought into effect"),
        ("on receipt", "its instrument takes effect on receipt, which is not on record"),
        ("2031-01-01", "its instrument takes effect 2031-01-01"),
        ({"when": "done(signing)"}, "its instrument waits for `done(signing)`"),
    ],
)
def test_an_instrument_that_has_not_commenced(effective: Any, told: str) -> None:
    instruments = {"act": {**amending("the Act", "2020-01-01"), "effective": effective}}
    code = code_of(case_of([{**DUTY, "kind": "duty"}], [], instruments))
    assert status(code) == f"not in force yet: {told}"


# ------------------------------------------------------------------------------- waiting, conflicts, undone changes

BY_2031 = change(1, "add", "@go.by", "2031-01-01")


@pytest.mark.parametrize(
    ("effective", "told"),
    [
        ("none", "no day is set; a later change must say when"),
        ("on receipt", "until everybody it is addressed to has received it"),
        ("2031-01-01", "its day, 2031-01-01, has not come"),
        ({"when": "done(signing)"}, "until `done(signing)` first holds"),
    ],
)
def test_a_change_that_waits_says_for_what(effective: Any, told: str) -> None:
    code = code_of(case_of([DUTY], [{**BY_2031, "effective": effective}]))
    (entry,) = code.waiting
    assert (entry.change, entry.waits_for, entry.kind) == ("memo#1", told, "waiting")
    assert article(code, "go").history == ()
    assert "by 2031" not in text_of(code)


def test_a_change_that_is_suspended_or_can_never_commence_is_listed() -> None:
    held = code_of(case_of([DUTY], [BY_2031, change(2, "suspend", "@memo#1", made="2024")]))
    assert [(w.change, w.waits_for, w.kind) for w in held.waiting] == [("memo#1", "suspended by memo#2", "suspended")]
    later = {"late": amending("the Late Act"), "end": amending("the Repealing Act", "2024-01-01")}
    raw = [{**BY_2031, "in": "late", "effective": "2025-01-01"}, change(1, "repeal", "@late", made="2024-01-01", **{"in": "end"})]
    never = code_of(case_of([DUTY], raw, later))
    assert [(w.change, w.kind) for w in never.waiting] == [("late#1", "never")]
    assert never.waiting[0].waits_for == "late was repealed by end#1 before it took effect"


def test_changes_of_equal_rank_are_a_conflict_and_change_nothing() -> None:
    raw = [change(1, "replace", "@go.achieve", "left(arms)"), change(2, "replace", "@go.achieve", "sunk(arms)")]
    code = code_of(case_of([DUTY], raw))
    (clash,) = code.conflicts
    assert clash.text == "memo#1 and memo#2 change @go.achieve with equal rank and differ, so none of them is applied"
    assert text_of(code) == text_of(code_of(case_of([DUTY])))
    assert code.waiting == ()


UNDOABLE = [
    BY_2031,
    change(1, "replace", "@go.achieve", "left(arms)"),
    change(1, "repeal", "@go"),
    change(1, "suspend", "@go"),
    change(1, "limit", "@go", {"when": "closed(port)"}),
    change(1, "renumber", "@go", "leave"),
    change(1, "repeal", "@s1.parts.1"),
    change(1, "insert", "@s1.parts", part("(3)", "three"), after="1"),
    change(1, "add", "@more", {"kind": "definition", "in": "memo", "text": {"memo": ["more"]}}, after="go"),
]


@pytest.mark.parametrize("raw", UNDOABLE, ids=lambda raw: f"{raw['op']} {raw['target']}")
def test_undoing_a_change_gives_back_the_text_byte_for_byte(raw: dict[str, Any]) -> None:
    provisions = [section("1", "one", parts=[part("(1)", "first"), part("(2)", "second")]), DUTY]
    undo = change(2, "repeal", "@memo#1", made="2024-01-01")
    case = case_of(provisions, [raw, undo])
    before, during, after = (code_of(case, day) for day in ("2023-01-01", "2023-06-01", "2024-06-01"))
    assert text_of(during) != text_of(before)
    assert text_of(after) == text_of(before)
    assert [(u.change, u.by) for u in after.undone] == [("memo#1", "memo#2")]
    assert [(u.change, u.by) for u in during.undone] == []


def test_what_does_not_fit_is_told_and_no_traceback() -> None:
    case = case_of([DUTY], [change(1, "repeal", "@go.nothing")])
    with pytest.raises(TallybookError, match=r"memo#1: nothing is called 'nothing' in @go.nothing"):
        code_of(case)
    case = case_of([DUTY], [change(1, "repeal", "@go.owed")])
    with pytest.raises(TallybookError, match="a change spoils a provision"):
        code_of(case)


# ----------------------------------------------------------------------------------------------------- two clocks

POOL = [
    change(1, "replace", "@go.achieve", "left(arms)", made="2023-01-01"),
    change(2, "add", "@go.by", "2031-01-01", made="2023-02-01", effective="2023-09-01"),
    change(3, "repeal", "@memo#1", made="2023-03-01"),
    change(4, "repeal", "@s1.parts.1", made="2023-04-01"),
    change(5, "suspend", "@go", made="2023-05-01", until="2023-07-01"),
    change(6, "limit", "@go", {"when": "closed(port)"}, made="2023-06-01"),
    change(7, "replace", "@go.achieve", "sunk(arms)", made="2023-06-02"),
    change(8, "replace", "@go.achieve", "sold(arms)", made="2023-06-02"),
    change(9, "postpone", "@memo#2", "2024-01-01", made="2023-06-03"),
]
TWO = [section("1", "one", parts=[part("(1)", "first")]), DUTY]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(range(len(POOL)))),
    st.sampled_from(range(len(POOL))),
    st.sampled_from(["2022-06-01", "2023-02-15", "2023-06-15", "2023-10-01", "2026-01-01"]),
)
def test_a_change_known_later_never_moves_an_earlier_code(chosen: set[int], new: int, on: str) -> None:
    known = [{**POOL[n], "known": POOL[n]["made"]} for n in sorted(chosen - {new})]
    later = {**POOL[new], "known": "2029-01-01"}
    as_known = "2028-01-01"
    assert code_of(case_of(TWO, known), on, as_known) == code_of(case_of(TWO, [*known, later]), on, as_known)


@settings(max_examples=40, deadline=None)
@given(st.permutations(POOL), st.sampled_from(["2022-06-01", "2023-02-15", "2023-06-15", "2026-01-01"]))
def test_the_order_of_the_records_does_not_matter(pool: list[dict[str, Any]], on: str) -> None:
    assert code_markdown(code_blocks(code_of(case_of(TWO, pool), on))) == code_markdown(
        code_blocks(code_of(case_of(TWO, POOL), on))
    )
