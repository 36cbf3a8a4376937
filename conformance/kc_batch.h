/*
 * kc_batch: record batches for checks: right ones, and ones that are wrong in one place.
 */
#ifndef CONFORMANCE_KC_BATCH_H
#define CONFORMANCE_KC_BATCH_H

#include "conformance/kc.h"
#include "lib/wire/batch_builder.h"

/* kc_wall_ms is the wall clock of this machine. */
int64_t kc_wall_ms(void);

/* kc_record makes a record of C strings; NULL is null. */
struct batch_builder_record kc_record(const char *key, const char *value, int64_t timestamp);

/* kc_batch builds one batch; the records' offsets are set to 0, 1, …. options NULL: the defaults.
 */
struct wire_bytes kc_batch(struct kc *kc, const struct batch_builder_options *options,
    const struct batch_builder_record *records, size_t count);

/* kc_batch_values is a plain batch of `count` records "<prefix>-<i>" of now. */
struct wire_bytes kc_batch_values(struct kc *kc, const char *prefix, size_t count);

/* kc_batch_timed has one record for each timestamp, its value the index. */
struct wire_bytes kc_batch_timed(struct kc *kc, const int64_t *timestamps, size_t count);

/* kc_batch_codec is a batch of `count` records of about 100 bytes, compressed. */
struct wire_bytes kc_batch_codec(struct kc *kc, enum compress_codec codec, size_t count);

/* kc_batch_sized is a batch of one record and exactly `size` bytes. */
struct wire_bytes kc_batch_sized(struct kc *kc, size_t size);

/* What an idempotent producer is. */
struct kc_producer {
    int64_t id;
    int16_t epoch;
};

/* kc_batch_sequence is a batch of a producer, `count` records from a sequence number on. */
struct wire_bytes kc_batch_sequence(
    struct kc *kc, const struct kc_producer *producer, int32_t sequence, size_t count);

/* Changed copies. kc_batch_put sets `width` (1, 2, 4, 8) bytes at a position (BATCH_VIEW_…_AT);
 * kc_batch_seal makes the CRC right again. */
struct wire_bytes kc_batch_put(
    struct kc *kc, struct wire_bytes batch, size_t at, size_t width, int64_t value);
struct wire_bytes kc_batch_seal(struct kc *kc, struct wire_bytes batch);
struct wire_bytes kc_batch_join(struct kc *kc, struct wire_bytes first, struct wire_bytes second);

#endif
