"""Sorting with places in the keys is stable, whether there is room for them or not."""

import numpy as np
import pytest

from snncc_loihi.sorting import by_first, stable_order


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("largest", [1, 7, 1 << 40, (1 << 62) - 1])
def test_the_order_is_the_stable_one(count: int, largest: int) -> None:
    random = np.random.default_rng(count)
    keys = random.integers(0, largest, count)
    keys[: count // 2] = keys[count // 2 : count // 2 * 2]  # equal ones, too
    assert np.array_equal(stable_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("largest", [1, 7, 400, 1 << 40])
def test_keys_are_numbered_by_where_they_are_first(count: int, largest: int) -> None:
    keys = np.random.default_rng(count).integers(0, largest, count)
    firsts, number = by_first(keys)
    assert firsts.tolist() == sorted(np.unique(keys, return_index=True)[1].tolist())
    assert np.array_equal(keys[firsts][number], keys)
