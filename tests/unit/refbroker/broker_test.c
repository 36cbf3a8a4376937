/* The whole broker in a simulated world: power cuts and kills at random points, by seed. SEEDS and
 * FIRST_SEED choose others. */
#include "refbroker/broker.h"

#include <inttypes.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define SEEDS 250
#define CUTS_PER_SEED 4

static uint64_t
number_of(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL ? fallback : strtoull(text, NULL, 10);
}

/*
 * With one sync taken out, at random, some seed must notice: otherwise the test proves nothing
 * about syncs. Returns whether this one did.
 */
static bool
notices_an_omitted_sync(uint64_t seed)
{
    struct broker_world world;
    const char *wrong;

    broker_world_init(&world, seed);
    wrong = broker_world_start(&world);
    assert_null(wrong);
    disk_cut_fault(world.disk, DISK_CUT_OMIT_SYNC, 1 + env_random_below(&world.env, 40));
    broker_world_run(&world, 60);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    wrong = broker_world_start(&world);
    if (wrong == NULL)
        wrong = broker_world_check(&world);
    broker_world_fini(&world);
    return wrong != NULL;
}

static void
a_sync_that_does_nothing_is_noticed(void **state)
{
    uint64_t seeds = number_of("SEEDS", SEEDS), noticed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        noticed += notices_an_omitted_sync(seed);
    print_message("# %llu of %llu omitted syncs were noticed\n", (unsigned long long)noticed,
        (unsigned long long)seeds);
    assert_true(noticed > seeds / 20);
}

static const char *const rare_uploads[] = {"kdl.upload.bytes=300000", NULL};

/* A few lives of one broker, each ended in the middle of a step of the disk. */
static void
lives(uint64_t seed, bool power, size_t *acked)
{
    struct broker_world world;
    const char *wrong;

    broker_world_init(&world, seed);
    world.upload_object_bytes = seed % 2 == 0 ? 700 : 0;
    /* Full files of the log that lie in no object, of whose batches a start reads the heads. */
    if (seed % 3 == 0) {
        world.settings = rare_uploads;
        world.make.noise = true;
        world.make.value_bytes = 6000;
    }
    wrong = broker_world_start(&world);
    for (int i = 0; i < CUTS_PER_SEED && wrong == NULL; i++) {
        disk_cut_stop_at(world.disk, 1 + env_random_below(&world.env, 150));
        broker_world_run(&world, 60);
        broker_world_crash(&world);
        if (power)
            disk_cut_power(world.disk);
        else
            disk_cut_kill(world.disk);
        wrong = broker_world_start(&world);
        if (wrong == NULL)
            wrong = broker_world_check(&world);
    }
    *acked += world.acked_count;
    if (wrong != NULL)
        fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
    broker_world_fini(&world);
}

static void
nothing_acknowledged_is_lost_by_a_power_cut(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS);
    size_t acked = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        lives(seed, true, &acked);
    print_message("# %zu acknowledged records, %" PRIu64 " cuts\n", acked, seeds * CUTS_PER_SEED);
    assert_true(acked > seeds * 10);
}

static void
nothing_acknowledged_is_lost_by_a_kill(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS) / 5 + 1;
    size_t acked = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        lives(seed, false, &acked);
    assert_true(acked > seeds * 10);
}

/* --- what a disk may do --------------------------------------------------------------------- */

static void
a_full_disk_refuses_with_56_and_recovers_when_space_returns(void **state)
{
    struct broker_world world;
    size_t acked;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        broker_world_init(&world, seed);
        assert_null(broker_world_start(&world));
        broker_world_run(&world, 30);
        disk_cut_limit(world.disk, 20000);
        broker_world_run(&world, 400);
        assert_true(world.refused_counts[56] > 0);
        disk_cut_limit(world.disk, UINT64_MAX);
        env_advance(&world.time, 3000000);
        broker_world_rest(&world, 400);
        acked = world.acked_count;
        broker_world_run(&world, 50);
        assert_true(world.acked_count > acked + 40);
        assert_null(broker_world_check(&world));
        broker_world_fini(&world);
    }
}

