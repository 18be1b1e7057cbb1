"""What target ttfs28 says of a network before it is compiled: its schedule, and what that takes."""

from math import ceil

from snncc_backends import ABOUT, Figure, Preview
from snncc_ir import Graph
from snncc_ttfs28.emit import SPIKES, image_of, schedule
from snncc_ttfs28.image import image_bytes
from snncc_ttfs28.machine import Machine


def look_at(graph: Graph, machine: Machine) -> Preview:
    """Every layer that does not fit the buffers; or else what the image takes, and what a sample
    brings from external memory. graph: a draft that obeys the rules."""
    made = schedule(graph, machine)
    if made.findings:
        return Preview(made.findings)
    parameters, instructions = made.scheduler.machine, made.scheduler.instructions
    weights = sum(each["count"] for each in instructions if each.name == "weights")
    spikes = sum(
        each["count_c"] * each["count_y"] * each["count_x"]
        for each in instructions
        if each.name == "load" and each["space"] == SPIKES
    )
    return Preview(
        (),
        (
            Figure("image", len(image_bytes(image_of(made, machine))), "bytes", ABOUT),
            Figure("instructions", len(instructions), "", ABOUT),
            Figure("spike memory", _bytes(parameters.spike_cells * parameters.slot_bits), "bytes"),
            Figure(
                "weights read a sample", _bytes(weights * parameters.weight_bits), "bytes", ABOUT
            ),
            Figure("spikes read a sample", _bytes(spikes * parameters.slot_bits), "bytes", ABOUT),
        ),
    )


def _bytes(bits: int) -> int:
    return ceil(bits / 8)
