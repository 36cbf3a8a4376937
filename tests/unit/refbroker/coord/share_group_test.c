/*
 * A share group in a whole broker: how members come, stay and go, how partitions come to be
 * assigned, and what a crash leaves. SEEDS chooses how many crashes.
 */
#include "refbroker/coord/share_group.h"

#include <stdlib.h>

#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/share_group_rig.h"
#include "tests/unit/refbroker/coord/share_states_wrap.h"

#define MEMBERS 3
#define NONE (-1)
#define ALL SHARE_GROUP_RIG_PARTITIONS
#define SESSION_US INT64_C(45001000)

#define OK 0
#define UNKNOWN_MEMBER 25
#define INVALID_REQUEST 42
#define GROUP_NOT_FOUND 69
#define FULL 81
#define FENCED_EPOCH 110

static const struct share_stages *
stages_of(const struct share_group_rig *rig)
{
    return &share_group_rig_group(rig)->stages;
}

static int
teardown(void **state)
{
    share_states_wrap_reset();
    return share_group_rig_teardown(state);
}

/* How many partitions of "wal" are in a stage. */
static int
count_in(const struct share_group_rig *rig, const struct share_topics *topics)
{
    const struct share_topic *topic = share_topics_find(topics, share_group_rig_topic_id(rig));

    return topic == NULL ? NONE : topic->partition_count;
}

/* --- members -------------------------------------------------------------------------------------
 */

static void
a_member_gets_its_partitions_once_they_are_initialised(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_join(rig, "a");
    assert_int_equal(rig->answer.epoch, 2);
    assert_int_equal(rig->answer.interval_ms, 5000);
    assert_true(rig->answer.assigned);
    assert_int_equal(rig->answer.count, 0);
    share_group_rig_rest(rig);
    for (int32_t i = 0; i < ALL; i++) {
        struct share_key key = {"g", *share_group_rig_topic_id(rig), i};
        const struct share_state *begun = share_states_find(rig->world.broker->share_states, &key);

        assert_non_null(begun);
        assert_int_equal(begun->state_epoch, 2);
        assert_int_equal(begun->start_offset, SHARE_OFFSET_UNKNOWN);
    }
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
    assert_int_equal(stages_of(rig)->initializing.count, 0);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.epoch, 3);
    assert_true(rig->answer.assigned);
    assert_int_equal(rig->answer.count, ALL);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.epoch, 3);
    assert_false(rig->answer.assigned);
}

static void
members_share_at_once_and_nobody_waits(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    share_group_rig_join(rig, "b");
    assert_int_equal(rig->answer.epoch, 4);
    assert_int_equal(rig->answer.count, 1);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.epoch, 4);
    assert_int_equal(rig->answer.count, 2);
    share_group_rig_leave(rig, "b");
    assert_int_equal(rig->answer.epoch, SHARE_EPOCH_LEAVE);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, ALL);
}

static void
a_lost_answer_s_epoch_is_let_in_and_others_are_fenced(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a"); /* 3, before that 2 */
    assert_true(share_group_rig_beat_at(rig, "a", 2, NULL));
    assert_int_equal(rig->answer.code, OK);
    assert_int_equal(rig->answer.epoch, 3);
    assert_true(share_group_rig_beat_at(rig, "a", 1, NULL));
    assert_int_equal(rig->answer.code, FENCED_EPOCH);
    assert_string_equal(rig->answer.text,
        "The share group member has a smaller member epoch (1) than the one known by the group "
        "coordinator (3), and it does not match the previous member epoch (2). The member must "
        "abandon all its partitions and rejoin.");
    assert_true(share_group_rig_beat_at(rig, "a", 4, NULL));
    assert_int_equal(rig->answer.code, FENCED_EPOCH);
    assert_string_equal(rig->answer.text,
        "The share group member has a greater member epoch (4) than the one known by the group "
        "coordinator (3). The member must abandon all its partitions and rejoin.");
    assert_true(share_group_rig_beat_at(rig, "a", SHARE_EPOCH_JOIN, "wal"));
    assert_int_equal(rig->answer.code, OK);
    assert_int_equal(rig->answer.count, ALL);
}

static void
who_is_not_there_is_told_so(void **state)
{
    struct share_group_rig *rig = *state;

    assert_true(share_group_rig_beat_at(rig, "a", 1, NULL));
    assert_int_equal(rig->answer.code, GROUP_NOT_FOUND);
    assert_string_equal(rig->answer.text, "Share group g not found.");
    assert_true(share_group_rig_beat_at(rig, "a", SHARE_EPOCH_LEAVE, NULL));
    assert_int_equal(rig->answer.code, GROUP_NOT_FOUND);
    assert_string_equal(rig->answer.text, "Group g not found.");
    share_group_rig_join(rig, "a");
    assert_true(share_group_rig_beat_at(rig, "b", 1, NULL));
    assert_int_equal(rig->answer.code, UNKNOWN_MEMBER);
    assert_string_equal(rig->answer.text, "Member b is not a member of group g.");
    assert_true(share_group_rig_beat_at(rig, "b", SHARE_EPOCH_LEAVE, NULL));
    assert_int_equal(rig->answer.code, UNKNOWN_MEMBER);
}

