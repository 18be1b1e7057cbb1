"""What `inspect` says of a model's nodes and populations."""

from pathlib import Path

import onnx
import pytest
from onnx import helper

from snncc.inspection import inspect
from tests.e2e.models import MODELS, dyadic, mlp, save


def everything(folder: Path) -> Path:
    """What is folded, what only moves, what is left out, and what two populations share."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], "/conv/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"],
                         "/bn/BatchNormalization"),
        helper.make_node("Relu", ["n"], ["r1"], "/r1/Relu"),
        helper.make_node("Relu", ["c"], ["r2"], "/r2/Relu"),
        helper.make_node("MaxPool", ["r1"], ["p1"], "/p/MaxPool", kernel_shape=[2, 2],
                         strides=[2, 2]),
        helper.make_node("AveragePool", ["r2"], ["p2"], "/a/AveragePool", kernel_shape=[2, 2],
                         strides=[2, 2]),
        helper.make_node("Concat", ["p1", "p2"], ["k"], "/k/Concat", axis=1),
        helper.make_node("Identity", ["k"], ["i"], "/i/Identity"),
        helper.make_node("Dropout", ["i"], ["d"], "/d/Dropout"),
        helper.make_node("Flatten", ["d"], ["f"], "/f/Flatten"),
        helper.make_node("Gemm", ["f", "w2"], ["g"], "/g/Gemm", transB=1),
        helper.make_node("Softmax", ["g"], ["y"], "/y/Softmax"),
    ]  # fmt: skip
    constants = {
        "w1": dyadic(1, 4, 2, 3, 3), "w2": dyadic(2, 3, 32), "s": abs(dyadic(3, 4)) + 1,
        "b": dyadic(4, 4), "m": dyadic(5, 4), "v": abs(dyadic(6, 4)) + 1,
    }  # fmt: skip
    return save(folder / "everything.onnx", nodes, (2, 4, 4), constants)


def test_every_node_of_the_file_becomes_something(tmp_path: Path) -> None:
    path = everything(tmp_path)
    found = inspect(path)
    assert [node.name for node in found.nodes] == [n.name for n in onnx.load(path).graph.node]
    assert [node.becomes for node in found.nodes] == [
        "projection into r1, r2", "folded into r1", "population r1", "population r2",
        "max pool p", "average in a projection into g", "sources of g", "left out",
        "left out", "nothing moves", "readout g", "left out",
    ]  # fmt: skip
    by_name = {node.short: node for node in found.nodes}
    assert by_name["conv"].shape == (4, 4, 4)
    assert by_name["conv"].parameters == 4 * 2 * 9
    assert by_name["bn"].parameters == 4 * 4
    # 4 corners see 4 of 9 places, 8 edges 6, 4 others 9
    assert by_name["conv"].macs == 4 * 2 * (4 * 4 + 8 * 6 + 4 * 9)
    assert found.compiles


@pytest.mark.parametrize("name", MODELS)
def test_nodes_and_populations_count_alike(name: str, tmp_path: Path) -> None:
    found = inspect(MODELS[name][0](tmp_path))
    assert all(node.becomes for node in found.nodes)
    weights = sum(node.macs for node in found.nodes)
    shortcuts = sum(layer.neurons for layer in found.layers if "scale" in layer.kind)
    assert weights + shortcuts == sum(layer.macs for layer in found.layers)
    assert {layer.name for layer in found.layers} == {
        node.becomes.split(" ")[-1]
        for node in found.nodes
        if node.becomes.startswith(("population", "readout", "max pool"))
    }


def test_constants_are_counted(tmp_path: Path) -> None:
    path = mlp(tmp_path)
    model = onnx.load(path)
    half = helper.make_node("Constant", [], ["half"], "/half", value_floats=[0.5] * 6)
    twice = helper.make_node("Add", ["half", "half"], ["one"], "/one/Add")
    more = helper.make_node("Add", ["h", "one"], ["h1"], "/more/Add")
    model.graph.node[1].input[0] = "h1"
    for place, node in ((0, half), (1, twice), (3, more)):
        model.graph.node.insert(place, node)
    onnx.save(model, path)
    found = inspect(path)
    assert [node.operator for node in found.nodes] == ["Gemm", "Add", "Relu", "Gemm"]
    assert found.nodes[1].becomes == "folded into relu"
    assert found.constants == 2


def test_problems_are_marked_at_their_nodes(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["h"], "/fc1/Gemm", transB=1),
        helper.make_node("Erf", ["h"], ["a"], "/a/Erf"),
        helper.make_node("Gemm", ["a", "w2"], ["b"], "/fc2/Gemm", transB=1),
        helper.make_node("Sin", ["b"], ["y"], "/b/Sin"),
    ]
    constants = {"w1": dyadic(1, 6, 4), "w2": dyadic(2, 3, 6)}
    found = inspect(save(tmp_path / "two.onnx", nodes, (4,), constants))
    assert [problem.code for problem in found.problems] == ["SNN003", "SNN003"]
    assert [node.problems for node in found.nodes] == [(), (0,), (), (1,)]
    assert [node.macs for node in found.nodes] == [24, 0, 18, 0]
    assert not found.compiles
    assert not found.targets


def test_layers_that_follow_one_another_are_marked(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], "/c1/Conv"),
        helper.make_node("Conv", ["c", "w2"], ["d"], "/c2/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["r"], "/r/Relu"),
        helper.make_node("Flatten", ["r"], ["f"], "/f/Flatten"),
        helper.make_node("Gemm", ["f", "w3"], ["y"], "/g/Gemm", transB=1),
    ]
    constants = {
        "w1": dyadic(1, 8, 3, 3, 3), "w2": dyadic(2, 8, 8, 3, 3), "w3": dyadic(3, 3, 8 * 38 * 38),
    }  # fmt: skip
    found = inspect(save(tmp_path / "linear.onnx", nodes, (3, 40, 40), constants))
    assert {problem.code for problem in found.problems} == {"SNN007"}
    assert any(node.problems for node in found.nodes)
    assert found.nodes[0].macs == 8 * 3 * 9 * 38 * 38
