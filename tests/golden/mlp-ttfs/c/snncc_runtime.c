/* snncc runtime: see snncc_runtime.h. */
#include "snncc_runtime.h"

#include <math.h>
#include <string.h>

#if defined(__GNUC__)
#define SNNCC_INLINE inline __attribute__((always_inline))
#else
#define SNNCC_INLINE inline
#endif

/* Functions that are compiled for wider vectors, too: the dynamic linker chooses. Sanitizers, whose
 * code is not ready when it does, go without; so do compilers that are told of such vectors. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__) && \
    defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__AVX2__) && !defined(SNNCC_NO_INTRINSICS)
#define SNNCC_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define SNNCC_WIDE
#endif

/* Potentials that are kept in registers while rows are added to them. */
#define SNNCC_BLOCK 64

#define SNNCC_END (-1)

/* Active sources: row[0..plus) send 1 (or value[k]), less[0..minus) send -1. A row is the first
 * weight of a source. */
typedef struct {
  int32_t *row, *less, *value;
  int32_t plus, minus;
  int analog; /* values are numbers of the input, not sums of spikes */
  int graded; /* spikes carry their number */
} snncc_list;

/* Fills the list with the sources that send; returns how many spikes (or input numbers) these are.
 * Without branches on single spikes, which no processor could predict. */
static int64_t collect(snncc_list *list, const int8_t *spikes, const int32_t *values, int32_t n,
                       int32_t row) {
  int32_t plus = 0, minus = 0;
  int64_t units = 0;
  if (values) {
    for (int32_t i = 0; i < n; i++) {
      list->row[plus] = i * row;
      list->value[plus] = values[i];
      plus += values[i] != 0;
      units += list->analog ? values[i] != 0 : values[i] < 0 ? -values[i] : values[i];
    }
  } else if (list->graded) {
    for (int32_t i = 0; i < n; i++) {
      list->row[plus] = i * row;
      list->value[plus] = spikes[i];
      plus += spikes[i] != 0;
      units += spikes[i] < 0 ? -spikes[i] : spikes[i];
    }
  } else {
    for (int32_t i = 0; i < n; i += 8) {
      const int32_t end = n - i < 8 ? n : i + 8;
      uint64_t word = 0;
      if (n - i >= 8)
        memcpy(&word, spikes + i, 8);
      else
        memcpy(&word, spikes + i, (size_t)(n - i));
      if (!word) continue;
      for (int32_t k = i; k < end; k++) {
        list->row[plus] = list->less[minus] = k * row;
        plus += spikes[k] > 0;
        minus += spikes[k] < 0;
      }
    }
    units = plus + minus;
  }
  list->row[plus] = list->less[minus] = SNNCC_END;
  list->plus = plus;
  list->minus = minus;
  return units;
}

#define WEIGHT int8_t
#define WEIGHTS const WEIGHT *
#define NAMED(x) x##_8
#include "snncc_kernels.h"
#include "snncc_project.h"
#undef WEIGHT
#undef WEIGHTS
#undef NAMED
#define WEIGHT int16_t
#define WEIGHTS const WEIGHT *
#define NAMED(x) x##_16
#include "snncc_kernels.h"
#include "snncc_project.h"
#undef WEIGHT
#undef WEIGHTS
#undef NAMED
#define WEIGHT int32_t
#define WEIGHTS const WEIGHT *
#define NAMED(x) x##_32
#include "snncc_kernels.h"
#include "snncc_project.h"
#undef WEIGHT
#undef WEIGHTS
#undef NAMED
#define WEIGHTS const snncc_signs *
#define NAMED(x) x##_1
#include "snncc_signs.h"
#include "snncc_project.h"
#undef WEIGHTS
#undef NAMED

int32_t snncc_size(snncc_shape shape) { return shape.channels * shape.height * shape.width; }

#include "snncc_box.h"

uint32_t snncc_checksum(const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  uint32_t table[8][256], crc = 0xffffffffu;
  for (uint32_t i = 0; i < 256; i++) {
    table[0][i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[0][i] = table[0][i] >> 1 ^ (table[0][i] & 1 ? 0xedb88320u : 0);
  }
  /* what a byte does that is followed by k others: 8 of them at a time */
  for (int k = 1; k < 8; k++)
    for (uint32_t i = 0; i < 256; i++)
      table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
  for (; count >= 8; count -= 8, byte += 8) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < 4; i++) next ^= table[7 - i][byte[i] ^ (crc >> 8 * i & 255)];
    for (uint32_t i = 4; i < 8; i++) next ^= table[7 - i][byte[i]];
    crc = next;
  }
  for (size_t i = 0; i < count; i++) crc = crc >> 8 ^ table[0][(crc ^ byte[i]) & 255];
  return ~crc;
}

