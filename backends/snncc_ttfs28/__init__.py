"""Target ttfs28: a time-to-first-spike accelerator; docs/targets/ttfs28.md is its specification.

Network → `routes` (projections as the machine does them) → `tiling`, `schedule` (instructions) →
`emit` → `image` (bytes). `reader` and `checker` take an image apart, `emulator/` (C) runs it.
"""

from snncc_ttfs28.backend import Ttfs28Backend

__all__ = ["Ttfs28Backend"]
