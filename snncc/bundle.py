"""The bundle as an object: `.run`, `.verify`, its network and its manifest."""

import shutil
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from snncc.data import Dataset, batch_for, make_dataset, read_dataset, samples_for
from snncc.early_exit import Choice, Ending, choose_margin
from snncc.event_data import EventDataset
from snncc.notebook import compact
from snncc.onnx.reader import check_file
from snncc.passes.manager import Measurement
from snncc.result import Result
from snncc.verify import Verification, expected_of, verify
from snncc.words import decibels, percent
from snncc_backends import (
    BundleFolder,
    EarlyExit,
    Execution,
    OracleRunner,
    Preprocessing,
    Runner,
    backend,
    exit_rule,
    margin_unit,
)  # fmt: skip
from snncc_backends.bundle import REPORT
from snncc_ir import Array, Batch, Graph, SnnccError, side_thread

Data = str | Path | Array | Dataset | EventDataset


@dataclass(frozen=True)
class Examination:
    """A verification, and the run of all samples and steps that it is of.

    samples: the network's numbers, and `numbers` the model's, which are others for events. labels:
    the samples' classes, (N,), where the data has some.
    """

    verification: Verification
    execution: Execution
    samples: Batch
    numbers: Batch
    labels: Array | None


class Bundle:
    """A compiled network. `Bundle.load(folder)` reads one; `snncc.compile` makes one."""

    def __init__(
        self,
        files: BundleFolder,
        temporary: Path | None = None,
        timings: Mapping[str, float] | None = None,
    ) -> None:
        """temporary: a folder that goes with the object. timings: of its compilation."""
        self.files = files
        self.timings: Mapping[str, float] = dict(timings or {})
        """Seconds of each stage of its compilation, in order; none for a bundle that was read."""
        if temporary is not None:
            weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)

    @staticmethod
    def load(folder: str | Path) -> "Bundle":
        """Reads and checks a bundle; raises SNN051."""
        return Bundle(BundleFolder.read(Path(folder)))

    @property
    def folder(self) -> Path:
        return self.files.folder

    @property
    def graph(self) -> Graph:
        """The network in its final normal form."""
        return self.files.graph

    @property
    def preprocessing(self) -> Preprocessing:
        return self.files.preprocessing

    @property
    def notes(self) -> tuple[str, ...]:
        """What the compiler had to say."""
        notes = self.files.manifest.get("notes", [])
        return tuple(map(str, notes)) if isinstance(notes, list) else ()

    @cached_property
    def report(self) -> dict[str, object]:
        """report.json: `summary` and `waterfall`."""
        content = self.files.json(REPORT)
        return dict(content) if isinstance(content, dict) else {}

    @cached_property
    def early_exit(self) -> float | None:
        """The margin at which samples end early, as compiled in; None where they do not."""
        stored = self.files.manifest.get("early_exit")
        margin = stored.get("margin") if isinstance(stored, dict) else None
        return float(margin) if isinstance(margin, int | float) else None

    def choose_early_exit(
        self,
        calibration: Data,
        points: float,
        steps: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Choice:
        """The least margin that changes the results of at most `points` per cent of all samples.

        Raises SNN053 for a network whose samples cannot end early. See `choose_margin`.
        """
        margin_unit(self.graph)
        samples = samples_for(self.graph, self.dataset(calibration), self.preprocessing)
        runner, _ = self.runner_or_oracle()
        return choose_margin(self.graph, runner.run(samples, steps, progress=progress), points)

    @property
    def summary(self) -> dict[str, object]:
        """Key figures: numbers of populations, neurons, projections, weights, and their bits."""
        summary = self.report.get("summary", {})
        return dict(summary) if isinstance(summary, dict) else {}

    @property
    def waterfall(self) -> tuple[Measurement, ...]:
        """What each pass changed, on calibration data."""
        rows = self.report.get("waterfall", [])
        return tuple(Measurement(**row) for row in rows) if isinstance(rows, list) else ()

    @cached_property
    def runner(self) -> Runner:
        """What runs the target's files; raises SNN052 when this machine cannot."""
        return backend(self.files.text("target")).load(self.folder, self.graph)

    def runner_or_oracle(self) -> tuple[Runner, str]:
        """The runner, or the numpy oracle with the reason why it has to stand in."""
        try:
            return self.runner, ""
        except SnnccError as error:
            if all(diagnostic.code == "SNN052" for diagnostic in error.diagnostics):
                return OracleRunner(self.graph), str(error)
            raise

    def dataset(self, data: Data) -> Dataset | EventDataset:
        """Data as a checked dataset; raises SNN030, of events SNN033."""
        match data:
            case Dataset() | EventDataset():
                return data
            case str() | Path():
                return read_dataset(Path(data))
        return make_dataset({"x": np.asarray(data)})

    def run(
        self,
        data: Data,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
        early_exit: float | Choice | None = None,
    ) -> Result:
        """Runs samples as they stand in a data file (preprocessing is the bundle's).

        steps: at most those compiled for. record: keep every spike. early_exit: the margin at which
        a sample ends, in the network's own numbers added up over steps; 0 for all steps, None for
        what was compiled in. Raises SNN030 for data that does not fit, SNN053 for a network whose
        samples cannot end early.
        """
        batch = batch_for(self.graph, self.dataset(data), self.preprocessing)
        samples = batch.samples
        runner, _ = self.runner_or_oracle()
        rule = self._rule(early_exit)
        if rule is None:
            execution = runner.run(samples, steps, record, progress)
        else:
            execution = runner.run_until(samples, rule, steps, record, progress)
        return Result(self.graph, execution, runner.description, batch.notes)

    def verify(
        self,
        model: str | Path,
        data: Data,
        exact: int = 0,
        steps: int | None = None,
        progress: Callable[[int], None] | None = None,
        early_exit: float | Choice | None = None,
    ) -> Verification:
        """Compares with onnxruntime on `model`, and `exact` samples also with the oracle.

        early_exit: as in `run`; the figures of all steps are there in any case.
        """
        return self.examine(model, data, exact, steps, progress, early_exit).verification

    def examine(
        self,
        model: str | Path,
        data: Data,
        exact: int = 0,
        steps: int | None = None,
        progress: Callable[[int], None] | None = None,
        early_exit: float | Choice | None = None,
        begun: Execution | None = None,
    ) -> Examination:
        """As `verify`, with the run itself. begun: one of the first samples, of all `steps`."""
        check_file(Path(model))  # before all samples are run
        dataset = self.dataset(data)
        batch = batch_for(self.graph, dataset, self.preprocessing)
        samples = batch.samples
        rule = self._rule(early_exit)
        runner, reason = self.runner_or_oracle()
        labels = dataset.labels
        # most simulators are processes of their own, beside which onnxruntime can work
        with side_thread() as thread:
            told = thread.submit(expected_of, self.files, Path(model), batch, labels)
            result = _rest(runner, samples, steps, begun, progress)
            ending = None
            if rule is not None:
                execution = runner.run_until(samples, rule, steps, progress=progress)
                choice = early_exit if isinstance(early_exit, Choice) else None
                ending = Ending(rule, execution, choice)
            expected = told.result()
        found = verify(
            self.files, runner, reason, result, Path(model), batch, labels, exact, expected, ending
        )
        return Examination(found, result, samples, batch.numbers, labels)

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and what its passes changed."""
        summary, rows = self.summary, self.waterfall
        name, target = self.files.table("model").get("name"), self.files.text("target")
        tiles = [
            (key, f"{summary[key]:,}", note)
            for key, note in (("neurons", "that spike"), ("weights", ""), ("weight_bits", "in all"))
            if isinstance(summary.get(key), int)
        ]
        table = [
            (row.step.partition("{")[0], percent(row.accuracy), percent(row.agreement),
             decibels(row.snr))
            for row in rows
        ]  # fmt: skip
        columns = ("pass", "accuracy", "agreement", "SNR, dB")
        return compact(f"{name} on target {target}", tiles, self.notes, columns, table)

    def _rule(self, margin: float | Choice | None) -> EarlyExit | None:
        """For what a caller asks of early exit; None for all steps."""
        if isinstance(margin, Choice):
            return EarlyExit(margin.units)
        asked = self.early_exit if margin is None else margin
        return None if asked is None or asked == 0 else exit_rule(self.graph, asked)


def _rest(
    runner: Runner,
    samples: Batch,
    steps: int | None,
    begun: Execution | None,
    progress: Callable[[int], None] | None,
) -> Execution:
    """A run of all samples, of which the first ones may be there already."""
    if begun is None:
        return runner.run(samples, steps, progress=progress)
    done = len(next(iter(begun.totals.values())))
    left = {name: array[done:] for name, array in samples.items()}
    parts = [replace(begun, spikes={})]
    if len(next(iter(left.values()))):
        parts.append(runner.run(left, steps, progress=progress))
    return Execution.joined(parts)
