"""Tests of snncc.train, which needs torch: without it all of them are skipped (see conftest)."""
