"""`snncc new-backend NAME`."""

from pathlib import Path

import click

from snncc.cli import console
from snncc.scaffold import new_backend


@click.command("new-backend", short_help="A package for a chip of your own.")
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder.  [default: snncc-NAME]"
)
@click.option("--force", is_flag=True, help="Replace a package of that name that is there.")
@console.quiet_option
def command(name: str, output: Path | None, force: bool, quiet: bool) -> None:
    """Writes a package that adds the target NAME to snncc: a backend that works, to be changed.

    It installs, compiles and passes the conformance tests as it is.
    """
    place = output or Path(f"snncc-{name.replace('_', '-')}")
    written = new_backend(name, place, force)
    if quiet:
        return
    for path in written:
        click.echo(place / path)
    click.echo(f"next: pip install -e '{place}[test]' && pytest {place}")
