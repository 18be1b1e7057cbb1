"""`snncc report` as a whole: its figures are those of `snncc verify`, and its page shows them."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.data import read_dataset
from snncc.reporting.contents import UNITS
from snncc.reporting.measured import enough_samples
from snncc_ir import SnnccError
from tests.conftest import ROOT
from tests.e2e.browser import Browser, browser_or_skip
from tests.e2e.test_cli import Cli

pytest.importorskip("matplotlib", reason="matplotlib is not installed: snncc[plot]")

from matplotlib.backends.backend_agg import FigureCanvasAgg

DIGITS = ROOT / "examples" / "digits"
TARGETS = ("c", "ttfs28", "loihi")
MEASURED = ("--model", DIGITS / "digits.onnx", "--data", DIGITS / "test.npz", "--limit", 40)
EARLY = {"c": ("--early-exit", 6.0)}
PARTS = {
    "c": {"steps", "target-memory"},
    "ttfs28": {"energy", "target-schedule", "target-memory"},
    "loihi": {"steps", "energy", "target-mesh", "target-use", "target-cut"},
}
"""Sections that one target has, and not all."""
COMMON = {"waterfall", "quality", "spikes", "work", "memory", "neurobench", "network"}


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capfd)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped example for every target, in one folder."""
    calibration = read_dataset(DIGITS / "calib.npz").first(64)
    folder = tmp_path_factory.mktemp("report")
    for target in TARGETS:
        snncc.compile(
            DIGITS / "digits.onnx",
            target=target,
            calibration=calibration,
            preprocessing=snncc.Preprocessing(1 / 16),
            output=folder / target,
            settings={} if target == "ttfs28" else {"steps": 8, "neuron": "signed-if"},
        )
    return folder


@pytest.fixture(scope="module")
def reports(bundles: Path) -> dict[str, snncc.Report]:
    """Of every target, measured and written beside the bundles."""
    found = {}
    for target in TARGETS:
        early = EARLY.get(target, (None, None))[1]
        report = snncc.make_report(
            bundles / target, MEASURED[1], MEASURED[3], limit=40, early_exit=early
        )
        report.write(bundles / f"{target}-report")
        found[target] = report
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_figures_are_those_of_verify(
    cli: Cli, bundles: Path, reports: dict[str, snncc.Report], target: str
) -> None:
    shown = cli("verify", bundles / target, *MEASURED, *EARLY.get(target, ()), "--json")
    verified = json.loads(shown.out)
    written = json.loads((bundles / f"{target}-report" / "report.json").read_bytes())
    assert written["verification"] == verified
    assert written["estimate"] == verified["estimate"]
    assert [at["snr"] for at in written["waterfall"][-2:]] == [
        verified["closed_form"]["snr"], verified["at_steps"][-1]["snr"]
    ]  # fmt: skip
    layers = {layer["name"]: layer for layer in written["layers"]}
    for name, spikes in verified["layers"].items():
        assert layers[name]["spikes"] == spikes
    operations = [layer["synaptic_operations"] or 0.0 for layer in layers.values()]
    assert sum(operations) == pytest.approx(verified["synaptic_operations"])
    assert written == json.loads(json.dumps(reports[target].as_json()))


def test_samples_are_as_many_as_take_seconds(reports: dict[str, snncc.Report]) -> None:
    facts = reports["c"].facts
    recorded = facts.measured.recorded
    assert enough_samples(recorded) == 128
    for each, expected in ((50_000_000, 50), (10**9, 8)):
        heavy = {"layer": np.full(8, each)}
        assert enough_samples(replace(recorded, synaptic_operations=heavy)) == expected
    assert enough_samples(replace(recorded, synaptic_operations={})) == 8


@pytest.mark.parametrize("target", TARGETS)
def test_the_page_shows_its_figures(
    bundles: Path, reports: dict[str, snncc.Report], target: str
) -> None:
    page = (bundles / f"{target}-report" / "report.html").read_text(encoding="utf-8")
    assert page == reports[target].html
    sections = set(re.findall(r'<section id="([^"]+)"', page))
    assert sections >= COMMON | PARTS[target]
    found = reports[target].facts.measured.verification
    assert found is not None
    assert found.last.accuracy is not None
    assert f"{100 * found.last.accuracy.value:.2f}\u00a0%" in page
    if found.estimate is not None:
        assert f"{found.estimate.microjoules:.3g}" in page
    assert str(bundles) not in page  # no path, so that it is the same everywhere
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)  # nothing from elsewhere
    assert not re.search(r"url\((?!#)", page)
    assert len(page) < 5e6


