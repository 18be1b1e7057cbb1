/* Adding weights of one bit, plus or minus a factor for each output channel.
 *
 * Bits are in the order of the weights, without gaps, the lowest of a byte first; 1 is plus. After
 * the last one there is a byte more, so that 8 of them can be read anywhere. The sum of k signs is
 * twice the number of their set bits, less k: set bits are counted, for 8 targets at a time, one in
 * each byte of a word, and multiplied by the factors once. */

typedef struct {
  const uint8_t *bit;
  const int16_t *factor; /* of each output channel */
  int whole;             /* rows and taps start with bytes */
} snncc_signs;

#define SNNCC_ROWS 255 /* that a byte can count */

/* Bit i of the index in byte i. */
#define BITS(n) {(n) & 1, (n) >> 1 & 1, (n) >> 2 & 1, (n) >> 3 & 1, \
                 (n) >> 4 & 1, (n) >> 5 & 1, (n) >> 6 & 1, (n) >> 7}
#define BITS_4(n) BITS(n), BITS((n) + 1), BITS((n) + 2), BITS((n) + 3)
#define BITS_16(n) BITS_4(n), BITS_4((n) + 4), BITS_4((n) + 8), BITS_4((n) + 12)
#define BITS_64(n) BITS_16(n), BITS_16((n) + 16), BITS_16((n) + 32), BITS_16((n) + 48)
static const uint8_t snncc_bytes_of[256][8] = {BITS_64(0), BITS_64(64), BITS_64(128), BITS_64(192)};
#undef BITS
#undef BITS_4
#undef BITS_16
#undef BITS_64

/* The 8 bits from bit `at` on, which is the first one of a byte if `whole`. */
static SNNCC_INLINE uint32_t bits_at(const uint8_t *bit, size_t at, const int whole) {
  const uint8_t *byte = bit + at / 8;
  if (whole) return byte[0];
  return ((uint32_t)byte[0] | (uint32_t)byte[1] << 8) >> at % 8 & 255u;
}

static SNNCC_INLINE int32_t sign_at(const uint8_t *bit, size_t at) {
  return (bit[at / 8] >> at % 8 & 1) * 2 - 1;
}

/* Counts the set bits (or, with flip = 255, those not set) of at most SNNCC_ROWS rows, for 8 * bytes
 * targets. */
static SNNCC_INLINE void count_bits(uint64_t *count, const uint8_t *bit, size_t at,
                                    const int32_t *row, int32_t rows, uint32_t flip,
                                    const int32_t bytes, const int whole) {
  for (int32_t k = 0; k < rows; k++) {
    for (int32_t i = 0; i < bytes; i++) {
      const uint32_t byte = bits_at(bit, at + (size_t)row[k] + (size_t)(8 * i), whole) ^ flip;
      uint64_t each;
      memcpy(&each, snncc_bytes_of[byte], 8);
      count[i] += each; /* no byte overflows into the next */
    }
  }
}

/* For 8 * bytes targets, sum += the signs of listed spikes, which are other ones where -1 is sent. */
static SNNCC_INLINE void sum_spikes(int32_t *sum, const uint8_t *bit, size_t at,
                                    const snncc_list *list, const int32_t bytes,
                                    const int whole) {
  int32_t plus = 0, minus = 0;
  while (plus < list->plus || minus < list->minus) {
    uint64_t count[SNNCC_BLOCK / 8] = {0};
    uint8_t each[SNNCC_BLOCK];
    int32_t more = list->plus - plus, less = list->minus - minus;
    if (more > SNNCC_ROWS) more = SNNCC_ROWS;
    if (less > SNNCC_ROWS - more) less = SNNCC_ROWS - more;
    count_bits(count, bit, at, list->row + plus, more, 0, bytes, whole);
    count_bits(count, bit, at, list->less + minus, less, 255, bytes, whole);
    plus += more;
    minus += less;
    memcpy(each, count, (size_t)(8 * bytes));
    for (int32_t i = 0; i < 8 * bytes; i++) sum[i] += 2 * each[i] - more - less;
  }
}

/* As sum_spikes, with the values of sources in place of spikes. */
static SNNCC_INLINE void sum_values(int32_t *sum, const uint8_t *bit, size_t at,
                                    const snncc_list *list, const int32_t bytes,
                                    const int whole) {
  for (int32_t k = 0; k < list->plus; k++) {
    const int32_t value = list->value[k];
    for (int32_t i = 0; i < bytes; i++) {
      const uint8_t *each =
          snncc_bytes_of[bits_at(bit, at + (size_t)list->row[k] + (size_t)(8 * i), whole)];
      for (int32_t j = 0; j < 8; j++) sum[8 * i + j] += each[j] ? value : -value;
    }
  }
}

/* v[0..n) += factor times the sums of signs, for n targets of which the first has channel c. */
static SNNCC_INLINE void add_sign_block(int32_t *v, const snncc_signs *w, size_t at,
                                        const snncc_list *list, int32_t n, int32_t c, int32_t out,
                                        const int32_t bytes, const int whole) {
  int32_t sum[SNNCC_BLOCK] = {0};
  if (list->value)
    sum_values(sum, w->bit, at, list, bytes, whole);
  else
    sum_spikes(sum, w->bit, at, list, bytes, whole);
  for (int32_t i = 0; i < n; c = 0) {
    const int32_t end = out - c < n - i ? i + out - c : n;
    const int16_t *factor = w->factor + c;
    for (; i < end; i++) v[i] += *factor++ * sum[i];
  }
}

static SNNCC_INLINE void add_signs(int32_t *v, const snncc_signs *w, size_t at,
                                   const snncc_list *list, int32_t n, int32_t out,
                                   const int whole) {
  int32_t c = 0;
  for (; n >= SNNCC_BLOCK; n -= SNNCC_BLOCK, v += SNNCC_BLOCK, at += SNNCC_BLOCK) {
    add_sign_block(v, w, at, list, SNNCC_BLOCK, c, out, SNNCC_BLOCK / 8, whole);
    c = (c + SNNCC_BLOCK) % out;
  }
  if (n == 32) /* constant sizes stay in registers */
    add_sign_block(v, w, at, list, 32, c, out, 4, whole);
  else if (n)
    add_sign_block(v, w, at, list, n, c, out, (n + 7) / 8, whole);
}

/* v[0..n) += the rows of all listed sources; targets have channels 0 to out - 1, again and again. */
static void add_1(int32_t *v, const snncc_signs *w, size_t at, const snncc_list *list, int32_t n,
                  int32_t out) {
  if (w->whole)
    add_signs(v, w, at, list, n, out, 1);
  else
    add_signs(v, w, at, list, n, out, 0);
}

/* As add_1, for grouped convolutions: each listed channel reaches the channels of its group only. */
static void add_grouped_1(int32_t *v, const snncc_signs *w, size_t at, const snncc_list *list,
                          int32_t stride, int32_t in, int32_t out) {
  for (int32_t k = 0; k < list->plus + list->minus; k++) {
    const int32_t row = k < list->plus ? list->row[k] : list->less[k - list->plus];
    const int32_t value = list->value ? list->value[k] : k < list->plus ? 1 : -1;
    const int32_t first = row / stride / in * out;
    for (int32_t i = 0; i < out; i++)
      v[first + i] += w->factor[first + i] * value * sign_at(w->bit, at + (size_t)(row + i));
  }
}
