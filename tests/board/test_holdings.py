"""The account as a page and as a picture, for every case there is: words right, nothing clipped, the same bytes each time."""

from __future__ import annotations

import dataclasses
import io
import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.board.holdings import page, runs
from tallybook.board.page import Items, Page, Section, Table, markdown, text
from tallybook.board.plot import HEIGHT, WIDTH, plot
from tallybook.board.staged import page as staged_page
from tallybook.casefile.new import new_case
from tallybook.core.chance import chance
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.holding_json import as_dict
from tallybook.verdicts.holding_words import likely, number, one_in, span
from tallybook.verdicts.staged import StagedHolding
from tallybook.verdicts.staged_json import as_dict as staged_dict

SVG = "{http://www.w3.org/2000/svg}"
TEMPLATES = ["removal", "embargo", "withdrawal", "destruction"]
CASES = sorted(path.parent for path in (ROOT / "tests" / "cases").glob("*/case/agreement.yaml"))


STAGED = ROOT / "tests" / "cases" / "staged-withdrawal" / "case"


@cache
def drawn(folder: Path, on: str | None = None, known: str | None = None) -> tuple[Holding | StagedHolding, ...]:
    return tuple(desk.holdings(desk.ask(desk.open_case(folder), on, known)))


def accounts(folder: Path, on: str | None = None) -> list[Holding]:
    return [held for held in drawn(folder, on) if isinstance(held, Holding)]


def staged(on: str, known: str | None = None) -> StagedHolding:
    held = drawn(STAGED, on, known)[0]
    assert isinstance(held, StagedHolding)
    return held


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = {}
    for name in TEMPLATES:
        out[name] = tmp_path_factory.mktemp("cases") / name
        new_case(out[name], name)
    return out


def page_of(held: Holding | StagedHolding, whole: bool = False) -> Page:
    return staged_page(held, whole) if isinstance(held, StagedHolding) else page(held, whole)


def whole(held: Holding | StagedHolding) -> str:
    return "\n".join([text(page_of(held)), markdown(page_of(held, whole=True)), plot(held)])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_has_an_account_or_says_that_it_has_none(name: str, templates: dict[str, Path]) -> None:
    found = accounts(templates[name])
    assert len(found) == {"removal": 1, "embargo": 0, "withdrawal": 1, "destruction": 2}[name]
    for held in found:
        assert "None" not in whole(held)
        assert as_dict(held)["removed"]
        check_picture(plot(held))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.parent.name)
@pytest.mark.slow
def test_every_case_on_every_day_that_is_expected(folder: Path) -> None:
    lines = (folder.parent / "expected.csv").read_text("utf-8").splitlines()[1:]
    for on in sorted({line.split(",")[0] for line in lines}):
        for held in drawn(folder, on):
            told = whole(held)
            assert "None" not in told
            assert not re.search(r"\d\.0\b(?!\d)", text(page_of(held)).split("Not used")[0])
            check_picture(plot(held))


def test_two_runs_give_the_same_bytes() -> None:
    for folder, on in ((EXAMPLE, "1962-11-12"), (STAGED, "2031-04-20")):
        again = desk.holdings(desk.ask(desk.open_case(folder), on))
        assert [whole(h) for h in again] == [whole(h) for h in drawn(folder, on)]


def check_picture(svg: str) -> None:
    """It is XML with a title and a description, and every label lies within the picture and on no other label."""
    root = ET.fromstring(svg)
    assert root.find(f"{SVG}title") is not None
    assert (root.find(f"{SVG}desc").text or "").strip()  # type: ignore[union-attr]
    # A banner has room of its own, above and below.
    _, top, _, tall = map(float, (root.get("viewBox") or "").split())
    assert (top, tall) == (0, HEIGHT) or (-60 < top < 0 and tall == HEIGHT - 2 * top)
    boxes = []
    for node in root.iter(f"{SVG}text"):
        size = float(node.get("font-size", "13"))
        wide = 0.53 * size * len(node.text or "") * (1.08 if node.get("font-weight") else 1)
        x, y = float(node.get("x", "0")), float(node.get("y", "0"))
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[node.get("text-anchor", "start")]
        assert left >= 0, node.text
        assert left + wide <= WIDTH, node.text
        assert top + size <= y <= top + tall, node.text
        boxes.append((left, left + wide, y - 0.75 * size, y + 0.2 * size, node.text))
    for n, (left, right, top, foot, words) in enumerate(boxes):
        for other in boxes[:n]:
            apart = right <= other[0] or other[1] <= left or foot <= other[2] or other[3] <= top
            assert apart, f"{words} on {other[4]}"


def stretched(held: Holding, days: int, factor: float) -> Holding:
    """The same account with other numbers, over so many days."""

    def by(triple: Any) -> Any:
        return tuple(round(v * factor) for v in triple) if triple else triple

    steps = tuple(
        dataclasses.replace(s, low=round(s.low * factor), middle=round(s.middle * factor), high=round(s.high * factor))
        for s in held.waterfall
    )
    first = held.bands[0].day
    bands = tuple(
        dataclasses.replace(
            (band := held.bands[n % len(held.bands)]), day=first + timedelta(days=n), out=by(band.out), left=by(band.left)
        )
        for n in range(days)
    )
    return dataclasses.replace(held, waterfall=steps, bands=bands)


