/* What the requests about the states of share groups are answered, and who coordinates them. */
#include "refbroker/coord/share_states.h"

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/share_rig.h"

#define ANSWERS_BYTES ((size_t)1 << 26)

static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    begin(NULL);
    arena_init(&arena, ANSWERS_BYTES);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    broker_world_fini(&world);
    return 0;
}

static void
is_told(struct wire_string got, const char *wanted)
{
    if (wanted == NULL) {
        assert_int_equal(got.size, -1);
        return;
    }
    assert_int_equal(got.size, strlen(wanted));
    assert_memory_equal(got.data, wanted, strlen(wanted));
}

static struct wire_uuid
topic_id(void)
{
    return key_of("g", 0).topic_id;
}

/* --- one partition of group "g" --------------------------------------------------------------- */

static int16_t
ask_initialize(int32_t partition, int32_t state_epoch, int64_t start_offset, const char *text)
{
    struct km_initialize_share_group_state_request_partition_data one = {
        partition, state_epoch, start_offset};
    struct km_initialize_share_group_state_request_initialize_state_data topic = {
        topic_id(), {&one, 1}};
    struct km_initialize_share_group_state_request in = {request_text("g"), {&topic, 1}};
    struct km_initialize_share_group_state_response out;
    const struct km_initialize_share_group_state_response_partition_result *result;

    assert_true(broker_world_call(&world, KM_INITIALIZE_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 1);
    assert_int_equal(out.results.items[0].partitions.count, 1);
    result = &out.results.items[0].partitions.items[0];
    assert_int_equal(result->partition, partition);
    is_told(result->error_message, text);
    return result->error_code;
}

static const struct km_read_share_group_state_response_partition_result *
ask_read(int32_t partition, int32_t leader_epoch)
{
    struct km_read_share_group_state_request_partition_data one = {partition, leader_epoch};
    struct km_read_share_group_state_request_read_state_data topic = {topic_id(), {&one, 1}};
    struct km_read_share_group_state_request in = {request_text("g"), {&topic, 1}};
    struct km_read_share_group_state_response out;

    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.items[0].partitions.items[0].partition, partition);
    return &out.results.items[0].partitions.items[0];
}

static const struct km_write_share_group_state_response_partition_result *
ask_write(int16_t version, struct km_write_share_group_state_request_partition_data *one)
{
    struct km_write_share_group_state_request_write_state_data topic = {topic_id(), {one, 1}};
    struct km_write_share_group_state_request in = {request_text("g"), {&topic, 1}};
    struct km_write_share_group_state_response out;

    assert_true(broker_world_call(&world, KM_WRITE_SHARE_GROUP_STATE, version, &in, &arena, &out));
    assert_int_equal(out.results.items[0].partitions.items[0].partition, one->partition);
    return &out.results.items[0].partitions.items[0];
}

