"""Names in Akoma Ntoso: URIs of works, identifiers of elements, and text that XML can hold."""

from __future__ import annotations

import itertools
import re

from tallybook.codify.code import Article, Code, PartText

NAMESPACE = "http://docs.oasis-open.org/legaldocml/ns/akn/3.0"
_SHORT = {
    "article": "art",
    "chapter": "chp",
    "clause": "cl",
    "division": "dvs",
    "list": "list",
    "paragraph": "para",
    "section": "sec",
    "subchapter": "subchp",
    "subclause": "subcl",
    "subdivision": "subdvs",
    "subparagraph": "subpara",
    "subsection": "subsec",
}
# What XML 1.0 cannot hold, even as a reference.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(text: str) -> str:
    """Text without the characters that XML 1.0 forbids; each becomes U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def token(text: str) -> str:
    """A piece of an identifier: letters, digits, hyphens and full stops."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.") or "x"


def ontology(kind: str, name: str) -> str:
    """The URI of a person, organisation or term."""
    return f"/akn/ontology/{kind}/{token(name)}"


class Names:
    """Identifiers for one document: each is given once, and the same for the same thing."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._taken: set[str] = set()
        self._ids: dict[tuple[str, tuple[str, ...]], str] = {}
        for article in code.articles:
            self._name_article(article)
        dated = sorted((not entry.says, entry.at) for entry in code.instruments if entry.at is not None)
        self.date = dated[0][1].date().isoformat() if dated else code.on[:10]
        self.works = {entry.id: self._work(entry.id, entry.made) for entry in code.instruments}
        self.work = f"/akn/zz/act/agreement/{self.date}/{token(code.id).lower()}"
        self.expression = f"{self.work}/eng@{code.on[:10]}"

    def _work(self, name: str, made: str) -> str:
        found = re.match(r"\d{4}(-\d{2}(-\d{2})?)?", made)
        return f"/akn/zz/doc/instrument/{found[0] if found else self.date}/{token(name).lower()}"

    def _name_article(self, article: Article) -> None:
        if article.number:
            unit = article.unit or "section"
            eid = f"{_SHORT.get(unit, token(unit))}_{token(article.number)}"
        else:
            eid = f"{article.kind}_{token(article.id)}"
        self._ids[article.id, ()] = self.free(eid)
        for part in article.parts:
            self._name_part(part, article.id, (part.id,))

    def _name_part(self, part: PartText, article: str, path: tuple[str, ...]) -> None:
        outer = self._ids[article, path[:-1]]
        eid = f"{outer}__{_SHORT.get(part.unit, token(part.unit))}_{token(part.number or part.id)}"
        self._ids[article, path] = self.free(eid)
        for inner in part.parts:
            self._name_part(inner, article, (*path, inner.id))

    def free(self, wanted: str) -> str:
        """An identifier that nothing else has."""
        name, n = wanted, 1
        while name.lower() in self._taken:
            n += 1
            name = f"{wanted}-{n}"
        self._taken.add(name.lower())
        return name

    def of(self, article: str, path: tuple[str, ...] = ()) -> str:
        """The identifier of an article, or of the part of it that a path of part ids leads to."""
        return self._ids[article, path]

    def of_path(self, article: str, path: tuple[str, ...]) -> str:
        """The identifier of the innermost part that the path of a change leads to."""
        parts = tuple(name for before, name in itertools.pairwise(path) if before == "parts")
        while parts and (article, parts) not in self._ids:
            parts = parts[:-1]
        return self._ids[article, parts]

    def holds(self, article: str) -> bool:
        """Whether there is an article of that id."""
        return (article, ()) in self._ids

    def group(self, article: str) -> str:
        """The identifier of the times of an article."""
        return f"tg_{self._ids[article, ()]}"

    def reference(self, instrument: str) -> str:
        """The identifier of an instrument among the references."""
        return f"ref_{token(instrument)}"


def work_of(names: Names, instrument: str) -> str:
    """The URI of an instrument; of one that was not known then, a term of its own."""
    return names.works.get(instrument, ontology("concept", instrument))
