"""The checker: takes an explanation and the books of a case, and complains of every step that does not follow.

It shares no code with what computes verdicts: it has its own tables, its own reading of rows, conditions and changes. It
takes any JSON value and never raises for what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.checker.books import Books, Complaint
from tallybook.checker.conditions import ConditionBook
from tallybook.checker.evaluate import Facts
from tallybook.checker.leaves import check_leaf
from tallybook.checker.provisions import CannotTellError, Provisions
from tallybook.checker.rows import File, words
from tallybook.checker.rules import QUESTION, RULES
from tallybook.checker.tables import TURNED, WEAKEST_FIRST
from tallybook.checker.verdict import Verdict
from tallybook.checker.walk import Complaints, Step, form_faults, instant

STATUSES = (
    "not enacted",
    "not in force",
    "pending",
    "in force",
    "suspended",
    "performed",
    "lapsed",
    "repealed",
)
STATES = ("not yet owed", "owed", "performed", "overdue", "breached", "withheld", "waived", "released")
_STANDINGS = {
    "permitted": "permitted by {}",
    "required": "required by {}",
    "in breach": "{} requires another state and nothing permits this one.",
    "unclear": "whether it is permitted is unclear: {}",
    "not governed": "no provision in force speaks of this state.",
}


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
    for step in (step for root in roots for step in root.walk() if not step.children):
        check_leaf(step, asked.record, out)
    asked.check(roots)
    _check_head(first, given, asked.file, out)


def _check_head(root: Step, given: Mapping[str, Any], file: File, out: Complaints) -> None:
    """What `why --json` says around the trees is what they say."""
    if "name" in given:
        name = str(given["name"])
        line = next((entry for entry in file.listed("board") if entry.get("id") == name), {"claim": name})
        wanted = ("duty", name[1:]) if name.startswith("@") else ("measure", line["measure"]) if line.get("measure") else ("", "")
        wanted = wanted if wanted[0] else ("claim", line.get("claim"))
        out.expect(root, wanted[0], wanted[1], root.facts.get(wanted[0]))
    if "words" in given and str(given["words"]) not in root.says:
        out.add(root, "words", root.says, given["words"])


class _Question:
    """The books under the question that an explanation answers."""

    def __init__(self, books: Books, on: datetime, known: datetime, reading: str, out: Complaints) -> None:
        self.file, self.on, self.out = File(books, known), on, out
        self.provisions = Provisions(self.file, on, reading)
        self.record = Facts(self.provisions)
        readings = ["plain", *self.file.agreement.get("readings", {})]
        self._is_reading = reading in readings

    def check(self, roots: list[Step]) -> None:
        """Check every tree by the rule at its root."""
        root = roots[0]
        if not self._is_reading:
            self.out.add(root, "reading", "a reading of the case", root.facts.get("reading"))
        if root.rule == "ladder":
            self._ladder(root)
        elif root.rule == "duty":
            self._duty(root, roots[1:])
        elif root.rule == "measure":
            self._measure(root)
        else:
            self.out.add(root, "rule", "ladder, duty or measure at the root", root.rule)

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
        return Verdict(root, self.file, self.provisions, self.record, self.out, claim, self.on).check()

    def _duty(self, root: Step, rest: list[Step]) -> None:
        name = str(root.facts.get("duty"))
        try:
            duty = self.provisions.get(name)
        except CannotTellError:
            duty = None
            told: list[str] = [str(step.facts.get("claim")) for step in rest]
        else:
            if duty is None or duty.get("kind") != "duty":
                self.out.add(root, "duty", "a duty of the case", name)
                return
            told = [str(c.get("id")) for c in self.file.listed("claims") if c.get("id") in words(duty.get("claims"))]
        self.out.expect(root, "claims", told, [str(step.facts.get("claim")) for step in rest])
        found = [(step, self._ladder(step)) for step in rest]
        verdict = self._weakest([(step, word) for step, word in found if word is not None])
        owed = (duty or {}).get("owed") or {name: root.facts.get(name) for name in ("by", "to")}
        conditions = [key for key in ("in_force", "when", "achieve") if (duty or {}).get(key)]
        given = {name: root.facts.get(name) for name in (*QUESTION, "status", "state", "waits_for", "reasons")}
        own = {"duty": name, "by": str(owed.get("by")), "to": str(owed.get("to")), "verdict": verdict}
        self.out.facts(root, {**given, **own, "conditions": conditions if duty else root.facts.get("conditions")})
        self._life(root, name, str(owed.get("by")), str(owed.get("to")), verdict)
        if duty is not None:
            self._below(root, duty, conditions)

    def _life(self, root: Step, name: str, by: str, to: str, verdict: str) -> None:
        """The sentence says what the facts say. Why a duty has its state is the life of duties, not re-applied here."""
        status, state = root.facts.get("status"), root.facts.get("state")
        if status not in STATUSES or state not in STATES:
            self.out.add(root, "status, state", "words of the life of a duty", [status, state])
        told = f"@{name}: {status}, {state}" + (f"; verdict {verdict}" if verdict else "") + f". Owed by {by} to {to}."
        told += f" Waits for {', '.join(waits)}." if (waits := words(root.facts.get("waits_for"))) else ""
        told += f" Because: {'; '.join(reasons)}." if (reasons := words(root.facts.get("reasons"))) else ""
        self.out.says(root, told)

    def _weakest(self, found: list[tuple[Step, str]]) -> str:
        """All that a duty covers: the weakest word, that of bad news turned round."""
        told = []
        for step, word in found:
            claim = self.file.claim(str(step.facts.get("claim"))) or {}
            told.append(TURNED.get(word, word) if claim.get("performed_when") == "against" else word)
        return min(told, key=WEAKEST_FIRST.index, default="")

    def _below(self, root: Step, duty: Mapping[str, Any], conditions: list[str]) -> None:
        children = root.children
        if not children:
            self.out.expect(root, "quote", ("agreement.yaml", str(duty.get("id"))), root.quote)
        quotes = [child for child in children if child.rule == "quotation"]
        recorded = [child for child in children if child.rule == "recorded"]
        rest = [child for child in children if child.rule not in ("quotation", "recorded")]
        if children != [*quotes, *recorded, *rest]:
            self.out.add(root, "order", "quotations, what records changes, conditions", [child.rule for child in children])
        self.out.expect(root, "quotations", self.provisions.quotations(dict(duty)), [child.quote for child in quotes])
        for child in quotes:
            self.out.facts(child, {})
            self.out.says(child, f'{child.quote[0]}: "{child.quote[1]}"')
        for child in recorded:
            row = self.file.rows.get(child.report)
            self.out.facts(child, {})
            if row is not None:
                self.out.says(child, f"{row.id}, known {row.known.text}: {row.statement}")
        self.out.expect(root, "conditions", len(conditions), len(rest))
        for child, key in zip(rest, conditions, strict=False):
            ConditionBook(str(duty[key]), self.record, self.file.tz, self.out).check(child, self.on)

    def _measure(self, root: Step) -> None:
        name = str(root.facts.get("measure"))
        if name not in (self.file.agreement.get("measures") or {}):
            self.out.add(root, "measure", "a measure of the case", name)
            return
        rows = [row for row in self.file.rows.values() if row.measure == name and row.starts.last <= self.on]
        rows.sort(key=lambda row: (row.starts.last, row.known.last, row.id), reverse=True)
        state = self.record.state(rows[0], self.on) if rows else None
        given = {key: root.facts.get(key) for key in (*QUESTION, "measure", "standing", "by_provision")}
        self.out.facts(root, {**given, "state": state})
        self.out.expect(root, "reports", [row.id for row in rows], [child.report for child in root.children])
        for child, row in zip(root.children, rows, strict=False):
            self.out.expect(child, "rule", "state", child.rule)
            self.out.facts(child, {})
            self.out.says(child, f"{row.id}: {row.state} from {row.starts.text}, known {row.known.text}: {row.statement}")
        self._standing(root, name, state, rows[0].starts.text if rows else "")

    def _standing(self, root: Step, name: str, state: str | None, since: str) -> None:
        """The provision named speaks of this measure. Whether its condition holds is not re-applied here."""
        by, standing = root.facts.get("by_provision"), str(root.facts.get("standing"))
        if standing not in _STANDINGS:
            self.out.add(root, "standing", " or ".join(_STANDINGS), standing)
            return
        told = _STANDINGS[standing].format(by)
        if state not in (None, "ended") and f" since {since}; {told}" not in root.says:
            self.out.add(root, "says", f"... since {since}; {told}", root.says)
        if not isinstance(by, str) or not by:
            self.out.expect(root, "by_provision", "", by)
            return
        try:
            provision = self.provisions.get(by.lstrip("@"))
        except CannotTellError:
            return
        if provision is None or provision.get("measure") != name:
            self.out.add(root, "by_provision", f"a provision about {name}", by)
        elif standing == "permitted" and state not in words(provision.get("states")):
            self.out.add(root, "by_provision", f"one that permits {state}", by)
