"""What has been read on one claim, by whom, and from when to when that reading stood; worked out once for every date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.claim import Claim, Rule
from tallybook.evidence.file import EvidenceFile, View
from tallybook.evidence.report import Bearing, Report
from tallybook.verdicts.weigh import Read, rule_for

if TYPE_CHECKING:
    from tallybook.verdicts.columns import Columns


@dataclass(frozen=True, slots=True)
class Reading:
    """A report as read on a claim: by a bearing, else by a rule. It stood from `known` until just before `until`."""

    position: int
    report: Report
    bearing: Bearing | None
    rule: Rule | None
    known: datetime
    until: datetime | None

    def stands(self, known: datetime) -> bool:
        """Whether it is how the report was read, on what was known."""
        return self.known <= known and (self.until is None or known < self.until)


class Readings:
    """Every reading of every report on one claim. Kept with the file, and kept up as rows are added."""

    def __init__(self, claim: Claim, agreement: Agreement, file: EvidenceFile) -> None:
        self.claim, self.agreement = claim, agreement
        self.rows: list[Reading | None] = []
        # Only what items include and where places lie is asked of the file later, and that never changes.
        self._file = file
        self._rules: dict[tuple[object, ...], Rule | None] = {}
        self._columns: Columns | None = None
        self._numbers: dict[str, list[int]] | None = None
        self._in_order = True
        self._bearings: dict[str, list[Bearing]] = {}
        for bearing in file.index.bearings_on(claim.id):
            self._bearings.setdefault(bearing.report, []).append(bearing)
        for position, report in self._candidates(file):
            self.add_report(position, report)

    def _candidates(self, file: EvidenceFile) -> Iterable[tuple[int, Report]]:
        """Reports that a bearing or a rule may read, in the order of the rows."""
        if any(not rule.when.item for rule in self.claim.rules):
            return enumerate(file.reports.values())
        items = {name for rule in self.claim.rules for item in rule.when.item for name in file.members(item)}
        found = file.index.of_items(items)
        others = {file.reports[name].item for name in self._bearings if name in file.reports} - items
        found += [pair for pair in file.index.of_items(others) if pair[1].id in self._bearings]
        return sorted(found, key=lambda pair: pair[0])

    def add_report(self, position: int, report: Report) -> None:
        """Take in a report."""
        bearings = sorted(self._bearings.get(report.id, ()), key=lambda b: (b.known.last, b.line))
        rule = self._rule(report)
        starts = [report.known.last, *(max(b.known.last, report.known.last) for b in bearings)]
        for n, bearing in enumerate([None, *bearings]):
            until = starts[n + 1] if n + 1 < len(starts) else None
            if (bearing or rule) and (until is None or starts[n] < until):
                self._add(Reading(position, report, bearing, None if bearing else rule, starts[n], until))

    def _rule(self, report: Report) -> Rule | None:
        key = told_by(report)
        if key not in self._rules:
            self._rules[key] = rule_for(self.claim, report, self._file, self.agreement.parties)
        return self._rules[key]

    def _add(self, reading: Reading) -> None:
        if self._numbers is not None:
            self._numbers.setdefault(reading.report.id, []).append(len(self.rows))
        self.rows.append(reading)
        if self._columns is not None:
            self._columns.add(reading)

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """Take in a bearing: the readings of its report are made anew."""
        if bearing.claim != self.claim.id:
            return
        self._bearings.setdefault(bearing.report, []).append(bearing)
        for number in self.numbers().pop(report.id, ()):
            self.rows[number] = None
            if self._columns is not None:
                self._columns.remove(number)
        self._in_order = False
        self.add_report(position, report)

    @property
    def counted(self) -> frozenset[str]:
        """The item classes whose number the claim is about."""
        quantity = self.claim.quantity
        return self._file.members(quantity.item) if quantity else frozenset()

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of the rows of each report, by its id."""
        if self._numbers is None:
            self._numbers = {}
            for number, reading in enumerate(self.rows):
                if reading is not None:
                    self._numbers.setdefault(reading.report.id, []).append(number)
        return self._numbers

    def in_order(self, numbers: Iterable[int]) -> list[Reading]:
        """The readings of some rows, in the order in which their reports came."""
        found = [reading for number in numbers if (reading := self.rows[number]) is not None]
        return found if self._in_order else sorted(found, key=lambda reading: reading.position)

    def reads(self, view: View) -> list[Read]:
        """How every report was read, on what was known: a bearing goes before the rules, a later one before an earlier."""
        known = view.known
        found = [reading for reading in self.rows if reading is not None and reading.stands(known)]
        if not self._in_order:
            found.sort(key=lambda reading: reading.position)
        if not view.is_whole:
            found = [reading for reading in found if reading.report.id in view.reports]
        return [(reading.report, reading.bearing, reading.rule) for reading in found]

    @property
    def columns(self) -> Columns:
        """The same rows in columns."""
        if self._columns is None:
            # Loaded only where there are many rows.
            from tallybook.verdicts.columns import Columns

            self._columns = Columns(self)
        return self._columns


def told_by(report: Report) -> tuple[object, ...]:
    """Everything of a report that a rule or a method may ask for."""
    return (
        report.table,
        report.item,
        report.stage,
        report.method,
        report.kind,
        report.measure,
        report.state,
        report.vessel,
        report.place,
        report.who,
        report.number,
        report.high,
    )


def readings_of(claim: Claim, agreement: Agreement, file: EvidenceFile) -> Readings:
    """The readings on a claim, made when first asked for and kept with the file."""
    found = file.index.derived((claim.id, id(agreement)), lambda: Readings(claim, agreement, file))
    if found.agreement is agreement and found.claim is claim:
        return found
    return Readings(claim, agreement, file)
