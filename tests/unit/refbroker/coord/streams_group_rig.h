/*
 * streams_group_rig: members of streams group "g" in a whole broker, whose topology reads topic
 * "wal", and keeps its state in an internal topic where `stateful`. A test ends the rig with
 * streams_rig_teardown.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_STREAMS_GROUP_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_STREAMS_GROUP_RIG_H

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/streams_group.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define STREAMS_RIG_BYTES_MAX ((size_t)1 << 20)
#define STREAMS_RIG_TASKS 8 /* that a member can note */
#define STREAMS_RIG_ALL BROKER_WORLD_PARTITIONS
#define STREAMS_RIG_MEMBERS 3
#define STREAMS_RIG_REBALANCE_MS 20000
#define STREAMS_RIG_CHANGELOG "g-store-changelog"

/* A member as it sees itself. */
struct streams_rig_member {
    const char *id;
    const char *process;
    int32_t epoch;
    bool active[STREAMS_RIG_TASKS];
    bool standby[STREAMS_RIG_TASKS];
    int32_t endpoint_epoch;
    uint16_t endpoint_port; /* of its endpoint; 0: none */
    bool unsure;            /* its last answer got lost in a crash */
    /* The last answer. */
    int16_t code;
    char text[512];
    int32_t interval_ms;
    bool told;         /* tasks came */
    int endpoints;     /* that came; -1: none were told */
    unsigned statuses; /* bits, by their codes */
    char detail[512];  /* of the last one */
};

struct streams_rig {
    struct broker_world world;
    struct streams_rig_member members[STREAMS_RIG_MEMBERS];
    /* Of the topology that members come with. */
    bool stateful;
    int16_t replication_factor; /* of its internal topic */
    const char *source;
    int32_t topology_epoch;
};

static inline const struct streams_group *
streams_rig_group(const struct streams_rig *rig)
{
    const struct group *group = groups_find(rig->world.broker->groups, request_text("g"));

    return group == NULL ? NULL : group->streams;
}

static inline const struct streams_member *
streams_rig_member(const struct streams_rig *rig, int number)
{
    return streams_rig_group(rig) == NULL
               ? NULL
               : streams_member_find(streams_rig_group(rig), request_text(rig->members[number].id));
}

static inline void
streams_rig_tasks_take(bool has[STREAMS_RIG_TASKS],
    const struct km_streams_group_heartbeat_response_task_ids_array *in)
{
    memset(has, 0, STREAMS_RIG_TASKS * sizeof *has);
    for (int32_t i = 0; i < in->count; i++)
        for (int32_t k = 0; k < in->items[i].partitions.count; k++)
            has[in->items[i].partitions.items[k]] = true;
}

static inline void
streams_rig_text(char out[512], struct wire_string text)
{
    snprintf(out, 512, "%.*s", text.size < 0 ? 0 : text.size, text.size < 0 ? "" : text.data);
}

static inline void
streams_rig_take(
    struct streams_rig_member *member, const struct km_streams_group_heartbeat_response *out)
{
    member->code = out->error_code;
    streams_rig_text(member->text, out->error_message);
    member->unsure = false;
    member->statuses = 0;
    member->told = out->active_tasks.count >= 0;
    member->endpoints = out->partitions_by_user_endpoint.count;
    for (int32_t i = 0; i < out->status.count; i++) {
        member->statuses |= 1U << out->status.items[i].status_code;
        streams_rig_text(member->detail, out->status.items[i].status_detail);
    }
    if (out->error_code != 0)
        return;
    member->epoch = out->member_epoch;
    member->interval_ms = out->heartbeat_interval_ms;
    if (member->told) {
        streams_rig_tasks_take(member->active, &out->active_tasks);
        streams_rig_tasks_take(member->standby, &out->standby_tasks);
    }
    if (member->endpoints >= 0)
        member->endpoint_epoch = out->endpoint_information_epoch;
}