@pytest.mark.parametrize("days", [1, 2, 7, 60, 400])
@pytest.mark.parametrize("factor", [0, 1, 1_000_000 / 42])
def test_a_picture_holds_for_few_days_and_many_and_for_none_and_a_million(days: int, factor: float) -> None:
    held = stretched(accounts(EXAMPLE, "1962-11-12")[0], days, factor)
    svg = plot(held)
    check_picture(svg)
    if factor > 1:
        assert ">1,000,000<" in svg
    looked = sum(bool(b.looks) for b in held.bands)
    assert f"A look on {looked} of {days} day" in svg
    assert svg.count("<title>") == looked


def test_days_without_a_look_are_drawn_as_such() -> None:
    root = ET.fromstring(plot(accounts(EXAMPLE, "1962-11-12")[0]))
    assert [r for r in root.iter(f"{SVG}rect") if r.get("fill") == "url(#none)"]


def test_a_name_that_would_break_the_picture_is_written_safely() -> None:
    held = accounts(EXAMPLE, "1962-11-12")[0]
    claim = held.claim.model_copy(update={"title": "<b>&\x1b[31m\x00" + "long " * 60})
    svg = plot(dataclasses.replace(held, claim=claim))
    check_picture(svg)
    assert "<b>" not in svg
    assert "\x1b" not in svg


def test_words_that_steer_a_terminal_or_a_page_are_made_harmless() -> None:
    made = Page("a|b", ("\x1b[2J*x*",), (Section("s", ("one\ntwo", Items(("[l](u)",)), Table(("h",), (("a|b\n",),)))),))
    assert "\x1b" not in text(made)
    assert "one two" in text(made)
    assert "\\*x\\*" in markdown(made)
    assert "| a\\|b |" in markdown(made)
    assert "\\[l\\]" in markdown(made)


def test_a_page_on_a_terminal() -> None:
    from rich.console import Console

    from tallybook.board.page_terminal import show

    screen = io.StringIO()
    show(page(accounts(EXAMPLE, "1962-11-12")[0]), Console(file=screen, width=80, force_terminal=True, color_system="standard"))
    assert "Labinsk" in screen.getvalue()
    assert "…" not in screen.getvalue()


def test_days_that_are_alike_are_told_together() -> None:
    held = accounts(EXAMPLE, "1962-11-12")[0]
    found = runs(held.bands)
    assert sum(run.days for run in found) == len(held.bands)
    assert all(run.days == 1 for run in found if run.looked)
    assert len(found) < len(held.bands)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "0"),
        (1e-9, "below 0.000001"),
        (0.00028, "0.0003"),
        (0.004, "0.004"),
        (0.5973, "0.60"),
        (0.9959, "0.995"),
        (0.99938, "0.9993"),
        (1 - 1e-9, "above 0.999999"),
    ],
)
def test_probabilities_keep_the_digits_that_matter(p: float, words: str) -> None:
    assert chance(p) == words


@pytest.mark.parametrize(
    ("p", "word"),
    [
        (0.0, "almost no chance"),
        (0.05, "very unlikely"),
        (0.2, "unlikely"),
        (0.45, "roughly even chance"),
        (0.55, "roughly even chance"),
        (0.56, "likely"),
        (0.8, "likely"),
        (0.95, "very likely"),
        (0.96, "almost certain"),
        (1.0, "almost certain"),
    ],
)
def test_words_for_probabilities_are_those_of_icd_203(p: float, word: str) -> None:
    assert likely(p) == word


def test_numbers() -> None:
    assert [number(v) for v in (0.0, 42.0, 1e6, 0.5, None)] == ["0", "42", "1,000,000", "0.5", ""]
    assert [span(5, None), span(5, 5), span(26, 27), span(None, None)] == ["≥ 5", "5", "26 to 27", ""]
    assert [one_in(1.0000000002), one_in(15.97), one_in(None)] == ["1 in 1", "1 in 16", "—"]


def test_an_account_of_stages_says_what_is_where_and_what_is_assumed() -> None:
    held = staged("2031-04-20")
    told, found = text(staged_page(held)), staged_dict(held)
    assert found["form"] == "stages"
    assert [s["stage"] for s in found["stages"]] == ["depot", "railhead", "train"]
    assert f"none left with probability {chance(held.p_none_left)}" in told
    assert "Where they are on 20 Apr 2031" in told
    assert "the word of the party that owes: OBS-25 (24)" in told
    assert "air detects 0.7 of what is there" in told
    assert {day for row in found["looks"] for day in [d["day"] for d in row["days"]]}.isdisjoint(found["days_without_looks"])
    assert held.p_none_left == found["p_none_left"] or abs(held.p_none_left - found["p_none_left"]) < 1e-11


@pytest.mark.parametrize("on", ["2031-03-10", "2031-03-25", "2031-04-20"])
def test_an_account_of_stages_names_no_report_known_later(on: str) -> None:
    held = staged(on)
    ids = set(re.findall(r"\b[A-Z]{3}-\d+\b", whole(held) + str(staged_dict(held))))
    assert ids <= set(held.inquiry.view.reports)


def test_every_field_of_an_account_of_stages_is_documented() -> None:
    def fields(node: Any) -> set[str]:
        if isinstance(node, list):
            return {key for item in node for key in fields(item)}
        return set(node) | {key for v in node.values() for key in fields(v)} if isinstance(node, dict) else set()

    section = (ROOT / "docs" / "reference" / "json.md").read_text("utf-8").split("## holdings --json")[1].split("\n## ")[0]
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`\n]+)`", section))))
    assert fields(staged_dict(staged("2031-04-20"))) - named == set()
