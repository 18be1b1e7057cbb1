"""The text form: parse ∘ print is the identity, and errors say what was found."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import (
    Analog,
    Graph,
    GraphBuilder,
    Node,
    SnnccError,
    Tensor,
    f32,
    graph_tensors,
    pack,
    parse_graph,
    print_graph,
    unpack,
)  # fmt: skip
from snncc_ir.ops import Affine, Dense, Input, Neuron, Output, Relu
from tests.strategies import lowered_graphs, samples

TO_INTEGER = (
    "adopt-grids,drop-grids,hoist-neurons,fold-batchnorm,sink-views,fuse,binary-weights,"
    "linear-weights,normalize,quantize-input,"
    "rate-code{steps=8,neuron=signed-if},quantize-weights"
)


def small(op: Affine | None = None) -> Graph:
    builder = GraphBuilder("small")
    builder.add("x", Input((2,)), [])
    builder.add("d", Dense(f32(np.arange(6.0).reshape(3, 2))), ["x"])
    value = "d"
    if op is not None:
        value = builder.add("a", op, ["d"]).name
    builder.add("n", Neuron(Relu()), [value])
    builder.add("y", Output(), ["n"])
    return builder.graph()


@given(lowered_graphs(grids=True))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_parse_is_the_inverse_of_print(graph: Graph) -> None:
    text = print_graph(graph)
    tensors = unpack(pack(graph_tensors(graph)), "memory")
    assert parse_graph(text, tensors) == graph
    assert print_graph(parse_graph(text, tensors)) == text


@given(lowered_graphs(grids=True))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_integer_networks_survive_the_text_too(graph: Graph) -> None:
    result = run_pipeline(
        graph, parse_pipeline(TO_INTEGER), Context(samples(graph)), measure=False
    ).graph
    assert parse_graph(print_graph(result), graph_tensors(result)) == result


@pytest.mark.parametrize(
    "values", [[-0.0] * 9, [0.1] * 20, [1e-40, 3.4e38, -1.5], [np.pi], np.linspace(0, 1, 50)]
)
def test_numbers_come_back_bit_by_bit(values: list[float]) -> None:
    graph = small(Affine(f32(1.0), f32(0.0)))
    node = graph["d"]
    op = Dense(f32(np.resize(np.array(values), (3, 2))))
    changed = Graph(graph.name, tuple(replace(n, op=op) if n is node else n for n in graph))
    back = parse_graph(print_graph(changed), graph_tensors(changed))
    assert back == changed


def test_negative_zero_is_not_zero() -> None:
    assert Tensor(np.zeros(2, np.float32)) != Tensor(-np.zeros(2, np.float32))
    assert not Tensor(np.array([0.0, -0.0], np.float32)).is_splat


def test_tensors_cannot_be_written() -> None:
    given_array = np.ones(3, np.float32)
    tensor = Tensor(given_array)
    given_array[0] = 5
    assert tensor.array[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        tensor.array[0] = 2


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            ("dense(", "tense("),
            "SNN011",
            "'tense' is not known, should be one of input, event",
        ),
        (("%n = neuron(%d)", "%n = neuron(%q)"), "SNN010", "operand 'q' of 'n' is not defined"),
        (("shape=[2]", "shape=[2.5]"), "SNN011", "attribute 'shape' of input has a wrong type"),
        (("shape=[2]", "sheep=[2]"), "SNN011", "input has no attribute 'sheep'"),
        (("{shape=[2]}", ""), "SNN011", "input lacks one of"),
        (("sir 1", "sir 9"), "SNN011", "the text has version 9, should be 1"),
        (("current<3>", "current<4>"), "SNN010", "written with type current<4>, should be"),
        (("f32<3x2>[", "f32<4x2>["), "SNN011", "6 numbers are given for a shape of 8"),
        (("(%n)", "(%n"), "SNN011", "found ':', should be"),
        (("}\n", ""), "SNN011", "found the end of the text"),
        (("model=relu{}", "model=conv{}"), "SNN011", "conv lacks one of"),
        (("%x = input", "%x = = input"), "SNN011", "line 3, column"),
    ],
)
def test_errors_name_the_place(change: tuple[str, str], code: str, message: str) -> None:
    text = print_graph(small())
    assert change[0] in text
    with pytest.raises(SnnccError) as caught:
        parse_graph(text.replace(*change, 1) if change[0] != "}\n" else text[:-2])
    assert caught.value.diagnostics[0].code == code
    assert message in str(caught.value)


def test_missing_and_changed_tensors_are_said() -> None:
    builder = GraphBuilder("big")
    builder.add("x", Input((20,)), [])
    builder.add("d", Dense(f32(np.arange(40.0).reshape(2, 20))), ["x"])
    builder.add("y", Output(), ["d"])
    graph = builder.graph()
    text, tensors = print_graph(graph), graph_tensors(graph)
    with pytest.raises(SnnccError, match=re.escape("tensor 'd.weight' is missing")):
        parse_graph(text)
    with pytest.raises(SnnccError, match="should be of format f32") as caught:
        parse_graph(text, {"d.weight": tensors["d.weight"] + 1})
    assert caught.value.diagnostics[0].code == "SNN012"
    with pytest.raises(SnnccError, match="is not a safetensors file"):
        unpack(b"not a file", "memory")


def test_types_print_with_their_code() -> None:
    assert ": spikes<3, uncoded>" in print_graph(small())
    assert isinstance(small()["x"], Node)
    assert small()["x"].type == Analog((2,))
