/* Area cg848: the consumer groups of KIP-848, whose assignments the broker makes. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_group.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define REBALANCE_MS 60000
#define SESSION_MS 2000
#define PARTITIONS 4 /* of the one topic that members subscribe to */
#define EPOCH_LEAVE (-1)
#define EPOCH_LEAVE_STATIC (-2)
#define COMMIT_EPOCH_VERSION 9
#define SUBSCRIPTION_VERSION 1

struct consumer {
    const struct kc_group *group;
    const struct kc_topic *topic;
    const char *id;
    const char *instance;
    const char *assignor;
    const char *regex; /* NULL: the topic by name */
    int32_t epoch;
    bool owned[PARTITIONS]; /* acknowledged with the next heartbeat */
};

static struct consumer
consumer(
    struct kc *kc, const struct kc_group *group, const struct kc_topic *topic, const char *name)
{
    return (struct consumer){
        .group = group, .topic = topic, .id = kc_printf(kc, "%s-%s", group->id, name)};
}

static int32_t
owned_count(const struct consumer *one)
{
    int32_t count = 0;

    for (int i = 0; i < PARTITIONS; i++)
        count += one->owned[i];
    return count;
}

/* Everything that a member says when it joins or what it owns has changed. */
static const struct km_consumer_group_heartbeat_response *
heartbeat(struct kc *kc, const struct consumer *one)
{
    struct km_consumer_group_heartbeat_request body;
    struct km_consumer_group_heartbeat_request_topic_partitions part;
    struct wire_string name = kc_string(one->topic->name);
    int32_t partitions[PARTITIONS];

    codec_init(&km_consumer_group_heartbeat_request_desc, &body);
    codec_init(&km_consumer_group_heartbeat_request_topic_partitions_desc, &part);
    part.topic_id = one->topic->id;
    part.partitions.items = partitions;
    for (int i = 0; i < PARTITIONS; i++)
        if (one->owned[i])
            partitions[part.partitions.count++] = i;
    body.group_id = kc_string(one->group->id);
    body.member_id = kc_string(one->id);
    body.member_epoch = one->epoch;
    body.instance_id = kc_string(one->instance);
    body.rebalance_timeout_ms = REBALANCE_MS;
    body.subscribed_topic_names.items = &name;
    body.subscribed_topic_names.count = one->regex == NULL ? 1 : 0;
    body.subscribed_topic_regex = kc_string(one->regex);
    body.server_assignor = kc_string(one->assignor);
    body.topic_partitions.items = &part;
    body.topic_partitions.count = part.partitions.count > 0 ? 1 : 0;
    return kc_ask(kc, kc_group_link(kc, one->group), KM_CONSUMER_GROUP_HEARTBEAT,
        kc_version(kc, KM_CONSUMER_GROUP_HEARTBEAT, KC_VERSION_MAX), &body);
}

/* A heartbeat that says that nothing has changed. */
static const struct km_consumer_group_heartbeat_response *
heartbeat_bare(struct kc *kc, const struct consumer *one)
{
    struct km_consumer_group_heartbeat_request body;

    codec_init(&km_consumer_group_heartbeat_request_desc, &body);
    body.group_id = kc_string(one->group->id);
    body.member_id = kc_string(one->id);
    body.member_epoch = one->epoch;
    return kc_ask(kc, kc_group_link(kc, one->group), KM_CONSUMER_GROUP_HEARTBEAT,
        kc_version(kc, KM_CONSUMER_GROUP_HEARTBEAT, KC_VERSION_MAX), &body);
}

/* A partition that the topic has. */
static int32_t
judged(struct kc *kc, int32_t partition)
{
    if (partition < 0 || partition >= PARTITIONS)
        kc_fail(kc, kc_printf(kc, "partition=%d", partition), NULL, "a partition of the topic");
    return partition;
}

static void
owned_take(struct kc *kc, struct consumer *one,
    const struct km_consumer_group_heartbeat_response_assignment *assignment)
{
    memset(one->owned, 0, sizeof one->owned);
    for (int32_t i = 0; i < assignment->topic_partitions.count; i++) {
        const struct km_consumer_group_heartbeat_response_topic_partitions *part =
            &assignment->topic_partitions.items[i];

        kc_that(kc, memcmp(&part->topic_id, &one->topic->id, sizeof part->topic_id) == 0,
            "other-topic", "partitions of the topic that was subscribed to, by its id");
        for (int32_t k = 0; k < part->partitions.count; k++) {
            int32_t partition = judged(kc, part->partitions.items[k]);

            kc_that(kc, !one->owned[partition], "partition-twice", "each partition once");
            one->owned[partition] = true;
        }
    }
}

