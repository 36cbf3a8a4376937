/* When fetches and searches are answered, in a broker whose clock and lanes the test moves by hand.
 */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/compress.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define FETCH_VERSION 12
#define MAX_WAIT_MS 500
#define WAL 0
#define COORDINATED 3
#define ERROR_OUT_OF_RANGE 1
#define ERROR_INVALID_REQUEST 42
#define NO_ANSWER (-2)

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
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

static void
fetch_send(struct broker_world *world, int where, int64_t offset)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition = where % BROKER_WORLD_PARTITIONS;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = 1 << 20;
    topic.topic = request_text(where < COORDINATED ? "wal" : "coordinated");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    in.max_wait_ms = MAX_WAIT_MS;
    in.min_bytes = 1;
    (void)broker_world_ask(world, KM_FETCH, FETCH_VERSION, &in);
    (void)broker_tick(world->broker);
}

/* The code of the answer that is there, and how many bytes of records it has. */
static int16_t
fetch_answer(struct broker_world *world, int32_t *size)
{
    struct km_fetch_response out;
    struct arena arena;
    int32_t correlation;
    int16_t code = NO_ANSWER;

    arena_init(&arena, BYTES_MAX);
    if (broker_world_reply(world, KM_FETCH, FETCH_VERSION, &arena, &out, &correlation)) {
        code = out.responses.items[0].partitions.items[0].error_code;
        *size = out.responses.items[0].partitions.items[0].records.size;
    }
    arena_fini(&arena);
    return code;
}

static void
pass(struct broker_world *world, int64_t ms)
{
    env_advance(&world->time, ms * 1000);
    (void)broker_tick(world->broker);
}

static void
an_offset_out_of_range_is_told_at_once_by_a_leader(void **state)
{
    struct broker_world *world = *state;
    int32_t size;

    fetch_send(world, WAL, 1);
    assert_int_equal(fetch_answer(world, &size), ERROR_OUT_OF_RANGE);
}

static void
and_after_max_wait_where_nobody_leads(void **state)
{
    struct broker_world *world = *state;
    int32_t size;

    fetch_send(world, COORDINATED, 1);
    assert_int_equal(fetch_answer(world, &size), NO_ANSWER);
    pass(world, MAX_WAIT_MS - 1);
    assert_int_equal(fetch_answer(world, &size), NO_ANSWER);
    pass(world, 1);
    assert_int_equal(fetch_answer(world, &size), ERROR_OUT_OF_RANGE);
}

/* Replies of a connection keep their order, so the records come by another one. */
static void
an_offset_that_comes_into_range_meanwhile_is_served(void **state)
{
    struct broker_world *world = *state;
    struct client *consumer = world->client;
    int32_t size = 0;

    fetch_send(world, COORDINATED, 1);
    world->client = broker_connect(world->broker, world, "producer", 0);
    world->make.acks = 0;
    (void)broker_world_produce(world, COORDINATED);
    (void)broker_world_produce(world, COORDINATED);
    for (int i = 0; i < 100; i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            (void)work_step(world->work, lane);
        pass(world, 1);
    }
    assert_int_equal(fetch_answer(world, &size), 0);
    assert_true(size > 0);
    broker_disconnect(world->broker, consumer);
}

/* --- partitions that lie in objects, and a cache that holds one run ----------------------------
 */

static void
cold_world(struct broker_world *world)
{
    broker_world_init(world, 3);
    assert_null(broker_world_start(world));
    for (world->only_partition = 0; world->only_partition < BROKER_WORLD_PARTITIONS;
         world->only_partition++)
        broker_world_run(world, 20);
    env_advance(&world->time, 1000000);
    broker_world_rest(world, 400);
    assert_int_equal(broker_unstored_bytes(world->broker), 0);
    broker_world_crash(world);
    disk_cut_kill(world->disk);
    world->read_cache_bytes = 1;
    assert_null(broker_world_start(world));
}

