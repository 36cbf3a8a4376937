/*
 * A streams group in a whole broker: how members go from state to state, what ends with time, what
 * topics and topologies do to it.
 */
#include "refbroker/coord/streams_group.h"

#include "lib/wire/kerr.h"
#include "refbroker/meta/create.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define NONE (-1)
#define ALL STREAMS_RIG_ALL
#define SESSION_MS 45001
#define STATUS(name) (1U << STREAMS_STATUS_##name)

static const char *
state_of(const struct streams_rig *rig)
{
    return streams_group_state_name(streams_rig_group(rig));
}

/* --- states --------------------------------------------------------------------------------------
 */

/* What member a of a group of a and b does, or what happens to it, and what comes of it. */
enum event {
    BEATS,          /* with what it has */
    BEATS_SILENTLY, /* without telling what it has */
    BEATS_LATE,     /* with the epoch before the last one */
    BEATS_EARLY,    /* with one that it has not got */
    REJOINS,
    LEAVES,
    OTHER_BEATS, /* b, with what it has */
    OTHER_LEAVES,
    TOO_LATE, /* the rebalance timeout passes while it sends heartbeats */
    SILENCE,  /* the session timeout passes */
};

enum start {
    ALONE,  /* a has everything */
    TOLD,   /* b has joined, and a was told what to give up: UNREVOKED */
    SHARED, /* both have their parts */
};

struct transition {
    enum start start;
    enum event event;
    int16_t code;   /* answered to who did it; NONE: nobody asked */
    int state;      /* of a, or NONE where it is gone */
    int32_t epochs; /* that a went on */
    int has;        /* of what it was told to have */
};

static const struct transition transitions[] = {
    {ALONE, BEATS, KE_NONE, STREAMS_STABLE, 0, 3},
    {ALONE, BEATS_SILENTLY, KE_NONE, STREAMS_STABLE, 0, 3},
    {ALONE, BEATS_LATE, KE_FENCED_MEMBER_EPOCH, STREAMS_STABLE, 0, 3},
    {ALONE, BEATS_EARLY, KE_FENCED_MEMBER_EPOCH, STREAMS_STABLE, 0, 3},
    {ALONE, REJOINS, KE_NONE, STREAMS_STABLE, 0, 3},
    {ALONE, LEAVES, KE_NONE, NONE, 0, 3},
    {ALONE, SILENCE, NONE, NONE, 0, 3},

    {TOLD, BEATS_SILENTLY, KE_NONE, STREAMS_UNREVOKED, 0, 2},
    {TOLD, BEATS, KE_NONE, STREAMS_STABLE, 1, 2},
    {TOLD, BEATS_EARLY, KE_FENCED_MEMBER_EPOCH, STREAMS_UNREVOKED, 0, 2},
    {TOLD, OTHER_BEATS, KE_NONE, STREAMS_UNREVOKED, 0, 2},
    {TOLD, OTHER_LEAVES, KE_NONE, STREAMS_UNREVOKED, 0, 2},
    {TOLD, REJOINS, KE_NONE, STREAMS_STABLE, 1, 2},
    {TOLD, LEAVES, KE_NONE, NONE, 0, 2},
    {TOLD, TOO_LATE, KE_UNKNOWN_MEMBER_ID, NONE, 0, 2},
    {TOLD, SILENCE, NONE, NONE, 0, 2},

    {SHARED, BEATS, KE_NONE, STREAMS_STABLE, 0, 2},
    {SHARED, BEATS_LATE, KE_NONE, STREAMS_STABLE, 0, 2}, /* the answer may have been lost */
    {SHARED, OTHER_LEAVES, KE_NONE, STREAMS_STABLE, 0, 2},
    {SHARED, LEAVES, KE_NONE, NONE, 0, 2},
};

static void
bring(struct streams_rig *rig, enum start start)
{
    streams_rig_join(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), ALL);
    if (start == ALONE)
        return;
    streams_rig_join(rig, 1);
    assert_int_equal(streams_rig_active(rig, 1), 0);
    assert_int_equal(streams_rig_member(rig, 1)->state, STREAMS_UNRELEASED);
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), 2);
    assert_int_equal(streams_rig_member(rig, 0)->state, STREAMS_UNREVOKED);
    if (start != SHARED)
        return;
    streams_rig_beat(rig, 0);
    streams_rig_beat(rig, 1);
    assert_int_equal(streams_rig_active(rig, 1), 1);
}

