"""tallybook why"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook import desk
from tallybook.casefile.exhibits import CHANGED, IN_HAND, NOT_IN_HAND, state_of
from tallybook.cli.options import case_argument, filed_folder, framed, open_case, print_json, question_options
from tallybook.verdicts.board import basis, finding_json, receipt
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import in_words, known_by, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallybook.checker.check import Checked
    from tallybook.core.explanation import Because


@click.command(name="why")
@case_argument
@click.argument("name", metavar="LINE|@PROVISION")
@question_options
@click.option("--check", "with_check", is_flag=True, help="Let a second, separate program re-apply every step.")
@click.option("--json", "as_json", is_flag=True, help="The explanation tree as JSON.")
def command(
    case: Path,
    name: str,
    on: str | None,
    known: str | None,
    reading: str | None,
    with_check: bool,
    as_json: bool,
) -> int:
    """Why a line of CASE, or a duty (@id), has its verdict; every leaf is a report, an exhibit or a quotation.

    With --check the exit code is 1 where a step does not follow from the case.
    """
    inquiry = desk.ask(open_case(case), on, known, reading)
    answer = desk.why(inquiry, name)
    finding = answer.line.finding if answer.line else None
    out: dict[str, Any] = {
        "case": inquiry.case.name,
        "reader": inquiry.question.reader,
        "basis": basis(inquiry),
        "marking": whole_banner(inquiry) or None,
        "name": answer.name,
        "words": answer.head,
        # Its words are those that the tree leads to; what they rest on is the basis.
        "finding": finding_json(finding, None) | {"words": in_words(finding)} if finding else None,
        "because": [tree.as_json() for tree in answer.trees],
    }
    # Only those shown are hashed: a changed file must not be cited as what it was.
    result = None
    exhibits: list[dict[str, Any]] = []
    if with_check or _exhibits(answer.trees):
        with filed_folder(case, inquiry.question.known) as folder:
            exhibits = [{**entry, "state": state_of(folder, entry["sha256"])} for entry in _exhibits(answer.trees)]
            if exhibits:
                out["exhibits"] = exhibits
            # What is checked is what a reader of the JSON gets, not what it was made from.
            result = desk.check_why(folder, json.loads(json.dumps(out))) if with_check else None
    failed = result is not None and not result.is_accepted
    if as_json:
        if result is not None:
            out["check"] = result.as_json()
        print_json({**out, "receipt": receipt(desk.board(inquiry))})
        return 1 if failed else 0
    with framed(whole_banner(inquiry)):
        _print(inquiry, answer, exhibits, result)
    return 1 if failed else 0


def _print(inquiry: Inquiry, answer: desk.Why, exhibits: list[dict[str, Any]], result: Checked | None) -> None:
    finding = answer.line.finding if answer.line else None
    click.echo(f"{answer.name}, {known_by(inquiry)}")
    for tree in answer.trees:
        click.echo("")
        for line in sentences(tree):
            click.echo(line)
    if exhibits:
        click.echo("\nExhibits:")
        for entry in exhibits:
            click.echo(f"  - {entry['id']} {entry['sha256']}: {_STATES[entry['state']]}")
    if finding and finding.would_change:
        click.echo("\nWhat would change it:")
        for what in finding.would_change:
            click.echo(f"  - {what}")
    if finding:
        told = ", ".join(f"{how}: {word}" for how, word in finding.sensitivity.items())
        click.echo(f"\nWith what grades are worth {told}.")
    if result is not None:
        _tell(result)


_STATES = {
    IN_HAND: "in hand, its bytes give its name",
    CHANGED: "CHANGED: its bytes no longer give its name; nothing here may rest on it",
    NOT_IN_HAND: "described, not in hand",
}


def _exhibits(trees: Sequence[Because]) -> list[dict[str, str]]:
    """The exhibits shown in some trees, each once."""
    found = {leaf.exhibit: leaf.facts["sha256"] for tree in trees for leaf in tree.leaves() if leaf.exhibit}
    return [{"id": name, "sha256": sha256} for name, sha256 in found.items()]


def _tell(result: Checked) -> None:
    told = f"checked: {result.steps} steps, {result.leaves} leaves, "
    if result.is_accepted:
        click.echo(f"\n{told}accepted")
        return
    count = len(result.complaints)
    click.echo(f"\n{told}{count} complaint{'' if count == 1 else 's'}:")
    for complaint in result.complaints:
        click.echo(f"  - {complaint}")
