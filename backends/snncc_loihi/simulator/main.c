/* Runs samples through a flattened map; see usage(). All files are raw numbers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loihi_machine.h"

enum { EXIT_RANGE = 1, EXIT_INPUT = 2 };

static void usage(FILE *to) {
  fprintf(to,
          "usage: loihi FLAT --input X --first I --count N --steps S --window T --probes P\n"
          "             --output Y --counts C --times D --spikes Z --errors E\n"
          "  FLAT          a core map, flattened by snncc\n"
          "  --input X     int32 (all samples, inputs)\n"
          "  --steps S     steps of the chip; --window T: those in which a compartment works\n"
          "  --probes P    what is wanted: int64 numbers of readouts, of their rows, of spike\n"
          "                bytes a sample; int32 compartment and int32 first step of each readout;\n"
          "                and, if there are spike bytes, int64 place and int32 next step of each\n"
          "                compartment\n"
          "  --output Y    int32 (N, rows, readouts): potentials after each step\n"
          "  --counts C    int64 (N, groups, %d): what happened\n"
          "  --times D     int64 (N): picoseconds\n"
          "  --spikes Z    int8 (N, spike bytes): payloads\n"
          "  --errors E    text: the number that left its range, if one did\n",
          LOIHI_COUNTERS);
}

static int complain(const char *what, const char *where) {
  fprintf(stderr, "%s: %s\n", where, what);
  return EXIT_INPUT;
}

typedef struct {
  const char *map, *input, *probes, *output, *counts, *times, *spikes, *errors;
  int64_t first, count, steps, window;
} options;

static int parse(options *o, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
      usage(stdout);
      exit(0);
    }
    if (name[0] != '-' && !o->map) {
      o->map = name;
      continue;
    }
    if (i + 1 == argc) return complain("needs a value, or is not known; see --help", name);
    const char *value = argv[++i];
    char *end = NULL;
    if (!strcmp(name, "--input")) o->input = value;
    else if (!strcmp(name, "--probes")) o->probes = value;
    else if (!strcmp(name, "--output")) o->output = value;
    else if (!strcmp(name, "--counts")) o->counts = value;
    else if (!strcmp(name, "--times")) o->times = value;
    else if (!strcmp(name, "--spikes")) o->spikes = value;
    else if (!strcmp(name, "--errors")) o->errors = value;
    else if (!strcmp(name, "--first")) o->first = strtoll(value, &end, 10);
    else if (!strcmp(name, "--count")) o->count = strtoll(value, &end, 10);
    else if (!strcmp(name, "--steps")) o->steps = strtoll(value, &end, 10);
    else if (!strcmp(name, "--window")) o->window = strtoll(value, &end, 10);
    else return complain("is not known; see --help", name);
    if (end && (*end || end == value)) return complain("is no number", value);
  }
  if (o->map && o->input && o->probes && o->output && o->counts && o->times && o->spikes &&
      o->errors && o->first >= 0 && o->count > 0 && o->steps > 0 && o->window > 0)
    return 0;
  usage(stderr);
  return EXIT_INPUT;
}

/* `count` numbers of `size` bytes, in memory of their own; NULL when there are fewer. */
static void *take(FILE *file, int64_t count, size_t size) {
  void *numbers = calloc((size_t)count + 1, size);
  if (numbers && fread(numbers, size, (size_t)count, file) != (size_t)count) {
    free(numbers);
    numbers = NULL;
  }
  return numbers;
}

typedef struct {
  loihi_record record;
  int64_t bytes; /* of spikes a sample */
  void *memory[6];
} probes;

