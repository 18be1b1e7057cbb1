"""Shapes inferred by onnx, and what is constant in a model made constant by onnxscript's folding.

Large weights are not looked at here: a node that turns constant weights into others stays, and is
computed when a layer asks for them (`constants`).
"""

from collections.abc import Iterable, Iterator
from math import prod

import onnx

from snncc.onnx.constants import LARGEST
from snncc.onnx.quiet import quiet
from snncc_ir import fail

_NO_LIMIT = 1 << 40


def needs_no_folding(model: onnx.ModelProto) -> bool:
    """Whether constants are all that folding would compute, which layers can also ask for.

    Nodes without names get them by folding.
    """
    return all(
        node.name and node.op_type not in _OF_SHAPES and not _has_body(node)
        for node in model.graph.node
    )


def simplify(
    model: onnx.ModelProto, stored: Iterable[str] = (), fold: bool = True
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """The model with shapes inferred, constant nodes computed, and unused nodes gone; and notes.

    stored: inputs of its graph that are weights. fold: without it shapes are inferred, and nothing
    else is done. Names of nodes stay. BatchNormalization stays too: our own pass folds it, and says
    so. Raises SNN002 when inference or folding finds the graph contradictory.
    """
    try:
        with quiet():
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
            if not fold or not any(_folds(inferred)):
                return inferred, ()
            try:
                folded = _fold(inferred)
            except Exception:  # constants are computed when a layer asks for them, or refused then
                return inferred, ()
            if not _asks_for_shapes(folded):
                return folded, ()
            note = "the graph reads its own batch size, which is taken as 1: one sample at a time"
            return _fold(_of_one_sample(model, frozenset(stored))), (note,)
    except Exception as error:  # the libraries raise what they like for contradictory graphs
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise fail(
            "SNN002",
            f"the model's shapes or constants contradict each other: {first}",
            hint="onnx.shape_inference.infer_shapes(model, strict_mode=True) may say more",
        ) from None


def _folds(model: onnx.ModelProto) -> Iterator[bool]:
    """Whether each node is one that folding may compute, or take the inside out of."""
    constant = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and not node.domain:
            constant.update(node.output)
            continue
        known = constant.issuperset(filter(None, node.input))
        yield known or node.op_type in _OF_SHAPES or _has_body(node)


_OF_SHAPES = ("Shape", "Size")


def _has_body(node: onnx.NodeProto) -> bool:
    return any(a.HasField("g") or a.graphs for a in node.attribute)


def _fold(model: onnx.ModelProto) -> onnx.ModelProto:
    # imported here, because `snncc --help` should not wait for it
    import onnx_ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass
    from onnxscript.optimizer import fold_constants

    def is_moderate(node: onnx_ir.Node) -> bool:
        shapes = [output.shape for output in node.outputs if output.shape is not None]
        sizes = [prod(d for d in shape if isinstance(d, int)) for shape in shapes]
        return max(sizes, default=0) <= LARGEST

    graph = onnx_ir.from_proto(onnx.shape_inference.infer_shapes(model, data_prop=True))
    fold_constants(
        graph,
        onnx_shape_inference=True,
        input_size_limit=_NO_LIMIT,
        output_size_limit=_NO_LIMIT,
        should_fold=is_moderate,
    )
    RemoveUnusedNodesPass()(graph)
    return onnx_ir.to_proto(graph)


def _asks_for_shapes(model: onnx.ModelProto) -> bool:
    return any(node.op_type in _OF_SHAPES for node in model.graph.node)


def _of_one_sample(model: onnx.ModelProto, stored: frozenset[str]) -> onnx.ModelProto:
    """The model with a batch axis of 1, so that `x.view(x.size(0), -1)` is a constant shape."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    constants = stored.union(tensor.name for tensor in single.graph.initializer)
    for given in single.graph.input:
        dims = given.type.tensor_type.shape.dim
        others_are_fixed = all(dim.HasField("dim_value") for dim in dims[1:])
        if given.name not in constants and dims and others_are_fixed:
            dims[0].dim_value = dims[0].dim_value or 1
    for result in single.graph.output:
        result.type.tensor_type.ClearField("shape")
    del single.graph.value_info[:]
    return single