static int16_t
ask_delete(int32_t partition, const char *text)
{
    struct km_delete_share_group_state_request_partition_data one = {partition};
    struct km_delete_share_group_state_request_delete_state_data topic = {topic_id(), {&one, 1}};
    struct km_delete_share_group_state_request in = {request_text("g"), {&topic, 1}};
    struct km_delete_share_group_state_response out;

    assert_true(broker_world_call(&world, KM_DELETE_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    is_told(out.results.items[0].partitions.items[0].error_message, text);
    return out.results.items[0].partitions.items[0].error_code;
}

static const struct km_read_share_group_state_summary_response_partition_result *
ask_summary(int16_t version, int32_t partition)
{
    struct km_read_share_group_state_summary_request_partition_data one = {partition, 0};
    struct km_read_share_group_state_summary_request_read_state_summary_data topic = {
        topic_id(), {&one, 1}};
    struct km_read_share_group_state_summary_request in = {request_text("g"), {&topic, 1}};
    struct km_read_share_group_state_summary_response out;

    assert_true(
        broker_world_call(&world, KM_READ_SHARE_GROUP_STATE_SUMMARY, version, &in, &arena, &out));
    return &out.results.items[0].partitions.items[0];
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
a_state_goes_its_way_through_all_five(void **state)
{
    struct km_write_share_group_state_request_state_batch batches[] = {
        {100, 104, 2, 1}, {105, 109, 0, 3}};
    struct km_write_share_group_state_request_partition_data write = {1, 3, 4, 99, 5, {batches, 2}};
    const struct km_read_share_group_state_response_partition_result *read;
    const struct km_read_share_group_state_summary_response_partition_result *summary;

    (void)state;
    summary = ask_summary(1, 1);
    assert_int_equal(summary->error_code, KE_NONE);
    assert_int_equal(summary->start_offset, -1);
    assert_int_equal(summary->delivery_complete_count, -1);
    assert_int_equal(summary->state_epoch, 0);
    assert_int_equal(ask_initialize(1, 3, 90, NULL), KE_NONE);
    assert_int_equal(ask_read(1, 4)->error_code, KE_NONE);
    assert_int_equal(ask_write(1, &write)->error_code, KE_NONE);
    read = ask_read(1, 4);
    assert_int_equal(read->state_epoch, 3);
    assert_int_equal(read->start_offset, 99);
    assert_int_equal(read->state_batches.count, 2);
    assert_int_equal(read->state_batches.items[0].last_offset, 104);
    assert_int_equal(read->state_batches.items[0].delivery_state, 2);
    assert_int_equal(read->state_batches.items[1].delivery_count, 3);
    summary = ask_summary(1, 1);
    assert_int_equal(summary->start_offset, 99);
    assert_int_equal(summary->leader_epoch, 4);
    assert_int_equal(summary->state_epoch, 3);
    assert_int_equal(summary->delivery_complete_count, 5);
    /* Old versions do not know how many are done. */
    write.state_batches.count = 0;
    write.delivery_complete_count = -1;
    assert_int_equal(ask_write(0, &write)->error_code, KE_NONE);
    assert_int_equal(ask_summary(1, 1)->delivery_complete_count, -1);
    assert_int_equal(ask_summary(0, 1)->start_offset, 99);
    assert_int_equal(ask_delete(1, NULL), KE_NONE);
    assert_int_equal(ask_summary(1, 1)->start_offset, -1);
}

/* It tells of neighbours as they were when nobody had merged them yet. */
static void
a_read_that_notes_its_epoch_tells_what_was_there_before(void **state)
{
    struct share_key key = key_of("g", 0);

    (void)state;
    assert_int_equal(ask_initialize(0, 0, 0, NULL), KE_NONE);
    assert_int_equal(write_one(&key, -1, 0, 9, 1, 2), KE_NONE);
    assert_int_equal(write_one(&key, -1, 10, 19, 1, 0), KE_NONE);
    assert_int_equal(write_one(&key, -1, 10, 19, 1, 2), KE_NONE);
    assert_int_equal(ask_read(0, 1)->state_batches.count, 2);
    assert_int_equal(ask_read(0, 2)->state_batches.count, 1);
}

static void
refusals_have_kafkas_words(void **state)
{
    struct km_write_share_group_state_request_partition_data write = {0, 0, 0, -1, -1, {NULL, 0}};
    const struct km_read_share_group_state_response_partition_result *read;

    (void)state;
    is_told(ask_write(1, &write)->error_message,
        "Write operation on uninitialized share partition not allowed.");
    assert_int_equal(ask_write(1, &write)->error_code, KE_INVALID_REQUEST);
    assert_int_equal(ask_initialize(0, 2, 5, NULL), KE_NONE);
    assert_int_equal(ask_initialize(0, 1, 5,
                         "The share coordinator rejected the request because the share-group state "
                         "epoch did not match."),
        KE_FENCED_STATE_EPOCH);
    assert_int_equal(ask_read(0, 7)->error_code, KE_NONE);
    read = ask_read(0, 6);
    assert_int_equal(read->error_code, KE_FENCED_LEADER_EPOCH);
    is_told(read->error_message,
        "The leader epoch in the request is older than the epoch on the broker.");
    assert_int_equal(read->state_epoch, 0);
    assert_int_equal(read->start_offset, 0);
    assert_int_equal(ask_delete(99, "This server does not host this topic-partition."),
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(
        ask_delete(-1, "The partition id cannot be a negative number."), KE_INVALID_REQUEST);
    assert_int_equal(ask_summary(1, 99)->error_code, KE_UNKNOWN_TOPIC_OR_PARTITION);
}

/* As in Kafka, whose handlers of these five do not look at share.version. */
static void
they_are_answered_without_share_groups_too(void **state)
{
    (void)state;
    world.broker->features.levels[FEATURE_SHARE_VERSION] = 0;
    assert_int_equal(ask_initialize(0, 0, 5, NULL), KE_NONE);
    assert_int_equal(ask_read(0, 0)->start_offset, 5);
}

static void
without_the_log_the_broker_is_no_coordinator(void **state)
{
    (void)state;
    broker_world_fini(&world);
    broker_world_init(&world, 3);
    assert_null(broker_world_start(&world));
    assert_int_equal(ask_initialize(0, 1, 5,
                         "Unable to initialize share group state: This is not the correct "
                         "coordinator."),
        KE_NOT_COORDINATOR);
    assert_int_equal(
        ask_delete(0, "Unable to delete share group state: This is not the correct coordinator."),
        KE_NOT_COORDINATOR);
    is_told(ask_summary(1, 0)->error_message,
        "Unable to read share group state summary: This is not the correct coordinator.");
    assert_null(log_topic());
}

/* Kafka's answer to what it calls empty. */
static void
without_group_topics_or_partitions_nothing_is_answered(void **state)
{
    struct km_read_share_group_state_request_partition_data one = {0, 0};
    struct km_read_share_group_state_request_read_state_data topics[] = {
        {topic_id(), {&one, 1}}, {topic_id(), {NULL, 0}}};
    struct km_read_share_group_state_request in = {request_text("g"), {topics, 2}};
    struct km_read_share_group_state_response out;

    (void)state;
    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 0);
    in.topics.count = 1;
    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 1);
    in.topics.count = 0;
    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 0);
    in.topics.count = 1;
    in.group_id = request_text("");
    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 0);
    in.group_id = (struct wire_string){"g\0h", 3};
    assert_true(broker_world_call(&world, KM_READ_SHARE_GROUP_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.results.count, 0);
}

/* --- hostile requests ------------------------------------------------------------------------- */

/* `count` partitions that are one; without `out` nobody waits for the answer. */
static void
initialize_many(size_t count, struct km_initialize_share_group_state_response *out)
{
    struct km_initialize_share_group_state_request_partition_data *all =
        xcalloc(count, sizeof *all);
    struct km_initialize_share_group_state_request_initialize_state_data topic = {
        topic_id(), {all, (int32_t)count}};
    struct km_initialize_share_group_state_request in = {request_text("g"), {&topic, 1}};

    if (out == NULL)
        (void)broker_world_ask(&world, KM_INITIALIZE_SHARE_GROUP_STATE, 0, &in);
    else
        assert_true(
            broker_world_call(&world, KM_INITIALIZE_SHARE_GROUP_STATE, 0, &in, &arena, out));
    free(all);
}

static void
a_request_for_too_many_partitions_ends_its_connection(void **state)
{
    struct km_initialize_share_group_state_response out;

    (void)state;
    initialize_many(LIMIT_SHARE_ASK_PARTITIONS_MAX, &out);
    assert_int_equal(out.results.items[0].partitions.count, LIMIT_SHARE_ASK_PARTITIONS_MAX);
    assert_false(world.closed);
    initialize_many(LIMIT_SHARE_ASK_PARTITIONS_MAX + 1, NULL);
    assert_true(world.closed);
}

/* A state of 15,000 batches, six times the same write: the seventh would be too much. */
static void
a_request_may_not_have_large_states_looked_at_many_times(void **state)
{
    enum { BATCHES = 15000, WRITES = 8 };
    struct km_write_share_group_state_request_state_batch *batches =
        xcalloc(BATCHES, sizeof *batches);
    struct km_write_share_group_state_request_partition_data one = {
        0, -1, -1, -1, 0, {batches, BATCHES}};
    struct km_write_share_group_state_request_partition_data all[WRITES];
    struct km_write_share_group_state_request_write_state_data topic = {topic_id(), {all, WRITES}};
    struct km_write_share_group_state_request in = {request_text("g"), {&topic, 1}};
    struct km_write_share_group_state_response out;

    (void)state;
    for (int i = 0; i < BATCHES; i++)
        batches[i] = (struct km_write_share_group_state_request_state_batch){i * 2, i * 2, 0, 1};
    assert_int_equal(ask_initialize(0, 0, 0, NULL), KE_NONE);
    assert_int_equal(ask_write(1, &one)->error_code, KE_NONE);
    free(batches);
    for (int i = 0; i < WRITES; i++)
        all[i] =
            (struct km_write_share_group_state_request_partition_data){0, -1, -1, -1, 0, {NULL, 0}};
    assert_true(broker_world_call(&world, KM_WRITE_SHARE_GROUP_STATE, 1, &in, &arena, &out));
    assert_int_equal(out.results.items[0].partitions.items[5].error_code, KE_NONE);
    assert_int_equal(out.results.items[0].partitions.items[6].error_code, KE_UNKNOWN_SERVER_ERROR);
}

static void
who_does_not_wait_for_the_answer_leaves_nothing_behind(void **state)
{
    struct share_key key = key_of("g", 0);

    (void)state;
    initialize_many(50, NULL);
    broker_world_reconnect(&world);
    broker_world_rest(&world, 200);
    assert_non_null(share_states_find(world.broker->share_states, &key));
    initialize_many(50, NULL);
    broker_world_crash(&world);
}

/* --- FindCoordinator -------------------------------------------------------------------------- */

static int16_t
coordinator_of(int16_t version, const char *text)
{
    struct wire_string key = request_text(text);
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;

    codec_init(&km_find_coordinator_request_desc, &in);
    in.key_type = 2;
    if (version < 4) {
        in.key = key;
    } else {
        in.coordinator_keys.items = &key;
        in.coordinator_keys.count = 1;
    }
    assert_true(broker_world_call(&world, KM_FIND_COORDINATOR, version, &in, &arena, &out));
    if (version < 4)
        return out.error_code;
    if (out.coordinators.items[0].error_code == KE_NONE)
        assert_int_equal(out.coordinators.items[0].port, world.broker->options.port);
    else
        assert_int_equal(out.coordinators.items[0].node_id, -1);
    return out.coordinators.items[0].error_code;
}

static void
the_coordinator_of_a_key_is_this_broker_from_version_6_on(void **state)
{
    static const char key[] = "g:AAECAwQFBgcICQoLDA0ODw:0";

    (void)state;
    assert_int_equal(coordinator_of(6, key), KE_NONE);
    assert_int_equal(coordinator_of(5, key), KE_INVALID_REQUEST);
    assert_int_equal(coordinator_of(3, key), KE_INVALID_REQUEST);
    assert_int_equal(coordinator_of(6, "g"), KE_INVALID_REQUEST);
    assert_int_equal(coordinator_of(6, "g:AAECAwQFBgcICQoLDA0ODw:x"), KE_INVALID_REQUEST);
}

static void
asking_for_the_coordinator_makes_the_log(void **state)
{
    static const char key[] = "g:AAECAwQFBgcICQoLDA0ODw:0";

    (void)state;
    broker_world_fini(&world);
    broker_world_init(&world, 3);
    assert_null(broker_world_start(&world));
    assert_int_equal(coordinator_of(6, "g"), KE_INVALID_REQUEST);
    broker_world_rest(&world, 200);
    assert_null(log_topic());
    assert_int_equal(coordinator_of(6, key), KE_COORDINATOR_NOT_AVAILABLE);
    broker_world_rest(&world, 200);
    assert_int_equal(coordinator_of(6, key), KE_NONE);
    assert_int_equal(log_topic()->partition_count, 50);
    assert_true(log_topic()->configs.values.deletes);
    assert_false(log_topic()->configs.values.compacts);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_state_goes_its_way_through_all_five),
        TEST(a_read_that_notes_its_epoch_tells_what_was_there_before),
        TEST(refusals_have_kafkas_words),
        TEST(they_are_answered_without_share_groups_too),
        TEST(without_the_log_the_broker_is_no_coordinator),
        TEST(without_group_topics_or_partitions_nothing_is_answered),
        TEST(a_request_for_too_many_partitions_ends_its_connection),
        TEST(a_request_may_not_have_large_states_looked_at_many_times),
        TEST(who_does_not_wait_for_the_answer_leaves_nothing_behind),
        TEST(the_coordinator_of_a_key_is_this_broker_from_version_6_on),
        TEST(asking_for_the_coordinator_makes_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
