"""Why cases of the ONNX project are not run: rules on the case alone, first match first.

Whether a case passes decides nothing here: what no rule names is run, and has to pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from snncc.onnx.curves import APPROXIMATED
from tests.onnx_backend.cases import Case

LISTED = frozenset(
    {
        "Abs", "Add", "ArgMax", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat",
        "Conv", "ConvTranspose", "DepthToSpace", "Div", "Dropout", "Expand", "Flatten", "Gather",
        "Gemm",
        "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "Identity", "LeakyRelu", "LogSoftmax",
        "MatMul", "Max", "MaxPool", "Mean", "Min", "Mul", "Neg", "PRelu", "Pad", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape", "Resize", "Slice", "Softmax",
        "SpaceToDepth", "Split", "Squeeze", "Sub", "Sum", "Tile", "Transpose", "Unsqueeze",
        "Upsample", *APPROXIMATED,
    }
)  # fmt: skip
"""The operators that are to be supported, as written down before they were."""

FLOATS = ("float16", "float32", "float64", "bfloat16")


APPROXIMATION = "is approximated on request: run so, against the error that is documented above"


@dataclass(frozen=True)
class Rule:
    """A reason not to run a case, and when it holds."""

    reason: str
    holds: Callable[[Case], bool]


def _is_no_array(case: Case) -> bool:
    values = [*case.inputs.values(), *case.outputs]
    return not all(isinstance(v, np.ndarray) and v.dtype.kind in "biufV" for v in values)


def _has_no_data(case: Case) -> bool:
    return not case.data


def _is_not_listed(case: Case) -> bool:
    return not case.operators <= LISTED


def _is_approximated(case: Case) -> bool:
    return bool(case.operators & set(APPROXIMATED))


def _has_odd_format(case: Case) -> bool:
    """A float format of few bits, or a cast between formats that are no floats."""
    kinds = {str(v.dtype) for v in (*case.data, *case.outputs) if isinstance(v, np.ndarray)}
    few = any(
        k.startswith(("float8", "float4", "float6e", "int2", "uint2", "int4", "uint4"))
        for k in kinds
    )
    return few or ("Cast" in case.operators and not kinds <= set(FLOATS))


def _is_beyond_float32(case: Case) -> bool:
    """Cases of old exporters hold memory that nobody has set: float64 of any size."""
    most = float(np.finfo(np.float32).max)
    doubles = [a for a in case.data if a.dtype == np.float64]
    return any(bool(np.any(np.isfinite(a) & (np.abs(a) > most))) for a in doubles)


def _divides_integers(case: Case) -> bool:
    return bool({"Div", "Mean"} & case.operators) and any(a.dtype.kind in "iu" for a in case.data)


def _trains(case: Case) -> bool:
    training = case.constant(2) if "Dropout" in case.operators else None
    return bool(case.attributes.get("training_mode", 0)) or (
        training is not None and bool(training.any())
    )


def _has_second_output(case: Case) -> bool:
    return case.node.op_type in ("Dropout", "MaxPool") and len(case.outputs) > 1


def _has_no_batch(case: Case) -> bool:
    return not case.is_elementwise and any(a.ndim < 2 for a in case.data)


def _is_empty(case: Case) -> bool:
    return any(isinstance(v, np.ndarray) and v.size == 0 for v in (*case.data, *case.outputs))


def _is_three_dimensional(case: Case) -> bool:
    return bool({"Conv", "ConvTranspose"} & case.operators) and case.data[0].ndim > 4


def _interpolates(case: Case) -> bool:
    mode = case.attributes.get("mode", b"nearest")
    return bool({"Resize", "Upsample"} & case.operators) and mode != b"nearest"


def _multiplies_values(case: Case) -> bool:
    """Two operands of a product that both depend on the data."""
    shape = case.data[0].shape
    alone = len(case.model.graph.node) == 1
    depending = {
        name
        for name, value in case.inputs.items()
        if any(value is data for data in case.data)
        or (not alone and isinstance(value, np.ndarray) and value.shape == shape)
    }
    for node in case.model.graph.node:
        read = [name for name in node.input if name in depending]
        if node.op_type in ("Mul", "Div", "MatMul") and len(read) > 1:
            return True
        if node.op_type == "Div" and node.input[1] in depending:
            return True
        if read:
            depending |= set(node.output)
    return False


def _differs_between_samples(case: Case) -> bool:
    """A constant that has the batch axis of the data, or one ahead of it."""
    if case.is_elementwise or not case.data:
        return False
    rank = case.data[0].ndim
    match case.node.op_type:
        case "Gemm":
            bias = case.constant(2)
            return bias is not None and bias.ndim == 2 and bias.shape[0] > 1
        case "MatMul":
            weight = case.constant(1)
            return (
                weight is not None
                and weight.ndim >= rank
                and prod(weight.shape[: 1 + weight.ndim - rank]) > 1
                and rank > 2
            )
    return False


def _works_along_batch(case: Case) -> bool:
    """An operator that is told to cut, join, sum or move the first axis."""
    if not case.data:
        return False
    shape = case.data[0].shape
    rank = len(shape)
    along = _axes(case)
    match case.node.op_type:
        case "Gemm":
            return bool(case.attributes.get("transA", 0))
        case "Transpose":
            perm = case.attributes.get("perm", list(reversed(range(rank))))
            return isinstance(perm, list) and perm[0] != 0
        case "Flatten":
            axis = case.attributes.get("axis", 1)
            return isinstance(axis, int) and axis % rank != 1
        case "Reshape" | "Expand":
            result = case.outputs[0]
            return isinstance(result, np.ndarray) and (
                result.ndim < 2 or result.shape[0] != shape[0]
                or (case.node.op_type == "Expand" and result.ndim != rank)
            )  # fmt: skip
        case "Tile":
            repeats = case.constant(1)
            return repeats is not None and int(repeats[0]) != 1
        case "Slice":
            return _cuts_batch(case)
        case "Squeeze" | "Unsqueeze":
            return 0 in along
        case "ArgMax" | "Concat" | "Gather" | "Split":
            return 0 in (along or {0})
        case "LogSoftmax" | "Softmax":
            return 0 in along
        case "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum":
            if not along:
                return not case.attributes.get("noop_with_empty_axes", 0)
            return 0 in along
    return False


def _integers(case: Case, attribute: str, operand: int | None) -> list[int] | None:
    """Numbers that are an attribute in old versions of an operator, an operand in newer ones."""
    named = case.attributes.get(attribute)
    given = None if operand is None else case.constant(operand)
    if isinstance(named, int):
        return [named]
    if isinstance(named, list):
        return [int(number) for number in named]
    return None if given is None else [int(number) for number in given.reshape(-1)]


def _axes(case: Case) -> set[int]:
    """Positive numbers of the axes that an operator names, where it is alone in its network."""
    rank = case.data[0].ndim
    if case.node.op_type == "Unsqueeze":
        rank = np.ndim(case.outputs[0])  # type: ignore[arg-type]
    if case.node.op_type in ("ArgMax", "Concat", "Gather", "LogSoftmax", "Softmax", "Split"):
        named = _integers(case, "axis", None)
    else:
        named = _integers(case, "axes", 1)
    alone = len(case.model.graph.node) == 1
    return {axis % rank if alone else axis for axis in named or ()}


def _cuts_batch(case: Case) -> bool:
    rank, size = case.data[0].ndim, case.data[0].shape[0]
    starts, ends = _integers(case, "starts", 1) or [], _integers(case, "ends", 2) or []
    axes = _integers(case, "axes", 3) or list(range(len(starts)))
    steps = _integers(case, "steps", 4) or [1] * len(starts)
    return any(
        axis % rank == 0 and (start != 0 or end < size or step != 1)
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)
    )


RULES = (
    Rule("has an operator that is not in the list", _is_not_listed),
    Rule("reads or gives sequences, optional values, or other things than numbers", _is_no_array),
    Rule("has no input", _has_no_data),
    Rule("computes in formats of few bits, or casts to what is no float", _has_odd_format),
    Rule("has an empty tensor", _is_empty),
    Rule("has numbers that no float32 holds", _is_beyond_float32),
    Rule("divides integers, which rounds", _divides_integers),
    Rule("is in training mode", _trains),
    Rule("gives a mask or indices beside its result", _has_second_output),
    Rule("has data without a batch axis and one more", _has_no_batch),
    Rule("works along the batch axis", _works_along_batch),
    Rule("is a convolution in three dimensions", _is_three_dimensional),
    Rule("interpolates, linearly or cubically", _interpolates),
    Rule("multiplies or divides by what depends on the data", _multiplies_values),
    Rule(APPROXIMATION, _is_approximated),
    Rule("has a constant that is another for each sample", _differs_between_samples),
)  # fmt: skip


def rule_of(case: Case) -> Rule | None:
    """The first rule that holds; None for a case that has to pass."""
    return next((rule for rule in RULES if rule.holds(case)), None)
