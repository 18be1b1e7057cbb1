/* A core map that has been flattened (flat.py), and what runs it, step by step. */
#ifndef LOIHI_MACHINE_H
#define LOIHI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* What a group, the compartments of one population in one core, counts in a sample. */
enum {
  SPIKES, PAYLOAD, DENSE, SPARSE, IDLE, ACTIVE, LOCAL, REMOTE, RECEIVED, HOPS_X, HOPS_Y, LINKS,
  HOST, LOIHI_COUNTERS
};

enum { INTEGRATE, INTEGRATE_MAX, FIRE_JOINED, FIRE_ZERO, FIRE_SUBTRACT, FIRE_COUNT };

/* The arrays of the file, in its order; the first is the scalars below, in their order. X: type of
   an element, name. */
#define LOIHI_ARRAYS(X)                                                                           \
  X(int64_t, scalar)                                                                              \
  X(int32_t, core_first) /* (cores + 1) first compartment */                                      \
  X(int32_t, core_run)   /* (cores + 1) first run */                                              \
  X(int32_t, run_first)  /* (runs) compartments in a row that share all of these */               \
  X(int32_t, run_count)                                                                           \
  X(int32_t, run_program)                                                                         \
  X(int32_t, run_step) /* first step */                                                           \
  X(int32_t, run_exponent)                                                                        \
  X(int32_t, run_most)                                                                            \
  X(int32_t, run_signed)                                                                          \
  X(int32_t, run_group)                                                                           \
  X(int32_t, start) /* (compartments) */                                                          \
  X(int32_t, bias)                                                                                \
  X(int64_t, threshold) /* what joined or v has to be above; of FIRE_SUBTRACT, to reach */        \
  X(int64_t, out_first) /* (compartments + 1) */                                                  \
  X(int32_t, out_local) /* what one spike costs: messages within the tile, to others, hops … */   \
  X(int32_t, out_remote)                                                                          \
  X(int32_t, out_hops_x)                                                                          \
  X(int32_t, out_hops_y)                                                                          \
  X(int32_t, out_links)                                                                           \
  X(int64_t, out_path)   /* picoseconds of the longest way */                                     \
  X(int32_t, out_axon)   /* (output axons) input axon, over all cores */                          \
  X(int32_t, axon_list)  /* (input axons) */                                                      \
  X(int32_t, axon_base)  /* compartment, over all cores */                                        \
  X(int32_t, axon_core)                                                                           \
  X(int32_t, axon_group) /* that counts its messages */                                           \
  X(int64_t, axon_cost)  /* picoseconds of a message's synapses */                                \
  X(int64_t, part_first) /* (input axons + 1) its synapses, group by group */                     \
  X(int32_t, part_group)                                                                          \
  X(int32_t, part_dense)                                                                          \
  X(int32_t, part_sparse)                                                                         \
  X(int64_t, list_segment) /* (lists + 1) */                                                      \
  X(int64_t, list_point)   /* (lists + 1) */                                                      \
  X(int32_t, segment_target) /* (segments) synapses to compartments in a row */                   \
  X(int32_t, segment_count)                                                                       \
  X(int32_t, segment_delay)                                                                       \
  X(int64_t, segment_weight)                                                                      \
  X(int16_t, narrow) /* weights of segments: one of the two has none */                           \
  X(int32_t, wide)                                                                                \
  X(int32_t, point_target) /* single synapses */                                                  \
  X(int32_t, point_delay)                                                                         \
  X(int32_t, point_weight)                                                                        \
  X(int32_t, host_axon_input) /* (host axons) */                                                  \
  X(int32_t, host_axon)                                                                           \
  X(int32_t, host_bias_input) /* (host biases) */                                                 \
  X(int32_t, host_bias)                                                                           \
  X(int32_t, host_weight)

/* What is one number for the whole map; times are in picoseconds. */
enum {
  CORES, COMPARTMENTS, RUNS, OUTPUTS, AXONS, LISTS, GROUPS, INPUTS, SLOTS, WEIGHT_SHIFT,
  POTENTIAL_BITS, ACCUMULATOR_BITS, BIAS_MANTISSA, TIME_IDLE, TIME_ACTIVE, TIME_SPIKE,
  TIME_MESSAGE, TIME_RECEIVE, TIME_BARRIER, LOIHI_SCALARS
};

typedef struct {
#define LOIHI_ARRAY(type, name) \
  const type *name;             \
  size_t name##_size;
  LOIHI_ARRAYS(LOIHI_ARRAY)
#undef LOIHI_ARRAY
  void *content;
} loihi_map;

/* What a message to an axon needs, in one line of the cache. */
typedef struct {
  int64_t cost; /* picoseconds, receiving included */
  int64_t base;
  int64_t segment, last_segment; /* of its list, and those behind */
  int64_t point, last_point;
  int64_t core;
  int64_t hits; /* messages of cores so far */
} loihi_axon;

/* What a spike of a compartment needs. */
typedef struct {
  int64_t out, last_out; /* output axons, and those behind */
  int64_t path;
  int32_t local, remote, hops_x, hops_y, links, sent; /* sent: net payload so far */
} loihi_sender;

/* Synapses to compartments in a row. */
typedef struct {
  int64_t weight;
  int32_t target, count, delay;
} loihi_segment;

enum { LOIHI_WAITING = 256 };

typedef struct {
  const loihi_map *map;
  void *axon_memory;
  loihi_axon *axons;       /* (input axons), each in a line of the cache */
  loihi_sender *senders;   /* (compartments) */
  loihi_segment *segments; /* (segments) */
  int32_t *arriving;  /* (slots, compartments) */
  int64_t *drive;     /* (compartments) held current and bias, as they count in a potential */
  int64_t *held;      /* (compartments) */
  int64_t *potential; /* (compartments) */
  int64_t *host_hits; /* (input axons) */
  loihi_axon *waiting[LOIHI_WAITING]; /* messages that have not been added yet */
  int32_t payload[LOIHI_WAITING];
  int waits;
  int64_t *work;      /* (cores) picoseconds in this step */
  int64_t *offsets;   /* (slots) where a delay's sums are, in this step */
  int64_t *count;     /* (groups, LOIHI_COUNTERS) */
  int64_t time;       /* picoseconds of the sample so far */
  int64_t path;       /* of the longest way in this step */
  char error[160];    /* empty, or why the sample was stopped */
} loihi_machine;

/* Where spikes and potentials of a sample go. */
typedef struct {
  int64_t steps;             /* of the chip */
  int64_t window;            /* steps that a compartment is at work */
  const int64_t *spike_at;   /* (compartments) place of its first step, −1: not wanted; or NULL */
  const int32_t *spike_next; /* (compartments) how far its next step is */
  int8_t *spikes;
  int64_t readouts;
  const int32_t *readout_of;   /* (readouts) compartment */
  const int32_t *readout_step; /* (readouts) first step that is wanted */
  int64_t rows;
  int32_t *potentials; /* (rows, readouts) after each step */
} loihi_record;

/* Reads a flattened map; returns NULL, or what is wrong. */
const char *loihi_read(loihi_map *map, const char *path);
void loihi_free(loihi_map *map);

/* Returns 0, or 1 when there is not enough memory. */
int loihi_start(loihi_machine *machine, const loihi_map *map);
void loihi_stop(loihi_machine *machine);

/* Runs one sample. Returns 0, or 1 with `error`: a number left its range. */
int loihi_run(loihi_machine *machine, const int32_t *input, const loihi_record *record);

#endif
