/* Reads an image; see ttfs28_image.h. Sections first, then the schedule: registers and buffers are
 * known before it runs, because there are no branches, so every address is checked here. */
#include "ttfs28_image.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS = 9, HEADER = 64, ENTRY = 32, MAP = 40, PARAMETERS = 15 };
enum { MACH, SCHE, WGHT, EXPO, BIAS, THRE, CONS, MAPS, NAME };

static const char NAMES[SECTIONS][5] = {"MACH", "SCHE", "WGHT", "EXPO", "BIAS",
                                        "THRE", "CONS", "MAPS", "NAME"};
static const int64_t MOST_CELLS = (int64_t)1 << 28;
static const int64_t MOST_MEMORY = (int64_t)1 << 31;
static const int64_t MOST_OPERATIONS = (int64_t)1 << 40;
/* cells that are copied, scanned, compared: half a minute, as loads are followed while checking */
static const int64_t MOST_STEPS = (int64_t)1 << 35;
static const uint64_t MOST_NAMES = 1 << 16;
static const int64_t MOST_PAD = (int64_t)1 << 24;
static const int64_t MOST_SIZE = 4096;

typedef struct {
  const uint8_t *at;
  uint64_t offset, length, elements;
} section;

typedef struct {
  ttfs28_image *image;
  const uint8_t *bytes;
  uint64_t length;
  section part[SECTIONS];
  ttfs28_error *error;
} reader;

static uint32_t u16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }

static uint32_t u32(const uint8_t *at) { return u16(at) | u16(at + 2) << 16; }

static uint64_t u64(const uint8_t *at) { return u32(at) | (uint64_t)u32(at + 4) << 32; }

static int64_t i32(const uint8_t *at) {
  const int64_t value = u32(at);
  return value < (int64_t)1 << 31 ? value : value - ((int64_t)1 << 32);
}

static uint32_t checksum(const uint8_t *at, uint64_t length, uint32_t before) {
  uint32_t table[256], crc = ~before;
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
  }
  for (uint64_t i = 0; i < length; i++) crc = crc >> 8 ^ table[(crc ^ at[i]) & 255];
  return ~crc;
}

static int refuse(reader *r, int part, uint64_t offset, const char *format, ...) {
  va_list values;
  va_start(values, format);
  snprintf(r->error->section, sizeof r->error->section, "%s", part < 0 ? "header" : NAMES[part]);
  r->error->offset = part < 0 ? offset : r->part[part].offset + offset;
  vsnprintf(r->error->text, sizeof r->error->text, format, values);
  va_end(values);
  return -1;
}

static int read_sections(reader *r) {
  static const uint8_t magic[8] = {'T', 'T', 'F', 'S', '2', '8', '\r', '\n'};
  static const uint8_t zeros[4] = {0, 0, 0, 0};
  const uint64_t table = HEADER + ENTRY * SECTIONS;
  if (r->length < 12) return refuse(r, -1, r->length, "the file ends in the header");
  if (memcmp(r->bytes, magic, 8) != 0)
    return refuse(r, -1, 0, "the magic is another, should be TTFS28, CR, LF");
  if (u32(r->bytes + 8) != 1)
    return refuse(r, -1, 8, "the format version is %u, should be 1", (unsigned)u32(r->bytes + 8));
  if (r->length < table) return refuse(r, -1, r->length, "the file ends in the header");
  if (u32(r->bytes + 12) != SECTIONS) return refuse(r, -1, 12, "there should be 9 sections");
  if (u64(r->bytes + 16) != r->length)
    return refuse(r, -1, 16, "the length is stated as %llu, should be %llu",
                  (unsigned long long)u64(r->bytes + 16), (unsigned long long)r->length);
  if (u32(r->bytes + 28) != 0) return refuse(r, -1, 28, "the reserved word is not 0");
  uint32_t crc = checksum(r->bytes, 24, 0);
  crc = checksum(zeros, 4, crc);
  crc = checksum(r->bytes + 28, table - 28, crc);
  if (crc != u32(r->bytes + 24)) return refuse(r, -1, 24, "the CRC of the header does not fit");
  uint64_t end = table;
  for (int i = 0; i < SECTIONS; i++) {
    const uint64_t place = HEADER + (uint64_t)ENTRY * (uint64_t)i;
    const uint8_t *entry = r->bytes + place;
    const uint64_t offset = u64(entry + 8), length = u64(entry + 16);
    const uint64_t expected = (end + 7) / 8 * 8;
    if (memcmp(entry, NAMES[i], 4) != 0)
      return refuse(r, -1, place, "section %d should be %s", i, NAMES[i]);
    if (offset != expected)
      return refuse(r, -1, place + 8, "%s starts at %llu, should start at %llu", NAMES[i],
                    (unsigned long long)offset, (unsigned long long)expected);
    if (offset > r->length || length > r->length - offset)
      return refuse(r, -1, place + 16, "%s goes beyond the end of the file", NAMES[i]);
    for (uint64_t gap = end; gap < offset; gap++)
      if (r->bytes[gap]) return refuse(r, -1, gap, "a gap before %s is not 0", NAMES[i]);
    r->part[i].at = r->bytes + offset;
    r->part[i].offset = offset;
    r->part[i].length = length;
    r->part[i].elements = u64(entry + 24);
    if (checksum(r->part[i].at, length, 0) != u32(entry + 4))
      return refuse(r, i, 0, "the CRC of the section does not fit");
    end = offset + length;
  }
  if (end != r->length) return refuse(r, -1, end, "there is something after the last section");
  return 0;
}

