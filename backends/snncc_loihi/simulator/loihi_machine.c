/* Runs a map. A spike of step t is added to the sums of step t + 1 + delay at once: a ring of
   sums, one for each step that is still to come. docs/targets/loihi.md says what is computed. */
#include "loihi_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages go anywhere in memory: what the next ones need is asked for ahead. */
#if defined(__GNUC__)
#define AHEAD(address) __builtin_prefetch(address)
#else
#define AHEAD(address) ((void)(address))
#endif
enum { AXON_AHEAD = 12, SEGMENT_AHEAD = 8, WEIGHT_AHEAD = 4, LINE = 64 };

static void *zeros(int64_t count, size_t size) { return calloc((size_t)count + 1, size); }

/* Puts together what is used together. */
static void gather(loihi_machine *m) {
  const loihi_map *map = m->map;
  const int64_t *n = map->scalar;
  for (int64_t i = 0; i < n[AXONS]; i++) {
    const int32_t list = map->axon_list[i];
    m->axons[i] = (loihi_axon){map->axon_cost[i] + n[TIME_RECEIVE], map->axon_base[i],
                               map->list_segment[list], map->list_segment[list + 1],
                               map->list_point[list], map->list_point[list + 1],
                               map->axon_core[i], 0};
  }
  for (int64_t i = 0; i < n[COMPARTMENTS]; i++)
    m->senders[i] = (loihi_sender){map->out_first[i], map->out_first[i + 1], map->out_path[i],
                                   map->out_local[i], map->out_remote[i], map->out_hops_x[i],
                                   map->out_hops_y[i], map->out_links[i], 0};
  for (size_t i = 0; i < map->segment_target_size; i++)
    m->segments[i] = (loihi_segment){map->segment_weight[i], map->segment_target[i],
                                     map->segment_count[i], map->segment_delay[i]};
}

int loihi_start(loihi_machine *m, const loihi_map *map) {
  const int64_t *n = map->scalar;
  memset(m, 0, sizeof *m);
  m->map = map;
  m->axon_memory = zeros(n[AXONS] + 1, sizeof *m->axons);
  m->senders = zeros(n[COMPARTMENTS], sizeof *m->senders);
  m->segments = zeros((int64_t)map->segment_target_size, sizeof *m->segments);
  m->arriving = zeros(n[SLOTS] * n[COMPARTMENTS], sizeof *m->arriving);
  m->drive = zeros(n[COMPARTMENTS], sizeof *m->drive);
  m->held = zeros(n[COMPARTMENTS], sizeof *m->held);
  m->potential = zeros(n[COMPARTMENTS], sizeof *m->potential);
  m->host_hits = zeros(n[AXONS], sizeof *m->host_hits);
  m->work = zeros(n[CORES], sizeof *m->work);
  m->offsets = zeros(n[SLOTS], sizeof *m->offsets);
  m->count = zeros(n[GROUPS] * LOIHI_COUNTERS, sizeof *m->count);
  if (!(m->axon_memory && m->senders && m->segments && m->arriving && m->drive && m->held &&
        m->potential && m->host_hits && m->work && m->offsets && m->count))
    return 1;
  char *memory = m->axon_memory;
  m->axons = (void *)(memory + (LINE - (uintptr_t)memory % LINE) % LINE);
  gather(m);
  return 0;
}

void loihi_stop(loihi_machine *m) {
  free(m->axon_memory);
  free(m->senders);
  free(m->segments);
  free(m->arriving);
  free(m->drive);
  free(m->held);
  free(m->potential);
  free(m->host_hits);
  free(m->work);
  free(m->offsets);
  free(m->count);
}

/* Notes that a number of a compartment does not fit `bits` bits; returns 1. */
static int refuse(loihi_machine *m, int64_t compartment, int64_t step, const char *what,
                  int64_t number, int64_t bits) {
  const int32_t *first = m->map->core_first;
  int64_t core = 0;
  while (first[core + 1] <= compartment) core++;
  snprintf(m->error, sizeof m->error,
           "core %" PRId64 ", compartment %" PRId64 ", step %" PRId64 ": %s is %" PRId64
           ", should fit %" PRId64 " bits",
           core, compartment - first[core], step, what, number, bits);
  return 1;
}

static int fits(int64_t number, int64_t bits) {
  const int64_t limit = INT64_C(1) << (bits - 1);
  return number >= -limit && number < limit;
}

/* Multiplication by a power of two that is right for negative numbers, too. */
static int64_t shifted(int64_t number, int64_t by) { return number * (INT64_C(1) << by); }

