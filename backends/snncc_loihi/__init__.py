"""Target loihi: core maps for Loihi-style many-core chips; docs/targets/loihi.md specifies them.

Network → `layers` (compartments, synapses) → `partition` (segments, tiles) → `mapping` (cores under
all limits; `packing` shares synapse lists) → `placement` (the mesh) → `emit` → `binary` (bytes).
`binary` and `soundness` take a map apart, `simulation` runs it.
"""

from snncc_loihi.backend import LoihiBackend

__all__ = ["LoihiBackend"]
