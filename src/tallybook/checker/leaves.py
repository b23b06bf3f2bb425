"""The leaves of conditions, re-applied: what a status, a value or an event rests on, row by row."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from tallybook.checker.accounts import is_number
from tallybook.checker.changes import CannotTellError
from tallybook.checker.evaluate import Facts, has_value
from tallybook.checker.exhibits import check_exhibit
from tallybook.checker.parse import Part, Scope, bound
from tallybook.checker.provisions import AGREEMENT, quotation_fault
from tallybook.checker.tables import TRUTHS, negation
from tallybook.checker.walk import Complaints, Step

if TYPE_CHECKING:
    from tallybook.checker.conditions import ConditionBook


def check_status(book: ConditionBook, step: Step, part: Part, at: datetime, _scope: Scope) -> str:
    """A status: the truth follows from what the provision or claim is, worked out anew; a definition's from its condition."""
    word, reference = part.given
    stands = step.facts.get("stands")
    book.expect_facts(step, word=word, reference=reference, stands=stands)
    told = [s for s in stands if isinstance(s, str)] if isinstance(stands, list) else []
    book.says(step, f": {reference} is {', '.join(told)}" if told else f": {step.facts.get('condition')}")
    text = _holds_when(book, reference, at)
    behind = book.behind(text) if text is not None else None
    if behind is not None:
        if len(step.children) != 1:
            book.out.add(step, "steps below", 1, len(step.children))
            return "unknown"
        held = behind.check(step.children[0], at)
        if word in ("in-force", "verified", "supported"):
            return held
        return negation(held) if word in ("contradicted", "unverified") else "unknown"
    if book.world is not None and text is None:
        _below_status(book, step, word, reference, at)
        try:
            truth, expected = book.world.stands(word, reference, at)
        except CannotTellError:
            pass
        else:
            book.out.expect(step, "stands", expected or [], stands)
            return truth
    wanted = word.replace("-", " ")
    if not told or told[0] in (*TRUTHS, "True", "False"):
        return str(step.facts.get("truth"))
    return "true" if (told[0] != "verified" if wanted == "unverified" else wanted in told) else "false"


def _below_status(book: ConditionBook, step: Step, word: str, reference: str, at: datetime) -> None:
    """Below a status stands the life of the provision, or the verdict; nothing where it was told further out already."""
    from tallybook.checker.below import below_status

    assert book.world is not None
    below_status(book, step, book.world.at(at), word, reference.removeprefix("@").split(".")[0])


def _holds_when(book: ConditionBook, reference: str, at: datetime) -> str | None:
    if book.record is None:
        return None
    provisions = book.world.at(at).provisions if book.world is not None else book.record.provisions
    try:
        provision = provisions.get(reference.lstrip("@").split(".")[0])
    except CannotTellError:
        return None
    if provision is None or provision.get("kind") != "definition" or not provisions.is_enacted(provision):
        return None
    return str(provision["holds_when"]) if provision.get("holds_when") else None


def check_value(book: ConditionBook, step: Step, part: Part, at: datetime, _scope: Scope) -> str:
    """A value: what the definition comes to, worked out anew, and what follows from it."""
    reference, sign, wanted = part.given
    value = step.facts.get("value")
    book.expect_facts(step, reference=reference, value=value)
    if book.world is None:
        book.below(step, [])
    else:
        from tallybook.checker.below import below_value

        below_value(book, step, book.world.at(at), reference.removeprefix("@"))
        with suppress(CannotTellError):
            book.out.expect(step, "value", book.world.has_value(reference, at), value)
    if value is None:
        book.says(step, f": the value of {reference} is not settled")
        return "unknown"
    text = f"{value:g}" if is_number(value) else str(value).lower()
    book.says(step, f": the value of {reference} is {text if is_number(value) or isinstance(value, bool) else value}")
    return has_value(value if isinstance(value, str | int | float) else str(value), sign, wanted)


