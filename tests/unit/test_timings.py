"""Seconds by stage: a stage within another counts for itself alone."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import snncc
from snncc.cli.main import main
from snncc_ir import Stopwatch


def test_stages_within_stages_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
    monkeypatch.setattr("snncc_ir.stopwatch.perf_counter", lambda: next(moments))
    watch = Stopwatch()
    with watch.stage("outer"):
        with watch.stage("inner"):
            pass
    with watch.stage("outer"):
        pass
    assert watch.seconds == {"outer": 1.0 + 3.0 + 5.0, "inner": 2.0}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    weights = numpy_helper.from_array(np.eye(4, 3, dtype=np.float32), "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Relu", ["z"], ["y"]),
    ]
    given, result = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
        for name, size in (("x", 4), ("y", 3))
    )
    path = tmp_path / "m.onnx"
    proto = helper.make_model(
        helper.make_graph(nodes, "m", [given], [result], [weights]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(proto, path)
    return path


def test_a_compiled_bundle_knows_its_timings_and_its_files_do_not(
    model: Path, tmp_path: Path
) -> None:
    bundle = snncc.compile(model, output=tmp_path / "b", steps=4)
    stages = list(bundle.timings)
    assert stages[:3] == ["read", "simplify", "lower"]
    assert stages[-1] == "write"
    assert "normalize" in stages
    assert all(value >= 0 for value in bundle.timings.values())
    assert not snncc.Bundle.load(tmp_path / "b").timings
    again = snncc.compile(model, output=tmp_path / "c", steps=4)
    files = [{p.name: p.read_bytes() for p in b.folder.rglob("*.json")} for b in (bundle, again)]
    assert files[0] == files[1]


def test_the_command_shows_them(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*options: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(model), "-o", str(tmp_path / "b"), "--force", "--steps", "4", *options])
        assert ended.value.code == 0
        return capsys.readouterr().out

    rows = json.loads(run("--timings", "--json"))["timings"]
    assert [row["stage"] for row in rows][:1] == ["read"]
    assert sum(row["share"] for row in rows) == pytest.approx(1, abs=0.01)
    assert "timings" not in json.loads(run("--json"))
    assert "seconds by stage" in run("--timings")
    assert "seconds by stage" not in run()
