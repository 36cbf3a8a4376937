/*
 * share_group_rig: members of share group "g" in a whole broker, over the stand-in of the share
 * coordinator. A test ends the rig with share_group_rig_teardown.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_GROUP_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_GROUP_RIG_H

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/share_group.h"
#include "refbroker/coord/share_states.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define SHARE_GROUP_RIG_BYTES_MAX ((size_t)1 << 20)
#define SHARE_GROUP_RIG_VERSION 1
#define SHARE_GROUP_RIG_PARTITIONS BROKER_WORLD_PARTITIONS

/* What a member was told last. */
struct share_group_rig_answer {
    int16_t code;
    char text[256];
    int32_t epoch;
    int32_t interval_ms;
    bool assigned; /* an assignment came */
    int count;     /* of partitions in it */
};

struct share_group_rig {
    struct broker_world world;
    struct share_group_rig_answer answer;
};

static inline const struct share_group *
share_group_rig_group(const struct share_group_rig *rig)
{
    const struct group *group = groups_find(rig->world.broker->groups, request_text("g"));

    return group == NULL ? NULL : group->share;
}

static inline const struct share_member *
share_group_rig_member(const struct share_group_rig *rig, const char *id)
{
    return share_group_rig_group(rig) == NULL
               ? NULL
               : share_member_find(share_group_rig_group(rig), request_text(id));
}

static inline const struct wire_uuid *
share_group_rig_topic_id(const struct share_group_rig *rig)
{
    return &topics_find(&rig->world.broker->topics, "wal", 3)->topic_id;
}

static inline void
share_group_rig_take(
    struct share_group_rig *rig, const struct km_share_group_heartbeat_response *out)
{
    rig->answer = (struct share_group_rig_answer){
        out->error_code, "", out->member_epoch, out->heartbeat_interval_ms, false, 0};
    snprintf(rig->answer.text, sizeof rig->answer.text, "%.*s",
        out->error_message.size < 0 ? 0 : out->error_message.size,
        out->error_message.size < 0 ? "" : out->error_message.data);
    rig->answer.assigned = out->assignment != NULL;
    for (int32_t i = 0; rig->answer.assigned && i < out->assignment->topic_partitions.count; i++)
        rig->answer.count += out->assignment->topic_partitions.items[i].partitions.count;
}

/* Sends any heartbeat; false where the disk stops before the answer. */
static inline bool
share_group_rig_send(struct share_group_rig *rig, const struct km_share_group_heartbeat_request *in)
{
    struct km_share_group_heartbeat_response out;
    struct arena arena;
    bool answered;

    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    answered = broker_world_call(
        &rig->world, KM_SHARE_GROUP_HEARTBEAT, SHARE_GROUP_RIG_VERSION, in, &arena, &out);
    if (answered)
        share_group_rig_take(rig, &out);
    arena_fini(&arena);
    return answered;
}

/* A heartbeat at an epoch; topic NULL: as before. */
static inline bool
share_group_rig_beat_at(
    struct share_group_rig *rig, const char *id, int32_t epoch, const char *topic)
{
    struct km_share_group_heartbeat_request in;
    struct wire_string name = request_text(topic);

    codec_init(&km_share_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text(id);
    in.member_epoch = epoch;
    if (topic != NULL) {
        in.subscribed_topic_names.items = &name;
        in.subscribed_topic_names.count = 1;
    }
    return share_group_rig_send(rig, &in);
}

static inline void
share_group_rig_join(struct share_group_rig *rig, const char *id)
{
    assert_true(share_group_rig_beat_at(rig, id, SHARE_EPOCH_JOIN, "wal"));
    assert_int_equal(rig->answer.code, 0);
}

/* A heartbeat at the epoch that the member has. */
static inline void
share_group_rig_beat(struct share_group_rig *rig, const char *id)
{
    assert_true(share_group_rig_beat_at(rig, id, share_group_rig_member(rig, id)->epoch, NULL));
    assert_int_equal(rig->answer.code, 0);
}

static inline void
share_group_rig_leave(struct share_group_rig *rig, const char *id)
{
    assert_true(share_group_rig_beat_at(rig, id, SHARE_EPOCH_LEAVE, NULL));
    assert_int_equal(rig->answer.code, 0);
}

/* Lets what nobody waits for come through: what is begun is initialised, unless the test is against
 * it. */
static inline void
share_group_rig_rest(struct share_group_rig *rig)
{
    for (int i = 0; i < 20; i++) {
        broker_world_rest(&rig->world, 30);
        if (share_group_rig_group(rig) == NULL ||
            share_group_rig_group(rig)->stages.initializing.count == 0)
            return;
    }
}

/* Joins, and comes to have every partition of its topic. */
static inline void
share_group_rig_settle(struct share_group_rig *rig, const char *id)
{
    share_group_rig_join(rig, id);
    share_group_rig_rest(rig);
    share_group_rig_beat(rig, id);
}

static inline void
share_group_rig_start(struct share_group_rig *rig)
{
    assert_null(broker_world_start(&rig->world));
    rig->world.broker->options.groups.share_assignment_interval_ms = 0;
}

static inline void
share_group_rig_coordinator_wait(struct share_group_rig *rig)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(&rig->world, KM_FIND_COORDINATOR, 3, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(&rig->world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static inline struct share_group_rig *
share_group_rig_new(uint64_t seed)
{
    struct share_group_rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, seed);
    share_group_rig_start(rig);
    share_group_rig_coordinator_wait(rig);
    while (!share_states_ready(rig->world.broker->share_states))
        broker_world_rest(&rig->world, 10);
    return rig;
}

static inline int
share_group_rig_setup(void **state)
{
    *state = share_group_rig_new(1);
    return 0;
}

static inline int
share_group_rig_teardown(void **state)
{
    struct share_group_rig *rig = *state;

    broker_world_fini(&rig->world);
    free(rig);
    return 0;
}

/* The power goes, and comes back. */
static inline void
share_group_rig_crash(struct share_group_rig *rig)
{
    broker_world_crash(&rig->world);
    disk_cut_power(rig->world.disk);
    share_group_rig_start(rig);
}

#endif
