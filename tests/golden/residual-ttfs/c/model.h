/* network 'residual'
 *
 * Made by snncc. A spiking network of 173 neurons, 24 slots a layer (time to first spike).
 *
 *   static uint64_t state[(MODEL_STATE_BYTES + 7) / 8];
 *   static int32_t total[MODEL_OUTPUT_SIZE];
 *   snncc_instance net;
 *   if (snncc_init(&net, &MODEL, state, sizeof state, weights, MODEL_WEIGHT_BYTES) != SNNCC_OK) ...
 *   model_set_inputs(&net, sample);    (float, MODEL_INPUT_SIZE numbers, the network's own order)
 *   snncc_reset(&net);
 *   while (snncc_step(&net) == SNNCC_OK) {}
 *   snncc_read_total(&net, 0, total);
 *
 * The weights are compiled in: `model_weights`.
 */
#ifndef MODEL_H
#define MODEL_H

#include "model_exit.h"
#include "snncc_runtime.h"

#define MODEL_NAME "model"
#define MODEL_STEPS 1
#define MODEL_INPUT_SIZE 72
#define MODEL_INPUT_NODE 0
#define MODEL_EVENTS 0 /* whether the input is a stream of events */
#define MODEL_TAKES_BYTES 1
#define MODEL_CAN_EXIT 0 /* whether snncc_margin(self, 0) says how sure the class is */
#define MODEL_OUTPUT_SIZE 3
#define MODEL_BATCH 8 /* samples that are run together, unless asked for others */
#define MODEL_NODES 5
#define MODEL_NEURONS 173
#define MODEL_STATE_BYTES 3840
#define MODEL_WEIGHT_BYTES 992
#define MODEL_WEIGHTS_EMBEDDED 1

extern const snncc_model MODEL;
extern const uint64_t model_weights[MODEL_WEIGHT_BYTES / 8];

/* All inputs, one after the other. */
void model_set_inputs(snncc_instance *self, const float *samples);

/* Of a network whose input is a stream of events, before each step: numbers of events at each place,
 * in the network's own order. See also snncc_add_event. */
void model_set_events(snncc_instance *self, const int8_t *counts);

/* A sample of uint8 numbers as in a data file, as the integers of
 * snncc_set_input_quantized(self, MODEL_INPUT_NODE, units). */
void model_quantize_bytes(const uint8_t *sample, int32_t *units);

/* Outputs, with their potentials (v), net spike counts (n) or slots (k) after T steps:
 *   0: 'fc', v
 */
#endif
