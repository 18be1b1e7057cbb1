"""`--accuracy` and `snncc sweep` from end to end, and what a user gets wrong in them."""

import csv
import json
import sys
from pathlib import Path

import pytest

import snncc
from snncc.sweep import sweep
from tests.e2e.models import dyadic, mlp, samples
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_accuracy_finds_steps_that_keep_it(cli: Cli, tmp_path: Path) -> None:
    """And those given stay; the table, the bundle and its report say the same."""
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,), 200), tmp_path / "b"
    shown = cli(
        model, "--calib", data, "--accuracy", "10", "--neuron", "signed-if", "--set",
        "percentile=99.5", "--confidence", "80", "-o", out,
    )  # fmt: skip
    assert "➜" in shown.out
    assert "calibrated on 50 samples and measured on 150 others" in shown.out
    settings = json.loads((out / "manifest.json").read_text())["settings"]
    assert (settings["neuron"], settings["percentile"]) == ("signed-if", 99.5)
    found = json.loads((out / "report.json").read_text())["search"]
    (chosen,) = (trial for trial in found["trials"] if trial["chosen"])
    assert chosen["settings"]["steps"] == settings["steps"] == chosen["figures"]["latency"]
    below = [t for t in found["trials"] if t["settings"]["steps"] < settings["steps"]]
    assert all(t["figures"]["lost"]["only_float"] > 0 for t in below)
    lost = chosen["figures"]["lost"]
    assert lost["count"] == 150
    assert lost["only_float"] - lost["only_other"] <= 15


def test_accuracy_in_python_with_samples_of_its_own(tmp_path: Path) -> None:
    """Without classes it is the agreement with the float network."""
    bundle = snncc.compile(
        mlp(tmp_path), calibration=dyadic(1, 30, 4), data=dyadic(2, 60, 4), steps=64, neuron="if",
        accuracy=snncc.Goal(15, confidence=60),
    )  # fmt: skip
    found = bundle.report["search"]
    assert isinstance(found, dict)
    assert (found["samples"], found["held_out"], len(found["trials"])) == (60, False, 1)
    assert found["trials"][0]["figures"]["accuracy"] is None
    assert found["trials"][0]["figures"]["agreement"]["value"] >= 0.85


BAD: dict[str, tuple[list[str], str]] = {
    "negative": (["--accuracy", "-1"], "SNN042: accuracy is -1, should be above 0"),
    "nothing": (["--accuracy", "0"], "SNN042: accuracy is 0, should be above 0"),
    "not a number": (["--accuracy", "nan"], "SNN042: accuracy is nan"),
    "prefer": (["--accuracy", "1", "--prefer", "speed"], "prefer is 'speed', should be steps"),
    "confidence": (["--accuracy", "1", "--confidence", "100"], "confidence is 100, should be"),
    "alone": (["--prefer", "steps"], "--prefer is given without --accuracy"),
    "few": (["--accuracy", "0.5"], "SNN032: 30 samples to measure on, held out of the"),
    "option": (["--accuracy", "9", "--set", "tau=4"], "option 'tau' is not known"),
    "auto": (["--coding", "auto"], "coding is 'auto', should be rate or ttfs"),
    "pipeline": (["--accuracy", "9", "--passes", "fuse"], "should be passes or accuracy"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_accuracy(case: str, cli: Cli, tmp_path: Path) -> None:
    options, message = BAD[case]
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    shown = cli(model, "--calib", data, *options, "-o", tmp_path / "out", code=2)
    assert message in shown.err
    assert not (tmp_path / "out").exists()


def test_accuracy_without_samples(cli: Cli, tmp_path: Path) -> None:
    model, out = mlp(tmp_path), tmp_path / "out"
    shown = cli(model, "--accuracy", "1", "-o", out, code=2)
    assert "SNN032: there are no calibration samples" in shown.err
    few = samples(tmp_path / "d.npz", (4,), 7)
    shown = cli(model, "--calib", few, "--accuracy", "1", "-o", out, code=2)
    assert "SNN032: there are 7 calibration samples, should be at least 8" in shown.err
    assert not out.exists()


def test_no_settings_that_keep_the_accuracy(cli: Cli, tmp_path: Path) -> None:
    """The table of what was tried stands above the error."""
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,), 200)
    shown = cli(model, "--calib", data, "--accuracy", "2", "--steps", "1", "--neuron", "if", "-o",
                tmp_path / "out", code=2)  # fmt: skip
    assert "SNN043: none of 1 settings loses at most 2 points with 90 % confidence" in shown.err
    assert "rate steps=1 neuron=if" in shown.out
    assert not (tmp_path / "out").exists()


