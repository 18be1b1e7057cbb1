/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0x24051a4bu, 0xd5fbfcb7e1e5cffau, 0x302bedfef6242723u, 0xec48d8dddbfb2770u,
0x300d89000001e04u, 0xcfd52104ceb31815u, 0xe5b5e7eb1803314du, 0xf9ff2427d8dd3006u,
0x1815dbfbe8fe2d28u, 0x314d0000f9ffe5b5u, 0x1e042427eaededfeu, 0x303f6ff0693d5dau,
0xf624eaedf3fe106fu, 0x1513dbfbu, 0xfffb4700ffffe570u, 0xffff97a0u,
0x4e0000005500000u, 0x5380000u, 0x270000002a80000u, 0x29c0000u,
0x1dd637c3e7d29881u, 0x2dff7372c04f2cc1u, 0x28605793e22af115u, 0x3ffff11560f810a3u,
0xb50d43752b0188edu, 0xda86081ee3334fffu, 0x6594e2fa1800da86u, 0x4d3dccc5e9841dfbu,
0x2ab1980138004f8eu, 0x98010800095160c6u, 0x88011d1c6ae3aa9eu, 0x9e666b284f9da801u,
0x174ce81e1661f115u, 0xc8454322520df6a2u, 0x77589792a159c379u, 0xbc8b1943d24c67ffu,
0x5bedd477b0010000u, 0xb00b7fffad8e8f92u, 0x998b77ec077f016cu, 0x57ffc001607d6d63u,
0xf800f597cf25bbb2u, 0x1c677fff11145fffu, 0x31e1d83280021800u, 0x988143222cc1f6a4u,
0x43229f08b4745982u, 0x75a37866f014u, 0xecad31d0c8009f08u, 0x2061000167c0000u,
0x880143759e90e8c0u, 0xad8ec40a28d2160cu, 0x57ff00a4f9f3333bu, 0xea23b280eeecc801u,
0x7baf444e9801d000u, 0xe00067ffabd1u, 0xffffffffu, 0x200000001u,
0xffffffffffffffffu, 0x700000006u, 0xffffffff00000008u, 0xcffffffffu,
0xe0000000du, 0xffffffffffffffffu, 0x2500000024u, 0xffffffff00000026u,
0x2affffffffu, 0x2c0000002bu, 0xffffffffffffffffu, 0x3100000030u,
0xffffffff00000032u, 0x48ffffffffu, 0x4a00000049u, 0xffffffffffffffffu,
0x4f0000004eu, 0xffffffff00000050u, 0x54ffffffffu, 0x5600000055u,
0xffffffffu, 0x7cb900000000u, 0x7fff00007fffu, 0x0u,
0xffffd92100001ed5u, 0xffffebc1ffffe13du, 0xffffec12u, 0x153d40000cb12u,
0xaf460000f4eau, 0xa85au, 0xede100003cecu, 0x57a30000ab71u,
0x3281u, 0x77fddf3d4ae320c3u, 0xb0f94962e0017ffdu, 0x2b1ef76000001694u,
0xc6d10913e1fu, 0x90100000a72u, 0xffffff6du,
};
