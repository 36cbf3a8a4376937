/* The classic group's state machine, driven by requests of two members, in a broker whose clock the
 * test moves by hand. */
#include "refbroker/coord/group.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/client.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define JOIN_VERSION 3        /* no id is handed out first */
#define JOIN_STATIC_VERSION 5 /* with group.instance.id */
#define SYNC_VERSION 3
#define HEARTBEAT_VERSION 3
#define LEAVE_VERSION 3
#define FIND_VERSION 3
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

static struct group *
group_of(struct rig *rig)
{
    return groups_find(rig->world.broker->groups, request_text("g"));
}

/* --- requests and answers --------------------------------------------------------------------- */

static void
join_take(struct rig *rig, int member, const struct km_join_group_response *out)
{
    rig->codes[member] = out->error_code;
    if (out->error_code != 0)
        return;
    rig->generation = out->generation_id;
    snprintf(rig->ids[member], sizeof rig->ids[member], "%.*s", (int)out->member_id.size,
        out->member_id.data);
}

static int16_t
version_of(const struct rig *rig, int32_t correlation)
{
    bool is_static = rig->api_of[correlation % REQUESTS_MAX] == -KM_JOIN_GROUP;

    return is_static ? JOIN_STATIC_VERSION : JOIN_VERSION; /* and that of all others */
}

/* Reads all answers that are there; replies of several connections come in one row. */
static void
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
static void
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

static void
send_as(struct rig *rig, int member, int16_t api, int16_t version, const void *in)
{
    int32_t next = (rig->world.correlation + 1) % REQUESTS_MAX;

    rig->api_of[next] = (int16_t)(version == JOIN_STATIC_VERSION ? -api : api);
    rig->member_of[next] = member;
    rig->codes[member] = NO_ANSWER;
    rig->world.client = rig->clients[member];
    (void)broker_world_ask(&rig->world, api, version, in);
}

static void
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
    send_as(
        rig, member, KM_JOIN_GROUP, instance_id == NULL ? JOIN_VERSION : JOIN_STATIC_VERSION, &in);
}

static void
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
    send_as(rig, member, KM_SYNC_GROUP, SYNC_VERSION, &in);
}

static void
heartbeat_send(struct rig *rig, int member, int32_t generation)
{
    struct km_heartbeat_request in;

    codec_init(&km_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.generation_id = generation;
    in.member_id = request_text(rig->ids[member]);
    send_as(rig, member, KM_HEARTBEAT, HEARTBEAT_VERSION, &in);
}

static void
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
    send_as(rig, member, KM_LEAVE_GROUP, LEAVE_VERSION, &in);
}

/* --- the rig ---------------------------------------------------------------------------------- */

