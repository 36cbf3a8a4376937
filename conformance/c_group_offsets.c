/* Area group, second half: committed offsets, what groups are said to be, restarts. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_group.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LONG_SESSION_MS 60000 /* outlives a restart */
#define METADATA_TOO_LONG 4097
#define DESCRIBE_MISSING_VERSION 6
#define UNKNOWN_GROUP_VERSION 9
#define TOPIC_ID_VERSION 10

static const char *const restart[] = {"restart"};
static const char *const killed[] = {"kill"};

static int16_t
commit_code(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic,
    const struct kc_member *member, int64_t offset)
{
    struct kc_commit commit = kc_commit_of(member, offset);

    return kc_commit(kc, group, topic, 0, &commit);
}

static void
committed_is(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic,
    int32_t partition, int64_t offset)
{
    struct kc_committed seen = kc_committed(kc, group, topic, partition);

    kc_code(kc, "error_code", seen.code, KE_NONE);
    kc_int(kc, "committed_offset", seen.offset, offset);
}

/* --- offsets ---------------------------------------------------------------------------------- */

static void
offset_commit_fetch(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_commit commit = kc_commit_of(NULL, 42);
    struct kc_committed seen;

    commit.leader_epoch = 3;
    commit.metadata = "some metadata";
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 1, &commit), KE_NONE);
    seen = kc_committed(kc, group, topic, 1);
    kc_code(kc, "error_code", seen.code, KE_NONE);
    kc_int(kc, "committed_offset", seen.offset, 42);
    kc_int(kc, "leader_epoch", seen.leader_epoch, 3);
    kc_that(kc, kc_topic_is_named(seen.metadata, commit.metadata), "metadata-differs",
        "metadata \"%s\"", commit.metadata);
    committed_is(kc, group, topic, 0, -1);
}

static void
offset_commit_zero(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);

    committed_is(kc, group, topic, 0, -1);
    kc_code(kc, "error_code", commit_code(kc, group, topic, NULL, 0), KE_NONE);
    committed_is(kc, group, topic, 0, 0);
}

static void
offset_metadata_too_large(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_commit commit = kc_commit_of(NULL, 1);
    char *text = kc_alloc(kc, METADATA_TOO_LONG + 1, 1);

    memset(text, 'm', METADATA_TOO_LONG);
    commit.metadata = text;
    kc_code(
        kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_OFFSET_METADATA_TOO_LARGE);
    committed_is(kc, group, topic, 0, -1);
}

static void
offset_commit_unknown_partition(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_commit commit = kc_commit_of(NULL, 1);

    kc_code(
        kc, "error_code", kc_commit(kc, group, topic, 99, &commit), KE_UNKNOWN_TOPIC_OR_PARTITION);
}

/* All that a group has committed, as [partition] of one topic; how many there are. */
static int32_t
committed_all(struct kc *kc, const struct kc_group *group, int64_t *offsets, int32_t count)
{
    struct km_offset_fetch_request body;
    struct km_offset_fetch_request_group asked;
    const struct km_offset_fetch_response *response;
    const struct km_offset_fetch_response_topics *topic;

    codec_init(&km_offset_fetch_request_desc, &body);
    codec_init(&km_offset_fetch_request_group_desc, &asked);
    asked.group_id = kc_string(group->id);
    asked.topics.count = -1;
    body.groups.items = &asked;
    body.groups.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_FETCH,
        kc_version(kc, KM_OFFSET_FETCH, UNKNOWN_GROUP_VERSION), &body);
    kc_int(kc, "groups_count", response->groups.count, 1);
    kc_int(kc, "topics_count", response->groups.items[0].topics.count, 1);
    topic = &response->groups.items[0].topics.items[0];
    for (int32_t i = 0; i < topic->partitions.count; i++)
        if (topic->partitions.items[i].partition_index >= 0 &&
            topic->partitions.items[i].partition_index < count)
            offsets[topic->partitions.items[i].partition_index] =
                topic->partitions.items[i].committed_offset;
    return topic->partitions.count;
}

static void
offset_fetch_all(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 3, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_commit commit = kc_commit_of(NULL, 5);
    int64_t offsets[3] = {-1, -1, -1};

    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 0, &commit), KE_NONE);
    commit.offset = 7;
    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 2, &commit), KE_NONE);
    kc_int(kc, "partitions_count", committed_all(kc, group, offsets, 3), 2);
    kc_int(kc, "committed_offset", offsets[0], 5);
    kc_int(kc, "committed_offset", offsets[2], 7);
}

