"""Accuracy over time steps and over synaptic operations, ours beside that of other tools.

    python benchmarks/front_plot.py PEERS.csv SWEEP.csv... [--network NAME] [--output FRONT.png]

PEERS.csv is what benchmarks/peers_front.py writes. SWEEP.csv has a line for each point of ours,
with the columns label, steps, accuracy (a share) and operations (a mean an image, with those of the
analog input once); other columns are not read, lines without these numbers are left out. The points
of other tools get the operations of their analog input, once an image, added, so that both mean the
same. Accuracies count as equal when their first four digits are.

Prints for each point of another tool whether a point of ours is at least as accurate with at most
as many steps, and whether one is with at most as many operations. The picture needs matplotlib.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Cost = Callable[["Point"], float]
DIGITS = 4
OURS = "#0072b2"
PEERS = ("#d55e00", "#e69f00", "#cc79a7", "#8c510a", "#a50026", "#009e73", "#000000")
MARKERS = "os^Dv<>P"


@dataclass(frozen=True)
class Point:
    """A network after some steps. accuracy: a share; operations: synaptic ones, a mean an image."""

    label: str
    steps: float
    accuracy: float
    operations: float

    def __str__(self) -> str:
        return (
            f"{self.label} T={self.steps:g}, {100 * self.accuracy:.2f} %, "
            f"{self.operations / 1e6:.2f} M operations"
        )


def steps(point: Point) -> float:
    return point.steps


def operations(point: Point) -> float:
    return point.operations


COSTS: dict[str, Cost] = {"steps": steps, "operations": operations}


def read_peers(path: Path, network: str | None) -> list[Point]:
    """Points of one network, which has to be named where the file has several."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    networks = sorted({row["network"] for row in rows})
    if network is None and len(networks) == 1:
        network = networks[0]
    if network not in networks:
        raise SystemExit(f"--network is {network}, should be one of: {', '.join(networks)}")
    return [
        Point(
            f"{row['tool']} {row['options']}",
            float(row["steps"]),
            round(float(row["accuracy"]), DIGITS),
            float(row["operations"]) + float(row["first_layer_operations"]),
        )
        for row in rows
        if row["network"] == network
    ]


def read_ours(path: Path) -> list[Point]:
    """Points of a sweep, those without accuracy or operations left out."""
    needed = ("label", "steps", "accuracy", "operations")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(needed) - set(reader.fieldnames or ()):
            raise SystemExit(f"{path} has no columns {', '.join(sorted(missing))}")
        cells = [[row[name] for name in needed] for row in reader]
    points = [
        Point(row[0], float(row[1]), round(float(row[2]), DIGITS), float(row[3]))
        for row in cells
        if all(row)
    ]
    if any(not 0 <= point.accuracy <= 1 for point in points):
        raise SystemExit(f"{path} has accuracies that are no shares between 0 and 1")
    return points


def front(points: Sequence[Point], cost: Cost) -> list[Point]:
    """The points that no other matches in accuracy at the same cost or less, by rising cost."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (cost(p), -p.accuracy)):
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found


def match(point: Point, ours: Sequence[Point], cost: Cost) -> tuple[bool, Point | None]:
    """Whether one of ours is as good at no more cost, and the cheapest such.

    Otherwise the most accurate of ours that costs no more, or None where all cost more.
    """
    affordable = [p for p in ours if cost(p) <= cost(point)]
    good = [p for p in affordable if p.accuracy >= point.accuracy]
    if good:
        return True, min(good, key=lambda p: (cost(p), -p.accuracy))
    return False, max(affordable, key=lambda p: p.accuracy, default=None)


def report(peers: Sequence[Point], ours: Sequence[Point]) -> None:
    for name, cost in COSTS.items():
        results = [(peer, *match(peer, ours, cost)) for peer in peers]
        print(f"with at most as many {name}, at least as accurate:")
        for peer, good, best in results:
            found = best if good else f"at best {best}" if best else "all of ours need more"
            print(f"  {'yes' if good else 'NO ':3}  {peer}  —  {found}")
        print(f"  {sum(good for _, good, _ in results)} of {len(results)}\n")


def draw(peers: Sequence[Point], ours: Sequence[Point], path: Path, bottom: float) -> None:
    """Two panels of one accuracy axis. Ours: all points, and the staircase of the best."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(12, 6), sharey=True, layout="constrained")
    titles = {"steps": "time steps", "operations": "synaptic operations an image"}
    labels = list(dict.fromkeys(point.label for point in peers))
    for panel, (name, cost) in zip(panels, COSTS.items(), strict=True):
        for index, label in enumerate(labels):
            line = sorted((p for p in peers if p.label == label), key=cost)
            panel.plot(
                [cost(p) for p in line], [100 * p.accuracy for p in line], "--", linewidth=1.2,
                marker=MARKERS[index % len(MARKERS)], markersize=5, label=label,
                color=PEERS[index % len(PEERS)],
            )  # fmt: skip
        x, y = [cost(p) for p in ours], [100 * p.accuracy for p in ours]
        panel.plot(x, y, ".", color=OURS, alpha=0.45, markersize=5, label="snncc, all points")
        best = front(ours, cost)
        x, y = [cost(p) for p in best], [100 * p.accuracy for p in best]
        panel.step(
            x, y, where="post", marker="o", markersize=5, linewidth=2, color=OURS,
            label="snncc, best",
        )  # fmt: skip
        panel.set_xscale("log", base=2 if name == "steps" else 10)
        if name == "steps":
            panel.xaxis.set_major_formatter("{x:g}")
        panel.set_xlabel(titles[name])
        panel.grid(True, linewidth=0.4, alpha=0.6)
    panels[0].set_ylabel("accuracy, per cent")
    panels[0].set_ylim(bottom=100 * bottom)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=130, metadata={"Software": None})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("peers", type=Path)
    parser.add_argument("sweeps", type=Path, nargs="+")
    parser.add_argument("--network", help="as PEERS.csv names it")
    parser.add_argument("--bottom", type=float, default=0.0, help="share at which the axis starts")
    parser.add_argument("--output", type=Path, help="picture to write, .png, .svg or .pdf")
    given = parser.parse_args(arguments)
    peers = read_peers(given.peers, given.network)
    ours = [point for path in given.sweeps for point in read_ours(path)]
    if not ours:
        raise SystemExit("the sweeps have no point with an accuracy and operations")
    report(peers, ours)
    if given.output:
        draw(peers, ours, given.output, given.bottom)


if __name__ == "__main__":
    main()
