/* Area share, second half: what members say of records, sessions, offsets of groups, restarts. */
#include "conformance/kc_ask.h"
#include "conformance/kc_produce.h"
#include "conformance/kc_share.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define RECORDS 10
#define BAD_TYPE 9
#define LOCK_MS 2000
#define SHARE(from)                                                                                \
    CHECK_NEED(SHARE_FETCH, from), CHECK_NEED(SHARE_ACKNOWLEDGE, from),                            \
        CHECK_NEED(SHARE_GROUP_HEARTBEAT, 1)

static const char *const short_locks[] = {"group.share.min.record.lock.duration.ms=1000",
    "group.share.record.lock.duration.ms=2000", NULL};

/* A topic with `records` in batches of one each, and a member of a group that has them acquired. */
static struct kc_sharer
holder(struct kc *kc, int64_t records)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_sharer one = kc_sharer_new(kc, kc_share_group(kc), topic);

    for (int64_t i = 0; i < records; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 1));
    kc_share_join(kc, &one);
    (void)kc_share_await(kc, &one, records);
    return one;
}

static struct kc_sharer
joined(struct kc *kc, const struct kc_sharer *like)
{
    struct kc_sharer other = kc_sharer_new(kc, like->group, like->topic);

    kc_share_join(kc, &other);
    return other;
}

/* What DescribeShareGroupOffsets tells of a group's partition; NULL asks for all of its topics. */
static const struct km_describe_share_group_offsets_response_group *
offsets_describe(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic)
{

    struct km_describe_share_group_offsets_request_topic wanted;
    struct km_describe_share_group_offsets_request_group asked;
    struct km_describe_share_group_offsets_request body;
    const struct km_describe_share_group_offsets_response *response;
    int32_t partition = 0;

    codec_init(&km_describe_share_group_offsets_request_desc, &body);
    codec_init(&km_describe_share_group_offsets_request_group_desc, &asked);
    codec_init(&km_describe_share_group_offsets_request_topic_desc, &wanted);
    if (topic != NULL)
        wanted.topic_name = kc_string(topic->name);
    wanted.partitions.items = &partition;
    wanted.partitions.count = 1;
    asked.group_id = kc_string(group->id);
    asked.topics.items = &wanted;
    asked.topics.count = topic == NULL ? -1 : 1;
    body.groups.items = &asked;
    body.groups.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_DESCRIBE_SHARE_GROUP_OFFSETS,
        kc_version(kc, KM_DESCRIBE_SHARE_GROUP_OFFSETS, KC_VERSION_MAX), &body);
    kc_that(kc, response->groups.count == 1, "group-lacks", "an answer about one group");
    return &response->groups.items[0];
}

static const struct km_describe_share_group_offsets_response_partition *
offset_of(struct kc *kc, const struct kc_sharer *one)
{
    const struct km_describe_share_group_offsets_response_group *group =
        offsets_describe(kc, one->group, one->topic);

    kc_code(kc, "DescribeShareGroupOffsets", group->error_code, KE_NONE);
    kc_that(kc, group->topics.count == 1 && group->topics.items[0].partitions.count == 1,
        "partition-lacks", "an answer about one partition");
    return &group->topics.items[0].partitions.items[0];
}

/* The lag counts what is done, also where the start offset that is stored lies behind (KIP-1226).
 */
static void
lag_await(struct kc *kc, const struct kc_sharer *one, int64_t lag)
{
    struct kc_wait wait = kc_wait_begin(kc, 10000);
    int64_t seen;

    while ((seen = offset_of(kc, one)->lag) != lag) {
        kc_classify(kc, kc_printf(kc, "lag=%lld", (long long)seen));
        kc_wait_more(kc, &wait, kc_printf(kc, "the group's lag is %lld", (long long)lag));
    }
    kc_classify(kc, NULL);
}

/* --- acknowledgements ----------------------------------------------------------------------------
 */