static int in_range(reader *r, int index, uint32_t value, uint32_t least, uint32_t most) {
  if (value >= least && value <= most) return 0;
  return refuse(r, MACH, 4 * (uint64_t)index, "parameter %d is %u, should be %u to %u", index,
                (unsigned)value, (unsigned)least, (unsigned)most);
}

/* What reading and running the image will allocate: see ttfs28_start for the machine's memories. */
static int check_memory(reader *r) {
  const ttfs28_parameters *m = &r->image->machine;
  const section *part = r->part;
  const uint64_t words = part[SCHE].length / 4, names = part[NAME].elements;
  uint64_t memory = 2 * (uint64_t)m->input_cells + m->spike_cells + 4 * (uint64_t)m->output_cells +
                    5 * (uint64_t)(m->weight_buffer / m->weight_bits) +
                    23 * (uint64_t)m->spike_buffer + 8 * (uint64_t)m->accumulators;
  memory += (part[SCHE].elements < words ? part[SCHE].elements : words) *
            sizeof(ttfs28_instruction);
  memory += part[WGHT].length * 8 / m->weight_bits + part[EXPO].length + part[BIAS].length +
            part[THRE].length;
  memory += (names < MOST_NAMES ? names : MOST_NAMES) * 10 * sizeof(int64_t); /* counters */
  if (memory <= (uint64_t)MOST_MEMORY) return 0;
  return refuse(r, MACH, 28, "the memories are too large to emulate: %llu bytes, at most %lld",
                (unsigned long long)memory, (long long)MOST_MEMORY);
}

static int read_machine(reader *r) {
  static const uint32_t least[PARAMETERS] = {2, 1, 1, 2, 8, 16, 1, 1, 1, 1, 1, 1, 0, 0, 0};
  static const uint32_t most[PARAMETERS] = {64, 8, 4, 8, 24, 32, 12, 1u << 16, 1u << 31, 1u << 24,
                                            1u << 24, 1u << 16, 1u << 28, 1u << 28, 1u << 28};
  const section *part = &r->part[MACH];
  uint32_t value[PARAMETERS];
  if (part->length != 4 * PARAMETERS || part->elements != PARAMETERS)
    return refuse(r, MACH, 0, "there should be 15 parameters");
  for (int i = 0; i < PARAMETERS; i++) {
    value[i] = u32(part->at + 4 * i);
    if (in_range(r, i, value[i], least[i], most[i])) return -1;
  }
  ttfs28_parameters *m = &r->image->machine;
  m->slots = value[0];
  m->tau = value[1];
  m->resolution = value[2];
  m->weight_bits = value[3];
  m->constant_bits = value[4];
  m->accumulator_bits = value[5];
  m->input_bits = value[6];
  m->processing_elements = value[7];
  m->weight_buffer = value[8];
  m->spike_buffer = value[9];
  m->accumulators = value[10];
  m->bus_bits = value[11];
  m->input_cells = value[12];
  m->spike_cells = value[13];
  m->output_cells = value[14];
  if (m->tau & (m->tau - 1)) return refuse(r, MACH, 4, "tau is %u, should be 1, 2, 4 or 8", m->tau);
  if (m->resolution == 3) return refuse(r, MACH, 8, "resolution is 3, should be 1, 2 or 4");
  /* both are powers of 2 */
  r->image->octave = m->tau > m->resolution ? m->tau : m->resolution;
  return check_memory(r);
}

