"""The page: parts in the order in which a person asks, each with sentences, pictures and tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from snncc import notebook
from snncc.reporting.facts import Facts
from snncc.reporting.lanes import network_svg, ordered
from snncc.reporting.part import Picture
from snncc.reporting.parts import parts_of
from snncc.reporting.pictures import LABELS
from snncc.reporting.plots.canvas import as_svg
from snncc.reporting.sentences import coding, sentences
from snncc.shares import Share
from snncc.words import cell, duration, energy, large, percent, size
from snncc_ir.ops import Input
from snncc_templates import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD_ROW = 30.0
"""Pixels of the head of the network's table, beside which the lanes begin."""


@dataclass(frozen=True)
class Tile:
    """A key figure at the top. label: what it is. value: large. note: small, below."""

    label: str
    value: str
    note: str


def page(facts: Facts, figures: Mapping[str, "Figure"]) -> str:
    """report.html; the same input, the same text. figures: by the names of `pictures`."""
    drawn = {
        name: Picture(Markup(as_svg(figure, name, LABELS[name])), LABELS[name])
        for name, figure in figures.items()
    }
    said = sentences(facts)
    return render(
        "report/page.html.j2",
        title=f"{facts.bundle.files.table('model').get('name')} on target {facts.target}",
        subtitle=coding(facts),
        tiles=tiles(facts),
        sentences=said,
        notes=[*facts.bundle.notes, *facts.measured.notes],
        parts=parts_of(facts, drawn),
        network=network(facts),
        cell=cell,
    )


def network(facts: Facts) -> dict[str, object]:
    """The lanes and the rows beside them."""
    order = ordered(facts.graph)
    rows = {row.name: row for row in facts.layers}
    most = max((row.layer.neurons for row in facts.layers), default=1)
    table = []
    for name in order:
        node, row = facts.graph[name], rows.get(name)
        origin = " + ".join(map(str, node.origin.sources)) or "–"
        shape = "×".join(map(str, node.type.shape))
        if row is None:
            kind = "input" if isinstance(node.op, Input) else node.op.name
            table.append([name, kind, shape, "", "", "", origin, 0.0])
            continue
        bits = row.weight_bits / row.weights if row.weights else 0
        table.append(
            [
                name,
                row.layer.kind.removeprefix("population: "),
                shape,
                f"{row.layer.neurons:,}" if row.layer.neurons else "–",
                f"{row.weights:,}" if row.weights else "–",
                f"{bits:.3g}" if bits else "–",
                origin,
                round(100 * row.layer.neurons / max(most, 1), 1),
            ]
        )
    return {
        "svg": Markup(network_svg(facts.graph, rows, order, HEAD_ROW)),
        "rows": table,
    }


def tiles(facts: Facts) -> list[Tile]:
    """Key figures, as far as they are known."""
    measured = facts.measured
    found, estimate = measured.verification, measured.estimate
    shown = []
    if found is not None:
        last, exact = found.last, found.float_accuracy
        if last.accuracy is not None:
            before = "" if exact is None else f"float {percent(exact.value, 1)}; "
            note = before + _interval(last.accuracy)
            shown.append(Tile("accuracy", percent(last.accuracy.value, 1), note))
        if last.agreement is not None:
            note = f"with the float network; {_interval(last.agreement)}"
            shown.append(Tile("agreement", percent(last.agreement.value, 1), note))
        elif last.snr is not None:
            shown.append(Tile("signal to noise", f"{last.snr:.1f} dB", "of the first output"))
    elif facts.bundle.waterfall and facts.bundle.waterfall[-1].agreement is not None:
        last_row = facts.bundle.waterfall[-1]
        shown.append(Tile("agreement", percent(last_row.agreement, 1), "on calibration samples"))
    if estimate is not None:
        shown.append(Tile("energy", energy(estimate.microjoules), "a sample, estimated"))
        shown.append(Tile("latency", duration(estimate.milliseconds), "a sample, estimated"))
    counts = measured.execution
    spikes = sum(float(count.mean()) for count in counts.spike_counts.values())
    operations = sum(float(each.mean()) for each in counts.synaptic_operations.values())
    note = f"{large(operations)} synaptic operations" if operations else "a sample"
    shown.append(Tile("spikes a sample", large(spikes), note))
    memory = facts.neurobench.footprint
    shown.append(Tile("footprint", size(8 * memory), "weights, parameters, potentials"))
    return shown


def compact(facts: Facts) -> str:
    """For a notebook: key figures and sentences, without pictures."""
    title = f"{facts.bundle.files.table('model').get('name')} on target {facts.target}"
    shown = [(tile.label, tile.value, tile.note) for tile in tiles(facts)]
    return notebook.compact(title, shown, sentences(facts))


def _interval(value: Share) -> str:
    return f"{100 * value.low:.1f} to {100 * value.high:.1f} (95 %)"
