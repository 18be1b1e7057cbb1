"""Activations as functions of one number, followed through the nodes that exporters make of them.

A GELU may be one node, or `x · ½ · (1 + Erf(x / √2))` in five; a swish is `x · Sigmoid(x)`. What a
node computes of a single value, number by number, is kept as an expression; only where something
else than such a node reads it, it is approximated, as a whole (`ramps`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.domains import STANDARD
from snncc.onnx.emit import shape_of
from snncc.onnx.ramps import RAMPS, Fit, emit_fit, fit
from snncc_ir import Floats

Attributes = Mapping[str, float | int | str]


@dataclass(frozen=True)
class Expression:
    """A function of one number: the number itself, a constant, or an operator of expressions."""

    op_type: str = ""
    attributes: tuple[tuple[str, float | int | str], ...] = ()
    operands: tuple["Expression | float | None", ...] = ()

    def __call__(self, x: Floats) -> Floats:
        if not self.op_type:
            return x
        arrays = [
            operand(x) if isinstance(operand, Expression)
            else None if operand is None
            else np.full_like(x, operand)
            for operand in self.operands
        ]  # fmt: skip
        with np.errstate(all="ignore"):
            values: Floats = FUNCTIONS[self.op_type](dict(self.attributes), *arrays)
        return values


def _erf(x: Floats) -> Floats:
    values: Floats = np.array([math.erf(number) for number in x.reshape(-1)]).reshape(x.shape)
    return values


def _sigmoid(x: Floats) -> Floats:
    values: Floats = np.exp(-np.logaddexp(0.0, -x))
    return values


def _softplus(x: Floats) -> Floats:
    values: Floats = np.logaddexp(0.0, x)
    return values


def _number(attributes: Attributes, name: str, default: float) -> float:
    value = attributes.get(name, default)
    return default if isinstance(value, str) else float(value)


def _gelu(attributes: Attributes, x: Floats) -> Floats:
    if attributes.get("approximate", "none") == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        gate: Floats = np.tanh(inner)
        return 0.5 * x * (1 + gate)
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _elu(attributes: Attributes, x: Floats) -> Floats:
    below: Floats = _number(attributes, "alpha", 1.0) * np.expm1(np.minimum(x, 0))
    return np.where(x > 0, x, below)


def _selu(attributes: Attributes, x: Floats) -> Floats:
    alpha = _number(attributes, "alpha", 1.6732632423543772)
    return _number(attributes, "gamma", 1.0507009873554805) * _elu({"alpha": alpha}, x)


def _celu(attributes: Attributes, x: Floats) -> Floats:
    alpha = _number(attributes, "alpha", 1.0)
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


def _clip(attributes: Attributes, x: Floats, *bounds: Floats | None) -> Floats:
    low, high = [*bounds, None, None][:2]
    lowered = np.maximum(x, _number(attributes, "min", -np.inf) if low is None else low)
    return np.minimum(lowered, _number(attributes, "max", np.inf) if high is None else high)


def _hard_sigmoid(attributes: Attributes, x: Floats) -> Floats:
    alpha, beta = _number(attributes, "alpha", 0.2), _number(attributes, "beta", 0.5)
    return np.clip(alpha * x + beta, 0, 1)


_FUNCTIONS_OF_X: dict[str, Callable[[Attributes, Floats], Floats]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSwish": lambda a, x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Mish": lambda a, x: x * np.tanh(_softplus(x)),
    "Selu": _selu,
    "Sigmoid": lambda a, x: _sigmoid(x),
    "Softplus": lambda a, x: _softplus(x),
    "Swish": lambda a, x: x * _sigmoid(_number(a, "alpha", 1.0) * x),
    "Tanh": lambda a, x: np.tanh(x),
}
"""Activations that are approximated."""

_PARTS: dict[str, Callable[..., Floats]] = {
    "Erf": lambda a, x: _erf(x),
    "Exp": lambda a, x: np.exp(x),
    "Log": lambda a, x: np.log(x),
    "Pow": lambda a, x, y: np.power(x, y),
    "Reciprocal": lambda a, x: 1 / x,
    "Sqrt": lambda a, x: np.sqrt(x),
}
"""Operators that may be part of an activation, but are none."""

_NATIVE: dict[str, Callable[..., Floats]] = {
    "Abs": lambda a, x: np.abs(x),
    "Add": lambda a, x, y: x + y,
    "Clip": _clip,
    "Div": lambda a, x, y: x / y,
    "HardSigmoid": _hard_sigmoid,
    "Identity": lambda a, x: x,
    "LeakyRelu": lambda a, x: np.where(x < 0, _number(a, "alpha", 0.01) * x, x),
    "Mul": lambda a, x, y: x * y,
    "Neg": lambda a, x: -x,
    "Relu": lambda a, x: np.maximum(x, 0),
    "Sub": lambda a, x, y: x - y,
}
"""Operators that are lowered exactly, unless they read what is not, or multiply two values."""

FUNCTIONS: dict[str, Callable[..., Floats]] = {**_FUNCTIONS_OF_X, **_PARTS, **_NATIVE}
APPROXIMATED = tuple(_FUNCTIONS_OF_X)
_PRODUCTS = ("Mul", "Div", "Pow")


def follow(node: OnnxNode, net: Network) -> bool:
    """Keeps what a node computes of one value; whether that is all, and nothing is lowered now."""
    if node.domain not in STANDARD or node.op_type not in FUNCTIONS:
        return False
    operands: list[Expression | float | None] = []
    names = [name for name in node.inputs if name and net.is_value(name)]
    bases: set[str] = set()
    for index, name in enumerate(node.inputs):
        if not name:
            operands.append(None)
        elif net.is_value(name):
            known = _known(name, net)
            operands.append(known[1])
            bases.add(known[0])
        else:
            sizes = net.constant_shape(name)
            if sizes is None or any(size != 1 for size in sizes):
                return False
            operands.append(net.scalar(node, index, "constant"))
    if len(bases) != 1:
        return False
    (base,) = bases
    attributes = tuple(
        (key, value.decode(errors="replace") if isinstance(value, bytes) else value)
        for key, value in sorted(node.attributes.items())
        if isinstance(value, bytes | float | int)
    )
    expression = Expression(node.op_type, attributes, tuple(operands))
    net.curves[node.outputs[0]] = (base, expression)
    exact = node.op_type in _NATIVE and not any(net.is_deferred(name) for name in names)
    if exact and not (node.op_type in _PRODUCTS and len(names) > 1):
        return False
    net.defer(
        node.outputs[0],
        shape_of(net, net.value(base)),
        lambda: _approximated(node, net, base, expression),
    )
    return True


def _known(name: str, net: Network) -> tuple[str, Expression]:
    """Of which value another one is a function, and which function: of itself, if not known."""
    base, curve = net.curves.get(name, (name, Expression()))
    return (base, curve) if isinstance(curve, Expression) else (name, Expression())


def _approximated(node: OnnxNode, net: Network, base: str, expression: Expression) -> str:
    found = fit(expression)
    if found is None:
        refuse(
            f"it reads the result of {node.op_type} '{node.name}', which is no line far from 0, "
            "should be for an approximation by ramps",
            "use ReLU, or an activation that snncc approximates: " + ", ".join(APPROXIMATED),
        )
    net.notes.append(
        f"{node.op_type} '{node.name}' is approximated by {found.populations} populations, off by "
        f"at most {found.error:.2g}"
    )
    return emit_fit(node, net, net.value(base), found)


def fit_of(op_type: str, **attributes: float | str) -> Fit:
    """The approximation of an activation by itself, as the documentation has it."""
    expression = Expression(op_type, tuple(sorted(attributes.items())), (Expression(),))
    found = fit(expression)
    if found is None:
        raise AssertionError("the activations of the table are lines far from 0")
    return found


__all__ = ["APPROXIMATED", "RAMPS", "Expression", "fit_of", "follow"]