static void
ack_accept(struct kc *kc)
{
    struct kc_sharer one = holder(kc, RECORDS);

    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, RECORDS - 1, KC_SHARE_ACCEPT), KE_NONE);
    kc_share_nothing(kc, &one);
    if (kc_has_version(kc, KM_DESCRIBE_SHARE_GROUP_OFFSETS, 1))
        lag_await(kc, &one, 0);
}

static void
ack_release(struct kc *kc)
{
    struct kc_sharer one = holder(kc, RECORDS), other = joined(kc, &one);
    struct kc_share_runs *runs;

    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, RECORDS - 1, KC_SHARE_RELEASE), KE_NONE);
    runs = kc_share_await(kc, &other, RECORDS);
    for (size_t i = 0; i < runs->count; i++)
        kc_int(kc, "delivery_count", runs->items[i].deliveries, 2);
}

static void
ack_reject(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 2);

    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 1, KC_SHARE_REJECT), KE_NONE);
    kc_share_nothing(kc, &one);
}

static void
ack_bad_type(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1);
    struct kc_share_said said = {0, 0, KC_SHARE_RENEW};
    struct kc_share_ask ask;
    const struct km_share_acknowledge_response *response;

    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, BAD_TYPE), KE_INVALID_REQUEST);
    ask = kc_share_defaults(&one);
    ask.said = &said;
    ask.said_count = 1;
    ask.version_max = 1;
    response = kc_share_acknowledge(kc, &one, &ask);
    kc_code(kc, "error_code", response->responses.items[0].partitions.items[0].error_code,
        KE_INVALID_REQUEST);
    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
}

/* One ShareFetch that says something of records and wants none. */
static int16_t
piggyback_code(struct kc *kc, struct kc_sharer *one, const struct kc_share_said *said, size_t count)
{
    struct kc_share_ask ask = kc_share_defaults(one);
    const struct km_share_fetch_response_partition_data *part;

    ask.said = said;
    ask.said_count = count;
    ask.max_records = 0;
    part = kc_share_part(one, kc_share_fetch(kc, one, &ask));
    kc_that(kc, part != NULL, "partition-lacks", "an answer about what was acknowledged");
    return part->acknowledge_error_code;
}

static void
ack_piggyback(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 3), other = joined(kc, &one);
    struct kc_share_said said[] = {{1, 1, KC_SHARE_ACCEPT}, {2, 2, KC_SHARE_RELEASE}};

    kc_code(kc, "acknowledge_error_code", piggyback_code(kc, &one, said, 2), KE_NONE);
    kc_int(kc, "first_offset", kc_share_await(kc, &other, 1)->items[0].first, 2);
    kc_code(
        kc, "acknowledge_error_code", piggyback_code(kc, &one, said, 1), KE_INVALID_RECORD_STATE);
}

static void
ack_not_owner(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1), other = joined(kc, &one);

    kc_share_nothing(kc, &other);
    kc_code(
        kc, "error_code", kc_share_say(kc, &other, 0, 0, KC_SHARE_ACCEPT), KE_INVALID_RECORD_STATE);
    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
}

static void
ack_twice(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 2);

    kc_code(kc, "error_code", kc_share_say(kc, &one, 1, 1, KC_SHARE_ACCEPT), KE_NONE);
    kc_code(
        kc, "error_code", kc_share_say(kc, &one, 1, 1, KC_SHARE_ACCEPT), KE_INVALID_RECORD_STATE);
    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
}

static void
lock_timeout(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_sharer one = kc_sharer_new(kc, kc_share_group(kc), topic), other;
    struct kc_share_runs *runs;
    int64_t before_us;

    kc_share_join(kc, &one);
    other = joined(kc, &one);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 1));
    before_us = wire_client_now_us(); /* the record is acquired later than this */
    (void)kc_share_await(kc, &one, 1);
    runs = kc_share_await(kc, &other, 1);
    kc_that(kc, wire_client_now_us() - before_us >= (int64_t)LOCK_MS * 1000, "too-early",
        "not delivered again before %d ms", LOCK_MS);
    kc_int(kc, "delivery_count", runs->items[0].deliveries, 2);
    kc_code(
        kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_INVALID_RECORD_STATE);
}

