/* Dense kernels: all weights (8 or 16 bits) of a layer times numbers of 16 bits, in vector
 * registers. For layers so busy that looking for spikes costs more than multiplying by zeros.
 *
 * One source, several machines: snncc_dense_kernel.h is compiled once for each, and snncc_dense
 * chooses at run time. All give the same sums, which are exact in any order.
 */
#ifndef SNNCC_DENSE_H
#define SNNCC_DENSE_H

#include <stdint.h>

/* Sums in one vector: outputs are padded to a multiple. */
#define SNNCC_LANES 16

/* Sources are a box of 16-bit numbers, channels last, in which every window lies whole. A window is
 * `rows` x `columns` runs of numbers; weights are [outputs / 16][rows][columns][pairs][16][2], where a
 * run of odd length has a weight of 0 behind it. `v` has `height` x `width` x `pitch` sums, of
 * which the first `outputs` are added to. */
typedef struct {
  const int16_t *source;
  const void *weights;
  int32_t *v;
  int32_t height, width, outputs;
  int32_t pitch;          /* sums from a window's first to that of the next */
  int32_t step_y, step_x; /* numbers from an output's window to the next */
  int32_t rows, columns, row_step, column_step;
  int32_t pairs;        /* of a run */
  int32_t weight_bytes; /* 1 or 2 */
} snncc_dense_job;

/* v += weights times sources. */
typedef void snncc_dense_kernel(const snncc_dense_job *job);

typedef enum { SNNCC_PORTABLE, SNNCC_AVX2, SNNCC_AVX512, SNNCC_VECTORS } snncc_vectors;

/* The fastest kernel that this machine runs, of those up to `most`. */
snncc_dense_kernel *snncc_dense(snncc_vectors most);

/* Its name: portable, avx2 or avx512. */
const char *snncc_dense_name(snncc_vectors most);

#endif
