"""The rules of a verdict on a claim, re-applied to the rows: each step's facts, sentence and what stands below it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tallybook.checker.accounts import check_quantity, is_number, quotations
from tallybook.checker.changes import CannotTellError
from tallybook.checker.claims import duties_of, gaps, required
from tallybook.checker.duties import DutyStep, Readings, duty_steps
from tallybook.checker.exhibits import expect_exhibits
from tallybook.checker.methods import Account, MethodBook, Methods, completeness, correctness
from tallybook.checker.provisions import Provisions
from tallybook.checker.rows import File, Row, mapping, words
from tallybook.checker.sentences import cluster_says, side_says, verdict_says
from tallybook.checker.tables import LADDER
from tallybook.checker.walk import Complaints, Step
from tallybook.checker.weighing import Grouped, Owed, Weigher, Weight, Worth, coverage, is_look, weight
from tallybook.checker.world import World
from tallybook.core.time import duration, shifted

MOST_CITED = 5


@dataclass(slots=True)
class Verdict:
    """One verdict under check: the step at its root, what it answers, and what the checker found out by itself."""

    root: Step
    world: World
    out: Complaints
    claim: Mapping[str, Any]
    duties: list[DutyStep] = field(default_factory=list)
    worths: list[Worth] = field(default_factory=list)
    sides: dict[str, Weight] = field(default_factory=dict)
    places: dict[str, list[str]] | None = None
    meaning: Readings | None = None
    standard: tuple[str, float, dict[str, Any] | None] | None = None
    methods: Methods | None = None
    gaps: list[list[str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def file(self) -> File:
        """The books."""
        return self.world.file

    @property
    def provisions(self) -> Provisions:
        """The provisions as they stand."""
        return self.world.provisions

    @property
    def on(self) -> datetime:
        """The date asked about."""
        return self.world.on

    def check(self) -> str | None:
        """Check the whole tree; returns the verdict word that the rules give, None where the claim is not covered."""
        self.duties = duty_steps(self.root)
        with suppress(CannotTellError):
            begun = duties_of(self.world, self.claim)
            self.out.expect(self.root, "duties", [str(d.get("id")) for d, _ in begun], [duty.name for duty in self.duties])
            self.gaps = [[place, *map(self.world.show, times)] for place, *times in gaps(self.file, self.claim, self.on, begun)]
        since = self.duties[0].since if self.duties else None
        owed = Owed(frozenset(duty.by for duty in self.duties), since)
        weigher = Weigher(self.file, self.claim, self.on, owed)
        self.worths = weigher.weigh()
        if (wanted := mapping(self.claim.get("coverage"))) and wanted.get("within"):
            self.places = coverage(self.file, self.claim, self.on, self._oldest())
            if self.places["partly"] or self.places["not_looked"]:
                self.worths = [weigher.as_part(worth) for worth in self.worths]
        self.sides = {bears: weight(self.file, self.worths, bears) for bears in ("for", "against")}
        self.meaning = Readings.of(self.world, self.claim, self.duties)
        self.standard = self._required()
        self.methods = self._methods()
        return self._ladder()

    def _oldest(self) -> datetime:
        return shifted(self.on, -duration(str(mapping(self.claim.get("coverage")).get("within"))))

    @property
    def _covered(self) -> bool | None:
        return None if self.places is None else not (self.places["partly"] or self.places["not_looked"])

    def _required(self) -> tuple[str, float, dict[str, Any] | None] | None:
        """The standard required, its bound and the proof: of the first duty in force whose proof names one."""
        try:
            return required(self.world, [self.provisions.get(step.name) or {} for step in self.duties])
        except CannotTellError:
            name, at_least = self.root.facts.get("standard"), self.root.facts.get("at_least")
            if isinstance(name, str):
                self.out.expect(self.root, "at_least", self.file.entry("standards", name).get("at_least"), at_least)
                return name, float(at_least) if isinstance(at_least, int | float) else 1.0, None
            return None

    def _tree(self) -> Any:
        """The tree of methods: that of the proof, or the one given where the checker cannot tell how the proof reads."""
        if self.standard is not None and self.standard[2] is not None:
            return self.standard[2].get("methods")
        return next((child.facts.get("tree") for child in self.root.children if child.rule == "methods"), None)

    def _methods(self) -> Methods | None:
        question = None if self.claim.get("quantity") else "completeness"
        book = MethodBook(self.provisions, words(self.claim.get("places")))
        try:
            return book.found(self._tree() if self.standard else None, self._favour, question)
        except CannotTellError:
            return None

    @property
    def _favour(self) -> list[Worth]:
        return [worth for worth in self.worths if worth.bears == "for"]

    def asked(self) -> tuple[str | None, str | None]:
        """The words on the two questions, from the probabilities that the account gives."""
        if not self.claim.get("quantity"):
            return None, None
        account = self.account()
        if account is None:
            # No report gives a number: what is said without one.
            account = Account(None, 0.0, None, None, frozenset())
        book = MethodBook(self.provisions, words(self.claim.get("places")))
        tree = self._tree() if self.standard else None
        bar = self.standard[1] if self.standard else 1.0
        given = (book, tree, bar, self._favour, account, self.sides["for"], self.file.good_evidence)
        try:
            return correctness(*given), completeness(*given)
        except CannotTellError:
            return self.root.facts.get("correctness"), self.root.facts.get("completeness")

    def account(self) -> Account | None:
        """What the explanation says of the account of a quantity, if anything."""
        step = next((child for child in self.root.children if child.rule == "quantity"), None)
        if step is None:
            return None
        numbers = [step.facts.get(name) for name in ("declared", "p_declared_removed", "p_none_left")]
        removed = step.facts.get("removed")
        middle = removed[1] if isinstance(removed, list) and len(removed) == 3 else None
        if not all(v is None or is_number(v) for v in numbers) or not is_number(middle):
            self.out.add(step, "numbers", "numbers", step.facts)
            return None
        declared, p_out, p_none = numbers
        reports = tuple(child.report for child in step.children)
        return Account(declared, float(middle or 0), p_out, p_none, frozenset(reports), reports)

    def _ladder(self) -> str | None:
        for_, against = self.sides["for"], self.sides["against"]
        table = LADDER[for_.strength, against.strength]
        asked = self.asked()
        met = self.methods.all_met if self.methods is not None else self.root.facts.get("methods_met")
        verdict: str | None = table
        meaning = self.meaning
        if meaning is not None and meaning.open_words:
            verdict = "unclear"
        elif self._is_verified(table, for_, met, asked):
            verdict = "verified"
        facts: dict[str, Any] = {
            "for": [round(v, 4) for v in for_.bounds],
            "against": [round(v, 4) for v in against.bounds],
            "prior": [round(v, 4) for v in self.file.prior],
            "for_side": for_.strength,
            "against_side": against.strength,
            "good_evidence": self.file.good_evidence,
            **{name: self.root.facts.get(name) for name in ("on", "known", "reading", "claim")},
            "table": table,
            "duties": [duty.name for duty in self.duties],
            "standard": self.standard[0] if self.standard else None,
            "at_least": self.standard[1] if self.standard else None,
            "methods_met": met,
            "covered": self._covered,
            "correctness": asked[0],
            "completeness": asked[1],
        }
        facts |= meaning.outcome(verdict) if meaning is not None else self._given_outcome()
        self.out.facts(self.root, facts)
        reasons = meaning.reasons(verdict) if meaning is not None else []
        self.reasons = reasons
        if meaning is not None:
            self.out.says(self.root, verdict_says(str(self.claim.get("says")), facts, reasons, self.methods, for_.bounds[0]))
        self._below(facts)
        found = facts["verdict"]
        return found if isinstance(found, str) else None

    def _given_outcome(self) -> dict[str, Any]:
        """Where the checker cannot tell how a definition reads, the outcome as given."""
        return {name: self.root.facts.get(name) for name in ("verdict", "state", "about", "readings")}

    def _is_verified(self, table: str, for_: Weight, met: object, asked: tuple[str | None, str | None]) -> bool:
        if table != "supported" or self.standard is None or for_.bounds[0] < self.standard[1] or met is not True:
            return False
        return self._covered is not False and not self.gaps and asked in ((None, None), ("verified", "verified"))

    def _below(self, facts: Mapping[str, Any]) -> None:
        groups = {
            "word": [w for w in self.worths if w.is_word and w.bears != "neither" and not w.is_baseline],
            "baseline": [w for w in self.worths if w.is_baseline],
            "neither": [w for w in self.worths if w.bears == "neither"],
        }
        has_methods = self.standard is not None and (self.methods is None or bool(self.methods.met or self.methods.missing))
        reasons = self.reasons
        found = [child.rule for child in self.root.children]
        wanted = {
            "side-for": bool(self.sides["for"].clusters),
            "side-against": bool(self.sides["against"].clusters),
            **{rule: bool(worths) for rule, worths in groups.items()},
            "coverage": self.places is not None,
            "meaning": bool(reasons) if self.meaning is not None else "meaning" in found,
            "standard": self.standard is not None,
            "methods": has_methods if self.methods is not None else "methods" in found,
            "quantity": bool(self.claim.get("quantity")) and "quantity" in found,
            "duties": bool(self.duties),
        }
        if not self.out.rules(self.root, [rule for rule, is_there in wanted.items() if is_there]):
            return
        for child in self.root.children:
            if child.rule in groups:
                self._group(child, groups[child.rule])
            elif child.rule.startswith("side-"):
                self._side(child, child.rule.removeprefix("side-"))
            else:
                _RULES[child.rule](self, child)

    def _side(self, step: Step, name: str) -> None:
        side = self.sides[name]
        self.out.facts(
            step,
            {"prior": list(self.file.prior), "bounds": list(side.bounds), "moving": side.moving, "strength": side.strength},
        )
        self.out.says(step, side_says(name, side, self.file.good_evidence))
        expected = ["report" if len(group.members) == 1 else "cluster" for group in side.clusters]
        if self.out.rules(step, expected):
            for child, group in zip(step.children, side.clusters, strict=True):
                self._cluster(child, group)

    def _cluster(self, step: Step, group: Grouped) -> None:
        if step.rule == "report":
            self._report(step, group.best)
        else:
            ratio = group.best.ratio
            facts = {"cluster": group.name, "ratio": list(ratio) if ratio else None, "whole": group.best.whole}
            self.out.facts(step, facts)
            self._group_members(step, list(group.members))
        self.out.says(step, cluster_says(group))

    def _group_members(self, step: Step, worths: list[Worth]) -> None:
        self.out.expect(step, "reports", [worth.row.id for worth in worths], [child.report for child in step.children])
        by_id = {worth.row.id: worth for worth in worths}
        for child in step.children:
            if child.report in by_id and child.rule == "report":
                self._report(child, by_id[child.report])
                self.out.says(child, by_id[child.report].says())
            else:
                self.out.add(child, "rule", "report", f"{child.rule} {child.report}")

    def _report(self, step: Step, worth: Worth) -> None:
        self.out.expect(step, "report", worth.row.id, step.report)
        self.out.facts(step, worth.facts())
        expect_exhibits(step, self.file, worth.row, self.out)

    def _group(self, step: Step, worths: list[Worth]) -> None:
        self.out.facts(step, {"reports": len(worths)})
        self.out.says(step, _GROUPS[step.rule])
        self._group_members(step, worths)

    def _coverage(self, step: Step) -> None:
        wanted, places = mapping(self.claim.get("coverage")), self.places or {}
        by = words(wanted.get("by"))
        within = str(wanted.get("within"))
        self.out.facts(step, {**places, "within": within, "by": by, "complete": self._covered, "gaps": self.gaps})
        told = [f"{name.replace('_', ' ')}: {', '.join(names)}" for name, names in places.items() if names]
        self.out.says(step, f"Coverage within {within}: {'; '.join(told)}.")
        looks = [(place, row) for place in places.get("looked", ()) if (row := self._newest_look(place, by)) is not None]
        self.out.expect(step, "looks", [row.id for _, row in looks], [child.report for child in step.children])
        if not looks:
            self.out.expect(step, "quote", ("agreement.yaml", str(self.claim.get("says"))), step.quote)
        for child, (place, row) in zip(step.children, looks, strict=False):
            self.out.expect(child, "rule", "look", child.rule)
            self.out.facts(child, {"place": place})
            self.out.says(child, f"{place} was looked at by {row.id}, {row.span}, {row.method}.")

    def _newest_look(self, place: str, methods: list[str]) -> Row | None:
        around, oldest = set(self.file.around(place)), self._oldest()
        looks = [r for r in self.file.rows.values() if is_look(r, methods, self.on, oldest)]
        looks = [r for r in looks if around & set(self.file.places_of(r.place))]
        return max(looks, key=lambda r: (r.ends.last, r.id), default=None)

    def _meaning(self, step: Step) -> None:
        if self.meaning is None:
            return
        self.out.facts(step, self.meaning.facts(self.reasons))
        self.out.says(step, "; ".join(self.reasons))
        quoted = [quote for duty in self.duties for quote in self._quotes_of(duty.name)]
        self.out.expect(step, "quote", (quoted or [("agreement.yaml", str(self.claim.get("says")))])[0], step.quote)

    def _quotes_of(self, name: str) -> list[tuple[str, str]]:
        try:
            return self.provisions.quotations(self.provisions.get(name) or {})
        except CannotTellError:
            return []

    def _standard(self, step: Step) -> None:
        name, at_least, proof = self.standard or ("", 1.0, None)
        bound = self.sides["for"].bounds[0]
        proof_id = str(proof.get("id")) if proof else step.facts.get("proof")
        facts = {"name": name, "at_least": at_least, "bound": bound, "reached": bound >= at_least, "proof": proof_id}
        self.out.facts(step, facts)
        told = "reached" if bound >= at_least else "not reached"
        self.out.says(step, f"The agreement requires the standard {name}, {at_least:g}: {told}.")
        if proof is not None:
            quotes = self.provisions.quotations(proof) + self.provisions.quoted(self.file.entry("standards", name).get("text"))
            quotations(step, quotes, self.out, name)

    def _method_steps(self, step: Step) -> None:
        methods = self.methods
        if methods is None:
            return
        question = None if self.claim.get("quantity") else "completeness"
        facts = {"met": methods.met, "missing": methods.missing, "in_part": methods.in_part, "all_met": methods.all_met}
        self.out.facts(step, {"tree": self._tree(), "question": question, **facts})
        missing = f" Missing: {', '.join(methods.missing)}." if methods.missing else ""
        self.out.says(step, f"Methods that the proof requires.{missing}")
        cited = [(name, row) for name, rows in methods.met.items() for row in rows[:MOST_CITED]]
        if not cited:
            proof = self.standard[2] if self.standard else None
            if proof is not None:
                quotations(step, self.provisions.quotations(proof), self.out, str(proof.get("id")))
            return
        self.out.expect(step, "reports", [row for _, row in cited], [child.report for child in step.children])
        for child, (name, row) in zip(step.children, cited, strict=False):
            in_part = name in methods.in_part
            self.out.expect(child, "rule", "method-met", child.rule)
            self.out.facts(child, {"method": name, "in_part": in_part})
            self.out.says(child, f"{name} is met {'in part ' if in_part else ''}by {row}.")

    def _duty_steps(self, step: Step) -> None:
        asked = [name.lstrip("@") for name in words(self.claim.get("duty"))]
        self.out.facts(step, {"asked": asked})
        self.out.says(step, "What is owed here.")
        for duty in self.duties:
            if duty.name not in asked:
                self.out.add(duty.step, "duty", f"one of {asked}", duty.name)
            with suppress(CannotTellError):
                duty.check(self.world, self.out)


_GROUPS = {
    "word": "The word of the party that owes; never an independent cluster.",
    "baseline": "What was so before the duty began is baseline, not evidence against.",
    "neither": "Read, and for neither side.",
}

_RULES = {
    "coverage": Verdict._coverage,  # noqa: SLF001
    "meaning": Verdict._meaning,  # noqa: SLF001
    "standard": Verdict._standard,  # noqa: SLF001
    "methods": Verdict._method_steps,  # noqa: SLF001
    "quantity": check_quantity,
    "duties": Verdict._duty_steps,  # noqa: SLF001
}