static const char *read_probes(probes *p, const options *o, int64_t compartments) {
  loihi_record *r = &p->record;
  FILE *file = fopen(o->probes, "rb");
  if (!file) return strerror(errno);
  int64_t *sizes = p->memory[0] = take(file, 3, sizeof *sizes);
  const char *wrong = NULL;
  if (!sizes || sizes[0] < 0 || sizes[1] < 0 || sizes[2] < 0) {
    wrong = "is cut off";
  } else {
    r->readouts = sizes[0];
    r->rows = sizes[1];
    p->bytes = sizes[2];
    r->readout_of = p->memory[1] = take(file, r->readouts, sizeof *r->readout_of);
    r->readout_step = p->memory[2] = take(file, r->readouts, sizeof *r->readout_step);
    r->potentials = calloc((size_t)(r->readouts * r->rows) + 1, sizeof *r->potentials);
    p->memory[3] = r->potentials;
    r->spikes = calloc((size_t)p->bytes + 1, 1);
    if (p->bytes) {
      r->spike_at = p->memory[4] = take(file, compartments, sizeof *r->spike_at);
      r->spike_next = p->memory[5] = take(file, compartments, sizeof *r->spike_next);
    }
    if (!r->readout_of || !r->readout_step || !r->potentials || !r->spikes ||
        (p->bytes && !(r->spike_at && r->spike_next)))
      wrong = "is cut off, or there is not enough memory";
  }
  fclose(file);
  r->steps = o->steps;
  r->window = o->window;
  return wrong;
}

static void free_probes(probes *p) {
  for (int i = 0; i < 6; i++) free(p->memory[i]);
  free(p->record.spikes);
}

static int put(FILE *file, const void *numbers, size_t size, int64_t count) {
  return fwrite(numbers, size, (size_t)count, file) == (size_t)count;
}

static int report(const options *o, const char *error) {
  FILE *file = fopen(o->errors, "w");
  if (file) {
    fputs(error, file);
    fclose(file);
  }
  fprintf(stderr, "%s\n", error);
  return EXIT_RANGE;
}

enum { OUTPUT, COUNTS, TIMES, SPIKE_BYTES, RESULTS };

static int run(const options *o, loihi_machine *m, probes *p, FILE *in, FILE **to) {
  const int64_t *n = m->map->scalar;
  loihi_record *r = &p->record;
  const size_t inputs = (size_t)n[INPUTS];
  int32_t *input = calloc(inputs + 1, sizeof *input);
  int status = input ? 0 : complain("there is not enough memory", o->input);
  if (!status && fseek(in, (long)(o->first * n[INPUTS] * (int64_t)sizeof *input), SEEK_SET))
    status = complain("is cut off", o->input);
  for (int64_t i = 0; !status && i < o->count; i++) {
    if (fread(input, sizeof *input, inputs, in) != inputs) {
      status = complain("is cut off", o->input);
      break;
    }
    memset(r->spikes, 0, (size_t)p->bytes);
    if (loihi_run(m, input, r)) {
      status = report(o, m->error);
    } else if (!put(to[OUTPUT], r->potentials, sizeof *r->potentials, r->readouts * r->rows) ||
               !put(to[COUNTS], m->count, sizeof *m->count, n[GROUPS] * LOIHI_COUNTERS) ||
               !put(to[TIMES], &m->time, sizeof m->time, 1) ||
               !put(to[SPIKE_BYTES], r->spikes, 1, p->bytes)) {
      status = complain("a result cannot be written", o->output);
    }
  }
  free(input);
  return status;
}

static int run_files(const options *o, loihi_machine *m) {
  probes p;
  memset(&p, 0, sizeof p);
  const char *names[RESULTS] = {o->output, o->counts, o->times, o->spikes};
  FILE *to[RESULTS] = {NULL, NULL, NULL, NULL}, *in = fopen(o->input, "rb");
  int status = in ? 0 : complain(strerror(errno), o->input);
  const char *wrong = read_probes(&p, o, m->map->scalar[COMPARTMENTS]);
  if (wrong) status = complain(wrong, o->probes);
  for (int i = 0; !status && i < RESULTS; i++) {
    to[i] = fopen(names[i], "wb");
    if (!to[i]) status = complain("cannot be written", names[i]);
  }
  if (!status) status = run(o, m, &p, in, to);
  for (int i = 0; i < RESULTS; i++)
    if (to[i] && fclose(to[i]) && !status) status = complain("cannot be written", names[i]);
  if (in) fclose(in);
  free_probes(&p);
  return status;
}

int main(int argc, char **argv) {
  options o = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0};
  loihi_map map;
  loihi_machine machine;
  int status = parse(&o, argc, argv);
  if (status) return status;
  const char *wrong = loihi_read(&map, o.map);
  if (wrong) {
    status = complain(wrong, o.map);
  } else {
    if (loihi_start(&machine, &map))
      status = complain("there is not enough memory", o.map);
    else
      status = run_files(&o, &machine);
    loihi_stop(&machine);
  }
  loihi_free(&map);
  return status;
}
