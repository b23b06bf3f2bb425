"""The text as the changes leave it: every operation put in by the checker's own hand."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tallybook.checker.changes import Entry, MisfitError, address, is_date, same_day, target
from tallybook.checker.rows import File

_NAMES = ("id", "item", "reading", "to")
_KEEPS = ("id", "unit", "number")
_SETS = frozenset({"add", "replace", "repeal", "correct", "renumber", "restate"})
_SWITCHES = frozenset({"suspend", "resume"})
_UNSEEN = ("text", "because", "covers")


class Text:
    """Provisions in order, those repealed, earlier ids, and the addresses of what made each what it is."""

    def __init__(self, file: File, base: Iterable[Mapping[str, Any]]) -> None:
        self._file = file
        self.entries: dict[str, dict[str, Any]] = {str(raw.get("id")): copy.deepcopy(dict(raw)) for raw in base}
        self.repealed: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self.made_by: dict[str, list[str]] = {}
        self.added: dict[str, datetime] = {}

    def find(self, name: str) -> str | None:
        """The id under which a provision now stands."""
        tried: set[str] = set()
        while name not in self.entries:
            if name in tried or name not in self.renamed:
                return None
            tried.add(name)
            name = self.renamed[name]
        return name

    def put(self, entry: Entry) -> None:
        """Put one change in. Raises MisfitError where it does not fit."""
        raw, op, value = entry.raw, entry.op, copy.deepcopy(entry.raw.get("value"))
        name, _, path = target(raw)
        if op in ("add", "insert") and not path:
            self._add(name, value, raw)
            self.added[name] = entry.since
            self._note(name, raw)
            return
        found = self.find(name)
        if found is None:
            raise MisfitError(f"{address(raw)}: there is no @{name}")
        provision = self.entries[found]
        if op == "renumber":
            found = self._renumber(found, str(value).removeprefix("@"), raw)
        elif op == "interpret":
            self._interpret(provision, value, path, raw)
        elif op == "limit":
            self._limit(found, value, path, raw)
        elif op == "extend":
            _extend(self._file, walk(provision, path, raw), value, raw)
        elif op == "postpone":
            if isinstance(value, dict) or not is_date(value):
                raise MisfitError(f"{address(raw)}: a provision is put off to a date")
            provision["from"] = str(value)
        elif op in _SWITCHES:
            pass
        elif not path:
            self._whole(found, op, value, raw)
        elif op == "insert":
            _insert(walk(provision, path, raw), value, raw)
        else:
            _set(walk(provision, path[:-1], raw), path, op, value, raw)
        self._note(found, raw)

    def _note(self, name: str, raw: Mapping[str, Any]) -> None:
        self.made_by.setdefault(name, []).append(address(raw))

    def _add(self, name: str, value: Any, raw: Mapping[str, Any]) -> None:
        if not isinstance(value, dict) or (name in self.entries and name not in self.repealed):
            raise MisfitError(f"{address(raw)}: @{name} cannot be added")
        self.entries.pop(name, None)
        self.repealed.pop(name, None)
        after = None
        if raw.get("after") is not None and (after := self.find(str(raw["after"]))) is None:
            raise MisfitError(f"{address(raw)}: there is no @{raw['after']} to stand behind")
        ordered = list(self.entries.items())
        place = next((n + 1 for n, (key, _) in enumerate(ordered) if key == after), len(ordered))
        self.entries = dict([*ordered[:place], (name, {**value, "id": name}), *ordered[place:]])

    def _whole(self, name: str, op: str, value: Any, raw: Mapping[str, Any]) -> None:
        if op == "repeal":
            self.repealed[name] = address(raw)
            return
        if not isinstance(value, dict):
            raise MisfitError(f"{address(raw)}: {op} takes the whole provision")
        old = self.entries[name]
        self.entries[name] = {**{key: old[key] for key in (*_KEEPS, "in") if key in old}, **value, "id": name}

    def _renumber(self, old: str, new: str, raw: Mapping[str, Any]) -> str:
        if new in self.entries:
            raise MisfitError(f"{address(raw)}: @{new} is there already")
        self.renamed.pop(new, None)
        self.renamed[old] = new
        self.entries = {new if key == old else key: _renamed(entry, old, new) for key, entry in self.entries.items()}
        self.entries[new]["id"] = new
        if old in self.repealed:
            self.repealed[new] = self.repealed.pop(old)
        if old in self.made_by:
            self.made_by[new] = self.made_by.pop(old)
        return new

    def _interpret(self, provision: dict[str, Any], value: Any, path: tuple[str, ...], raw: Mapping[str, Any]) -> None:
        if path or not isinstance(value, dict):
            raise MisfitError(f"{address(raw)}: interpret takes a whole provision")
        if raw.get("reading"):
            provision["interpretations"] = [*provision.get("interpretations", []), {"reading": raw["reading"], **value}]
            return
        for key, given in value.items():
            if key == "excludes":
                _take_out(provision, "includes", given, raw)
            else:
                is_term = provision.get("kind") == "definition"
                more = [{"item": item} if is_term and isinstance(item, str) else item for item in given]
                provision[key] = [*as_list(provision.get(key, [])), *more]

    def _limit(self, name: str, value: Any, path: tuple[str, ...], raw: Mapping[str, Any]) -> None:
        if not isinstance(value, dict):
            raise MisfitError(f"{address(raw)}: limit takes a mapping")
        inner = walk(self.entries[name], path, raw)
        if path or not {"when", "unless", "cases", "is"} & set(value):
            for key, given in value.items():
                if key in ("until", "by"):
                    _move(self._file, inner, key, given, raw, later=False)
                else:
                    _take_out(inner, key, given, raw)
            return
        new = str(value.get("id") or f"{name}-limit-{raw.get('in')}-{raw.get('n')}")
        if new in self.entries:
            raise MisfitError(f"{address(raw)}: @{new} is there already")
        self.entries[new] = {"in": raw.get("in"), **value, "id": new, "kind": "exception", "to": [f"@{name}"]}
        self._note(new, raw)


def as_list(value: Any) -> list[Any]:
    """A list as it is; anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _named(entry: Any, name: object) -> bool:
    return any(entry.get(key) == name for key in _NAMES) if isinstance(entry, dict) else bool(entry == name)


