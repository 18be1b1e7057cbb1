/* The ttfs28 machine; see ttfs28_machine.h. An image is checked when it is read, so that every
 * address here is known to be good. */
#include "ttfs28_machine.h"

#include <stdlib.h>
#include <string.h>

/* NEITHER: a cell that holds neither a slot code nor a number, read as no spike, or as 0. */
/* SOME: accumulators that are compared at once, within a cache's reach. */
enum { MOST_SLOTS = 64, SOME = 1024, NEITHER = INT16_MAX };

int ttfs28_start(ttfs28_machine *m, const ttfs28_image *image) {
  const ttfs28_parameters *p = &image->machine;
  const size_t codes = p->weight_buffer / p->weight_bits;
  const size_t exponents = (size_t)image->octave * (p->constant_bits + 1);
  const uint32_t zero = (1u << (p->weight_bits - 1)) - 1;
  memset(m, 0, sizeof *m);
  m->image = image;
  m->exponents = (int64_t)exponents;
  /* a weight of zero has an exponent of which nothing is left */
  for (uint32_t code = 0; code < 256; code++)
    m->step[code] = (code & zero) == zero
                        ? (int32_t)exponents
                        : (int32_t)((code & zero) * (image->octave / image->machine.resolution));
  m->input = calloc((size_t)p->input_cells + 1, sizeof *m->input);
  m->spikes = calloc((size_t)p->spike_cells + 1, 1);
  m->output = calloc((size_t)p->output_cells + 1, sizeof *m->output);
  m->count = calloc(image->names * TTFS28_COUNTERS + 1, sizeof *m->count);
  m->weights = calloc(codes + 1, 1);
  m->cell = calloc(p->spike_buffer, sizeof *m->cell);
  m->potential = calloc(p->accumulators, sizeof *m->potential);
  m->slot_of = calloc(p->accumulators, 1);
  m->other = calloc(p->accumulators, sizeof *m->other);
  m->magnitude = calloc(exponents + 1, sizeof *m->magnitude);
  m->product = calloc(codes + 1, sizeof *m->product);
  m->stamp = calloc(p->spike_buffer, sizeof *m->stamp);
  m->spike = calloc(p->spike_buffer, sizeof *m->spike);
  m->first = calloc(MOST_SLOTS + 1, sizeof *m->first);
  m->reached = calloc(image->instructions + 1, sizeof *m->reached);
  if (!m->input || !m->spikes || !m->output || !m->count || !m->weights || !m->cell ||
      !m->potential || !m->other || !m->magnitude || !m->product || !m->stamp || !m->spike ||
      !m->first || !m->reached || !m->slot_of) {
    ttfs28_stop(m);
    return -1;
  }
  for (size_t i = 0; i < exponents; i++)
    m->magnitude[i] = (int32_t)(image->constant[i % image->octave] >> i / image->octave);
  for (size_t n = 0; n < image->instructions; n++) m->reached[n] = -1;
  return 0;
}

void ttfs28_stop(ttfs28_machine *m) {
  free(m->input);
  free(m->spikes);
  free(m->output);
  free(m->count);
  free(m->weights);
  free(m->cell);
  free(m->potential);
  free(m->other);
  free(m->magnitude);
  free(m->product);
  free(m->stamp);
  free(m->spike);
  free(m->first);
  free(m->reached);
  free(m->slot_of);
  memset(m, 0, sizeof *m);
}

static int64_t divided_up(int64_t number, int64_t by) { return (number + by - 1) / by; }

static int64_t tile_size(const ttfs28_machine *m) {
  return m->tile[0] * m->tile[1] * m->tile[2];
}

static uint32_t slot_bits(const ttfs28_parameters *p) {
  uint32_t bits = 0;
  while (p->slots >> bits) bits++;
  return bits;
}

static void count_read(const ttfs28_machine *m, int64_t *count, int64_t bits) {
  count[TTFS28_EXTERNAL_BITS_READ] += bits;
  count[TTFS28_CYCLES] += divided_up(bits, m->image->machine.bus_bits);
}

static void count_written(const ttfs28_machine *m, int64_t *count, int64_t bits) {
  count[TTFS28_EXTERNAL_BITS_WRITTEN] += bits;
  count[TTFS28_CYCLES] += divided_up(bits, m->image->machine.bus_bits);
}