/* Input numbers that are kept, and biases from the host. */
static int hear_host(loihi_machine *m, const int32_t *input) {
  const loihi_map *map = m->map;
  const int64_t *n = map->scalar;
  const int64_t count = n[COMPARTMENTS];
  memset(m->held, 0, (size_t)count * sizeof *m->held);
  for (size_t i = 0; i < map->host_axon_size; i++) {
    const int64_t payload = input[map->host_axon_input[i]];
    if (!payload) continue;
    const int32_t axon = map->host_axon[i], list = map->axon_list[axon];
    int64_t *to = m->held + map->axon_base[axon];
    for (int64_t s = map->list_segment[list]; s < map->list_segment[list + 1]; s++)
      for (int32_t k = 0; k < map->segment_count[s]; k++) {
        const int64_t at = map->segment_weight[s] + k;
        to[map->segment_target[s] + k] +=
            payload * (map->wide_size ? map->wide[at] : (int32_t)map->narrow[at]);
      }
    for (int64_t p = map->list_point[list]; p < map->list_point[list + 1]; p++)
      to[map->point_target[p]] += payload * map->point_weight[p];
    m->host_hits[axon]++;
    m->work[m->axons[axon].core] += m->axons[axon].cost;
  }
  for (int64_t c = 0; c < count; c++) m->drive[c] = map->bias[c];
  for (size_t i = 0; i < map->host_bias_size; i++)
    m->drive[map->host_bias[i]] +=
        (int64_t)input[map->host_bias_input[i]] * map->host_weight[i];
  for (int64_t r = 0; r < n[RUNS]; r++) {
    const int32_t program = map->run_program[r];
    if (program == FIRE_JOINED || program == FIRE_COUNT) continue;
    for (int32_t c = map->run_first[r]; c < map->run_first[r] + map->run_count[r]; c++) {
      if (!fits(m->held[c], n[ACCUMULATOR_BITS]))
        return refuse(m, c, 0, "the held current", m->held[c], n[ACCUMULATOR_BITS]);
      if (m->drive[c] > n[BIAS_MANTISSA] || m->drive[c] < -n[BIAS_MANTISSA]) {
        int64_t bits = 1;
        while (INT64_C(1) << (bits - 1) <= n[BIAS_MANTISSA]) bits++;
        return refuse(m, c, 0, "the bias", m->drive[c], bits);
      }
      m->drive[c] = shifted(m->drive[c], map->run_exponent[r]) +
                    shifted(m->held[c], n[WEIGHT_SHIFT]);
    }
  }
  return 0;
}

/* Adds a message to the sums that are still to come. */
static void receive(loihi_machine *m, loihi_axon *axon, int32_t payload) {
  const loihi_map *map = m->map;
  int32_t *to = m->arriving + axon->base;
  for (int64_t s = axon->segment; s < axon->last_segment; s++) {
    const loihi_segment *segment = m->segments + s;
    const int32_t count = segment->count;
    int32_t *sums = to + m->offsets[segment->delay] + segment->target;
    if (map->wide_size) {
      const int32_t *weights = map->wide + segment->weight;
      for (int32_t k = 0; k < count; k++) sums[k] += payload * weights[k];
    } else {
      const int16_t *weights = map->narrow + segment->weight;
      for (int32_t k = 0; k < count; k++) sums[k] += payload * weights[k];
    }
  }
  for (int64_t p = axon->point; p < axon->last_point; p++)
    to[m->offsets[map->point_delay[p]] + map->point_target[p]] += payload * map->point_weight[p];
  axon->hits++;
  m->work[axon->core] += axon->cost;
}

/* Adds all messages that wait. */
static void deliver(loihi_machine *m) {
  const loihi_map *map = m->map;
  for (int i = 0; i < m->waits; i++) {
    if (i + AXON_AHEAD < m->waits) AHEAD(m->waiting[i + AXON_AHEAD]);
    if (i + SEGMENT_AHEAD < m->waits) AHEAD(m->segments + m->waiting[i + SEGMENT_AHEAD]->segment);
    if (i + WEIGHT_AHEAD < m->waits && !map->wide_size) {
      const loihi_axon *axon = m->waiting[i + WEIGHT_AHEAD];
      for (int64_t s = axon->segment; s < axon->last_segment && s < axon->segment + 3; s++)
        for (int32_t k = 0; k < m->segments[s].count; k += LINE / 2)
          AHEAD(map->narrow + m->segments[s].weight + k);
    }
    receive(m, m->waiting[i], m->payload[i]);
  }
  m->waits = 0;
}

