"""What is measured side by side: our simulators, other tools in their environments, onnxruntime.

Each gives images a second when it is its turn, with one thread unless it says otherwise.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol
from unittest import mock

import numpy as np
import onnxruntime

import snncc
from benchmarks.simulator import Simulator, samples_of
from snncc.data import read_dataset
from snncc_backends import Runner
from snncc_ir import Array

ROOT = Path(__file__).parents[1]
LEAST_SECONDS = 1.0
"""Of one measurement, if images have to be repeated for it."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
DEFAULT_ARGUMENTS = {
    "spikingjelly": "{model} {test} {calib} --steps {steps} -n {images} --threads 1",
    "sinabs": "{model} {test} --steps {steps} -n {images} --threads 1",
    "akida": "{model} {test} {calib} -n {images}",
    "": "{tool} {model} {calib} {test} --steps {steps} -n {images} --mean {mean} --std {std}",
}
"""Of scripts by tool; "": of this project's own, peer_worker.py, for those that name no script."""


@dataclass(frozen=True)
class Task:
    """A network, the images of a run, and where both lie.

    images: the first so many of the test file, the same for all. mean, std: of
    (x/255 − mean)/std, for the own worker.
    """

    model: Path
    calib: Path
    test: Path
    images: int
    preprocessing: snncc.Preprocessing
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def data(self, count: int | None) -> snncc.Dataset:
        """count: of images, from the first; None for all."""
        data = read_dataset(self.test)
        if not isinstance(data, snncc.Dataset):
            raise TypeError("the test images are no images")
        return data.first(count)


class Contestant(Protocol):
    """One row of the table. steps: time steps an image, 0 for what has none; threads: it uses."""

    name: str
    steps: int
    threads: int
    ours: bool

    def rate(self) -> float:
        """Images a second, measured now."""
        ...

    def accuracy(self, count: int | None) -> float | None:
        """Share of the first `count` images (None: all) that it classifies as their labels say."""
        ...


def right(predictions: Array, data: snncc.Dataset) -> float | None:
    return None if data.labels is None else float(np.mean(predictions == data.labels))


def words(text: str) -> dict[str, str]:
    """`coding=radix steps=5 cflags="-O3 -march=native"` by key."""
    pairs = [word.partition("=") for word in shlex.split(text)]
    if bad := [key for key, sign, _ in pairs if not sign]:
        raise SystemExit(f"settings are KEY=VALUE, {bad[0]!r} is not")
    return {key: value for key, _, value in pairs}


def enough(run: Callable[[], object]) -> float:
    """Seconds of one call, which is repeated until enough time has passed."""
    calls, start = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - start < LEAST_SECONDS:
        run()
        calls += 1
    return (time.perf_counter() - start) / calls


@dataclass
class Ours:
    """A bundle of ours, made with `settings`; of target c its Makefile's program is timed.

    Besides the compiler's own settings: target, cflags (for make), threads, and label.
    """

    task: Task
    settings: str
    bundles: Path
    name: str = field(init=False)
    steps: int = field(init=False)
    threads: int = field(init=False)
    ours: bool = True
    compile_seconds: float = 0.0

    def __post_init__(self) -> None:
        given = words(self.settings)
        self.threads = int(given.pop("threads", 1))
        self.name = given.pop("label", f"snncc {self.settings}")
        cflags = given.pop("cflags", None)
        target = given.pop("target", "c")
        folder = self.bundles / "-".join([self.task.model.stem, target, *given.values()])
        if folder.exists():
            self._bundle = snncc.Bundle.load(folder)
        else:
            start = time.perf_counter()
            self._bundle = snncc.compile(
                self.task.model, target=target, calibration=self.task.calib, settings=given,
                preprocessing=self.task.preprocessing, output=folder,
            )  # fmt: skip
            self.compile_seconds = time.perf_counter() - start
        code = self._bundle.graph.code
        self.steps = code.train if code else 1
        self._samples = samples_of(self._bundle, self.task.data(self.task.images))
        self._simulator: Simulator | None = None
        if target == "c":
            work = Path(tempfile.mkdtemp(prefix="speed-", dir=self.bundles))
            self._simulator = Simulator(folder, work / "c", cflags)

    @cached_property
    def _runner(self) -> Runner:
        """Of another target: one process, as many as there are threads."""
        with mock.patch.dict(os.environ, {"SNNCC_CORES": str(self.threads)}):
            return self._bundle.runner

    @cached_property
    def _repeats(self) -> int:
        """Of the images in one measurement, so that it takes long enough."""
        if self._simulator is None:
            return 1
        self._simulator.write_input(self._samples)
        once = self._simulator.seconds(len(self._samples), threads=self.threads)
        repeats = max(1, round(LEAST_SECONDS / once))
        self._simulator.write_input(np.concatenate([self._samples] * repeats))
        return repeats

    def rate(self) -> float:
        if self._simulator is not None:
            count = len(self._samples) * self._repeats
            return count / self._simulator.seconds(count, threads=self.threads)
        (name,) = (node.name for node in self._bundle.graph.inputs)
        return len(self._samples) / enough(lambda: self._runner.run({name: self._samples}))

    def accuracy(self, count: int | None) -> float | None:
        data = self.task.data(count)
        return right(self._bundle.run(data).predictions(), data)