/* Room for the elements of a section; at least one byte, so that NULL means failure. */
static void *room(uint64_t count, size_t size) { return calloc(count ? count : 1, size); }

static int no_memory(reader *r, int part) { return refuse(r, part, 0, "there is no memory for it"); }

static int sized(reader *r, int part, uint64_t bytes) {
  const section *s = &r->part[part];
  /* elements are bounded by the length, so nothing below can overflow */
  if (s->elements > s->length / bytes || s->elements * bytes != s->length)
    return refuse(r, part, 0, "%llu elements do not fit a length of %llu bytes",
                  (unsigned long long)s->elements, (unsigned long long)s->length);
  return 0;
}

static int read_weights(reader *r) {
  const section *s = &r->part[WGHT];
  const uint32_t bits = r->image->machine.weight_bits, zero = (1u << (bits - 1)) - 1;
  if (s->elements > s->length * 8 / bits || (s->elements * bits + 7) / 8 != s->length)
    return refuse(r, WGHT, 0, "%llu codes do not fit a length of %llu bytes",
                  (unsigned long long)s->elements, (unsigned long long)s->length);
  r->image->weights = s->elements;
  r->image->weight = room(s->elements, 1);
  if (!r->image->weight) return no_memory(r, WGHT);
  uint64_t bit = 0;
  for (uint64_t i = 0; i < s->elements; i++, bit += bits) {
    uint32_t two = s->at[bit / 8];
    if (bit / 8 + 1 < s->length) two |= (uint32_t)s->at[bit / 8 + 1] << 8;
    const uint32_t code = two >> bit % 8 & ((1u << bits) - 1);
    if (code == (zero | 1u << (bits - 1)))
      return refuse(r, WGHT, bit / 8, "weight %llu is a negative zero", (unsigned long long)i);
    r->image->weight[i] = (uint8_t)code;
  }
  if (bit % 8 && s->at[bit / 8] >> bit % 8)
    return refuse(r, WGHT, bit / 8, "bits after the last weight are not 0");
  return 0;
}

static int read_tables(reader *r) {
  ttfs28_image *image = r->image;
  const ttfs28_parameters *m = &image->machine;
  if (sized(r, EXPO, 2) || sized(r, BIAS, 4) || sized(r, THRE, 4) || sized(r, CONS, 4)) return -1;
  image->exponents = r->part[EXPO].elements;
  image->biases = r->part[BIAS].elements;
  image->thresholds = r->part[THRE].elements;
  image->exponent = room(image->exponents, sizeof *image->exponent);
  image->bias = room(image->biases, sizeof *image->bias);
  image->threshold = room(image->thresholds, sizeof *image->threshold);
  image->constant = room(image->octave, sizeof *image->constant);
  if (!image->exponent || !image->bias || !image->threshold || !image->constant)
    return no_memory(r, EXPO);
  for (uint64_t i = 0; i < image->exponents; i++)
    image->exponent[i] = (uint16_t)u16(r->part[EXPO].at + 2 * i);
  const int64_t limit = (int64_t)1 << (m->accumulator_bits - 1);
  for (uint64_t i = 0; i < image->biases; i++) {
    const int64_t value = i32(r->part[BIAS].at + 4 * i);
    if (value < -limit || value >= limit)
      return refuse(r, BIAS, 4 * i, "bias %lld does not fit the accumulator", (long long)value);
    image->bias[i] = (int32_t)value;
  }
  if (image->thresholds % m->slots)
    return refuse(r, THRE, 0, "%llu thresholds are no tables of %u slots",
                  (unsigned long long)image->thresholds, (unsigned)m->slots);
  for (uint64_t i = 0; i < image->thresholds; i++) {
    const int64_t value = i32(r->part[THRE].at + 4 * i);
    image->threshold[i] = (int32_t)value;
    if (i % m->slots && value > image->threshold[i - 1])
      return refuse(r, THRE, 4 * i, "a threshold is larger than the one before it");
    if (value < 1) return refuse(r, THRE, 4 * i, "a threshold is below 1");
  }
  if (r->part[CONS].elements != image->octave)
    return refuse(r, CONS, 0, "there should be %u constants", (unsigned)image->octave);
  for (uint32_t i = 0; i < image->octave; i++) {
    image->constant[i] = u32(r->part[CONS].at + 4 * i);
    if (image->constant[i] >> m->constant_bits)
      return refuse(r, CONS, 4 * i, "a constant has more than %u bits",
                    (unsigned)m->constant_bits);
    if (i && image->constant[i] >= image->constant[i - 1])
      return refuse(r, CONS, 4 * i, "constants do not descend");
  }
  return 0;
}

