/*
 * cluster_fan: one question about many things, asked of the right brokers at the same time.
 *
 * A fan has items: partitions, groups, topics, whatever the caller counts. For each item the caller
 * names a target (leader, coordinator, a broker, any); the fan finds out which broker that is, lets
 * the caller put as many items of one broker as it likes into one request, keeps several requests
 * per broker under way, and hands the answers back. Every item ends exactly once, in
 * cluster_fan_done_fn, by itself: one failure never hides the others.
 *
 * An item may also be asked again and again (a Fetch of a mirror): its parse function calls
 * cluster_fan_again or cluster_fan_park instead of cluster_fan_settle.
 *
 * Failures. A retriable error code, or a connection that breaks, sends the item round once more (or
 * `retries` times): after a pause that doubles each time, and with fresh metadata or a fresh
 * coordinator. A broker that does not answer in time costs one deadline, not one per item: whatever
 * still waits for that broker ends with the same RC_TIMEOUT, and so it is with a refused login or
 * an API that it does not have. With retries of CLUSTER_FAN_FOR_EVER neither broken connections nor
 * silence nor retriable codes end an item, only deadline_us does: for a mirror that outlives its
 * clusters' bad hours.
 *
 * Budgets: deadline_us for the whole, batch_timeout_ms for one answer, bytes_max of answers.
 * Throttling is the connections' business (conn.h).
 *
 * Callbacks come from the loop; the fan may be freed in any of them. Not thread-safe.
 */
#ifndef LIB_KAFKA_CLUSTER_FAN_H
#define LIB_KAFKA_CLUSTER_FAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/kafka/conn_reply.h"
#include "lib/wire/desc.h"

#define CLUSTER_FAN_BATCHES_PER_BROKER 4
#define CLUSTER_FAN_FOR_EVER 255U
#define CLUSTER_FAN_REQUEST_BYTES_MAX ((size_t)64 << 20) /* of memory for one request */

struct cluster;
struct cluster_fan;

enum cluster_target_kind {
    CLUSTER_ANY,         /* any broker, in turn */
    CLUSTER_CONTROLLER,  /* the controller that Metadata names */
    CLUSTER_BROKER,      /* by id */
    CLUSTER_LEADER,      /* of a partition */
    CLUSTER_GROUP,       /* the coordinator of a group, */
    CLUSTER_TRANSACTION, /* of a transactional id, */
    CLUSTER_SHARE,       /* of a share partition */
};

struct cluster_target {
    enum cluster_target_kind kind;
    const char *name; /* topic, group, ...; must stay as long as the fan */
    int32_t number;   /* partition, or id of a broker */
};

/* One request and its items. */
struct cluster_fan_batch {
    struct cluster_fan *fan;
    const uint32_t *items; /* numbers of items, 0 to item_count - 1 */
    size_t count;
    int32_t broker;
    int16_t version; /* in which it is sent */
    void *request;   /* the struct of api->request, with defaults; valid until the answer came */
    struct arena *arena;
    const void *response; /* the struct of api->response */
    struct conn_reply *reply;
};

/* Where an item has to go. */
typedef void cluster_fan_target_fn(void *arg, uint32_t item, struct cluster_target *out);

/* Fills batch->request for the first items of the batch, all if it can, and returns how many these
 * are (at least 1); the others come in a later batch. Memory from batch->arena; where that is full,
 * the items that were offered end with RC_LIMIT, whatever is returned. */
typedef size_t cluster_fan_build_fn(void *arg, struct cluster_fan_batch *batch);

/* Reads batch->response and calls cluster_fan_settle, _again or _park for each item. One for which
 * it calls none ends with RC_PROTOCOL: the answer does not mention it. */
typedef void cluster_fan_parse_fn(void *arg, struct cluster_fan_batch *batch);

/* The end of an item: RC_OK; RC_REMOTE and an error code of Kafka's; or another code, which e
 * explains. */
typedef void cluster_fan_done_fn(
    void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e);

/* The item goes round once more, because of e. */
typedef void cluster_fan_retry_fn(void *arg, uint32_t item, const struct err *e);

/* All items have ended. */
typedef void cluster_fan_end_fn(void *arg);

struct cluster_fan_spec {
    const struct wire_api *api;
    const struct wire_range *wanted; /* versions; NULL: any */
    uint32_t item_count;
    cluster_fan_target_fn *target;
    cluster_fan_build_fn *build;
    cluster_fan_parse_fn *parse;
    cluster_fan_done_fn *done;   /* may be NULL */
    cluster_fan_end_fn *end;     /* may be NULL */
    cluster_fan_retry_fn *retry; /* may be NULL */
    void *arg;

    size_t batch_items_max;    /* 0: no limit */
    size_t batches_per_broker; /* 0: CLUSTER_FAN_BATCHES_PER_BROKER */
    unsigned retries;          /* 0: one; CLUSTER_FAN_FOR_EVER or more: no end */
    bool no_retry;
    bool aside; /* over a connection of its own to each broker, which answers the requests of one
                   connection one after the other: what takes it long holds up nothing else then */
    int64_t deadline_us;      /* on the loop's clock; 0: none */
    int64_t batch_timeout_ms; /* 0: the configuration's request timeout */
    size_t bytes_max;         /* 0: no limit */
};

/* cluster_fan_start begins. */
struct cluster_fan *cluster_fan_start(struct cluster *cluster, const struct cluster_fan_spec *spec);

/* cluster_fan_free ends all at once, without further callbacks; NULL is accepted. */
void cluster_fan_free(struct cluster_fan *fan);

/* For parse: whether the answer owes something about this item. An answer may speak twice of the
 * same thing, or of what nobody asked: parse asks before it believes it. The three functions below
 * do nothing where it is false. */
bool cluster_fan_is_asked(const struct cluster_fan *fan, uint32_t item);

/* For parse: how an item of the batch fared. A code other than NONE ends it, or sends it round once
 * more. */
void cluster_fan_settle(struct cluster_fan *fan, uint32_t item, int16_t code);

/* For parse: the item is to be asked for again at once, or after cluster_fan_wake. */
void cluster_fan_again(struct cluster_fan *fan, uint32_t item);
void cluster_fan_park(struct cluster_fan *fan, uint32_t item);

/* cluster_fan_wake asks for a parked item again, or for one that has ended, whose broker gets
 * another chance then. Without effect on any other. */
void cluster_fan_wake(struct cluster_fan *fan, uint32_t item);

/* cluster_fan_is_over tells whether all items have ended. */
bool cluster_fan_is_over(const struct cluster_fan *fan);

struct cluster_fan_stats {
    uint64_t batches;
    uint64_t retries;  /* items that went round once more */
    uint64_t bytes_in; /* of answers */
    uint32_t done;     /* items that have ended, */
    uint32_t failed;   /* and those not with RC_OK */
};

const struct cluster_fan_stats *cluster_fan_stats(const struct cluster_fan *fan);

#endif
