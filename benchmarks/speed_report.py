"""What speed.py found: as an object, as JSON, as tables, as a picture."""

from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.spread import Spread, number, ratios
from benchmarks.tables import table

HEADINGS = ("contestant", "threads", "accuracy %", "images/s", "images × steps/s", "ms/image")
RATIOS = ("ours", "against", "ratio of images/s", "ratio of images × steps/s")


@dataclass(frozen=True)
class Entry:
    """One contestant. steps: 0 where it has none; images_per_second: a figure a round."""

    name: str
    ours: bool
    steps: int
    threads: int
    accuracy: float | None
    images_per_second: list[float]

    def row(self) -> list[str]:
        rate = Spread.of(self.images_per_second)
        return [
            self.name,
            str(self.threads),
            "–" if self.accuracy is None else f"{100 * self.accuracy:.2f}",
            str(rate),
            str(rate.times(self.steps)) if self.steps else "–",
            number(1000 / rate.median),
        ]

    def is_parallel(self, other: "Entry") -> bool:
        """Whether this is `other` with more threads."""
        alone = self.name.replace(f" threads={self.threads}", "")
        return self.threads > other.threads and alone == other.name

    def against(self, other: "Entry") -> list[str]:
        """A row of ratios, of paired rounds."""
        found = ratios(self.images_per_second, other.images_per_second)
        steps = str(found.times(self.steps / other.steps)) if self.steps and other.steps else "–"
        return [self.name, other.name, str(found), steps]


@dataclass(frozen=True)
class Result:
    """One run of speed.py. accuracy_images: how many the accuracies are of."""

    name: str
    network: str
    machine: dict[str, object]
    images: int
    accuracy_images: int
    rounds: int
    entries: list[Entry]
    kind: str = "speed"

    @classmethod
    def of_json(cls, found: dict[str, object]) -> "Result":
        entries = found.pop("entries")
        assert isinstance(entries, list)
        return cls(entries=[Entry(**entry) for entry in entries], **found)  # type: ignore[arg-type]

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def markdown(self) -> str:
        """Both tables, as printed and as in docs/performance.md."""
        pairs = [
            us.against(them)
            for us in self.entries
            for them in self.entries
            if us.ours and (not them.ours or us.is_parallel(them))
        ]
        return "\n\n".join(
            [
                f"{self.network}, the same {self.images} images, {self.rounds} rounds in turns; "
                f"median [least–greatest]; accuracy of {self.accuracy_images} images:",
                table(HEADINGS, [entry.row() for entry in self.entries]),
                table(RATIOS, pairs),
            ]
        )

    def draw(self, path: Path) -> None:
        """Images a second, a bar a contestant, with least and greatest."""
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot

        found = sorted(
            ((entry, Spread.of(entry.images_per_second)) for entry in self.entries),
            key=lambda item: item[1].median,
        )
        size = (9, 1.2 + 0.42 * len(found))
        figure, axes = pyplot.subplots(figsize=size, layout="constrained")
        axes.barh(
            [entry.name for entry, _ in found],
            [rate.median for _, rate in found],
            xerr=[
                [rate.median - rate.low for _, rate in found],
                [rate.high - rate.median for _, rate in found],
            ],
            color=["tab:red" if entry.ours else "tab:gray" for entry, _ in found],
            capsize=3,
        )
        for place, (_, rate) in enumerate(found):
            axes.annotate(
                number(rate.median), (rate.high, place), va="center", fontsize=8,
                xytext=(6, 0), textcoords="offset points",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.margins(x=0.12)
        axes.set_xlabel(f"images a second, {self.network} (bar: median, line: all rounds)")
        axes.grid(True, axis="x", linewidth=0.4, alpha=0.6)
        axes.set_axisbelow(True)
        figure.savefig(path, dpi=130, metadata={"Software": None})
