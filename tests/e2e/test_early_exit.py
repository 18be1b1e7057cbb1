"""Early exit from the command line, from Python, and in the C program that a bundle holds."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import snncc
from tests.e2e.test_bad_input import files
from tests.e2e.test_cli import Cli, bundle, cli

__all__ = ["bundle", "cli"]

CHANCE = 2.0
"""Points: some 95 % of a share of 5 % on 360 images lie so near."""


def verify(bundle: Path, digits: Path) -> list[object]:
    return ["verify", bundle, "--model", digits / "digits.onnx", "--data", digits / "test.npz"]


def test_verify_with_a_margin(cli: Cli, bundle: Path, digits: Path) -> None:
    """Fewer steps, spikes and operations; nearly the same classes; Python agrees."""
    figures = json.loads(cli(*verify(bundle, digits), "--early-exit", "12", "--json").out)
    early = figures["early"]
    assert figures["holds"]
    assert early["difference"] == ""
    assert 1 < early["mean_steps"] < 5
    assert early["mean_steps"] <= early["late_steps"] <= 16
    assert early["same"]["value"] > 0.98
    assert early["spikes"] < figures["spikes"] / 3
    assert early["synaptic_operations"] < figures["synaptic_operations"] / 3
    loaded = snncc.Bundle.load(bundle)
    result = loaded.run(digits / "test.npz", early_exit=12)
    assert result.mean_steps == early["mean_steps"]
    assert result.spikes_per_sample == pytest.approx(early["spikes"])
    with np.load(digits / "test.npz") as test:
        accuracy = float(np.mean(result.predictions() == test["y"]))
    assert accuracy == pytest.approx(early["accuracy"]["value"])
    assert loaded.verify(digits / "digits.onnx", digits / "test.npz").early is None
    shown = cli("run", bundle, "--data", digits / "test.npz", "--early-exit", "12")
    assert f"in {early['mean_steps']:.4g} steps" in shown.out


def test_verify_chooses_a_margin(cli: Cli, bundle: Path, digits: Path) -> None:
    """What may be lost is asked for; fewer points take a larger margin."""
    margins, steps = [], []
    for points in ("5", "1.5"):
        command = [*verify(bundle, digits), "--early-exit-loss", points]
        shown = cli(*command, "--calib", digits / "calib.npz", "--json")
        figures = json.loads(shown.out)
        early = figures["early"]
        assert 100 * early["choice"]["bound"] <= float(points)
        lost = figures["at_steps"][-1]["accuracy"]["value"] - early["accuracy"]["value"]
        # the bound is one for samples like those of calibration; 360 others differ by chance
        assert 100 * lost <= float(points) + CHANCE
        margins.append(early["units"])
        steps.append(early["mean_steps"])
    assert margins[0] < margins[1]
    assert steps[0] < steps[1]
    few = cli(*command[:-1], "0.1", "--calib", digits / "calib.npz")
    assert "256 calibration samples cannot show that at most 0.1 %" in few.err
    assert "early exit at margin" in few.out


def test_compiled_with_early_exit(cli: Cli, digits: Path, tmp_path: Path) -> None:
    """The margin is the bundle's own: in its manifest, its C program, and what runs it."""
    out = tmp_path / "bundle"
    cli(digits / "digits.onnx", "--calib", digits / "calib.npz", "--scale", "1/16", "--steps", "16",
        "--neuron", "signed-if", "--early-exit-loss", "1.5", "-q", "-o", out)  # fmt: skip
    stored = json.loads((out / "manifest.json").read_text())["early_exit"]
    assert stored["points"] == 1.5
    loaded = snncc.Bundle.load(out)
    assert loaded.early_exit == stored["margin"]
    early = loaded.run(digits / "test.npz")
    assert early.mean_steps < 6
    full = loaded.run(digits / "test.npz", early_exit=0)
    assert full.mean_steps == 16
    figures = json.loads(cli(*verify(out, digits), "--json").out)
    assert figures["early"]["units"] == stored["units"]
    assert figures["vectors"]["difference"] == ""
    if not (shutil.which("make") and shutil.which("cc")):
        pytest.skip("make and cc are not here")
    folder = tmp_path / "c"
    shutil.copytree(out / "c", folder)
    subprocess.run(["make", "-C", folder, "CFLAGS=-O1 -Werror"], check=True, capture_output=True)
    with np.load(digits / "test.npz") as test:
        np.save(tmp_path / "x.npy", test["x"])
    for margin, result in (([], early), (["--margin", "0"], full)):
        command = [
            folder / "model", "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy",
            "--steps-used", tmp_path / "used.npy", *margin,
        ]  # fmt: skip
        subprocess.run([*map(str, command)], check=True)
        (totals,) = result.execution.totals.values()
        assert np.array_equal(np.load(tmp_path / "y.npy"), totals[:, -1])
        used = result.execution.steps_used
        expected = np.full(len(totals), 16) if used is None else used
        assert np.array_equal(np.load(tmp_path / "used.npy"), expected)


