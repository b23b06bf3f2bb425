"""The text of an agreement while changes are put into it: provisions in their order, each a mapping as the file has it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.amendment import Change, Target
from tallybook.agreement.live import ChangeError
from tallybook.core.time import Moment

_IDENTITY = ("id", "unit", "number")
_NAMED_BY = ("id", "item", "reading", "to")


@dataclass(frozen=True, slots=True)
class Note:
    """A line of history: the change, what it did, and to which part of the provision (blank: the whole).

    `part` is what the innermost numbered part was called when it was changed, such as "subsection (8)"; blank: no such part.
    """

    address: str
    op: str
    path: tuple[str, ...]
    formerly: str = ""
    part: str = ""


class Text:
    """Provisions in order, with what was repealed, renamed and changed. Values put in are copied: nothing is shared."""

    def __init__(self, base: Mapping[str, dict[str, Any]], read: Callable[[str], Moment]) -> None:
        self.entries: dict[str, dict[str, Any]] = {name: copy.deepcopy(dict(raw)) for name, raw in base.items()}
        self.repealed: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self.notes: dict[str, list[Note]] = {}
        self._read = read

    def find(self, name: str) -> str | None:
        """The id under which a provision now stands, or None."""
        seen: set[str] = set()
        while name not in self.entries and name in self.renamed and name not in seen:
            seen.add(name)
            name = self.renamed[name]
        return name if name in self.entries else None

    def apply(self, change: Change) -> None:
        """Put one change into the text. Raises ChangeError where it does not fit its target."""
        aim = change.aim
        if change.op in ("add", "insert") and not aim.path:
            self._add(change, aim.name)
            self._note(aim.name, change, ())
            return
        name = self.find(aim.name)
        if name is None:
            raise ChangeError(f"{change.address} changes {change.target}, which is not there")
        formerly, part = "", _part_called(self.entries[name], aim.path, change)
        if change.op == "renumber":
            formerly, name = name, self._renumber(change, name)
        elif change.op in _WHOLE:
            _WHOLE[change.op](self, change, name, aim.path)
        elif not aim.path:
            self._whole(change, name)
        elif change.op == "insert":
            _insert(_walk(self.entries[name], aim.path, change), change)
        else:
            _set(_walk(self.entries[name], aim.path[:-1], change), aim.path[-1], change)
        self._note(name, change, aim.path, formerly, part)

    def _note(self, name: str, change: Change, path: tuple[str, ...], formerly: str = "", part: str = "") -> None:
        self.notes.setdefault(name, []).append(Note(change.address, change.op, path, formerly, part))

    def _add(self, change: Change, name: str) -> None:
        if name in self.entries and name not in self.repealed:
            raise ChangeError(f"{change.address} adds {change.target}, which is there already")
        self.entries.pop(name, None)
        self.repealed.pop(name, None)
        self._put(name, {**_whole(change), "id": name}, change)

    def _put(self, name: str, raw: dict[str, Any], change: Change) -> None:
        if change.after is None:
            self.entries[name] = raw
            return
        after = self.find(change.after)
        if after is None:
            raise ChangeError(f"{change.address}: there is no provision {change.after!r} to stand behind")
        rest: dict[str, dict[str, Any]] = {}
        for key, value in self.entries.items():
            rest[key] = value
            if key == after:
                rest[name] = raw
        self.entries = rest

    def _whole(self, change: Change, name: str) -> None:
        if change.op == "repeal":
            self.repealed[name] = change.address
            return
        kept = {key: self.entries[name][key] for key in (*_IDENTITY, "in") if key in self.entries[name]}
        self.entries[name] = {**kept, **_whole(change), "id": name}

    def _renumber(self, change: Change, name: str) -> str:
        new = str(change.value).lstrip("@")
        if new in self.entries:
            raise ChangeError(f"{change.address} renumbers {change.target} as @{new}, which is there already")
        self.renamed.pop(new, None)
        self.renamed[name] = new
        follow = _follower(name, new)
        self.entries = {(new if key == name else key): follow(raw) for key, raw in self.entries.items()}
        self.entries[new]["id"] = new
        for names in (self.repealed, self.notes):
            if name in names:
                names[new] = names.pop(name)  # type: ignore[assignment]
        return new

    def _interpret(self, change: Change, name: str, path: tuple[str, ...]) -> None:
        if path:
            raise ChangeError(f"{change.address}: interpret takes a whole provision, not a part of it")
        provision = self.entries[name]
        if change.reading:
            entry = {"reading": change.reading, **_value(change)}
            provision["interpretations"] = [*provision.get("interpretations", []), entry]
            return
        for key, values in _value(change).items():
            if key == "excludes":
                self._narrow(provision, "includes", values, change)
                continue
            listed = provision.get("kind") == "definition"
            named = [{"item": item} if listed and isinstance(item, str) else item for item in values]
            provision[key] = [*_listed(provision.get(key, [])), *named]

    def _limit(self, change: Change, name: str, path: tuple[str, ...]) -> None:
        value, provision = _whole(change), _walk(self.entries[name], path, change)
        if path or not set(value) & {"when", "unless", "cases", "is"}:
            for key, given in value.items():
                self._narrow(provision, key, given, change)
            return
        new = value.pop("id", f"{name}-limit-{change.in_}-{change.n}")
        if new in self.entries:
            raise ChangeError(f"{change.address} adds the exception @{new}, which is there already")
        self.entries[new] = {"in": change.in_, **value, "id": new, "kind": "exception", "to": [f"@{name}"]}
        self._note(new, change, ())

    def _narrow(self, provision: Any, key: str, given: Any, change: Change) -> None:
        if key in ("until", "by"):
            self._compare(provision, key, given, change, later=False)
            provision[key] = given
            return
        entries = _list_of(provision, key, change)
        for name in _listed(given):
            position = next((n for n, item in enumerate(entries) if _is_named(item, str(name))), None)
            if position is None:
                raise ChangeError(f"{change.address}: {key} of {change.target} has no {name!r} to take out")
            del entries[position]

    def _extend(self, change: Change, name: str, path: tuple[str, ...]) -> None:
        provision = _walk(self.entries[name], path, change)
        for key, given in _whole(change).items():
            if key in ("until", "by"):
                self._compare(provision, key, given, change, later=True)
                provision[key] = given
            elif key == "within":
                provision[key] = given
            elif isinstance(provision, dict):
                provision[key] = [*_listed(provision.get(key, [])), *_listed(given)]
            else:
                raise ChangeError(f"{change.address}: {change.target} has no keys to extend")

    def _compare(self, provision: Any, key: str, given: Any, change: Change, *, later: bool) -> None:
        now = provision.get(key) if isinstance(provision, dict) else None
        if now is None:
            if later:
                raise ChangeError(f"{change.address} extends {key} of {change.target}, which has none")
            return
        new, old = self._read(str(given)).last, self._read(str(now)).last
        if (new <= old) if later else (new >= old):
            word = "later" if later else "earlier"
            raise ChangeError(f"{change.address}: {given} is no {word} {key} than {now}")

    def _postpone(self, change: Change, name: str, _path: tuple[str, ...]) -> None:
        if isinstance(change.value, dict) or not re.match(r"\d{4}", str(change.value)):
            raise ChangeError(f"{change.address}: a provision is put off to a date")
        self.entries[name]["from"] = str(change.value)

    def _nothing(self, change: Change, name: str, path: tuple[str, ...]) -> None:
        """Suspension leaves the words alone."""


_WHOLE = {
    "interpret": Text._interpret,  # noqa: SLF001
    "limit": Text._limit,  # noqa: SLF001
    "extend": Text._extend,  # noqa: SLF001
    "postpone": Text._postpone,  # noqa: SLF001
    "suspend": Text._nothing,  # noqa: SLF001
    "resume": Text._nothing,  # noqa: SLF001
}


def _follower(old: str, new: str) -> Callable[[Any], Any]:
    """What makes every reference `@old` in a provision say `@new`; quoted words stay as they are."""
    pattern = re.compile(rf"@{re.escape(old)}(?![A-Za-z0-9_-])")

    def follow(node: Any, key: str = "") -> Any:
        if key in ("text", "because", "covers") and isinstance(node, dict):
            return node
        if isinstance(node, dict):
            return {name: follow(value, name) for name, value in node.items()}
        if isinstance(node, list):
            return [follow(value) for value in node]
        return pattern.sub(f"@{new}", node) if isinstance(node, str) else node

    return follow


def _part_called(node: dict[str, Any], path: tuple[str, ...], change: Change) -> str:
    """What the innermost numbered part on a path is called, before the change; of an insertion, what is put in."""
    found: Any = None
    while path[:1] == ("parts",) and len(path) > 1:
        node = next((p for p in node.get("parts", ()) if isinstance(p, dict) and p.get("id") == path[1]), {})
        found, path = node or None, path[2:]
    if path == ("parts",) and change.op == "insert":
        found = change.value
    return f"{found.get('unit') or 'paragraph'} {found.get('number') or found.get('id')}" if isinstance(found, dict) else ""


def _walk(node: Any, path: tuple[str, ...], change: Change) -> Any:
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
            continue
        found = next((item for item in node if _is_named(item, part)), None) if isinstance(node, list) else None
        if found is None:
            raise ChangeError(f"{change.address}: nothing is called {part!r} in {change.target}")
        node = found
    return node


def _is_named(item: Any, name: str) -> bool:
    if isinstance(item, dict):
        return name in tuple(item.get(key) for key in _NAMED_BY)
    return bool(item == name)


def _insert(holder: Any, change: Change) -> None:
    if not isinstance(holder, list):
        raise ChangeError(f"{change.address}: {change.target} is no list, so nothing can be inserted")
    position = len(holder)
    if change.after is not None:
        where = next((n for n, item in enumerate(holder) if _is_named(item, change.after)), None)
        if where is None:
            raise ChangeError(f"{change.address}: nothing is called {change.after!r} in {change.target}")
        position = where + 1
    holder.insert(position, _value(change))


def _set(holder: Any, name: str, change: Change) -> None:
    if isinstance(holder, dict):
        if change.op == "add" and name in holder:
            raise ChangeError(f"{change.address} adds {change.target}, which is there already")
        if change.op != "add" and name not in holder:
            raise ChangeError(f"{change.address}: nothing is called {name!r} in {change.target}")
        if change.op == "repeal":
            del holder[name]
        else:
            holder[name] = _value(change)
        return
    if not isinstance(holder, list):
        raise ChangeError(f"{change.address}: nothing is called {name!r} in {change.target}")
    position = next((n for n, item in enumerate(holder) if _is_named(item, name)), None)
    if position is None or change.op == "add":
        raise ChangeError(f"{change.address}: nothing is called {name!r} in {change.target}")
    old, numbered = holder[position], change.aim.path[-2:-1] == ("parts",)
    if change.op != "repeal":
        value = _value(change)
        if isinstance(old, dict) and isinstance(value, dict) and numbered:
            value = {**{key: old[key] for key in _IDENTITY if key in old}, **value}
        holder[position] = value
    elif isinstance(old, dict) and numbered:
        # A part taken out keeps its number.
        holder[position] = {**{key: old[key] for key in _IDENTITY if key in old}, "repealed_by": change.address}
    else:
        del holder[position]


def _list_of(provision: Any, key: str, change: Change) -> list[Any]:
    if not isinstance(provision, dict) or key not in provision:
        raise ChangeError(f"{change.address}: nothing is called {key!r} in {change.target}")
    provision[key] = list(_listed(provision[key]))
    found: list[Any] = provision[key]
    return found


def _listed(value: Any) -> list[Any]:
    """A list; where one word may stand for a list of one, that list."""
    return value if isinstance(value, list) else [value]


def _whole(change: Change) -> dict[str, Any]:
    value = _value(change)
    if not isinstance(value, dict):
        raise ChangeError(f"{change.address}: {change.op} of a whole provision takes the provision, not {value!r}")
    return value


def _value(change: Change) -> Any:
    """A value of one's own: what is put into the text may be changed there again."""
    return copy.deepcopy(change.value)


def covers(aim: Target, other: Target) -> bool:
    """Whether one target holds the other."""
    return other.within(aim)
