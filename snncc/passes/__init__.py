"""The passes, one file each, in the order in which a network meets them:

hoist_neurons, fold_batchnorm, sink_views, fuse, normalize, quantize_input, rate_code,
quantize_weights.
"""