/* Length of the UTF-8 character at `at`, or 0 if there is none. */
static uint64_t character(const uint8_t *at, uint64_t left) {
  const uint8_t first = at[0];
  const uint64_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3
                        : first < 0xf5 ? 4 : 0;
  if (size == 0 || size > left) return 0;
  for (uint64_t i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ||
      (first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f))
    return 0; /* too long a form, a surrogate, or beyond the last character */
  return size;
}

static int read_names(reader *r) {
  const section *s = &r->part[NAME];
  uint64_t at = 0, count = 0;
  while (at < s->length) {
    if (s->length - at < 2) return refuse(r, NAME, at, "the last name is cut off");
    const uint64_t end = at + 2 + u16(s->at + at);
    if (end > s->length) return refuse(r, NAME, at, "the last name is cut off");
    for (at += 2; at < end;) {
      const uint64_t size = character(s->at + at, end - at);
      if (!size) return refuse(r, NAME, at, "a name is not UTF-8");
      at += size;
    }
    count++;
  }
  if (count != s->elements) return refuse(r, NAME, 0, "there are %llu names, stated are %llu",
                                          (unsigned long long)count,
                                          (unsigned long long)s->elements);
  if (count > MOST_NAMES) return refuse(r, NAME, 0, "there are more than 65536 names");
  r->image->names = count;
  return 0;
}

static int read_maps(reader *r) {
  const section *s = &r->part[MAPS];
  const ttfs28_parameters *m = &r->image->machine;
  const uint32_t cells[3] = {m->spike_cells, m->input_cells, m->output_cells};
  if (sized(r, MAPS, MAP)) return -1;
  for (uint64_t i = 0; i < s->elements; i++) {
    const uint8_t *map = s->at + MAP * i;
    const uint32_t space = u32(map + 4);
    double scale;
    const uint64_t bits = u64(map + 32);
    memcpy(&scale, &bits, sizeof scale);
    if (u32(map) >= r->image->names) return refuse(r, MAPS, MAP * i, "a map has no name");
    if (space > 2) return refuse(r, MAPS, MAP * i + 4, "a map lies in an unknown space");
    uint64_t size = 1;
    for (int axis = 0; axis < 3; axis++) {
      const uint64_t extent = u32(map + 12 + 4 * axis);
      if (!extent || extent > (uint64_t)MOST_CELLS || size * extent > (uint64_t)MOST_CELLS)
        return refuse(r, MAPS, MAP * i + 12, "a map has an empty or too large shape");
      size *= extent;
    }
    if (u32(map + 8) + size > cells[space])
      return refuse(r, MAPS, MAP * i + 8, "a map goes beyond its memory");
    const uint32_t levels = u32(map + 24);
    if (space == 1 ? !levels || levels >> m->input_bits : levels != 0)
      return refuse(r, MAPS, MAP * i + 24, "levels is %u, should be %s", (unsigned)levels,
                    space == 1 ? "at least 1, and below 2^input_bits" : "0");
    if (u32(map + 28)) return refuse(r, MAPS, MAP * i + 28, "the reserved word is not 0");
    if (!isfinite(scale) || scale < 0)
      return refuse(r, MAPS, MAP * i + 32, "a scale is negative or not finite");
  }
  return 0;
}