static void
partitions_that_do_not_fit_into_memory_together_are_served_one_after_another(void **state)
{
    struct km_fetch_request_partition partitions[BROKER_WORLD_PARTITIONS];
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;
    struct km_fetch_response out;
    struct broker_world world;
    struct arena arena;
    int served = 0;

    (void)state;
    cold_world(&world);
    arena_init(&arena, BYTES_MAX);
    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    for (int32_t i = 0; i < BROKER_WORLD_PARTITIONS; i++) {
        codec_init(&km_fetch_request_partition_desc, &partitions[i]);
        partitions[i].partition = i;
        partitions[i].partition_max_bytes = 1 << 20;
    }
    topic.topic = request_text("wal");
    topic.partitions.items = partitions;
    topic.partitions.count = BROKER_WORLD_PARTITIONS;
    in.topics.items = &topic;
    in.topics.count = 1;
    in.max_wait_ms = MAX_WAIT_MS;
    in.min_bytes = 1;
    for (int round = 0; round < 50 && served < BROKER_WORLD_PARTITIONS; round++) {
        assert_true(broker_world_call(&world, KM_FETCH, FETCH_VERSION, &in, &arena, &out));
        for (int32_t i = 0; i < BROKER_WORLD_PARTITIONS; i++) {
            const struct km_fetch_response_partition_data *got =
                &out.responses.items[0].partitions.items[i];

            assert_int_equal(got->error_code, 0);
            if (got->records.size > 0 && partitions[i].fetch_offset == 0) {
                partitions[i].fetch_offset = got->high_watermark;
                served++;
            }
        }
        arena_reset(&arena);
    }
    assert_int_equal(served, BROKER_WORLD_PARTITIONS);
    arena_fini(&arena);
    broker_world_fini(&world);
}

static void
times_are_found_in_partitions_that_do_not_fit_into_memory_together(void **state)
{
    struct km_list_offsets_request_partition partitions[BROKER_WORLD_PARTITIONS + 2];
    int32_t count = BROKER_WORLD_PARTITIONS + 2;
    struct km_list_offsets_request_topic topic;
    struct km_list_offsets_request in;
    struct km_list_offsets_response out;
    struct broker_world world;
    struct arena arena;

    (void)state;
    cold_world(&world);
    arena_init(&arena, BYTES_MAX);
    codec_init(&km_list_offsets_request_desc, &in);
    codec_init(&km_list_offsets_request_topic_desc, &topic);
    for (int32_t i = 0; i < count; i++) {
        codec_init(&km_list_offsets_request_partition_desc, &partitions[i]);
        partitions[i].partition_index = i < BROKER_WORLD_PARTITIONS ? i : 77;
        partitions[i].timestamp = 1;
    }
    topic.name = request_text("wal");
    topic.partitions.items = partitions;
    topic.partitions.count = count;
    in.topics.items = &topic;
    in.topics.count = 1;
    assert_true(broker_world_call(&world, KM_LIST_OFFSETS, 7, &in, &arena, &out));
    for (int32_t i = 0; i < count; i++) {
        const struct km_list_offsets_response_partition_response *got =
            &out.topics.items[0].partitions.items[i];

        assert_int_equal(got->partition_index, partitions[i].partition_index);
        assert_int_equal(got->error_code, i < BROKER_WORLD_PARTITIONS ? 0 : ERROR_INVALID_REQUEST);
        assert_int_equal(got->offset, i < BROKER_WORLD_PARTITIONS ? 0 : -1);
    }
    arena_fini(&arena);
    broker_world_fini(&world);
}

/* Every lane that writes objects is held up, as by a server that does not answer. */
static void
a_read_does_not_wait_for_objects_that_are_being_written(void **state)
{
    struct broker_world world;
    struct client *producer;
    unsigned waiting = 0;
    int32_t size = 0;

    (void)state;
    cold_world(&world);
    world.make.codec = COMPRESS_LZ4;
    for (int i = 0; i < LANE_PUT_COUNT; i++) {
        (void)broker_world_produce(&world, COORDINATED);
        (void)broker_tick(world.broker);
        pass(&world, world.broker->options.commit_interval_ms);
    }
    for (unsigned i = 0; i < LANE_PUT_COUNT; i++)
        waiting += work_pending(world.work, LANE_PUT + i) > 0;
    assert_int_equal(waiting, LANE_PUT_COUNT);
    producer = world.client;
    world.client = broker_connect(world.broker, &world, "consumer", 0);
    fetch_send(&world, WAL, 0);
    assert_int_equal(fetch_answer(&world, &size), NO_ANSWER);
    for (unsigned i = 0; i < LANE_READ_COUNT; i++)
        while (work_step(world.work, LANE_READ + i))
            (void)broker_tick(world.broker);
    (void)broker_tick(world.broker);
    assert_int_equal(fetch_answer(&world, &size), 0);
    assert_true(size > 0);
    broker_disconnect(world.broker, producer);
    broker_world_fini(&world);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_offset_out_of_range_is_told_at_once_by_a_leader),
        TEST(and_after_max_wait_where_nobody_leads),
        TEST(an_offset_that_comes_into_range_meanwhile_is_served),
        cmocka_unit_test(
            partitions_that_do_not_fit_into_memory_together_are_served_one_after_another),
        cmocka_unit_test(a_read_does_not_wait_for_objects_that_are_being_written),
        cmocka_unit_test(times_are_found_in_partitions_that_do_not_fit_into_memory_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
