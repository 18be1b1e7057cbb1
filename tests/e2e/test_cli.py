"""The command line from end to end, on the shipped example: what a user types and sees."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

import snncc
from snncc.cli import main
from snncc_ir import read_graph
from tests.e2e.models import mlp, samples


class Finished:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Cli:
    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *arguments: object, code: int = 0) -> Finished:
        self._capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        printed = self._capfd.readouterr()
        found = caught.value.code or 0
        assert found == code, printed.err + printed.out
        assert "Traceback" not in printed.err
        return Finished(int(found), printed.out, printed.err)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capfd)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped example, compiled once."""
    folder = Path(__file__).parents[2] / "examples" / "digits"
    made = snncc.compile(
        folder / "digits.onnx",
        calibration=folder / "calib.npz",
        preprocessing=snncc.Preprocessing(1 / 16),
        output=tmp_path_factory.mktemp("cli") / "bundle",
        steps=16,
        neuron="signed-if",
    )
    return made.folder


def test_compile_run_verify(cli: Cli, digits: Path, tmp_path: Path) -> None:
    """The README's main job."""
    out = tmp_path / "bundle"
    compiled = cli(
        digits / "digits.onnx", "--target", "c", "--calib", digits / "calib.npz",
        "--scale", "1/16", "--steps", "32", "-o", out,
    )  # fmt: skip
    assert "quantize-weights" in compiled.out
    assert "3 populations, 1152 neurons" in compiled.out
    assert compiled.err == ""
    ran = cli("run", out, "--data", digits / "test.npz", "--limit", "5")
    assert ran.out.startswith("predictions: ")
    verified = cli(
        "verify", out, "--model", digits / "digits.onnx", "--data", digits / "test.npz",
        "--exact", "7", "--json",
    )  # fmt: skip
    figures = json.loads(verified.out)
    assert figures["holds"]
    assert figures["exact"]["samples"] == 7
    assert figures["at_steps"][-1]["accuracy"]["value"] >= 0.98
    assert figures["float_accuracy"]["value"] >= 0.98


def test_binary_digits(cli: Cli, digits: Path, tmp_path: Path) -> None:
    """The radix code from the command line: four digits a neuron are enough for this network."""
    out = tmp_path / "bundle"
    cli(
        digits / "digits.onnx", "--calib", digits / "calib.npz", "--scale", "1/16",
        "--coding", "radix", "--steps", "4", "-o", out,
    )  # fmt: skip
    verified = cli(
        "verify", out, "--model", digits / "digits.onnx", "--data", digits / "test.npz",
        "--exact", "7", "--json",
    )  # fmt: skip
    figures = json.loads(verified.out)
    assert figures["holds"]
    assert [row["steps"] for row in figures["at_steps"]] == [4]
    assert figures["at_steps"][0]["accuracy"]["value"] >= 0.97
    assert figures["at_steps"][0]["snr"] > 15
    ran = cli("run", out, "--data", digits / "test.npz", "--limit", "5")
    assert "spikes a sample in 4 steps" in ran.out
    refused = cli("run", out, "--data", digits / "test.npz", "--steps", "2", code=2)
    assert "has its results at the end only" in refused.err


def test_python_and_command_agree(cli: Cli, bundle: Path, digits: Path, tmp_path: Path) -> None:
    result = snncc.Bundle.load(bundle).run(digits / "test.npz")
    file = tmp_path / "results.npz"
    shown = cli("run", bundle, "--data", digits / "test.npz", "--json", "-o", file)
    assert json.loads(shown.out)["predictions"] == result.predictions().tolist()
    with np.load(file) as loaded:
        saved = dict(loaded)
    assert np.array_equal(saved["predictions"], result.predictions())
    np.testing.assert_allclose(saved["output.logits"], result.outputs()["logits"], rtol=1e-6)


def test_outputs_come_close_to_the_model(bundle: Path, digits: Path) -> None:
    """In the model's own units, not in potentials."""
    figures = snncc.Bundle.load(bundle).verify(digits / "digits.onnx", digits / "test.npz")
    assert figures.last.snr is not None
    assert figures.last.snr > 20
    assert figures.synaptic_operations is not None
    assert figures.spikes < figures.synaptic_operations


