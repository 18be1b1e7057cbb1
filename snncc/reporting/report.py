"""The report of a bundle: every figure of it, its pictures, and the page."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from snncc.bundle import Bundle, Data
from snncc.early_exit import Choice
from snncc.reporting.contents import contents
from snncc.reporting.facts import Facts, facts_of
from snncc.reporting.folder import HTML, JSON, check_report_place
from snncc.reporting.measured import measure, measure_vectors
from snncc.reporting.page import compact, page
from snncc.reporting.pictures import pictures
from snncc.reporting.plots.canvas import check_installed
from snncc_backends import to_json, write_folder
from snncc_ir import fail, side_thread

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Report:
    """What `snncc report` shows of a bundle. `snncc.make_report` makes one.

    `facts` has every figure as an object: layers, steps, spikes, what each layer loses.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def figures(self) -> Mapping[str, "Figure"]:
        """The pictures by name, for notebooks; those that have nothing to show are left out.

        `waterfall`, `steps`, `raster`, `values`, `quality`, `work`, `energy`, `memory`. Raises
        SNN054 when matplotlib is not installed.
        """
        return {name: draw() for name, draw in pictures(self.facts).items()}

    def plot(self, name: str) -> "Figure":
        """One picture; raises SNN042 for one that there is not."""
        draws = pictures(self.facts)
        if name not in draws:
            raise fail(
                "SNN042",
                f"the report has no picture '{name}', should be one of {', '.join(draws)}",
                hint="report.figures has them all",
            )
        return draws[name]()

    def as_json(self) -> dict[str, object]:
        """report.json; docs/report.md says what each figure is, and its unit."""
        return contents(self.facts)

    @cached_property
    def html(self) -> str:
        """The page: one file that needs nothing else. Raises SNN054 without matplotlib."""
        return page(self.facts, self.figures)

    def write(self, folder: str | Path, force: bool = False) -> Path:
        """Writes report.html and report.json, both or nothing; returns the folder.

        An earlier report is replaced with `force` only, another folder never; raises SNN050.
        """
        place = Path(folder)
        check_report_place(place, force)
        content = {HTML: self.html.encode(), JSON: to_json(self.as_json())}
        write_folder(place, content, "the report")
        return place

    def _repr_html_(self) -> str:
        return compact(self.facts)


def make_report(
    bundle: Bundle | str | Path,
    model: str | Path | None = None,
    data: Data | None = None,
    *,
    limit: int | None = None,
    exact: int = 0,
    early_exit: float | Choice | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Measures a bundle for its report.

    model, data: the ONNX file and samples, both or neither; without them there is what the bundle
    knows by itself. limit: only so many samples, by default as many as take seconds, 128 at most.
    exact, early_exit: as in
    `Bundle.verify`, whose figures the report has. Raises as that does, SNN042 for a model without
    data or data without a model, and SNN054 when matplotlib is not installed.
    """
    check_installed()
    loaded = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
    if (model is None) != (data is None):
        there, missing = ("data is", "a model") if model is None else ("a model is", "data")
        raise fail(
            "SNN042",
            f"{there} given without {missing}, should be both or neither",
            hint="--model MODEL.onnx --data TEST.npz",
        )
    with side_thread() as meanwhile:
        if model is None or data is None:
            measured = measure_vectors(loaded)
        else:
            measured = measure(
                loaded, model, data, limit, exact, early_exit, progress, meanwhile=meanwhile
            )
    return Report(facts_of(loaded, measured))
