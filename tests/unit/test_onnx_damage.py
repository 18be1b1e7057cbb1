"""Models that contradict themselves: a diagnostic with a place, never a traceback."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from snncc.onnx import import_model
from snncc_ir import Diagnostic, SnnccError
from tests.unit.test_onnx import Maker, conv, ints, normal, relu_conv


def refusal(path: Path) -> tuple[Diagnostic, ...]:
    """What is said of a model that has to be refused."""
    with pytest.raises(SnnccError) as caught:
        import_model(path)
    return caught.value.diagnostics


def batchnorm(m: Maker, *sizes: int) -> None:
    conv(m)
    scale, bias, mean, variance = (np.abs(normal(size)) for size in sizes)
    m.node("BatchNormalization", scale, bias, mean, variance)


def text_constant(m: Maker) -> None:
    m.constants.append(helper.make_tensor("words", TensorProto.STRING, [0], []))
    conv(m)
    m.node("Mul", "words")


def cut_constant(m: Maker) -> None:
    conv(m)
    m.node("Mul", normal(4, 1, 1))
    m.constants[-1].raw_data = m.constants[-1].raw_data[:-4]


def endless_constant(m: Maker) -> None:
    m.last = m.constant(ints(1, 60000, 60000))
    zeros = m.node("ConstantOfShape")
    m.last = "x"
    m.node("Add", zeros)


def empty_perm(m: Maker) -> None:
    relu_conv(m)
    m.node("Transpose", perm=[0])
    del m.nodes[-1].attribute[0].ints[:]


SAME = "SAME_UPPER"

DAMAGED: dict[str, tuple[Callable[[Maker], object], str, str]] = {
    "cast to integers": (
        lambda m: (relu_conv(m), m.node("Cast", to=TensorProto.INT64)),
        "SNN004",
        "it casts to INT64, should be to a float type",
    ),
    "cast to truth": (
        lambda m: (relu_conv(m), m.node("Cast", to=TensorProto.BOOL)),
        "SNN004",
        "it casts to BOOL",
    ),
    "batchnorm of other channels": (
        lambda m: batchnorm(m, 4, 4, 4, 1),
        "SNN004",
        "should all be [4], one number a channel",
    ),
    "dense of a weight with three axes": (
        lambda m: (m.node("Flatten"), m.node("Gemm", normal(216, 4, 1))),
        "SNN004",
        "its weight has shape [216, 4, 1], should have 2 axes",
    ),
    "dense of another bias": (
        lambda m: (m.node("Flatten"), m.node("Gemm", normal(216, 4), normal(3))),
        "SNN004",
        "its bias has shape [3], should be [4]",
    ),
    "convolution of one stride": (
        lambda m: conv(m, strides=[1], auto_pad=SAME),
        "SNN004",
        "stride is [1], should be 2 numbers of at least 1",
    ),
    "convolution that stands still": (
        lambda m: conv(m, strides=[0, 0], auto_pad=SAME),
        "SNN004",
        "stride is [0, 0]",
    ),
    "convolution of another kernel": (
        lambda m: conv(m, kernel_shape=[2, 2]),
        "SNN004",
        "its kernel_shape is [2, 2], should be [3, 3]",
    ),
    "convolution of three dimensions": (
        lambda m: (
            relu_conv(m),
            m.node("Unsqueeze", ints(1)),
            m.node("Conv", normal(2, 1, 2, 2, 2)),
        ),
        "SNN004",
        "should be of a 1-D or 2-D convolution",
    ),
    "same padding under a long stride": (
        lambda m: m.node("Conv", normal(4, 3, 1, 1), strides=[5, 8], auto_pad=SAME),
        "SNN004",
        "readers of ONNX disagree",
    ),
    "pool of two pads": (
        lambda m: (relu_conv(m), m.node("MaxPool", kernel_shape=[2, 2], pads=[1, 1], ceil_mode=1)),
        "SNN004",
        "pads is [1, 1], should be 4 numbers",
    ),
    "pool of three dimensions": (
        lambda m: (
            relu_conv(m),
            m.node("Unsqueeze", ints(1)),
            m.node("MaxPool", kernel_shape=[2, 2, 2]),
        ),
        "SNN004",
        "its window has 3 dimensions",
    ),
    "dilated pool": (
        lambda m: (relu_conv(m), m.node("MaxPool", kernel_shape=[2, 2], dilations=[2, 2])),
        "SNN004",
        "it is dilated, should not be",
    ),
    "transpose without axes": (empty_perm, "SNN004", "its perm is [], should begin with 0"),
    "too few pads": (
        lambda m: (relu_conv(m), m.node("Pad", ints(0, 1))),
        "SNN004",
        "it has 2 amounts for axes [0, 1, 2, 3]",
    ),
    "pad by two numbers": (
        lambda m: (relu_conv(m), m.node("Pad", ints(0, 0, 1, 1, 0, 0, 1, 1), normal(2))),
        "SNN004",
        "is 2 numbers, should be one constant number",
    ),
    "slice of more starts": (
        lambda m: (relu_conv(m), m.node("Slice", ints(1, 1), ints(2), ints(1))),
        "SNN004",
        "it has 2 starts, 1 ends",
    ),
    "the same axis twice": (
        lambda m: (relu_conv(m), m.node("Unsqueeze", ints(1, 1))),
        "SNN004",
        "its axes are [1, 1], should be different ones",
    ),
    "split that loses channels": (
        lambda m: (relu_conv(m), m.node("Split", ints(1, 1), axis=1, outputs=["s0", "s1"])),
        "SNN004",
        "its parts are [1, 1], should be 2 that add up to 4",
    ),
    "mean over the batch": (
        lambda m: (relu_conv(m), m.node("ReduceMean", axes=[0])),
        "SNN004",
        "its axis is 0 of a value with 4 axes",
    ),
    "data on the right": (
        lambda m: (m.node("Flatten"), m.node("MatMul", normal(5, 4), swap=True)),
        "SNN004",
        "its first operand is constant, should be the data",
    ),
    "transposed data": (
        lambda m: (m.node("Flatten"), m.node("Gemm", normal(5, 4), transA=1)),
        "SNN004",
        "it transposes its data (transA)",
    ),
    "words": (text_constant, "SNN004", "has type object, should have numbers"),
    "a constant that is cut": (cut_constant, "SNN002", ""),
    "a constant of 14 GB": (
        endless_constant,
        "SNN004",
        "is computed as 3600000000 numbers, should be stored",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_model(name: str, tmp_path: Path) -> None:
    make, code, message = DAMAGED[name]
    maker = Maker(3, 9, 8)
    make(maker)
    maker.node("Relu")
    first = refusal(maker.save(tmp_path))[0]
    assert first.code == code
    assert message in first.message
    assert first.hint
    if code != "SNN002":
        assert "/net/" in first.place


def test_a_missing_input_is_said(tmp_path: Path) -> None:
    """An empty name is how ONNX leaves out an input; here it is one that is needed."""
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    maker.node("Concat", axis=1)
    maker.nodes[-1].input[0] = ""
    maker.node("Relu")
    (found,) = refusal(maker.save(tmp_path))
    assert (found.code, found.message) == (
        "SNN004",
        "its input 1 (input) is missing, should be given",
    )
    assert found.hint


def test_softmax_over_the_batch_is_refused(tmp_path: Path) -> None:
    """To leave it out would change the result: it compares samples, not classes."""
    maker = Maker(5)
    maker.node("Gemm", normal(5, 7))
    maker.node("Relu")
    maker.node("Softmax", axis=0)
    (found,) = refusal(maker.save(tmp_path))
    assert found.code == "SNN004"
    assert found.message == "its axis is 0 of a value with 2 axes, should be 1 to 1"


def test_an_output_that_is_the_input_is_refused(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    result = maker.last
    maker.last = "x"
    maker.node("Transpose", perm=[0, 2, 3, 1])
    (found,) = refusal(maker.save(tmp_path, result, maker.last))
    assert found.code == "SNN004"
    assert found.message == "output 'v2' is nothing but the input, should be of neurons"


def test_all_dynamic_sizes_are_said(tmp_path: Path) -> None:
    """A view of the batch is computed for one sample; other dynamic sizes stay refused."""
    maker = Maker(3, 9, 8)
    maker.shape = ["N", 3, "H", 8]
    relu_conv(maker)
    data = maker.last
    shape = maker.node("Shape")
    maker.last = data
    maker.node("Reshape", shape)
    found = refusal(maker.save(tmp_path))
    assert "input 'x' has shape ?×3×?×8" in found[0].message
    assert found[0].code == "SNN005"
