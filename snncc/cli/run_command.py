"""`snncc run BUNDLE/ --data X.npz`."""

import io
import time
from pathlib import Path

import click
import numpy as np

from snncc.bundle import Bundle
from snncc.cli import console, exit_options
from snncc.cli.spikes_table import spikes_table
from snncc.files import write_whole

SHOWN = 10


@click.command("run", short_help="Run samples through a bundle.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Samples, .npz, or events."
)
@click.option("--steps", type=int, help="Time steps, at most those compiled for.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first samples.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Outputs and spikes, .npz.")
@exit_options.margin_option
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    bundle: Path,
    data: Path,
    steps: int | None,
    limit: int | None,
    output: Path | None,
    margin: float | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Runs the bundle's own files on samples and prints predictions and spikes."""
    began = time.perf_counter()
    loaded = Bundle.load(bundle)
    dataset = loaded.dataset(data).first(limit)
    _, reason = loaded.runner_or_oracle()
    if reason and not quiet:
        console.note(f"{reason}\nthe numpy oracle runs in its place")
    with console.progress(quiet or as_json) as report:
        progress = console.samples_done(report, "run", dataset.count)
        result = loaded.run(dataset, steps, progress=progress, early_exit=margin)
    for text in () if quiet or as_json else result.notes:
        console.note(text)
    outputs, predictions = result.outputs(), result.predictions()
    if output is not None:
        arrays = {f"output.{name}": values.astype(np.float32) for name, values in outputs.items()}
        spikes = {f"spikes.{k}": v for k, v in result.execution.spike_counts.items()}
        content = io.BytesIO()
        used = result.execution.steps_used
        ends = {} if used is None else {"steps_used": used}
        np.savez(content, predictions=predictions, **arrays, **spikes, **ends)  # type: ignore[arg-type]
        write_whole(output, content.getvalue())
    if as_json:
        console.print_json(
            {
                "runner": result.runner,
                "notes": result.notes,
                "samples": dataset.count,
                "steps": result.steps,
                "mean_steps": result.mean_steps,
                "predictions": predictions.tolist(),
                "spikes_per_sample": result.spikes_per_sample,
                "spikes": {
                    name: float(count.mean())
                    for name, count in result.execution.spike_counts.items()
                },
            }
        )
        return
    shown = ", ".join(map(str, predictions[:SHOWN].tolist()))
    more = f", … ({dataset.count} samples)" if dataset.count > SHOWN else ""
    console.out.print(f"predictions: {shown}{more}")
    console.out.print(
        f"{result.spikes_per_sample:.0f} spikes a sample in {result.mean_steps:.4g} steps, "
        f"by the {result.runner}"
    )
    if verbose and not quiet:
        means = {name: float(n.mean()) for name, n in result.execution.spike_counts.items()}
        console.out.print(spikes_table(loaded.graph, means))
        console.out.print(f"{time.perf_counter() - began:.2f} s, loading included")
