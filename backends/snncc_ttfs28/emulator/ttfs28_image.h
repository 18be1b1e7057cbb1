/* An image of the ttfs28 machine: read and checked as a whole before anything of it runs.
 * docs/targets/ttfs28.md is the specification. */
#ifndef TTFS28_IMAGE_H
#define TTFS28_IMAGE_H

#include <stddef.h>
#include <stdint.h>

enum { TTFS28_FIELDS = 12 };

typedef enum {
  TTFS28_END,
  TTFS28_TILE,
  TTFS28_WINDOW,
  TTFS28_WEIGHTS,
  TTFS28_CLEAR,
  TTFS28_LOAD,
  TTFS28_START,
  TTFS28_INTEGRATE,
  TTFS28_FIRE,
  TTFS28_READ,
  TTFS28_POOL,
  TTFS28_OPCODES
} ttfs28_opcode;

/* Section MACH. */
typedef struct {
  uint32_t slots, tau, resolution, weight_bits, constant_bits, accumulator_bits, input_bits;
  uint32_t processing_elements, weight_buffer, spike_buffer, accumulators, bus_bits;
  uint32_t input_cells, spike_cells, output_cells;
} ttfs28_parameters;

typedef struct {
  ttfs28_opcode opcode;
  uint32_t layer;
  int64_t field[TTFS28_FIELDS]; /* in the order of the specification */
} ttfs28_instruction;

typedef struct {
  ttfs28_parameters machine;
  uint32_t octave; /* exponent units an octave */
  ttfs28_instruction *instruction;
  uint8_t *weight; /* codes, one a byte */
  uint16_t *exponent;
  int32_t *bias, *threshold;
  uint32_t *constant;
  size_t instructions, weights, exponents, biases, thresholds, names;
} ttfs28_image;

/* Why an image is refused: a section, or "header", and a byte offset in the file. */
typedef struct {
  char section[8];
  uint64_t offset;
  char text[160];
} ttfs28_error;

/* Reads an image from memory, which may go afterwards. Returns 0, or -1 with the error filled; an
 * image that was read has to be freed. */
int ttfs28_read(ttfs28_image *image, const uint8_t *bytes, size_t length, ttfs28_error *error);
void ttfs28_free(ttfs28_image *image);

#endif
