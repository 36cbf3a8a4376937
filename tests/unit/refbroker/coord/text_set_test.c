/* Sets of texts, and texts that requests replace. */
#include "refbroker/coord/text_set.h"

#include <stdlib.h>

#include "refbroker/request.h"
#include "tests/unit/unit.h"

static void
a_set_holds_each_text_once_in_order(void **state)
{
    struct wire_string items[] = {
        request_text("b"), request_text("a"), request_text("b"), request_text("")};
    struct text_set set = text_set_from(items, 4), same = text_set_from(items, 3);

    (void)state;
    assert_int_equal(set.count, 3);
    assert_string_equal(set.items[0], "");
    assert_string_equal(set.items[2], "b");
    assert_true(text_set_has(&set, "a"));
    assert_false(text_set_has(&set, "c"));
    assert_false(text_set_equal(&set, &same));
    text_set_fini(&same);
    same = text_set_from(items, 4);
    assert_true(text_set_equal(&set, &same));
    text_set_fini(&set);
    text_set_fini(&same);
    set = text_set_from(NULL, -1);
    assert_int_equal(set.count, 0);
    assert_false(text_set_has(&set, ""));
    text_set_fini(&set);
}

static void
a_replacement_tells_whether_it_changed_anything(void **state)
{
    char *text = NULL;

    (void)state;
    assert_false(text_replace(&text, request_text(NULL)));
    assert_true(text_replace(&text, request_text("a")));
    assert_false(text_replace(&text, request_text("a")));
    assert_true(text_replace(&text, request_text("")));
    assert_string_equal(text, "");
    assert_true(text_replace(&text, request_text(NULL)));
    assert_null(text);
}

static void
blank_is_given_without_anything_to_read(void **state)
{
    (void)state;
    assert_true(text_is_blank(request_text("")));
    assert_true(text_is_blank(request_text(" \t")));
    assert_false(text_is_blank(request_text(" a")));
    assert_false(text_is_blank(request_text(NULL)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_holds_each_text_once_in_order),
        cmocka_unit_test(a_replacement_tells_whether_it_changed_anything),
        cmocka_unit_test(blank_is_given_without_anything_to_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
