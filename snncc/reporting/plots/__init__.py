"""The pictures of a report: each a function from figures to a matplotlib Figure."""
