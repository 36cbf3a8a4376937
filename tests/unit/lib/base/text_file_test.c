#include "lib/base/text_file.h"

#include <unistd.h>

#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

#define LIMIT 1000

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 8];
static struct buf text;
static struct err e;

static int
setup(void **state)
{
    (void)state;
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/text", folder);
    buf_init(&text, LIMIT);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_fini(&text);
    temp_folder_remove(folder);
    return 0;
}

static void
holds(size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc('a' + (int)(i % 26), file);
    assert_int_equal(fclose(file), 0);
}

static void
a_file_is_read_whole(void **state)
{
    static const size_t sizes[] = {0, 1, LIMIT - 1};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        buf_clear(&text);
        holds(sizes[i]);
        assert_int_equal(text_file_read(path, NULL, &text, &e), RC_OK);
        assert_int_equal(text.size, sizes[i]);
        for (size_t at = 0; at < text.size; at++)
            assert_int_equal(text.data[at], 'a' + at % 26);
    }
}

static void
it_comes_behind_what_is_there(void **state)
{
    (void)state;
    buf_append_text(&text, "before ");
    holds(3);
    assert_int_equal(text_file_read(path, NULL, &text, &e), RC_OK);
    assert_string_equal(buf_text(&text), "before abc");
}

static void
one_that_is_too_large_is_refused(void **state)
{
    char expected[sizeof path + 64];

    (void)state;
    holds(LIMIT);
    assert_int_equal(text_file_read(path, "CA file", &text, &e), RC_CONFIG);
    assert_true(buf_is_overflowed(&text));
    snprintf(expected, sizeof expected, "CA file %s is too large: 1000 bytes and more are not read",
        path);
    assert_string_equal(e.text, expected);
    buf_clear(&text);
    assert_int_equal(text_file_read("/dev/zero", NULL, &text, &e), RC_CONFIG);
}

static void
one_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(text_file_read("/nowhere", NULL, &text, &e), RC_CONFIG);
    assert_string_equal(e.text, "cannot read /nowhere: No such file or directory");
    assert_int_equal(text_file_read("/", "folder", &text, &e), RC_CONFIG);
    assert_string_equal(e.text, "cannot read folder /: Is a directory");
    assert_false(buf_is_overflowed(&text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(it_comes_behind_what_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_too_large_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_read_is_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
