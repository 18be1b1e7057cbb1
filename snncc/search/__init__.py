"""Settings found instead of given: the cheapest ones that keep the accuracy."""

from snncc.search.choose import PREFERENCES, Goal, Search, search
from snncc.search.study import Study, make_study
from snncc.search.trial import Candidate, Figures, Trial, try_candidate

__all__ = [
    "PREFERENCES", "Candidate", "Figures", "Goal", "Search", "Study", "Trial", "make_study",
    "search", "try_candidate",
]  # fmt: skip