static void
delivery_limit(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_share_group(kc);
    struct kc_sharer one = kc_sharer_new(kc, group, topic);

    kc_group_set(kc, group, "share.delivery.count.limit", "2");
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "value", 1));
    kc_share_join(kc, &one);
    for (int16_t i = 1; i <= 2; i++) {
        struct kc_share_runs *runs = kc_share_await(kc, &one, 1);

        kc_int(kc, "delivery_count", runs->items[0].deliveries, i);
        kc_share_say_all(kc, &one, runs, KC_SHARE_RELEASE);
    }
    kc_share_nothing(kc, &one);
}

static void
renew(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1), other = joined(kc, &one);
    struct kc_wait wait = kc_wait_begin(kc, LOCK_MS * 2);
    struct kc_share_runs none = {0};

    do {
        kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_RENEW), KE_NONE);
        (void)kc_share_take(kc, &other, &none);
        kc_int(kc, "records_acquired", none.records, 0);
    } while (!kc_wait_over(kc, &wait));
    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
}

/* --- sessions ------------------------------------------------------------------------------------
 */

static int16_t
fetch_code(struct kc *kc, const struct kc_sharer *one, int32_t epoch, bool says)
{
    struct kc_sharer changed = *one;
    struct kc_share_said said = {0, 0, KC_SHARE_ACCEPT};
    struct kc_share_ask ask = kc_share_defaults(one);

    ask.epoch = epoch;
    ask.said = &said;
    ask.said_count = says ? 1 : 0;
    return kc_share_fetch(kc, &changed, &ask)->error_code;
}

static int16_t
acknowledge_code(struct kc *kc, const struct kc_sharer *one, int32_t epoch)
{
    struct kc_sharer changed = *one;
    struct kc_share_said said = {0, 0, KC_SHARE_ACCEPT};
    struct kc_share_ask ask = kc_share_defaults(one);

    ask.epoch = epoch;
    ask.said = &said;
    ask.said_count = 1;
    return kc_share_acknowledge(kc, &changed, &ask)->error_code;
}

static void
session_epoch(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1), stranger = one;

    kc_code(kc, "error_code", fetch_code(kc, &one, one.session_epoch + 1, false),
        KE_INVALID_SHARE_SESSION_EPOCH);
    kc_code(kc, "error_code", acknowledge_code(kc, &one, one.session_epoch + 1),
        KE_INVALID_SHARE_SESSION_EPOCH);
    kc_code(kc, "error_code", acknowledge_code(kc, &one, KC_SHARE_FIRST),
        KE_INVALID_SHARE_SESSION_EPOCH);
    kc_code(kc, "error_code", fetch_code(kc, &one, KC_SHARE_FIRST, true), KE_INVALID_REQUEST);
    stranger.id = "kc-stranger";
    kc_code(kc, "error_code", fetch_code(kc, &stranger, 5, false), KE_SHARE_SESSION_NOT_FOUND);
    kc_code(kc, "error_code", fetch_code(kc, &stranger, KC_SHARE_LAST, false),
        KE_SHARE_SESSION_NOT_FOUND);
    kc_code(kc, "error_code", kc_share_say(kc, &one, 0, 0, KC_SHARE_ACCEPT), KE_NONE);
}

static void
released_to(struct kc *kc, struct kc_sharer *other)
{
    kc_int(kc, "delivery_count", kc_share_await(kc, other, 1)->items[0].deliveries, 2);
}

static void
session_close(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1), other = joined(kc, &one);

    kc_share_nothing(kc, &other);
    kc_code(kc, "error_code", fetch_code(kc, &one, KC_SHARE_LAST, false), KE_NONE);
    released_to(kc, &other);
    kc_code(kc, "error_code", fetch_code(kc, &one, one.session_epoch, false),
        KE_SHARE_SESSION_NOT_FOUND);
}

