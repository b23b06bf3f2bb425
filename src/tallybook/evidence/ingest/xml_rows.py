"""XML in its simplest form: a root, an element for each row, and its attributes and child elements as columns.

A document type is refused by its own handler, whatever the expat on the machine: without one there are no entities to
expand and nothing outside to fetch.
"""

from __future__ import annotations

from xml.parsers import expat

from tallybook.evidence.ingest.gather import Gathering, StopReadingError
from tallybook.evidence.ingest.json_rows import decoded
from tallybook.evidence.ingest.told import told

_FORM = "write <table><row><column>text</column>…</row>…</table>"


class _Reader:
    """Follows the parser from element to element. `path`: the elements that are open, the row's own second."""

    def __init__(self, into: Gathering, file: str, stem: str) -> None:
        self.into, self.file, self.stem = into, file, stem
        self.path: list[str] = []
        self.table = ""
        self.line = 0
        self.fields: dict[str, str] = {}
        self.text: list[str] = []
        self.length = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def stop(self, what: str, do: str) -> StopReadingError:
        return self.into.stop(self.file, self.parser.CurrentLineNumber, what, do)

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII"):
            raise self.stop(f"says that its encoding is {told(encoding)}", "save it as UTF-8")

    def doctype(self, *_: object) -> None:
        raise self.stop("a document type (DOCTYPE)", "remove it: entities are not read from outside")

    def instruction(self, target: str, data: str) -> None:
        raise self.stop(f"a processing instruction, {told(target)}", "remove it")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.characters("")
        self.path.append(name)
        depth = len(self.path)
        if depth > 3 or (attributes and depth != 2):
            raise self.stop(f"{told(name)} is more than a row and its columns", _FORM)
        if depth == 1:
            self.table = self.into.table_of(self.file, [name, self.stem])
            self.into.begin(self.file, self.table)
        elif depth == 2:
            self.line, self.fields = self.parser.CurrentLineNumber, dict(attributes)
        elif name in self.fields:
            raise self.stop(f"{told(name)} twice in a row", "keep one")
        if len(self.fields) > self.into.limits.columns:
            raise self.stop(f"over {self.into.limits.columns} columns", _FORM)
        self.text, self.length = [], 0

    def characters(self, text: str) -> None:
        if len(self.path) < 3:
            if text.strip():
                raise self.stop(f"text outside of any column: {told(text.strip())}", _FORM)
            return
        self.length += len(text)
        if self.length > self.into.limits.field:
            raise self.stop(f"a field of over {self.into.limits.field:,} characters", "shorten it")
        self.text.append(text)

    def end(self, name: str) -> None:
        depth = len(self.path)
        self.path.pop()
        if depth == 3:
            self.fields[name] = "".join(self.text)
        elif depth == 2:
            self.into.add(self.file, self.table, self.line, self.fields)


def read_xml(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """One table: named by the root element or by the file. The line of a row is where its element begins."""
    text = decoded(into, file, raw)
    reader = _Reader(into, file, stem)
    try:
        reader.parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = f"not XML: {expat.ErrorString(error.code)}"
        raise into.stop(file, error.lineno, what, "correct it, or write the table as CSV") from error