static void
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
            broker_world_call(&rig->world, KM_FIND_COORDINATOR, FIND_VERSION, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(&rig->world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    coordinator_wait(rig);
    rig->clients[0] = rig->world.client;
    for (int i = 1; i < MEMBERS; i++)
        rig->clients[i] = broker_connect(rig->world.broker, &rig->world, "member");
    *state = rig;
    return 0;
}

static int
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
static void
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

/* --- the table -------------------------------------------------------------------------------- */

enum event {
    HEARTBEATS,      /* member 0 */
    HEARTBEATS_LATE, /* with another generation */
    SYNCS,           /* member 0 */
    LEAVES,          /* member 0 */
    REJOINS,         /* member 0 */
    OTHER_JOINS,     /* member 1, new or known */
    STRANGER_JOINS,  /* a protocol that member 0 does not have */
    SESSION_ENDS,    /* of member 0 */
};

struct transition {
    enum group_state from;
    enum event event;
    int16_t code; /* answered to who did it */
    enum group_state to;
    int32_t generations; /* begun by it */
};

/* As Kafka's ClassicGroup and GroupMetadataManager do it. */
static const struct transition transitions[] = {
    {GROUP_EMPTY, HEARTBEATS, UNKNOWN_MEMBER, GROUP_EMPTY, 0},
    {GROUP_EMPTY, SYNCS, UNKNOWN_MEMBER, GROUP_EMPTY, 0},
    {GROUP_EMPTY, LEAVES, UNKNOWN_MEMBER, GROUP_EMPTY, 0},
    {GROUP_EMPTY, REJOINS, UNKNOWN_MEMBER, GROUP_EMPTY, 0},
    {GROUP_EMPTY, OTHER_JOINS, OK, GROUP_COMPLETING, 1},
    {GROUP_EMPTY, STRANGER_JOINS, OK, GROUP_COMPLETING, 1},
    {GROUP_PREPARING, HEARTBEATS, REBALANCE, GROUP_PREPARING, 0},
    {GROUP_PREPARING, HEARTBEATS_LATE, ILLEGAL_GENERATION, GROUP_PREPARING, 0},
    {GROUP_PREPARING, SYNCS, REBALANCE, GROUP_PREPARING, 0},
    {GROUP_PREPARING, LEAVES, OK, GROUP_COMPLETING, 1},
    {GROUP_PREPARING, REJOINS, OK, GROUP_COMPLETING, 1},
    {GROUP_PREPARING, STRANGER_JOINS, INCONSISTENT_PROTOCOL, GROUP_PREPARING, 0},
    {GROUP_PREPARING, SESSION_ENDS, NO_ANSWER, GROUP_COMPLETING, 1},
    {GROUP_COMPLETING, HEARTBEATS, OK, GROUP_COMPLETING, 0},
    {GROUP_COMPLETING, HEARTBEATS_LATE, ILLEGAL_GENERATION, GROUP_COMPLETING, 0},
    {GROUP_COMPLETING, SYNCS, OK, GROUP_STABLE, 0},
    {GROUP_COMPLETING, LEAVES, OK, GROUP_EMPTY, 1},
    {GROUP_COMPLETING, REJOINS, OK, GROUP_COMPLETING, 0},
    {GROUP_COMPLETING, OTHER_JOINS, NO_ANSWER, GROUP_PREPARING, 0},
    {GROUP_COMPLETING, STRANGER_JOINS, INCONSISTENT_PROTOCOL, GROUP_COMPLETING, 0},
    {GROUP_COMPLETING, SESSION_ENDS, NO_ANSWER, GROUP_EMPTY, 1},
    {GROUP_STABLE, HEARTBEATS, OK, GROUP_STABLE, 0},
    {GROUP_STABLE, HEARTBEATS_LATE, ILLEGAL_GENERATION, GROUP_STABLE, 0},
    {GROUP_STABLE, SYNCS, OK, GROUP_STABLE, 0},
    {GROUP_STABLE, LEAVES, OK, GROUP_EMPTY, 1},
    {GROUP_STABLE, REJOINS, OK, GROUP_COMPLETING, 1}, /* the leader asks for a rebalance */
    {GROUP_STABLE, OTHER_JOINS, NO_ANSWER, GROUP_PREPARING, 0},
    {GROUP_STABLE, STRANGER_JOINS, INCONSISTENT_PROTOCOL, GROUP_STABLE, 0},
    {GROUP_STABLE, SESSION_ENDS, NO_ANSWER, GROUP_EMPTY, 1},
};

/* Does it and returns who waits for the answer. */
static int
happen(struct rig *rig, enum event event)
{
    switch (event) {
    case HEARTBEATS:
        heartbeat_send(rig, 0, rig->generation);
        return 0;
    case HEARTBEATS_LATE:
        heartbeat_send(rig, 0, rig->generation + 1);
        return 0;
    case SYNCS:
        sync_send(rig, 0);
        return 0;
    case LEAVES:
        leave_send(rig, 0, NULL);
        return 0;
    case REJOINS:
        join_send(rig, 0, "range", NULL);
        return 0;
    case OTHER_JOINS:
        join_send(rig, 1, "range", NULL);
        return 1;
    case STRANGER_JOINS:
        join_send(rig, 2, "sticky", NULL);
        return 2;
    case SESSION_ENDS:
        rig->codes[0] = NO_ANSWER;
        env_advance(&rig->world.time, (SESSION_MS + 1) * 1000);
        return 0;
    }
    return 0;
}

static void
the_group_goes_from_state_to_state_as_kafkas_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        const struct transition *row = &transitions[i];
        void *made;
        struct rig *rig;
        int32_t before;
        int who;

        (void)setup(&made);
        rig = made;
        bring(rig, row->from);
        before = group_of(rig)->generation;
        who = happen(rig, row->event);
        settle(rig);
        if (rig->codes[who] != row->code || group_of(rig)->state != row->to ||
            group_of(rig)->generation - before != row->generations)
            fail_msg("row %zu: code %d, state %s, %d generations", i, rig->codes[who],
                group_state_name(group_of(rig)->state), group_of(rig)->generation - before);
        (void)teardown(&made);
    }
}

