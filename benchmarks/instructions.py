"""Instructions that the simulator takes a sample, counted by valgrind: the same on a busy machine.

    python -m benchmarks.instructions [--update]

Portable C, without vector instructions of its own (valgrind has none of AVX-512), at -O2. What is
compared with benchmarks/instructions.json is the ratio to a plain convolution in C, compiled with
the same flags and counted in the same way, so that another compiler's version matters little. A
ratio that grew by more than 5 % is a regression; one that fell by more than 10 % should be written
down (--update). With another compiler than that of the file 30 % are allowed.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.random_networks import convolutions, inputs_of
from benchmarks.simulator import compiler_version
from benchmarks.tables import table
from snncc_backends import Preprocessing
from snncc_c.emit import emit_c
from snncc_ir import Graph

FILE = Path(__file__).with_suffix(".json")
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-DSNNCC_NO_INTRINSICS")
NETWORK = (3, 16, 12)
"""Layers, channels, side."""
CODES = ("if", "signed-if", "radix", "ttfs")
GROWN, FALLEN, OTHER_COMPILER = 0.05, 0.10, 0.30

PLAIN = """
#include <stdint.h>
#include <stdlib.h>
static volatile int16_t source[14 * 14 * 16], weight[16 * 9 * 16];
static volatile int32_t sum[12 * 12 * 16];
int main(int argc, char **argv) {
  for (int times = atoi(argv[argc - 1]); times > 0; times--)
    for (int y = 0; y < 12; y++)
      for (int x = 0; x < 12; x++)
        for (int o = 0; o < 16; o++)
          for (int k = 0; k < 9; k++)
            for (int c = 0; c < 16; c++)
              sum[(y * 12 + x) * 16 + o] += source[((y + k / 3) * 14 + x + k % 3) * 16 + c] *
                                            weight[(o * 9 + k) * 16 + c];
  return 0;
}
"""


def counted(command: list[str], folder: Path) -> int:
    """Instructions of a whole process."""
    line = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'callgrind'}"]
    done = subprocess.run([*line, *command], capture_output=True, text=True, check=True)
    (found,) = re.findall(r"Collected : (\d+)", done.stderr)
    return int(found)


def compiled(sources: list[Path], program: Path) -> Path:
    line = ["cc", *FLAGS, "-o", str(program), *map(str, sources), "-lm", "-lpthread"]
    subprocess.run(line, capture_output=True, text=True, check=True)
    return program


def of_plain(folder: Path) -> int:
    """Of the plain convolution, once."""
    source = folder / "plain.c"
    source.write_text(PLAIN, encoding="utf-8")
    program = compiled([source], folder / "plain")
    once, twice = (counted([str(program), times], folder) for times in ("1", "2"))
    return twice - once


def of_network(graph: Graph, silent: bool, folder: Path) -> int:
    """Of a sample. silent: by kernels that add spikes."""
    zeros = {node.name: np.zeros(node.type.size) for node in graph} if silent else None
    for name, content in emit_c(graph, Preprocessing(), zeros).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    program = compiled(sorted((folder / "c").glob("*.c")), folder / "c" / "model")
    np.save(folder / "x.npy", inputs_of(graph, 2))
    line = [str(program), "--input", str(folder / "x.npy"), "--output", str(folder / "y.npy")]
    counts = (counted([*line, "--batch", "1", "--count", count], folder) for count in ("1", "2"))
    one, two = counts
    return two - one


def ratios() -> dict[str, float]:
    """By code and kernel."""
    found = {}
    for code in CODES:
        graph = convolutions(code, *NETWORK)
        for silent in (False, True) if code != "ttfs" else (False,):
            with tempfile.TemporaryDirectory(prefix="snncc-instructions-") as name:
                ratio = of_network(graph, silent, Path(name)) / of_plain(Path(name))
                found[f"{code}, by {'spikes' if silent else 'weights'}"] = round(ratio, 3)
    return found


def changes(stored: dict[str, float], found: dict[str, float], same_compiler: bool) -> list[str]:
    """What is out of bounds, in words."""
    grown = GROWN if same_compiler else OTHER_COMPILER
    fallen = FALLEN if same_compiler else OTHER_COMPILER
    said = [f"{name} is not in the file" for name in found.keys() ^ stored.keys()]
    for name in found.keys() & stored.keys():
        change = found[name] / stored[name] - 1
        if change > grown:
            said.append(f"{name}: {100 * change:.1f} % more instructions")
        if change < -fallen:
            said.append(f"{name}: {-100 * change:.1f} % fewer; write that down with --update")
    return sorted(said)


def compare() -> list[str]:
    """What is out of bounds now; needs valgrind and a C compiler."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return changes(stored["ratios"], ratios(), stored["compiler"] == compiler_version())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="write what is found into the file")
    given = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not here, should be installed")
    found = ratios()
    print(table(("network", "times a plain convolution"), list(found.items())))
    if given.update:
        content = {"compiler": compiler_version(), "ratios": found}
        FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    said = changes(stored["ratios"], found, stored["compiler"] == compiler_version())
    print("\n".join(said) or "as written down")
    raise SystemExit(bool(said))


if __name__ == "__main__":
    main()
