"""Places 10 000 cores with a grid's traffic: against the order of rows and random places.

python benchmarks/placement.py [--side 100] [--far 0.2] [--chip loihi2]

Each logical core talks to its four neighbors in a square grid, some also to any other. Their order
is shuffled, so that it says nothing; the order of the grid itself, which `place` does not get to
see, is shown as well. Energies are those of hops only, by the chip's own table, as shares of random
places.
"""

import argparse
import time

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import load_chip
from snncc_loihi.placement import place, random_places, row_major
from snncc_loihi.routes import figures
from snncc_loihi.traffic import Traffic, Weights


def network(side: int, far: float, seed: int) -> tuple[Traffic, Integers]:
    """Traffic, and the shuffled number of each core of the grid, row by row, (side²)."""
    random = np.random.default_rng(seed)
    name = random.permutation(side * side)
    grid = name.reshape(side, side)
    right, left = grid[:, :-1].reshape(-1), grid[:, 1:].reshape(-1)
    upper, lower = grid[:-1].reshape(-1), grid[1:].reshape(-1)
    some = random.integers(0, side * side, (2, int(far * side * side)))
    source = np.concatenate((right, left, upper, lower, some[0]))
    target = np.concatenate((left, right, lower, upper, some[1]))
    near = random.integers(80, 120, 2 * (len(right) + len(upper)))
    messages = np.concatenate((near, random.integers(1, 20, some.shape[1])))
    return Traffic.of(side * side, source, target, messages), name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=100, help="side² logical cores")
    parser.add_argument("--far", type=float, default=0.2, help="distant connections for each core")
    parser.add_argument("--chip", default="loihi2")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chip = load_chip(options.chip)
    weights = Weights.of(chip.costs[chip.default_costs])
    traffic, name = network(options.side, options.far, options.seed)
    began = time.process_time()
    found = place(traffic, chip.mesh, weights, options.seed)
    seconds = time.process_time() - began
    in_order = np.empty(traffic.cores, np.int64)
    in_order[name] = row_major(traffic.cores, chip.mesh)
    placements = {
        "random": random_places(traffic.cores, chip.mesh, options.seed + 1),
        "order of rows, shuffled": row_major(traffic.cores, chip.mesh),
        "order of rows of the grid": in_order,
        "placed": found,
    }
    print(f"{traffic.cores} cores, {len(traffic.source)} connections, {seconds:.1f} s of one CPU")
    print(
        f"{'':26} {'energy':>7} {'hops':>7} {'borders':>7} {'busiest link':>12} "
        f"{'hops/message':>12}"
    )
    base = figures(traffic, placements["random"], chip.mesh, weights)
    for what, places in placements.items():
        f = figures(traffic, places, chip.mesh, weights)
        print(
            f"{what:26} {_share(f.picojoules, base.picojoules)} {_share(f.hops, base.hops)} "
            f"{_share(f.crossings, base.crossings)} {_share(f.busiest, base.busiest):>12} "
            f"{f.hops / f.messages:12.2f}"
        )


def _share(part: float, whole: float) -> str:
    return f"{part / whole if whole else 0:7.4f}"


if __name__ == "__main__":
    main()
