"""Where accuracy is lost, why, and what to do about it: `snncc explain`.

float_network (the model in normal form) and sent (what spikes stand for) → layers (each layer
beside its float twin, tally) → reasons → remedies → advice (tried) → explanation.
"""

from snncc.explain.advice import Tried
from snncc.explain.explanation import Explanation, explain
from snncc.explain.figures import LayerFigures, Layers
from snncc.explain.float_network import FloatNetwork, float_network
from snncc.explain.layers import measure_layers
from snncc.explain.reasons import CAUSES, Finding
from snncc.explain.remedies import Remedy
from snncc.explain.steps import StepFigures

__all__ = [
    "CAUSES", "Explanation", "Finding", "FloatNetwork", "LayerFigures", "Layers", "Remedy",
    "StepFigures", "Tried", "explain", "float_network", "measure_layers",
]  # fmt: skip
