/*
 * intake: the way of a producer's records to a valid batch in the form in which it is stored, the
 * same for both write paths; then it goes to append or coordinated.
 *
 * Validation reads every record, so it decompresses, and a topic with a compression.type of its own
 * compresses again. What is short is done at once, on the owner's thread; what is long goes to a
 * lane, which gets a reference to the frame, and the owner goes on:
 *
 *     short   nothing to decompress, or what the tick's rest of LIMIT_TICK_UNPACKED_BYTES allows,
 *             and records within the tick's rest of LIMIT_TICK_RECORDS
 *     long    everything else, and whatever has to be compressed
 *
 * The batches of a partition keep their order of arrival: all its long work goes to one lane, which
 * works in order, and while a batch of the partition is there, later ones follow it, short or not.
 *
 * A batch that was received is taken even if its connection, or the wait for it, has ended
 * meanwhile. What may have changed by then is looked at again: a deleted topic
 * (UNKNOWN_TOPIC_OR_PARTITION), one that is mirrored now (INVALID_TOPIC_EXCEPTION) or about to
 * be (NOT_LEADER_OR_FOLLOWER, with which producers try again), a stopped partition
 * (KAFKA_STORAGE_ERROR). The rules are the topic's as they were on arrival.
 */
#ifndef REFBROKER_LOG_INTAKE_H
#define REFBROKER_LOG_INTAKE_H

#include "refbroker/log/append.h"

/* Records of one batch may grow this much when they are decompressed for validation. */
#define INTAKE_UNCOMPRESSED_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* Records of one partition of a Produce request: `size` bytes at `data` inside `blob`. */
struct intake_ask {
    struct blob *blob;
    uint8_t *data;
    size_t size;
    int16_t produce_version;
    bool has_transactional_id; /* of the request */
};

struct intake;

/* Who wants to know what became of the records. It must live until `taken` or intake_forget. */
struct intake_waiter {
    struct intake *under_way; /* on a lane; NULL: not */
    /* Coordinated path: told of the commit once `taken` had no error; NULL: nobody is. */
    struct append_waiter *committed;
    /* Called once, perhaps inside intake_submit. The result's arrays live for the call only. */
    void (*taken)(
        struct broker *broker, struct intake_waiter *waiter, const struct append_result *result);
};

/* intake_open begins with the first tick; intake_close frees what decompression uses again and
 * again, once nothing is on a lane. */
void intake_open(struct broker *broker);
void intake_close(struct broker *broker);

/* intake_submit takes records for a partition; it may write into them. */
void intake_submit(struct broker *broker, struct partition *partition, const struct intake_ask *ask,
    struct intake_waiter *waiter);

/* intake_forget ends the interest of a waiter that goes away; without effect where nothing is under
 * way. */
void intake_forget(struct intake_waiter *waiter);

/* intake_tick begins a new tick, with its allowance of short work. */
void intake_tick(struct broker *broker);

#endif
