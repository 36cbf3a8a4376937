#include "lib/base/lines.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define LINE_MAX_BYTES 8

/* What was read, as "NUMBER:TEXT" with a + behind what was cut, each ended by a bar. */
static char read_back[256];

static void
take(void *arg, uint64_t number, char *text, bool is_whole)
{
    size_t used = strlen(read_back);

    assert_ptr_equal(arg, read_back);
    snprintf(read_back + used, sizeof read_back - used, "%llu:%s%s|", (unsigned long long)number,
        text, is_whole ? "" : "+");
}

static void
reads(const char *bytes, size_t size, const char *expected)
{
    FILE *file = tmpfile();
    struct err e;

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    rewind(file);
    read_back[0] = '\0';
    assert_int_equal(lines_read(file, LINE_MAX_BYTES, take, read_back, &e), RC_OK);
    assert_string_equal(read_back, expected);
    assert_int_equal(fclose(file), 0);
}

#define READS(text, expected) reads(text, sizeof(text) - 1, expected)

static void
each_line_is_told(void **state)
{
    (void)state;
    READS("", "");
    READS("\n", "1:|");
    READS("one\n\ntwo\n", "1:one|2:|3:two|");
    READS("one\ntwo", "1:one|2:two|");
    READS("one\r\n", "1:one\r|");
}

static void
what_does_not_fit_is_cut_and_hides_no_line(void **state)
{
    (void)state;
    READS("12345678\n", "1:12345678|");
    READS("123456789\nnext\n", "1:12345678+|2:next|");
    READS("1234567890123456789", "1:12345678+|");
}

static void
zero_bytes_are_left_out(void **state)
{
    (void)state;
    READS("\0\0\0\0\0\0\0\0\0\0one\nt\0wo\n", "1:one|2:two|");
    READS("\0", "1:|");
}

static void
lines_may_span_what_is_read_at_once(void **state)
{
    size_t size = 200000;
    char *bytes = malloc(size);
    FILE *file = tmpfile();
    struct err e;

    (void)state;
    assert_non_null(bytes);
    assert_non_null(file);
    memset(bytes, 'x', size);
    bytes[size - 4] = '\n';
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    rewind(file);
    read_back[0] = '\0';
    assert_int_equal(lines_read(file, LINE_MAX_BYTES, take, read_back, &e), RC_OK);
    assert_string_equal(read_back, "1:xxxxxxxx+|2:xxx|");
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

static void
what_cannot_be_read_is_said(void **state)
{
    FILE *folder = fopen("/", "re");
    struct err e;

    (void)state;
    assert_non_null(folder);
    assert_int_equal(lines_read(folder, LINE_MAX_BYTES, take, read_back, &e), RC_IO);
    assert_int_equal(fclose(folder), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_told),
        cmocka_unit_test(what_does_not_fit_is_cut_and_hides_no_line),
        cmocka_unit_test(zero_bytes_are_left_out),
        cmocka_unit_test(lines_may_span_what_is_read_at_once),
        cmocka_unit_test(what_cannot_be_read_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
