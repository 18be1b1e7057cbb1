/* Projections by dense kernels: sources go into a box of 16-bit numbers with zeros around them, in
 * which every window lies whole. Included by snncc_runtime.c. */

/* What arrives at the weights: one of three. */
typedef struct {
  const int8_t *spikes;   /* or numbers of spikes */
  const uint8_t *numbers; /* of the radix code: each set bit is a spike */
  const int32_t *values;
  int analog; /* values are numbers of the input, not sums of spikes */
} snncc_arriving;

static SNNCC_INLINE uint8_t ones_of_byte(uint8_t number) {
  number = (uint8_t)(number - (number >> 1 & 0x55));
  number = (uint8_t)((number & 0x33) + (number >> 2 & 0x33));
  return (uint8_t)((number + (number >> 4)) & 0x0f);
}

/* Spikes (or input numbers) among n sources from `at` on. */
SNNCC_WIDE
static int64_t count_units(const snncc_arriving *from, int64_t at, int32_t n) {
  int32_t units = 0;
  if (from->numbers) {
    for (int32_t i = 0; i < n; i++) units += ones_of_byte(from->numbers[at + i]);
    return units;
  }
  if (from->spikes) {
    for (int32_t i = 0; i < n; i++)
      units += from->spikes[at + i] < 0 ? -from->spikes[at + i] : from->spikes[at + i];
    return units;
  }
  int64_t sum = 0;
  for (int32_t i = 0; i < n; i++) {
    const int32_t value = from->values[at + i];
    sum += from->analog ? value != 0 : value < 0 ? -value : value;
  }
  return sum;
}

/* n sources from `at` on, as numbers of 16 bits. */
SNNCC_WIDE
static void widen(const snncc_arriving *from, int64_t at, int16_t *restrict to, int32_t n) {
  if (from->numbers)
    for (int32_t i = 0; i < n; i++) to[i] = from->numbers[at + i];
  else if (from->spikes)
    for (int32_t i = 0; i < n; i++) to[i] = from->spikes[at + i];
  else
    for (int32_t i = 0; i < n; i++) to[i] = (int16_t)from->values[at + i];
}

/* Windows of a row (or column) that a source reaches. */
static int32_t reached(int32_t source, int32_t kernel, int32_t stride, int32_t pad,
                       int32_t dilation, int32_t outputs) {
  int32_t count = 0;
  for (int32_t k = 0; k < kernel; k++) {
    const int32_t first = source + pad - k * dilation;
    count += first >= 0 && first % stride == 0 && first / stride < outputs;
  }
  return count;
}

static int64_t count_operations(const snncc_projection *p, const snncc_arriving *from) {
  const snncc_window *win = &p->window;
  const int32_t channels = p->from.channels, width = p->from.width;
  int64_t operations = 0;
  for (int32_t x = 0, end; x < width; x = end) {
    /* away from borders all columns reach as many windows, and are counted together */
    const int32_t taps =
        reached(x, win->kernel_x, win->stride_x, win->pad_x, win->dilation_x, p->to.width);
    for (end = x + 1; end < width; end++)
      if (reached(end, win->kernel_x, win->stride_x, win->pad_x, win->dilation_x, p->to.width) !=
          taps)
        break;
    for (int32_t y = 0; taps && y < p->from.height; y++) {
      const int32_t each =
          reached(y, win->kernel_y, win->stride_y, win->pad_y, win->dilation_y, p->to.height);
      const int64_t at = ((int64_t)y * width + x) * channels;
      if (each) operations += each * taps * count_units(from, at, (end - x) * channels);
    }
  }
  return operations * p->to.channels;
}

typedef struct {
  snncc_dense_job job;
  snncc_dense_kernel *kernel;
} shared_job;

