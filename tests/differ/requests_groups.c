#include "tests/differ/requests_groups.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/differ/speaker.h"

/* As long as group.max.session.timeout.ms allows, so that nobody's time runs out. */
#define TIMEOUT_MS 1800000
#define VERSIONED_BYTES_MAX 4096

/* What an assignor gives to whom depends on the hashes of topic ids and of member ids that a broker
 * made, which both sides have others of. So members of the two protocols subscribe to different
 * topics; of classic members, and of those whose id the broker made, there is one in a group of the
 * consumer protocol; members whose ids are chosen have one topic each, or are alone. */
#define CLASSIC_TOPICS 3 /* the first ones */
#define CHOSEN_TOPICS 2  /* those behind */
#define MADE_TOPIC (CLASSIC_TOPICS + CHOSEN_TOPICS)
#define GROUP_OF_ONE (MEMORY_GROUPS - 1)

/* The member of a group whose id the broker made, or NULL. */
static const struct memory_member *
member_made(const struct memory *memory, size_t group)
{
    for (size_t i = 0; i < memory->member_count; i++)
        if (memory->members[i].group == group && memory->members[i].state == MEMORY_IN &&
            memory->members[i].is_consumer && memory->members[i].names[0] != NULL)
            return &memory->members[i];
    return NULL;
}

/* Its classic member, or NULL. */
static const struct memory_member *
member_classic(const struct memory *memory, size_t group)
{
    for (size_t i = 0; i < memory->member_count; i++)
        if (memory->members[i].group == group && memory->members[i].state == MEMORY_IN &&
            !memory->members[i].is_consumer)
            return &memory->members[i];
    return NULL;
}

/* --- classic members ---------------------------------------------------------------------------
 */

static const char *const protocol_names[] = {"range", "roundrobin", "uniform"};

static const char *
protocol_type(struct making *m)
{
    return making_chance(m, 20) ? "connect" : making_chance(m, 40) ? "" : "consumer";
}

/* A version and a message of it. */
static struct wire_bytes
versioned(struct making *m, const struct wire_message *message, int16_t version, const void *in)
{
    struct wire_bytes out;
    struct buf bytes;

    buf_init(&bytes, VERSIONED_BYTES_MAX);
    buf_append_byte(&bytes, 0);
    buf_append_byte(&bytes, (uint8_t)version);
    REQUIRE(codec_encode(message, version, in, &bytes, NULL) == RC_OK);
    out = (struct wire_bytes){arena_dup(m->arena, bytes.data, bytes.size), (int32_t)bytes.size};
    buf_fini(&bytes);
    return out;
}

/* Too short: Kafka fails inside (-1) where it reads a count that is larger than what follows. */
static struct wire_bytes
malformed(struct making *m)
{
    return (struct wire_bytes){(const uint8_t *)"bytes", (int32_t)making_below(m, 6)};
}

static struct wire_bytes
subscription(struct making *m)
{
    struct km_consumer_protocol_subscription in;

    if (making_chance(m, 12))
        return malformed(m);
    codec_init(&km_consumer_protocol_subscription_desc, &in);
    MAKING_LIST(m->arena, in.topics, 1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in.topics.count; i++)
        in.topics.items[i] = making_text(memory_topic_name(making_below(m, CLASSIC_TOPICS)));
    return versioned(
        m, &km_consumer_protocol_subscription_message, (int16_t)making_below(m, 4), &in);
}

