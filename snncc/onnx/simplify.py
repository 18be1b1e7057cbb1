"""Everything that is constant in a model becomes a constant, by onnxscript's folding."""

import warnings

import onnx

from snncc_ir import fail

_NO_LIMIT = 1 << 40


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with shapes inferred, constant nodes computed, and unused nodes gone.

    Names of nodes stay. BatchNormalization stays too: our own pass folds it, and says so. Raises
    SNN002 when inference or folding finds the graph contradictory.
    """
    # imported here, because `snncc --help` should not wait for it
    import onnx_ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass
    from onnxscript.optimizer import fold_constants

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside the libraries
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
            graph = onnx_ir.from_proto(inferred)
            fold_constants(
                graph,
                onnx_shape_inference=True,
                input_size_limit=_NO_LIMIT,
                output_size_limit=_NO_LIMIT,
                should_fold=lambda node: True,
            )
            RemoveUnusedNodesPass()(graph)
            return onnx_ir.to_proto(graph)
    except Exception as error:  # the libraries raise what they like for contradictory graphs
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise fail(
            "SNN002",
            f"the model's shapes or constants contradict each other: {first}",
            hint="onnx.shape_inference.infer_shapes(model, strict_mode=True) may say more",
        ) from None
