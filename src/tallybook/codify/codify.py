"""From a question to the code of guidance."""

from __future__ import annotations

from tallybook.codify.articles import articles
from tallybook.codify.code import Code
from tallybook.codify.history import History
from tallybook.codify.instruments import clashes, instruments, undone_changes, waiting
from tallybook.codify.wording import party
from tallybook.verdicts.inquiry import Inquiry


def codify(inquiry: Inquiry) -> Code:
    """The consolidated agreement as it stands at `on`, on what was known by `known`, under one reading.

    Nothing known later is in it. Notes of the desk on provisions, changes and rows carry no date, and are left out. Raises
    ChangeError where a change does not fit its target, and pydantic's ValidationError where one spoils a provision's form.
    """
    history = History(inquiry)
    shown = articles(inquiry, history)
    agreement, question = inquiry.agreement, inquiry.question
    return Code(
        id=agreement.agreement,
        case=inquiry.case.name,
        title=agreement.title,
        on=inquiry.show(question.on),
        known=inquiry.show(question.known),
        reading=question.reading,
        articles=shown,
        instruments=instruments(inquiry, history, shown),
        waiting=waiting(inquiry, history),
        conflicts=clashes(inquiry),
        undone=undone_changes(inquiry, history),
        changes=tuple(history.about(address) for address in inquiry.in_force.applied),
        parties={name: party(agreement, name) for name in agreement.parties},
        known_changes=frozenset(history.changes),
    )