/* Stores the tile's accumulators as [y][x][channel], so that a spike's targets lie side by side. */
static void lay_out(ttfs28_machine *m) {
  const int64_t *now = m->laid_out;
  if (memcmp(now, m->tile, sizeof m->laid_out) == 0) return;
  const int64_t size = now[0] * now[1] * now[2], places = now[1] * now[2];
  if (now[0] > 1 && places > 1) { /* back to the machine's own order */
    for (int64_t o = 0; o < now[0]; o++)
      for (int64_t i = 0; i < places; i++) m->other[o * places + i] = m->potential[i * now[0] + o];
    memcpy(m->potential, m->other, (size_t)size * sizeof *m->other);
  }
  memcpy(m->laid_out, m->tile, sizeof m->laid_out);
  const int64_t next = now[1] * now[2];
  if (now[0] > 1 && next > 1) {
    for (int64_t o = 0; o < now[0]; o++)
      for (int64_t i = 0; i < next; i++) m->other[i * now[0] + o] = m->potential[o * next + i];
    memcpy(m->potential, m->other, (size_t)(now[0] * next) * sizeof *m->other);
  }
}

static void set_tile(ttfs28_machine *m, const int64_t *f) {
  const int64_t before = m->tile ? tile_size(m) : 0;
  m->tile = f;
  if (tile_size(m) > before && m->reach_outside > m->reach) m->reach = m->reach_outside;
}

static void load(ttfs28_machine *m, const int64_t *f, int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  for (int64_t c = 0; c < f[2]; c++) {
    for (int64_t y = 0; y < f[3]; y++) {
      int64_t from = f[1] + c * f[5] + y * f[6];
      int64_t to = f[8] + c * f[9] + y * f[10];
      for (int64_t x = 0; x < f[4]; x++, from += f[7], to += f[11])
        m->cell[to] = f[0] ? m->input[from] : (int16_t)m->spikes[from];
    }
  }
  count_read(m, count, f[2] * f[3] * f[4] * (f[0] ? p->input_bits + 1 : slot_bits(p)));
}

static void start(ttfs28_machine *m, const int64_t *f, int64_t *count) {
  const int64_t channels = m->tile[0], places = m->tile[1] * m->tile[2];
  const int32_t *bias = m->image->bias + f[0];
  const int64_t biases = f[1] ? channels * places : channels;
  lay_out(m);
  if (m->reach > m->reach_outside) m->reach_outside = m->reach;
  m->reach = 0;
  for (int64_t i = 0; i < biases; i++) {
    const int64_t size = bias[i] < 0 ? -(int64_t)bias[i] : bias[i];
    if (size > m->reach) m->reach = size;
  }
  for (int64_t i = 0; i < places; i++)
    for (int64_t o = 0; o < channels; o++)
      m->potential[i * channels + o] = bias[f[1] ? o * places + i : o];
  count[TTFS28_EXTERNAL_BITS_READ] += biases * m->image->machine.accumulator_bits;
  count[TTFS28_ACCUMULATOR_ACCESSES] += channels * places;
  count[TTFS28_CYCLES] += divided_up(channels * places, m->image->machine.processing_elements);
}

/* The box and the window of an integrate, in numbers that the loops below need. */
typedef struct {
  int64_t channels, height, width, groups, per_group, inputs; /* per_group: outputs, of a group */
  int64_t taps;                                               /* of the kernel */
  const uint8_t *weights;
  const uint16_t *exponents;
  int32_t *product;
} geometry;

static geometry geometry_of(ttfs28_machine *m, const int64_t *f) {
  geometry g;
  g.channels = f[2];
  g.height = f[3];
  g.width = f[4];
  g.groups = f[5];
  g.per_group = m->tile[0] / f[5];
  g.inputs = f[2] / f[5];
  g.taps = m->window[0] * m->window[1];
  g.weights = m->weights + f[6];
  g.product = m->product + f[6];
  g.exponents = m->image->exponent + f[7];
  return g;
}

static int32_t magnitude_of(const ttfs28_machine *m, int64_t exponent) {
  return m->magnitude[exponent < m->exponents ? exponent : m->exponents];
}

