"""What is written reads back as the same marking; many forms are read, and what is no marking is refused with words that help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markings.attempts import attempt, told_well
from markings.strategies import OWN, SCHEMES, markings, orders
from tallybook.markings.marking import BOTTOM, EXEMPT, TOP, Grant, Marking, MarkingError, Part, join
from tallybook.markings.rules import marking_faults
from tallybook.markings.scheme import Scheme, read_scheme, scheme_of
from tallybook.markings.text import LONGEST, banner, parse, parse_grant, portion

US, TLP, UN = scheme_of("US"), scheme_of("TLP"), scheme_of("UN")
IN_USE = {"US": US, "TLP": TLP, "UN": UN, "US-1962": scheme_of("US-1962")}
MARKINGS = markings(SCHEMES.values())


def read(text: str) -> Marking:
    return parse(text, US, IN_USE)


@given(MARKINGS, orders(SCHEMES))
def test_what_is_written_reads_back(marking: Marking, schemes: dict[str, Scheme]) -> None:
    first = next(iter(schemes.values()))
    texts = [banner(marking, schemes), portion(marking, schemes)]
    for text in texts:
        if len(text) <= LONGEST and len(texts[0]) <= LONGEST:
            assert parse(text, first, schemes) == marking
            assert parse(text.lower(), first, schemes) == marking


@given(MARKINGS, MARKINGS)
def test_what_is_made_of_what_was_read_reads_back_or_is_refused_for_its_length(a: Marking, b: Marking) -> None:
    text = banner(join(a, b), SCHEMES)
    if len(text) <= LONGEST:
        assert parse(text, SCHEMES["OWN-2"], {"OWN-2": SCHEMES["OWN-2"], **SCHEMES}) is not None
        assert parse(text, next(iter(SCHEMES.values())), SCHEMES) == join(a, b)
    else:
        with pytest.raises(MarkingError, match="characters"):
            parse(text, next(iter(SCHEMES.values())), SCHEMES)


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["S", "//", "/", "REL TO", " ", "USA", ",", "EYES ONLY FOR", ";", "&", "DECL"])).map("".join)
)
def test_any_text_is_a_marking_or_an_error_with_something_to_do(text: str) -> None:
    found = attempt(lambda: read(text))
    if isinstance(found, MarkingError):
        assert told_well(found)
    else:
        assert read(banner(found, IN_USE)) == found


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("secret", "SECRET", "(S)"),
        ("(s)", "SECRET", "(S)"),
        ("( TS // NF )", "TOP SECRET//NOFORN", "(TS//NF)"),
        ("Top  Secret//rel to usa,gbr", "TOP SECRET//REL TO USA, GBR", "(TS//REL TO USA, GBR)"),
        ("S//REL GBR, USA", "SECRET//REL TO USA, GBR", "(S//REL TO USA, GBR)"),
        ("S//REL TO USA", "SECRET//NOFORN", "(S//NF)"),
        ("S//REL TO FVEY", "SECRET//REL TO USA, AUS, CAN, GBR, NZL", "(S//REL TO USA, AUS, CAN, GBR, NZL)"),
        ("S//ORIGINATOR ONLY", "SECRET//ORIGINATOR ONLY", "(S//ORIGINATOR ONLY)"),
        ("U//FOUO", "UNCLASSIFIED//FOUO", "(U//FOUO)"),
        ("UNCLASSIFIED//FOR OFFICIAL USE ONLY", "UNCLASSIFIED//FOUO", "(U//FOUO)"),
        ("TS//TK/SI-G-ABCD//OC/NF", "TOP SECRET//SI-G-ABCD/TK//NOFORN//ORCON", "(TS//SI-G-ABCD/TK//NF//OC)"),
        ("TS//TALENT KEYHOLE//ORIGINATOR CONTROLLED", "TOP SECRET//TK//ORCON", "(TS//TK//OC)"),
        ("S//OC/REL TO USA, GBR", "SECRET//REL TO USA, GBR//ORCON", "(S//REL TO USA, GBR//OC)"),
        ("S//XD/ND//NF", "SECRET//NOFORN//NODIS", "(S//NF//ND)"),
        ("S//DECL 2050-01-01", "SECRET//DECL 2050-01-01", "(S//DECL 2050-01-01)"),
        ("S//DECL exempt", "SECRET//DECL EXEMPT", "(S//DECL EXEMPT)"),
        ("tlp:amber+strict", "TLP:AMBER+STRICT", "(TLP:AMBER+STRICT)"),
        (
            "TLP: RED//EYES ONLY FOR stevenson; McCloy",
            "TLP:RED//EYES ONLY FOR MCCLOY; STEVENSON",
            "(TLP:RED//EYES ONLY FOR MCCLOY; STEVENSON)",
        ),
        ("S//EYES ONLY FOR NOBODY", "SECRET//EYES ONLY FOR NOBODY", "(S//EYES ONLY FOR NOBODY)"),
        ("un:confidential & s & tlp:green", "SECRET & TLP:GREEN & UN:CONFIDENTIAL", "(S & TLP:GREEN & UN:CONFIDENTIAL)"),
        ("US:SECRET", "SECRET", "(S)"),
        ("US-1962:TOP SECRET//LIMDIS", "US-1962:TOP SECRET//LIMIT DISTRIBUTION", "(US-1962:TS//LIMDIS)"),
        ("withheld", "WITHHELD", "(WITHHELD)"),
    ],
)
def test_forms(text: str, full: str, short: str) -> None:
    marking = read(text)
    assert banner(marking, IN_USE) == full
    assert portion(marking, IN_USE) == short


def test_what_is_read() -> None:
    assert read("TS//SI-G//REL TO USA, gbr//EYES ONLY FOR Mc Cloy//OC//DECL EXEMPT") == Marking.of(
        Part("US", 5, frozenset({"SI", "SI-G"}), frozenset({"USA", "GBR"}), frozenset({"MC CLOY"}), frozenset({"ORCON"}), EXEMPT)
    )
    assert read("WITHHELD") == TOP
    assert read("S//EYES ONLY FOR NOBODY").parts[0].recipients == frozenset()
    assert read("S//ORIGINATOR ONLY").parts[0].release == frozenset()


def test_a_scheme_without_prefix_is_the_first() -> None:
    assert parse("CONFIDENTIAL", UN) == Marking.of(Part("UN", 1))
    assert banner(read("UN:CONFIDENTIAL"), {"UN": UN}) == "CONFIDENTIAL"
    assert parse("AMBER", TLP) == parse("TLP:AMBER", TLP)
    assert banner(parse("AMBER", TLP), {"TLP": TLP}) == "TLP:AMBER"


def test_the_bottom_is_blank_and_a_blank_is_no_marking() -> None:
    assert banner(BOTTOM, IN_USE) == "" == portion(BOTTOM, IN_USE)
    for text in ("", "  ", "()", "( )"):
        with pytest.raises(MarkingError) as caught:
            read(text)
        assert "withheld" in caught.value.do


@pytest.mark.parametrize(
    ("text", "what", "do"),
    [
        ("SECRT", "'SECRT' is no level of US", "did you mean SECRET? the levels are UNCLASSIFIED,"),
        ("NOFORN", "'NOFORN' is no level of US", "the levels are"),
        ("TLP:WHITE", "TLP 2.0 has no WHITE", "write TLP:CLEAR"),
        ("TLP:ORANGE", "'ORANGE' is no level of TLP", "the levels are CLEAR, GREEN, AMBER, AMBER+STRICT, RED"),
        ("NATO:SECRET", "no scheme 'NATO' is in use here", "in use are US, TLP, UN, US-1962"),
        ("UN:SECRET", "'SECRET' is no level of UN", "STRICTLY CONFIDENTIAL"),
        ("S//NODSI", "'NODSI' is no word of US", "did you mean NODIS?"),
        ("S//S", "'S' is no word of US", "it has"),
        ("S//SI-ABCD", "'SI-ABCD' is no word of US", "it has"),
        ("S//SI-A_B", "'SI-A_B' is no word of US", "it has"),
        ("S//", "an empty part", "stroke"),
        ("S//NF/", "an empty part", "stroke"),
        ("S//REL TO", "a release set that is empty", "ORIGINATOR ONLY"),
        ("S//REL TO  //NF", "a release set that is empty", "ORIGINATOR ONLY"),
        ("S//REL TO USA,, GBR", "a blank name", "separator"),
        ("S//REL TO USA, USA", "REL TO names one twice", "once"),
        ("S//REL TO USA; GBR", "';' in the name", "letters, digits"),
        ("S//REL TO USA, NOFORN", "'NOFORN' is a word of markings", "another name"),
        ("S//REL TO USA, ORCON", "'ORCON' stands where a name should", "//"),
        ("S//REL TO USA, RELIDO", "'RELIDO' stands where a name should", "//"),
        ("S//REL TO USA, TOP SECRET", "'TOP SECRET' stands where a name should", "//"),
        ("S//NF//REL TO USA, GBR", "two release sets", "write one"),
        ("S//REL TO USA, GBR//REL TO USA, FRA", "two release sets", "write one"),
        ("S//NF//ORIGINATOR ONLY", "two release sets", "write one"),
        ("S//EYES ONLY", "EYES ONLY, and for nobody", "EYES ONLY FOR"),
        ("S//EYES ONLY FOR", "EYES ONLY FOR and 0 names", ";"),
        ("S//EYES ONLY FOR a//EYES ONLY FOR b", "EYES ONLY twice", "once"),
        ("S//EYES ONLY FOR a; EYES ONLY FOR b", "'EYES ONLY FOR B' stands where a name should", "//"),
        ("S//EYES ONLY FOR a; DECL 2050-01-01", "'DECL 2050-01-01' stands where", "//"),
        ("S//EYES ONLY FOR a:b", "':' in the name 'a:b'", "letters, digits"),
        ("S//EYES ONLY FOR S/S", "'S' is no word of US", "it has"),
        ("S//ORCON/OC", "ORCON twice", "once"),
        ("S//DECL 2050-02-30", "DECL '2050-02-30' is no date", "DECL EXEMPT"),
        ("S//DECL 20500101", "DECL '20500101' is no date", "DECL 2050-01-01"),
        ("S//DECL", "DECL '' is no date", "DECL 2050-01-01"),
        ("S//DECL 2050-01-01//DECL 2051-01-01", "DECL twice", "once"),
        ("S//OF GBR", "OF, in a marking", "REL TO"),
        ("TLP:RED//NF", "NF, and the scheme TLP has no owner", "REL TO"),
        ("S & TS", "two markings in US", "as restrictive as both"),
        ("S & ", "'' is no level of US", "the levels are"),
        ("S & WITHHELD", "'WITHHELD' is no level of US", "the levels are"),
        ("S//RELIDO", "RELIDO lets others release it", "REL TO"),
        ("S//DISPLAY ONLY GBR", "DISPLAY ONLY lets others look", "release it to them"),
        ("S//FGI GBR", "foreign government information", "scheme in front"),
        ("S//FOUO", "FOUO is for what is unclassified", "UNCLASSIFIED//FOUO"),
        ("U//DISTRIBUTION A", "public release is no restriction", "UNCLASSIFIED"),
        ("US-1962:SECRET//NODIS", "no use of it in 1962", "EYES ONLY FOR"),
        ("&".join("S" * 11), "11 schemes in one marking", "at most 10"),
        ("S//EYES ONLY FOR " + "; ".join(f"a{n}" for n in range(61)), "EYES ONLY FOR and 61 names", "from 1 to 60"),
        ("S//EYES ONLY FOR " + "x" * 61, "a name of 61 characters", "at most 60"),
        ("S" * 501, "a marking of 501 characters", "at most 500"),
        ("S//REL TO USA, GBR\n", "U+000A in a marking", "one line"),
        ("S//\x00NF", "U+0000 in a marking", "one line"),
        ("S//\u202eNF", "U+202E in a marking", "one line"),
        ("\u0405ECRET", "U+0405 in", "plain English letters"),
        ("S//NOF\u041eRN", "U+041E in", "plain English letters"),
        ("S//\uff2e\uff26", "U+FF2E in", "plain English letters"),
        ("S//REL TO U\u0405A", "mixes letters of CYRILLIC and LATIN", "in one"),
        ("S//EYES ONLY FOR a\uff1bb", "';' in the name", "letters, digits"),
    ],
)
def test_what_is_no_marking(text: str, what: str, do: str) -> None:
    with pytest.raises(MarkingError) as caught:
        read(text)
    assert what in caught.value.what
    assert do in caught.value.do
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_text_that_is_too_long_when_it_is_written_in_full() -> None:
    text = "(TS//EYES ONLY FOR " + "; ".join(f"name{n:03d}" for n in range(53)) + ")"
    assert len(text) <= LONGEST < len(text) + len("TOP SECRET") - len("(TS)")
    with pytest.raises(MarkingError, match="written in full"):
        read(text)


def test_a_group_that_is_too_large() -> None:
    members = [f"m{n}" for n in range(61)]
    scheme = read_scheme({**OWN, "groups": {"all": members}})
    with pytest.raises(MarkingError, match="released to 61"):
        parse("OPEN//REL TO ALL", scheme)


def test_a_part_of_another_table_is_not_written() -> None:
    for write in (banner, portion):
        with pytest.raises(MarkingError, match="no scheme 'UN' is in use"):
            write(read("UN:CONFIDENTIAL"), {"US": US})
        with pytest.raises(MarkingError, match="US has no level 6"):
            write(Marking.of(Part("US", 6)), IN_USE)


@pytest.mark.parametrize(
    ("text", "scheme", "grant"),
    [
        ("SECRET//SI//OF GBR", US, Grant("US", 4, frozenset({"SI"}), frozenset({"GBR"}), US.handling)),
        ("SECRET//REL TO GBR, FRA", US, Grant("US", 4, frozenset(), frozenset({"GBR", "FRA"}), US.handling)),
        ("S//NF", US, Grant("US", 4, frozenset(), frozenset({"USA"}), US.handling)),
        ("(TS//SI-G//NODIS)", US, Grant("US", 5, frozenset({"SI", "SI-G"}), frozenset(), US.handling | {"NODIS", "EXDIS"})),
        ("TLP:AMBER//OF partner-desk", TLP, Grant("TLP", 2, frozenset(), frozenset({"PARTNER-DESK"}))),
        ("AMBER", TLP, Grant("TLP", 2)),
    ],
)
def test_clearances(text: str, scheme: Scheme, grant: Grant) -> None:
    assert parse_grant(text, scheme) == grant


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("S//EYES ONLY FOR a", "a clearance says"),
        ("S//DECL 2050-01-01", "a clearance says"),
        ("S//ORIGINATOR ONLY", "a clearance says"),
        ("S//OF GBR//REL TO FRA", "says twice"),
        ("S//OF GBR//OF FRA", "OF twice"),
        ("S//OF", "OF and 0 names"),
        ("S//REL TO FVEY", "'FVEY' is a group"),
        ("S//OF FVEY", "'FVEY' is a group"),
        ("WITHHELD", "not a clearance in one scheme"),
        ("S & TLP:RED", "not a clearance in one scheme"),
        ("UN:CONFIDENTIAL", "no scheme 'UN'"),
        ("", "no marking"),
    ],
)
def test_what_is_no_clearance(text: str, what: str) -> None:
    with pytest.raises(MarkingError, match=what) as caught:
        parse_grant(text, US)
    assert caught.value.do


@given(MARKINGS, MARKINGS)
def test_what_is_made_of_lawful_markings_is_lawful_in_shipped_schemes(a: Marking, b: Marking) -> None:
    for scheme in IN_USE.values():
        if not marking_faults(a, scheme) and not marking_faults(b, scheme) and not (a.withheld or b.withheld):
            assert marking_faults(join(a, b), scheme) == []
