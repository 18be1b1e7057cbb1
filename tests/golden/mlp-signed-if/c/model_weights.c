/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0xae92aab08b66f778u, 0xa2b800007b2427fbu, 0x52180ffe7ff6c004u, 0xa2f07ff855824440u,
0x749a7ff870e1900eu, 0xa438010dd1ae002u, 0xfe3753a802e9509du, 0xfd778334fb9f56f2u,
0x3171877ff7b136au, 0x55774f7082922c1u, 0x4e1eab301e471e8u, 0xa7f41f006e64617u,
0x19a3cb204149160u, 0x270f55a00f238f4u, 0x53fa0f80211e1d5u, 0x94bb2aaa7ffe6aa9u,
0xdf06e7d1f85616fdu, 0xcc85c329d5e1ee69u, 0x721039bac646962au, 0x5b40e930u,
0xffffff6e0000000du, 0x93u,
};