def _place(entries: Any, name: object) -> int | None:
    return next((n for n, entry in enumerate(entries) if _named(entry, name)), None)


def walk(node: Any, path: Iterable[str], raw: Mapping[str, Any]) -> Any:
    """What a path of keys and names leads to. Raises MisfitError."""
    for name in path:
        if isinstance(node, dict) and name in node:
            node = node[name]
            continue
        place = _place(node, name) if isinstance(node, list) else None
        if place is None:
            raise MisfitError(f"{address(raw)}: nothing is called {name!r} there")
        node = node[place]
    return node


def _insert(holder: Any, value: Any, raw: Mapping[str, Any]) -> None:
    if not isinstance(holder, list):
        raise MisfitError(f"{address(raw)}: nothing can be inserted there")
    place = len(holder)
    if raw.get("after") is not None:
        before = _place(holder, str(raw["after"]))
        if before is None:
            raise MisfitError(f"{address(raw)}: nothing is called {raw['after']!r} there")
        place = before + 1
    holder.insert(place, value)


def _set(holder: Any, path: tuple[str, ...], op: str, value: Any, raw: Mapping[str, Any]) -> None:
    name = path[-1]
    if isinstance(holder, dict):
        if (name in holder) == (op == "add"):
            raise MisfitError(f"{address(raw)}: {name!r} {'is there already' if op == 'add' else 'is not there'}")
        if op == "repeal":
            del holder[name]
        else:
            holder[name] = value
        return
    place = _place(holder, name) if isinstance(holder, list) and op != "add" else None
    if place is None:
        raise MisfitError(f"{address(raw)}: nothing is called {name!r} there")
    old = holder[place]
    keeps = isinstance(old, dict) and path[-2:-1] == ("parts",)
    kept = {key: old[key] for key in _KEEPS if key in old} if keeps else {}
    if op != "repeal":
        holder[place] = {**kept, **value} if keeps and isinstance(value, dict) else value
    elif keeps:
        holder[place] = {**kept, "repealed_by": address(raw)}
    else:
        del holder[place]


