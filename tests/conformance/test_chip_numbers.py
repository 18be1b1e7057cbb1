"""Networks in the numbers of a chip with narrow limits: the compiled C against the oracle."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.quantize_weights import QuantizeWeights
from snncc.passes.registry import parse_pipeline
from snncc.testing import FAMILY, NEURONS, network
from snncc_backends import OracleRunner
from snncc_c.runner import CRunner
from snncc_ir import Binary, Graph, Node, SnnccError, f32
from snncc_ir.ops import Chain, Conv, Counting, Dense, Population, Readout, Scale
from tests.conformance.test_c import agree, write
from tests.strategies import lowered_graphs, samples

CHIP = QuantizeWeights(8, 17, thresholds=6, theta_bits=7, bias=4095, bound="reset")


def in_floats(graph: Graph) -> Graph:
    """As the network was before its numbers became integers: thresholds about 1."""

    def rewrite(node: Node) -> Node:
        if not isinstance(node.op, Population):
            return node
        model = node.op.model
        unit = 1000.0
        if isinstance(model, Counting):
            unit = float(model.theta.floats.max())
            theta, start = (f32(t.floats / unit) for t in (model.theta, model.start))
            model = replace(model, theta=theta, start=start)
        elif isinstance(model, Readout):
            model = replace(model, theta=f32(1.0))
        maps = tuple(divided(chain, unit) for chain in node.op.maps)
        bias = f32(node.op.bias.floats / unit)
        return replace(node, op=replace(node.op, maps=maps, bias=bias, model=model))

    return graph.rewritten(rewrite)


def divided(chain: Chain, unit: float) -> Chain:
    *moves, last = chain
    assert isinstance(last, Conv | Dense | Scale)
    if isinstance(last.weight, Binary):
        weight = Binary(last.weight.signs, f32(last.weight.alpha.floats / unit))
        return (*moves, replace(last, weight=weight))
    return (*moves, replace(last, weight=f32(last.weight.floats / unit)))


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("name", FAMILY)
def test_the_family_in_few_thresholds(name: str, neuron: str, tmp_path: Path) -> None:
    """In 17 bits, or in as many as the network needs."""
    given_graph = in_floats(network(name, neuron))
    for bits in (17, 20, 23):
        with suppress(SnnccError):
            graph = replace(CHIP, accumulator=bits).run(given_graph, Context({}))
            break
    else:
        pytest.fail("the network does not fit")
    thresholds = [
        set(node.op.model.theta.integers.reshape(-1).tolist())
        for node in graph
        if isinstance(node.op, Population) and isinstance(node.op.model, Counting)
    ]
    assert len(set().union(*thresholds)) <= 6
    agree(graph, CRunner(write(graph, tmp_path), graph))


@given(lowered_graphs(), st.sampled_from(list(NEURONS)))
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_from_the_lowered_network_on(
    tmp_path_factory: pytest.TempPathFactory, graph: Graph, neuron: str
) -> None:
    """The whole way, with an input that is encoded in spikes."""
    pipeline = (
        "hoist-neurons,fold-batchnorm,sink-views,fuse,binary-weights,encode-input,"
        "normalize{method=error,steps=8},quantize-input{bits=10},"
        f"rate-code{{steps=8,neuron={neuron}}},calibrate-rate,{CHIP}"
    )
    given_samples = samples(graph)
    try:
        compiled = run_pipeline(
            graph, parse_pipeline(pipeline), Context(given_samples), measure=False
        ).graph
    except SnnccError as error:
        assume({diagnostic.code for diagnostic in error.diagnostics} != {"SNN022"})
        raise
    expected = OracleRunner(compiled).run(given_samples, record=True)
    folder = write(compiled, tmp_path_factory.mktemp("c"))
    found = CRunner(folder, compiled).run(given_samples, record=True)
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
    for name, totals in expected.totals.items():
        assert np.array_equal(found.totals[name], totals), name
