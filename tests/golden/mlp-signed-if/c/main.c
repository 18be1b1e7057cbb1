/* Runs samples of an .npy file through the network; see usage() below. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { EXIT_INPUT = 2 };

static void usage(FILE *to) {
  fprintf(to,
          "usage: %s --input X.npy --output Y.npy [options]\n"
          "  --input X.npy   samples: float32 (N, network's shape), or uint8 as in the data file\n"
          "  --output Y.npy  int32 (N, outputs): potentials or net spike counts after all steps\n"
          "  --trace         Y after every step: (N, steps, outputs)\n"
          "  --steps T       time steps, at most %d (default)\n"
          "  --spikes S.npy  int8 (N, steps, neurons): every spike of every node\n"
          "  --counts C.npy  int64 (N, 2, nodes): spikes, and synaptic operations, by node\n"
          "  --margin M      a sample ends when its largest number is M ahead of the second largest;\n"
          "                  0: after all steps (default %lld). Y is then as it is at the end, S is 0\n"
          "                  after it, C counts until it\n"
          "  --least-steps K not before K steps (default 1)\n"
          "  --steps-used U.npy  int32 (N): steps until each sample's end\n"
          "  --first I, --count N  only samples I .. I + N - 1\n"
          "  --weights FILE  weights.bin, where they are not compiled in (default: beside this)\n",
          MODEL_NAME, MODEL_STEPS, (long long)MODEL_EXIT_MARGIN);
}

static int complain(const char *what, const char *where) {
  fprintf(stderr, "%s: %s\n", where, what);
  return EXIT_INPUT;
}

/* An .npy file that is open for reading. */
typedef struct {
  FILE *file;
  char type[8];
  int64_t samples, size; /* numbers in one sample */
} npy_in;

/* Reads magic, version and header; returns NULL, or what is wrong. */
static const char *npy_open(npy_in *in, const char *path) {
  unsigned char magic[12];
  char header[4096];
  in->file = fopen(path, "rb");
  if (!in->file) return strerror(errno);
  if (fread(magic, 1, 10, in->file) != 10 || memcmp(magic, "\x93NUMPY", 6) != 0)
    return "is not an .npy file";
  size_t length = (size_t)magic[8] | (size_t)magic[9] << 8;
  if (magic[6] >= 2) {
    if (fread(magic + 10, 1, 2, in->file) != 2) return "is cut off in its header";
    length |= (size_t)magic[10] << 16 | (size_t)magic[11] << 24;
  }
  if (length >= sizeof header) return "has a header that is too long";
  if (fread(header, 1, length, in->file) != length) return "is cut off in its header";
  header[length] = '\0';
  const char *descr = strstr(header, "'descr': '"), *shape = strstr(header, "'shape': (");
  if (!descr || !shape || !strstr(header, "'fortran_order': False"))
    return "has a header that is not understood (an array in C order is expected)";
  size_t n = strcspn(descr + 10, "'");
  if (n >= sizeof in->type) return "has an unknown type";
  memcpy(in->type, descr + 10, n);
  in->type[n] = '\0';
  const char *at = shape + 10;
  in->samples = -1;
  in->size = 1;
  while (*at != ')') {
    char *end;
    long long number = strtoll(at, &end, 10);
    if (end == at || number < 0 || number > INT32_MAX) return "has an unknown shape";
    if (in->samples < 0)
      in->samples = number;
    else if (number > 0 && in->size > INT32_MAX / number)
      return "has samples that are too large";
    else
      in->size *= number;
    at = end + strspn(end, ", ");
  }
  return in->samples < 1 ? "has no samples" : NULL;
}

/* Writes an .npy header for the given shape; b and c are negative where there is no such axis. */
static int npy_begin(FILE *file, const char *type, int64_t a, int64_t b, int64_t c) {
  char header[118];
  int n = snprintf(header, sizeof header,
                   "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64 ",", type, a);
  const int64_t more[2] = {b, c};
  for (int i = 0; i < 2 && more[i] >= 0; i++)
    n += snprintf(header + n, sizeof header - (size_t)n, "%s%" PRId64, i ? ", " : " ", more[i]);
  n += snprintf(header + n, sizeof header - (size_t)n, "), }");
  memset(header + n, ' ', sizeof header - (size_t)n);
  header[sizeof header - 1] = '\n';
  const unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header, 0};
  return fwrite(magic, 1, sizeof magic, file) == sizeof magic &&
         fwrite(header, 1, sizeof header, file) == sizeof header;
}

typedef struct {
  const char *input, *output, *spikes, *counts, *steps_used, *weights;
  int64_t first, count, margin;
  int32_t steps, least_steps;
  int trace;
} options;

