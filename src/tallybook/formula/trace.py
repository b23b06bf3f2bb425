"""Traces: time-points with their events, as a stream, from logs of lines or from the JSON of a case.

Two ways to count time-points. *By time*: all events of one time-stamp are one time-point, so their order in the log says
nothing; that is what agreements use. *By order*: each line of the log is a time-point, and what stands later is later.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tallybook.errors import TallybookError
from tallybook.formula.nodes import Value, is_number

Order = Literal["time", "points"]
Event = tuple[str, tuple[Value, ...]]
SAID = {"time": "by time", "points": "by order"}

LONGEST_LINE = 1_000_000
LONGEST_WORD = 10_000
WIDEST = 100
MOST_EVENTS = 1_000_000
LARGEST_STAMP = 10**18

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,299})(\.\d{1,300})?([eE][+-]?\d{1,3})?\Z")
_TOKEN = re.compile(
    r'\s*(?:(?P<at>@)|(?P<mark>[(),;])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s(),;"@]+)|(?P<comment>#.*))', re.DOTALL
)


class LogError(TallybookError):
    """A log or a trace that cannot be read: says in which line, what, and what to do."""


@dataclass(frozen=True, slots=True)
class TimePoint:
    """Events at one point: its number, its time-stamp, and for each name of event the rows of arguments."""

    tp: int
    ts: float
    events: Mapping[str, Sequence[tuple[Value, ...]]] = field(default_factory=dict)


def from_case(points: object, *, where: str = "trace") -> list[TimePoint]:
    """The time-points of a trace in JSON: a list of `{"tp": 0, "ts": 10, "events": [{"pred": "P", "args": [1]}]}`.

    Raises LogError for anything else, and for time-stamps or numbers of time-points that decrease.
    """
    if not isinstance(points, list):
        raise LogError("a list of time-points is wanted", where=where, do='each is {"tp": 0, "ts": 10, "events": []}')
    made: list[TimePoint] = []
    for number, point in enumerate(points):
        place = f"{where}[{number}]"
        ts, events = _record(point, place, ("tp", "ts", "events"))
        tp = point["tp"]
        if not isinstance(tp, int) or isinstance(tp, bool) or (made and tp <= made[-1].tp):
            raise LogError("tp is no number greater than the one before", where=place, do="number the time-points in order")
        if made and ts < made[-1].ts:
            raise LogError(f"time-stamp {ts} is before the last one, {made[-1].ts}", where=place, do="sort them by time")
        made.append(TimePoint(tp, ts, _by_name(events)))
    return made


def read_log(lines: Iterable[str], order: Order, *, where: str = "log") -> Iterator[TimePoint]:
    """The time-points of a log, read line by line; the form is known by the first line that is not blank.

    - JSON lines: `{"ts": 10, "events": [{"pred": "P", "args": [1]}]}` or `{"ts": 10, "pred": "P", "args": [1]}`;
    - CSV with the header `ts,pred` and any further columns, one event a row; a cell that reads as a number or as true or
      false is one, and empty cells at the end are no arguments;
    - MonPoly's: `@10 P(1) Q("a",2)`; lines that do not begin with @ go on with the one before; bare words are texts.

    By time, lines of one time-stamp are one time-point; by order, each line (each @) is one. Numbered from 0.
    Raises LogError, with the number of the line, for what does not read and for time-stamps that decrease.
    """
    last: float | None = None
    number = 0
    held: list[Event] = []
    for line, ts, events in _read(lines, where):
        if last is not None and ts < last:
            raise LogError(f"time-stamp {ts} is before the last one, {last}", where=f"{where}:{line}", do="sort the log by time")
        if last is not None and (order == "points" or ts != last):
            yield TimePoint(number, last, _by_name(held))
            number += 1
            held = []
        if last is None or ts != last:
            last = ts
        held.extend(events)
        if len(held) > MOST_EVENTS:
            raise LogError(f"more than {MOST_EVENTS} events at time-stamp {ts}", where=f"{where}:{line}", do="split them")
    if last is not None:
        yield TimePoint(number, last, _by_name(held))


def _by_name(events: Sequence[Event]) -> dict[str, list[tuple[Value, ...]]]:
    found: dict[str, list[tuple[Value, ...]]] = {}
    for name, args in events:
        found.setdefault(name, []).append(args)
    return found


def _read(lines: Iterable[str], where: str) -> Iterator[tuple[int, float, list[Event]]]:
    """(number of the line, time-stamp, events) of each record, in the order of the log."""
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if line.strip().lstrip("\ufeff"):
            rest = _chained(number, line.lstrip("\ufeff"), numbered, where)
            first = line.strip().lstrip("\ufeff")[0]
            if first == "{":
                yield from _json_lines(rest, where)
            elif first in "@#":
                yield from _monpoly(rest, where)
            else:
                yield from _csv(rest, where)
            return


def _chained(number: int, line: str, rest: Iterator[tuple[int, str]], where: str) -> Iterator[tuple[int, str]]:
    _check_length(number, line, where)
    yield number, line
    for following, text in rest:
        _check_length(following, text, where)
        yield following, text


def _check_length(number: int, line: str, where: str) -> None:
    if len(line) > LONGEST_LINE:
        raise LogError(f"a line of more than {LONGEST_LINE} characters", where=f"{where}:{number}", do="split it")


def _json_lines(lines: Iterator[tuple[int, str]], where: str) -> Iterator[tuple[int, float, list[Event]]]:
    for number, line in lines:
        if not line.strip():
            continue
        place = f"{where}:{number}"
        try:
            node = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            do = 'write {"ts": 10, "pred": "P", "args": [1]} on one line'
            raise LogError(f"no JSON: {str(error)[:80]}", where=place, do=do) from error
        several = isinstance(node, Mapping) and "events" in node
        yield number, *_record(node, place, ("ts", "events") if several else ("ts", "pred", "args"))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The keys of an object. Raises ValueError where one stands there twice: the first would be dropped without a word."""
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key twice")
    return out


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _record(node: object, place: str, keys: tuple[str, ...]) -> tuple[float, list[Event]]:
    if not isinstance(node, Mapping):
        raise LogError("an object is wanted", where=place, do='write {"ts": 10, "events": [{"pred": "P", "args": [1]}]}')
    missing = [key for key in keys if key not in node]
    unknown = [str(key) for key in node if key not in keys and key != "tp"]
    if missing or unknown:
        what = f"{missing[0]} is missing" if missing else f"unknown key {unknown[0][:40]!r}"
        raise LogError(what, where=place, do=f"a time-point has {', '.join(keys)}")
    ts = _stamp(node["ts"], place)
    if "events" not in keys:
        return ts, [_event(node["pred"], node["args"], place)]
    if not isinstance(node["events"], list):
        raise LogError("events is no list", where=place, do='write "events": [{"pred": "P", "args": [1]}]')
    events = []
    for event in node["events"]:
        if not isinstance(event, Mapping) or set(event) != {"pred", "args"}:
            raise LogError("an event is no object with pred and args", where=place, do='write {"pred": "P", "args": [1]}')
        events.append(_event(event["pred"], event["args"], place))
    return ts, events


