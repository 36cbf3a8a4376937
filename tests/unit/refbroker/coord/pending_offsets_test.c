#include "refbroker/coord/pending_offsets.h"

#include <string.h>

#include "tests/unit/unit.h"

struct taken {
    int count;
    int64_t offset_sum;
    char last_group[16];
};

static void
take(void *arg, const char *group_id, const struct offset_entry *entry)
{
    struct taken *taken = arg;

    taken->count++;
    taken->offset_sum += entry->offset;
    strncpy(taken->last_group, group_id, sizeof taken->last_group - 1);
}

static void
put(struct pending_offsets *pending, int32_t log_partition, int64_t producer_id, const char *group,
    int32_t partition, int64_t offset)
{
    char topic[] = "t", metadata[] = "m";
    struct offset_entry entry = {
        .topic = topic, .metadata = metadata, .partition = partition, .offset = offset};

    pending_offsets_put(pending, log_partition, producer_id, group, &entry);
}

static void
the_end_gives_a_producers_last_offsets_and_no_others(void **state)
{
    struct pending_offsets pending;
    struct taken taken = {0};

    (void)state;
    pending_offsets_init(&pending);
    put(&pending, 3, 9, "g", 0, 10);
    put(&pending, 3, 9, "g", 0, 11);
    put(&pending, 3, 9, "g", 1, 100);
    put(&pending, 3, 8, "g", 0, 1000);
    put(&pending, 4, 9, "h", 0, 10000);
    assert_true(pending_offsets_has(&pending, "g", "t", 1, 0));
    assert_false(pending_offsets_has(&pending, "g", "t", 1, 2));
    assert_false(pending_offsets_has(&pending, "g", "u", 1, 0));
    pending_offsets_end(&pending, 3, 9, take, &taken);
    assert_int_equal(taken.count, 2);
    assert_int_equal(taken.offset_sum, 111);
    assert_string_equal(taken.last_group, "g");
    assert_true(pending_offsets_has(&pending, "g", "t", 1, 0)); /* producer 8 */
    assert_false(pending_offsets_has(&pending, "g", "t", 1, 1));
    pending_offsets_end(&pending, 3, 8, NULL, NULL);
    assert_false(pending_offsets_has(&pending, "g", "t", 1, 0));
    assert_true(pending_offsets_has(&pending, "h", "t", 1, 0));
    pending_offsets_end(&pending, 3, 9, take, &taken);
    assert_int_equal(taken.count, 2);
    pending_offsets_fini(&pending);
}

static void
what_is_forgotten_is_not_given(void **state)
{
    struct pending_offsets pending;
    struct taken taken = {0};

    (void)state;
    pending_offsets_init(&pending);
    put(&pending, 3, 9, "g", 0, 10);
    put(&pending, 3, 8, "g", 0, 20);
    put(&pending, 3, 8, "g", 1, 30);
    pending_offsets_forget(&pending, 3, "g", "t", 1, 0);
    assert_false(pending_offsets_has(&pending, "g", "t", 1, 0));
    pending_offsets_end(&pending, 3, 9, take, &taken);
    pending_offsets_end(&pending, 3, 8, take, &taken);
    assert_int_equal(taken.count, 1);
    assert_int_equal(taken.offset_sum, 30);
    pending_offsets_fini(&pending);
}

static void
a_groups_pending_offsets_are_walked(void **state)
{
    struct pending_offsets pending;
    size_t position = 0, size;
    int32_t partition;

    (void)state;
    pending_offsets_init(&pending);
    put(&pending, 3, 9, "gg", 7, 1);
    put(&pending, 3, 9, "g", 5, 10);
    put(&pending, 3, 8, "g", 5, 20);
    put(&pending, 3, 8, "g", 6, 30);
    assert_true(pending_offsets_has_group(&pending, "g"));
    assert_false(pending_offsets_has_group(&pending, ""));
    for (int32_t wanted = 5; wanted < 7; wanted++) {
        assert_memory_equal(
            pending_offsets_next(&pending, "g", &position, &size, &partition), "t", 1);
        assert_int_equal(size, 1);
        assert_int_equal(partition, wanted);
    }
    assert_null(pending_offsets_next(&pending, "g", &position, &size, &partition));
    pending_offsets_end(&pending, 3, 9, NULL, NULL);
    assert_true(pending_offsets_has_group(&pending, "g"));
    assert_false(pending_offsets_has_group(&pending, "gg"));
    pending_offsets_end(&pending, 3, 8, NULL, NULL);
    assert_false(pending_offsets_has_group(&pending, "g"));
    pending_offsets_fini(&pending);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_gives_a_producers_last_offsets_and_no_others),
        cmocka_unit_test(what_is_forgotten_is_not_given),
        cmocka_unit_test(a_groups_pending_offsets_are_walked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
