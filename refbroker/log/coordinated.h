/*
 * coordinated: the leaderless path: batches of many partitions collect in one file, the file
 * becomes an object, and the batch coordinator, a transaction of the database, decides about
 * offsets; then the producers are answered.
 *
 * A file is closed commit_interval_ms after its first batch or at commit_bytes. It is PUT first, so
 * that an offset is never promised for bytes that are not there; then one transaction walks its
 * batches in order: checks the producer's sequence, assigns the next offsets of the partition, and
 * records runs (neighbouring batches of a partition share one). Files are committed in the order in
 * which they were closed. The batches in the object keep the producers' offsets; readers put in the
 * real ones (reader.h).
 *
 * If the PUT or the transaction fails, every producer of the file is told KAFKA_STORAGE_ERROR, and
 * nothing of it is visible.
 */
#ifndef REFBROKER_LOG_COORDINATED_H
#define REFBROKER_LOG_COORDINATED_H

#include "refbroker/log/append.h"

struct coordinated *coordinated_new(struct broker *broker);
void coordinated_free(struct coordinated *coordinated);

/* coordinated_append adds a valid batch to the open file. result->error is 0 where it was taken:
 * waiter->done then follows with the offsets in the waiter; NULL where nobody waits. */
void coordinated_append(struct broker *broker, struct partition *partition,
    const struct append_batch *batch, struct append_waiter *waiter, struct append_result *result);

/* coordinated_forget makes the waiters of an owner that goes away unknown to the files that they
 * wait for. */
void coordinated_forget(struct coordinated *coordinated, const void *owner);

/* coordinated_tick closes the open file when it is time, or the broker stops, and returns when
 * (monotonic ms) it wants to be asked again. */
int64_t coordinated_tick(struct coordinated *coordinated);

/* coordinated_bytes returns the bytes of batches that are held until their file is committed. */
size_t coordinated_bytes(const struct coordinated *coordinated);

bool coordinated_is_idle(const struct coordinated *coordinated);

#endif
