/* How the weights of a projection meet its sources; included once for each kind of weights.
 *
 * WEIGHTS is what the adding functions take as weights, NAMED(x) a name of its own. */

/* Adds what the listed channels of a position bring to the windows that it lies in.
 *
 * Convolution weights are [ky][in][kx, last first][out/groups]: with a stride of one, the taps of
 * one row of the kernel then lie as their targets do, and are added as one run. */
static int64_t NAMED(add_position)(const snncc_projection *p, WEIGHTS w, const snncc_list *list,
                                   int64_t active, int32_t y, int32_t x, int32_t *v) {
  const snncc_window *win = &p->window;
  const int32_t channels = p->from.channels, targets = p->to.channels;
  const int32_t out = targets / p->groups, in = channels / p->groups;
  const int32_t row = win->kernel_x * out;
  const int runs = win->stride_x == 1 && win->dilation_x == 1 && p->groups == 1;
  int64_t operations = 0;
  for (int32_t ky = 0; ky < win->kernel_y; ky++) {
    int32_t ty = y + win->pad_y - ky * win->dilation_y;
    if (ty < 0 || (win->stride_y > 1 && ty % win->stride_y)) continue;
    if (win->stride_y > 1) ty /= win->stride_y;
    if (ty >= p->to.height) continue;
    int32_t *line = v + (size_t)ty * (size_t)p->to.width * (size_t)targets;
    const size_t kernel = (size_t)ky * (size_t)channels * (size_t)row;
    if (runs) {
      /* leftmost target of the run, and what the borders cut off on both sides */
      const int32_t left = x + win->pad_x - win->kernel_x + 1;
      const int32_t skip = left < 0 ? -left : 0;
      const int32_t over = left + win->kernel_x - p->to.width;
      const int32_t taps = win->kernel_x - skip - (over > 0 ? over : 0);
      if (taps <= 0) continue;
      NAMED(add)(line + (left + skip) * targets, w, kernel + (size_t)(skip * out), list,
                 taps * out, out);
      operations += active * taps * out;
      continue;
    }
    for (int32_t kx = 0; kx < win->kernel_x; kx++) {
      int32_t tx = x + win->pad_x - kx * win->dilation_x;
      if (tx < 0 || (win->stride_x > 1 && tx % win->stride_x)) continue;
      if (win->stride_x > 1) tx /= win->stride_x;
      if (tx >= p->to.width) continue;
      const size_t tap = kernel + (size_t)((win->kernel_x - 1 - kx) * out);
      if (p->groups == 1)
        NAMED(add)(line + tx * targets, w, tap, list, out, out);
      else
        NAMED(add_grouped)(line + tx * targets, w, tap, list, row, in, out);
      operations += active * out;
    }
  }
  return operations;
}

/* One projection of convolution or dense weights; the sources are spikes, or values if given. */
static int64_t NAMED(project)(const snncc_projection *p, WEIGHTS w, snncc_list *list,
                              const int8_t *spikes, const int32_t *values, int32_t *v) {
  int64_t operations = 0;
  if (p->map == SNNCC_DENSE) {
    const int32_t out = snncc_size(p->to);
    const int64_t active = collect(list, spikes, values, snncc_size(p->from), out);
    if (active) NAMED(add)(v, w, 0, list, out, out);
    return active * out;
  }
  const int32_t channels = p->from.channels;
  const int32_t row = p->window.kernel_x * (p->to.channels / p->groups);
  for (int32_t y = 0; y < p->from.height; y++) {
    for (int32_t x = 0; x < p->from.width; x++) {
      const size_t at = ((size_t)y * (size_t)p->from.width + (size_t)x) * (size_t)channels;
      const int64_t active = collect(list, spikes ? spikes + at : NULL,
                                     values ? values + at : NULL, channels, row);
      if (active) operations += NAMED(add_position)(p, w, list, active, y, x, v);
    }
  }
  return operations;
}
