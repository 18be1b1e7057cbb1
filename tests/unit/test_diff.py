"""What differs between two things: figures by layer, sentences, what a machine gets."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.cli.diff_tables import LAYERS, LINES, grouped
from snncc.diff import KINDS, Change, Difference, diff
from snncc.diff.manifests import compare_passes
from snncc.diff.networks import compare_networks
from snncc_backends import BundleFolder
from snncc_ir import Graph, Node, Tensor, i16, i32, write_graph
from snncc_ir.ops import Dense, Population, Readout
from tests.conftest import ROOT
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]

GOLDEN = ROOT / "tests" / "golden"
IF = BundleFolder.read(GOLDEN / "mlp-if").graph
WEIGHTS = 18
"""Of the layer fc2: 3 outputs, 6 inputs."""


def population(node: Node) -> Population:
    assert isinstance(node.op, Population)
    return node.op


def with_weights(graph: Graph, weights: Tensor, theta: int | None = None) -> Graph:
    """Other weights, and another threshold, of the layer fc2."""

    def rewrite(node: Node) -> Node:
        if node.name != "fc2":
            return node
        op = population(node)
        model = op.model if theta is None else Readout(i32([theta]))
        return replace(node, op=replace(op, maps=((Dense(weights),),), model=model))

    return graph.rewritten(rewrite)


def weights_of(graph: Graph) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    (op,) = population(graph["fc2"]).maps[0]
    assert isinstance(op, Dense)
    return op.weight.integers


def moved_by(*amounts: int) -> Graph:
    """The first weights of fc2 moved."""
    weights = weights_of(IF).copy()
    weights.reshape(-1)[: len(amounts)] += amounts
    return with_weights(IF, i16(weights))


def test_weights_that_were_moved(cli: Cli, tmp_path: Path) -> None:
    write_graph(IF, tmp_path / "a.sir")
    write_graph(moved_by(5, -2), tmp_path / "b.sir")
    largest = int(np.abs(weights_of(IF)).max())
    shown = cli("diff", tmp_path / "a.sir", tmp_path / "b.sir", code=1).out
    share = f"{100 * 5 / largest:.3g}"
    assert shown.splitlines() == [
        "1 of 4 layers differs",
        f"layer 'fc2': weights: 2 of {WEIGHTS} differ, by at most 5 ({share} % of the largest), "
        "3.5 on average",
    ]
    told = json.loads(cli("diff", tmp_path / "a.sir", tmp_path / "b.sir", "--json", code=1).out)
    (change,) = told["changes"]
    assert change["figures"] | {"least_ratio": 0, "most_ratio": 0} == {
        "count": WEIGHTS, "changed": 2, "largest": 5.0, "mean": 3.5, "magnitude": largest,
        "least_ratio": 0, "most_ratio": 0,
    }  # fmt: skip
    assert (change["kind"], change["layer"], change["quantity"]) == (
        "weights",
        "fc2",
        "maps.0.0.weight",
    )
    assert change["before"].startswith("i16<3x6>#")
    assert change["before"] != change["after"]


def test_one_weight() -> None:
    (change,) = compare_networks(IF, moved_by(-3))
    assert re.fullmatch(r"weights: 1 of 18 differs, by 3 \(\S+ % of the largest\)", change.text)


def test_numbers_are_compared_in_thresholds_where_those_differ() -> None:
    """Everything twice as large is the same network; one weight of them is not."""
    weights = 2 * (weights_of(IF) // 4)
    before = with_weights(IF, i16(weights), 4000)
    doubled = with_weights(IF, i16(2 * weights), 8000)
    by_quantity = {c.quantity: c for c in compare_networks(before, doubled)}
    assert by_quantity["model.theta"].text == "thresholds: 1 of 1 differs, by a factor of 2"
    assert by_quantity["maps.0.0.weight"].text == "weights: the same in thresholds"
    spoiled = 2 * weights
    spoiled[0, 0] += 800
    (change,) = [
        c
        for c in compare_networks(before, with_weights(IF, i16(spoiled), 8000))
        if c.kind == "weights"
    ]
    assert change.text.startswith("weights: 1 of 18 differs, by 0.1 thresholds ")
    assert change.figures["largest_in_theta"] == pytest.approx(0.1)


def test_bundles_of_other_settings() -> None:
    found = diff(GOLDEN / "mlp-if", GOLDEN / "mlp-signed-if")
    settings = {c.quantity: (c.before, c.after) for c in found.of("setting")}
    assert settings["neuron"] == ("if", "signed-if")
    assert settings["calibrate"] == ("off", "layers")
    assert {c.quantity for c in found.of("passes")} >= {"rate-code", "calibrate-rate"}
    relu = [c.text for c in found.changes if c.layer == "relu"]
    assert "time code: signed off → on" in relu
    assert "model: if → signed-if" in relu
    assert "made also by calibrate-rate" in relu
    assert not found.of("model", "network", "image")
    shares = [json.loads((GOLDEN / name / "report.json").read_text())["waterfall"][-1]["accuracy"]
              for name in ("mlp-if", "mlp-signed-if")]  # fmt: skip
    points = [c.figures["points"] for c in found.of("accuracy") if c.quantity == "accuracy"]
    assert points == ([] if shares[0] == shares[1] else [pytest.approx(100 * np.diff(shares)[0])])


@pytest.mark.parametrize(
    ("bundle", "old", "new", "place", "text"),
    [
        ("mlp-ttfs28", "w0: -9", "w0: -3", "layer 'relu'",
         "1 of 24 weights differ, first weight 0: -9 → -3"),
        ("mlp-loihi2", "1: mantissa=9850", "1: mantissa=9851", "core 0",
         "threshold 1 mantissa 9850 → 9851"),
    ],
)  # fmt: skip
def test_images(
    cli: Cli, tmp_path: Path, bundle: str, old: str, new: str, place: str, text: str
) -> None:
    """A ttfs28 image and a core map, of which one number was changed."""
    listing = cli("disasm", GOLDEN / bundle).out
    assert listing.count(old) == 1
    for name, content in (("a", listing), ("b", listing.replace(old, new))):
        (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
        cli("asm", tmp_path / f"{name}.txt", "-o", tmp_path / name)
    shown = cli("diff", tmp_path / "a", tmp_path / "b", code=1).out
    assert shown.splitlines()[1:] == [f"{place}: {text}"]
    (change,) = json.loads(cli("diff", tmp_path / "a", tmp_path / "b", "--json", code=1).out)[
        "changes"
    ]
    assert (change["kind"], change["text"]) == ("image", text)
    assert cli("diff", tmp_path / "a", tmp_path / "a").out == "no difference\n"


def test_another_network_is_said_once(cli: Cli) -> None:
    shown = cli("diff", GOLDEN / "mlp-if", GOLDEN / "residual-if", code=1).out
    lines = shown.splitlines()
    assert lines[0].startswith("another network; another model")
    assert len(lines) < 2 * LINES
    kinds = {c.kind for c in diff(GOLDEN / "mlp-if", GOLDEN / "residual-if").changes}
    assert not kinds & {"layer", "weights", "bias", "threshold"}


def test_many_changes_are_cut_short_unless_all_are_asked_for() -> None:
    changes = [
        Change("weights", f"w{i}", f"w{i} differs", f"l{layer}")
        for layer in range(3 * LAYERS)
        for i in range(2 * LINES)
    ]
    found = Difference(tuple(changes), 3 * LAYERS)
    short = grouped(found, every=False)
    assert len(short) == LAYERS + 1
    assert all(len(lines) <= LINES for _, lines in short)
    assert short[-1][1][0][1] == f"{2 * LAYERS} more layers; --verbose shows all"
    assert sum(len(lines) for _, lines in grouped(found, every=True)) == len(changes)


def test_kinds_that_do_not_count(cli: Cli) -> None:
    pair = ("diff", GOLDEN / "mlp-if", GOLDEN / "mlp-signed-if")
    every = ",".join(KINDS)
    shown = cli(*pair, "--ignore", every).out
    assert shown.startswith("no difference (left out as asked: ")
    left = json.loads(cli(*pair, "--ignore", "file,figure", "--ignore", "setting", "--json",
                          code=1).out)  # fmt: skip
    assert not {change["kind"] for change in left["changes"]} & {"file", "figure", "setting"}
    assert left["ignored"]["setting"] > 0
    told = cli(*pair, "--ignore", "wieghts", code=2).err
    assert "error SNN042: 'wieghts' is no kind of change" in told
    assert "try 'weights', the name most like it" in told


def test_what_cannot_be_compared_is_no_difference(cli: Cli, tmp_path: Path) -> None:
    assert "SNN051" in cli("diff", GOLDEN / "mlp-if", tmp_path / "none", code=2).err
    sir = GOLDEN / "mlp-if" / "network.sir"
    assert "SNN051" in cli("diff", GOLDEN / "mlp-if", sir, code=2).err
    assert "SNN042" in cli("diff", sir, sir, "--data", "x.npz", code=2).err
    assert "SNN042" in cli("diff", GOLDEN / "mlp-if", GOLDEN / "mlp-if", "--model", "m",
                           code=2).err  # fmt: skip


def test_a_file_that_differs_in_form_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(GOLDEN / "mlp-if", other)
    manifest = other / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()), indent=1) + "\n")
    assert diff(GOLDEN / "mlp-if", other).equal, "the same content"
    (other / "report.json").write_text("{}")
    with pytest.raises(snncc.SnnccError, match="SNN051"):
        diff(GOLDEN / "mlp-if", other)


def test_passes() -> None:
    first = "fuse,normalize{method=max,per=layer},rate-code{steps=8}"
    second = "fuse,normalize{method=max,per=channel},correct-bias"
    assert [c.text for c in compare_passes(first, second)] == [
        "pass normalize: per layer → channel",
        "pass rate-code: only in the first",
        "pass correct-bias: only in the second",
    ]
    (order,) = compare_passes("a,b", "b,a")
    assert order.text == "passes in another order: b, a"


def test_measured(cli: Cli, digits: Path, tmp_path: Path) -> None:
    """Accuracy and classes as the bundles themselves give them."""
    bundles = []
    for steps in (2, 8):
        bundles.append(
            snncc.compile(
                digits / "digits.onnx",
                calibration=digits / "calib.npz",
                preprocessing=snncc.Preprocessing(1 / 16),
                output=tmp_path / f"b{steps}",
                steps=steps,
                calibrate="off",
            )
        )
    with np.load(digits / "test.npz") as test:
        images, labels = test["x"][:100], test["y"][:100]
    classes = [bundle.run(images).predictions() for bundle in bundles]
    points = 100 * float(np.mean(classes[1] == labels) - np.mean(classes[0] == labels))
    assert points > 0
    told = json.loads(
        cli("diff", *(bundle.folder for bundle in bundles), "--data", digits / "test.npz",
            "--model", digits / "digits.onnx", "--limit", 100, "--json", code=1).out
    )  # fmt: skip
    measured = {c["quantity"]: c for c in told["changes"] if c["kind"] == "measured"}
    assert measured["accuracy"]["figures"]["points"] == pytest.approx(points)
    assert measured["classes"]["figures"] == {
        "changed": int(np.count_nonzero(classes[0] != classes[1])),
        "count": 100,
    }
    assert set(measured) == {"accuracy", "agreement", "classes", "spikes"}
    assert f"measured accuracy {points:+.2f} points" in told["summary"]
