/* The whole broker in a simulated world: power cuts and kills at random points, by seed. SEEDS and
 * FIRST_SEED choose others. */
#include "refbroker/broker.h"

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

/* A few lives of one broker, each ended in the middle of a step of the disk. */
static void
lives(uint64_t seed, bool power, size_t *acked)
{
    struct broker_world world;
    const char *wrong;

    broker_world_init(&world, seed);
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
    print_message("# %zu acknowledged records, %llu cuts\n", acked,
        (unsigned long long)(seeds * CUTS_PER_SEED));
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_a_power_cut),
        cmocka_unit_test(nothing_acknowledged_is_lost_by_a_kill),
        cmocka_unit_test(a_sync_that_does_nothing_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
