"""The page a person decides by: `snncc report`, and the same as an object for notebooks."""

from snncc.reporting.report import Report, make_report

__all__ = ["Report", "make_report"]
