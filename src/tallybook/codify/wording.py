"""Small turns of phrase: lists, names of parties and parts, sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.provision import Instrument
from tallybook.codify.code import Sentence, Verbatim
from tallybook.verdicts.inquiry import Inquiry

Run = str | Verbatim


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words one after the other: `a`, `a and b`, `a, b and c`."""
    several = list(words)
    return several[0] if len(several) == 1 else f"{', '.join(several[:-1])} {last} {several[-1]}" if several else ""


def party(agreement: Agreement, name: str) -> str:
    """The full name of a party with its id, or the id of anybody else."""
    known = agreement.parties.get(name)
    return f"{known.name} ({name})" if known and known.name != name else name


def sentence(source: str, *runs: Run | Sequence[Run]) -> Sentence:
    """A sentence made of runs; empty ones are left out, the first letter is a capital, and it ends in a full stop."""
    flat: list[Run] = []
    for run in runs:
        flat += [run] if isinstance(run, str) else run
    flat = [run for run in flat if run]
    if flat and not isinstance(flat[0], Verbatim):
        flat[0] = flat[0][:1].upper() + flat[0][1:]
    if flat and (isinstance(flat[-1], Verbatim) or not flat[-1].endswith((".", ":"))):
        flat.append(".")
    return Sentence(tuple(flat), source)


def ids(references: Iterable[str]) -> str:
    """References as a list."""
    return listed(references)


def limit(value: Any) -> str:
    """A time limit: a length of time, or the vague word for it."""
    if value is None:
        return ""
    return value.value or f"“{value.vague}” (a vague word)"


def flat(value: Any) -> str:
    """A value of the file on one line: a tree of all and any as words, a list with commas, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("all", "any"):
        word, branches = next(iter(value.items()))
        told = [f"({flat(b)})" if isinstance(b, dict) else flat(b) for b in branches]
        return listed(told, "and" if word == "all" else "or")
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def known_instrument(inquiry: Inquiry, name: str) -> bool:
    """Whether an instrument was known to the side asked about: itself, or through a change of its own that was known."""
    key = "instruments known"
    if key not in inquiry.memo:
        through = {change.in_ for change in inquiry.agreement.changes if inquiry.is_known(change)}
        inquiry.memo[key] = through | {n for n, it in inquiry.agreement.instruments.items() if _is_out(inquiry, n, it)}
    return name in inquiry.memo[key]


def _is_out(inquiry: Inquiry, name: str, it: Instrument) -> bool:
    text = it.known or it.made
    return text is not None and inquiry.read(text).last <= inquiry.question.known and inquiry.sees((), name)


def local(inquiry: Inquiry, at: datetime | None) -> datetime | None:
    """An instant in the time zone of the case, so that its date is the one that people there wrote."""
    if at is None:
        return None
    try:
        return at.astimezone(inquiry.tz)
    except OverflowError:
        return at
