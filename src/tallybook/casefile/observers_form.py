"""The form of observers.yaml: from YAML to classes of observers, with every fault by its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.agreement.yamltext import MARKING, Document, Path, read_yaml
from tallybook.core.time import MomentError, moment
from tallybook.errors import Fault
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.gather import cell_fault
from tallybook.evidence.ingest.lookalike import twins
from tallybook.evidence.ingest.told import told
from tallybook.evidence.observer_class import (
    FINEST,
    LONGEST_WORD,
    SOURCE,
    Number,
    Numbered,
    ObserverClass,
    OneOf,
    Phrases,
    Rule,
    Time,
    Where,
)

FILE = "observers.yaml"
MOST_CLASSES = 50
MOST_WORDS = 1_000
MOST_ROWS = 10_000
LARGEST = Decimal(10) ** 12
MOST_DECIMALS = 6
KINDS = ("site", "port", "zone")
KEYS = ("title", "why", "from", "to", "most_rows", "exhibits", "tables", "sources", "readers", MARKING)
NEEDED = ("title", "why", "from", "to", "most_rows", "tables", "sources")
TIMES = frozenset(
    ("reported_at", "observed_from", "observed_to", "known_at", "made_at", "from", "to", "date", "departure_date", "date_counted")
)
"""Columns that hold a time."""
PLACED = frozenset(("place", "departure_port"))
"""Columns that hold the name of a place."""
_RULES = ("one_of", "number", "finest", "known_place", "text", "exhibits", "id")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}", re.ASCII)
_ID = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,30}[A-Za-z_.-])(0{1,4})", re.ASCII)


def read_classes(raw: bytes, tz: ZoneInfo) -> tuple[list[ObserverClass], list[Fault]]:
    """The classes without a fault, and every fault. `tz` is the time zone that days are read in."""
    document = read_yaml(raw, FILE)
    form = _Form(document, tz)
    if document.data is None:
        return [], document.faults
    form.read()
    return form.classes, document.faults


def columns_of(table: str) -> tuple[str, ...]:
    """The columns that a table of reports may have."""
    return (*ingest.TABLES[table][0], *ingest.ANY_TABLE, *ingest.MORE_COLUMNS.get(table, ()), MARKING)


class _Form:
    def __init__(self, document: Document, tz: ZoneInfo) -> None:
        self.document, self.tz = document, tz
        self.classes: list[ObserverClass] = []

    def fault(self, path: Path, what: str, do: str) -> None:
        self.document.faults.append(Fault(FILE, self.document.line_of(path), ".".join(map(str, path)), what, do))

    def read(self) -> None:
        data = self.document.data
        if not isinstance(data, dict) or set(data) != {"classes"} or not isinstance(data["classes"], dict):
            self.fault((), "not a list of classes", "write `classes:` and under it each class by its name")
            return
        if len(data["classes"]) > MOST_CLASSES:
            self.fault(("classes",), f"over {MOST_CLASSES} classes", "keep to those at work")
            return
        for name, entry in data["classes"].items():
            before = len(self.document.faults)
            found = self._class(name, entry, ("classes", name))
            if found is not None and len(self.document.faults) == before:
                self.classes.append(found)
        self._apart()

    def _apart(self) -> None:
        """A source belongs to one class, and no two tables share ids."""
        sources: dict[str, str] = {}
        starts: dict[str, str] = {}
        for kind in self.classes:
            path = ("classes", kind.name)
            for source in kind.sources:
                if sources.setdefault(source, kind.name) != kind.name:
                    self.fault((*path, "sources"), f"{source} is of {sources[source]} already", "a source is of one class")
            for table in kind.tables:
                rule = kind.ids(table)
                if (
                    rule is not None
                    and (other := starts.setdefault(rule.start, f"{kind.name}.{table}")) != f"{kind.name}.{table}"
                ):
                    do = "begin the ids of each table with other letters"
                    self.fault((*path, "tables", table, "id"), f"{rule.start} begins the ids of {other} already", do)

    def _class(self, name: str, entry: Any, path: Path) -> ObserverClass | None:
        if not _NAME.fullmatch(name):
            self.fault(path, f"{told(name)} cannot name a class", "use small letters, digits and hyphens")
        if not isinstance(entry, dict):
            self.fault(path, "not a class", f"give it {', '.join(NEEDED)}")
            return None
        for key in entry:
            if key not in KEYS:
                self.fault((*path, key), f"unknown key {told(key)}", f"the keys are {', '.join(KEYS)}")
        for key in NEEDED:
            if key not in entry:
                self.fault(path, f"{key} missing", f"a class has {', '.join(NEEDED)}")
        if entry.get("exhibits", "none") != "none":
            self.fault((*path, "exhibits"), "an observer class files no exhibits", "write `exhibits: none`, or leave it out")
        first, last = self._days(entry, path)
        tables = self._tables(entry.get("tables", {}), (*path, "tables"))
        most = self._number(entry.get("most_rows", 1), (*path, "most_rows"), Decimal(1), Decimal(MOST_ROWS), whole=True)
        ids = [rule for rules in tables.values() if isinstance(rule := rules.get("id"), Numbered)]
        if any(most >= 10**rule.digits for rule in ids):
            self.fault((*path, "most_rows"), "more rows than the ids have digits for", "give the ids another 0, as NC-000")
        return ObserverClass(
            name=name,
            title=self._text(entry.get("title", "-"), (*path, "title")),
            why=self._text(entry.get("why", "-"), (*path, "why"), 2_000),
            first=first,
            last=last,
            most_rows=int(most),
            tables=tables,
            sources=self._list(entry.get("sources", ["-"]), (*path, "sources")),
            readers=self._list(entry["readers"], (*path, "readers")) if "readers" in entry else (),
            line=self.document.line_of(path),
        )

    def _days(self, entry: Mapping[str, Any], path: Path) -> tuple[str, str]:
        """The first and the last day at work, both given as days."""
        found = []
        for key in ("from", "to"):
            text = str(entry.get(key, "2000-01-01"))
            try:
                found.append(moment(text, self.tz))
                if len(text) != len("2000-01-01"):
                    self.fault((*path, key), "not a day", "write a day such as 1962-11-05")
            except MomentError as error:
                self.fault((*path, key), str(error), "write a day such as 1962-11-05")
        if len(found) == 2 and found[1].last < found[0].first:
            self.fault((*path, "to"), "before `from`", "exchange them")
        return (found[0].text, found[1].text) if len(found) == 2 else ("2000-01-01", "2000-01-01")

    def _tables(self, data: Any, path: Path) -> dict[str, dict[str, Rule]]:
        if not isinstance(data, dict) or not data:
            self.fault(path, "no tables", f"name the tables that may be filed, of {', '.join(ingest.TABLES)}")
            return {}
        found: dict[str, dict[str, Rule]] = {}
        for table, columns in data.items():
            here = (*path, table)
            if table not in ingest.TABLES:
                self.fault(here, f"no table {told(table)} of reports", f"the tables are {', '.join(ingest.TABLES)}")
            elif not isinstance(columns, dict) or "id" not in columns:
                self.fault(
                    here, "no rule for `id`", "give each column its rule, `id` among them: an id that may be chosen is a message"
                )
            else:
                rules = {column: self._column(table, column, rule, (*here, column)) for column, rule in columns.items()}
                found[table] = {column: rule for column, rule in rules.items() if rule is not None}
        return found

    def _column(self, table: str, column: str, data: Any, path: Path) -> Rule | None:
        if column not in columns_of(table):
            self.fault(path, f"no column {told(column)}", f"the columns are {', '.join(columns_of(table))}")
            return None
        if column == SOURCE:
            self.fault(path, "`source_id` has its rule already", "name the sources under `sources`")
            return None
        if not isinstance(data, dict) or not data or set(data) - set(_RULES):
            self.fault(path, "not a rule", f"write one of {', '.join(_RULES)}")
            return None
        if len(data) > 1 and set(data) != {"known_place", "finest"}:
            self.fault(path, "two rules", "keep one; only known_place and finest (of degrees) go together")
            return None
        if (column == "id") != ("id" in data):
            self.fault(path, "`id` is for the column id, and the column id has no other rule", "write `id: {id: NC-00}`")
            return None
        if column == "exhibits" and data != {"exhibits": "none"}:
            self.fault(path, "an observer class files no exhibits", "write `exhibits: {exhibits: none}`, or leave it out")
            return None
        makers: dict[str, Callable[[str, Mapping[str, Any], Path], Rule | None]] = {
            "one_of": lambda _, d, p: OneOf(self._words(d["one_of"], (*p, "one_of"))),
            "number": lambda _, d, p: self._numbers(d["number"], (*p, "number")),
            "finest": self._finest,
            "text": lambda _, d, p: self._phrases(d["text"], (*p, "text")),
            "exhibits": lambda _, d, p: None,
            "id": lambda _, d, p: self._id(d["id"], (*p, "id")),
        }
        return makers["finest" if "known_place" in data else next(iter(data))](column, data, path)

    def _finest(self, column: str, data: Mapping[str, Any], path: Path) -> Rule | None:
        """How finely a time or a place may be told."""
        finest = data.get("finest")
        if column in TIMES:
            if finest in FINEST and len(data) == 1:
                return Time(str(finest))
            self.fault(path, "not a precision of time", f"write finest: {', '.join(FINEST)}")
        elif column in PLACED:
            kinds = self._words(data["known_place"], (*path, "known_place")) if "known_place" in data else ()
            if wrong := [kind for kind in kinds if kind not in KINDS]:
                self.fault((*path, "known_place"), f"no kind {told(wrong[0])}", f"the kinds are {', '.join(KINDS)}")
            degrees = self._step(finest, (*path, "finest"), Decimal(10)) if "finest" in data else None
            return Where(kinds, degrees)
        else:
            self.fault(path, f"`{column}` holds no time and no place", "use one_of, number or text")
        return None

    def _id(self, data: Any, path: Path) -> Rule | None:
        found = _ID.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            self.fault(
                path, "not a pattern of ids", "write the letters that ids begin with and a 0 for each digit, such as NC-00"
            )
            return None
        return Numbered(found[1], len(found[2]))

    def _numbers(self, data: Any, path: Path) -> Rule | None:
        wanted = ({"least", "most", "whole"}, {"least", "most", "step"})
        if not isinstance(data, dict) or set(data) not in wanted or data.get("whole", True) is not True:
            do = "write {least: 0, most: 60, whole: true}, or a `step` in place of whole"
            self.fault(path, "not a range of numbers", do)
            return None
        least, most = (self._number(data[key], (*path, key), -LARGEST, LARGEST) for key in ("least", "most"))
        step = self._step(data["step"], (*path, "step"), LARGEST) if "step" in data else Decimal(1)
        if most < least or least % step or most % step:
            self.fault(path, "no numbers from least to most in such steps", "exchange them, or begin and end on a step")
        return Number(least, most, step)

    def _step(self, data: Any, path: Path, most: Decimal) -> Decimal:
        found = self._number(data, path, Decimal(0), most)
        if not found:
            self.fault(path, "a step of nothing", "write how far apart two values are, such as 0.1")
        return found or Decimal(1)

    def _number(self, data: Any, path: Path, least: Decimal, most: Decimal, *, whole: bool = False) -> Decimal:
        found = Decimal(str(data)) if type(data) is int or (type(data) is float and not whole) else None
        if found is not None and least <= found <= most and -MOST_DECIMALS <= int(found.as_tuple().exponent) <= 0:
            return found
        kind = "a whole number" if whole else f"a number of {MOST_DECIMALS} decimals at most"
        self.fault(path, "not a number that can be used here", f"write {kind} from {least:f} to {most:f}")
        return max(least, Decimal(1))

    def _phrases(self, data: Any, path: Path) -> Rule | None:
        if data == "none":
            return None
        if not isinstance(data, dict) or set(data) != {"longest", "words"}:
            self.fault(path, "not a rule for text", "write none, or {longest: 60, words: [...]}: text is never free here")
            return None
        longest = int(self._number(data["longest"], (*path, "longest"), Decimal(1), Decimal(1_000), whole=True))
        words = self._words(data["words"], (*path, "words"))
        if wrong := [word for word in words if len(word) > longest or ";" in word]:
            self.fault((*path, "words"), f"{told(wrong[0])} is too long, or holds a semicolon", "shorten it; `; ` joins phrases")
        return Phrases(longest, words)

    def _words(self, data: Any, path: Path) -> tuple[str, ...]:
        """A list of words that cannot be taken for one another."""
        found = self._list(data, path)
        for one, other in twins(found):
            self.fault(path, f"{told(other)} looks like {told(one)} and is not", "keep one")
        return found

    def _list(self, data: Any, path: Path) -> tuple[str, ...]:
        if not isinstance(data, list) or not data or len(data) > MOST_WORDS:
            self.fault(path, "not a list", f"write 1 to {MOST_WORDS:,} texts between [ and ]")
            return ()
        found = tuple(self._text(word, (*path, n)) for n, word in enumerate(data))
        if len(set(found)) != len(found):
            self.fault(path, "a text twice", "keep one")
        return found

    def _text(self, data: Any, path: Path, longest: int = LONGEST_WORD) -> str:
        if not isinstance(data, str) or not data.strip() or data.strip() != data or len(data) > longest:
            self.fault(path, "not a text that can be used here", f"write 1 to {longest:,} characters; quote what is all digits")
            return "-"
        if wrong := cell_fault(data):
            self.fault(path, *wrong)
        return data
