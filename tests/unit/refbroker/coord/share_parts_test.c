/* Partitions by topic in the order of Java's tables. */
#include "refbroker/coord/share_parts.h"

#include "tests/unit/unit.h"

/* Their hashes are 1 and 2. */
static const struct wire_uuid one = {{[15] = 1}}, two = {{[15] = 2}};

static struct share_parts
parts_of(const struct wire_uuid *topic_id, const int32_t *partitions, int32_t count)
{
    struct share_parts parts = {0};
    size_t place = share_parts_topic_add(&parts, topic_id);

    for (int32_t i = 0; i < count; i++)
        share_parts_add(&parts, place, partitions[i]);
    return parts;
}

static void
a_replay_brings_everything_in_the_order_of_its_table(void **state)
{
    static const int32_t mixed[] = {33, 16, 0, 5, 17};
    static const int32_t expected[] = {16, 0, 33, 17, 5};
    struct share_parts parts = parts_of(&two, mixed, 5);

    (void)state;
    (void)share_parts_topic_add(&parts, &one);
    share_parts_replay(&parts);
    assert_memory_equal(&parts.topics[0].topic_id, &one, sizeof one);
    assert_memory_equal(parts.topics[1].partitions, expected, sizeof expected);
    share_parts_replay(&parts);
    assert_memory_equal(parts.topics[1].partitions, expected, sizeof expected);
    share_parts_add(&parts, 1, 4);
    assert_int_equal(share_parts_total(&parts), 6);
    share_parts_fini(&parts);
}

static void
order_does_not_make_a_difference_but_an_empty_topic_does(void **state)
{
    static const int32_t up[] = {1, 2}, down[] = {2, 1}, other[] = {1, 3};
    struct share_parts a = parts_of(&one, up, 2), b = parts_of(&one, down, 2),
                       c = parts_of(&one, other, 2), d = {0};

    (void)state;
    assert_true(share_parts_same(&a, &b));
    assert_false(share_parts_same(&a, &c));
    share_parts_copy(&d, &a);
    assert_true(share_parts_same(&a, &d));
    (void)share_parts_topic_add(&d, &two);
    assert_false(share_parts_same(&a, &d));
    share_parts_move(&a, &d);
    assert_int_equal(a.count, 2);
    assert_int_equal(d.count, 0);
    share_parts_fini(&a);
    share_parts_fini(&b);
    share_parts_fini(&c);
    assert_true(share_parts_same(&a, &d));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replay_brings_everything_in_the_order_of_its_table),
        cmocka_unit_test(order_does_not_make_a_difference_but_an_empty_topic_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
