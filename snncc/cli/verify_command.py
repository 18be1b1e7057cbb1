"""`snncc verify BUNDLE/ --model MODEL.onnx --data TEST.npz`."""

import sys
import time
from pathlib import Path

import click
from rich.table import Table

from snncc.bundle import Bundle
from snncc.cli import console, exit_options
from snncc.cli.check_options import check_options
from snncc.cli.spikes_table import spikes_table
from snncc.verify import Verification
from snncc.words import share


@click.command("verify", short_help="Compare a bundle with its model, and with the oracle.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), required=True, help="The ONNX file.")
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Samples 'x', 'y', or events."
)
@click.option("--steps", type=int, help="Time steps, at most those compiled for.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first samples.")
@check_options
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    bundle: Path,
    model: Path,
    data: Path,
    steps: int | None,
    limit: int | None,
    exact: int,
    margin: float | None,
    points: float | None,
    calib: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Accuracy and agreement with onnxruntime, spikes, spike-exactness; exit 1 if that fails."""
    began = time.perf_counter()
    loaded = Bundle.load(bundle)
    dataset = loaded.dataset(data).first(limit)
    early = exit_options.chosen(loaded, margin, points, calib, steps, quiet or as_json)
    with console.progress(quiet or as_json) as report:
        progress = console.samples_done(report, "run", dataset.count)
        found = loaded.verify(model, dataset, exact, steps, progress, early)
    if as_json:
        console.print_json(found.as_json())
    else:
        _show(found, quiet)
        if verbose and not quiet:
            console.out.print(spikes_table(loaded.graph, found.layers))
            console.out.print(f"{time.perf_counter() - began:.2f} s")
    if not found.holds:
        sys.exit(1)


def _show(found: Verification, quiet: bool) -> None:
    if not quiet:
        for text in found.notes:
            console.note(text)
    console.out.print(f"{found.samples} samples, {found.runner}")
    if found.float_accuracy is not None:
        console.out.print(f"float accuracy (onnxruntime) {share(found.float_accuracy)}")
    table = Table()
    for heading in ("steps", "accuracy", "agreement", "SNR dB"):
        table.add_column(heading, justify="right")
    for row in found.at_steps:
        table.add_row(
            str(row.steps),
            share(row.accuracy),
            share(row.agreement),
            "–" if row.snr is None else f"{row.snr:.1f}",
        )
    table.add_section()
    closed = found.closed_form
    table.add_row(
        f"{closed.steps}, closed form",
        share(closed.accuracy),
        share(closed.agreement),
        "–" if closed.snr is None else f"{closed.snr:.1f}",
    )
    console.out.print(table)
    operations = found.synaptic_operations
    text = f"{found.spikes:.0f} spikes a sample"
    if operations is not None:
        text += f", {operations:.0f} synaptic operations"
    console.out.print(text)
    if found.early is not None:
        exit_options.show(found.early, quiet)
    if found.estimate is not None:
        console.out.print(console.estimate_line(found.estimate))
    for what, exactness in (("self-test vectors", found.vectors), ("oracle", found.exact)):
        if exactness is not None:
            verdict = (
                f"exact: {exactness.spikes} spikes of {exactness.samples} samples agree"
                if exactness.holds
                else f"NOT exact: {exactness.difference}"
            )
            console.out.print(f"{what}: {verdict}")
