"""The metadata of a code in Akoma Ntoso: FRBR, lifecycle, modifications, times, references and notes."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree as ET

from tallybook.agreement.amendment import AKOMA_NTOSO
from tallybook.codify.akn_names import Names, ontology, safe, token, work_of
from tallybook.codify.code import Code, HistoryLine

_EDITOR = "#tallybook"


def metadata(code: Code, names: Names, made_by: str) -> ET.Element:
    """The `meta` element."""
    meta = ET.Element("meta")
    meta.append(_identification(code, names))
    events = _Events(code, names)
    meta.append(events.lifecycle())
    analysis = _analysis(code, names, events)
    if analysis is not None:
        meta.append(analysis)
    if code.articles:
        meta.append(_times(code, names, events))
    meta.append(_references(code, names, made_by))
    notes = _notes(code, names)
    if notes is not None:
        meta.append(notes)
    return meta


def _identification(code: Code, names: Names) -> ET.Element:
    out = ET.Element("identification", source=_EDITOR)
    on, known = code.on[:10], code.known[:10]
    work = _frbr(out, "FRBRWork", f"{names.work}/!main", names.work, [(names.date, "Generation")])
    ET.SubElement(work, "FRBRcountry", value="zz")
    ET.SubElement(work, "FRBRsubtype", value="agreement")
    ET.SubElement(work, "FRBRnumber", value=token(code.id))
    ET.SubElement(work, "FRBRname", value=safe(code.title))
    ET.SubElement(work, "FRBRprescriptive", value="false")
    ET.SubElement(work, "FRBRauthoritative", value="false")
    dates = [(on, "in-force-on"), (known, "known-by")]
    expression = _frbr(out, "FRBRExpression", f"{names.expression}/!main", names.expression, dates)
    ET.SubElement(expression, "FRBRlanguage", language="eng")
    manifestation = _frbr(
        out, "FRBRManifestation", f"{names.expression}/!main.xml", f"{names.expression}.xml", [(on, "Generation")]
    )
    ET.SubElement(manifestation, "FRBRformat", value="application/akn+xml")
    return out


def _frbr(out: ET.Element, level: str, this: str, uri: str, dates: list[tuple[str, str]]) -> ET.Element:
    element = ET.SubElement(out, level)
    ET.SubElement(element, "FRBRthis", value=this)
    ET.SubElement(element, "FRBRuri", value=uri)
    for date, name in dates:
        ET.SubElement(element, "FRBRdate", date=date, name=name)
    ET.SubElement(element, "FRBRauthor", href=_EDITOR)
    return element


class _Events:
    """What happened to the text: instruments made, and the days on which changes took effect."""

    def __init__(self, code: Code, names: Names) -> None:
        self._code, self._names = code, names
        self._rows: dict[tuple[str, str], ET.Element] = {}
        for entry in code.instruments:
            if entry.at is not None:
                kind = "generation" if entry.says else "amendment" if entry.changed else "generation"
                self._event(entry.at, entry.id, kind)
        for line in code.changes:
            if line.at is not None:
                self._event(line.at, line.instrument, "repeal" if line.op == "repeal" and not line.path else "amendment")
        for article in code.articles:
            if article.status.since is not None:
                self._event(article.status.since, article.instrument, "generation")
        if not self._rows:
            self._event(None, "", "generation")

    def _event(self, at: datetime | None, instrument: str, kind: str) -> str:
        day = at.date().isoformat() if at is not None else self._code.on[:10]
        if (day, instrument) not in self._rows:
            known = any(entry.id == instrument for entry in self._code.instruments)
            source = f"#{self._names.reference(instrument)}" if known else "#ro_original"
            eid = self._names.free(f"event_{day}" + (f"_{token(instrument)}" if instrument else ""))
            self._rows[day, instrument] = ET.Element("eventRef", eId=eid, date=day, source=source, type=kind)
        return self._rows[day, instrument].attrib["eId"]

    def of(self, at: datetime | None, instrument: str) -> str | None:
        """The event of an instrument on a day, or None."""
        if at is None:
            return None
        found = self._rows.get((at.date().isoformat(), instrument))
        return found.attrib["eId"] if found is not None else None

    def first(self) -> str:
        """The earliest event."""
        return min(self._rows.values(), key=lambda row: row.attrib["date"]).attrib["eId"]

    def lifecycle(self) -> ET.Element:
        """All of them, oldest first."""
        out = ET.Element("lifecycle", source=_EDITOR)
        out.extend(sorted(self._rows.values(), key=lambda row: (row.attrib["date"], row.attrib["eId"])))
        return out


def _analysis(code: Code, names: Names, events: _Events) -> ET.Element | None:
    """Changes of the text are passive modifications; those that instruments of the code made to other changes are active."""
    passive, active = ET.Element("passiveModifications"), ET.Element("activeModifications")
    done: set[tuple[str, str]] = set()
    for article in code.articles:
        for line in article.history:
            destination = names.of_path(article.id, line.path)
            if (line.change, destination) not in done:
                done.add((line.change, destination))
                passive.append(_modification(line, f"#{destination}", names, events, "pmod"))
    told = {change for change, _ in done}
    for line in code.changes:
        if line.change not in told:
            active.append(_modification(line, f"{work_of(names, line.instrument)}#{token(line.change)}", names, events, "amod"))
    if not len(passive) and not len(active):
        return None
    out = ET.Element("analysis", source=_EDITOR)
    out.extend(group for group in (active, passive) if len(group))
    return out


def _modification(line: HistoryLine, destination: str, names: Names, events: _Events, prefix: str) -> ET.Element:
    element, kind = AKOMA_NTOSO[line.op]
    eid = names.free(f"{prefix}_{token(line.change)}")
    out = ET.Element(element, eId=eid, type=kind)
    change = line.change.rpartition("#")[2]
    ET.SubElement(out, "source", eId=f"{eid}__source", href=f"{work_of(names, line.instrument)}#change_{change}")
    ET.SubElement(out, "destination", eId=f"{eid}__destination", href=destination)
    event = events.of(line.at, line.instrument)
    if event is not None:
        out.append(ET.Element("force", eId=f"{eid}__force", period=f"#{_modified(event)}"))
    return out


def _modified(event: str) -> str:
    return f"tg_{event}"


def _times(code: Code, names: Names, events: _Events) -> ET.Element:
    """When each article has been in force, and since when each change has been."""
    out = ET.Element("temporalData", source=_EDITOR)
    for article in code.articles:
        group = ET.SubElement(out, "temporalGroup", eId=names.group(article.id))
        start = events.of(article.status.since, article.instrument) or events.first()
        interval = {"start": f"#{start}", "refersTo": "#in-force"}
        gone = next((line for line in article.history if line.change == article.repealed_by), None)
        end = events.of(gone.at, gone.instrument) if gone is not None else None
        if end is not None:
            interval["end"] = f"#{end}"
        ET.SubElement(group, "timeInterval", interval)
    used = dict.fromkeys(e for line in code.changes if (e := events.of(line.at, line.instrument)) is not None)
    for event in used:
        group = ET.SubElement(out, "temporalGroup", eId=_modified(event))
        ET.SubElement(group, "timeInterval", {"start": f"#{event}", "refersTo": "#in-force"})
    return out


def _references(code: Code, names: Names, made_by: str) -> ET.Element:
    out = ET.Element("references", source=_EDITOR)
    ET.SubElement(out, "original", eId="ro_original", href=names.work, showAs=safe(code.title))
    for entry in code.instruments:
        tag = "passiveRef" if entry.changed else "activeRef"
        href = names.works[entry.id]
        ET.SubElement(out, tag, eId=names.reference(entry.id), href=href, showAs=safe(f"{entry.name} ({entry.standing})"))
    ET.SubElement(out, "TLCOrganization", eId="tallybook", href=ontology("organization", "tallybook"), showAs=safe(made_by))
    for name, told in code.parties.items():
        eid = f"party_{token(name)}"
        ET.SubElement(out, "TLCOrganization", eId=eid, href=ontology("organization", name), showAs=safe(told))
    ET.SubElement(out, "TLCConcept", eId="in-force", href=ontology("concept", "in-force"), showAs="in force")
    return out


def _notes(code: Code, names: Names) -> ET.Element | None:
    """The status and history of every article, and what waits, conflicts or was undone."""
    out = ET.Element("notes", source=_EDITOR)
    for article in code.articles:
        base = names.of(article.id)
        _note(out, names, base, f"note_{base}__status", f"Status: {article.status.text} [@{article.id}]")
        for line in article.history:
            where = names.of_path(article.id, line.path)
            _note(out, names, where, f"note_{where}", f"{line.text} [{line.change}]")
    around = [f"Not in force yet: {w.text}: {w.waits_for}" for w in code.waiting]
    around += [f"Conflict: {c.text}" for c in code.conflicts] + [f"Undone: {u.text}" for u in code.undone]
    for text in around:
        _note(out, names, "body", "note_body", text)
    return out if len(out) else None


def _note(out: ET.Element, names: Names, base: str, wanted: str, text: str) -> None:
    eid = names.free(wanted)
    note = ET.SubElement(out, "note", eId=eid, placementBase=f"#{base}")
    ET.SubElement(note, "p", eId=f"{eid}__p").text = safe(text)