/* Some rows of windows, or some outputs where there are few rows. */
static void dense_part(void *given, int32_t part, int32_t parts) {
  const shared_job *all = given;
  snncc_dense_job job = all->job;
  if (job.height >= parts) {
    const int32_t first = job.height * part / parts, end = job.height * (part + 1) / parts;
    job.source += first * job.step_y;
    job.v += (int64_t)first * job.width * job.pitch;
    job.height = end - first;
  } else {
    const int32_t vectors = (job.outputs + SNNCC_LANES - 1) / SNNCC_LANES;
    const int32_t first = vectors * part / parts * SNNCC_LANES;
    const int32_t end = vectors * (part + 1) / parts * SNNCC_LANES;
    job.weights = (const int8_t *)job.weights + (int64_t)first * job.rows * job.columns * job.pairs *
                                                    2 * job.weight_bytes;
    job.v += first;
    job.outputs = (end < job.outputs ? end : job.outputs) - first;
  }
  if (job.outputs > 0) all->kernel(&job);
}

/* Multiplications from which on threads are asked to share them. */
#ifndef SNNCC_WORTH_SHARING
#define SNNCC_WORTH_SHARING 100000
#endif

static void multiply_box(const snncc_instance *self, const snncc_dense_job *job) {
  shared_job all = {*job, self->dense};
  const int64_t size = (int64_t)job->height * job->width * job->outputs * job->rows *
                       job->columns * job->pairs * 2;
  if (self->share && size > SNNCC_WORTH_SHARING)
    self->share(self->team, dense_part, &all);
  else
    self->dense(job);
}

/* As project_8 and project_16 in snncc_project.h, by the dense kernel. */
static int64_t project_box(const snncc_instance *self, const snncc_projection *p,
                           const snncc_arriving *from, const void *weights, int32_t *v) {
  int16_t *box = (int16_t *)(void *)(self->state + self->model->box);
  const snncc_window *win = &p->window;
  const int32_t channels = p->from.channels;
  snncc_dense_job job = {box, weights, v, 1, 1, p->to.channels, p->to.channels, 0, 0, 1, 1, 0,
                         0, 0, p->weight_bytes};
  if (p->map == SNNCC_DENSE) {
    const int32_t size = snncc_size(p->from);
    job.outputs = job.pitch = snncc_size(p->to);
    job.pairs = (size + 1) / 2;
    widen(from, 0, box, size);
    multiply_box(self, &job);
    return count_units(from, 0, size) * job.outputs;
  }
  const int32_t height = (p->to.height - 1) * win->stride_y + (win->kernel_y - 1) * win->dilation_y + 1;
  const int32_t width = (p->to.width - 1) * win->stride_x + (win->kernel_x - 1) * win->dilation_x + 1;
  const int32_t row = width * channels;
  const int32_t left = win->pad_x < width ? win->pad_x : width;
  const int32_t inside = p->from.width < width - left ? p->from.width : width - left;
  for (int32_t y = 0; y < height; y++, box += row) {
    const int32_t source = y - win->pad_y;
    if (source < 0 || source >= p->from.height) {
      memset(box, 0, (size_t)row * sizeof *box);
      continue;
    }
    memset(box, 0, (size_t)(left * channels) * sizeof *box);
    widen(from, (int64_t)source * p->from.width * channels, box + left * channels,
          inside * channels);
    memset(box + (left + inside) * channels, 0,
           (size_t)((width - left - inside) * channels) * sizeof *box);
  }
  job.height = p->to.height;
  job.width = p->to.width;
  job.step_y = win->stride_y * row;
  job.step_x = win->stride_x * channels;
  job.rows = win->kernel_y;
  job.row_step = win->dilation_y * row;
  if (win->dilation_x == 1) { /* all columns of a kernel are one run */
    job.pairs = (win->kernel_x * channels + 1) / 2;
  } else {
    job.columns = win->kernel_x;
    job.column_step = win->dilation_x * channels;
    job.pairs = (channels + 1) / 2;
  }
  multiply_box(self, &job);
  return count_operations(p, from);
}
