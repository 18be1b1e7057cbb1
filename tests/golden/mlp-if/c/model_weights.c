/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0xae92aab08cbff778u, 0xa3cc00007a7027fbu, 0x51a00ffe7ff6c004u, 0xa2f07ff854854440u,
0x73417ff8703c900eu, 0xa348010dd1ae002u, 0xfe147d7902ee6229u, 0xfd74e16cfbab7aa1u,
0x32fd9f8ff402ffdu, 0x547a6f1082922c1u, 0x4e1eab3021a45aeu, 0xa6fe9dc06e64617u,
0x2a3d37904149160u, 0x270f55a010d22d7u, 0x537f4ee0373230bu, 0x94bb2aaa7ffe6aa9u,
0xdf06e7d1f85616fdu, 0xcc85c329d5e1ee69u, 0x721039bac646962au, 0x5b40e930u,
0x0u, 0x0u,
};
