#include "refbroker/coord/offsets.h"

#include "tests/unit/unit.h"

static void
put(struct offsets *offsets, int32_t partition, int64_t offset, int32_t leader_epoch)
{
    char topic[] = "topic", metadata[] = "first";

    if (leader_epoch >= 0)
        metadata[0] = '\0';
    offsets_put(offsets, &(struct offset_entry){.topic = topic,
                             .metadata = metadata,
                             .partition = partition,
                             .leader_epoch = leader_epoch,
                             .offset = offset});
}

static void
the_last_commit_of_a_partition_counts(void **state)
{
    const struct offset_entry *entry;
    struct offsets offsets;

    (void)state;
    offsets_init(&offsets);
    put(&offsets, 3, 10, -1);
    assert_string_equal(offsets_get(&offsets, "topic", 5, 3)->metadata, "first");
    put(&offsets, 3, 20, 4);
    entry = offsets_get(&offsets, "topic", 5, 3);
    assert_int_equal(entry->offset, 20);
    assert_int_equal(entry->leader_epoch, 4);
    assert_string_equal(entry->metadata, "");
    assert_int_equal(offsets_count(&offsets), 1);
    assert_null(offsets_get(&offsets, "topic", 5, 4));
    assert_null(offsets_get(&offsets, "topi", 4, 3));
    offsets_fini(&offsets);
}

static void
a_removed_offset_is_gone_and_the_others_stay_in_order(void **state)
{
    struct offsets offsets;
    size_t position = 0;

    (void)state;
    offsets_init(&offsets);
    for (int32_t i = 0; i < 3; i++)
        put(&offsets, i, i, -1);
    offsets_remove(&offsets, "topic", 5, 1);
    offsets_remove(&offsets, "topic", 5, 7);
    assert_int_equal(offsets_next(&offsets, &position)->partition, 0);
    assert_int_equal(offsets_next(&offsets, &position)->partition, 2);
    assert_null(offsets_next(&offsets, &position));
    offsets_fini(&offsets);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_commit_of_a_partition_counts),
        cmocka_unit_test(a_removed_offset_is_gone_and_the_others_stay_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
