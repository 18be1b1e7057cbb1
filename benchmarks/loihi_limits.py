"""How much bundles of target loihi take of each limit of their chip, as the checker counts it.

python benchmarks/loihi_limits.py BUNDLE...
"""

import argparse
import time
from pathlib import Path

from snncc_ir import read_graph
from snncc_loihi.binary import read_map
from snncc_loihi.checker import LIMITS, subject_of, uses, violations
from snncc_loihi.chip import parse_chip


def report(bundle: Path) -> int:
    """Prints what a bundle takes; the number of violations."""
    folder = bundle / "loihi"
    core_map = read_map((folder / "map.bin").read_bytes(), str(bundle))
    chip = parse_chip((folder / "chip.json").read_bytes(), str(bundle))
    subject = subject_of(core_map, chip, read_graph(bundle / "network.sir"))
    began = time.process_time()
    found = violations(subject)
    seconds = time.process_time() - began
    chips = len({core.place // chip.mesh.cores for core in core_map.cores})
    total = sum(map(len, found.values()))
    print(
        f"{bundle}: {len(core_map.cores)} cores of {chips} chips {chip.name}, {total} violations "
        f"of {len(LIMITS)} limits, {seconds:.1f} s"
    )
    print(f"  {'limit':18} {'at most':>9} {'largest':>9} {'share':>7} {'mean':>7}")
    for name, use in uses(subject).items():
        print(
            f"  {name:18} {use.limit:9} {use.used.max():9} {use.shares.max():7.1%} "
            f"{use.shares.mean():7.1%}"
        )
    for name, findings in found.items():
        print(f"  beyond {name}: {len(findings)} times, such as {findings[0]}")
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    options = parser.parse_args()
    if sum([report(bundle) for bundle in options.bundles]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
