"""Whole bundles of small networks, compared with `snncc diff`.

    pytest tests/e2e/test_golden.py --update-golden

renews them. A golden that no test claims fails too.
"""

import shutil
from pathlib import Path

import pytest

import snncc
from snncc.diff import diff
from tests.conftest import ROOT
from tests.e2e.models import MODELS, samples

GOLDEN = ROOT / "tests" / "golden"
SETTINGS: dict[str, dict[str, object]] = {
    "if": {"steps": 8, "neuron": "if", "method": "percentile", "calibrate": "off"},
    "signed-if": {"steps": 8, "neuron": "signed-if"},
    "ttfs": {"coding": "ttfs"},
    "ttfs28": {"target": "ttfs28"},
    "loihi1": {"target": "loihi", "chip": "loihi1", "steps": 8, "calibrate": "off"},
    "loihi2": {"target": "loihi", "steps": 4, "calibrate": "off"},
}
CASES = {f"{model}-{setting}": (model, setting) for model in MODELS for setting in SETTINGS}


@pytest.mark.parametrize("case", CASES)
def test_bundle_is_the_golden_one(case: str, tmp_path: Path, update_golden: bool) -> None:
    name, setting = CASES[case]
    make, shape = MODELS[name]
    data = samples(tmp_path / "data.npz", shape)
    options = SETTINGS[setting]
    snncc.compile(make(tmp_path), calibration=data, output=tmp_path / case, **options)  # type: ignore[arg-type]
    if update_golden:
        shutil.rmtree(GOLDEN / case, ignore_errors=True)
        shutil.copytree(tmp_path / case, GOLDEN / case)
    assert (GOLDEN / case).is_dir(), "run pytest --update-golden"
    found = diff(GOLDEN / case, tmp_path / case)
    assert found.equal, found.summary


def test_no_golden_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir() if path.is_dir()} == set(CASES)