def check_fact(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> str:
    """An event or state: just the rows and quotations that say so on record, or the condition by which it holds."""
    atom = bound(part, scope)
    book.expect_facts(step, atom=atom)
    found = _condition_told(book, step, part, scope)
    if found is not None:
        book.says(step, f": {atom}, which holds when {found.text}")
        if len(step.children) != 1 or step.rule != "fact":
            book.out.add(step, "steps below", "the condition by which it holds", len(step.children))
            return "unknown"
        told = found.check(step.children[0], at, _scope_of(book, part, scope, found.text))
        book.out.expect(step, "truth of the condition", step.facts.get("truth"), told)
        return _held(book, part, at, scope, told)
    quotes = [leaf.quote[1] if leaf.quote[0] == AGREEMENT else leaf.quote[0] for leaf in step.children or [step]]
    sources = dict.fromkeys(leaf.report or quote for leaf, quote in zip(step.children or [step], quotes, strict=True))
    book.says(step, f": {atom}, by {', '.join(sources)}" if step.rule == "fact" else f": nothing on record says {atom}")
    if book.record is None:
        return str(step.facts.get("truth"))
    check_sources(book, step, part, at, scope)
    return _held(book, part, at, scope, str(step.facts.get("truth")))


def _held(book: ConditionBook, part: Part, at: datetime, scope: Scope, given: str) -> str:
    """Whether an event holds; as given where it waits for a verdict that nothing tells."""
    if book.record is None:
        return given
    try:
        return book.record.holds(part, at, scope)
    except CannotTellError:
        return given


def _condition_told(book: ConditionBook, step: Step, part: Part, scope: Scope) -> ConditionBook | None:
    """The condition that the step says an event rests on, where it is one by which the event holds."""
    record = book.record
    texts = [str(raw["when"]) for raw, _ in record.grounds(part, scope) if raw.get("when")] if record is not None else []
    told = next((text for text in texts if step.says.endswith(f", which holds when {text}.")), None)
    return book.behind(told) if told is not None else None


def _scope_of(book: ConditionBook, part: Part, scope: Scope, text: str) -> Scope:
    assert book.record is not None
    return next(matched for raw, matched in book.record.grounds(part, scope) if raw.get("when") == text)


def check_sources(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> None:
    """What a fact rests on: just the rows and quotations that say so on record."""
    record = book.record
    if record is None:
        return
    if step.rule == "amount":
        expected = [s for f in record.on_record.get(bound(part, scope), ()) if f.says(at) == "true" for s in f.sources]
    else:
        expected = _recorded(record, part, at, scope)
    leaves = step.children or [step]
    own = not step.children and step.quote == (AGREEMENT, step.facts.get("condition"))
    found = [] if own else [("report", leaf.report) if leaf.report else leaf.quote for leaf in leaves]
    book.out.expect(step, "what records it", sorted(set(expected)), sorted(found))
    book.out.expect(step, "rule", ("fact" if expected else "not-on-record") if step.rule != "amount" else "amount", step.rule)
    for leaf in leaves:
        check_leaf(leaf, record, book.out)
    for leaf in step.children:
        instrument, quote = leaf.quote
        book.out.expect(leaf, "rule", "recorded" if leaf.report else "quotation", leaf.rule)
        book.out.facts(leaf, {})
        book.out.says(leaf, f"Recorded by {leaf.report}." if leaf.report else f'{instrument}: "{quote}"')


def _recorded(record: Facts, part: Part, at: datetime, scope: Scope) -> list[tuple[str, str]]:
    truth = record.recorded(part, at, scope)
    facts = record.on_record.get(bound(part, scope), ())
    found = [source for fact in facts if fact.says(at) == truth and fact.starts.first <= at for source in fact.sources]
    for raw, _ in record.grounds(part, scope):
        row = record.measure(str(raw.get("measure")), at) if raw.get("measure") else None
        states = raw.get("states")
        held = row is not None and record.state(row, at) in ([states] if isinstance(states, str) else states or [])
        if row is not None and ("true" if held else "false") == truth:
            found.append(("report", row.id))
    return found


def check_leaf(step: Step, record: Facts, out: Complaints) -> None:
    """A leaf's row is on file and was known; its file is what its name says; its quotation stands in its source."""
    if step.exhibit:
        check_exhibit(step, record.file, out)
    elif step.report:
        if step.report not in record.file.rows:
            out.add(step, "report", "a row on file and known by then", step.report)
    else:
        instrument, quote = step.quote
        if fault := quotation_fault(record.file, instrument, quote):
            out.add(step, "quote", "words of the instrument", f"{fault}: {quote}")
