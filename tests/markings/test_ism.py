"""Rules of ISM.XML for banners and portions, restated as cases.

The rules are those of the public Schematron files of ISM.XML (ODNI), found in NIEM's SuperHero IEPD under
`ism/base-xsd/external/IC/ISM/Schematron/ISM/Rules`; only their numbers and what they mean are taken. `departs` says where the
desk does something else than the rule, and why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tallybook.markings.marking import Marking, MarkingError
from tallybook.markings.rules import banner_faults, marking_faults
from tallybook.markings.scheme import scheme_of
from tallybook.markings.text import banner, parse

US = scheme_of("US")
CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "ism_cases.json").read_bytes())


def faults_of(portions: list[str], stated: str) -> list[str]:
    """Everything that is wrong with a document of these portions under that banner."""
    faults: list[str] = []
    read: list[Marking] = []
    for text in [*portions, stated]:
        try:
            read.append(parse(text, US))
        except MarkingError as error:
            faults.append(error.what)
    for marking in read:
        faults += marking_faults(marking, US)
    return faults if len(read) <= len(portions) else faults + banner_faults(read[-1], read[:-1], {"US": US})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}-{case['banner']}")
def test_a_rule(case: dict[str, Any]) -> None:
    faults = faults_of(case["portions"], case["banner"])
    if case["expected"] == "accepted":
        assert faults == []
        assert banner(parse(case["banner"], US), {"US": US}) == banner(parse(case["banner"].lower(), US), {"US": US})
    else:
        assert any(case["expected"] in fault for fault in faults), faults


def test_the_cases_are_many_and_of_both_kinds() -> None:
    assert len(CASES) >= 120
    assert len({case["rule"] for case in CASES}) >= 60
    accepted = [case for case in CASES if case["expected"] == "accepted"]
    assert 40 <= len(accepted) <= len(CASES) - 40


def test_a_banner_is_written_in_the_order_of_the_rules() -> None:
    texts = {case["banner"] for case in CASES if case["rule"] in {"ISM-ID-00026", "ISM-ID-00041", "ISM-ID-00042"}}
    assert len(texts) == 3
    for text in texts:
        assert banner(parse(text, US), {"US": US}) == text