static struct wire_bytes
assignment(struct making *m)
{
    struct km_consumer_protocol_assignment in;

    if (making_chance(m, 12))
        return malformed(m);
    codec_init(&km_consumer_protocol_assignment_desc, &in);
    MAKING_ARRAY(m->arena, km_consumer_protocol_assignment_topic_partition_desc,
        in.assigned_partitions, (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in.assigned_partitions.count; i++) {
        in.assigned_partitions.items[i].topic = making_topic_known(m);
        MAKING_LIST(m->arena, in.assigned_partitions.items[i].partitions, 1);
        /* Of a partition that the topic has not Kafka's uniform assignor falls over later (-1). */
        in.assigned_partitions.items[i].partitions.items[0] = 0;
    }
    return versioned(m, &km_consumer_protocol_assignment_message, (int16_t)making_below(m, 4), &in);
}

/* Who is in a group that still waits for another member would wait for it, too. */
static void
join_at_once(struct making *m, struct speaker *s)
{
    if (!memory_awaits(m->memory, s->group, s->member_id))
        return;
    s->instance_id = making_text(NULL);
    if (s->member == NULL || s->member->state != MEMORY_PENDING)
        s->member_id = making_text("nobody");
}

static void *
join_group(struct making *m)
{
    static const int32_t odd_timeouts[] = {-1, 0, 1, TIMEOUT_MS + 1};
    struct km_join_group_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, false, 5);
    const struct memory_member *classic = member_classic(m->memory, s.group);
    size_t first = making_below(m, 2);

    codec_init(&km_join_group_request_desc, in);
    if (s.member == NULL && making_chance(m, 2))
        s.member_id = making_text("");
    if (m->version >= 5 && s.member == NULL && making_chance(m, 4))
        s.instance_id = speaker_instance(m);
    join_at_once(m, &s);
    if (s.group != MEMORY_NONE && m->memory->was_consumer[s.group] && classic != NULL) {
        s.member_id = making_text(classic->text);
        s.instance_id = making_text(NULL);
    }
    /* Kafka forgets an empty group of the consumer protocol before it refuses the member; some of
     * its answers are of the one state then, some of the other. */
    if (s.group != MEMORY_NONE && m->memory->was_consumer[s.group] &&
        memory_is_empty(m->memory, s.group))
        s.member_id = making_text("");
    in->group_id = s.group_id;
    in->member_id = s.member_id;
    in->group_instance_id = s.instance_id;
    in->session_timeout_ms =
        making_chance(m, 20) ? odd_timeouts[making_below(m, ARRAY_LEN(odd_timeouts))] : TIMEOUT_MS;
    in->rebalance_timeout_ms = m->version >= 1 ? TIMEOUT_MS : -1;
    in->protocol_type = making_text(protocol_type(m));
    MAKING_ARRAY(m->arena, km_join_group_request_protocol_desc, in->protocols,
        making_chance(m, 25) ? 0 : 1 + (int32_t)making_below(m, 2));
    /* No name twice: Kafka then finds none that all members have, and never answers. */
    for (int32_t i = 0; i < in->protocols.count; i++) {
        in->protocols.items[i].name = making_text(protocol_names[first + (size_t)i]);
        in->protocols.items[i].metadata = subscription(m);
    }
    if (m->version >= 8 && making_chance(m, 4))
        in->reason = making_text("a reason");
    return in;
}

static void *
sync_group(struct making *m)
{
    struct km_sync_group_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, false, 3);

    codec_init(&km_sync_group_request_desc, in);
    in->group_id = s.group_id;
    in->generation_id = s.generation;
    in->member_id = s.member_id;
    in->group_instance_id = s.instance_id;
    if (m->version >= 5) {
        in->protocol_type = making_text(making_chance(m, 6) ? NULL : protocol_type(m));
        in->protocol_name = making_text(
            making_chance(m, 6) ? NULL
                                : protocol_names[making_below(m, ARRAY_LEN(protocol_names))]);
    }
    MAKING_ARRAY(m->arena, km_sync_group_request_assignment_desc, in->assignments,
        (int32_t)making_below(m, 3));
    for (int32_t i = 0; i < in->assignments.count; i++) {
        in->assignments.items[i].member_id = i == 0 ? s.member_id : speaker_odd_member(m);
        in->assignments.items[i].assignment = assignment(m);
    }
    return in;
}

static void *
heartbeat(struct making *m)
{
    struct km_heartbeat_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, making_chance(m, 20), 3);

    codec_init(&km_heartbeat_request_desc, in);
    in->group_id = s.group_id;
    in->generation_id = s.generation;
    in->member_id = s.member_id;
    in->group_instance_id = s.instance_id;
    return in;
}

static void *
leave_group(struct making *m)
{
    struct km_leave_group_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, making_chance(m, 8), 3);

    codec_init(&km_leave_group_request_desc, in);
    in->group_id = s.group_id;
    if (m->version < 3) {
        in->member_id = s.member_id;
        return in;
    }
    MAKING_ARRAY(m->arena, km_leave_group_request_member_identity_desc, in->members,
        (int32_t)(making_chance(m, 6) ? making_below(m, 3) : 1));
    for (int32_t i = 0; i < in->members.count; i++) {
        in->members.items[i].member_id = i == 0 ? s.member_id : speaker_odd_member(m);
        in->members.items[i].group_instance_id = i == 0 ? s.instance_id : making_text(NULL);
        if (making_chance(m, 8)) {
            in->members.items[i].member_id = making_text("");
            in->members.items[i].group_instance_id = speaker_instance(m);
        }
        if (m->version >= 5 && making_chance(m, 4))
            in->members.items[i].reason = making_text("a reason");
    }
    return in;
}

