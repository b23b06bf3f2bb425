"""The verdict on a claim at any instant, worked out from the rows without an explanation of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tallybook.checker.changes import CannotTellError
from tallybook.checker.methods import MethodBook, completeness, correctness
from tallybook.checker.rows import File, mapping, words
from tallybook.checker.tables import LADDER
from tallybook.checker.weighing import Owed, Weigher, Weight, Worth, coverage, weight
from tallybook.checker.world import Start, World
from tallybook.core.time import duration, shifted

NOT_COVERED = "not covered"
Begun = Sequence[tuple[dict[str, Any], Start]]


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict word (None where the reading asked for does not cover the claim, then the state), and how strong each side is."""

    verdict: str | None
    state: str = ""
    for_: str = ""
    against: str = ""

    @property
    def shown(self) -> str:
        """The word, else the state."""
        return self.verdict or self.state


def duties_of(world: World, claim: Mapping[str, Any]) -> list[tuple[dict[str, Any], Start]]:
    """The duties in force that a claim is about, the latest begun first. Raises CannotTellError."""
    found = []
    for reference in words(claim.get("duty")):
        provision = world.provisions.get(reference.removeprefix("@"))
        start = world.begun(provision) if provision is not None and provision.get("kind") == "duty" else None
        if provision is not None and start is not None:
            found.append((provision, start))
    return sorted(found, key=lambda pair: pair[1].last, reverse=True)


def required(world: World, duties: Sequence[Mapping[str, Any]]) -> tuple[str, float, dict[str, Any]] | None:
    """The standard, its bound and the proof: of the first duty whose proof stands and names one."""
    for duty in duties:
        proof = world.provisions.get(str(duty["proof"]).removeprefix("@")) if duty.get("proof") else None
        if proof is None or proof.get("kind") != "proof" or not world.provisions.is_enacted(proof):
            continue
        name = duty.get("standard") or proof.get("standard")
        if name and not world.provisions.is_repealed(str(proof.get("id"))):
            return str(name), float(world.file.entry("standards", str(name)).get("at_least", 1)), proof
    return None


def claim_word(world: World, claim: Mapping[str, Any]) -> Word:
    """The verdict on a claim. Raises CannotTellError where it rests on an account that no explanation gives."""
    key = ("word", str(claim.get("id")))
    if key not in world.memo:
        world.memo[key] = _Assessed(world, claim).word()
    found: Word = world.memo[key]
    return found


class _Assessed:
    def __init__(self, world: World, claim: Mapping[str, Any]) -> None:
        self.world, self.claim = world, claim
        self.duties = duties_of(world, claim)
        file, on = world.file, world.on
        since = self.duties[0][1].first if self.duties and self.duties[0][1].is_dated else None
        owed = Owed(frozenset(str(mapping(d.get("owed")).get("by")) for d, _ in self.duties), since)
        weigher = Weigher(file, claim, on, owed)
        worths = weigher.weigh()
        self.covered = True
        wanted = mapping(claim.get("coverage"))
        if wanted.get("within"):
            places = coverage(file, claim, on, shifted(on, -duration(str(wanted["within"]))))
            if places["partly"] or places["not_looked"]:
                self.covered = False
                worths = [weigher.as_part(worth) for worth in worths]
            self.covered = self.covered and not gaps(file, claim, on, self.duties)
        self.favour: list[Worth] = [worth for worth in worths if worth.bears == "for"]
        self.sides: dict[str, Weight] = {bears: weight(file, worths, bears) for bears in ("for", "against")}

    def word(self) -> Word:
        """The word, after readings."""
        name = str(self.claim.get("id"))
        told = [d.get("open") for d, _ in self.duties if name in words(d.get("claims"))]
        opened = self.claim.get("open") or next((text for text in told if isinstance(text, str) and text), "")
        verdict = LADDER[self.sides["for"].strength, self.sides["against"].strength]
        if opened:
            verdict = "unclear"
        elif verdict == "supported" and self._is_verified():
            verdict = "verified"
        found = self._by_reading(verdict)
        return replace(found, for_=self.sides["for"].strength, against=self.sides["against"].strength)

    def _is_verified(self) -> bool:
        standard = required(self.world, [duty for duty, _ in self.duties])
        if standard is None or self.sides["for"].bounds[0] < standard[1] or not self.covered:
            return False
        book = MethodBook(self.world.provisions, words(self.claim.get("places")))
        tree, is_counted = standard[2].get("methods"), bool(self.claim.get("quantity"))
        if not book.found(tree, self.favour, None if is_counted else "completeness").all_met:
            return False
        if not is_counted:
            return True
        account = self.world.accounts.get((str(self.claim.get("id")), self.world.on, self.world.reading))
        if account is None:
            raise CannotTellError(str(self.claim.get("id")))
        given = (book, tree, standard[1], self.favour, account, self.sides["for"], self.world.file.good_evidence)
        return correctness(*given) == completeness(*given) == "verified"

    def _by_reading(self, verdict: str) -> Word:
        provisions, item = self.world.provisions, self.claim.get("item")
        term = next((str(d["covers"]) for d, _ in self.duties if d.get("covers")), None)
        if item is not None and term is not None:
            covers, _ = provisions.covers(term, str(item), provisions.reading)
            if covers == "false":
                return Word(None, NOT_COVERED)
            if covers == "unknown":
                return Word("unclear")
            if provisions.rivals(term, str(item)):
                return Word("disputed")
        others = rival_words(self.world, self.claim, [duty for duty, _ in self.duties])
        return Word("disputed" if set(others.values()) - {verdict} else verdict)


def rival_words(world: World, claim: Mapping[str, Any], duties: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What readings that read a duty or its proof otherwise say of a claim."""
    if world.reading != "plain":
        return {}
    names = [name for d in duties for name in (str(d.get("id")), str(d.get("proof") or "").removeprefix("@")) if name]
    stand = [p for name in names if (p := world.provisions.get(name)) is not None and p.get("kind") != "definition"]
    readings = dict.fromkeys(str(entry.get("reading")) for p in stand for entry in p.get("interpretations") or [])
    return {name: claim_word(world.under(name), claim).shown for name in readings}


def gaps(file: File, claim: Mapping[str, Any], on: datetime, duties: Begun) -> list[tuple[str, datetime, datetime]]:
    """Of what must be maintained: the times since it was owed that no look covers, by place."""
    wanted = mapping(claim.get("coverage"))
    since = min((start.first for d, start in duties if d.get("maintain")), default=None)
    if since is None or not wanted.get("within"):
        return []
    fresh, methods = duration(str(wanted["within"])), words(wanted.get("by"))
    rows = [row for row in file.rows.values() if row.method in methods and (row.stage or row.number is not None)]
    found = []
    for place in words(wanted.get("places")):
        around = set(file.around(place))
        looks = [(row.starts.first, row.ends.last) for row in rows if around & set(file.places_of(row.place))]
        seen = since
        while seen < on:
            reach = shifted(seen, fresh)
            further = max((end for start, end in looks if start <= min(reach, on)), default=seen)
            if further > seen:
                seen = min(further, on)
                continue
            if reach >= on:
                break
            following = min((start for start, _ in looks if reach < start < on), default=on)
            found.append((place, seen, following))
            seen = following
    return found
