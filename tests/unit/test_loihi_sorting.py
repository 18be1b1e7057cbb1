"""Sorting with places in the keys is stable, whether there is room for them or not."""

import numpy as np
import pytest

from snncc_loihi.sorting import stable_order


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("largest", [1, 7, 1 << 40, (1 << 62) - 1])
def test_the_order_is_the_stable_one(count: int, largest: int) -> None:
    random = np.random.default_rng(count)
    keys = random.integers(0, largest, count)
    keys[: count // 2] = keys[count // 2 : count // 2 * 2]  # equal ones, too
    assert np.array_equal(stable_order(keys), np.argsort(keys, kind="stable"))