def _stamp(value: object, place: str) -> float:
    if not is_number(value) or abs(value) > LARGEST_STAMP:
        raise LogError("the time-stamp is no number", where=place, do="time-stamps are numbers, at most 1e18 from 0")
    return value


def _event(name: object, args: object, place: str) -> Event:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_WORD:
        raise LogError("an event has no name", where=place, do="give each event a name under pred")
    if not isinstance(args, list) or len(args) > WIDEST:
        raise LogError(f"the arguments of {name[:40]!r} are no list of at most {WIDEST}", where=place, do='write "args": [1]')
    for arg in args:
        good = len(arg) <= LONGEST_WORD if isinstance(arg, str) else arg is None or isinstance(arg, bool) or is_number(arg)
        if not good:
            do = f"arguments are texts of at most {LONGEST_WORD} characters, numbers, true, false or null"
            raise LogError(f"an argument of {name[:40]!r} cannot be used", where=place, do=do)
    return name, tuple(args)


def _cell(text: str) -> Value:
    """A bare word: a number, true, false, or else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    match = _NUMBER.match(text)
    if match is None:
        return text
    if match[2] is None and match[3] is None:
        return int(text)
    number = float(text)
    return number if is_number(number) else text


def _csv(lines: Iterator[tuple[int, str]], where: str) -> Iterator[tuple[int, float, list[Event]]]:
    at = [0]

    def texts() -> Iterator[str]:
        for number, line in lines:
            at[0] = number
            yield line

    reader = csv.reader(texts(), strict=True)
    try:
        header = [cell.strip() for cell in next(reader)]
        if header[:2] != ["ts", "pred"]:
            do = 'CSV begins with the header ts,pred,arg1,...; JSON lines with {"ts": ...; MonPoly logs with @'
            raise LogError("the form of the log is not known", where=f"{where}:{at[0]}", do=do)
        for row in reader:
            if not any(row):
                continue
            place = f"{where}:{at[0]}"
            if len(row) < 2:
                raise LogError("a row has a time-stamp and a name at least", where=place, do="write ts,pred,arg1,...")
            args = row[2:]
            while args and not args[-1]:
                args.pop()
            yield at[0], _stamp(_cell(row[0].strip()), place), [_event(row[1].strip(), [_cell(arg) for arg in args], place)]
    except csv.Error as error:
        raise LogError(f"no CSV: {error}", where=f"{where}:{at[0]}", do="close the quotation marks") from error


def _monpoly(lines: Iterator[tuple[int, str]], where: str) -> Iterator[tuple[int, float, list[Event]]]:
    reader = _Points(where)
    for number, line in lines:
        yield from reader.line(number, line)
    yield from reader.close()


class _Points:
    """Reads lines such as `@10 P(1)(2) Q("a")`, where an event may go on in the next line."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.point: tuple[int, float, list[Event]] | None = None
        # What is being read: "at" a time-stamp, a "name", the "args" of one (a value wanted), or "next" (a comma or the end).
        self.wanted = "name"
        self.name = ""
        # The name has no arguments yet.
        self.bare = False
        self.args: list[Value] = []
        self.number = 0

    def fault(self, what: str) -> LogError:
        return LogError(what, where=f"{self.where}:{self.number}", do='write points as in @10 P(1) Q("a",2)')

    def line(self, number: int, line: str) -> Iterator[tuple[int, float, list[Event]]]:
        self.number = number
        place, end = 0, len(line.rstrip())
        while place < end:
            match = _TOKEN.match(line, place)
            if match is None or match.end() == place:
                raise self.fault(f"not understood from {line[place : place + 30].strip()!r} on")
            place = match.end()
            if match.lastgroup == "at":
                yield from self.close()
                self.wanted = "at"
            elif match.lastgroup == "word" and match["word"].startswith("#"):
                return
            elif match.lastgroup is not None:
                self._token(match.lastgroup, match[match.lastgroup])

    def close(self) -> Iterator[tuple[int, float, list[Event]]]:
        self._check_name()
        if self.wanted != "name":
            raise self.fault("a point ends too early")
        if self.point is not None:
            yield self.point
        self.point, self.name = None, ""

    def _token(self, kind: str, text: str) -> None:
        if self.wanted == "at" and kind == "word":
            self.point = (self.number, _stamp(_cell(text), f"{self.where}:{self.number}"), [])
            self.wanted, self.name = "name", ""
        elif self.wanted == "name" and kind == "word":
            self._check_name()
            self.name, self.bare = text, True
        elif self.wanted == "name" and text == ";":
            self._check_name()
            self.name = ""
        elif self.wanted == "name" and text == "(" and self.name and self.point is not None:
            self.wanted, self.args, self.bare = "args", [], False
        elif self.wanted == "args" and kind in ("word", "text"):
            if len(self.args) >= WIDEST or (self.point is not None and len(self.point[2]) >= MOST_EVENTS):
                raise self.fault(f"more than {WIDEST} arguments, or {MOST_EVENTS} events at one point")
            self.args.append(self._text(text) if kind == "text" else _cell(text))
            self.wanted = "next"
        elif text == ")" and (self.wanted == "next" or (self.wanted == "args" and not self.args)):
            assert self.point is not None
            self.point[2].append(_event(self.name, self.args, f"{self.where}:{self.number}"))
            self.wanted = "name"
        elif self.wanted == "next" and text == ",":
            self.wanted = "args"
        else:
            raise self.fault(f"{text[:30]!r} is not wanted here")

    def _check_name(self) -> None:
        if self.bare:
            raise self.fault(f"{self.name[:30]!r} has no arguments; write {self.name[:30]}() if there are none")

    def _text(self, quoted: str) -> str:
        try:
            return str(json.loads(quoted))
        except ValueError as error:
            raise self.fault(f"{quoted[:30]} is no text") from error
