/* group_rig: a broker whose clock the test moves by hand, and members who ask it over connections
 * of their own. Requests are sent and answers taken apart, so that several can wait. */
#ifndef TESTS_UNIT_REFBROKER_COORD_GROUP_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_GROUP_RIG_H

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/client.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define VERSION 3             /* of all requests; JoinGroup hands out no id first */
#define JOIN_STATIC_VERSION 5 /* with group.instance.id */
#define SESSION_MS 10000
#define REBALANCE_MS 60000
#define MEMBERS 3
#define REQUESTS_MAX 64

#define NO_ANSWER (-2)
#define OK 0
#define ILLEGAL_GENERATION 22
#define INCONSISTENT_PROTOCOL 23
#define UNKNOWN_MEMBER 25
#define REBALANCE 27
#define FENCED 82

struct rig {
    struct broker_world world;
    struct client *clients[MEMBERS];
    char ids[MEMBERS][128]; /* as the last JoinGroup answered */
    int32_t generation;
    int16_t api_of[REQUESTS_MAX]; /* by correlation id */
    int member_of[REQUESTS_MAX];
    int16_t codes[MEMBERS]; /* of the last answer */
};

static inline struct group *
group_of(struct rig *rig)
{
    return groups_find(rig->world.broker->groups, request_text("g"));
}

/* --- requests and answers --------------------------------------------------------------------- */

static inline void
join_take(struct rig *rig, int member, const struct km_join_group_response *out)
{
    rig->codes[member] = out->error_code;
    if (out->error_code != 0)
        return;
    rig->generation = out->generation_id;
    snprintf(rig->ids[member], sizeof rig->ids[member], "%.*s", (int)out->member_id.size,
        out->member_id.data);
}

static inline int16_t
version_of(const struct rig *rig, int32_t correlation)
{
    return rig->api_of[correlation % REQUESTS_MAX] == -KM_JOIN_GROUP ? JOIN_STATIC_VERSION
                                                                     : VERSION;
}

