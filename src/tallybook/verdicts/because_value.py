"""Why a definition has its value: its cases, and the exceptions that give another or take it away."""

from __future__ import annotations

from typing import Any

from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Exception_, InCase
from tallybook.commitments.exceptions import _plain as plain
from tallybook.commitments.exceptions import applies, exceptions_to, shown, value_of
from tallybook.core.explanation import Because
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.on_record import Path, because


def considered(inquiry: Inquiry, definition: Definition) -> list[Definition | Exception_]:
    """A definition, the exceptions to it, those to them, and so on outwards."""
    found: list[Definition | Exception_] = [definition]
    seen = {definition.id}
    for one in found:
        unless = one.unless if isinstance(one, Exception_) else ()
        more = [e for e in exceptions_to(inquiry, one.id, unless) if e.id not in seen]
        seen |= {e.id for e in more}
        found += more
    return found


def value_step(inquiry: Inquiry, definition: Definition, path: Path) -> Because:
    """What a definition comes to. Cases that do not hold are folded."""
    valued = value_of(inquiry, definition)
    children: list[Because] = []
    for one in considered(inquiry, definition):
        children += [step for n, case in enumerate(one.cases) if (step := _case(inquiry, one, n, case, path)) is not None]
        if isinstance(one, Exception_) and not one.cases:
            children.append(exception_step(inquiry, one, path))
    facts: dict[str, Any] = {
        "definition": definition.id,
        "value": valued.value,
        "values": [[value, list(by)] for value, by in valued.values.items()],
        "undecided": list(valued.unsettled),
        "conflict": valued.conflict,
    }
    told = "; ".join(f"{shown(value)} by {', '.join(by)}" for value, by in valued.values.items()) or "no rule applies"
    says = f"The value of @{definition.id}: {'conflict: ' if valued.conflict else ''}{told}."
    if valued.unsettled:
        says += f" Undecided: {'; '.join(valued.unsettled)}."
    if children:
        return Because("value-of", says, tuple(children), facts=facts)
    return Because("value-of", says, quote=definition.id, instrument=AGREEMENT, facts=facts)


def _case(inquiry: Inquiry, one: Definition | Exception_, n: int, case: InCase, path: Path) -> Because | None:
    texts = [text for text in (getattr(one, "when", None), case.when) if text]
    truths = [condition(text)(inquiry, inquiry.on).truth.value for text in texts]
    if "false" in truths:
        return None
    truth = "unknown" if "unknown" in truths else "true"
    facts = {"provision": one.id, "case": n, "is": plain(case), "truth": truth}
    says = f"@{one.id} gives {shown(plain(case))}: {truth}."
    children = tuple(because(inquiry, text, inquiry.on, path) for text in texts)
    if children:
        return Because("case", says, children, facts=facts)
    return Because("case", says, quote=one.id, instrument=AGREEMENT, facts=facts)


def exception_step(inquiry: Inquiry, one: Exception_, path: Path) -> Because:
    """An exception with its condition; exceptions to it are folded into their truths."""
    others = [e for e in exceptions_to(inquiry, one.id, one.unless) if e.id != one.id]
    truths = [[e.id, applies(inquiry, e, frozenset({one.id})).value] for e in others]
    truth = applies(inquiry, one).value
    facts = {"exception": one.id, "applies": truth, "exceptions": truths}
    says = f"Whether @{one.id} applies is {truth}."
    if one.when:
        return Because("exception", says, (because(inquiry, one.when, inquiry.on, path),), facts=facts)
    return Because("exception", says, quote=one.id, instrument=AGREEMENT, facts=facts)
