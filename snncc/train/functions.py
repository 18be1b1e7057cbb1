"""The functions of domain ai.snncc, as ONNX local functions with bodies of standard operators.

snncc reads a function by its name and attributes; every other tool runs the body. `Ttfs` compares
with the thresholds themselves: a logarithm says which slot it is within rounding, and thresholds of
two neighbors decide. So the memory does not grow with the number of slots, and ties fall as in
training.
"""

from collections.abc import Sequence

import onnx
from onnx import AttributeProto, TensorProto, helper

DOMAIN, VERSION = "ai.snncc", 1
OPSET = 17
_FAR = 3e38
_CONSTANT = {"INT": "value_int", "FLOAT": "value_float", "FLOATS": "value_floats"}


class _Body:
    """Nodes of a function, each of one result; inputs and results are named by texts."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []

    def __call__(self, op_type: str, *inputs: str, name: str = "", to: int | None = None) -> str:
        node = helper.make_node(op_type, inputs, [name or f"t{len(self.nodes)}"])
        if to is not None:
            node.attribute.append(helper.make_attribute("to", to))
        return self._add(node)

    def _add(self, node: onnx.NodeProto) -> str:
        self.nodes.append(node)
        return node.output[0]

    def _constant(self, attribute: AttributeProto) -> str:
        node = helper.make_node("Constant", [], [f"t{len(self.nodes)}"])
        node.attribute.append(attribute)
        return self._add(node)

    def attribute(self, name: str, kind: str) -> str:
        """An attribute of the function, of kind INT, FLOAT or FLOATS, as a constant."""
        given = AttributeProto(name=_CONSTANT[kind], ref_attr_name=name)
        given.type = AttributeProto.AttributeType.Value(kind)
        return self._constant(given)

    def integer(self, name: str) -> str:
        """An integer attribute, as a float."""
        return self("Cast", self.attribute(name, "INT"), to=TensorProto.FLOAT)

    def number(self, value: float) -> str:
        return self._constant(helper.make_attribute("value_float", value))

    def joined(self, *vectors: str | float) -> str:
        """One vector of several, or of numbers."""
        names = [
            v if isinstance(v, str) else self._constant(helper.make_attribute("value_floats", [v]))
            for v in vectors
        ]
        node = helper.make_node("Concat", names, [f"t{len(self.nodes)}"])
        node.attribute.append(helper.make_attribute("axis", 0))
        return self._add(node)

    def last(self, vector: str) -> str:
        return self("Gather", vector, self._constant(helper.make_attribute("value_int", -1)))

    def function(
        self, name: str, inputs: Sequence[str], attributes: Sequence[str], doc: str | None
    ) -> onnx.FunctionProto:
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_function(DOMAIN, name, inputs, ["y"], self.nodes, opset, attributes)
        made.doc_string = doc or ""
        return made


def ttfs() -> onnx.FunctionProto:
    """y = scale·2^(−k/tau), k the first slot with x ≥ scale·2^(−(k + offset)/tau), or 0.

    x: any shape. scale: (). thresholds, values: (steps), in units of scale, descending.
    """
    put = _Body()
    thresholds = put("Mul", put.attribute("thresholds", "FLOATS"), "scale")
    values = put("Mul", put.attribute("values", "FLOATS"), "scale")
    positive = put("Max", "x", put("Mul", put.last(thresholds), put.number(0.25)))
    octaves = put(
        "Mul", put("Log", put("Div", positive, "scale")), put.number(1 / 0.6931471805599453)
    )
    level = put("Mul", put("Neg", octaves), put.integer("tau"))
    shifted = put("Sub", level, put.attribute("offset", "FLOAT"))
    guess = put("Clip", put("Ceil", shifted), put.number(0.0), put.integer("steps"))
    place = put("Cast", guess, to=TensorProto.INT64)
    own = put("Gather", put.joined(thresholds, -_FAR), place)
    before = put("Gather", put.joined(_FAR, thresholds), place)
    later = put("Cast", put("Less", "x", own), to=TensorProto.INT64)
    sooner = put("Cast", put("GreaterOrEqual", "x", before), to=TensorProto.INT64)
    slot = put("Sub", put("Add", place, later), sooner)
    put("Gather", put.joined(values, 0.0), slot, name="y")
    attributes = ["steps", "tau", "offset", "thresholds", "values"]
    return put.function("Ttfs", ["x", "scale"], attributes, ttfs.__doc__)


def qcfs() -> onnx.FunctionProto:
    """y = scale·clip(floor(x·levels/scale + 1/2)/levels, 0, 1). x: any shape. scale: ()."""
    put = _Body()
    levels = put.integer("levels")
    step = put("Div", "scale", levels)
    units = put("Floor", put("Add", put("Div", "x", step), put.number(0.5)))
    put("Mul", put("Clip", units, put.number(0.0), levels), step, name="y")
    return put.function("Qcfs", ["x", "scale"], ["levels"], qcfs.__doc__)


def quantized() -> onnx.FunctionProto:
    """y = scale·clip(round(x/scale), 0, levels), half to even. x: any shape. scale: ()."""
    put = _Body()
    units = put("Round", put("Div", "x", "scale"))
    clipped = put("Clip", units, put.number(0.0), put.integer("levels"))
    put("Mul", clipped, "scale", name="y")
    return put.function("Quantized", ["x", "scale"], ["levels"], quantized.__doc__)


def log2_weights() -> onnx.FunctionProto:
    """y = sign(code)·2^((exponent − |code| + 1)/resolution), 0 for code 0.

    code: int8, of any shape, of `bits` bits. exponent: int16, broadcast over it. fractions:
    (resolution), 2^(i/resolution).
    """
    put = _Body()
    code, exponent = (put("Cast", name, to=TensorProto.FLOAT) for name in ("code", "exponent"))
    whole = put("Add", put("Sub", exponent, put("Abs", code)), put.number(1.0))
    resolution = put.integer("resolution")
    octave = put("Floor", put("Div", whole, resolution))
    place = put("Cast", put("Sub", whole, put("Mul", octave, resolution)), to=TensorProto.INT64)
    fraction = put("Gather", put.attribute("fractions", "FLOATS"), place)
    magnitude = put("Mul", put("Pow", put.number(2.0), octave), fraction)
    put("Mul", put("Sign", code), magnitude, name="y")
    attributes = ["bits", "resolution", "fractions"]
    return put.function("Log2Weights", ["code", "exponent"], attributes, log2_weights.__doc__)


FUNCTIONS = {"Ttfs": ttfs, "Qcfs": qcfs, "Quantized": quantized, "Log2Weights": log2_weights}


def with_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the bodies of those of its functions that it uses, in order of their names."""
    used = sorted({n.op_type for n in model.graph.node if n.domain == DOMAIN} & FUNCTIONS.keys())
    model.functions.extend(FUNCTIONS[name]() for name in used)
    kept = [each for each in model.opset_import if each.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    if used:
        model.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))
    return model
