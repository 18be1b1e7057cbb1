"""Core maps for other tools: what `snncc export` writes."""

from pathlib import Path

from snncc_ir import fail
from snncc_loihi.binary import read_map
from snncc_loihi.chip import parse_chip
from snncc_loihi.sanafe_export import export

COSTS = "sana-fe"


def to_sanafe(folder: Path) -> dict[str, bytes]:
    """SANA-FE 2.2: `architecture.yaml` and `network.yaml`, with its own set of costs."""
    place = folder / "loihi" / "map.bin"
    beside = folder / "loihi" / "chip.json"
    chip = parse_chip(beside.read_bytes(), str(beside))
    costs = chip.costs.get(COSTS)
    if costs is None:
        raise fail(
            "SNN042",
            f"chip '{chip.name}' has no costs '{COSTS}', should have them for SANA-FE",
            str(beside),
            f"a description with costs '{COSTS}', such as that of loihi2, and compile anew",
        )
    found = export(read_map(place.read_bytes(), str(place)), chip, costs)
    return {
        "architecture.yaml": found.architecture.encode(),
        "network.yaml": found.network.encode(),
    }
