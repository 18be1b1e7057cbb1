"""Weights that stay in their file until a layer asks for them."""

import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from snncc.onnx import import_model
from snncc.onnx.reader import model_digest, read_model
from snncc.onnx.wire import LARGE, IrregularError, split
from snncc_ir import SnnccError
from snncc_ir.ops import Dense
from tests.unit.test_onnx import Maker, agree, ints, normal

WIDE = 40
"""40 × 40 floats are 6400 bytes: large enough to stay in the file."""


def dense(weight: onnx.TensorProto, *nodes: onnx.NodeProto) -> onnx.ModelProto:
    """x → (nodes make `w` of `weight`) → Gemm → Relu."""
    body = [
        *nodes,
        helper.make_node("Gemm", ["x", "w"], ["g"]),
        helper.make_node("Relu", ["g"], ["y"]),
    ]
    data, result = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", WIDE]) for name in "xy"
    )
    graph = helper.make_graph(body, "g", [data], [result], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def weights_of(path: Path) -> NDArray[np.generic]:
    (op,) = [node.op for node in import_model(path).graph if isinstance(node.op, Dense)]
    return op.weight.array.T


def written(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_large_weights_are_not_parsed(tmp_path: Path) -> None:
    weight = normal(WIDE, WIDE)
    path = written(dense(numpy_helper.from_array(weight, "w")), tmp_path)
    model = read_model(path)
    assert len(model.proto.SerializeToString()) < 1000
    assert list(model.stored) == ["w"]
    np.testing.assert_array_equal(weights_of(path), weight)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.int32])
def test_every_format_of_weights(dtype: type[np.number], tmp_path: Path) -> None:
    weight = (10 * normal(WIDE, WIDE)).astype(dtype)
    cast = helper.make_node("Cast", ["raw"], ["w"], to=TensorProto.FLOAT)
    path = written(dense(numpy_helper.from_array(weight, "raw"), cast), tmp_path)
    np.testing.assert_array_equal(weights_of(path), weight.astype(np.float32))


def test_bfloat16_and_numbers_outside_of_raw_data(tmp_path: Path) -> None:
    weight = normal(WIDE, WIDE)
    plain = helper.make_tensor("w", TensorProto.FLOAT, weight.shape, weight.reshape(-1))
    assert not plain.raw_data
    np.testing.assert_array_equal(weights_of(written(dense(plain), tmp_path)), weight)
    short = helper.make_tensor("raw", TensorProto.BFLOAT16, weight.shape, weight.reshape(-1))
    packed = numpy_helper.from_array(numpy_helper.to_array(short), "raw")
    cast = helper.make_node("Cast", ["raw"], ["w"], to=TensorProto.FLOAT)
    found = weights_of(written(dense(packed, cast), tmp_path))
    np.testing.assert_allclose(found.astype(np.float64), weight, rtol=2**-8)


def test_weights_beside_the_model(tmp_path: Path) -> None:
    weight = normal(WIDE, WIDE)
    model = dense(numpy_helper.from_array(weight, "w"))
    path = tmp_path / "model.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="weights.bin")
    assert path.stat().st_size < 1000
    digest = model_digest(path)
    np.testing.assert_array_equal(weights_of(path), weight)
    (tmp_path / "weights.bin").write_bytes(b"cut")
    assert model_digest(path) != digest
    with pytest.raises(SnnccError) as caught:
        import_model(path)
    (found,) = caught.value.diagnostics
    assert found.code == "SNN001"
    assert "the numbers of 'w' cannot be read from 'weights.bin'" in found.message


def test_a_length_beyond_the_file_reads_nothing(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(normal(WIDE, WIDE), "w")
    external_data_helper.set_external_data(tensor, "weights.bin", 0, 1 << 60)
    tensor.ClearField("raw_data")
    (tmp_path / "weights.bin").write_bytes(b"short")
    with pytest.raises(SnnccError) as caught:
        import_model(written(dense(tensor), tmp_path))
    assert caught.value.diagnostics[0].code in ("SNN001", "SNN002")


@pytest.mark.parametrize("change", [-4, 4])
def test_numbers_that_do_not_fill_their_shape(change: int, tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(normal(WIDE, WIDE), "w")
    tensor.raw_data = (tensor.raw_data + b"\0" * 4)[: len(tensor.raw_data) + change]
    with pytest.raises(SnnccError) as caught:
        import_model(written(dense(tensor), tmp_path))
    (found,) = caught.value.diagnostics
    assert found.code == "SNN002"
    assert "its data should fill its shape" in found.message


def test_the_same_name_twice(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(normal(WIDE, WIDE), "w")
    model = dense(tensor)
    model.graph.initializer.append(tensor)
    with pytest.raises(SnnccError, match="is there twice"):
        import_model(written(model, tmp_path))


def test_weights_computed_from_large_constants(tmp_path: Path) -> None:
    """What onnxscript's folding does not see is computed when the layer asks for it."""
    maker = Maker(WIDE)
    given = maker.last
    maker.last = maker.constant(normal(WIDE, WIDE))
    maker.node("Transpose")
    maker.node("Mul", normal(1, WIDE))
    weight = maker.node("Reshape", ints(WIDE, WIDE))
    maker.last = given
    maker.node("MatMul", weight)
    maker.node("Relu")
    agree(maker.save(tmp_path))


@given(st.data())
def test_splitting_loses_nothing(data: st.DataObject) -> None:
    """Large raw data and the rest are the whole model, whatever the sizes of its tensors."""
    sizes = data.draw(st.lists(st.integers(0, 2 * LARGE), max_size=5))
    arrays = {f"c{i}": np.arange(size, dtype=np.int8) for i, size in enumerate(sizes)}
    model = dense(numpy_helper.from_array(normal(WIDE, WIDE), "w"))
    model.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in arrays.items())
    content = model.SerializeToString()
    rest, large = split(io.BytesIO(content), len(content))
    found = onnx.ModelProto.FromString(rest)
    for tensor in large:
        stub = onnx.TensorProto.FromString(tensor.stub)
        stub.raw_data = content[tensor.raw_data.start : tensor.raw_data.end]
        found.graph.initializer.append(stub)
    assert len(large) == 1 + sum(size >= LARGE for size in sizes)
    by_name = {t.name: t for t in found.graph.initializer}
    assert by_name == {t.name: t for t in model.graph.initializer}
    del found.graph.initializer[:], model.graph.initializer[:]
    assert found == model


@given(st.data())
def test_bytes_that_are_no_model(data: st.DataObject) -> None:
    """Split, or said to be irregular: nothing else, and nothing beyond the end is read."""
    content = bytearray(dense(numpy_helper.from_array(normal(WIDE, WIDE), "w")).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 120))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        rest, large = split(io.BytesIO(cut), len(cut))
    except IrregularError:
        return
    assert len(rest) <= len(cut)
    assert all(tensor.raw_data.end <= len(cut) for tensor in large)
