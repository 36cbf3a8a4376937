#include "lib/base/heap.h"

#include "lib/base/env.h"
#include "tests/unit/unit.h"

#define NODES 200

static void
the_nearest_deadline_is_first(void **state)
{
    static const int64_t deadlines[] = {50, 10, 40, INT64_MIN, 30, INT64_MAX, 20};
    struct heap_node nodes[7] = {{0}};
    struct heap heap;
    int64_t last = INT64_MIN;

    (void)state;
    heap_init(&heap);
    assert_null(heap_first(&heap));
    for (int i = 0; i < 7; i++)
        heap_put(&heap, &nodes[i], deadlines[i]);
    assert_ptr_equal(heap_first(&heap), &nodes[3]);
    for (int i = 0; i < 7; i++) {
        struct heap_node *node = heap_pop_due(&heap, INT64_MAX);

        assert_true(node->deadline >= last);
        last = node->deadline;
    }
    assert_null(heap_pop_due(&heap, INT64_MAX));
    heap_fini(&heap);
}

static void
only_what_is_due_is_popped(void **state)
{
    struct heap_node a = {0}, b = {0};
    struct heap heap;

    (void)state;
    heap_init(&heap);
    heap_put(&heap, &a, 100);
    heap_put(&heap, &b, 200);
    assert_null(heap_pop_due(&heap, 99));
    assert_ptr_equal(heap_pop_due(&heap, 100), &a);
    assert_null(heap_pop_due(&heap, 199));
    assert_ptr_equal(heap_pop_due(&heap, 1000), &b);
    heap_fini(&heap);
}

static void
equal_deadlines_leave_in_the_order_of_putting(void **state)
{
    struct heap_node nodes[NODES] = {{0}};
    struct heap heap;

    (void)state;
    heap_init(&heap);
    for (int i = 0; i < NODES; i++)
        heap_put(&heap, &nodes[i], 7);
    heap_put(&heap, &nodes[3], 7); /* moved: it is the last now */
    for (int i = 0; i < NODES - 1; i++)
        assert_ptr_equal(heap_pop_due(&heap, 7), &nodes[i < 3 ? i : i + 1]);
    assert_ptr_equal(heap_pop_due(&heap, 7), &nodes[3]);
    heap_fini(&heap);
}

static void
a_node_that_is_in_no_heap_is_removed_without_effect(void **state)
{
    struct heap_node a = {0}, b = {0};
    struct heap heap;

    (void)state;
    heap_init(&heap);
    heap_remove(&heap, &a);
    heap_put(&heap, &b, 1);
    heap_remove(&heap, &a);
    heap_remove(&heap, &b);
    heap_remove(&heap, &b);
    assert_null(heap_first(&heap));
    heap_put(&heap, &b, 1);
    assert_ptr_equal(heap_first(&heap), &b);
    heap_fini(&heap);
}

/* Random puts, moves, removals and pops against a plain array that is searched whole. */
static void
random_histories_agree_with_a_plain_array(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct heap_node nodes[NODES] = {{0}};
        uint64_t put_at[NODES] = {0}, puts = 0;
        struct heap heap;
        struct env env;

        heap_init(&heap);
        env_init_seeded(&env, seed, 0);
        for (int step = 0; step < 2000; step++) {
            struct heap_node *node = &nodes[env_random_below(&env, NODES)], *best = NULL;
            uint64_t what = env_random_below(&env, 5);

            if (what < 3) {
                heap_put(&heap, node, (int64_t)env_random_below(&env, 50));
                put_at[node - nodes] = ++puts;
            } else if (what == 3) {
                heap_remove(&heap, node);
            } else {
                (void)heap_pop_due(&heap, (int64_t)env_random_below(&env, 50));
            }
            for (int i = 0; i < NODES; i++)
                if (nodes[i].place != 0 &&
                    (best == NULL || nodes[i].deadline < best->deadline ||
                        (nodes[i].deadline == best->deadline && put_at[i] < put_at[best - nodes])))
                    best = &nodes[i];
            assert_ptr_equal(heap_first(&heap), best);
        }
        heap_fini(&heap);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_deadline_is_first),
        cmocka_unit_test(only_what_is_due_is_popped),
        cmocka_unit_test(equal_deadlines_leave_in_the_order_of_putting),
        cmocka_unit_test(a_node_that_is_in_no_heap_is_removed_without_effect),
        cmocka_unit_test(random_histories_agree_with_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
