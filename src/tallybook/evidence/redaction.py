"""Redaction of rows and texts: what is cut out, what stands in its place, and a proof of it that nobody below can guess.

The redacted form is a new record; the first stays as it is. What was cut is told below by its salted hash only. The salt goes to
the record above: whoever may see the first can open it, and without it likely words cannot be tried against the hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from html import unescape
from unicodedata import category, normalize
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from tallybook.core.plaintext import NotPlainTextError, plain_text, unseen
from tallybook.core.time import Moment, MomentError, moment, shifted, written
from tallybook.errors import TallybookError
from tallybook.evidence.ingest.told import told
from tallybook.evidence.report import Place

MARK = "[redacted]"
"""What stands for a passage. It is as long whatever it stands for."""
SALT = 32
"""Bytes of a salt."""
LARGEST_TEXT = 4_000_000
LONGEST_PASSAGE = 2_000
MOST_CUTS = 500
MOST_REMOVED = 500
MOST_FOUND = 50_000
"""So many places at most are removed from one record, so that what tells of them fits one field of a table."""
MOST_WORDS = 2_000
TEXT = "text"
"""The field of a removal from a text that has no columns."""
GRAINS = ("hour", "day", "month")

Chance = Callable[[int], bytes]
"""Gives so many random bytes, such as `secrets.token_bytes`."""


class RedactionError(TallybookError):
    """A redaction that is refused: nothing was made."""


class StillStandingError(RedactionError):
    """What was cut stands elsewhere in the record. `standing` are pairs of (field, words)."""

    def __init__(self, standing: Sequence[tuple[str, str]]) -> None:
        self.standing = tuple(standing)
        shown = [f"{told(words)} in {column}" for column, words in standing[:10]]
        more = [f"{len(standing) - 10} more"] if len(standing) > 10 else []
        super().__init__(f"still standing: {'; '.join(shown + more)}", do="cut them as well, or say that these words are kept")


@dataclass(frozen=True, slots=True)
class Passage:
    """Exact words of a field: each occurrence, or the `nth` from 1."""

    column: str
    words: str
    nth: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text by lines and columns (characters), both from 1; both ends are cut out."""

    line: int
    column: int
    to_line: int
    to_column: int


@dataclass(frozen=True, slots=True)
class Whole:
    """All of a field."""

    column: str


@dataclass(frozen=True, slots=True)
class Wider:
    """A place, replaced by one that it lies within."""

    to: str
    column: str = "place"


@dataclass(frozen=True, slots=True)
class Coarser:
    """A time, told to the hour, the day or the month."""

    column: str
    grain: str


@dataclass(frozen=True, slots=True)
class Between:
    """A number and its bounds, replaced by wider bounds in `column`_low and `column`_high, as digits."""

    low: str
    high: str
    column: str = "count"


@dataclass(frozen=True, slots=True)
class OtherSource:
    """A source, replaced by another id under which it is protected."""

    to: str
    column: str = "source_id"


@dataclass(frozen=True, slots=True)
class Without:
    """Ids taken out of a list of ids, such as `exhibits` or `restates`."""

    column: str
    names: tuple[str, ...]


Cut = Passage | Whole | Wider | Coarser | Between | OtherSource | Without


