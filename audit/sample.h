/*
 * sample: which parts of a partition's log are read, and what the batches there say.
 *
 * A budget of bytes is shared out so that small partitions are read whole and the large ones get
 * equal parts. A partition that is larger than its part is read in SAMPLE_SLICES_MAX slices at
 * most, spread evenly from its head to its tail. Batches are looked at by their headers; the
 * records of compacted topics are decompressed, too, to see whether keys repeat.
 */
#ifndef AUDIT_SAMPLE_H
#define AUDIT_SAMPLE_H

#include "audit/inventory.h"
#include "lib/base/buf.h"
#include "lib/wire/batch_view.h"

#define SAMPLE_SLICES_MAX 8
/* A batch this much older than one before it is out of order; less is clocks and retries. */
#define SAMPLE_BACKWARDS_MS 60000

#define SAMPLE_SLICE_BYTES 32768U /* no slice is planned smaller, unless the budget is */

struct sample_slice {
    int64_t from;
    int64_t to; /* where the next begins */
    uint64_t bytes_max;
};

struct sample_plan {
    struct sample_slice slices[SAMPLE_SLICES_MAX];
    uint32_t count;
};

/* A partition that may be read. */
struct sample_candidate {
    uint32_t partition; /* its number */
    uint32_t topic;
    bool is_decided; /* what matters most about its topic is known without */
    uint32_t rank;   /* sample_order's own */
};

/* sample_order puts first what a budget is to be spent on first: a partition of each topic before
 * the second of any, and those of topics that are not decided before the others. Candidates come
 * sorted by topic. */
void sample_order(struct sample_candidate *candidates, uint32_t count);

/* sample_share sets parts[i] to the bytes that may be read of partition i, whose sizes are known or
 * -1; count of both. */
void sample_share(const int64_t *sizes, uint64_t *parts, uint32_t count, uint64_t bytes_max);

/* sample_plan_make plans to read at most about `part` bytes of [from, to), whose size is known or
 * -1. No slices for an empty range or no bytes. */
void sample_plan_make(
    struct sample_plan *plan, int64_t from, int64_t to, int64_t size, uint64_t part);

/* Reads the batches of one partition in the order of their offsets. */
struct sample_reader {
    struct audit_sample *sample;
    struct map keys; /* hashes; only with records */
    bool with_records;
    int64_t newest_ms;       /* of the slice */
    int64_t expected_offset; /* of the next batch; -1: unknown, a slice begins */
    struct buf scratch;
};

/* sample_add adds what was read of a partition to what was read of its topic. */
void sample_add(struct audit_sample *topic, const struct audit_sample *partition);

void sample_reader_init(
    struct sample_reader *reader, struct audit_sample *sample, bool with_records);
void sample_reader_fini(struct sample_reader *reader);

/* sample_reader_slice says that what comes next does not follow what was read; from -1, or the
 * offset at which a log begins. */
void sample_reader_slice(struct sample_reader *reader, int64_t from);

/* sample_reader_take counts one batch. RC_CORRUPT for one that cannot be read. */
MUST_CHECK enum rc sample_reader_take(
    struct sample_reader *reader, const struct batch_view *batch, struct err *e);

/* sample_program returns the program whose state has keys like this, or NULL. */
const char *sample_program(const uint8_t *key, int32_t size);

#endif
