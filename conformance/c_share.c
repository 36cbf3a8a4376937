/* Area share, first half: who is in a share group (KIP-932), and what its members get. */
#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "conformance/kc_share.h"
#include "conformance/kc_txn.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define PARTITIONS 3
#define RECORDS 10
#define LIMIT_MS 20000
#define NOTHING_MS 1500
#define SHARE(from) CHECK_NEED(SHARE_FETCH, from), CHECK_NEED(SHARE_GROUP_HEARTBEAT, 1)

/* A topic of one partition that has `records` in one batch. */
static struct kc_topic *
topic_filled(struct kc *kc, size_t records)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", records));
    return topic;
}

static struct kc_sharer
joined(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic)
{
    struct kc_sharer sharer = kc_sharer_new(kc, group, topic);

    kc_share_join(kc, &sharer);
    return sharer;
}

static void
enabled(struct kc *kc)
{
    int16_t level = kc_feature(kc, "share.version");

    kc_that(kc, level >= 1, kc_printf(kc, "share.version=%d", level), "share.version from 1 on");
    (void)kc_version(kc, KM_SHARE_ACKNOWLEDGE, KC_VERSION_MAX);
    (void)kc_version(kc, KM_SHARE_GROUP_DESCRIBE, KC_VERSION_MAX);
}

/* --- membership ----------------------------------------------------------------------------------
 */

static int
assigned_count(const struct kc_sharer *one)
{
    int count = 0;

    for (int i = 0; i < PARTITIONS; i++)
        count += one->assigned[i];
    return count;
}

/* Whether each of two members has something, and nothing is left out. */
static bool
is_dealt_out(const struct kc_sharer *one, const struct kc_sharer *other)
{
    for (int i = 0; i < PARTITIONS; i++)
        if (!one->assigned[i] && !other->assigned[i])
            return false;
    return assigned_count(one) > 0 && assigned_count(other) > 0;
}

static void
join(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    struct kc_sharer one = kc_sharer_new(kc, group, topic), other = one;
    const struct km_share_group_heartbeat_response *response = kc_share_beat(kc, &one);

    kc_that(kc, response->heartbeat_interval_ms > 0, "no-interval", "a heartbeat interval");
    kc_that(kc, response->member_epoch >= 1, "no-epoch", "a member epoch from 1 on");
    kc_that(kc, kc_topic_is_named(response->member_id, one.id), "other-member-id", "member id %s",
        one.id);
    while (assigned_count(&one) < PARTITIONS) {
        kc_wait_more(kc, &wait, "who is alone is assigned all partitions");
        kc_share_beat(kc, &one);
    }
    other = kc_sharer_new(kc, group, topic);
    do {
        kc_wait_more(kc, &wait, "two members are assigned all partitions");
        kc_share_beat(kc, &other);
        kc_share_beat(kc, &one);
    } while (!is_dealt_out(&one, &other));
}

/* There may be more members than partitions: then they share them. */
static void
more_members_than_partitions(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_sharer members[3];

    for (int i = 0; i < 3; i++)
        members[i] = joined(kc, group, topic);
    for (int i = 0; i < 3; i++) {
        kc_share_beat(kc, &members[i]);
        kc_that(kc, members[i].assigned[0], "not-assigned", "the partition for every member");
    }
}

static void
fenced(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_sharer one = joined(kc, kc_share_group(kc), topic), stranger = one;

    kc_code(kc, "error_code", kc_share_heartbeat(kc, &one, one.epoch + 1)->error_code,
        KE_FENCED_MEMBER_EPOCH);
    stranger.id = "kc-stranger";
    kc_code(kc, "error_code", kc_share_heartbeat(kc, &stranger, one.epoch)->error_code,
        KE_UNKNOWN_MEMBER_ID);
    kc_code(kc, "error_code", kc_share_heartbeat(kc, &one, one.epoch)->error_code, KE_NONE);
}