/* A heartbeat that must be taken; what it assigns is owned from now on. */
static const struct km_consumer_group_heartbeat_response *
beat(struct kc *kc, struct consumer *one)
{
    const struct km_consumer_group_heartbeat_response *response = heartbeat(kc, one);

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    one->epoch = response->member_epoch;
    if (response->assignment != NULL)
        owned_take(kc, one, response->assignment);
    return response;
}

static void
owned_await(struct kc *kc, struct consumer *one, int32_t count)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    beat(kc, one);
    while (owned_count(one) != count) {
        kc_wait_more(kc, &wait, kc_printf(kc, "member %s owns %d partitions", one->id, count));
        beat(kc, one);
    }
    beat(kc, one); /* says so */
}

static void
disjoint(struct kc *kc, const struct consumer *one, const struct consumer *other)
{
    for (int i = 0; i < PARTITIONS; i++)
        kc_that(
            kc, !one->owned[i] || !other->owned[i], "owned-twice", "one owner of partition %d", i);
}

/* Someone alone in a group, who owns everything. */
static struct consumer
alone(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct consumer one = consumer(kc, kc_group_new(kc), topic, "one");

    owned_await(kc, &one, PARTITIONS);
    return one;
}

/* --- joining ---------------------------------------------------------------------------------- */

static void
join(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct consumer one = consumer(kc, kc_group_new(kc), topic, "one");
    const struct km_consumer_group_heartbeat_response *response = beat(kc, &one);

    kc_that(kc, kc_topic_is_named(response->member_id, one.id), "other-member-id", "member id %s",
        one.id);
    kc_that(kc, response->member_epoch >= 1, "no-epoch", "a member epoch from 1 on");
    kc_that(kc, response->heartbeat_interval_ms > 0, "no-interval", "a heartbeat interval");
    owned_await(kc, &one, PARTITIONS);
    response = heartbeat_bare(kc, &one);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc, response->assignment == NULL, "assigned-again",
        "no assignment where nothing has changed");
}

static int16_t
joining_code(struct kc *kc, const struct consumer *one, const char *group)
{
    struct kc_group other = *one->group;
    struct consumer changed = *one;

    other.id = group;
    changed.group = &other;
    return heartbeat(kc, &changed)->error_code;
}

static void
join_refused(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct consumer one = consumer(kc, kc_group_new(kc), topic, "one"), bad = one;

    kc_code(kc, "error_code", joining_code(kc, &one, ""), KE_INVALID_REQUEST);
    bad.owned[0] = true;
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_INVALID_REQUEST);
    bad = one;
    bad.assignor = "no such assignor";
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_UNSUPPORTED_ASSIGNOR);
    if (kc_has_version(kc, KM_CONSUMER_GROUP_HEARTBEAT, 1)) {
        bad = one;
        bad.id = "";
        kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_INVALID_REQUEST);
    }
    bad = one;
    bad.epoch = 5;
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_GROUP_ID_NOT_FOUND);
}

static void
regex(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct consumer one = consumer(kc, kc_group_new(kc), topic, "one"), bad = one;

    bad.regex = "[";
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_INVALID_REGULAR_EXPRESSION);
    one.regex = kc_printf(kc, "%.*s[%c].*", (int)strlen(topic->name) - 1, topic->name,
        topic->name[strlen(topic->name) - 1]);
    owned_await(kc, &one, PARTITIONS);
}

static void
fenced(struct kc *kc)
{
    struct consumer one = alone(kc), bad = one;

    bad.epoch = one.epoch + 1;
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_FENCED_MEMBER_EPOCH);
    bad = one;
    bad.id = kc_printf(kc, "%s-stranger", one.id);
    kc_code(kc, "error_code", heartbeat(kc, &bad)->error_code, KE_UNKNOWN_MEMBER_ID);
    beat(kc, &one);
}

/* --- rebalances ------------------------------------------------------------------------------- */

static void
second_member_reconcile(struct kc *kc)
{
    struct consumer one = alone(kc), other, told;
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    other = consumer(kc, one.group, one.topic, "other");
    beat(kc, &other);
    kc_int(kc, "partitions_owned", owned_count(&other), 0);
    /* `told` learns what is to be revoked; `one` is what the group knows it to own. */
    told = one;
    while (owned_count(&told) == PARTITIONS) {
        const struct km_consumer_group_heartbeat_response *response = heartbeat(kc, &one);

        kc_code(kc, "error_code", response->error_code, KE_NONE);
        one.epoch = response->member_epoch;
        if (response->assignment != NULL)
            owned_take(kc, &told, response->assignment);
        kc_wait_more(kc, &wait, "the first is told to revoke");
    }
    told.epoch = one.epoch;
    kc_int(kc, "partitions_owned", owned_count(&told), PARTITIONS / 2);
    for (int i = 0; i < 3; i++) {
        beat(kc, &other);
        disjoint(kc, &one, &other);
    }
    owned_await(kc, &told, PARTITIONS / 2);
    owned_await(kc, &other, PARTITIONS / 2);
    disjoint(kc, &told, &other);
}

