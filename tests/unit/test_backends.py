"""Targets: found, broken, given twice; and each rule of target c trips."""

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import snncc_backends.registry
from snncc.build import check_rules
from snncc.options import make_settings
from snncc.passes.registry import parse_pipeline, print_pipeline
from snncc_backends import Backend, Preprocessing, RateSettings, Runner, Settings, backend, targets
from snncc_backends.bundle import write_bundle
from snncc_c import CBackend
from snncc_c.tables import comment
from snncc_ir import Diagnostic, Graph, GraphBuilder, SnnccError, f32, i16, i32
from snncc_ir.ops import Conv, Dense, Input, IntegrateFire, Output, Population, Relu


class Other(Backend):
    """As a plug-in's author would write it."""

    name = "other"
    summary = "another chip"
    codings = (RateSettings,)
    models = ("if",)

    def pipeline(self, settings: Settings) -> str:
        return "fuse"

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        return {}

    def load(self, folder: Path, graph: Graph) -> Runner:
        raise NotImplementedError


def plug_in(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, "snncc.backends") for name, value in points]
    monkeypatch.setattr(snncc_backends.registry, "entry_points", lambda group: found)


def test_a_plug_in_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, ("other", f"{__name__}:Other"))
    assert list(targets()) == ["c", "ttfs28", "loihi", "nir", "other"]
    assert backend("other").summary == "another chip"


def test_a_name_given_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, ("c", f"{__name__}:Other"))
    with pytest.raises(SnnccError, match="target 'c' is provided twice"):
        backend("c")


def test_settings_reach_the_pipeline() -> None:
    settings = make_settings(CBackend(), {"steps": "5", "per": "layer"}, {"weight_bits": 7})
    pipeline = print_pipeline(parse_pipeline(CBackend().pipeline(settings)))
    assert "per=layer" in pipeline
    assert "rate-code{neuron=if,steps=5,start=0.5,most=7},calibrate-rate{" in pipeline
    assert "quantize-weights{bits=7" in pipeline
    with pytest.raises(SnnccError) as caught:
        make_settings(CBackend(), None, {"speed": 3})
    assert caught.value.diagnostics[0].code == "SNN042"


def broken(graph: Graph) -> list[Diagnostic]:
    with pytest.raises(SnnccError) as caught:
        check_rules(CBackend(), graph, RateSettings())
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"SNN041"}
    return list(caught.value.diagnostics)


def test_rule_rate_code() -> None:
    builder = GraphBuilder("g")
    builder.add("x", Input((2,)), [])
    op = Population((1,), ((Dense(f32(np.ones((1, 2)))),),), f32(np.zeros(1)), Relu())
    builder.add("n", op, ["x"])
    builder.add("y", Output(), ["n"])
    (found,) = broken(builder.graph())
    assert found.message == "the code is uncoded, should be rate, ttfs or radix"


def test_rule_one_layout() -> None:
    builder = GraphBuilder("g")
    builder.add("x", Input((1, 4, 4), 1.0, 1), [])
    kernel = i16(np.ones((2, 1, 1, 1), int))
    tall, flat = (Conv(kernel, s, (0, 0, 0, 0), (1, 1)) for s in ((2, 1), (1, 2)))
    model = IntegrateFire(2, i32(np.ones(1, int)), i32(np.zeros(1, int)))
    op = Population((2, 2, 4), ((tall,), (flat,)), i32(np.zeros((1, 1, 1), int)), model)
    builder.add("n", op, ["x", "x"])
    builder.add("y", Output(), ["n"])
    (found,) = broken(builder.graph())
    assert "convolutions of shapes [(2, 2, 4), (2, 4, 2)] meet in 'n'" in found.message


def test_rule_addressable(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = GraphBuilder("g")
    builder.add("x", Input((6,), 1.0, 1), [])
    model = IntegrateFire(2, i32(np.ones(1, int)), i32(np.zeros(1, int)))
    dense = Dense(i16(np.ones((2, 6), int)))
    builder.add("n", Population((2,), ((dense,),), i32(np.zeros(1, int)), model), ["x"])
    builder.add("y", Output(), ["n"])
    check_rules(CBackend(), builder.graph(), RateSettings())
    monkeypatch.setattr("snncc_c.rules.LARGEST", 12)
    (found,) = broken(builder.graph())
    assert "'n' has 12 neurons or weights, should be under" in found.message


@pytest.mark.parametrize(
    "name", ["a */ int evil; /*", "what??/\nline", "back\\", 'quo"te', "ünïcode ✓", "tab\tnul\0"]
)
def test_names_cannot_leave_a_comment(name: str) -> None:
    kept = comment(name)
    assert len(kept) == len(name)
    assert kept.isascii()
    assert kept.isprintable()
    assert not any(mark in kept for mark in ("*/", "/*", "??", "\\", '"'))


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    write_bundle(folder, {"target": "c"}, {"a": b"1"})
    with pytest.raises(SnnccError) as caught:
        # a file and a folder of one name cannot be written
        write_bundle(folder, {"target": "c"}, {"a": b"2", "a/b": b"3"}, force=True)
    assert caught.value.diagnostics[0].code == "SNN050"
    assert (folder / "a").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("layout", ["model", "nhwc"])
def test_preprocessing_by_hand(layout: str) -> None:
    pre = Preprocessing(0.5, (1.0, 2.0), (4.0, 8.0), layout)
    data = np.arange(2 * 2 * 3 * 3).reshape(2, 2, 3, 3).astype(np.uint8)
    given = np.moveaxis(data, 1, -1) if layout == "nhwc" else data
    x = pre.apply(given, (2, 3, 3))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[:, 0], (data[:, 0] * 0.5 - 1) / 4, rtol=1e-6)
    np.testing.assert_allclose(x[:, 1], (data[:, 1] * 0.5 - 2) / 8, rtol=1e-6)
    assert Preprocessing.from_json({**pre.as_json(), "mean": [1.0, 2.0], "std": [4.0, 8.0]}) == pre


def test_preprocessing_of_a_network_that_takes_channels_last() -> None:
    pre = Preprocessing(1.0, (1.0, 2.0, 3.0))
    x = pre.apply(np.zeros((1, 5, 5, 3), np.uint8), (5, 5, 3))
    assert x[0, 0, 0].tolist() == [-1.0, -2.0, -3.0]
    assert not pre.per_first_axis((5, 5, 3))
    assert pre.per_first_axis((3, 5, 5))


def test_axes_of_length_one_may_be_missing() -> None:
    assert Preprocessing().apply(np.zeros((4, 28, 28)), (1, 28, 28)).shape == (4, 1, 28, 28)


def test_a_wrong_layout_is_guessed() -> None:
    with pytest.raises(SnnccError, match="--layout nhwc"):
        Preprocessing().apply(np.zeros((4, 8, 8, 3)), (3, 8, 8))
    with pytest.raises(SnnccError, match="leave --layout nhwc out"):
        Preprocessing(layout="nhwc").apply(np.zeros((4, 8, 7, 3)), (8, 7, 3))