static int32_t *ints(const snncc_instance *self, int64_t offset) {
  return (int32_t *)(void *)(self->state + offset);
}

static int8_t *bytes(const snncc_instance *self, int64_t offset) {
  return (int8_t *)(self->state + offset);
}

static int64_t *tally(const snncc_instance *self, int32_t node) {
  return (int64_t *)(void *)(self->state + self->model->tally) + 2 * node;
}

static const int32_t *constants(const snncc_instance *self, int64_t offset) {
  return (const int32_t *)(const void *)(self->weights + offset);
}

snncc_status snncc_init(snncc_instance *self, const snncc_model *model, void *state,
                        size_t state_bytes, const void *weights, size_t weight_bytes) {
  if (state_bytes < model->state_bytes || (uintptr_t)state % 8) return SNNCC_ERROR_STATE;
  if (weight_bytes != model->weight_bytes || (uintptr_t)weights % 8 ||
      snncc_checksum(weights, weight_bytes) != model->checksum)
    return SNNCC_ERROR_WEIGHTS;
  self->model = model;
  self->weights = weights;
  self->state = state;
  self->step = 0;
  memset(state, 0, model->state_bytes);
  self->share = NULL;
  self->team = NULL;
  self->now = NULL;
  self->seconds = NULL;
  snncc_use(self, SNNCC_VECTORS);
  return SNNCC_OK;
}

void snncc_copy(snncc_instance *self, const snncc_instance *from, void *state) {
  *self = *from;
  self->state = state;
  self->step = 0;
  memset(state, 0, self->model->state_bytes);
}

void snncc_use(snncc_instance *self, snncc_vectors most) { self->dense = snncc_dense(most); }

void snncc_set_input_quantized(snncc_instance *self, int32_t input_node, const int32_t *sample) {
  const snncc_node *node = &self->model->node[input_node];
  int32_t *stored = ints(self, node->potential);
  const int32_t area = node->shape.height * node->shape.width, channels = node->shape.channels;
  for (int32_t c = 0; c < channels; c++)
    for (int32_t i = 0; i < area; i++) stored[i * channels + c] = sample[c * area + i];
}

void snncc_set_input(snncc_instance *self, int32_t input_node, const float *sample) {
  const snncc_node *node = &self->model->node[input_node];
  int32_t *stored = ints(self, node->potential);
  const int32_t area = node->shape.height * node->shape.width, channels = node->shape.channels;
  for (int32_t c = 0; c < channels; c++) {
    for (int32_t i = 0; i < area; i++) {
      double units = rint((double)sample[c * area + i] / node->scale);
      if (units > node->levels) units = node->levels;
      if (units < -node->levels) units = -node->levels;
      stored[i * channels + c] = (int32_t)units;
    }
  }
}

static int8_t held(const snncc_node *node, int32_t number) {
  return (int8_t)(number > node->most ? node->most : number < node->least ? node->least : number);
}

void snncc_set_events(snncc_instance *self, int32_t input_node, const int8_t *counts) {
  const snncc_node *node = &self->model->node[input_node];
  int8_t *stored = bytes(self, node->spikes);
  const int32_t area = node->shape.height * node->shape.width, channels = node->shape.channels;
  for (int32_t c = 0; c < channels; c++)
    for (int32_t i = 0; i < area; i++)
      stored[i * channels + c] = held(node, counts[c * area + i]);
}

void snncc_clear_events(snncc_instance *self, int32_t input_node) {
  const snncc_node *node = &self->model->node[input_node];
  memset(bytes(self, node->spikes), 0, (size_t)snncc_size(node->shape));
}

void snncc_add_event(snncc_instance *self, int32_t input_node, int32_t place, int32_t number) {
  const snncc_node *node = &self->model->node[input_node];
  const int32_t area = node->shape.height * node->shape.width, channels = node->shape.channels;
  if (place < 0 || place >= area * channels) return;
  int8_t *stored = bytes(self, node->spikes) + place % area * channels + place / area;
  *stored = held(node, *stored + number);
}

static void view_spikes(const int32_t *index, int32_t n, const int8_t *from, int8_t *to) {
  for (int32_t i = 0; i < n; i++) to[i] = index[i] < 0 ? 0 : from[index[i]];
}

static void view_values(const int32_t *index, int32_t n, const int32_t *from, int32_t *to) {
  for (int32_t i = 0; i < n; i++) to[i] = index[i] < 0 ? 0 : from[index[i]];
}

