"""What the scripts make_*.py share: a folder of the corpus, and its corpus.json.

The scripts are run by hand from the root of the repository, as `python -m tests.corpus.make_keras`,
each in an environment of its own that its first lines describe. Tests read only what they wrote.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

CORPUS = Path(__file__).parent
TARGETS = ("c", "ttfs28", "loihi")
Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Entry:
    """What should hold for a file.

    architecture: the family; notes: what is special about the file; refused: the code of the
    diagnostic that import ends with, or None; only: the code of each target that refuses it, where
    import does not; tolerance: the largest deviation from onnxruntime, as a fraction of the range
    of an output; approximate: import only takes it where an approximation is asked for.
    """

    architecture: str
    notes: str
    refused: str | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = 1e-4
    approximate: bool = False


@dataclass
class Folder:
    """A folder of the corpus while its files are written."""

    exporter: str
    made: dict[str, dict[str, object]] = field(default_factory=dict)

    def add(
        self, name: str, model: onnx.ModelProto, entry: Entry, expected: Arrays | None = None
    ) -> None:
        """Writes NAME.onnx and, where given, NAME.expected.npz: tensors by their ONNX names.

        What torch notes of a node's making is left out (stack traces name files of the machine that
        it runs on), but for the scopes of its modules.
        """
        for node in model.graph.node:
            kept = [entry for entry in node.metadata_props if "scopes" in entry.key]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        folder = CORPUS / self.exporter
        folder.mkdir(exist_ok=True)
        data = model.SerializeToString(deterministic=True)
        (folder / f"{name}.onnx").write_bytes(data)
        if expected is not None:
            path = folder / f"{name}.expected.npz"
            np.savez_compressed(path, allow_pickle=False, **expected)
        self.made[name] = {
            "architecture": entry.architecture,
            "targets": {target: entry.only.get(target, "ok") for target in TARGETS}
            if entry.refused is None
            else {},
            "refused": entry.refused,
            "tolerance": entry.tolerance,
            "approximate": entry.approximate,
            "notes": entry.notes,
        }
        print(f"{self.exporter}/{name}: {len(data)} bytes")

    def finish(self, *packages: str) -> None:
        """Writes corpus.json, with the versions of what made the files; drops files left over."""
        folder = CORPUS / self.exporter
        for path in folder.glob("*.onnx"):
            if path.stem not in self.made:
                path.unlink()
                path.with_suffix(".expected.npz").unlink(missing_ok=True)
        made_with = {"python": platform.python_version()}
        made_with |= {package: version(package) for package in packages}
        text = json.dumps({"made_with": made_with, "files": self.made}, indent=2)
        (folder / "corpus.json").write_text(text + "\n", encoding="utf-8")
