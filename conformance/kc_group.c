#include "conformance/kc_group.h"

#include <string.h>

#include "conformance/kc_ask.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define COORDINATOR_MS 20000
#define COORDINATOR_LIST_VERSION 4
#define LEAVE_LIST_VERSION 3
#define OFFSETS_GROUPS_VERSION 8
#define NAMES_VERSION 9 /* the last of OffsetCommit and OffsetFetch with topic names */
#define REBALANCE_MS 5000
#define WAITS_MS 15000 /* for the answer of a JoinGroup or SyncGroup */

/* --- groups ----------------------------------------------------------------------------------- */

/* The coordinator's node, or -1. */
static int32_t
coordinator_node(struct kc *kc, const char *id)
{
    int16_t version = kc_version(kc, KM_FIND_COORDINATOR, KC_VERSION_MAX);
    const struct km_find_coordinator_response *response;
    struct km_find_coordinator_request body;
    struct wire_string key = kc_string(id);

    codec_init(&km_find_coordinator_request_desc, &body);
    if (version < COORDINATOR_LIST_VERSION) {
        body.key = key;
    } else {
        body.coordinator_keys.items = &key;
        body.coordinator_keys.count = 1;
    }
    response = kc_ask(kc, kc_link(kc, 0), KM_FIND_COORDINATOR, version, &body);
    if (version < COORDINATOR_LIST_VERSION)
        return response->error_code == KE_NONE ? response->node_id : -1;
    return response->coordinators.count == 1 &&
                   response->coordinators.items[0].error_code == KE_NONE
               ? response->coordinators.items[0].node_id
               : -1;
}

/* Whether the coordinator knows already that it is, and has read what was. */
static bool
is_served(struct kc *kc, const struct kc_group *group)
{
    struct km_offset_fetch_request body;
    struct km_offset_fetch_request_group asked;
    int16_t version = kc_version(kc, KM_OFFSET_FETCH, NAMES_VERSION);
    const struct km_offset_fetch_response *response;
    int16_t code;

    codec_init(&km_offset_fetch_request_desc, &body);
    codec_init(&km_offset_fetch_request_group_desc, &asked);
    body.group_id = kc_string(group->id);
    asked.group_id = kc_string(group->id);
    if (version >= OFFSETS_GROUPS_VERSION) {
        body.group_id = kc_string("");
        body.groups.items = &asked;
        body.groups.count = 1;
    }
    response = kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_FETCH, version, &body);
    code =
        response->groups.count == 1 ? response->groups.items[0].error_code : response->error_code;
    return code == KE_NONE;
}

void
kc_group_await(struct kc *kc, struct kc_group *group)
{
    struct kc_wait wait = kc_wait_begin(kc, COORDINATOR_MS);

    kc_setup_begin(kc);
    for (;;) {
        int32_t node = coordinator_node(kc, group->id);

        if (node >= 0) {
            group->coordinator = kc_broker(kc, node);
            if (is_served(kc, group))
                break;
        }
        kc_wait_more(kc, &wait, "the group has a coordinator");
    }
    kc_setup_end(kc);
}

struct kc_group *
kc_group_new(struct kc *kc)
{
    struct kc_group *group = kc_alloc(kc, 1, sizeof *group);

    group->id = kc_topic_name(kc);
    kc_group_await(kc, group);
    return group;
}

void
kc_group_set(struct kc *kc, const struct kc_group *group, const char *name, const char *value)
{
    struct kc_wait wait = kc_wait_begin(kc, COORDINATOR_MS);

    kc_setup_begin(kc);
    kc_config_set(kc, KC_RESOURCE_GROUP, group->id, name, value);
    while (!kc_topic_is_named(
        kc_config_told(kc, kc_group_link(kc, group), KC_RESOURCE_GROUP, group->id, kc_string(name))
            ->value,
        value))
        kc_wait_more(kc, &wait, kc_printf(kc, "%s is %s", name, value));
    kc_setup_end(kc);
}

struct link *
kc_group_link(struct kc *kc, const struct kc_group *group)
{
    return kc_link(kc, group->coordinator);
}

const struct km_describe_groups_response_described_group *
kc_group_describe(struct kc *kc, const struct kc_group *group)
{
    const struct km_describe_groups_response *response;
    struct km_describe_groups_request body;
    struct wire_string id = kc_string(group->id);

    codec_init(&km_describe_groups_request_desc, &body);
    body.groups.items = &id;
    body.groups.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_DESCRIBE_GROUPS,
        kc_version(kc, KM_DESCRIBE_GROUPS, KC_VERSION_MAX), &body);
    kc_int(kc, "groups_count", response->groups.count, 1);
    return &response->groups.items[0];
}