static int16_t
commit_by_id(struct kc *kc, const struct kc_group *group, const struct wire_uuid *id)
{
    struct km_offset_commit_request body;
    struct km_offset_commit_request_topic asked;
    struct km_offset_commit_request_partition part;
    const struct km_offset_commit_response *response;

    codec_init(&km_offset_commit_request_desc, &body);
    codec_init(&km_offset_commit_request_topic_desc, &asked);
    codec_init(&km_offset_commit_request_partition_desc, &part);
    part.committed_offset = 5;
    part.committed_metadata = kc_string("");
    asked.topic_id = *id;
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.group_id = kc_string(group->id);
    body.generation_id_or_member_epoch = -1;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_COMMIT, TOPIC_ID_VERSION, &body);
    kc_int(kc, "topics_count", response->topics.count, 1);
    return response->topics.items[0].partitions.items[0].error_code;
}

static void
offset_topic_id_v10(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct wire_uuid unknown = topic->id;

    unknown.bytes[0] ^= 1;
    kc_code(kc, "error_code", commit_by_id(kc, group, &unknown), KE_UNKNOWN_TOPIC_ID);
    kc_code(kc, "error_code", commit_by_id(kc, group, &topic->id), KE_NONE);
    committed_is(kc, group, topic, 0, 5);
    topic = kc_topic_recreate(kc, topic);
    committed_is(kc, group, topic, 0, -1);
}

static void
offset_commit_generation(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, "instance", "any");
    struct kc_commit commit;

    kc_members_settle(kc, &one, 1, "first");
    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, one, 5), KE_NONE);
    commit = kc_commit_of(one, 6);
    commit.generation--;
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_ILLEGAL_GENERATION);
    commit = kc_commit_of(one, 6);
    commit.instance = NULL;
    commit.member_id = "nobody";
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_UNKNOWN_MEMBER_ID);
    commit.instance = one->instance;
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_FENCED_INSTANCE_ID);
    committed_is(kc, group, topic, 0, 5);
}

static void
offset_commit_simple_active(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, NULL, "any");

    kc_members_settle(kc, &one, 1, "first");
    kc_code(kc, "error_code", commit_code(kc, group, topic, NULL, 1), KE_UNKNOWN_MEMBER_ID);
    committed_is(kc, group, topic, 0, -1);
}

static void
offset_commit_unknown_group_gen(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_commit commit = kc_commit_of(NULL, 1);

    commit.generation = 5;
    commit.member_id = "nobody";
    commit.version_max = UNKNOWN_GROUP_VERSION - 1;
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_ILLEGAL_GENERATION);
    if (!kc_has_version(kc, KM_OFFSET_COMMIT, UNKNOWN_GROUP_VERSION))
        return;
    commit.version_max = UNKNOWN_GROUP_VERSION;
    kc_code(kc, "error_code", kc_commit(kc, group, topic, 0, &commit), KE_GROUP_ID_NOT_FOUND);
}

static void
offset_commit_during_rebalance(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {
        kc_member_new(kc, group, NULL, "any"),
        kc_member_new(kc, group, NULL, "any"),
    };

    kc_members_settle(kc, members, 1, "first");
    kc_member_join_send(kc, members[1]);
    kc_member_await_rebalance(kc, members[0]);
    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, members[0], 1), KE_NONE);
    kc_code(kc, "JoinGroup", kc_member_join(kc, members[0]), KE_NONE);
    kc_code(
        kc, "error_code", commit_code(kc, group, topic, members[0], 2), KE_REBALANCE_IN_PROGRESS);
    committed_is(kc, group, topic, 0, 1);
}

static void
offsets_removed_with_topic(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);

    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, NULL, 3), KE_NONE);
    committed_is(kc, group, topic, 0, 3);
    kc_topic_delete(kc, topic->name);
    while (kc_committed(kc, group, topic, 0).offset != -1)
        kc_wait_more(kc, &wait, "the offset is gone");
}

/* --- restarts --------------------------------------------------------------------------------- */

