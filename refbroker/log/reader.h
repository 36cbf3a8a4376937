/*
 * reader: runs of objects, brought into memory.
 *
 * reader_get answers at once: the run's bytes are here, or they are being fetched on a lane that reads,
 * or they cannot be had. Whoever waits leaves a reader_waiter and is called once the load has
 * ended; then it asks again. What was read is kept for a while (LIMIT_READ_CACHE_BYTES_MAX, least
 * recently used first out), and the run behind it is fetched ahead. No more than the same amount is
 * on its way at once; what is asked for beyond that waits.
 *
 * Who needs several runs must not wait until all are here together, since they may never be: take
 * each when it comes.
 *
 * Every run is held against its checksum: a damaged one answers CORRUPT_MESSAGE for its partition,
 * and nothing else suffers. Batches of coordinated topics get their offsets (and LogAppendTime)
 * here.
 */
#ifndef REFBROKER_LOG_READER_H
#define REFBROKER_LOG_READER_H

#include "refbroker/broker.h"

struct reader_waiter {
    struct list_node node;
    struct list *waits_in; /* NULL: waits for nothing */
    void (*ready)(struct broker *broker, struct reader_waiter *waiter);
};

enum reader_state { READER_READY, READER_LOADING, READER_FAILED };

struct reader *reader_new(struct broker *broker, size_t bytes_max);

/* reader_free frees; no load may be under way. */
void reader_free(struct reader *reader);

/*
 * reader_get looks for a run. READY: *blob is its bytes, to be kept with blob_ref beyond this tick.
 * LOADING: waiter (may be NULL) is called once; it must leave with reader_leave if it goes away
 * earlier. FAILED: *error is Kafka's code; asking again after a second tries anew.
 */
enum reader_state reader_get(struct reader *reader, struct partition *partition,
    const struct run *run, struct reader_waiter *waiter, struct blob **blob, int16_t *error);

/* reader_leave takes a waiter out of the load that it waits for; without effect when it waits for
 * none. */
void reader_leave(struct reader_waiter *waiter);

/* reader_read reads a run's bytes from the store, on any lane, and holds them against the checksum:
 * RC_CORRUPT. Offsets of coordinated runs are as the producers wrote them. */
MUST_CHECK enum rc reader_read(
    struct store *store, const struct run *run, uint8_t *data, struct err *e);

/* reader_key writes the store's key of an object. */
#define READER_KEY_BYTES 40
void reader_key(char out[READER_KEY_BYTES], int64_t object_id);

/* reader_key_parse is the way back; false for a key that reader_key does not write. */
bool reader_key_parse(const char *key, int64_t *object_id);

#endif
