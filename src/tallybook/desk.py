"""The one place that wires the parts: read a case, put a question, hand it to the domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallybook import __version__
from tallybook.agreement.provision import Duty
from tallybook.casefile.files import Files, Folder
from tallybook.casefile.new import new_case as write_new_case
from tallybook.casefile.read import CaseRead, read_case
from tallybook.commitments.commitment import commitment
from tallybook.core.explanation import Because
from tallybook.core.time import MomentError, moment
from tallybook.errors import CaseFaultsError, Fault, TallybookError
from tallybook.verdicts.because import explain
from tallybook.verdicts.board import Board, BoardLine, OwedDuty, board_line, draw_board
from tallybook.verdicts.combine import duty_verdict
from tallybook.verdicts.inquiry import PLAIN, Case, Inquiry, Question
from tallybook.verdicts.sentences import in_words, said
from tallybook.verdicts.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tallybook.casefile.view import Seen
    from tallybook.checker.check import Checked
    from tallybook.codify.code import Code
    from tallybook.codify.difference import Difference
    from tallybook.lint.rules import Lint
    from tallybook.verdicts.holding import Holding
    from tallybook.verdicts.staged import StagedHolding

ENGINE = f"tallybook {__version__}"


def check_case(folder: Path) -> CaseRead:
    """Every fault in a case folder, and notes on what has no effect."""
    return read_case(folder)


def reader_files(folder: Path, database: str | None, reader: str, environment: Mapping[str, str], *, named: bool = False) -> Seen:
    """The files of a case as a reader may see them: those on file, where it has a ledger.

    Raises MarkingError for a reader that is none, NothingToShowError for one who may see nothing, StoreError.
    """
    from tallybook.registry import place as places

    place = places.place_of(folder, database, environment)
    if not places.has_ledger(place):
        return seen_by(Folder(folder), reader, named=named)
    from tallybook.registry import reading

    found, _, through = reading.for_reader(place, None, reader, named=named)
    return through(found.files())


def open_case(folder: Path, reader: str | None = None, *, named: bool = False) -> Case:
    """The case in a folder, as a reader may see it (a name in its markings.yaml, or a marking); the whole of it without.

    Raises CaseFaultsError with every fault where it cannot be used, and what `check_case` raises.
    """
    if reader is None:
        return _usable(check_case(folder), str(folder))
    seen = seen_by(Folder(folder), reader, named=named)
    return replace(_usable(read_case(seen), str(folder), reader), reader=seen.reader.name)


def _usable(read: CaseRead, place: str, reader: str | None = None) -> Case:
    if read.case is None:
        error = CaseFaultsError(place, read.faults)
        if reader is not None:
            error.do = f"tallybook check --as {reader} lists them all"
        raise error
    return read.case


def seen_by(files: Files, reader: str, *, named: bool = False) -> Seen:
    """The files of a case as a reader may see them; only one that the case names, where they must be `named`.

    Raises MarkingError for a reader that is none, NothingToShowError for one who may see nothing.
    """
    from tallybook.casefile.marked import rights_of
    from tallybook.casefile.view import Seen

    rights = rights_of(files)
    return Seen(files, rights, rights.policy.reader(reader, named=named))


@dataclass(frozen=True, slots=True)
class Opened:
    """A case, and what its user should know of the books that it was read from."""

    case: Case
    notes: tuple[str, ...] = ()


def open_filed(
    folder: Path,
    database: str | None,
    recorded: str | None,
    environment: Mapping[str, str],
    reader: str | None = None,
    *,
    named: bool = False,
) -> Opened:
    """The case from its ledger, where it has one, as it stood at a recorded time; else the case in the folder.

    With `reader` it is the case as they may see it, by the rights that hold now. Raises CaseFaultsError where it cannot be used,
    StoreError for a ledger that is missing or cannot be read, TallybookError for a recorded time of a case without a ledger, and
    what `open_case` raises.
    """
    from tallybook.registry import place as places

    place = places.place_of(folder, database, environment)
    if not places.has_ledger(place):
        if recorded is not None:
            do = "tallybook ledger init makes one; until then nothing is recorded"
            raise TallybookError(f"{folder} has no ledger", where="--recorded", do=do)
        return Opened(open_case(folder, reader, named=named))
    from tallybook.registry import reading

    if reader is not None:
        found, who, through = reading.for_reader(place, recorded, reader, named=named)
        return Opened(replace(_usable(reading.read_filed(found, through), str(folder), reader), reader=who.name, checkpoint=None))
    found = reading.on_file(place, recorded)
    case = _usable(reading.read_filed(found), place.shown)
    notes = reading.notes_on(found, case.tz) if recorded is None and folder.is_dir() else ()
    return Opened(case, tuple(notes))


def ledger_notes(folder: Path, case: Case, environment: Mapping[str, str]) -> list[Fault]:
    """How a case folder differs from its ledger, where it has one."""
    from tallybook.registry import place as places

    place = places.place_of(folder, None, environment)
    if not places.has_ledger(place):
        return []
    from tallybook.registry import reading

    do = "tallybook board and the others show what is in the ledger"
    return [Fault(places.LEDGER, 0, "", told, do) for told in reading.notes_on(reading.on_file(place), case.tz)]


@contextmanager
def filed_folder(
    folder: Path,
    database: str | None,
    recorded: str | None,
    known: datetime,
    environment: Mapping[str, str],
    reader: str | None = None,
) -> Iterator[Path]:
    """A folder that holds the case as it was opened: its own, or another that is written for a while and gone afterwards."""
    from tallybook.registry import place as places

    place = places.place_of(folder, database, environment)
    if not places.has_ledger(place) and reader is None:
        yield folder
        return
    from tempfile import TemporaryDirectory

    from tallybook.casefile.writing import write_files
    from tallybook.ledger.entry import instant_text
    from tallybook.registry import filing, reading

    with TemporaryDirectory(prefix="tallybook-") as made:
        if not places.has_ledger(place):
            write_files(seen_by(Folder(folder), reader or ""), Path(made))
        elif reader is not None:
            found, _, through = reading.for_reader(place, recorded, reader)
            write_files(through(found.files(instant_text(known))), Path(made))
        else:
            filing.export_folder(reading.on_file(place, recorded), Path(made), instant_text(known))
        yield Path(made)


def new_case(folder: Path, template: str) -> list[Path]:
    """Write a small working case. Raises TallybookError where it cannot be written."""
    return write_new_case(folder, template)


def ask(
    case: Case,
    on: str | None = None,
    known: str | None = None,
    reading: str | None = None,
    side: str | None = None,
) -> Inquiry:
    """Put a question. `known` defaults to `on`, and `on` to the case's default_as_of; a bare day means its end.

    The answer is for the reader for whom the case was opened. With `side` it is one that this party could give, on what it could
    know. Raises TallybookError for a date that is none, and for a reading or party that the case does not name.
    """
    default = case.agreement.default_as_of
    if case.as_filed is not None:
        then = case.as_filed(_instant(case, known or on or default, "--known" if known else "--on"))
        case = replace(then, reader=case.reader)
    names = [PLAIN, *(name for name in case.agreement.readings if name != PLAIN)]
    if reading is not None and reading not in names:
        raise TallybookError(f"no reading {reading!r}", where="--reading", do=f"the readings are {', '.join(names)}")
    if side is not None and side not in case.agreement.parties:
        raise TallybookError(f"no party {side!r}", where="--side", do=f"the parties are {', '.join(case.agreement.parties)}")
    on_at = _instant(case, on or known or default, "--on" if on else "--known")
    known_at = _instant(case, known or on or default, "--known" if known else "--on")
    return Inquiry(case, Question(on_at, known_at, case.reader, reading or PLAIN, side or ""), status_of)


def _instant(case: Case, text: str, option: str) -> datetime:
    try:
        return moment(text, case.tz).last
    except MomentError as error:
        raise TallybookError(str(error), where=option, do="correct the date") from error


def board(inquiry: Inquiry) -> Board:
    """The board under a question."""
    return draw_board(inquiry, ENGINE)


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of a line or of a provision."""

    name: str
    head: str
    trees: tuple[Because, ...]
    line: BoardLine | None
    duty: OwedDuty | None


