/*
 * read: batches of a partition from an offset on, out of the cache or out of objects.
 *
 * Nothing is copied: the result is fragments of memory that the request holds until its reply is
 * sent. Only whole batches are given; the first may be larger than the limit if the caller says so
 * (KIP-74).
 */
#ifndef REFBROKER_LOG_READ_H
#define REFBROKER_LOG_READ_H

#include "refbroker/log/reader.h"

struct read_ask {
    int64_t offset; /* log_start_offset <= offset <= bound */
    int64_t bound;  /* nothing at or above it */
    int32_t bytes_max;
    bool one_at_least; /* give one batch even if it is larger than bytes_max */
};

struct read_result {
    const struct wire_fragment *fragments; /* in the request's arena */
    int32_t fragment_count;
    int32_t size;
    int64_t end_offset; /* behind the last batch given */
    bool from_cache;
};

/* read_batches fills result; READER_LOADING where an object has to be read first (waiter as in
 * reader_get), READER_FAILED with Kafka's code. Nothing to read is READER_READY with size 0. */
enum reader_state read_batches(struct broker *broker, struct request *request,
    struct partition *partition, const struct read_ask *ask, struct reader_waiter *waiter,
    struct read_result *result, int16_t *error);

/*
 * read_find_timestamp looks for the first record at or behind `from` and below `bound` with a
 * timestamp >= `timestamp`; *offset is -1 where there is none. States as read_batches.
 */
enum reader_state read_find_timestamp(struct broker *broker, struct partition *partition,
    int64_t timestamp, int64_t from, int64_t bound, struct reader_waiter *waiter, int64_t *offset,
    int64_t *found_timestamp, int16_t *error);

/*
 * read_find_batch is what the coordinated path knows of timestamps: the first batch whose largest
 * timestamp is >= `timestamp`, or with `largest` the one with the largest of all. *base_offset is
 * -1 where there is none.
 */
enum reader_state read_find_batch(struct broker *broker, struct partition *partition,
    int64_t timestamp, bool largest, struct reader_waiter *waiter, int64_t *base_offset,
    int64_t *last_offset, int64_t *max_timestamp, int16_t *error);

/* read_find_max_timestamp looks for the first record below `bound` that has the largest timestamp
 * of all; *offset is -1 in an empty log. */
enum reader_state read_find_max_timestamp(struct broker *broker, struct partition *partition,
    int64_t bound, struct reader_waiter *waiter, int64_t *offset, int64_t *timestamp,
    int16_t *error);

#endif
