"""Domains of operators."""

STANDARD = ("", "ai.onnx")
"""Names of ONNX's own."""