/* Sends any heartbeat of a member; false where the disk stops before the answer. */
static inline bool
streams_rig_send(
    struct streams_rig *rig, int number, const struct km_streams_group_heartbeat_request *in)
{
    struct km_streams_group_heartbeat_response out;
    struct arena arena;
    bool answered;

    arena_init(&arena, STREAMS_RIG_BYTES_MAX);
    answered = broker_world_call(&rig->world, KM_STREAMS_GROUP_HEARTBEAT, 0, in, &arena, &out);
    if (answered)
        streams_rig_take(&rig->members[number], &out);
    arena_fini(&arena);
    return answered;
}

/* Parts of a request, which must live as long as it. */
struct streams_rig_parts {
    struct km_streams_group_heartbeat_request_topology topology;
    struct km_streams_group_heartbeat_request_subtopology subtopology;
    struct km_streams_group_heartbeat_request_topic_info changelog;
    struct wire_string source;
    struct km_streams_group_heartbeat_request_task_ids owned[2];
    int32_t partitions[2][STREAMS_RIG_TASKS];
    struct km_streams_group_heartbeat_request_endpoint endpoint;
};

static inline void
streams_rig_topology_fill(const struct streams_rig *rig, struct streams_rig_parts *parts)
{
    codec_init(&km_streams_group_heartbeat_request_topology_desc, &parts->topology);
    codec_init(&km_streams_group_heartbeat_request_subtopology_desc, &parts->subtopology);
    codec_init(&km_streams_group_heartbeat_request_topic_info_desc, &parts->changelog);
    parts->source = request_text(rig->source);
    parts->changelog.name = request_text(STREAMS_RIG_CHANGELOG);
    parts->changelog.replication_factor = rig->replication_factor;
    parts->subtopology.subtopology_id = request_text("0");
    parts->subtopology.source_topics.items = &parts->source;
    parts->subtopology.source_topics.count = 1;
    parts->subtopology.state_changelog_topics.items = &parts->changelog;
    parts->subtopology.state_changelog_topics.count = rig->stateful;
    parts->topology.epoch = rig->topology_epoch;
    parts->topology.subtopologies.items = &parts->subtopology;
    parts->topology.subtopologies.count = 1;
}

static inline void
streams_rig_owned_fill(struct streams_rig_parts *parts, int kind, const bool has[STREAMS_RIG_TASKS],
    struct km_streams_group_heartbeat_request_task_ids_array *out)
{
    struct km_streams_group_heartbeat_request_task_ids *ids = &parts->owned[kind];

    codec_init(&km_streams_group_heartbeat_request_task_ids_desc, ids);
    ids->subtopology_id = request_text("0");
    ids->partitions.items = parts->partitions[kind];
    for (int32_t i = 0; i < STREAMS_RIG_TASKS; i++)
        if (has[i])
            parts->partitions[kind][ids->partitions.count++] = i;
    out->items = ids;
    out->count = ids->partitions.count > 0;
}

/* A member's heartbeat at an epoch, with its topology where it joins, and with what it has where
 * `told`. */
static inline void
streams_rig_fill(const struct streams_rig *rig, int number, int32_t epoch, bool told,
    struct streams_rig_parts *parts, struct km_streams_group_heartbeat_request *in)
{
    const struct streams_rig_member *member = &rig->members[number];

    codec_init(&km_streams_group_heartbeat_request_desc, in);
    in->group_id = request_text("g");
    in->member_id = request_text(member->id);
    in->member_epoch = epoch;
    in->endpoint_information_epoch = member->endpoint_epoch;
    if (told) {
        streams_rig_owned_fill(parts, 0, member->active, &in->active_tasks);
        streams_rig_owned_fill(parts, 1, member->standby, &in->standby_tasks);
        in->warmup_tasks.count = 0;
    }
    if (epoch != STREAMS_EPOCH_JOIN)
        return;
    streams_rig_topology_fill(rig, parts);
    in->topology = &parts->topology;
    in->rebalance_timeout_ms = STREAMS_RIG_REBALANCE_MS;
    in->process_id = request_text(member->process);
    in->client_tags.count = 0;
    if (member->endpoint_port == 0)
        return;
    parts->endpoint.host = request_text("host");
    parts->endpoint.port = member->endpoint_port;
    in->user_endpoint = &parts->endpoint;
}