static void
requests_are_judged_before_their_group(void **state)
{
    static const struct {
        const char *group, *member, *rack, *topic;
        int32_t epoch;
        const char *text;
    } rows[] = {
        {"g", "", NULL, "wal", 0, ""},
        {"g", "0123456789012345678901234567890123456", NULL, "wal", 0, ""},
        {"g", " ", NULL, "wal", 0, "MemberId can't be empty."},
        {"", "a", NULL, "wal", 0, "GroupId can't be empty."},
        {"g", "a", "", "wal", 0, "RackId can't be empty."},
        {"g", "a", NULL, NULL, 0, "SubscribedTopicNames must be set in first request."},
        {"g", "a", NULL, NULL, -2, "MemberEpoch is invalid."},
    };
    struct share_group_rig *rig = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct km_share_group_heartbeat_request in;
        struct wire_string name = request_text(rows[i].topic);

        codec_init(&km_share_group_heartbeat_request_desc, &in);
        in.group_id = request_text(rows[i].group);
        in.member_id = request_text(rows[i].member);
        in.rack_id = request_text(rows[i].rack);
        in.member_epoch = rows[i].epoch;
        in.subscribed_topic_names.items = &name;
        in.subscribed_topic_names.count = rows[i].topic == NULL ? 0 : 1;
        assert_true(share_group_rig_send(rig, &in));
        assert_int_equal(rig->answer.code, INVALID_REQUEST);
        assert_string_equal(rig->answer.text, rows[i].text);
    }
    assert_null(share_group_rig_group(rig));
}

static void
a_group_takes_no_more_members_than_it_may(void **state)
{
    struct share_group_rig *rig = *state;

    rig->world.broker->options.groups.share_max_size = 1;
    share_group_rig_join(rig, "a");
    assert_true(share_group_rig_beat_at(rig, "b", SHARE_EPOCH_JOIN, "wal"));
    assert_int_equal(rig->answer.code, FULL);
    assert_string_equal(
        rig->answer.text, "The share group has reached its maximum capacity of 1 members.");
    share_group_rig_join(rig, "a");
}

static void
who_is_silent_for_its_session_is_taken_out(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    env_advance(&rig->world.time, SESSION_US);
    (void)broker_tick(rig->world.broker);
    assert_null(share_group_rig_member(rig, "a"));
    assert_string_equal(share_group_state(share_group_rig_group(rig)), "Empty");
    assert_true(share_group_rig_beat_at(rig, "a", 3, NULL));
    assert_int_equal(rig->answer.code, UNKNOWN_MEMBER);
}

static void
a_group_s_own_configs_hold(void **state)
{
    struct share_group_rig *rig = *state;

    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "share.heartbeat.interval.ms", "7000");
    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "share.session.timeout.ms", "60000");
    share_group_rig_join(rig, "a");
    assert_int_equal(rig->answer.interval_ms, 7000);
    env_advance(&rig->world.time, SESSION_US);
    (void)broker_tick(rig->world.broker);
    assert_non_null(share_group_rig_member(rig, "a"));
}

static void
targets_are_not_made_more_often_than_the_interval_allows(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    rig->world.broker->options.groups.share_assignment_interval_ms = 1000000;
    share_group_rig_join(rig, "b");
    assert_int_equal(rig->answer.count, 0);
    assert_int_equal(
        share_group_rig_group(rig)->epoch, share_group_rig_group(rig)->target_epoch + 1);
    rig->world.broker->options.groups.share_assignment_interval_ms = 0;
    share_group_rig_beat(rig, "b");
    assert_int_equal(rig->answer.count, 1);
}

static void
who_reads_something_else_loses_what_it_had(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    assert_true(share_group_rig_beat_at(rig, "a", 3, "no.such.topic"));
    assert_int_equal(rig->answer.code, OK);
    assert_true(rig->answer.assigned);
    assert_int_equal(rig->answer.count, 0);
    assert_true(share_group_rig_beat_at(rig, "a", rig->answer.epoch, "wal"));
    assert_int_equal(rig->answer.count, ALL);
}

/* --- partitions ----------------------------------------------------------------------------------
 */