/* --- members of the consumer protocol -----------------------------------------------------------
 */

static void
heartbeat_subscribe(
    struct making *m, struct km_consumer_group_heartbeat_request *in, size_t group, bool is_made)
{
    size_t first = making_below(m, CHOSEN_TOPICS);

    MAKING_LIST(m->arena, in->subscribed_topic_names,
        group == GROUP_OF_ONE ? 1 + (int32_t)making_below(m, CHOSEN_TOPICS) : 1);
    for (int32_t i = 0; i < in->subscribed_topic_names.count; i++)
        in->subscribed_topic_names.items[i] = making_text(memory_topic_name(
            is_made ? MADE_TOPIC : CLASSIC_TOPICS + (first + (size_t)i) % CHOSEN_TOPICS));
}

/* A member keeps the instance that it came with, or that it has none. Of one that changes it Kafka
 * answers from tables that do not know the new instance yet (nothing is assigned until the next
 * epoch) and that know the old one for good. */
static struct wire_string
heartbeat_instance(struct making *m, size_t group, struct wire_string member_id)
{
    for (size_t i = 0; i < m->memory->member_count; i++) {
        const struct memory_member *who = &m->memory->members[i];

        if (who->group != group || who->state != MEMORY_IN ||
            (size_t)member_id.size != strlen(who->text) ||
            memcmp(member_id.data, who->text, (size_t)member_id.size) != 0)
            continue;
        return making_text(who->instance == MEMORY_NONE || making_chance(m, 2)
                               ? NULL
                               : memory_instance_name(who->instance));
    }
    return making_chance(m, 4) ? speaker_instance(m) : making_text(NULL);
}

static void
heartbeat_join(struct making *m, struct km_consumer_group_heartbeat_request *in, size_t group)
{
    static const char *const chosen[] = {"m-0", "m-1", "m-2", "m-3"};
    static const char *const assignors[] = {"range", "uniform", "no assignor"};
    bool is_made = m->version == 0 && member_made(m->memory, group) == NULL;

    in->member_id =
        making_text(is_made                 ? ""
                    : group == GROUP_OF_ONE ? chosen[0]
                                            : chosen[making_below(m, ARRAY_LEN(chosen))]);
    in->member_epoch = 0;
    in->instance_id = heartbeat_instance(m, group, in->member_id);
    in->rebalance_timeout_ms = TIMEOUT_MS;
    heartbeat_subscribe(m, in, group, is_made);
    if (making_chance(m, 3))
        in->server_assignor = making_text(assignors[making_below(m, making_chance(m, 6) ? 3 : 2)]);
    in->topic_partitions.count = 0;
}

/* What the member was given, which it then has. */
static void
heartbeat_owned(struct making *m, struct km_consumer_group_heartbeat_request *in,
    const struct memory_member *who)
{
    int32_t topics = 0;

    MAKING_ARRAY(m->arena, km_consumer_group_heartbeat_request_topic_partitions_desc,
        in->topic_partitions, MEMORY_TOPICS);
    for (size_t t = 0; t < MEMORY_TOPICS; t++) {
        struct km_consumer_group_heartbeat_request_topic_partitions *item =
            &in->topic_partitions.items[topics];
        int32_t count = 0;

        if (who->assigned[t] == 0)
            continue;
        item->topic_id = memory_topic_marker(t);
        MAKING_LIST(m->arena, item->partitions, 8);
        for (int32_t p = 0; p < 8; p++)
            if ((who->assigned[t] >> p & 1) != 0)
                item->partitions.items[count++] = p;
        item->partitions.count = count;
        topics++;
    }
    in->topic_partitions.count = topics;
}

static void *
consumer_heartbeat(struct making *m)
{
    struct km_consumer_group_heartbeat_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, true, 0);

    codec_init(&km_consumer_group_heartbeat_request_desc, in);
    in->group_id = s.group_id;
    /* Who is in other groups is not remembered, so nobody joins them by this protocol. */
    if (s.group != MEMORY_NONE && (s.member == NULL ? !making_chance(m, 6) : making_chance(m, 6))) {
        heartbeat_join(m, in, s.group);
    } else {
        in->member_id = s.member_id;
        in->member_epoch = s.generation;
        in->instance_id = making_chance(m, 3) ? s.instance_id : making_text(NULL);
        if (making_chance(m, 12)) {
            in->member_epoch = making_chance(m, 3) ? -2 : -1;
            in->instance_id = s.instance_id;
        } else if (s.member != NULL && making_chance(m, 2)) {
            heartbeat_owned(m, in, s.member);
            in->rebalance_timeout_ms = making_chance(m, 2) ? TIMEOUT_MS : -1;
        } else if (making_chance(m, 6)) {
            heartbeat_subscribe(m, in, s.group, s.member != NULL && s.member->names[0] != NULL);
            if (making_chance(m, 4))
                in->subscribed_topic_names.count = 0;
        }
    }
    /* A pattern that is one is matched later, on a thread of its own. */
    if (m->version >= 1 && making_chance(m, 20))
        in->subscribed_topic_regex = making_text(making_chance(m, 2) ? "" : "[");
    if (making_chance(m, 30))
        in->rack_id = making_text(making_chance(m, 2) ? "" : "rack");
    return in;
}

