/* Time to first spike: layers integrate all that comes, slot by slot, then fire. Included by
 * snncc_runtime.c.
 *
 * Products of weights and spikes are computed once a slot, for all samples that run together. */

/* n products of codes and spikes of one exponent; offset: of each. The table ends with a 0, for what
 * is too small, or nothing. */
static SNNCC_INLINE void multiply_some(const snncc_projection *p, const int32_t *magnitude,
                                       const int8_t *code, const int32_t *offset, int32_t exponent,
                                       int32_t *restrict product, const int32_t n) {
  const int32_t last = p->magnitude_count, step = p->weight_step;
  for (int32_t i = 0; i < n; i++) {
    const int32_t sign = -(code[i] < 0), size = (code[i] ^ sign) - sign;
    int32_t sum = exponent + (size - 1) * step + offset[i];
    sum = sum < last && size ? sum : last;
    product[i] = (magnitude[sum] ^ sign) - sign;
  }
}

/* Weights of a projection as they are for spikes of one exponent: the product of each, in the order
 * of the kernels. */
SNNCC_WIDE
static const int32_t *multiply(const snncc_instance *self, const snncc_projection *p,
                               int32_t exponent) {
  const int8_t *code = (const int8_t *)(self->weights + p->weights);
  const int32_t *offset = constants(self, p->offsets);
  const int32_t *magnitude = constants(self, p->magnitudes);
  int32_t *product = ints(self, self->model->products);
  const int32_t channels = p->from.channels, out = p->to.channels / p->groups;
  int32_t rows = 1, each, inner = p->period; /* a scale: one row of all weights */
  if (p->map == SNNCC_DENSE) {
    rows = snncc_size(p->from);
    inner = snncc_size(p->to);
  } else if (p->map == SNNCC_CONV) {
    rows = p->window.kernel_y * channels * p->window.kernel_x;
    inner = out;
  }
  if (p->groups == 1) { /* offsets repeat with each row */
    int32_t offsets[SNNCC_PASS];
    const int32_t all = rows * inner, run = tiled(&offset, offsets, inner);
    for (int32_t i = 0, j = 0; i < all; i += each, j = j + each < run ? j + each : 0) {
      each = run - j < SNNCC_PASS ? run - j : SNNCC_PASS;
      if (each > all - i) each = all - i;
      if (each == SNNCC_PASS)
        multiply_some(p, magnitude, code + i, offset + j, exponent, product + i, SNNCC_PASS);
      else
        multiply_some(p, magnitude, code + i, offset + j, exponent, product + i, each);
    }
    return product;
  }
  /* rows of a convolution are [ky][in][kx], and each group has its own offsets */
  for (int32_t r = 0; r < rows; r++) {
    const int32_t group = r / p->window.kernel_x % channels / (channels / p->groups);
    multiply_some(p, magnitude, code + r * inner, offset + group * out, exponent,
                  product + r * inner, inner);
  }
  return product;
}

/* As project, slot by slot of spikes that are pooled first, or bit by bit of an input. */
static void send_phase(snncc_instance *self, int32_t n, const snncc_projection *p, int32_t k,
                       const int32_t **product) {
  const snncc_model *model = self->model;
  const snncc_node *source = &model->node[p->source];
  const int32_t size = snncc_size(source->shape);
  int8_t *arriving = bytes(self, model->arriving);
  int32_t sent = 0;
  if (source->kind == SNNCC_INPUT) {
    const int32_t *number = ints(self, source->potential);
    for (int32_t i = 0; i < size; i++) {
      const int32_t magnitude = number[i] < 0 ? -number[i] : number[i];
      const int32_t bit = magnitude >> (model->planes - 1 - k) & 1;
      arriving[i] = (int8_t)(number[i] < 0 ? -bit : bit);
      sent += bit;
    }
  } else {
    const int8_t *slot = bytes(self, source->spikes);
    for (int32_t i = 0; i < size; i++) {
      arriving[i] = slot[i] == (int8_t)k;
      sent += arriving[i];
    }
  }
  if (!sent) return;
  if (!*product) *product = multiply(self, p, k * p->spike_step);
  tally(self, n)[1] += send(self, p, arriving, NULL, *product, 4,
                            ints(self, model->node[n].potential));
}