static void sum_pool(const snncc_move *move, const int32_t *from, int32_t *to) {
  const snncc_window *win = &move->window;
  const int32_t channels = move->to.channels;
  memset(to, 0, (size_t)snncc_size(move->to) * sizeof *to);
  for (int32_t y = 0; y < move->to.height; y++) {
    for (int32_t x = 0; x < move->to.width; x++) {
      int32_t *sum = to + (y * move->to.width + x) * channels;
      for (int32_t ky = 0; ky < win->kernel_y; ky++) {
        const int32_t sy = y * win->stride_y - win->pad_y + ky;
        if (sy < 0 || sy >= move->from.height) continue;
        for (int32_t kx = 0; kx < win->kernel_x; kx++) {
          const int32_t sx = x * win->stride_x - win->pad_x + kx;
          if (sx < 0 || sx >= move->from.width) continue;
          const int32_t *part = from + (sy * move->from.width + sx) * channels;
          for (int32_t c = 0; c < channels; c++) sum[c] += part[c];
        }
      }
    }
  }
}

/* Sends the source's spikes (or an input's values) through the moves: afterwards exactly one of
 * *spikes and *values is what arrives at the weights. */
static void move_all(const snncc_instance *self, const snncc_projection *p, const int8_t **spikes,
                     const int32_t **values) {
  int32_t *next = ints(self, self->model->scratch), *other = ints(self, self->model->scratch_next);
  for (int32_t k = 0; k < p->moves; k++) {
    const snncc_move *move = &self->model->move[p->first_move + k];
    const int32_t size = snncc_size(move->to);
    if (move->kind == SNNCC_VIEW && *spikes) {
      view_spikes(constants(self, move->index), size, *spikes, (int8_t *)next);
      *spikes = (const int8_t *)next;
    } else {
      if (*spikes) {
        const int32_t before = snncc_size(move->from);
        for (int32_t i = 0; i < before; i++) next[i] = (*spikes)[i];
        *values = next;
        *spikes = NULL;
        int32_t *swap = next;
        next = other;
        other = swap;
      }
      if (move->kind == SNNCC_VIEW)
        view_values(constants(self, move->index), size, *values, next);
      else
        sum_pool(move, *values, next);
      *values = next;
    }
    int32_t *swap = next;
    next = other;
    other = swap;
  }
}

static void repeat(int32_t *to, const int32_t *from, int32_t period, int32_t n) {
  for (int32_t i = 0; i < n; i += period) memcpy(to + i, from, (size_t)period * sizeof *to);
}

/* Neurons of one pass: loops of this constant size become vector code, which shorter ones, being
 * unrolled first, do not. */
#define SNNCC_PASS 64

/* Parameters that repeat after few neurons, repeated up to a pass: `tile` has room for one. Returns
 * how many there are then. */
static int32_t tiled(const int32_t **from, int32_t *tile, int32_t period) {
  const int32_t times = SNNCC_PASS / period;
  if (times < 2) return period;
  repeat(tile, *from, period, times * period);
  *from = tile;
  return times * period;
}

/* v += w times what arrives, one to one; returns the spikes. */
SNNCC_WIDE
static int64_t scale(const snncc_projection *p, const int32_t *w, const snncc_arriving *from,
                     int32_t *restrict v) {
  const int32_t n = snncc_size(p->to);
  int32_t factors[SNNCC_PASS];
  const int32_t run = tiled(&w, factors, p->period);
  for (int32_t first = 0; first < n; first += run) {
    const int32_t some = n - first < run ? n - first : run;
    if (from->numbers)
      for (int32_t i = 0; i < some; i++) v[first + i] += w[i] * from->numbers[first + i];
    else if (from->spikes)
      for (int32_t i = 0; i < some; i++) v[first + i] += w[i] * from->spikes[first + i];
    else
      for (int32_t i = 0; i < some; i++) v[first + i] += w[i] * from->values[first + i];
  }
  return count_units(from, 0, n);
}

/* Adds what the spikes (or, where they are NULL, the values) of a source bring to v through weights
 * of so many bytes (0: of one bit); returns the synaptic operations. */
static int64_t send(const snncc_instance *self, const snncc_projection *p, const int8_t *spikes,
                    const int32_t *values, const void *w, int32_t weight_bytes, int32_t *v) {
  snncc_list list = {ints(self, self->model->list), ints(self, self->model->list_less), NULL, 0, 0,
                     spikes == NULL, self->model->node[p->source].most > 1};
  move_all(self, p, &spikes, &values);
  const snncc_arriving from = {spikes, NULL, values, 0};
  if (p->map == SNNCC_SCALE) return scale(p, w, &from, v);
  if (p->kernel == SNNCC_BY_WEIGHTS) {
    const snncc_arriving box_from = {spikes, NULL, values, list.analog};
    return project_box(self, p, &box_from, w, v);
  }
  if (values || list.graded) list.value = ints(self, self->model->list_values);
  if (weight_bytes == 0) {
    const int32_t out = p->map == SNNCC_DENSE ? snncc_size(p->to) : p->to.channels / p->groups;
    const int16_t *factors = (const int16_t *)(const void *)(self->weights + p->factors);
    const snncc_signs signs = {w, factors, out % 8 == 0};
    return project_1(p, &signs, &list, spikes, values, v);
  }
  if (weight_bytes == 1) return project_8(p, w, &list, spikes, values, v);
  if (weight_bytes == 2) return project_16(p, w, &list, spikes, values, v);
  return project_32(p, w, &list, spikes, values, v);
}

