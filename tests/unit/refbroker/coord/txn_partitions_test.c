#include "refbroker/coord/txn_partitions.h"

#include "tests/unit/unit.h"

static void
a_set_has_what_was_put_in_once_and_in_order(void **state)
{
    const struct txn_topic *topic;
    struct txn_partitions set;
    size_t position = 0;

    (void)state;
    txn_partitions_init(&set);
    for (int32_t i = 20; i >= 0; i -= 2)
        for (int twice = 0; twice < 2; twice++)
            txn_partitions_add(&set, "topic", 5, i);
    txn_partitions_add(&set, "a", 1, 0);
    assert_int_equal(set.count, 12);
    for (int32_t i = -1; i < 23; i++)
        assert_int_equal(txn_partitions_has(&set, "topic", 5, i), i >= 0 && i <= 20 && i % 2 == 0);
    assert_false(txn_partitions_has(&set, "topi", 4, 0));
    topic = txn_partitions_next(&set, &position);
    assert_string_equal(topic->name, "topic");
    for (int32_t i = 0; i < topic->count; i++)
        assert_int_equal(topic->indexes[i], 2 * i);
    assert_string_equal(txn_partitions_next(&set, &position)->name, "a");
    assert_null(txn_partitions_next(&set, &position));
    txn_partitions_clear(&set);
    assert_int_equal(set.count, 0);
    assert_false(txn_partitions_has(&set, "a", 1, 0));
}

static void
sets_are_joined_and_compared(void **state)
{
    struct txn_partitions small, large;

    (void)state;
    txn_partitions_init(&small);
    txn_partitions_init(&large);
    assert_true(txn_partitions_has_all(&large, &small));
    txn_partitions_add(&small, "a", 1, 1);
    assert_false(txn_partitions_has_all(&large, &small));
    txn_partitions_add(&large, "a", 1, 2);
    txn_partitions_add_all(&large, &small);
    assert_true(txn_partitions_has_all(&large, &small));
    assert_false(txn_partitions_has_all(&small, &large));
    assert_int_equal(large.count, 2);
    txn_partitions_clear(&small);
    txn_partitions_clear(&large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_has_what_was_put_in_once_and_in_order),
        cmocka_unit_test(sets_are_joined_and_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
