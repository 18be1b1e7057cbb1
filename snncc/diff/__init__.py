"""What differs between two bundles, IR files or images: by layer, in figures and in words.

* `changes`: what a difference is. `tensors`: how far numbers have moved.
* `networks` compares graphs, `manifests` settings and reports, `measured` what bundles do.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from snncc.bundle import Bundle
from snncc.diff.changes import KINDS, Change, Difference
from snncc.diff.manifests import compare_manifests, compare_reports
from snncc.diff.measured import Progress, compare_runs
from snncc.diff.networks import compare_networks, count_layers
from snncc.images import format_of
from snncc_backends import BundleFolder
from snncc_backends.bundle import MANIFEST, NETWORK, REPORT, TENSORS
from snncc_ir import fail, read_graph

__all__ = ["KINDS", "Change", "Difference", "diff"]

_COMPARED_IN_WORDS = {NETWORK, TENSORS, REPORT}
_PLACED = re.compile(r"(?:layer '(?P<layer>.+?)'|(?P<core>core \d+)): (?P<text>.*)", re.DOTALL)
"""Lines of an image's differences that say where."""


def diff(
    first: Path,
    second: Path,
    *,
    data: Path | None = None,
    model: Path | None = None,
    limit: int | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Difference:
    """What is not the same in `second`, against `first`.

    Both are bundles, .sir files or images. data: samples on which both bundles are run (`limit` of
    them); model: the ONNX file, for agreement with it. Raises SNN051, SNN011 or SNN060 when one
    cannot be read, SNN030 for data that does not fit, SNN042 for data without bundles.
    """
    folders = first.is_dir() and second.is_dir()
    if (data or model) and not folders:
        raise fail(
            "SNN042",
            "data is given for what are no bundles, should be with two bundles",
            f"{first} and {second}",
            "two bundles, or leave out --data and --model",
        )
    if model is not None and data is None:
        raise fail("SNN042", "a model is given without data", hint="--data TEST.npz with it")
    if folders:
        ours, theirs = BundleFolder.read(first), BundleFolder.read(second)
        changes = list(_bundles(ours, theirs))
        if data is not None:
            bundles = Bundle(ours), Bundle(theirs)
            changes += compare_runs(*bundles, data, model, limit, progress)
        return Difference(tuple(changes), count_layers(ours.graph, theirs.graph))
    if first.is_file() and second.is_file():
        images = _images(first.name, first.read_bytes(), second.read_bytes())
        if images is not None:
            return Difference(tuple(images))
        graphs = read_graph(first), read_graph(second)
        return Difference(tuple(compare_networks(*graphs)), count_layers(*graphs))
    missing = [str(path) for path in (first, second) if not path.exists()]
    if missing:
        raise fail("SNN051", "there is nothing to compare", missing[0], "look at its path")
    raise fail(
        "SNN051",
        "a folder and a file cannot be compared",
        f"{first} and {second}",
        "two bundles, two .sir files, or two images",
    )


def _bundles(first: BundleFolder, second: BundleFolder) -> Iterator[Change]:
    manifests = list(compare_manifests(first.manifest, second.manifest))
    network = list(compare_networks(first.graph, second.graph))
    other = any(change.kind == "network" for change in network)
    yield from [*network, *manifests] if other else [*manifests, *network]
    reports = first.json(REPORT), second.json(REPORT)
    if isinstance(reports[0], dict) and isinstance(reports[1], dict):
        yield from compare_reports(reports[0], reports[1])
    told = {NETWORK: bool(network), TENSORS: bool(network), REPORT: reports[0] != reports[1]}
    yield from _files(first, second, told, images=not other)
    if first.manifest == second.manifest:
        return
    same = first.table("files") == second.table("files")
    if same and not manifests:
        yield Change("file", MANIFEST, f"{MANIFEST}: the manifests differ in form")


def _files(
    first: BundleFolder, second: BundleFolder, told: dict[str, bool], images: bool
) -> Iterator[Change]:
    """told: files that are compared in words, and whether there was anything to say.

    images: whether images are compared field by field.
    """
    ours, theirs = first.table("files"), second.table("files")
    for name in sorted({*ours, *theirs}):
        if name not in theirs or name not in ours:
            which = "first" if name in ours else "second"
            yield Change("file", name, f"file {name}: only in the {which}")
        elif ours[name] != theirs[name] and not told.get(name):
            mine, other = first.file(name), second.file(name)
            found = _images(name, mine, other, "in the image, ") if images else None
            yield from found or [_file(name, mine, other)]


def _images(name: str, first: bytes, second: bytes, before: str = "") -> list[Change] | None:
    """Differences of two images of one format; None for other files. before: of each sentence."""
    known = format_of(first)
    if known is None or not second.startswith(known.magic):
        return None
    lines = known.differences(first, second, (f"{name} (first)", f"{name} (second)"))
    return [_image(known.keyword, line, before) for line in lines]


def _image(keyword: str, line: str, before: str) -> Change:
    found = _PLACED.match(line)
    if found is None:
        return Change("image", keyword, f"{before}{line}")
    return Change("image", found["core"] or keyword, f"{before}{found['text']}", found["layer"])


def _file(name: str, first: bytes, second: bytes) -> Change:
    if len(first) != len(second):
        text = f"{len(first):,} → {len(second):,} bytes"
        figures: dict[str, float] = {"change": len(second) - len(first)}
    else:
        pairs = enumerate(zip(first, second, strict=True))
        place = next(i for i, (a, b) in pairs if a != b)
        text, figures = f"differs from byte {place:,} on", {"first_byte": place}
    return Change("file", name, f"file {name}: {text}", None, len(first), len(second), figures)