static int decode_schedule(reader *r) {
  static const uint8_t fields[TTFS28_OPCODES] = {0, 3, 10, 3, 1, 12, 2, 8, 5, 4, 7};
  /* bit i: field i is two's complement */
  static const uint32_t is_signed[TTFS28_OPCODES] = {0, 0, 3u << 4, 0,      0,     7u << 5,
                                                     0, 0, 7u << 2, 7u << 1, 7u << 4};
  const section *s = &r->part[SCHE];
  if (s->elements > s->length / 4) return refuse(r, SCHE, 0, "there are fewer instructions");
  r->image->instruction = room(s->elements, sizeof *r->image->instruction);
  if (!r->image->instruction) return no_memory(r, SCHE);
  uint64_t at = 0;
  for (uint64_t n = 0; n < s->elements; n++) {
    if (s->length - at < 4) return refuse(r, SCHE, at, "the schedule is cut off");
    const uint32_t head = u32(s->at + at), opcode = head & 255;
    if (opcode >= TTFS28_OPCODES)
      return refuse(r, SCHE, at, "opcode %u is not known", (unsigned)opcode);
    if ((head >> 8 & 255) != fields[opcode])
      return refuse(r, SCHE, at, "opcode %u has %u fields, should have %u", (unsigned)opcode,
                    (unsigned)(head >> 8 & 255), (unsigned)fields[opcode]);
    if (head >> 16 >= r->image->names) return refuse(r, SCHE, at, "the layer does not exist");
    if (s->length - at < 4 + 4 * (uint64_t)fields[opcode])
      return refuse(r, SCHE, at, "the schedule is cut off");
    ttfs28_instruction *to = &r->image->instruction[n];
    to->opcode = (ttfs28_opcode)opcode;
    to->layer = head >> 16;
    for (uint32_t i = 0; i < fields[opcode]; i++) {
      const uint8_t *field = s->at + at + 4 + 4 * i;
      to->field[i] = is_signed[opcode] >> i & 1 ? i32(field) : (int64_t)u32(field);
    }
    at += 4 + 4 * (uint64_t)fields[opcode];
  }
  if (at != s->length) return refuse(r, SCHE, at, "there is something after the last instruction");
  r->image->instructions = s->elements;
  return 0;
}

/* The machine's registers and buffers, as far as they are known without running. */
typedef struct {
  const int64_t *tile, *window; /* fields of the last such instruction, or NULL */
  uint8_t *kind;                /* of each cell of the spike buffer: 0 none, 1 slots, 2 numbers */
  int64_t work;                 /* synaptic operations, if every cell spiked in every plane */
  int64_t steps;                /* what else is done cell by cell */
  uint64_t at; /* offset of the instruction in the section */
} checker;

/* Whether all of base + c·sc + y·sy + x·sx lies in 0 .. cells − 1. */
static int inside(int64_t base, const int64_t count[3], const int64_t step[3], int64_t cells) {
  int64_t low = base, high = base;
  for (int i = 0; i < 3; i++) {
    const int64_t reach = (count[i] - 1) * step[i];
    if (reach < 0)
      low += reach;
    else
      high += reach;
  }
  return low >= 0 && high < cells;
}

static int check_window(reader *r, const checker *c, const int64_t *f) {
  for (int i = 0; i < 10; i++) {
    if (i == 4 || i == 5) {
      if (f[i] < -MOST_PAD || f[i] > MOST_PAD)
        return refuse(r, SCHE, c->at, "a pad is too large: %lld, should be -2^24 to 2^24",
                      (long long)f[i]);
    } else if (f[i] < 1 || f[i] > MOST_SIZE) {
      return refuse(r, SCHE, c->at, "a size of the window is %lld, should be 1 to 4096",
                    (long long)f[i]);
    }
  }
  return 0;
}

static int check_load(reader *r, checker *c, const int64_t *f) {
  const ttfs28_parameters *m = &r->image->machine;
  if (f[0] > 1) return refuse(r, SCHE, c->at, "space is %lld, should be 0 or 1", (long long)f[0]);
  int64_t size = 1;
  for (int i = 2; i < 5; i++) {
    if (f[i] < 1 || f[i] > m->spike_buffer || size * f[i] > m->spike_buffer)
      return refuse(r, SCHE, c->at, "a box is empty or larger than the spike buffer");
    size *= f[i];
  }
  if (!inside(f[1], f + 2, f + 5, f[0] ? m->input_cells : m->spike_cells))
    return refuse(r, SCHE, c->at, "load reads beyond its memory");
  if (!inside(f[8], f + 2, f + 9, m->spike_buffer))
    return refuse(r, SCHE, c->at, "load writes beyond the spike buffer");
  for (int64_t i = 0; i < f[2]; i++)
    for (int64_t y = 0; y < f[3]; y++)
      for (int64_t x = 0; x < f[4]; x++)
        c->kind[f[8] + i * f[9] + y * f[10] + x * f[11]] = (uint8_t)(f[0] + 1);
  c->steps += size;
  return 0;
}

