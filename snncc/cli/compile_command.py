"""`snncc MODEL.onnx --target T -o BUNDLE/`."""

from pathlib import Path

import click

from snncc.cli import completions, console
from snncc.cli.search_table import goal, notes, show_search
from snncc.cli.sections import sectioned
from snncc.cli.settings_table import show_layers, show_settings
from snncc.cli.timings_table import show_timings, timing_rows
from snncc.cli.waterfall_table import waterfall_table
from snncc.compiler import compile
from snncc.search import Search

SECTIONS = {
    "What to make, and of what": (
        "target", "chip", "calib", "output", "force", "scale", "mean", "std", "layout",
        "approximate",
    ),
    "Settings": (
        "coding", "steps", "neuron", "method", "percentile", "per", "weight_bits",
        "early_exit_loss", "settings", "passes",
    ),
    "Settings that keep the accuracy": ("accuracy", "data", "prefer", "confidence"),
    "What to show": ("as_json", "quiet", "verbose", "timings", "dump_ir"),
}  # fmt: skip
"""The options as `--help` shows them."""


@click.command("compile", cls=sectioned(SECTIONS), short_help="Compile a model.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target",
    default="c",
    show_default=True,
    shell_complete=completions.targets,
    help="Chip; `snncc targets` lists them.",
)
@click.option(
    "--chip",
    shell_complete=completions.one_of("loihi2", "loihi1"),
    help="Of target loihi: loihi2, loihi1, or the path of a description.  [default: loihi2]",
)
@click.option(
    "--calib", type=click.Path(path_type=Path), help="Samples 'x' (and 'y'), .npz; or events."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle.")
@click.option("--force", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--coding",
    shell_complete=completions.codings,
    help="rate, ttfs (time to first spike), or radix (binary digits).  [default: the target's]",
)
@click.option(
    "--steps", type=int, help="Time steps, slots, or digits.  [default: rate 32, ttfs 24, radix 5]"
)
@click.option(
    "--neuron",
    shell_complete=completions.neurons,
    help="Of a rate code: if, signed-if, graded, signed-graded, hard-if, or auto.  [default: if]",
)
@click.option(
    "--method",
    shell_complete=completions.methods,
    help="Normalization: weights, max, percentile, error, or ecc.  "
    "[default: error, ttfs percentile]",
)
@click.option(
    "--percentile", type=float, help="Per cent, for --method percentile.  [default: 99.9]"
)
@click.option(
    "--per",
    shell_complete=completions.one_of("channel", "layer"),
    help="Normalize per channel, or layer.  [default: channel]",
)
@click.option("--weight-bits", type=int, help="Bits of a weight.  [default: 16, ttfs 5]")
@click.option(
    "--early-exit-loss",
    type=float,
    metavar="POINTS",
    help="Of a rate code: samples end early, so that at most so many points of accuracy are lost.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=completions.settings,
    help="Any other setting, also of the target's own; `snncc targets NAME` explains them.",
)
@click.option(
    "--accuracy",
    type=float,
    metavar="POINTS",
    help="Percentage points that may be lost; finds the cheapest settings.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Samples that --accuracy measures on."
)
@click.option(
    "--prefer",
    shell_complete=completions.one_of("steps", "operations", "energy", "time"),
    help="With --accuracy: steps, operations, energy or time.  [default: the target's]",
)
@click.option("--confidence", type=float, help="With --accuracy, per cent.  [default: 90]")
@click.option("--scale", help="Data · scale, such as 1/255.")
@click.option("--mean", help="(data · scale − mean) / std; one number, or one a channel: 0.5,0.4")
@click.option("--std", help="See --mean.")
@click.option(
    "--layout",
    shell_complete=completions.one_of("nhwc", "model"),
    help="nhwc: the data's channels come last, the network's first.",
)
@console.events_option
@click.option(
    "--passes",
    shell_complete=completions.pass_names,
    help="A pipeline in place of the target's own.",
)
@click.option("--dump-ir", type=click.Path(path_type=Path), help="Folder for the IR of each pass.")
@click.option("--timings", is_flag=True, help="What took how long, stage by stage.")
@console.approximate_option
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    model: Path,
    target: str,
    calib: Path | None,
    output: Path,
    force: bool,
    settings: tuple[str, ...],
    accuracy: float | None,
    data: Path | None,
    prefer: str | None,
    confidence: float | None,
    scale: str | None,
    mean: str | None,
    std: str | None,
    layout: str | None,
    events: tuple[str, ...],
    passes: str | None,
    dump_ir: Path | None,
    timings: bool,
    approximate: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **named: int | float | str | None,
) -> None:
    """Compiles MODEL (.onnx) into a bundle.

    Data files hold samples as they are, such as uint8 images; --scale, --mean, --std and --layout
    say how they become the network's numbers, once: the bundle remembers.
    """
    chosen = console.settings_of(settings, named)
    wanted = goal(accuracy, prefer, confidence)
    tried: list[Search] = []
    try:
        with console.progress(quiet or as_json) as report:
            bundle = compile(
                model,
                target=target,
                calibration=calib,
                output=output,
                settings=chosen,
                preprocessing=console.preprocessing(scale, mean, std, layout, events),
                passes=passes,
                accuracy=wanted,
                data=data,
                approximate=approximate,
                dump_ir=dump_ir,
                force=force,
                progress=report,
                searched=tried.append,
            )
    finally:
        # when none was good enough, too
        for found in tried:
            if not (quiet or as_json):
                for text in notes(found):
                    console.note(text)
                show_search(found)
    figures = bundle.report
    if as_json:
        timed = {"timings": timing_rows(bundle.timings)} if timings else {}
        console.print_json({"bundle": str(output), "notes": bundle.notes, **figures, **timed})
        return
    if quiet:
        if timings:
            show_timings(bundle.timings)
        return
    for text in bundle.notes:
        console.note(text)
    if verbose:
        show_settings(bundle, chosen)
    title = "value semantics on calibration data, pass by pass"
    console.out.print(waterfall_table(bundle.waterfall, title))
    if verbose:
        show_layers(bundle)
    if verbose or timings:
        show_timings(bundle.timings)
    summary = bundle.summary
    console.out.print(
        f"{output}: {summary['populations']} populations, {summary['neurons']} neurons, "
        f"{summary['projections']} projections, {summary['weights']} weights of "
        f"{summary['weight_bits']} bits in all"
    )
    told = bundle.report.get("target")
    if isinstance(told, dict) and told:
        figures_of = ", ".join(f"{name} {value:g}" for name, value in told.items())
        console.out.print(f"target {target}: {figures_of}", markup=False)
