/* Dense kernels for each machine, and the choice among them: see snncc_dense.h. */
#include "snncc_dense.h"

#include <string.h>

#if defined(__GNUC__)
#define SNNCC_INLINE inline __attribute__((always_inline))
#else
#define SNNCC_INLINE inline
#endif

/* Any machine: compilers make vectors of the lanes where they can. */
typedef struct {
  int32_t lane[SNNCC_LANES];
} lanes_any;
typedef struct {
  int16_t pair[2 * SNNCC_LANES];
} factors_any;
#define TARGET
#define NAMED(x) x##_any
#define LANES lanes_any
#define FACTORS factors_any
#define NARROW 1
#define WIDE 4
static SNNCC_INLINE lanes_any load_any(const int32_t *from) {
  lanes_any to;
  memcpy(to.lane, from, sizeof to.lane);
  return to;
}
static SNNCC_INLINE void store_any(int32_t *to, lanes_any from) {
  memcpy(to, from.lane, sizeof from.lane);
}
static SNNCC_INLINE lanes_any pair_any(const int16_t *from) {
  const lanes_any pair = {{from[0], from[1]}};
  return pair;
}
static SNNCC_INLINE factors_any words_any(const int8_t *from) {
  factors_any to;
  memcpy(to.pair, from, sizeof to.pair);
  return to;
}
static SNNCC_INLINE factors_any bytes_any(const int8_t *from) {
  factors_any to;
  for (int i = 0; i < 2 * SNNCC_LANES; i++) to.pair[i] = from[i];
  return to;
}
static SNNCC_INLINE lanes_any dot_any(lanes_any sum, lanes_any pair, factors_any w) {
  for (int i = 0; i < SNNCC_LANES; i++)
    sum.lane[i] += pair.lane[0] * w.pair[2 * i] + pair.lane[1] * w.pair[2 * i + 1];
  return sum;
}
#include "snncc_dense_kernel.h"
#undef TARGET
#undef NAMED
#undef LANES
#undef FACTORS
#undef NARROW
#undef WIDE

#if defined(__GNUC__) && defined(__x86_64__) && !defined(SNNCC_NO_INTRINSICS)
#define SNNCC_X86 1
#include <immintrin.h>

typedef struct {
  __m256i low, high;
} lanes_avx2;
#define TARGET __attribute__((target("avx2")))
#define NAMED(x) x##_avx2
#define LANES lanes_avx2
#define FACTORS lanes_avx2
#define NARROW 1
#define WIDE 4
static SNNCC_INLINE TARGET lanes_avx2 load_avx2(const int32_t *from) {
  const __m256i *at = (const __m256i *)(const void *)from;
  const lanes_avx2 to = {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
  return to;
}
static SNNCC_INLINE TARGET void store_avx2(int32_t *to, lanes_avx2 from) {
  __m256i *at = (__m256i *)(void *)to;
  _mm256_storeu_si256(at, from.low);
  _mm256_storeu_si256(at + 1, from.high);
}
static SNNCC_INLINE TARGET lanes_avx2 pair_avx2(const int16_t *from) {
  int32_t both;
  memcpy(&both, from, sizeof both);
  const lanes_avx2 pair = {_mm256_set1_epi32(both), _mm256_setzero_si256()};
  return pair;
}
static SNNCC_INLINE TARGET lanes_avx2 words_avx2(const int8_t *from) {
  const __m256i *at = (const __m256i *)(const void *)from;
  const lanes_avx2 to = {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
  return to;
}
static SNNCC_INLINE TARGET lanes_avx2 bytes_avx2(const int8_t *from) {
  const __m128i *at = (const __m128i *)(const void *)from;
  const lanes_avx2 to = {_mm256_cvtepi8_epi16(_mm_loadu_si128(at)),
                         _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 1))};
  return to;
}
static SNNCC_INLINE TARGET lanes_avx2 dot_avx2(lanes_avx2 sum, lanes_avx2 pair, lanes_avx2 w) {
  sum.low = _mm256_add_epi32(sum.low, _mm256_madd_epi16(pair.low, w.low));
  sum.high = _mm256_add_epi32(sum.high, _mm256_madd_epi16(pair.low, w.high));
  return sum;
}
#include "snncc_dense_kernel.h"
#undef TARGET
#undef NAMED
#undef LANES
#undef FACTORS
#undef NARROW
#undef WIDE

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define NAMED(x) x##_avx512
#define LANES __m512i
#define FACTORS __m512i
#define NARROW 2
#define WIDE 8
static SNNCC_INLINE TARGET __m512i load_avx512(const int32_t *from) {
  return _mm512_loadu_si512(from);
}
static SNNCC_INLINE TARGET void store_avx512(int32_t *to, __m512i from) {
  _mm512_storeu_si512(to, from);
}
static SNNCC_INLINE TARGET __m512i pair_avx512(const int16_t *from) {
  int32_t both;
  memcpy(&both, from, sizeof both);
  return _mm512_set1_epi32(both);
}
static SNNCC_INLINE TARGET __m512i words_avx512(const int8_t *from) {
  return _mm512_loadu_si512(from);
}
static SNNCC_INLINE TARGET __m512i bytes_avx512(const int8_t *from) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)from));
}
static SNNCC_INLINE TARGET __m512i dot_avx512(__m512i sum, __m512i pair, __m512i w) {
  return _mm512_dpwssd_epi32(sum, pair, w);
}
#include "snncc_dense_kernel.h"
#endif

/* The widest vectors that this machine has, of those up to `most`. */
static snncc_vectors widest(snncc_vectors most) {
#ifdef SNNCC_X86
  if (most >= SNNCC_AVX512 && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vnni"))
    return SNNCC_AVX512;
  if (most >= SNNCC_AVX2 && __builtin_cpu_supports("avx2")) return SNNCC_AVX2;
#endif
  (void)most;
  return SNNCC_PORTABLE;
}

snncc_dense_kernel *snncc_dense(snncc_vectors most) {
#ifdef SNNCC_X86
  if (widest(most) == SNNCC_AVX512) return dense_avx512;
  if (widest(most) == SNNCC_AVX2) return dense_avx2;
#endif
  (void)most;
  return dense_any;
}

const char *snncc_dense_name(snncc_vectors most) {
  static const char *const name[] = {"portable", "avx2", "avx512"};
  return name[widest(most)];
}
