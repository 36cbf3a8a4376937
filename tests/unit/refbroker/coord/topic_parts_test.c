#include "refbroker/coord/topic_parts.h"

#include "tests/unit/unit.h"

static void
add(struct topic_parts *parts, uint8_t topic, int32_t partition, int32_t epoch)
{
    struct topic_part part = {.partition = partition, .epoch = epoch};

    part.topic_id.bytes[15] = topic;
    topic_parts_add(parts, &part);
}

static void
a_set_is_in_order_and_has_nothing_twice(void **state)
{
    struct topic_parts parts = {0};

    (void)state;
    add(&parts, 2, 1, 0);
    add(&parts, 1, 7, 0);
    add(&parts, 1, 3, 0);
    add(&parts, 2, 1, 0);
    topic_parts_sort(&parts);
    assert_int_equal(parts.count, 3);
    assert_int_equal(parts.items[0].partition, 3);
    assert_int_equal(parts.items[1].partition, 7);
    assert_int_equal(topic_parts_run(&parts, 0), 2);
    assert_int_equal(topic_parts_topics(&parts), 2);
    topic_parts_fini(&parts);
}

static void
sets_are_compared_with_and_without_epochs(void **state)
{
    struct topic_parts a = {0}, b = {0};

    (void)state;
    add(&a, 1, 1, 5);
    topic_parts_copy(&b, &a);
    assert_true(topic_parts_equal(&a, &b));
    b.items[0].epoch = 6;
    assert_false(topic_parts_equal(&a, &b));
    assert_true(topic_parts_same(&a, &b));
    add(&b, 1, 2, 6);
    assert_false(topic_parts_same(&a, &b));
    assert_true(topic_parts_contains(&b, &a));
    assert_false(topic_parts_contains(&a, &b));
    assert_true(topic_parts_touches(&a, &b));
    topic_parts_move(&a, &b);
    assert_int_equal(a.count, 2);
    assert_int_equal(b.count, 0);
    assert_false(topic_parts_touches(&a, &b));
    assert_true(topic_parts_contains(&a, &b));
    topic_parts_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_in_order_and_has_nothing_twice),
        cmocka_unit_test(sets_are_compared_with_and_without_epochs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
