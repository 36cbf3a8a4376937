/*
 * What administrators do with a share group: DeleteGroups, DescribeShareGroupOffsets,
 * AlterShareGroupOffsets and DeleteShareGroupOffsets, and a topic that goes, in a whole broker.
 */
#include "refbroker/coord/share_delete.h"

#include <stdlib.h>

#include "tests/unit/refbroker/coord/share_group_rig.h"
#include "tests/unit/refbroker/coord/share_states_wrap.h"

#define ALL SHARE_GROUP_RIG_PARTITIONS
#define UNEXPECTED (-1)
#define OK 0
#define UNKNOWN_TOPIC 3
#define NOT_AVAILABLE 15
#define NOT_EMPTY 68
#define GROUP_NOT_FOUND 69

static struct arena arena;

static int
setup(void **state)
{
    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    return share_group_rig_setup(state);
}

static int
teardown(void **state)
{
    arena_fini(&arena);
    share_states_wrap_reset();
    return share_group_rig_teardown(state);
}

/* A group that has had a member, and everything initialised. */
static void
leave_behind(struct share_group_rig *rig)
{
    share_group_rig_settle(rig, "a");
    share_group_rig_leave(rig, "a");
}

static const struct share_stages *
stages_of(const struct share_group_rig *rig)
{
    return &share_group_rig_group(rig)->stages;
}

static const struct share_state *
state_of(const struct share_group_rig *rig, int32_t partition)
{
    struct share_key key = {"g", *share_group_rig_topic_id(rig), partition};

    return share_states_find(rig->world.broker->share_states, &key);
}

/* --- groups --------------------------------------------------------------------------------------
 */

static int16_t
group_delete(struct share_group_rig *rig, const char *name)
{
    struct wire_string group = request_text(name);
    struct km_delete_groups_request in;
    struct km_delete_groups_response out;

    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &group;
    in.groups_names.count = 1;
    assert_true(broker_world_call(&rig->world, KM_DELETE_GROUPS, 2, &in, &arena, &out));
    return out.results.items[0].error_code;
}

static void
a_deleted_group_is_gone_with_its_states_also_after_a_crash(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    assert_int_equal(group_delete(rig, "g"), NOT_EMPTY);
    share_group_rig_leave(rig, "a");
    assert_non_null(state_of(rig, 0));
    assert_int_equal(group_delete(rig, "g"), OK);
    assert_null(share_group_rig_group(rig));
    for (int32_t i = 0; i < ALL; i++)
        assert_null(state_of(rig, i));
    assert_int_equal(group_delete(rig, "g"), GROUP_NOT_FOUND);
    share_group_rig_crash(rig);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
    /* Of another life the group knows nothing. */
    share_group_rig_join(rig, "a");
    assert_int_equal(rig->answer.epoch, 2);
}

static void
a_group_whose_states_cannot_be_deleted_stays(void **state)
{
    struct share_group_rig *rig = *state;

    leave_behind(rig);
    share_states_wrap.failure = NOT_AVAILABLE;
    assert_int_equal(group_delete(rig, "g"), NOT_AVAILABLE);
    assert_non_null(share_group_rig_group(rig));
    assert_int_equal(stages_of(rig)->deleting.count, 1);
    assert_int_equal(stages_of(rig)->initialized.count, 0);
    share_group_rig_crash(rig);
    assert_int_equal(stages_of(rig)->deleting.count, 1);
    /* The deletion is tried again for all of the topic. */
    share_states_wrap.failure = 0;
    share_states_wrap.deleted = 0;
    assert_int_equal(group_delete(rig, "g"), OK);
    assert_int_equal(share_states_wrap.deleted, ALL);
    assert_null(share_group_rig_group(rig));
}

