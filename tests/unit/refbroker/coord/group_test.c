/* The classic group's state machine, driven by requests of two members, in a broker whose clock the
 * test moves by hand. */
#include "refbroker/coord/group.h"

#include "tests/unit/refbroker/coord/group_rig.h"

/* --- the table -------------------------------------------------------------------------------- */

enum event {
    HEARTBEATS,      /* member 0 */
    HEARTBEATS_LATE, /* with another generation */
    HEARTBEATS_BARE, /* with none: -1 */
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
    {GROUP_STABLE, HEARTBEATS_BARE, ILLEGAL_GENERATION, GROUP_STABLE, 0},
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
    case HEARTBEATS_BARE:
        heartbeat_send(rig, 0, -1);
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
    rig->clients[1] = broker_connect(rig->world.broker, &rig->world, "member", 0);
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
    rig->clients[1] = broker_connect(rig->world.broker, &rig->world, "member", 0);
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

/* The record may come from anybody who could write into __consumer_offsets. */
static void
a_restored_group_without_a_leader_is_served(void **state)
{
    struct rig *rig = *state;
    struct km_group_metadata_value_member_metadata saved;
    struct km_group_metadata_value value;
    struct group *group;

    codec_init(&km_group_metadata_value_desc, &value);
    codec_init(&km_group_metadata_value_member_metadata_desc, &saved);
    saved.member_id = request_text("one");
    saved.session_timeout = SESSION_MS;
    saved.subscription = (struct wire_bytes){(const uint8_t *)"m", 1};
    value.protocol_type = request_text("consumer");
    value.protocol = request_text("range");
    value.leader = request_text(NULL);
    value.generation = 5;
    value.members.items = &saved;
    value.members.count = 1;
    group = groups_make(rig->world.broker->groups, request_text("g"));
    group_restore(group, &value);
    assert_int_equal(group->state, GROUP_STABLE);
    snprintf(rig->ids[0], sizeof rig->ids[0], "one");
    join_send(rig, 0, "range", NULL);
    settle(rig);
    assert_int_equal(rig->codes[0], OK);
    assert_int_equal(rig->generation, 5);
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
        TEST(a_restored_group_without_a_leader_is_served),
        TEST(what_is_queued_behind_an_answer_waits_until_the_answer_s_cause_is_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