/* Adds what one projection brings to v; returns the synaptic operations. */
static int64_t project(const snncc_instance *self, const snncc_projection *p, int32_t *v) {
  const snncc_node *source = &self->model->node[p->source];
  const int8_t *spikes = source->kind == SNNCC_INPUT ? NULL : bytes(self, source->spikes);
  const int32_t *values = source->kind == SNNCC_INPUT ? ints(self, source->potential) : NULL;
  return send(self, p, spikes, values, self->weights + p->weights, p->weight_bytes, v);
}

/* Digits of a number that are set: spikes of the radix code. */
static int32_t ones(uint32_t number) {
  int32_t count = 0;
  for (; number; number &= number - 1) count++;
  return count;
}

/* As project, in a radix network: the spikes that are worth 2^bit. */
static int64_t project_digit(const snncc_instance *self, const snncc_projection *p, int32_t bit,
                             int32_t *v) {
  const snncc_node *source = &self->model->node[p->source];
  const uint8_t *number = (const uint8_t *)bytes(self, source->spikes);
  const int32_t size = snncc_size(source->shape);
  int8_t *arriving = bytes(self, self->model->arriving);
  int32_t sent = 0;
  for (int32_t i = 0; i < size; i++) {
    arriving[i] = (int8_t)(number[i] >> bit & 1);
    sent += arriving[i];
  }
  if (!sent) return 0;
  return send(self, p, arriving, NULL, self->weights + p->weights, p->weight_bytes, v);
}

/* As project, of all digits at once: by dense weights, or one to one. */
static int64_t project_numbers(const snncc_instance *self, const snncc_projection *p, int32_t *v) {
  const int8_t *numbers = bytes(self, self->model->node[p->source].spikes);
  const int32_t *none = NULL;
  move_all(self, p, &numbers, &none); /* views only: bytes stay bytes */
  const snncc_arriving from = {NULL, (const uint8_t *)numbers, NULL, 0};
  if (p->map != SNNCC_SCALE)
    return project_box(self, p, &from, self->weights + p->weights, v);
  return scale(p, constants(self, p->weights), &from, v);
}

/* What constant inputs and the bias bring in every step. */
static void reset_base(snncc_instance *self, int32_t n) {
  const snncc_model *model = self->model;
  const snncc_node *node = &model->node[n];
  if (node->base < 0) return;
  int32_t *base = ints(self, node->base);
  repeat(base, constants(self, node->bias), node->period, snncc_size(node->shape));
  for (int32_t k = 0; k < node->projections; k++) {
    const snncc_projection *p = &model->projection[node->first_projection + k];
    if (model->node[p->source].kind == SNNCC_INPUT) tally(self, n)[1] += project(self, p, base);
  }
}

void snncc_reset(snncc_instance *self) {
  const snncc_model *model = self->model;
  self->step = 0;
  for (int32_t n = 0; n < model->nodes; n++) {
    const snncc_node *node = &model->node[n];
    const int32_t size = snncc_size(node->shape);
    tally(self, n)[0] = tally(self, n)[1] = 0;
    if (node->kind == SNNCC_EVENTS) snncc_clear_events(self, n);
    if (node->kind <= SNNCC_EVENTS || node->kind >= SNNCC_TTFS) continue;
    if (node->kind >= SNNCC_RADIX) {
      reset_base(self, n);
      continue;
    }
    if (node->count >= 0) memset(ints(self, node->count), 0, (size_t)size * sizeof(int32_t));
    if (node->kind == SNNCC_MAXPOOL) {
      const int32_t before = snncc_size(model->node[node->source].shape);
      memset(ints(self, node->pooled), 0, (size_t)before * sizeof(int32_t));
      continue;
    }
    int32_t *potential = ints(self, node->potential);
    memset(potential, 0, (size_t)size * sizeof *potential);
    if (node->start >= 0) repeat(potential, constants(self, node->start), node->period, size);
    reset_base(self, n);
  }
}

/* One step of n neurons: v += base, fire at theta, reset by subtraction. Returns the spikes sent. */
static SNNCC_INLINE int32_t fire(int32_t *restrict v, const int32_t *base, const int32_t *theta,
                                 int8_t *restrict spikes, const int32_t n) {
  int32_t sent = 0;
  for (int32_t i = 0; i < n; i++) {
    const int32_t potential = v[i] + base[i];
    const int32_t fires = potential >= theta[i];
    v[i] = potential - (-fires & theta[i]);
    spikes[i] = (int8_t)fires;
    sent += fires;
  }
  return sent;
}

