"""What stands below a status or a value in a condition: a life, a verdict in short, or the cases of a definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tallybook.checker.accounts import is_number
from tallybook.checker.changes import CannotTellError
from tallybook.checker.claims import claim_word
from tallybook.checker.expected import Expected, compare_one, or_unknown, stamp
from tallybook.checker.lives import check_life, life_step
from tallybook.checker.methods import Account
from tallybook.checker.moments import VERDICT_WORDS
from tallybook.checker.rows import mapping, words
from tallybook.checker.statuses import duty_word
from tallybook.checker.valued import value_step
from tallybook.checker.walk import Complaints, Step, instant
from tallybook.checker.world import World

if TYPE_CHECKING:
    from tallybook.checker.conditions import ConditionBook

DEEPEST = 3
"""So many provisions are followed into each other; none is followed into itself."""


def below_status(book: ConditionBook, step: Step, world: World, word: str, name: str) -> None:
    """The one step below a status, or none."""
    claim = world.file.claim(name)
    if claim is not None:
        _verdict_step(book, step, world, name, [claim])
        return
    try:
        provision = world.provisions.get(name)
    except CannotTellError:
        return
    if provision is None or not world.provisions.is_enacted(provision):
        _only(book, step, None)
    elif provision.get("kind") == "duty" and word in VERDICT_WORDS:
        covered = [c for c in world.file.listed("claims") if c.get("id") in words(provision.get("claims"))]
        _verdict_step(book, step, world, str(provision.get("id")), covered, provision)
    else:
        _life(book, step, world, provision)


def _follows(book: ConditionBook, name: str) -> bool:
    return name not in book.path and len(book.path) < DEEPEST


def _life(book: ConditionBook, step: Step, world: World, provision: Mapping[str, Any]) -> None:
    name = str(provision.get("id"))
    if not _follows(book, name):
        _only(book, step, None)
        return
    wanted = life_step(world, provision)
    path = (*book.path, name)
    if wanted.below is not None or len(step.children) != 1:
        _only(book, step, wanted, path)
        return
    # Its state waits for a verdict that nothing tells.
    child = step.children[0]
    book.out.expect(child, "rule", "life", child.rule)
    given = {key: child.facts.get(key) for key in ("status", "state", "missed")}
    book.out.facts(child, {"provision": name, "at": stamp(world, world.on), **given})
    check_life(child, child.children, world, provision, path, book.out)


def below_value(book: ConditionBook, step: Step, world: World, name: str) -> None:
    """The one step below a value, or none."""
    try:
        definition = world.provisions.get(name)
    except CannotTellError:
        return
    if definition is None or definition.get("kind") != "definition" or not _follows(book, str(definition.get("id"))):
        _only(book, step, None)
        return
    own = str(definition.get("id"))
    _only(book, step, or_unknown("value-of", own, lambda: value_step(world, definition)), (*book.path, own))


def _only(book: ConditionBook, step: Step, wanted: Expected | None, path: tuple[str, ...] = ()) -> None:
    expected = [wanted.rule] if wanted is not None else []
    found = [child.rule for child in step.children]
    book.out.expect(step, "steps below", expected, found)
    if wanted is not None and found == expected:
        compare_one(step.children[0], wanted, path, book.out)


def _verdict(world: World, name: str, claims: list[dict[str, Any]], duty: Mapping[str, Any] | None = None) -> Expected:
    quote = str(claims[0].get("says")) if claims else name

    def make() -> Expected:
        found = [(claim, claim_word(world, claim)) for claim in claims]
        listed = [[str(c.get("id")), one.shown, one.for_, one.against, _given(world, c)] for c, one in found]
        word = duty_word(world, duty) if duty is not None else found[0][1].shown
        facts = {"of": name, "at": stamp(world, world.on), "word": word, "claims": listed}
        return Expected("verdict", facts, f"The verdict on {name} is {word or 'none'}.", quote)

    return or_unknown("verdict", quote, make)


def _verdict_step(
    book: ConditionBook, step: Step, world: World, name: str, claims: list[dict[str, Any]], duty: Mapping[str, Any] | None = None
) -> None:
    """The verdict below a status. Whatever else waits for the account that it gives, its place and its claims do not."""
    _only(book, step, _verdict(world, name, claims, duty))
    for child in step.children:
        rows = child.facts.get("claims")
        told = [row[0] if isinstance(row, list) and row else None for row in rows] if isinstance(rows, list) else None
        book.out.expect(child, "at", stamp(world, world.on), child.facts.get("at"))
        book.out.expect(child, "of", name, child.facts.get("of"))
        book.out.expect(child, "claims", [str(claim.get("id")) for claim in claims], told)


def _given(world: World, claim: Mapping[str, Any]) -> dict[str, Any] | None:
    """The account that the explanation gives of a claim, as a fact."""
    account = world.accounts.get((str(claim.get("id")), world.on, world.reading))
    if account is None or not account.reports:
        return None
    return {
        "declared": account.declared,
        "removed": account.removed,
        "p_declared_removed": account.p_out,
        "p_none_left": account.p_none_left,
        "reports": list(account.order),
    }


def take_accounts(root: Step, world: World, out: Complaints) -> None:
    """Take in the accounts that verdicts in short rest on. The checker does not count anew; one account of one thing is given."""
    for step in root.walk():
        at, rows = instant(step.facts.get("at")), step.facts.get("claims")
        if step.rule != "verdict" or at is None or not isinstance(rows, list):
            continue
        for row in rows:
            is_row = isinstance(row, list) and len(row) == 5 and isinstance(row[0], str)
            account = _read(world, row[0], row[4]) if is_row else None
            key = (str(row[0]) if is_row else "", at, world.reading)
            if account is None:
                out.add(step, "claims", "an account as numbers, of a quantity, or none", row)
            elif world.accounts.setdefault(key, account) != account:
                out.add(step, "claims", "one account of each claim", row)


def _read(world: World, name: str, given: object) -> Account | None:
    claim = world.file.claim(name)
    if claim is None or (given is not None and not claim.get("quantity")):
        return None
    if given is None:
        return Account(None, 0.0, None, None, frozenset())
    facts = mapping(given)
    numbers = [facts.get(key) for key in ("declared", "p_declared_removed", "p_none_left")]
    reports, removed = facts.get("reports"), facts.get("removed")
    is_sound = is_number(removed) and all(v is None or is_number(v) for v in numbers)
    if not is_sound or not isinstance(reports, list) or set(facts) != _ACCOUNT:
        return None
    usable = {row.id: row.number for row in world.file.rows.values() if row.number is not None}
    if numbers[0] is not None and numbers[0] not in usable.values():
        return None
    if not reports or len(set(map(str, reports))) < len(reports) or not all(isinstance(r, str) and r in usable for r in reports):
        return None
    return Account(numbers[0], float(removed), numbers[1], numbers[2], frozenset(reports), tuple(reports))  # type: ignore[arg-type]


_ACCOUNT = {"declared", "removed", "p_declared_removed", "p_none_left", "reports"}
