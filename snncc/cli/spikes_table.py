"""Who sends how many spikes: the table of `--verbose`."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from snncc_ir import Graph


def spikes_table(graph: Graph, spikes: Mapping[str, float]) -> Table:
    """spikes: of a sample, on average, by node. A row for each node that sends any kind of them."""
    table = Table(title="spikes a sample, by layer", title_justify="left")
    table.add_column("layer")
    for heading in ("neurons", "spikes", "a neuron"):
        table.add_column(heading, justify="right")
    for name, count in spikes.items():
        neurons = graph[name].type.size
        table.add_row(Text(name), f"{neurons:,}", f"{count:,.1f}", f"{count / neurons:.3f}")
    return table