/* All that a spike brings with it. */
static void fire(loihi_machine *m, int64_t step, int64_t run, int64_t compartment,
                 int32_t payload, const loihi_record *record) {
  const loihi_map *map = m->map;
  loihi_sender *sender = m->senders + compartment;
  int64_t *count = m->count + (int64_t)map->run_group[run] * LOIHI_COUNTERS;
  sender->sent += payload;
  count[SPIKES]++;
  count[PAYLOAD] += payload < 0 ? -payload : payload;
  count[LOCAL] += sender->local;
  count[REMOTE] += sender->remote;
  count[HOPS_X] += sender->hops_x;
  count[HOPS_Y] += sender->hops_y;
  count[LINKS] += sender->links;
  if (sender->path > m->path) m->path = sender->path;
  if (record->spike_at && record->spike_at[compartment] >= 0)
    record->spikes[record->spike_at[compartment] +
                   (step - map->run_step[run]) * record->spike_next[compartment]] =
        (int8_t)payload;
  for (int64_t o = sender->out; o < sender->last_out; o++) {
    if (m->waits == LOIHI_WAITING) deliver(m);
    m->waiting[m->waits] = m->axons + map->out_axon[o];
    m->payload[m->waits++] = payload;
  }
}

/* What a neuron that subtracts its threshold sends; v is what is left. */
static int32_t subtracted(int64_t *v, int64_t theta, int64_t most, int64_t least) {
  int64_t n = *v / theta;
  if (*v % theta < 0) n--;
  if (n > most) n = most;
  if (n < least) n = least;
  *v -= n * theta;
  return (int32_t)n;
}

/* One run of compartments in a step of its window; joined goes in and out. */
static int work(loihi_machine *m, int64_t step, int64_t core, int64_t run, int64_t *joined,
                const loihi_record *record) {
  const loihi_map *map = m->map;
  const int64_t *n = map->scalar;
  const int64_t first = map->run_first[run], end = first + map->run_count[run];
  const int32_t program = map->run_program[run];
  const int64_t most = map->run_most[run], limit = INT64_C(1) << (n[POTENTIAL_BITS] - 1);
  const int64_t bound = INT64_C(1) << (n[ACCUMULATOR_BITS] - 1);
  const int64_t unit = INT64_C(1) << n[WEIGHT_SHIFT];
  const int is_signed = map->run_signed[run];
  int32_t *arriving = m->arriving + step % n[SLOTS] * n[COMPARTMENTS];
  int64_t *count = m->count + (int64_t)map->run_group[run] * LOIHI_COUNTERS;
  int64_t active = 0, spikes = 0, messages = 0;
  for (int64_t c = first; c < end; c++) {
    const int64_t sum = arriving[c];
    int32_t payload = 0;
    arriving[c] = 0;
    if (program == FIRE_JOINED) {
      payload = *joined > map->threshold[c];
    } else if (program == FIRE_COUNT) {
      const int64_t theta = map->threshold[c];
      const int64_t whole = *joined / theta - (*joined % theta < 0);
      const int64_t sends = whole - m->senders[c].sent;
      if (sends > most || sends < (is_signed ? -most : 0)) {
        int64_t bits = 1;
        while (most >> (bits - 1)) bits++;
        return refuse(m, c, step, "the spike", sends, bits + (is_signed ? 1 : 0));
      }
      payload = (int32_t)sends;
    } else {
      const int64_t u = sum * unit + m->drive[c];
      int64_t v = m->potential[c] + u;
      if (sum >= bound || sum < -bound)
        return refuse(m, c, step, "what arrives", sum, n[ACCUMULATOR_BITS]);
      if (v >= limit || v < -limit)
        return refuse(m, c, step, "the potential", v, n[POTENTIAL_BITS]);
      if (program == INTEGRATE) {
        *joined = v;
      } else if (program == INTEGRATE_MAX) {
        if (v > *joined) *joined = v;
      } else if (program == FIRE_ZERO) {
        payload = v > map->threshold[c];
        if (payload) v = 0;
      } else if (v >= map->threshold[c]) {
        payload = subtracted(&v, map->threshold[c], most, 0);
      } else if (v < 0 && is_signed && m->senders[c].sent > 0) {
        const int64_t sent = m->senders[c].sent, back = sent < most ? sent : most;
        payload = subtracted(&v, map->threshold[c], most, -back);
      }
      if (v >= limit || v < -limit)
        return refuse(m, c, step, "the potential", v, n[POTENTIAL_BITS]);
      m->potential[c] = v;
      active += u != 0 || payload;
    }
    if (payload) {
      if (program == FIRE_JOINED || program == FIRE_COUNT) active++;
      spikes++;
      messages += m->senders[c].local + m->senders[c].remote;
      fire(m, step, run, c, payload, record);
    }
  }
  count[ACTIVE] += active;
  count[IDLE] += end - first - active;
  m->work[core] += active * n[TIME_ACTIVE] + (end - first - active) * n[TIME_IDLE] +
                   spikes * n[TIME_SPIKE] + messages * n[TIME_MESSAGE];
  return 0;
}

