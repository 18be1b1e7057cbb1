"""`snncc explain BUNDLE/ --model MODEL.onnx --data TEST.npz [--calib CALIB.npz]`."""

from pathlib import Path

import click

from snncc.bundle import Bundle
from snncc.cli import console
from snncc.cli.explain_tables import show_layers, show_steps, show_tried
from snncc.compiler import compile
from snncc.explain import Explanation, explain
from snncc.explain.explanation import LAYER_SAMPLES, TRIES
from snncc_ir import fail


@click.command("explain", short_help="Where accuracy is lost, why, and what helps.")
@click.argument("what", metavar="BUNDLE|MODEL", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="The ONNX file of a BUNDLE.")
@click.option("--data", type=click.Path(path_type=Path), help="Samples 'x', 'y' to explain.")
@click.option(
    "--calib",
    type=click.Path(path_type=Path),
    help="Samples that the bundle was compiled with: then single passes are shown, and remedies "
    "are tried.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first samples of --data.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=LAYER_SAMPLES,
    show_default=True,
    help="Samples whose every spike is looked at, layer by layer.",
)
@click.option(
    "--tries",
    type=click.IntRange(min=0),
    default=TRIES,
    show_default=True,
    help="Remedies that are compiled and measured, at most.",
)
@click.option("--target", help="Of a MODEL: the chip to compile for.  [default: c]")
@click.option("--coding", help="Of a MODEL: rate, ttfs or radix.")
@click.option("--steps", type=int, help="Of a MODEL: time steps, slots, or digits.")
@click.option("--neuron", help="Of a MODEL, in a rate code: if, signed-if, …")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Of a MODEL: any other setting."
)
@console.preprocessing_options
@console.approximate_option
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    what: Path,
    model: Path | None,
    data: Path | None,
    calib: Path | None,
    limit: int | None,
    samples: int,
    tries: int,
    target: str | None,
    settings: tuple[str, ...],
    scale: str | None,
    mean: str | None,
    std: str | None,
    layout: str | None,
    events: tuple[str, ...],
    approximate: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **named: int | str | None,
) -> None:
    """Says what a bundle loses of its model's accuracy, where, why, and what helps.

    Of a BUNDLE (a folder), with --model and --data; or of a MODEL (.onnx) that is compiled for the
    occasion, with --data and the options of a compilation. What is advised has been tried. -v shows
    every layer, in order, in place of the worst.
    """
    chosen = console.settings_of(settings, named)
    given = {"target": target, **chosen, "scale": scale, "mean": mean, "std": std,
             "layout": layout, "events": events or None}  # fmt: skip
    with console.progress(quiet or as_json) as report:
        if what.is_dir():
            _only_for_models([key for key, value in given.items() if value is not None])
            bundle = Bundle.load(what)
        else:
            if model is not None:
                raise fail(
                    "SNN030",
                    "a model is given twice",
                    f"{what} and {model}",
                    "a bundle's folder with --model, or a model alone",
                )
            model = what
            bundle = compile(
                what,
                target=target or "c",
                calibration=calib,
                settings=chosen,
                preprocessing=console.preprocessing(scale, mean, std, layout, events),
                approximate=approximate,
                progress=report,
            )
        if model is None or data is None:
            raise fail(
                "SNN030",
                f"there is no {'--model' if model is None else '--data'}, should be given",
                str(what),
                "--model MODEL.onnx --data TEST.npz: losses are measured, with the model beside",
            )
        dataset = bundle.dataset(data).first(limit)
        found = explain(bundle, model, dataset, calib, samples, tries, report)
    if as_json:
        console.print_json(found.as_json())
        return
    _show(found, verbose and not quiet, quiet)


def _only_for_models(given: list[str]) -> None:
    if given:
        raise fail(
            "SNN042",
            f"--{given[0].replace('_', '-')} is given for a bundle, which is compiled already",
            hint="leave it out, or explain the model: snncc explain MODEL.onnx …",
        )


def _show(found: Explanation, every: bool, quiet: bool) -> None:
    if not quiet:
        for text in found.notes:
            console.note(text)
    for text in found.oddities:
        console.note(text)
    console.out.print(found.summary, style="bold")
    show_steps(found)
    show_layers(found, every)
    show_tried(found)
