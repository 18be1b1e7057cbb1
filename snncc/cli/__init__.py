"""The command line: `snncc MODEL.onnx -o BUNDLE/` and its sub-commands, one file each."""

from snncc.cli.main import main

__all__ = ["main"]
