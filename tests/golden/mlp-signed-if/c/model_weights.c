/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0xae92aab08b66f778u, 0xa2b8000078f027fbu, 0x50a00ffe7ff6c004u, 0xa2f07ff855824440u,
0x749a7ff86edc900eu, 0xa148010dd1ae002u, 0xfe37d933031a26c9u, 0xfd794465fbab6be9u,
0x355e635ff7d5ddfu, 0x55774f7082922c1u, 0x4e1eab301e471e8u, 0xa4f2df406e64617u,
0x19a3cb20272bda2u, 0x176f99d00915560u, 0x317c0fe0211e1d5u, 0x94bb2aaa7ffe6aa9u,
0xdf06e7d1f85616fdu, 0xcc85c329d5e1ee69u, 0x721039bac646962au, 0x5b40e930u,
0x39ffffffa5u, 0xffffffacu,
};