/* --- time --- */

/* Member 0 sends heartbeats but does not join again. */
static void
who_does_not_join_in_time_is_out(void **state)
{
    struct rig *rig = *state;

    bring(rig, GROUP_PREPARING);
    for (int waited = 0; waited < REBALANCE_MS; waited += SESSION_MS / 2) {
        assert_int_equal(group_of(rig)->state, GROUP_PREPARING);
        heartbeat_send(rig, 0, rig->generation);
        env_advance(&rig->world.time, SESSION_MS / 2 * 1000);
        settle(rig);
    }
    assert_int_equal(group_of(rig)->state, GROUP_COMPLETING);
    assert_int_equal(map_count(&group_of(rig)->members), 1);
    assert_int_equal(rig->codes[1], OK);
}

static void
a_heartbeat_begins_the_session_anew(void **state)
{
    struct rig *rig = *state;

    bring(rig, GROUP_STABLE);
    for (int i = 0; i < 5; i++) {
        env_advance(&rig->world.time, (SESSION_MS - 1) * 1000);
        heartbeat_send(rig, 0, rig->generation);
        settle(rig);
        assert_int_equal(rig->codes[0], OK);
    }
}

static void
a_member_that_waits_needs_no_heartbeats(void **state)
{
    struct rig *rig = *state;

    bring(rig, GROUP_PREPARING);
    for (int i = 0; i < 3; i++) {
        heartbeat_send(rig, 0, rig->generation);
        env_advance(&rig->world.time, (SESSION_MS - 1) * 1000);
        settle(rig);
    }
    assert_int_equal(map_count(&group_of(rig)->members), 2);
}

/* group.initial.rebalance.delay.ms: the first members are gathered, as long as more come. */
static void
the_first_members_of_a_group_are_waited_for(void **state)
{
    struct rig *rig = *state;

    rig->world.broker->options.groups.initial_rebalance_delay_ms = 3000;
    join_send(rig, 0, "range", NULL);
    env_advance(&rig->world.time, 2000 * 1000);
    settle(rig);
    join_send(rig, 1, "range", NULL);
    env_advance(&rig->world.time, 2000 * 1000);
    settle(rig);
    assert_int_equal(rig->codes[0], NO_ANSWER);
    env_advance(&rig->world.time, 3000 * 1000);
    settle(rig);
    assert_int_equal(group_of(rig)->generation, 1);
    assert_int_equal(rig->codes[0], OK);
    assert_int_equal(rig->codes[1], OK);
}

static void
a_group_takes_no_more_members_than_it_may(void **state)
{
    struct rig *rig = *state;

    rig->world.broker->options.groups.max_size = 1;
    bring(rig, GROUP_STABLE);
    join_send(rig, 1, "range", NULL);
    settle(rig);
    assert_int_equal(rig->codes[1], 81);
}

static void
who_does_not_sync_in_time_is_out(void **state)
{
    struct rig *rig = *state;

    bring(rig, GROUP_PREPARING);
    join_send(rig, 0, "range", NULL);
    settle(rig);
    sync_send(rig, 0);
    settle(rig);
    assert_int_equal(group_of(rig)->state, GROUP_STABLE);
    for (int waited = 0; waited < REBALANCE_MS; waited += SESSION_MS / 2) {
        assert_int_equal(map_count(&group_of(rig)->members), 2);
        heartbeat_send(rig, 0, rig->generation);
        heartbeat_send(rig, 1, rig->generation);
        env_advance(&rig->world.time, SESSION_MS / 2 * 1000);
        settle(rig);
    }
    assert_int_equal(map_count(&group_of(rig)->members), 1);
}

