"""Files that are no models, and models damaged at random: a diagnostic, never a traceback."""

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from snncc.onnx import import_model
from snncc_ir import SnnccError
from tests.unit.test_onnx import Maker, conv, ints, normal
from tests.unit.test_onnx_damage import SAME, refusal


@pytest.mark.parametrize("content", [b"", b"hello {", b"\xff" * 100, b"{}"])
@pytest.mark.parametrize("suffix", ["onnx", "json", "textproto", "onnxtxt", "txt"])
def test_a_file_that_is_no_model(suffix: str, content: bytes, tmp_path: Path) -> None:
    """The suffix does not matter: other readers of the same bytes are not asked."""
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(content)
    (found,) = refusal(path)
    assert found.code == "SNN001"
    assert found.place == str(path)
    assert found.hint


def test_paths_without_a_file(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "the model file is a folder"),
        (tmp_path / "none.onnx", "the model file does not exist"),
    ):
        (found,) = refusal(path)
        assert (found.code, found.message) == ("SNN001", message)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "none.bin"])
def test_weights_outside_of_the_folder_are_not_read(location: str, tmp_path: Path) -> None:
    weight = normal(4, 3)
    (tmp_path / "weights.bin").write_bytes(weight.tobytes())
    tensor = numpy_helper.from_array(weight, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["g"]),
        helper.make_node("Relu", ["g"], ["y"]),
    ]
    data, result = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
        for name, size in (("x", 4), ("y", 3))
    )
    proto = helper.make_graph(nodes, "g", [data], [result], [tensor])
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = tmp_path / "model"
    folder.mkdir()
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    (found,) = refusal(path)
    assert found.code == "SNN001"


ODD = st.sampled_from([0, 1, 2, 5, -1, -2, 100_000, 1 << 31, (1 << 63) - 1, -(1 << 63)])


def every_operator(folder: Path) -> bytes:
    """A model in which much can be damaged."""
    maker = Maker(3, 6, 6)
    conv(maker, auto_pad=SAME, strides=[2, 1])
    maker.node("Clip", np.array(0, np.float32), np.array(6, np.float32))
    maker.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    maker.node("Pad", ints(0, 1, 0, 2, 0, 0, 1, 0))
    maker.node("Slice", ints(1, -4), ints(9, -1), ints(1, 3), ints(2, 1))
    maker.node("Split", ints(1, 1), axis=1, outputs=["s0", "s1"])
    maker.node("Concat", "s1", axis=1)
    maker.node("Transpose", perm=[0, 2, 3, 1])
    maker.node("AveragePool", kernel_shape=[1, 1], pads=[0, 0, 0, 0])
    maker.node("ReduceMean", axes=[2, 3], keepdims=0)
    maker.node("Unsqueeze", ints(2))
    maker.node("Squeeze", ints(2))
    maker.node("Reshape", ints(0, -1))
    maker.node("Gemm", normal(5, 3), normal(5), transB=1, alpha=0.5)
    maker.node("Relu")
    path = maker.save(folder)
    import_model(path)
    return path.read_bytes()


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_damaged_attributes_give_a_diagnostic(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Numbers, inputs and constants changed: a graph, or an SnnccError, never anything else."""
    folder = tmp_path_factory.mktemp("damaged")
    model = onnx.ModelProto.FromString(every_operator(folder))
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from(list(model.graph.node)))
        kind = data.draw(st.sampled_from(["attribute", "input", "constant"]))
        if kind == "attribute" and node.attribute:
            attribute = data.draw(st.sampled_from(list(node.attribute)))
            if attribute.ints:
                numbers = data.draw(st.lists(ODD, max_size=len(attribute.ints) + 1))
                del attribute.ints[:]
                attribute.ints.extend(numbers)
            elif attribute.HasField("i"):
                attribute.i = data.draw(ODD)
        elif kind == "input":
            names = ["", "x", *(tensor.name for tensor in model.graph.initializer)]
            node.input[data.draw(st.integers(0, len(node.input) - 1))] = data.draw(
                st.sampled_from(names)
            )
        else:
            tensor = data.draw(st.sampled_from(list(model.graph.initializer)))
            if tensor.data_type == TensorProto.INT64:
                numbers = data.draw(st.lists(ODD, max_size=9))
                changed = numpy_helper.from_array(np.array(numbers, np.int64), tensor.name)
            else:
                changed = numpy_helper.from_array(normal(2), tensor.name)
            tensor.CopyFrom(changed)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with contextlib.suppress(SnnccError):
        import_model(path)