/* --- members ---------------------------------------------------------------------------------- */

struct kc_member *
kc_member_new(struct kc *kc, const struct kc_group *group, const char *instance, const char *text)
{
    struct kc_member *member = kc_alloc(kc, 1, sizeof *member);

    member->group = group;
    member->link = kc_link_new(kc, group->coordinator);
    member->id = "";
    member->instance = instance;
    member->protocol_type = KC_PROTOCOL_TYPE;
    member->session_ms = KC_SESSION_MS;
    member->rebalance_ms = KC_SESSION_MS;
    member->protocols[0] = (struct kc_protocol){"range", kc_text_bytes(text)};
    member->protocol_count = 1;
    return member;
}

static void
join_send(struct kc *kc, struct kc_member *member)
{
    struct km_join_group_request body;
    struct km_join_group_request_protocol protocols[KC_PROTOCOLS_MAX];

    codec_init(&km_join_group_request_desc, &body);
    for (size_t i = 0; i < member->protocol_count; i++) {
        codec_init(&km_join_group_request_protocol_desc, &protocols[i]);
        protocols[i].name = kc_string(member->protocols[i].name);
        protocols[i].metadata = member->protocols[i].metadata;
    }
    body.group_id = kc_string(member->group->id);
    body.session_timeout_ms = member->session_ms;
    body.rebalance_timeout_ms = member->rebalance_ms;
    body.member_id = kc_string(member->id);
    body.group_instance_id = kc_string(member->instance);
    body.protocol_type = kc_string(member->protocol_type);
    body.protocols.items = protocols;
    body.protocols.count = (int32_t)member->protocol_count;
    member->sent = kc_send(
        kc, member->link, KM_JOIN_GROUP, kc_version(kc, KM_JOIN_GROUP, KC_VERSION_MAX), &body);
}

static const struct km_join_group_response *
join_receive(struct kc *kc, struct kc_member *member)
{
    member->joined = kc_receive_within(kc, member->link, member->sent, WAITS_MS);
    if (member->joined->member_id.size > 0)
        member->id =
            kc_printf(kc, "%.*s", member->joined->member_id.size, member->joined->member_id.data);
    return member->joined;
}

const struct km_join_group_response *
kc_member_join_once(struct kc *kc, struct kc_member *member)
{
    join_send(kc, member);
    return join_receive(kc, member);
}

void
kc_member_join_send(struct kc *kc, struct kc_member *member)
{
    if (member->id[0] == '\0' && member->instance == NULL)
        kc_code(kc, "JoinGroup without member id", kc_member_join_once(kc, member)->error_code,
            KE_MEMBER_ID_REQUIRED);
    join_send(kc, member);
}

int16_t
kc_member_join_receive(struct kc *kc, struct kc_member *member)
{
    const struct km_join_group_response *response = join_receive(kc, member);

    if (response->error_code == KE_NONE)
        member->generation = response->generation_id;
    return response->error_code;
}

int16_t
kc_member_join(struct kc *kc, struct kc_member *member)
{
    kc_member_join_send(kc, member);
    return kc_member_join_receive(kc, member);
}

bool
kc_member_leads(const struct kc_member *member)
{
    return kc_topic_is_named(member->joined->leader, member->id);
}

void
kc_member_sync_send(
    struct kc *kc, struct kc_member *member, const struct kc_given *given, size_t count)
{
    struct km_sync_group_request body;

    codec_init(&km_sync_group_request_desc, &body);
    body.group_id = kc_string(member->group->id);
    body.generation_id = member->generation;
    body.member_id = kc_string(member->id);
    body.group_instance_id = kc_string(member->instance);
    body.protocol_type = kc_string(member->protocol_type);
    body.protocol_name = member->joined->protocol_name;
    body.assignments.items = kc_alloc(kc, count + 1, sizeof *body.assignments.items);
    for (size_t i = 0; i < count; i++) {
        struct km_sync_group_request_assignment *one = &body.assignments.items[i];

        codec_init(&km_sync_group_request_assignment_desc, one);
        one->member_id = kc_string(given[i].member->id);
        one->assignment = given[i].assignment;
    }
    body.assignments.count = (int32_t)count;
    member->sent = kc_send(
        kc, member->link, KM_SYNC_GROUP, kc_version(kc, KM_SYNC_GROUP, KC_VERSION_MAX), &body);
}

const struct km_sync_group_response *
kc_member_sync_receive(struct kc *kc, struct kc_member *member)
{
    return kc_receive_within(kc, member->link, member->sent, WAITS_MS);
}