@dataclass(frozen=True, slots=True)
class Opening:
    """What proves one removal to whoever has the first: kept with the record above, never below.

    `how` names the kind of cut. Characters `start` to `end` of the field were removed; `sha256` is of the salt and of these in
    UTF-8.
    """

    field: str
    how: str
    sha256: str
    salt: bytes
    start: int
    end: int

    def told(self) -> dict[str, str]:
        """What may be known below: the field, the kind of cut, the salted hash."""
        return {"field": self.field, "how": self.how, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted row: its fields, and an opening for each removal."""

    row: dict[str, str]
    openings: tuple[Opening, ...]

    @property
    def removed(self) -> list[dict[str, str]]:
        """What was removed, as it may be told below: no salt, no position, no length."""
        return [opening.told() for opening in self.openings]


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A redacted text in UTF-8, and an opening for each removal."""

    data: bytes
    openings: tuple[Opening, ...]

    @property
    def removed(self) -> list[dict[str, str]]:
        """What was removed, as it may be told below: no salt, no position, no length."""
        return [opening.told() for opening in self.openings]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a redaction of a row is held against.

    `required` columns are never blank, `bare` ones hold no running words (times, numbers, words of closed lists), `fixed` ones
    cannot be cut whole. `taken` are ids that are in use. `keep` are words that may stand elsewhere though they were cut.
    """

    tz: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    places: Mapping[str, Place] = field(default_factory=dict)
    id_column: str = "id"
    required: Collection[str] = ()
    bare: Collection[str] = ()
    fixed: Collection[str] = ()
    taken: Collection[str] = ()
    keep: Collection[str] = ()


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_ALIKE = str.maketrans("\u2018\u2019\u201b\u201c\u201d\u201f\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "'''\"\"\"-------")
_UNSEEN = ("Mn", "Me", "Cf", "Cc", "Cs")
_ROUNDED_DOWN = ("observed_from", "from")
_ROUNDED_UP = ("observed_to", "to", "reported_at", "known_at")


def folded(text: str) -> str:
    """A text with the differences taken out that hide little: case, width, ligatures, accents, blanks, unseen characters."""
    plain = normalize("NFKD", normalize("NFKD", text).casefold()).translate(_ALIKE)
    if not plain.isascii():
        plain = plain.translate({ord(char): None for char in set(plain) if category(char) in _UNSEEN and not char.isspace()})
    return " ".join(plain.split())


def _opened(text: str) -> str:
    """A text with the escapes of JSON, HTML, CSV and web addresses undone, and no separators within numbers."""
    text = _ESCAPES.sub(lambda m: bytes.fromhex(m[0].replace("\\u", "")).decode("utf-16-be", "replace"), text)
    text = re.sub(r"\\[nrtbf]", " ", text)
    text = unquote(unescape(re.sub(r'\\(["/\\])', r"\1", text).replace('""', '"')))
    return re.sub(r"(?<=\d)[,.'\u2019\u00a0\u202f ](?=\d{3}(?!\d))", "", text)


def _faces(text: str) -> tuple[str, ...]:
    """The text folded, and folded with its escapes undone."""
    return tuple(dict.fromkeys((folded(text), folded(_opened(text)))))


@dataclass(frozen=True, slots=True)
class Needle:
    """Words that are looked for once more after the cuts, except in the columns `own` that were written anew."""

    words: str
    own: frozenset[str] = frozenset()


def needles_of(text: str) -> list[Needle]:
    """What was cut, and every word in it of four characters or more."""
    words = dict.fromkeys(word for face in _faces(text) for word in re.findall(r"\w{4,}", face))
    return [Needle(text), *map(Needle, words)]


def still_standing(fields: Mapping[str, str], needles: Iterable[Needle], keep: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of (field, words) where what was cut stands in a field, however it is written; marks are no part of a field."""
    kept = {face for words in keep for face in _faces(words)}
    wanted = list(dict.fromkeys(needle for needle in needles if kept.isdisjoint(_faces(needle.words))))
    if len(wanted) > MOST_WORDS:
        raise RedactionError(f"over {MOST_WORDS:,} different words are cut", do="cut less in one record")
    sought = [(needle, [_finder(face) for face in _faces(needle.words) if face]) for needle in wanted]
    found = []
    for column, value in fields.items():
        # A mark is where words were: nothing is found across it, and the word in it is not one that was left.
        pieces = value.split(MARK)
        faces = dict.fromkeys("\0".join(face) for face in zip(*map(_both, pieces), strict=True))
        for needle, finders in sought:
            if column not in needle.own and any(finds(face) for finds in finders for face in faces):
                found.append((column, needle.words))
    return found


def _both(piece: str) -> tuple[str, str]:
    return folded(piece), folded(_opened(piece))


def _finder(words: str) -> Callable[[str], bool]:
    """Finds folded words: short ones and numbers by themselves only, since 1964 does not tell 64; all others within words too."""
    number = _NUMBER.fullmatch(words)
    # Scripts that set no blanks between words are not ASCII: a short name in them stands within what looks like one word.
    if number or (len(words) < 4 and words.isascii()):
        beside = r"\d" if number else r"\w"
        alone = re.compile(rf"(?<!{beside}){re.escape(words)}(?!{beside})")
        return lambda text: alone.search(text) is not None
    return lambda text: words in text


def spans_of(text: str, passage: Passage) -> list[tuple[int, int]]:
    """Where the words of a passage stand: (start, end) in characters, overlapping ones as one. Raises RedactionError for none."""
    words, where = passage.words, passage.column
    if not folded(words):
        raise RedactionError("no words to cut", where=where, do="give the exact words")
    if len(words) > LONGEST_PASSAGE:
        do = "cut the field whole, or by line and column"
        raise RedactionError(f"a passage of over {LONGEST_PASSAGE:,} characters", where=where, do=do)
    spans: list[tuple[int, int]] = []
    for number, start in enumerate(_starts(text, words), 1):
        if passage.nth is not None and number != passage.nth:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], start + len(words))
        else:
            spans.append((start, start + len(words)))
        if number == passage.nth:
            break
        if len(spans) > MOST_REMOVED or number > MOST_FOUND:
            raise RedactionError(f"{told(words)} stands there over {MOST_REMOVED} times", where=where, do="cut the field whole")
    if not spans:
        nth = f" number {passage.nth} of" if passage.nth is not None else ""
        raise RedactionError(f"there is no{nth} {told(words)}", where=where, do="write the words exactly as they stand there")
    return spans


