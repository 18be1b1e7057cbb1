/* Adding weight rows to potentials; included once for each type of weights.
 *
 * WEIGHT is the type, NAMED(x) a name of its own. Blocks of constant size stay in registers while
 * the rows of all listed sources are added; compilers make vector code of them. */

static SNNCC_INLINE void NAMED(add_rows)(int32_t *v, const WEIGHT *w, const snncc_list *list,
                                         const int32_t n) {
  int32_t sum[64];
  for (int32_t i = 0; i < n; i++) sum[i] = v[i];
  for (int32_t k = 0; k < list->plus; k++) {
    const WEIGHT *row = w + list->row[k];
    for (int32_t i = 0; i < n; i++) sum[i] += row[i];
  }
  for (int32_t k = list->capacity - list->minus; k < list->capacity; k++) {
    const WEIGHT *row = w + list->row[k];
    for (int32_t i = 0; i < n; i++) sum[i] -= row[i];
  }
  for (int32_t i = 0; i < n; i++) v[i] = sum[i];
}

static SNNCC_INLINE void NAMED(add_products)(int32_t *v, const WEIGHT *w, const snncc_list *list,
                                             const int32_t n) {
  int32_t sum[64];
  for (int32_t i = 0; i < n; i++) sum[i] = v[i];
  for (int32_t k = 0; k < list->plus; k++) {
    const WEIGHT *row = w + list->row[k];
    const int32_t value = list->value[k];
    for (int32_t i = 0; i < n; i++) sum[i] += value * row[i];
  }
  for (int32_t i = 0; i < n; i++) v[i] = sum[i];
}

/* v[0..n) += the rows of all listed sources. */
static void NAMED(add)(int32_t *v, const WEIGHT *w, const snncc_list *list, int32_t n) {
#define BLOCKS(function)                         \
  for (; n >= 64; n -= 64, v += 64, w += 64) function(v, w, list, 64); \
  if (n >= 32) { function(v, w, list, 32); n -= 32; v += 32; w += 32; } \
  if (n >= 16) { function(v, w, list, 16); n -= 16; v += 16; w += 16; } \
  if (n >= 8) { function(v, w, list, 8); n -= 8; v += 8; w += 8; } \
  if (n > 0) function(v, w, list, n);
  if (list->value) {
    BLOCKS(NAMED(add_products))
  } else {
    BLOCKS(NAMED(add_rows))
  }
#undef BLOCKS
}

/* Adds what the listed channels of source position (y, x) send through a convolution. Returns the
 * number of target positions. */
static int32_t NAMED(scatter)(const snncc_projection *p, const WEIGHT *w, snncc_list *list,
                              int32_t y, int32_t x, int32_t *v) {
  const snncc_window *win = &p->window;
  const int32_t out = p->to.channels / p->groups, in = p->from.channels / p->groups;
  const size_t tap_size = (size_t)p->from.channels * (size_t)out;
  int32_t positions = 0;
  for (int32_t ky = 0; ky < win->kernel_y; ky++) {
    const int32_t ty = y + win->pad_y - ky * win->dilation_y;
    if (ty < 0 || ty % win->stride_y || ty / win->stride_y >= p->to.height) continue;
    for (int32_t kx = 0; kx < win->kernel_x; kx++) {
      const int32_t tx = x + win->pad_x - kx * win->dilation_x;
      if (tx < 0 || tx % win->stride_x || tx / win->stride_x >= p->to.width) continue;
      int32_t *target = v + ((size_t)(ty / win->stride_y) * (size_t)p->to.width +
                             (size_t)(tx / win->stride_x)) * (size_t)p->to.channels;
      const WEIGHT *tap = w + (size_t)(ky * win->kernel_x + kx) * tap_size;
      positions++;
      if (p->groups == 1) {
        NAMED(add)(target, tap, list, out);
        continue;
      }
      for (int32_t k = 0; k < list->capacity; k++) {
        if (k == list->plus) k = list->capacity - list->minus;
        if (k == list->capacity) break;
        const int32_t channel = list->row[k] / out;
        const WEIGHT *row = tap + list->row[k];
        int32_t *own = target + (channel / in) * out;
        const int32_t factor = list->value ? list->value[k] : k < list->plus ? 1 : -1;
        for (int32_t i = 0; i < out; i++) own[i] += factor * row[i];
      }
    }
  }
  return positions;
}

/* One projection of convolution or dense weights; the sources are spikes, or values if given. */
static int64_t NAMED(project)(const snncc_projection *p, const WEIGHT *w, snncc_list *list,
                              const int8_t *spikes, const int32_t *values, int32_t *v) {
  int64_t operations = 0;
  if (p->map == SNNCC_DENSE) {
    const int32_t out = snncc_size(p->to);
    const int64_t active = collect(list, spikes, values, snncc_size(p->from), out);
    if (active) NAMED(add)(v, w, list, out);
    return active * out;
  }
  const int32_t out = p->to.channels / p->groups;
  const size_t channels = (size_t)p->from.channels;
  for (int32_t y = 0; y < p->from.height; y++) {
    for (int32_t x = 0; x < p->from.width; x++) {
      const size_t at = ((size_t)y * (size_t)p->from.width + (size_t)x) * channels;
      const int64_t active = collect(list, spikes ? spikes + at : NULL,
                                     values ? values + at : NULL, p->from.channels, out);
      if (active) operations += active * out * NAMED(scatter)(p, w, list, y, x, v);
    }
  }
  return operations;
}
