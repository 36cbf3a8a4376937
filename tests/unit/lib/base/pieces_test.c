#include "lib/base/pieces.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct pieces_item
text(const char *bytes)
{
    return (struct pieces_item){(const uint8_t *)bytes, strlen(bytes)};
}

static void
sizes_add_up(void **state)
{
    struct pieces none = pieces_of(NULL, 0);
    struct pieces_item items[] = {text("abc"), text(""), text("de")};
    struct pieces_cursor cursor;
    char out[4];

    (void)state;
    assert_int_equal(none.size, 0);
    pieces_seek(&cursor, &none, 0);
    assert_int_equal(pieces_read(&cursor, out, sizeof out), 0);
    assert_int_equal(pieces_of(items, 3).size, 5);
}

/* Every place to begin, and every size of a step. */
static void
reads_as_one_sequence(void **state)
{
    static const char whole[] = "abcdefghij";
    struct pieces_item items[] = {
        text(""), text("a"), text("bcd"), text(""), {NULL, 0}, text("efghi"), text("j"), text("")};
    struct pieces pieces = pieces_of(items, sizeof items / sizeof *items);
    size_t size = strlen(whole);

    (void)state;
    assert_int_equal(pieces.size, size);
    for (size_t from = 0; from <= size; from++)
        for (size_t step = 1; step <= size + 1; step++) {
            struct pieces_cursor cursor;
            char out[16] = "";
            size_t got = 0, part;

            pieces_seek(&cursor, &pieces, from);
            while ((part = pieces_read(&cursor, out + got, step)) > 0) {
                got += part;
                assert_true(part == step || from + got == size);
            }
            assert_string_equal(out, whole + from);
        }
}

static void
seeks_no_further_than_the_end(void **state)
{
    struct pieces_item items[] = {text("abc"), text("")};
    struct pieces pieces = pieces_of(items, 2);
    struct pieces_cursor cursor;
    char out[4];

    (void)state;
    for (size_t at = 3; at < 6; at++) {
        pieces_seek(&cursor, &pieces, at);
        assert_int_equal(pieces_read(&cursor, out, sizeof out), 0);
    }
    pieces_seek(&cursor, &pieces, 2);
    assert_int_equal(pieces_read(&cursor, out, sizeof out), 1);
    assert_int_equal(out[0], 'c');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_add_up),
        cmocka_unit_test(reads_as_one_sequence),
        cmocka_unit_test(seeks_no_further_than_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