/* n products of codes and a spike of exponent `spike`; offset: of each. */
static void multiply_row(const ttfs28_machine *m, const uint8_t *restrict code,
                         const uint16_t *restrict offset, int32_t spike,
                         int32_t *restrict product, int64_t n) {
  const int32_t *restrict magnitude = m->magnitude, *restrict step = m->step;
  const int32_t last = (int32_t)m->exponents;
  const uint32_t sign_bit = m->image->machine.weight_bits - 1;
  for (int64_t o = 0; o < n; o++) {
    const int32_t sum = spike + step[code[o]] + offset[o];
    const int32_t minus = -(int32_t)(code[o] >> sign_bit);
    product[o] = (magnitude[sum < last ? sum : last] ^ minus) - minus;
  }
}

/* Products of all weights of a channel with a spike of exponent `spike`. */
static void multiply(const ttfs28_machine *m, const geometry *g, int64_t channel, int64_t spike) {
  const int64_t size = g->taps * g->per_group;
  const uint8_t *code = g->weights + channel * size;
  int32_t *product = g->product + channel * size;
  const uint16_t *offset = g->exponents + channel / g->inputs * g->per_group;
  for (int64_t tap = 0; tap < g->taps; tap++, code += g->per_group, product += g->per_group)
    multiply_row(m, code, offset, (int32_t)spike, product, g->per_group);
}

/* How far an accumulator can get at all: a bound beyond that says nothing more. */
static int64_t farthest(const ttfs28_machine *m) {
  return (int64_t)1 << (m->image->machine.accumulator_bits - 1);
}

/* How far one integrate can drive an accumulator, whatever spikes; at most `farthest`. */
static int64_t reach_of(const ttfs28_machine *m, const geometry *g, int is_input) {
  const ttfs28_image *image = m->image;
  const int64_t planes = is_input ? image->machine.input_bits : 1;
  int64_t most = 0;
  for (int64_t o = 0; o < m->tile[0]; o++) {
    const int64_t group = o / g->per_group;
    int64_t sum = 0;
    for (int64_t i = 0; i < g->inputs * g->taps; i++) {
      const uint8_t code = g->weights[(group * g->inputs * g->taps + i) * g->per_group +
                                      o % g->per_group];
      for (int64_t plane = 0; plane < planes; plane++)
        sum += magnitude_of(m, plane * image->octave + m->step[code] + g->exponents[o]);
    }
    if (sum > most) most = sum;
  }
  /* windows are pooled by up to 2^24, for which 64 bits may not do */
  const int64_t pooled = m->window[8] * m->window[9];
  return most > farthest(m) / pooled ? farthest(m) : most * pooled;
}

/* Adds products to neighbouring accumulators. */
static void add(int32_t *restrict potential, const int32_t *restrict product, int64_t n) {
  for (int64_t o = 0; o < n; o++) potential[o] += product[o];
}

static void subtract(int32_t *restrict potential, const int32_t *restrict product, int64_t n) {
  for (int64_t o = 0; o < n; o++) potential[o] -= product[o];
}

/* As add and subtract, within the accumulator's bits; returns how often that cut a sum off. */
static int64_t saturate(int32_t *potential, const int32_t *product, int64_t n, int off,
                        uint32_t bits) {
  const int64_t most = ((int64_t)1 << (bits - 1)) - 1;
  int64_t cut = 0;
  for (int64_t o = 0; o < n; o++) {
    int64_t sum = (int64_t)potential[o] + (off ? -(int64_t)product[o] : product[o]);
    cut += sum > most || sum < -most - 1;
    if (sum > most) sum = most;
    if (sum < -most - 1) sum = -most - 1;
    potential[o] = (int32_t)sum;
  }
  return cut;
}

/* Targets of one axis: taps k with target (place + pad - k * dilation) / stride inside. */
typedef struct {
  int64_t tap[4096], target[4096], count;
} targets;

static void targets_of(targets *t, int64_t place, int64_t pad, int64_t kernel, int64_t dilation,
                       int64_t stride, int64_t size) {
  t->count = 0;
  for (int64_t k = 0; k < kernel; k++) {
    int64_t at = place + pad - k * dilation;
    if (at < 0) break;
    if (stride > 1) { /* division takes long */
      if (at % stride) continue;
      at /= stride;
    }
    if (at >= size) continue;
    t->tap[t->count] = k;
    t->target[t->count++] = at;
  }
}

