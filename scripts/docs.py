"""Write docs/reference/commands.md from the command line itself; with --check, exit 1 where the page has drifted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tallybook.cli.main import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
WIDTH = 100
HEAD = """# Commands

Written by `scripts/docs.py` from the help texts; do not edit it here.

Exit codes: 0 fine, 1 a check found faults, 2 unusable arguments or input. Answers go to standard output, errors to standard
error: what, where, what to do. `board` prints a table on a terminal and plain text in a pipe.

`--as` is refused in a case without markings.yaml. With TALLYBOOK_TOKEN set, an answer is made for whoever holds the token.
"""


def page() -> str:
    """The page as it should be."""
    shape: dict[str, Any] = {"terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
    root = click.Context(cli, info_name="tallybook", **shape)
    parts = [HEAD, _section("tallybook", cli.get_help(root))]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        assert command is not None  # it is in the list
        context = click.Context(command, info_name=name, parent=root, **shape)
        parts.append(_section(f"tallybook {name}", command.get_help(context)))
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None  # it is in the list
                help_ = found.get_help(click.Context(found, info_name=inner, parent=context, **shape))
                parts.append(_section(f"tallybook {name} {inner}", help_, level=3))
    return "\n".join(parts)


def _section(title: str, text: str, level: int = 2) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"{'#' * level} {title}\n\n```\n{lines}\n```\n"


def main(arguments: list[str]) -> int:
    """Write the page, or hold it against what it should be."""
    if arguments not in ([], ["--check"]):
        print("usage: scripts/docs.py [--check]", file=sys.stderr)
        return 2
    wanted = page()
    if not arguments:
        PAGE.write_text(wanted, "utf-8")
        return 0
    found = PAGE.read_text("utf-8") if PAGE.exists() else ""
    if found != wanted:
        print(f"{PAGE.name} has drifted from the help texts; run scripts/docs.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
