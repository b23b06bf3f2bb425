"""tallybook agreement: the agreement as it stands at a date, what changed between two, and the code of guidance."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from tallybook import desk
from tallybook.cli.options import as_option, case_argument, framed, open_case, print_json, question_options, write_file
from tallybook.codify.code import Article, Code
from tallybook.codify.difference import Difference
from tallybook.errors import TallybookError
from tallybook.verdicts.inquiry import Case, Inquiry
from tallybook.verdicts.marked import join_banner, whole_banner

_ELSEWHERE = {"lint": ("tallybook.cli.lint", "What is wrong with the agreement beyond its form.")}


class _Group(click.Group):
    """A group of which some commands live in modules of their own, loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *(name for name, (module, _) in _ELSEWHERE.items() if find_spec(module))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.commands or cmd_name not in self.list_commands(ctx):
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(_ELSEWHERE[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str(90)) for name, command in self.commands.items()]
        rows += [(name, words) for name, (_, words) in _ELSEWHERE.items() if name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(name="agreement", cls=_Group)
def command() -> None:
    """The agreement as it stands at a date, on what was known by a date.

    `show` prints the consolidated text with its meaning and history, `diff` what differs between two dates, `codify` the code
    of guidance as Markdown, HTML, Akoma Ntoso or JSON.
    """


@command.command(name="show")
@case_argument
@click.argument("provisions", nargs=-1, metavar="[@ID]...")
@question_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(
    case: Path,
    provisions: tuple[str, ...],
    on: str | None,
    known: str | None,
    reading: str | None,
    as_json: bool,
) -> int:
    """The consolidated text of CASE, or of the provisions named: words, meaning, status, history."""
    inquiry = desk.ask(open_case(case), on, known, reading)
    banner, code = whole_banner(inquiry), desk.codify(inquiry)
    chosen = _chosen(code, provisions)
    if as_json:
        from tallybook.codify.asjson import article_json, code_json

        rows = [article_json(article) | ({"marking": banner} if banner else {}) for article in chosen]
        print_json(rows if provisions else code_json(code) | {"marking": banner or None})
        return 0
    from tallybook.board.code_text import code_text
    from tallybook.codify.blocks import article_blocks, code_blocks

    blocks = [block for article in chosen for block in article_blocks(article)] if provisions else code_blocks(code)
    with framed(banner):
        click.echo(code_text(blocks), nl=False)
    return 0


def _chosen(code: Code, names: tuple[str, ...]) -> list[Article]:
    found: list[Article] = []
    for name in names:
        article = code.article(name)
        if article is None:
            ids = ", ".join(f"@{a.id}" for a in code.articles) or "none yet"
            raise TallybookError(f"no provision {name!r} at that date", do=f"the provisions are {ids}")
        found.append(article)
    return found


@command.command(name="diff")
@case_argument
@click.option(
    "--from", "start", required=True, metavar="ON[,KNOWN]", help="The first date, and what was known by (default: then)."
)
@click.option("--to", "end", metavar="ON[,KNOWN]", help="The second. Default: the case's default_as_of.")
@as_option
@click.option("--reading", metavar="R", help="Whose interpretation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--md", "as_md", is_flag=True, help="As Markdown.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a one-file HTML page.")
def diff(
    case: Path,
    start: str,
    end: str | None,
    reading: str | None,
    as_json: bool,
    as_md: bool,
    html: Path | None,
) -> int:
    """What differs in CASE between two dates, each with what was known by a date: words, meaning, status, and by what change."""
    _one_form(("--json", as_json), ("--md", as_md), ("--html", html is not None))
    loaded = open_case(case)
    before, after = (_asked(loaded, text, option, reading) for text, option in ((start, "--from"), (end, "--to")))
    found, banner = desk.code_difference(before, after), join_banner(before, after)
    if as_json:
        from tallybook.codify.asjson import difference_json

        print_json(difference_json(found) | {"marking": banner or None})
    elif html is not None:
        _write_difference(html, loaded, found, banner)
    else:
        from tallybook.codify.difference import difference_blocks

        blocks = difference_blocks(found)
        if as_md:
            from tallybook.board.code_markdown import code_markdown

            with framed(f"**{banner}**\n" if banner else ""):
                click.echo(code_markdown(blocks), nl=False)
        else:
            from tallybook.board.code_text import code_text

            with framed(banner):
                click.echo(code_text(blocks), nl=False)
    return 0


def _asked(case: Case, text: str | None, option: str, reading: str | None) -> Inquiry:
    """The question that ON or ON,KNOWN puts."""
    on, comma, known = (text or "").partition(",")
    if text is not None and (not on.strip() or (comma and not known.strip())):
        raise TallybookError(
            f"{text!r} is no date, nor two", where=option, do="write ON or ON,KNOWN, such as 1962-11-03,1962-11-20"
        )
    return desk.ask(case, on.strip() or None, known.strip() or None, reading)


def _write_difference(path: Path, case: Case, found: Difference, banner: str) -> None:
    from tallybook.board.code_page import code_page
    from tallybook.codify.difference import difference_blocks

    head = f"{case.name}: from {found.before.on} to {found.after.on}"
    write_file(path, code_page(difference_blocks(found), head, desk.ENGINE, banner))
    click.echo(f"wrote {path}", err=True)


@command.command(name="codify")
@case_argument
@question_options
@click.option("--md", "as_md", is_flag=True, help="As Markdown (the default).")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a one-file HTML page.")
@click.option("--akn", type=click.Path(path_type=Path, dir_okay=False), help="Write Akoma Ntoso 3.0 XML.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def codify(
    case: Path,
    on: str | None,
    known: str | None,
    reading: str | None,
    as_md: bool,
    html: Path | None,
    akn: Path | None,
    as_json: bool,
) -> int:
    """The code of guidance of CASE: the text as it stands, every sentence with its source.

    Files and one printed form may be asked for together.
    """
    _one_form(("--md", as_md), ("--json", as_json))
    inquiry = desk.ask(open_case(case), on, known, reading)
    banner, code = whole_banner(inquiry), desk.codify(inquiry)
    if html is not None:
        from tallybook.board.code_page import code_page
        from tallybook.codify.blocks import code_blocks

        head = f"{code.case}: code of guidance on {code.on}"
        write_file(html, code_page(code_blocks(code), head, desk.ENGINE, banner))
        click.echo(f"wrote {html}", err=True)
    if akn is not None:
        from tallybook.codify.akn import code_akn

        write_file(akn, code_akn(code, desk.ENGINE, banner))
        click.echo(f"wrote {akn}", err=True)
    if as_json:
        from tallybook.codify.asjson import code_json

        print_json(code_json(code) | {"marking": banner or None})
    elif as_md or (html is None and akn is None):
        from tallybook.board.code_markdown import code_markdown
        from tallybook.codify.blocks import code_blocks

        with framed(f"**{banner}**\n" if banner else ""):
            click.echo(code_markdown(code_blocks(code)), nl=False)
    return 0


def _one_form(*forms: tuple[str, bool]) -> None:
    given = [option for option, asked in forms if asked]
    if len(given) > 1:
        raise TallybookError("one answer has one form", where=" ".join(given), do="leave all but one of them out")
