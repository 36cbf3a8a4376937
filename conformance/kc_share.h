/*
 * kc_share: members of share groups (KIP-932), what they acquire and what they say of it.
 *
 * A member has a connection of its own to the leader of its partition, since its session ends with
 * that. Errors of the protocol are returned as they are, unless a function's name says what it
 * asserts.
 */
#ifndef CONFORMANCE_KC_SHARE_H
#define CONFORMANCE_KC_SHARE_H

#include "conformance/kc_fetch.h"
#include "conformance/kc_group.h"

enum kc_share_type {
    KC_SHARE_GAP = 0,
    KC_SHARE_ACCEPT = 1,
    KC_SHARE_RELEASE = 2,
    KC_SHARE_REJECT = 3,
    KC_SHARE_RENEW = 4
};

enum { KC_SHARE_FIRST = 0, KC_SHARE_LAST = -1 }; /* epochs that are special */

#define KC_SHARE_PARTITIONS_MAX 8

struct kc_sharer {
    const struct kc_group *group;
    const struct kc_topic *topic;
    int32_t partition;
    const char *id;
    struct link *link;
    int32_t epoch;                          /* of the membership */
    int32_t session_epoch;                  /* of the next request */
    bool assigned[KC_SHARE_PARTITIONS_MAX]; /* partitions of the topic */
};

/* kc_share_group makes a group that begins at the start of its topics. Preparation. */
struct kc_group *kc_share_group(struct kc *kc);

/* kc_sharer_new makes a member that has not joined, of partition 0. */
struct kc_sharer kc_sharer_new(
    struct kc *kc, const struct kc_group *group, const struct kc_topic *topic);

/* kc_share_heartbeat sends one with an epoch and the topic. kc_share_beat is one that must be
 * taken, and takes what it assigns. kc_share_join joins, and waits until partition 0 is assigned;
 * kc_share_leave leaves. */
const struct km_share_group_heartbeat_response *kc_share_heartbeat(
    struct kc *kc, const struct kc_sharer *sharer, int32_t epoch);
const struct km_share_group_heartbeat_response *kc_share_beat(
    struct kc *kc, struct kc_sharer *sharer);
void kc_share_join(struct kc *kc, struct kc_sharer *sharer);
void kc_share_leave(struct kc *kc, const struct kc_sharer *sharer);

/* What is said of offsets first to last. */
struct kc_share_said {
    int64_t first;
    int64_t last;
    int8_t type;
};

struct kc_share_ask {
    int16_t version_max;
    int32_t epoch; /* of the session */
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    int32_t max_records;
    int32_t batch_size;
    int8_t mode; /* 0: batch-optimized, 1: record-limit */
    bool renews;
    const struct kc_share_said *said;
    size_t said_count;
};

/* kc_share_defaults is the member's next request, which returns at once and takes what it gets. */
struct kc_share_ask kc_share_defaults(const struct kc_sharer *sharer);

/* kc_share_fetch sends a ShareFetch; the session goes on where the answer has no error on top. */
const struct km_share_fetch_response *kc_share_fetch(
    struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask);

/* kc_share_part is the member's partition in an answer, or NULL. */
const struct km_share_fetch_response_partition_data *kc_share_part(
    const struct kc_sharer *sharer, const struct km_share_fetch_response *response);

/* A run of offsets that a member has. */
struct kc_share_run {
    int64_t first;
    int64_t last;
    int16_t deliveries;
};

#define KC_SHARE_RUNS_MAX 256

struct kc_share_runs {
    struct kc_share_run items[KC_SHARE_RUNS_MAX];
    size_t count;
    int64_t records;
};

/* kc_share_take fetches once with the defaults and adds what was acquired to runs, whose records
 * must be in the answer; it tells how many. kc_share_await fetches until `records` more are
 * there. kc_share_nothing asserts that nothing comes for a while. */
int64_t kc_share_take(struct kc *kc, struct kc_sharer *sharer, struct kc_share_runs *runs);
int64_t kc_share_take_as(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask,
    struct kc_share_runs *runs);
struct kc_share_runs *kc_share_await(struct kc *kc, struct kc_sharer *sharer, int64_t records);
void kc_share_nothing(struct kc *kc, struct kc_sharer *sharer);

/* kc_share_acknowledge sends a ShareAcknowledge and returns the answer; kc_share_say is one about
 * one run, and returns the partition's code; kc_share_say_all is about all runs. */
const struct km_share_acknowledge_response *kc_share_acknowledge(
    struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask);
int16_t kc_share_say(
    struct kc *kc, struct kc_sharer *sharer, int64_t first, int64_t last, enum kc_share_type type);
void kc_share_say_all(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_runs *runs,
    enum kc_share_type type);

#endif
