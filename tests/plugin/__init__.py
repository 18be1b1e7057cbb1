"""Backends that others write."""
