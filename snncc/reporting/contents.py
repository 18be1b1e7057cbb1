"""report.json: every figure of the page, with units; docs/report.md documents the keys."""

from dataclasses import asdict

from snncc.reporting.facts import Facts
from snncc.reporting.folder import FORMAT, KIND
from snncc.reporting.layers import LayerRow
from snncc.reporting.sentences import sentences
from snncc.reporting.steps import Step

UNITS = {
    "accuracy": "share of samples, 0 to 1",
    "agreement": "share of samples, 0 to 1",
    "snr": "dB; null where both are equal",
    "spikes": "spikes a sample",
    "synaptic_operations": "operations a sample",
    "microjoules": "µJ a sample",
    "milliseconds": "ms a sample",
    "margin": "the network's own numbers, added up over steps",
    "mean_steps": "time steps a sample",
    "weight_bits": "bits",
    "parameter_bits": "bits",
    "state_bits": "bits",
    "footprint": "bytes",
    "connection_sparsity": "share of weights, 0 to 1",
    "activation_sparsity": "share of neurons and steps, 0 to 1",
    "effective_macs": "operations a sample",
    "effective_acs": "operations a sample",
    "dense": "operations a sample",
    "losses": "energy, as a share of the energy of what is due",
    "clipped": "share of numbers, 0 to 1",
}
"""Of figures by their key, wherever it occurs; other numbers are counts."""


def contents(facts: Facts) -> dict[str, object]:
    """The object that is written as report.json."""
    measured, manifest = facts.measured, facts.bundle.files.manifest
    found, quality = measured.verification, facts.quality
    histogram = facts.histogram
    return {
        "kind": KIND,
        "format": FORMAT,
        "units": UNITS,
        "model": facts.bundle.files.table("model"),
        "target": facts.target,
        "settings": manifest.get("settings"),
        "sentences": sentences(facts),
        "data": {
            "source": measured.data,
            "samples": measured.samples,
            "available": measured.available,
            "runner": measured.runner,
        },
        "summary": facts.bundle.summary,
        "verification": None if found is None else found.as_json(),
        "waterfall": [_step(step) for step in facts.steps],
        "early_exit": [asdict(at) for at in measured.exits],
        "layers": [_layer(row) for row in facts.layers],
        "quality": None if quality is None else asdict(quality),
        "spikes": {
            "kind": histogram.kind,
            "samples": histogram.samples,
            "edges": list(histogram.edges),
            "layers": {
                name: {"counts": counts.tolist(), "silent": int(silent)}
                for name, counts, silent in zip(
                    histogram.names, histogram.counts, histogram.silent, strict=True
                )
            },
        },
        "estimate": None if measured.estimate is None else asdict(measured.estimate),
        "neurobench": asdict(facts.neurobench),
        "target_sections": {section.name: section.as_json() for section in facts.sections},
        "notes": [*facts.bundle.notes, *measured.notes],
    }


def _step(step: Step) -> dict[str, object]:
    """Intervals where there are some."""
    row = asdict(step)
    for key in ("accuracy", "agreement"):
        row[key] = row.pop(f"{key}_share") or row[key]
    return row


def _layer(row: LayerRow) -> dict[str, object]:
    """One flat object."""
    flat = asdict(row)
    return {**flat.pop("layer"), **flat}