static void
leave(struct kc *kc)
{
    struct consumer one = alone(kc), other = consumer(kc, one.group, one.topic, "other");
    const struct km_consumer_group_heartbeat_response *response;

    beat(kc, &other);
    one.epoch = EPOCH_LEAVE;
    response = heartbeat(kc, &one);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "member_epoch", response->member_epoch, EPOCH_LEAVE);
    owned_await(kc, &other, PARTITIONS);
}

static const char *const short_session[] = {"group.consumer.min.session.timeout.ms=1000",
    "group.consumer.session.timeout.ms=2000", "group.consumer.min.heartbeat.interval.ms=100",
    "group.consumer.heartbeat.interval.ms=500", NULL};

static void
session_timeout(struct kc *kc)
{
    struct consumer one, other;
    struct kc_wait wait;
    int64_t last_us;

    one = alone(kc);
    last_us = wire_client_now_us(); /* the silent one is heard later than this */
    beat(kc, &one);
    other = consumer(kc, one.group, one.topic, "other");
    wait = kc_wait_begin(kc, LIMIT_MS);
    for (beat(kc, &other); owned_count(&other) < PARTITIONS; beat(kc, &other))
        kc_wait_more(kc, &wait, "the silent member's partitions go to the other");
    kc_that(kc, wire_client_now_us() - last_us >= (int64_t)SESSION_MS * 1000, "too-early",
        "nothing taken from a member before its session timeout of %d ms", SESSION_MS);
    kc_code(kc, "error_code", heartbeat(kc, &one)->error_code, KE_UNKNOWN_MEMBER_ID);
}

/* --- static members --------------------------------------------------------------------------- */

static void
static_members(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct consumer one = consumer(kc, kc_group_new(kc), topic, "one"), again;

    one.instance = "instance";
    owned_await(kc, &one, PARTITIONS);
    again = consumer(kc, one.group, topic, "again");
    again.instance = "instance";
    kc_code(kc, "error_code", heartbeat(kc, &again)->error_code, KE_UNRELEASED_INSTANCE_ID);
    one.epoch = EPOCH_LEAVE_STATIC;
    kc_code(kc, "error_code", heartbeat(kc, &one)->error_code, KE_NONE);
    beat(kc, &again);
    kc_int(kc, "partitions_owned", owned_count(&again), PARTITIONS);
    one.epoch = again.epoch;
    kc_code(kc, "error_code", heartbeat(kc, &one)->error_code, KE_FENCED_INSTANCE_ID);
}

/* --- offsets ---------------------------------------------------------------------------------- */

static int16_t
commit_code(struct kc *kc, const struct consumer *one, int32_t epoch, int64_t offset)
{
    struct kc_commit commit = kc_commit_of(NULL, offset);

    commit.member_id = one->id;
    commit.generation = epoch;
    return kc_commit(kc, one->group, one->topic, 0, &commit);
}

static void
commit_with_member_epoch(struct kc *kc)
{
    struct consumer one = alone(kc);

    kc_code(kc, "OffsetCommit", commit_code(kc, &one, one.epoch, 5), KE_NONE);
    kc_code(kc, "error_code", commit_code(kc, &one, one.epoch - 1, 6), KE_STALE_MEMBER_EPOCH);
    kc_code(kc, "error_code", commit_code(kc, &one, one.epoch + 1, 7), KE_STALE_MEMBER_EPOCH);
    kc_int(kc, "committed_offset", kc_committed(kc, one.group, one.topic, 0).offset, 5);
}

static void
commit_old_version(struct kc *kc)
{
    struct consumer one = alone(kc);
    struct kc_commit commit = kc_commit_of(NULL, 5);

    commit.member_id = one.id;
    commit.generation = one.epoch;
    commit.version_max = COMMIT_EPOCH_VERSION - 1;
    kc_code(
        kc, "error_code", kc_commit(kc, one.group, one.topic, 0, &commit), KE_UNSUPPORTED_VERSION);
}

