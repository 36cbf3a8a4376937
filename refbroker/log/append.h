/*
 * append: valid record batches into a partition of the wal path.
 *
 * The leader checks sequence numbers as Kafka does, assigns offsets, notes the producer, and hands
 * the batch to cache and WAL; it is visible and acknowledged only when the WAL says that it is
 * durable. The batch stays where it was received: offset and leader epoch are written into it.
 *
 * All functions run on the owner's thread and do not block.
 */
#ifndef REFBROKER_LOG_APPEND_H
#define REFBROKER_LOG_APPEND_H

#include "lib/wire/batch_validate.h"
#include "refbroker/broker.h"
#include "refbroker/log/wal.h"

/* What became of the records of one partition. record_errors is of intake's making. */
struct append_result {
    int16_t error;    /* Kafka's code; the rest is set for 0 */
    const char *text; /* for people, static; NULL: none */
    const struct batch_validate_record_error *record_errors;
    int32_t record_error_count;
    int64_t base_offset;
    int64_t end_offset;      /* acknowledge once the high watermark is here */
    int64_t log_append_time; /* -1: CreateTime; of a duplicate, that of the first attempt */
};

/* A producer's batch that is valid, in the form in which it is stored. */
struct append_batch {
    struct blob *blob; /* holds data */
    uint8_t *data;
    size_t size;
    int64_t log_append_time;   /* of a topic with LogAppendTime; -1: CreateTime */
    bool has_transactional_id; /* of the request */
};

/* append_client appends what a producer sent; it writes into the batch. */
void append_client(struct broker *broker, struct partition *partition,
    const struct append_batch *batch, struct append_result *result);

/* append_internal appends one batch that the broker built itself (offset commits, markers); it is
 * taken as valid. */
void append_internal(struct broker *broker, struct partition *partition, struct blob *blob,
    uint8_t *data, size_t size, struct append_result *result);

/* append_verbatim appends a mirrored batch that was checked, at its own offset above the log's end;
 * only its leader epoch is changed. */
struct mirror_result;
void append_verbatim(struct broker *broker, struct partition *partition, struct blob *blob,
    uint8_t *data, size_t size, struct mirror_result *result);

/* append_durable is the WAL's answer (wal_done_fn; arg is the broker): moves the high watermark and
 * wakes who waits, or stops the partition. */
void append_durable(void *arg, struct partition *partition, int64_t base_offset,
    int64_t last_offset, uint64_t sequence, enum wal_outcome outcome);

/* append_recovered is the WAL's finding at a start (wal_found_fn; arg is the broker). */
enum rc append_recovered(void *arg, const struct wal_found_batch *found, struct err *e);

/* Someone who waits until a partition's high watermark reaches end_offset. `done` gets 0, or the
 * code of what went wrong; the waiter is unlinked by then. */
struct append_waiter {
    struct list_node node;
    int64_t end_offset;
    int64_t base_offset;     /* coordinated path: what was assigned; -1 otherwise */
    int64_t log_append_time; /* with base_offset */
    const void *owner;       /* coordinated path: whose waiters leave together */
    void (*done)(struct broker *broker, struct append_waiter *waiter, int16_t error);
};

/* append_wait calls done at once where the high watermark is there already. */
void append_wait(struct broker *broker, struct partition *partition, struct append_waiter *waiter);

/* append_fail_waiters ends all waiters of a partition with an error. */
void append_fail_waiters(struct broker *broker, struct partition *partition, int16_t error);

#endif
