"""One ONNX node by itself, run by onnx's reference or by onnxruntime on the places of numbers.

What only moves numbers says by itself where each goes, in every form that ONNX gives it.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import numbered
from snncc_ir import Array, Integers, Shape, session

_RUNS = 9
"""Version of the file format in which the small models are written."""


def places_by_reference(node: OnnxNode, net: Network, shape: Shape) -> NDArray[np.integer]:
    """What the node makes of the places of a value of N×`shape`, in a batch of one."""
    # imported here, because few networks need it
    from onnx.reference import ReferenceEvaluator

    model = _model(node, net, TensorProto.INT64, (1, *shape))
    try:
        (result,) = ReferenceEvaluator(model).run(None, {"data": numbered(shape)})
    except Exception as error:  # the reference raises what numpy does
        _refuse(error)
    return np.asarray(result, np.int64)


def places_by_runtime(
    node: OnnxNode, net: Network, shape: Shape, instead: Mapping[str, Array]
) -> Integers:
    """The same by onnxruntime, for a node that takes each result from one place.

    It is run once for every axis, on the coordinates along it, which float32 holds. instead:
    constants in place of those of the model.
    """
    model = _model(node, net, TensorProto.FLOAT, (1, *shape), instead)
    running = session(model.SerializeToString(), 1)
    place: Integers = np.zeros((), np.int64)
    for axis, size in enumerate(shape, 1):
        along = np.arange(size, dtype=np.float32).reshape(-1, *[1] * (len(shape) - axis))
        data = np.broadcast_to(along, (1, *shape))
        try:
            (result,) = running.run(None, {"data": np.ascontiguousarray(data)})
        except Exception as error:  # onnxruntime raises a dozen classes without a common base
            _refuse(error)
        place = place * size + np.asarray(result).astype(np.int64)
    return place


def _refuse(error: Exception) -> None:
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    refuse(f"its attributes do not fit its data: {line}", "export the model again")


def _model(
    node: OnnxNode,
    net: Network,
    kind: int,
    shape: Shape,
    instead: Mapping[str, Array] = MappingProxyType({}),
) -> onnx.ModelProto:
    """The node alone, of one result, its constants as initializers, its data under `data`."""
    constants: dict[str, Array] = {}
    for name in node.inputs[1:]:
        array = instead.get(name, net.constant(name)) if name else None
        if name and array is None:
            refuse(
                f"its operand '{name}' is computed by the network, should be constant",
                "export with fixed sizes, so that it is folded into a constant",
            )
        if array is not None:
            constants[name] = array
    made = helper.make_node(node.op_type, ["data", *node.inputs[1:]], ["result"], "node")
    for key, value in node.attributes.items():
        made.attribute.append(helper.make_attribute(key, value))
    graph = helper.make_graph(
        [made],
        "single",
        [helper.make_tensor_value_info("data", kind, shape)],
        [helper.make_tensor_value_info("result", kind, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", net.opset)], ir_version=_RUNS
    )