@dataclass
class Onnxruntime:
    """The float network, one thread: the limit. batch: 0 for the fastest of those tried."""

    task: Task
    batch: int = 0
    name: str = field(init=False)
    steps: int = 0
    threads: int = 1
    ours: bool = False
    samples: Array = field(init=False)

    def __post_init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = self.threads
        self._session = onnxruntime.InferenceSession(
            str(self.task.model), options, providers=["CPUExecutionProvider"]
        )
        self.samples = self._images(self.task.images)[0]
        if not self.batch:
            seconds = dict[int, float]()
            for size in (size for size in BATCHES if size <= len(self.samples)):
                with suppress(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
                    self._run(size)
                    seconds[size] = enough(partial(self._run, size))
            self.batch = min(seconds, key=lambda size: seconds[size])
        self.name = f"onnxruntime float32, batch {self.batch}"

    def _images(self, count: int | None) -> tuple[Array, snncc.Dataset]:
        data = self.task.data(count)
        shape = tuple(self._session.get_inputs()[0].shape[1:])
        return self.task.preprocessing.apply(data.arrays["x"], shape), data

    def _run(self, batch: int, samples: Array | None = None) -> Array:
        x = self.samples if samples is None else samples
        name = self._session.get_inputs()[0].name
        parts = [x[i : i + batch] for i in range(0, len(x), batch)]
        return np.concatenate([self._session.run(None, {name: part})[0] for part in parts])

    def rate(self) -> float:
        return len(self.samples) / enough(lambda: self._run(self.batch))

    def accuracy(self, count: int | None) -> float | None:
        x, data = self._images(count)
        return right(self._run(self.batch, x).reshape(data.count, -1).argmax(1), data)


@dataclass
class Peer:
    """Another tool: NAME[@STEPS]=PYTHON[:SCRIPT [ARGUMENTS]].

    The script prints `seconds/image S` and `accuracy A` of the first `{images}` test images.
    Arguments may have {model} {test} {calib} {images} {steps}; for known tools they can be left
    out. Without a script peer_worker.py is run, which takes any ONNX file that peers_networks.py
    does. Its last seconds and accuracy count.
    """

    task: Task
    text: str
    threads: int = 1
    ours: bool = False
    name: str = field(init=False)
    steps: int = field(init=False)
    _accuracy: dict[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        head, sign, rest = self.text.partition("=")
        self._python, _, script = rest.partition(":")
        if not sign or not self._python:
            raise SystemExit(f"a peer is NAME[@STEPS]=PYTHON[:SCRIPT], {self.text!r} is not")
        tool, _, steps = head.partition("@")
        self.steps = int(steps or 0)
        self._script, *arguments = shlex.split(script) or [str(ROOT / "benchmarks/peer_worker.py")]
        self._tool = tool.partition("-")[0]
        kind = self._tool if script else ""
        if not arguments and kind not in DEFAULT_ARGUMENTS:
            raise SystemExit(f"{tool}: the script's arguments should be given")
        self._arguments = arguments or DEFAULT_ARGUMENTS[kind].split()
        self.name = tool + (f" T={self.steps}" if self.steps else "")

    def _measure(self, images: int) -> float:
        """Seconds an image; keeps the accuracy."""
        values = {
            "tool": self._tool, "model": self.task.model, "test": self.task.test,
            "calib": self.task.calib, "images": images, "steps": self.steps,
            "mean": ",".join(map(str, self.task.mean)), "std": ",".join(map(str, self.task.std)),
        }  # fmt: skip
        line = [self._python, self._script, *(word.format(**values) for word in self._arguments)]
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        variables = {**os.environ, **threads, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, capture_output=True, text=True, env=variables)
        seconds = re.findall(r"seconds/image ([0-9.e-]+)", done.stdout)
        if done.returncode or not seconds:
            sys.stderr.write(done.stdout + done.stderr)
            raise SystemExit(f"{self.name}: its script failed")
        if accuracies := re.findall(r"accuracy ([0-9.]+)", done.stdout):
            self._accuracy[images] = float(accuracies[-1])
        return float(seconds[-1])

    def rate(self) -> float:
        return 1 / self._measure(self.task.images)

    def accuracy(self, count: int | None) -> float | None:
        images = self.task.data(count).count
        if images not in self._accuracy:
            self._measure(images)
        return self._accuracy.get(images)
