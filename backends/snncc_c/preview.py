"""What the C target says of a network before it is compiled: its memory, laid out without bytes."""

import numpy as np

from snncc_backends import ABOUT, EXACT, Figure
from snncc_c.layout import ALIGNED, Blob
from snncc_c.tables import tables_of
from snncc_ir import Graph, Integers


class Counted(Blob):
    """Counts the bytes of constants, and keeps none."""

    def add(self, array: Integers, dtype: str) -> int:
        offset = self.size
        self.size += -(-array.size * np.dtype(dtype).itemsize // ALIGNED) * ALIGNED
        return offset


def figures_of(graph: Graph) -> tuple[Figure, ...]:
    """graph: a draft. Sizes depend on shapes and formats, and so are those of the bundle, except
    that weights of layers that turn out to be nearly silent are not filled up to whole vectors."""
    blob = Counted()
    tables = tables_of(graph, blob)
    return (
        Figure("weights and parameters", max(blob.size, ALIGNED), "bytes", ABOUT),
        Figure("working memory", tables.state.size, "bytes", EXACT),
    )
