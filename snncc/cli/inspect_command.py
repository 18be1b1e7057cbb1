"""`snncc inspect MODEL.onnx`."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from snncc.cli import console
from snncc.inspection import inspect


@click.command("inspect", short_help="What a model becomes.")
@click.argument("model", type=click.Path(path_type=Path))
@console.approximate_option
@console.json_option
def command(model: Path, approximate: bool, as_json: bool) -> None:
    """Layers of MODEL as populations and projections; exit 2 with all that is not supported."""
    found = inspect(model, approximate)
    if as_json:
        console.print_json(asdict(found))
        return
    for text in found.notes:
        console.note(text)
    table = Table()
    for heading in ("population", "kind", "shape", "neurons", "parameters", "MACs", "fan-in"):
        table.add_column(heading, justify="left" if heading in ("population", "kind") else "right")
    for layer in found.layers:
        table.add_row(
            layer.name,
            layer.kind,
            "×".join(map(str, layer.shape)),
            *(f"{n:,}" for n in (layer.neurons, layer.parameters, layer.macs, layer.fan_in)),
        )
    console.out.print(table)
    console.out.print(
        f"{sum(layer.neurons for layer in found.layers):,} neurons, "
        f"{sum(layer.parameters for layer in found.layers):,} parameters, "
        f"{sum(layer.macs for layer in found.layers):,} MACs"
    )
