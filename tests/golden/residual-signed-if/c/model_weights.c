/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0x24001a48u, 0xd600fcb7e1ecd000u, 0x3020ee00f625271au, 0xec4ad8e6dc00276cu,
0x300d89400001e00u, 0xcfe02100ceb91810u, 0xe5b8e7f018003147u, 0xfa002423d8e63000u,
0x1810dc00e9012d1eu, 0x31470000fa00e5b8u, 0x1e002423eaf2ee00u, 0x302f7000692d5e4u,
0xf625eaf2f400106du, 0x150edc00u, 0xfffb4797ffffa5bau, 0xffff97b8u,
0x4df63fb054f6400u, 0x536d10bu, 0x26fb1fd02a7b200u, 0x29b6886u,
0x1dd63837e7e19881u, 0x2e77735ec04f2cc1u, 0x280b5793e22af115u, 0x3ffff11560f8106du,
0xb50d43752b3c886fu, 0xda860782e3ae4fffu, 0x6483e4101800da86u, 0x4d7accc5e9841dfbu,
0x2ab1980138004fc7u, 0x98010800095d60dfu, 0x88011d776b2caa9eu, 0x9e716b394f9da801u,
0x1746e81e1661f115u, 0xc8454322520df74au, 0x77589792a1b8c2edu, 0xbc8b1974d29b67ffu,
0x5bf6d466b0010000u, 0xb13f7fffad8e8f92u, 0x998b77ec077f011du, 0x57ffc0015fec6deau,
0xf800f5a6cf02bbb2u, 0x1c507fff11145fffu, 0x31a9d83280021800u, 0x988143222cc1f657u,
0x43229f08b4555935u, 0x75ff780df014u, 0xec883175c8009f08u, 0x1fe1000167c0000u,
0x880143759e90e8b7u, 0xad8ec40a28ce15bdu, 0x57ff0085fa59333bu, 0xea68b233eeecc801u,
0x7ba1444e9801d000u, 0xe00067ffabcau, 0xffffffffu, 0x200000001u,
0xffffffffffffffffu, 0x700000006u, 0xffffffff00000008u, 0xcffffffffu,
0xe0000000du, 0xffffffffffffffffu, 0x2500000024u, 0xffffffff00000026u,
0x2affffffffu, 0x2c0000002bu, 0xffffffffffffffffu, 0x3100000030u,
0xffffffff00000032u, 0x48ffffffffu, 0x4a00000049u, 0xffffffffffffffffu,
0x4f0000004eu, 0xffffffff00000050u, 0x54ffffffffu, 0x5600000055u,
0xffffffffu, 0x7cd500000000u, 0x7fff00007fffu, 0x0u,
0xffffe9f900001eb2u, 0xffffebb1ffffe0e2u, 0xffffec12u, 0x1541e0000cb12u,
0xaf460000f4eau, 0xa85au, 0x660900003cecu, 0x57a30000ab71u,
0x3281u, 0x77fddf3d4ae320c3u, 0xb0f94962e0017ffdu, 0x2b1ef76000001694u,
0xc6d10913e1fu, 0x9c000000bb2u, 0xffffff2au,
};
