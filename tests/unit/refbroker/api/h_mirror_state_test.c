/* The states of a mirrored topic, in a broker whose lanes the test moves by hand or at random. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "refbroker/meta/remove.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define SEEDS 300
#define LEADER_EPOCH_MIN 7
#define PRODUCER_ID 4242
#define ERROR_UNKNOWN_TOPIC 3
#define ERROR_NOT_LEADER 6
#define ERROR_INVALID_REQUEST 42
#define ERROR_INVALID_TXN_STATE 48
#define ERROR_STORAGE 56

typedef struct km_mirror_state_request_topic state_in;

static struct topic *
topic_of(const struct broker_world *world)
{
    return broker_world_partition(world, 0)->topic;
}

/* --- requests -------------------------------------------------------------------------------- */

static void
state_ask(struct km_mirror_state_request *in, state_in *topics, int32_t count, int8_t state)
{
    codec_init(&km_mirror_state_request_desc, in);
    for (int32_t i = 0; i < count; i++) {
        codec_init(&km_mirror_state_request_topic_desc, &topics[i]);
        topics[i].name = request_text("wal");
        topics[i].state = state;
        topics[i].abort_open = true;
        topics[i].leader_epoch_min = LEADER_EPOCH_MIN;
    }
    in->topics.items = topics;
    in->topics.count = count;
}

/* The code of the answer; -1 without one. */
static int16_t
state_change(struct broker_world *world, int8_t state, bool abort_open)
{
    struct km_mirror_state_request in;
    struct km_mirror_state_response out;
    struct arena arena;
    state_in topic;
    int16_t code = -1;

    arena_init(&arena, BYTES_MAX);
    state_ask(&in, &topic, 1, state);
    topic.abort_open = abort_open;
    if (broker_world_call(world, KM_MIRROR_STATE, 0, &in, &arena, &out))
        code = out.topics.items[0].error_code;
    arena_fini(&arena);
    return code;
}

static void
promotion_send(struct broker_world *world)
{
    struct km_mirror_state_request in;
    state_in topic;

    state_ask(&in, &topic, 1, TOPIC_PROMOTED);
    (void)broker_world_ask(world, KM_MIRROR_STATE, 0, &in);
}

/* The code of the answer that is there; -1 where none is. */
static int16_t
state_answer(struct broker_world *world, int32_t index)
{
    struct km_mirror_state_response out;
    struct arena arena;
    int32_t correlation;
    int16_t code = -1;

    arena_init(&arena, BYTES_MAX);
    if (broker_world_reply(world, KM_MIRROR_STATE, 0, &arena, &out, &correlation))
        code = out.topics.items[index].error_code;
    arena_fini(&arena);
    return code;
}

/* Mirrors a batch that opens a transaction in partition 0; -1 without an answer. */
static int16_t
transaction_open(struct broker_world *world)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {.value = "x", .value_size = 1, .key_size = -1};
    struct km_mirror_append_request_partition partition;
    struct km_mirror_append_request_topic topic;
    struct km_mirror_append_request in;
    struct km_mirror_append_response out;
    struct batch_builder builder;
    struct arena arena;
    struct buf batch;
    struct err e;
    int16_t code = -1;

    options.producer_id = PRODUCER_ID;
    options.producer_epoch = 0;
    options.base_sequence = 0;
    options.transactional = true;
    buf_init(&batch, BYTES_MAX);
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &batch, &e), RC_OK);
    codec_init(&km_mirror_append_request_desc, &in);
    codec_init(&km_mirror_append_request_topic_desc, &topic);
    codec_init(&km_mirror_append_request_partition_desc, &partition);
    partition.records = (struct wire_records){batch.data, NULL, (int32_t)batch.size, 0};
    topic.topic_id = topic_of(world)->topic_id;
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    if (broker_world_call(world, KM_MIRROR_APPEND, 0, &in, &arena, &out))
        code = out.topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
    batch_builder_fini(&builder);
    buf_fini(&batch);
    return code;
}

/* Lanes do what they have, but for the WAL's, and the broker hears of it. */
static void
all_but_the_wal(struct broker_world *world)
{
    for (int i = 0; i < 20; i++) {
        for (unsigned lane = LANE_WAL + 1; lane < LANE_COUNT; lane++)
            (void)work_step(world->work, lane);
        (void)broker_tick(world->broker);
    }
}

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    assert_int_equal(state_change(world, TOPIC_MIRRORING, false), 0);
    assert_int_equal(transaction_open(world), 0);
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    broker_world_fini(*state);
    free(*state);
    return 0;
}

