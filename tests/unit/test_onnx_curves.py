"""Activations as sums of ramps: as near as they say, whatever exporters make of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snncc.onnx import import_model
from snncc.onnx.curves import APPROXIMATED, Expression, fit_of
from snncc.onnx.ramps import RAMPS, fit
from snncc_ir import SnnccError, ValueRunner
from tests.unit.test_onnx import Maker, normal, scalar

X = Expression()


def times(factor: float) -> Expression:
    return Expression("Mul", (), (X, factor))


@pytest.mark.parametrize("op_type", APPROXIMATED)
def test_the_documented_error_is_that_of_the_graph(op_type: str, tmp_path: Path) -> None:
    """Over all numbers, near and far; and it is reached somewhere."""
    maker = Maker(4, opset=24 if op_type == "Swish" else 22)
    maker.node("Identity")
    maker.node(op_type)
    maker.node("Neg")  # so that it does not end the network, where a Sigmoid is left out
    maker.node("Neg")
    graph = import_model(maker.save(tmp_path), approximate=True).graph
    x = np.concatenate([np.linspace(-10, 10, 40_000), np.linspace(-300, 300, 4000)])
    samples = x.astype(np.float32).reshape(-1, 4)
    (found,) = ValueRunner(graph).run({graph.inputs[0].name: samples}).values()
    exact = Expression(op_type, (), (X,))(samples.astype(np.float64))
    off = float(np.abs(found.astype(np.float64) - exact).max())
    documented = fit_of(op_type)
    assert 0.95 * documented.error < off < documented.error + 1e-4
    assert documented.error < 0.016
    assert documented.populations <= RAMPS + 2


@pytest.mark.parametrize("factor", [0.01, 0.2, 3.0, 100.0, -1.0])
def test_a_scaled_argument_costs_nothing(factor: float) -> None:
    scaled = fit(Expression("Sigmoid", (), (times(factor),)))
    assert scaled is not None
    assert scaled.error < 1.1 * fit_of("Sigmoid").error


@pytest.mark.parametrize(
    "curve",
    [
        Expression("Pow", (), (X, 2.0)),
        Expression("Exp", (), (X,)),
        Expression("Reciprocal", (), (X,)),
        Expression("Log", (), (X,)),
    ],
    ids=lambda curve: str(curve.op_type),
)
def test_what_is_no_line_far_away_is_not_approximated(curve: Expression) -> None:
    assert fit(curve) is None


def tanh_gelu(m: Maker) -> None:
    """As torch exports it: half a dozen nodes, of which a cube alone could not be approximated."""
    value = m.last
    m.node("Pow", scalar(3))
    m.node("Mul", scalar(0.044715))
    m.node("Add", value)
    m.node("Mul", scalar((2 / np.pi) ** 0.5))
    m.node("Tanh")
    m.node("Add", scalar(1))
    m.node("Mul", scalar(0.5))
    m.node("Mul", value)


def hard_swish(m: Maker) -> None:
    value = m.last
    m.node("Add", scalar(3))
    m.node("Clip", scalar(0), scalar(6))
    m.node("Mul", value)
    m.node("Div", scalar(6))


@pytest.mark.parametrize(
    ("make", "whole"),
    [(tanh_gelu, fit_of("Gelu", approximate="tanh")), (hard_swish, fit_of("HardSwish"))],
)
def test_what_exporters_take_apart_is_one_activation(
    make: Callable[[Maker], None], whole: object, tmp_path: Path
) -> None:
    maker = Maker(4)
    maker.node("Gemm", normal(4, 4))
    make(maker)
    imported = import_model(maker.save(tmp_path), approximate=True)
    (note,) = imported.notes
    neurons = sum(node.op.name == "neuron" for node in imported.graph)
    assert f"is approximated by {neurons} populations" in note
    assert neurons == getattr(whole, "populations", 0)


def test_a_power_is_refused_where_it_is_read(tmp_path: Path) -> None:
    maker = Maker(4)
    maker.node("Gemm", normal(4, 4))
    maker.node("Pow", scalar(2))
    maker.node("Gemm", normal(4, 4))
    maker.node("Relu")
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path), approximate=True)
    (found,) = caught.value.diagnostics
    assert found.code == "SNN004"
    assert "which is no line far from 0" in found.message
    assert "Gemm '/net/gemm2/Gemm'" in found.place
