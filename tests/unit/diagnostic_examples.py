"""One example of each diagnostic: what is in the user's folder, and the command that is typed.

Every function gets an empty folder, which is the working directory, puts files there, and returns
the command line that fails (or, for what is only a note, that says it). What snncc then prints is
the example in docs/diagnostics.md.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from snncc.passes import registry
from snncc.passes.base import Context, Exact, Pass
from snncc_ir import LOWERED, Graph, Node, Tensor
from snncc_ir.ops import Dense
from tests.e2e.models import dyadic, events, mlp, residual, samples, save

Run = Callable[[str], None]
"""Runs a command that has to succeed, in the folder."""


@dataclass(frozen=True)
class Place:
    """A user's folder, and what can be done there."""

    folder: Path
    run: Run
    patch: pytest.MonkeyPatch
    kept: Path
    """Folder for what several examples compile."""

    def model(self) -> None:
        """model.onnx, of four numbers, and calib.npz."""
        mlp(self.folder).rename(self.folder / "model.onnx")
        samples(self.folder / "calib.npz", (4,))

    def images(self) -> None:
        """model.onnx, which takes images of two channels, and calib.npz."""
        residual(self.folder).rename(self.folder / "model.onnx")
        samples(self.folder / "calib.npz", (2, 6, 6))

    def bundle(self, target: str = "c") -> None:
        """bundle/ of the model, which is there too, and ir/ with the graph after each pass."""
        if not (self.kept / target).exists():
            self.model()
            options = f"--target {target} --calib calib.npz --dump-ir ir/ -q"
            self.run(f"model.onnx {options} -o bundle/")
            shutil.copytree(self.folder, self.kept / target)
        shutil.copytree(self.kept / target, self.folder, dirs_exist_ok=True)

    def dumped(self) -> Path:
        """ir/00-lowered.sir with its tensors."""
        self.bundle()
        return self.folder / "ir" / "00-lowered.sir"


def weights_left_behind(place: Place) -> str:
    place.model()
    path = place.folder / "model.onnx"
    onnx.save(
        onnx.load(path), path, save_as_external_data=True, location="model.onnx.data",
        size_threshold=0,
    )  # fmt: skip
    (place.folder / "model.onnx.data").unlink()
    return "model.onnx -o bundle/"


def undefined_value(place: Place) -> str:
    nodes = [helper.make_node("Relu", ["hidden"], ["y"], "/relu/Relu")]
    save(place.folder / "model.onnx", nodes, (4,), {})
    return "model.onnx -o bundle/"


def exponentials(place: Place) -> str:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"], "/fc/Gemm"),
        helper.make_node("Exp", ["h"], ["e"], "/gate/Exp"),
        helper.make_node("Relu", ["e"], ["r"], "/relu/Relu"),
        helper.make_node("Erf", ["r"], ["y"], "/head/Erf"),
    ]
    save(place.folder / "model.onnx", nodes, (4,), {"w": dyadic(1, 4, 3)})
    return "inspect model.onnx"


def bilinear_resize(place: Place) -> str:
    nodes = [
        helper.make_node("Resize", ["x", "", "s"], ["h"], "/up/Resize", mode="linear"),
        helper.make_node("Relu", ["h"], ["y"], "/act/Relu"),
    ]
    scales = np.array([1, 1, 2, 2], np.float32)
    path = save(place.folder / "model.onnx", nodes, (2, 4, 4), {"s": scales})
    model = onnx.load(path)
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2, 8, 8])
    )
    onnx.save(model, path)
    return "model.onnx -o bundle/"


def dynamic_image(place: Place) -> str:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "/conv/Conv"),
        helper.make_node("Relu", ["c"], ["y"], "/relu/Relu"),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, "height", "width"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3, "rows", "columns"])],
        [onnx.numpy_helper.from_array(dyadic(1, 3, 2, 3, 3), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(
        helper.make_model(graph, opset_imports=opset, ir_version=8), place.folder / "model.onnx"
    )
    return "model.onnx -o bundle/"


def no_activation(place: Place) -> str:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], "/fc/Gemm")]
    save(place.folder / "model.onnx", nodes, (4,), {"w": dyadic(1, 4, 3)})
    return "model.onnx -o bundle/"


def linear_layers(place: Place) -> str:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], "/conv1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["c", "w2"], ["d"], "/conv2/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["r"], "/relu/Relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["g"], "/pool/GlobalAveragePool"),
        helper.make_node("Flatten", ["g"], ["y"], "/Flatten"),
    ]
    constants = {"w1": dyadic(1, 32, 8, 3, 3), "w2": dyadic(2, 3, 32, 3, 3)}
    save(place.folder / "model.onnx", nodes, (8, 32, 32), constants)
    return "model.onnx -o bundle/"


def unquantized_input(place: Place) -> str:
    place.dumped()
    return "opt ir/00-lowered.sir --passes fuse,normalize,rate-code"


def misspelled_op(place: Place) -> str:
    path = place.dumped()
    path.write_text(path.read_text().replace("= neuron(", "= neuorn("))
    return "opt ir/00-lowered.sir --passes fuse"


def tensors_left_behind(place: Place) -> str:
    place.dumped().with_suffix(".safetensors").unlink()
    return "opt ir/00-lowered.sir --passes fuse"


def misspelled_pass(place: Place) -> str:
    place.dumped()
    return "opt ir/00-lowered.sir --passes fuse,normalise"


