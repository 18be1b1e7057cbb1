"""Target loihi from the command line: compile, verify, list, compare, export."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from snncc_loihi.binary import read_map
from snncc_loihi.core_map import CoreMap
from tests.e2e.models import residual, samples
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]

CHIPS = {"loihi2": "signed-graded", "loihi1": "if"}


def compiled(cli: Cli, folder: Path, chip: str, *more: str) -> Path:
    data = samples(folder / "data.npz", (2, 6, 6))
    model, bundle = residual(folder), folder / chip
    cli(
        model,
        "--target",
        "loihi",
        "--chip",
        chip,
        "--calib",
        data,
        "--steps",
        8,
        "-o",
        bundle,
        *more,
    )
    return bundle


def core_map(bundle: Path) -> CoreMap:
    path = bundle / "loihi" / "map.bin"
    return read_map(path.read_bytes(), str(path))


@pytest.mark.parametrize("chip", CHIPS)
def test_compile_and_verify(cli: Cli, tmp_path: Path, chip: str) -> None:
    """A residual network with a max pool, exact on both chips."""
    bundle = compiled(cli, tmp_path, chip)
    model, data = tmp_path / "residual.onnx", tmp_path / "data.npz"
    told = json.loads(
        cli("verify", bundle, "--model", model, "--data", data, "--exact", 20, "--json").out
    )
    assert told["holds"]
    assert told["exact"]["samples"] == 20
    assert told["exact"]["spikes"] > 1000
    assert told["estimate"]["microjoules"] > 0
    assert "simulated, not measured" in told["estimate"]["assumptions"]
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["neuron"] == CHIPS[chip]
    assert manifest["settings"]["chip"] == chip


def test_cores_json_is_as_its_schema_says(cli: Cli, tmp_path: Path) -> None:
    bundle = compiled(cli, tmp_path, "loihi1")
    schema = json.loads((files("snncc_loihi") / "cores.schema.json").read_text(encoding="utf-8"))
    table = json.loads((bundle / "loihi" / "cores.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(table)
    cores = core_map(bundle).cores
    assert [core["place"] for core in table["cores"]] == [core.place for core in cores]
    for told, core in zip(table["cores"], cores, strict=True):
        assert told["use"]["compartments"] == len(core.compartments)
        assert told["use"]["synapse_words"] == len(core.synapses)
        assert told["use"]["input_axons"] == len(core.input_axons)
        assert told["use"]["output_axons"] == len(core.output_axons)
    placed = table["placements"]
    energy = {n: sum(v for k, v in f.items() if k.startswith("pico")) for n, f in placed.items()}
    assert energy["placed"] <= min(energy["row-major"], energy["random"])


def test_listing_and_differences(cli: Cli, tmp_path: Path) -> None:
    bundle = compiled(cli, tmp_path, "loihi1")
    text = tmp_path / "map.txt"
    cli("disasm", bundle, "-o", text)
    assert "FIRE_JOINED" in text.read_text(encoding="utf-8").upper()
    cli("asm", text, "-o", tmp_path / "map.bin")
    assert (tmp_path / "map.bin").read_bytes() == (bundle / "loihi" / "map.bin").read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    again = compiled(cli, other, "loihi1", "--weight-bits", "6")
    told = cli("diff", bundle / "loihi" / "map.bin", again / "loihi" / "map.bin", code=1)
    assert "core 0" in told.out


def test_export(cli: Cli, tmp_path: Path) -> None:
    bundle = compiled(cli, tmp_path, "loihi1")
    cli("export", bundle, "--to", "sanafe", "-o", tmp_path / "sanafe")
    names = {path.name for path in (tmp_path / "sanafe").iterdir()}
    assert names == {"architecture.yaml", "network.yaml"}
    told = cli("export", bundle, "--to", "sanafe", "-o", tmp_path / "sanafe", code=2)
    assert "SNN050" in told.err
    assert "SNN042" in cli("export", bundle, "--to", "x", "-o", tmp_path / "x", code=2).err
    assert not (tmp_path / "x").exists()


def test_the_chip_is_an_option_of_this_target_only(cli: Cli, tmp_path: Path) -> None:
    data, model = samples(tmp_path / "data.npz", (2, 6, 6)), residual(tmp_path)
    told = cli(model, "--chip", "loihi1", "--calib", data, "-o", tmp_path / "b", code=2)
    assert "option 'chip' is not known" in told.err


def test_targets_names_limits(cli: Cli) -> None:
    told = cli("targets", "loihi").out
    assert "held currents" in told
    assert "signed-graded" in told
