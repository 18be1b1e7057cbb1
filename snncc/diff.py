"""What differs between two bundles, IR files or images, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from snncc.images import format_of
from snncc_backends import BundleFolder
from snncc_backends.bundle import MANIFEST, NETWORK, REPORT, TENSORS
from snncc_ir import Graph, Node, Tensor, fail, node_tensors, print_type, read_graph

_COMPARED_IN_WORDS = {NETWORK, TENSORS, REPORT}


def diff(first: Path, second: Path) -> list[str]:
    """One line for each difference from `first` to `second`; empty when there is none.

    Both are bundles, .sir files or images; raises SNN051, SNN011 or SNN060 when one cannot be
    read.
    """
    if first.is_dir() and second.is_dir():
        return list(_bundles(BundleFolder.read(first), BundleFolder.read(second)))
    if first.is_file() and second.is_file():
        images = _images(first.name, first.read_bytes(), second.read_bytes())
        if images is not None:
            return images
        return list(_graphs(read_graph(first), read_graph(second)))
    missing = [str(path) for path in (first, second) if not path.exists()]
    if missing:
        raise fail("SNN051", "there is nothing to compare", missing[0], "look at its path")
    raise fail(
        "SNN051",
        "a folder and a file cannot be compared",
        f"{first} and {second}",
        "two bundles, two .sir files, or two images",
    )


def _bundles(first: BundleFolder, second: BundleFolder) -> Iterator[str]:
    yield from _json("manifest", _described(first), _described(second))
    yield from _graphs(first.graph, second.graph)
    yield from _json("report", _report(first), _report(second))
    ours, theirs = first.table("files"), second.table("files")
    for name in sorted({*ours, *theirs}):
        if name not in theirs:
            yield f"file {name}: only in {first.folder}"
        elif name not in ours:
            yield f"file {name}: only in {second.folder}"
        elif ours[name] != theirs[name] and name not in _COMPARED_IN_WORDS:
            mine, other = first.file(name), second.file(name)
            for line in _images(name, mine, other) or [_file(mine, other)]:
                yield f"file {name}: {line}"
    if _content(first) == _content(second) and first.manifest != second.manifest:
        yield f"{MANIFEST}: the manifests differ in form"


def _images(name: str, first: bytes, second: bytes) -> list[str] | None:
    """Differences of two images of one format; None for other files."""
    known = format_of(first)
    if known is None or not second.startswith(known.magic):
        return None
    return known.differences(first, second, (f"{name} (first)", f"{name} (second)"))


def _described(bundle: BundleFolder) -> dict[str, object]:
    return {key: value for key, value in bundle.manifest.items() if key != "files"}


def _content(bundle: BundleFolder) -> object:
    return _described(bundle), bundle.table("files")


def _report(bundle: BundleFolder) -> object:
    return bundle.json(REPORT)


def _json(path: str, first: object, second: object) -> Iterator[str]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in dict.fromkeys([*first, *second]):
            yield from _json(f"{path}.{key}", first.get(key), second.get(key))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (ours, theirs) in enumerate(zip(first, second, strict=True)):
            yield from _json(f"{path}[{number}]", ours, theirs)
    elif first != second:
        yield f"{path}: {json.dumps(first)} → {json.dumps(second)}"


def _graphs(first: Graph, second: Graph) -> Iterator[str]:
    if first.name != second.name:
        yield f"network: named '{first.name}' → '{second.name}'"
    for name in dict.fromkeys([*first.by_name, *second.by_name]):
        ours, theirs = first.by_name.get(name), second.by_name.get(name)
        if theirs is None:
            yield f"{name}: is gone"
        elif ours is None:
            yield f"{name}: is new, {theirs.op.name} : {print_type(theirs.type)}"
        else:
            yield from _nodes(ours, theirs)
    if first != second and first.by_name == second.by_name:
        yield "network: its nodes stand in another order"


def _nodes(first: Node, second: Node) -> Iterator[str]:
    name = first.name
    if first.op.name != second.op.name:
        yield f"{name}: {first.op.name} → {second.op.name}"
        return
    if first.inputs != second.inputs:
        yield f"{name}: fed by {', '.join(first.inputs)} → {', '.join(second.inputs)}"
    if first.type != second.type:
        yield f"{name}: {print_type(first.type)} → {print_type(second.type)}"
    if first.origin != second.origin:
        yield f"{name}: from {first.origin} → {second.origin}"
    ours, theirs = node_tensors(first), node_tensors(second)
    for key in dict.fromkeys([*ours, *theirs]):
        if key not in ours or key not in theirs:
            yield f"{key}: only in the {'first' if key in ours else 'second'}"
        elif ours[key] != theirs[key]:
            yield f"{key}: {_tensors(ours[key], theirs[key])}"
    if first.op != second.op and ours == theirs:
        changed = [
            field.name
            for field in fields(first.op)
            if getattr(first.op, field.name) != getattr(second.op, field.name)
        ]
        yield f"{name}: {', '.join(changed)} changed"


def _tensors(first: Tensor, second: Tensor) -> str:
    if (first.format, first.shape) != (second.format, second.shape):
        return f"{first!r} → {second!r}"
    gap = np.abs(first.floats - second.floats)
    return (
        f"{np.count_nonzero(gap)} of {gap.size} numbers differ, by at most {gap.max():.6g} "
        f"(largest number {np.abs(first.floats).max():.6g})"
    )


def _file(first: bytes, second: bytes) -> str:
    if len(first) != len(second):
        return f"{len(first)} → {len(second)} bytes"
    place = next(i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
    return f"differs from byte {place} on"
