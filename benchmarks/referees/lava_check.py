"""lava-nc 0.10.0 as referee of target loihi, chip loihi1.

    python -m benchmarks.referees.lava_check

In an environment of its own, from the root of the repository (`pip install "numpy<1.24" scipy
networkx==2.8.7 asteval`, `pip install --no-deps --ignore-requires-python lava-nc==0.10.0`, and
snncc's own dependencies). Recurrent near-threshold networks run for 2000 steps with lava's
bit-accurate LIF and Dense; every spike and potential has to be that of snncc's simulator.
"""

import argparse
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.referees.near_threshold import equal, near_threshold
from benchmarks.referees.simulated import simulate
from snncc_ir import Integers
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import CoreMap, Program
from snncc_loihi.synapse_blocks import MIXED
from snncc_loihi.synapses import by_axon, read_lists

STEPS = 2000


def prepare() -> None:
    """lava is made for Python 3.10; 3.11 refuses dataclasses whose defaults cannot be hashed."""
    process = cast("Callable[..., type]", vars(dataclasses)["_process_class"])

    def lenient(cls: type, *arguments: object) -> type:
        for name in inspect.get_annotations(cls):
            kind = type(getattr(cls, name, None))
            if kind.__hash__ is None and kind.__module__.startswith("lava."):
                kind.__hash__ = object.__hash__
        return process(cls, *arguments)

    vars(dataclasses)["_process_class"] = lenient


def run_lava(core_map: CoreMap) -> tuple[NDArray[np.bool_], Integers]:
    """Spikes and potentials of a map of reset-to-zero neurons without delays, all at work from
    step 0, (steps, compartments of all cores)."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi1SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.lif.process import LIF
    from lava.proc.monitor.process import Monitor

    neurons, monitors = [], []
    for core in core_map.cores:
        fields = core.compartment_fields
        profile = {name: v[fields["profile"]] for name, v in core.profile_fields.items()}
        assert np.all(profile["program"] == Program.FIRE_ZERO), "should reset to zero"
        assert not profile["first_step"].any(), "should begin at step 0"
        count = len(core.compartments)
        lif = LIF(
            shape=(count,),
            du=int(profile["current_decay"][0]),
            dv=int(profile["potential_decay"][0]),
            vth=core.threshold_mantissas[fields["threshold"]],
            bias_mant=fields["bias"],
            bias_exp=profile["bias_exponent"],
            v=fields["start"],
        )
        neurons.append(lif)
        probes = []
        for variable in (lif.s_out, lif.v):
            monitor = Monitor()
            monitor.probe(variable, core_map.steps)
            probes.append((monitor, lif.name, variable.name))
        monitors.append(probes)
    for source, target, exponent, weights in _matrices(core_map):
        dense = Dense(weights=weights, weight_exp=exponent, num_weight_bits=8)
        neurons[source].s_out.connect(dense.s_in)
        dense.a_out.connect(neurons[target].a_in)
    neurons[0].run(
        condition=RunSteps(num_steps=core_map.steps),
        run_cfg=Loihi1SimCfg(select_tag="fixed_pt"),
    )
    spikes, potentials = (
        np.concatenate(
            [monitor.get_data()[name][variable] for monitor, name, variable in kind], axis=1
        )
        for kind in zip(*monitors, strict=True)
    )
    neurons[0].stop()
    return spikes != 0, potentials.astype(np.int64)


def _matrices(core_map: CoreMap) -> Iterator[tuple[int, int, int, Integers]]:
    """Source core, target core, weight exponent and lava's weights, (targets, sources)."""
    for target, core in enumerate(core_map.cores):
        forms, lists = core.format_fields, read_lists(core)
        assert not lists.delays.any(), "should have no delays"
        grid = 8 - forms["weight_bits"] + (forms["sign"] == MIXED)
        mantissas = lists.stored << grid[lists.formats]
        exponents = forms["exponent"][lists.formats]
        rows, which = by_axon(lists)
        base = core.input_axon_fields["base"]
        for source, sender in enumerate(core_map.cores):
            found: dict[int, Integers] = {}
            axons = sender.output_axon_fields
            for compartment, to, axon in zip(
                axons["compartment"], axons["core"], axons["axon"], strict=True
            ):
                if to != target:
                    continue
                part = which[rows[axon] : rows[axon + 1]]
                for exponent in np.unique(exponents[part]):
                    shape = len(core.compartments), len(sender.compartments)
                    matrix = found.setdefault(int(exponent), np.zeros(shape, np.int64))
                    mine = part[exponents[part] == exponent]
                    np.add.at(matrix, (base[axon] + lists.offsets[mine], compartment),
                              mantissas[mine])  # fmt: skip
            for exponent, matrix in sorted(found.items()):
                yield source, target, exponent, matrix


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "").parse_args()
    prepare()
    chip = load_chip("loihi1")
    for seed in range(5):
        core_map = near_threshold(chip, STEPS, seed)
        ours = simulate(core_map, chip, np.zeros(0, np.int64))
        theirs = run_lava(core_map)
        np.testing.assert_array_equal(theirs[0], np.concatenate(ours.spikes, axis=1))
        np.testing.assert_array_equal(theirs[1], np.concatenate(ours.potentials, axis=1))
        print(f"near-threshold network {seed}: {equal(core_map, *theirs)}")


if __name__ == "__main__":
    main()
