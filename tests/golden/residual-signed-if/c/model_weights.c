/* Weights, biases, thresholds and indices of the network, little-endian, as model.c addresses them. */
#include "model.h"

const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8] = {
0x24001a48u, 0xd600fcb7e1ecd000u, 0x3020ee00f625271au, 0xec4ad8e6dc00276cu,
0x300d89400001e00u, 0xcfe02100ceb91810u, 0xe5b8e7f018003147u, 0xfa002423d8e63000u,
0x1810dc00e9012d1eu, 0x31470000fa00e5b8u, 0x1e002423eaf2ee00u, 0x302f7000692d5e4u,
0xf625eaf2f400106du, 0x150edc00u, 0xfffb4797ffffa5bau, 0xffff82dcu,
0x4df63fb054f6400u, 0x536d10bu, 0x26fb1fd02a7b200u, 0x29b6886u,
0x1c6537bbe99f9881u, 0x2fc46fe3c04f2cc1u, 0x2cc15793e22af18fu, 0x3ffff1155e300fecu,
0xb50d434530008f92u, 0xda1c0800e2054fffu, 0x67ffe2051800da86u, 0x47ffccc5e9842066u,
0x2ab1980139284cd8u, 0x980106cc088a5fffu, 0x8673199d67ffaa9eu, 0x9881686e4f9da801u,
0x1dd6e81e1661f2e4u, 0xc84543225323f80au, 0x77589a3c9881bcdeu, 0xbb871800da8667ffu,
0x5fffd307b0010000u, 0xb50c7fffad8e8ec6u, 0x998b77ec07d60000u, 0x57ffbf55667567ffu,
0xf353f776d001bbb2u, 0x199d7fff11145fffu, 0x2cc1d832800215deu, 0x988143222d2bf014u,
0x43229fddb0635983u, 0xfffb776b6fe3f014u, 0xe8002cf9c8009f08u, 0x1000167cfe89u,
0x880143759fc4f000u, 0xad8ec4032800167cu, 0x5a000000f800333bu, 0xeeecb801eeecc801u,
0x6fff444e9801d075u, 0xe0006a18b328u, 0xffffffffu, 0x200000001u,
0xffffffffffffffffu, 0x700000006u, 0xffffffff00000008u, 0xcffffffffu,
0xe0000000du, 0xffffffffffffffffu, 0x2500000024u, 0xffffffff00000026u,
0x2affffffffu, 0x2c0000002bu, 0xffffffffffffffffu, 0x3100000030u,
0xffffffff00000032u, 0x48ffffffffu, 0x4a00000049u, 0xffffffffffffffffu,
0x4f0000004eu, 0xffffffff00000050u, 0x54ffffffffu, 0x5600000055u,
0xffffffffu, 0x775900000000u, 0x7fff00007fffu, 0x0u,
0xffffe26d00001ea9u, 0xfffff10affffdfa3u, 0xffffec0fu, 0x1452d0000cb12u,
0xaf460000dc6cu, 0xa85au, 0xa29600003cecu, 0x349500006e36u,
0x3281u, 0x77fddf3d4ae320c3u, 0xb0f94962e0017ffdu, 0x2b1ef76000001694u,
0xc6d10913e1fu, 0xc6e000004a1u, 0xfffffed2u,
};
