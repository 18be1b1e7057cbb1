"""Where accuracy is lost, why, and what to do about it: `snncc explain`."""

from snncc.explain.figures import LayerFigures, Layers
from snncc.explain.layers import measure_layers
from snncc.explain.reasons import CAUSES, Finding

__all__ = ["CAUSES", "Finding", "LayerFigures", "Layers", "measure_layers"]