/* All spikes of one slot, in ascending order of their cells. */
static void send(ttfs28_machine *m, const geometry *g, const ttfs28_spike *spike, size_t n,
                 int64_t exponent, int exact, int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const int64_t *w = m->window;
  const int64_t outputs = m->tile[0], width = m->tile[2];
  targets rows, columns;
  int64_t row_place = -1;
  m->slot++;
  rows.count = 0;
  for (size_t i = 0; i < n; i++) {
    const int64_t channel = spike[i].channel;
    if (m->stamp[channel] != m->slot) {
      multiply(m, g, channel, exponent);
      m->stamp[channel] = m->slot;
    }
    if (spike[i].y != row_place) {
      targets_of(&rows, spike[i].y, w[4], w[0], w[6], w[2], m->tile[1]);
      row_place = spike[i].y;
    }
    targets_of(&columns, spike[i].x, w[5], w[1], w[7], w[3], width);
    const int32_t *product = g->product + channel * g->taps * g->per_group;
    int32_t *potential = m->potential + channel / g->inputs * g->per_group;
    for (int64_t y = 0; y < rows.count; y++) {
      for (int64_t x = 0; x < columns.count; x++) {
        int32_t *to = potential + (rows.target[y] * width + columns.target[x]) * outputs;
        const int32_t *from = product + (rows.tap[y] * w[1] + columns.tap[x]) * g->per_group;
        if (!exact)
          count[TTFS28_SATURATIONS] +=
              saturate(to, from, g->per_group, spike[i].off, p->accumulator_bits);
        else if (spike[i].off)
          subtract(to, from, g->per_group);
        else
          add(to, from, g->per_group);
      }
    }
    const int64_t operations = rows.count * columns.count * g->per_group;
    count[TTFS28_SYNAPTIC_OPERATIONS] += operations;
    count[TTFS28_CYCLES] += divided_up(operations, p->processing_elements);
  }
}

/* The next place of a box after cell (channel, y, x), in row-major order. */
static void advance(const geometry *g, ttfs28_spike *at) {
  if (++at->x < g->width) return;
  at->x = 0;
  if (++at->y < g->height) return;
  at->y = 0;
  at->channel++;
}

/* The spike of a cell, in the pooled box; whether it is inside. */
static int placed(const ttfs28_machine *m, const geometry *g, const ttfs28_spike *cell,
                  ttfs28_spike *spike) {
  const int64_t pool_y = m->window[8], pool_x = m->window[9];
  *spike = *cell;
  if (pool_y == 1 && pool_x == 1) return 1;
  spike->y = (int32_t)(cell->y / pool_y);
  spike->x = (int32_t)(cell->x / pool_x);
  return spike->y < g->height / pool_y && spike->x < g->width / pool_x;
}

static void integrate_slots(ttfs28_machine *m, const geometry *g, const int16_t *cell, int exact,
                            int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const int64_t cells = g->channels * g->height * g->width;
  size_t next[MOST_SLOTS + 1];
  memset(m->first, 0, (MOST_SLOTS + 1) * sizeof *m->first);
  /* counting sort by slot, which keeps the cells' order */
  for (int64_t i = 0; i < cells; i++)
    if (cell[i] < (int16_t)p->slots) m->first[cell[i] + 1]++;
  for (uint32_t k = 0; k < p->slots; k++) m->first[k + 1] += m->first[k];
  memcpy(next, m->first, sizeof next);
  ttfs28_spike at = {0, 0, 0, 0};
  for (int64_t i = 0; i < cells; i++, advance(g, &at)) {
    if (cell[i] >= (int16_t)p->slots) continue;
    ttfs28_spike *spike = &m->spike[next[cell[i]]];
    next[cell[i]] += (size_t)placed(m, g, &at, spike);
  }
  for (uint32_t k = 0; k < p->slots; k++)
    if (next[k] > m->first[k])
      send(m, g, m->spike + m->first[k], next[k] - m->first[k],
           k * (m->image->octave / p->tau), exact, count);
}

