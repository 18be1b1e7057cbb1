"""Domains of operators."""

STANDARD = ("", "ai.onnx")
"""Names of ONNX's own."""
TRAINED = "ai.snncc"
"""Of the functions that snncc.train writes."""
