"""Lowerings, one file an ONNX operator or family. Each has a table LOWERINGS: operator → function.

To add an operator, copy `batchnorm.py`: read constants with `net.floats`, refuse with a sentence on
what was found and what is supported, and `net.emit` IR ops.
"""
