"""Target `xbar`: rate-coded networks with weights of few bits on in-memory crossbar arrays.

* `matrices`: projections as matrices of small integers. `tiling`: matrices on arrays.
* `emit`: the files. `config`: the same, read back. `simulator`: runs them, exactly or on a
  `device` that varies. `energy`: what a run costs.
"""

from snncc_xbar.backend import Crossbar
from snncc_xbar.device import Device
from snncc_xbar.settings import XbarSettings
from snncc_xbar.simulator import CrossbarRunner

__all__ = ["Crossbar", "CrossbarRunner", "Device", "XbarSettings"]
