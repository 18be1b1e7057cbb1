"""`snncc diff A/ B/`."""

import sys
from pathlib import Path

import click

from snncc.cli import console
from snncc.diff import diff


@click.command("diff", short_help="What differs between two bundles or IR files.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@console.json_option
def command(first: Path, second: Path, as_json: bool) -> None:
    """Prints in words what differs between two bundles or .sir files; exit 1 if anything does."""
    found = diff(first, second)
    if as_json:
        console.print_json(found)
    else:
        for line in found:
            click.echo(line)
    if found:
        sys.exit(1)
