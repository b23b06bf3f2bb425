"""Names that look like others: mixed scripts, characters that do not show, twins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.ingest.making import bring, csv_bytes, wrong
from tallybook.evidence.ingest.lookalike import mixed, name_warnings, scripts, skeleton, twins, unseen_character
from tallybook.evidence.ingest.table import Row

CYRILLIC_A, CYRILLIC_O, GREEK_O = "\u0430", "\u043e", "\u03bf"
RUSSIAN = "\u041f\u043e\u043b\u0442\u0430\u0432\u0430"


@pytest.mark.parametrize(
    "text",
    ["Poltava", RUSSIAN, f"Poltava ({RUSSIAN})", f"M/V {RUSSIAN}", "Z\u00fcrich", "\u0395\u03bb\u03bb\u03ac\u03c2",
     "IL-28", "B\u00b5", "",
     "\u6d77\u738b\u4e38", "K\u30d3\u30eb", "\u6d77\u306e\u8239", "\ud55c\ud638 2"],
)  # fmt: skip
def test_names_that_are_written_in_one_script_a_word(text: str) -> None:
    assert mixed(text) == frozenset()


@pytest.mark.parametrize(
    ("text", "both"),
    [
        (f"P{CYRILLIC_O}ltava", {"LATIN", "CYRILLIC"}),
        (f"sea {GREEK_O}il", set()),
        (f"{GREEK_O}il", {"LATIN", "GREEK"}),
        ("\uff21lpha", {"LATIN", "FULLWIDTH LATIN"}),
        ("\U0001d400lpha", {"LATIN", "SYMBOL"}),
        ("\u13aalpha", {"LATIN", "CHEROKEE"}),
    ],
)
def test_words_of_two_scripts(text: str, both: set[str]) -> None:
    assert mixed(text) == both or (not both and mixed(text) == {"LATIN", "GREEK"})


@pytest.mark.parametrize("char", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\U000e0041"])
def test_characters_that_do_not_show(char: str) -> None:
    assert unseen_character(f"Pol{char}tava") == f"U+{ord(char):04X}"
    assert skeleton(f"Pol{char}tava") == "poltava"


def test_twins_look_the_same_and_are_not() -> None:
    other = f"P{CYRILLIC_O}lt{CYRILLIC_A}va"
    assert twins(["Poltava", other, "Kasimov"]) == [("Poltava", other)]
    assert twins(["Poltava", "POLTAVA", " Poltava ", "Poltava"]) == []
    assert twins(["\u0421\u0421\u0421\u0420", "CCCP"]) == [("\u0421\u0421\u0421\u0420", "CCCP")]
    assert twins(["Caf\u00e9", "Cafe"]) == []


def test_an_id_that_looks_like_another_is_a_fault() -> None:
    for text in (f"R-1{CYRILLIC_A}", f"Rx{CYRILLIC_O}", "R\u200b-1", "\u0410-1"):
        assert "[id]" in wrong(csv_bytes([{"id": text, "statement": "x", "place": "", "count": ""}]), "observations.csv")


def test_a_name_that_looks_like_another_is_a_warning() -> None:
    rows = [{"id": f"P-{n}", "name": name, "lat": "", "lon": ""} for n, name in enumerate(["Poltava", f"P{CYRILLIC_O}ltava"])]
    brought = bring(csv_bytes(rows, ("id", "name", "lat", "lon")), "places.csv")
    assert len(brought.rows["places"]) == 2
    assert [(w.line, w.field) for w in brought.warnings] == [(3, "name")] * 2
    assert any("Cyrillic and Latin" in w.what for w in brought.warnings)
    assert any("looks like 'Poltava' of line 2" in w.what for w in brought.warnings)


def test_texts_are_not_names() -> None:
    rows = [Row(2, {"statement": f"P{CYRILLIC_O}ltava", "id": "R-1"})]
    assert name_warnings("f", rows) == ([], [])


def test_warnings_are_told_to_a_limit() -> None:
    rows = [Row(n, {"vessel": f"P{CYRILLIC_O}l{n}"}) for n in range(50)] + [Row(n, {"vessel": f"Pol{n}"}) for n in range(50)]
    assert len(name_warnings("f", rows, 20)[1]) == 20


@given(st.text(max_size=20))
def test_no_text_raises_and_a_skeleton_is_its_own(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text) or not text.isascii()
    assert mixed(text) <= scripts(text)
    assert not text.isascii() or not mixed(text)
