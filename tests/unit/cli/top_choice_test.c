#include "cli/top_choice.h"

#include <string.h>

#include "tests/unit/unit.h"

static void
type(struct top_choice *choice, const char *text)
{
    for (; *text != '\0'; text++)
        assert_true(top_choice_key(choice, TOP_KEY_CHARACTER, *text, 20));
}

static void
digits_and_tab_choose_pages_and_begin_at_their_top(void **state)
{
    struct top_choice choice = {.selected = 7, .first = 3};

    (void)state;
    type(&choice, "3");
    assert_int_equal(choice.page, TOP_GROUPS);
    assert_int_equal(choice.selected, 0);
    assert_int_equal(choice.first, 0);
    assert_true(top_choice_key(&choice, TOP_KEY_TAB, 0, 20));
    assert_int_equal(choice.page, TOP_MIRROR);
    assert_true(top_choice_key(&choice, TOP_KEY_TAB, 0, 20));
    assert_int_equal(choice.page, TOP_OVERVIEW);
    type(&choice, "509 x");
    assert_int_equal(choice.page, TOP_OVERVIEW);
}

static void
arrows_move_by_one_and_pages_by_a_screen(void **state)
{
    struct top_choice choice = {.selected = 0};

    (void)state;
    assert_true(top_choice_key(&choice, TOP_KEY_PAGE_DOWN, 0, 20));
    assert_true(top_choice_key(&choice, TOP_KEY_DOWN, 0, 20));
    assert_int_equal(choice.selected, 21);
    assert_true(top_choice_key(&choice, TOP_KEY_UP, 0, 20));
    assert_true(top_choice_key(&choice, TOP_KEY_PAGE_UP, 0, 20));
    assert_int_equal(choice.selected, 0);
}

static void
switches_go_on_and_off(void **state)
{
    struct top_choice choice = {.selected = 0};

    (void)state;
    type(&choice, "sp?");
    assert_true(choice.by_name && choice.paused && choice.help);
    type(&choice, "?sp");
    assert_false(choice.by_name || choice.paused || choice.help);
    type(&choice, "?1");
    assert_false(choice.help);
    assert_false(top_choice_key(&choice, TOP_KEY_CHARACTER, 'q', 20));
}

static void
a_filter_takes_every_character_until_enter_or_escape(void **state)
{
    struct top_choice choice = {.selected = 0};

    (void)state;
    assert_true(top_choice_shows(&choice, "anything"));
    type(&choice, "/q1p\t\x7f");
    assert_string_equal(choice.filter, "q1p");
    assert_true(top_choice_key(&choice, TOP_KEY_BACKSPACE, 0, 20));
    assert_string_equal(choice.filter, "q1");
    assert_true(top_choice_shows(&choice, "faq1"));
    assert_false(top_choice_shows(&choice, "faq"));
    assert_true(top_choice_key(&choice, TOP_KEY_ENTER, 0, 20));
    assert_false(choice.typing);
    assert_string_equal(choice.filter, "q1");
    assert_true(top_choice_key(&choice, TOP_KEY_ESCAPE, 0, 20));
    assert_string_equal(choice.filter, "");
    type(&choice, "/");
    assert_true(top_choice_key(&choice, TOP_KEY_BACKSPACE, 0, 20));
    assert_string_equal(choice.filter, "");
}

static void
a_filter_that_is_too_long_is_cut(void **state)
{
    struct top_choice choice = {.typing = true};

    (void)state;
    for (int i = 0; i < 1000; i++)
        type(&choice, "x");
    assert_int_equal(strlen(choice.filter), TOP_FILTER_BYTES - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_and_tab_choose_pages_and_begin_at_their_top),
        cmocka_unit_test(arrows_move_by_one_and_pages_by_a_screen),
        cmocka_unit_test(switches_go_on_and_off),
        cmocka_unit_test(a_filter_takes_every_character_until_enter_or_escape),
        cmocka_unit_test(a_filter_that_is_too_long_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