/* Slots as they arrive behind a projection's views; there is no spike where nothing is seen. */
static const uint8_t *view_slots(const snncc_instance *self, const snncc_projection *p) {
  const uint8_t *slot = (const uint8_t *)bytes(self, self->model->node[p->source].spikes);
  uint8_t *next = (uint8_t *)ints(self, self->model->scratch);
  uint8_t *other = (uint8_t *)ints(self, self->model->scratch_next);
  for (int32_t k = 0; k < p->moves; k++) {
    const snncc_move *move = &self->model->move[p->first_move + k];
    const int32_t *index = constants(self, move->index), size = snncc_size(move->to);
    for (int32_t i = 0; i < size; i++)
      next[i] = index[i] < 0 ? (uint8_t)self->model->slots : slot[index[i]];
    slot = next;
    next = other;
    other = (uint8_t *)(uintptr_t)slot;
  }
  return slot;
}

/* Lists the sources by slot, in order: those of slot k are list[first[k]] to list[first[k + 1] - 1].
 * `first` has room for all slots and two more. */
SNNCC_WIDE
static void sort_slots(const uint8_t *slot, int32_t n, int32_t slots, int32_t *first,
                       int32_t *list) {
  memset(first, 0, (size_t)(slots + 2) * sizeof *first);
  for (int32_t i = 0; i < n; i++) first[slot[i] + 1]++;
  for (int32_t k = 0; k < slots; k++) first[k + 1] += first[k];
  /* no spike is behind the last slot */
  for (int32_t i = 0; i < n; i++) list[first[slot[i]]++] = i;
  for (int32_t k = slots; k > 0; k--) first[k] = first[k - 1];
  first[0] = 0;
}

/* Sorted spikes of one slot, as they are listed, through products. */
static int64_t add_slot(const snncc_instance *self, const snncc_projection *p,
                        const int32_t *product, const int32_t *spike, int32_t count, int32_t *v) {
  snncc_list list = {ints(self, self->model->list), ints(self, self->model->list_less), NULL, 0, 0,
                     0, 0};
  list.less[0] = SNNCC_END;
  const int32_t channels = p->from.channels;
  if (p->map == SNNCC_DENSE) {
    const int32_t out = snncc_size(p->to);
    for (int32_t i = 0; i < count; i++) list.row[i] = spike[i] * out;
    list.row[count] = SNNCC_END;
    if (count) add_32(v, product, 0, &list, out, out);
    return (int64_t)count * out;
  }
  const int32_t row = p->window.kernel_x * (p->to.channels / p->groups);
  int64_t operations = 0;
  for (int32_t i = 0; i < count;) {
    const int32_t position = spike[i] / channels, start = position * channels;
    list.plus = 0;
    for (; i < count && spike[i] < start + channels; i++)
      list.row[list.plus++] = (spike[i] - start) * row;
    list.row[list.plus] = SNNCC_END;
    operations += add_position_32(p, product, &list, list.plus, position / p->from.width,
                                  position % p->from.width, v);
  }
  return operations;
}

/* One to one: each spike times its own weight. */
static int64_t add_scaled(const snncc_instance *self, const snncc_projection *p,
                          const uint8_t *slot, int32_t *v) {
  const int32_t n = snncc_size(p->to), slots = self->model->slots;
  const int8_t *code = (const int8_t *)(self->weights + p->weights);
  const int32_t *offset = constants(self, p->offsets);
  const int32_t *magnitude = constants(self, p->magnitudes);
  int64_t spikes = 0;
  for (int32_t first = 0; first < n; first += p->period) {
    for (int32_t i = 0; i < p->period; i++) {
      if (slot[first + i] >= slots) continue;
      spikes++;
      int32_t product;
      multiply_some(p, magnitude, code + i, offset + i, slot[first + i] * p->spike_step, &product, 1);
      v[first + i] += product;
    }
  }
  return spikes;
}

