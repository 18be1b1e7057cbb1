"""The parts of the page behind its head: what each says, shows and lists."""

from collections.abc import Mapping

from markupsafe import Markup

from snncc.reporting.facts import Facts
from snncc.reporting.part import Part, Picture, Table
from snncc.shares import Share
from snncc.words import decibels, percent, significant, size
from snncc.words import share as shown_share
from snncc_backends import Cell, Section
from snncc_ir import FirstSpike, Radix


def parts_of(facts: Facts, drawn: Mapping[str, Picture]) -> list[Part]:
    """In the order of the questions: did accuracy survive, where was it lost, what does it cost."""
    found = [
        _waterfall(facts, drawn),
        _over_steps(facts, drawn),
        _quality(facts, drawn),
        _spikes(facts, drawn),
        _work(facts, drawn),
        _energy(facts, drawn),
        _memory(facts, drawn),
        *(_of_target(section) for section in facts.sections),
        _neurobench(facts),
    ]
    return [part for part in found if part is not None]


def _taken(drawn: Mapping[str, Picture], *captions: tuple[str, str]) -> list[Picture]:
    return [Picture(drawn[name].svg, text) for name, text in captions if name in drawn]


def _waterfall(facts: Facts, drawn: Mapping[str, Picture]) -> Part | None:
    if not facts.steps:
        return None
    return Part(
        "waterfall",
        "Where accuracy is lost",
        "From the float network to the chip, step by step. The passes of the compiler are measured "
        "on calibration samples, in value semantics (what each number stands for); the ends, where "
        "data was given, on that. A step that moves nothing is exact.",
        _taken(drawn, ("waterfall", "Each step's accuracy and agreement with the float network.")),
        [
            Table(
                "Every step",
                (("step", ""), ("promise", ""), ("accuracy", ""), ("agreement", ""),
                 ("SNR", "dB"), ("measured on", ""), ("in full", "")),
                [
                    (step.name, step.promise,
                     _value(step.accuracy, step.accuracy_share),
                     _value(step.agreement, step.agreement_share), decibels(step.snr), step.data,
                     step.detail)
                    for step in facts.steps
                ],
            )
        ],
    )  # fmt: skip


def _over_steps(facts: Facts, drawn: Mapping[str, Picture]) -> Part | None:
    found = facts.measured.verification
    if found is None:
        return None
    if len(found.at_steps) < 2:
        text = "In this code results are there after all steps only, so there is no curve."
        return Part("steps", "Accuracy over time", text)
    text = (
        "What the network says after fewer steps, with 95 % confidence. The dashed line is what "
        "early exit would bring: each sample ends when its class is far enough ahead, and the "
        "abscissa is the mean of the steps that samples take."
    )
    rows = [
        (at.steps, shown_share(at.accuracy), shown_share(at.agreement), decibels(at.snr))
        for at in found.at_steps
    ]
    columns = (("steps", ""), ("accuracy", ""), ("agreement", ""), ("SNR", "dB"))
    tables = [Table("After so many steps", columns, rows)]
    early = found.early
    if early is not None:
        row = (
            significant(early.margin), early.mean_steps, early.late_steps,
            shown_share(early.accuracy), shown_share(early.same), round(early.spikes),
        )  # fmt: skip
        headings = (("margin", ""), ("mean steps", ""), ("steps of 95 %", ""), ("accuracy", ""),
                    ("same as all steps", ""), ("spikes", ""))  # fmt: skip
        tables.append(Table("With early exit", headings, [row]))
    return Part("steps", "Accuracy over time", text, _taken(
        drawn, ("steps", "Time steps on a logarithmic scale; bars are 95 % confidence.")), tables
    )  # fmt: skip


def _quality(facts: Facts, drawn: Mapping[str, Picture]) -> Part | None:
    quality = facts.quality
    if quality is None or not quality.rows:
        return None
    rows = [
        (
            row.name, decibels(row.snr), decibels(row.snr_closed), decibels(row.snr_own),
            percent(row.clipped), row.dead, row.saturated, percent(row.agreement, 1), row.reason,
        )
        for row in quality.rows
    ]  # fmt: skip
    return Part(
        "quality",
        "What each layer loses",
        f"On {quality.samples} samples. The line is the chip's numbers against the float "
        "network's, with all that was lost before; diamonds are the layer alone, fed with what "
        "arrives. To the right, what its own error is made of; the parts may take each other back. "
        "Agreement is that of the float network fed with the chip's numbers up to this layer.",
        _taken(drawn, ("quality", "Higher is better on the left, lower on the right.")),
        [
            Table(
                "Layer by layer",
                (("layer", ""), ("SNR", "dB"), ("closed form", "dB"), ("alone", "dB"),
                 ("clipped", ""), ("dead", ""), ("saturated", ""), ("agreement", ""),
                 ("why", "")),
                rows,
            )
        ],
    )  # fmt: skip


