"""Speed of the generated simulator against spikingjelly, one thread each, in turns.

    python benchmarks/against_spikingjelly.py MODEL.onnx CALIB.npz TEST.npz \\
        --peer-python PYTHON --peer-script peer_spikingjelly.py [--rounds 3] [--steps 32]

PYTHON is an environment with torch and spikingjelly; the peer's script takes MODEL TEST CALIB and
prints `T=… seconds/image …`. The network takes images as (x/255 − mean)/std of CIFAR-10's usual
numbers. Prints images × steps a second of both in each round, and the ratio.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import snncc
from snncc.data import read_dataset, samples_for
from snncc_c.runner import CRunner

PREPROCESSING = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
IMAGES = 94


def ours(bundle: snncc.Bundle, data: snncc.Dataset, steps: int) -> float:
    """Images × steps a second, one process, without starting it and reading files twice."""
    runner = CRunner(bundle.folder, bundle.graph, processes=1)
    samples = samples_for(bundle.graph, data, bundle.preprocessing)
    runner.run({name: x[:1] for name, x in samples.items()})
    start = time.perf_counter()
    runner.run(samples)
    return data.count * steps / (time.perf_counter() - start)


def peer(arguments: argparse.Namespace) -> float:
    """Images × steps a second, from what the peer's script prints."""
    command = [
        arguments.peer_python, arguments.peer_script, arguments.model, arguments.test,
        arguments.calib, "--threads", "1", "-n", str(IMAGES), "--steps", str(arguments.steps),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (seconds,) = re.findall(rf"T={arguments.steps} .*seconds/image ([0-9.]+)", done.stdout)
    return float(arguments.steps / float(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model")
    parser.add_argument("calib")
    parser.add_argument("test")
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--peer-script", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--neuron", default="if")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        bundle = snncc.compile(
            arguments.model,
            calibration=arguments.calib,
            preprocessing=PREPROCESSING,
            output=Path(folder) / "bundle",
            steps=arguments.steps,
            neuron=arguments.neuron,
        )
        compiling = time.perf_counter() - start
        data = read_dataset(Path(arguments.test)).first(IMAGES)
        rounds = []
        for number in range(arguments.rounds):
            figures = ours(bundle, data, arguments.steps), peer(arguments)
            rounds.append(figures)
            print(f"round {number}: snncc {figures[0]:.0f}, spikingjelly {figures[1]:.0f}, "
                  f"ratio {figures[0] / figures[1]:.2f}", flush=True)  # fmt: skip
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"compiled in {compiling:.1f} s; median ratio {ratio:.2f} "
          f"(images × steps a second, one thread, T={arguments.steps})")  # fmt: skip
    if arguments.json:
        result = {"compile_seconds": compiling, "rounds": rounds, "median_ratio": ratio}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    if not np.isfinite(ratio):
        raise SystemExit("nothing was measured")


if __name__ == "__main__":
    main()
