/* What the machine can do on one thread: multiply-adds of 16-bit numbers a second, with the dense
 * kernel's own instructions and all operands in registers, and bytes read a second from working sets
 * of the sizes given as arguments. Prints one number a line. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>
typedef __m512i vector;
#define DOT(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#define ZERO _mm512_setzero_si512()
#define LOAD(at) _mm512_load_si512(at)
#define ADD(a, b) _mm512_add_epi32(a, b)
#elif defined(__AVX2__)
#include <immintrin.h>
typedef __m256i vector;
#define DOT(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define ZERO _mm256_setzero_si256()
#define LOAD(at) _mm256_load_si256((const __m256i *)(at))
#define ADD(a, b) _mm256_add_epi32(a, b)
#else
typedef int64_t vector;
#define DOT(sum, a, b) ((sum) + (a) * (b))
#define ZERO 0
#define LOAD(at) (*(const int64_t *)(at))
#define ADD(a, b) ((a) + (b))
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { SUMS = 12, WIDTH = (int)sizeof(vector), ROUNDS = 7 };
static volatile int32_t sink;

static int32_t first_lane(const vector *from) {
  int32_t lane;
  memcpy(&lane, from, sizeof lane);
  return lane;
}

static double multiply_adds(void) {
  vector sum[SUMS], a = ZERO, b = ZERO;
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    const int64_t count = 4000000;
    const double start = now();
    for (int i = 0; i < SUMS; i++) sum[i] = ZERO;
    for (int64_t k = 0; k < count; k++) {
      for (int i = 0; i < SUMS; i++) sum[i] = DOT(sum[i], a, b);
      __asm__ volatile("" : "+x"(a), "+x"(b)); /* not to be computed once */
    }
    const double rate = (double)count * SUMS * WIDTH / 2 / (now() - start);
    if (rate > best) best = rate;
    for (int i = 0; i < SUMS; i++) sink += first_lane(&sum[i]);
  }
  return best;
}

static double read_bytes(size_t size) {
  void *memory = NULL;
  size = size / (8 * WIDTH) * (8 * WIDTH);
  if (posix_memalign(&memory, 64, size)) return 0;
  for (size_t i = 0; i < size; i++) ((char *)memory)[i] = (char)i;
  const size_t times = ((size_t)1 << 30) / size + 1;
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    vector sum[8];
    for (int i = 0; i < 8; i++) sum[i] = ZERO;
    const double start = now();
    for (size_t k = 0; k < times; k++)
      for (size_t at = 0; at < size; at += 8 * WIDTH)
        for (int i = 0; i < 8; i++) sum[i] = ADD(sum[i], LOAD((char *)memory + at + i * WIDTH));
    const double rate = (double)size * (double)times / (now() - start);
    if (rate > best) best = rate;
    for (int i = 0; i < 8; i++) sink += first_lane(&sum[i]);
  }
  free(memory);
  return best;
}

int main(int argc, char **argv) {
  printf("%.6e\n", multiply_adds());
  for (int i = 1; i < argc; i++) printf("%.6e\n", read_bytes((size_t)strtoull(argv[i], NULL, 10)));
  return 0;
}
