/* OffsetFetch by topic ids (KIP-848), and before there is a coordinator. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define FETCH_VERSION 10
#define FIND_COORDINATOR_VERSION 3
#define NOT_COORDINATOR 16
#define UNKNOWN_TOPIC_ID 100

static void
coordinator_wait(struct broker_world *world, struct arena *arena)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;

    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(
            world, KM_FIND_COORDINATOR, FIND_COORDINATOR_VERSION, &in, arena, &out));
        broker_world_rest(world, 10);
    } while (out.error_code != 0);
}

/* Asks for partition 0 of "wal"; the errors of the whole answer, and of the partition (-1: none).
 */
static void
old_fetch(struct broker_world *world, int16_t version, int16_t *whole, int16_t *single)
{
    struct km_offset_fetch_request_topic topic;
    struct km_offset_fetch_request in;
    struct km_offset_fetch_response out;
    struct arena arena;
    int32_t partition = 0;

    codec_init(&km_offset_fetch_request_desc, &in);
    codec_init(&km_offset_fetch_request_topic_desc, &topic);
    topic.name = request_text("wal");
    topic.partition_indexes.items = &partition;
    topic.partition_indexes.count = 1;
    in.group_id = request_text("g");
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(world, KM_OFFSET_FETCH, version, &in, &arena, &out));
    *whole = out.error_code;
    *single = out.topics.count == 0 ? -1 : out.topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
}

static void
before_there_is_a_coordinator_no_offset_is_told(void **state)
{
    struct broker_world world;
    int16_t whole, single;

    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    for (int i = 0; i < 2; i++) { /* being asked makes none */
        old_fetch(&world, 1, &whole, &single);
        assert_int_equal(whole, 0);
        assert_int_equal(single, NOT_COORDINATOR);
        old_fetch(&world, 2, &whole, &single);
        assert_int_equal(whole, NOT_COORDINATOR);
        assert_int_equal(single, -1);
        broker_world_rest(&world, 10);
    }
    broker_world_fini(&world);
}

static void
unknown_topic_ids_are_answered_behind_the_known_ones(void **state)
{
    struct km_offset_fetch_request_topics topics[3];
    struct km_offset_fetch_request_group group;
    struct km_offset_fetch_request in;
    struct km_offset_fetch_response out;
    const struct topic *known;
    struct broker_world world;
    struct arena arena;
    int32_t partition = 0;

    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    known = topics_find(&world.broker->topics, "wal", 3);
    codec_init(&km_offset_fetch_request_desc, &in);
    codec_init(&km_offset_fetch_request_group_desc, &group);
    for (int i = 0; i < 3; i++) {
        codec_init(&km_offset_fetch_request_topics_desc, &topics[i]);
        topics[i].partition_indexes.items = &partition;
        topics[i].partition_indexes.count = 1;
        topics[i].topic_id.bytes[0] = (uint8_t)(i + 1);
    }
    topics[1].topic_id = known->topic_id;
    group.group_id = request_text("g");
    group.topics.items = topics;
    group.topics.count = 3;
    in.groups.items = &group;
    in.groups.count = 1;
    arena_init(&arena, BYTES_MAX);
    coordinator_wait(&world, &arena);
    assert_true(broker_world_call(&world, KM_OFFSET_FETCH, FETCH_VERSION, &in, &arena, &out));
    assert_int_equal(out.groups.items[0].topics.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(out.groups.items[0].topics.items[i].partitions.items[0].error_code,
            i == 0 ? 0 : UNKNOWN_TOPIC_ID);
    assert_memory_equal(
        &out.groups.items[0].topics.items[0].topic_id, &known->topic_id, sizeof known->topic_id);
    arena_fini(&arena);
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_there_is_a_coordinator_no_offset_is_told),
        cmocka_unit_test(unknown_topic_ids_are_answered_behind_the_known_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