static void
a_group_that_somebody_joins_meanwhile_is_not_deleted(void **state)
{
    struct share_group_rig *rig = *state;
    struct wire_string group = request_text("g");
    struct km_delete_groups_request in;
    struct km_delete_groups_response out;
    int32_t correlation;

    leave_behind(rig);
    share_states_wrap.holding = true;
    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &group;
    in.groups_names.count = 1;
    (void)broker_world_ask(&rig->world, KM_DELETE_GROUPS, 2, &in);
    share_group_rig_rest(rig);
    (void)share_member_add(groups_find(rig->world.broker->groups, group)->share, request_text("b"));
    share_states_wrap_release();
    for (int i = 0; i < 200; i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            (void)work_step(rig->world.work, lane);
        (void)broker_tick(rig->world.broker);
    }
    assert_true(broker_world_reply(&rig->world, KM_DELETE_GROUPS, 2, &arena, &out, &correlation));
    assert_int_equal(out.results.items[0].error_code, NOT_EMPTY);
    assert_non_null(share_group_rig_group(rig));
}

static void
a_group_that_is_deleted_before_its_partitions_began_leaves_no_states(void **state)
{
    struct share_group_rig *rig = *state;
    struct wire_string group = request_text("g");
    struct km_delete_groups_request in;

    share_states_wrap.absent = true;
    share_group_rig_join(rig, "a");
    share_group_rig_leave(rig, "a");
    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &group;
    in.groups_names.count = 1;
    (void)broker_world_ask(&rig->world, KM_DELETE_GROUPS, 2, &in);
    share_group_rig_rest(rig);
    share_states_wrap.absent = false;
    env_advance(&rig->world.time, 200000);
    (void)broker_tick(rig->world.broker);
    share_group_rig_rest(rig);
    assert_null(share_group_rig_group(rig));
    assert_int_equal(share_states_wrap.initialized, 0);
    assert_int_equal(share_states_wrap.deleted, ALL);
}

static void
share_groups_do_not_expire(void **state)
{
    struct share_group_rig *rig = *state;

    leave_behind(rig);
    for (int day = 0; day < 9; day++) {
        env_advance(&rig->world.time, INT64_C(86400000000));
        (void)broker_tick(rig->world.broker);
    }
    assert_non_null(share_group_rig_group(rig));
}

static void
a_topic_that_goes_is_forgotten(void **state)
{
    struct share_group_rig *rig = *state;
    struct km_delete_topics_request in;
    struct km_delete_topics_response out;
    struct wire_string name = request_text("wal");

    share_group_rig_settle(rig, "a");
    codec_init(&km_delete_topics_request_desc, &in);
    in.topic_names.items = &name;
    in.topic_names.count = 1;
    in.timeout_ms = 1000;
    assert_true(broker_world_call(&rig->world, KM_DELETE_TOPICS, 5, &in, &arena, &out));
    assert_int_equal(out.responses.items[0].error_code, OK);
    assert_int_equal(stages_of(rig)->initialized.count, 0);
    assert_true(stages_of(rig)->exists);
    share_group_rig_beat(rig, "a");
    assert_true(rig->answer.assigned);
    assert_int_equal(rig->answer.count, 0);
}

/* --- DescribeShareGroupOffsets -------------------------------------------------------------------
 */

typedef struct km_describe_share_group_offsets_response_group described;

/* topics NULL: all that are initialised. */
static const described *
describe_of(
    struct share_group_rig *rig, const char *group_id, const char *const *topics, int32_t count)
{
    static int32_t partitions[] = {0, 7};
    struct km_describe_share_group_offsets_request_topic asked[4];
    struct km_describe_share_group_offsets_request_group group;
    struct km_describe_share_group_offsets_request in;
    static struct km_describe_share_group_offsets_response out;

    codec_init(&km_describe_share_group_offsets_request_desc, &in);
    codec_init(&km_describe_share_group_offsets_request_group_desc, &group);
    group.group_id = request_text(group_id);
    group.topics.items = asked;
    group.topics.count = topics == NULL ? -1 : count;
    for (int32_t i = 0; topics != NULL && i < count; i++) {
        codec_init(&km_describe_share_group_offsets_request_topic_desc, &asked[i]);
        asked[i].topic_name = request_text(topics[i]);
        asked[i].partitions.items = partitions;
        asked[i].partitions.count = 2;
    }
    in.groups.items = &group;
    in.groups.count = 1;
    assert_true(
        broker_world_call(&rig->world, KM_DESCRIBE_SHARE_GROUP_OFFSETS, 1, &in, &arena, &out));
    assert_int_equal(out.groups.count, 1);
    return &out.groups.items[0];
}