def test_the_same_margin_without_a_compiler(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle chooses what the C simulator chooses: the bundles are the same bytes."""
    folders = []
    with np.load(digits / "calib.npz") as calib:
        images = calib["x"][:40]
    for name in ("compiled", "oracle"):
        if name == "oracle":
            monkeypatch.setenv("PATH", "/nowhere")
            monkeypatch.delenv("CC", raising=False)
        made = snncc.compile(
            digits / "digits.onnx", calibration=images, preprocessing=snncc.Preprocessing(1 / 16),
            output=tmp_path / name, steps=8, early_exit_loss=2.0,
        )  # fmt: skip
        assert any("40 calibration samples cannot show" in note for note in made.notes)
        folders.append(made.folder)
    assert files(folders[0]) == files(folders[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--early-exit", "-3"], "the margin is -3, should be a positive number"),
        (["--early-exit", "nan"], "the margin is nan, should be a positive number"),
        (["--early-exit-loss", "1"], "--early-exit-loss is given without calibration data"),
        (["--early-exit-loss", "0", "--calib"], "the loss is 0, should be above 0"),
        (["--early-exit-loss", "100", "--calib"], "the loss is 100, should be above 0 and below"),
        (["--calib"], "--calib is given, should be with --early-exit-loss"),
        (["--early-exit", "3", "--early-exit-loss", "1", "--calib"], "should be one of them"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str], message: str, cli: Cli, bundle: Path, digits: Path
) -> None:
    calib = [digits / "calib.npz"] if options[-1] == "--calib" else []
    refused = cli(*verify(bundle, digits), *options, *calib, code=2)
    assert "SNN053" in refused.err
    assert message in refused.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--margin", "-1"], "--margin: should be positive, or 0 for all steps"),
        (["--margin", "many"], "--margin: should be a number"),
        (["--least-steps", "0"], "--least-steps: should be at least 1"),
        (["--margin", "5", "--steps-used", "/nowhere/x"], "No such file or directory"),
    ],
)
def test_the_program_refuses_bad_options(
    options: list[str], message: str, bundle: Path, tmp_path: Path
) -> None:
    if not shutil.which("cc"):
        pytest.skip("cc is not here")
    runner = snncc.Bundle.load(bundle).runner
    executable: Path = runner._executable  # type: ignore[attr-defined]
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8), np.uint8))
    command = [executable, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"]
    done = subprocess.run(
        [*map(str, command), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert not (tmp_path / "y.npy").exists()


def test_networks_that_do_not_fit(cli: Cli, digits: Path, tmp_path: Path) -> None:
    model, calib = digits / "digits.onnx", digits / "calib.npz"
    refused = cli(model, "--early-exit-loss", "1", "-o", tmp_path / "a", code=2)
    assert "SNN053: early_exit_loss is given without calibration data" in refused.err
    refused = cli(model, "--calib", calib, "--early-exit-loss", "-1", "-o", tmp_path / "b", code=2)
    assert "SNN042: early_exit_loss is -1.0, should be 0 to 100" in refused.err
    refused = cli(model, "--calib", calib, "--coding", "ttfs", "--early-exit-loss", "1",
                  "-o", tmp_path / "c", code=2)  # fmt: skip
    assert "SNN042: option 'early_exit_loss' is not known" in refused.err
    assert list(tmp_path.iterdir()) == []
    cli(model, "--calib", calib, "--scale", "1/16", "--coding", "ttfs", "-q", "-o", tmp_path / "d")
    refused = cli(*verify(tmp_path / "d", digits), "--early-exit", "3", code=2)
    assert "SNN053: the code is ttfs, should be rate" in refused.err


def test_a_runner_that_ends_elsewhere_is_found(
    bundle: Path, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` holds the early run to the full one, cut off."""
    loaded = snncc.Bundle.load(bundle)
    until = type(loaded.runner)._until  # type: ignore[attr-defined]
    monkeypatch.setattr(
        type(loaded.runner),
        "_until",
        staticmethod(lambda part, folder, rule: [
            "7777777" if text == str(getattr(rule, "margin", "")) else text
            for text in until(part, folder, rule)
        ]),
    )  # fmt: skip
    found = loaded.verify(digits / "digits.onnx", digits / "test.npz", early_exit=12)
    assert found.early is not None
    assert "steps, should after" in found.early.difference
    assert not found.holds
