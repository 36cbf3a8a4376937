/*
 * producers: what a partition remembers of idempotent and transactional producers.
 *
 * For each producer id: its epoch, the last PRODUCERS_BATCHES batches (to recognise a retry and
 * answer it with the offset of the first attempt), and the first offset of its open transaction.
 * From these follow the last stable offset and the list of aborted transactions that a
 * read_committed fetch needs. One module serves both ways into a log: appends of producers, which
 * are checked, and mirrored or recovered batches, which are only noted.
 *
 * Rules: ProducerAppendInfo, ProducerStateManager and ProducerStateEntry of Kafka 4.3. Offsets are
 * noted when they are assigned; what is unstable depends on the owner's high watermark, since a
 * transaction counts as ended only when its marker is durable.
 *
 * Limits: `producers_max` producers; beyond it the one that was silent longest (without an open
 * transaction) is forgotten, and counted. The state can be saved and loaded as bytes. Not
 * thread-safe.
 */
#ifndef REFBROKER_LOG_PRODUCERS_H
#define REFBROKER_LOG_PRODUCERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define PRODUCERS_BATCHES 5
#define PRODUCERS_NO_EPOCH ((int16_t)-1)
#define PRODUCERS_NO_SEQUENCE (-1)

/* One batch as this module sees it; offsets are filled once they are assigned. */
struct producer_batch {
    int64_t producer_id;
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
    int32_t base_sequence;
    int32_t last_sequence;
    int16_t producer_epoch;
    bool is_transactional;
};

enum producer_verdict {
    PRODUCER_APPEND,       /* in order */
    PRODUCER_DUPLICATE,    /* one of the last batches again: answer with what is in `first` */
    PRODUCER_OUT_OF_ORDER, /* 45 */
    PRODUCER_FENCED,       /* 47: the epoch is older than the one known */
    PRODUCER_BAD_TXN, /* 48: plain batch inside the producer's open transaction, or a transactional
                         one outside its rules */
};

enum producer_marker_verdict {
    PRODUCER_MARKER_APPEND,
    PRODUCER_MARKER_FENCED,             /* 47: the marker's epoch is over */
    PRODUCER_MARKER_COORDINATOR_FENCED, /* 52: it comes from an older coordinator */
};

struct producer_first {
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
};

/* A transaction that was aborted: read_committed consumers skip its records in [first_offset,
 * last_offset]; last_offset is the marker's. */
struct aborted_txn {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset;
    int64_t last_stable_offset;
};

/* What DescribeProducers tells of one producer. */
struct producer_info {
    int64_t producer_id;
    int64_t last_timestamp;
    int64_t txn_first_offset; /* -1: none open */
    int64_t last_offset;      /* of its last batch; -1: none in this epoch */
    int32_t last_sequence;
    int32_t coordinator_epoch;
    int16_t producer_epoch;
};

struct producers;

struct producers *producers_new(size_t producers_max);
void producers_free(struct producers *producers);

/* producers_check judges a batch with a producer id before it gets offsets; `first` is filled for a
 * duplicate. Changes nothing. */
enum producer_verdict producers_check(const struct producers *producers,
    const struct producer_batch *batch, struct producer_first *first);

/* producers_note takes over a batch that is in the log now. */
void producers_note(struct producers *producers, const struct producer_batch *batch);

/* producers_note_marker ends the producer's transaction at `offset`; an abort is added to the
 * aborted list. */
void producers_note_marker(struct producers *producers, int64_t producer_id, int16_t producer_epoch,
    int32_t coordinator_epoch, int64_t offset, int64_t timestamp, bool commit);

/* producers_check_marker judges a marker before it gets an offset. With a transaction version of 2
 * its epoch has to be above the producer's (KIP-890, KIP-1228), or the same where nothing is open
 * or there is none above: then its coordinator sends it again, and it goes into the log again
 * (ProducerAppendInfo.checkProducerEpoch). */
enum producer_marker_verdict producers_check_marker(const struct producers *producers,
    int64_t producer_id, int16_t producer_epoch, int32_t coordinator_epoch, int16_t version);

/* producers_is_open tells whether a producer has an open transaction with this epoch,
 * producers_knows whether it is known at all. */
bool producers_is_open(
    const struct producers *producers, int64_t producer_id, int16_t producer_epoch);
bool producers_knows(const struct producers *producers, int64_t producer_id);

/* producers_first_unstable returns the first offset of the oldest transaction that is open or whose
 * marker lies at the high watermark or above; INT64_MAX where there is none. producers_settle
 * forgets the ended ones below. */
int64_t producers_first_unstable(const struct producers *producers, int64_t high_watermark);
void producers_settle(struct producers *producers, int64_t high_watermark);

/* producers_aborted walks the aborted transactions that touch [from, to): start with *position = 0;
 * false at the end. */
bool producers_aborted(const struct producers *producers, int64_t from, int64_t to,
    size_t *position, struct aborted_txn *out);

/* producers_next walks the producers in order of first appearance: start with *position = 0. */
bool producers_next(const struct producers *producers, size_t *position, struct producer_info *out);

size_t producers_count(const struct producers *producers);

/* producers_expire forgets producers without an open transaction whose last batch is older than
 * `before_ms`. */
void producers_expire(struct producers *producers, int64_t before_ms);

/* producers_trim forgets aborted transactions that end before the log start. Producers stay: their
 * state outlives their records (KIP-360). */
void producers_trim(struct producers *producers, int64_t log_start_offset);

/* producers_forget_aborted forgets the aborted transactions whose markers lie at these offsets
 * (ascending): the cleaner has taken the last of their records away, and fetches must not be told
 * of them once the markers go, too. */
void producers_forget_aborted(
    struct producers *producers, const int64_t *last_offsets, size_t count);

/* producers_save appends the state as bytes (version 1); producers_load replaces the state.
 * RC_CORRUPT for what was not saved by producers_save. */
void producers_save(const struct producers *producers, struct buf *out);
MUST_CHECK enum rc producers_load(
    struct producers *producers, const void *data, size_t size, struct err *e);

#endif
