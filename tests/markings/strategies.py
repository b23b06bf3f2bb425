"""Markings that a scheme can express, for properties; and the small lattice, for brute force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, product

from hypothesis import strategies as st

from tallybook.markings.marking import BOTTOM, EXEMPT, TOP, Marking, Part
from tallybook.markings.names import canonical_name
from tallybook.markings.scheme import Scheme, read_scheme, scheme_of, shipped
from tallybook.markings.vocabulary import COMPARTMENT

NAMES = tuple(
    canonical_name(name)
    for name in (
        "usa",
        "GBR",
        "fra",
        "partner-desk",
        "O'Neill",
        "Ständige Vertretung",
        "МИД",
        "日本",
        "a.b@c+d_e",
        "Strauß",
        "X" * 60,
    )
)
OWN: Mapping[str, object] = {
    "id": "OWN-2",
    "title": "a case's own",
    "owner": "Partner Desk",
    "levels": [
        {"name": "OPEN", "portion": "O"},
        {"name": "IN HOUSE//NOTED", "portion": "I//N"},
        {"name": "CLOSED+ONE", "portion": "C1"},
    ],
    "words": [
        {"name": "FIELD", "portion": "F", "kind": "caveat", "title": "FIELD TEAM ONLY"},
        {"name": "DEEP", "kind": "caveat", "implies": ["FIELD", "WIDE"], "excludes": ["REL TO"]},
        {"name": "WIDE", "kind": "handling", "excludes": ["LAB"], "originator": True},
        {"name": "LAB", "portion": "L", "kind": "compartment", "sub": 4, "needs": ["EYES ONLY"], "lowest": "CLOSED+ONE"},
    ],
    "groups": {"Both": ["Partner Desk", "fra"]},
    "open_vocabulary": ["compartment"],
    "source": "invented",
}
SCHEMES: Mapping[str, Scheme] = {name: scheme_of(name) for name in shipped()} | {"OWN-2": read_scheme(OWN)}


def orders(schemes: Mapping[str, Scheme]) -> st.SearchStrategy[dict[str, Scheme]]:
    """The schemes in any order: the first one needs no prefix."""
    return st.permutations(sorted(schemes)).map(lambda names: {name: schemes[name] for name in names})


@st.composite
def parts(draw: st.DrawFn, scheme: Scheme) -> Part:
    words = [word.name for word in scheme.words]
    chosen = set(draw(st.lists(st.sampled_from(words), max_size=5)) if words else [])
    for word in scheme.words:
        if word.sub and draw(st.booleans()):
            chosen.add(f"{word.name}-{draw(st.text('ABYZ019', min_size=1, max_size=word.sub))}")
    if scheme.open_vocabulary:
        chosen |= draw(st.frozensets(st.sampled_from(["HARBOUR", "NIGHT SHIFT", "Q.7-B"]), max_size=2))
    # A sub-compartment may be spelled as a word of the table is, and is that word then.
    closed = scheme.closed(known.name for name in chosen if (known := scheme.word(name)))
    compartments = frozenset(name for name in closed if (found := scheme.word(name)) and found.kind == COMPARTMENT)
    names = st.frozensets(st.sampled_from(NAMES), max_size=3)
    return Part(
        scheme.id,
        draw(st.integers(0, len(scheme.levels) - 1)),
        compartments,
        draw(st.none() | names | (st.just(frozenset({scheme.owner})) if scheme.owner else st.none())),
        draw(st.none() | names),
        closed - compartments,
        draw(st.just("") | st.just(EXEMPT) | st.dates().map(lambda day: day.isoformat())),
    )


def markings(schemes: Iterable[Scheme]) -> st.SearchStrategy[Marking]:
    """Markings in some of the schemes, but not the bottom: it is written as nothing."""
    some = st.lists(st.sampled_from(list(schemes)), min_size=1, max_size=3, unique=True)
    made = some.flatmap(lambda chosen: st.tuples(*(parts(scheme) for scheme in chosen))).map(lambda found: Marking.of(*found))
    return made | st.just(TOP)


def any_markings(schemes: Iterable[Scheme]) -> st.SearchStrategy[Marking]:
    return markings(schemes) | st.just(BOTTOM)


def subsets(items: str) -> list[frozenset[str]]:
    return [frozenset(chosen) for size in range(len(items) + 1) for chosen in combinations(items, size)]


SMALL = [Marking.of(Part("S", *one)) for one in product((0, 1), subsets("AB"), subsets("PQ"))]
"""2 levels, subsets of 2 compartments, subsets of 2 countries: 32 markings, 1,024 pairs."""
