/* The share coordinator in a whole broker: what it answers, what it writes, and what it knows after
 * a restart. */
#include "refbroker/coord/share_states.h"

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/share_rig.h"

static void
without_the_log_nobody_coordinates(void **state)
{
    struct share_key key;

    (void)state;
    broker_world_init(&world, 3);
    assert_null(broker_world_start(&world));
    key = key_of("g", 0);
    assert_int_equal(initialize(&key, 0, 0), KE_NOT_COORDINATOR);
    assert_string_equal(why.text, "This is not the correct coordinator.");
    assert_int_equal(read_by(&key, 0), KE_NOT_COORDINATOR);
    assert_int_equal(delete (&key), KE_NOT_COORDINATOR);
    assert_null(log_topic());
    log_make();
    assert_int_equal(log_topic()->partition_count, 50);
    assert_int_equal(initialize(&key, 0, 0), KE_NONE);
    broker_world_fini(&world);
}

static void
a_partition_begins_with_a_snapshot(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_string_equal(text_of(&a), "none");
    assert_int_equal(initialize(&a, 4, 100), KE_NONE);
    assert_string_equal(text_of(&a), "e4 l0 start 100 done 0");
    assert_int_equal(initialize(&a, 5, SHARE_OFFSET_UNKNOWN), KE_NONE);
    assert_string_equal(text_of(&a), "e5 l0 start -1 done -1");
    assert_int_equal(log_topic()->partition_count, 4);
    assert_log("snapshot g-0 s0 e4 l0 start 100 done 0\n"
               "snapshot g-0 s1 e5 l0 start -1 done -1\n");
}

static void
changes_are_updates_until_a_snapshot_is_due(void **state)
{
    struct share_key a = key_of("g", 0);
    int64_t written_ms;

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    written_ms = share_states_find(world.broker->share_states, &a)->written_ms;
    assert_int_equal(write_one(&a, -1, 10, 19, 1, 0), KE_NONE);
    assert_int_equal(write_one(&a, 5, 15, 24, 1, 2), KE_NONE);
    assert_string_equal(text_of(&a), "e0 l0 start 5 done 0 10-14:1/0 15-24:1/2");
    assert_int_equal(write_one(&a, -1, 10, 14, 2, 0), KE_NONE);
    assert_int_equal(share_states_find(world.broker->share_states, &a)->written_ms, written_ms);
    time_passes(10);
    assert_int_equal(write_one(&a, 12, 30, 30, 1, 4), KE_NONE);
    assert_true(share_states_find(world.broker->share_states, &a)->written_ms > written_ms);
    assert_int_equal(write_one(&a, -1, 31, 31, 1, 0), KE_NONE);
    assert_log("snapshot g-0 s0 e0 l0 start 0 done 0\n"
               "update g-0 s0 e0 l0 start -1 done 0 10-19:1/0\n"
               "update g-0 s0 e0 l0 start 5 done 0 15-24:1/2\n"
               "update g-0 s0 e0 l0 start -1 done 0 10-14:2/0\n"
               "snapshot g-0 s1 e0 l0 start 12 done 0 12-14:2/0 15-24:1/2 30-30:1/4\n"
               "update g-0 s1 e0 l0 start -1 done 0 31-31:1/0\n");
}

static void
the_batches_of_an_update_are_merged_among_themselves(void **state)
{
    struct share_batch batches[] = {{10, 19, 1, 0}, {20, 29, 1, 0}, {0, 9, 1, 2}, {25, 25, 1, 2}};
    struct share_write write = {-1, -1, 5, 7, batches, 4};
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    assert_int_equal(write_all(&a, &write), KE_NONE);
    assert_log("snapshot g-0 s0 e0 l0 start 0 done 0\n"
               "update g-0 s0 e0 l0 start 5 done 7 5-9:1/2 10-24:1/0 25-25:1/2 26-29:1/0\n");
}

