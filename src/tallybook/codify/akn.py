"""A code of guidance as Akoma Ntoso 3.0 (OASIS LegalDocML, 2018): the text, and its history for machines.

Words quoted are `embeddedText` with the URI of their instrument; our renderings are marked `status="editorial"`; provisions
and parts that were taken out are kept empty with `status="removed"`. A document of several states has no country, so the URI
has `zz`, which ISO 3166 leaves to its users. Identifiers are made as the naming convention says: `sec_12__subsec_1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from tallybook.codify.akn_meta import metadata
from tallybook.codify.akn_names import NAMESPACE, Names, safe, work_of
from tallybook.codify.code import Article, Code, PartText, Quotation, Sentence

_HIER = frozenset(
    {
        "alinea",
        "article",
        "book",
        "chapter",
        "clause",
        "division",
        "indent",
        "level",
        "list",
        "paragraph",
        "part",
        "point",
        "proviso",
        "rule",
        "section",
        "subchapter",
        "subclause",
        "subdivision",
        "sublist",
        "subparagraph",
        "subpart",
        "subrule",
        "subsection",
        "subtitle",
        "title",
        "tome",
        "transitional",
    }
)


def code_akn(code: Code, made_by: str, banner: str = "") -> str:
    """The code as an XML document. `made_by` names the engine, as in "tallybook 1.0"; `banner` is its marking."""
    names = Names(code)
    body = ET.Element("body", eId="body")
    for article in code.articles:
        body.append(_article(article, names))
    if not code.articles:
        body.append(_nothing())
    root = ET.Element("akomaNtoso", xmlns=NAMESPACE)
    act = ET.SubElement(root, "act", name="agreement", contains="singleVersion")
    act.append(metadata(code, names, made_by))
    preface = ET.SubElement(act, "preface", eId="preface")
    title = ET.SubElement(ET.SubElement(preface, "longTitle", eId="preface__longTitle"), "p")
    ET.SubElement(title, "docTitle", eId="preface__docTitle").text = safe(code.title)
    act.append(body)
    ET.indent(root, " ")
    frame = f"<!-- {safe(banner).replace('--', '- -')} -->\n" if banner else ""
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{frame}{ET.tostring(root, encoding='unicode')}\n{frame}"


def _article(article: Article, names: Names) -> ET.Element:
    eid = names.of(article.id)
    element = _hier(article.unit if article.number else article.kind, eid, numbered=bool(article.number))
    element.set("period", f"#{names.group(article.id)}")
    if article.repealed_by:
        element.set("status", "removed")
    if article.number:
        ET.SubElement(element, "num").text = safe(article.number)
    if article.heading:
        ET.SubElement(element, "heading").text = safe(article.heading)
    if article.repealed_by:
        ET.SubElement(ET.SubElement(element, "content", eId=f"{eid}__content"), "p", eId=f"{eid}__p")
        return element
    said = _said(article)
    if article.parts:
        if article.quotations:
            _paragraphs(ET.SubElement(element, "intro", eId=f"{eid}__intro"), article.quotations, (), eid, names)
        for part in article.parts:
            element.append(_part(part, article.id, (part.id,), names))
        _paragraphs(ET.SubElement(element, "wrapUp", eId=f"{eid}__wrapUp"), (), said, f"{eid}__wrapUp", names)
    else:
        _paragraphs(ET.SubElement(element, "content", eId=f"{eid}__content"), article.quotations, said, eid, names)
    return element


def _nothing() -> ET.Element:
    """The standard wants something in a body."""
    element = ET.Element("hcontainer", {"eId": "nothing", "name": "nothing", "status": "editorial"})
    content = ET.SubElement(element, "content", eId="nothing__content")
    ET.SubElement(content, "p", eId="nothing__p").text = "Nothing was agreed at that date, on what was known."
    return element


def _said(article: Article) -> tuple[Sentence, ...]:
    return (*article.meaning, *article.readings, *article.exceptions)


def _part(part: PartText, article: str, path: tuple[str, ...], names: Names) -> ET.Element:
    eid = names.of(article, path)
    element = _hier(part.unit, eid, numbered=True)
    ET.SubElement(element, "num").text = safe(part.number or part.id)
    if part.heading:
        ET.SubElement(element, "heading").text = safe(part.heading)
    if part.removed_by:
        element.set("status", "removed")
    if part.parts:
        if part.quotations:
            _paragraphs(ET.SubElement(element, "intro", eId=f"{eid}__intro"), part.quotations, (), eid, names)
        for inner in part.parts:
            element.append(_part(inner, article, (*path, inner.id), names))
        return element
    _paragraphs(ET.SubElement(element, "content", eId=f"{eid}__content"), part.quotations, (), eid, names)
    return element


def _hier(unit: str, eid: str, *, numbered: bool) -> ET.Element:
    if numbered and unit in _HIER:
        return ET.Element(unit, eId=eid)
    return ET.Element("hcontainer", name=re.sub(r"[^A-Za-z0-9_-]", "-", unit) or "provision", eId=eid)


def _paragraphs(holder: ET.Element, quotations: Iterable[Quotation], said: Iterable[Sentence], eid: str, names: Names) -> None:
    count = 0
    for quotation in quotations:
        count += 1
        p = ET.SubElement(holder, "p", eId=f"{eid}__p_{count}")
        if quotation.role != "words":
            p.set("class", re.sub(r"[^A-Za-z0-9]+", "-", quotation.role))
        href = work_of(names, quotation.instrument)
        quoted = ET.SubElement(p, "embeddedText", eId=f"{eid}__etext_{count}", startQuote="“", endQuote="”", href=href)
        quoted.text = safe(quotation.words)
        quoted.tail = " ["
        source = ET.SubElement(p, "ref", eId=f"{eid}__ref_{count}", href=href)
        source.text = safe(quotation.source)
        source.tail = "]"
    for sentence in said:
        count += 1
        p = ET.SubElement(holder, "p", {"eId": f"{eid}__p_{count}", "status": "editorial", "class": "rendering"})
        p.text = safe(f"{sentence.text} [{sentence.source}]")
    if count == 0:
        ET.SubElement(holder, "p", eId=f"{eid}__p")
