"""What can be set for target ttfs28: the ttfs coding on a machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from snncc_backends import Option, TtfsSettings
from snncc_ttfs28.machine import BUILT_IN, Machine, load_machine


@dataclass(frozen=True)
class Ttfs28Settings(TtfsSettings):
    """The ttfs code on a machine that a file describes, whose numbers are the defaults."""

    machine: Annotated[str, Option("ttfs28, or the path of a description")] = BUILT_IN

    @property
    def description(self) -> Machine:
        """The machine, with its accumulators as wide as was asked for; raises SNN042."""
        return replace(load_machine(self.machine), accumulator_bits=self.accumulator_bits)

    def as_json(self) -> dict[str, object]:
        # the name and not the path: bundles are the same wherever they are made
        return {**super().as_json(), "machine": self.description.name}


def settings_for(options: Mapping[str, object]) -> Ttfs28Settings:
    """The defaults that a machine gives; raises SNN042."""
    name = str(options.get("machine", BUILT_IN))
    machine = load_machine(name)
    return Ttfs28Settings(
        steps=machine.slots,
        tau=machine.tau,
        resolution=machine.resolution,
        weight_bits=machine.weight_bits,
        input_bits=machine.input_bits,
        constant_bits=machine.constant_bits,
        accumulator_bits=machine.accumulator_bits,
        machine=name,
    )