def _starts(text: str, words: str) -> Iterator[int]:
    start = text.find(words)
    while start >= 0:
        yield start
        start = text.find(words, start + 1)


def merged(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; those with nothing but blanks between them as one, so that a row of marks does not count the words."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and not text[found[-1][1] : start].strip():
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with a mark for each span; spans in order, none overlapping."""
    out, last = [], 0
    for start, end in spans:
        out += [text[last:start], MARK]
        last = end
    return "".join([*out, text[last:]])


@dataclass(frozen=True, slots=True)
class Taken:
    """One removal: what was taken from characters `start` to `end` of a field."""

    field: str
    how: str
    data: bytes
    start: int
    end: int


def seal(taken: Sequence[Taken], chance: Chance) -> tuple[Opening, ...]:
    """An opening for each removal, each with its own salt. Raises RedactionError for too many, and for salts that are none."""
    if len(taken) > MOST_REMOVED:
        raise RedactionError(f"over {MOST_REMOVED} places are cut", do="cut whole fields")
    salts = [chance(SALT) for _ in taken]
    if any(len(salt) != SALT for salt in salts) or len(set(salts)) != len(salts):
        raise RedactionError(
            "salts that are too short, or one twice", do="give random bytes, such as those of secrets.token_bytes"
        )
    return tuple(
        Opening(t.field, t.how, sealed(salt, t.data), salt, t.start, t.end) for t, salt in zip(taken, salts, strict=True)
    )


def sealed(salt: bytes, data: bytes) -> str:
    """SHA-256, in hex, of a salt (32 bytes) and what was removed."""
    return sha256(salt + data).hexdigest()


def redact_text(raw: bytes, cuts: Sequence[Passage | Stretch], chance: Chance, keep: Collection[str] = ()) -> RedactedText:
    """A text (UTF-8; a CSV or JSON is taken as text) with a mark for each cut. `column` of a passage is `text`.

    Raises RedactionError for a text that is none or too large, a cut that finds nothing, and StillStandingError where words that
    were cut occur elsewhere in it, escaped or in other letter forms.
    """
    text = text_of(raw)
    if not 0 < len(cuts) <= MOST_CUTS:
        raise RedactionError("nothing is cut" if not cuts else f"over {MOST_CUTS} cuts", do="say what is to be cut")
    spans = []
    for cut in cuts:
        spans += spans_of(text, cut) if isinstance(cut, Passage) else [_stretch(text, cut)]
    spans = merged(text, spans)
    taken = [Taken(TEXT, "passage", text[start:end].encode(), start, end) for start, end in spans]
    out = without(text, spans)
    if out == text:
        raise RedactionError("only marks are cut, so nothing is removed", do="say what is to be cut")
    openings = seal(taken, chance)
    standing = still_standing({TEXT: out}, (needle for start, end in spans for needle in needles_of(text[start:end])), keep)
    if standing:
        raise StillStandingError(standing)
    return RedactedText(out.encode(), openings)


def text_of(raw: bytes) -> str:
    """The text of an exhibit. Raises RedactionError for one that is too large or no plain text."""
    if len(raw) > LARGEST_TEXT:
        raise RedactionError(f"a text of over {LARGEST_TEXT:,} bytes", do="split it, and file the parts as exhibits of their own")
    try:
        return plain_text(raw)
    except NotPlainTextError as error:
        raise RedactionError(error.what, where=f"line {error.line}", do=error.do) from error


def _stretch(text: str, cut: Stretch) -> tuple[int, int]:
    where = f"{cut.line}:{cut.column} to {cut.to_line}:{cut.to_column}"
    start, end = _offset(text, cut.line, cut.column, where), _offset(text, cut.to_line, cut.to_column, where) + 1
    if end <= start or not folded(text[start:end]):
        raise RedactionError("nothing is cut", where=where, do="give the first and the last character, counted from 1")
    return start, end


def _offset(text: str, line: int, column: int, where: str) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            break
    end = text.find("\n", start)
    if line < 1 or column < 1 or (line > 1 and not start) or start + column > (len(text) if end < 0 else end):
        raise RedactionError(f"no character at {line}:{column}", where=where, do="lines and columns count from 1")
    return start + column - 1


def redact_row(
    row: Mapping[str, str], cuts: Sequence[Cut], new_id: str, marking: str, chance: Chance, setting: Setting | None = None
) -> Redacted:
    """A new row under `new_id` and `marking` with every cut made.

    Raises RedactionError for a cut that finds or changes nothing or that would tell more, a marking that is not given, and an id
    that is the old one or taken; StillStandingError where what was cut, or the old id, stands elsewhere in the row.
    """
    work = _Work(dict(row), dict(row), setting or Setting())
    work.rename(new_id, marking)
    if not 0 < len(cuts) <= MOST_CUTS:
        raise RedactionError("nothing is cut" if not cuts else f"over {MOST_CUTS} cuts", do="say what is to be cut")
    for cut in cuts:
        work.make(cut)
    work.cut_passages()
    standing = still_standing(work.out, work.needles, work.setting.keep) + work.betraying()
    if standing:
        raise StillStandingError(standing)
    return Redacted(work.out, seal(work.taken, chance))


@dataclass(slots=True)
class _Work:
    """A row under redaction: `old` as it was, `out` as it becomes."""

    old: dict[str, str]
    out: dict[str, str]
    setting: Setting
    taken: list[Taken] = field(default_factory=list)
    needles: list[Needle] = field(default_factory=list)
    passages: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)

    def rename(self, new_id: str, marking: str) -> None:
        """Give the new row its id and its marking."""
        column = self.setting.id_column
        for name, value in self.old.items():
            if len(value) > LARGEST_TEXT or unseen(value):
                raise RedactionError("too long, or not plain text", where=name, do="correct the row first")
        if not marking.strip() or unseen(marking):
            raise RedactionError(
                "no marking for the new row", where="marking", do="say how it is marked: nothing is released unmarked"
            )
        if not self.old.get(column):
            raise RedactionError("the row has no id", where=column, do="name the column that names the row")
        if not _ID.fullmatch(new_id):
            raise RedactionError(f"{told(new_id)} cannot be an id", where=column, do="use letters, digits and _ . / -")
        if new_id == self.old[column] or new_id in self.setting.taken:
            raise RedactionError(f"the id {new_id} is taken", where=column, do="give the new row an id of its own")
        self.needles.append(Needle(self.old[column]))
        self.out[column], self.out["marking"] = new_id, marking

    def make(self, cut: Cut) -> None:
        """Make one cut; passages are only noted, and made together."""
        if cut.column not in self.old or cut.column in (self.setting.id_column, "marking"):
            raise RedactionError(f"{told(cut.column)} is no column that can be cut", do="name a column of the row")
        match cut:
            case Passage():
                self._passage(cut)
            case Whole():
                self._whole(cut)
            case Wider():
                names = coarser_place(self._value(cut.column), cut.to, self.setting.places)
                self._replace(cut.column, "place", cut.to, names)
            case Coarser():
                self._coarser(cut)
            case Between():
                self._between(cut)
            case OtherSource():
                if not _ID.fullmatch(cut.to):
                    raise RedactionError(f"{told(cut.to)} cannot be an id", where=cut.column, do="name the protected source")
                self._replace(cut.column, "source", cut.to, [self._value(cut.column)])
            case Without():
                self._without(cut)

    def _value(self, column: str) -> str:
        if not folded(self.old[column]):
            raise RedactionError("blank, so nothing is removed", where=column, do="leave this cut out")
        return self.old[column]

    def _passage(self, cut: Passage) -> None:
        if cut.column in self.setting.bare or cut.column in self.setting.fixed:
            raise RedactionError("no running words", where=cut.column, do="cut it whole, or make it coarser")
        if cut.column in self.replaced:
            raise RedactionError("cut in two ways", where=cut.column, do="keep one of the two")
        self.passages.setdefault(cut.column, []).extend(spans_of(self.old[cut.column], cut))

    def _whole(self, cut: Whole) -> None:
        if cut.column in self.setting.fixed:
            raise RedactionError(
                "a row without it cannot be read", where=cut.column, do="make it coarser, or do not release the row"
            )
        old = self._value(cut.column)
        self._replace(cut.column, "whole", MARK if cut.column in self.setting.required else "")
        self.needles += needles_of(old)

    def _replace(self, column: str, how: str, new: str, names: Iterable[str] = (), own: frozenset[str] = frozenset()) -> None:
        old = self.old[column]
        if column in self.replaced or column in self.passages:
            raise RedactionError("cut in two ways", where=column, do="keep one of the two")
        if old == new:
            raise RedactionError(f"it is {told(old)} already, so nothing is removed", where=column, do="leave this cut out")
        self.replaced[column] = how
        self.out[column] = new
        self.taken.append(Taken(column, how, old.encode(), 0, len(old)))
        self.needles += [Needle(name, own | {column}) for name in names]

    def _coarser(self, cut: Coarser) -> None:
        old = self._value(cut.column)
        new = coarser_time(old, cut.column, cut.grain, self.setting.tz)
        clock = re.findall(r"T(\d{2}:\d{2})", old)
        self._replace(cut.column, f"time to the {cut.grain}", new, [old, *clock])

    def _between(self, cut: Between) -> None:
        point, low, high = columns = (cut.column, f"{cut.column}_low", f"{cut.column}_high")
        if any(name not in self.old for name in columns):
            raise RedactionError(f"the table has no bounds for {cut.column}", where=point, do="cut it whole")
        check_range([self.old[name] for name in columns], cut.low, cut.high, point)
        before = len(self.taken)
        for name, new in ((point, ""), (low, cut.low), (high, cut.high)):
            if not self.old[name]:
                self.out[name] = new
            elif self.old[name] != new:
                self._replace(name, "range", new, [self.old[name]], frozenset(columns))
        if len(self.taken) == before:
            raise RedactionError("these are its bounds already, so nothing is removed", where=point, do="leave this cut out")

    def _without(self, cut: Without) -> None:
        names = listed(self._value(cut.column))
        missing = [name for name in cut.names if name not in names]
        if missing or not cut.names:
            what = f"{told(missing[0])} is not among them" if missing else "nothing to take out"
            raise RedactionError(what, where=cut.column, do="name ids that stand there")
        left = "; ".join(name for name in names if name not in cut.names)
        self._replace(cut.column, "list", left)
        self.needles += [Needle(name) for name in cut.names]

    def cut_passages(self) -> None:
        """Make the passages of each column, in order."""
        for column, spans in self.passages.items():
            old, joined = self.old[column], merged(self.old[column], spans)
            self.out[column] = without(old, joined)
            if self.out[column] == old:
                raise RedactionError("only marks are cut, so nothing is removed", where=column, do="leave this cut out")
            for start, end in joined:
                self.taken.append(Taken(column, "passage", old[start:end].encode(), start, end))
                self.needles += needles_of(old[start:end])

    def betraying(self) -> list[tuple[str, str]]:
        """A citation that stands as it was though the source is protected: it names what the new id hides."""
        citation = self.out.get("citation", "")
        hidden = "source" in self.replaced.values() and citation and citation == self.old["citation"]
        return [("citation", citation)] if hidden and citation not in self.setting.keep else []


def listed(text: str) -> list[str]:
    """The ids in a list of ids, each once."""
    return list(dict.fromkeys(name for name in re.split(r"[;\s]+", text) if name))


def _named(text: str, places: Mapping[str, Place]) -> str:
    wanted = text.strip().casefold()
    names = (p.id for p in places.values() if wanted in {name.strip().casefold() for name in (p.id, p.name, *p.aliases)})
    return next(names, "")


def _around(place: str, places: Mapping[str, Place]) -> list[str]:
    """A place and all that it lies within, innermost first."""
    chain: list[str] = []
    while place in places and place not in chain:
        chain.append(place)
        place = places[place].within
    return chain


def coarser_place(old: str, to: str, places: Mapping[str, Place]) -> list[str]:
    """Every name that would tell more than `to` does: of the old places, and of what lies between them and it.

    Raises RedactionError unless `to` is a place that contains every place named in `old`.
    """
    target = _named(to, places)
    if not target:
        raise RedactionError(f"no place {told(to)}", where="place", do="name a place of places.csv")
    whole = _named(old, places)
    parts = [whole] if whole else [_named(part, places) for part in old.split(";") if part.strip()]
    names: dict[str, None] = {}
    for part in parts:
        chain = _around(part, places)
        if target not in chain[1:]:
            what = f"{told(to)} does not contain {told(old)}" if part else f"{told(old)} is no place of places.csv"
            raise RedactionError(what, where="place", do="name what it lies within, or cut the field whole")
        for inner in chain[: chain.index(target)]:
            names.update(dict.fromkeys((inner, places[inner].name, *places[inner].aliases)))
    return [*dict.fromkeys((old, *names))]


def coarser_time(old: str, column: str, grain: str, tz: ZoneInfo) -> str:
    """A moment as text, told to the hour, the day or the month; nothing becomes known earlier than it was.

    A day or month is that of `tz`, in which it is read. An hour begins, in a column that begins something, with the full hour
    before, and in any other ends with the one after. Raises RedactionError for what is no moment, and for one as coarse already.
    """
    try:
        at = moment(old, tz)
        if grain not in GRAINS:
            raise RedactionError(f"no grain {told(grain)}", where=column, do=f"the grains are {', '.join(GRAINS)}")
        if ("T" not in old) and (grain != "month" or len(old) < 10):
            raise RedactionError(f"{told(old)} is no finer than the {grain}", where=column, do="leave this cut out, or cut more")
        return _to_hour(at, column, tz) if grain == "hour" else _to_date(at, grain, tz)
    except MomentError as error:
        raise RedactionError(f"{told(old)} is not a time", where=column, do="cut it whole, or by its words") from error
    except (OverflowError, ValueError) as error:
        raise RedactionError(f"{told(old)} lies at the edge of the calendar", where=column, do="cut it whole") from error


def _to_date(at: Moment, grain: str, tz: ZoneInfo) -> str:
    # Read in its zone a date holds every instant of its own, which a date cut off the text in another offset need not.
    return at.first.astimezone(tz).date().isoformat()[: 10 if grain == "day" else 7]


def _to_hour(at: Moment, column: str, tz: ZoneInfo) -> str:
    if column not in (*_ROUNDED_DOWN, *_ROUNDED_UP):
        raise RedactionError("an hour is told by a beginning and an end", where=column, do="tell it to the day")
    down = at.first.astimezone(tz).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    rounded = down if column in _ROUNDED_DOWN else shifted(down, timedelta(hours=1))
    text = _readable(rounded, tz)
    if column in _ROUNDED_UP and moment(text, tz).last < at.last:
        raise ValueError(column)
    return text


def _readable(at: datetime, tz: ZoneInfo) -> str:
    """An instant as text that reads again: zones before standard time have offsets with seconds, and are told in UTC."""
    text = written(at, tz)
    return text if len(text) == len("1962-11-03T20:00:00-05:00") else written(at, ZoneInfo("UTC"))


def check_range(old: Sequence[str], low: str, high: str, where: str) -> None:
    """Raises RedactionError unless `low` to `high` holds all that the old number and bounds say, and is no single number."""
    for text in (low, high, *(text for text in old if text)):
        if not _NUMBER.fullmatch(text):
            raise RedactionError(f"{told(text)} is not a count", where=where, do="write digits, 0 or more")
    numbers = [Decimal(text) for text in old if text]
    if not numbers:
        raise RedactionError("blank, so nothing is removed", where=where, do="leave this cut out")
    if not Decimal(low) < Decimal(high) or min(numbers) < Decimal(low) or max(numbers) > Decimal(high):
        raise RedactionError(
            f"{low} to {high} is no wider than what it stands for", where=where, do="give bounds that hold it, apart"
        )
