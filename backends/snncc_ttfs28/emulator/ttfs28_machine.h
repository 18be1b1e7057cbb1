/* The ttfs28 machine: runs the schedule of an image on one sample after the other. */
#ifndef TTFS28_MACHINE_H
#define TTFS28_MACHINE_H

#include "ttfs28_image.h"

/* What is counted for each layer, in this order. */
typedef enum {
  TTFS28_SPIKES,
  TTFS28_SYNAPTIC_OPERATIONS,
  TTFS28_SATURATIONS,
  TTFS28_WEIGHT_BUFFER_READS,
  TTFS28_SPIKE_BUFFER_READS,
  TTFS28_ACCUMULATOR_ACCESSES,
  TTFS28_COMPARISONS,
  TTFS28_EXTERNAL_BITS_READ,
  TTFS28_EXTERNAL_BITS_WRITTEN,
  TTFS28_CYCLES,
  TTFS28_COUNTERS
} ttfs28_counter;

/* A spike that integrate sends: its cell, where it stands, whether it is of an OFF neuron. */
typedef struct {
  int32_t channel, y, x, off;
} ttfs28_spike;

typedef struct {
  const ttfs28_image *image;
  int16_t *input;     /* input memory: the sample, to be filled before a run */
  uint8_t *spikes;    /* spike memory: slot codes */
  int32_t *output;    /* output memory */
  int64_t *count;     /* counters, [layer][TTFS28_COUNTERS], of the last run */
  /* on chip */
  uint8_t *weights;
  int16_t *cell;      /* spike buffer: slot codes, or input numbers */
  int32_t *potential; /* accumulators; those of the tile as [y][x][channel] */
  const int64_t *tile, *window;
  int64_t laid_out[3]; /* tile as which the accumulators are stored now */
  /* for the emulation only */
  int64_t reach;         /* no accumulator of the tile is farther from 0 */
  int64_t reach_outside; /* no other one is */
  int64_t *reached;      /* how far each instruction drives one; -1 before it has run */
  int64_t exponents;     /* from this exponent on, products are 0 */
  int32_t step[256];     /* exponent of a weight code */
  uint8_t *slot_of;    /* of each accumulator that fires */
  int32_t *other;      /* room for accumulators in another order */
  int32_t *magnitude;  /* by exponent: the constant, shifted */
  int32_t *product;    /* of one slot: as the weights are */
  uint32_t *stamp;     /* of a channel: the slot that its products are of */
  uint32_t slot;       /* number of slots so far */
  ttfs28_spike *spike;
  size_t *first;       /* of the spikes of each slot */
} ttfs28_machine;

/* Memory for an image, which has to live as long. Returns 0, or -1 when there is not enough. */
int ttfs28_start(ttfs28_machine *machine, const ttfs28_image *image);
void ttfs28_stop(ttfs28_machine *machine);

/* Runs the schedule on what is in `input`. */
void ttfs28_run(ttfs28_machine *machine);

#endif
