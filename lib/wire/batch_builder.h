/*
 * batch_builder: record batches of format v2, made record by record.
 *
 * The builder collects the encoded records and writes the batch at the end. It is used again with
 * batch_builder_start and keeps its memory; batch_builder_fini frees it.
 */
#ifndef LIB_WIRE_BATCH_BUILDER_H
#define LIB_WIRE_BATCH_BUILDER_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/wire/batch_view.h"

/* The header; batch_builder_defaults fills it in. */
struct batch_builder_options {
    int64_t base_offset;
    int64_t producer_id;       /* BATCH_VIEW_NONE: none */
    int64_t append_time_ms;    /* not BATCH_VIEW_NONE: the type is LogAppendTime */
    int64_t delete_horizon_ms; /* not BATCH_VIEW_NONE: KIP-534 */
    enum compress_codec codec;
    int32_t base_sequence;
    int32_t leader_epoch;
    int16_t producer_epoch;
    bool transactional;
    bool control;
};

struct batch_builder_header {
    const void *key;
    const void *value; /* NULL: null */
    int32_t key_size;
    int32_t value_size;
};

/* A record to append: a key or value of NULL is null. */
struct batch_builder_record {
    int64_t offset;
    int64_t timestamp;
    const void *key;
    const void *value;
    const struct batch_builder_header *headers;
    int32_t key_size;
    int32_t value_size;
    int32_t header_count;
};

struct batch_builder {
    struct batch_builder_options options;
    struct buf records;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t last_offset;
    int32_t record_count;
};

/* batch_builder_defaults are those of a plain batch: base offset 0, no producer, leader epoch -1,
 * CreateTime, no compression. */
struct batch_builder_options batch_builder_defaults(void);

/* batch_builder_init prepares a builder for batches of at most size_max bytes before compression;
 * batch_builder_start begins the next batch. */
void batch_builder_init(struct batch_builder *builder, size_t size_max);
void batch_builder_fini(struct batch_builder *builder);
void batch_builder_start(
    struct batch_builder *builder, const struct batch_builder_options *options);

/* batch_builder_append adds a record, whose offset must be above the last one's (or the base offset
 * at first). RC_LIMIT where it does not fit, RC_CONFLICT for a wrong offset; both add nothing. */
MUST_CHECK enum rc batch_builder_append(
    struct batch_builder *builder, const struct batch_builder_record *record, struct err *e);

/* batch_builder_size returns the size of the batch so far, before compression. */
size_t batch_builder_size(const struct batch_builder *builder);

/* batch_builder_reach makes `offset` the batch's last one, as compaction does when it takes away
 * the last record and keeps the range. Without any record that gives an empty batch. RC_CONFLICT
 * for an offset below the last one or too far off. */
MUST_CHECK enum rc batch_builder_reach(
    struct batch_builder *builder, int64_t offset, struct err *e);

/* batch_builder_finish appends the batch to out. RC_LIMIT where out is full, RC_CONFLICT where
 * there is neither a record nor a last offset. */
MUST_CHECK enum rc batch_builder_finish(
    struct batch_builder *builder, struct buf *out, struct err *e);

/* A marker that ends a transaction in one partition (KIP-98). */
struct batch_builder_marker {
    int64_t base_offset;
    int64_t producer_id;
    int64_t timestamp;
    int32_t leader_epoch;
    int32_t coordinator_epoch;
    int16_t producer_epoch;
    bool commit; /* or abort */
};

/* batch_builder_marker appends the control batch of a marker to out; RC_LIMIT where that is full.
 */
MUST_CHECK enum rc batch_builder_marker(
    const struct batch_builder_marker *marker, struct buf *out, struct err *e);

#endif
