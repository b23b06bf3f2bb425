"""tallybook formula"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import click

from tallybook.cli.options import print_json
from tallybook.errors import TallybookError
from tallybook.formula.nodes import Formula, FormulaError, Value
from tallybook.formula.obligations import Obligation, Obligations
from tallybook.formula.plain import as_text
from tallybook.formula.shape import Match
from tallybook.formula.text import parse
from tallybook.formula.trace import LONGEST_LINE, SAID, Order, TimePoint, read_log
from tallybook.formula.tree import from_json
from tallybook.formula.watch import GeneralWatch, watch

LARGEST = 200_000
_OFTEN = 100_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a formula file says."""

    formula: Formula
    variables: tuple[str, ...] | None
    title: str | None


@click.command(name="formula")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("log", metavar="LOG", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--order",
    type=click.Choice(["time", "points"]),
    default="time",
    show_default=True,
    help="What is one time-point: all events of one time-stamp, or each line of the log.",
)
@click.option("--vars", "variables", metavar="A,B", help="The variables of a row, in this order. Default: all, as they appear.")
@click.option("--obligations", is_flag=True, help="What became of each trigger of a deadline: fulfilled, violated, not yet due.")
@click.option("--fail-on-match", is_flag=True, help="Exit 1 where the formula held somewhere (or an obligation is violated).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    file: Path, log: Path, order: Order, variables: str | None, obligations: bool, fail_on_match: bool, as_json: bool
) -> int:
    """Where the formula in FILE holds in LOG, and for which values.

    FILE is plain text, such as publish(?r) and not eventually[0,7d] approve(?r), or YAML or JSON with formula, and vars and
    title if wanted. LOG is JSON lines, CSV or MonPoly's form, read as a stream; - reads standard input.
    """
    asked = _read_formula(file)
    names = tuple(name.strip() for name in variables.split(",") if name.strip()) if variables is not None else asked.variables
    if obligations and variables is not None:
        raise TallybookError("--vars and --obligations do not go together", do="leave --vars out: a row names its variables")
    try:
        with _opened(log) as stream:
            points = _counted(read_log(_lines(stream), order, where=str(log)))
            if obligations:
                found = _obligations(asked, points, order, as_json=as_json)
            else:
                found = _matches(asked, names, points, order, as_json=as_json)
    except FormulaError as error:
        raise TallybookError(str(error), where=str(file)) from error
    return 1 if found and fail_on_match else 0


def _read_formula(file: Path) -> _Asked:
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise TallybookError(f"cannot be read: {error.strerror}", where=str(file), do="name a file with a formula") from error
    if len(raw) > LARGEST:
        raise TallybookError(f"larger than {LARGEST:,} bytes", where=str(file), do="a formula file holds one formula")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TallybookError(f"not UTF-8 at byte {error.start}", where=str(file), do="save the file as UTF-8") from error
    try:
        if file.suffix in (".yaml", ".yml"):
            return _asked(_yaml(raw, file), file)
        if file.suffix == ".json" or text.lstrip().startswith("{"):
            return _asked(json.loads(text), file)
        return _Asked(parse(text), None, None)
    except FormulaError as error:
        raise TallybookError(str(error), where=str(file)) from error
    except (ValueError, RecursionError) as error:
        raise TallybookError(f"no JSON: {str(error)[:100]}", where=str(file), do="mend the file") from error


def _yaml(raw: bytes, file: Path) -> object:
    from tallybook.agreement.yamltext import read_yaml

    document = read_yaml(raw, file.name)
    if document.faults:
        fault = document.faults[0]
        raise TallybookError(fault.what, where=f"{file}:{fault.line}", do=fault.do)
    return document.data


def _asked(data: object, file: Path) -> _Asked:
    if isinstance(data, dict) and ("pred" in data or "op" in data):
        return _Asked(from_json(data), None, None)
    if not isinstance(data, dict) or "formula" not in data or set(data) - {"formula", "vars", "title"}:
        do = "write formula: (text or tree), and vars: [a, b] and title: if wanted"
        raise TallybookError("the file holds something else than formula, vars and title", where=str(file), do=do)
    names, title = data.get("vars"), data.get("title")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise TallybookError("vars is no list of names", where=str(file), do="write vars: [a, b]")
    if title is not None and not isinstance(title, str):
        raise TallybookError("title is no text", where=str(file), do="put it in quotation marks")
    formula = parse(data["formula"]) if isinstance(data["formula"], str) else from_json(data["formula"])
    return _Asked(formula, None if names is None else tuple(names), title)


@contextmanager
def _opened(log: Path) -> Iterator[TextIO]:
    try:
        if str(log) == "-":
            yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
        else:
            with log.open(encoding="utf-8", newline="") as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TallybookError(f"cannot be read: {error.strerror}", where=str(log), do="name a log") from error
    except UnicodeDecodeError as error:
        raise TallybookError("not UTF-8", where=str(log), do="save the log as UTF-8") from error


