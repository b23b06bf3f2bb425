"""Combinations that a scheme forbids, and a banner beside its portions."""

from __future__ import annotations

import pytest
from hypothesis import given

from markings.strategies import OWN, SCHEMES, markings
from tallybook.markings.marking import BOTTOM, TOP, Marking, Part, join
from tallybook.markings.rules import banner_faults, marking_faults
from tallybook.markings.scheme import read_scheme, scheme_of
from tallybook.markings.text import parse

US = scheme_of("US")
IN_USE = {"US": US, "TLP": scheme_of("TLP"), "UN": scheme_of("UN")}
MARKINGS = markings(SCHEMES.values())


def read(text: str) -> Marking:
    return parse(text, US, IN_USE)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("TS//SI-G-ABCD/TK//OC", []),
        ("TS//SI-G", ["SI-G asks for ORCON, which is missing"]),
        ("S//SI-G//OC", ["SI-G is not for what is SECRET; TOP SECRET at least"]),
        ("U//SI", ["SI is not for what is UNCLASSIFIED; CONFIDENTIAL at least"]),
        ("U//FOUO//OC", ["ORCON is not for what is UNCLASSIFIED//FOUO; CONFIDENTIAL at least"]),
        ("S//HCS//REL TO USA, GBR", ["HCS asks for NOFORN, which is missing"]),
        ("S//HCS//ORIGINATOR ONLY", []),
        ("S//RSV", ["RSV does not stand alone; name the part of it, as RSV-…"]),
        ("S//RSV-A1B", []),
        ("S//REL TO GBR", ["REL TO leaves out USA, whose marking it is"]),
        ("TLP:RED", []),
    ],
)
def test_what_a_scheme_forbids(text: str, faults: list[str]) -> None:
    assert marking_faults(read(text), US) == faults


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("C1//LAB//EYES ONLY FOR a", []),
        ("C1//LAB", ["LAB asks for EYES ONLY, which is missing"]),
        ("O//DEEP//NF", []),
        ("O//DEEP//REL TO BOTH", ["DEEP and REL TO exclude one another"]),
        ("C1//LAB//WIDE//EYES ONLY FOR a", ["WIDE and LAB exclude one another"]),
    ],
)
def test_what_a_case_s_own_scheme_forbids(text: str, faults: list[str]) -> None:
    own = read_scheme(OWN)
    assert marking_faults(parse(text, own), own) == faults


def test_a_word_that_the_table_does_not_have() -> None:
    assert marking_faults(Marking.of(Part("US", 4, caveats=frozenset({"NONSUCH"}))), US) == ["NONSUCH is no word of US"]
    assert marking_faults(TOP, US) == [] == marking_faults(BOTTOM, US)


@pytest.mark.parametrize(
    ("stated", "portions", "faults"),
    [
        ("S", ["U", "S"], []),
        ("TS", ["U"], []),
        ("C", ["U", "S"], ["CONFIDENTIAL, and a portion is SECRET"]),
        ("S", ["S//SI", "TS//SI-G//OC"], ["SECRET, and a portion is TOP SECRET", "SI-G is missing", "ORCON is missing"]),
        ("S", ["S//NF"], ["released to anybody, and the portions together only to USA"]),
        (
            "S//REL TO USA, GBR, FRA",
            ["S//REL TO USA, GBR", "S//REL TO USA, FRA"],
            ["released to FRA, GBR, and the portions together only to USA"],
        ),
        ("S//NF", ["S//ORIGINATOR ONLY"], ["released to USA, and the portions together only to nobody"]),
        ("S", ["S//EYES ONLY FOR a; b"], ["for the eyes of anybody, and the portions together only A, B"]),
        ("S//EYES ONLY FOR a; c", ["S//EYES ONLY FOR a; b"], ["for the eyes of C, and the portions together only A, B"]),
        (
            "S//EYES ONLY FOR a",
            ["S//EYES ONLY FOR a", "S//EYES ONLY FOR b"],
            ["for the eyes of A, and the portions together only nobody"],
        ),
        (
            "S//DECL 2030-01-01",
            ["S//DECL 2050-01-01"],
            ["a portion is to be declassified on 2050-01-01, which is later than what is said"],
        ),
        (
            "S//DECL 2050-01-01",
            ["S//DECL EXEMPT"],
            ["a portion is exempt from declassification, which is later than what is said"],
        ),
        ("S", ["S", "TLP:RED"], ["nothing said in TLP, and a portion is marked in it"]),
        ("S & TLP:RED", ["S", "TLP:AMBER"], []),
        ("TS", ["S", "WITHHELD"], ["a portion is withheld, so the whole is"]),
        ("WITHHELD", ["WITHHELD", "S"], []),
        (
            "S//REL TO USA, GBR",
            ["S", "S//REL TO USA, GBR"],
            ["REL TO, and a portion without a word on release is not releasable"],
        ),
        ("S//REL TO USA, GBR", ["U", "S//REL TO USA, GBR"], []),
        ("S//NF", ["S"], []),
        ("S", [], []),
    ],
)
def test_a_banner_beside_its_portions(stated: str, portions: list[str], faults: list[str]) -> None:
    assert banner_faults(read(stated), [read(text) for text in portions], IN_USE) == faults


def test_without_schemes_levels_are_ranks() -> None:
    assert banner_faults(read("C"), [read("S")]) == ["level 3, and a portion is level 4"]
    assert banner_faults(read("TS//SI"), [read("TS//SI-G//OC")]) == ["ORCON is missing", "SI-G is missing"]


@given(MARKINGS, MARKINGS, MARKINGS)
def test_a_banner_has_faults_just_where_it_is_below_the_join(stated: Marking, a: Marking, b: Marking) -> None:
    assert (banner_faults(stated, [a, b]) == []) == (join(a, b) <= stated)
    assert banner_faults(join(a, b, stated), [a, b]) == []