int16_t
kc_member_heartbeat(struct kc *kc, const struct kc_member *member)
{
    struct km_heartbeat_request body;
    const struct km_heartbeat_response *response;

    codec_init(&km_heartbeat_request_desc, &body);
    body.group_id = kc_string(member->group->id);
    body.generation_id = member->generation;
    body.member_id = kc_string(member->id);
    body.group_instance_id = kc_string(member->instance);
    /* Not the member's own connection, where a JoinGroup may wait. */
    response = kc_ask(kc, kc_group_link(kc, member->group), KM_HEARTBEAT,
        kc_version(kc, KM_HEARTBEAT, KC_VERSION_MAX), &body);
    return response->error_code;
}

int16_t
kc_member_leave(struct kc *kc, const struct kc_member *member)
{
    struct km_leave_group_request body;
    struct km_leave_group_request_member_identity who;
    const struct km_leave_group_response *response;
    int16_t version = kc_version(kc, KM_LEAVE_GROUP, KC_VERSION_MAX);

    codec_init(&km_leave_group_request_desc, &body);
    codec_init(&km_leave_group_request_member_identity_desc, &who);
    body.group_id = kc_string(member->group->id);
    who.member_id = kc_string(member->id);
    who.group_instance_id = kc_string(member->instance);
    if (version >= LEAVE_LIST_VERSION) {
        body.members.items = &who;
        body.members.count = 1;
    } else {
        body.member_id = who.member_id;
    }
    response = kc_ask(kc, kc_group_link(kc, member->group), KM_LEAVE_GROUP, version, &body);
    return response->error_code == KE_NONE && response->members.count == 1
               ? response->members.items[0].error_code
               : response->error_code;
}

/* Waits until the group waits for its old members, and knows at least `count` in all. */
static void
preparing_await(struct kc *kc, const struct kc_group *group, size_t count)
{
    struct kc_wait wait = kc_wait_begin(kc, REBALANCE_MS);
    const struct km_describe_groups_response_described_group *seen;

    for (;;) {
        kc_setup_begin(kc);
        seen = kc_group_describe(kc, group);
        kc_setup_end(kc);
        if (kc_topic_is_named(seen->group_state, "PreparingRebalance") &&
            seen->members.count >= (int32_t)count)
            return;
        kc_wait_more(kc, &wait, kc_printf(kc, "a rebalance of %zu members", count));
    }
}

/* Those who begin the rebalance: the new ones, or else the leader. */
static bool
begins(const struct kc_member *member, bool has_new)
{
    return has_new ? member->generation == 0 : kc_member_leads(member);
}

void
kc_members_join(struct kc *kc, struct kc_member *const *members, size_t count)
{
    bool has_old = false, has_new = false;

    for (size_t i = 0; i < count; i++)
        has_old |= members[i]->generation > 0;
    /* The first of an empty group has a generation of its own, unless the broker waits for more. */
    if (!has_old)
        kc_code(kc, "JoinGroup", kc_member_join(kc, members[0]), KE_NONE);
    if (!has_old && count == 1)
        return;
    for (size_t i = 0; i < count; i++)
        has_new |= members[i]->generation == 0;
    for (size_t i = 0; i < count; i++)
        if (begins(members[i], has_new))
            kc_member_join_send(kc, members[i]);
    if (count > 1)
        preparing_await(kc, members[0]->group, count);
    for (size_t i = 0; i < count; i++)
        if (!begins(members[i], has_new))
            kc_member_join_send(kc, members[i]);
    for (size_t i = 0; i < count; i++) {
        kc_code(kc, "JoinGroup", kc_member_join_receive(kc, members[i]), KE_NONE);
        kc_int(kc, "generation_id", members[i]->generation, members[0]->generation);
    }
}

void
kc_members_settle(struct kc *kc, struct kc_member *const *members, size_t count, const char *prefix)
{
    struct kc_given *given = kc_alloc(kc, count, sizeof *given);

    kc_members_join(kc, members, count);
    for (size_t i = 0; i < count; i++)
        given[i] = (struct kc_given){members[i], kc_text_bytes(kc_printf(kc, "%s-%zu", prefix, i))};
    for (size_t i = 0; i < count; i++)
        kc_member_sync_send(kc, members[i], given, kc_member_leads(members[i]) ? count : 0);
    for (size_t i = 0; i < count; i++) {
        const struct km_sync_group_response *synced = kc_member_sync_receive(kc, members[i]);

        kc_code(kc, "SyncGroup", synced->error_code, KE_NONE);
        kc_bytes(kc, "assignment", synced->assignment, given[i].assignment);
    }
}

void
kc_member_await_rebalance(struct kc *kc, const struct kc_member *member)
{
    struct kc_wait wait = kc_wait_begin(kc, REBALANCE_MS);
    int16_t code;

    while ((code = kc_member_heartbeat(kc, member)) == KE_NONE)
        kc_wait_more(kc, &wait, "a heartbeat is answered 27");
    kc_code(kc, "Heartbeat", code, KE_REBALANCE_IN_PROGRESS);
}

