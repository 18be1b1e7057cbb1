"""`snncc sweep MODEL.onnx --target A,B -o FOLDER/`."""

import sys
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from snncc.cli import completions, console
from snncc.shares import Share
from snncc.sweep import TABLE, Sweep, sweep
from snncc.sweep.plan import values
from snncc.sweep.plot import PICTURES, plot
from snncc.sweep.row import COSTS, Row
from snncc.words import percent
from snncc_ir import SnnccError, fail

MARKS = {"steps": "S", "operations": "O", "energy": "E"}


@click.command("sweep", short_help="Accuracy, latency and energy of many settings.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target",
    "targets",
    default="c",
    show_default=True,
    shell_complete=completions.targets,
    help="Chips: c,ttfs28.",
)
@click.option("--calib", type=click.Path(path_type=Path), help="Samples 'x' (and 'y'), .npz.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Samples to measure on.  [default: a held-out part of --calib]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option("--force", is_flag=True, help="Compute rows anew that are in the folder.")
@click.option(
    "--coding",
    shell_complete=completions.codings,
    help="List, or auto: all.  [default: each target's first]",
)
@click.option("--steps", help="List, such as 4,8,16,32.")
@click.option("--neuron", shell_complete=completions.neurons, help="List, such as if,signed-if.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=A,B",
    shell_complete=completions.settings,
    help="List of any other setting; CODING.KEY for one coding only.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Samples to measure on, at most.")
@click.option("--jobs", type=int, help="Processes at a time.  [default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Of a scheduler, such as tcp://host:8786.")
@console.preprocessing_options
@console.approximate_option
@console.json_option
@console.quiet_option
def command(
    model: Path,
    targets: str,
    calib: Path | None,
    data: Path | None,
    output: Path,
    force: bool,
    coding: str | None,
    steps: str | None,
    neuron: str | None,
    settings: tuple[str, ...],
    limit: int | None,
    jobs: int | None,
    dask: str | None,
    scale: str | None,
    mean: str | None,
    std: str | None,
    layout: str | None,
    events: tuple[str, ...],
    approximate: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compiles MODEL (.onnx) with every combination of settings, and measures each.

    Writes a table, sweep.csv, and pictures of the Pareto fronts, sweep.png and sweep.svg. What is
    in the table already is not computed again.
    """
    lists = {
        key: values(given, f"--{key}")
        for key, given in (("steps", steps), ("neuron", neuron))
        if given is not None
    }
    for item in settings:
        key, equals, given = item.partition("=")
        if not equals:
            raise fail(
                "SNN042", f"--set is given '{item}', should be KEY=A,B,C", hint="--set tau=2,4"
            )
        lists[key.replace("-", "_")] = values(given, f"--set {key}")
    with console.progress(quiet or as_json) as report:
        found = sweep(
            model,
            output,
            targets=values(targets, "--target"),
            codings=[] if coding is None else values(coding, "--coding"),
            lists=lists,
            calibration=calib,
            data=data,
            approximate=approximate,
            preprocessing=console.preprocessing(scale, mean, std, layout, events),
            limit=limit,
            jobs=jobs,
            dask=dask,
            force=force,
            progress=report,
        )
    if as_json:
        console.print_json([_json(row) for row in found.rows])
    elif not quiet:
        _show(found)
    _draw(found, output, model.stem, quiet or as_json)
    if all(row.error for row in found.rows):
        sys.exit(1)


def _draw(found: Sweep, output: Path, name: str, silent: bool) -> None:
    """The pictures; that they cannot be made is said and is no failure of the sweep."""
    if all(row.error for row in found.rows):
        return
    where = "held-out calibration samples" if found.held_out else "samples"
    written = [TABLE]
    try:
        plot(found.rows, output, f"{name}, {found.samples} {where}, 95 % confidence")
        written += PICTURES
    except SnnccError as error:
        if any(diagnostic.code != "SNN054" for diagnostic in error.diagnostics):
            raise
        console.note(str(error))
    if not silent:
        console.out.print(f"{output}: {', '.join(written)}")


def _show(found: Sweep) -> None:
    for text in found.notes:
        console.note(text)
    if found.held_out:
        console.note(
            "measured on samples held out of --calib; those that a network was trained on flatter "
            "it. Give others with --data"
        )
    if found.reused:
        console.note(f"{found.reused} rows are of an earlier sweep; --force computes them anew")
    console.out.print(f"{found.samples} samples")
    if found.float_accuracy is not None:
        console.out.print(f"float accuracy {percent(found.float_accuracy)}")
    table = Table()
    table.add_column("target")
    table.add_column("settings", overflow="fold")
    for heading in ("accuracy", "agreement", "steps", "spikes", "syn. operations", "µJ", "front"):
        table.add_column(heading, justify="right")
    for row in found.rows:
        if row.error:
            table.add_row(row.target, Text(f"{row.options}\n{row.error}"), *["–"] * 6, "")
            continue
        table.add_row(
            row.target,
            Text(row.options),
            _share(row.share("accuracy")),
            _share(row.share("agreement")),
            *(_number(row, name) for name in ("steps", "spikes", "synaptic_operations")),
            "–" if "microjoules" not in row.numbers else f"{row.numbers['microjoules']:.1f}",
            " ".join(MARKS[cost] for cost in COSTS if cost in row.fronts),
        )
    console.out.print(table)
    console.out.print(
        "front: no other row is better and needs no more steps (S), synaptic operations (O), or "
        "energy (E)"
    )


def _share(share: Share | None) -> str:
    if share is None:
        return "–"
    return f"{100 * share.value:.2f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _number(row: Row, name: str) -> str:
    return f"{row.numbers[name]:.0f}" if name in row.numbers else "–"


def _json(row: Row) -> dict[str, object]:
    return {
        "target": row.target,
        "settings": dict(row.settings),
        **row.numbers,
        "fronts": sorted(row.fronts),
        "error": row.error,
    }
