/* Runs samples of an .npy file through an image; see usage(). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ttfs28_machine.h"

enum { EXIT_IMAGE = 1, EXIT_INPUT = 2 };

static void usage(FILE *to) {
  fprintf(to,
          "usage: ttfs28 IMAGE --input X.npy --output Y.npy [options]\n"
          "       ttfs28 IMAGE --check\n"
          "  --input X.npy   int16 (N, input cells): the host's integers\n"
          "  --output Y.npy  int32 (N, output cells): output memory after each sample\n"
          "  --spikes S.npy  uint8 (N, spike cells): spike memory, slot codes\n"
          "  --counts C.npy  int64 (N, layers, %d): what happened, layer by layer\n"
          "  --first I, --count N  only samples I .. I + N - 1\n",
          TTFS28_COUNTERS);
}

static int complain(const char *what, const char *where) {
  fprintf(stderr, "%s: %s\n", where, what);
  return EXIT_INPUT;
}

/* The whole file; NULL when it cannot be read. */
static uint8_t *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  uint8_t *bytes = NULL;
  long size = -1;
  if (file && !fseek(file, 0, SEEK_END)) size = ftell(file);
  if (size >= 0 && !fseek(file, 0, SEEK_SET)) bytes = malloc((size_t)size + 1);
  *length = size < 0 ? 0 : (size_t)size;
  if (bytes && fread(bytes, 1, *length, file) != *length) {
    free(bytes);
    bytes = NULL;
  }
  if (file) fclose(file);
  return bytes;
}

/* Opens an .npy file of int16 rows of `size` numbers; returns NULL, or what is wrong. */
static const char *open_rows(FILE **file, const char *path, int64_t size, int64_t *rows) {
  unsigned char magic[10];
  char header[4096];
  *file = fopen(path, "rb");
  if (!*file) return strerror(errno);
  if (fread(magic, 1, 10, *file) != 10 || memcmp(magic, "\x93NUMPY\x01", 7) != 0)
    return "is not an .npy file of version 1";
  const size_t length = (size_t)magic[8] | (size_t)magic[9] << 8;
  if (length >= sizeof header || fread(header, 1, length, *file) != length)
    return "has a header that is cut off or too long";
  header[length] = '\0';
  const char *shape = strstr(header, "'shape': (");
  if (!shape || !strstr(header, "'descr': '<i2'") || !strstr(header, "'fortran_order': False"))
    return "should hold int16 numbers in C order";
  char *end;
  *rows = strtoll(shape + 10, &end, 10);
  if (*end != ',' || *rows < 1 || *rows > INT32_MAX) return "has an unknown shape";
  int64_t each = 1;
  while (*end == ',' || *end == ' ') {
    end += strspn(end, ", ");
    if (*end == ')') break;
    const long long number = strtoll(end, &end, 10);
    if (number < 0 || number > INT32_MAX || (number && each > INT32_MAX / number))
      return "has a wrong shape";
    each *= number;
  }
  return each == size ? NULL : "has samples of another size than the image's input memory";
}

/* Writes an .npy header; c < 0: two axes. */
static int begin(FILE *file, const char *type, int64_t a, int64_t b, int64_t c) {
  char header[118];
  const int n = c < 0 ? snprintf(header, sizeof header,
                                 "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64
                                 ", %" PRId64 "), }", type, a, b)
                      : snprintf(header, sizeof header,
                                 "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64
                                 ", %" PRId64 ", %" PRId64 "), }", type, a, b, c);
  memset(header + n, ' ', sizeof header - (size_t)n);
  header[sizeof header - 1] = '\n';
  const unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header, 0};
  return fwrite(magic, 1, sizeof magic, file) == sizeof magic &&
         fwrite(header, 1, sizeof header, file) == sizeof header;
}

typedef struct {
  const char *image, *input, *output, *spikes, *counts;
  int64_t first, count;
  int check;
} options;

