"""What a user is told of a network that does not fit: which layer, which limit, what to do."""

from collections.abc import Sequence

from snncc_ir import Diagnostic, SnnccError, fail
from snncc_loihi.chip import Chip
from snncc_loihi.cores import Use
from snncc_loihi.layers import Network
from snncc_loihi.partition import Misfit, Segment

_FEWER = "fewer inputs of a neuron: grouped or pruned weights, or pool before the layer"
HINTS = {
    "compartments": "--chip with a description of more compartments a core, or fewer channels",
    "input_axons": f"{_FEWER}; or --chip with more input axons a core",
    "output_axons": "--chip with a description of more output axons a core",
    "synapse_words": f"{_FEWER}; or --chip with a larger synapse memory",
    "core_bytes": f"{_FEWER}; or --chip with a larger memory",
    "profiles": "--chip with a description of more compartment profiles a core",
    "thresholds": "--set thresholds=…: fewer distinct thresholds",
    "formats": "--chip with a description of more synapse formats a core",
}


def no_cut(name: str, origin: str, limit: str, used: int, chip: Chip) -> Diagnostic:
    """A layer that is over a limit however finely it is cut; used: by its smallest piece."""
    most = vars(chip.limits)[limit]
    if used <= most:
        return Diagnostic(
            "SNN041",
            f"no cut of '{name}' fits the cores of {chip.name}, single neurons do",
            origin,
            HINTS[limit],
        )
    return Diagnostic(
        "SNN041",
        f"the smallest piece of '{name}' takes {used} {_words(limit)} of a core, should be at "
        f"most {most}",
        origin,
        HINTS[limit],
    )


def refuse_layers(network: Network, found: Sequence[Misfit], chip: Chip) -> SnnccError:
    """Every layer that fits no number of cores."""
    layers = [network.layers[each.layer] for each in found]
    return SnnccError(
        no_cut(layer.name, layer.origin, each.limit, each.used, chip)
        for layer, each in zip(layers, found, strict=True)
    )


def refuse_network(cores: int, chip: Chip) -> SnnccError:
    """More cores than the largest system has."""
    return SnnccError([too_many(cores, chip)])


def too_many(cores: int, chip: Chip) -> Diagnostic:
    """More cores than the largest system has."""
    return Diagnostic(
        "SNN041",
        f"the network takes {cores} cores, should be at most {chip.most_cores}, those of "
        f"{chip.mesh.most_chips} chips",
        hint="--chip with a description of more cores, fewer channels, or a smaller input",
    )


def refuse_core(network: Network, segment: Segment, chip: Chip, use: Use) -> SnnccError:
    """A core that no other partition helps."""
    names = ", ".join(f"'{each.name}'" for each in network.layers[segment.first : segment.last])
    beyond = use.beyond(chip) or {"core_bytes": (use.core_bytes, chip.limits.core_bytes)}
    found = "; ".join(
        f"{used} {_words(name)}, should be at most {limit}"
        for name, (used, limit) in beyond.items()
    )
    return fail("SNN041", f"a core of {names} takes {found}", hint=HINTS[next(iter(beyond))])


def refuse_rounds(chip: Chip, rounds: int) -> SnnccError:
    """No partition of several obeys the limits."""
    return fail(
        "SNN041",
        f"none of {rounds} partitions obeys the limits of {chip.name}",
        hint="--chip with a description of larger cores, or fewer channels",
    )


def _words(limit: str) -> str:
    return limit.replace("_", " ")