static void
fetch_with_member_epoch(struct kc *kc)
{
    struct consumer one = alone(kc);

    kc_code(kc, "OffsetCommit", commit_code(kc, &one, one.epoch, 5), KE_NONE);
    kc_int(kc, "committed_offset",
        kc_committed_as(kc, one.group, one.topic, 0, one.id, one.epoch).offset, 5);
    kc_code(kc, "error_code",
        kc_committed_as(kc, one.group, one.topic, 0, one.id, one.epoch + 1).code,
        KE_STALE_MEMBER_EPOCH);
    kc_code(kc, "error_code",
        kc_committed_as(kc, one.group, one.topic, 0, "nobody", one.epoch).code,
        KE_UNKNOWN_MEMBER_ID);
}

/* --- from the classic protocol ---------------------------------------------------------------- */

static struct wire_bytes
encoded(struct kc *kc, const struct wire_message *message, const void *body)
{
    struct err e = {0};
    struct buf out;
    uint8_t *bytes;

    buf_init(&out, 1 << 16);
    buf_append(&out, "\0\1", 2); /* the version stands in front */
    if (codec_encode(message, SUBSCRIPTION_VERSION, body, &out, &e) != RC_OK)
        kc_error(kc, "%s", e.text);
    bytes = kc_alloc(kc, out.size, 1);
    memcpy(bytes, out.data, out.size);
    return (struct wire_bytes){bytes, (int32_t)out.size};
}

/* What a classic consumer says, and what its leader gives it: all partitions. */
static struct wire_bytes
subscription(struct kc *kc, const struct kc_topic *topic)
{
    struct km_consumer_protocol_subscription body;
    struct wire_string name = kc_string(topic->name);

    codec_init(&km_consumer_protocol_subscription_desc, &body);
    body.topics.items = &name;
    body.topics.count = 1;
    return encoded(kc, &km_consumer_protocol_subscription_message, &body);
}

static struct wire_bytes
everything(struct kc *kc, const struct kc_topic *topic)
{
    static int32_t all[PARTITIONS] = {0, 1, 2, 3};
    struct km_consumer_protocol_assignment body;
    struct km_consumer_protocol_assignment_topic_partition part;

    codec_init(&km_consumer_protocol_assignment_desc, &body);
    codec_init(&km_consumer_protocol_assignment_topic_partition_desc, &part);
    part.topic = kc_string(topic->name);
    part.partitions.items = all;
    part.partitions.count = PARTITIONS;
    body.assigned_partitions.items = &part;
    body.assigned_partitions.count = 1;
    return encoded(kc, &km_consumer_protocol_assignment_message, &body);
}

/* What a SyncGroup assigned. */
static void
assigned_read(struct kc *kc, struct wire_bytes bytes, bool *owned)
{
    struct km_consumer_protocol_assignment body;
    struct err e = {0};
    int16_t version;

    kc_that(kc, bytes.size > 2, "no-assignment", "an assignment of a consumer");
    version = (int16_t)(bytes.data[0] << 8 | bytes.data[1]);
    kc_that(kc,
        codec_decode(&km_consumer_protocol_assignment_message, version, bytes.data + 2,
            (size_t)bytes.size - 2, &kc->arena, &body, NULL, &e) == RC_OK,
        "unreadable", "an assignment of a consumer: %s", e.text);
    memset(owned, 0, PARTITIONS * sizeof *owned);
    for (int32_t i = 0; i < body.assigned_partitions.count; i++)
        for (int32_t k = 0; k < body.assigned_partitions.items[i].partitions.count; k++)
            owned[judged(kc, body.assigned_partitions.items[i].partitions.items[k])] = true;
}

/* One round of a classic member; what it owns afterwards. */
static void
classic_round(struct kc *kc, struct kc_member *classic, struct wire_bytes gives, bool *owned)
{
    const struct km_sync_group_response *synced;
    struct kc_given given = {classic, gives};

    kc_code(kc, "JoinGroup", kc_member_join(kc, classic), KE_NONE);
    given.member = classic;
    kc_member_sync_send(kc, classic, &given, kc_member_leads(classic) ? 1 : 0);
    synced = kc_member_sync_receive(kc, classic);
    kc_code(kc, "SyncGroup", synced->error_code, KE_NONE);
    assigned_read(kc, synced->assignment, owned);
}

/* Brokers tell of a topic before each group's coordinator has heard of it, and one that has not
 * takes what a classic member owns of the topic for nothing. Who was given its partitions shows that
 * this group's has; nobody is left in the group afterwards. */
