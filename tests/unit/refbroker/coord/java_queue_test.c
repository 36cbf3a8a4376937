/* What the queue promises. The orders of equal items were worked out by hand from the steps of
 * java.util.PriorityQueue: the last item goes to the top and sinks, below none that equals it. */
#include "refbroker/coord/java_queue.h"

#include "tests/unit/unit.h"

static void
items_come_by_key(void **state)
{
    static const double keys[] = {5, 3, 8, 1, 9, 2, 7};
    static const int32_t expected[] = {3, 5, 1, 0, 6, 2, 4};
    struct java_queue queue;

    (void)state;
    java_queue_init(&queue, 7);
    for (int32_t i = 0; i < 7; i++)
        java_queue_add(&queue, i, keys[i]);
    for (int i = 0; i < 7; i++)
        assert_int_equal(java_queue_poll(&queue), expected[i]);
    assert_int_equal(queue.count, 0);
    java_queue_fini(&queue);
}

static void
equal_items_come_as_the_heap_has_them(void **state)
{
    static const int32_t expected[] = {0, 3, 2, 1};
    struct java_queue queue;

    (void)state;
    java_queue_init(&queue, 4);
    for (int32_t i = 0; i < 4; i++)
        java_queue_add(&queue, i, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(java_queue_poll(&queue), expected[i]);
    java_queue_fini(&queue);
}

static void
an_item_may_come_back(void **state)
{
    struct java_queue queue;

    (void)state;
    java_queue_init(&queue, 2);
    java_queue_add(&queue, 0, 0.5);
    java_queue_add(&queue, 1, 0.5);
    assert_int_equal(java_queue_poll(&queue), 0);
    java_queue_add(&queue, 0, 0.5);
    assert_int_equal(java_queue_poll(&queue), 1);
    java_queue_add(&queue, 1, 0.25);
    assert_int_equal(java_queue_poll(&queue), 1);
    assert_int_equal(java_queue_poll(&queue), 0);
    java_queue_fini(&queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_by_key),
        cmocka_unit_test(equal_items_come_as_the_heap_has_them),
        cmocka_unit_test(an_item_may_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