/* Without anybody else there is no generation, and nobody to lead one. */
static void
a_static_member_that_does_not_join_is_waited_for(void **state)
{
    struct rig *rig = *state;

    join_send(rig, 0, "range", "x");
    settle(rig);
    sync_send(rig, 0);
    settle(rig);
    join_send(rig, 1, "range", NULL);
    broker_disconnect(rig->world.broker, rig->clients[1]);
    rig->clients[1] = broker_connect(rig->world.broker, &rig->world, "member");
    for (int waited = 0; waited < 2 * REBALANCE_MS; waited += SESSION_MS / 2) {
        heartbeat_send(rig, 0, rig->generation);
        env_advance(&rig->world.time, SESSION_MS / 2 * 1000);
        settle(rig);
        assert_int_equal(rig->codes[0], REBALANCE);
    }
    sync_send(rig, 0);
    join_send(rig, 0, "range", "x");
    settle(rig);
    assert_int_equal(rig->codes[0], OK);
    assert_int_equal(group_of(rig)->state, GROUP_COMPLETING);
}

/* --- connections --- */

static void
a_member_whose_connection_breaks_while_it_joins_stays_for_its_session(void **state)
{
    struct rig *rig = *state;

    bring(rig, GROUP_PREPARING);
    broker_disconnect(rig->world.broker, rig->clients[1]);
    rig->clients[1] = broker_connect(rig->world.broker, &rig->world, "member");
    assert_int_equal(map_count(&group_of(rig)->members), 2);
    heartbeat_send(rig, 0, rig->generation);
    env_advance(&rig->world.time, (SESSION_MS - 1) * 1000);
    settle(rig);
    assert_int_equal(map_count(&group_of(rig)->members), 2);
    heartbeat_send(rig, 0, rig->generation);
    env_advance(&rig->world.time, 2000);
    settle(rig);
    assert_int_equal(map_count(&group_of(rig)->members), 1);
}

static void
a_static_member_takes_the_place_of_its_instance(void **state)
{
    struct rig *rig = *state;
    char first[128];

    join_send(rig, 0, "range", "x");
    settle(rig);
    sync_send(rig, 0);
    settle(rig);
    assert_int_equal(group_of(rig)->state, GROUP_STABLE);
    snprintf(first, sizeof first, "%s", rig->ids[0]);
    join_send(rig, 1, "range", "x");
    settle(rig);
    assert_int_equal(rig->codes[1], OK);
    assert_string_not_equal(rig->ids[1], first);
    assert_int_equal(map_count(&group_of(rig)->members), 1);
    assert_int_equal(group_of(rig)->state, GROUP_STABLE);
    heartbeat_send(rig, 0, rig->generation);
    settle(rig);
    assert_int_equal(rig->codes[0], UNKNOWN_MEMBER);
}

/*
 * Connection 1 waits in JoinGroup as instance x and has a LeaveGroup of x queued behind it, which
 * may start once the join is answered. Connection 2 comes as x too: the first is fenced, that is
 * answered, and the leave must not take the member away while the second one is being put in.
 */
static void
what_is_queued_behind_an_answer_waits_until_the_answer_s_cause_is_through(void **state)
{
    struct rig *rig = *state;
    const struct group_member *member;

    bring(rig, GROUP_STABLE);
    join_send(rig, 1, "range", "x");
    leave_send(rig, 1, "x");
    assert_int_equal(group_of(rig)->state, GROUP_PREPARING);
    join_send(rig, 2, "range", "x");
    member = map_get_text(&group_of(rig)->statics, "x");
    assert_non_null(member);
    assert_non_null(member->joining);
    assert_ptr_equal(member->joining->client, rig->clients[2]);
    settle(rig);
    assert_int_equal(rig->codes[1], OK); /* x has left */
    assert_int_equal(rig->codes[2], UNKNOWN_MEMBER);
    assert_null(map_get_text(&group_of(rig)->statics, "x"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_group_goes_from_state_to_state_as_kafkas_does),
        TEST(who_does_not_join_in_time_is_out),
        TEST(a_heartbeat_begins_the_session_anew),
        TEST(a_member_that_waits_needs_no_heartbeats),
        TEST(the_first_members_of_a_group_are_waited_for),
        TEST(a_group_takes_no_more_members_than_it_may),
        TEST(who_does_not_sync_in_time_is_out),
        TEST(a_static_member_that_does_not_join_is_waited_for),
        TEST(a_member_whose_connection_breaks_while_it_joins_stays_for_its_session),
        TEST(a_static_member_takes_the_place_of_its_instance),
        TEST(what_is_queued_behind_an_answer_waits_until_the_answer_s_cause_is_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