def test_sweep(cli: Cli, tmp_path: Path) -> None:
    """Both targets, a combination that is refused, and the same rows for any number of workers."""
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "front"
    arguments = (
        "sweep", model, "--target", "c,ttfs28", "--calib", data, "--set", "rate.steps=2,8", "--set",
        "ttfs.weight_bits=5,9", "--set", "ttfs.steps=24", "--limit", "20", "-o",
    )  # fmt: skip
    shown = cli(*arguments, out, "--jobs", "2")
    rows = table(out)
    assert [row["options"] for row in rows] == [
        "rate steps=2", "rate steps=8", "ttfs weight_bits=5 steps=24",
        "ttfs weight_bits=9 steps=24",
    ]  # fmt: skip
    assert "SNN042: bits is 9, should be 2 to 8" in rows[3]["error"]
    assert [row["error"] for row in rows[:3]] == [""] * 3
    assert {row["samples"] for row in rows[:3]} == {"20"}
    assert float(rows[0]["synaptic_operations"]) < float(rows[1]["synaptic_operations"])
    assert float(rows[2]["microjoules"]) > 0
    assert any(row["front_steps"] == "1" for row in rows)
    assert "20 samples" in shown.out
    assert "held out of --calib" in shown.err
    content = (out / "sweep.csv").read_bytes()
    again = cli(*arguments, out)
    assert "4 rows are of an earlier sweep" in again.err
    assert (out / "sweep.csv").read_bytes() == content
    cli(*arguments, tmp_path / "serial", "--jobs", "1", "--json")
    assert (tmp_path / "serial" / "sweep.csv").read_bytes() == content


def test_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: snncc[plot]")
    from snncc.sweep.plot import plot

    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "front"
    found = sweep(model, out, lists={"steps": ["4", "8"]}, calibration=data, jobs=1)
    plot(found.rows, out, "a title")
    first = [(out / name).read_bytes() for name in ("sweep.png", "sweep.svg")]
    assert first[0].startswith(b"\x89PNG")
    assert b"Pareto front" in first[1]
    plot(found.rows, out, "a title")
    assert [(out / name).read_bytes() for name in ("sweep.png", "sweep.svg")] == first


def test_dask_gives_the_same_rows(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask is not installed: snncc[dask]")
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    lists = {"steps": ["2", "4"]}
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        far = sweep(model, tmp_path / "a", lists=lists, calibration=data, dask=address)
    near = sweep(model, tmp_path / "b", lists=lists, calibration=data, jobs=1)
    assert far.rows == near.rows


BAD_SWEEPS: dict[str, tuple[list[str], str]] = {
    "key": (["--set", "bits=3"], "SNN042: option 'bits' is not known, should be one of"),
    "empty": (["--steps", ""], "SNN042: --steps is '', should be a list such as 4,8,16"),
    "form": (["--set", "steps"], "should be KEY=A,B,C"),
    "target": (["--target", "c,tpu"], "SNN040: target 'tpu' is not known"),
    "coding": (["--coding", "phase"], "coding is 'phase', should be rate or ttfs or"),
    "jobs": (["--jobs", "0"], "jobs is 0, should be at least 1"),
}


@pytest.mark.parametrize("case", BAD_SWEEPS)
def test_bad_sweeps(case: str, cli: Cli, tmp_path: Path) -> None:
    options, message = BAD_SWEEPS[case]
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    shown = cli("sweep", model, "--calib", data, *options, "-o", tmp_path / "out", code=2)
    assert message in shown.err
    assert not (tmp_path / "out").exists()


def test_a_sweep_keeps_off_other_folders(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    assert "SNN032" in cli("sweep", model, "-o", out, code=2).err
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    shown = cli("sweep", model, "--calib", data, "-o", out, code=2)
    assert "SNN050: the output folder exists and is no sweep" in shown.err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "sweep.csv").write_bytes(b"a,b\n1,2\n")
    shown = cli("sweep", model, "--calib", data, "-o", out, code=2)
    assert "SNN030: the table of an earlier sweep cannot be read" in shown.err


def test_missing_libraries_are_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    shown = cli("sweep", model, "--calib", data, "--dask", "tcp://nowhere:1", "-o", out, code=2)
    assert "SNN054: dask is not installed" in shown.err
    assert "pip install 'snncc[dask]'" in shown.err
    shown = cli("sweep", model, "--calib", data, "--steps", "2", "--jobs", "1", "-o", out)
    assert "SNN054: matplotlib is not installed" in shown.err
    assert [path.name for path in out.iterdir()] == ["sweep.csv"]