/* --- promises -------------------------------------------------------------------------------- */

static void
an_open_transaction_blocks_the_promotion_unless_it_may_be_aborted(void **state)
{
    struct broker_world *world = *state;
    struct partition *partition = broker_world_partition(world, 0);

    assert_int_equal(state_change(world, TOPIC_PROMOTED, false), ERROR_INVALID_TXN_STATE);
    assert_int_equal(topic_of(world)->state, TOPIC_MIRRORING);
    assert_int_equal(partition_last_stable_offset(partition), 0);
    assert_int_equal(state_change(world, TOPIC_PROMOTED, true), 0);
    assert_int_equal(topic_of(world)->state, TOPIC_PROMOTED);
    assert_int_equal(partition_last_stable_offset(partition), 2);
    assert_int_equal(partition->leader_epoch, LEADER_EPOCH_MIN + 1);
    assert_int_equal(world->broker->producer_id_next, PRODUCER_ID + 1);
}

static void
a_promotion_waits_until_its_markers_are_durable(void **state)
{
    struct broker_world *world = *state;

    promotion_send(world);
    all_but_the_wal(world);
    assert_int_equal(state_answer(world, 0), -1);
    assert_int_equal(topic_of(world)->state, TOPIC_MIRRORING);
    assert_true(work_step(world->work, LANE_WAL));
    all_but_the_wal(world);
    assert_int_equal(state_answer(world, 0), 0);
    assert_int_equal(topic_of(world)->state, TOPIC_PROMOTED);
}

/*
 * A power cut at any step: what is promoted afterwards has no open transaction, and its epoch does
 * not begin behind the log's end.
 */
static void
promoted_is_promoted_after_a_power_cut(void **state)
{
    size_t promoted = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct partition *partition;
        struct broker_world world;
        int16_t code;

        broker_world_init(&world, seed);
        assert_null(broker_world_start(&world));
        assert_int_equal(state_change(&world, TOPIC_MIRRORING, false), 0);
        assert_int_equal(transaction_open(&world), 0);
        disk_cut_stop_at(world.disk, 1 + env_random_below(&world.env, 30));
        code = state_change(&world, TOPIC_PROMOTED, true);
        broker_world_crash(&world);
        disk_cut_power(world.disk);
        assert_null(broker_world_start(&world));
        partition = broker_world_partition(&world, 0);
        if (topic_of(&world)->state == TOPIC_PROMOTED) {
            promoted++;
            if (partition_last_stable_offset(partition) != partition->log_end_offset ||
                partition->epochs[0].start_offset > partition->log_end_offset)
                fail_msg("seed %llu: promoted with an open transaction", (unsigned long long)seed);
        } else if (code == 0) {
            fail_msg("seed %llu: the promotion is lost", (unsigned long long)seed);
        }
        broker_world_fini(&world);
    }
    print_message("# %zu of %d were promoted\n", promoted, SEEDS);
    assert_in_range(promoted, SEEDS / 10, SEEDS - SEEDS / 10);
}

static void
who_goes_away_while_it_waits_has_changed_nothing(void **state)
{
    struct broker_world *world = *state;

    promotion_send(world);
    all_but_the_wal(world);
    assert_true(topic_of(world)->changing);
    broker_world_reconnect(world);
    assert_false(topic_of(world)->changing);
    broker_world_rest(world, 200);
    assert_int_equal(topic_of(world)->state, TOPIC_MIRRORING);
    assert_int_equal(state_change(world, TOPIC_PROMOTED, false), 0);
    assert_int_equal(topic_of(world)->state, TOPIC_PROMOTED);
}

static void
who_goes_away_while_the_catalog_writes_leaves_a_whole_change(void **state)
{
    struct broker_world *world = *state;

    promotion_send(world);
    (void)broker_tick(world->broker);
    assert_true(work_step(world->work, LANE_WAL));
    (void)broker_tick(world->broker);
    broker_world_reconnect(world);
    broker_world_rest(world, 200);
    assert_int_equal(topic_of(world)->state, TOPIC_PROMOTED);
    assert_false(topic_of(world)->changing);
}

static void
a_partition_that_stops_leaves_the_topic_as_it_was(void **state)
{
    struct broker_world *world = *state;

    disk_cut_fault(world->disk, DISK_CUT_FAIL_SYNC, 1);
    promotion_send(world);
    (void)broker_tick(world->broker);
    assert_true(work_step(world->work, LANE_WAL));
    all_but_the_wal(world);
    assert_int_equal(state_answer(world, 0), ERROR_STORAGE);
    assert_int_equal(topic_of(world)->state, TOPIC_MIRRORING);
    assert_false(topic_of(world)->changing);
}

