"""Amendments and consolidated texts with the answers published for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases.published import HERE, opened, part, run
from tallybook import desk
from tallybook.codify.codify import codify
from tallybook.errors import CaseFaultsError
from tallybook.verdicts.inquiry import Case, Inquiry

FOLDERS = {"picking-act": "picking-act", "exercise": "principal-act", "not-commenced": "not-commenced"}
QUERIES = [(name, n) for name in FOLDERS for n in range(len(part("07", name)["queries"]))]


def asked(name: str, number: int, into: Path) -> tuple[Inquiry, dict[str, Any]]:
    """A query of a published case, and what it expects."""
    query = part("07", name)["queries"][number]
    case: Case = opened(FOLDERS[name])
    if "if_commenced" in query:
        case = run(FOLDERS[name], [], into, replace=("effective: none", f"effective: {query['if_commenced']}"))
    return desk.ask(case, query["valid_at"]), query["expect"]


def numbered(inquiry: Inquiry) -> dict[str, tuple[str, Any, str]]:
    """Every section and part by its number as printed, such as 13(1): (provision id, the section or part, its path)."""
    out: dict[str, tuple[str, Any, str]] = {}

    def walk(name: str, number: str, parts: Any, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, Any, str]]]:
        for item in parts:
            here = (*path, "parts", item.id)
            yield number + item.number, (name, item, ".".join(here))
            yield from walk(name, number + item.number, item.parts, here)

    for name, provision in inquiry.in_force.provisions.items():
        out[provision.number] = (name, provision, "")
        out.update(walk(name, provision.number, provision.parts, ()))
    return out


def text_of(inquiry: Inquiry, number: str) -> str | None:
    """The words of a section or part as they stand; None where it was taken out."""
    name, item, path = numbered(inquiry)[number]
    gone = item.repealed_by if path else name in inquiry.in_force.repealed
    words: Mapping[str, list[str]] = item.text
    return None if gone else " ".join(w for several in words.values() for w in several)


def notes_of(inquiry: Inquiry, number: str) -> list[str]:
    """The history of a section or part, in the words of a consolidation."""
    name, item, _ = numbered(inquiry)[number]
    article = codify(inquiry).article(name)
    assert article is not None
    told = [line.text for line in article.history] + [entry.text for entry in codify(inquiry).undone]
    return [text for text in told if text.startswith(f"{item.unit} {item.number} ")]


@pytest.mark.parametrize(("name", "number"), QUERIES)
def test_the_consolidated_text_is_the_one_published(name: str, number: int, tmp_path: Path) -> None:
    inquiry, expect = asked(name, number, tmp_path)
    here = numbered(inquiry)
    if "order" in expect:
        assert [p.number for p in inquiry.in_force.provisions.values()] == expect["order"]
    for parent, children in expect.get("children", {}).items():
        assert [parent + item.number for item in here[parent][1].parts] == children
    assert {key: text_of(inquiry, key) for key in expect.get("text", {})} == expect.get("text", {})
    assert {key: here[key][1].heading for key in expect.get("heading", {})} == expect.get("heading", {})
    assert not set(expect.get("absent", ())) & set(here)
    assert {key: notes_of(inquiry, key) for key in expect.get("note", {})} == {k: [v] for k, v in expect.get("note", {}).items()}
    for key, since in expect.get("in_force_since", {}).items():
        begun = inquiry.begun(here[key][1])
        assert begun is not None
        assert inquiry.show(begun.since.last)[:10] == since


# What becomes of amendments, by an editor's guide.

AMENDED = "amended-amendments"


def section(on: str, name: str, known: str = "2026-01-01", case: Case | None = None) -> str | None:
    """The words of a section on a day, as known then or later; None where it is not there, or was taken out."""
    return _words(desk.ask(case or opened(AMENDED), on, known), name)


def _words(inquiry: Inquiry, name: str) -> str | None:
    return text_of(inquiry, name) if name in numbered(inquiry) else None


def notes(on: str, name: str, known: str = "2026-01-01") -> list[tuple[str, str, str]]:
    """The history of a provision: by what operation, clause and instrument, the oldest first."""
    inquiry = desk.ask(opened(AMENDED), on, known)
    changes = {change.address: change for change in inquiry.agreement.changes}
    found = [(note.op, changes[note.address]) for note in inquiry.in_force.notes.get(name, ())]
    return [(op, c.clause, inquiry.agreement.instruments[c.in_].name) for op, c in found]


RETROACTIVE = ('op: repeal\n    target: "@act-21-2020#1"', 'effective: 2020-03-01\n    op: repeal\n    target: "@act-21-2020#1"')
FIRST, SECOND = "Third section as first enacted.", "Section 3 as substituted in 2020."


def test_an_amendment_that_is_repealed_later_is_undone_from_that_day() -> None:
    assert [section(on, "3") for on in ("2020-02-29", "2020-03-01", "2021-01-31", "2021-02-01")] == [FIRST, SECOND, SECOND, FIRST]


def test_an_amendment_that_is_repealed_retroactively_never_was(tmp_path: Path) -> None:
    case = run(AMENDED, [], tmp_path, replace=RETROACTIVE)
    assert [section(on, "3", case=case) for on in ("2020-03-01", "2021-01-31", "2021-02-01")] == [FIRST] * 3
    # Before the repeal was made nobody could know of it.
    assert section("2020-06-01", "3", "2021-01-31", case) == SECOND


SUBSTITUTED = "section 3 substituted by section 25 of Act 21 of 2020"
CORRECTED = "section 4 substituted by section 25 of Government Notice 322 of 2020"


def test_the_note_on_an_amendment_that_is_repealed_later() -> None:
    assert notes_of(desk.ask(opened(AMENDED), "2021-01-31"), "3") == [SUBSTITUTED]
    told = f"{SUBSTITUTED} (subsequently repealed by section 3 of Act 3 of 2021)"
    assert notes_of(desk.ask(opened(AMENDED), "2021-02-01"), "3") == [told]


def test_the_note_on_an_amendment_that_is_repealed_retroactively(tmp_path: Path) -> None:
    case = run(AMENDED, [], tmp_path, replace=RETROACTIVE)
    told = f"{SUBSTITUTED} (retroactively repealed by section 3 of Act 3 of 2021)"
    assert notes_of(desk.ask(case, "2021-02-01"), "3") == [told]


def test_the_note_on_an_amendment_that_is_corrected() -> None:
    assert notes_of(desk.ask(opened(AMENDED), "2021-05-31"), "4") == [CORRECTED]
    assert notes_of(desk.ask(opened(AMENDED), "2021-06-01"), "4") == [
        f"{CORRECTED} (as corrected by Government Notice 841 of 2021)"
    ]


def test_the_repeal_of_an_amending_act_undoes_nothing() -> None:
    assert section("1972-12-31", "5") == "Fifth section as first enacted."
    assert section("2004-12-31", "5") == section("2005-01-01", "5") == "Fifth section as amended in 1973."


def test_a_correction_that_commences_retrospectively_counts_from_the_day_of_what_it_corrects() -> None:
    assert section("2020-03-31", "4") == "Fourth section as first enacted."
    assert section("2020-04-01", "4") == "Section 4 as substituted in 2020."
    assert section("2020-04-01", "4", "2021-05-31") == "Section 4 as substittued in 2020."


def test_a_commencement_that_is_moved_out_takes_back_what_was_applied_at_the_old_day() -> None:
    assert section("2022-06-30", "20") is None
    assert section("2022-07-15", "20", "2022-07-31") == "Section 20."
    assert section("2022-09-01", "20", "2022-09-01") is None
    assert section("2022-12-31", "20") is None
    assert section("2023-01-01", "20") == "Section 20."


def test_an_act_commences_in_parts_by_notices() -> None:
    days = ("2022-09-30", "2022-10-01", "2022-10-31", "2022-11-01")
    assert [section(on, "21") for on in days] == [None, "Section 21.", "Section 21.", "Section 21."]
    assert [section(on, "1") for on in days] == ["First section.", "First section.", "First section.", None]
    # Until the notices are known nothing in it has effect.
    assert section("2022-12-01", "21", "2022-08-31") is None


def test_an_inserted_section_commences_with_the_amendment_that_inserts_it() -> None:
    inquiry = desk.ask(opened(AMENDED), "2023-06-01")
    begun = inquiry.begun(inquiry.in_force.provisions["s20"])
    assert begun is not None
    assert inquiry.show(begun.since.last)[:10] == "2023-01-01"


def test_two_acts_that_commence_on_one_day_apply_in_the_order_of_their_making() -> None:
    def order(on: str) -> list[str]:
        return list(desk.ask(opened(AMENDED), on).in_force.provisions)[:5]

    assert order("2023-12-31") == ["s1", "s2", "s3", "s4", "s5"]
    assert order("2024-01-01") == ["s1", "s2", "s2A", "s2B", "s3"]
    assert desk.ask(opened(AMENDED), "2024-01-01").in_force.conflicts == ()


def test_the_history_of_a_section_is_in_the_order_of_time() -> None:
    assert section("2020-11-30", "16(1)") == "All persons exiting must be screened."
    assert section("2020-12-01", "16(1)") == "All persons exiting must be screened, including a questionnaire."
    assert notes("2020-12-01", "s16") == [
        ("replace", "section 2", "Government Notice R868 of 2020"),
        ("replace", "section 4", "Government Notice 1278 of 2020"),
    ]


def test_a_chapter_that_is_substituted_keeps_its_whole_history() -> None:
    inquiry = desk.ask(opened(AMENDED), "2020-12-02")
    assert [item.number for item in inquiry.in_force.provisions["c6"].parts] == ["(8)", "(8A)", "(14)", "75", "77", "(2)"]
    assert _words(inquiry, "675") == "75 Travel, substituted."
    assert desk.ask(opened(AMENDED), "2020-12-03").in_force.provisions["c6"].parts == ()
    told = [(op, clause.removeprefix("section "), name.split()[2]) for op, clause, name in notes("2020-12-03", "c6")]
    assert told == [
        ("add", "4", "999"),
        ("replace", "2(a)", "1011"),
        ("insert", "2(b)", "1011"),
        ("replace", "2(a)", "1053"),
        ("replace", "2(b)", "1053"),
        ("replace", "2", "1104"),
        ("replace", "2", "1199"),
        ("replace", "3", "1199"),
        ("replace", "4", "1199"),
        ("replace", "3", "1290"),
    ]


def test_the_words_of_older_notes_outlive_the_text_that_they_are_about() -> None:
    def told(on: str) -> list[str]:
        article = codify(desk.ask(opened(AMENDED), on)).article("c6")
        assert article is not None
        return [line.text for line in article.history]

    published = [
        "subsection (8) amended by section 2(a) of Government Notice 1011 of 2020",
        "subsection (8A) inserted by section 2(b) of Government Notice 1011 of 2020",
        "paragraph (e) substituted by section 2(b) of Government Notice 1053 of 2020",
        "section 75 amended by section 2 of Government Notice 1104 of 2020",
        "section 75 substituted by section 2 of Government Notice 1199 of 2020",
        "section 77 substituted by section 3 of Government Notice 1199 of 2020",
        "subsection (2) substituted by section 4 of Government Notice 1199 of 2020",
    ]
    before, after = told("2020-12-02"), told("2020-12-03")
    assert [text for text in before if text in published] == published
    assert after == [*before, "Chapter 6 substituted by section 3 of Government Notice 1290 of 2020"]


def test_a_renumbered_section_is_found_under_both_numbers() -> None:
    before, after = (desk.ask(opened(AMENDED), on).in_force for on in ("2024-12-31", "2025-01-01"))
    assert "s8" not in before.provisions
    assert after.provisions["s8"].text == after.provisions["s5"].text == before.provisions["s5"].text
    assert [note.formerly for note in after.notes["s8"]] == ["", "s5"]
    assert list(after.provisions).index("s8") == list(before.provisions).index("s5")


@pytest.mark.parametrize("on", ["2020-03-15", "2020-12-02", "2022-07-15", "2023-06-01"])
def test_what_is_made_later_moves_no_earlier_view(on: str) -> None:
    whole = opened(AMENDED)
    made = [change for change in whole.agreement.changes if change.made <= on]
    assert 0 < len(made) < len(whole.agreement.changes)
    short = replace(whole, agreement=whole.agreement.model_copy(update={"changes": made}))
    then, before = desk.ask(whole, on).in_force, desk.ask(short, on).in_force
    assert list(then.provisions.values()) == list(before.provisions.values())
    assert (then.notes, then.repealed, then.applied) == (before.notes, before.repealed, before.applied)


def test_a_section_that_is_substituted_has_been_in_force_as_long_as_before() -> None:
    inquiry = desk.ask(opened("picking-act"), part("07", "picking-act")["queries"][-1]["valid_at"])
    begun = inquiry.begun(inquiry.in_force.provisions["s16"])
    assert begun is not None
    assert begun.since.text == part("07", "picking-act")["base"]["in_force_from"]


def test_check_tries_the_text_on_the_day_on_which_an_act_commences(tmp_path: Path) -> None:
    with pytest.raises(CaseFaultsError) as caught:
        run("picking-act", [], tmp_path, replace=('target: "@s13.parts.1"', 'target: "@s13.parts.9"'))
    assert [fault.what for fault in caught.value.faults] == ["act-1-2023#3: nothing is called '9' in @s13.parts.9"]


def test_a_notice_commences_an_act_that_had_not_commenced(tmp_path: Path) -> None:
    notice = """changes:
  - in: gn-5
    n: 1
    made: 2011-06-01
    op: postpone
    target: "@act-3-2011"
    value: "2011-07-01"
    text: {gn-5: "Section 6 is altered"}
"""
    added = "  gn-5: {name: Commencement notice, made: 2011-06-01, in_hand: quoted, read_in: act-3-2011}\n"
    head, tail = "\nprovisions:\n", "\nchanges:\n"
    whole = (HERE / "not-commenced" / "agreement.yaml").read_text("utf-8")
    middle = whole[whole.index(head) : whole.index(tail) + len(tail)]
    case = run("not-commenced", [], tmp_path, replace=(middle, f"{added}{middle.removesuffix(tail)}\n{notice}"))
    for on, expected in (("2011-06-30", ["(c)", "(d)"]), ("2011-07-01", ["(c)", "(cc)", "(d)"])):
        assert [item.number for item in numbered(desk.ask(case, on))["6(5)"][1].parts] == expected