static void
what_cannot_be_initialised_is_tried_again_with_the_next_heartbeat(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.failure = 15;
    share_group_rig_join(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(stages_of(rig)->initializing.count, 0);
    assert_int_equal(stages_of(rig)->initialized.count, 0);
    assert_true(stages_of(rig)->exists);
    share_states_wrap.failure = 0;
    share_group_rig_beat(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
}

static void
what_is_refused_is_not_begun_any_more(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.refusal = 42;
    share_group_rig_join(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(stages_of(rig)->initializing.count, 0);
}

static void
what_hangs_is_tried_again_after_the_interval(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.holding = true;
    share_group_rig_join(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initializing), ALL);
    share_group_rig_beat(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, ALL);
    env_advance(&rig->world.time, INT64_C(30000000));
    share_group_rig_beat(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, 2 * ALL);
    share_states_wrap_release();
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
    assert_int_equal(stages_of(rig)->initializing.count, 0);
}

static void
the_log_of_the_share_coordinator_is_waited_for(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.absent = true;
    share_group_rig_join(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, 0);
    share_states_wrap.absent = false;
    env_advance(&rig->world.time, 200000);
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
}

static void
without_that_log_partitions_are_not_begun_any_more(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.absent = true;
    share_group_rig_join(rig, "a");
    for (int i = 0; i < 60; i++) {
        env_advance(&rig->world.time, 200000);
        (void)broker_tick(rig->world.broker);
    }
    share_group_rig_rest(rig);
    assert_int_equal(stages_of(rig)->initializing.count, 0);
    assert_int_equal(share_states_wrap.initialized, 0);
}

static void
topic_make(struct share_group_rig *rig, const char *name, int32_t partitions)
{
    struct km_create_topics_request_creatable_topic topic;
    struct km_create_topics_request in;
    struct km_create_topics_response out;
    struct arena arena;

    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    codec_init(&km_create_topics_request_desc, &in);
    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    topic.name = request_text(name);
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    in.timeout_ms = 10000;
    assert_true(broker_world_call(&rig->world, KM_CREATE_TOPICS, 5, &in, &arena, &out));
    assert_int_equal(out.topics.items[0].error_code, OK);
    arena_fini(&arena);
}

static void
of_many_partitions_some_are_initialised_at_a_time(void **state)
{
    enum { MANY = LIMIT_SHARE_CALLS_MAX + 10 };
    struct share_group_rig *rig = *state;

    topic_make(rig, "many", MANY);
    share_states_wrap.holding = true;
    assert_true(share_group_rig_beat_at(rig, "a", SHARE_EPOCH_JOIN, "many"));
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, LIMIT_SHARE_CALLS_MAX);
    share_states_wrap_release();
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, MANY);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, MANY);
}

static void
partitions_that_a_topic_gets_later_are_initialised_then(void **state)
{
    struct share_group_rig *rig = *state;
    struct topic *topic;

    share_group_rig_settle(rig, "a");
    topic = topics_find(&rig->world.broker->topics, "wal", 3);
    topics_grow(&rig->world.broker->topics, topic, ALL + 1);
    share_group_rig_beat(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL + 1);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, ALL + 1);
}

/* --- crashes -------------------------------------------------------------------------------------
 */

static void
a_start_makes_of_the_records_what_was(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    share_group_rig_join(rig, "b");
    share_group_rig_rest(rig);
    share_group_rig_crash(rig);
    assert_int_equal(share_group_rig_group(rig)->epoch, 4);
    assert_int_equal(share_group_rig_group(rig)->target_epoch, 4);
    assert_true(share_group_rig_group(rig)->target_ms > 0);
    assert_int_equal(share_group_rig_member(rig, "a")->epoch, 3);
    assert_int_equal(share_group_rig_member(rig, "a")->previous_epoch, 2);
    assert_int_equal(share_parts_total(&share_group_rig_member(rig, "a")->assigned), ALL);
    assert_int_equal(share_parts_total(&share_group_rig_member(rig, "a")->target), 2);
    assert_int_equal(share_group_rig_member(rig, "b")->epoch, 4);
    assert_int_equal(share_parts_total(&share_group_rig_member(rig, "b")->assigned), 1);
    assert_true(text_set_has(&share_group_rig_member(rig, "b")->topics, "wal"));
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
    /* Nothing is done twice, and sessions begin anew. */
    share_states_wrap.initialized = 0;
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, 2);
    share_group_rig_rest(rig);
    assert_int_equal(share_states_wrap.initialized, 0);
    env_advance(&rig->world.time, SESSION_US);
    (void)broker_tick(rig->world.broker);
    assert_null(share_group_rig_member(rig, "b"));
}