/* Reads all answers that are there; replies of several connections come in one row. */
static inline void
answers_take(struct rig *rig)
{
    struct broker_world *world = &rig->world;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    while (world->received.size >= 8) {
        int32_t correlation = codec_bytes_int32(world->received.data + 4);
        int member = rig->member_of[correlation % REQUESTS_MAX];
        int16_t version = version_of(rig, correlation);
        int16_t key = rig->api_of[correlation % REQUESTS_MAX];
        union {
            struct km_join_group_response join;
            struct km_sync_group_response sync;
            struct km_heartbeat_response heartbeat;
            struct km_leave_group_response leave;
        } out;

        key = (int16_t)(key < 0 ? -key : key);
        assert_true(broker_world_reply(world, key, version, &arena, &out, &correlation));
        if (key == KM_JOIN_GROUP)
            join_take(rig, member, &out.join);
        else if (key == KM_SYNC_GROUP)
            rig->codes[member] = out.sync.error_code;
        else if (key == KM_HEARTBEAT)
            rig->codes[member] = out.heartbeat.error_code;
        else
            rig->codes[member] = out.leave.error_code != 0 ? out.leave.error_code
                                                           : out.leave.members.items[0].error_code;
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* Lanes and broker go on, but no time passes. */
static inline void
settle(struct rig *rig)
{
    for (int i = 0; i < 20; i++) {
        (void)broker_tick(rig->world.broker);
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            (void)work_step(rig->world.work, lane);
        (void)broker_tick(rig->world.broker);
    }
    answers_take(rig);
}

static inline void
send_as(struct rig *rig, int member, int16_t api, int16_t version, const void *in)
{
    int32_t next = (rig->world.correlation + 1) % REQUESTS_MAX;

    rig->api_of[next] = (int16_t)(version == JOIN_STATIC_VERSION ? -api : api);
    rig->member_of[next] = member;
    rig->codes[member] = NO_ANSWER;
    rig->world.client = rig->clients[member];
    (void)broker_world_ask(&rig->world, api, version, in);
}

static inline void
join_send(struct rig *rig, int member, const char *protocol, const char *instance_id)
{
    struct km_join_group_request_protocol item;
    struct km_join_group_request in;

    codec_init(&km_join_group_request_desc, &in);
    codec_init(&km_join_group_request_protocol_desc, &item);
    item.name = request_text(protocol);
    item.metadata = (struct wire_bytes){(const uint8_t *)"m", 1};
    in.group_id = request_text("g");
    in.session_timeout_ms = SESSION_MS;
    in.rebalance_timeout_ms = REBALANCE_MS;
    in.member_id = request_text(instance_id == NULL ? rig->ids[member] : "");
    in.group_instance_id = request_text(instance_id);
    in.protocol_type = request_text("consumer");
    in.protocols.items = &item;
    in.protocols.count = 1;
    send_as(rig, member, KM_JOIN_GROUP, instance_id == NULL ? VERSION : JOIN_STATIC_VERSION, &in);
}

static inline void
sync_send(struct rig *rig, int member)
{
    struct km_sync_group_request_assignment item;
    struct km_sync_group_request in;

    codec_init(&km_sync_group_request_desc, &in);
    codec_init(&km_sync_group_request_assignment_desc, &item);
    item.member_id = request_text(rig->ids[member]);
    item.assignment = (struct wire_bytes){(const uint8_t *)"a", 1};
    in.group_id = request_text("g");
    in.generation_id = rig->generation;
    in.member_id = request_text(rig->ids[member]);
    in.assignments.items = &item;
    in.assignments.count = 1;
    send_as(rig, member, KM_SYNC_GROUP, VERSION, &in);
}

static inline void
heartbeat_send(struct rig *rig, int member, int32_t generation)
{
    struct km_heartbeat_request in;

    codec_init(&km_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.generation_id = generation;
    in.member_id = request_text(rig->ids[member]);
    send_as(rig, member, KM_HEARTBEAT, VERSION, &in);
}

static inline void
leave_send(struct rig *rig, int member, const char *instance_id)
{
    struct km_leave_group_request_member_identity item;
    struct km_leave_group_request in;

    codec_init(&km_leave_group_request_desc, &in);
    codec_init(&km_leave_group_request_member_identity_desc, &item);
    item.member_id = request_text(instance_id == NULL ? rig->ids[member] : "");
    item.group_instance_id = request_text(instance_id);
    in.group_id = request_text("g");
    in.members.items = &item;
    in.members.count = 1;
    send_as(rig, member, KM_LEAVE_GROUP, VERSION, &in);
}

/* --- the rig ---------------------------------------------------------------------------------- */

static inline void
coordinator_wait(struct rig *rig)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(
            broker_world_call(&rig->world, KM_FIND_COORDINATOR, VERSION, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(&rig->world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static inline int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    coordinator_wait(rig);
    rig->clients[0] = rig->world.client;
    for (int i = 1; i < MEMBERS; i++)
        rig->clients[i] = broker_connect(rig->world.broker, &rig->world, "member", 0);
    *state = rig;
    return 0;
}

static inline int
teardown(void **state)
{
    struct rig *rig = *state;

    for (int i = 1; i < MEMBERS; i++)
        broker_disconnect(rig->world.broker, rig->clients[i]);
    rig->world.client = rig->clients[0];
    broker_world_fini(&rig->world);
    free(rig);
    return 0;
}

/* Member 0 joins, and the group comes into a state. */
static inline void
bring(struct rig *rig, enum group_state state)
{
    rig->ids[0][0] = rig->ids[1][0] = '\0';
    join_send(rig, 0, "range", NULL);
    settle(rig);
    assert_int_equal(rig->codes[0], OK);
    if (state != GROUP_COMPLETING) {
        sync_send(rig, 0);
        settle(rig);
        assert_int_equal(rig->codes[0], OK);
    }
    if (state == GROUP_EMPTY)
        leave_send(rig, 0, NULL);
    if (state == GROUP_PREPARING)
        join_send(rig, 1, "range", NULL);
    settle(rig);
    assert_int_equal(group_of(rig)->state, state);
}

#endif
