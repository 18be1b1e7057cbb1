"""What target loihi adds to the report: the mesh, and how full its cores are."""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

from snncc_backends import Column, Figure, Section

PAPER: tuple[tuple[str, str], ...] = (
    ('id="use"', 'id="mesh-use"'),
    ('id="load"', 'id="mesh-load"'),
    ("url(#use)", "url(#mesh-use)"),
    ("url(#load)", "url(#mesh-load)"),
    ('fill="#333333"', 'fill="currentColor"'),
    ('fill="#666666"', 'fill="currentColor" fill-opacity="0.7"'),
    ('rx="6" fill="#fafafa"', 'rx="6" fill="currentColor" fill-opacity="0.03"'),
    ('class="tiles" fill="#eeeeee"', 'class="tiles" fill="currentColor" fill-opacity="0.08"'),
    (' fill="#ffffff"/>\n<text', ' fill="none"/>\n<text'),
    ('height="11" fill="#ffffff"', 'height="11" fill="none"'),
)
"""The picture is drawn for white paper; in the report it takes the page's ink."""


SCALE = 1.5


class Core(TypedDict):
    """Of cores.json, as far as it is shown."""

    place: int
    neurons: Mapping[str, int]
    use: Mapping[str, int]
    utilization: float


class Table(TypedDict):
    """cores.json, as far as it is shown."""

    chip: str
    totals: Mapping[str, float]
    placements: Mapping[str, Mapping[str, float]]
    limits: Mapping[str, int]
    cores: Sequence[Core]


def sections(table: Table, picture: str) -> tuple[Section, ...]:
    """table: cores.json. picture: mesh.svg."""
    return mesh(table, picture), use(table), populations(table)


def mesh(table: Table, picture: str) -> Section:
    """The mesh with core use and traffic, and what the placement saves."""
    placed, totals = table["placements"]["placed"], table["totals"]
    other = table["placements"].get("random", placed)
    hops, others = (each["hops_x"] + each["hops_y"] for each in (placed, other))
    saved = f", {others / hops:.1f} times fewer than at random places" if 0 < hops < others else ""
    utilization = [core["utilization"] for core in table["cores"]]
    chips, cores = int(totals["chips"]), int(totals["cores"])
    return Section(
        "mesh",
        "Mesh: cores and traffic",
        "Cores by how full their scarcest limit is; links by the messages of a sample, as counted "
        f"on calibration samples when the cores were placed. Messages make {hops:,.0f} hops"
        f"{saved}; the busiest link carries {placed['busiest']:,.0f}.",
        svg=in_ink(picture),
        label=f"Mesh of {table['chip']} with {cores} cores in use and the load of each link",
        figures=(
            Figure("cores", cores, ""),
            Figure("chips", chips, ""),
            Figure("mean use of the scarcest limit", sum(utilization) / cores, "1"),
            Figure("most use of the scarcest limit", max(utilization), "1"),
            Figure("messages", placed["messages"], "messages a sample"),
            Figure("hops", hops, "hops a sample"),
            Figure("busiest link", placed["busiest"], "messages a sample"),
        ),
        sentence=f"It fits {cores} cores on {chips} chip{'s' if chips > 1 else ''} of "
        f"{table['chip']}, {100 * sum(utilization) / cores:.0f} % full on average and "
        f"{100 * max(utilization):.0f} % at most.",
    )


def in_ink(picture: str) -> str:
    """The picture for paper of any color, half as large again as its drawing."""
    for old, new in PAPER:
        picture = picture.replace(old, new)
    picture = re.sub(r'(class="empty"[^>]*)fill="#ffffff"', r'\1fill="none"', picture)
    size = re.search(r'viewBox="0 0 (\S+) (\S+)"', picture)
    if size is None:
        raise AssertionError("the picture has a viewBox")
    width, height = (SCALE * float(number) for number in size.groups())
    return re.sub(
        r'width="\S+" height="\S+"', f'width="{width}" height="{height}"', picture, count=1
    )


def use(table: Table) -> Section:
    """How much of each limit cores use."""
    rows = []
    for name, limit in table["limits"].items():
        used = [core["use"][name] for core in table["cores"] if name in core["use"]]
        if not used or not limit:
            continue
        mean = sum(used) / len(used)
        rows.append(
            (
                name.replace("_", " "),
                limit,
                round(mean, 1),
                max(used),
                round(100 * max(used) / limit, 1),
            )
        )
    return Section(
        "use",
        "Use of a core's limits",
        "What the cores hold of each thing that is limited.",
        columns=(
            Column("limit"),
            Column("allowed"),
            Column("mean"),
            Column("most"),
            Column("most", "%"),
        ),
        rows=tuple(rows),
    )


def populations(table: Table) -> Section:
    """Which layers are cut into how many cores."""
    held: dict[str, list[int]] = {}
    for core in table["cores"]:
        for name, count in core["neurons"].items():
            held.setdefault(name, []).append(count)
    return Section(
        "cut",
        "Layers on cores",
        "Tiles of layers that talk to each other share cores.",
        columns=(
            Column("layer"),
            Column("cores"),
            Column("neurons"),
            Column("most on a core", "neurons"),
        ),
        rows=tuple((name, len(n), sum(n), max(n)) for name, n in held.items()),
    )
