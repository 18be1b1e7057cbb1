/* Reads a flattened map: how many bytes each array has, then the arrays, each from a multiple of
   eight bytes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loihi_machine.h"

enum {
#define LOIHI_ARRAY(type, name) ARRAY_##name,
  LOIHI_ARRAYS(LOIHI_ARRAY)
#undef LOIHI_ARRAY
  ARRAYS
};

static const char *read_all(loihi_map *map, FILE *file) {
  int64_t bytes[ARRAYS];
  size_t starts[ARRAYS], at = 0;
  if (fread(bytes, sizeof *bytes, ARRAYS, file) != ARRAYS) return "the flattened map is cut off";
  for (int i = 0; i < ARRAYS; i++) {
    if (bytes[i] < 0 || bytes[i] > INT64_C(1) << 40) return "the flattened map has wrong sizes";
    starts[i] = at;
    at += ((size_t)bytes[i] + 7) & ~(size_t)7;
  }
  char *content = malloc(at + 8);
  map->content = content;
  if (!content) return "there is not enough memory";
  if (fread(content, 1, at, file) != at) return "the flattened map is cut off";
#define LOIHI_ARRAY(type, name)                                     \
  map->name = (const type *)(const void *)(content + starts[ARRAY_##name]); \
  map->name##_size = (size_t)bytes[ARRAY_##name] / sizeof(type);
  LOIHI_ARRAYS(LOIHI_ARRAY)
#undef LOIHI_ARRAY
  return map->scalar_size == LOIHI_SCALARS ? NULL : "the flattened map is of another version";
}

const char *loihi_read(loihi_map *map, const char *path) {
  memset(map, 0, sizeof *map);
  FILE *file = fopen(path, "rb");
  if (!file) return "the flattened map cannot be read";
  const char *wrong = read_all(map, file);
  fclose(file);
  return wrong;
}

void loihi_free(loihi_map *map) { free(map->content); }
