"""The page on markings tells of every level, word, key and limit there is, and its example is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ruamel.yaml import YAML

from tallybook.markings import names, scheme_file, text
from tallybook.markings.scheme import read_scheme, scheme_of, shipped

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "markings.md").read_text("utf-8")


def chapter(name: str) -> str:
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_every_level_word_and_group_of_what_is_shipped() -> None:
    for name in shipped():
        scheme, told = scheme_of(name), chapter(name)
        assert " < ".join(re.findall(r"`([^`]+)`(?: \(\w+\))? <", told)) == " < ".join(level.name for level in scheme.levels[:-1])
        assert f"`{scheme.levels[-1].name}`" in told
        missing = [one for one in (*(word.name for word in scheme.words), *scheme.groups) if one not in told]
        assert missing == []
        lost = [word for word in scheme.refused if word not in told and word not in {"SBU-NF", "LES-NF"}]
        assert lost == []


def test_the_words_of_the_table_are_as_in_the_scheme() -> None:
    scheme = scheme_of("US")
    rows = re.findall(
        r"^\| ([A-Z][^|]*) \| ([A-Z-]+) \| (compartment|caveat|handling) \| ([^|]*)\|$", chapter("US"), re.MULTILINE
    )
    assert len(rows) == len(scheme.words)
    for names_of, portion, kind, says in rows:
        word = scheme.word(names_of.split(",")[0].removesuffix("-XXX"))
        assert word is not None
        assert (word.portion, word.kind) == (portion.removesuffix("-XXX"), kind)
        assert (scheme.levels[word.lowest].name in says) == (word.lowest > 0)
        assert all(other in says for other in (*word.needs, *word.implies) if other != "SI")


def test_keys_and_limits() -> None:
    own = chapter("A case's own")
    keys = set(re.findall(r"`([a-z_]+)`", " ".join(line for line in own.splitlines() if line.startswith("|"))))
    assert scheme_file.KEYS["scheme"] | scheme_file.KEYS["level"] | scheme_file.KEYS["word"] <= keys
    assert f"| a marking | {text.LONGEST} characters" in PAGE
    assert f"| a name | {names.LONGEST_NAME} characters" in PAGE
    assert f"| names in one list | {names.MOST_NAMES} |" in PAGE
    assert f"| schemes in one marking | {text.MOST_PARTS} |" in PAGE
    assert f"at most {scheme_file.MOST_LEVELS}, the lowest first" in own
    assert f"at most {scheme_file.MOST_WORDS}:" in own


def test_the_example_is_read() -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block
    scheme = read_scheme(YAML(typ="safe", pure=True).load(block[1])["own_schemes"][0])
    marking = text.parse("closed//field-7/source//eyes only for a//north star", scheme)
    assert text.banner(marking, {scheme.id: scheme}) == "CLOSED//FIELD-7//EYES ONLY FOR A//SOURCE/NORTH STAR"


def test_the_number_of_cases() -> None:
    cases = json.loads((Path(__file__).parent / "ism_cases.json").read_bytes())
    assert f"{len(cases)} cases restate {len({case['rule'] for case in cases})} of the rules" in PAGE
