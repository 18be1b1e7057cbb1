"""Placements are sound and good, and their figures are those of walking every route."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from snncc_ir import Integers
from snncc_loihi.chance import Chance
from snncc_loihi.chip import Mesh, load_chip
from snncc_loihi.curve import along_curve, along_rows, hilbert
from snncc_loihi.placement import place, random_places, row_major
from snncc_loihi.routes import figures, link_loads
from snncc_loihi.swaps import Assignment, Graph, Space, descended, tempered
from snncc_loihi.tempering import together
from snncc_loihi.traffic import Traffic, Weights, chips_for, tiles_of

MESHES = (
    Mesh(cores=4, cores_per_tile=1, width=2, height=2, chips_in_row=2, most_chips=20),
    Mesh(cores=12, cores_per_tile=2, width=3, height=2, chips_in_row=2, most_chips=9),
    Mesh(cores=6, cores_per_tile=3, width=1, height=2, chips_in_row=3, most_chips=9),
    Mesh(cores=128, cores_per_tile=4, width=8, height=4, chips_in_row=4, most_chips=9),
)
WEIGHTS = (Weights(3.0, 4.0, 30.0), Weights(1.0, 1.0, 0.0), Weights(0.1, 0.7, 3.3))
Link = tuple[tuple[int, int], tuple[int, int]]


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    cores = draw(st.integers(1, 24))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = draw(st.integers(0, 4 * cores))
    messages = random.integers(0, 1000, count) if draw(st.booleans()) else random.random(count)
    hosts = draw(st.integers(0, 3))
    return Traffic.of(
        cores,
        random.integers(0, cores, count),
        random.integers(0, cores, count),
        messages,
        random.integers(0, cores, hosts),
        random.integers(0, 50, hosts),
    )


def walked(traffic: Traffic, places: Integers, mesh: Mesh) -> tuple[Counter[Link], Counter[str]]:
    """Messages on every link, and hops of each kind, hop by hop as a router would see them."""
    links, hops = Counter[Link](), Counter[str]()
    tiles = [mesh.address(int(p))[2:] for p in places]
    trips = [
        (tiles[s], tiles[t], m)
        for s, t, m in zip(traffic.source, traffic.target, traffic.messages, strict=True)
    ]
    trips += [
        ((0, 0), tiles[t], m)
        for t, m in zip(traffic.host_target, traffic.host_messages, strict=True)
    ]
    for (x, y), (to_x, to_y), messages in trips:
        while (x, y) != (to_x, to_y):
            if x != to_x:
                after = (x + (1 if to_x > x else -1), y)
                hops["x"] += messages
            else:
                after = (x, y + (1 if to_y > y else -1))
                hops["y"] += messages
            if (x // mesh.width, y // mesh.height) != (
                after[0] // mesh.width,
                after[1] // mesh.height,
            ):
                hops["border"] += messages
            links[(x, y), after] += messages
            x, y = after
    return links, hops


@settings(max_examples=60, deadline=None)
@given(traffics(), st.sampled_from(MESHES), st.sampled_from(WEIGHTS), st.integers(0, 99))
def test_figures_and_loads_are_those_of_walking(
    traffic: Traffic, mesh: Mesh, weights: Weights, seed: int
) -> None:
    places = random_places(traffic.cores, mesh, seed)
    links, hops = walked(traffic, places, mesh)
    found, loads = figures(traffic, places, mesh, weights), link_loads(traffic, places, mesh)
    assert (found.hops_x, found.hops_y, found.crossings) == (hops["x"], hops["y"], hops["border"])
    assert found.hops == loads.hops == sum(links.values())
    assert found.busiest == loads.busiest == max(links.values(), default=0)
    assert found.picojoules == (
        hops["x"] * weights.x + hops["y"] * weights.y + hops["border"] * weights.link
    )
    for array, step in ((loads.east, (1, 0)), (loads.south, (0, 1))):
        for (y, x), load in np.ndenumerate(array):
            assert load == links[(x, y), (x + step[0], y + step[1])]
    for array, step in ((loads.west, (1, 0)), (loads.north, (0, 1))):
        for (y, x), load in np.ndenumerate(array):
            assert load == links[(x + step[0], y + step[1]), (x, y)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traffics(), st.sampled_from(MESHES), st.sampled_from(WEIGHTS), st.integers(0, 99))
def test_a_placement_is_sound_and_never_worse(
    traffic: Traffic, mesh: Mesh, weights: Weights, seed: int
) -> None:
    places = place(traffic, mesh, weights, seed)
    assert places.shape == (traffic.cores,)
    assert len(set(places.tolist())) == traffic.cores
    chips = places // mesh.cores
    assert places.min() >= 0
    assert chips.max() < chips_for(traffic.cores, mesh)
    cost = figures(traffic, places, mesh, weights).picojoules
    for other in (row_major(traffic.cores, mesh), random_places(traffic.cores, mesh, seed)):
        assert len(set(other.tolist())) == traffic.cores
        assert cost <= figures(traffic, other, mesh, weights).picojoules
    assert np.array_equal(places, place(traffic, mesh, weights, seed))


def torn_grid(side: int) -> Traffic:
    """A grid whose cores have been shuffled: neighbors talk, both ways."""
    name = Chance(1).order(side * side).reshape(side, side)
    pairs = [(name[:, :-1], name[:, 1:]), (name[:-1], name[1:])]
    one, other = (np.concatenate([p[i].reshape(-1) for p in pairs]) for i in (0, 1))
    ones = np.ones(2 * len(one), np.int64)
    return Traffic.of(side * side, np.concatenate((one, other)), np.concatenate((other, one)), ones)


def test_a_shuffled_grid_is_found_again() -> None:
    mesh = Mesh(cores=256, cores_per_tile=1, width=16, height=16, chips_in_row=1, most_chips=1)
    traffic, weights = torn_grid(16), Weights(1.0, 1.0, 0.0)
    found = figures(traffic, place(traffic, mesh, weights), mesh, weights)
    assert found.hops <= 1.2 * found.messages  # 1 hop a message is the best that can be
    assert figures(traffic, row_major(256, mesh), mesh, weights).hops > 8 * found.messages


def test_chips_are_filled_by_clusters() -> None:
    """Four groups that hardly talk to each other, shuffled: each gets a chip of its own."""
    mesh = Mesh(cores=16, cores_per_tile=4, width=2, height=2, chips_in_row=2, most_chips=4)
    group = Chance(5).order(64) % 4
    source, target = (n.reshape(-1) for n in np.indices((64, 64)))
    same = group[source] == group[target]
    traffic = Traffic.of(64, source, target, np.where(same, 100, 1) * (source != target))
    chips = place(traffic, mesh, Weights(3.0, 4.0, 30.0)) // 16
    assert all(len(set(chips[group == g].tolist())) == 1 for g in range(4))


def test_the_host_draws_cores_to_its_tile() -> None:
    chip = load_chip("loihi1")
    none = np.zeros(0, np.int64)
    traffic = Traffic.of(9, none, none, none, np.array([4, 7]), np.array([5, 5]))
    places = place(traffic, chip.mesh, Weights.of(chip.costs[chip.default_costs]))
    assert set((places[[4, 7]] // 4).tolist()) == {0}


@pytest.mark.parametrize("cores", [1, 2, 3, 128, 129, 700])
def test_no_more_chips_than_needed(cores: int) -> None:
    mesh = load_chip("loihi1").mesh
    chain = np.arange(cores - 1)
    traffic = Traffic.of(cores, chain, chain + 1, np.ones(cores - 1, np.int64))
    for places in (row_major(cores, mesh), random_places(cores, mesh)):
        assert places.max() // 128 == chips_for(cores, mesh) - 1 or cores < 128
        assert len(set(places.tolist())) == cores
    found = along_curve(chips_for(cores, mesh), mesh)
    assert sorted(found.tolist()) == sorted(along_rows(chips_for(cores, mesh), mesh).tolist())
    assert figures(traffic, found[:cores], mesh, WEIGHTS[0]).hops <= 2 * cores


def test_too_many_cores() -> None:
    with pytest.raises(ValueError, match="81 cores need 21 chips, should be 20 or fewer"):
        row_major(81, MESHES[0])


@pytest.mark.parametrize(
    ("source", "messages"), [([2], [1.0]), ([-1], [1.0]), ([0], [-1.0]), ([0], [np.inf]), ([0], [])]
)
def test_traffic_that_cannot_be(source: list[int], messages: list[float]) -> None:
    with pytest.raises(ValueError, match=r"should be|beyond"):
        Traffic.of(2, np.array(source), np.array([0]), np.array(messages, np.float64))


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_hilbert_curve_visits_every_point(width: int, height: int) -> None:
    points = hilbert(width, height)
    assert sorted(points) == [(x, y) for x in range(width) for y in range(height)]
    far = [max(abs(a - c), abs(b - d)) for (a, b), (c, d) in pairwise(points)]
    assert max(far, default=1) == 1  # at most one step is diagonal, where it has to be


@settings(max_examples=60, deadline=None)
@given(traffics(), st.sampled_from(MESHES), st.integers(0, 99))
def test_changes_of_swaps_are_exact(traffic: Traffic, mesh: Mesh, seed: int) -> None:
    """What a swap is said to cost is what it costs; descent never loses, and knows its cost."""
    now = assignment(traffic, mesh, seed)
    one, other = np.triu_indices(len(now.place), 1)
    for index in np.random.default_rng(seed).integers(0, len(one), 20):
        pair = one[[index]], other[[index]]
        assert now.cost() + now.changes(*pair)[0] == now.swapped(*pair).cost()
    after = descended(now, Chance(seed))
    assert after.cost() <= now.cost()
    assert sorted(after.place) == sorted(tempered(now, 20, Chance(seed)).place)
    assert not (after.changes(one, other) < 0).any()  # few cores: no pair gains any more


@settings(max_examples=40, deadline=None)
@given(traffics(), st.sampled_from(MESHES), st.integers(0, 99), st.integers(0, 60))
def test_tempered_together_is_tempered_alone(
    traffic: Traffic, mesh: Mesh, seed: int, rounds: int
) -> None:
    """The same swaps, and chances that go on alike."""
    starts = [assignment(traffic, mesh, start) for start in (seed, seed + 1)]
    assume(starts[0].space.grid.min() >= 0)  # every row of chips is full
    chance = Chance(seed)
    found = together(starts, rounds, chance)
    for start, ours in zip(starts, found, strict=True):
        alone = Chance(seed)
        assert np.array_equal(ours.place, tempered(start, rounds, alone).place)
        assert np.array_equal(alone.order(9), chance.copied().order(9))


def assignment(traffic: Traffic, mesh: Mesh, seed: int) -> Assignment:
    cores = chips_for(traffic.cores, mesh) * mesh.cores
    column, row = tiles_of(np.arange(cores), mesh)
    grid = np.full((int(row.max()) + 1, int(column.max()) + 1, mesh.cores_per_tile), -1)
    grid[row, column, np.arange(cores) % mesh.cores_per_tile] = np.arange(cores)
    host = np.zeros(cores, np.int64)
    np.add.at(host, traffic.host_target, (traffic.host_messages / traffic.unit).astype(np.int64))
    graph = Graph.of(
        traffic.source, traffic.target, (traffic.messages / traffic.unit).astype(np.int64), host
    )
    space = Space(3 * column, 4 * row, column, row, grid)
    return Assignment(graph, space, Chance(seed).order(cores))


def test_places_of_chips_agree_with_their_addresses() -> None:
    for mesh in MESHES:
        places = np.arange(mesh.cores * min(mesh.most_chips, 9))
        x, y = tiles_of(places, mesh)
        assert [(int(a), int(b)) for a, b in zip(x, y, strict=True)] == [
            mesh.address(int(p))[2:] for p in places
        ]


def test_the_seed_decides() -> None:
    mesh = MESHES[3]
    assert not np.array_equal(random_places(50, mesh, 0), random_places(50, mesh, 1))
    assert Chance(0).order(5).tolist() == [1, 4, 0, 3, 2]  # the same on every computer