def _spikes(facts: Facts, drawn: Mapping[str, Picture]) -> Part | None:
    if "raster" not in drawn:
        return None
    code = facts.graph.code
    follow = (
        " Layers follow one another: each waits for all spikes of those before it."
        if isinstance(code, FirstSpike | Radix)
        else ""
    )
    return Part(
        "spikes",
        "Spikes",
        f"Some neurons of each layer in one sample of {facts.measured.data}, those that spike "
        f"first.{follow} Below, what neurons of each layer send, over "
        f"{facts.histogram.samples} samples: neurons that never spike do no work, values in the "
        "last bin may be clipped.",
        _taken(
            drawn,
            ("raster", "A mark a spike; longer marks are graded spikes, red ones take one back."),
            ("values", f"Share of a layer's neurons by {facts.histogram.kind}; silent ones apart."),
        ),
    )


def _work(facts: Facts, drawn: Mapping[str, Picture]) -> Part:
    rows = [
        (row.name, row.spikes, row.synaptic_operations, row.layer.fan_in, row.layer.fan_out)
        for row in facts.layers
    ]
    columns = (("layer", ""), ("spikes", "a sample"), ("synaptic operations", "a sample"),
               ("fan-in", ""), ("fan-out", ""))  # fmt: skip
    return Part(
        "work",
        "What it does",
        "Spikes that leave each layer, and weights that are added in it because of spikes that "
        "arrive; means of a sample.",
        _taken(drawn, ("work", "Input at the top.")),
        [Table("Spikes and operations", columns, rows)],
    )


def _energy(facts: Facts, drawn: Mapping[str, Picture]) -> Part:
    estimate = facts.measured.estimate
    if estimate is None:
        text = (
            f"Target {facts.target} estimates no energy"
            if facts.measured.on_chip
            else "The target's own simulator cannot run here, so there is no estimate"
        )
        return Part("energy", "Energy", f"{text}; its spikes and operations are above.")
    saturations = (
        f" {estimate.saturations:.1f} accumulators saturate in a sample."
        if estimate.saturations
        else ""
    )
    return Part(
        "energy",
        "Energy",
        f"{significant(estimate.microjoules)} µJ and {significant(estimate.milliseconds)} ms a "
        f"sample: {estimate.assumptions}.{saturations}",
        _taken(drawn, ("energy", "By cause, and by layer.")),
        [
            Table("By cause", (("cause", ""), ("energy", "µJ")),
                  [(name.replace("_", " "), value) for name, value in estimate.parts.items()]),
            Table("By layer", (("layer", ""), ("energy", "µJ")), list(estimate.layers.items())),
        ],
    )  # fmt: skip


def _memory(facts: Facts, drawn: Mapping[str, Picture]) -> Part:
    total = sum(row.weight_bits for row in facts.layers)
    rest = sum(row.parameter_bits for row in facts.layers)
    state = sum(row.state_bits for row in facts.layers)
    columns = (("layer", ""), ("weights", "bits"), ("other parameters", "bits"),
               ("potentials", "bits"))  # fmt: skip
    rows = [(r.name, r.weight_bits, r.parameter_bits, r.state_bits) for r in facts.layers]
    return Part(
        "memory",
        "Memory of the network",
        f"Weights in their number formats take {size(total)}, biases and thresholds {size(rest)}, "
        f"potentials, if every neuron keeps one of 32 bits, {size(state)}. What the target makes "
        "of it is below.",
        _taken(drawn, ("memory", "Stacked; input at the top.")),
        [Table("By layer", columns, rows)],
    )


def _of_target(section: Section) -> Part:
    tables = []
    if section.figures and not section.rows:
        rows: list[tuple[Cell, ...]] = [
            (figure.name, percent(figure.value, 1), "")
            if figure.unit == "1"
            else (figure.name, figure.value, figure.unit)
            for figure in section.figures
        ]
        tables.append(Table("Figures", (("figure", ""), ("value", ""), ("unit", "")), rows))
    if section.rows:
        columns = [(column.name, column.unit) for column in section.columns]
        tables.append(Table("In numbers", columns, section.rows))
    pictures = [Picture(Markup(section.svg), section.label, True)] if section.svg else []
    return Part(f"target-{section.name}", section.title, section.text, pictures, tables)


def _neurobench(facts: Facts) -> Part:
    found = facts.neurobench
    columns = (("metric", ""), ("value", ""), ("unit", ""))
    return Part(
        "neurobench",
        "NeuroBench metrics",
        f"By the benchmark's names (Yik et al. 2025), activity on {found.samples} samples: "
        "effective operations leave out weights and activations that are 0.",
        (),
        [
            Table(
                "Metrics",
                columns,
                [
                    ("footprint", round(found.footprint), "bytes"),
                    ("connection sparsity", round(found.connection_sparsity, 4), "of weights"),
                    ("activation sparsity", round(found.activation_sparsity, 4),
                     "of neurons and steps"),
                    ("synaptic operations: effective MACs", round(found.effective_macs),
                     "a sample"),
                    ("synaptic operations: effective ACs", round(found.effective_acs), "a sample"),
                    ("synaptic operations: dense", round(found.dense), "a sample"),
                ],
            )
        ],
    )  # fmt: skip


def _value(value: float | None, interval: Share | None) -> str:
    return percent(value) if interval is None else shown_share(interval)
