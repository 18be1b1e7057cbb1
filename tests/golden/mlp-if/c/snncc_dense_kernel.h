/* Included by snncc_dense.c once for each machine, which defines:
 * NAMED(x)   a name of its own;  TARGET  the attribute under which its instructions are compiled;
 * LANES      16 sums of 32 bits, with NAMED(load), NAMED(store), NAMED(pair), NAMED(dot);
 * FACTORS    16 pairs of 16-bit weights, with NAMED(words), and NAMED(bytes) from 8 bits;
 * NARROW, WIDE  how many vectors of outputs stay in registers beside 8 windows, and beside 1. */

/* P windows, N vectors of outputs: their sums stay in registers. */
static SNNCC_INLINE TARGET void NAMED(block)(const snncc_dense_job *job, const int32_t *at,
                                             const int8_t *w, int32_t **v, const int P,
                                             const int N, const int BYTES) {
  const int64_t stream = (int64_t)job->rows * job->columns * job->pairs * 2 * SNNCC_LANES * BYTES;
  LANES sum[8][8];
  for (int p = 0; p < P; p++)
    for (int n = 0; n < N; n++) sum[p][n] = NAMED(load)(v[p] + n * SNNCC_LANES);
  for (int32_t ky = 0; ky < job->rows; ky++) {
    for (int32_t kx = 0; kx < job->columns; kx++) {
      const int16_t *run = job->source + ky * job->row_step + kx * job->column_step;
      for (int32_t j = 0; j < job->pairs; j++, w += 2 * SNNCC_LANES * BYTES) {
        FACTORS factor[8];
        for (int n = 0; n < N; n++)
          factor[n] = BYTES == 1 ? NAMED(bytes)(w + n * stream) : NAMED(words)(w + n * stream);
        for (int p = 0; p < P; p++) {
          const LANES pair = NAMED(pair)(run + at[p] + 2 * j);
          for (int n = 0; n < N; n++) sum[p][n] = NAMED(dot)(sum[p][n], pair, factor[n]);
        }
      }
    }
  }
  for (int p = 0; p < P; p++)
    for (int n = 0; n < N; n++) NAMED(store)(v[p] + n * SNNCC_LANES, sum[p][n]);
}

/* Some windows, all outputs. What is left of outputs that are no multiple of 16 is summed aside. */
static SNNCC_INLINE TARGET void NAMED(windows)(const snncc_dense_job *job, const int32_t *at,
                                               int32_t first, const int P, const int N,
                                               const int BYTES) {
  const int64_t stream = (int64_t)job->rows * job->columns * job->pairs * 2 * SNNCC_LANES * BYTES;
  const int8_t *w = job->weights;
  int32_t *v[8], o = 0;
  int32_t *sums = job->v + (int64_t)first * job->pitch;
  for (; o + N * SNNCC_LANES <= job->outputs; o += N * SNNCC_LANES, w += N * stream) {
    for (int p = 0; p < P; p++) v[p] = sums + p * job->pitch + o;
    NAMED(block)(job, at, w, v, P, N, BYTES);
  }
  for (; o + SNNCC_LANES <= job->outputs; o += SNNCC_LANES, w += stream) {
    for (int p = 0; p < P; p++) v[p] = sums + p * job->pitch + o;
    NAMED(block)(job, at, w, v, P, 1, BYTES);
  }
  if (o == job->outputs) return;
  int32_t rest[8][SNNCC_LANES] = {{0}};
  for (int p = 0; p < P; p++) v[p] = rest[p];
  NAMED(block)(job, at, w, v, P, 1, BYTES);
  for (int p = 0; p < P; p++)
    for (int32_t i = o; i < job->outputs; i++) sums[p * job->pitch + i] += rest[p][i - o];
}

static SNNCC_INLINE TARGET void NAMED(all_windows)(const snncc_dense_job *job, const int BYTES) {
  const int32_t count = job->height * job->width;
  int32_t at[8], first = 0, y = 0, x = 0;
  while (first < count) {
    const int32_t most = count - first >= 8 ? 8 : count - first >= 4 ? 4 : 1;
    for (int32_t p = 0; p < most; p++) {
      at[p] = y * job->step_y + x * job->step_x;
      if (++x == job->width) x = 0, y++;
    }
    if (most == 8)
      NAMED(windows)(job, at, first, 8, NARROW, BYTES);
    else if (most == 4)
      NAMED(windows)(job, at, first, 4, NARROW, BYTES);
    else
      NAMED(windows)(job, at, first, 1, WIDE, BYTES);
    first += most;
  }
}

static TARGET void NAMED(dense)(const snncc_dense_job *job) {
  if (job->weight_bytes == 1)
    NAMED(all_windows)(job, 1);
  else
    NAMED(all_windows)(job, 2);
}