static int pools(const snncc_model *model, const snncc_projection *p) {
  for (int32_t k = 0; k < p->moves; k++)
    if (model->move[p->first_move + k].kind == SNNCC_SUMPOOL) return 1;
  return 0;
}

/* As project, of all samples that run together. */
static void project_slots(snncc_instance *const *nets, int32_t count, int32_t n,
                          const snncc_projection *p) {
  const snncc_model *model = nets[0]->model;
  const snncc_node *node = &model->node[n], *source = &model->node[p->source];
  const int32_t slots = model->slots, is_input = source->kind == SNNCC_INPUT;
  if (is_input || pools(model, p)) {
    for (int32_t k = 0; k < (is_input ? model->planes : slots); k++) {
      const int32_t *product = NULL;
      for (int32_t b = 0; b < count; b++) send_phase(nets[b], n, p, k, &product);
    }
    return;
  }
  for (int32_t b = 0; b < count; b++) {
    const uint8_t *slot = view_slots(nets[b], p);
    if (p->map == SNNCC_SCALE)
      tally(nets[b], n)[1] += add_scaled(nets[b], p, slot, ints(nets[b], node->potential));
    else
      sort_slots(slot, snncc_size(p->from), slots, ints(nets[b], model->first_of_slot),
                 ints(nets[b], model->by_slot));
  }
  if (p->map == SNNCC_SCALE) return;
  for (int32_t k = 0; k < slots; k++) {
    const int32_t *product = NULL;
    for (int32_t b = 0; b < count; b++) {
      const int32_t *first = ints(nets[b], model->first_of_slot) + k;
      const int32_t spikes = first[1] - first[0];
      if (!spikes) continue;
      if (!product) product = multiply(nets[b], p, k * p->spike_step);
      tally(nets[b], n)[1] += add_slot(nets[b], p, product, ints(nets[b], model->by_slot) + *first,
                                       spikes, ints(nets[b], node->potential));
    }
  }
}

/* The slots of n neurons: thresholds descend, so those that v does not reach are the first ones. */
static SNNCC_INLINE int32_t fire_slots(const int32_t *v, const int32_t *threshold, int32_t slots,
                                       uint8_t *restrict spikes, const int32_t n) {
  int32_t slot[SNNCC_PASS] = {0}, sent = 0;
  for (int32_t k = 0; k < slots; k++)
    for (int32_t i = 0; i < n; i++) slot[i] += v[i] < threshold[k];
  for (int32_t i = 0; i < n; i++) {
    spikes[i] = (uint8_t)slot[i];
    sent += slot[i] < slots;
  }
  return sent;
}

/* One layer, of all samples that run together. */
SNNCC_WIDE
static void run_ttfs(snncc_instance *const *nets, int32_t count, int32_t n) {
  const snncc_node *node = &nets[0]->model->node[n];
  const int32_t size = snncc_size(node->shape), slots = nets[0]->model->slots;
  for (int32_t b = 0; b < count; b++)
    repeat(ints(nets[b], node->potential), constants(nets[b], node->bias), node->period, size);
  for (int32_t k = 0; k < node->projections; k++)
    project_slots(nets, count, n, &nets[0]->model->projection[node->first_projection + k]);
  if (node->kind == SNNCC_TTFS_READOUT) return;
  const int32_t *threshold = constants(nets[0], node->theta);
  for (int32_t b = 0; b < count; b++) {
    const int32_t *v = ints(nets[b], node->potential);
    uint8_t *spikes = (uint8_t *)bytes(nets[b], node->spikes);
    int32_t i = 0;
    for (; i + SNNCC_PASS <= size; i += SNNCC_PASS)
      tally(nets[b], n)[0] += fire_slots(v + i, threshold, slots, spikes + i, SNNCC_PASS);
    tally(nets[b], n)[0] += fire_slots(v + i, threshold, slots, spikes + i, size - i);
  }
}