static void *
consumer_describe(struct making *m)
{
    struct km_consumer_group_describe_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_consumer_group_describe_request_desc, in);
    MAKING_LIST(m->arena, in->group_ids, 1);
    in->group_ids.items[0] = speaker_group(m);
    in->include_authorized_operations = making_chance(m, 3);
    return in;
}

/* --- about groups ------------------------------------------------------------------------------
 */

static void *
find_coordinator(struct making *m)
{
    struct km_find_coordinator_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_find_coordinator_request_desc, in);
    if (m->version >= 1)
        in->key_type = (int8_t)(making_chance(m, 12) ? making_below(m, 5) - 1 : making_below(m, 2));
    if (m->version < 4) {
        in->key = speaker_group(m);
        return in;
    }
    MAKING_LIST(m->arena, in->coordinator_keys, (int32_t)making_below(m, 3));
    for (int32_t i = 0; i < in->coordinator_keys.count; i++)
        in->coordinator_keys.items[i] = speaker_group(m);
    return in;
}

static void *
describe_groups(struct making *m)
{
    struct km_describe_groups_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_describe_groups_request_desc, in);
    MAKING_LIST(m->arena, in->groups, 1);
    in->groups.items[0] = speaker_group(m);
    in->include_authorized_operations = m->version >= 3 && making_chance(m, 3);
    return in;
}

static void *
list_groups(struct making *m)
{
    static const char *const states[] = {"Empty", "Stable", "stable", "CompletingRebalance",
        "Reconciling", "Assigning", "Dead", "no such state", ""};
    static const char *const types[] = {"classic", "consumer", "Consumer", "share", "no such type"};
    struct km_list_groups_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_list_groups_request_desc, in);
    if (m->version >= 4)
        MAKING_LIST(m->arena, in->states_filter, (int32_t)making_below(m, 3));
    for (int32_t i = 0; i < in->states_filter.count; i++)
        in->states_filter.items[i] = making_text(states[making_below(m, ARRAY_LEN(states))]);
    if (m->version >= 5)
        MAKING_LIST(m->arena, in->types_filter, (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->types_filter.count; i++)
        in->types_filter.items[i] = making_text(types[making_below(m, ARRAY_LEN(types))]);
    return in;
}

static void *
delete_groups(struct making *m)
{
    struct km_delete_groups_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_delete_groups_request_desc, in);
    MAKING_LIST(m->arena, in->groups_names, 1);
    in->groups_names.items[0] = speaker_group(m);
    return in;
}

const struct maker requests_groups[] = {
    {KM_FIND_COORDINATOR, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, find_coordinator},
    {KM_JOIN_GROUP, 12, 0, INT16_MAX, MAKING_NOTHING_ELSE, join_group},
    {KM_SYNC_GROUP, 8, 0, INT16_MAX, MAKING_NOTHING_ELSE, sync_group},
    {KM_HEARTBEAT, 5, 0, INT16_MAX, MAKING_NOTHING_ELSE, heartbeat},
    {KM_LEAVE_GROUP, 5, 0, INT16_MAX, MAKING_NOTHING_ELSE, leave_group},
    {KM_CONSUMER_GROUP_HEARTBEAT, 20, 0, INT16_MAX, MAKING_NOTHING_ELSE, consumer_heartbeat},
    {KM_CONSUMER_GROUP_DESCRIBE, 4, 0, INT16_MAX, MAKING_NOTHING_ELSE, consumer_describe},
    {KM_DESCRIBE_GROUPS, 4, 0, INT16_MAX, MAKING_NOTHING_ELSE, describe_groups},
    {KM_LIST_GROUPS, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, list_groups},
    {KM_DELETE_GROUPS, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, delete_groups},
};

const size_t requests_groups_count = ARRAY_LEN(requests_groups);
