"""Whether an agreement of the right form holds together: names, references, quotations, changes, cycles."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeGuard

from pydantic import ValidationError

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Change, Commencement
from tallybook.agreement.change import ChangeError, provision_reader, provisions_in_force
from tallybook.agreement.claim import Claim, Match
from tallybook.agreement.language import atom_of, condition
from tallybook.agreement.load import FILE, Loaded
from tallybook.agreement.provision import Definition, Duty, Exception_, Liberty, Power, Proof, method_names
from tallybook.agreement.quotation import quotations, unsupported
from tallybook.agreement.yamltext import Path
from tallybook.core.time import Moment, MomentError, moment, zone
from tallybook.errors import Fault

GRADE = r"[A-F][1-6]"
TABLES = ("observations", "commitments", "measures", "incidents", "vessels")
_CONDITIONS = (
    "in_force",
    "when",
    "achieve",
    "maintain",
    "endeavour",
    "breached_when",
    "while_",
    "holds_when",
    "observer",
    "shows",
)


def check_agreement(loaded: Loaded, texts: Mapping[str, str], items: Container[object], places: Container[object]) -> list[Fault]:
    """Everything that can be wrong in an agreement that has the right form. `texts`: reading text by instrument."""
    agreement = loaded.agreement
    if agreement is None:
        return []
    checker = _Checker(agreement, loaded, items, places)
    faults = [
        *checker.times(),
        *checker.names(),
        *checker.references(),
        *checker.cycles(),
        *checker.changes(),
    ]
    for path, instrument, words in quotations(loaded.document.data):
        if problem := unsupported(words, instrument, agreement.instruments, texts):
            faults.append(checker.fault(path, *problem))
    return faults


class _Checker:
    def __init__(self, agreement: Agreement, loaded: Loaded, items: Container[object], places: Container[object]) -> None:
        self.agreement, self.loaded, self.items, self.places = agreement, loaded, items, places
        self.provisions = {p.id for p in agreement.provisions} | _new_ids(agreement)
        self.claims = {c.id for c in agreement.claims}
        self.circles: set[str] = set()
        self.every = [*agreement.provisions, *_added(agreement)]
        self.duties = {p.id: p for p in self.every if isinstance(p, Duty)}
        self.proofs = {p.id for p in self.every if isinstance(p, Proof)}

    def fault(self, path: Path, what: str, do: str) -> Fault:
        field = ".".join(str(part) for part in path)
        return Fault(FILE, self.loaded.document.line_of(path), field, what, do)

    def times(self) -> Iterator[Fault]:
        try:
            tz = zone(self.agreement.time_zone)
        except MomentError as error:
            yield self.fault(("time_zone",), str(error), "correct the name of the time zone")
            return
        keys = ("made", "known", "effective", "from", "until", "earliest", "default_as_of")
        words = {"effective": (NOT_YET, ON_RECEIPT)}

        def walk(node: Any, path: Path) -> Iterator[Fault]:
            if isinstance(node, list):
                for n, item in enumerate(node):
                    yield from walk(item, (*path, n))
                return
            for key, value in node.items() if isinstance(node, dict) else ():
                here = (*path, key)
                # `by` is a date in a duty, and a party everywhere else.
                dated = key in keys or (key == "by" and node.get("kind") == "duty")
                if dated and isinstance(value, str | int) and not isinstance(value, bool):
                    if value in words.get(key, ()):
                        continue
                    try:
                        moment(str(value), tz)
                    except MomentError as error:
                        yield self.fault(here, str(error), "correct the date")
                else:
                    yield from walk(value, here)

        yield from walk(self.loaded.document.data, ())

    def names(self) -> Iterator[Fault]:
        a = self.agreement
        groups: list[tuple[str, list[str]]] = [
            ("provisions", [p.id for p in a.provisions]),
            ("claims", [c.id for c in a.claims]),
            ("board", [line.id for line in a.board]),
            ("changes", [c.address for c in a.changes]),
        ]
        for group, ids in groups:
            seen: set[str] = set()
            for n, name in enumerate(ids):
                if name in seen:
                    yield self.fault((group, n, "id" if group != "changes" else "n"), f"{name!r} twice", "give each its own")
                seen.add(name)
        clash = self.provisions & self.claims
        for name in sorted(clash):
            yield self.fault(("claims",), f"{name!r} is a provision and a claim", "rename one: @ refers to both")
        for name, reading in a.readings.items():
            if reading.by:
                yield from self._one_of(("readings", name, "by"), "party", reading.by, a.parties, "parties")
        for name, kind in a.measures.items():
            if kind.holder:
                yield from self._one_of(("measures", name, "holder"), "party", kind.holder, a.parties, "parties")
        for grade in [*a.weighing.ratios, a.weighing.ungraded_record]:
            if not re.fullmatch(GRADE, grade):
                yield self.fault(("weighing",), f"{grade!r} is not a grade", "write A-F and 1-6, such as B2")
        for name, instrument in a.instruments.items():
            yield from self._instrument(name, instrument.model_dump(include={"by", "read_in", "accepts", "restates"}))
            yield from self._commencement(("instruments", name), instrument.effective)
            for party in instrument.received:
                if not self._is_somebody(party):
                    yield self.fault(("instruments", name, "received"), f"no party {party!r}", "add it under `parties`")
                yield from self._day(("instruments", name, "received", party), instrument.received[party])

    def _day(self, path: Path, text: str) -> Iterator[Fault]:
        try:
            moment(text, zone(self.agreement.time_zone))
        except MomentError as error:
            yield self.fault(path, str(error), "correct the date")

    def _commencement(self, path: Path, effective: Any) -> Iterator[Fault]:
        if isinstance(effective, Commencement):
            yield from self._condition((*path, "effective"), effective.when)

    def _instrument(self, name: str, fields: dict[str, Any]) -> Iterator[Fault]:
        for key in ("read_in", "accepts"):
            if fields[key] and fields[key] not in self.agreement.instruments:
                yield self.fault(("instruments", name, key), f"no instrument {fields[key]!r}", "add it, or correct the name")
        for other in fields["restates"]:
            if other not in self.agreement.instruments:
                yield self.fault(("instruments", name, "restates"), f"no instrument {other!r}", "add it, or correct the name")
        if fields["by"] and fields["by"] not in self.agreement.parties:
            yield self.fault(("instruments", name, "by"), f"no party {fields['by']!r}", "add it under `parties`")

    def references(self) -> Iterator[Fault]:
        a = self.agreement
        for n, provision in enumerate(a.provisions):
            yield from self._provision(("provisions", n), provision)
        for n, claim in enumerate(a.claims):
            yield from self._claim(n, claim)
        for n, line in enumerate(a.board):
            if line.claim:
                yield from self._one_of(("board", n, "claim"), "claim", line.claim, self.claims, "claims")
            if line.measure:
                yield from self._one_of(("board", n, "measure"), "measure", line.measure, a.measures, "measures")
        for n, state in enumerate(a.states):
            if state.measure:
                yield from self._one_of(("states", n, "measure"), "measure", state.measure, a.measures, "measures")
                yield from self._states(("states", n, "states"), state.measure, state.states)
            if state.when:
                yield from self._condition(("states", n, "when"), state.when)
                bound = {value for _, value in atom_of(state.atom).args if value.startswith("?")}
                for variable in sorted(condition(state.when).free - bound):
                    yield self.fault(("states", n, "when"), f"{variable} stands for nothing", "name it in the atom, or bind it")

    def _claim(self, n: int, claim: Claim) -> Iterator[Fault]:
        for name, duty in self.duties.items():
            if (f"@{name}" in claim.duty) != (claim.id in duty.claims):
                what = f"@{name} and the claim {claim.id} do not name each other"
                yield self.fault(("claims", n, "duty"), what, "write the claim under the duty's `claims`, and the duty here")
        for reference in claim.duty:
            if reference.lstrip("@") not in self.provisions:
                yield self.fault(("claims", n, "duty"), f"no provision {reference}", "add it, or correct the name")
        wanted = [claim.item, claim.quantity.item if claim.quantity else None]
        for item in filter(None, wanted):
            yield from self._one_of(("claims", n), "item", item, self.items, "items.yaml")
        for m, rule in enumerate(claim.rules):
            yield from self._rule(("claims", n, "rules", m, "when"), rule.when)
        for place in claim.places:
            yield from self._one_of(("claims", n, "places"), "place", place, self.places, "places.csv")
        if claim.coverage:
            for place in claim.coverage.places:
                yield from self._one_of(("claims", n, "coverage"), "place", place, self.places, "places.csv")
            for method in claim.coverage.by:
                yield from self._one_of(
                    ("claims", n, "coverage"), "method", method, self.agreement.vocabulary.methods, "vocabulary"
                )

    def _one_of(self, path: Path, noun: str, name: str, known: Any, where: str) -> Iterator[Fault]:
        if name not in known:
            yield self.fault(path, f"no {noun} {name!r}", f"add it to {where}, or correct the name")

    def _rule(self, path: Path, when: Any) -> Iterator[Fault]:
        vocabulary = self.agreement.vocabulary
        for key, known, where in (
            ("table", TABLES, "the tables under reports/"),
            ("item", self.items, "items.yaml"),
            ("stage", vocabulary.stages, "vocabulary.stages"),
            ("method", vocabulary.methods, "vocabulary.methods"),
            ("kind", vocabulary.incidents, "vocabulary.incidents"),
            ("place", self.places, "places.csv"),
            ("measure", self.agreement.measures, "measures"),
            ("by", self.agreement.parties, "parties"),
            ("not_by", self.agreement.parties, "parties"),
        ):
            for name in getattr(when, key):
                yield from self._one_of((*path, key), key, name, known, where)
        for measure in when.measure:
            yield from self._states((*path, "state"), measure, when.state)

    def _states(self, path: Path, measure: str, states: Iterable[str]) -> Iterator[Fault]:
        """A measure's states, where the agreement lists them."""
        kind = self.agreement.measures.get(measure)
        for state in states if kind and kind.states else ():
            if kind and state not in kind.states:
                yield self.fault(path, f"{measure} has no state {state!r}", "correct it, or add it under `measures`")

    def _conditions_of(self, path: Path, provision: Any) -> Iterator[Fault]:
        for name in _CONDITIONS:
            if text := getattr(provision, name, None):
                yield from self._condition((*path, name.rstrip("_")), text)
                free = sorted(condition(text).free) if name not in ("observer", "shows") else []
                for variable in free:
                    what = f"{variable} stands for nothing"
                    yield self.fault((*path, name.rstrip("_")), what, "bind it with every, some or count, or name the thing")
        for n, case in enumerate(getattr(provision, "cases", ())):
            if case.when:
                yield from self._condition((*path, "cases", n), case.when)

    def _provision(self, path: Path, provision: Any) -> Iterator[Fault]:
        yield from self._conditions_of(path, provision)
        for key, reference in _links(provision):
            yield from self._reference((*path, key), reference)
        if isinstance(provision, Duty):
            yield from self._duty(path, provision)
        elif isinstance(provision, Proof):
            for method in [*method_names(provision.methods), *provision.includes]:
                yield from self._one_of((*path, "methods"), "proof", method, self.proofs, "provisions of kind proof")
            if provision.met_by is not None:
                yield from self._met_by((*path, "met_by"), provision.met_by)
        elif isinstance(provision, Definition):
            yield from self._definition(path, provision)
        a = self.agreement
        if (measure := getattr(provision, "measure", None)) and measure in a.measures:
            used = getattr(provision, "must_use", None)
            yield from self._states((*path, "states"), measure, [*provision.states, *(used.states if used else ())])
        for key, known, where in (
            ("holder", a.parties, "parties"),
            ("measure", a.measures, "measures"),
            ("standard", a.standards, "standards"),
            ("in_instrument", a.instruments, "instruments"),
            ("reading", a.readings, "readings"),
        ):
            if named := getattr(provision, key, None):
                field = "in" if key == "in_instrument" else key
                noun = "party" if key == "holder" else where.rstrip("s")
                yield from self._one_of((*path, field), noun, str(named), known, where)

    def _definition(self, path: Path, definition: Definition) -> Iterator[Fault]:
        named = [included.item for included in definition.includes]
        named += [item for entry in definition.interpretations for item in (*entry.includes, *entry.excludes)]
        for item in named:
            yield from self._one_of((*path, "includes"), "item", item, self.items, "items.yaml")
        for pointer in definition.by_reference:
            path_to = (*path, "by_reference")
            yield from self._one_of(path_to, "instrument", pointer.to, self.agreement.instruments, "instruments")

    def _duty(self, path: Path, duty: Duty) -> Iterator[Fault]:
        for party in (duty.owed.by, duty.owed.to):
            if not self._is_somebody(party):
                yield self.fault((*path, "owed"), f"no party {party!r}", "add it under `parties`")
        for claim in duty.claims:
            yield from self._one_of((*path, "claims"), "claim", claim, self.claims, "claims")
        for step in duty.steps:
            if step.claim:
                yield from self._one_of((*path, "steps"), "claim", step.claim, self.claims, "claims")
        if duty.covers:
            yield from self._one_of((*path, "covers"), "definition", duty.covers, self.provisions, "provisions")

    def _met_by(self, path: Path, met_by: dict[str, Any]) -> Iterator[Fault]:
        try:
            match = Match.model_validate(met_by)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                yield self.fault((*path, *item["loc"]), item["msg"], "write it as in a rule's `when`")
            return
        yield from self._rule(path, match)

    def _is_somebody(self, name: str) -> bool:
        return name in self.agreement.parties or any(name in i.binds or name in i.to for i in self.agreement.instruments.values())

    def _condition(self, path: Path, text: str) -> Iterator[Fault]:
        for reference in sorted(condition(text).references):
            yield from self._reference(path, reference)

    def _reference(self, path: Path, reference: str) -> Iterator[Fault]:
        name = reference.lstrip("@").split(".")[0].split("#")[0]
        if name not in self.provisions and name not in self.claims and name not in self.agreement.instruments:
            yield self.fault(path, f"no provision or claim {reference}", "add it, or correct the name")

    def changes(self) -> Iterator[Fault]:
        a = self.agreement
        addresses = {c.address for c in a.changes}
        for n, change in enumerate(a.changes):
            path: Path = ("changes", n)
            yield from self._one_of((*path, "in"), "instrument", change.in_, a.instruments, "instruments")
            target, aim = change.target.lstrip("@"), change.aim
            if aim.address is not None and aim.address not in addresses:
                yield self.fault((*path, "target"), f"no change @{aim.address}", "correct the address INSTRUMENT#n")
            yield from self._commencement(path, change.effective)
            if change.op == "postpone":
                yield from self._postponed(path, change)
            if change.reading:
                yield from self._one_of((*path, "reading"), "reading", change.reading, a.readings, "readings")
            for party in change.by:
                yield from self._one_of((*path, "by"), "party", party, a.parties, "parties")
            if change.op in ("add", "insert") and "." not in target:
                yield from self._added(path, target, change.value)
        try:
            tz = zone(a.time_zone)
            for change in a.changes:
                for text in (change.made, change.known, change.until):
                    moment(text or change.made, tz)
            moments = [(moment(day, tz), n) for n, change in enumerate(a.changes) for day in self._days(change)]
        except MomentError:
            return
        yield from self._all_apply(lambda text: moment(text, tz), moments)

    def _postponed(self, path: Path, change: Change) -> Iterator[Fault]:
        if isinstance(change.value, dict):
            try:
                yield from self._condition((*path, "value"), Commencement.model_validate(change.value).when)
            except ValidationError as error:
                yield self.fault((*path, "value"), error.errors()[0]["msg"], "write {when: CONDITION}")
        elif change.value not in (NOT_YET, ON_RECEIPT):
            yield from self._day((*path, "value"), str(change.value))

    def _added(self, path: Path, target: str, value: Any) -> Iterator[Fault]:
        try:
            provision_reader().validate_python({**value, "id": target} if isinstance(value, dict) else value)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                yield self.fault((*path, "value", *item["loc"][1:]), item["msg"], "write it as under `provisions`")

    def _days(self, change: Change) -> list[str]:
        """Every day, as far as dates say, on which a change may take effect; else the day on which it was made."""
        instrument = self.agreement.instruments.get(change.in_)
        found = [
            change.made,
            change.effective,
            instrument.effective if instrument else None,
            *(instrument.received.values() if instrument else ()),
        ]
        found += [change.value] if change.op == "postpone" else []
        return [day for day in found if _is_date(day)]

    def _all_apply(self, read: Callable[[str], Moment], moments: list[tuple[Moment, int]]) -> Iterator[Fault]:
        """Every state of the text that the changes lead through must be well formed and hold together."""
        told: set[str] = set()
        changes = self.agreement.changes
        for at in sorted({m.last for m, _ in moments}):
            # The change that led here is where a fault of this state is told.
            n = next(n for m, n in moments if m.last == at)
            for fault in self._state(n, at, read):
                if fault.what not in told:
                    told.add(fault.what)
                    address = fault.what.split()[0].rstrip(":")
                    named = next((k for k, c in enumerate(changes) if c.address == address), n)
                    line = self.loaded.document.line_of(("changes", named, "value"))
                    yield Fault(fault.file, line, fault.field, fault.what, fault.do)

    def _state(self, n: int, at: datetime, read: Callable[[str], Moment]) -> Iterator[Fault]:
        path: Path = ("changes", n, "value")
        agreement = self.agreement
        try:
            # What waits for a condition must fit when that comes true, which may be as soon as it is made.
            standing = provisions_in_force(
                self.loaded.base,
                agreement.changes,
                at,
                read,
                lambda _: True,
                instruments=agreement.instruments,
                came_true=lambda text, _without: Moment(text, at, at),
            )
            for reading in agreement.readings:
                provisions_in_force(
                    self.loaded.base,
                    agreement.changes,
                    at,
                    read,
                    lambda _: True,
                    instruments=agreement.instruments,
                    reading=reading,
                )
        except ChangeError as error:
            yield self.fault(path, str(error), "correct the target, or the order of changes")
            return
        except ValidationError as error:
            for item in error.errors(include_url=False):
                yield self.fault(path, f"after the changes up to {at.date()}: {item['msg']}", "correct the value that is put in")
            return
        changed = {_target(change) for change in self.agreement.changes}
        for provision in standing.provisions.values():
            if provision.id in changed:
                yield from self._provision(path, provision)
                yield from self._dates(path, provision, read)
        yield from self._cycles(path, standing.provisions.values())

    def _dates(self, path: Path, provision: Any, read: Callable[[str], Moment]) -> Iterator[Fault]:
        for key in ("from_", "until", "by"):
            text = getattr(provision, key, None)
            try:
                if isinstance(text, str):
                    read(text)
            except MomentError as error:
                yield self.fault(path, str(error), "correct the date")

    def cycles(self) -> Iterator[Fault]:
        """Statuses that wait for each other at the same instant have no meaning and are refused."""
        yield from self._cycles(("provisions",), self.every)

    def _cycles(self, path: Path, provisions: Iterable[Any]) -> Iterator[Fault]:
        graph: dict[str, set[str]] = {}
        duties: dict[str, Duty] = {}
        for provision in provisions:
            texts = [text for name in _CONDITIONS if (text := getattr(provision, name, None))]
            texts += [case.when for case in getattr(provision, "cases", ()) if case.when]
            instrument = self.agreement.instruments.get(provision.in_instrument or "")
            if instrument is not None and isinstance(instrument.effective, Commencement):
                texts.append(instrument.effective.when)
            needs = set(provision.claims) if isinstance(provision, Duty) else set()
            needs |= {node for text in texts for node in self._waits_for(text)} | set(getattr(provision, "unless", ()))
            graph.setdefault(f"@{provision.id}", set()).update(needs)
            for lifted in provision.to if isinstance(provision, Exception_) else ():
                graph.setdefault(lifted, set()).add(f"@{provision.id}")
            if isinstance(provision, Duty):
                duties[provision.id] = provision
        for claim in self.agreement.claims:
            starts = [d.in_force for r in claim.duty if (d := duties.get(r.lstrip("@"))) and d.in_force]
            graph.setdefault(claim.id, set()).update(node for text in starts for node in self._waits_for(text))
        for state in self.agreement.states:
            if state.when:
                graph.setdefault(f"atom {atom_of(state.atom)}", set()).update(self._waits_for(state.when))
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = [str(name).removeprefix("atom ") for name in error.args[1]]
            if path == ("provisions",):
                path = ("provisions", next((n for n, p in enumerate(self.agreement.provisions) if f"@{p.id}" in circle), 0))
            what = "these wait for each other at the same instant: " + " -> ".join(circle)
            if what in self.circles:
                return
            self.circles.add(what)
            yield self.fault(path, what, "let one of them look at an earlier event instead")

    def _waits_for(self, text: str) -> set[str]:
        parsed = condition(text)
        names = {reference.lstrip("@").split(".")[0] for reference in parsed.references}
        return {name if name in self.claims else f"@{name}" for name in names} | {f"atom {atom}" for atom in parsed.atoms}


