"""The picture of a mesh: well-formed, every core once, every link in both directions."""

from xml.etree import ElementTree

import numpy as np
import pytest

from snncc_loihi.chip import load_chip
from snncc_loihi.mesh_picture import PicturedCore, mesh_picture
from snncc_loihi.routes import link_loads
from snncc_loihi.traffic import Traffic

NAME = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("chip", "count"), [("loihi1", 1), ("loihi2", 46), ("loihi1", 700)])
def test_everything_is_in_the_picture(chip: str, count: int) -> None:
    mesh = load_chip(chip).mesh
    places = np.arange(count)
    sent = Traffic.of(count, places, (places * 7 + 1) % count, places + 1)
    cores = [PicturedCore(place, place / count, f"<{place}> & more") for place in range(count)]
    loads = link_loads(sent, places, mesh)
    text = mesh_picture(mesh, cores, loads, 'a "title" & <more>')
    assert text == mesh_picture(mesh, cores, loads, 'a "title" & <more>')
    root = ElementTree.fromstring(text)
    boxes = root.findall(f".//{NAME}rect[@class='core']")
    titles = [title.text or "" for box in boxes for title in box.findall(f"{NAME}title")]
    assert titles == [f"core {place}: <{place}> & more" for place in range(count)]
    assert len({(box.get("x"), box.get("y")) for box in boxes}) == count
    chips = -(-count // mesh.cores)
    assert len(root.findall(f".//{NAME}rect[@class='empty']")) == chips * mesh.cores - count
    links = root.findall(f".//{NAME}path/{NAME}title")
    links = [link for link in links if (link.text or "").startswith("tile")]
    assert len(links) == sum(load.size for load in vars(loads).values())
    told = sum(float((link.text or "").split(": ")[1].split()[0]) for link in links)
    assert told == pytest.approx(loads.hops)


def test_large_numbers_can_be_read() -> None:
    mesh = load_chip("loihi2").mesh
    places = np.array([0, mesh.cores_per_tile])  # neighboring tiles
    for messages, shown in ((18701.1666, "18,701"), (99.25, "99.25")):
        sent = Traffic.of(2, places[:1] * 0, places[:1] + 1, np.array([messages]))
        loads = link_loads(sent, places, mesh)
        assert f"messages on a link: 0 to {shown};" in mesh_picture(mesh, [], loads, "")