/* --- committed offsets ------------------------------------------------------------------------ */

struct kc_commit
kc_commit_of(const struct kc_member *member, int64_t offset)
{
    return (struct kc_commit){
        .member_id = member == NULL ? "" : member->id,
        .instance = member == NULL ? NULL : member->instance,
        .generation = member == NULL ? -1 : member->generation,
        .offset = offset,
        .leader_epoch = -1,
        .metadata = "",
        .version_max = NAMES_VERSION,
    };
}

int16_t
kc_commit(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic,
    int32_t partition, const struct kc_commit *commit)
{
    struct km_offset_commit_request body;
    struct km_offset_commit_request_topic asked;
    struct km_offset_commit_request_partition part;
    const struct km_offset_commit_response *response;

    codec_init(&km_offset_commit_request_desc, &body);
    codec_init(&km_offset_commit_request_topic_desc, &asked);
    codec_init(&km_offset_commit_request_partition_desc, &part);
    part.partition_index = partition;
    part.committed_offset = commit->offset;
    part.committed_leader_epoch = commit->leader_epoch;
    part.committed_metadata = kc_string(commit->metadata);
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.group_id = kc_string(group->id);
    body.generation_id_or_member_epoch = commit->generation;
    body.member_id = kc_string(commit->member_id);
    body.group_instance_id = kc_string(commit->instance);
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_COMMIT,
        kc_version(kc, KM_OFFSET_COMMIT, commit->version_max), &body);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    return response->topics.items[0].partitions.items[0].error_code;
}

static struct kc_committed
committed_of_group(struct kc *kc, const struct km_offset_fetch_response *response)
{
    const struct km_offset_fetch_response_group *group;
    const struct km_offset_fetch_response_partitions *part;

    kc_int(kc, "groups_count", response->groups.count, 1);
    group = &response->groups.items[0];
    if (group->error_code != KE_NONE)
        return (struct kc_committed){.code = group->error_code, .offset = -1};
    kc_int(kc, "topics_count", group->topics.count, 1);
    kc_int(kc, "partitions_count", group->topics.items[0].partitions.count, 1);
    part = &group->topics.items[0].partitions.items[0];
    return (struct kc_committed){
        part->error_code, part->committed_offset, part->committed_leader_epoch, part->metadata};
}

static struct kc_committed
committed_of_old(struct kc *kc, const struct km_offset_fetch_response *response)
{
    const struct km_offset_fetch_response_partition *part;

    if (response->error_code != KE_NONE)
        return (struct kc_committed){.code = response->error_code, .offset = -1};
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    part = &response->topics.items[0].partitions.items[0];
    return (struct kc_committed){
        part->error_code, part->committed_offset, part->committed_leader_epoch, part->metadata};
}

struct kc_committed
kc_committed_as(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic,
    int32_t partition, const char *member_id, int32_t epoch)
{
    int16_t version = kc_version(kc, KM_OFFSET_FETCH, NAMES_VERSION);
    struct km_offset_fetch_request body;
    struct km_offset_fetch_request_topic old;
    struct km_offset_fetch_request_group asked;
    struct km_offset_fetch_request_topics topics;

    codec_init(&km_offset_fetch_request_desc, &body);
    if (version < OFFSETS_GROUPS_VERSION) {
        codec_init(&km_offset_fetch_request_topic_desc, &old);
        old.name = kc_string(topic->name);
        old.partition_indexes.items = &partition;
        old.partition_indexes.count = 1;
        body.group_id = kc_string(group->id);
        body.topics.items = &old;
        body.topics.count = 1;
        return committed_of_old(
            kc, kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_FETCH, version, &body));
    }
    codec_init(&km_offset_fetch_request_group_desc, &asked);
    codec_init(&km_offset_fetch_request_topics_desc, &topics);
    topics.name = kc_string(topic->name);
    topics.partition_indexes.items = &partition;
    topics.partition_indexes.count = 1;
    asked.group_id = kc_string(group->id);
    asked.member_id = kc_string(member_id);
    asked.member_epoch = epoch;
    asked.topics.items = &topics;
    asked.topics.count = 1;
    body.groups.items = &asked;
    body.groups.count = 1;
    return committed_of_group(
        kc, kc_ask(kc, kc_group_link(kc, group), KM_OFFSET_FETCH, version, &body));
}

struct kc_committed
kc_committed(
    struct kc *kc, const struct kc_group *group, const struct kc_topic *topic, int32_t partition)
{
    return kc_committed_as(kc, group, topic, partition, NULL, -1);
}