/* Returns who asked. */
static int
happen(struct streams_rig *rig, enum event event)
{
    int32_t epoch = rig->members[0].epoch;

    switch (event) {
    case BEATS:
    case BEATS_SILENTLY:
        assert_true(streams_rig_beat_at(rig, 0, epoch, event == BEATS));
        return 0;
    case BEATS_LATE:
    case BEATS_EARLY:
        assert_true(streams_rig_beat_at(rig, 0, event == BEATS_LATE ? epoch - 1 : epoch + 1, true));
        return 0;
    case REJOINS:
        assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
        return 0;
    case LEAVES:
        assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_LEAVE, false));
        return 0;
    case OTHER_BEATS:
        streams_rig_beat(rig, 1);
        return 1;
    case OTHER_LEAVES:
        streams_rig_leave(rig, 1);
        return 1;
    case TOO_LATE:
        for (int i = 0; i < 3; i++) {
            assert_true(streams_rig_beat_at(rig, 0, epoch, false));
            streams_rig_pass(rig, STREAMS_RIG_REBALANCE_MS / 2 + 1);
        }
        assert_true(streams_rig_beat_at(rig, 0, epoch, false));
        return 0;
    case SILENCE:
        streams_rig_pass(rig, SESSION_MS);
        return NONE;
    }
    return NONE;
}

static void
a_member_goes_from_state_to_state_as_kafkas_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        const struct transition *row = &transitions[i];
        const struct streams_member *member;
        int32_t before;
        void *made;
        struct streams_rig *rig;
        int who;

        (void)streams_rig_setup(&made);
        rig = made;
        bring(rig, row->start);
        before = streams_rig_member(rig, 0)->epoch;
        who = happen(rig, row->event);
        member = streams_rig_member(rig, 0);
        if ((who != NONE && rig->members[who].code != row->code) ||
            (member == NULL ? NONE : (int)member->state) != row->state ||
            (member != NULL && member->epoch - before != row->epochs) ||
            streams_rig_active(rig, 0) != row->has)
            fail_msg("row %zu: code %d, state %d, %d epochs, has %d", i,
                who == NONE ? NONE : rig->members[who].code,
                member == NULL ? NONE : (int)member->state,
                member == NULL ? 0 : member->epoch - before, streams_rig_active(rig, 0));
        (void)streams_rig_teardown(&made);
    }
}

static void
the_group_s_state_tells_what_it_waits_for(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    assert_string_equal(state_of(rig), "Stable");
    streams_rig_join(rig, 1);
    assert_string_equal(state_of(rig), "Reconciling");
    streams_rig_leave(rig, 1);
    assert_string_equal(state_of(rig), "Assigning");
    streams_rig_leave(rig, 0);
    assert_string_equal(state_of(rig), "Empty");
}

static void
tasks_are_told_when_they_change_and_to_who_joins(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].epoch, 2);
    assert_int_equal(rig->members[0].interval_ms, 5000);
    assert_true(rig->members[0].told);
    streams_rig_beat(rig, 0);
    assert_false(rig->members[0].told);
    streams_rig_join(rig, 0);
    assert_true(rig->members[0].told);
    assert_int_equal(streams_rig_group(rig)->epoch, 2);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void
the_first_rebalance_waits_for_more_members(void **state)
{
    struct streams_rig *rig = *state;

    rig->world.broker->options.groups.streams_initial_rebalance_delay_ms = 3000;
    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].epoch, STREAMS_EPOCH_FIRST);
    assert_int_equal(rig->members[0].statuses, STATUS(ASSIGNMENT_DELAYED));
    assert_string_equal(rig->members[0].detail,
        "Assignment delayed due to the configured initial rebalance delay.");
    assert_true(rig->members[0].told);
    assert_int_equal(streams_rig_active(rig, 0), 0);
    streams_rig_join(rig, 1);
    assert_int_equal(rig->members[1].statuses, STATUS(ASSIGNMENT_DELAYED));
    streams_rig_pass(rig, 3001);
    assert_int_equal(streams_rig_group(rig)->target_epoch, 3);
    streams_rig_beat(rig, 0);
    streams_rig_beat(rig, 1);
    assert_int_equal(rig->members[0].statuses, 0);
    assert_int_equal(streams_rig_active(rig, 0) + streams_rig_active(rig, 1), ALL);
    assert_string_equal(state_of(rig), "Stable");
}

