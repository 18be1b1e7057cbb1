/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0x24051a4bu, 0xd5fbfcb7e1e5cffau, 0x302bedfef6242723u, 0xec48d8dddbfb2770u,
0x300d89000001e04u, 0xcfd52104ceb31815u, 0xe5b5e7eb1803314du, 0xf9ff2427d8dd3006u,
0x1815dbfbe8fe2d28u, 0x314d0000f9ffe5b5u, 0x1e042427eaededfeu, 0x303f6ff0693d5dau,
0xf624eaedf3fe106fu, 0x1513dbfbu, 0xfffb4700ffffe570u, 0xffff97a0u,
0x4e0000005500000u, 0x5380000u, 0x270000002a80000u, 0x29c0000u,
0x1dd637d5e99f9881u, 0x2e066fe3c04f2cc1u, 0x2cc15793e22af115u, 0x3ffff11560f81093u,
0xb50d43752b328f92u, 0xda860819e2054fffu, 0x65b4e2051800da86u, 0x47ffccc5e9841dfbu,
0x2ab1980138004f90u, 0x9801080009485fffu, 0x88011cff67ffaa9eu, 0x9e3c686e4f9da801u,
0x1dd6e81e1661f115u, 0xc8454322520df6b9u, 0x77589792a119bcdeu, 0xbc8b1939da8667ffu,
0x5c1ad307b0010000u, 0xb50c7fffad8e8f92u, 0x998b77ec077f0152u, 0x57ffc001609f67ffu,
0xf800f58fd001bbb2u, 0x1c3b7fff11145fffu, 0x2cc1d83280021800u, 0x988143222cc1f685u,
0x43229f08b44c5983u, 0x75c16fe3f014u, 0xec912cf9c8009f08u, 0x1000167c0000u,
0x880143759e90e901u, 0xad8ec40a28d6167cu, 0x57ff00a2f800333bu, 0xea23b801eeecc801u,
0x6fff444e9801d000u, 0xe00067ffac03u, 0xffffffffu, 0x200000001u,
0xffffffffffffffffu, 0x700000006u, 0xffffffff00000008u, 0xcffffffffu,
0xe0000000du, 0xffffffffffffffffu, 0x2500000024u, 0xffffffff00000026u,
0x2affffffffu, 0x2c0000002bu, 0xffffffffffffffffu, 0x3100000030u,
0xffffffff00000032u, 0x48ffffffffu, 0x4a00000049u, 0xffffffffffffffffu,
0x4f0000004eu, 0xffffffff00000050u, 0x54ffffffffu, 0x5600000055u,
0xffffffffu, 0x775900000000u, 0x7fff00007fffu, 0x0u,
0xffffd9a500001ed5u, 0xffffebc1ffffe127u, 0xffffec12u, 0x1452d0000cb12u,
0xaf460000f4eau, 0xa85au, 0xe39f00003cecu, 0x57a30000ab71u,
0x3281u, 0x77fddf3d4ae320c3u, 0xb0f94962e0017ffdu, 0x2b1ef76000001694u,
0xc6d10913e1fu, 0x89b00000a12u, 0xffffff87u,
};
