"""items.yaml: item classes, and what includes what."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tallybook.agreement.yamltext import Document, read_yaml, without_markings
from tallybook.errors import Fault
from tallybook.evidence.report import Item

FILE = "items.yaml"
_KEYS = {"name", "unit", "includes", "aliases", "holds", "note"}


def read_items(raw: bytes) -> tuple[dict[str, Item], list[Fault]]:
    """Read item classes. Faults name the line and the key."""
    document = read_yaml(raw, FILE)
    faults = list(document.faults)
    data = without_markings(document.data)
    if not isinstance(data, dict) or set(data) != {"items"} or not isinstance(data["items"], dict):
        if not faults:
            faults.append(Fault(FILE, 1, "", "not a mapping with the one key `items`", "start with `items:`"))
        return {}, faults
    items: dict[str, Item] = {}
    for name, entry in data["items"].items():
        item = _item(name, entry, document, faults)
        if item is not None:
            items[name] = item
    faults.extend(_structure(items, document))
    return items, faults


def _item(name: str, entry: Any, document: Document, faults: list[Fault]) -> Item | None:
    line = document.line_of(("items", name))
    if not isinstance(entry, dict):
        faults.append(Fault(FILE, line, name, "not a mapping", "give it at least a `name`"))
        return None
    for key in entry:
        if key not in _KEYS:
            at = document.line_of(("items", name, key))
            faults.append(Fault(FILE, at, f"{name}.{key}", f"unknown key {key!r}", f"the keys are {', '.join(sorted(_KEYS))}"))
    lists = {}
    for key in ("includes", "aliases"):
        value = entry.get(key) or []
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            at = document.line_of(("items", name, key))
            faults.append(Fault(FILE, at, f"{name}.{key}", "not a list of words", "write [one, two]"))
            value = []
        lists[key] = tuple(value)
    if not isinstance(entry.get("name"), str):
        faults.append(Fault(FILE, line, f"{name}.name", "'name' is missing", "say in words what it is"))
    return Item(name, str(entry.get("name") or name), str(entry.get("unit") or "item"), lists["includes"], lists["aliases"])


def _structure(items: Mapping[str, Item], document: Document) -> list[Fault]:
    faults = []
    for item in items.values():
        for other in item.includes:
            if other not in items:
                line = document.line_of(("items", item.id, "includes"))
                what = f"includes {other!r}, which is no item"
                faults.append(Fault(FILE, line, f"{item.id}.includes", what, "add it, or correct the name"))
    try:
        TopologicalSorter({i.id: set(i.includes) for i in items.values()}).prepare()
    except CycleError as error:
        circle = " -> ".join(str(n) for n in error.args[1])
        faults.append(Fault(FILE, 1, "includes", f"these include each other: {circle}", "remove one of the links"))
    return faults
