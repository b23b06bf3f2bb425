"""From the bytes of agreement.yaml to a model of the right form, or to every fault of form in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.yamltext import Document, Path, read_yaml, without_markings
from tallybook.errors import Fault

FILE = "agreement.yaml"


@dataclass(slots=True)
class Loaded:
    """An agreement file as read: the model (None while it has faults of form), raw provisions, lines, faults."""

    agreement: Agreement | None
    base: dict[str, dict[str, Any]]
    document: Document
    faults: list[Fault]


def load_agreement(raw: bytes) -> Loaded:
    """Read and validate agreement.yaml by itself; `check_agreement` then checks it against sources and items."""
    document = read_yaml(raw, FILE)
    faults = list(document.faults)
    if not isinstance(document.data, dict):
        if not faults:
            faults.append(Fault(FILE, 1, "", "not a mapping of keys", "start with `agreement: NAME`"))
        return Loaded(None, {}, document, faults)
    agreement: Agreement | None = None
    document.data = without_markings(document.data)
    try:
        agreement = Agreement.model_validate(document.data)
    except ValidationError as error:
        faults.extend(_form_fault(item, document) for item in error.errors(include_url=False))
    if agreement is None:
        return Loaded(None, {}, document, faults)
    base = {str(p["id"]): p for p in document.data["provisions"]}
    return Loaded(agreement, base, document, faults)


def _form_fault(item: Any, document: Document) -> Fault:
    path: Path = tuple(item["loc"])
    # A discriminated union puts the kind into the path; the file has no such level.
    while path and path not in document.lines:
        shorter = next((path[:n] + path[n + 1 :] for n in range(len(path)) if path[:n] + path[n + 1 :] in document.lines), None)
        if shorter is None:
            break
        path = shorter
    aliases = {"from_": "from", "while_": "while", "in_": "in", "for_": "for", "as_": "as"}
    field = ".".join(aliases.get(str(part), str(part)) for part in item["loc"])
    what = item["msg"].removeprefix("Value error, ")
    do = {
        "extra_forbidden": "remove the key, or correct its spelling",
        "missing": "add it",
    }.get(item["type"], "correct the value; docs/reference/agreement.md says what it takes")
    if item["type"] == "extra_forbidden":
        what = f"unknown key {item['loc'][-1]!r}"
    elif item["type"] == "missing":
        what = f"{item['loc'][-1]!r} is missing"
    return Fault(FILE, document.line_of(path), field, what, do)
