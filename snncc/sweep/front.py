"""Pareto fronts: what is not beaten in both quality and cost."""

from collections.abc import Sequence

Point = tuple[float, float]
"""A cost, the less the better, and a quality, the more the better."""


def front(points: Sequence[Point | None]) -> list[bool]:
    """Which points are optimal: no other is at least as good in both and better in one.

    None stands for a point without a cost or a quality; it is never optimal. Of equal points all
    are.
    """
    best = {
        point
        for point in points
        if point is not None and not any(_beats(other, point) for other in points)
    }
    return [point in best for point in points]


def _beats(other: Point | None, point: Point) -> bool:
    if other is None:
        return False
    (cost, quality), (own_cost, own_quality) = other, point
    return cost <= own_cost and quality >= own_quality and other != point