static int parse(options *o, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
      usage(stdout);
      exit(0);
    }
    if (!strcmp(name, "--check")) {
      o->check = 1;
      continue;
    }
    if (name[0] != '-' && !o->image) {
      o->image = name;
      continue;
    }
    if (i + 1 == argc) return complain("needs a value, or is not known; see --help", name);
    const char *value = argv[++i];
    char *end = NULL;
    if (!strcmp(name, "--input")) o->input = value;
    else if (!strcmp(name, "--output")) o->output = value;
    else if (!strcmp(name, "--spikes")) o->spikes = value;
    else if (!strcmp(name, "--counts")) o->counts = value;
    else if (!strcmp(name, "--first")) o->first = strtoll(value, &end, 10);
    else if (!strcmp(name, "--count")) o->count = strtoll(value, &end, 10);
    else return complain("is not known; see --help", name);
    if (end && (*end || end == value)) return complain("is no number", value);
  }
  if (o->image && (o->check || (o->input && o->output))) return 0;
  usage(stderr);
  return EXIT_INPUT;
}

/* A file that a result goes to; `wanted` NULL: none. Returns 0, or complains. */
static int open_result(FILE **file, const char *wanted, const char *type, int64_t a, int64_t b,
                       int64_t c) {
  if (!wanted) return 0;
  *file = fopen(wanted, "wb");
  if (!*file || !begin(*file, type, a, b, c)) return complain("cannot be written", wanted);
  return 0;
}

static int put(FILE *file, const void *numbers, size_t size, size_t count) {
  return !file || fwrite(numbers, size, count, file) == count;
}

static int run(const options *o, ttfs28_machine *m, FILE *in, FILE *out, FILE *spikes,
               FILE *counts, int64_t samples) {
  const ttfs28_image *image = m->image;
  const ttfs28_parameters *p = &image->machine;
  const int32_t limit = 1 << p->input_bits;
  for (int64_t n = 0; n < o->first + samples; n++) {
    if (fread(m->input, sizeof *m->input, p->input_cells, in) != p->input_cells)
      return complain("is cut off", o->input);
    if (n < o->first) continue;
    for (uint32_t i = 0; i < p->input_cells; i++)
      if (m->input[i] <= -limit || m->input[i] >= limit)
        return complain("has a number beyond the image's input bits", o->input);
    ttfs28_run(m);
    if (!put(out, m->output, sizeof *m->output, p->output_cells) ||
        !put(spikes, m->spikes, 1, p->spike_cells) ||
        !put(counts, m->count, sizeof *m->count, image->names * TTFS28_COUNTERS))
      return complain("a result cannot be written", o->output);
  }
  return 0;
}

static int run_files(const options *o, ttfs28_machine *m) {
  const ttfs28_parameters *p = &m->image->machine;
  FILE *in = NULL, *out = NULL, *spikes = NULL, *counts = NULL;
  int64_t rows = 0;
  int status = 0;
  const char *wrong = open_rows(&in, o->input, p->input_cells, &rows);
  if (wrong) status = complain(wrong, o->input);
  const int64_t left = o->first < 0 ? 0 : rows - o->first, samples = o->count < 0 ? left : o->count;
  if (!status && (o->first < 0 || samples < 1 || samples > left))
    status = complain("has no such samples", o->input);
  if (!status) status = open_result(&out, o->output, "<i4", samples, p->output_cells, -1);
  if (!status) status = open_result(&spikes, o->spikes, "|u1", samples, p->spike_cells, -1);
  if (!status)
    status = open_result(&counts, o->counts, "<i8", samples, (int64_t)m->image->names,
                         TTFS28_COUNTERS);
  if (!status) status = run(o, m, in, out, spikes, counts, samples);
  if (in) fclose(in);
  FILE *results[3] = {out, spikes, counts};
  for (int i = 0; i < 3; i++)
    if (results[i] && fclose(results[i]) && !status)
      status = complain("a result cannot be written", o->output);
  return status;
}

int main(int argc, char **argv) {
  options o = {NULL, NULL, NULL, NULL, NULL, 0, -1, 0};
  ttfs28_image image;
  ttfs28_machine machine;
  ttfs28_error error;
  size_t length;
  int status = parse(&o, argc, argv);
  if (status) return status;
  uint8_t *bytes = read_file(o.image, &length);
  if (!bytes) return complain("cannot be read", o.image);
  const int refused = ttfs28_read(&image, bytes, length, &error);
  free(bytes);
  if (refused) {
    fprintf(stderr, "%s at byte %" PRIu64 ": %s\n", error.section, error.offset, error.text);
    return EXIT_IMAGE;
  }
  if (!o.check) {
    if (ttfs28_start(&machine, &image))
      status = complain("there is not enough memory", o.image);
    else
      status = run_files(&o, &machine);
    ttfs28_stop(&machine);
  }
  ttfs28_free(&image);
  return status;
}
