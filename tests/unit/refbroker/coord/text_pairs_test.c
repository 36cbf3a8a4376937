#include "refbroker/coord/text_pairs.h"

#include "refbroker/request.h"
#include "tests/unit/unit.h"

static enum rc
add(struct text_pairs *pairs, const char *name, const char *value)
{
    struct err e;

    return text_pairs_add(pairs, request_text(name), request_text(value), &e);
}

static void
names_are_sorted_and_each_is_there_once(void **state)
{
    struct text_pairs pairs = {NULL, 0};

    (void)state;
    assert_int_equal(add(&pairs, "b", "1"), RC_OK);
    assert_int_equal(add(&pairs, "c", "2"), RC_OK);
    assert_int_equal(add(&pairs, "a", "3"), RC_OK);
    assert_int_equal(add(&pairs, "b", "4"), RC_CONFLICT);
    assert_int_equal(pairs.count, 3);
    assert_string_equal(pairs.items[0].name, "a");
    assert_string_equal(pairs.items[0].value, "3");
    assert_string_equal(pairs.items[1].value, "1");
    assert_string_equal(pairs.items[2].name, "c");
    text_pairs_fini(&pairs);
    assert_int_equal(pairs.count, 0);
}

static void
pairs_are_equal_whatever_order_they_came_in(void **state)
{
    struct text_pairs a = {NULL, 0}, b = {NULL, 0};

    (void)state;
    assert_true(text_pairs_equal(&a, &b));
    assert_int_equal(add(&a, "x", "1"), RC_OK);
    assert_false(text_pairs_equal(&a, &b));
    assert_int_equal(add(&a, "y", "2"), RC_OK);
    assert_int_equal(add(&b, "y", "2"), RC_OK);
    assert_int_equal(add(&b, "x", ""), RC_OK);
    assert_false(text_pairs_equal(&a, &b));
    text_pairs_move(&b, &a);
    assert_int_equal(a.count, 0);
    assert_int_equal(b.count, 2);
    assert_string_equal(b.items[0].value, "1");
    text_pairs_fini(&a);
    text_pairs_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_each_is_there_once),
        cmocka_unit_test(pairs_are_equal_whatever_order_they_came_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