static const described *
describe(struct share_group_rig *rig, const char *const *topics, int32_t count)
{
    const described *group = describe_of(rig, "g", topics, count);

    assert_int_equal(group->error_code, OK);
    return group;
}

static void
of_a_group_without_a_name_nothing_is_known(void **state)
{
    static const char *const known[] = {"wal"};
    static const char *const unknown[] = {"no.such.topic"};
    struct share_group_rig *rig = *state;

    assert_int_equal(describe_of(rig, "", known, 1)->error_code, UNEXPECTED);
    assert_int_equal(describe_of(rig, "", known, 1)->topics.count, 0);
    assert_int_equal(describe_of(rig, "", unknown, 1)->error_code, OK);
    assert_int_equal(describe_of(rig, "", unknown, 1)->topics.count, 1);
}

static int written_count;

static void
written(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    (void)broker;
    (void)waiter;
    assert_int_equal(error, OK);
    written_count++;
}

/* What a leader of epoch 5 leaves of partition 0: it begins at 1, and one record more is done. */
static void
leader_writes(struct share_group_rig *rig)
{
    static struct append_waiter waiters[2] = {{.done = written}, {.done = written}};
    struct share_states *states = rig->world.broker->share_states;
    struct share_key key = {"g", *share_group_rig_topic_id(rig), 0};
    struct share_write write = {
        .state_epoch = 2, .leader_epoch = 5, .start_offset = 1, .delivery_complete_count = 1};
    const struct share_state *state;
    struct err e;

    err_clear(&e);
    written_count = 0;
    assert_int_equal(share_states_read(states, &key, 5, &state, &waiters[0], &e), OK);
    assert_int_equal(share_states_write(states, &key, &write, &waiters[1], &e), OK);
    for (int i = 0; i < 100 && written_count < 2; i++)
        broker_world_rest(&rig->world, 10);
    assert_int_equal(written_count, 2);
}

static void
offsets_are_told_with_what_lies_behind_them(void **state)
{
    static const char *const names[] = {"no.such.topic", "wal"};
    struct share_group_rig *rig = *state;
    const described *group;

    share_group_rig_settle(rig, "a");
    rig->world.only_partition = 0;
    broker_world_run(&rig->world, 4);
    group = describe(rig, NULL, 0);
    assert_int_equal(group->topics.count, 1);
    assert_int_equal(group->topics.items[0].partitions.count, ALL);
    assert_int_equal(group->topics.items[0].partitions.items[0].start_offset, -1);
    assert_int_equal(group->topics.items[0].partitions.items[0].lag, -1);
    leader_writes(rig);
    group = describe(rig, names, 2);
    assert_int_equal(group->topics.count, 2);
    assert_memory_equal(group->topics.items[0].topic_name.data, "wal", 3);
    assert_int_equal(group->topics.items[0].partitions.items[0].start_offset, 1);
    assert_int_equal(group->topics.items[0].partitions.items[0].leader_epoch, 5);
    assert_int_equal(group->topics.items[0].partitions.items[0].lag,
        broker_world_partition(&rig->world, 0)->high_watermark - 2);
    assert_int_equal(group->topics.items[0].partitions.items[1].start_offset, -1);
    assert_int_equal(group->topics.items[0].partitions.items[1].lag, -1);
    assert_int_equal(group->topics.items[1].partitions.count, 2);
    assert_int_equal(group->topics.items[1].partitions.items[0].start_offset, -1);
    assert_int_equal(group->topics.items[1].partitions.items[0].error_code, OK);
}

static void
of_a_group_that_is_not_there_nothing_is_told(void **state)
{
    assert_int_equal(describe(*state, NULL, 0)->topics.count, 0);
}

/* --- AlterShareGroupOffsets ----------------------------------------------------------------------
 */

static struct km_alter_share_group_offsets_response altered;

