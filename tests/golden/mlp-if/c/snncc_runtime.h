/* snncc runtime: runs a spiking network from constant tables. C99, no dependencies, no allocation.
 *
 * The tables stand in model.c; model.h names the sizes that a caller needs. One instance is one
 * network with its state, which lives in memory of the caller's.
 *
 * Potentials and all sums fit int32_t: the compiler has proven that for the network's time steps.
 */
#ifndef SNNCC_RUNTIME_H
#define SNNCC_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "snncc_dense.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  SNNCC_OK = 0,
  SNNCC_ERROR_STATE,   /* the state's memory is too small or not aligned to 8 bytes */
  SNNCC_ERROR_WEIGHTS, /* the weights are not those of this model, or are damaged */
  SNNCC_ERROR_STEPS    /* more steps than the network was compiled for */
} snncc_status;

typedef enum {
  SNNCC_INPUT,
  SNNCC_EVENTS, /* an input whose spikes the caller brings, step by step */
  SNNCC_IF,
  SNNCC_HARD_IF, /* reset to zero */
  SNNCC_SIGNED_IF,
  SNNCC_GRADED, /* spikes carry their number, up to `most` */
  SNNCC_SIGNED_GRADED,
  SNNCC_READOUT,
  SNNCC_MAXPOOL,
  /* radix code and time to first spike: one step runs all layers, one after the other */
  SNNCC_RADIX,
  SNNCC_RADIX_READOUT,
  SNNCC_RADIX_MAXPOOL,
  SNNCC_TTFS,
  SNNCC_TTFS_READOUT,
  SNNCC_TTFS_MAXPOOL
} snncc_kind;
typedef enum { SNNCC_CONV, SNNCC_DENSE, SNNCC_SCALE } snncc_map;
/* For each spike its weights are added; or all weights are multiplied, in 16 bits. */
typedef enum { SNNCC_BY_SPIKES, SNNCC_BY_WEIGHTS } snncc_kernel;
typedef enum { SNNCC_VIEW, SNNCC_SUMPOOL } snncc_move_kind;

/* Neurons are stored with channels last: (y * width + x) * channels + c. */
typedef struct {
  int32_t channels, height, width;
} snncc_shape;

typedef struct {
  int32_t kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x;
} snncc_window;

/* What happens to spikes on their way to a projection's weights. */
typedef struct {
  snncc_move_kind kind;
  snncc_shape from, to;
  snncc_window window; /* of a sum pool */
  int64_t index;       /* of a view: int32_t, byte offset into the weights; -1 is nothing */
} snncc_move;

typedef struct {
  snncc_map map;
  snncc_kernel kernel;
  int32_t source; /* node */
  int32_t first_move, moves;
  snncc_shape from, to;
  snncc_window window;
  int32_t groups;
  int32_t weight_bytes; /* of one weight: 1, 2 or 4; 0 for weights of one bit */
  int64_t weights;      /* byte offset: conv as in snncc_project.h, dense [in][out]; by weights: both
                         * as in snncc_dense.h */
  int64_t factors;      /* of weights of one bit, see snncc_signs.h: byte offset of int16_t */
  int32_t period;       /* of a scale: number of weights, repeated over the neurons */
  /* of a time-to-first-spike network, where weights are codes: 0, or plus or minus q + 1 for
   * 2^-(q / resolution) octaves; the product of a spike and a weight is magnitude[sum of exponents],
   * or 0 beyond the table, as which a 0 stands behind it */
  int64_t offsets, magnitudes; /* byte offsets: int32_t exponent of each output; the table */
  int32_t magnitude_count, spike_step, weight_step; /* exponents a slot (or bit), and a code */
} snncc_projection;

typedef struct {
  snncc_kind kind;
  snncc_shape shape;
  int32_t first_projection, projections;
  int32_t source;      /* of a max pool: node */
  snncc_window window; /* of a max pool */
  double scale;        /* of an input: what one unit is worth */
  int32_t levels;      /* of an input: largest unit */
  int32_t period;      /* number of thresholds, starts and biases, repeated over the neurons */
  int64_t theta, start, bias; /* byte offsets into the weights; -1 for what a node does not have;
                               * theta of a time-to-first-spike node: a threshold for each slot */
  int32_t most;  /* of a graded node, and of events: spikes that it sends at once */
  int32_t least; /* of events: 0, or -most */
  int32_t delay; /* of a readout: first steps that are left out */
  /* byte offsets into the state, -1 for what a node does not have */
  int64_t potential, base, spikes, count, pooled;
} snncc_node;

