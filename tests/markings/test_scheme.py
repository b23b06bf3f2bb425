"""The schemes that are shipped, and a case's own with every way to be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from markings.strategies import OWN
from tallybook.markings.marking import MarkingError, Part
from tallybook.markings.scheme import read_scheme, scheme_of, shipped
from tallybook.markings.text import banner, parse, portion
from tallybook.markings.vocabulary import Scheme


def test_what_is_shipped() -> None:
    assert shipped() == ("TLP", "UN", "US", "US-1962")
    for name in shipped():
        scheme = scheme_of(name)
        assert scheme.id == name
        assert scheme.title
        assert scheme.source
        assert [level.rank for level in scheme.levels] == list(range(len(scheme.levels)))
        assert scheme_of(name) is scheme


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("TLP", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]),
        ("UN", ["UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY CONFIDENTIAL"]),
        ("US-1962", ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]),
        ("US", ["UNCLASSIFIED", "UNCLASSIFIED//FOUO", "UNCLASSIFIED//SBU", "CONFIDENTIAL", "SECRET", "TOP SECRET"]),
    ],
)
def test_levels_from_the_lowest(name: str, levels: list[str]) -> None:
    assert [level.name for level in scheme_of(name).levels] == levels


def test_owners_and_control_by_the_originator() -> None:
    assert [scheme_of(name).owner for name in shipped()] == ["", "", "USA", "USA"]
    assert scheme_of("US").originator_controlled == {"ORCON"}
    assert scheme_of("US").handling == {"ORCON", "PROPIN", "FISA"}
    assert scheme_of("TLP").originator_controlled == frozenset()


@pytest.mark.parametrize("name", ["us", "TLP2", "", "../TLP", "x" * 1000, "NATO\x1b"])
def test_an_unknown_scheme(name: str) -> None:
    with pytest.raises(MarkingError) as caught:
        scheme_of(name)
    assert "there are TLP, UN, US, US-1962" in caught.value.do
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_case_s_own() -> None:
    scheme = read_scheme(OWN)
    use = {scheme.id: scheme}
    marking = parse("i//n//harbour/field team only//l-7a//rel to both", scheme)
    assert marking.parts == (
        Part("OWN-2", 1, frozenset({"HARBOUR", "LAB", "LAB-7A"}), frozenset({"PARTNER DESK", "FRA"}), None, frozenset({"FIELD"})),
    )
    assert banner(marking, use) == "IN HOUSE//NOTED//LAB-7A/HARBOUR//REL TO PARTNER DESK, FRA//FIELD"
    assert portion(marking, use) == "(I//N//L-7A/HARBOUR//REL TO PARTNER DESK, FRA//F)"
    assert scheme.originator_controlled == {"WIDE"}


def test_an_open_vocabulary_of_caveats() -> None:
    scheme = read_scheme({"id": "X", "title": "", "levels": [{"name": "LOW"}], "open_vocabulary": ["caveat"]} | {"title": "x"})
    assert parse("low//fleet", scheme).parts == (Part("X", 0, caveats=frozenset({"FLEET"})),)
    for text in ("LOW//LOW", "LOW//FL*EET", "LOW//OF", "LOW//" + "X" * 480 + "//" + "X" * 480):
        with pytest.raises(MarkingError):
            parse(text, scheme)


def changed(**keys: object) -> dict[str, object]:
    return {key: value for key, value in {**OWN, **keys}.items() if value is not None}


def with_word(**keys: object) -> dict[str, object]:
    return changed(words=[{"name": "A", "kind": "caveat"}, {"name": "B", "kind": "caveat", **keys}])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (None, "scheme: not a mapping of texts"),
        ([], "scheme: not a mapping of texts"),
        ({1: 2}, "scheme: not a mapping of texts"),
        (changed(colour="red"), "scheme: unknown key 'colour'"),
        (changed(id=None), "scheme: no id"),
        (changed(id="own"), "id: 'own' is no id of a scheme"),
        (changed(id="A" * 21), "id: 'A{21}' is no id of a scheme"),
        (changed(id=7), "'scheme.id': not a text"),
        (changed(title="a\nb"), "'scheme.title': blank, longer than 1000 characters, or does not print"),
        (changed(title="a" * 1001), "'scheme.title': blank, longer"),
        (changed(owner="a/b"), "'/' in the name 'a/b'"),
        (changed(levels=None), "'levels': not a list"),
        (changed(levels="LOW"), "'levels': not a list"),
        (changed(levels=[]), "levels: none"),
        (changed(levels=[{"name": f"L{n}"} for n in range(21)]), "'levels': 21 of them"),
        (changed(levels=["LOW"]), r"levels\[0\]: not a mapping"),
        (changed(levels=[{"portion": "L"}]), r"levels\[0\]: no name"),
        (changed(levels=[{"name": "low"}]), r"levels\[0\].name: 'low'"),
        (changed(levels=[{"name": "L\u041eW"}]), r"levels\[0\].name"),
        (changed(levels=[{"name": "A//B//C"}]), r"levels\[0\].name"),
        (changed(levels=[{"name": "A//"}]), r"levels\[0\].name"),
        (changed(levels=[{"name": "WITHHELD"}]), "'WITHHELD' is a word of the grammar"),
        (changed(levels=[{"name": "REL TO ALL"}]), "'REL TO ALL' is a word of the grammar"),
        (changed(levels=[{"name": "OF LATE"}]), "'OF LATE' is a word of the grammar"),
        (changed(levels=[{"name": "A", "rank": 3}]), r"levels\[0\]: unknown key 'rank'"),
        (changed(levels=[{"name": "CLOSED+ONE"}, {"name": "A"}, {"name": "A"}]), "'A' is there twice"),
        (changed(levels=[{"name": "CLOSED+ONE"}, {"name": "A"}, {"name": "B", "portion": "A"}]), "'A' stands for two things"),
        (changed(levels=[{"name": "CLOSED+ONE"}, {"name": "A", "also": ["B"]}, {"name": "B"}]), "'B' stands for two things"),
        (changed(levels=[{"name": "OPEN"}, {"name": "OPEN//FIELD"}, {"name": "CLOSED+ONE"}]), "'FIELD' is there twice"),
        (changed(levels=[{"name": "A", "also": ["B"] * 11}]), "11 of them"),
        (changed(words=[{"name": "A"}]), r"words\[0\]: no kind"),
        (changed(words=[{"name": "A", "kind": "secret"}]), r"words\[0\].kind: 'secret'"),
        (changed(words=[{"name": f"W{n}", "kind": "caveat"} for n in range(201)]), "'words': 201 of them"),
        (with_word(lowest="HIGH"), r"words\[1\].lowest: no level 'HIGH'"),
        (with_word(sub=-1), r"words\[1\].sub: not a whole number"),
        (with_word(sub=21), r"words\[1\].sub: not a whole number"),
        (with_word(sub=True), r"words\[1\].sub: not a whole number"),
        (with_word(sub=2), "B.sub: only a compartment has parts"),
        (with_word(alone="no"), r"words\[1\].alone: neither true nor false"),
        (with_word(implies=["C"]), "B.implies: no word 'C'"),
        (with_word(implies=["NOFORN"]), "B.implies: no word 'NOFORN'"),
        (with_word(implies=["B"]), "B.implies: two words that imply each other"),
        (with_word(implies="A"), "implies': not a list"),
        (with_word(needs=["C"]), "B.needs: no word 'C'"),
        (with_word(excludes=["C"]), "B.excludes: no word 'C'"),
        (with_word(portion="A"), "'A' stands for two things"),
        (with_word(title="OPEN"), "'OPEN' stands for two things"),
        (with_word(title=3), "title': not a text"),
        (
            changed(
                words=[{"name": "A", "kind": "caveat", "implies": ["B"]}, {"name": "B", "kind": "handling", "implies": ["A"]}]
            ),
            "A.implies: two words that imply each other",
        ),
        (
            changed(words=[{"name": "A", "kind": "caveat"}, {"name": "B", "kind": "compartment", "implies": ["A"]}]),
            "B.implies: a compartment and a caveat",
        ),
        (
            changed(owner=None, words=[{"name": "A", "kind": "caveat", "needs": ["NOFORN"]}]),
            "A.needs: NOFORN, and the scheme has no owner",
        ),
        (changed(groups={"G": []}), "groups.'G': no members"),
        (changed(groups={"G": ["H"], "H": ["a"]}), "groups.'G': a group in a group"),
        (changed(groups={f"G{n}": ["a"] for n in range(101)}), "groups: 101 of them"),
        (changed(groups={"G": [f"m{n}" for n in range(201)]}), "201 of them"),
        (changed(groups={"G": [7]}), "'groups.G': not a text"),
        (changed(open_vocabulary=["handling"]), "open_vocabulary: neither compartment nor caveat"),
        (changed(open_vocabulary=["caveat", "compartment"]), "open_vocabulary: nothing would tell"),
        (changed(refused={"X": ["a"]}), "refused.'X': not two texts"),
        (changed(refused={"x": ["a", "b"]}), "refused: 'x'"),
        (changed(refused={"FIELD": ["a", "b"]}), "'FIELD' stands for two things"),
        (changed(refused={f"X{n}": ["a", "b"] for n in range(201)}), "refused: 201 of them"),
        (changed(prefixed="yes"), "scheme.prefixed: neither true nor false"),
        (changed(release_stated_from="HIGH"), "release_stated_from: no level 'HIGH'"),
    ],
)
def test_what_is_no_scheme(data: Any, what: str) -> None:
    with pytest.raises(MarkingError, match=what) as caught:
        read_scheme(data)
    assert caught.value.do
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_scheme_that_only_needs_levels() -> None:
    data: Mapping[str, object] = {"id": "BARE", "title": "bare", "levels": [{"name": "LOW"}, {"name": "HIGH"}]}
    scheme = read_scheme(data)
    assert isinstance(scheme, Scheme)
    assert parse("high", scheme).parts == (Part("BARE", 1),)
