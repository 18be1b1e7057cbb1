/* Adding weight rows to potentials; included once for each type of weights, before snncc_project.h.
 *
 * WEIGHT is the type, NAMED(x) a name of its own. Blocks of constant size stay in registers while
 * the rows of all listed sources are added; compilers make vector code of them. */

static SNNCC_INLINE void NAMED(add_block)(int32_t *v, const WEIGHT *w, const snncc_list *list,
                                          const int32_t n) {
  int32_t sum[SNNCC_BLOCK];
  for (int32_t i = 0; i < n; i++) sum[i] = v[i];
  /* an end mark in place of a count keeps compilers from interchanging the two loops */
  for (const int32_t *at = list->row; *at != SNNCC_END; at++) {
    const WEIGHT *row = w + *at;
    for (int32_t i = 0; i < n; i++) sum[i] += row[i];
  }
  for (const int32_t *at = list->less; *at != SNNCC_END; at++) {
    const WEIGHT *row = w + *at;
    for (int32_t i = 0; i < n; i++) sum[i] -= row[i];
  }
  for (int32_t i = 0; i < n; i++) v[i] = sum[i];
}

/* v[0..n) += the rows of all listed spikes. */
SNNCC_WIDE
static void NAMED(add_spikes)(int32_t *v, const WEIGHT *w, const snncc_list *list, int32_t n) {
  for (; n >= SNNCC_BLOCK; n -= SNNCC_BLOCK, v += SNNCC_BLOCK, w += SNNCC_BLOCK)
    NAMED(add_block)(v, w, list, SNNCC_BLOCK);
  if (n == 48) { /* a kernel of 3 taps over 16 channels */
    NAMED(add_block)(v, w, list, 48);
    return;
  }
  if (n & 32) NAMED(add_block)(v, w, list, 32), v += 32, w += 32;
  if (n & 16) NAMED(add_block)(v, w, list, 16), v += 16, w += 16;
  if (n & 8) NAMED(add_block)(v, w, list, 8), v += 8, w += 8;
  if (n & 7) NAMED(add_block)(v, w, list, n & 7);
}

/* v[0..n) += the rows of all listed sources, each times its value. */
SNNCC_WIDE
static void NAMED(add_values)(int32_t *v, const WEIGHT *w, const snncc_list *list, int32_t n) {
  for (int32_t k = 0; k < list->plus; k++) {
    const WEIGHT *row = w + list->row[k];
    const int32_t value = list->value[k];
    for (int32_t i = 0; i < n; i++) v[i] += value * row[i];
  }
}

/* v[0..n) += the rows of all listed sources, which start at w[at]; out is for weights of one bit. */
static SNNCC_INLINE void NAMED(add)(int32_t *v, const WEIGHT *w, size_t at, const snncc_list *list,
                                    int32_t n, int32_t out) {
  (void)out;
  if (list->value)
    NAMED(add_values)(v, w + at, list, n);
  else
    NAMED(add_spikes)(v, w + at, list, n);
}

/* As add, for grouped convolutions: each listed channel reaches the channels of its group only. */
static void NAMED(add_grouped)(int32_t *v, const WEIGHT *w, size_t at, const snncc_list *list,
                               int32_t stride, int32_t in, int32_t out) {
  for (int32_t k = 0; k < list->plus + list->minus; k++) {
    const int32_t row = k < list->plus ? list->row[k] : list->less[k - list->plus];
    const int32_t factor = list->value ? list->value[k] : k < list->plus ? 1 : -1;
    const WEIGHT *own = w + at + row;
    int32_t *target = v + row / stride / in * out;
    for (int32_t i = 0; i < out; i++) target[i] += factor * own[i];
  }
}
