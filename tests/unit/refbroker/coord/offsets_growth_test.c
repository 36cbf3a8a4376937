/* __consumer_offsets does not grow with the number of commits: the cleaner keeps its log as large
 * as what groups have committed last. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)8 * 1024 * 1024)
#define GROUP "readers"
#define TOPIC "read"
#define PARTITIONS 100
#define ROUNDS 2000 /* 200,000 commits */
#define BYTES_LEFT_MAX (3 * 1024 * 1024)
#define COMMIT_VERSION 8
#define FETCH_VERSION 5
#define CREATE_VERSION 6

static struct broker_world world;

static void
topic_make(void)
{
    struct km_create_topics_request_creatable_topic topic;
    struct km_create_topics_request in;
    struct km_create_topics_response out;
    struct arena arena;

    codec_init(&km_create_topics_request_desc, &in);
    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    topic.name = request_text(TOPIC);
    topic.num_partitions = PARTITIONS;
    topic.replication_factor = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_CREATE_TOPICS, CREATE_VERSION, &in, &arena, &out));
    assert_int_equal(out.topics.items[0].error_code, 0);
    arena_fini(&arena);
}

/* Commits `offset` for every partition; returns the first error code. */
static int16_t
commit(int64_t offset)
{
    struct km_offset_commit_request_partition partitions[PARTITIONS];
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;
    struct arena arena;
    int16_t error;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        codec_init(&km_offset_commit_request_partition_desc, &partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].committed_offset = offset + i;
        partitions[i].committed_metadata = request_text("");
    }
    topic.name = request_text(TOPIC);
    topic.partitions.items = partitions;
    topic.partitions.count = PARTITIONS;
    in.group_id = request_text(GROUP);
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, COMMIT_VERSION, &in, &arena, &out));
    error = out.topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
    return error;
}

static void
assert_committed(int64_t offset)
{
    struct km_offset_fetch_request in;
    struct km_offset_fetch_response out;
    struct arena arena;

    codec_init(&km_offset_fetch_request_desc, &in);
    in.group_id = request_text(GROUP);
    in.topics.items = NULL;
    in.topics.count = -1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_OFFSET_FETCH, FETCH_VERSION, &in, &arena, &out));
    assert_int_equal(out.topics.count, 1);
    assert_int_equal(out.topics.items[0].partitions.count, PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(out.topics.items[0].partitions.items[i].committed_offset,
            offset + out.topics.items[0].partitions.items[i].partition_index);
    arena_fini(&arena);
}

static struct topic *
offsets_topic(void)
{
    return topics_find(&world.broker->topics, GROUPS_TOPIC, strlen(GROUPS_TOPIC));
}

static void
commits_of_a_group_leave_a_small_log_and_the_last_offsets(void **state)
{
    const struct partition *partition;

    (void)state;
    broker_world_init(&world, 1);
    world.cleaner_backoff_ms = 20;
    assert_null(broker_world_start(&world));
    topic_make();
    assert_int_equal(commit(0), KE_NOT_COORDINATOR);
    /* Who asks for the coordinator has the topic made. */
    while (!groups_ready(world.broker->groups))
        broker_world_rest(&world, 10);
    assert_int_equal(commit(0), 0);
    topic_configs_set(&offsets_topic()->configs, "segment.bytes", "1048576");
    for (int64_t i = 1; i < ROUNDS; i++)
        assert_int_equal(commit(i * 1000), 0);
    for (int i = 0; i < 50; i++) {
        env_advance(&world.time, 20000);
        broker_world_rest(&world, 60);
    }
    partition = topics_partition(
        offsets_topic(), state_log_partition_of(world.broker, GROUPS_TOPIC, GROUP));
    assert_true(partition->log_end_offset >= (int64_t)ROUNDS * PARTITIONS);
    print_message("# %lld bytes are left, %lld were removed\n",
        (long long)partition_bytes(partition),
        (long long)world.broker->stats.cleaner_bytes_removed_total);
    assert_true(partition_bytes(partition) <= BYTES_LEFT_MAX);
    assert_committed((ROUNDS - 1) * 1000);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    assert_committed((ROUNDS - 1) * 1000);
    partition = topics_partition(
        offsets_topic(), state_log_partition_of(world.broker, GROUPS_TOPIC, GROUP));
    assert_true(partition_bytes(partition) <= BYTES_LEFT_MAX);
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_of_a_group_leave_a_small_log_and_the_last_offsets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
