/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0xae8caaab8cb7f778u, 0xa3c600007a712800u, 0x51a110007fffc001u, 0xa2e97fff548b4444u,
0x73497fff703d9001u, 0xa348001dd18e000u, 0xfe145d1602ee8b32u, 0xfd74b3a2fbab3dfcu,
0x32fe0bbff401980u, 0x5480000082994feu, 0x4e2429a021a6320u, 0xa70000006e7152cu,
0x2a400000414ca7fu, 0x271214d010d3190u, 0x538000003738a96u, 0x94bb2aaa7ffe6aa9u,
0xdf06e7d1f85616fdu, 0xcc85c329d5e1ee69u, 0x721039bac646962au, 0x5b40e930u,
0x0u, 0x0u,
};