/* As fire; reset to zero. */
static SNNCC_INLINE int32_t fire_hard(int32_t *restrict v, const int32_t *base,
                                      const int32_t *theta, int8_t *restrict spikes,
                                      const int32_t n) {
  int32_t sent = 0;
  for (int32_t i = 0; i < n; i++) {
    const int32_t potential = v[i] + base[i];
    const int32_t fires = potential >= theta[i];
    v[i] = potential & (fires - 1);
    spikes[i] = (int8_t)fires;
    sent += fires;
  }
  return sent;
}

/* As fire; a neuron below 0 that has fired more +1 than -1 fires -1. */
static SNNCC_INLINE int32_t fire_signed(int32_t *restrict v, const int32_t *base,
                                        const int32_t *theta, int8_t *restrict spikes,
                                        int32_t *restrict count, const int32_t n) {
  int32_t sent = 0;
  for (int32_t i = 0; i < n; i++) {
    const int32_t potential = v[i] + base[i];
    const int32_t up = potential >= theta[i];
    const int32_t down = (potential < 0) & (count[i] > 0);
    v[i] = potential - (-up & theta[i]) + (-down & theta[i]);
    spikes[i] = (int8_t)(up - down);
    count[i] += up - down;
    sent += up + down;
  }
  return sent;
}

/* As fire; n is what v / theta, rounded down, says, between least and most. */
static int32_t fire_graded(const snncc_node *node, int32_t *v, const int32_t *base,
                           const int32_t *theta, int8_t *spikes, int32_t *count, int32_t n) {
  const int32_t most = node->most;
  int32_t sent = 0;
  for (int32_t i = 0; i < n; i++) {
    const int32_t potential = v[i] + base[i];
    const int32_t least = node->kind != SNNCC_SIGNED_GRADED ? 0 : count[i] < most ? -count[i] : -most;
    int32_t number = potential / theta[i];
    number -= potential < number * theta[i]; /* division cuts off, which rounds negatives up */
    if (number > most) number = most;
    if (number < least) number = least;
    v[i] = potential - number * theta[i];
    spikes[i] = (int8_t)number;
    if (count) count[i] += number;
    sent += number < 0 ? -number : number;
  }
  return sent;
}

/* All neurons that share one run of thresholds. */
static int32_t fire_run(const snncc_node *node, int32_t *v, const int32_t *base,
                        const int32_t *theta, int8_t *spikes, int32_t *count, int32_t n) {
  int32_t sent = 0;
  if (node->most > 1) return fire_graded(node, v, base, theta, spikes, count, n);
  for (; n > 0; n -= SNNCC_PASS) {
    const int32_t some = n < SNNCC_PASS ? n : SNNCC_PASS;
    if (node->kind == SNNCC_SIGNED_IF)
      sent += some == SNNCC_PASS ? fire_signed(v, base, theta, spikes, count, SNNCC_PASS)
                                 : fire_signed(v, base, theta, spikes, count, some);
    else if (node->kind == SNNCC_HARD_IF)
      sent += some == SNNCC_PASS ? fire_hard(v, base, theta, spikes, SNNCC_PASS)
                                 : fire_hard(v, base, theta, spikes, some);
    else
      sent += some == SNNCC_PASS ? fire(v, base, theta, spikes, SNNCC_PASS)
                                 : fire(v, base, theta, spikes, some);
    v += some, base += some, theta += some, spikes += some;
    if (count) count += some;
  }
  return sent;
}

SNNCC_WIDE
static void step_population(snncc_instance *self, int32_t n) {
  const snncc_node *node = &self->model->node[n];
  const int32_t size = snncc_size(node->shape), period = node->period;
  int32_t *v = ints(self, node->potential);
  if (self->step < node->delay) return;
  for (int32_t k = 0; k < node->projections; k++) {
    const snncc_projection *p = &self->model->projection[node->first_projection + k];
    if (self->model->node[p->source].kind != SNNCC_INPUT) tally(self, n)[1] += project(self, p, v);
  }
  /* without an input there is no current but the bias, which repeats */
  const int32_t *base = node->base < 0 ? constants(self, node->bias) : ints(self, node->base);
  int32_t advance = node->base < 0 ? 0 : period;
  if (node->kind == SNNCC_READOUT) {
    for (int32_t i = 0; i < size; i += period, base += advance)
      for (int32_t j = 0; j < period; j++) v[i + j] += base[j];
    return;
  }
  const int32_t *theta = constants(self, node->theta);
  int8_t *spikes = bytes(self, node->spikes);
  int32_t *count = node->count < 0 ? NULL : ints(self, node->count);
  int32_t thresholds[SNNCC_PASS], biases[SNNCC_PASS];
  const int32_t run = tiled(&theta, thresholds, period);
  if (advance)
    advance = run;
  else
    (void)tiled(&base, biases, period);
  for (int32_t i = 0; i < size; i += run, base += advance)
    tally(self, n)[0] += fire_run(node, v + i, base, theta, spikes + i, count ? count + i : NULL,
                                  size - i < run ? size - i : run);
  if ((node->kind == SNNCC_IF || node->kind == SNNCC_HARD_IF) && count)
    for (int32_t i = 0; i < size; i++) count[i] += spikes[i];
}

