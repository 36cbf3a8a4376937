/* Against a plain counter: what comes out is what went in, in order. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_queue.h"

static void
items_leave_in_the_order_in_which_they_came(void **state)
{
    struct cluster_queue queue;
    uint32_t in = 0, out = 0;

    (void)state;
    cluster_queue_init(&queue);
    srand(5);
    for (int i = 0; i < 20000; i++) {
        size_t count = (size_t)rand() % 20;

        if (rand() % 2 == 0) {
            for (size_t k = 0; k < count; k++)
                cluster_queue_push(&queue, in++);
        } else {
            if (count > cluster_queue_count(&queue))
                count = cluster_queue_count(&queue);
            for (size_t k = 0; k < count; k++)
                assert_int_equal(cluster_queue_view(&queue)[k], out++);
            cluster_queue_drop(&queue, count);
        }
        assert_int_equal(cluster_queue_count(&queue), in - out);
    }
    cluster_queue_fini(&queue);
    assert_int_equal(cluster_queue_count(&queue), 0);
}

static void
memory_follows_what_is_in_it_not_what_went_through(void **state)
{
    struct cluster_queue queue;

    (void)state;
    cluster_queue_init(&queue);
    for (uint32_t i = 0; i < 1000000; i++) {
        cluster_queue_push(&queue, i);
        cluster_queue_push(&queue, i);
        cluster_queue_drop(&queue, i < 10 ? 1 : 2);
    }
    assert_true(queue.capacity <= 64);
    cluster_queue_fini(&queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(memory_follows_what_is_in_it_not_what_went_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