def why(inquiry: Inquiry, name: str) -> Why:
    """Why a line of the board or a claim has its verdict, or a provision (`@id`) stands as it does.

    Raises TallybookError for an unknown name.
    """
    agreement = inquiry.agreement
    if name.startswith("@"):
        provision = inquiry.in_force.provisions.get(name[1:])
        if provision is None or not inquiry.enacted(provision):
            ids = [f"@{p.id}" for p in inquiry.in_force.provisions.values() if inquiry.enacted(p)]
            raise TallybookError(f"no provision {name} at that date", do=f"the provisions are {', '.join(ids) or 'none yet'}")
        return _why_provision(inquiry, provision)
    line = next((entry for entry in agreement.board if entry.id == name), None)
    if line is None and (claim := agreement.claim(name)):
        from tallybook.agreement.claim import Line

        line = Line(id=claim.id, claim=claim.id)
    if line is None:
        ids = [*(entry.id for entry in agreement.board), *(c.id for c in agreement.claims)]
        raise TallybookError(f"no line {name!r}", do=f"the lines are {', '.join(dict.fromkeys(ids))}; a duty is written @id")
    drawn = board_line(inquiry, line)
    if drawn.finding:
        return Why(name, in_words(drawn.finding), (explain(inquiry, drawn.finding),), drawn, None)
    from tallybook.verdicts.because_provision import explain_measure

    assert drawn.measure is not None
    return Why(name, drawn.measure.words, (explain_measure(inquiry, drawn.measure, drawn.title),), drawn, None)