static int parse(options *o, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
      usage(stdout);
      exit(0);
    }
    if (!strcmp(name, "--trace")) {
      o->trace = 1;
      continue;
    }
    if (i + 1 == argc) return complain("needs a value, or is not known; see --help", name);
    const char *value = argv[++i];
    char *end = NULL;
    if (!strcmp(name, "--input")) o->input = value;
    else if (!strcmp(name, "--output")) o->output = value;
    else if (!strcmp(name, "--spikes")) o->spikes = value;
    else if (!strcmp(name, "--counts")) o->counts = value;
    else if (!strcmp(name, "--steps-used")) o->steps_used = value;
    else if (!strcmp(name, "--weights")) o->weights = value;
    else if (!strcmp(name, "--margin")) o->margin = strtoll(value, &end, 10);
    else if (!strcmp(name, "--least-steps")) o->least_steps = (int32_t)strtol(value, &end, 10);
    else if (!strcmp(name, "--steps")) o->steps = (int32_t)strtol(value, &end, 10);
    else if (!strcmp(name, "--first")) o->first = strtoll(value, &end, 10);
    else if (!strcmp(name, "--count")) o->count = strtoll(value, &end, 10);
    else return complain("is not known; see --help", name);
    if (end && (*end || end == value)) return complain("should be a number", name);
  }
  if (!o->input || !o->output) {
    usage(stderr);
    return EXIT_INPUT;
  }
  if (o->steps < 1 || o->steps > MODEL_STEPS)
    return complain("should be at least 1, and at most those compiled for", "--steps");
  if (o->least_steps < 1) return complain("should be at least 1", "--least-steps");
  if (o->margin < 0) return complain("should be positive, or 0 for all steps", "--margin");
  if (o->margin && !MODEL_CAN_EXIT)
    return complain("is for a rate code with classes of one scale, which this is not", "--margin");
  return 0;
}

#if !MODEL_WEIGHTS_EMBEDDED
/* Reads weights.bin, from beside the executable unless a path is given. */
static void *read_weights(const char *given, const char *self) {
  char path[4096];
  const char *slash = strrchr(self, '/');
  size_t folder = slash ? (size_t)(slash - self) + 1 : 0;
  if (!given) {
    if (folder + sizeof "weights.bin" > sizeof path) return NULL;
    memcpy(path, self, folder);
    memcpy(path + folder, "weights.bin", sizeof "weights.bin");
    given = path;
  }
  FILE *file = fopen(given, "rb");
  void *weights = file ? malloc(MODEL_WEIGHT_BYTES) : NULL;
  if (weights && fread(weights, 1, MODEL_WEIGHT_BYTES, file) != MODEL_WEIGHT_BYTES) {
    free(weights);
    weights = NULL;
  }
  if (file) fclose(file);
  if (!weights) complain("cannot be read, or is cut off", given);
  return weights;
}
#endif

static snncc_instance net;
static int32_t totals[MODEL_OUTPUT_SIZE];
static int8_t spikes[MODEL_NEURONS];
static uint64_t state[(MODEL_STATE_BYTES + 7) / 8];

/* What the outputs read after the last step, and (unless NULL) all spikes of it. */
static void read_step(FILE *spike_file) {
  int32_t *total = totals;
  for (int32_t k = 0; k < MODEL.outputs; k++) {
    snncc_read_total(&net, k, total);
    total += snncc_size(MODEL.node[MODEL.output[k]].shape);
  }
  int8_t *sent = spikes;
  for (int32_t n = 0; spike_file && n < MODEL.nodes; n++) {
    if (MODEL.node[n].spikes < 0) continue;
    snncc_read_spikes(&net, n, sent);
    sent += snncc_size(MODEL.node[n].shape);
  }
}

static int write_step(const options *o, FILE *out, FILE *spike_file, int32_t t) {
  if ((o->trace || t + 1 == o->steps) &&
      fwrite(totals, sizeof *totals, MODEL_OUTPUT_SIZE, out) != MODEL_OUTPUT_SIZE)
    return 0;
  return !spike_file || fwrite(spikes, 1, MODEL_NEURONS, spike_file) == MODEL_NEURONS;
}

/* One sample, whose inputs are set. The files have all steps: after the sample's end the totals are
 * those at its end, and there are no spikes. */
static int run_sample(const options *o, FILE *out, FILE *spike_file, FILE *steps_used) {
  int32_t used = 0;
  snncc_reset(&net);
  for (int32_t t = 0; t < o->steps; t++) {
    if (!used) {
      (void)snncc_step(&net);
      read_step(spike_file);
    } else if (t == used && spike_file) {
      memset(spikes, 0, sizeof spikes);
    }
    if (!write_step(o, out, spike_file, t)) return 0;
    if (used) continue;
    const int ahead = o->margin && t + 1 >= o->least_steps && snncc_margin(&net, 0) >= o->margin;
    if (ahead || t + 1 == o->steps) used = t + 1;
  }
  return !steps_used || fwrite(&used, sizeof used, 1, steps_used) == 1;
}

