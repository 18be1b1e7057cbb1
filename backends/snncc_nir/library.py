"""The package `nir`, which need not be installed."""

import io
from collections.abc import Mapping
from types import ModuleType

from snncc_ir import fail

FILE = "network.nir"
"""Where the graph is in a bundle."""


def library() -> ModuleType:
    """The module `nir`; raises SNN054 when it is not installed."""
    try:
        import nir
    except ImportError:
        raise fail(
            "SNN054", "the package nir is not installed", hint="pip install 'snncc[nir]'"
        ) from None
    module: ModuleType = nir
    return module


def written(nodes: Mapping[str, object], edges: list[tuple[str, str]], notes: object) -> bytes:
    """A graph in NIR's own format, HDF5; the same bytes for the same graph.

    h5py keeps no times unless asked to, and names are given in one order. v_reset of IF is left
    out: it is 0 where it is not there, and nir 1.0.4, which sinabs needs, knows none.
    """
    nir = library()
    import h5py

    target = io.BytesIO()
    nir.write(target, nir.NIRGraph(dict(nodes), list(edges), notes))
    with h5py.File(target, "r+") as file:
        for node in file["node/nodes"].values():
            if "v_reset" in node:
                del node["v_reset"]
    return target.getvalue()
