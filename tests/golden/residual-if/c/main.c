/* Runs samples of an .npy file through the network; see usage() below. */
#if defined(__unix__) || defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#define THREADS 1 /* POSIX ones; elsewhere there is one thread */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#endif
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { EXIT_INPUT = 2, MOST_TOGETHER = 64, ROUND = 64, MOST_THREADS = 256 };

/* Bytes of spikes, about, that a thread holds before they are written. */
#define RECORDED ((int64_t)1 << 26)

static void usage(FILE *to) {
  fprintf(to,
          "usage: %s --input X.npy --output Y.npy [options]\n"
          "  --input X.npy   samples: float32 (N, network's shape), or uint8 as in the data file;\n"
          "                  of a network that takes events: int8 (N, time steps, network's shape),\n"
          "                  the number of events at each place in each of all steps\n"
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
          "  --weights FILE  weights.bin, where they are not compiled in (default: beside this)\n"
          "  --threads N     that share the samples, or the layers of one that is alone (default 1)\n"
          "  --batch B       samples that a thread runs together (default %d)\n"
          "  --vectors V     of dense kernels: portable, avx2 or avx512 (default: the widest here)\n"
          "  --timing        says how long the simulation took, on stderr\n"
          "  --profile P.npy float64 (nodes): seconds of each node, on one thread\n",
          MODEL_NAME, MODEL_STEPS, (long long)MODEL_EXIT_MARGIN, MODEL_BATCH);
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
  const char *input, *output, *spikes, *counts, *steps_used, *weights, *profile;
  int64_t first, count, margin;
  int32_t steps, least_steps, threads, batch;
  snncc_vectors vectors;
  int trace, timing;
} options;

/* The vectors of that name; SNNCC_VECTORS when there are none. */
static snncc_vectors vectors_of(const char *name) {
  for (int i = 0; i < SNNCC_VECTORS; i++)
    if (!strcmp(name, snncc_dense_name((snncc_vectors)i))) return (snncc_vectors)i;
  return SNNCC_VECTORS;
}