def test_a_bundle_in_a_temporary_folder(digits: Path) -> None:
    bundle = snncc.compile(digits / "digits.onnx", calibration=digits / "calib.npz",
                           preprocessing=snncc.Preprocessing(1 / 16), steps=4)  # fmt: skip
    folder = bundle.folder
    assert folder.is_dir()
    assert [row.step.split("{")[0] for row in bundle.waterfall][-3:] == [
        "rate-code",
        "calibrate-rate",
        "quantize-weights",
    ]
    assert len(bundle.run(np.zeros((3, 8, 8), np.uint8)).predictions()) == 3
    del bundle
    assert not folder.exists()


def test_emitted_files_build_with_make(bundle: Path, digits: Path, tmp_path: Path) -> None:
    """A deployer's way: make, then raw uint8 images in and the same potentials out."""
    if not (shutil.which("make") and shutil.which("cc")):
        pytest.skip("make and cc are not here")
    folder = tmp_path / "c"
    shutil.copytree(bundle / "c", folder)
    flags = "CFLAGS=-O1 -Werror"
    subprocess.run(["make", "-C", folder, flags], check=True, capture_output=True)
    with np.load(digits / "test.npz") as test:
        images = test["x"][:20]
    np.save(tmp_path / "x.npy", images)
    files = ("--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    subprocess.run([str(folder / "model"), *map(str, files)], check=True)
    result = snncc.Bundle.load(bundle).run(images)
    (totals,) = result.execution.totals.values()
    assert np.array_equal(np.load(tmp_path / "y.npy"), totals[:, -1])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: b"", "is not an .npy file"),
        (lambda raw: raw[:5], "is not an .npy file"),
        (lambda raw: raw[:60], "is cut off in its header"),
        (lambda raw: raw[:200], "the input is cut off"),
        (lambda raw: raw.replace(b"|u1", b"<f8"), "should hold float32 (<f4) or uint8 (|u1)"),
        (lambda raw: raw.replace(b"(3, 8, 8)", b"(3, 8, 7)"), "samples of another size"),
        (lambda raw: raw.replace(b"'fortran_order': False", b"'fortran_order': True "), "C order"),
        (lambda raw: raw.replace(b"(3, 8, 8)", b"(x, 8, 8)"), "has an unknown shape"),
    ],
)
def test_the_program_refuses_bad_files(
    spoil: "object", message: str, bundle: Path, tmp_path: Path
) -> None:
    if not shutil.which("cc"):
        pytest.skip("cc is not here")
    runner = snncc.Bundle.load(bundle).runner
    executable: Path = runner._executable  # type: ignore[attr-defined]
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((3, 8, 8), np.uint8))
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    command = [executable, "--input", path, "--output", tmp_path / "y.npy"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert not (tmp_path / "y.npy").exists()


def test_without_a_compiler_the_oracle_runs(
    cli: Cli, bundle: Path, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    ran = cli("run", bundle, "--data", digits / "test.npz", "--limit", "2")
    assert "by the numpy oracle" in ran.out
    assert "SNN052: no C compiler is found" in ran.err
    verified = cli("verify", bundle, "--model", digits / "digits.onnx", "--data",
                   digits / "test.npz", "--limit", "3", "--exact")  # fmt: skip
    assert "so nothing is compared with it" in verified.err
    assert "oracle: exact" not in verified.out


def test_inspect(cli: Cli, digits: Path) -> None:
    shown = cli("inspect", digits / "digits.onnx")
    assert "population: conv" in shown.out
    assert "readout: sumpool·dense" in shown.out
    layers = json.loads(cli("inspect", digits / "digits.onnx", "--json").out)["layers"]
    by_name = {layer["name"]: layer for layer in layers}
    # 12 filters of 3×3 over 8×8 zero-padded positions: 4 corners see 4, 24 edges 6, 36 others 9
    assert by_name["2"]["macs"] == 12 * (4 * 4 + 24 * 6 + 36 * 9)
    assert by_name["2"]["parameters"] == 12 * 9 + 12
    assert [layer["neurons"] for layer in layers] == [768, 192, 384, 0]
    assert "1,344 neurons, 3,706 parameters, 35,568 MACs" in shown.out
    assert "projection into 2" not in shown.out
    listed = cli("inspect", digits / "digits.onnx", "--nodes").out
    assert "projection into 2" in listed
    assert "folded into 2" in listed


def test_inspect_targets(cli: Cli, digits: Path, tmp_path: Path) -> None:
    model = digits / "digits.onnx"
    found = json.loads(cli("inspect", model, "--json").out)
    assert found["compiles"]
    assert [target["name"] for target in found["targets"]] == ["c", "ttfs28", "loihi", "nir"]
    *others, nir = found["targets"]
    assert all(target["fits"] and target["figures"] for target in others)
    assert not nir["fits"]  # the network has a max pool
    assert found["totals"] == {"neurons": 1344, "parameters": 3706, "macs": 35568}
    wide = ("--target", "loihi", "--weight-bits", "12")
    shown = cli("inspect", model, *wide, code=2)
    assert "does not fit" in shown.out
    assert "loihi SNN041: a weight of '2' is 2047, should be at most 127" in shown.out
    assert "try --weight-bits 8" in shown.out
    (refused,) = json.loads(cli("inspect", model, *wide, "--json", code=2).out)["targets"]
    assert refused["findings"][0]["code"] == "SNN041"
    assert "error SNN042: " in cli("inspect", model, "--steps", "4", code=2).err
    assert "error SNN040: " in cli("inspect", model, "--target", "none", code=2).err
    assert "error SNN042: " in cli("inspect", model, "--target", "c", "--set", "x", code=2).err


def test_inspect_in_a_narrow_terminal(
    cli: Cli, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snncc.cli.console.out._width", 80)
    shown = cli("inspect", digits / "digits.onnx", "--nodes").out
    assert max(map(len, shown.splitlines())) <= 80
    page = (Path(__file__).parents[2] / "docs" / "inspect.md").read_text(encoding="utf-8")
    documented = [line.rstrip() for line in page.splitlines()]
    for line in shown.splitlines():
        assert f"    {line}".rstrip() in documented, "docs/inspect.md shows another output"


def test_targets(cli: Cli) -> None:
    assert "C99 simulator" in cli("targets").out
    one = cli("targets", "c").out
    assert "rule: All convolutions into one population have the same result shape." in one
    assert "unknown" not in one
    refused = cli("targets", "gpu", code=2)
    assert "target 'gpu' is not known, should be one of c" in refused.err


def test_opt_goes_pass_by_pass(cli: Cli, digits: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    cli(digits / "digits.onnx", "--calib", digits / "calib.npz", "--scale", "1/16",
        "--dump-ir", dump, "-q", "-o", tmp_path / "bundle")  # fmt: skip
    steps = sorted(path.name for path in dump.glob("*.sir"))
    assert steps[0] == "00-lowered.sir"
    assert [name[3:-4] for name in steps[-3:]] == [
        "rate-code",
        "calibrate-rate",
        "quantize-weights",
    ]
    fused = tmp_path / "fused.sir"
    cli("opt", dump / "00-lowered.sir", "--passes",
        "hoist-neurons,current-maxima,fold-batchnorm,sink-views,fuse", "-o", fused)  # fmt: skip
    assert read_graph(fused) == read_graph(dump / "07-fuse.sir")
    assert cli("diff", fused, dump / "07-fuse.sir").out == "no difference\n"
    printed = cli("opt", fused).out
    assert printed == fused.read_text(encoding="utf-8")
    assert "rate-code{neuron=if" in cli("opt", "--list").out


def test_diff_says_what_differs(cli: Cli, bundle: Path, digits: Path, tmp_path: Path) -> None:
    assert cli("diff", bundle, bundle).out == "no difference\n"
    other = tmp_path / "other"
    cli(digits / "digits.onnx", "--calib", digits / "calib.npz", "--scale", "1/16", "--steps",
        "16", "--neuron", "signed-if", "--weight-bits", "8", "-q", "-o", other)  # fmt: skip
    summary, *lines = cli("diff", bundle, other, code=1).out.splitlines()
    assert summary.startswith("3 of 6 layers differ; settings: weight_bits 16 → 8; ")
    assert "setting weight_bits: 16 → 8" in lines
    assert any(line.startswith("layer '2': weights: i16 → i8, 108 of 108") for line in lines)
    assert sum(line.startswith("4 files: c/model.c, ") for line in lines) == 1
    told = json.loads(cli("diff", bundle, other, "--json", code=1).out)
    assert (told["equal"], told["summary"]) == (False, summary)
    assert told["layers"] == {"compared": 6, "differ": ["2", "6", "9"]}
    assert cli("diff", bundle, other, "-q", code=1).out == ""


def test_help_teaches_by_example(cli: Cli) -> None:
    shown = cli("--help").out
    assert "snncc model.onnx --target c --calib calib.npz -o bundle/" in shown
    for command in ("run", "verify", "inspect", "targets", "opt", "diff"):
        assert f"  {command}" in shown
        assert "Usage: snncc" in cli(command, "--help").out


def test_quiet_and_json(cli: Cli, tmp_path: Path) -> None:
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    assert cli(model, "--calib", data, "-q", "-o", tmp_path / "a").out == ""
    printed = json.loads(cli(model, "--calib", data, "--json", "-o", tmp_path / "b").out)
    assert printed["summary"]["populations"] == 2
    assert printed["waterfall"][0]["step"] == "lowered"


def test_a_model_of_a_fixed_batch(cli: Cli, tmp_path: Path) -> None:
    """onnxruntime then takes 7 samples at a time, and 40 are no multiple of 7."""
    path, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 7
    onnx.save(model, path)
    cli(path, "--calib", data, "-q", "-o", tmp_path / "bundle")
    shown = cli("verify", tmp_path / "bundle", "--model", path, "--data", data, "--json")
    figures = json.loads(shown.out)
    assert figures["samples"] == 40
    assert figures["at_steps"][-1]["agreement"]["value"] > 0.8


def test_raw_images_without_preprocessing_are_said(cli: Cli, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    shown = cli(digits / "digits.onnx", "--calib", digits / "calib.npz", "-o", out)
    assert "the data is uint8 and is given to the network as it is, 0..16" in shown.err


def test_a_mistyped_command_is_guessed(cli: Cli, tmp_path: Path) -> None:
    assert "did you mean 'verify'?" in cli("verfy", tmp_path, code=2).err


def test_no_calibration_data_is_said(cli: Cli, tmp_path: Path) -> None:
    shown = cli(mlp(tmp_path), "-o", tmp_path / "bundle")
    assert "SNN031: no calibration data is given" in shown.err
    assert "costs accuracy" in shown.err
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["calibration"] is None
    assert any("SNN031" in note for note in manifest["notes"])


def test_explain(cli: Cli, digits: Path, bundle: Path) -> None:
    of = (bundle, "--model", digits / "digits.onnx", "--data", digits / "test.npz")
    shown = cli("explain", *of, "--samples", 32, "-v")
    assert "on the chip" in shown.out
    assert "closed form, 16 steps" in shown.out
    assert "Conv '/4/Conv'" in shown.out
    assert "no remedy is tried" in shown.err
    asked = ("--samples", 32, "--json")
    found = json.loads(cli("explain", *of, *asked).out)
    verified = json.loads(cli("verify", *of, "--json").out)
    verified["exact"] = None
    assert found["verification"] == verified
    assert [row["name"] for row in found["layers"]["rows"]] == ["2", "6", "9"]
    model = ("explain", digits / "digits.onnx", "--data", digits / "test.npz", "--scale", "1/16")
    fast = ("--calib", digits / "calib.npz", "--coding", "radix", "--steps", 2)
    shown = cli(*model, *fast, "--tries", 1, "--samples", 32, "--limit", 100)
    assert "--steps 3: " in shown.out
    assert "radix-code" in shown.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bundle",), "SNN030: there is no --model"),
        (("bundle", "--steps", "4"), "SNN042: --steps is given for a bundle"),
        (("model", "--model", "model"), "SNN030: a model is given twice"),
        (("nothing", "--data", "x.npz"), "SNN001"),
    ],
)
def test_explain_says_what_is_missing(
    cli: Cli, digits: Path, bundle: Path, arguments: tuple[str, ...], message: str
) -> None:
    places = {"bundle": bundle, "model": digits / "digits.onnx"}
    assert message in cli("explain", *(places.get(a, a) for a in arguments), code=2).err