static void
a_read_notes_the_leader_epoch_and_fences_older_ones(void **state)
{
    struct share_key a = key_of("g", 0);
    struct share_write write = {-1, 4, -1, 0, NULL, 0};

    (void)state;
    assert_int_equal(read_by(&a, 0), KE_INVALID_REQUEST);
    assert_string_equal(why.text, "Read operation on uninitialized share partition not allowed.");
    assert_int_equal(initialize(&a, 0, 3), KE_NONE);
    assert_int_equal(read_by(&a, 0), KE_NONE);
    assert_int_equal(read_by(&a, -1), KE_NONE);
    assert_int_equal(read_by(&a, 5), KE_NONE);
    assert_int_equal(read_by(&a, 5), KE_NONE);
    assert_log("snapshot g-0 s0 e0 l0 start 3 done 0\n"
               "update g-0 s0 e0 l5 start 3 done 0\n");
    assert_int_equal(read_by(&a, 4), KE_FENCED_LEADER_EPOCH);
    assert_string_equal(
        why.text, "The leader epoch in the request is older than the epoch on the broker.");
    assert_int_equal(write_all(&a, &write), KE_FENCED_LEADER_EPOCH);
    write.leader_epoch = 6;
    assert_int_equal(write_all(&a, &write), KE_NONE);
    /* A write's own epoch is not noted. */
    assert_string_equal(text_of(&a), "e0 l5 start 3 done 0");
    /* Another beginning forgets it, but for fencing. */
    assert_int_equal(initialize(&a, 1, 3), KE_NONE);
    assert_string_equal(text_of(&a), "e1 l0 start 3 done 0");
    assert_int_equal(read_by(&a, 4), KE_FENCED_LEADER_EPOCH);
}

static void
older_state_epochs_are_fenced(void **state)
{
    struct share_key a = key_of("g", 0);
    struct share_write write = {2, -1, -1, 0, NULL, 0};

    (void)state;
    assert_int_equal(write_all(&a, &write), KE_INVALID_REQUEST);
    assert_string_equal(why.text, "Write operation on uninitialized share partition not allowed.");
    assert_int_equal(initialize(&a, 3, 0), KE_NONE);
    assert_int_equal(initialize(&a, 2, 0), KE_FENCED_STATE_EPOCH);
    assert_string_equal(why.text, "The share coordinator rejected the request because the "
                                  "share-group state epoch did not match.");
    assert_int_equal(write_all(&a, &write), KE_FENCED_STATE_EPOCH);
    write.state_epoch = 3;
    assert_int_equal(write_all(&a, &write), KE_NONE);
    write.state_epoch = 4;
    assert_int_equal(write_all(&a, &write), KE_NONE);
    assert_string_equal(text_of(&a), "e3 l0 start 0 done 0");
}

static void
what_was_deleted_is_gone_and_may_begin_anew(void **state)
{
    struct share_key a = key_of("g", 0), b = key_of("h", 0);

    (void)state;
    assert_int_equal(delete (&a), KE_NONE);
    assert_log("");
    assert_int_equal(initialize(&a, 3, 8), KE_NONE);
    assert_int_equal(delete (&a), KE_NONE);
    assert_string_equal(text_of(&a), "none");
    assert_log("snapshot g-0 s0 e3 l0 start 8 done 0\nsnapshot g-0 s0 gone\n");
    assert_int_equal(initialize(&a, 1, 9), KE_NONE);
    assert_string_equal(text_of(&a), "e1 l0 start 9 done 0");
    assert_int_equal(initialize(&b, 1, 9), KE_NONE);
    assert_int_equal(delete (&a), KE_NONE);
    assert_int_not_equal(strcmp(text_of(&b), "none"), 0);
    assert_int_equal(world.broker->stats.share_states, 1);
}

static void
a_summary_tells_what_is_there_and_that_nothing_is(void **state)
{
    struct share_key a = key_of("g", 0);
    struct waited waited = {.waiter.done = waited_done};
    const struct share_state *found;

    (void)state;
    assert_int_equal(
        settle(share_states_summary(world.broker->share_states, &a, &found, &waited.waiter, &why),
            &waited),
        KE_NONE);
    assert_null(found);
    assert_int_equal(initialize(&a, 3, 8), KE_NONE);
    waited.done = false;
    assert_int_equal(
        settle(share_states_summary(world.broker->share_states, &a, &found, &waited.waiter, &why),
            &waited),
        KE_NONE);
    assert_string_equal(state_text(found), "e3 l0 start 8 done 0");
}

/* --- what cannot be --------------------------------------------------------------------------- */

