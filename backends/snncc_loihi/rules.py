"""The limits of a chip that a network's graph shows. A rule's docstring is what the user is told.

Limits of cores show only when the network is put on them: `mapping.py`, `bounds.py`.
"""

from collections.abc import Iterator

from snncc_backends import Settings, wrong_code
from snncc_ir import Diagnostic, Graph, Log2, Rate
from snncc_ir.ops import Conv, Dense, Input, IntegrateFire, MaxPool, Population, Scale
from snncc_loihi.layers import is_one_to_one
from snncc_loihi.settings import LoihiSettings

LARGEST_WEIGHT = 127


def rate_code(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in a rate code."""
    yield from wrong_code(graph, Rate)


def known_neurons(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The chip has the neurons: loihi1 if and hard-if, loihi2 all of the rate code."""
    if not isinstance(settings, LoihiSettings):
        return
    chip = settings.description
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        model = node.op.model
        if model.name not in chip.models:
            yield Diagnostic(
                "SNN041",
                f"the neurons of '{node.name}' are {model.name}, should be "
                f"{' or '.join(name for name in chip.models if name != 'readout')} on {chip.name}",
                str(node.origin),
                "--neuron auto",
            )
        elif isinstance(model, IntegrateFire) and model.code.most > chip.features.payload:
            yield Diagnostic(
                "SNN041",
                f"the neurons of '{node.name}' send {model.code.most} spikes at once, should be "
                f"at most {chip.features.payload} on {chip.name}",
                str(node.origin),
                f"--set most={chip.features.payload}",
            )


def pools(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Max pools need compartments that are joined."""
    if isinstance(settings, LoihiSettings) and not settings.description.features.joins:
        for node in graph:
            if isinstance(node.op, MaxPool):
                yield Diagnostic(
                    "SNN041",
                    f"'{node.name}' is a max pool, which {settings.description.name} has not",
                    str(node.origin),
                    "--chip loihi2, or train the network with average pools or strides",
                )


def inputs_as_spikes(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Without held currents, inputs reach one-to-one maps only."""
    if not isinstance(settings, LoihiSettings) or settings.description.features.held_currents:
        return
    for node in graph:
        if isinstance(node.op, Population) and not is_one_to_one(graph, node):
            yield Diagnostic(
                "SNN041",
                f"'{node.name}' hears the input through weights, should hear spikes: "
                f"{settings.description.name} holds no currents",
                str(node.origin),
                "leave --passes out, or run the pass encode-input in it before normalize",
            )


def narrow_weights(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Weights are integers of at most 8 bits, -127 to 127."""
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            last = chain[-1]
            if not isinstance(last, Conv | Dense | Scale):
                continue
            if isinstance(last.weight, Log2):  # of another code, which is found above
                continue
            held = isinstance(source.op, Input) and is_one_to_one(graph, node)
            largest = int(abs(last.weight.integers).max())
            if largest > LARGEST_WEIGHT and not held:
                yield Diagnostic(
                    "SNN041",
                    f"a weight of '{node.name}' is {largest}, should be at most {LARGEST_WEIGHT}",
                    str(node.origin),
                    "--weight-bits 8",
                )


RULES = (rate_code, known_neurons, pools, inputs_as_spikes, narrow_weights)