static void
kill_and_restart(struct kc *kc, struct kc_group *group)
{
    kc_setup_begin(kc);
    kc_control(kc, killed, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    kc_setup_end(kc);
    kc_group_await(kc, group);
}

static void
coordinator_failover(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {
        kc_member_new(kc, group, NULL, "any"),
        kc_member_new(kc, group, NULL, "any"),
    };

    for (size_t i = 0; i < 2; i++)
        members[i]->session_ms = LONG_SESSION_MS;
    kc_members_settle(kc, members, 2, "first");
    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, members[0], 11), KE_NONE);
    kill_and_restart(kc, group);
    for (size_t i = 0; i < 2; i++)
        kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, members[i]), KE_NONE);
    committed_is(kc, group, topic, 0, 11);
    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, members[1], 12), KE_NONE);
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, members[1]), KE_NONE);
    kc_member_await_rebalance(kc, members[0]);
}

static void
offsets_survive_restart(struct kc *kc)
{
    enum { PARTITIONS = 4 };
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_group *group = kc_group_new(kc);

    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct kc_commit commit = kc_commit_of(NULL, 100 + i);

        commit.leader_epoch = i;
        commit.metadata = "kept";
        kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, i, &commit), KE_NONE);
    }
    kill_and_restart(kc, group);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct kc_committed seen = kc_committed(kc, group, topic, i);

        kc_code(kc, "error_code", seen.code, KE_NONE);
        kc_int(kc, "committed_offset", seen.offset, 100 + i);
        kc_int(kc, "leader_epoch", seen.leader_epoch, i);
        kc_that(kc, kc_topic_is_named(seen.metadata, "kept"), "metadata-differs", "the metadata");
    }
}

/* --- what groups are said to be --------------------------------------------------------------- */

static const struct km_describe_groups_response_described_group *
state_is(struct kc *kc, const struct kc_group *group, const char *state, int32_t members)
{
    const struct km_describe_groups_response_described_group *seen = kc_group_describe(kc, group);

    kc_code(kc, "error_code", seen->error_code, KE_NONE);
    kc_that(kc, kc_topic_is_named(seen->group_state, state),
        kc_printf(kc, "group_state=%.*s", seen->group_state.size, seen->group_state.data),
        "state %s", state);
    kc_int(kc, "members_count", seen->members.count, members);
    return seen;
}

static void
describe(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, NULL, "metadata");
    struct kc_member *other = kc_member_new(kc, group, NULL, "metadata");
    const struct km_describe_groups_response_described_group *seen;
    const struct km_describe_groups_response_described_group_member *listed;

    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, NULL, 1), KE_NONE);
    state_is(kc, group, "Empty", 0);
    kc_members_join(kc, &one, 1);
    state_is(kc, group, "CompletingRebalance", 1);
    kc_members_settle(kc, &one, 1, "first");
    seen = state_is(kc, group, "Stable", 1);
    kc_that(kc, kc_topic_is_named(seen->protocol_type, KC_PROTOCOL_TYPE), "other-protocol-type",
        "protocol type %s", KC_PROTOCOL_TYPE);
    kc_that(kc, kc_topic_is_named(seen->protocol_data, "range"), "other-protocol", "range");
    listed = &seen->members.items[0];
    kc_that(
        kc, kc_topic_is_named(listed->member_id, one->id), "other-member", "member %s", one->id);
    kc_that(kc, kc_topic_is_named(listed->client_id, kc->client_id), "other-client-id",
        "client id %s", kc->client_id);
    kc_that(kc, listed->client_host.size > 1 && listed->client_host.data[0] == '/', "other-host",
        "/ and the client's address");
    kc_bytes(kc, "member_metadata", listed->member_metadata, kc_text_bytes("metadata"));
    kc_bytes(kc, "member_assignment", listed->member_assignment, kc_text_bytes("first-0"));
    kc_member_join_send(kc, other);
    kc_member_await_rebalance(kc, one);
    state_is(kc, group, "PreparingRebalance", 2);
}

static void
describe_missing(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    const struct km_describe_groups_response_described_group *seen = kc_group_describe(kc, group);

    kc_code(kc, "error_code", seen->error_code,
        kc->last->version >= DESCRIBE_MISSING_VERSION ? KE_GROUP_ID_NOT_FOUND : KE_NONE);
    kc_that(kc, kc_topic_is_named(seen->group_state, "Dead"), "other-state", "state Dead");
}

