"""markings.yaml: the scheme that a case is marked in, who may read it, and how what bears no marking is ruled.

Without the file nothing of a case is marked, and nobody can be given less than all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from tallybook.accounts.roles import ROLES
from tallybook.agreement.model import Strict
from tallybook.agreement.yamltext import Document, read_yaml
from tallybook.errors import Fault
from tallybook.markings.marking import BOTTOM, TOP, Clearance, Grant, Marking, MarkingError
from tallybook.markings.names import canonical_name
from tallybook.markings.scheme import Scheme, read_scheme, scheme_of, table_of
from tallybook.markings.text import banner, parse, parse_grant, portion

FILE = "markings.yaml"
EVERYONE = "everyone cleared"
MOST_READERS = 10_000
MOST_FILES = 10_000

Texts = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(v if isinstance(v, list) else [v]))]


class ReaderForm(Strict):
    """A reader: what they are cleared for, where they belong, and what they may do in this case."""

    clearance: Texts
    title: str = ""
    organisation: str = ""
    names: Texts = ()
    roles: Texts = ()


class PolicyForm(Strict):
    """The whole file. `scheme` is the first where several are in use: a marking without a prefix is in it."""

    scheme: Texts
    own_schemes: list[dict[str, Any]] = Field(default_factory=list, max_length=20)
    unmarked: str | None = None
    ruled_by: str = ""
    files: dict[str, str] = Field(default_factory=dict, max_length=MOST_FILES)
    rows: dict[str, str] = Field(default_factory=dict, max_length=MOST_FILES)
    sources: dict[str, str] = Field(default_factory=dict, max_length=MOST_FILES)
    readers: dict[str, ReaderForm] = Field(default_factory=dict, max_length=MOST_READERS)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody for whom an answer is made."""

    name: str
    clearance: Clearance
    title: str = ""
    organisation: str = ""
    roles: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def clearance_text(self) -> str:
        """The clearance as it was written, one part a scheme, with the organisation that the reader belongs to."""
        return " & ".join(f"{text}{self._belonging(text)}" for text in self.says)

    def _belonging(self, text: str) -> str:
        if not self.organisation:
            return ""
        return f", {self.organisation}" if "//OF " in text.upper() else f"//OF {self.organisation}"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a case is marked. `unmarked` is TOP unless somebody ruled otherwise.

    `files`, `rows` and `sources` are patterns with markings; the first that fits counts. A row that bears none of its own has
    that of its id, or of its table and id, in `rows`, else that of its source's id in `sources`.
    """

    schemes: Mapping[str, Scheme]
    unmarked: Marking = TOP
    files: tuple[tuple[str, Marking], ...] = ()
    rows: tuple[tuple[str, Marking], ...] = ()
    sources: tuple[tuple[str, Marking], ...] = ()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    own_schemes: tuple[Mapping[str, Any], ...] = ()

    @property
    def scheme(self) -> Scheme:
        """The scheme of markings without a prefix."""
        return next(iter(self.schemes.values()))

    def marking(self, text: str) -> Marking:
        """The marking that a text is; what `unmarked` says for a blank. Raises MarkingError for one that is none."""
        return parse(text, self.scheme, self.schemes) if text.strip() else self.unmarked

    def effective(self, text: str) -> Marking:
        """The marking to go by: TOP where the text is none, so that it is withheld until somebody mends it."""
        try:
            return self.marking(text)
        except MarkingError:
            return TOP

    def of_file(self, name: str) -> Marking:
        """The marking of a file: that of the first pattern that fits its name."""
        found = self.named_file(name)
        return self.unmarked if found is None else found

    def named_file(self, name: str) -> Marking | None:
        """What is said of a file by its name; None where nothing is."""
        return _first(self.files, (name,))

    def of_row(self, names: Sequence[str], source: str) -> Marking | None:
        """What is said here of a row by its names and its source; None where nothing is."""
        found = _first(self.rows, names)
        return _first(self.sources, (source,)) if found is None else found

    def banner(self, marking: Marking) -> str:
        """The marking in full, for the head and foot of a page; blank for the bottom."""
        return banner(marking, self.schemes)

    def portion(self, marking: Marking) -> str:
        """The marking in brackets, for one line or paragraph; blank for the bottom."""
        return portion(marking, self.schemes)

    def reader(self, name: str, *, named: bool = False) -> Reader:
        """The reader of that name; or, where the name is a marking, somebody cleared just for that. Raises MarkingError.

        `named`: only one that the case names will do.
        """
        if name in self.readers:
            return self.readers[name]
        if named:
            raise MarkingError("this case names no such reader", where="sign-in", do=f"{FILE} names those who may read it")
        try:
            grants = grants_of([part.strip() for part in name.split("&")], self.schemes)
        except MarkingError as error:
            do = f"{FILE} names the readers of a case; a marking such as the lowest one serves too"
            raise MarkingError("no such reader, and no such marking", where="the reader", do=do) from error
        shown = banner(Clearance(grants=grants).floor(), self.schemes) or name
        return Reader(shown, Clearance(grants=grants), says=tuple(part.strip() for part in name.split("&")))


def _first(patterns: Sequence[tuple[str, Marking]], names: Sequence[str]) -> Marking | None:
    """The marking of the first pattern that is one of the names as it stands, else of the first that fits one."""
    for pattern, marking in patterns:
        if pattern in names:
            return marking
    return next((marking for pattern, marking in patterns if any(fnmatchcase(name, pattern) for name in names)), None)


def grants_of(texts: Iterable[str], schemes: Mapping[str, Scheme]) -> tuple[Grant, ...]:
    """What clearance texts grant, one scheme each. Raises MarkingError for one that is none, and for two of one scheme."""
    found: dict[str, Grant] = {}
    first = next(iter(schemes.values()))
    for text in texts:
        head = text.partition(":")[0].strip().upper()
        grant = parse_grant(text, schemes.get(head, first))
        if grant.scheme in found:
            raise MarkingError(f"two clearances in {grant.scheme}", do="write one, with all that it opens")
        found[grant.scheme] = grant
    return tuple(found[name] for name in sorted(found))


def read_policy(raw: bytes) -> tuple[Policy | None, list[Fault]]:
    """Read markings.yaml: the policy, or every fault of it with its line. A policy with a fault in it lets nobody read."""
    document = read_yaml(raw, FILE)
    faults = list(document.faults)
    if not isinstance(document.data, dict):
        if not faults:
            faults.append(Fault(FILE, 1, "", "not a mapping of keys", "start with `scheme: TLP`"))
        return None, faults
    try:
        form = PolicyForm.model_validate(document.data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            path = tuple(item["loc"])
            do = "docs/reference/markings.md says what the file holds"
            faults.append(Fault(FILE, document.line_of(path), ".".join(map(str, path)), item["msg"], do))
        return None, faults
    return _Reading(document, faults).policy(form)


class _Reading:
    def __init__(self, document: Document, faults: list[Fault]) -> None:
        self.document, self.faults = document, faults

    def policy(self, form: PolicyForm) -> tuple[Policy | None, list[Fault]]:
        schemes = self._schemes(form)
        if not schemes:
            return None, self.faults
        bare = Policy(schemes)
        files, rows, sources = (
            tuple((name, self._marking(bare, text, (key, name))) for name, text in given.items())
            for key, given in (("files", form.files), ("rows", form.rows), ("sources", form.sources))
        )
        unmarked = TOP if form.unmarked is None else self._marking(bare, form.unmarked, ("unmarked",))
        if form.unmarked is not None and not form.ruled_by.strip():
            what = "what bears no marking is ruled, and nobody is named who ruled so"
            self._fault(("unmarked",), what, "name the one who ruled in `ruled_by`, or leave `unmarked` out: withheld")
        readers = {}
        for name, reader in form.readers.items():
            if name == EVERYONE:
                self._fault(("readers", name), "a name that stands for everybody", "give the reader a name of their own")
            made = self._reader(name, reader, schemes)
            if made is not None:
                readers[name] = made
        if self.faults:
            return None, self.faults
        return Policy(schemes, unmarked, files, rows, sources, readers, tuple(form.own_schemes)), self.faults

    def _schemes(self, form: PolicyForm) -> dict[str, Scheme]:
        own: dict[str, Scheme] = {}
        for n, data in enumerate(form.own_schemes):
            try:
                scheme = read_scheme(data)
                own[scheme.id] = scheme
            except MarkingError as error:
                self._fault(("own_schemes", n), error.what, error.do)
        found: dict[str, Scheme] = {}
        for n, name in enumerate(form.scheme):
            try:
                found[name] = own[name] if name in own else scheme_of(name)
            except MarkingError as error:
                self._fault(("scheme", n), error.what, error.do)
        return found

    def _marking(self, bare: Policy, text: str, path: tuple[str | int, ...]) -> Marking:
        try:
            if not text.strip():
                raise MarkingError("blank", do="write a marking, or leave the key out: it is withheld then")
            return bare.marking(text)
        except MarkingError as error:
            self._fault(path, error.what, error.do)
            return TOP

    def _reader(self, name: str, form: ReaderForm, schemes: Mapping[str, Scheme]) -> Reader | None:
        path = ("readers", name)
        for role in form.roles:
            if role not in ROLES:
                self._fault((*path, "roles"), f"no role {role!r}", f"the roles are {', '.join(ROLES)}")
        try:
            grants = grants_of(form.clearance, schemes)
            names = frozenset(canonical_name(one) for one in (name, *form.names))
            belongs = frozenset({canonical_name(form.organisation)} if form.organisation else ())
        except MarkingError as error:
            self._fault((*path, "clearance"), error.what, error.do)
            return None
        grants = tuple(Grant(g.scheme, g.level, g.compartments, g.belongs_to | belongs, g.keeps_to) for g in grants)
        return Reader(name, Clearance(names, grants), form.title, form.organisation, form.roles, form.clearance, form.names)

    def _fault(self, path: tuple[str | int, ...], what: str, do: str) -> None:
        self.faults.append(Fault(FILE, self.document.line_of(path), ".".join(map(str, path)), what, do))


def scheme_tables(policy: Policy) -> dict[str, Any]:
    """The tables of the schemes in use as plain data, in their order: what another program reads markings by."""
    own = {str(data.get("id")): data for data in policy.own_schemes}
    return {name: own.get(name) or table_of(name) for name in policy.schemes}


def reduced(policy: Policy, files: Mapping[str, Marking]) -> dict[str, Any]:
    """What a reader gets of the policy: the schemes, and the markings of the files that they get. No readers, no ruling."""
    out: dict[str, Any] = {"scheme": list(policy.schemes)}
    if policy.own_schemes:
        out["own_schemes"] = [dict(one) for one in policy.own_schemes]
    out["files"] = {_literal(name): policy.banner(marking) for name, marking in sorted(files.items()) if marking != BOTTOM}
    return out


def _literal(name: str) -> str:
    """A pattern that fits just this name."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
