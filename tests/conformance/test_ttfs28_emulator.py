"""The emulator against the specification: a literal reading of it in Python, and its refusals."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snncc.testing import FAMILY, network
from snncc_backends import build
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.image import Image, image_bytes
from snncc_ttfs28.isa import INSTRUCTIONS, Instruction, instruction
from snncc_ttfs28.machine import COUNTERS, load_machine
from tests.conformance.ttfs28_reference import Reference
from tests.conftest import ROOT

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SOURCES = ("main.c", "ttfs28_image.c", "ttfs28_machine.c")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emulator")
    sources = [ROOT / "backends" / "snncc_ttfs28" / "emulator" / name for name in SOURCES]
    build(sources, folder / "ttfs28", SANITIZED)
    return folder / "ttfs28"


def run(emulator: Path, image: Image, samples: NDArray[np.int16]) -> tuple[NDArray[np.int64], ...]:
    """Output memory, spike memory and counters of each sample."""
    folder = emulator.parent
    (folder / "image.bin").write_bytes(image_bytes(image))
    np.save(folder / "x.npy", samples)
    names = ("y", "s", "c")
    files = [str(folder / f"{name}.npy") for name in names]
    command = [str(emulator), str(folder / "image.bin"), "--input", str(folder / "x.npy")]
    command += ["--output", files[0], "--spikes", files[1], "--counts", files[2]]
    subprocess.run(command, check=True, capture_output=True)
    return tuple(np.load(file).astype(np.int64) for file in files)


SMALL = [name for name in FAMILY if not name.startswith("binary")]
"""Networks that fit into memories of some hundred words."""


@given(
    st.sampled_from(SMALL),
    st.integers(0, 1000),
    st.sampled_from([16, 17, 32]),
    st.integers(100, 600),
    st.sampled_from([1, 7, 128]),
)
@settings(deadline=None, max_examples=30)
def test_memories_and_counts(
    emulator: Path, name: str, seed: int, bits: int, buffer: int, elements: int
) -> None:
    """Accumulators of few bits saturate here, which networks that snncc compiles never do."""
    graph = network(name, "ttfs", seed)
    machine = replace(
        load_machine("ttfs28"),
        accumulator_bits=32, processing_elements=elements, bus_bits=elements,
        weight_buffer=8 * 5 * buffer, spike_buffer=2 * buffer, accumulators=4 * buffer,
    )  # fmt: skip
    image = make_image(graph, machine)
    limit = (1 << (bits - 1)) - 1
    image = replace(
        image,
        parameters=replace(image.parameters, accumulator_bits=bits),
        biases=image.biases.clip(-limit, limit),
        thresholds=image.thresholds.clip(1, limit),
    )
    most = 1 << image.parameters.input_bits
    random = np.random.default_rng(seed)
    samples = random.integers(1 - most, most, (2, image.parameters.input_cells)).astype(np.int16)
    output, spikes, counts = run(emulator, image, samples)
    reference = Reference(image)
    for n, sample in enumerate(samples):
        reference.run(sample)
        assert output[n].tolist() == reference.output
        assert spikes[n].tolist() == reference.spikes
        for c, counter in enumerate(COUNTERS):
            assert counts[n, :, c].tolist() == reference.counts[:, c].tolist(), counter


def test_saturation_is_counted(emulator: Path) -> None:
    """Once at the largest number, every further spike counts."""
    graph = network("dense", "ttfs", 3)
    image = make_image(graph, replace(load_machine("ttfs28"), accumulator_bits=32))
    image = replace(
        image,
        parameters=replace(image.parameters, accumulator_bits=16),
        exponents=np.zeros_like(image.exponents),
        biases=image.biases.clip(-32767, 32767),
        thresholds=image.thresholds.clip(1, 32767),
    )
    samples = np.full((1, image.parameters.input_cells), 31, np.int16)
    _, _, counts = run(emulator, image, samples)
    assert counts[0, :, COUNTERS.index("saturations")].sum() > 100


IMAGE = make_image(network("maxpool", "ttfs"), load_machine("ttfs28"))


def changed(name: str, **fields: int) -> Callable[[Image], Image]:
    """The first instruction of a name with some fields replaced."""

    def change(image: Image) -> Image:
        steps = list(image.schedule)
        at = next(i for i, step in enumerate(steps) if step.name == name)
        form = INSTRUCTIONS[name]
        values = {f.name: v for f, v in zip(form.fields, steps[at].fields, strict=True)}
        steps[at] = instruction(name, steps[at].layer, **(values | fields))
        return replace(image, schedule=tuple(steps))

    return change


def without(name: str) -> Callable[[Image], Image]:
    return lambda image: replace(
        image, schedule=tuple(step for step in image.schedule if step.name != name)
    )


WRONG: dict[str, tuple[Callable[[Image], Image], str]] = {
    "no end": (without("end"), "end should be the last instruction"),
    "no tile": (without("tile"), "tile is not set before"),
    "no window": (without("window"), "tile or window is not set before"),
    "empty tile": (changed("tile", width=0), "a size of the tile is out of range"),
    "large tile": (changed("tile", height=4000), "the tile is larger than the accumulators"),
    "stride": (changed("window", stride_y=0), "a size of the window is 0, should be 1 to 4096"),
    "pad": (changed("window", pad_x=1 << 25), "a pad is too large"),
    "weights": (changed("weights", first=1 << 31), "weights reads beyond section WGHT"),
    "buffer": (changed("weights", to=1 << 31), "weights writes beyond the weight buffer"),
    "no weights": (changed("weights", count=0), "count is 0"),
    "load": (changed("load", step_c=1 << 30), "load reads beyond its memory"),
    "load back": (changed("load", step_c=-(1 << 31)), "load reads beyond its memory"),
    "load to": (changed("load", to_c=1 << 31), "load writes beyond the spike buffer"),
    "load all": (changed("load", count_x=1 << 31), "a box is empty or larger than the spike buf"),
    "space": (changed("load", space=2), "space is 2, should be 0 or 1"),
    "start": (changed("start", first=1 << 31), "start reads beyond the biases"),
    "each": (changed("start", each=7), "each is 7, should be 0 or 1"),
    "kind": (changed("integrate", kind=0), "is of the other kind"),
    "groups": (changed("integrate", groups=7), "7 groups do not divide 3 and 5 channels"),
    "codes": (changed("integrate", weights=1 << 31), "integrate reads beyond the weight buffer"),
    "exponents": (changed("integrate", exponents=1 << 31), "integrate reads beyond the exponents"),
    "box": (changed("integrate", at=1 << 31), "a box goes beyond the spike buffer"),
    "table": (changed("fire", table=1 << 31), "fire reads beyond the thresholds"),
    "fire": (changed("fire", to=1 << 31), "fire writes beyond the spike memory"),
    "read": (changed("read", step_c=1 << 30), "read writes beyond the output memory"),
    "pool": (changed("pool", to=1 << 31), "pool writes beyond the spike memory"),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_check_of_the_schedule(emulator: Path, case: str) -> None:
    change, message = WRONG[case]
    path = emulator.parent / "wrong.bin"
    path.write_bytes(image_bytes(change(IMAGE)))
    done = subprocess.run([emulator, path, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("SCHE at byte ")
    assert message in done.stderr


def test_too_much_work_is_refused(emulator: Path) -> None:
    """A short image that would run for days."""
    steps: list[Instruction] = []
    for step in IMAGE.schedule:
        steps += [step] * (60000 if step.name == "integrate" else 1)
    parameters = replace(
        IMAGE.parameters, weight_buffer=1 << 31, spike_buffer=1 << 24, accumulators=1 << 16
    )
    large = changed("tile", height=100, width=100)(replace(IMAGE, schedule=tuple(steps)))
    large = changed("window", kernel_y=100, kernel_x=100)(replace(large, parameters=parameters))
    path = emulator.parent / "long.bin"
    path.write_bytes(image_bytes(large))
    done = subprocess.run([emulator, path, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_wrong_files_are_said(emulator: Path, tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(image_bytes(IMAGE))
    cells = IMAGE.parameters.input_cells
    for numbers, message in (
        (np.zeros((1, cells + 1), np.int16), "samples of another size"),
        (np.zeros((1, cells), np.int32), "should hold int16"),
        (np.full((1, cells), 32, np.int16), "beyond the image's input bits"),
    ):
        np.save(tmp_path / "x.npy", numbers)
        command = [str(emulator), str(path), "--input", str(tmp_path / "x.npy")]
        command += ["--output", str(tmp_path / "y.npy")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert message in done.stderr