static void
a_failed_sync_stops_its_partitions_and_no_others(void **state)
{
    struct broker_world world;
    size_t stopped = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        broker_world_init(&world, seed);
        assert_null(broker_world_start(&world));
        world.only_partition = 1;
        disk_cut_fault(world.disk, DISK_CUT_FAIL_SYNC, 1 + env_random_below(&world.env, 8));
        broker_world_run(&world, 40);
        stopped += world.broker->stats.partitions_stopped_total > 0;
        world.only_partition = 2;
        world.acked_count = 0;
        broker_world_run(&world, 20);
        assert_true(world.acked_count == 20);
        /* After the next start the stopped one takes records again, and nothing acknowledged is
         * missing. */
        broker_world_crash(&world);
        disk_cut_kill(world.disk);
        assert_null(broker_world_start(&world));
        assert_null(broker_world_check(&world));
        world.only_partition = 1;
        world.acked_count = 0;
        broker_world_run(&world, 10);
        assert_true(world.acked_count == 10);
        broker_world_fini(&world);
    }
    assert_true(stopped > 10);
}

struct first_object {
    char name[64];
};

static void
name_seen(void *arg, const char *name)
{
    struct first_object *first = arg;

    if (first->name[0] == '\0' || strcmp(name, first->name + strlen("objects/")) < 0)
        snprintf(first->name, sizeof first->name, "objects/%.40s", name);
}

static void
a_damaged_object_is_an_error_of_its_partition_only(void **state)
{
    struct first_object first = {""};
    struct broker_world world;
    struct err e;

    (void)state;
    broker_world_init(&world, 7);
    assert_null(broker_world_start(&world));
    world.only_partition = 0;
    broker_world_run(&world, 60);
    env_advance(&world.time, 1000000);
    broker_world_rest(&world, 400);
    world.only_partition = 2;
    broker_world_run(&world, 60);
    broker_world_crash(&world);
    disk_cut_kill(world.disk);
    assert_int_equal(disk_list(world.disk, "objects", name_seen, &first, &e), RC_OK);
    assert_true(disk_cut_flip(world.disk, first.name, 100, 1));
    assert_null(broker_world_start(&world));
    assert_int_equal(broker_world_fetch_code(&world, 0), 2);
    assert_int_equal(broker_world_fetch_code(&world, 2), 0);
    assert_int_equal(world.broker->stats.object_corrupt_total, 1);
    broker_world_fini(&world);
}

/* --- an end at any time ----------------------------------------------------------------------- */

static void
coordinator_wait(struct broker_world *world)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(world, KM_FIND_COORDINATOR, 3, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static void
offset_commit_send(struct broker_world *world)
{
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = request_text("g");
    in.generation_id_or_member_epoch = -1;
    in.topics.items = &topic;
    in.topics.count = 1;
    (void)broker_world_ask(world, KM_OFFSET_COMMIT, 7, &in);
}

/* The WAL has not even been asked when the end comes: as after a stop that took too long. */
static void
a_broker_can_be_closed_while_commits_and_produces_wait(void **state)
{
    struct broker_world world;

    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    coordinator_wait(&world);
    for (int partition = 0; partition < 2 * BROKER_WORLD_PARTITIONS; partition++)
        (void)broker_world_produce(&world, partition);
    broker_world_reconnect(&world);
    offset_commit_send(&world);
    assert_int_equal(world.client->requests.count, 1);
    work_free(world.work);
    broker_close(world.broker);
    world.broker = NULL;
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_a_power_cut),
        cmocka_unit_test(nothing_acknowledged_is_lost_by_a_kill),
        cmocka_unit_test(a_sync_that_does_nothing_is_noticed),
        cmocka_unit_test(a_full_disk_refuses_with_56_and_recovers_when_space_returns),
        cmocka_unit_test(a_failed_sync_stops_its_partitions_and_no_others),
        cmocka_unit_test(a_damaged_object_is_an_error_of_its_partition_only),
        cmocka_unit_test(a_broker_can_be_closed_while_commits_and_produces_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
