"""Tests of snncc.train, which needs torch: without it all of them are skipped."""

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'snncc[train]'")