static void
a_group_that_only_one_heartbeat_knows_is_assigned_with_the_next(void **state)
{
    struct streams_rig *rig = *state;

    rig->world.broker->options.groups.streams_initial_rebalance_delay_ms = 3000;
    streams_rig_join(rig, 0);
    streams_rig_pass(rig, 3001);
    assert_int_equal(streams_rig_group(rig)->target_epoch, STREAMS_EPOCH_FIRST);
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), ALL);
}

static void
targets_are_not_made_more_often_than_the_interval_allows(void **state)
{
    struct streams_rig *rig = *state;

    rig->world.broker->options.groups.streams_assignment_interval_ms = 1000000;
    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    assert_int_equal(rig->members[1].statuses, STATUS(ASSIGNMENT_DELAYED));
    assert_string_equal(
        rig->members[1].detail, "Assignment delayed due to the configured assignment interval.");
    assert_int_equal(streams_rig_group(rig)->epoch, streams_rig_group(rig)->target_epoch + 1);
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), ALL);
    rig->world.broker->options.groups.streams_assignment_interval_ms = 0;
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), 2);
}

static void
a_group_s_own_configs_hold(void **state)
{
    struct streams_rig *rig = *state;

    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "streams.heartbeat.interval.ms", "7000");
    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "streams.session.timeout.ms", "60000");
    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "streams.initial.rebalance.delay.ms", "1000");
    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].interval_ms, 7000);
    assert_int_equal(rig->members[0].statuses, STATUS(ASSIGNMENT_DELAYED));
    streams_rig_pass(rig, SESSION_MS);
    assert_non_null(streams_rig_member(rig, 0));
    streams_rig_pass(rig, 15000);
    assert_null(streams_rig_member(rig, 0));
}

/* --- topics and topologies -----------------------------------------------------------------------
 */

static void
internal_topics_are_made_by_the_broker(void **state)
{
    struct streams_rig *rig = *state;
    const struct topic *topic;

    rig->stateful = true;
    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].statuses, STATUS(MISSING_INTERNAL_TOPICS));
    assert_string_equal(
        rig->members[0].detail, "Internal topics are missing: " STREAMS_RIG_CHANGELOG);
    assert_int_equal(streams_rig_active(rig, 0), 0);
    assert_string_equal(state_of(rig), "NotReady");
    streams_rig_rest(rig);
    topic = topics_find(
        &rig->world.broker->topics, STREAMS_RIG_CHANGELOG, strlen(STREAMS_RIG_CHANGELOG));
    assert_non_null(topic);
    assert_int_equal(topic->partition_count, ALL);
    streams_rig_beat(rig, 0);
    assert_int_equal(rig->members[0].statuses, 0);
    assert_int_equal(streams_rig_active(rig, 0), ALL);
    assert_string_equal(state_of(rig), "Stable");
}

static void
why_a_topic_could_not_be_made_is_told_and_not_tried_again_at_once(void **state)
{
    struct streams_rig *rig = *state;

    rig->stateful = true;
    rig->replication_factor = 3;
    streams_rig_join(rig, 0);
    streams_rig_rest(rig);
    assert_int_equal(map_count(&rig->world.broker->groups->streams_failures), 1);
    streams_rig_beat(rig, 0);
    assert_int_equal(rig->members[0].statuses, STATUS(MISSING_INTERNAL_TOPICS));
    assert_string_equal(rig->members[0].detail,
        "Internal topics are missing: " STREAMS_RIG_CHANGELOG
        "; Creation failed: " STREAMS_RIG_CHANGELOG
        " (Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot "
        "be reached because only 1 broker(s) are registered or some brokers have all their log "
        "directories cordoned.).");
    streams_rig_rest(rig);
    streams_rig_pass(rig, 10001);
    streams_rig_beat(rig, 0);
    assert_string_equal(
        rig->members[0].detail, "Internal topics are missing: " STREAMS_RIG_CHANGELOG);
    streams_rig_rest(rig);
    streams_rig_beat(rig, 0);
    assert_non_null(strstr(rig->members[0].detail, "Creation failed"));
}

static void
a_topology_waits_for_its_source_topics(void **state)
{
    struct streams_rig *rig = *state;

    rig->source = "late";
    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].statuses, STATUS(MISSING_SOURCE_TOPICS));
    assert_string_equal(rig->members[0].detail, "Source topics late are missing.");
    assert_string_equal(state_of(rig), "NotReady");
    create_topic_by_use(rig->world.broker, "late", 4);
    streams_rig_rest(rig);
    streams_rig_beat(rig, 0);
    assert_int_equal(rig->members[0].statuses, 0);
    assert_int_equal(streams_rig_active(rig, 0), 1);
}

