/*
 * broker_world: a whole broker in one thread, on a disk that can lose its power, with a clock that
 * only the world moves and lanes whose order the seed decides.
 *
 * A client inside the world produces batches, each with a number of its own in its first record, to
 * the partitions of a wal topic and of a coordinated topic, and remembers which were acknowledged
 * at which offset. After a crash and a new start the world reads everything back and compares: what
 * was acknowledged is there, at its offset, once, in the order in which it was sent.
 *
 * Both topics have compression.type=lz4, so that batches which come uncompressed go by a lane.
 *
 * Functions that return text return NULL, or what went wrong (static or in the world).
 */
#ifndef TESTS_SIM_BROKER_WORLD_H
#define TESTS_SIM_BROKER_WORLD_H

#include "lib/base/disk.h"
#include "lib/base/env.h"
#include "refbroker/broker.h"

#define BROKER_WORLD_PARTITIONS 3 /* of each topic */

struct broker_world_record {
    int64_t offset; /* acknowledged, or read by a check, here; -1: neither */
    int partition;  /* 0..2 of the wal topic, 3..5 of the coordinated one */
    int16_t error;  /* answered; 0 otherwise */
    int32_t correlation;
};

/* How batches are made. */
struct broker_world_make {
    int codec;          /* enum compress_codec; -1: none or lz4, at random */
    size_t value_bytes; /* of the record with the number, at least 8 */
    int32_t fillers;    /* empty records behind it */
    int64_t timestamp;
    int16_t acks;
    bool noise;   /* values that no codec makes smaller */
    bool damaged; /* the CRC is wrong */
};

struct broker_world {
    struct env env;  /* the world's dice */
    struct env time; /* the broker's clock and dice */
    struct disk *disk;
    struct work *work;
    struct broker *broker; /* NULL while it is down */
    struct client *client;
    bool closed;         /* the broker has closed the client's connection */
    struct buf received; /* replies that nobody has read */
    int32_t correlation;
    struct broker_world_record *records; /* by number */
    size_t record_count;
    size_t record_capacity;
    size_t acked_count;
    size_t refused_counts[128]; /* answers by their error code */
    size_t starts;
    struct broker_world_make make;
    size_t read_cache_bytes;     /* of the next start; 0: the broker's default */
    size_t upload_object_bytes;  /* of the next start; 0: the broker's default */
    int64_t cleaner_backoff_ms;  /* of the next start; 0: the broker's default */
    bool client_metrics;         /* of the next start */
    const char *const *settings; /* of the next start: "name=value", then NULL; NULL: none */
    int only_partition;          /* records go here only; -1: anywhere */
    char text[256];
};

void broker_world_init(struct broker_world *world, uint64_t seed);
void broker_world_fini(struct broker_world *world);

/* broker_world_start opens the broker; the first start makes the topics. */
const char *broker_world_start(struct broker_world *world);

/* broker_world_run produces `count` records while lanes and clock go on at random; it ends early
 * when the disk has stopped. */
void broker_world_run(struct broker_world *world, size_t count);

/* broker_world_produce sends one batch to a partition and lets nothing else happen; the number
 * comes back. broker_world_acks takes the answers that are there. */
size_t broker_world_produce(struct broker_world *world, int partition);
void broker_world_acks(struct broker_world *world);

/*
 * broker_world_ask sends any request, whose correlation id comes back; broker_world_reply decodes
 * the next reply into the arena, false where there is none; broker_world_call does both and lets
 * things happen meanwhile, false where the disk stops before the answer.
 */
int32_t broker_world_ask(
    struct broker_world *world, int16_t key, int16_t version, const void *body);
bool broker_world_reply(struct broker_world *world, int16_t key, int16_t version,
    struct arena *arena, void *out, int32_t *correlation);
bool broker_world_call(struct broker_world *world, int16_t key, int16_t version, const void *body,
    struct arena *arena, void *out);

/* broker_world_reconnect breaks the client's connection and makes a new one. */
void broker_world_reconnect(struct broker_world *world);

/* broker_world_partition returns the broker's partition behind 0..5. */
struct partition *broker_world_partition(const struct broker_world *world, int partition);

/* broker_world_crash ends the broker as it is; what was on its way fails. The power itself is the
 * caller's (disk_cut_power, disk_cut_kill). */
void broker_world_crash(struct broker_world *world);

/* broker_world_rest lets lanes and clock go on for a while without new records. */
void broker_world_rest(struct broker_world *world, int steps);

/* broker_world_lanes lets lanes and broker go on until they have nothing to do; no time passes. */
void broker_world_lanes(struct broker_world *world);

/* broker_world_fetch_code reads one partition from its start and returns the error code of the
 * first answer that has one, 0 where all of it can be read. */
int16_t broker_world_fetch_code(struct broker_world *world, int partition);

/* broker_world_check reads all partitions and compares. */
const char *broker_world_check(struct broker_world *world);

#endif
