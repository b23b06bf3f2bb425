"""What is around the text: the instruments known, changes that wait, conflicts, and changes that were undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallybook.agreement.amendment import Change, Target
from tallybook.codify.articles import defined_here
from tallybook.codify.code import Article, Clash, InstrumentEntry, Undone, Waiting
from tallybook.codify.history import History
from tallybook.codify.wording import known_instrument, listed, local, party
from tallybook.verdicts.inquiry import Inquiry


def instruments(inquiry: Inquiry, history: History, shown: tuple[Article, ...]) -> tuple[InstrumentEntry, ...]:
    """Every instrument known by then, in the order of their making."""
    applied = [history.changes[address] for address in inquiry.in_force.applied]
    out = []
    for name, it in inquiry.agreement.instruments.items():
        if not known_instrument(inquiry, name):
            continue
        own = [c for c in applied if c.in_ == name]
        out.append(
            InstrumentEntry(
                id=name,
                name=it.name,
                made=it.made or "",
                by=party(inquiry.agreement, it.by) if it.by else "",
                to=tuple(party(inquiry.agreement, addressee) for addressee in it.to),
                in_hand=it.in_hand,
                standing=_standing(inquiry, name),
                says=defined_here(name, shown),
                changed=tuple(history.about(c.address).text for c in own),
                amended_by=tuple(_amending(applied, shown, name)),
                note=it.note if _note_is_known(inquiry, name) else "",
                at=local(inquiry, inquiry.read(it.made).last) if it.made else None,
            )
        )
    return tuple(sorted(out, key=lambda entry: (entry.at is None, entry.at and entry.at.timestamp())))


def _note_is_known(inquiry: Inquiry, name: str) -> bool:
    """Whether what is remarked of an instrument may be shown: a remark has no date of its own.

    Of a text that is not in hand something is known only from elsewhere: from where it was read, from the rows that record
    its changes, or from a text in hand that is no older.
    """
    it = inquiry.agreement.instruments[name]
    if it.in_hand == "whole":
        return True
    if it.read_in is not None:
        return known_instrument(inquiry, it.read_in)
    own = [c for c in inquiry.agreement.changes if c.in_ == name]
    if own:
        return all(inquiry.is_known(c) for c in own)
    made = inquiry.read(it.made).last if it.made else None
    others = inquiry.agreement.instruments.items()
    later = (
        o for o, other in others if other.in_hand == "whole" and other.made and made and inquiry.read(other.made).last >= made
    )
    return any(known_instrument(inquiry, other) for other in later)


def _standing(inquiry: Inquiry, name: str) -> str:
    it = inquiry.agreement.instruments[name]
    if it.in_hand == "whole":
        return f"in hand, whole ({it.file})"
    return f"{_absent(inquiry, name)}{_described(inquiry, it.recorded_by)}"


def _described(inquiry: Inquiry, rows: Sequence[str]) -> str:
    """What reports say of a text that is not in hand: their words, and never its own."""
    known = [inquiry.view.reports[row] for row in rows if row in inquiry.view.reports]
    return "".join(f"; described by {report.id}: “{report.statement}”" for report in known)


def _absent(inquiry: Inquiry, name: str) -> str:
    it = inquiry.agreement.instruments[name]
    read_in = it.read_in or ""
    if it.in_hand == "quoted":
        return f"not in hand; words of it are quoted in {read_in}" if known_instrument(inquiry, read_in) else "not in hand"
    if it.in_hand == "described":
        return f"not in hand; described in {read_in}" if known_instrument(inquiry, read_in) else "not in hand"
    rows = dict.fromkeys(row for c in inquiry.agreement.changes if c.in_ == name and inquiry.is_known(c) for row in c.recorded_by)
    if rows:
        return f"not in hand; known from {listed(rows)}"
    return "not in hand" if it.recorded_by else "not in hand; what it says is not known here"


_PUTS_IN = frozenset({"add", "insert", "replace", "correct", "restate"})


def _amending(applied: list[Change], shown: tuple[Article, ...], name: str) -> Iterator[str]:
    """The changes by other instruments to an instrument, or to what it provides or had put in before them.

    A reading that rivals another amends nothing.
    """
    articles = {article.id for article in shown if article.instrument == name or _quotes_alone(article, name)}
    addresses: set[str] = set()
    put_in: set[Target] = set()
    for change in applied:
        aim = change.aim
        if change.in_ == name:
            addresses.add(change.address)
            if change.op in _PUTS_IN:
                put_in.add(aim)
            continue
        if change.op == "interpret":
            continue
        around = (Target(aim.name, aim.n, aim.path[:length]) for length in range(len(aim.path) + 1))
        own = aim.n is None and aim.name in {*articles, name}
        if aim.address in addresses or own or any(outer in put_in for outer in around):
            yield change.address


def _quotes_alone(article: Article, name: str) -> bool:
    """Whether a provision without an instrument of its own is quoted from this one and from no other."""
    return not article.instrument and {quotation.instrument for quotation in article.quotations} == {name}


def waiting(inquiry: Inquiry, history: History) -> tuple[Waiting, ...]:
    """Changes known that have no effect: not commenced, suspended themselves, or never to commence."""
    done = set(inquiry.in_force.applied) | {a for c in inquiry.in_force.conflicts for a in c.changes}
    undone = {entry.change for entry in undone_changes(inquiry, history)}
    gone = {history.changes[a].target.lstrip("@"): a for a in inquiry.in_force.applied if history.changes[a].op == "repeal"}
    held = {history.changes[a].aim.address: a for a in inquiry.in_force.applied if history.changes[a].op == "suspend"}
    out = []
    for address, change in history.changes.items():
        if address in done or address in undone:
            continue
        text = history.about(address).text
        start = history.start(address)
        if address in held:
            out.append(Waiting(address, text, f"suspended by {held[address]}", "suspended"))
        elif change.in_ in gone and (start is None or start > inquiry.on):
            what = f"{change.in_} was repealed by {gone[change.in_]} before it took effect"
            out.append(Waiting(address, text, what, "never"))
        else:
            out.append(Waiting(address, text, history.waits_for(address)))
    return tuple(out)


def undone_changes(inquiry: Inquiry, history: History) -> tuple[Undone, ...]:
    """Changes that another change, in effect, repeals."""
    out = []
    for by in inquiry.in_force.applied:
        change = history.changes[by]
        address = change.aim.address
        if change.op == "repeal" and address is not None and not change.aim.path and address in history.changes:
            told = history.undone(address, by) or f"change {address} is undone: {history.about(by).text}"
            out.append(Undone(address, by, told))
    return tuple(out)


def clashes(inquiry: Inquiry) -> tuple[Clash, ...]:
    """Changes of equal rank to one target."""
    return tuple(
        Clash(
            c.target, c.changes, f"{listed(c.changes)} change {c.target} with equal rank and differ, so none of them is applied"
        )
        for c in inquiry.in_force.conflicts
    )
