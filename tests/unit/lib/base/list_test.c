#include "lib/base/list.h"

#include "tests/unit/unit.h"

struct item {
    int number;
    struct list_node node;
};

static void
assert_numbers(const struct list *list, const char *expected)
{
    char text[64] = "";

    LIST_EACH(list, node)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%d",
        list_of(node, struct item, node)->number);
    assert_string_equal(text, expected);
    assert_int_equal(list->count, strlen(expected));
    assert_int_equal(list_is_empty(list), *expected == '\0');
}

static void
elements_stand_in_the_order_of_pushing(void **state)
{
    struct item items[] = {{1, {0}}, {2, {0}}, {3, {0}}, {4, {0}}};
    struct list list;

    (void)state;
    list_init(&list);
    assert_numbers(&list, "");
    assert_null(list_first(&list));
    assert_null(list_pop(&list));
    list_push_back(&list, &items[1].node);
    list_push_back(&list, &items[2].node);
    list_push_front(&list, &items[0].node);
    list_push_back(&list, &items[3].node);
    assert_numbers(&list, "1234");
    assert_ptr_equal(list_first(&list), &items[0].node);
}

static void
an_element_can_be_put_behind_another(void **state)
{
    struct item items[] = {{1, {0}}, {2, {0}}, {3, {0}}, {4, {0}}};
    struct list list;

    (void)state;
    list_init(&list);
    list_push_back(&list, &items[0].node);
    list_insert_after(&list, &items[0].node, &items[2].node);
    list_insert_after(&list, &items[0].node, &items[1].node);
    list_insert_after(&list, &items[2].node, &items[3].node);
    assert_numbers(&list, "1234");
}

static void
what_is_popped_or_removed_is_unlinked(void **state)
{
    struct item items[] = {{1, {0}}, {2, {0}}, {3, {0}}};
    struct list list;

    (void)state;
    list_init(&list);
    for (int i = 0; i < 3; i++)
        list_push_back(&list, &items[i].node);
    assert_true(list_is_linked(&items[1].node));
    list_remove(&list, &items[1].node);
    assert_false(list_is_linked(&items[1].node));
    assert_numbers(&list, "13");
    assert_ptr_equal(list_pop(&list), &items[0].node);
    assert_false(list_is_linked(&items[0].node));
    list_push_back(&list, &items[0].node);
    assert_numbers(&list, "31");
}

static void
an_unlinked_node_is_removed_without_effect(void **state)
{
    struct item item = {1, {0}}, other = {2, {0}};
    struct list list;

    (void)state;
    list_init(&list);
    list_remove(&list, &item.node);
    list_push_back(&list, &other.node);
    list_remove(&list, &item.node);
    list_remove(&list, &other.node);
    list_remove(&list, &other.node);
    assert_numbers(&list, "");
}

static void
the_current_element_may_leave_during_a_walk(void **state)
{
    struct item items[] = {{1, {0}}, {2, {0}}, {3, {0}}, {4, {0}}};
    struct list list;
    int seen = 0;

    (void)state;
    list_init(&list);
    for (int i = 0; i < 4; i++)
        list_push_back(&list, &items[i].node);
    LIST_EACH(&list, node)
    {
        seen = seen * 10 + list_of(node, struct item, node)->number;
        if (list_of(node, struct item, node)->number % 2 == 0)
            list_remove(&list, node);
    }
    assert_int_equal(seen, 1234);
    assert_numbers(&list, "13");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_stand_in_the_order_of_pushing),
        cmocka_unit_test(an_element_can_be_put_behind_another),
        cmocka_unit_test(what_is_popped_or_removed_is_unlinked),
        cmocka_unit_test(an_unlinked_node_is_removed_without_effect),
        cmocka_unit_test(the_current_element_may_leave_during_a_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