static void integrate_planes(ttfs28_machine *m, const geometry *g, const int16_t *cell, int exact,
                             int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const int64_t cells = g->channels * g->height * g->width;
  for (uint32_t plane = 0; plane < p->input_bits; plane++) {
    size_t n = 0;
    ttfs28_spike at = {0, 0, 0, 0};
    for (int64_t i = 0; i < cells; i++, advance(g, &at)) {
      const int32_t size = cell[i] == NEITHER ? 0 : cell[i] < 0 ? -cell[i] : cell[i];
      if (!(size >> (p->input_bits - 1 - plane) & 1)) continue;
      if (!placed(m, g, &at, &m->spike[n])) continue;
      m->spike[n++].off = cell[i] < 0;
    }
    send(m, g, m->spike, n, (int64_t)plane * m->image->octave, exact, count);
  }
}

static void integrate(ttfs28_machine *m, const int64_t *f, int64_t *reach, int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const geometry g = geometry_of(m, f);
  const int64_t before = count[TTFS28_SYNAPTIC_OPERATIONS];
  lay_out(m);
  /* weights are the same for all samples */
  if (*reach < 0) *reach = reach_of(m, &g, (int)f[0]);
  m->reach += *reach;
  if (m->reach > farthest(m)) m->reach = farthest(m);
  const int exact = m->reach < farthest(m);
  if (f[0])
    integrate_planes(m, &g, m->cell + f[1], exact, count);
  else
    integrate_slots(m, &g, m->cell + f[1], exact, count);
  const int64_t cells = g.channels * g.height * g.width;
  const int64_t operations = count[TTFS28_SYNAPTIC_OPERATIONS] - before;
  count[TTFS28_SPIKE_BUFFER_READS] += cells;
  count[TTFS28_WEIGHT_BUFFER_READS] += operations;
  count[TTFS28_ACCUMULATOR_ACCESSES] += 2 * operations;
  count[TTFS28_CYCLES] += divided_up(cells, p->processing_elements);
}

/* Slots of n accumulators: thresholds do not ascend, so those above v are the first ones. */
static void slots_of(uint8_t *restrict slot, const int32_t *restrict v, int64_t n,
                     const int32_t *restrict threshold, uint32_t slots) {
  for (int64_t i = 0; i < n; i++) slot[i] = 0;
  for (uint32_t k = 0; k < slots; k++)
    for (int64_t i = 0; i < n; i++) slot[i] = (uint8_t)(slot[i] + (threshold[k] > v[i]));
}

static void fire(ttfs28_machine *m, const int64_t *f, int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const int32_t *threshold = m->image->threshold + f[0] * p->slots;
  const int64_t channels = m->tile[0], n = tile_size(m);
  int64_t compared = 0, spikes = 0;
  lay_out(m);
  for (int64_t i = 0; i < n; i += SOME)
    slots_of(m->slot_of + i, m->potential + i, n - i < SOME ? n - i : SOME, threshold, p->slots);
  for (int64_t i = 0; i < n; i++) {
    spikes += m->slot_of[i] < p->slots;
    compared += m->slot_of[i] + (m->slot_of[i] < p->slots);
  }
  /* row-major, because steps may lead to one cell twice: the last one stays */
  for (int64_t o = 0; o < channels; o++)
    for (int64_t y = 0; y < m->tile[1]; y++)
      for (int64_t x = 0; x < m->tile[2]; x++)
        m->spikes[f[1] + o * f[2] + y * f[3] + x * f[4]] =
            m->slot_of[(y * m->tile[2] + x) * channels + o];
  count[TTFS28_SPIKES] += spikes;
  count[TTFS28_COMPARISONS] += compared;
  count[TTFS28_ACCUMULATOR_ACCESSES] += n;
  count[TTFS28_EXTERNAL_BITS_READ] += (int64_t)p->slots * p->accumulator_bits;
  count[TTFS28_CYCLES] += p->slots * divided_up(n, p->processing_elements);
  count_written(m, count, n * slot_bits(p));
}

static void read_out(ttfs28_machine *m, const int64_t *f, int64_t *count) {
  const int64_t channels = m->tile[0], n = tile_size(m);
  lay_out(m);
  for (int64_t o = 0; o < channels; o++) /* row-major, as in fire */
    for (int64_t y = 0; y < m->tile[1]; y++)
      for (int64_t x = 0; x < m->tile[2]; x++)
        m->output[f[0] + o * f[1] + y * f[2] + x * f[3]] =
            m->potential[(y * m->tile[2] + x) * channels + o];
  count[TTFS28_ACCUMULATOR_ACCESSES] += n;
  count_written(m, count, n * m->image->machine.accumulator_bits);
}