typedef struct {
  const char *name;
  int32_t nodes, outputs, steps;
  int32_t slots;  /* of a layer: time slots to first spike, or digits in the radix code */
  int32_t planes; /* of a time-to-first-spike network: bits of an input number */
  const snncc_node *node;
  const snncc_projection *projection;
  const snncc_move *move;
  const int32_t *output; /* node that each output reads */
  size_t weight_bytes, state_bytes;
  uint32_t checksum;
  int64_t list, list_less, list_values, scratch, scratch_next; /* working memory in the state */
  int64_t box;                /* of dense kernels, see snncc_box.h */
  int64_t products, arriving; /* and that of time-to-first-spike and radix networks */
  int64_t first_of_slot, by_slot; /* spikes of a time-to-first-spike network, sorted */
  int64_t tally;                               /* spikes and operations of each node: 2 int64_t */
} snncc_model;

/* One part of a job, of `parts` that may run at the same time. */
typedef void snncc_task(void *job, int32_t part, int32_t parts);

typedef struct {
  const snncc_model *model;
  const uint8_t *weights;
  uint8_t *state;
  snncc_dense_kernel *dense;
  int32_t step;
  /* unless NULL: runs all parts of a task, and comes back when they are done */
  void (*share)(void *team, snncc_task *task, void *job);
  void *team;
  double (*now)(void); /* unless NULL: a clock, by which the seconds of each node are added up */
  double *seconds;
} snncc_instance;

/* Takes memory of at least model->state_bytes and the model's weights (aligned to 8 bytes), which
 * both have to live as long as the instance. */
snncc_status snncc_init(snncc_instance *self, const snncc_model *model, void *state,
                        size_t state_bytes, const void *weights, size_t weight_bytes);

/* Another instance of the same model, with a state of its own of as many bytes. */
void snncc_copy(snncc_instance *self, const snncc_instance *from, void *state);

/* Vectors that are used, of those that the machine has; all give the same spikes. snncc_init takes
 * the widest. */
void snncc_use(snncc_instance *self, snncc_vectors most);

/* The sample, in the network's own order (channels first). */
void snncc_set_input(snncc_instance *self, int32_t input_node, const float *sample);
void snncc_set_input_quantized(snncc_instance *self, int32_t input_node, const int32_t *sample);

/* The events of the next time step at each place, in the network's own order (channels first):
 * numbers of them, clipped to what the input sends at once. */
void snncc_set_events(snncc_instance *self, int32_t input_node, const int8_t *counts);

/* The same, one event after the other: `snncc_clear_events`, then for each event its place in the
 * network's own order, and 1 (or -1, where OFF events count negatively). */
void snncc_clear_events(snncc_instance *self, int32_t input_node);
void snncc_add_event(snncc_instance *self, int32_t input_node, int32_t place, int32_t number);

/* Starts a sample: potentials at their start, no spike sent, the inputs' currents computed. */
void snncc_reset(snncc_instance *self);

/* One time step of all populations; SNNCC_ERROR_STEPS when all steps are done. */
snncc_status snncc_step(snncc_instance *self);

/* One time step of several instances of one model: layer after layer, so that what samples have in
 * common is computed once, and weights are in the cache. */
snncc_status snncc_step_all(snncc_instance *const *nets, int32_t count);

/* snncc_reset and `steps` steps. */
snncc_status snncc_run(snncc_instance *self, int32_t steps);

/* What an output reads, in the network's order: potentials of a readout, net spike counts, slots,
 * or numbers of the radix code. */
void snncc_read_total(const snncc_instance *self, int32_t output, int32_t *total);

/* How far the largest number of an output is ahead of the second largest, after the steps done so
 * far; -1 for an output of a single number, or of slots. To stop a sample early:
 *   while (snncc_step(&net) == SNNCC_OK && snncc_margin(&net, 0) < MARGIN) {} */
int64_t snncc_margin(const snncc_instance *self, int32_t output);

/* The spikes of the last step, -1, 0 or 1 (graded ones carry their number), in the network's order;
 * of a time-to-first-spike network the slot of each neuron's spike, model->slots for none; of a
 * radix network the number whose digits each neuron has sent, as uint8_t. */
void snncc_read_spikes(const snncc_instance *self, int32_t node, int8_t *spikes);

/* Since snncc_reset: spikes that a node has sent, and weights added in it because of spikes (and,
 * once, because of inputs). */
int64_t snncc_spike_count(const snncc_instance *self, int32_t node);
int64_t snncc_synaptic_operations(const snncc_instance *self, int32_t node);

int32_t snncc_size(snncc_shape shape);
uint32_t snncc_checksum(const void *bytes, size_t count); /* CRC-32, as in zip */

#ifdef __cplusplus
}
#endif
#endif