/* The largest counts of a window, of n channels: `corner` is that of its first source inside. */
static SNNCC_INLINE void largest_of(int32_t *restrict best, const int32_t *corner, int32_t rows,
                                    int32_t columns, int32_t row_step, int32_t column_step,
                                    const int32_t n) {
  for (int32_t c = 0; c < n; c++) best[c] = corner[c];
  for (int32_t ky = 0; ky < rows; ky++) {
    for (int32_t kx = 0; kx < columns; kx++) {
      const int32_t *other = corner + ky * row_step + kx * column_step;
      for (int32_t c = 0; c < n; c++) best[c] = other[c] > best[c] ? other[c] : best[c];
    }
  }
}

/* What the largest counts have gained is sent; returns how much that is. */
static SNNCC_INLINE int32_t send_gain(const int32_t *best, int32_t *restrict largest,
                                      int8_t *restrict spikes, const int32_t n) {
  int32_t sent = 0;
  for (int32_t c = 0; c < n; c++) {
    const int32_t gained = best[c] - largest[c];
    spikes[c] = (int8_t)gained;
    largest[c] = best[c];
    sent += gained < 0 ? -gained : gained;
  }
  return sent;
}

SNNCC_WIDE
static void add_spikes_to(int32_t *restrict sent, const int8_t *restrict arriving, int32_t n) {
  for (int32_t i = 0; i < n; i++) sent[i] += arriving[i];
}

/* Taps of a window in one dimension that are inside: from *first on, as many as are returned. */
static int32_t inside(int32_t start, int32_t kernel, int32_t dilation, int32_t size,
                      int32_t *first) {
  int32_t count = 0;
  *first = 0;
  for (int32_t k = 0; k < kernel; k++) {
    const int32_t at = start + k * dilation;
    if (at < 0 || at >= size) continue;
    if (!count++) *first = at;
  }
  return count;
}

/* Sends what the largest count of each window has gained in this step. */
SNNCC_WIDE
static void step_maxpool(snncc_instance *self, int32_t n) {
  const snncc_node *node = &self->model->node[n];
  const snncc_node *source = &self->model->node[node->source];
  const snncc_window *win = &node->window;
  const int32_t channels = node->shape.channels, row = source->shape.width * channels;
  int32_t *sent = ints(self, node->pooled), *largest = ints(self, node->count);
  int8_t *spikes = bytes(self, node->spikes);
  add_spikes_to(sent, bytes(self, source->spikes), snncc_size(source->shape));
  for (int32_t y = 0; y < node->shape.height; y++) {
    int32_t top, left;
    const int32_t rows = inside(y * win->stride_y - win->pad_y, win->kernel_y, win->dilation_y,
                                source->shape.height, &top);
    for (int32_t x = 0; x < node->shape.width; x++, largest += channels, spikes += channels) {
      const int32_t columns = inside(x * win->stride_x - win->pad_x, win->kernel_x,
                                     win->dilation_x, source->shape.width, &left);
      const int32_t *corner = sent + top * row + left * channels;
      int32_t best[SNNCC_PASS];
      for (int32_t c = 0, some; c < channels; c += some) {
        some = channels - c < SNNCC_PASS ? channels - c : SNNCC_PASS;
        largest_of(best, corner + c, rows, columns, win->dilation_y * row,
                   win->dilation_x * channels, some);
        tally(self, n)[0] += send_gain(best, largest + c, spikes + c, some);
      }
    }
  }
}

#include "snncc_ttfs.h"

/* The digits of n neurons: potentials divided by thresholds, bit by bit. Returns the set ones. */
static SNNCC_INLINE int32_t send_digits(const int32_t *v, const int32_t *theta,
                                        const int32_t *start, uint8_t *restrict number,
                                        int32_t digits, const int32_t n) {
  int32_t total = 0;
  uint32_t left[SNNCC_PASS], sent[SNNCC_PASS] = {0};
  for (int32_t i = 0; i < n; i++) {
    const int32_t potential = v[i] + start[i];
    left[i] = potential > 0 ? (uint32_t)potential : 0;
  }
  for (int32_t bit = digits - 1; bit >= 0; bit--) {
    for (int32_t i = 0; i < n; i++) {
      /* shifted down, not the threshold up, which might leave 32 bits */
      const uint32_t fires = left[i] >> bit >= (uint32_t)theta[i];
      left[i] -= fires ? (uint32_t)theta[i] << bit : 0;
      sent[i] = 2 * sent[i] + fires;
      total += (int32_t)fires;
    }
  }
  for (int32_t i = 0; i < n; i++) number[i] = (uint8_t)sent[i];
  return total;
}