def _why_provision(inquiry: Inquiry, provision: Any) -> Why:
    from tallybook.verdicts.because_provision import duty_head, explain_duty, explain_provision

    if not isinstance(provision, Duty):
        tree = explain_provision(inquiry, provision)
        return Why(f"@{provision.id}", tree.says, (tree,), None, None)
    verdict = duty_verdict(inquiry, provision)
    trees = (explain_duty(inquiry, provision), *(explain(inquiry, f) for f in verdict.findings))
    owed = OwedDuty(verdict, commitment(inquiry, provision))
    return Why(f"@{provision.id}", duty_head(inquiry, provision), trees, None, owed)


def check_why(folder: Path, explanation: object) -> Checked:
    """What a second, separate program says of an explanation (as `why --json` gives it) when it re-applies every step.

    Raises BooksError where the folder cannot be read by itself.
    """
    from tallybook.casefile.books import read_books
    from tallybook.checker.check import checked

    return checked(explanation, read_books(folder))


def holdings(inquiry: Inquiry, name: str | None = None) -> list[Holding | StagedHolding]:
    """The accounts of an item class, of one claim, or of every claim about a quantity, in the order of the claims.

    Raises TallybookError for an unknown name, where there are too many things to count one by one, and where no state of
    the world gives the counts.
    """
    from tallybook.verdicts.accounts import accounts_of

    return accounts_of(inquiry, name)