@dataclass(frozen=True)
class Halve(Pass):
    """A pass that is wrong: it says that it moves no value, and halves weights."""

    name = "halve-weights"
    needs = LOWERED
    promise = Exact()

    def run(self, graph: Graph, context: Context) -> Graph:
        def halved(node: Node) -> Node:
            if not isinstance(node.op, Dense):
                return node
            weight = Tensor(node.op.weight.floats.astype(np.float32) / 2)
            return Node(node.name, Dense(weight, node.op.bias), node.inputs, node.type, node.origin)

        return graph.rewritten(halved)


def broken_promise(place: Place) -> str:
    place.dumped()
    passes = {**registry.passes(), Halve.name: Halve}
    place.patch.setattr(registry, "passes", lambda: passes)
    return "opt ir/00-lowered.sir --passes halve-weights"


def too_many_octaves(place: Place) -> str:
    place.model()
    return "model.onnx --calib calib.npz --coding ttfs --steps 64 --set tau=1 -o bundle/"


def channels_last(place: Place) -> str:
    place.images()
    with np.load(place.folder / "calib.npz") as given:
        np.savez(place.folder / "calib.npz", x=np.moveaxis(given["x"], 1, -1), y=given["y"])
    return "model.onnx --calib calib.npz -o bundle/"


def no_data(place: Place) -> str:
    place.model()
    return "model.onnx -o bundle/"


def few_samples(place: Place) -> str:
    place.model()
    return "model.onnx --calib calib.npz --accuracy 0.5 -o bundle/"


def other_target(place: Place) -> str:
    place.model()
    return "model.onnx --calib calib.npz --target lohi -o bundle/"


def wide_weights(place: Place) -> str:
    place.model()
    return "model.onnx --calib calib.npz --target loihi --weight-bits 16 -o bundle/"


def other_option(place: Place) -> str:
    place.model()
    return "model.onnx --calib calib.npz --set inputbits=8 -o bundle/"


def too_few_steps(place: Place) -> str:
    place.model()
    np.savez(place.folder / "calib.npz", x=dyadic(7, 100, 4))
    place.patch.setenv("PATH", "")  # the oracle is faster here than to compile C
    place.patch.delenv("CC", raising=False)
    return "model.onnx --calib calib.npz --accuracy 6 --neuron if --steps 1 -q -o bundle/"


def other_folder(place: Place) -> str:
    place.model()
    (place.folder / "results").mkdir()
    (place.folder / "results" / "notes.txt").write_text("mine")
    return "model.onnx --calib calib.npz --force -o results/"


def changed_file(place: Place) -> str:
    place.bundle()
    path = place.folder / "bundle" / "c" / "model.c"
    path.write_text(path.read_text() + "/* mine */\n")
    return "run bundle/ --data calib.npz"


def no_compiler(place: Place) -> str:
    place.bundle()
    place.patch.setenv("PATH", "")
    place.patch.delenv("CC", raising=False)
    return "run bundle/ --data calib.npz"


def slots(place: Place) -> str:
    place.bundle("ttfs28")
    options = "--data calib.npz --early-exit-loss 0.5 --calib calib.npz"
    return f"verify bundle/ --model model.onnx {options}"


def backward_time(place: Place) -> str:
    place.images()
    path = events(place.folder / "events.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["t"][7] = 12
    np.savez(path, **arrays)
    return "model.onnx --calib events.npz --events duration=30000 -o bundle/"


def events_at_once(place: Place) -> str:
    place.images()
    events(place.folder / "events.npz")
    return "model.onnx --target ttfs28 --calib events.npz --events duration=30000 -o bundle/"


def no_dask(place: Place) -> str:
    place.model()
    place.patch.setitem(sys.modules, "distributed", None)
    return "sweep model.onnx --calib calib.npz --dask tcp://10.0.0.5:8786 -o sweep/"


def damaged_image(place: Place) -> str:
    place.bundle("ttfs28")
    content = bytearray((place.folder / "bundle" / "ttfs28" / "image.bin").read_bytes())
    content[len(content) // 2] ^= 4
    (place.folder / "image.bin").write_bytes(content)
    return "disasm image.bin"


def edited_text(place: Place) -> str:
    place.bundle("ttfs28")
    place.run("disasm bundle/ -o image.txt")
    path = place.folder / "image.txt"
    path.write_text(path.read_text().replace("slots=24", "slots=many"))
    return "asm image.txt -o image.bin"


EXAMPLES: dict[str, Callable[[Place], str]] = {
    "SNN001": weights_left_behind, "SNN002": undefined_value, "SNN003": exponentials,
    "SNN004": bilinear_resize, "SNN005": dynamic_image, "SNN006": no_activation,
    "SNN007": linear_layers, "SNN010": unquantized_input, "SNN011": misspelled_op,
    "SNN012": tensors_left_behind, "SNN020": misspelled_pass, "SNN021": broken_promise,
    "SNN022": too_many_octaves, "SNN030": channels_last, "SNN031": no_data,
    "SNN032": few_samples, "SNN033": backward_time, "SNN034": events_at_once,
    "SNN040": other_target, "SNN041": wide_weights, "SNN042": other_option,
    "SNN043": too_few_steps, "SNN050": other_folder, "SNN051": changed_file,
    "SNN052": no_compiler, "SNN053": slots, "SNN054": no_dask, "SNN060": damaged_image,
    "SNN061": edited_text,
}  # fmt: skip
"""By code. The last line that each prints on stderr is the example."""
