"""`snncc report BUNDLE/ [--model MODEL.onnx --data TEST.npz]`."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from snncc.bundle import Bundle
from snncc.cli import console, exit_options
from snncc.cli.check_options import check_options
from snncc.reporting import make_report
from snncc.reporting.folder import HTML, JSON, beside, check_report_place
from snncc.reporting.measured import SAMPLES
from snncc.reporting.sentences import sentences


@click.command("report", short_help="A page with all figures and pictures of a bundle.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="The ONNX file, to compare with.")
@click.option("--data", type=click.Path(path_type=Path), help="Samples 'x', 'y', to measure on.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Only so many samples.  [default: as many as take seconds, {SAMPLES} at most]",
)
@check_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder.  [default: BUNDLE-report]"
)
@click.option("--force", is_flag=True, help="Replace an earlier report.")
@console.json_option
@console.quiet_option
def command(
    bundle: Path,
    model: Path | None,
    data: Path | None,
    limit: int | None,
    exact: int,
    margin: float | None,
    points: float | None,
    calib: Path | None,
    output: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Writes report.html, which opens from disk, and report.json with the same figures.

    With --model and --data the bundle is measured on them, as by `snncc verify`; without, there is
    what it knows of itself. Exit 1 if spikes are not the oracle's.
    """
    place = beside(bundle) if output is None else output
    check_report_place(place, force)
    loaded = Bundle.load(bundle)
    dataset = None if data is None else loaded.dataset(data)
    early = exit_options.chosen(loaded, margin, points, calib, None, quiet or as_json)
    with console.progress(quiet or as_json) as report:
        made = make_report(
            loaded,
            model,
            dataset,
            limit=limit,
            exact=exact,
            early_exit=early,
            progress=_shown(report),
        )
    made.write(place, force)
    if as_json:
        console.print_json(made.as_json())
    elif not quiet:
        for text in made.facts.measured.notes:
            console.note(text)
        for line in sentences(made.facts):
            console.out.print(line, soft_wrap=True)
        console.out.print(f"{place}: {HTML}, {JSON}")
    found = made.facts.measured.verification
    if found is not None and not found.holds:
        sys.exit(1)


def _shown(report: console.Report) -> Callable[[int, int], None]:
    """Counts samples on the bar; an early exit runs them anew."""
    so_far = 0

    def step(count: int, total: int) -> None:
        nonlocal so_far
        so_far = so_far % total + count
        report("run", so_far, total)

    return step
