/* Adding weight rows to potentials; included once for each type of weights.
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
static void NAMED(add_values)(int32_t *v, const WEIGHT *w, const snncc_list *list, int32_t n) {
  for (int32_t k = 0; k < list->plus; k++) {
    const WEIGHT *row = w + list->row[k];
    const int32_t value = list->value[k];
    for (int32_t i = 0; i < n; i++) v[i] += value * row[i];
  }
}

static SNNCC_INLINE void NAMED(add)(int32_t *v, const WEIGHT *w, const snncc_list *list,
                                    int32_t n) {
  if (list->value)
    NAMED(add_values)(v, w, list, n);
  else
    NAMED(add_spikes)(v, w, list, n);
}

/* As add, for grouped convolutions: each listed channel reaches the channels of its group only. */
static void NAMED(add_grouped)(int32_t *v, const WEIGHT *w, const snncc_list *list, int32_t stride,
                               int32_t in, int32_t out) {
  for (int32_t k = 0; k < list->plus + list->minus; k++) {
    const int32_t row = k < list->plus ? list->row[k] : list->less[k - list->plus];
    const int32_t factor = list->value ? list->value[k] : k < list->plus ? 1 : -1;
    int32_t *own = v + row / stride / in * out;
    for (int32_t i = 0; i < out; i++) own[i] += factor * w[row + i];
  }
}

/* One projection of convolution or dense weights; the sources are spikes, or values if given.
 *
 * Convolution weights are [ky][in][kx, last first][out/groups]: with a stride of one, the taps of
 * one row of the kernel then lie as their targets do, and are added as one run. */
static int64_t NAMED(project)(const snncc_projection *p, const WEIGHT *w, snncc_list *list,
                              const int8_t *spikes, const int32_t *values, int32_t *v) {
  int64_t operations = 0;
  if (p->map == SNNCC_DENSE) {
    const int32_t out = snncc_size(p->to);
    const int64_t active = collect(list, spikes, values, snncc_size(p->from), out);
    if (active) NAMED(add)(v, w, list, out);
    return active * out;
  }
  const snncc_window *win = &p->window;
  const int32_t channels = p->from.channels, targets = p->to.channels;
  const int32_t out = targets / p->groups, in = channels / p->groups;
  const int32_t row = win->kernel_x * out;
  const int runs = win->stride_x == 1 && win->dilation_x == 1 && p->groups == 1;
  for (int32_t y = 0; y < p->from.height; y++) {
    for (int32_t x = 0; x < p->from.width; x++) {
      const size_t at = ((size_t)y * (size_t)p->from.width + (size_t)x) * (size_t)channels;
      const int64_t active = collect(list, spikes ? spikes + at : NULL,
                                     values ? values + at : NULL, channels, row);
      if (!active) continue;
      for (int32_t ky = 0; ky < win->kernel_y; ky++) {
        int32_t ty = y + win->pad_y - ky * win->dilation_y;
        if (ty < 0 || (win->stride_y > 1 && ty % win->stride_y)) continue;
        if (win->stride_y > 1) ty /= win->stride_y;
        if (ty >= p->to.height) continue;
        int32_t *line = v + (size_t)ty * (size_t)p->to.width * (size_t)targets;
        const WEIGHT *kernel = w + (size_t)ky * (size_t)channels * (size_t)row;
        if (runs) {
          /* leftmost target of the run, and what the borders cut off on both sides */
          const int32_t left = x + win->pad_x - win->kernel_x + 1;
          const int32_t skip = left < 0 ? -left : 0;
          const int32_t over = left + win->kernel_x - p->to.width;
          const int32_t taps = win->kernel_x - skip - (over > 0 ? over : 0);
          if (taps <= 0) continue;
          NAMED(add)(line + (left + skip) * targets, kernel + skip * out, list, taps * out);
          operations += active * taps * out;
          continue;
        }
        for (int32_t kx = 0; kx < win->kernel_x; kx++) {
          int32_t tx = x + win->pad_x - kx * win->dilation_x;
          if (tx < 0 || (win->stride_x > 1 && tx % win->stride_x)) continue;
          if (win->stride_x > 1) tx /= win->stride_x;
          if (tx >= p->to.width) continue;
          const WEIGHT *tap = kernel + (win->kernel_x - 1 - kx) * out;
          if (p->groups == 1)
            NAMED(add)(line + tx * targets, tap, list, out);
          else
            NAMED(add_grouped)(line + tx * targets, tap, list, row, in, out);
          operations += active * out;
        }
      }
    }
  }
  return operations;
}