static int parse(options *o, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
      usage(stdout);
      exit(0);
    }
    if (!strcmp(name, "--trace") || !strcmp(name, "--timing")) {
      *(name[3] == 'r' ? &o->trace : &o->timing) = 1;
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
    else if (!strcmp(name, "--profile")) o->profile = value;
    else if (!strcmp(name, "--vectors")) o->vectors = vectors_of(value);
    else if (!strcmp(name, "--threads")) o->threads = (int32_t)strtol(value, &end, 10);
    else if (!strcmp(name, "--batch")) o->batch = (int32_t)strtol(value, &end, 10);
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
  if (o->vectors == SNNCC_VECTORS)
    return complain("should be one that this machine has: portable, avx2 or avx512", "--vectors");
  if (o->threads < 1 || o->threads > MOST_THREADS)
    return complain("should be 1 to 256", "--threads");
  if (o->batch < 1 || o->batch > MOST_TOGETHER) return complain("should be 1 to 64", "--batch");
  if (o->profile && o->threads > 1) return complain("is for one thread", "--profile");
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

static double seconds_now(void) {
#ifdef THREADS
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#else
  return (double)clock() / CLOCKS_PER_SEC;
#endif
}

/* Samples that are read, run by all threads, and written, one round after the other. */
typedef struct {
  const options *o;
  int raw;
  size_t bytes; /* of one sample */
  int32_t size, next; /* samples, and the first that no thread has taken */
  unsigned char *input;
  int32_t *totals, *used;
  int8_t *spikes;
  int64_t *counts;
#ifdef THREADS
  pthread_mutex_t lock;
#endif
} round_of_samples;

#ifdef THREADS
/* Threads that share the layers of one sample: each takes its part of a job, and waits for the next
 * one by looking again and again, since layers take microseconds. */
typedef struct {
  snncc_task *task; /* NULL: no more */
  void *job;
  int32_t threads;
  unsigned turn, done; /* jobs given out; parts that are done, of all jobs */
} team;

typedef struct {
  team *of;
  int32_t part;
  pthread_t thread;
} member;

static void wait_until(const unsigned *number, unsigned reached) {
  for (int looks = 0; __atomic_load_n(number, __ATOMIC_ACQUIRE) != reached; looks++)
    if (looks > 1000) sched_yield();
}

static void *take_part(void *given) {
  const member *self = given;
  team *all = self->of;
  for (unsigned turn = 1;; turn++) {
    wait_until(&all->turn, turn);
    if (!all->task) return NULL;
    all->task(all->job, self->part, all->threads);
    __atomic_add_fetch(&all->done, 1, __ATOMIC_RELEASE);
  }
}

/* As snncc_share in snncc_runtime.h. */
static void share(void *context, snncc_task *task, void *job) {
  team *all = context;
  all->task = task;
  all->job = job;
  __atomic_add_fetch(&all->turn, 1, __ATOMIC_RELEASE);
  if (!task) return;
  task(job, 0, all->threads);
  wait_until(&all->done, all->turn * (unsigned)(all->threads - 1));
}
#endif

/* What one thread runs. */
typedef struct {
  round_of_samples *round;
  snncc_instance *net; /* as many as samples run together */
  uint64_t *state;
  int32_t *units;
#ifdef THREADS
  pthread_t thread;
#endif
} worker;

static int32_t rows_of(const options *o) { return o->trace ? o->steps : 1; }

/* Puts down what the outputs read after step t, and (if wanted) all spikes of it. */
static void record_step(const round_of_samples *r, const snncc_instance *net, int32_t sample,
                        int32_t t) {
  const int32_t row = r->o->trace ? t : 0;
  int32_t *total = r->totals + ((int64_t)sample * rows_of(r->o) + row) * MODEL_OUTPUT_SIZE;
  for (int32_t k = 0; k < MODEL.outputs; k++) {
    snncc_read_total(net, k, total);
    total += snncc_size(MODEL.node[MODEL.output[k]].shape);
  }
  if (!r->spikes) return;
  int8_t *sent = r->spikes + ((int64_t)sample * r->o->steps + t) * MODEL_NEURONS;
  for (int32_t n = 0; n < MODEL.nodes; n++) {
    if (MODEL.node[n].spikes < 0) continue;
    snncc_read_spikes(net, n, sent);
    sent += snncc_size(MODEL.node[n].shape);
  }
}

/* After the sample's end the totals are those at its end, and there are no spikes. */
static void record_end(const round_of_samples *r, const snncc_instance *net, int32_t sample,
                       int32_t used) {
  const int32_t rows = rows_of(r->o);
  int32_t *total = r->totals + (int64_t)sample * rows * MODEL_OUTPUT_SIZE;
  for (int32_t t = used; t < rows; t++)
    memcpy(total + t * MODEL_OUTPUT_SIZE, total + (t - 1) * MODEL_OUTPUT_SIZE,
           MODEL_OUTPUT_SIZE * sizeof *total);
  if (r->spikes)
    memset(r->spikes + ((int64_t)sample * r->o->steps + used) * MODEL_NEURONS, 0,
           (size_t)(r->o->steps - used) * MODEL_NEURONS);
  for (int32_t n = 0; r->counts && n < MODEL.nodes; n++) {
    int64_t *count = r->counts + (int64_t)sample * 2 * MODEL.nodes + n;
    count[0] = snncc_spike_count(net, n);
    count[MODEL.nodes] = snncc_synaptic_operations(net, n);
  }
  r->used[sample] = used;
}

/* Samples `first` and following ones together, each until its end. */
static void run_together(worker *w, int32_t first, int32_t count) {
  const round_of_samples *r = w->round;
  snncc_instance *running[MOST_TOGETHER] = {NULL};
  int32_t left = count;
  for (int32_t i = 0; i < count; i++) {
    const void *sample = r->input + (size_t)(first + i) * r->bytes;
    if (MODEL_EVENTS) {
      /* they come step by step */
    } else if (r->raw) {
      model_quantize_bytes(sample, w->units);
      snncc_set_input_quantized(&w->net[i], MODEL_INPUT_NODE, w->units);
    } else {
      model_set_inputs(&w->net[i], sample);
    }
    snncc_reset(&w->net[i]);
    running[i] = &w->net[i];
  }
  for (int32_t t = 0; left; t++) {
    for (int32_t i = 0; MODEL_EVENTS && i < left; i++) {
      const size_t sample = (size_t)(first + (int32_t)(running[i] - w->net));
      model_set_events(running[i], (const int8_t *)(r->input + sample * r->bytes) +
                                       (size_t)t * MODEL_INPUT_SIZE);
    }
    (void)snncc_step_all(running, left);
    int32_t still = 0;
    for (int32_t i = 0; i < left; i++) {
      const int32_t sample = first + (int32_t)(running[i] - w->net);
      const int ahead = r->o->margin && t + 1 >= r->o->least_steps &&
                        snncc_margin(running[i], 0) >= r->o->margin;
      const int ends = ahead || t + 1 == r->o->steps;
      if (r->o->trace || r->spikes || ends) record_step(r, running[i], sample, t);
      if (ends)
        record_end(r, running[i], sample, t + 1);
      else
        running[still++] = running[i];
    }
    left = still;
  }
}

static void *work(void *given) {
  worker *w = given;
  round_of_samples *r = w->round;
  for (;;) {
#ifdef THREADS
    pthread_mutex_lock(&r->lock);
#endif
    const int32_t first = r->next;
    r->next += r->o->batch;
#ifdef THREADS
    pthread_mutex_unlock(&r->lock);
#endif
    if (first >= r->size) return NULL;
    run_together(w, first, r->size - first < r->o->batch ? r->size - first : r->o->batch);
  }
}

/* All samples of a round; 0 when a thread cannot be started. */
static int run_round(round_of_samples *r, worker *workers) {
  int good = 1;
  r->next = 0;
#ifdef THREADS
  int32_t started = 1;
  for (; started < r->o->threads && good; started++)
    good = !pthread_create(&workers[started].thread, NULL, work, &workers[started]);
  if (!good) started--;
  (void)work(&workers[0]);
  for (int32_t i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
#else
  (void)work(&workers[0]);
#endif
  return good;
}

static int put(FILE *file, const void *from, size_t width, size_t count) {
  return !file || fwrite(from, width, count, file) == count;
}

/* Runs all samples; returns what went wrong, or NULL. Files: output, spikes, counts, steps used. */
static const char *run(const options *o, npy_in *in, FILE *const *file, round_of_samples *r,
                       worker *workers, int32_t most) {
  const size_t bytes = r->bytes;
  double seconds = 0;
  for (int64_t left = o->first; left > 0;) { /* in parts that fit a long */
    const int64_t some = left < LONG_MAX / (int64_t)bytes ? left : LONG_MAX / (int64_t)bytes;
    if (fseek(in->file, (long)(some * (int64_t)bytes), SEEK_CUR)) return "the input cannot be read";
    left -= some;
  }
  for (int64_t n = 0; n < o->count; n += r->size) {
    r->size = o->count - n < most ? (int32_t)(o->count - n) : most;
    const size_t size = (size_t)r->size;
    if (fread(r->input, bytes, size, in->file) != size) return "the input is cut off";
    const double start = seconds_now();
    if (!run_round(r, workers)) return "a thread cannot be started; fewer --threads may do";
    seconds += seconds_now() - start;
    if (!put(file[0], r->totals, sizeof *r->totals, size * (size_t)rows_of(o) * MODEL_OUTPUT_SIZE) ||
        !put(file[1], r->spikes, 1, size * (size_t)o->steps * MODEL_NEURONS) ||
        !put(file[2], r->counts, sizeof *r->counts, size * 2 * (size_t)MODEL.nodes) ||
        !put(file[3], r->used, sizeof *r->used, size))
      return strerror(errno);
  }
  if (o->timing)
    fprintf(stderr, "seconds %.6f images %" PRId64 " steps %d threads %d vectors %s\n", seconds,
            o->count, (int)o->steps, (int)o->threads, snncc_dense_name(o->vectors));
  return NULL;
}

/* Memory for all that runs: allocated here, once. Returns what went wrong, or NULL. */
static const char *prepare(const options *o, round_of_samples *r, worker *workers,
                           const void *weights, int32_t most, double *profile) {
  const size_t size = (size_t)most, words = (MODEL_STATE_BYTES + 7) / 8;
  r->input = malloc(size * r->bytes);
  r->totals = malloc(size * (size_t)rows_of(o) * MODEL_OUTPUT_SIZE * sizeof *r->totals);
  r->used = malloc(size * sizeof *r->used);
  r->spikes = o->spikes ? malloc(size * (size_t)o->steps * MODEL_NEURONS) : NULL;
  r->counts = o->counts ? malloc(size * 2 * (size_t)MODEL.nodes * sizeof *r->counts) : NULL;
  if (!r->input || !r->totals || !r->used || (o->spikes && !r->spikes) ||
      (o->counts && !r->counts))
    return "out of memory";
  for (int32_t i = 0; i < o->threads; i++) {
    worker *w = &workers[i];
    w->round = r;
    w->net = malloc((size_t)o->batch * sizeof *w->net);
    w->state = malloc((size_t)o->batch * words * sizeof *w->state);
    w->units = malloc(MODEL_INPUT_SIZE * sizeof *w->units);
    if (!w->net || !w->state || !w->units) return "out of memory";
    for (int32_t k = 0; k < o->batch; k++) {
      /* the checksum is looked at once */
      if (i || k)
        snncc_copy(&w->net[k], &workers[0].net[0], w->state + (size_t)k * words);
      else if (snncc_init(w->net, &MODEL, w->state, words * 8, weights, MODEL_WEIGHT_BYTES) !=
               SNNCC_OK)
        return "the weights are not those of this model, or are damaged";
      snncc_use(&w->net[k], o->vectors);
      if (profile) {
        w->net[k].now = seconds_now;
        w->net[k].seconds = profile;
      }
    }
  }
  return NULL;
}

#ifdef THREADS
/* Starts all threads but this one. */
static void gather(team *all, member *members, int32_t threads, worker *w, int32_t batch) {
  all->threads = 1;
  for (int32_t i = 1; i < threads; i++) {
    members[i].of = all;
    members[i].part = i;
    if (pthread_create(&members[i].thread, NULL, take_part, &members[i])) break;
    all->threads = i + 1;
  }
  for (int32_t k = 0; k < batch; k++) {
    w->net[k].share = share;
    w->net[k].team = all;
  }
}
#endif

static void clean_up(const options *o, round_of_samples *r, worker *workers) {
  free(r->input), free(r->totals), free(r->used), free(r->spikes), free(r->counts);
  for (int32_t i = 0; i < o->threads; i++)
    free(workers[i].net), free(workers[i].state), free(workers[i].units);
}

/* Samples of a round: few enough for the memory that their spikes take. */
static int32_t round_size(const options *o) {
  const int64_t each = (o->spikes ? (int64_t)o->steps * MODEL_NEURONS : 1) +
                       (MODEL_EVENTS ? MODEL_STEPS : 4) * (int64_t)MODEL_INPUT_SIZE;
  int64_t most = RECORDED / each;
  if (most > ROUND) most = ROUND;
  most = most / o->batch * o->batch;
  if (most < o->batch) most = o->batch;
  most *= o->threads;
  return (int32_t)(most < o->count ? most : o->count);
}

int main(int argc, char **argv) {
  options o = {0};
  o.count = -1;
  o.margin = MODEL_EXIT_MARGIN;
  o.steps = MODEL_STEPS;
  o.least_steps = 1;
  o.threads = 1;
  o.batch = MODEL_BATCH;
  o.vectors = (snncc_vectors)(SNNCC_VECTORS - 1);
  int code = parse(&o, argc, argv);
  if (code) return code;
  npy_in in;
  const char *wrong = npy_open(&in, o.input);
  if (wrong) return complain(wrong, o.input);
  round_of_samples r = {0};
  r.o = &o;
  r.raw = !strcmp(in.type, "|u1");
  if (MODEL_EVENTS && strcmp(in.type, "|i1") != 0)
    return complain("should hold numbers of events, int8 (|i1)", o.input);
  if (!MODEL_EVENTS && !r.raw && strcmp(in.type, "<f4") != 0)
    return complain("should hold float32 (<f4) or uint8 (|u1)", o.input);
  if (r.raw && !MODEL_TAKES_BYTES)
    return complain("holds uint8, which this network does not take; give it float32", o.input);
  if (in.size != (int64_t)MODEL_INPUT_SIZE * (MODEL_EVENTS ? MODEL_STEPS : 1))
    return complain("has samples of another size than the network's input", o.input);
  r.bytes = (size_t)in.size * (r.raw || MODEL_EVENTS ? 1 : sizeof(float));
  if (o.first < 0 || o.first >= in.samples) return complain("is not a sample", "--first");
  if (o.count < 0 || o.count > in.samples - o.first) o.count = in.samples - o.first;
#if MODEL_WEIGHTS_EMBEDDED
  const void *weights = model_weights;
#else
  void *weights = read_weights(o.weights, argv[0]);
  if (!weights) return EXIT_INPUT;
#endif
  static worker workers[MOST_THREADS];
#ifdef THREADS
  static member members[MOST_THREADS];
  team layers = {NULL, NULL, 1, 0, 0};
  const int32_t sharing = o.count == 1 ? o.threads : 1;
  o.threads = o.count == 1 ? 1 : o.threads;
#endif
  static double profile[MODEL_NODES];
  const int32_t most = round_size(&o);
#ifdef THREADS
  pthread_mutex_init(&r.lock, NULL);
#endif
  wrong = prepare(&o, &r, workers, weights, most, o.profile ? profile : NULL);
  if (wrong) return complain(wrong, MODEL_NAME);
#ifdef THREADS
  if (sharing > 1) gather(&layers, members, sharing, workers, o.batch);
#endif

  enum { FILES = 5 };
  const char *path[FILES] = {o.output, o.spikes, o.counts, o.steps_used, o.profile};
  FILE *file[FILES] = {NULL, NULL, NULL, NULL, NULL};
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
    if (file[4]) good &= npy_begin(file[4], "<f8", MODEL.nodes, -1, -1);
    wrong = good ? run(&o, &in, file, &r, workers, most) : strerror(errno);
    if (!wrong && !put(file[4], profile, sizeof *profile, (size_t)MODEL.nodes))
      wrong = strerror(errno);
  }
  for (int i = 0; i < FILES; i++)
    if (file[i] && fclose(file[i]) && !wrong) wrong = strerror(errno);
  fclose(in.file);
#ifdef THREADS
  share(&layers, NULL, NULL);
  for (int32_t i = 1; i < layers.threads; i++) pthread_join(members[i].thread, NULL);
#endif
  clean_up(&o, &r, workers);
#if !MODEL_WEIGHTS_EMBEDDED
  free(weights);
#endif
  if (!wrong) return 0;
  for (int i = 0; i < FILES; i++)
    if (file[i]) remove(path[i]);
  fprintf(stderr, "%s: %s\n", o.output, wrong);
  return 1;
}
