"""Ours beside other tools and onnxruntime: the same images, in turns, several rounds, one run.

    python -m benchmarks.speed MODEL.onnx CALIB.npz TEST.npz \\
        --ours "coding=radix steps=5" --ours 'steps=32 cflags="-O3 -march=native"' \\
        --peer spikingjelly@32=PYTHON --peer akida=PYTHON:SCRIPT [--rounds 5] [--images 94] \\
        [--name NAME] [--json FILE] [--picture FILE.png] [--all-accuracy] [--quick]

Data: uint8 images `x` and classes `y`; the network takes (x/255 − mean)/std, channels first. See
contestants.py for what --ours and --peer may say. Every contestant is measured once a round, the
order turning from round to round; a ratio is of two figures of the same round. One thread each
unless settings say `threads=2`. Prints medians with least and greatest, and writes them.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import snncc
from benchmarks import contestants
from benchmarks.contestants import Contestant, Onnxruntime, Ours, Peer, Task
from benchmarks.machine import machine, words
from benchmarks.speed_report import Entry, Result
from benchmarks.spread import number


def measure(everyone: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Images a second by contestant, a figure a round."""
    rates: dict[str, list[float]] = {each.name: [] for each in everyone}
    for turn in range(rounds):
        start = turn % len(everyone)
        for each in [*everyone[start:], *everyone[:start]]:
            rates[each.name].append(each.rate())
        print(f"round {turn + 1} of {rounds}: " + ", ".join(
            f"{name} {number(found[-1])}" for name, found in rates.items()
        ), flush=True)  # fmt: skip
    return rates


def numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("calib", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--ours", action="append", default=[], metavar="SETTINGS")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME[@T]=PYTHON[:SCRIPT]")
    parser.add_argument("--mean", type=numbers, default=())
    parser.add_argument("--std", type=numbers, default=())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=94)
    parser.add_argument("--quick", action="store_true", help="2 rounds, 16 images, short")
    parser.add_argument("--all-accuracy", action="store_true", help="of all test images, once")
    parser.add_argument("--bundles", type=Path, help="where compiled bundles are kept and found")
    parser.add_argument("--name", help="of the result, for docs/performance.md")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args(arguments)
    rounds, images = (2, 16) if given.quick else (given.rounds, given.images)
    contestants.LEAST_SECONDS = 0.2 if given.quick else 1.0
    layout = "nhwc" if len(given.mean) > 1 else "model"
    pre = snncc.Preprocessing(1 / 255, given.mean, given.std, layout)
    task = Task(
        given.model, given.calib, given.test, images, pre, given.mean or (0.0,), given.std or (1.0,)
    )
    with tempfile.TemporaryDirectory(prefix="snncc-speed-") as temporary:
        bundles = given.bundles or Path(temporary)
        bundles.mkdir(parents=True, exist_ok=True)
        ours = [Ours(task, settings, bundles) for settings in given.ours]
        limits = [Onnxruntime(task, batch) for batch in (1, 0)]
        everyone: list[Contestant] = [*ours, *(Peer(task, text) for text in given.peer), *limits]
        here = machine()
        print(words(here), flush=True)
        rates = measure(everyone, rounds)
        counted = None if given.all_accuracy else images
        result = Result(
            given.name or given.model.stem,
            given.model.stem,
            here,
            images,
            task.data(counted).count,
            rounds,
            [
                Entry(
                    each.name, each.ours, each.steps, each.threads, each.accuracy(counted),
                    rates[each.name],
                )
                for each in everyone
            ],
        )  # fmt: skip
    print("\n" + result.markdown())
    if given.json:
        given.json.write_text(json.dumps(result.as_json(), indent=2) + "\n")
    if given.picture:
        result.draw(given.picture)


if __name__ == "__main__":
    main()