static void
a_topic_that_grows_brings_tasks_and_one_that_goes_takes_them(void **state)
{
    struct streams_rig *rig = *state;
    struct topics *topics = &rig->world.broker->topics;

    rig->source = "late";
    create_topic_by_use(rig->world.broker, "late", 4);
    streams_rig_rest(rig);
    streams_rig_join(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), 1);
    topics_grow(topics, topics_find(topics, "late", 4), 4);
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), 4);
    topics_remove(topics, topics_find(topics, "late", 4));
    streams_rig_beat(rig, 0);
    assert_int_equal(rig->members[0].statuses, STATUS(MISSING_SOURCE_TOPICS));
    assert_int_equal(streams_rig_active(rig, 0), 0);
    assert_string_equal(state_of(rig), "NotReady");
}

static void
an_older_topology_is_told_so_and_a_newer_one_is_refused(void **state)
{
    struct streams_rig *rig = *state;

    rig->topology_epoch = 2;
    streams_rig_join(rig, 0);
    rig->topology_epoch = 1;
    streams_rig_join(rig, 1);
    assert_int_equal(rig->members[1].statuses, STATUS(STALE_TOPOLOGY));
    assert_string_equal(rig->members[1].detail,
        "The member's topology epoch 1 is behind the group's topology epoch 2.");
    rig->topology_epoch = 3;
    assert_true(streams_rig_beat_at(rig, 2, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[2].code, KE_INVALID_REQUEST);
    assert_string_equal(rig->members[2].text, "Topology updates are not supported yet.");
    rig->topology_epoch = 2;
    rig->stateful = true;
    assert_true(streams_rig_beat_at(rig, 2, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[2].code, KE_INVALID_REQUEST);
    assert_null(streams_rig_member(rig, 2));
}

static void
standbys_are_on_other_processes_and_follow_the_config(void **state)
{
    struct streams_rig *rig = *state;
    int standbys = 0;

    rig->stateful = true;
    streams_rig_join(rig, 0);
    streams_rig_rest(rig);
    streams_rig_join(rig, 1);
    for (int i = 0; i < 4; i++)
        streams_rig_beat(rig, i % 2);
    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "streams.num.standby.replicas", "1");
    for (int i = 0; i < 6; i++)
        streams_rig_beat(rig, i % 2);
    assert_string_equal(state_of(rig), "Stable");
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < ALL; k++) {
            standbys += rig->members[i].standby[k];
            assert_false(rig->members[i].active[k] && rig->members[i].standby[k]);
        }
    assert_int_equal(streams_rig_active(rig, 0) + streams_rig_active(rig, 1), ALL);
    assert_int_equal(standbys, ALL);
}

/* --- what members tell each other ----------------------------------------------------------------
 */

static void
endpoints_are_told_to_who_does_not_know_them(void **state)
{
    struct streams_rig *rig = *state;

    rig->members[0].endpoint_port = 1000;
    rig->members[0].endpoint_epoch = -1;
    streams_rig_join(rig, 0);
    assert_int_equal(rig->members[0].endpoints, 1);
    assert_int_equal(rig->members[0].endpoint_epoch, 0); /* of a group that is only being made */
    streams_rig_beat(rig, 0);
    assert_int_equal(rig->members[0].endpoints, NONE);
    rig->members[1].endpoint_port = 1001;
    streams_rig_join(rig, 1);
    assert_int_equal(rig->members[1].endpoints, 2);
    assert_int_equal(rig->members[1].endpoint_epoch, 1);
    streams_rig_beat(rig, 0); /* loses a task */
    assert_int_equal(rig->members[0].endpoints, 2);
    assert_int_equal(rig->members[0].endpoint_epoch, 2);
    streams_rig_join(rig, 2);
    assert_int_equal(rig->members[2].endpoints, 2);
}

static bool
beat_with_shutdown(struct streams_rig *rig, int number, int32_t epoch)
{
    struct km_streams_group_heartbeat_request in;
    struct streams_rig_parts parts;

    streams_rig_fill(rig, number, epoch, epoch > 0, &parts, &in);
    in.shutdown_application = true;
    return streams_rig_send(rig, number, &in);
}

