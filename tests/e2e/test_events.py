"""Streams of events from files to accuracy: what a user types and sees."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import snncc
from snncc_ir.ops import EventInput
from tests.conftest import ROOT
from tests.e2e.models import events, mlp, residual, samples
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]

EXAMPLE = ROOT / "examples" / "events"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """calib.npz and test.npz of the shipped example, fewer digits, as its script makes them."""
    spec = spec_from_file_location("make", EXAMPLE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = module_from_spec(spec)
    spec.loader.exec_module(make)
    folder = tmp_path_factory.mktemp("events")
    for name, count in (("calib", 48), ("test", 50)):
        with np.load(ROOT / "examples" / "digits" / f"{name}.npz") as file:
            images, classes = file["x"][:count], file["y"][:count]
        np.savez(folder / f"{name}.npz", **make.make_events(images, count), labels=classes)
    return folder


def test_moving_digits(data: Path, tmp_path: Path, cli: Cli) -> None:
    """Compiled, run and verified by the command line."""
    bundle = tmp_path / "bundle"
    cli(
        EXAMPLE / "events.onnx", "--calib", data / "calib.npz", "--events", "duration=90000,most=7",
        "--steps", 12, "-q", "-o", bundle,
    )  # fmt: skip
    test = data / "test.npz"
    compared = ("verify", bundle, "--model", EXAMPLE / "events.onnx", "--data", test, "--json")
    shown = cli(*compared, "--exact", 16)
    figures = json.loads(shown.out)
    assert (figures["samples"], figures["exact"]["samples"]) == (50, 16)
    assert figures["holds"]
    assert figures["exact"]["spikes"] > 50_000
    last = figures["at_steps"][-1]
    # the float network takes all events of a sample at once
    with np.load(test) as file:
        sample = np.repeat(np.arange(50), np.diff(file["offsets"]))
        frames = np.zeros((50, 2, 20, 20), np.float32)
        np.add.at(frames, (sample, file["p"], file["y"], file["x"]), 1)
        session = onnxruntime.InferenceSession(EXAMPLE / "events.onnx")
        right = session.run(None, {"events": frames})[0].argmax(1) == file["labels"]
        assert figures["layers"]["events"] == len(file["t"]) / 50
    assert figures["float_accuracy"]["value"] == right.mean() > 0.85
    assert last["agreement"]["value"] > 0.9
    assert last["accuracy"]["value"] > right.mean() - 0.06
    out = tmp_path / "out.npz"
    cli("run", bundle, "--data", test, "--limit", 30, "-q", "-o", out)
    with np.load(out) as file, np.load(test) as given:
        assert np.mean(file["predictions"] == given["labels"][:30]) > 0.75
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert manifest["preprocessing"]["events"] == {"duration": 90000, "most": 7}
    # in fewer steps, of the beginning of each sample; and with samples that end early
    early = json.loads(cli(*compared, "--early-exit", 3, "--steps", 8).out)
    assert early["holds"]
    assert early["early"]["mean_steps"] < 8


def test_frames_go_to_every_target(tmp_path: Path) -> None:
    """Numbers of all events as an ordinary input; --scale and --mean are theirs then."""
    model, data = residual(tmp_path), events(tmp_path / "events.npz", (12, 12))
    window = snncc.EventWindow(count=50, sensor=(12, 12), downsample=2, input="frame")
    pre = snncc.Preprocessing(0.25, mean=(0.125,), events=window)
    bundle = snncc.compile(model, target="ttfs28", calibration=data, preprocessing=pre)
    found = bundle.verify(model, data, exact=4)
    assert found.holds
    assert found.last.agreement is not None
    assert found.last.agreement.value > 0.7
    assert any("later than the window" in note for note in found.notes)
    assert bundle.run(data).notes == bundle.notes


def test_from_python(tmp_path: Path) -> None:
    """Events as arrays, signed, two time steps of 15 ms; without calibration events by chance."""
    model = residual(tmp_path)
    with np.load(events(tmp_path / "events.npz")) as file:
        data = snncc.make_event_dataset(**file)
    window = snncc.EventWindow(step=15_000)
    pre = snncc.Preprocessing(0.5, events=window)
    bundle = snncc.compile(model, preprocessing=pre, steps=2, neuron="signed-graded")
    assert any("SNN031" in note for note in bundle.notes)
    op = bundle.graph.inputs[0].op
    assert isinstance(op, EventInput)
    assert (op.steps, op.worth, op.most, op.signed) == (2, 0.5, 15, False)
    assert bundle.verify(model, data, exact=10).holds
    assert bundle.run(data.first(3)).predictions().shape == (3,)


def test_a_search_keeps_the_time_steps(tmp_path: Path, cli: Cli) -> None:
    model, data = residual(tmp_path), events(tmp_path / "events.npz", count=40)
    options = ["--calib", data, "--events", "duration=30000", "--accuracy", 60, "-q"]
    refused = cli(model, *options, "-o", tmp_path / "bundle", code=2)
    assert "SNN034" in refused.err
    assert "--steps 16 with --accuracy" in refused.err
    cli(model, *options, "--steps", 4, "-o", tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_bytes())
    assert manifest["settings"]["steps"] == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--events", "duration=1,count=2"], "should be one of them"),
        (["--events", "duration=0"], "should be one of them"),
        (["--events", "step=5,input=frame"], "a frame has no time steps"),
        (["--events", "time=5"], "KEY=VALUE"),
        (["--events", "sensor=5"], "should be HEIGHTxWIDTH"),
        (["--events", "duration=5,polarity=both"], "channels or signed or merged"),
        (["--events", "duration=5,most=128"], "most is 128, should be 1 to 127"),
        (["--events", "duration=5", "--mean", "0.5"], "should be a scale alone"),
        (["--events", "duration=5,polarity=signed"], "should have 1 channels, height and width"),
        (["--events", "duration=5", "--coding", "radix"], "coding radix takes no stream of events"),
        (["--events", "duration=5", "--target", "loihi"], "target loihi takes no stream"),
        ([], "the data are events, should be numbers"),
    ],
)
def test_what_does_not_fit(options: list[str], says: str, tmp_path: Path, cli: Cli) -> None:
    model, data = residual(tmp_path), events(tmp_path / "events.npz")
    found = cli(model, "--calib", data, *options, "-o", tmp_path / "bundle", code=2)
    assert "error SNN034" in found.err
    assert says in found.err
    assert "  try " in found.err
    assert not (tmp_path / "bundle").exists()


def test_events_and_numbers_are_told_apart(tmp_path: Path, cli: Cli) -> None:
    model, data = residual(tmp_path), events(tmp_path / "events.npz")
    images = samples(tmp_path / "images.npz", (2, 6, 6))
    bundle = tmp_path / "bundle"
    cli(model, "--calib", data, "--events", "duration=30000", "--steps", 4, "-q", "-o", bundle)
    wrong = cli("run", bundle, "--data", images, code=2).err
    assert "SNN033" in wrong
    assert "should have events" in wrong
    plain = tmp_path / "plain"
    cli(mlp(tmp_path), "--calib", samples(tmp_path / "four.npz", (4,)), "-q", "-o", plain)
    assert "compile with --events" in cli("run", plain, "--data", data, code=2).err
    swept = cli("sweep", model, "--calib", data, "--events", "duration=30000",
                "-o", tmp_path / "swept", code=2).err  # fmt: skip
    assert "input=frame" in swept