static void
coordinator_await(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic)
{
    struct consumer first = consumer(kc, group, topic, "first");

    owned_await(kc, &first, PARTITIONS);
    first.epoch = EPOCH_LEAVE;
    kc_code(kc, "error_code", heartbeat(kc, &first)->error_code, KE_NONE);
}

static void
upgrade_online(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *classic = kc_member_new(kc, group, NULL, "");
    struct consumer old = consumer(kc, group, topic, "classic");
    struct consumer now = consumer(kc, group, topic, "now");
    struct kc_commit commit;

    coordinator_await(kc, group, topic);
    classic->protocol_type = "consumer";
    classic->protocols[0].metadata = subscription(kc, topic);
    classic_round(kc, classic, everything(kc, topic), old.owned);
    kc_int(kc, "partitions_owned", owned_count(&old), PARTITIONS);
    commit = kc_commit_of(classic, 9);
    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 0, &commit), KE_NONE);
    beat(kc, &now);
    disjoint(kc, &old, &now);
    kc_member_await_rebalance(kc, classic);
    beat(kc, &now);
    disjoint(kc, &old, &now);
    classic_round(kc, classic, everything(kc, topic), old.owned);
    kc_int(kc, "partitions_owned", owned_count(&old), PARTITIONS / 2);
    owned_await(kc, &now, PARTITIONS / 2);
    disjoint(kc, &old, &now);
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, classic), KE_NONE);
    owned_await(kc, &now, PARTITIONS);
    kc_int(kc, "committed_offset", kc_committed(kc, group, topic, 0).offset, 9);
}

/* --- the table -------------------------------------------------------------------------------- */

#define HEARTBEAT(version) CHECK_NEED(CONSUMER_GROUP_HEARTBEAT, version)

static const struct check checks[] = {
    {"cg848.join", "a member joins with an id of its own and is given partitions by topic id",
        "KIP-848", CHECK_CORE, 0, {HEARTBEAT(1)}, join},
    {"cg848.join_refused",
        "no group id, partitions when joining, an unknown assignor, no id, an epoch for no group",
        "ConsumerGroupHeartbeatRequestTest", 0, 0, {HEARTBEAT(0)}, join_refused},
    {"cg848.regex", "topics are found by a regular expression; one that is none is 128", "KIP-848",
        0, 0, {HEARTBEAT(1)}, regex},
    {"cg848.fenced", "an epoch ahead is 110, an unknown member is 25, and nobody is disturbed",
        "GroupMetadataManager", 0, 0, {HEARTBEAT(0)}, fenced},
    {"cg848.second_member_reconcile",
        "a partition moves only once its owner has said that it gave it up", "KIP-848", CHECK_CORE,
        0, {HEARTBEAT(0)}, second_member_reconcile},
    {"cg848.leave", "who leaves with epoch -1 frees its partitions at once", "KIP-848", 0, 0,
        {HEARTBEAT(0)}, leave},
    {"cg848.session_timeout",
        "who is silent for the session timeout is out, not before, and its partitions move",
        "ConsumerGroupHeartbeatRequestTest", CHECK_CORE, 90,
        {HEARTBEAT(0), CHECK_START(short_session)}, session_timeout},
    {"cg848.static",
        "an instance id is taken until it is released, then brings back its partitions", "KIP-848",
        0, 0, {HEARTBEAT(0)}, static_members},
    {"cg848.commit_with_member_epoch",
        "commits carry the member's epoch; any other is 113 and changes nothing",
        "ConsumerGroup.validateOffsetCommit", CHECK_CORE, 0,
        {HEARTBEAT(0), CHECK_NEED(OFFSET_COMMIT, 9), CHECK_NEED(OFFSET_FETCH, 1)},
        commit_with_member_epoch},
    {"cg848.commit_old_version", "an OffsetCommit too old for epochs is 35",
        "ConsumerGroup.validateOffsetCommit", 0, 0, {HEARTBEAT(0), CHECK_NEED(OFFSET_COMMIT, 2)},
        commit_old_version},
    {"cg848.fetch_with_member_epoch", "offsets are told to members of the current epoch",
        "ConsumerGroup.validateOffsetFetch", 0, 0,
        {HEARTBEAT(0), CHECK_NEED(OFFSET_COMMIT, 9), CHECK_NEED(OFFSET_FETCH, 9)},
        fetch_with_member_epoch},
    {"cg848.upgrade_online",
        "a group changes from the classic protocol member by member; no partition has two owners",
        "ConsumerProtocolMigrationTest", CHECK_CORE, 0,
        {HEARTBEAT(0), CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)}, upgrade_online},
};

const struct check_table c_cg848_table = CHECK_TABLE("cg848", checks);
