"""Which population of the float network a population of the chip stands for."""

from snncc_ir import Graph, Node
from snncc_ir.ops import Population


def twins(graph: Graph, reference: Graph) -> dict[str, str]:
    """By population of `graph`, its twin in `reference`, each taken once.

    Networks of the same model have the same names. Where a model was changed before it was
    compiled, names may differ; then the twin is of the same shape and made of most of the same
    nodes of the model.
    """
    theirs = {node.name: node for node in reference if isinstance(node.op, Population)}
    ours = [node for node in graph if isinstance(node.op, Population)]
    found = {
        node.name: node.name
        for node in ours
        if node.name in theirs and node.type.shape == theirs[node.name].type.shape
    }
    free = {name: node for name, node in theirs.items() if name not in found}
    for node in ours:
        if node.name in found:
            continue
        likely = {
            name: _shared(node, other)
            for name, other in free.items()
            if other.type.shape == node.type.shape
        }
        best = max(likely, key=lambda name: likely[name], default="")
        if best and likely[best]:
            found[node.name] = best
            del free[best]
    return found


def _shared(first: Node, second: Node) -> int:
    """Nodes of the user's model that both are made of."""
    return len({*first.origin.sources} & {*second.origin.sources})
