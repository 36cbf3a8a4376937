/*
 * raw: what the load generators share: connections, and Produce requests that are built before.
 *
 * A load generator is to cost as little as it can, so that the machine is the broker's. It knows
 * one broker, and no leaders. Whatever it cannot have (a connection, memory) ends the program with
 * a line.
 */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/env.h"
#include "lib/wire/compress.h"
#include "lib/wire/desc.h"

#define RAW_BYTES_MAX ((size_t)256 * 1024 * 1024) /* of a request, of an answer */
#define RAW_PRODUCE_VERSION 9

/* raw_try_dial returns a blocking connection, or -1; raw_dial ends the program instead. */
int raw_try_dial(const char *host, const char *port);
int raw_dial(const char *host, const char *port);

/* raw_unblock makes a connection non-blocking. */
void raw_unblock(int fd);

/* raw_value_make fills a record's value with chance; with a codec such that it becomes much
 * smaller.
 */
void raw_value_make(struct env *env, enum compress_codec codec, uint8_t *value, size_t size);

/* A Produce request of acks=all with one batch for each of these partitions. */
struct raw_produce {
    const char *topic;
    int32_t first_partition;
    int32_t partitions;
    size_t batch_bytes;        /* at most, before compression, but one record at least */
    enum compress_codec codec; /* of the values, too */
};

/* raw_produce_make appends the request to out and returns the bytes of its batches. */
size_t raw_produce_make(struct env *env, const struct raw_produce *produce, struct buf *out);

/* raw_produce_error returns KE_NONE where an answer (without its length) acknowledges so many
 * partitions, else an error of one of them; KE_UNKNOWN_SERVER_ERROR for an answer that is none. */
int16_t raw_produce_error(const uint8_t *frame, size_t size, int32_t partitions);

/* raw_exchange sends a request over a blocking connection and returns the answer without its
 * length, in the arena's memory; NULL where none comes. */
const uint8_t *raw_exchange(int fd, const struct buf *request, struct arena *arena, size_t *size);

/* raw_ask encodes and sends a request over a blocking connection and decodes the answer, whose
 * memory is the arena's; false where the connection ends or the answer cannot be read. */
bool raw_ask(int fd, const struct wire_api *api, int16_t version, const void *request,
    struct arena *arena, void *response);

#endif
