"""`snncc inspect MODEL.onnx`."""

from dataclasses import asdict
from pathlib import Path

import click

from snncc.cli import completions, console
from snncc.cli.inspect_tables import nodes_table, populations_table, show_targets
from snncc.inspection import Inspection, inspect
from snncc_ir import SnnccError, fail


@click.command("inspect", short_help="What a model becomes.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--nodes", is_flag=True, help="Every node of the file, and what it becomes.")
@click.option(
    "--target",
    shell_complete=completions.targets,
    help="Look at this chip alone, with the settings below.",
)
@click.option(
    "--chip",
    shell_complete=completions.one_of("loihi2", "loihi1"),
    help="Of target loihi: loihi2, loihi1, or the path of a description.",
)
@click.option(
    "--coding",
    shell_complete=completions.codings,
    help="rate, ttfs or radix.  [default: the target's]",
)
@click.option("--steps", type=int, help="Time steps, slots, or digits.")
@click.option("--neuron", shell_complete=completions.neurons, help="Of a rate code.")
@click.option("--weight-bits", type=int, help="Bits of a weight.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=completions.settings,
    help="Any other setting.",
)
@click.option("--thorough", is_flag=True, help="Better estimates, which may take minutes.")
@console.approximate_option
@console.json_option
@console.quiet_option
@console.verbose_option
def command(
    model: Path,
    approximate: bool,
    nodes: bool,
    target: str | None,
    settings: tuple[str, ...],
    thorough: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **named: int | str | None,
) -> int:
    """What MODEL becomes: its populations, and which targets it fits; nothing is calibrated.

    Exit code 2 when it cannot be compiled for the target that is asked for, or for any.
    """
    options = console.settings_of(settings, named)
    if options and target is None:
        raise fail("SNN042", "settings are given without a target", hint="--target T")
    found = inspect(model, target, options, thorough, approximate)
    if as_json:
        console.print_json(as_dict(found))
    elif not quiet:
        _show(found, nodes or verbose, target, verbose)
    if found.problems and not as_json:
        console.show_error(SnnccError(found.problems))
    return 0 if found.compiles else 2


def as_dict(found: Inspection) -> dict[str, object]:
    """The figures for machines; docs/inspect.md says what each is."""
    return {
        **asdict(found),
        "compiles": found.compiles,
        "totals": {
            "neurons": sum(layer.neurons for layer in found.layers),
            "parameters": sum(layer.parameters for layer in found.layers),
            "macs": sum(layer.macs for layer in found.layers),
        },
    }


def _show(found: Inspection, nodes: bool, target: str | None, every: bool) -> None:
    for text in found.notes:
        console.note(text)
    if nodes or not found.layers:
        console.out.print(nodes_table(found))
    left = sum(node.becomes.startswith("left out") for node in found.nodes)
    told = [f"{len(found.nodes)} nodes of the file"]
    told += [f"{left} of them left out"] if left else []
    told += [f"{found.constants} more computed at import"] if found.constants else []
    hint = "" if nodes or not found.layers else "; --nodes shows what each becomes"
    console.out.print(", ".join(told) + hint, soft_wrap=True)
    if not found.layers:
        return
    console.out.print(populations_table(found))
    totals = as_dict(found)["totals"]
    if isinstance(totals, dict):
        console.out.print(
            f"{totals['neurons']:,} neurons, {totals['parameters']:,} parameters, "
            f"{totals['macs']:,} MACs"
        )
    show_targets(found.targets, every or target is not None)
