"""What a compilation chose, and what came of each layer: the tables of `--verbose`."""

from collections.abc import Collection

from rich.table import Table
from rich.text import Text

from snncc.bundle import Bundle
from snncc.cli import console
from snncc_ir.ops import Population


def show_settings(bundle: Bundle, given: Collection[str]) -> None:
    """Every setting; those in `given` are the user's, all others were chosen."""
    manifest = bundle.files.manifest
    settings = manifest.get("settings")
    if not isinstance(settings, dict):
        return
    table = Table(title=f"settings of target {manifest.get('target')}", title_justify="left")
    for heading in ("setting", "value", ""):
        table.add_column(heading, overflow="fold")
    for name, value in settings.items():
        table.add_row(Text(name), Text(str(value)), "given" if name in given else "")
    console.out.print(table)


def show_layers(bundle: Bundle) -> None:
    """Each population: its neurons, what they are, and which nodes of the file they come from."""
    table = Table(title="what came of it, layer by layer", title_justify="left")
    for heading in ("layer", "shape", "neurons", "from"):
        table.add_column(heading, overflow="fold")
    for node in bundle.graph:
        op = node.op
        kind = op.model.name if isinstance(op, Population) else op.name
        shape = "×".join(map(str, node.type.shape)) or "scalar"
        sources = " + ".join(map(str, node.origin.sources))
        table.add_row(Text(node.name), shape, kind, Text(sources))
    console.out.print(table)