/* One layer of a radix network: integrate what all sources send, bias and constant inputs in every
 * step; then send digits, reset by subtraction. Digits arrive the largest first and are added by
 * Horner's rule; where that takes no longer, whole numbers are, which is the same sum. */
SNNCC_WIDE
static void run_radix(snncc_instance *self, int32_t n) {
  const snncc_node *node = &self->model->node[n];
  const int32_t size = snncc_size(node->shape), period = node->period;
  const int32_t digits = self->model->slots, most = (1 << digits) - 1;
  const int32_t *base = node->base < 0 ? constants(self, node->bias) : ints(self, node->base);
  const int32_t advance = node->base < 0 ? 0 : period;
  const snncc_projection *p = &self->model->projection[node->first_projection];
  int32_t *v = ints(self, node->potential), by_digits = 0;
  for (int32_t k = 0; k < node->projections; k++)
    by_digits |= self->model->node[p[k].source].kind != SNNCC_INPUT && p[k].kernel == SNNCC_BY_SPIKES;
  memset(v, 0, (size_t)size * sizeof *v);
  for (int32_t bit = by_digits ? digits - 1 : -1; bit >= 0; bit--) {
    for (int32_t i = 0; i < size; i++) v[i] *= 2;
    for (int32_t k = 0; k < node->projections; k++)
      if (self->model->node[p[k].source].kind != SNNCC_INPUT && p[k].kernel == SNNCC_BY_SPIKES)
        tally(self, n)[1] += project_digit(self, &p[k], bit, v);
  }
  for (int32_t i = 0; i < size; i += period, base += advance)
    for (int32_t j = 0; j < period; j++) v[i + j] += most * base[j];
  for (int32_t k = 0; k < node->projections; k++)
    if (self->model->node[p[k].source].kind != SNNCC_INPUT && p[k].kernel == SNNCC_BY_WEIGHTS)
      tally(self, n)[1] += project_numbers(self, &p[k], v);
  if (node->kind == SNNCC_RADIX_READOUT) return;
  const int32_t *theta = constants(self, node->theta), *start = constants(self, node->start);
  uint8_t *number = (uint8_t *)bytes(self, node->spikes);
  int32_t thresholds[SNNCC_PASS], starts[SNNCC_PASS];
  const int32_t run = tiled(&theta, thresholds, period);
  (void)tiled(&start, starts, period);
  for (int32_t i = 0, j = 0, some; i < size; i += some, j = j + some < run ? j + some : 0) {
    some = run - j < SNNCC_PASS ? run - j : SNNCC_PASS;
    if (some > size - i) some = size - i;
    tally(self, n)[0] +=
        some == SNNCC_PASS
            ? send_digits(v + i, theta + j, start + j, number + i, digits, SNNCC_PASS)
            : send_digits(v + i, theta + j, start + j, number + i, digits, some);
  }
}

/* The earliest spike, or the largest number, of each window. */
static void run_maxpool(snncc_instance *self, int32_t n) {
  const snncc_node *node = &self->model->node[n];
  const snncc_node *source = &self->model->node[node->source];
  const snncc_window *win = &node->window;
  const uint8_t *from = (const uint8_t *)bytes(self, source->spikes);
  uint8_t *to = (uint8_t *)bytes(self, node->spikes);
  const int32_t channels = node->shape.channels, slots = self->model->slots;
  const int radix = node->kind == SNNCC_RADIX_MAXPOOL;
  for (int32_t y = 0; y < node->shape.height; y++) {
    for (int32_t x = 0; x < node->shape.width; x++, to += channels) {
      memset(to, radix ? 0 : slots, (size_t)channels);
      for (int32_t ky = 0; ky < win->kernel_y; ky++) {
        const int32_t sy = y * win->stride_y - win->pad_y + ky;
        if (sy < 0 || sy >= source->shape.height) continue;
        for (int32_t kx = 0; kx < win->kernel_x; kx++) {
          const int32_t sx = x * win->stride_x - win->pad_x + kx;
          if (sx < 0 || sx >= source->shape.width) continue;
          const uint8_t *other = from + (sy * source->shape.width + sx) * channels;
          for (int32_t c = 0; c < channels; c++)
            if (radix ? other[c] > to[c] : other[c] < to[c]) to[c] = other[c];
        }
      }
      for (int32_t c = 0; c < channels; c++)
        tally(self, n)[0] += radix ? ones(to[c]) : to[c] < slots;
    }
  }
}

