"""The whole front of accuracy, latency and energy: `snncc sweep`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snncc.build import Progress
from snncc.files import write_whole
from snncc.search import make_study
from snncc.source import Data, load_source
from snncc.sweep.plan import Lists, candidates
from snncc.sweep.row import Row, from_csv, key_of, row_of, to_csv, with_fronts
from snncc.sweep.workers import Finished, on_cores, on_dask
from snncc_backends import Preprocessing
from snncc_ir import cores, fail, why

TABLE = "sweep.csv"


@dataclass(frozen=True)
class Sweep:
    """All rows, in the order of the combinations.

    held_out: measured on a part of the calibration samples; reused: rows of an earlier sweep.
    notes: what the user should know.
    """

    rows: tuple[Row, ...]
    samples: int
    float_accuracy: float | None
    held_out: bool
    reused: int
    notes: tuple[str, ...]


def sweep(
    model: str | Path,
    output: str | Path,
    *,
    targets: Sequence[str] = ("c",),
    codings: Sequence[str] = (),
    lists: Lists | None = None,
    calibration: Data | None = None,
    data: Data | None = None,
    approximate: bool = False,
    preprocessing: Preprocessing | None = None,
    limit: int | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Sweep:
    """Compiles and measures every combination of settings; writes sweep.csv into `output`.

    lists: values by setting, such as {"steps": ["8", "16"]}. Measured on `data`, or else on a
    held-out part of the calibration samples; limit: on so many at most. approximate: as of
    `snncc.compile`. Rows of an earlier sweep of
    the same model, samples and settings are taken from its table unless `force`. jobs: processes
    (default: one a core); dask: address of a scheduler. A combination that the target refuses is
    a row with its diagnostic. Raises `SnnccError`.

    Worker processes import the main module, so a script calls this under
    `if __name__ == "__main__"`.
    """
    folder = Path(output)
    planned = candidates(targets, codings, lists or {})
    if jobs is not None and jobs < 1:
        raise fail(
            "SNN042", f"jobs is {jobs}, should be at least 1", hint="leave --jobs out: one a core"
        )
    earlier = _earlier(folder, force)
    progress("import", 0, 1)
    pre = preprocessing or Preprocessing()
    if pre.events is not None and pre.events.streams:
        raise fail(
            "SNN034",
            "a sweep is given a stream of events, which depends on the time steps, should be given "
            "frames",
            hint="--events input=frame; or compile once for each number of steps",
        )
    source = load_source(Path(model), calibration, pre, approximate)
    study = make_study(source, data, limit)
    keys = [key_of(study, candidate) for candidate in planned]
    rows = {i: earlier[key] for i, key in enumerate(keys) if key in earlier}
    reused = len(rows)
    missing = [i for i in range(len(planned)) if i not in rows]
    progress(f"{len(planned)} combinations", len(rows), len(planned))
    if missing:
        left = [planned[i] for i in missing]
        finished: Finished = (
            on_dask(study, left, dask) if dask else on_cores(study, left, jobs or cores())
        )
        for index, trial in finished:
            at = missing[index]
            rows[at] = row_of(study, keys[at], trial)
            # at once, so that what is interrupted goes on from there
            _write(folder, [rows[i] for i in sorted(rows)])
            progress(f"{planned[at].target} {planned[at]}", len(rows), len(planned))
    ordered = with_fronts([rows[i] for i in range(len(planned))])
    _write(folder, ordered)
    return Sweep(
        tuple(ordered), study.count, study.float_accuracy, study.held_out, reused, source.notes
    )


def _earlier(folder: Path, force: bool) -> dict[str, Row]:
    """Rows by key that stand in the folder; raises SNN050 when it is something else's."""
    table = folder / TABLE
    if folder.is_dir() and any(folder.iterdir()) and not table.is_file():
        raise fail(
            "SNN050",
            "the output folder exists and is no sweep, so it is left alone",
            str(folder),
            "another folder with -o, or an empty one",
        )
    if folder.exists() and not folder.is_dir():
        raise fail(
            "SNN050",
            "the output is a file, should be a folder",
            str(folder),
            "another name with -o",
        )
    if force or not table.is_file():
        return {}
    return {row.key: row for row in from_csv(table.read_bytes(), str(table))}


def _write(folder: Path, rows: Sequence[Row]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fail(
            "SNN050",
            f"the folder cannot be made: {why(error)}",
            str(folder),
            "another folder with -o, where you may write",
        ) from None
    write_whole(folder / TABLE, to_csv(with_fronts(rows)))