def test_every_unit_and_key_is_documented(reports: dict[str, snncc.Report]) -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    for key in (*UNITS, *reports["loihi"].as_json()):
        assert f"`{key}`" in text, key

    def keys(value: object) -> set[str]:
        match value:
            case dict():
                return set(value).union(*map(keys, value.values()))
            case list():
                return set().union(*map(keys, value))
        return set()

    every = set().union(*(keys(report.as_json()) for report in reports.values()))
    assert set(UNITS) <= every


def test_a_bundle_by_itself(cli: Cli, bundles: Path, tmp_path: Path) -> None:
    """Without data there is what the bundle knows; the bundle stays as it is.

    Another process with another hash seed, in another folder, writes the same bytes.
    """
    before = sorted(path.stat().st_mtime_ns for path in (bundles / "c").rglob("*"))
    place = tmp_path / "out"
    shown = cli("report", bundles / "c", "-o", place)
    assert "On calibration samples" in shown.out
    assert sorted(path.name for path in place.iterdir()) == ["report.html", "report.json"]
    found = json.loads((place / "report.json").read_bytes())
    assert found["verification"] is None
    assert found["data"]["source"] == "test vectors"
    assert sum(layer["spikes"] or 0 for layer in found["layers"]) > 0
    assert sorted(path.stat().st_mtime_ns for path in (bundles / "c").rglob("*")) == before
    refused = cli("report", bundles / "c", "-o", place, code=2)
    assert "holds a report already" in refused.err
    written = {path.name: path.read_bytes() for path in place.iterdir()}
    sources = os.pathsep.join(str(ROOT / part) for part in ("", "ir", "backends", "templates"))
    command = [sys.executable, "-c", "from snncc.cli import main; main()", "report"]
    subprocess.run(
        [*command, str(bundles / "c"), "-o", place.name, "--force", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": sources},
        check=True,
    )
    assert {path.name: path.read_bytes() for path in place.iterdir()} == written
    kept = cli("report", bundles / "c", "-o", bundles / "c", "--force", code=2)
    assert "exists and is no report" in kept.err


def test_refusals(cli: Cli, bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cli("report", bundles / "c", *MEASURED[:2], "-o", bundles / "none", code=2)
    assert "SNN042: a model is given without data, should be both or neither" in shown.err
    shown = cli("report", bundles / "c", *MEASURED[2:4], "-o", bundles / "none", code=2)
    assert "SNN042: data is given without a model" in shown.err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = cli("report", bundles / "c", "-o", bundles / "none", code=2)
    assert "SNN054: matplotlib is not installed" in shown.err
    assert not (bundles / "none").exists()


def test_notebooks(reports: dict[str, snncc.Report]) -> None:
    """Every object shows itself, and pictures are matplotlib's."""
    from matplotlib.figure import Figure

    report = reports["c"]
    bundle = report.facts.bundle
    result = bundle.run(next(iter(report.facts.measured.first.values()))[:4] * 16)
    verification = report.facts.measured.verification
    for shown in (report, bundle, result, verification):
        text = shown._repr_html_() if shown is not None else ""
        assert re.fullmatch(r"<div.*</div>\s*", text, re.S)
        assert "color:" not in text  # the notebook's own, light or dark
        assert len(text) < 8000
    assert set(report.figures) == {
        "waterfall", "steps", "raster", "values", "quality", "work", "memory"
    }  # fmt: skip
    assert all(isinstance(figure, Figure) for figure in report.figures.values())
    assert isinstance(report.plot("waterfall"), Figure)
    with pytest.raises(SnnccError, match="the report has no picture 'energy', should be one of"):
        report.plot("energy")


def test_pictures_without_classes(reports: dict[str, snncc.Report]) -> None:
    """Of networks whose output is no vector of classes there is the signal to noise."""
    facts = reports["c"].facts
    found = facts.measured.verification
    assert found is not None
    at_steps = tuple(replace(at, accuracy=None, agreement=None) for at in found.at_steps)
    plain = replace(found, at_steps=at_steps, float_accuracy=None, early=None)
    measured = replace(facts.measured, verification=plain, exits=())
    steps = tuple(
        replace(s, accuracy=None, agreement=None, accuracy_share=None, agreement_share=None)
        for s in facts.steps
    )
    report = snncc.Report(replace(facts, measured=measured, steps=steps))
    assert "signal to noise" in report.figures["waterfall"].axes[0].get_xlabel()
    assert "signal to noise" in report.figures["steps"].axes[0].get_ylabel()
    assert "dB above its error" in report.html


@pytest.mark.parametrize("length", [4, 60])
@pytest.mark.parametrize("target", TARGETS)
def test_pictures_hold_all_that_they_show(
    reports: dict[str, snncc.Report], target: str, length: int
) -> None:
    """Their margins are given, not found out: with short names and long ones, nothing is cut off,
    and no text of a legend lies on another."""
    facts = reports[target].facts
    names = {row.name: f"{number}" + length * "m" for number, row in enumerate(facts.layers)}
    quality, estimate, spikes = facts.quality, facts.measured.estimate, facts.histogram
    assert quality is not None
    measured = replace(
        facts.measured,
        quality=replace(quality, rows=tuple(replace(r, name=names[r.name]) for r in quality.rows)),
        estimate=None if estimate is None else replace(
            estimate, layers={names.get(n, n): value for n, value in estimate.layers.items()}
        ),
    )  # fmt: skip
    renamed = replace(
        facts,
        measured=measured,
        layers=tuple(
            replace(row, layer=replace(row.layer, name=names[row.name])) for row in facts.layers
        ),
        trains=tuple(replace(train, name=names[train.name]) for train in facts.trains),
        histogram=replace(spikes, names=tuple(names[name] for name in spikes.names)),
    )
    for name, figure in snncc.Report(renamed).figures.items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        box = figure.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
        wide, high = figure.get_size_inches()
        assert min(box.x0, box.y0) >= -0.03, f"{name}: {box}"
        assert box.x1 <= wide + 0.03, f"{name}: {box}, {wide} wide"
        assert box.y1 <= high + 0.03, f"{name}: {box}, {high} high"
        legends = [axes.get_legend() for axes in figure.axes]
        texts = [text for legend in legends if legend is not None for text in legend.get_texts()]
        for one, other in combinations(texts, 2):
            boxes = [text.get_window_extent().padded(-2) for text in (one, other)]
            assert not boxes[0].overlaps(boxes[1]), f"{name}: {one}, {other}"


@pytest.fixture(scope="module")
def browser() -> Browser:
    return browser_or_skip()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_in_a_browser(
    browser: Browser, bundles: Path, reports: dict[str, snncc.Report], dark: bool, tmp_path: Path
) -> None:
    """No script error, no empty picture, nothing too wide, readable on its paper."""
    pages = [bundles / f"{target}-report" / "report.html" for target in reports]
    for width in (1100, 420):
        for name, found in browser.look(pages, width, dark, tmp_path).items():
            place = f"{name}, {width} wide"
            assert found["errors"] == [], place
            assert len(found["pictures"]) >= 8, place
            for picture in found["pictures"]:
                assert picture["label"], place
                assert picture["drawn"] >= 5, f"{place}: {picture}"
                assert picture["width"] > 15, f"{place}: {picture}"
                assert picture["height"] > 50, f"{place}: {picture}"
            assert found["scroll"] <= width, place
            assert found["contrast"] > 7, place
            assert found["ids"] == sorted(set(found["ids"])), place
            assert found["headings"] == [1, *[2] * (len(found["headings"]) - 1)], place
            assert found["missing"] == [], place
    shot = browser.screenshot(pages[0], 900, 1200, dark, tmp_path)
    assert len(set(shot.tolist())) > 50, "the page is blank"
    assert (shot.mean() < 80) if dark else (shot.mean() > 200)
