"""Reads ONNX files, whatever their bytes are."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from snncc_ir import fail


def read_model(path: Path) -> onnx.ModelProto:
    """The checked model. Raises SNN001 for a file that is no ONNX, SNN002 for an invalid graph."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise fail(
                "SNN001", f"the model file {what}", str(path), "give the path of a .onnx file"
            )
        if path.stat().st_size == 0:
            raise fail("SNN001", "the model file is empty", str(path), "export the model again")
        model = onnx.load(path, format="protobuf")  # whatever its suffix
    except (DecodeError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
        raise fail(
            "SNN001",
            f"the model file is not an ONNX file, or is cut off: {_line(error)}",
            str(path),
            "export the model again, or copy it again if it was transferred",
        ) from None
    except OSError as error:
        raise fail(
            "SNN001", f"the model file cannot be read: {error.strerror}", str(path)
        ) from None
    if not model.graph.node:
        raise fail(
            "SNN001",
            "the model file has no graph with nodes",
            str(path),
            "check that it is an ONNX file: python -m onnx.checker FILE, or netron",
        )
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise fail(
            "SNN002",
            f"the model is not valid ONNX: {_line(error)}",
            str(path),
            "export it again with a newer exporter; onnx.checker.check_model says the same",
        ) from None
    return model


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