def solve_problem(path: Path) -> dict[str, Any]:
    """The answers to a problem stated by itself in a JSON file.

    Raises TallybookError for one that cannot be read or makes no sense, and where no state of the world gives its counts.
    """
    from tallybook.casefile.problem import read_problem_file
    from tallybook.holdings.answers import answers

    found = answers(read_problem_file(path), str(path))
    if found.get("impossible"):
        what = f"no state of the world gives these counts: {', '.join(found['looks'])} clash"
        raise TallybookError(what, where=str(path), do="correct one of them, or let it have false counts")
    return found


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line whose word moved between two known dates, with the reports that came in between and what faded."""

    id: str
    title: str
    before: str
    after: str
    new_for: tuple[str, ...]
    new_against: tuple[str, ...]
    new_other: tuple[str, ...]
    why: str

    @property
    def moved(self) -> bool:
        """Whether the word itself changed."""
        return self.before != self.after


def changes(case: Case, since: str, until: str | None, reading: str | None = None) -> tuple[Inquiry, Inquiry, list[LineChange]]:
    """What changed on the board between two dates, each as it was known then."""
    before, after = ask(case, since, since, reading), ask(case, until, until, reading)
    if before.question.known > after.question.known:
        raise TallybookError("--since is later than the date compared with", where="--since", do="exchange the two dates")
    out = []
    for line in case.agreement.board:
        old, new = board_line(before, line), board_line(after, line)
        out.append(_line_change(before, old, new))
    return before, after, out


def _line_change(before: Inquiry, old: BoardLine, new: BoardLine) -> LineChange:
    fresh: dict[str, tuple[str, ...]] = {"for": (), "against": (), "neither": ()}
    told = ""
    if new.finding:
        for bears in fresh:
            fresh[bears] = tuple(i for i in new.finding.ids(bears) if i not in before.view.reports)
        if old.shown != new.shown:
            told = said(new.finding)
            if not any(fresh.values()):
                told += " No new report: what was on file faded, or the agreement changed."
    elif new.measure:
        fresh["for"] = tuple(i for i in new.measure.reports if i not in before.view.reports)
        told = new.measure.words if old.shown != new.shown else ""
    return LineChange(new.line.id, new.title, old.shown, new.shown, fresh["for"], fresh["against"], fresh["neither"], told)


def as_dict(change: LineChange) -> dict[str, Any]:
    """A change as JSON."""
    return {
        "id": change.id,
        "title": change.title,
        "before": change.before,
        "after": change.after,
        "moved": change.moved,
        "new_for": list(change.new_for),
        "new_against": list(change.new_against),
        "new_read": list(change.new_other),
        "why": change.why,
    }


def lint(
    folder: Path,
    on: str | None = None,
    trials: int = 100,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    seen: Seen | None = None,
) -> Lint:
    """What is wrong with the agreement in a folder, or in what a reader sees of it, beyond its form.

    `trials` and `seed` are for restatements.

    Raises CaseFaultsError where the case cannot be used, TallybookError for a date that is none.
    """
    from tallybook.agreement.load import FILE, load_agreement
    from tallybook.lint import rules
    from tallybook.lint.restatement import no_progress

    files: Files = Folder(folder) if seen is None else seen
    case = _usable(read_case(files), str(folder), None if seen is None else seen.reader.name)
    lines = load_agreement(files.read(FILE)).document
    at = _instant(case, on, "--on") if on else None
    return rules.lint(case, lines.line_of, at, trials, seed, progress or no_progress)


def codify(inquiry: Inquiry) -> Code:
    """The code of guidance under a question. Raises TallybookError where the changes cannot be put together at that date."""
    from pydantic import ValidationError

    from tallybook.agreement.change import ChangeError
    from tallybook.codify.codify import codify as consolidated

    try:
        return consolidated(inquiry)
    except (ChangeError, ValidationError) as error:
        what = str(error) if isinstance(error, ChangeError) else f"a change spoils a provision: {error.errors()[0]['msg']}"
        do = "tallybook check names the change; correct it, or its target"
        raise TallybookError(what, where=f"{inquiry.case.name} on {inquiry.show(inquiry.on)}", do=do) from error


def code_difference(before: Inquiry, after: Inquiry) -> Difference:
    """What differs between the codes of guidance under two questions. Raises TallybookError as `codify` does."""
    from tallybook.codify.difference import difference

    return difference(codify(before), codify(after))