static void pool(ttfs28_machine *m, const int64_t *f, int64_t *count) {
  const ttfs28_parameters *p = &m->image->machine;
  const int64_t *w = m->window, n = tile_size(m);
  int64_t reads = 0, spikes = 0;
  for (int64_t o = 0; o < m->tile[0]; o++) {
    const int16_t *cell = m->cell + f[0] + o * f[1] * f[2];
    for (int64_t ty = 0; ty < m->tile[1]; ty++) {
      for (int64_t tx = 0; tx < m->tile[2]; tx++) {
        int16_t earliest = (int16_t)p->slots;
        for (int64_t ky = 0; ky < w[0]; ky++) {
          const int64_t y = ty * w[2] - w[4] + ky * w[6];
          if (y < 0 || y >= f[1]) continue;
          for (int64_t kx = 0; kx < w[1]; kx++) {
            const int64_t x = tx * w[3] - w[5] + kx * w[7];
            if (x < 0 || x >= f[2]) continue;
            if (cell[y * f[2] + x] < earliest) earliest = cell[y * f[2] + x];
            reads++;
          }
        }
        m->spikes[f[3] + o * f[4] + ty * f[5] + tx * f[6]] = (uint8_t)earliest;
        spikes += earliest < (int16_t)p->slots;
      }
    }
  }
  count[TTFS28_SPIKE_BUFFER_READS] += reads;
  count[TTFS28_SPIKES] += spikes;
  count[TTFS28_CYCLES] += divided_up(reads, p->processing_elements);
  count_written(m, count, n * slot_bits(p));
}

static void reset(ttfs28_machine *m) {
  const ttfs28_parameters *p = &m->image->machine;
  const uint32_t zero = (1u << (p->weight_bits - 1)) - 1;
  memset(m->spikes, (int)p->slots, p->spike_cells);
  memset(m->output, 0, p->output_cells * sizeof *m->output);
  memset(m->count, 0, m->image->names * TTFS28_COUNTERS * sizeof *m->count);
  memset(m->weights, (int)zero, p->weight_buffer / p->weight_bits);
  memset(m->potential, 0, p->accumulators * sizeof *m->potential);
  memset(m->stamp, 0, p->spike_buffer * sizeof *m->stamp);
  memset(m->laid_out, 0, sizeof m->laid_out);
  m->slot = 0;
  m->reach = m->reach_outside = 0;
  m->tile = m->window = NULL;
}

static void clear(ttfs28_machine *m, int64_t count) {
  for (int64_t i = 0; i < count; i++) m->cell[i] = NEITHER;
}

void ttfs28_run(ttfs28_machine *m) {
  const ttfs28_image *image = m->image;
  const ttfs28_parameters *p = &image->machine;
  reset(m);
  clear(m, p->spike_buffer);
  for (size_t n = 0; n < image->instructions; n++) {
    const ttfs28_instruction *i = &image->instruction[n];
    const int64_t *f = i->field;
    int64_t *count = m->count + i->layer * TTFS28_COUNTERS;
    switch (i->opcode) {
      case TTFS28_TILE:
        set_tile(m, f);
        break;
      case TTFS28_WINDOW:
        m->window = f;
        break;
      case TTFS28_WEIGHTS:
        memcpy(m->weights + f[2], image->weight + f[0], (size_t)f[1]);
        count_read(m, count, f[1] * p->weight_bits);
        break;
      case TTFS28_CLEAR:
        clear(m, f[0]);
        count[TTFS28_CYCLES] += divided_up(f[0], p->processing_elements);
        break;
      case TTFS28_LOAD:
        load(m, f, count);
        break;
      case TTFS28_START:
        start(m, f, count);
        break;
      case TTFS28_INTEGRATE:
        integrate(m, f, &m->reached[n], count);
        break;
      case TTFS28_FIRE:
        fire(m, f, count);
        break;
      case TTFS28_READ:
        read_out(m, f, count);
        break;
      case TTFS28_POOL:
        pool(m, f, count);
        break;
      default:
        break;
    }
  }
}
