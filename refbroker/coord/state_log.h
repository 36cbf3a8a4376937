/*
 * state_log: the log in which a coordinator keeps its state.
 *
 * Such a log is one of Kafka's internal topics (meta/internal_topics.def) of the wal path, with
 * Kafka's own records, so that existing tools can read it. What concerns one id lies in one
 * partition, which Java's hash of the id names. A change is appended and takes effect when it is
 * durable; at a start the whole log is read back, where the last record of a key wins.
 *
 * All functions run on the owner's thread; only state_log_read, which is for a start, blocks.
 */
#ifndef REFBROKER_COORD_STATE_LOG_H
#define REFBROKER_COORD_STATE_LOG_H

#include "lib/wire/batch_records.h"
#include "refbroker/broker.h"
#include "refbroker/log/append.h"

#define STATE_LOG_BATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* One record to append. Views; a value of size -1 is a tombstone. */
struct state_log_record {
    const uint8_t *key;
    const uint8_t *value;
    int32_t key_size;
    int32_t value_size;
};

/* One record that was read, with the batch that it lies in; a control batch's is a marker. */
struct state_log_entry {
    int32_t partition;
    const struct batch_view *batch;
    const struct batch_records_record *record;
};

/* Takes a record; false where it is none that the reader knows. */
typedef bool state_log_fn(void *arg, const struct state_log_entry *entry);

/* state_log_ready tells whether the topic is there; it starts making it where it is not. */
bool state_log_ready(struct broker *broker, const char *topic);

/* state_log_partition_among is the partition of an id among `count`: Java's hash of it without
 * its sign (Utils.abs), modulo. */
int32_t state_log_partition_among(const char *id, int32_t count);

/* state_log_partition_of is the partition of an id in the topic as it is: a client may have made it
 * with another count than the settings say, which hold where the topic is still missing. */
int32_t state_log_partition_of(const struct broker *broker, const char *topic, const char *id);

/*
 * state_log_append appends records as one batch to a partition; waiter->done is called when they
 * are durable, or cannot be (at once or later), and waiter->end_offset is the offset behind the
 * last of them. With a producer id the batch is part of that producer's transaction; -1 is none.
 */
void state_log_append(struct broker *broker, const char *topic, int32_t partition,
    const struct state_log_record *records, size_t count, int64_t producer_id,
    int16_t producer_epoch, struct append_waiter *waiter);

/* The two halves of it, for whoever has to know first whether the log takes the records. They call
 * nobody back. */

/* state_log_put appends, and sets *base_offset to the place of the first record; 0, or 10 or 15,
 * and then nothing is appended. state_log_wait has waiter->done called when all that was appended
 * to the partition so far is durable, or cannot be (at once or later). */
MUST_CHECK int16_t state_log_put(struct broker *broker, const char *topic, int32_t partition,
    const struct state_log_record *records, size_t count, int64_t producer_id,
    int16_t producer_epoch, int64_t *base_offset);
void state_log_wait(
    struct broker *broker, const char *topic, int32_t partition, struct append_waiter *waiter);

/* state_log_read gives all records to fn, each partition's in their order; what fn does not know is
 * counted and logged. */
MUST_CHECK enum rc state_log_read(
    struct broker *broker, const char *topic, state_log_fn *fn, void *arg, struct err *e);

#endif
