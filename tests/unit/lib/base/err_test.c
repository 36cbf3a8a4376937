#include "lib/base/err.h"

#include <errno.h>

#include "tests/unit/unit.h"

static enum rc
origin(struct err *e)
{
    return err_set(e, RC_LIMIT, "%d is more than %d", 7, 5);
}

static void
the_origin_sets_code_place_and_text(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(origin(&e), RC_LIMIT);
    assert_int_equal(e.code, RC_LIMIT);
    assert_string_equal(e.text, "7 is more than 5");
    assert_non_null(strstr(e.file, "err_test.c"));
    assert_in_range(e.line, 1, 30);
    assert_int_equal(e.sys_errno, 0);
}

static void
a_system_call_adds_its_meaning(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set_errno(&e, RC_IO, ENOENT, "cannot open %s", "x"), RC_IO);
    assert_string_equal(e.text, "cannot open x: No such file or directory");
    assert_int_equal(e.sys_errno, ENOENT);
}

static void
callers_put_what_they_were_doing_in_front(void **state)
{
    struct err e = {0};

    (void)state;
    (void)origin(&e);
    assert_int_equal(err_note(&e, "reading %s", "a"), RC_LIMIT);
    assert_int_equal(err_note(&e, "starting"), RC_LIMIT);
    assert_string_equal(e.text, "starting: reading a: 7 is more than 5");
}

static void
without_a_struct_nothing_is_kept_and_the_code_is_returned(void **state)
{
    (void)state;
    assert_int_equal(origin(NULL), RC_LIMIT);
    assert_int_equal(err_set_errno(NULL, RC_IO, EIO, "x"), RC_IO);
    assert_int_equal(err_note(NULL, "x"), RC_INTERNAL);
    err_clear(NULL);
}

static void
long_texts_are_cut_at_the_end(void **state)
{
    char longer[2 * ERR_TEXT_MAX];
    struct err e = {0};

    (void)state;
    memset(longer, 'l', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(err_set_errno(&e, RC_IO, EIO, "%s", longer), RC_IO);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    (void)err_note(&e, "context");
    assert_memory_equal(e.text, "context: lll", 12);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    (void)err_note(&e, "%s", longer);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void
clear_forgets_everything(void **state)
{
    struct err e = {0};

    (void)state;
    (void)origin(&e);
    err_clear(&e);
    assert_int_equal(e.code, RC_OK);
    assert_string_equal(e.text, "");
    assert_null(e.file);
}

static void
codes_have_names_words_and_exit_codes(void **state)
{
    (void)state;
    assert_string_equal(err_name(RC_OK), "OK");
    assert_string_equal(err_name(RC_LIMIT), "LIMIT");
    assert_string_equal(err_text(RC_LOCKED), "held by another process");
    assert_true(err_is_retriable(RC_NO_SPACE));
    assert_false(err_is_retriable(RC_CORRUPT));
    assert_int_equal(err_exit_code(RC_OK), 0);
    assert_int_equal(err_exit_code(RC_CONFIG), 2);
    assert_int_equal(err_exit_code(RC_TIMEOUT), 3);
    assert_int_equal(err_exit_code(RC_DIFFERS), 6);
    assert_int_equal(err_exit_code(RC_LOCKED), 7);
    assert_int_equal(err_exit_code(RC_CANCELED), 130);
}

static void
every_code_is_distinct_and_an_unknown_one_is_internal(void **state)
{
    (void)state;
    for (int i = RC_OK; i <= RC_INTERNAL; i++) {
        assert_true(strlen(err_text((enum rc)i)) > 3);
        for (int k = RC_OK; k < i; k++)
            assert_string_not_equal(err_name((enum rc)i), err_name((enum rc)k));
        assert_int_equal(err_exit_code((enum rc)i) == EXIT_OK, i == RC_OK);
    }
    assert_string_equal(err_name((enum rc)(RC_INTERNAL + 1)), "INTERNAL");
    assert_string_equal(err_name((enum rc) - 1), "INTERNAL");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_origin_sets_code_place_and_text),
        cmocka_unit_test(a_system_call_adds_its_meaning),
        cmocka_unit_test(callers_put_what_they_were_doing_in_front),
        cmocka_unit_test(without_a_struct_nothing_is_kept_and_the_code_is_returned),
        cmocka_unit_test(long_texts_are_cut_at_the_end),
        cmocka_unit_test(clear_forgets_everything),
        cmocka_unit_test(codes_have_names_words_and_exit_codes),
        cmocka_unit_test(every_code_is_distinct_and_an_unknown_one_is_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
