"""tallybook schema"""

from __future__ import annotations

import click

from tallybook.cli.options import print_json


@click.command(name="schema")
def command() -> int:
    """The JSON Schema of agreement.yaml, for editors that check while you write."""
    from tallybook.agreement.agreement import Agreement

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Agreement.model_json_schema()})
    return 0
