"""`snncc diff A/ B/`."""

import sys
from pathlib import Path

import click

from snncc.cli import completions, console
from snncc.cli.diff_tables import show_difference
from snncc.diff import KINDS, diff
from snncc.diff.changes import checked_kinds


@click.command("diff", short_help="What differs between two bundles, IR files or images.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option(
    "--ignore",
    multiple=True,
    metavar="KIND,…",
    shell_complete=completions.kinds,
    help=f"Changes that do not count: {', '.join(KINDS)}.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Samples 'x', 'y' to run both bundles on."
)
@click.option("--model", type=click.Path(path_type=Path), help="With --data: the ONNX file.")
@click.option("--limit", type=click.IntRange(min=1), help="Of --data: only the first samples.")
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    first: Path,
    second: Path,
    ignore: tuple[str, ...],
    data: Path | None,
    model: Path | None,
    limit: int | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Says what differs between two bundles, .sir files or images, layer by layer.

    Exit code 0 when nothing does, 1 when anything does, 2 when one cannot be read.
    """
    kinds = checked_kinds([kind for item in ignore for kind in item.split(",") if kind])
    with console.progress(quiet or as_json or data is None) as report:
        found = diff(first, second, data=data, model=model, limit=limit, progress=report)
    found = found.without(kinds)
    if as_json:
        console.print_json(found.as_json())
    elif not quiet:
        show_difference(found, verbose)
    if not found.equal:
        sys.exit(1)