static int16_t
delete_code(struct kc *kc, const struct kc_group *group)
{
    const struct km_delete_groups_response *response;
    struct km_delete_groups_request body;
    struct wire_string id = kc_string(group->id);

    codec_init(&km_delete_groups_request_desc, &body);
    body.groups_names.items = &id;
    body.groups_names.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_DELETE_GROUPS,
        kc_version(kc, KM_DELETE_GROUPS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    return response->results.items[0].error_code;
}

static void
delete_groups(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, NULL, "any");

    kc_code(kc, "error_code", delete_code(kc, group), KE_GROUP_ID_NOT_FOUND);
    kc_members_settle(kc, &one, 1, "first");
    kc_code(kc, "OffsetCommit", commit_code(kc, group, topic, one, 4), KE_NONE);
    kc_code(kc, "error_code", delete_code(kc, group), KE_NON_EMPTY_GROUP);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, one), KE_NONE);
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, one), KE_NONE);
    kc_code(kc, "error_code", delete_code(kc, group), KE_NONE);
    committed_is(kc, group, topic, 0, -1);
}

static const struct km_list_groups_response_listed_group *
listed(struct kc *kc, const struct kc_group *group, const char *state)
{
    const struct km_list_groups_response *response;
    struct km_list_groups_request body;
    struct wire_string filter = kc_string(state);

    codec_init(&km_list_groups_request_desc, &body);
    body.states_filter.items = &filter;
    body.states_filter.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_LIST_GROUPS,
        kc_version(kc, KM_LIST_GROUPS, KC_VERSION_MAX), &body);
    kc_code(kc, "ListGroups", response->error_code, KE_NONE);
    for (int32_t i = 0; i < response->groups.count; i++)
        if (kc_topic_is_named(response->groups.items[i].group_id, group->id))
            return &response->groups.items[i];
    return NULL;
}

static void
list(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, NULL, "any");
    const struct km_list_groups_response_listed_group *seen;

    kc_members_settle(kc, &one, 1, "first");
    kc_that(kc, listed(kc, group, "Empty") == NULL, "listed", "a group with members not Empty");
    seen = listed(kc, group, "sTABLE");
    kc_that(kc, seen != NULL, "not-listed", "the group, whatever the filter's case");
    kc_that(kc, kc_topic_is_named(seen->group_state, "Stable"), "other-state", "state Stable");
    kc_that(kc, kc_topic_is_named(seen->protocol_type, KC_PROTOCOL_TYPE), "other-protocol-type",
        "protocol type %s", KC_PROTOCOL_TYPE);
    if (kc_has_version(kc, KM_LIST_GROUPS, 5))
        kc_that(kc, kc_topic_is_named(seen->group_type, "classic"), "other-type", "type classic");
}

static int16_t
offset_delete_code(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic)
{
    const struct km_offset_delete_response *response;
    struct km_offset_delete_request body;
    struct km_offset_delete_request_topic asked;
    struct km_offset_delete_request_partition part;

    codec_init(&km_offset_delete_request_desc, &body);
    codec_init(&km_offset_delete_request_topic_desc, &asked);
    codec_init(&km_offset_delete_request_partition_desc, &part);
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.group_id = kc_string(group->id);
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_DELETE,
        kc_version(kc, KM_OFFSET_DELETE, KC_VERSION_MAX), &body);
    kc_code(kc, "OffsetDelete", response->error_code, KE_NONE);
    kc_int(kc, "topics_count", response->topics.count, 1);
    return response->topics.items[0].partitions.items[0].error_code;
}