/* A box of cells that are all of one kind. */
static int check_box(reader *r, checker *c, int64_t at, const int64_t size[3], int kind) {
  const int64_t buffer = r->image->machine.spike_buffer;
  int64_t cells = 1;
  for (int i = 0; i < 3; i++) {
    if (size[i] < 1 || size[i] > buffer || cells * size[i] > buffer)
      return refuse(r, SCHE, c->at, "a box is empty or larger than the spike buffer");
    cells *= size[i];
  }
  if (at + cells > buffer) return refuse(r, SCHE, c->at, "a box goes beyond the spike buffer");
  for (int64_t i = at; i < at + cells; i++)
    if (c->kind[i] && c->kind[i] != kind)
      return refuse(r, SCHE, c->at, "cell %lld of the spike buffer is of the other kind",
                    (long long)i);
  c->steps += cells;
  return 0;
}

static int check_integrate(reader *r, checker *c, const int64_t *f) {
  const ttfs28_parameters *m = &r->image->machine;
  if (!c->tile || !c->window) return refuse(r, SCHE, c->at, "tile or window is not set before");
  const int64_t channels = f[2], groups = f[5], outputs = c->tile[0];
  if (f[0] > 1) return refuse(r, SCHE, c->at, "kind is %lld, should be 0 or 1", (long long)f[0]);
  if (check_box(r, c, f[1], f + 2, f[0] ? 2 : 1)) return -1;
  if (groups < 1 || channels % groups || outputs % groups)
    return refuse(r, SCHE, c->at, "%lld groups do not divide %lld and %lld channels",
                  (long long)groups, (long long)channels, (long long)outputs);
  const int64_t taps = c->window[0] * c->window[1], each = outputs / groups;
  const int64_t capacity = m->weight_buffer / m->weight_bits;
  if (channels * each > capacity || channels * each * taps > capacity - f[6])
    return refuse(r, SCHE, c->at, "integrate reads beyond the weight buffer");
  if (f[7] + outputs > (int64_t)r->image->exponents)
    return refuse(r, SCHE, c->at, "integrate reads beyond the exponents");
  /* all of a spike's taps, for every cell and plane */
  c->work += channels * f[3] * f[4] * taps * each * (f[0] ? m->input_bits : 1);
  c->steps += outputs * c->tile[1] * c->tile[2]; /* they may have to be stored in another order */
  return 0;
}

static int check_pool(reader *r, checker *c, const int64_t *f) {
  if (!c->tile || !c->window) return refuse(r, SCHE, c->at, "tile or window is not set before");
  const int64_t box[3] = {c->tile[0], f[1], f[2]};
  if (c->window[8] != 1 || c->window[9] != 1)
    return refuse(r, SCHE, c->at, "pool_y and pool_x have to be 1");
  if (check_box(r, c, f[0], box, 1)) return -1;
  if (!inside(f[3], c->tile, f + 4, r->image->machine.spike_cells))
    return refuse(r, SCHE, c->at, "pool writes beyond the spike memory");
  c->steps += c->tile[0] * c->tile[1] * c->tile[2] * c->window[0] * c->window[1];
  return 0;
}

