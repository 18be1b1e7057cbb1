"""One row of a sweep, as it stands in sweep.csv, and back."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from snncc import __version__
from snncc.options import make_settings
from snncc.search import Study
from snncc.search.trial import Candidate, Trial
from snncc.shares import Share
from snncc.sweep.front import Point, front
from snncc_backends import backend
from snncc_ir import SnnccError, fail

NUMBERS = (
    "samples", "float_accuracy", "accuracy", "accuracy_low", "accuracy_high", "agreement",
    "agreement_low", "agreement_high", "steps", "spikes", "synaptic_operations", "microjoules",
    "milliseconds",
)  # fmt: skip
COSTS = {"steps": "steps", "operations": "synaptic_operations", "energy": "microjoules"}
"""Fronts by the cost that they trade against accuracy."""
FRONTS = tuple(f"front_{name}" for name in COSTS)


@dataclass(frozen=True)
class Row:
    """A combination and its figures. All shares are in 0..1; counts are means per sample.

    key: digest of the model, the samples and the settings. settings: all of them, as text. numbers:
    by the names of `NUMBERS`, those that there are. fronts: the costs in whose front it is.
    """

    key: str
    target: str
    options: str
    settings: Mapping[str, str]
    numbers: Mapping[str, float]
    error: str = ""
    fronts: frozenset[str] = frozenset()

    @property
    def quality(self) -> float | None:
        """Accuracy, or agreement without labels."""
        return self.numbers.get("accuracy", self.numbers.get("agreement"))

    def share(self, name: str) -> Share | None:
        """`accuracy` or `agreement` with its interval."""
        if name not in self.numbers:
            return None
        return Share(*(self.numbers[name + end] for end in ("", "_low", "_high")))

    def point(self, cost: str) -> Point | None:
        """Its place in a front."""
        price, quality = self.numbers.get(COSTS[cost]), self.quality
        return None if price is None or quality is None else (price, quality)


def settings_of(candidate: Candidate) -> dict[str, str]:
    """All settings of a candidate, defaults too; only its options where those are not valid."""
    try:
        every = make_settings(backend(candidate.target), None, candidate.options).as_json()
    except SnnccError:
        every = dict(candidate.options)
    return {key: str(value) for key, value in every.items()}


def key_of(study: Study, candidate: Candidate) -> str:
    """Digest of all that decides a row: of files that settings name, their content."""
    files = {
        key: sha256(Path(value).read_bytes()).hexdigest()
        for key, value in candidate.options.items()
        if isinstance(value, str) and Path(value).is_file()
    }
    parts = [__version__, study.digest, candidate.target, settings_of(candidate), files]
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def row_of(study: Study, key: str, trial: Trial) -> Row:
    """A finished trial."""
    candidate, figures = trial.candidate, trial.figures
    numbers: dict[str, float | None] = {}
    if figures is not None:
        numbers = {
            "samples": study.count,
            "float_accuracy": study.float_accuracy,
            **_share("accuracy", figures.accuracy),
            **_share("agreement", figures.agreement),
            "steps": figures.latency,
            "spikes": figures.spikes,
            "synaptic_operations": figures.operations,
            "microjoules": figures.microjoules,
            "milliseconds": figures.milliseconds,
        }
    return Row(
        key,
        candidate.target,
        str(candidate),
        settings_of(candidate),
        {name: float(value) for name, value in numbers.items() if value is not None},
        trial.error,
    )


def _share(name: str, share: Share | None) -> dict[str, float]:
    if share is None:
        return {}
    return {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}


def with_fronts(rows: Sequence[Row]) -> list[Row]:
    """The rows with the fronts that they are in."""
    inside = {cost: front([row.point(cost) for row in rows]) for cost in COSTS}
    return [
        replace(row, fronts=frozenset(cost for cost in COSTS if inside[cost][i]))
        for i, row in enumerate(rows)
    ]


def to_csv(rows: Sequence[Row]) -> bytes:
    """A table with one column for each setting that any row has."""
    names = dict.fromkeys(name for row in rows for name in row.settings)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    settings = [f"setting_{name}" for name in names]
    writer.writerow(["target", "options", *NUMBERS, *FRONTS, "error", *settings, "key"])
    for row in rows:
        numbers = [_text(row.numbers.get(name)) for name in NUMBERS]
        fronts = [str(int(name in row.fronts)) for name in COSTS]
        own = [row.settings.get(name, "") for name in names]
        writer.writerow([row.target, row.options, *numbers, *fronts, row.error, *own, row.key])
    return file.getvalue().encode()


def from_csv(content: bytes, place: str) -> list[Row]:
    """The rows of `to_csv`; raises SNN030 for a table of something else."""
    try:
        lines = list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))
        return [_row(line) for line in lines]
    except (
        UnicodeDecodeError,
        csv.Error,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise fail(
            "SNN030",
            f"the table of an earlier sweep cannot be read: {error}",
            place,
            "another folder with -o, or --force to compute everything anew",
        ) from None


def _row(line: Mapping[str, str]) -> Row:
    prefix = "setting_"
    return Row(
        line["key"],
        line["target"],
        line["options"],
        {k.removeprefix(prefix): v for k, v in line.items() if k.startswith(prefix) and v},
        {name: float(line[name]) for name in NUMBERS if line[name]},
        line["error"],
        frozenset(name for name in COSTS if line[f"front_{name}"] == "1"),
    )


def _text(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number == int(number) and abs(number) < 1 << 53 else repr(number)
