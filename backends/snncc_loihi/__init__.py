"""Target loihi: core maps for Loihi-style many-core chips; docs/targets/loihi.md specifies them."""