def _is_date(effective: Any) -> TypeGuard[str]:
    return isinstance(effective, str) and effective not in (NOT_YET, ON_RECEIPT)


def _new_ids(agreement: Agreement) -> set[str]:
    """Ids that changes bring in: provisions added, exceptions that limit, new numbers."""
    found = set()
    for change in agreement.changes:
        aim = change.aim
        if change.op in ("add", "insert") and not aim.path:
            found.add(aim.name)
        elif change.op == "renumber":
            found.add(str(change.value).lstrip("@"))
        elif change.op == "limit" and isinstance(change.value, dict):
            found.add(str(change.value.get("id", f"{aim.name}-limit-{change.in_}-{change.n}")))
    return found


def _added(agreement: Agreement) -> list[Any]:
    """Provisions that changes add, as far as they are well formed."""
    found = []
    for change in agreement.changes:
        if change.op in ("add", "insert") and "." not in change.target and isinstance(change.value, dict):
            try:
                found.append(provision_reader().validate_python({**change.value, "id": change.target.lstrip("@")}))
            except ValidationError:
                continue
    return found


def _target(change: Change) -> str:
    return change.target.lstrip("@").split(".")[0]


def _links(provision: Any) -> Iterator[tuple[str, str]]:
    """Every (key, reference) from one provision to another."""
    groups: list[tuple[str, Any]] = []
    if isinstance(provision, Duty):
        proof = (provision.proof,) if provision.proof else ()
        groups = [("in_return_for", provision.in_return_for), ("unless", provision.unless), ("proof", proof)]
    elif isinstance(provision, Exception_):
        groups = [("to", provision.to), ("unless", provision.unless)]
    elif isinstance(provision, Proof):
        groups = [("for", provision.for_)]
    elif isinstance(provision, Liberty) and provision.ended_by:
        groups = [("ended_by", (provision.ended_by,))]
    elif isinstance(provision, Power) and provision.effect:
        ends = () if provision.effect.end == "all" else provision.effect.end
        groups = [("effect", (*provision.effect.suspend, *provision.effect.resume, *ends))]
    for key, references in groups:
        for reference in references:
            yield key, reference
