/*
 * Each sync of the broker is needed: with all syncs of one place in the source taken out, some
 * seed must lose something that was acknowledged or read, or find a disk that it cannot start from.
 * A sync that nobody misses is either superfluous or not tested. Places of lib/ are judged by the
 * tests of their modules (db_cut_test, store_folder_test), since in the whole broker some other
 * sync may happen to cover them. SEEDS=N: how many seeds may look.
 */
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define SEEDS 400
#define SEEDS_TO_DISCOVER 20
#define CUTS_PER_SEED 4

static const char *found[DISK_CUT_PLACES_MAX];
static size_t found_count;

static void
places_add(const struct disk *disk)
{
    const char *const *places;
    size_t count = disk_cut_places(disk, &places);

    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        if (strncmp(places[i], "lib/", 4) == 0)
            continue;
        while (k < found_count && strcmp(found[k], places[i]) != 0)
            k++;
        if (k == found_count)
            found[found_count++] = places[i];
    }
}

/* Some lives of a broker, each ended by a power cut or a kill at any step; returns whether
 * something was wrong after one of them. */
static bool
lives(uint64_t seed, const char *omitted)
{
    struct broker_world world;
    const char *wrong;

    broker_world_init(&world, seed);
    disk_cut_omit_place(world.disk, omitted);
    wrong = broker_world_start(&world);
    for (int i = 0; i < CUTS_PER_SEED && wrong == NULL; i++) {
        disk_cut_stop_at(world.disk, 1 + env_random_below(&world.env, 200));
        broker_world_run(&world, 60);
        broker_world_crash(&world);
        /* After a kill the system still shows what was never synced, and a start must not. */
        if (env_random_below(&world.env, 3) == 0)
            disk_cut_kill(world.disk);
        else
            disk_cut_power(world.disk);
        wrong = broker_world_start(&world);
        if (wrong == NULL)
            wrong = broker_world_check(&world);
    }
    places_add(world.disk);
    broker_world_fini(&world);
    return wrong != NULL;
}

static void
every_place_that_syncs_is_missed_when_it_does_not(void **state)
{
    const char *text = getenv("SEEDS");
    uint64_t seeds = text == NULL ? SEEDS : strtoull(text, NULL, 10);
    bool all = true;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_TO_DISCOVER; seed++)
        assert_false(lives(seed, NULL));
    assert_true(found_count >= 5);
    for (size_t i = 0; i < found_count; i++) {
        uint64_t seed = 1;

        while (seed <= seeds && !lives(seed, found[i]))
            seed++;
        print_message("# %s: %s %llu\n", found[i],
            seed <= seeds ? "missed by seed" : "not missed by any seed up to",
            (unsigned long long)(seed <= seeds ? seed : seeds));
        all = all && seed <= seeds;
    }
    assert_true(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_that_syncs_is_missed_when_it_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
