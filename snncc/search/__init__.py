"""Settings found instead of given: the cheapest ones that keep the accuracy."""

from snncc.search.choose import PREFERENCES, Goal, Search, search
from snncc.search.study import Study, make_study
from snncc.search.trial import Attempted, Candidate, Figures, Trial, attempt, latency, try_candidate

__all__ = [
    "PREFERENCES", "Attempted", "Candidate", "Figures", "Goal", "Search", "Study", "Trial",
    "attempt", "latency", "make_study", "search", "try_candidate",
]  # fmt: skip
