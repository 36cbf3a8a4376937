/* When a fetch is answered, in a broker whose clock and lanes the test moves by hand. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define FETCH_VERSION 12
#define MAX_WAIT_MS 500
#define WAL 0
#define COORDINATED 3
#define ERROR_OUT_OF_RANGE 1
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
    world->client = broker_connect(world->broker, world, "producer");
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

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_offset_out_of_range_is_told_at_once_by_a_leader),
        TEST(and_after_max_wait_where_nobody_leads),
        TEST(an_offset_that_comes_into_range_meanwhile_is_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
