"""XML: a root, rows, columns, and nothing that expands."""

from __future__ import annotations

import pytest

from evidence.ingest.making import ROWS, bring, fields, wrong, xml_bytes
from tallybook.evidence.ingest.limits import Limits

ATTRIBUTES = (
    b'<observations>\n <o id="R-1" statement="x" place="" count="1"/>\n'
    b' <o id="R-2" statement="y"><place>p</place><count/></o>\n</observations>'
)


def test_attributes_and_elements_are_columns_and_a_row_has_its_line() -> None:
    brought = bring(b'<?xml version="1.0" encoding="utf-8"?>\n<!-- said -->\n' + ATTRIBUTES, "x.xml")
    assert fields(brought) == [
        {"id": "R-1", "statement": "x", "place": "", "count": "1"},
        {"id": "R-2", "statement": "y", "place": "p", "count": ""},
    ]
    assert [row.line for row in brought.rows["observations"]] == [4, 5]


def test_the_five_entities_and_character_references_are_read() -> None:
    raw = xml_bytes(ROWS).replace(b"one open", b"&lt;&amp;&gt;&quot;&apos;&#233;<![CDATA[<x>]]>")
    assert fields(bring(raw, "observations.xml"))[0]["statement"] == "three crates, <&>\"'\u00e9<x>"


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE observations>",
        '<!DOCTYPE observations SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE observations [<!ENTITY a "b">]>',
        '<!DOCTYPE observations [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE observations [<!ENTITY % a SYSTEM "http://example.org/x"> %a;]>',
    ],
)
def test_a_document_type_is_refused(doctype: str) -> None:
    raw = doctype.encode() + ATTRIBUTES.replace(b'"x"', b'"&a;"')
    assert "document type (DOCTYPE)" in wrong(raw, "observations.xml")


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"<observations><o><id><deep/></id></o></observations>", "more than a row and its columns"),
        (b'<observations x="1"/>', "more than a row and its columns"),
        (b'<observations><o><id x="1">a</id></o></observations>', "more than a row and its columns"),
        (b"<observations>text</observations>", "text outside of any column"),
        (b"<observations><o>text</o></observations>", "text outside of any column"),
        (b"<observations><o><id/>tail</o></observations>", "text outside of any column"),
        (b"<observations><o><id/><id/></o></observations>", "'id' twice in a row"),
        (b'<observations><o id="1"><id/></o></observations>', "'id' twice in a row"),
        (b'<observations><o id="1" id="2"/></observations>', "not XML: duplicate attribute"),
        (b"<?run me?><observations/>", "processing instruction, 'run'"),
        (b"<observations><o>&nbsp;</o></observations>", "not XML: undefined entity"),
        (b"<observations><o></observations>", "not XML: mismatched tag"),
        (b"<observations>", "not XML"),
        (b"<observations/><observations/>", "not XML: junk after document element"),
        (b"<observations><o><id>&#0;</id></o></observations>", "not XML"),
        (b"\xef\xbb\xbf<observations/>", "byte-order mark"),
        (b"\xff\xfe<\0", "byte-order mark"),
        (b"<observations>\xe9</observations>", "not UTF-8"),
    ],
)
def test_what_is_refused(raw: bytes, what: str) -> None:
    assert what in wrong(raw, "observations.xml")


def test_another_encoding_is_told_before_it_is_read_wrongly() -> None:
    assert "encoding is 'latin-1'" in wrong(b'<?xml version="1.0" encoding="latin-1"?>' + ATTRIBUTES, "observations.xml")


def test_depth_columns_and_fields_are_limited() -> None:
    assert wrong(b"<observations>" * 100_000, "observations.xml")
    many = b"<observations><o>" + b"".join(b"<c%d/>" % n for n in range(200)) + b"</o></observations>"
    assert "over 100 columns" in wrong(many, "observations.xml")
    assert "a field of over 10 characters" in wrong(xml_bytes(ROWS), "observations.xml", Limits(field=10))