static void
session_dropped_on_disconnect(struct kc *kc)
{
    struct kc_sharer one = holder(kc, 1), other = joined(kc, &one);

    kc_share_nothing(kc, &other);
    link_close(one.link);
    released_to(kc, &other);
}

/* --- offsets of groups ---------------------------------------------------------------------------
 */

static void
describe(struct kc *kc)
{
    struct kc_sharer one = holder(kc, RECORDS);
    const struct km_describe_share_group_offsets_response_partition *part;
    const struct km_describe_share_group_offsets_response_group *unknown;
    struct kc_group other = *one.group;

    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 0, 3, KC_SHARE_ACCEPT), KE_NONE);
    if (kc_has_version(kc, KM_DESCRIBE_SHARE_GROUP_OFFSETS, 1))
        lag_await(kc, &one, RECORDS - 4);
    /* The next change is stored with the start that this one led to. */
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 5, 5, KC_SHARE_ACCEPT), KE_NONE);
    part = offset_of(kc, &one);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "start_offset", part->start_offset, 4);
    other.id = kc_printf(kc, "%s-unknown", one.group->id);
    unknown = offsets_describe(kc, &other, NULL);
    kc_code(kc, "error_code", unknown->error_code, KE_NONE);
    kc_int(kc, "topics_count", unknown->topics.count, 0);
}

static const struct km_alter_share_group_offsets_response *
offsets_alter(struct kc *kc, const struct kc_sharer *one, int64_t offset)
{
    struct km_alter_share_group_offsets_request_partition partition;
    struct km_alter_share_group_offsets_request_topic topic;
    struct km_alter_share_group_offsets_request body;

    codec_init(&km_alter_share_group_offsets_request_desc, &body);
    codec_init(&km_alter_share_group_offsets_request_topic_desc, &topic);
    codec_init(&km_alter_share_group_offsets_request_partition_desc, &partition);
    partition.start_offset = offset;
    topic.topic_name = kc_string(one->topic->name);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    body.group_id = kc_string(one->group->id);
    body.topics.items = &topic;
    body.topics.count = 1;
    return kc_ask(kc, kc_group_link(kc, one->group), KM_ALTER_SHARE_GROUP_OFFSETS,
        kc_version(kc, KM_ALTER_SHARE_GROUP_OFFSETS, KC_VERSION_MAX), &body);
}

static void
alter(struct kc *kc)
{
    struct kc_sharer one = holder(kc, RECORDS);
    const struct km_alter_share_group_offsets_response *response;

    kc_code(
        kc, "ShareAcknowledge", kc_share_say(kc, &one, 0, RECORDS - 1, KC_SHARE_ACCEPT), KE_NONE);
    kc_code(kc, "error_code", offsets_alter(kc, &one, 2)->error_code, KE_NON_EMPTY_GROUP);
    kc_code(kc, "error_code", fetch_code(kc, &one, KC_SHARE_LAST, false), KE_NONE);
    link_close(one.link);
    kc_share_leave(kc, &one);
    response = offsets_alter(kc, &one, 2);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc,
        response->responses.count == 1 && response->responses.items[0].partitions.count == 1,
        "partition-lacks", "an answer about one partition");
    kc_code(kc, "error_code", response->responses.items[0].partitions.items[0].error_code, KE_NONE);
    one = joined(kc, &one);
    kc_int(kc, "first_offset", kc_share_await(kc, &one, RECORDS - 2)->items[0].first, 2);
}

/* --- restarts ------------------------------------------------------------------------------------
 */

