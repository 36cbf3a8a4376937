/*
 * wal_rig: a WAL on a disk that can lose its power, and a judge who knows what was acknowledged.
 *
 * The rig appends batches of random size and content to a few partitions, lets the lane take single
 * steps, trims, crashes and starts again. At each start it compares what recovery finds with what
 * was promised:
 *
 * - a batch that was reported durable, or that an earlier start has found, is there byte for byte,
 *   unless it was trimmed;
 * - what is there was appended, and in that order; within a partition nothing stands behind a batch
 *   that is missing;
 * - what an earlier start did not find stays away.
 *
 * Functions that return text return NULL, or what went wrong (static).
 */
#ifndef TESTS_UNIT_REFBROKER_LOG_WAL_RIG_H
#define TESTS_UNIT_REFBROKER_LOG_WAL_RIG_H

#include "lib/base/env.h"
#include "refbroker/log/cache.h"
#include "refbroker/log/wal.h"
#include "refbroker/log/wal_index.h"
#include "refbroker/meta/topics.h"
#include "tests/sim/disk_cut.h"

#define WAL_RIG_PARTITIONS 5
#define WAL_RIG_FILE_BYTES ((size_t)32 * 1024)

enum wal_rig_state {
    WAL_RIG_SENT,    /* no promise yet */
    WAL_RIG_DURABLE, /* promised */
    WAL_RIG_GONE,    /* a start did not find it */
};

struct wal_rig_batch {
    size_t size;
    int partition;
    enum wal_rig_state state;
    uint64_t sequence; /* 0: none known */
    bool found;        /* by the last start */
    struct blob *blob; /* that the last start found it in, until that is read; or NULL */
    const uint8_t *data;
};

struct wal_rig {
    struct disk *disk;
    struct work *work;
    struct wal *wal; /* NULL between a crash and the next start */
    struct env env;
    struct cache cache;
    struct topic topic;
    struct partition *partitions[WAL_RIG_PARTITIONS];
    struct wal_rig_batch *batches; /* by id: 0, 1, 2... in the order of the appends */
    size_t batch_count;
    size_t batch_capacity;
    size_t found_next; /* ids below were passed by the start that is under way */
    size_t found_count;
    size_t index_bytes_max; /* 0: files get no index */
    bool leaves_loads;      /* a start does not wait until all is read */
    size_t heads_count;     /* batches of which a start knew only the head, of all starts */
    uint64_t trimmed;       /* sequences up to this one need not be found */
    uint64_t sequence_max;  /* of all promises */
    size_t durable_count, lost_count, starts;
    const char *wrong; /* noticed inside a callback */
};

/* wal_rig_new makes a rig with an empty disk; the seed decides sizes, contents and losses. */
struct wal_rig *wal_rig_new(uint64_t seed);
void wal_rig_free(struct wal_rig *rig);

/* wal_rig_setup and wal_rig_teardown are those of tests that want a rig that has started: *state.
 */
int wal_rig_setup(void **state);
int wal_rig_teardown(void **state);

/* wal_rig_start opens the WAL and judges what it found; wal_rig_open does so and leaves an error of
 * wal_open to the caller. */
const char *wal_rig_start(struct wal_rig *rig);
enum rc wal_rig_open(struct wal_rig *rig, const char **wrong, struct err *e);

/* wal_rig_append appends a batch of `size` bytes (0: a random size). */
void wal_rig_append(struct wal_rig *rig, int partition, size_t size);

/* wal_rig_settle flushes and runs until nothing more happens. */
void wal_rig_settle(struct wal_rig *rig);

/* wal_rig_write_groups makes `count` groups of one batch each durable and ends the process. */
void wal_rig_write_groups(struct wal_rig *rig, int count, size_t batch_bytes);

/* wal_rig_trim lets what was promised up to `sequence` be forgotten. */
void wal_rig_trim(struct wal_rig *rig, uint64_t sequence);

/* wal_rig_play does `moves` random things; it ends early where the disk stops. */
void wal_rig_play(struct wal_rig *rig, size_t moves);

/* wal_rig_crash ends the process, and the power with it if asked. */
void wal_rig_crash(struct wal_rig *rig, bool power);

/* wal_rig_stop ends the process in good order. */
void wal_rig_stop(struct wal_rig *rig);

#endif
