/* What the share coordinator does by itself: snapshots, the end of what nobody needs, and of what
 * groups keep of topics that are gone. */
#include "refbroker/coord/share_states.h"

#include "lib/base/xalloc.h"
#include "tests/unit/refbroker/coord/share_rig.h"

static void
what_does_not_change_is_snapshotted_once(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 2, 5), KE_NONE);
    assert_int_equal(write_one(&a, -1, 7, 7, 1, 2), KE_NONE);
    for (int i = 0; i < 4; i++)
        time_passes(61000);
    /* Nothing else changed in its part of the log. */
    restart();
    assert_string_equal(text_of(&a), "e2 l0 start 5 done 0 7-7:1/2");
    for (int i = 0; i < 4; i++)
        time_passes(61000);
    assert_int_equal(share_states_find(world.broker->share_states, &a)->snapshot_epoch, 1);
    assert_log("snapshot g-0 s1 e2 l0 start 5 done 0 7-7:1/2\n");
}

static void
what_a_newer_snapshot_replaces_is_deleted(void **state)
{
    struct share_key keys[] = {key_of("g", 0), key_of("h", 0), key_of("i", 1), key_of("j", 2)};
    struct lines lines;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(initialize(&keys[i], 0, 0), KE_NONE);
    for (int k = 0; k < 9; k++)
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            assert_int_equal(write_one(&keys[i], -1, k, k, 1, 2), KE_NONE);
    lines_read(&lines);
    assert_int_equal(lines.count, 10 * ARRAY_LEN(keys));
    for (int i = 0; i < 4; i++)
        time_passes(61000);
    lines_read(&lines);
    assert_true(lines.count < 3 * ARRAY_LEN(keys));
    restart();
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_string_equal(text_of(&keys[i]), "e0 l0 start 0 done 0 0-8:1/2");
    /* Of what was deleted the tombstone is enough. */
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(delete (&keys[i]), KE_NONE);
    for (int i = 0; i < 4; i++)
        time_passes(61000);
    lines_read(&lines);
    assert_true(lines.count <= 4);
    restart();
    assert_int_equal(world.broker->stats.share_states, 0);
}

static void
without_share_groups_nothing_is_done_by_itself(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    world.broker->features.levels[FEATURE_SHARE_VERSION] = 0;
    for (int i = 0; i < 4; i++)
        time_passes(61000);
    assert_int_equal(share_states_find(world.broker->share_states, &a)->snapshot_epoch, 0);
    assert_int_equal(write_one(&a, -1, 7, 7, 1, 2), KE_NONE);
}

/* More than one tick takes. */
static void
with_a_topic_goes_what_groups_keep_of_it(void **state)
{
    enum { GROUPS = 250 };
    struct share_key stays;
    char group_id[16];

    (void)state;
    for (int i = 0; i < GROUPS; i++) {
        struct share_key key;

        snprintf(group_id, sizeof group_id, "g%d", i);
        key = key_of(group_id, i % BROKER_WORLD_PARTITIONS);
        assert_int_equal(initialize(&key, 0, 0), KE_NONE);
    }
    stays = key_of("g0", 0);
    stays.topic_id = topics_find(&world.broker->topics, "coordinated", 11)->topic_id;
    assert_int_equal(initialize(&stays, 0, 0), KE_NONE);
    topic_delete("wal");
    broker_world_rest(&world, 100);
    assert_int_equal(world.broker->stats.share_states, 1);
    restart();
    assert_int_equal(world.broker->stats.share_states, 1);
    assert_string_equal(text_of(&stays), "e0 l0 start 0 done 0");
}

static void
a_topic_that_went_at_the_end_of_a_life_is_seen_at_the_next_start(void **state)
{
    struct share_key a = key_of("g", 0);
    int64_t records = 0;

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    /* Of what the topic's end makes due nothing is done. */
    topic_delete("wal");
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    broker_world_rest(&world, 100);
    assert_int_equal(world.broker->stats.share_states, 0);
    for (int32_t i = 0; i < 4; i++)
        records += log_topic()->partitions[i]->log_end_offset;
    assert_int_equal(records, 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_change_is_snapshotted_once),
        TEST(what_a_newer_snapshot_replaces_is_deleted),
        TEST(without_share_groups_nothing_is_done_by_itself),
        TEST(with_a_topic_goes_what_groups_keep_of_it),
        TEST(a_topic_that_went_at_the_end_of_a_life_is_seen_at_the_next_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