static void
state_survives_restart(struct kc *kc)
{
    struct kc_sharer one = holder(kc, RECORDS);
    struct kc_group group = *one.group;
    struct kc_share_runs *runs;

    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 0, 1, KC_SHARE_ACCEPT), KE_NONE);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 4, 5, KC_SHARE_ACCEPT), KE_NONE);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 6, 6, KC_SHARE_REJECT), KE_NONE);
    kc_code(kc, "ShareAcknowledge", kc_share_say(kc, &one, 7, 7, KC_SHARE_RELEASE), KE_NONE);
    kc_bounce(kc, true);
    kc_group_await(kc, &group);
    one = joined(kc, &one);
    runs = kc_share_await(kc, &one, RECORDS - 5);
    for (size_t i = 0; i < runs->count; i++)
        for (int64_t offset = runs->items[i].first; offset <= runs->items[i].last; offset++) {
            kc_that(kc, offset >= 2 && (offset < 4 || offset > 6), "delivered-again",
                "nothing that was accepted or rejected, but offset %lld", (long long)offset);
            if (offset == 7)
                kc_int(kc, "delivery_count", runs->items[i].deliveries, 2);
        }
    kc_share_nothing(kc, &one);
}

static const struct check checks[] = {
    {"share.ack_accept", "accepted records are not delivered again, and the group's start moves",
        "ShareFetchAcknowledgeRequestTest", CHECK_CORE, 0, {SHARE(1)}, ack_accept},
    {"share.ack_release", "released records are delivered again, a second time",
        "ShareFetchAcknowledgeRequestTest", CHECK_CORE, 0, {SHARE(1)}, ack_release},
    {"share.ack_reject", "rejected records are not delivered again",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, ack_reject},
    {"share.ack_bad_type", "an unknown type is 42, as is renewal before its version",
        "KafkaApis.validateAcknowledgementBatches", 0, 0, {SHARE(1)}, ack_bad_type},
    {"share.ack_piggyback", "a ShareFetch acknowledges, too, with a code of its own",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, ack_piggyback},
    {"share.ack_not_owner", "who acknowledges what another member has gets 121", "SharePartition",
        CHECK_CORE, 0, {SHARE(1)}, ack_not_owner},
    {"share.ack_twice", "what is accepted cannot be accepted again (121)", "SharePartition", 0, 0,
        {SHARE(1)}, ack_twice},
    {"share.lock_timeout",
        "what nobody acknowledges is delivered again when its lock is over; then it is too late",
        "ShareConsumerTest.testAcquisitionLockTimeoutOnConsumer", CHECK_CORE, 90,
        {SHARE(1), CHECK_START(short_locks)}, lock_timeout},
    {"share.delivery_limit", "share.delivery.count.limit deliveries, and no more",
        "ShareConsumerTest", 0, 0, {SHARE(1)}, delivery_limit},
    {"share.renew", "a renewed lock keeps a record", "KIP-1222", 0, 90,
        {SHARE(2), CHECK_START(short_locks)}, renew},
    {"share.session_epoch",
        "a request out of turn is 123, one without a session 122, a first one that acknowledges 42",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, session_epoch},
    {"share.session_close", "epoch -1 ends the session and gives its records back",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, session_close},
    {"share.session_dropped_on_disconnect", "so does the end of its connection",
        "ShareFetchAcknowledgeRequestTest", 0, 0, {SHARE(1)}, session_dropped_on_disconnect},
    {"share.offsets_describe",
        "start offset and lag of a group; nothing of a group that is not there",
        "KIP-932, KIP-1226", 0, 0, {SHARE(1), CHECK_NEED(DESCRIBE_SHARE_GROUP_OFFSETS, 0)},
        describe},
    {"share.offsets_alter", "68 while the group has members; then it begins where it is told to",
        "KIP-932", 0, 60, {SHARE(1), CHECK_NEED(ALTER_SHARE_GROUP_OFFSETS, 0)}, alter},
    {"share.state_survives_restart",
        "what was acknowledged outlives a kill, what was acquired is delivered again", "KIP-932",
        CHECK_CORE | CHECK_CONTROL, 120, {SHARE(1)}, state_survives_restart},
};

const struct check_table c_share_acks_table = CHECK_TABLE("share", checks);