static int check_instruction(reader *r, checker *c, const ttfs28_instruction *i) {
  const ttfs28_parameters *m = &r->image->machine;
  const int64_t *f = i->field;
  const int64_t tile = c->tile ? c->tile[0] * c->tile[1] * c->tile[2] : 0;
  switch (i->opcode) {
    case TTFS28_TILE:
      for (int k = 0; k < 3; k++)
        if (f[k] < 1 || f[k] > m->accumulators)
          return refuse(r, SCHE, c->at, "a size of the tile is out of range");
      if (f[0] * f[1] > m->accumulators || f[0] * f[1] * f[2] > m->accumulators)
        return refuse(r, SCHE, c->at, "the tile is larger than the accumulators");
      c->tile = f;
      return 0;
    case TTFS28_WINDOW:
      c->window = f;
      return check_window(r, c, f);
    case TTFS28_WEIGHTS:
      if (f[1] < 1) return refuse(r, SCHE, c->at, "count is 0");
      if (f[0] + f[1] > (int64_t)r->image->weights)
        return refuse(r, SCHE, c->at, "weights reads beyond section WGHT");
      if (f[1] + f[2] > m->weight_buffer / m->weight_bits)
        return refuse(r, SCHE, c->at, "weights writes beyond the weight buffer");
      c->steps += f[1];
      return 0;
    case TTFS28_CLEAR:
      if (f[0] > m->spike_buffer) return refuse(r, SCHE, c->at, "count is beyond the spike buffer");
      memset(c->kind, 0, (size_t)f[0]);
      c->steps += f[0];
      return 0;
    case TTFS28_LOAD:
      return check_load(r, c, f);
    case TTFS28_START:
      if (!c->tile) return refuse(r, SCHE, c->at, "tile is not set before");
      if (f[1] > 1) return refuse(r, SCHE, c->at, "each is %lld, should be 0 or 1",
                                  (long long)f[1]);
      if (f[0] + (f[1] ? tile : c->tile[0]) > (int64_t)r->image->biases)
        return refuse(r, SCHE, c->at, "start reads beyond the biases");
      c->steps += tile;
      return 0;
    case TTFS28_INTEGRATE:
      return check_integrate(r, c, f);
    case TTFS28_FIRE:
      if (!c->tile) return refuse(r, SCHE, c->at, "tile is not set before");
      if ((f[0] + 1) * m->slots > (int64_t)r->image->thresholds)
        return refuse(r, SCHE, c->at, "fire reads beyond the thresholds");
      if (!inside(f[1], c->tile, f + 2, m->spike_cells))
        return refuse(r, SCHE, c->at, "fire writes beyond the spike memory");
      c->steps += tile * m->slots;
      return 0;
    case TTFS28_READ:
      if (!c->tile) return refuse(r, SCHE, c->at, "tile is not set before");
      if (!inside(f[0], c->tile, f + 1, m->output_cells))
        return refuse(r, SCHE, c->at, "read writes beyond the output memory");
      c->steps += tile;
      return 0;
    case TTFS28_POOL:
      return check_pool(r, c, f);
    default:
      return 0;
  }
}

static int check_schedule(reader *r) {
  const ttfs28_image *image = r->image;
  checker c = {NULL, NULL, room(image->machine.spike_buffer, 1), 0, 0, 0};
  if (!c.kind) return no_memory(r, SCHE);
  int status = 0;
  for (size_t n = 0; n < image->instructions && !status; n++) {
    const ttfs28_instruction *i = &image->instruction[n];
    if ((i->opcode == TTFS28_END) != (n + 1 == image->instructions))
      status = refuse(r, SCHE, c.at, "end should be the last instruction, and only that");
    if (!status) status = check_instruction(r, &c, i);
    if (!status && (c.work > MOST_OPERATIONS || c.steps > MOST_STEPS))
      status = refuse(r, SCHE, c.at, "the schedule has too much work to emulate");
    c.at += 4 + 4 * (uint64_t)r->part[SCHE].at[c.at + 1];
  }
  if (!status && !image->instructions) status = refuse(r, SCHE, 0, "there is no end");
  free(c.kind);
  return status;
}

int ttfs28_read(ttfs28_image *image, const uint8_t *bytes, size_t length, ttfs28_error *error) {
  reader r = {image, bytes, length, {{NULL, 0, 0, 0}}, error};
  memset(image, 0, sizeof *image);
  if (!read_sections(&r) && !read_machine(&r) && !read_weights(&r) && !read_tables(&r) &&
      !read_names(&r) && !read_maps(&r) && !decode_schedule(&r) && !check_schedule(&r))
    return 0;
  ttfs28_free(image);
  return -1;
}

void ttfs28_free(ttfs28_image *image) {
  free(image->instruction);
  free(image->weight);
  free(image->exponent);
  free(image->bias);
  free(image->threshold);
  free(image->constant);
  memset(image, 0, sizeof *image);
}
