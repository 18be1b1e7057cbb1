"""Windows, resizes, pads and slices with attributes drawn at random, against onnxruntime."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncc.onnx import import_model
from snncc_ir import SnnccError, ValueRunner, session
from tests.unit.test_onnx import Array, Maker, ints, normal

Draw = st.DrawFn
Attributes = dict[str, "int | str | list[int]"]
SHAPE = (2, 7, 6)
MANY = 30


def numbers(draw: Draw, count: int, low: int, high: int) -> list[int]:
    return [draw(st.integers(low, high)) for _ in range(count)]


def put(m: Maker, op_type: str, operands: "list[str | Array]", attributes: Attributes) -> None:
    """Adds a node; a dictionary of attributes may hold what the call's own keywords do not."""
    m.node(op_type, *operands, **attributes)  # type: ignore[arg-type]


def auto(draw: Draw, **explicit: list[int]) -> Attributes:
    """Pads as given, or found by the operator."""
    way = draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    return {"auto_pad": way} if way != "NOTSET" else dict(explicit)


def conv(draw: Draw, m: Maker) -> None:
    kernel = numbers(draw, 2, 1, 3)
    groups = draw(st.sampled_from([1, 2]))
    attributes: Attributes = {
        "strides": numbers(draw, 2, 1, 4),
        "dilations": numbers(draw, 2, 1, 2),
        "group": groups,
        **auto(draw, pads=numbers(draw, 4, 0, 2)),
    }
    put(m, "Conv", [normal(4, 2 // groups, *kernel)], attributes)


def transposed(draw: Draw, m: Maker) -> None:
    kernel, stride = numbers(draw, 2, 1, 3), numbers(draw, 2, 1, 3)
    groups = draw(st.sampled_from([1, 2]))
    more = [draw(st.integers(0, s - 1)) for s in stride]
    placed = auto(draw, pads=numbers(draw, 4, 0, 1))
    if draw(st.booleans()):
        sizes = [n * s + draw(st.integers(0, 1)) for n, s in zip(SHAPE[1:], stride, strict=True)]
        placed = {**auto(draw), "output_shape": sizes}
    attributes: Attributes = {
        "strides": stride,
        "dilations": numbers(draw, 2, 1, 2),
        "output_padding": more,
        "group": groups,
        **placed,
    }
    put(m, "ConvTranspose", [normal(2, 3, *kernel)], attributes)


def pool(draw: Draw, m: Maker) -> None:
    kernel = numbers(draw, 2, 1, 3)
    attributes = auto(draw, pads=[draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)])
    if "auto_pad" not in attributes:
        attributes["dilations"] = numbers(draw, 2, 1, 2)
    kind = draw(st.sampled_from(["MaxPool", "AveragePool"]))
    if kind == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    attributes |= {
        "kernel_shape": kernel,
        "strides": numbers(draw, 2, 1, 3),
        "ceil_mode": draw(st.integers(0, 1)),
    }
    put(m, kind, [], attributes)


def resize(draw: Draw, m: Maker) -> None:
    modes = ["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"]
    if m.opset >= 19:
        modes.append("half_pixel_symmetric")
    rounds = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]
    attributes: Attributes = {
        "coordinate_transformation_mode": draw(st.sampled_from(modes)),
        "nearest_mode": draw(st.sampled_from(rounds)),
    }
    if draw(st.booleans()):
        factors = [draw(st.sampled_from([0.5, 0.75, 1.0, 1.5, 2.0, 2.6, 3.0])) for _ in range(2)]
        put(m, "Resize", ["", np.array([1, 1, *factors], np.float32)], attributes)
        return
    sizes = numbers(draw, 2, 1, 15)
    if m.opset >= 18 and draw(st.booleans()):
        policy = draw(st.sampled_from(["stretch", "not_larger", "not_smaller"]))
        attributes |= {"axes": [2, 3], "keep_aspect_ratio_policy": policy}
        put(m, "Resize", ["", "", ints(*sizes)], attributes)
        return
    put(m, "Resize", ["", "", ints(int(m.shape[0]), 2, *sizes)], attributes)


def pad(draw: Draw, m: Maker) -> None:
    mode = draw(st.sampled_from(["constant", "reflect", "edge"]))
    amounts = ints(0, 0, *numbers(draw, 2, -2, 3), 0, 0, *numbers(draw, 2, -2, 3))
    value = np.array(draw(st.sampled_from([0.0, 0.5, -1.0])), np.float32)
    m.node("Pad", amounts, *([value] if mode == "constant" else []), mode=mode)


def cut(draw: Draw, m: Maker) -> None:
    starts, ends = numbers(draw, 2, -9, 9), numbers(draw, 2, -9, 9)
    steps = [draw(st.sampled_from([-3, -2, -1, 1, 2])) for _ in range(2)]
    m.node("Slice", ints(*starts), ints(*ends), ints(-1, 2), ints(*steps))


@pytest.mark.parametrize("make", [conv, transposed, pool, resize, pad, cut])
@settings(
    deadline=None, max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_values_are_onnxruntimes(
    make: Callable[[Draw, Maker], None], data: st.DataObject, tmp_path: Path
) -> None:
    """Equal, or both refuse: a window that does not fit, a slice of nothing."""
    batch = data.draw(st.integers(1, 3))
    maker = Maker(*SHAPE, opset=data.draw(st.sampled_from([13, 18, 19])), batch=batch)
    make(data.draw, maker)  # type: ignore[arg-type]
    path = maker.save(tmp_path)
    x = normal(batch, *SHAPE)
    try:
        (expected,) = session(str(path), 1).run(None, {"x": x})
    except Exception:  # what onnxruntime refuses or cannot run, in a dozen classes
        return
    try:
        graph = import_model(path, needs_neurons=False).graph
    except SnnccError:
        assert expected.size == 0
        return
    (found,) = ValueRunner(graph).run({graph.inputs[0].name: x}).values()
    np.testing.assert_allclose(found.astype(np.float32), expected, rtol=1e-4, atol=1e-5)
