"""The articles of the code: every provision that stands or stood, in the order of the text, each with its sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tallybook.agreement.provision import Definition, Duty, Exception_, Norm, Power, Proof, method_names
from tallybook.codify.code import Article, PartText, Quotation, Sentence, Verbatim
from tallybook.codify.history import History, quotations
from tallybook.codify.meaning import meaning
from tallybook.codify.status import status_of
from tallybook.codify.wording import flat, listed, sentence
from tallybook.commitments.exceptions import exceptions_to
from tallybook.verdicts.inquiry import PLAIN, Inquiry

_NOT_MEANING = {"id", "unit", "number", "heading", "text", "parts", "note", "because", "interpretations"}
_QUOTED = ("text", "because", "note")
_ABSENT = ("none", "described")


def articles(inquiry: Inquiry, history: History) -> tuple[Article, ...]:
    """Every provision that was known and made, those repealed included, in the order of the text."""
    shown = _shown(inquiry)
    return tuple(_article(inquiry, history, p) for p in inquiry.in_force.provisions.values() if p.id in shown)


def _shown(inquiry: Inquiry) -> set[str]:
    """The provisions that have a source that was known, and those that such a one names.

    A provision of no instrument whose words all come from instruments not yet known, and a method of proof with no source
    at all, wait until something that has a source names them: nothing later shows through them.
    """
    enacted = {p.id: p for p in inquiry.in_force.provisions.values() if inquiry.enacted(p)}
    shown = {name for name, p in enacted.items() if _has_source(inquiry, p)}
    queue = list(shown)
    while queue:
        for name in _named_by(enacted[queue.pop()]):
            if name in enacted and name not in shown:
                shown.add(name)
                queue.append(name)
    return shown


def _has_source(inquiry: Inquiry, provision: Any) -> bool:
    if provision.in_instrument is not None or provision.id in inquiry.in_force.since:
        return True
    if provision.text:
        return bool(inquiry.quotes(provision.text))
    return not (isinstance(provision, Proof) and not provision.for_)


def _named_by(provision: Any) -> Iterator[str]:
    if isinstance(provision, Proof):
        yield from method_names(provision.methods)
        yield from provision.includes
    if isinstance(provision, Duty):
        yield from (name.lstrip("@") for name in (provision.proof, *provision.unless) if name)
        yield from (provision.covers,) if provision.covers else ()
    if isinstance(provision, Exception_):
        yield from (name.lstrip("@") for name in provision.unless)


def _article(inquiry: Inquiry, history: History, provision: Any) -> Article:
    name = provision.id
    repealed = inquiry.in_force.repealed.get(name, "")
    lines = tuple(history.line(note, provision) for note in inquiry.in_force.notes.get(name, ()))
    notes = inquiry.in_force.notes.get(name, ())
    return Article(
        id=name,
        kind=provision.kind,
        unit=provision.unit,
        number=provision.number,
        heading=provision.heading,
        instrument=provision.in_instrument or "",
        quotations=() if repealed else tuple(_quoted(inquiry, provision)),
        parts=() if repealed else tuple(_part(inquiry, part) for part in provision.parts),
        meaning=() if repealed else meaning(inquiry, provision),
        status=status_of(inquiry, provision),
        vague=() if repealed or _is_ruled(inquiry, name) else _vague(provision),
        open="" if repealed else _open(provision),
        readings=() if repealed else tuple(_readings(inquiry, provision)),
        exceptions=() if repealed else tuple(_exceptions(inquiry, provision)),
        history=lines,
        fields={} if repealed else dict(_fields(provision)),
        repealed_by=repealed,
        not_in_hand=_not_in_hand(inquiry, provision, [line.instrument for line in lines]),
        earlier=tuple(dict.fromkeys(note.formerly for note in notes if note.formerly)),
    )


def _quoted(inquiry: Inquiry, provision: Any) -> Iterator[Quotation]:
    """Every quotation of a provision: its words, what it rests on, and the words of its steps and entries."""
    yield from quotations(inquiry, provision.text)
    yield from quotations(inquiry, provision.because, "because")
    if isinstance(provision, Definition):
        yield from quotations(inquiry, provision.covers, "covers")
        for entry in provision.includes:
            yield from quotations(inquiry, entry.text, entry.item)
            yield from quotations(inquiry, entry.because, f"{entry.item}, because")
    if isinstance(provision, Duty):
        for step in provision.steps:
            yield from quotations(inquiry, step.text, f"step {step.id}")
    must_use = getattr(provision, "must_use", None)
    if must_use is not None:
        yield from quotations(inquiry, must_use.text, "must be used")


def _part(inquiry: Inquiry, part: Any) -> PartText:
    gone = bool(part.repealed_by)
    return PartText(
        part.id,
        part.unit,
        part.number,
        part.heading,
        () if gone else quotations(inquiry, part.text),
        () if gone else tuple(_part(inquiry, inner) for inner in part.parts),
        part.repealed_by,
    )


def _is_ruled(inquiry: Inquiry, name: str) -> bool:
    """Whether a named person has ruled on the meaning of a provision; until then its vague words stay marked."""
    applied = set(inquiry.in_force.applied)
    changes = (c for c in inquiry.agreement.changes if c.address in applied and c.ruling is not None)
    return any(c.aim.n is None and c.aim.name == name for c in changes)


def _vague(provision: Any) -> tuple[str, ...]:
    words = list(provision.vague)
    limits = [getattr(provision, "within", None)]
    if isinstance(provision, Power) and provision.effect is not None:
        limits.append(provision.effect.at_most)
    words += [it.vague for it in limits if it is not None and it.vague]
    return tuple(dict.fromkeys(words))


def _open(provision: Any) -> str:
    if isinstance(provision.open, str):
        return provision.open
    if not provision.open:
        return ""
    return "it may cover more than it lists" if isinstance(provision, Definition) else "its terms are not settled"


def _readings(inquiry: Inquiry, provision: Any) -> Iterator[Sentence]:
    """Under whose reading it stands, and what named readings add or take away."""
    source = f"@{provision.id}"
    if provision.reading:
        yield sentence(source, f"this is how the reading {_reading(inquiry, provision.reading)} has it")
    asked = inquiry.question.reading
    by = {line.change: line for line in _interpreting(inquiry, provision)}
    if isinstance(provision, Definition):
        for entry in provision.interpretations:
            if asked in (PLAIN, entry.reading):
                told = [f"counts {listed(entry.includes)}"] if entry.includes else []
                told += [f"leaves out {listed(entry.excludes)}"] if entry.excludes else []
                where = next((name for name, line in by.items() if line.reading == entry.reading), source)
                yield sentence(where, f"the reading {_reading(inquiry, entry.reading)} {listed(told)}")
    elif isinstance(provision, Norm):
        for given in provision.interpretations:
            if asked in (PLAIN, given["reading"]):
                where = next((name for name, line in by.items() if line.reading == given["reading"]), source)
                keys: list[str | Verbatim] = []
                for key, value in given.items():
                    if key not in ("reading", "text"):
                        keys += ["; " if keys else "", f"{key} is ", Verbatim(flat(value))]
                yield sentence(where, f"under the reading {_reading(inquiry, given['reading'])}, ", keys)


class _Interpreting:
    def __init__(self, change: str, reading: str | None) -> None:
        self.change, self.reading = change, reading


def _interpreting(inquiry: Inquiry, provision: Any) -> list[_Interpreting]:
    made = {note.address for note in inquiry.in_force.notes.get(provision.id, ()) if note.op == "interpret"}
    return [_Interpreting(c.address, c.reading) for c in inquiry.agreement.changes if c.address in made] if made else []


def _reading(inquiry: Inquiry, name: str) -> str:
    known = inquiry.agreement.readings.get(name)
    return f"“{name}” (of {known.by})" if known is not None and known.by else f"“{name}”"


def _exceptions(inquiry: Inquiry, provision: Any) -> Iterator[Sentence]:
    for exception in exceptions_to(inquiry, provision.id, getattr(provision, "unless", ())):
        when: tuple[str | Verbatim, ...] = (", when ", Verbatim(exception.when)) if exception.when else ()
        yield sentence(f"@{exception.id}", f"@{exception.id} lifts it", when)


def _not_in_hand(inquiry: Inquiry, provision: Any, changed_by: list[str]) -> tuple[str, ...]:
    names = dict.fromkeys([*((provision.in_instrument,) if provision.in_instrument else ()), *changed_by])
    return tuple(name for name in names if inquiry.agreement.instruments[name].in_hand in _ABSENT)


def _fields(provision: Any) -> Iterator[tuple[str, str]]:
    """The keys of a provision that give it its meaning, flattened to `key.key`, as text."""
    raw = provision.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raw["kind"] = provision.kind
    if isinstance(provision, Definition):
        raw.pop("covers", None)
    for key, value in raw.items():
        if key not in _NOT_MEANING:
            yield from _flattened(key, value)


def _flattened(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and not set(value) & {"all", "any"}:
        for key, inner in value.items():
            if key not in _QUOTED:
                yield from _flattened(f"{path}.{key}", inner)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and _name_of(item) for item in value):
        for item in value:
            name = _name_of(item)
            rest = {k: v for k, v in item.items() if v != name and k not in _QUOTED}
            yield from _flattened(f"{path}.{name}", rest or "listed")
    else:
        yield path, flat(value)


def _name_of(item: dict[str, Any]) -> str:
    return str(next((item[key] for key in ("id", "item", "to") if isinstance(item.get(key), str)), ""))


def defined_here(instrument: str, shown: tuple[Article, ...]) -> tuple[str, ...]:
    """The articles that an instrument made, or that quote it, or that it is said to hold."""
    out = []
    for article in shown:
        quoted = any(q.instrument == instrument and q.role == "words" for q in article.quotations)
        if article.instrument == instrument or quoted:
            out.append(article.id)
    return tuple(out)
