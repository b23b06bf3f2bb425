"""Why a provision stands as it does: its status, and of a duty each thing from which its state follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.provision import Definition, Duty, Exception_, Liberty, Power
from tallybook.agreement.situation import Atom
from tallybook.commitments.commitment import (
    IN_FORCE,
    LAPSED,
    OVERDUE,
    OWED,
    RELEASED,
    REPEALED,
    SUSPENDED,
    WAIVED,
    broken_at,
    commitment,
    norm,
    standing_of,
)
from tallybook.commitments.commitment import _is_broken as is_broken
from tallybook.commitments.commitment import _missed as missed_by
from tallybook.commitments.commitment import _reads_so_since as reads_so_since
from tallybook.commitments.commitment import _shown as shown_as_done
from tallybook.commitments.commitment import _supported as is_supported
from tallybook.commitments.deadline import deadline, owed_since
from tallybook.commitments.exceptions import applies, exceptions_to, lifting
from tallybook.commitments.moments import first_held
from tallybook.commitments.powers import INSTANT, Use, ended, suspensions, uses
from tallybook.commitments.powers import _before as before_the_use
from tallybook.commitments.record import Entry
from tallybook.core.explanation import Because
from tallybook.verdicts.because_value import exception_step, value_step
from tallybook.verdicts.combine import duty_verdict
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.on_record import Path, because, stamp

EARLIER = "earlier text"
MOST_USES = 20
"""So many uses of a power are shown, the newest."""

_FREED = (RELEASED, WAIVED)


@dataclass(frozen=True, slots=True)
class LifeTeller:
    """Tells of one provision at one instant. `path`: the provisions on whose account it is told; none is followed again."""

    inquiry: Inquiry
    provision: Any
    path: Path = ()

    @property
    def name(self) -> str:
        """The id of the provision."""
        return str(self.provision.id)

    def steps(self) -> tuple[Because, ...]:
        """The steps from which the status follows, and of a duty the state."""
        provision = self.provision
        found = [self._norm()]
        if isinstance(provision, Duty):
            return (*found, *self._of_a_duty(provision))
        if isinstance(provision, Exception_):
            return (*found, exception_step(self.inquiry, provision, self.path))
        if isinstance(provision, Definition):
            if provision.holds_when:
                found.append(self._held(provision.holds_when))
            if provision.cases:
                found.append(value_step(self.inquiry, provision, self.path))
            return tuple(found)
        text = provision.while_ if isinstance(provision, Liberty) else provision.when if isinstance(provision, Power) else None
        if text is not None and norm(self.inquiry, provision).status == IN_FORCE:
            found.append(self._held(text))
        if isinstance(provision, Power):
            found += [self._use(use) for use in uses(self.inquiry, provision)[-MOST_USES:]]
        return tuple(found)

    def _step(self, rule: str, says: str, facts: dict[str, Any], children: Sequence[Because] = ()) -> Because:
        if children:
            return Because(rule, says, tuple(children), facts=facts)
        return Because(rule, says, quote=self.name, instrument=AGREEMENT, facts=facts)

    def _because(self, text: str, at: datetime | None = None) -> Because:
        """Why a condition is as it is, at the date asked about or as things stood then."""
        there = self.inquiry if at is None else self.inquiry.at(at)
        return because(there, text, there.on, self.path)

    def _stamp(self, at: datetime | None) -> str | None:
        return None if at is None else stamp(self.inquiry, at)

    def _norm(self) -> Because:
        inquiry, provision = self.inquiry, self.provision
        status = norm(inquiry, provision).status
        facts: dict[str, Any] = {"provision": self.name, "status": status, "since": None, "reason": "", "by": "", "at": None}
        children: list[Because] = []
        if status == REPEALED:
            facts["by"] = inquiry.in_force.repealed[self.name]
        elif status == LAPSED:
            over = ended(inquiry, self.name)
            facts["by"] = over[1] if over else provision.until
            facts["at"] = self._stamp(over[0] if over else inquiry.read(provision.until).last)
        elif status in (IN_FORCE, SUSPENDED):
            begun = inquiry.begun(provision)
            assert begun is not None
            facts["since"] = [stamp(inquiry, begun.since.first), stamp(inquiry, begun.since.last)]
            text = provision.in_force if isinstance(provision, Duty) else None
            by_condition = text is not None and begun.since.text == text
            facts["reason"] = text if by_condition else begun.reason
            if text is not None and by_condition:
                children.append(self._because(text, begun.since.last))
        if status == SUSPENDED:
            stop = next(s for s in suspensions(inquiry, self.name) if s.holds(inquiry.on) and not s.in_part)
            facts["by"], facts["at"] = stop.by, self._stamp(stop.starts)
        return self._step("norm", norm_says(facts), facts, children)

    def _held(self, text: str) -> Because:
        inner = self._because(text)
        facts = {"provision": self.name, "truth": inner.facts["truth"]}
        return Because("trigger", f"The condition of @{self.name} is {facts['truth']}.", (inner,), facts=facts)

    def _use(self, use: Use) -> Because:
        facts = {"power": self.name, "at": stamp(self.inquiry, use.at), "fault": use.fault}
        told = f"without effect: {use.fault}" if use.fault else "with effect"
        text = self.provision.used_by or f"used(@{self.name})"
        inner = because(self.inquiry, text, use.at, self.path)
        # What a measure shows is no event on record.
        children = [inner] if inner.facts["truth"] == "true" else []
        if self.provision.when and (not use.fault or use.fault.startswith("the condition")):
            then = before_the_use(self.inquiry, self.provision, use.at)
            assert isinstance(then, Inquiry)
            children.append(because(then, self.provision.when, use.at, self.path))
        return self._step("use", f"@{self.name} was used at {facts['at']}, {told}.", facts, children)

    def _of_a_duty(self, duty: Duty) -> Iterator[Because]:
        inquiry = self.inquiry
        is_in_force = norm(inquiry, duty).status == IN_FORCE
        if duty.when and is_in_force:
            yield self._held(duty.when)
        yield self._performance(duty)
        yield from self._lifted(duty)
        if duty.by or (duty.within is not None and duty.within.value):
            yield self._deadline(duty)
        if commitment(inquiry, duty).missed:
            yield self._missed(duty)
        for word in (RELEASED, WAIVED):
            atom = Atom(word, (("0", f"@{duty.id}"),))
            if inquiry.holds(atom, inquiry.on).truth.value == "true":
                yield Because("release", f"@{duty.id} is {word}.", (self._because(str(atom)),), facts={"word": word})
                break
        if (roles := self._roles(duty)) is not None:
            yield roles
        yield self._state(duty)

    def _performance(self, duty: Duty) -> Because:
        inquiry = self.inquiry
        truth = shown_as_done(inquiry, duty).truth.value
        text = duty.achieve or duty.endeavour
        too_early = bool(duty.earliest) and inquiry.read(str(duty.earliest)).first > inquiry.on
        by = "too early" if too_early else "verdict" if duty.claims else "condition" if text else "nothing"
        word = duty_verdict(inquiry, duty).word if duty.claims else None
        facts = {"truth": truth, "by": by, "verdict": word, "since": commitment(inquiry, duty).done_since}
        told = {
            "too early": f"It cannot be performed before {duty.earliest}.",
            "verdict": f"Whether it is performed goes by the verdict: {word or 'none'}.",
            "condition": f"That it is performed is {truth}.",
            "nothing": "It is maintained, never over and done with.",
        }[by]
        children = [self._because(text)] if text and not too_early else []
        return self._step("performance", told, facts, children)

    def _lifted(self, duty: Duty) -> Iterator[Because]:
        """Exceptions that fail are folded: only their truths are listed."""
        others = exceptions_to(self.inquiry, duty.id, duty.unless)
        if not others:
            return
        first = lifting(self.inquiry, duty.id, duty.unless)
        listed = [[e.id, applies(self.inquiry, e).value] for e in others]
        told = f"@{first.id} lifts @{duty.id}." if first else f"No exception is known to lift @{duty.id}."
        children = [exception_step(self.inquiry, first, self.path)] if first else []
        yield self._step("lifted", told, {"by": first.id if first else "", "exceptions": listed}, children)

    def _deadline(self, duty: Duty) -> Because:
        inquiry = self.inquiry
        due = deadline(inquiry, duty)
        limit = duty.by or (duty.within.value if duty.within else None)
        since = None if duty.by else owed_since(inquiry, duty)
        stops = [[stamp(inquiry, s.starts), self._stamp(s.ends), s.by] for s in suspensions(inquiry, duty.id) if not s.in_part]
        facts = {"limit": limit, "since": self._stamp(since), "stops": stops, "due": self._stamp(due.at), "remark": due.remark}
        children = []
        if since is not None and duty.when and (came := first_held(inquiry, duty.when)) is not None:
            children.append(because(inquiry, duty.when, came, self.path))
        told = f"Due {due.text}" + (f": {due.remark}." if due.remark else ".")
        return self._step("deadline", told, facts, children)

    def _missed(self, duty: Duty) -> Because:
        inquiry = self.inquiry
        at = commitment(inquiry, duty).missed_at
        assert at is not None
        how = self._how_missed(duty, at)
        children: list[Because] = []
        if how == "broken":
            broke = next(t for t in (duty.breached_when, duty.maintain) if t and self._broke(t, at, duty))
            children = [because(inquiry, broke, at, self.path)]
        elif how == "late" and not duty.claims and (text := duty.achieve or duty.endeavour):
            children = [self._because(text, at)]
        facts = {"at": stamp(inquiry, at), "how": how}
        told = {"late": "was not performed when it was due", "broken": "was broken", EARLIER: "was missed as it read before"}
        return self._step("missed", f"It {told[how]}: {facts['at']}.", facts, children)

    def _how_missed(self, duty: Duty, at: datetime) -> str:
        """Missed under an earlier text, or late by this one, or broken."""
        inquiry = self.inquiry
        since, due = reads_so_since(inquiry, duty), deadline(inquiry, duty).at
        if since is not None:
            earlier = inquiry.at(since - INSTANT)
            before = earlier.in_force.provisions.get(duty.id)
            if isinstance(before, Duty) and commitment(earlier, before).missed_at == at:
                return EARLIER
        starts = None if due is None else due if since is None else max(due, since)
        is_late = duty.maintain is None and starts == at and due is not None and due < inquiry.on
        return "late" if is_late and not self._only_broken(duty, at) else "broken"

    def _only_broken(self, duty: Duty, at: datetime) -> bool:
        """Whether it was broken at the very instant at which it was due, having been done, or not owed, by then."""
        if broken_at(self.inquiry, duty) != at:
            return False
        there = self.inquiry.at(at)
        return commitment(there, duty).state not in (OWED, OVERDUE) or is_supported(there, duty)

    def _broke(self, text: str, at: datetime, duty: Duty) -> bool:
        """Whether this is what broke it then."""
        return text == duty.maintain or first_held(self.inquiry, text) == at

    def _roles(self, duty: Duty) -> Because | None:
        life, record = commitment(self.inquiry, duty), self.inquiry.record
        about = [
            entry
            for word in ("assigned", "claim_assigned", "delegated")
            for entry in record.about(word, f"@{duty.id}", self.inquiry.on)
            if dict(entry.atom.args).get("to")
        ]
        if not about:
            return None
        facts = {"by": life.roles.by, "to": life.roles.to, "performer": life.roles.performer}
        told = f"Owed by {life.roles.by} to {life.roles.to}; {life.roles.performer} is charged with it."
        return self._step("roles", told, facts, [leaf for entry in about for leaf in self._sources(entry)])

    def _sources(self, entry: Entry) -> Iterator[Because]:
        yield from (Because("recorded", f"Recorded by {row}.", report=row) for row in entry.rows)
        for name, words in entry.quotes:
            if (name, words) in self.inquiry.quotes({name: [words]}):
                yield Because("quotation", f'{name}: "{words}"', quote=words, instrument=name)

    def _state(self, duty: Duty) -> Because:
        inquiry, life = self.inquiry, commitment(self.inquiry, duty)
        own, waits = norm(inquiry, duty).status, life.status == "pending"
        broken = is_broken(inquiry, duty)
        due = deadline(inquiry, duty)
        owing = own == IN_FORCE and not waits and not life.done and life.state not in _FREED and not life.withheld_by
        _, late = missed_by(inquiry, duty, due, owing=owing)
        facts = {
            "provision": duty.id,
            "norm": own,
            "triggered": own == IN_FORCE and not waits,
            "released": life.state if life.state in (RELEASED, WAIVED) else "",
            "done": life.done,
            "was_owed": owed_since(inquiry, duty) is not None if own == SUSPENDED and life.done else None,
            "lifted": bool(life.withheld_by),
            "maintained": duty.maintain is not None,
            "late": late,
            "broken": broken,
            "supported": is_supported(inquiry, duty) if (late or broken) and duty.maintain is None else None,
            "status": life.status,
            "state": life.state,
        }
        return self._step("life-state", f"So @{duty.id} is {life.status}, {life.state}.", facts)


def norm_says(facts: dict[str, Any]) -> str:
    """A status in a sentence, from its facts."""
    name, status = facts["provision"], facts["status"]
    told = f"@{name} is {status}"
    if facts["since"] is not None:
        told += f", from {facts['since'][1] or 'the first'} ({facts['reason']})"
    if facts["by"]:
        told += f", by {facts['by']}" + (f" at {facts['at']}" if facts["at"] else "")
    return f"{told}."


def life_step(inquiry: Inquiry, provision: Any, path: Path) -> Because:
    """The short tree of what a provision is at an instant, for a condition that asks."""
    facts: dict[str, Any] = {"provision": provision.id, "at": stamp(inquiry, inquiry.on)}
    if isinstance(provision, Duty):
        life = commitment(inquiry, provision)
        facts |= {"status": life.status, "state": life.state, "missed": life.missed}
        told = f"@{provision.id} is {life.status}, {life.state}."
    else:
        facts |= {"status": standing_of(inquiry, provision).status, "state": None, "missed": None}
        told = f"@{provision.id} is {facts['status']}."
    return Because("life", told, LifeTeller(inquiry, provision, path).steps(), facts=facts)