def _take_out(provision: Any, key: str, given: Any, raw: Mapping[str, Any]) -> None:
    if not isinstance(provision, dict) or key not in provision:
        raise MisfitError(f"{address(raw)}: there is no {key}")
    provision[key] = list(as_list(provision[key]))
    for name in as_list(given):
        place = _place(provision[key], str(name))
        if place is None:
            raise MisfitError(f"{address(raw)}: {key} has no {name!r}")
        del provision[key][place]


def _move(file: File, provision: Any, key: str, given: Any, raw: Mapping[str, Any], *, later: bool) -> None:
    old = provision.get(key) if isinstance(provision, dict) else None
    if old is None and (later or not isinstance(provision, dict)):
        raise MisfitError(f"{address(raw)}: there is no {key} to move")
    if old is not None:
        new, before = file.at(given).last, file.at(old).last
        if new <= before if later else new >= before:
            raise MisfitError(f"{address(raw)}: {given} is no {'later' if later else 'earlier'} {key}")
    provision[key] = given


def _extend(file: File, provision: Any, value: Any, raw: Mapping[str, Any]) -> None:
    if not isinstance(value, dict) or not isinstance(provision, dict):
        raise MisfitError(f"{address(raw)}: there are no keys to extend")
    for key, given in value.items():
        if key in ("until", "by"):
            _move(file, provision, key, given, raw, later=True)
        elif key == "within":
            provision[key] = given
        else:
            provision[key] = [*as_list(provision.get(key, [])), *as_list(given)]


def _renamed(node: Any, old: str, new: str, key: str = "") -> Any:
    if isinstance(node, dict):
        return node if key in _UNSEEN else {name: _renamed(inner, old, new, name) for name, inner in node.items()}
    if isinstance(node, list):
        return [_renamed(inner, old, new) for inner in node]
    return re.sub(rf"@{re.escape(old)}(?![\w-])", f"@{new}", node, flags=re.ASCII) if isinstance(node, str) else node


def conflicts(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Changes of equal rank that cannot both be meant: target to addresses. None of them is put in."""
    found: dict[str, dict[str, None]] = {}
    for group in same_day(entries):
        for n, first in enumerate(group):
            for second in group[n + 1 :]:
                if (where := _clash(first, second)) is not None:
                    found.setdefault(where, {}).update({address(first.raw): None, address(second.raw): None})
    return {where: list(names) for where, names in found.items()}


def _clash(a: Entry, b: Entry) -> str | None:
    where = str(a.raw.get("target"))
    same_instrument = a.raw.get("in") == b.raw.get("in")
    if target(a.raw) == target(b.raw):
        return where if _opposed(a, b, same_instrument=same_instrument) else None
    if same_instrument:
        return None
    for outer, inner in ((a, b), (b, a)):
        path = target(outer.raw)[2]
        is_inside = target(inner.raw)[2][: len(path)] == path
        if is_inside and outer.op in _SETS - {"add", "renumber"}:
            return str(outer.raw.get("target"))
    return None


def _opposed(a: Entry, b: Entry, *, same_instrument: bool) -> bool:
    """Whether two changes to the very same thing, of equal rank, exclude each other."""
    if {a.op, b.op} <= _SWITCHES:
        return a.op != b.op
    if a.op == b.op == "interpret" and a.raw.get("reading") == b.raw.get("reading"):
        return any(
            set(as_list(x.raw["value"].get("excludes", []))) & set(as_list(y.raw["value"].get("includes", [])))
            for x, y in ((a, b), (b, a))
        )
    if same_instrument and {a.op, b.op} in ({"repeal", "add"}, {"renumber", "add"}):
        return False
    if a.op not in _SETS or b.op not in _SETS:
        return False
    return a.op != b.op or repr(a.raw.get("value")) != repr(b.raw.get("value"))
