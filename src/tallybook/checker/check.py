"""The checker: takes an explanation and the books of a case, and complains of every step that does not follow.

It shares no code with what computes verdicts: it has its own tables, its own reading of rows, conditions and changes. It
takes any JSON value and never raises for what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.checker.below import take_accounts
from tallybook.checker.books import Books, Complaint
from tallybook.checker.changes import CannotTellError, MisfitError
from tallybook.checker.leaves import check_leaf
from tallybook.checker.life import STATUSES, life, standing
from tallybook.checker.lives import check_life
from tallybook.checker.measures import check_measure
from tallybook.checker.methods import Account
from tallybook.checker.rows import File, words
from tallybook.checker.rules import QUESTION, RULES
from tallybook.checker.tables import TURNED, WEAKEST_FIRST
from tallybook.checker.verdict import Verdict
from tallybook.checker.walk import Complaints, Step, form_faults, instant
from tallybook.checker.world import World


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how many steps and leaves it went through, and its complaints."""

    steps: int
    leaves: int
    complaints: tuple[Complaint, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether there is no complaint."""
        return not self.complaints

    def as_json(self) -> dict[str, Any]:
        """The check as JSON."""
        return {"steps": self.steps, "leaves": self.leaves, "complaints": [c.as_json() for c in self.complaints]}


def check(explanation: object, books: Books) -> list[Complaint]:
    """What is wrong with an explanation: a tree, or what `why --json` prints. Empty where it is accepted.

    Raises BooksError where the books themselves cannot be read.
    """
    return list(checked(explanation, books).complaints)


def checked(explanation: object, books: Books) -> Checked:
    """The same, with how much was checked."""
    out = Complaints()
    given = explanation if isinstance(explanation, dict) else {}
    trees = given.get("because") if "rule" not in given else [given]
    if not isinstance(trees, list) or not trees:
        out.found.append(Complaint("0", "", "form", "an explanation: a step, or a list of steps under `because`", "none"))
        return Checked(0, 0, tuple(out.found))
    for n, tree in enumerate(trees):
        inner = Complaints()
        form_faults(tree, inner)
        out.found += [_moved(complaint, n) for complaint in inner.found]
    if out.found:
        return Checked(0, 0, tuple(out.found))
    roots = [Step(tree, str(n)) for n, tree in enumerate(trees)]
    steps = [step for root in roots for step in root.walk()]
    for step in steps:
        if step.rule not in RULES:
            out.add(step, "rule", "one of the published rules", step.rule)
    if not out.found:
        _check_roots(roots, given, books, out)
    leaves = sum(not step.children for step in steps)
    return Checked(len(steps), leaves, tuple(dict.fromkeys(out.found)))


def _moved(complaint: Complaint, n: int) -> Complaint:
    path = f"{n}{complaint.path[1:]}"
    return Complaint(path, complaint.rule, complaint.what, complaint.expected, complaint.found)


def _check_roots(roots: list[Step], given: Mapping[str, Any], books: Books, out: Complaints) -> None:
    first = roots[0]
    for root in roots:
        for name in QUESTION:
            if root.facts.get(name) != first.facts.get(name):
                out.add(root, name, first.facts.get(name), root.facts.get(name))
    on, known = (instant(first.facts.get(name)) for name in ("on", "known"))
    if on is None or known is None:
        out.add(first, "on, known", "instants with their offset", [first.facts.get("on"), first.facts.get("known")])
        return
    if first.rule != "duty" and len(roots) != 1:
        out.add(first, "steps", "one tree", len(roots))
        return
    asked = _Question(books, on, known, str(first.facts.get("reading")), out)
    for step in (step for root in roots for step in root.walk() if step.report or not step.children):
        check_leaf(step, asked.record, out)
    asked.check(roots)
    _check_head(first, given, asked.file, out)


def _check_head(root: Step, given: Mapping[str, Any], file: File, out: Complaints) -> None:
    """What `why --json` says around the trees is what they say."""
    if "name" in given:
        name = str(given["name"])
        file_id = name[1:]
        line = next((entry for entry in file.listed("board") if entry.get("id") == name), {"claim": name})
        own = "duty" if root.rule == "duty" else "provision"
        wanted = (own, file_id) if name.startswith("@") else ("measure", line["measure"]) if line.get("measure") else ("", "")
        wanted = wanted if wanted[0] else ("claim", line.get("claim"))
        out.expect(root, wanted[0], wanted[1], root.facts.get(wanted[0]))
    if "words" in given and str(given["words"]) not in root.says:
        out.add(root, "words", root.says, given["words"])


class _Question:
    """The books under the question that an explanation answers."""

    def __init__(self, books: Books, on: datetime, known: datetime, reading: str, out: Complaints) -> None:
        self.file, self.on, self.out, self.reading = File(books, known), on, out, reading
        self.world = World(self.file, on, reading)
        self.provisions, self.record = self.world.provisions, self.world.facts
        readings = ["plain", *self.file.agreement.get("readings", {})]
        self._is_reading = reading in readings

    def check(self, roots: list[Step]) -> None:
        """Check every tree by the rule at its root."""
        root = roots[0]
        if not self._is_reading:
            self.out.add(root, "reading", "a reading of the case", root.facts.get("reading"))
        try:
            for tree in roots:
                take_accounts(tree, self.world, self.out)
            if root.rule == "ladder":
                self._ladder(root)
            elif root.rule == "duty":
                self._duty(root, roots[1:])
            elif root.rule == "provision":
                self._provision(root)
            elif root.rule == "measure":
                check_measure(root, self.world, self._asked(root), self.out)
            else:
                self.out.add(root, "rule", "ladder, duty, provision or measure at the root", root.rule)
        except RecursionError:
            self.out.add(root, "agreement", "provisions that do not wait for each other in a circle", "a circle")
        except MisfitError as error:
            self.out.add(root, "changes", "changes that can be put together", str(error))
        except CannotTellError:
            # The very text waits for a verdict that nothing tells.
            return

    @staticmethod
    def _asked(root: Step) -> dict[str, Any]:
        return {name: root.facts.get(name) for name in QUESTION}

    def _ladder(self, root: Step) -> str | None:
        if root.rule != "ladder":
            self.out.add(root, "rule", "ladder", root.rule)
            return None
        claim = self.file.claim(str(root.facts.get("claim")))
        if claim is None:
            self.out.add(root, "claim", "a claim of the case", root.facts.get("claim"))
            return None
        if not root.children:
            self.out.expect(root, "quote", ("agreement.yaml", str(claim.get("says"))), root.quote)
        verdict = Verdict(root, self.world, self.out, claim)
        found = verdict.check()
        if claim.get("quantity"):
            # No step of an account: no report gives a number.
            account = verdict.account() or Account(None, 0.0, None, None, frozenset())
            self.world.accounts[str(claim.get("id")), self.on, self.reading] = account
        return found

    def _duty(self, root: Step, rest: list[Step]) -> None:
        name = str(root.facts.get("duty"))
        duty = self.provisions.get(name)
        if duty is None or duty.get("kind") != "duty":
            self.out.add(root, "duty", "a duty of the case", name)
            return
        told = [str(c.get("id")) for c in self.file.listed("claims") if c.get("id") in words(duty.get("claims"))]
        self.out.expect(root, "claims", told, [str(step.facts.get("claim")) for step in rest])
        found = [(step, self._ladder(step)) for step in rest]
        verdict = self._weakest([(step, word) for step, word in found if word is not None])
        owed = duty.get("owed") or {}
        by, to = str(owed.get("by")), str(owed.get("to"))
        given = {**self._asked(root), "waits_for": root.facts.get("waits_for"), "reasons": root.facts.get("reasons")}
        own = {"duty": str(duty.get("id")), "by": by, "to": to, "verdict": verdict}
        self.out.facts(root, {**given, **own, **self._life(root, duty)})
        status, state = root.facts.get("status"), root.facts.get("state")
        says = f"@{name}: {status}, {state}" + (f"; verdict {verdict}" if verdict else "") + f". Owed by {by} to {to}."
        says += f" Waits for {', '.join(waits)}." if (waits := words(root.facts.get("waits_for"))) else ""
        says += f" Because: {'; '.join(reasons)}." if (reasons := words(root.facts.get("reasons"))) else ""
        self.out.says(root, says)
        self._below(root, duty)

    def _life(self, root: Step, duty: Mapping[str, Any]) -> dict[str, Any]:
        """What a duty is, worked out anew; where that waits for a verdict that nothing tells, what its last step says."""
        try:
            found = life(self.world, duty)
        except CannotTellError:
            last = root.children[-1] if root.children else root
            given = {name: last.facts.get(name) for name in ("status", "state")}
            return {**given, "missed": root.facts.get("missed"), "due": root.facts.get("due")}
        missed = self.world.show(found.missed) if found.missed is not None else ""
        return {"status": found.status, "state": found.state, "due": found.due.text, "missed": missed}

    def _weakest(self, found: list[tuple[Step, str]]) -> str:
        """All that a duty covers: the weakest word, that of bad news turned round."""
        told = []
        for step, word in found:
            claim = self.file.claim(str(step.facts.get("claim"))) or {}
            told.append(TURNED.get(word, word) if claim.get("performed_when") == "against" else word)
        return min(told, key=WEAKEST_FIRST.index, default="")

    def _provision(self, root: Step) -> None:
        name = str(root.facts.get("provision"))
        provision = self.provisions.get(name)
        if provision is None or provision.get("kind") == "duty":
            self.out.add(root, "provision", "a provision of the case other than a duty", name)
            return
        kind = str(provision.get("kind"))
        try:
            status = standing(self.world, provision)
        except CannotTellError:
            status = str(root.facts.get("status"))
            if status not in STATUSES:
                self.out.add(root, "status", " or ".join(STATUSES), status)
        self.out.facts(root, {**self._asked(root), "provision": str(provision.get("id")), "kind": kind, "status": status})
        self.out.says(root, f"@{name}, a {kind}: {status}.")
        self._below(root, provision)

    def _below(self, root: Step, provision: Mapping[str, Any]) -> None:
        """Its quotations, what records the changes in it, and its life."""
        name, children = str(provision.get("id")), root.children
        quotes = self.provisions.quotations(dict(provision))
        rows = self.provisions.recorded_by(name)
        found = children[: len(quotes)]
        self.out.expect(root, "quotations", quotes, [child.quote for child in found])
        for child in found:
            self.out.expect(child, "rule", "quotation", child.rule)
            self.out.facts(child, {})
            self.out.says(child, f'{child.quote[0]}: "{child.quote[1]}"')
        recorded = children[len(quotes) : len(quotes) + len(rows)]
        self.out.expect(root, "rows that record its changes", rows, [child.report for child in recorded])
        for child in recorded:
            self.out.expect(child, "rule", "recorded", child.rule)
            self.out.facts(child, {})
            if (row := self.file.rows.get(child.report)) is not None:
                self.out.says(child, f"{row.id}, known {row.known.text}: {row.statement}")
        check_life(root, children[len(quotes) + len(rows) :], self.world, provision, (name,), self.out)