/* Moves partitions 0 and 7 of a topic to offsets 40 and 47. */
static void
alter(struct share_group_rig *rig, const char *topic_name)
{
    struct km_alter_share_group_offsets_request_partition partitions[2];
    struct km_alter_share_group_offsets_request_topic topic;
    struct km_alter_share_group_offsets_request in;

    codec_init(&km_alter_share_group_offsets_request_desc, &in);
    codec_init(&km_alter_share_group_offsets_request_topic_desc, &topic);
    for (int32_t i = 0; i < 2; i++) {
        codec_init(&km_alter_share_group_offsets_request_partition_desc, &partitions[i]);
        partitions[i].partition_index = 7 * i;
        partitions[i].start_offset = 40 + 7 * i;
    }
    topic.topic_name = request_text(topic_name);
    topic.partitions.items = partitions;
    topic.partitions.count = 2;
    in.group_id = request_text("g");
    in.topics.items = &topic;
    in.topics.count = 1;
    assert_true(
        broker_world_call(&rig->world, KM_ALTER_SHARE_GROUP_OFFSETS, 0, &in, &arena, &altered));
}

static void
offsets_are_moved_and_make_a_group(void **state)
{
    struct share_group_rig *rig = *state;

    alter(rig, "wal");
    assert_int_equal(altered.error_code, OK);
    assert_int_equal(altered.responses.items[0].partitions.items[0].error_code, OK);
    assert_int_equal(altered.responses.items[0].partitions.items[1].error_code, UNKNOWN_TOPIC);
    assert_memory_equal(&altered.responses.items[0].topic_id, share_group_rig_topic_id(rig),
        sizeof(struct wire_uuid));
    assert_int_equal(state_of(rig, 0)->start_offset, 40);
    assert_int_equal(state_of(rig, 0)->state_epoch, 1);
    assert_string_equal(share_group_state(share_group_rig_group(rig)), "Empty");
    share_group_rig_rest(rig);
    share_group_rig_crash(rig);
    assert_int_equal(stages_of(rig)->initialized.items[0].partition_count, 1);
    assert_int_equal(share_group_rig_group(rig)->epoch, SHARE_EPOCH_FIRST);
    /* Whoever joins has the rest initialised, and what was moved stays. */
    share_group_rig_settle(rig, "a");
    assert_int_equal(state_of(rig, 0)->start_offset, 40);
    assert_int_equal(rig->answer.count, ALL);
}

static void
offsets_of_a_group_with_members_are_not_moved(void **state)
{
    struct share_group_rig *rig = *state;

    share_group_rig_settle(rig, "a");
    alter(rig, "wal");
    assert_int_equal(altered.error_code, NOT_EMPTY);
    assert_memory_equal(altered.error_message.data, "The group is not empty.", 23);
    assert_int_equal(altered.responses.count, 0);
}

static void
a_topic_that_is_not_there_makes_no_group(void **state)
{
    struct share_group_rig *rig = *state;

    alter(rig, "no.such.topic");
    assert_int_equal(altered.error_code, OK);
    assert_int_equal(altered.responses.items[0].partitions.items[0].error_code, UNKNOWN_TOPIC);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
}

static void
what_the_share_coordinator_refuses_is_told_by_partition(void **state)
{
    struct share_group_rig *rig = *state;

    share_states_wrap.refusal = NOT_AVAILABLE;
    alter(rig, "wal");
    assert_int_equal(altered.error_code, OK);
    assert_int_equal(altered.responses.items[0].partitions.items[0].error_code, NOT_AVAILABLE);
    assert_int_equal(altered.responses.items[0].partitions.items[1].error_code, UNKNOWN_TOPIC);
    assert_int_equal(stages_of(rig)->initialized.count, 0);
}

/* --- DeleteShareGroupOffsets ---------------------------------------------------------------------
 */

static struct km_delete_share_group_offsets_response deleted;