/* One run outside of its window: it hears nothing. */
static void rest(loihi_machine *m, int64_t step, int64_t core, int64_t run) {
  const loihi_map *map = m->map;
  const int64_t *n = map->scalar;
  const int64_t first = map->run_first[run], size = map->run_count[run];
  memset(m->arriving + step % n[SLOTS] * n[COMPARTMENTS] + first, 0,
         (size_t)size * sizeof *m->arriving);
  m->count[(int64_t)map->run_group[run] * LOIHI_COUNTERS + IDLE] += size;
  m->work[core] += size * n[TIME_IDLE];
}

/* The slowest core, the longest way, and the barrier. */
static void pass_time(loihi_machine *m) {
  int64_t longest = 0;
  for (int64_t i = 0; i < m->map->scalar[CORES]; i++) {
    if (m->work[i] > longest) longest = m->work[i];
    m->work[i] = 0;
  }
  m->time += longest + m->path + m->map->scalar[TIME_BARRIER];
  m->path = 0;
}

/* Synaptic operations, group by group, from the messages to each axon. */
static void count_operations(loihi_machine *m) {
  const loihi_map *map = m->map;
  for (int64_t axon = 0; axon < map->scalar[AXONS]; axon++) {
    const int64_t all = m->axons[axon].hits + m->host_hits[axon];
    if (!all) continue;
    int64_t *count = m->count + (int64_t)map->axon_group[axon] * LOIHI_COUNTERS;
    count[RECEIVED] += m->axons[axon].hits;
    count[HOST] += m->host_hits[axon];
    for (int64_t i = map->part_first[axon]; i < map->part_first[axon + 1]; i++) {
      int64_t *target = m->count + (int64_t)map->part_group[i] * LOIHI_COUNTERS;
      target[DENSE] += all * map->part_dense[i];
      target[SPARSE] += all * map->part_sparse[i];
    }
  }
}

/* Everything as it is before a sample. */
static void reset(loihi_machine *m) {
  const int64_t *n = m->map->scalar;
  memset(m->arriving, 0, (size_t)(n[SLOTS] * n[COMPARTMENTS]) * sizeof *m->arriving);
  memset(m->host_hits, 0, (size_t)n[AXONS] * sizeof *m->host_hits);
  memset(m->work, 0, (size_t)n[CORES] * sizeof *m->work);
  memset(m->count, 0, (size_t)n[GROUPS] * LOIHI_COUNTERS * sizeof *m->count);
  for (int64_t i = 0; i < n[AXONS]; i++) m->axons[i].hits = 0;
  for (int64_t c = 0; c < n[COMPARTMENTS]; c++) {
    m->potential[c] = m->map->start[c];
    m->senders[c].sent = 0;
  }
  m->time = m->path = 0;
  m->waits = 0;
  m->error[0] = '\0';
}

int loihi_run(loihi_machine *m, const int32_t *input, const loihi_record *record) {
  const loihi_map *map = m->map;
  const int64_t *n = map->scalar;
  reset(m);
  if (hear_host(m, input)) return 1;
  for (int64_t step = 0; step < record->steps; step++) {
    for (int64_t delay = 0; delay + 1 < n[SLOTS]; delay++)
      m->offsets[delay] = (step + 1 + delay) % n[SLOTS] * n[COMPARTMENTS];
    for (int64_t core = 0; core < n[CORES]; core++) {
      int64_t joined = 0;
      for (int64_t run = map->core_run[core]; run < map->core_run[core + 1]; run++) {
        const int64_t since = step - map->run_step[run];
        if (since < 0 || since >= record->window) {
          rest(m, step, core, run);
        } else if (work(m, step, core, run, &joined, record)) {
          return 1;
        }
      }
    }
    for (int64_t i = 0; i < record->readouts; i++) {
      const int64_t since = step - record->readout_step[i];
      if (since >= 0 && since < record->rows)
        record->potentials[since * record->readouts + i] =
            (int32_t)m->potential[record->readout_of[i]];
    }
    deliver(m);
    pass_time(m);
  }
  count_operations(m);
  return 0;
}