/* Events are there already; they are counted. */
static void step_events(snncc_instance *self, int32_t n) {
  const snncc_node *node = &self->model->node[n];
  const int8_t *spikes = bytes(self, node->spikes);
  const int32_t size = snncc_size(node->shape);
  for (int32_t i = 0; i < size; i++) tally(self, n)[0] += spikes[i] < 0 ? -spikes[i] : spikes[i];
}

static void step_node(snncc_instance *self, int32_t n) {
  switch (self->model->node[n].kind) {
    case SNNCC_RADIX:
    case SNNCC_RADIX_READOUT: run_radix(self, n); break;
    case SNNCC_TTFS_MAXPOOL:
    case SNNCC_RADIX_MAXPOOL: run_maxpool(self, n); break;
    case SNNCC_MAXPOOL: step_maxpool(self, n); break;
    case SNNCC_INPUT: break;
    case SNNCC_EVENTS: step_events(self, n); break;
    default: step_population(self, n);
  }
}

snncc_status snncc_step_all(snncc_instance *const *nets, int32_t count) {
  const snncc_model *model = nets[0]->model;
  for (int32_t b = 0; b < count; b++)
    if (nets[b]->step >= model->steps) return SNNCC_ERROR_STEPS;
  for (int32_t n = 0; n < model->nodes; n++) {
    const snncc_kind kind = model->node[n].kind;
    const double start = nets[0]->now ? nets[0]->now() : 0;
    if (kind == SNNCC_TTFS || kind == SNNCC_TTFS_READOUT)
      run_ttfs(nets, count, n);
    else
      for (int32_t b = 0; b < count; b++) step_node(nets[b], n);
    if (nets[0]->now) nets[0]->seconds[n] += nets[0]->now() - start;
  }
  for (int32_t b = 0; b < count; b++) nets[b]->step++;
  return SNNCC_OK;
}

snncc_status snncc_step(snncc_instance *self) { return snncc_step_all(&self, 1); }

snncc_status snncc_run(snncc_instance *self, int32_t steps) {
  snncc_status status = SNNCC_OK;
  snncc_reset(self);
  for (int32_t t = 0; t < steps && status == SNNCC_OK; t++) status = snncc_step(self);
  return status;
}

/* What an output reads, as it is stored: potentials of a readout, net spike counts, or NULL where
 * it reads slots or numbers of the radix code. */
static const int32_t *stored_total(const snncc_instance *self, const snncc_node *node) {
  const int readout = node->kind == SNNCC_READOUT || node->kind == SNNCC_TTFS_READOUT ||
                      node->kind == SNNCC_RADIX_READOUT;
  if (!readout && node->kind >= SNNCC_RADIX) return NULL;
  return ints(self, readout ? node->potential : node->count);
}

void snncc_read_total(const snncc_instance *self, int32_t output, int32_t *total) {
  const snncc_node *node = &self->model->node[self->model->output[output]];
  const int32_t *stored = stored_total(self, node);
  const int32_t area = node->shape.height * node->shape.width, channels = node->shape.channels;
  if (!stored) {
    const uint8_t *sent = (const uint8_t *)bytes(self, node->spikes); /* slots, or numbers */
    for (int32_t c = 0; c < channels; c++)
      for (int32_t i = 0; i < area; i++) total[c * area + i] = sent[i * channels + c];
    return;
  }
  for (int32_t c = 0; c < channels; c++)
    for (int32_t i = 0; i < area; i++) total[c * area + i] = stored[i * channels + c];
}

int64_t snncc_margin(const snncc_instance *self, int32_t output) {
  const snncc_node *node = &self->model->node[self->model->output[output]];
  const int32_t *stored = stored_total(self, node);
  const int32_t size = snncc_size(node->shape);
  if (!stored || size < 2) return -1;
  int64_t first = INT64_MIN, second = INT64_MIN;
  for (int32_t i = 0; i < size; i++) {
    if (stored[i] > first) {
      second = first;
      first = stored[i];
    } else if (stored[i] > second) {
      second = stored[i];
    }
  }
  return first - second;
}

void snncc_read_spikes(const snncc_instance *self, int32_t node, int8_t *spikes) {
  const snncc_shape shape = self->model->node[node].shape;
  const int8_t *stored = bytes(self, self->model->node[node].spikes);
  const int32_t area = shape.height * shape.width;
  for (int32_t c = 0; c < shape.channels; c++)
    for (int32_t i = 0; i < area; i++) spikes[c * area + i] = stored[i * shape.channels + c];
}

int64_t snncc_spike_count(const snncc_instance *self, int32_t node) {
  return tally(self, node)[0];
}

int64_t snncc_synaptic_operations(const snncc_instance *self, int32_t node) {
  return tally(self, node)[1];
}
