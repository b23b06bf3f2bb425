"""What a status word says of a provision or a claim, and the verdict on a claim worked out without an explanation of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallybook.checker.claims import Word, claim_word
from tallybook.checker.life import STATES, STATUSES, life, standing
from tallybook.checker.powers import uses
from tallybook.checker.rows import words
from tallybook.checker.tables import TURNED, WEAKEST_FIRST, negation
from tallybook.checker.world import World, truth_of

_LIFE = frozenset(STATUSES) | frozenset(STATES)


def stands(world: World, word: str, reference: str) -> tuple[str, list[str] | None]:
    """The truth of a status word, and what the provision or claim is said to be (None: it is told by a condition).

    Raises CannotTellError.
    """
    name = reference.removeprefix("@").split(".")[0]
    wanted = word.replace("-", " ")
    claim = world.file.claim(name)
    if claim is not None:
        return _verdict_is(wanted, claim_word(world, claim).shown)
    provision = world.provisions.get(name)
    if provision is None or not world.provisions.is_enacted(provision):
        return "false", ["not enacted"]
    if provision.get("kind") == "definition" and provision.get("holds_when"):
        held = world.truth(str(provision["holds_when"]))
        if wanted in ("in force", "verified", "supported"):
            return held, None
        return negation(held) if wanted in ("contradicted", "unverified") else "unknown", None
    if provision.get("kind") != "duty":
        return _of_another_kind(world, wanted, provision)
    if wanted == "missed":
        return truth_of(life(world, provision).missed is not None), None
    if wanted in _LIFE:
        found = life(world, provision)
        return truth_of(wanted in (found.status, found.state)), [found.status, found.state]
    return _verdict_is(wanted, duty_word(world, provision))


def _of_another_kind(world: World, wanted: str, provision: Mapping[str, Any]) -> tuple[str, list[str] | None]:
    if wanted == "used":
        used = provision.get("kind") == "power" and any(not use.fault for use in uses(world, provision))
        return truth_of(used), None
    status = standing(world, provision)
    return truth_of(wanted == status), [status]


def _verdict_is(wanted: str, verdict: str) -> tuple[str, list[str]]:
    truth = verdict != "verified" if wanted == "unverified" else verdict == wanted
    return truth_of(truth), [verdict or "without a verdict"]


def duty_word(world: World, duty: Mapping[str, Any]) -> str:
    """The verdict on a duty: the weakest word on any claim that it covers, that of bad news turned round; blank: no claim."""
    found = [
        (claim, claim_word(world, claim)) for claim in world.file.listed("claims") if claim.get("id") in words(duty.get("claims"))
    ]
    return weakest([(claim, word) for claim, word in found if word.state != "not covered"])


def weakest(found: list[tuple[Mapping[str, Any], Word]]) -> str:
    """The weakest of some verdicts."""
    told = []
    for claim, one in found:
        word = one.verdict or "unclear"
        told.append(TURNED.get(word, word) if claim.get("performed_when") == "against" else word)
    return min(told, key=WEAKEST_FIRST.index, default="")
