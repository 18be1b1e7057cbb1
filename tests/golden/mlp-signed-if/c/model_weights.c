/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0xae8caaab8b5af778u, 0xa2af000078fa2800u, 0x50a610007fffc001u, 0xa2e97fff558b4444u,
0x74a67fff6ee59001u, 0xa158001dd18e000u, 0xfe37aad2031a5236u, 0xfd7916e9fbab2f44u,
0x3562a2bff7d4e8eu, 0x5580000082994feu, 0x4e2429a01e48c69u, 0xa50000006e7152cu,
0x19a66670272dfe7u, 0x17713fc00915d53u, 0x318000202121ff5u, 0x94bb2aaa7ffe6aa9u,
0xdf06e7d1f85616fdu, 0xcc85c329d5e1ee69u, 0x721039bac646962au, 0x5b40e930u,
0x39ffffffa5u, 0xffffffacu,
};
