"""What `inspect` says of targets is what compiling for them then finds."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import helper

import snncc
from snncc.inspection import Inspection, TargetLook, inspect
from snncc.testing import FAMILY, network
from snncc_backends import ABOUT, AT_LEAST, Backend, Figure, RateSettings, Runner, backend, draft
from snncc_ir import INTEGER, Diagnostic, Graph, SnnccError, check
from snncc_loihi import preview as loihi_preview
from snncc_ttfs28.machine import load_machine
from tests.e2e.models import MODELS, dyadic, mlp, residual, save
from tests.e2e.test_loihi_bad_input import tiny, written
from tests.unit.test_backends import plug_in

Make = Callable[[Path], Path]


def looked(path: Path, target: str, **options: object) -> TargetLook:
    (look,) = inspect(path, target, options).targets
    return look


def figures(look: TargetLook) -> dict[str, Figure]:
    return {figure.name: figure for figure in look.figures}


@pytest.mark.parametrize("neuron", ["if", "graded", "ttfs", "radix"])
@pytest.mark.parametrize("name", FAMILY)
def test_a_draft_is_well_formed(name: str, neuron: str) -> None:
    """Of any network: at stage INTEGER, with the shapes and formats of a compiled one."""
    given = network(name, "if")
    chip = backend("c")
    coding = {c.coding: c for c in chip.codings}[neuron if neuron in ("ttfs", "radix") else "rate"]
    settings = chip.defaults(coding, {})
    drafted = draft(given, settings)
    assert drafted is not None
    check(drafted, INTEGER)
    assert [node.type.shape for node in drafted] == [node.type.shape for node in given]


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """When compiling, too, every neuron is taken to send one spike; no simulator is built."""
    monkeypatch.setattr("snncc.compiler.measured_spikes", lambda *given: {})


CODINGS = [
    ("c", {}), ("c", {"neuron": "signed-graded"}), ("c", {"weight_bits": 8}),
    ("c", {"coding": "ttfs"}), ("c", {"coding": "radix"}), ("ttfs28", {}),
    ("loihi", {}), ("loihi", {"chip": "loihi1"}),
]  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("target", "options"), CODINGS)
def test_estimates_are_what_is_compiled(
    name: str,
    target: str,
    options: dict[str, object],
    tmp_path: Path,
    unmeasured: None,
) -> None:
    model = MODELS[name][0](tmp_path)
    look = looked(model, target, **options)
    assert look.fits
    found = figures(look)
    rate = {} if options.get("coding") or target == "ttfs28" else {"calibrate": "off"}
    made = snncc.compile(model, target=target, settings={**options, **rate})
    folder = made.folder
    if target == "c":
        header = (folder / "c" / "model.h").read_text(encoding="utf-8")
        sizes = dict(re.findall(r"#define MODEL_(\w+)_BYTES (\d+)", header))
        assert found["working memory"].value == int(sizes["STATE"])
        assert found["weights and parameters"].value == int(sizes["WEIGHT"])
    elif target == "ttfs28":
        size = (folder / "ttfs28" / "image.bin").stat().st_size
        assert abs(found["image"].value - size) <= 0.15 * size
    else:
        told = json.loads((folder / "loihi" / "cores.json").read_text(encoding="utf-8"))["totals"]
        assert abs(found["cores"].value - told["cores"]) <= 1
        if "chip" not in options:  # else the input is taken to have both signs
            assert found["compartments"].value == told["compartments"]


def two_layouts(folder: Path) -> Path:
    """Convolutions of different shapes into one population."""
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c0"], "/c0/Conv"),
        helper.make_node("Relu", ["c0"], ["r0"], "/r0/Relu"),
        helper.make_node("Conv", ["r0", "w1"], ["a"], "/a/Conv", strides=[2, 1]),
        helper.make_node("Conv", ["r0", "w2"], ["b"], "/b/Conv", strides=[1, 2]),
        helper.make_node("Flatten", ["a"], ["fa"], "/fa/Flatten"),
        helper.make_node("Flatten", ["b"], ["fb"], "/fb/Flatten"),
        helper.make_node("Add", ["fa", "fb"], ["s"], "/s/Add"),
        helper.make_node("Relu", ["s"], ["r"], "/r/Relu"),
        helper.make_node("Gemm", ["r", "w3"], ["y"], "/g/Gemm", transB=1),
    ]
    constants = {
        "w0": dyadic(1, 2, 1, 1, 1), "w1": dyadic(2, 2, 2, 1, 1), "w2": dyadic(3, 2, 2, 1, 1),
        "w3": dyadic(4, 3, 16),
    }  # fmt: skip
    return save(folder / "layouts.onnx", nodes, (1, 4, 4), constants)


def machine(folder: Path, **values: int) -> str:
    table = json.loads(load_machine("ttfs28").content)
    return str(written(folder / "machine.json", {**table, **values}))


def chip(folder: Path, **values: object) -> str:
    return str(written(folder / "chip.json", tiny(**values)))


REFUSED: dict[str, tuple[Make, str, Callable[[Path], dict[str, object]], str]] = {
    "c layout": (two_layouts, "c", lambda f: {}, "meet in 'r'"),
    "ttfs28 layout": (two_layouts, "ttfs28", lambda f: {}, "meet in 'r'"),
    "ttfs28 window": (residual, "ttfs28", lambda f: {}, "is 3 wide"),
    "ttfs28 accumulators": (
        residual, "ttfs28", lambda f: {"machine": machine(f, accumulators=2)}, "buffers",
    ),
    "ttfs28 spike buffer": (
        mlp, "ttfs28", lambda f: {"machine": machine(f, weight_buffer=1)}, "buffers",
    ),
    "loihi neuron": (mlp, "loihi", lambda f: {"chip": "loihi1", "neuron": "graded"}, "are graded"),
    "loihi weights": (mlp, "loihi", lambda f: {"weight_bits": 12}, "a weight of"),
    "loihi pools": (
        residual,
        "loihi",
        lambda f: {
            "chip": chip(f, features__joins=False, features__soft_reset="none"),
            "neuron": "hard-if",
        },
        "is a max pool",
    ),
    "loihi input axons": (
        mlp, "loihi", lambda f: {"chip": chip(f, limits__input_axons=2)}, "input axons",
    ),
    "loihi synapses": (
        residual, "loihi", lambda f: {"chip": chip(f, limits__synapse_words=1)}, "synapse words",
    ),
    "loihi compartments": (
        mlp, "loihi", lambda f: {"chip": chip(f, limits__compartments=1)}, "compartments",
    ),
    "loihi cores": (mlp, "loihi", lambda f: {"chip": chip(f)}, "should be at most 2"),
}  # fmt: skip


def unnumbered(found: tuple[Diagnostic, ...]) -> list[tuple[str, ...]]:
    """Without amounts that depend on what weights are rounded to, and without names of passes."""
    return [
        (d.code, re.sub(r"(is|takes) -?\d+", r"\1 #", d.message), d.place.split(" (by ")[0], d.hint)
        for d in found
    ]


@pytest.mark.parametrize("case", REFUSED)
def test_what_inspect_finds_is_what_compile_finds(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unmeasured: None
) -> None:
    if "window" in case:
        monkeypatch.setattr("snncc_ttfs28.rules.MOST_SIZE", 2)
    make, target, options, message = REFUSED[case]
    model, given = make(tmp_path), options(tmp_path)
    look = looked(model, target, **given)
    assert look.fits is False
    assert not look.figures
    assert message in look.findings[0].message
    rate = {"calibrate": "off"} if target != "ttfs28" else {}
    with pytest.raises(SnnccError) as caught:
        snncc.compile(model, target=target, settings={**given, **rate})
    assert unnumbered(look.findings) == unnumbered(caught.value.diagnostics)


@pytest.mark.parametrize(
    "name", sorted(set(FAMILY) - {"binary-conv", "binary-moves", "binary-dense"})
)
def test_a_bound_is_below_the_cut(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loihi = backend("loihi")
    for chip_name in ("loihi2", "loihi1"):
        settings = loihi.defaults(loihi.codings[0], {"chip": chip_name})
        drafted = draft(network(name, "if"), settings)
        assert drafted is not None
        known = loihi.preview(drafted, settings, thorough=True)
        with monkeypatch.context() as patched:
            patched.setattr(loihi_preview, "QUICK", 0)
            bound = loihi.preview(drafted, settings)
        if known.findings:
            assert chip_name == "loihi1"
            continue
        assert not bound.findings
        (least,) = (f for f in bound.figures if f.name == "cores")
        (cut,) = (f for f in known.figures if f.name == "cores")
        assert (least.bound, cut.bound) == (AT_LEAST, ABOUT)
        assert 1 <= least.value <= cut.value


def test_a_bound_finds_neurons_that_hear_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, object] = {"chip": chip(tmp_path, limits__input_axons=3)}
    cut = looked(mlp(tmp_path), "loihi", **options)
    monkeypatch.setattr(loihi_preview, "QUICK", 0)
    bound = looked(mlp(tmp_path), "loihi", **options)
    # the cut also counts what neurons of loihi1 hear of themselves
    found = [re.findall("'(.*)'", f.message) for f in bound.findings]
    assert found == [re.findall("'(.*)'", f.message) for f in cut.findings]
    assert len(found) == 2


class Own(RateSettings):
    """Of a plug-in: as any rate code."""


class Plain(Backend):
    """A plug-in without an estimate."""

    name = "plain"
    summary = "no preview of its own"
    codings = (Own,)
    models = ("if", "readout")

    def emit(self, *arguments: object) -> dict[str, bytes]:
        raise NotImplementedError

    def load(self, *arguments: object) -> Runner:
        raise NotImplementedError


def test_plug_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    plug_in(monkeypatch, ("broken", "nowhere:Chip"), ("plain", f"{here}:Plain"),
            ("other", "tests.unit.test_backends:Other"))  # fmt: skip
    looks = {look.name: look for look in inspect(mlp(tmp_path)).targets}
    assert (looks["plain"].fits, looks["plain"].figures) == (True, ())
    assert looks["broken"].fits is False
    assert looks["broken"].findings[0].code == "SNN040"
    assert looks["other"].fits  # a pipeline that ends in normal form
    assert looks["c"].figures

    def never(graph: Graph, settings: object) -> list[Diagnostic]:
        return [Diagnostic("SNN041", "nothing fits")]

    monkeypatch.setattr(Plain, "rules", (never,))
    found: Inspection = inspect(mlp(tmp_path), "plain")
    assert not found.compiles
    assert found.targets[0].findings[0].message == "nothing fits"