static void
partitions_that_are_not_there_are_refused(void **state)
{
    struct share_key beyond = key_of("g", BROKER_WORLD_PARTITIONS), below = key_of("g", -1),
                     other = key_of("g", 0), nobody = key_of("", 0);

    (void)state;
    other.topic_id.bytes[0] ^= 1;
    assert_int_equal(initialize(&beyond, 0, 0), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_string_equal(why.text, "This server does not host this topic-partition.");
    assert_int_equal(delete (&beyond), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(initialize(&other, 0, 0), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(initialize(&below, 0, 0), KE_INVALID_REQUEST);
    assert_string_equal(why.text, "The partition id cannot be a negative number.");
    assert_int_equal(read_by(&below, 0), KE_INVALID_REQUEST);
    assert_int_equal(initialize(&nobody, 0, 0), KE_INVALID_REQUEST);
    assert_log("");
}

static void
offsets_and_states_that_cannot_be_change_nothing(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 0, -2), KE_INVALID_REQUEST);
    assert_int_equal(initialize(&a, 0, INT64_MIN), KE_INVALID_REQUEST);
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    assert_int_equal(write_one(&a, -2, 0, 0, 1, 0), KE_INVALID_REQUEST);
    assert_int_equal(write_one(&a, -1, 5, 4, 1, 0), KE_INVALID_REQUEST);
    assert_int_equal(write_one(&a, -1, -5, 4, 1, 0), KE_INVALID_REQUEST);
    assert_int_equal(write_one(&a, -1, 0, INT64_MAX, 1, 0), KE_INVALID_REQUEST);
    assert_int_equal(write_one(&a, -1, 0, 5, 1, 5), KE_INVALID_REQUEST);
    assert_int_equal(write_one(&a, -1, 0, 5, 1, -1), KE_INVALID_REQUEST);
    assert_log("snapshot g-0 s0 e0 l0 start 0 done 0\n");
    assert_int_equal(write_one(&a, -1, 0, INT64_MAX - 1, INT16_MAX, 4), KE_NONE);
    assert_int_equal(write_one(&a, INT64_MAX, 0, 0, INT16_MIN, 0), KE_NONE);
    assert_string_equal(text_of(&a), "e0 l0 start 9223372036854775807 done 0");
}

/* As many as one may have, then those between them. */
static void
a_state_grows_to_its_limit_only(void **state)
{
    size_t count = LIMIT_SHARE_STATE_BATCHES_MAX;
    struct share_batch *batches = xcalloc(count + 1, sizeof *batches);
    struct share_write write = {-1, -1, -1, 0, batches, count};
    struct share_key a = key_of("g", 0);

    (void)state;
    for (size_t i = 0; i <= count; i++)
        batches[i] = (struct share_batch){(int64_t)i * 2, (int64_t)i * 2, 1, 0};
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    write.batch_count = count + 1;
    assert_int_equal(write_all(&a, &write), KE_UNKNOWN_SERVER_ERROR);
    write.batch_count = count;
    assert_int_equal(write_all(&a, &write), KE_NONE);
    for (size_t i = 0; i < count; i++)
        batches[i].first_offset = batches[i].last_offset = (int64_t)i * 2 + 1000001;
    assert_int_equal(write_all(&a, &write), KE_UNKNOWN_SERVER_ERROR);
    assert_int_equal(share_states_find(world.broker->share_states, &a)->batch_count, count);
    write.start_offset = 1000000;
    assert_int_equal(write_all(&a, &write), KE_NONE);
    free(batches);
}

/* --- after a restart -------------------------------------------------------------------------- */

static void
a_restart_keeps_everything(void **state)
{
    static const char *const groups[] = {"g", "h", "a:b", "gr\xc3\xbc\xc3\x9f"};
    char before[ARRAY_LEN(groups) * BROKER_WORLD_PARTITIONS][TEXT_BYTES];

    (void)state;
    for (int i = 0; i < (int)ARRAY_LEN(before); i++) {
        struct share_key key =
            key_of(groups[i / BROKER_WORLD_PARTITIONS], i % BROKER_WORLD_PARTITIONS);

        assert_int_equal(initialize(&key, i, i * 10), KE_NONE);
        assert_int_equal(read_by(&key, i % 3), KE_NONE);
        for (int k = 0; k < i; k++)
            assert_int_equal(
                write_one(&key, k % 4 == 0 ? i * 10 + k : -1, i * 10 + k * 3, i * 10 + k * 5, 1, 2),
                KE_NONE);
        snprintf(before[i], sizeof before[i], "%s", text_of(&key));
    }
    {
        struct share_key key = key_of("g", 1);

        assert_int_equal(delete (&key), KE_NONE);
        snprintf(before[1], sizeof before[1], "none");
    }
    restart();
    assert_int_equal(world.broker->stats.share_states, ARRAY_LEN(before) - 1);
    for (int i = 0; i < (int)ARRAY_LEN(before); i++) {
        struct share_key key =
            key_of(groups[i / BROKER_WORLD_PARTITIONS], i % BROKER_WORLD_PARTITIONS);

        assert_string_equal(text_of(&key), before[i]);
    }
    {
        struct share_key key = key_of("g", 2);

        assert_int_equal(initialize(&key, 1, 0), KE_FENCED_STATE_EPOCH);
        assert_int_equal(read_by(&key, 1), KE_FENCED_LEADER_EPOCH);
        assert_int_equal(read_by(&key, 2), KE_NONE);
    }
}

/* The number of updates since the last snapshot, too. */
static void
a_snapshot_is_due_at_the_same_change_after_a_restart(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(write_one(&a, -1, i, i, 1, 2), KE_NONE);
    restart();
    assert_int_equal(write_one(&a, -1, 3, 3, 1, 2), KE_NONE);
    assert_int_equal(write_one(&a, -1, 4, 4, 1, 2), KE_NONE);
    assert_log("snapshot g-0 s0 e0 l0 start 0 done 0\n"
               "update g-0 s0 e0 l0 start -1 done 0 0-0:1/2\n"
               "update g-0 s0 e0 l0 start -1 done 0 1-1:1/2\n"
               "update g-0 s0 e0 l0 start -1 done 0 2-2:1/2\n"
               "snapshot g-0 s1 e0 l0 start 0 done 0 0-3:1/2\n"
               "update g-0 s1 e0 l0 start -1 done 0 4-4:1/2\n");
}

/* Anybody who may write into the log can have written it. */
static void
records_that_nobody_understands_are_passed_over(void **state)
{
    struct share_key a = key_of("g", 0);
    struct state_log_record junk[] = {
        {(const uint8_t *)"", (const uint8_t *)"", 0, 0},
        {(const uint8_t *)"\0\0\xff\xff", (const uint8_t *)"x", 4, 1},
        {(const uint8_t *)"\0\7junk", (const uint8_t *)"junk", 6, 4},
        /* An update of what is not there. */
        {(const uint8_t *)"\0\1\0\1z0123456789abcdef\0\0\0\1",
            (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0", 25, 20},
    };
    int64_t offset;

    (void)state;
    assert_int_equal(initialize(&a, 2, 5), KE_NONE);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(state_log_put(world.broker, SHARE_STATES_TOPIC, i, junk, ARRAY_LEN(junk),
                             -1, -1, &offset),
            KE_NONE);
    broker_world_rest(&world, 100);
    restart();
    assert_string_equal(text_of(&a), "e2 l0 start 5 done 0");
    assert_int_equal(world.broker->stats.share_states, 1);
}

static void
with_the_log_goes_everything(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 2, 5), KE_NONE);
    topic_delete(SHARE_STATES_TOPIC);
    assert_int_equal(world.broker->stats.share_states, 0);
    assert_string_equal(text_of(&a), "none");
    assert_int_equal(initialize(&a, 0, 0), KE_NOT_COORDINATOR);
    log_make();
    assert_int_equal(initialize(&a, 1, 7), KE_NONE);
    assert_log("snapshot g-0 s0 e1 l0 start 7 done 0\n");
}

/* --- when the disk fails ---------------------------------------------------------------------- */

static void
what_cannot_be_written_is_said_and_the_state_is_not_changed(void **state)
{
    struct share_key a = key_of("g", 0);

    (void)state;
    assert_int_equal(initialize(&a, 0, 0), KE_NONE);
    for (int32_t i = 0; i < 4; i++)
        log_topic()->partitions[i]->stopped = true;
    assert_int_equal(write_one(&a, 5, 7, 7, 1, 2), KE_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(initialize(&a, 1, 9), KE_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(delete (&a), KE_COORDINATOR_NOT_AVAILABLE);
    assert_string_equal(text_of(&a), "e0 l0 start 0 done 0");
    assert_int_equal(read_by(&a, -1), KE_KAFKA_STORAGE_ERROR);
    assert_int_equal(share_states_append_error(KE_KAFKA_STORAGE_ERROR, &why), KE_NOT_COORDINATOR);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_log_nobody_coordinates),
        TEST(a_partition_begins_with_a_snapshot),
        TEST(changes_are_updates_until_a_snapshot_is_due),
        TEST(the_batches_of_an_update_are_merged_among_themselves),
        TEST(a_read_notes_the_leader_epoch_and_fences_older_ones),
        TEST(older_state_epochs_are_fenced),
        TEST(what_was_deleted_is_gone_and_may_begin_anew),
        TEST(a_summary_tells_what_is_there_and_that_nothing_is),
        TEST(partitions_that_are_not_there_are_refused),
        TEST(offsets_and_states_that_cannot_be_change_nothing),
        TEST(a_state_grows_to_its_limit_only),
        TEST(a_restart_keeps_everything),
        TEST(a_snapshot_is_due_at_the_same_change_after_a_restart),
        TEST(records_that_nobody_understands_are_passed_over),
        TEST(with_the_log_goes_everything),
        TEST(what_cannot_be_written_is_said_and_the_state_is_not_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