static int write_counts(FILE *file) {
  for (int what = 0; what < 2; what++) {
    for (int32_t n = 0; n < MODEL.nodes; n++) {
      const int64_t number =
          what ? snncc_synaptic_operations(&net, n) : snncc_spike_count(&net, n);
      if (fwrite(&number, sizeof number, 1, file) != 1) return 0;
    }
  }
  return 1;
}

/* Runs all samples; returns what went wrong, or NULL. */
static const char *run(const options *o, npy_in *in, FILE *out, FILE *spike_file, FILE *counts,
                       FILE *steps_used) {
  const int raw = !strcmp(in->type, "|u1");
  const size_t width = raw ? 1 : sizeof(float);
  const size_t bytes = (size_t)in->size * width;
  void *sample = malloc(bytes);
  int32_t *units = malloc((size_t)in->size * sizeof *units);
  const char *wrong = sample && units ? NULL : "out of memory";
  for (int64_t skip = 0; !wrong && skip < o->first; skip++)
    if (fread(sample, 1, bytes, in->file) != bytes) wrong = "the input is cut off";
  for (int64_t n = 0; !wrong && n < o->count; n++) {
    if (fread(sample, 1, bytes, in->file) != bytes) {
      wrong = "the input is cut off";
      break;
    }
    if (raw) {
      model_quantize_bytes(sample, units);
      snncc_set_input_quantized(&net, MODEL_INPUT_NODE, units);
    } else {
      model_set_inputs(&net, sample);
    }
    if (!run_sample(o, out, spike_file, steps_used)) wrong = strerror(errno);
    if (!wrong && counts && !write_counts(counts)) wrong = strerror(errno);
  }
  free(units);
  free(sample);
  return wrong;
}

int main(int argc, char **argv) {
  options o = {0};
  o.count = -1;
  o.margin = MODEL_EXIT_MARGIN;
  o.steps = MODEL_STEPS;
  o.least_steps = 1;
  int code = parse(&o, argc, argv);
  if (code) return code;
  npy_in in;
  const char *wrong = npy_open(&in, o.input);
  if (wrong) return complain(wrong, o.input);
  const int raw = !strcmp(in.type, "|u1");
  if (!raw && strcmp(in.type, "<f4") != 0)
    return complain("should hold float32 (<f4) or uint8 (|u1)", o.input);
  if (raw && !MODEL_TAKES_BYTES)
    return complain("holds uint8, which this network does not take; give it float32", o.input);
  if (in.size != MODEL_INPUT_SIZE)
    return complain("has samples of another size than the network's input", o.input);
  if (o.first < 0 || o.first >= in.samples) return complain("is not a sample", "--first");
  if (o.count < 0 || o.count > in.samples - o.first) o.count = in.samples - o.first;
#if MODEL_WEIGHTS_EMBEDDED
  const void *weights = model_weights;
#else
  void *weights = read_weights(o.weights, argv[0]);
  if (!weights) return EXIT_INPUT;
#endif
  if (snncc_init(&net, &MODEL, state, sizeof state, weights, MODEL_WEIGHT_BYTES) != SNNCC_OK)
    return complain("the weights are not those of this model, or are damaged", MODEL_NAME);

  enum { FILES = 4 };
  const char *path[FILES] = {o.output, o.spikes, o.counts, o.steps_used};
  FILE *file[FILES] = {NULL, NULL, NULL, NULL};
  for (int i = 0; i < FILES && !wrong; i++) {
    if (!path[i]) continue;
    file[i] = fopen(path[i], "wb");
    if (!file[i]) wrong = strerror(errno);
  }
  if (!wrong) {
    int good = o.trace ? npy_begin(file[0], "<i4", o.count, o.steps, MODEL_OUTPUT_SIZE)
                       : npy_begin(file[0], "<i4", o.count, MODEL_OUTPUT_SIZE, -1);
    if (file[1]) good &= npy_begin(file[1], "|i1", o.count, o.steps, MODEL_NEURONS);
    if (file[2]) good &= npy_begin(file[2], "<i8", o.count, 2, MODEL.nodes);
    if (file[3]) good &= npy_begin(file[3], "<i4", o.count, -1, -1);
    wrong = good ? run(&o, &in, file[0], file[1], file[2], file[3]) : strerror(errno);
  }
  for (int i = 0; i < FILES; i++)
    if (file[i] && fclose(file[i]) && !wrong) wrong = strerror(errno);
  fclose(in.file);
#if !MODEL_WEIGHTS_EMBEDDED
  free(weights);
#endif
  if (!wrong) return 0;
  for (int i = 0; i < FILES; i++)
    if (file[i]) remove(path[i]);
  fprintf(stderr, "%s: %s\n", o.output, wrong);
  return 1;
}
