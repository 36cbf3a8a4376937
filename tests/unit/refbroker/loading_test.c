/* A broker that has been killed, from its start until its log is read: what it answers meanwhile,
 * what waits, and what damage does that is found then. */
#include "refbroker/broker.h"

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "refbroker/log/upload.h"
#include "refbroker/log/wal.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define RECORDS 40 /* of 6,000 bytes: three full files of 64 KiB, and one that is not */
#define ARENA_BYTES ((size_t)1 << 20)

static struct broker_world world;
static struct arena arena;

/* Nothing comes into an object by itself; at the next start it would. */
static const char *const no_uploads[] = {
    "kdl.upload.bytes=1073741824", "kdl.upload.interval.ms=86400000", NULL};

static void
kill_and_start(const char *const *settings)
{
    broker_world_crash(&world);
    disk_cut_kill(world.disk);
    world.settings = settings;
    assert_null(broker_world_start(&world));
}

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    broker_world_init(&world, 1);
    world.settings = no_uploads;
    world.make.noise = true;
    world.make.value_bytes = 6000;
    world.only_partition = 1;
    assert_null(broker_world_start(&world));
    broker_world_run(&world, RECORDS);
    broker_world_lanes(&world);
    broker_world_acks(&world);
    assert_int_equal(world.acked_count, RECORDS);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    broker_world_fini(&world);
    arena_fini(&arena);
    return 0;
}

/* Lets the log be written, and batches be looked at, but nothing be read. */
static void
write_on(void)
{
    for (int i = 0; i < 20; i++) {
        (void)broker_tick(world.broker);
        while (work_step(world.work, LANE_WAL))
            ;
        for (unsigned lane = LANE_BATCH; lane < LANE_BATCH + LANE_BATCH_COUNT; lane++)
            while (work_step(world.work, lane))
                ;
    }
    (void)broker_tick(world.broker);
}

static int32_t
end_ask(void)
{
    struct km_list_offsets_request_partition partition;
    struct km_list_offsets_request_topic topic;
    struct km_list_offsets_request in;

    codec_init(&km_list_offsets_request_desc, &in);
    codec_init(&km_list_offsets_request_topic_desc, &topic);
    codec_init(&km_list_offsets_request_partition_desc, &partition);
    partition.partition_index = 1;
    partition.timestamp = -1;
    topic.name = codec_string("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    return broker_world_ask(&world, KM_LIST_OFFSETS, 5, &in);
}

static void
producers_go_on_and_readers_wait(void **state)
{
    struct km_list_offsets_response out;
    int32_t asked, answered = 0;

    (void)state;
    kill_and_start(no_uploads);
    assert_true(wal_is_loading(world.broker->wal));
    (void)broker_world_produce(&world, 1);
    (void)broker_world_produce(&world, 2);
    write_on();
    broker_world_acks(&world);
    assert_int_equal(world.acked_count, RECORDS + 2);
    asked = end_ask();
    write_on();
    assert_true(wal_is_loading(world.broker->wal));
    assert_int_equal(world.received.size, 0);
    broker_world_lanes(&world);
    assert_false(wal_is_loading(world.broker->wal));
    assert_true(broker_world_reply(&world, KM_LIST_OFFSETS, 5, &arena, &out, &answered));
    assert_int_equal(answered, asked);
    assert_int_equal(out.topics.items[0].partitions.items[0].offset, RECORDS + 1);
    assert_null(broker_world_check(&world));
}

/* What a connection has asked before a Produce keeps that from being answered: order is order. */
static void
a_producer_behind_a_reader_of_its_connection_waits_too(void **state)
{
    (void)state;
    kill_and_start(no_uploads);
    (void)end_ask();
    (void)broker_world_produce(&world, 1);
    write_on();
    assert_int_equal(world.received.size, 0);
    broker_world_lanes(&world);
    assert_int_equal(world.client->requests.count, 0);
}

static void
an_upload_waits_for_what_it_takes(void **state)
{
    (void)state;
    kill_and_start(NULL);
    assert_true(world.broker->cache.uncommitted_bytes > world.broker->options.upload_bytes);
    write_on();
    assert_true(uploader_is_idle(world.broker->uploader));
    assert_int_equal(work_pending(world.work, LANE_PUT), 0);
    broker_world_rest(&world, 400);
    assert_int_equal(world.broker->cache.uncommitted_bytes, 0);
    assert_null(broker_world_check(&world));
}

/* Groups are known when the broker serves, also those whose offsets take more than an index keeps.
 */
static void
offsets_of_groups_are_read_before(void **state)
{
    static char metadata[4001];
    struct km_offset_commit_request_partition partitions[BROKER_WORLD_PARTITIONS];
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;
    struct km_find_coordinator_request find;
    struct km_find_coordinator_response found;

    (void)state;
    memset(metadata, 'm', sizeof metadata - 1);
    codec_init(&km_find_coordinator_request_desc, &find);
    find.key = codec_string("g");
    do {
        assert_true(broker_world_call(&world, KM_FIND_COORDINATOR, 3, &find, &arena, &found));
        broker_world_rest(&world, 10);
    } while (found.error_code != 0);
    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    topic.name = codec_string("wal");
    topic.partitions.items = partitions;
    topic.partitions.count = BROKER_WORLD_PARTITIONS;
    in.group_id = codec_string("g");
    in.generation_id_or_member_epoch = -1;
    in.topics.items = &topic;
    in.topics.count = 1;
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < BROKER_WORLD_PARTITIONS; k++) {
            codec_init(&km_offset_commit_request_partition_desc, &partitions[k]);
            partitions[k].partition_index = k;
            partitions[k].committed_offset = i;
            partitions[k].committed_metadata = codec_string(metadata);
        }
        assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, 7, &in, &arena, &out));
        assert_int_equal(out.topics.items[0].partitions.items[0].error_code, 0);
        arena_reset(&arena);
    }
    kill_and_start(no_uploads);
    assert_false(wal_is_loading(world.broker->wal));
    assert_null(broker_world_check(&world));
}

static void
damage_that_is_found_then_ends_the_broker(void **state)
{
    (void)state;
    broker_world_crash(&world);
    disk_cut_kill(world.disk);
    assert_true(disk_cut_flip(world.disk, "wal/0000000000000002.wal", 20000, 4));
    assert_null(broker_world_start(&world));
    assert_null(broker_damage(world.broker));
    (void)end_ask();
    broker_world_lanes(&world);
    assert_non_null(broker_damage(world.broker));
    assert_int_equal(broker_damage(world.broker)->code, RC_CORRUPT);
    assert_non_null(strstr(broker_damage(world.broker)->text, "acknowledged data is lost"));
    /* Nothing is told of what may be damaged, nor brought into an object. */
    assert_int_equal(world.received.size, 0);
    assert_true(uploader_is_idle(world.broker->uploader));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(producers_go_on_and_readers_wait),
        TEST(a_producer_behind_a_reader_of_its_connection_waits_too),
        TEST(an_upload_waits_for_what_it_takes),
        TEST(offsets_of_groups_are_read_before),
        TEST(damage_that_is_found_then_ends_the_broker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