static void
leave(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_sharer one = joined(kc, group, topic), other = joined(kc, group, topic);
    const struct km_share_group_heartbeat_response *response = kc_share_heartbeat(kc, &one, -1);

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "member_epoch", response->member_epoch, -1);
    kc_code(kc, "error_code", kc_share_heartbeat(kc, &one, one.epoch)->error_code,
        KE_UNKNOWN_MEMBER_ID);
    kc_code(kc, "error_code", kc_share_heartbeat(kc, &other, other.epoch)->error_code, KE_NONE);
}

/* --- where a group begins ------------------------------------------------------------------------
 */

static void
reset_default(struct kc *kc)
{
    struct kc_topic *topic = topic_filled(kc, RECORDS);
    struct kc_sharer one = joined(kc, kc_group_new(kc), topic);
    struct kc_share_runs *runs;

    kc_share_nothing(kc, &one);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "new", 1));
    runs = kc_share_await(kc, &one, 1);
    kc_int(kc, "first_offset", runs->items[0].first, RECORDS);
}

static void
reset_earliest(struct kc *kc)
{
    struct kc_topic *topic = topic_filled(kc, 2);
    struct kc_sharer one;
    struct kc_share_runs *runs;

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "later", 3));
    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 2)->error_code, KE_NONE);
    one = joined(kc, kc_share_group(kc), topic);
    runs = kc_share_await(kc, &one, 3);
    kc_int(kc, "first_offset", runs->items[0].first, 2);
}

/* --- who gets what -------------------------------------------------------------------------------
 */

static void
fetch_acquires(struct kc *kc)
{
    struct kc_topic *topic = topic_filled(kc, RECORDS);
    struct kc_sharer one = joined(kc, kc_share_group(kc), topic);
    struct kc_share_ask ask;
    const struct km_share_fetch_response *response;
    struct kc_share_runs *runs = kc_share_await(kc, &one, RECORDS);

    kc_int(kc, "runs", (int64_t)runs->count, 1);
    kc_int(kc, "first_offset", runs->items[0].first, 0);
    kc_int(kc, "last_offset", runs->items[0].last, RECORDS - 1);
    kc_int(kc, "delivery_count", runs->items[0].deliveries, 1);
    ask = kc_share_defaults(&one);
    response = kc_share_fetch(kc, &one, &ask);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc, response->acquisition_lock_timeout_ms > 0, "no-lock-timeout",
        "how long records stay acquired");
    kc_int(kc, "responses", response->responses.count, 0);
}

/* Marks what runs have; no offset twice. */
static void
taken_mark(struct kc *kc, bool *taken, size_t count, const struct kc_share_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        for (int64_t offset = runs->items[i].first; offset <= runs->items[i].last; offset++) {
            kc_that(kc, offset >= 0 && offset < (int64_t)count, "other-offset",
                "an offset below %zu", count);
            kc_that(kc, !taken[offset], "acquired-twice", "offset %lld with one member only",
                (long long)offset);
            taken[offset] = true;
        }
}

static void
no_double_acquire(struct kc *kc)
{
    enum { BATCHES = 20, EACH = 5 };
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_sharer members[2];
    struct kc_share_runs *runs[2];
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    bool taken[BATCHES * EACH] = {false};

    for (int i = 0; i < BATCHES; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", EACH));
    for (int i = 0; i < 2; i++) {
        members[i] = joined(kc, group, topic);
        runs[i] = kc_alloc(kc, 1, sizeof *runs[i]);
    }
    while (runs[0]->records + runs[1]->records < BATCHES * EACH) {
        for (int i = 0; i < 2; i++) {
            struct kc_share_ask ask = kc_share_defaults(&members[i]);

            ask.max_records = ask.batch_size = EACH;
            (void)kc_share_take_as(kc, &members[i], &ask, runs[i]);
        }
        kc_wait_more(kc, &wait, "all records are acquired");
    }
    for (int i = 0; i < 2; i++) {
        kc_that(kc, runs[i]->records > 0, "member-starved", "records for both members");
        taken_mark(kc, taken, BATCHES * EACH, runs[i]);
    }
}

static void
two_groups_independent(struct kc *kc)
{
    struct kc_topic *topic = topic_filled(kc, RECORDS);
    struct kc_sharer one = joined(kc, kc_share_group(kc), topic);
    struct kc_sharer other = joined(kc, kc_share_group(kc), topic);

    kc_share_say_all(kc, &one, kc_share_await(kc, &one, RECORDS), KC_SHARE_ACCEPT);
    (void)kc_share_await(kc, &other, RECORDS);
}

static void
max_records(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_sharer one;
    struct kc_share_ask ask;
    struct kc_share_runs runs = {0};

    for (int i = 0; i < RECORDS; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 5));
    one = joined(kc, kc_share_group(kc), topic);
    (void)kc_share_await(kc, &one, 5 * RECORDS);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 5));
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 5));
    ask = kc_share_defaults(&one);
    ask.max_records = ask.batch_size = 1;
    /* Batches are not torn where the client does not ask for it. */
    (void)kc_share_take_as(kc, &one, &ask, &runs);
    kc_int(kc, "records_acquired", runs.records, 5);
}