static void
offsets_delete(struct share_group_rig *rig)
{
    static const char *const names[] = {"no.such.topic", "coordinated", "wal"};
    struct km_delete_share_group_offsets_request_topic topics[3];
    struct km_delete_share_group_offsets_request in;

    codec_init(&km_delete_share_group_offsets_request_desc, &in);
    for (int i = 0; i < 3; i++)
        topics[i].topic_name = request_text(names[i]);
    in.group_id = request_text("g");
    in.topics.items = topics;
    in.topics.count = 3;
    assert_true(
        broker_world_call(&rig->world, KM_DELETE_SHARE_GROUP_OFFSETS, 0, &in, &arena, &deleted));
}

static void
offsets_are_deleted_topic_by_topic(void **state)
{
    struct share_group_rig *rig = *state;

    leave_behind(rig);
    offsets_delete(rig);
    assert_int_equal(deleted.error_code, OK);
    assert_int_equal(deleted.responses.count, 3);
    assert_memory_equal(deleted.responses.items[0].topic_name.data, "wal", 3);
    assert_int_equal(deleted.responses.items[0].error_code, OK);
    assert_int_equal(deleted.responses.items[1].error_code, UNKNOWN_TOPIC);
    assert_int_equal(deleted.responses.items[2].error_code, UNKNOWN_TOPIC);
    assert_memory_equal(deleted.responses.items[2].error_message.data,
        "There is no offset information to delete.", 41);
    assert_null(state_of(rig, 0));
    assert_int_equal(stages_of(rig)->initialized.count, 0);
    assert_int_equal(stages_of(rig)->deleting.count, 0);
    offsets_delete(rig);
    assert_int_equal(deleted.responses.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(deleted.responses.items[i].error_code, UNKNOWN_TOPIC);
    share_group_rig_crash(rig);
    assert_int_equal(stages_of(rig)->initialized.count + stages_of(rig)->deleting.count, 0);
    share_group_rig_settle(rig, "a");
    assert_int_equal(rig->answer.count, ALL);
}

static void
what_cannot_be_deleted_is_told_last_and_tried_again(void **state)
{
    struct share_group_rig *rig = *state;

    leave_behind(rig);
    share_states_wrap.failure = NOT_AVAILABLE;
    offsets_delete(rig);
    assert_int_equal(deleted.responses.count, 3);
    assert_memory_equal(deleted.responses.items[2].topic_name.data, "wal", 3);
    assert_int_equal(deleted.responses.items[2].error_code, NOT_AVAILABLE);
    assert_int_equal(stages_of(rig)->deleting.count, 1);
    share_states_wrap.failure = 0;
    offsets_delete(rig);
    assert_int_equal(deleted.responses.items[0].error_code, OK);
    assert_int_equal(stages_of(rig)->deleting.count, 0);
}

static void
offsets_of_a_group_with_members_or_without_any_are_not_deleted(void **state)
{
    struct share_group_rig *rig = *state;

    offsets_delete(rig);
    assert_int_equal(deleted.error_code, GROUP_NOT_FOUND);
    assert_memory_equal(deleted.error_message.data, "Group g not found.", 18);
    share_group_rig_settle(rig, "a");
    offsets_delete(rig);
    assert_int_equal(deleted.error_code, NOT_EMPTY);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_deleted_group_is_gone_with_its_states_also_after_a_crash),
        TEST(a_group_whose_states_cannot_be_deleted_stays),
        TEST(a_group_that_somebody_joins_meanwhile_is_not_deleted),
        TEST(a_group_that_is_deleted_before_its_partitions_began_leaves_no_states),
        TEST(share_groups_do_not_expire),
        TEST(a_topic_that_goes_is_forgotten),
        TEST(offsets_are_told_with_what_lies_behind_them),
        TEST(of_a_group_that_is_not_there_nothing_is_told),
        TEST(offsets_are_moved_and_make_a_group),
        TEST(offsets_of_a_group_with_members_are_not_moved),
        TEST(a_topic_that_is_not_there_makes_no_group),
        TEST(of_a_group_without_a_name_nothing_is_known),
        TEST(what_the_share_coordinator_refuses_is_told_by_partition),
        TEST(offsets_are_deleted_topic_by_topic),
        TEST(what_cannot_be_deleted_is_told_last_and_tried_again),
        TEST(offsets_of_a_group_with_members_or_without_any_are_not_deleted),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