static void
removed(struct broker *broker, void *arg, const struct err *e)
{
    (void)broker;
    assert_int_equal(e->code, RC_OK);
    *(bool *)arg = true;
}

static void
a_topic_that_is_deleted_meanwhile_refuses_with_3(void **state)
{
    struct broker_world *world = *state;
    struct wire_uuid *id = xmalloc(sizeof *id);
    bool gone = false;

    promotion_send(world);
    *id = topic_of(world)->topic_id;
    remove_submit(world->broker, id, 1, removed, &gone);
    all_but_the_wal(world);
    assert_true(gone);
    all_but_the_wal(world);
    assert_int_equal(state_answer(world, 0), ERROR_UNKNOWN_TOPIC);
}

static void
a_topic_that_changes_takes_no_records_and_no_other_change(void **state)
{
    struct km_mirror_state_request in;
    struct broker_world *world = *state;
    state_in topics[2];

    state_ask(&in, topics, 2, TOPIC_PROMOTED);
    (void)broker_world_ask(world, KM_MIRROR_STATE, 0, &in);
    broker_world_reconnect(world);
    assert_false(topic_of(world)->changing);
    topic_of(world)->changing = true;
    assert_int_equal(transaction_open(world), ERROR_NOT_LEADER);
    assert_int_equal(state_change(world, TOPIC_PROMOTED, true), ERROR_INVALID_REQUEST);
    topic_of(world)->changing = false;
}

/* The epochs of a partition ascend: a second change of the same topic would not. */
static void
a_topic_that_is_named_twice_changes_once(void **state)
{
    struct km_mirror_state_request in;
    struct km_mirror_state_response out;
    struct broker_world *world = *state;
    struct arena arena;
    state_in topics[2];

    arena_init(&arena, BYTES_MAX);
    state_ask(&in, topics, 2, TOPIC_PROMOTED);
    assert_true(broker_world_call(world, KM_MIRROR_STATE, 0, &in, &arena, &out));
    assert_int_equal(out.topics.items[0].error_code, 0);
    assert_int_equal(out.topics.items[1].error_code, ERROR_INVALID_REQUEST);
    assert_int_equal(broker_world_partition(world, 0)->leader_epoch, LEADER_EPOCH_MIN + 1);
    arena_fini(&arena);
}

/* A record that arrives while an empty topic becomes a mirror would stand in the mirror's way. */
static void
a_topic_that_begins_to_be_mirrored_takes_no_producer_s_records(void **state)
{
    struct km_mirror_state_request in;
    struct broker_world world;
    state_in topic;
    size_t before, during;

    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    world.make.codec = COMPRESS_NONE;
    before = broker_world_produce(&world, 0);
    broker_world_reconnect(&world);
    state_ask(&in, &topic, 1, TOPIC_MIRRORING);
    (void)broker_world_ask(&world, KM_MIRROR_STATE, 0, &in);
    for (unsigned i = 0; i < LANE_BATCH_COUNT; i++)
        (void)work_step(world.work, LANE_BATCH + i);
    (void)broker_tick(world.broker);
    assert_int_equal(broker_world_partition(&world, 0)->log_end_offset, 0);
    broker_world_rest(&world, 400);
    assert_int_equal(topic_of(&world)->state, TOPIC_MIRRORING);
    assert_int_equal(broker_world_partition(&world, 0)->log_end_offset, 0);
    during = broker_world_produce(&world, 0);
    broker_world_acks(&world);
    assert_int_equal(world.records[before].offset, -1);
    assert_int_equal(world.records[during].error, 17);
    broker_world_fini(&world);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_open_transaction_blocks_the_promotion_unless_it_may_be_aborted),
        TEST(a_promotion_waits_until_its_markers_are_durable),
        cmocka_unit_test(promoted_is_promoted_after_a_power_cut),
        TEST(who_goes_away_while_it_waits_has_changed_nothing),
        TEST(who_goes_away_while_the_catalog_writes_leaves_a_whole_change),
        TEST(a_partition_that_stops_leaves_the_topic_as_it_was),
        TEST(a_topic_that_is_deleted_meanwhile_refuses_with_3),
        TEST(a_topic_that_changes_takes_no_records_and_no_other_change),
        TEST(a_topic_that_is_named_twice_changes_once),
        cmocka_unit_test(a_topic_that_begins_to_be_mirrored_takes_no_producer_s_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