static void
record_limit(struct kc *kc)
{
    struct kc_topic *topic = topic_filled(kc, RECORDS);
    struct kc_sharer one = joined(kc, kc_share_group(kc), topic);
    struct kc_share_runs *runs = kc_alloc(kc, 1, sizeof *runs);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    struct kc_share_ask ask;

    do {
        ask = kc_share_defaults(&one);
        ask.mode = 1;
        ask.max_records = 3;
        if (kc_share_take_as(kc, &one, &ask, runs) > 0)
            break;
        kc_wait_more(kc, &wait, "records are acquired");
    } while (true);
    kc_int(kc, "records_acquired", runs->records, 3);
    ask = kc_share_defaults(&one);
    ask.mode = 1;
    (void)kc_share_take_as(kc, &one, &ask, runs);
    kc_int(kc, "records_acquired", runs->records, RECORDS);
}

/* --- transactions --------------------------------------------------------------------------------
 */

static bool
is_among(const struct kc_share_runs *runs, int64_t offset)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].first <= offset && offset <= runs->items[i].last)
            return true;
    return false;
}

static void
not_among(struct kc *kc, const struct kc_share_runs *runs, int64_t offset)
{
    kc_that(kc, !is_among(runs, offset), kc_printf(kc, "acquired=%lld", (long long)offset),
        "offset %lld left out", (long long)offset);
}

/* Offset 0 is aborted, its marker at 1 may be acquired, 2 is held back until it is committed. */
static void
isolation_read_committed(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "share"), KC_TXN_V1);
    struct kc_share_runs *runs = kc_alloc(kc, 1, sizeof *runs);
    struct kc_sharer one;
    struct kc_wait wait;

    kc_group_set(kc, group, "share.isolation.level", "read_committed");
    kc_txn_append(kc, &txn, topic, 0, "aborted");
    kc_txn_end(kc, &txn, false);
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_append(kc, &txn, topic, 0, "held");
    one = joined(kc, group, topic);
    wait = kc_wait_begin(kc, NOTHING_MS);
    do {
        kc_share_take(kc, &one, runs);
        not_among(kc, runs, 0);
        not_among(kc, runs, 2);
    } while (!kc_wait_over(kc, &wait));
    kc_txn_end(kc, &txn, true);
    wait = kc_wait_begin(kc, LIMIT_MS);
    while (!is_among(runs, 2)) {
        kc_wait_more(kc, &wait, "what was committed is delivered");
        kc_share_take(kc, &one, runs);
    }
    not_among(kc, runs, 0);
}

/* A group that reads uncommitted records gets a marker as an offset without a record, says so, and
 * goes on. */
static void
control_records_skipped(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "share"), KC_TXN_V1);
    struct kc_share_runs *runs;
    struct kc_sharer one;

    kc_txn_append(kc, &txn, topic, 0, "kept");
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "plain", 1));
    one = joined(kc, kc_share_group(kc), topic);
    runs = kc_share_await(kc, &one, 3);
    kc_int(kc, "first_offset", runs->items[0].first, 0);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 1, 1, KC_SHARE_GAP), KE_NONE);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 2, 2, KC_SHARE_ACCEPT), KE_NONE);
    kc_share_nothing(kc, &one);
}