static void
what_was_begun_before_a_crash_is_begun_again(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.refusal = 0;
    share_states_wrap.absent = true; /* the calls are not made before the power goes */
    share_group_rig_join(rig, "a");
    share_group_rig_crash(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initializing), ALL);
    share_states_wrap.absent = false;
    env_advance(&rig->world.time, INT64_C(30000000));
    share_group_rig_beat(rig, "a");
    share_group_rig_rest(rig);
    assert_int_equal(count_in(rig, &stages_of(rig)->initialized), ALL);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, ALL);
}

/* A member as it sees itself. */
struct seen {
    int32_t epoch;
    int count;
};

/* One member does something; who is out comes again. False where the disk stops. */
static bool
live(struct share_group_rig *rig, struct seen *seen, const char *id)
{
    uint64_t dice = env_random_below(&rig->world.env, 10);
    bool leaves = seen->epoch > 0 && dice == 0;
    int32_t epoch = leaves ? SHARE_EPOCH_LEAVE : seen->epoch;

    if (!share_group_rig_beat_at(
            rig, id, epoch, epoch == SHARE_EPOCH_JOIN || dice == 1 ? "wal" : NULL))
        return false;
    seen->epoch = rig->answer.code != OK || leaves ? 0 : rig->answer.epoch;
    if (rig->answer.assigned)
        seen->count = rig->answer.count;
    return true;
}

/* Members whose answers all came must not notice the crash. */
static void
assert_unnoticed(const struct share_group_rig *rig, const struct seen seen[MEMBERS],
    const char *const ids[MEMBERS], int asking, uint64_t seed)
{
    for (int i = 0; i < MEMBERS; i++) {
        const struct share_member *known = share_group_rig_member(rig, ids[i]);

        if (i == asking || seen[i].epoch == 0)
            continue;
        if (known == NULL || known->epoch != seen[i].epoch ||
            (int)share_parts_total(&known->assigned) != seen[i].count)
            fail_msg("seed %llu: member %s was at epoch %d with %d, is at %d",
                (unsigned long long)seed, ids[i], seen[i].epoch, seen[i].count,
                known == NULL ? NONE : known->epoch);
    }
}

static void
members_and_epochs_survive_a_crash(void **state)
{
    static const char *const ids[MEMBERS] = {"a", "b", "c"};
    const char *seeds_text = getenv("SEEDS");
    uint64_t seeds = seeds_text == NULL ? 40 : strtoull(seeds_text, NULL, 10);
    size_t crashes = 0, answers = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct share_group_rig *rig = share_group_rig_new(seed);
        struct seen seen[MEMBERS] = {{0, 0}, {0, 0}, {0, 0}};
        void *made = rig;

        for (int life = 0; life < 4; life++) {
            int who = 0;
            bool stopped;

            disk_cut_stop_at(rig->world.disk, 1 + env_random_below(&rig->world.env, 60));
            for (int i = 0; i < 40; i++) {
                who = (int)env_random_below(&rig->world.env, MEMBERS);
                if (!live(rig, &seen[who], ids[who]))
                    break;
                answers++;
            }
            stopped = disk_cut_is_stopped(rig->world.disk);
            crashes += stopped;
            share_group_rig_crash(rig);
            assert_unnoticed(rig, seen, ids, stopped ? who : NONE, seed);
            /* Who got no answer begins anew, as a client that was fenced does. */
            if (stopped)
                seen[who].epoch = 0;
        }
        (void)share_group_rig_teardown(&made);
    }
    print_message("# %zu answers, %zu crashes in the middle of one\n", answers, crashes);
    assert_true(crashes > seeds / 2 && answers > seeds * 10);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, share_group_rig_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_member_gets_its_partitions_once_they_are_initialised),
        TEST(members_share_at_once_and_nobody_waits),
        TEST(a_lost_answer_s_epoch_is_let_in_and_others_are_fenced),
        TEST(who_is_not_there_is_told_so),
        TEST(requests_are_judged_before_their_group),
        TEST(a_group_takes_no_more_members_than_it_may),
        TEST(who_is_silent_for_its_session_is_taken_out),
        TEST(a_group_s_own_configs_hold),
        TEST(targets_are_not_made_more_often_than_the_interval_allows),
        TEST(who_reads_something_else_loses_what_it_had),
        TEST(what_cannot_be_initialised_is_tried_again_with_the_next_heartbeat),
        TEST(what_is_refused_is_not_begun_any_more),
        TEST(what_hangs_is_tried_again_after_the_interval),
        TEST(the_log_of_the_share_coordinator_is_waited_for),
        TEST(without_that_log_partitions_are_not_begun_any_more),
        TEST(of_many_partitions_some_are_initialised_at_a_time),
        TEST(partitions_that_a_topic_gets_later_are_initialised_then),
        TEST(a_start_makes_of_the_records_what_was),
        TEST(what_was_begun_before_a_crash_is_begun_again),
        cmocka_unit_test(members_and_epochs_survive_a_crash),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