static void
who_asks_for_it_has_all_stop_until_all_are_gone(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    assert_true(beat_with_shutdown(rig, 0, STREAMS_EPOCH_LEAVE));
    assert_int_equal(rig->members[0].code, KE_NONE);
    streams_rig_beat(rig, 1);
    assert_int_equal(rig->members[1].statuses, STATUS(SHUTDOWN_APPLICATION));
    assert_string_equal(rig->members[1].detail,
        "Streams group member a encountered a fatal error and requested a shutdown for the entire "
        "application.");
    streams_rig_leave(rig, 1);
    streams_rig_join(rig, 1);
    assert_int_equal(rig->members[1].statuses, 0);
}

static void
who_is_no_member_any_more_is_heard_when_it_asks_for_a_stop(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 1);
    assert_true(beat_with_shutdown(rig, 0, STREAMS_EPOCH_LEAVE));
    assert_int_equal(rig->members[0].code, KE_UNKNOWN_MEMBER_ID);
    streams_rig_beat(rig, 1);
    assert_int_equal(rig->members[1].statuses, STATUS(SHUTDOWN_APPLICATION));
}

/* --- starts --------------------------------------------------------------------------------------
 */

static void
a_start_makes_of_the_records_what_was(void **state)
{
    struct streams_rig *rig = *state;
    const struct streams_member *member;

    rig->members[0].endpoint_port = 1000;
    rig->topology_epoch = 4;
    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    streams_rig_beat(rig, 0);
    streams_rig_crash(rig);
    assert_int_equal(streams_rig_group(rig)->epoch, 3);
    assert_int_equal(streams_rig_group(rig)->target_epoch, 3);
    assert_true(streams_rig_group(rig)->target_ms > 0);
    assert_int_equal(streams_rig_group(rig)->validated_epoch, 4);
    assert_int_equal(streams_rig_group(rig)->topology->value.epoch, 4);
    assert_int_equal(streams_rig_group(rig)->settings.count, 1);
    member = streams_rig_member(rig, 0);
    assert_int_equal(member->epoch, 2);
    assert_int_equal(member->state, STREAMS_UNREVOKED);
    assert_string_equal(member->process_id, "pa");
    assert_string_equal(member->endpoint_host, "host");
    assert_int_equal(member->endpoint_port, 1000);
    assert_int_equal(member->topology_epoch, 4);
    assert_int_equal(member->rebalance_timeout_ms, STREAMS_RIG_REBALANCE_MS);
    assert_int_equal(member->assigned.active.task_count, 2);
    assert_int_equal(member->revoking.active.task_count, 1);
    assert_int_equal(streams_rig_member(rig, 1)->state, STREAMS_UNRELEASED);
    /* Nothing rises by the start alone, and what was under way goes on. */
    streams_rig_beat(rig, 0);
    streams_rig_beat(rig, 1);
    assert_int_equal(streams_rig_group(rig)->epoch, 3);
    assert_int_equal(streams_rig_active(rig, 1), 1);
    assert_string_equal(state_of(rig), "Stable");
}

static void
times_run_from_a_start_on(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    streams_rig_beat(rig, 0);
    streams_rig_crash(rig);
    streams_rig_pass(rig, STREAMS_RIG_REBALANCE_MS + 1);
    assert_null(streams_rig_member(rig, 0));
    assert_non_null(streams_rig_member(rig, 1));
    streams_rig_pass(rig, SESSION_MS);
    assert_null(streams_rig_member(rig, 1));
    assert_string_equal(state_of(rig), "Empty");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streams_rig_setup, streams_rig_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_goes_from_state_to_state_as_kafkas_does),
        TEST(the_group_s_state_tells_what_it_waits_for),
        TEST(tasks_are_told_when_they_change_and_to_who_joins),
        TEST(the_first_rebalance_waits_for_more_members),
        TEST(a_group_that_only_one_heartbeat_knows_is_assigned_with_the_next),
        TEST(targets_are_not_made_more_often_than_the_interval_allows),
        TEST(a_group_s_own_configs_hold),
        TEST(internal_topics_are_made_by_the_broker),
        TEST(why_a_topic_could_not_be_made_is_told_and_not_tried_again_at_once),
        TEST(a_topology_waits_for_its_source_topics),
        TEST(a_topic_that_grows_brings_tasks_and_one_that_goes_takes_them),
        TEST(an_older_topology_is_told_so_and_a_newer_one_is_refused),
        TEST(standbys_are_on_other_processes_and_follow_the_config),
        TEST(endpoints_are_told_to_who_does_not_know_them),
        TEST(who_asks_for_it_has_all_stop_until_all_are_gone),
        TEST(who_is_no_member_any_more_is_heard_when_it_asks_for_a_stop),
        TEST(a_start_makes_of_the_records_what_was),
        TEST(times_run_from_a_start_on),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