def _lines(stream: TextIO) -> Iterator[str]:
    """Lines of bounded length: a longer one comes in pieces, the first of which read_log refuses."""
    while line := stream.readline(LONGEST_LINE + 1):
        yield line


def _counted(points: Iterable[TimePoint]) -> Iterator[TimePoint]:
    """The same, with a count on a terminal where the log is long."""
    shown = sys.stderr.isatty()
    number = 0
    for number, point in enumerate(points, 1):
        if shown and number % _OFTEN == 0:
            click.echo(f"\r{number:,} time-points", nl=False, err=True)
        yield point
    if shown and number >= _OFTEN:
        click.echo("\r", err=True)


def _matches(asked: _Asked, names: tuple[str, ...] | None, points: Iterable[TimePoint], order: Order, *, as_json: bool) -> bool:
    watching = watch(asked.formula, order, names)
    seen = 0

    def found() -> Iterator[Match]:
        nonlocal seen
        for point in points:
            seen += 1
            yield from watching.feed(point)

    shown = [name.removeprefix("?") for name in watching.variables]
    verdicts: list[dict[str, Any]] = []
    held = False
    if not as_json:
        _head(asked, order)
    for (tp, ts), matches in groupby(found(), key=lambda match: match[:2]):
        rows = sorted((match.row for match in matches), key=_sorting)
        held = True
        if as_json:
            verdicts.append({"tp": tp, "ts": ts, "sat": [list(row) for row in rows] if shown else True})
        else:
            told = "; ".join(_row(shown, row) for row in rows) if shown else "holds"
            click.echo(f"@{ts} (time-point {tp}): {told}")
    waiting = watching.undetermined()
    if as_json:
        out: dict[str, Any] = {"title": asked.title} if asked.title else {}
        out |= {"formula": as_text(asked.formula), "vars": shown, "order": SAID[order]}
        out |= {"monitor": "general" if isinstance(watching, GeneralWatch) else "specialised", "points": seen}
        print_json(out | {"verdicts": verdicts, "undetermined": [tp for tp, _ in waiting]})
        return held
    if not held:
        click.echo("holds nowhere" if not waiting else "holds nowhere so far")
    if waiting:
        (first, since), (last, _) = waiting[0], waiting[-1]
        several = f"time-points {first} to {last}, from" if last > first else f"time-point {first},"
        click.echo(f"not yet determined: {several} @{since}")
    return held


def _head(asked: _Asked, order: Order) -> None:
    if asked.title:
        click.echo(_plain(asked.title))
    click.echo(f"{as_text(asked.formula)} ({SAID[order]})")


def _obligations(asked: _Asked, points: Iterable[TimePoint], order: Order, *, as_json: bool) -> bool:
    following = Obligations(asked.formula)
    shown = [name.removeprefix("?") for name in following.variables]
    rows: list[dict[str, Any]] = []
    violated = False

    def tell(one: Obligation) -> None:
        if as_json:
            values = dict(zip(shown, one.row, strict=True))
            row: dict[str, Any] = {"tp": one.tp, "ts": one.ts, "values": values, "status": one.status, "due": one.due}
            rows.append(row if one.at is None else row | {"at": one.at})
            return
        when = {"fulfilled": f"at @{one.at}", "violated": f"its window closed at @{one.due}"}.get(one.status, f"due @{one.due}")
        values_told = f" {_row(shown, one.row)}" if shown else ""
        click.echo(f"@{one.ts} (time-point {one.tp}){values_told}: {one.status}, {when}")

    if not as_json:
        _head(asked, order)
    for point in points:
        for one in sorted(following.feed(point), key=lambda one: (one.tp, _sorting(one.row))):
            violated = violated or one.status == "violated"
            tell(one)
    for one in sorted(following.open(), key=lambda one: (one.tp, _sorting(one.row))):
        tell(one)
    if as_json:
        out: dict[str, Any] = {"title": asked.title} if asked.title else {}
        print_json(out | {"formula": as_text(asked.formula), "vars": shown, "order": SAID[order], "obligations": rows})
    return violated


def _sorting(row: tuple[Value, ...]) -> list[tuple[str, float, str]]:
    """Numbers before texts, each in its order."""
    return [
        ("", value, "") if isinstance(value, int | float) and not isinstance(value, bool) else ("x", 0, str(value))
        for value in row
    ]


def _row(names: list[str], row: tuple[Value, ...]) -> str:
    return ", ".join(f"{name}={_told(value)}" for name, value in zip(names, row, strict=True))


def _told(value: Value) -> str:
    return _plain(json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    """The text, with characters that a terminal might obey or hide written as escapes."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