static void
offset_delete(struct kc *kc)
{
    struct kc_topic *first = kc_topic_new(kc, 1, NULL), *second = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);

    kc_code(kc, "OffsetCommit", commit_code(kc, group, first, NULL, 1), KE_NONE);
    kc_code(kc, "OffsetCommit", commit_code(kc, group, second, NULL, 2), KE_NONE);
    kc_code(kc, "error_code", offset_delete_code(kc, group, first), KE_NONE);
    committed_is(kc, group, first, 0, -1);
    committed_is(kc, group, second, 0, 2);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"group.offset_commit_fetch", "a committed offset comes back with leader epoch and metadata",
        "librdkafka 0030", CHECK_CORE, 0,
        {CHECK_NEED(OFFSET_COMMIT, 6), CHECK_NEED(OFFSET_FETCH, 5)}, offset_commit_fetch},
    {"group.offset_commit_zero", "offset 0 that was committed is not taken for none",
        "OffsetFetchRequestTest", 0, 0, {CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(OFFSET_FETCH, 1)},
        offset_commit_zero},
    {"group.offset_fetch_all", "without topics all offsets of a group are told", "KIP-88", 0, 0,
        {CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(OFFSET_FETCH, 8)}, offset_fetch_all},
    {"group.offset_topic_id_v10",
        "offsets are committed by topic id; an unknown one is 100, a new topic has none", "KIP-848",
        0, 0, {CHECK_NEED(OFFSET_COMMIT, TOPIC_ID_VERSION), CHECK_NEED(OFFSET_FETCH, 8)},
        offset_topic_id_v10},
    {"group.offset_metadata_too_large", "metadata above offset.metadata.max.bytes is 12",
        "OffsetMetadataManager", 0, 0, {CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(OFFSET_FETCH, 1)},
        offset_metadata_too_large},
    {"group.offset_commit_unknown_partition", "an offset of a partition that is not there is 3",
        "TestOffsetCommitUnknownPartitionRejected", 0, 0, {CHECK_NEED(OFFSET_COMMIT, 2)},
        offset_commit_unknown_partition},
    {"group.offset_commit_generation",
        "commits of another generation, of nobody, of who was fenced change nothing",
        "OffsetCommitRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(JOIN_GROUP, 5), CHECK_NEED(OFFSET_COMMIT, 7)}, offset_commit_generation},
    {"group.offset_commit_simple_active", "while a group has members nobody else commits for it",
        "ClassicGroup.validateOffsetCommit", 0, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)}, offset_commit_simple_active},
    {"group.offset_commit_unknown_group_gen",
        "a commit with a generation for no group is 22, from v9 on 69", "OffsetMetadataManager", 0,
        0, {CHECK_NEED(OFFSET_COMMIT, 2)}, offset_commit_unknown_group_gen},
    {"group.offset_commit_during_rebalance",
        "commits are taken while members join, and are 27 until they have their assignments",
        "ClassicGroup.validateOffsetCommit", 0, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)}, offset_commit_during_rebalance},
    {"group.offsets_removed_with_topic", "offsets of a deleted topic go", "KIP-211", 0, 0,
        {CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(DELETE_TOPICS, 1)}, offsets_removed_with_topic},
    {"group.coordinator_failover",
        "members, generation and offsets outlive a kill of the coordinator", "consumer_test.py",
        CHECK_CORE | CHECK_CONTROL, 90, {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)},
        coordinator_failover},
    {"group.offsets_survive_restart", "committed offsets outlive a kill exactly",
        "OffsetMetadataManager", CHECK_CORE | CHECK_CONTROL, 90,
        {CHECK_NEED(OFFSET_COMMIT, 6), CHECK_NEED(OFFSET_FETCH, 5)}, offsets_survive_restart},
    {"group.describe", "a group's state, members, metadata and assignments are told as they are",
        "DescribeGroupsRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(DESCRIBE_GROUPS, 0), CHECK_NEED(OFFSET_COMMIT, 2)},
        describe},
    {"group.describe_missing", "a group that is not there is Dead, from v6 on with 69", "KIP-1043",
        0, 0, {CHECK_NEED(DESCRIBE_GROUPS, 0)}, describe_missing},
    {"group.delete", "a group is deleted with its offsets once it has no members",
        "DeleteGroupsRequestTest", 0, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(DELETE_GROUPS, 0), CHECK_NEED(OFFSET_COMMIT, 2)},
        delete_groups},
    {"group.list", "groups are listed by state, with their type", "ListGroupsRequestTest", 0, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(LIST_GROUPS, 4)}, list},
    {"group.offset_delete", "OffsetDelete removes one offset and no other",
        "OffsetDeleteRequestTest", 0, 0,
        {CHECK_NEED(OFFSET_DELETE, 0), CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(OFFSET_FETCH, 1)},
        offset_delete},
};

const struct check_table c_group_offsets_table = CHECK_TABLE("group", checks);