static inline bool
streams_rig_beat_at(struct streams_rig *rig, int number, int32_t epoch, bool told)
{
    struct km_streams_group_heartbeat_request in;
    struct streams_rig_parts parts;

    if (epoch == STREAMS_EPOCH_JOIN) {
        memset(rig->members[number].active, 0, sizeof rig->members[number].active);
        memset(rig->members[number].standby, 0, sizeof rig->members[number].standby);
    }
    streams_rig_fill(rig, number, epoch, told, &parts, &in);
    return streams_rig_send(rig, number, &in);
}

static inline void
streams_rig_join(struct streams_rig *rig, int number)
{
    assert_true(streams_rig_beat_at(rig, number, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[number].code, 0);
}

/* A heartbeat with what the member knows. */
static inline void
streams_rig_beat(struct streams_rig *rig, int number)
{
    assert_true(streams_rig_beat_at(rig, number, rig->members[number].epoch, true));
    assert_int_equal(rig->members[number].code, 0);
}

static inline void
streams_rig_leave(struct streams_rig *rig, int number)
{
    assert_true(streams_rig_beat_at(rig, number, STREAMS_EPOCH_LEAVE, false));
    assert_int_equal(rig->members[number].code, 0);
}

static inline int
streams_rig_count(const bool has[STREAMS_RIG_TASKS])
{
    int count = 0;

    for (int i = 0; i < STREAMS_RIG_TASKS; i++)
        count += has[i];
    return count;
}

static inline int
streams_rig_active(const struct streams_rig *rig, int number)
{
    return streams_rig_count(rig->members[number].active);
}

/* Lets what nobody waits for come through. */
static inline void
streams_rig_rest(struct streams_rig *rig)
{
    broker_world_rest(&rig->world, 30);
}

static inline void
streams_rig_pass(struct streams_rig *rig, int64_t ms)
{
    env_advance(&rig->world.time, ms * 1000);
    (void)broker_tick(rig->world.broker);
}

static inline void
streams_rig_start(struct streams_rig *rig)
{
    assert_null(broker_world_start(&rig->world));
    rig->world.broker->options.groups.streams_assignment_interval_ms = 0;
    rig->world.broker->options.groups.streams_initial_rebalance_delay_ms = 0;
}

static inline void
streams_rig_coordinator_wait(struct streams_rig *rig)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, STREAMS_RIG_BYTES_MAX);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(&rig->world, KM_FIND_COORDINATOR, 3, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(&rig->world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static inline struct streams_rig *
streams_rig_new(uint64_t seed)
{
    static const char *const ids[STREAMS_RIG_MEMBERS] = {"a", "b", "c"};
    static const char *const processes[STREAMS_RIG_MEMBERS] = {"pa", "pb", "pc"};
    struct streams_rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, seed);
    rig->source = "wal";
    streams_rig_start(rig);
    for (int i = 0; i < STREAMS_RIG_MEMBERS; i++) {
        rig->members[i].id = ids[i];
        rig->members[i].process = processes[i];
    }
    streams_rig_coordinator_wait(rig);
    return rig;
}

static inline int
streams_rig_setup(void **state)
{
    *state = streams_rig_new(1);
    return 0;
}

static inline int
streams_rig_teardown(void **state)
{
    struct streams_rig *rig = *state;

    broker_world_fini(&rig->world);
    free(rig);
    return 0;
}

/* The power goes, and comes back. */
static inline void
streams_rig_crash(struct streams_rig *rig)
{
    broker_world_crash(&rig->world);
    disk_cut_power(rig->world.disk);
    streams_rig_start(rig);
}

#endif
