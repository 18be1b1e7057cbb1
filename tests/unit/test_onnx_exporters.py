"""What exporters write beside nodes, and what diagnostics make of it."""

from pathlib import Path

import onnx
import pytest
from onnx import helper

from snncc.onnx import import_model
from snncc.onnx.exporters import written
from snncc_ir import SnnccError
from snncc_ir.ops import Conv
from tests.unit.test_onnx import Maker, agree, conv, normal, relu_conv

TRACE = """File "/home/a/train/net.py", line 12, in forward
    x = self.b(x); x = x.view(x.size(0), -1)
  File "/home/a/train/blocks.py", line 7, in forward
    return self.act(self.bn(self.conv(x)))
  File "/usr/lib/python3.12/site-packages/torch/nn/modules/activation.py", line 432, in forward
    return F.silu(input)"""
MODULE = {
    "pkg.torch.onnx.name_scopes": "['', 'b', 'b.act', 'silu']",
    "pkg.torch.onnx.class_hierarchy": "['net.M', 'net.B', 'torch.nn.modules.activation.SiLU', "
    "'aten.silu.default']",
    "pkg.torch.onnx.stack_trace": TRACE,
}


def annotated(node: onnx.NodeProto, metadata: dict[str, str]) -> onnx.NodeProto:
    for key, value in metadata.items():
        entry = node.metadata_props.add()
        entry.key, entry.value = key, value
    return node


def test_module_and_line_of_dynamo() -> None:
    node = annotated(helper.make_node("Sigmoid", ["x"], ["y"]), MODULE)
    line = "blocks.py:7: return self.act(self.bn(self.conv(x)))"
    assert written(node) == ("b.act", line)


def test_a_function_of_a_module_of_the_user() -> None:
    """`F.relu(x)` in a block has the block's path and the call's own name."""
    metadata = {
        "pkg.torch.onnx.name_scopes": "['', 'layer1.0', 'relu_1']",
        "pkg.torch.onnx.class_hierarchy": "['net.M', 'net.Block', 'aten.relu.default']",
    }
    assert written(annotated(helper.make_node("Relu", ["x"], ["y"]), metadata))[0] == (
        "layer1.0.relu_1"
    )


@pytest.mark.parametrize("text", ["", "[", "[1]", "{'a': 1}", "[" * 5000, "['', 'a']" + "\0"])
def test_metadata_that_is_damaged_is_left_aside(text: str) -> None:
    metadata = dict.fromkeys(MODULE, text)
    assert written(annotated(helper.make_node("Relu", ["x"], ["y"]), metadata)) == ("", "")


def test_lines_of_a_verbose_trace() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], doc_string="/home/a/net.py(12): forward\n")
    assert written(node) == ("", "")
    node.doc_string = TRACE
    assert written(node)[1].startswith("blocks.py:7")


def test_a_diagnostic_names_module_and_line(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    maker.node("Sin")
    annotated(maker.nodes[-1], MODULE)
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path))
    assert caught.value.diagnostics[0].place == (
        "Sin '/net/sin2/Sin' (v1: N×4×7×6), in b.act, "
        "blocks.py:7: return self.act(self.bn(self.conv(x)))"
    )


def test_names_of_modules_become_names_of_the_graph(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    conv(maker)
    annotated(maker.nodes[-1], MODULE)
    maker.nodes[-1].name = "node_conv_13"
    maker.node("Relu")
    graph = agree(maker.save(tmp_path))
    assert [node.name for node in graph if isinstance(node.op, Conv)] == ["b.act"]


def test_functions_of_a_model_are_inlined(tmp_path: Path) -> None:
    body = [helper.make_node("Conv", ["a", "w"], ["c"]), helper.make_node("Relu", ["c"], ["b"])]
    block = helper.make_function(
        "here", "Block", ["a", "w"], ["b"], body, [helper.make_opsetid("", 17)]
    )
    maker = Maker(3, 9, 8)
    maker.node("Block", normal(4, 3, 3, 3), domain="here")
    path = maker.save(tmp_path)
    model = onnx.load(path)
    model.functions.append(block)
    path.write_bytes(model.SerializeToString())
    agree(path)


def test_a_domain_without_an_import_is_said_as_an_operator(tmp_path: Path) -> None:
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    maker.node("Thing", domain="custom")
    path = maker.save(tmp_path)
    model = onnx.load(path)
    del model.opset_import[1:]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SnnccError, match=r"operator custom\.Thing is not supported"):
        import_model(path)


def test_what_follows_a_refused_node_is_looked_at(tmp_path: Path) -> None:
    """Its shape is inferred, so that all problems of a file are said at once."""
    maker = Maker(3, 9, 8)
    relu_conv(maker)
    maker.node("Sin")
    maker.node("Conv", normal(2, 4, 3, 3))
    maker.node("Cos")
    maker.node("Transpose", perm=[1, 0, 2, 3])
    with pytest.raises(SnnccError) as caught:
        import_model(maker.save(tmp_path))
    found = [(d.code, d.place.split(" ")[0]) for d in caught.value.diagnostics]
    assert found == [("SNN003", "Sin"), ("SNN003", "Cos"), ("SNN004", "Transpose")]
