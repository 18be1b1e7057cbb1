/* Fuzzes the loader, and what it lets through:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined fuzz.c ttfs28_image.c ttfs28_machine.c -lm
 *   ./a.out -max_len=20000 SEEDS/      with some images as seeds
 *
 * Mutations are repaired (lengths, places, numbers of elements, CRCs), so that they get behind the
 * first checks; one in sixteen is left as it is. */
#include <stdlib.h>
#include <string.h>

#include "ttfs28_machine.h"

enum { HEADER = 64, ENTRY = 32, SECTIONS = 9, ENOUGH = 1 << 22 };
enum { MACH, SCHE, WGHT };

static const char NAMES[SECTIONS][5] = {"MACH", "SCHE", "WGHT", "EXPO", "BIAS",
                                        "THRE", "CONS", "MAPS", "NAME"};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(uint8_t *at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value |= (uint64_t)at[i] << 8 * i;
  return value;
}

static uint32_t crc(const uint8_t *at, size_t length) {
  uint32_t sum = 0xffffffffu;
  for (size_t i = 0; i < length; i++) {
    sum ^= at[i];
    for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
  }
  return ~sum;
}

/* Elements that a section has by its bytes; 0: cannot be told. */
static uint64_t elements_of(int section, const uint8_t *at, uint64_t length, unsigned weight_bits) {
  static const uint64_t each[SECTIONS] = {4, 0, 0, 2, 4, 4, 4, 40, 0};
  uint64_t count = 0, place = 0;
  if (each[section]) return length / each[section];
  if (section == WGHT) return weight_bits ? length * 8 / weight_bits : 0;
  while (length - place >= (section == SCHE ? 4u : 2u)) {
    place += section == SCHE ? 4 + 4 * (uint64_t)at[place + 1]
                             : 2 + (uint64_t)at[place] + ((uint64_t)at[place + 1] << 8);
    if (place > length) break;
    count++;
  }
  return count;
}

/* Sections one after the other from where the table ends: what a mutation has moved or cut is taken
 * as it lies there. */
static void lay_out_sections(uint8_t *data, size_t size) {
  uint64_t end = HEADER + ENTRY * SECTIONS;
  unsigned weight_bits = 0;
  for (int i = 0; i < SECTIONS; i++) {
    uint8_t *entry = data + HEADER + ENTRY * i;
    uint64_t offset = (end + 7) / 8 * 8, length = get(entry + 16);
    if (offset > size) return;
    memset(data + end, 0, (size_t)(offset - end));
    if (i + 1 == SECTIONS || length > size - offset) length = size - offset;
    memcpy(entry, NAMES[i], 4);
    put(entry + 8, offset, 8);
    put(entry + 16, length, 8);
    if (i == MACH && length >= 16) weight_bits = data[offset + 12];
    put(entry + 24, elements_of(i, data + offset, length, weight_bits), 8);
    end = offset + length;
  }
}

static void repair(uint8_t *data, size_t size) {
  static const uint8_t start[16] = {'T', 'T', 'F', 'S', '2', '8', '\r', '\n', 1, 0, 0, 0, SECTIONS};
  const size_t table = HEADER + ENTRY * SECTIONS;
  if (size < table) return;
  memcpy(data, start, sizeof start);
  for (int i = 0; i < SECTIONS; i++) {
    uint8_t *entry = data + HEADER + ENTRY * i;
    const uint64_t offset = get(entry + 8), length = get(entry + 16);
    if (offset > size || length > size - offset) continue;
    put(entry + 4, crc(data + offset, (size_t)length), 4);
  }
  put(data + 16, size, 8);
  put(data + 28, 0, 4);
  put(data + 24, 0, 4);
  put(data + 24, crc(data, table), 4);
}

/* Puts bytes into a section, or takes some away; what follows moves by a multiple of 8. */
static size_t resize(uint8_t *data, size_t size, size_t most, unsigned seed) {
  uint8_t *entry = data + HEADER + ENTRY * (seed / 16 % SECTIONS);
  const uint64_t offset = get(entry + 8), length = get(entry + 16);
  const size_t by = 8 * (size_t)(1 + seed / 144 % 8);
  if (offset > size || length > size - offset || length < by) return size;
  const size_t at = (size_t)offset + seed / 1152 % ((size_t)length - by + 1);
  if (seed / 8 % 2) { /* what stands there once more */
    if (size > most || by > most - size) return size;
    memmove(data + at + by, data + at, size - at);
    put(entry + 16, length + by, 8);
    return size + by;
  }
  memmove(data + at, data + at + by, size - at - by);
  put(entry + 16, length - by, 8);
  return size - by;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  const size_t table = HEADER + ENTRY * SECTIONS;
  if (seed % 8 == 0 || size <= table) {
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % 16 && size > table) {
      lay_out_sections(data, size);
      repair(data, size);
    }
    return size;
  }
  if (seed % 8 == 1) {
    size = resize(data, size, most, seed);
    lay_out_sections(data, size);
    repair(data, size);
    return size;
  }
  /* one section's bytes, in place, so that the table still fits */
  const uint8_t *entry = data + HEADER + ENTRY * (seed / 8 % SECTIONS);
  const uint64_t offset = get(entry + 8), length = get(entry + 16);
  if (offset <= size && length <= size - offset && length > 0) {
    const size_t window = (size_t)length < 64 ? (size_t)length : 64;
    const size_t first = (size_t)(seed / 72) % ((size_t)length - window + 1);
    uint8_t part[64];
    memcpy(part, data + offset + first, window);
    const size_t changed = LLVMFuzzerMutate(part, window, window);
    memcpy(data + offset + first, part, changed);
  }
  repair(data, size);
  return size;
}

/* Cheap enough to run: small memories, and few steps in the worst case. */
static int is_cheap(const ttfs28_image *image) {
  const ttfs28_parameters *p = &image->machine;
  int64_t work = 0;
  if (p->input_cells > ENOUGH || p->spike_cells > ENOUGH || p->output_cells > ENOUGH ||
      p->spike_buffer > ENOUGH || p->accumulators > ENOUGH || p->weight_buffer > 8 * ENOUGH)
    return 0;
  int64_t tile = 1, window = 1;
  for (size_t n = 0; n < image->instructions; n++) {
    const int64_t *f = image->instruction[n].field;
    switch (image->instruction[n].opcode) {
      case TTFS28_TILE:
        tile = f[0] * f[1] * f[2];
        break;
      case TTFS28_WINDOW:
        window = f[0] * f[1];
        break;
      case TTFS28_INTEGRATE:
        work += f[2] * f[3] * f[4] * (window + p->slots) * 12;
        break;
      case TTFS28_POOL:
        work += tile * window;
        break;
      default:
        work += tile * p->slots;
    }
    if (work > 16 * ENOUGH) return 0;
  }
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ttfs28_image image;
  ttfs28_machine machine;
  ttfs28_error error;
  if (ttfs28_read(&image, data, size, &error)) {
    /* a refusal says why, and where */
    if (!error.section[0] || !error.text[0] || error.offset > size) abort();
    return 0;
  }
  if (is_cheap(&image) && !ttfs28_start(&machine, &image)) {
    const int32_t limit = 1 << image.machine.input_bits;
    for (uint32_t i = 0; i < image.machine.input_cells; i++)
      machine.input[i] = (int16_t)((int32_t)(i * 2654435761u >> 8) % limit);
    ttfs28_run(&machine);
    ttfs28_stop(&machine);
  }
  ttfs28_free(&image);
  return 0;
}
