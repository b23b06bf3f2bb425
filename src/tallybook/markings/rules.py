"""What is wrong with a marking by the rules of its scheme, and with a banner beside the portions under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallybook.markings.marking import EXEMPT, Marking, Part, join_all
from tallybook.markings.vocabulary import EYES_ONLY, NOFORN, REL_TO, Scheme, Word

_NO_SCHEMES: Mapping[str, Scheme] = {}


def marking_faults(marking: Marking, scheme: Scheme) -> list[str]:
    """What the scheme forbids in its part of a marking; none for a marking that it has no part in."""
    part = marking.part(scheme.id)
    if part is None:
        return []
    faults = []
    for name in sorted(part.compartments | part.caveats):
        word = scheme.word(name)
        if word is None:
            faults.append(f"{name} is no word of {scheme.id}")
        else:
            faults += _word_faults(word, part, scheme)
    if scheme.owner and part.release and scheme.owner not in part.release:
        faults.append(f"REL TO leaves out {scheme.owner}, whose marking it is")
    return faults


def _word_faults(word: Word, part: Part, scheme: Scheme) -> list[str]:
    faults = []
    present = part.compartments | part.caveats
    if part.level < word.lowest:
        faults.append(
            f"{word.name} is not for what is {scheme.levels[part.level].name}; {scheme.levels[word.lowest].name} at least"
        )
    faults += [f"{word.name} asks for {other}, which is missing" for other in word.needs if not _is_there(other, part, scheme)]
    faults += [f"{word.name} and {other} exclude one another" for other in word.excludes if _is_there(other, part, scheme)]
    if not word.alone and not any(name.startswith(word.name + "-") for name in present):
        faults.append(f"{word.name} does not stand alone; name the part of it, as {word.name}-…")
    return faults


def _is_there(name: str, part: Part, scheme: Scheme) -> bool:
    if name == NOFORN:
        # Released to nobody at all is more than NOFORN asks for.
        return part.release is not None and part.release <= {scheme.owner}
    if name == REL_TO:
        return part.release is not None and bool(part.release - {scheme.owner})
    if name == EYES_ONLY:
        return part.recipients is not None
    return name in part.compartments or name in part.caveats


def banner_faults(stated: Marking, portions: Sequence[Marking], schemes: Mapping[str, Scheme] = _NO_SCHEMES) -> list[str]:
    """What a banner lacks of the join of its portions; none where it says as much, or more: what is put together may weigh more.

    With `schemes`, levels are told by name, and what a scheme says of portions without a word on release is looked at too.
    """
    needed = join_all(portions)
    faults = [] if needed <= stated else _missing(stated, needed, schemes)
    for scheme in schemes.values():
        said = stated.part(scheme.id)
        if scheme.release_stated_from is not None and said is not None and _is_there(REL_TO, said, scheme):
            faults += _not_releasable(portions, scheme, scheme.release_stated_from)
    return faults


def _missing(stated: Marking, needed: Marking, schemes: Mapping[str, Scheme]) -> list[str]:
    if needed.withheld:
        return ["a portion is withheld, so the whole is"]
    faults = []
    for part in needed.parts:
        said = stated.part(part.scheme)
        if said is None:
            faults.append(f"nothing said in {part.scheme}, and a portion is marked in it")
        elif not part <= said:
            faults += _lacks(said, part, schemes.get(part.scheme))
    return faults


def _lacks(said: Part, needed: Part, scheme: Scheme | None) -> list[str]:
    faults = []
    if said.level < needed.level:
        low, high = (scheme.levels[rank].name if scheme else f"level {rank}" for rank in (said.level, needed.level))
        faults.append(f"{low}, and a portion is {high}")
    words = needed.compartments - said.compartments | needed.caveats - said.caveats
    faults += [f"{word} is missing" for word in (scheme.written(words) if scheme else sorted(words))]
    faults += _too_open("released", said.release, needed.release)
    faults += _too_open("for the eyes of", said.recipients, needed.recipients)
    if said.declassify < needed.declassify:
        until = "exempt from declassification" if needed.declassify == EXEMPT else f"to be declassified on {needed.declassify}"
        faults.append(f"a portion is {until}, which is later than what is said")
    return faults


def _too_open(how: str, said: frozenset[str] | None, needed: frozenset[str] | None) -> list[str]:
    if needed is None or (said is not None and said <= needed):
        return []
    whom = "anybody" if said is None else ", ".join(sorted(said - needed))
    to = "to " if how == "released" else ""
    return [f"{how} {to}{whom}, and the portions together only {to}{', '.join(sorted(needed)) or 'nobody'}"]


def _not_releasable(portions: Sequence[Marking], scheme: Scheme, lowest: int) -> list[str]:
    parts = [part for marking in portions if (part := marking.part(scheme.id)) is not None]
    silent = [part for part in parts if part.release is None and part.level >= lowest]
    return ["REL TO, and a portion without a word on release is not releasable"] if silent else []