static void
delete_records(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_share_runs *runs;
    struct kc_sharer one;

    for (int i = 0; i < RECORDS; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 1));
    one = joined(kc, kc_share_group(kc), topic);
    runs = kc_share_await(kc, &one, RECORDS);
    kc_share_say_all(kc, &one, runs, KC_SHARE_RELEASE);
    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 6)->error_code, KE_NONE);
    runs = kc_share_await(kc, &one, RECORDS - 6);
    kc_int(kc, "first_offset", runs->items[0].first, 6);
    kc_share_say_all(kc, &one, runs, KC_SHARE_ACCEPT);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 1));
    kc_int(kc, "first_offset", kc_share_await(kc, &one, 1)->items[0].first, RECORDS);
}

static const struct check checks[] = {
    {"share.enabled", "the feature share.version is finalized, and what it needs is advertised",
        "KIP-932", 0, 0, {SHARE(1)}, enabled},
    {"share.join", "the members of a group are assigned all partitions, each member some",
        "ShareGroupHeartbeatRequestTest", CHECK_CORE, 0, {SHARE(1)}, join},
    {"share.more_members", "more members than partitions share them", "SimpleAssignor", 0, 0,
        {SHARE(1)}, more_members_than_partitions},
    {"share.fenced_epoch", "an epoch ahead is 110, an unknown member 25, and nobody is disturbed",
        "GroupMetadataManager", 0, 0, {SHARE(1)}, fenced},
    {"share.leave", "who leaves with epoch -1 is unknown from then on, and others stay",
        "GroupMetadataManager", 0, 0, {SHARE(1)}, leave},
    {"share.auto_offset_reset_default", "a group begins at the end of its topics",
        "ShareConsumerTest.testShareAutoOffsetResetDefaultValue", 0, 0, {SHARE(1)}, reset_default},
    {"share.auto_offset_reset_earliest",
        "with share.auto.offset.reset=earliest it begins at the start of the log",
        "ShareConsumerTest.testShareAutoOffsetResetEarliest", 0, 0,
        {SHARE(1), CHECK_NEED(DELETE_RECORDS, 0)}, reset_earliest},
    {"share.fetch_acquires", "records come with the runs that were acquired, delivered once so far",
        "ShareFetchAcknowledgeRequestTest", CHECK_CORE, 0, {SHARE(1)}, fetch_acquires},
    {"share.no_double_acquire", "members of a group get different records",
        "ShareFetchAcknowledgeRequestTest", CHECK_CORE, 60, {SHARE(1)}, no_double_acquire},
    {"share.two_groups_independent", "two groups get all records each",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, two_groups_independent},
    {"share.max_records_batch_size", "a batch is acquired whole, also above max_records", "KIP-932",
        0, 0, {SHARE(1)}, max_records},
    {"share.record_limit", "in record-limit mode no more than max_records are acquired", "KIP-1206",
        0, 0, {SHARE(2)}, record_limit},
    {"share.isolation_read_committed",
        "with share.isolation.level=read_committed open transactions are held back, aborted ones "
        "left out",
        "ShareConsumerTest.testReadCommittedIsolationLevel", 0, 60,
        {SHARE(1), CHECK_NEED(INIT_PRODUCER_ID, 0)}, isolation_read_committed},
    {"share.control_records_skipped", "a marker is no record, and may be said to be a gap",
        "ShareConsumerTest.testControlRecordsSkipped", 0, 0,
        {SHARE(1), CHECK_NEED(INIT_PRODUCER_ID, 0)}, control_records_skipped},
    {"share.delete_records_moves_spso",
        "what was deleted is not delivered again, and the group goes on",
        "ShareConsumerTest.testLsoMovementByRecordsDeletion", 0, 60,
        {SHARE(1), CHECK_NEED(DELETE_RECORDS, 0)}, delete_records},
};

const struct check_table c_share_table = CHECK_TABLE("share", checks);
