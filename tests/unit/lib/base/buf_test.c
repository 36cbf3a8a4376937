#include "lib/base/buf.h"

#include "tests/unit/unit.h"

static void
appends_of_all_kinds_follow_each_other(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    assert_string_equal(buf_text(&buf), "");
    buf_append(&buf, "one", 3);
    buf_append_text(&buf, "-two");
    buf_append_byte(&buf, '-');
    buf_printf(&buf, "%s%03d", "x", 7);
    buf_append(&buf, NULL, 0);
    assert_string_equal(buf_text(&buf), "one-two-x007");
    assert_int_equal(buf.size, 12);
    assert_false(buf_is_overflowed(&buf));
    buf_fini(&buf);
}

static void
reserved_room_counts_once_it_is_committed(void **state)
{
    struct buf buf;
    uint8_t *room;

    (void)state;
    buf_init(&buf, 1000);
    buf_append_text(&buf, "a");
    room = buf_reserve(&buf, 500);
    assert_non_null(room);
    memset(room, 'b', 500);
    assert_int_equal(buf.size, 1);
    buf_commit(&buf, 3);
    assert_string_equal(buf_text(&buf), "abbb");
    buf_fini(&buf);
}

static void
an_append_past_the_maximum_changes_nothing_and_is_remembered(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 10);
    buf_append_text(&buf, "0123456");
    buf_append_text(&buf, "abcd");
    assert_true(buf_is_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "0123456");
    buf_append_text(&buf, "x");
    buf_printf(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 1));
    assert_string_equal(buf_text(&buf), "0123456");
    buf_clear(&buf);
    assert_false(buf_is_overflowed(&buf));
    buf_append_text(&buf, "0123456789");
    assert_false(buf_is_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "0123456789");
    buf_append_byte(&buf, 'x');
    assert_true(buf_is_overflowed(&buf));
    buf_fini(&buf);
}

static void
a_buffer_of_nothing_takes_nothing(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    buf_append(&buf, "", 0);
    assert_false(buf_is_overflowed(&buf));
    buf_append_byte(&buf, 1);
    assert_true(buf_is_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "");
    buf_fini(&buf);
}

/* No sum of sizes wraps around, whatever the maximum. */
static void
sizes_near_the_largest_number_overflow_the_buffer_only(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 1};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf buf;

        buf_init(&buf, SIZE_MAX);
        buf_append_text(&buf, "x");
        assert_null(buf_reserve(&buf, sizes[i]));
        assert_true(buf_is_overflowed(&buf));
        assert_string_equal(buf_text(&buf), "x");
        buf_fini(&buf);
    }
}

static void
memory_never_exceeds_the_maximum_by_more_than_the_zero(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100000);
    while (!buf_is_overflowed(&buf))
        buf_append_text(&buf, "seventeen letters");
    assert_in_range(buf.capacity, 1, 100001);
    buf_fini(&buf);
}

static void
consume_drops_from_the_front(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_append_text(&buf, "0123456789");
    buf_consume(&buf, 3);
    assert_string_equal(buf_text(&buf), "3456789");
    buf_consume(&buf, 0);
    buf_consume(&buf, 7);
    assert_string_equal(buf_text(&buf), "");
    buf_append_text(&buf, "again");
    assert_string_equal(buf_text(&buf), "again");
    buf_fini(&buf);
}

static void
taken_bytes_belong_to_the_caller_and_end_with_a_zero(void **state)
{
    struct buf buf;
    uint8_t *bytes;
    size_t size;

    (void)state;
    buf_init(&buf, 100);
    buf_append_text(&buf, "mine");
    bytes = buf_take(&buf, &size);
    assert_int_equal(size, 4);
    assert_string_equal((char *)bytes, "mine");
    free(bytes);
    assert_int_equal(buf.size, 0);
    bytes = buf_take(&buf, &size);
    assert_int_equal(size, 0);
    assert_int_equal(bytes[0], 0);
    free(bytes);
    buf_append_text(&buf, "usable");
    assert_string_equal(buf_text(&buf), "usable");
    buf_fini(&buf);
    buf_fini(&buf);
}

static void
printed_text_of_any_length_fits(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 10000);
    for (int width = 0; width < 300; width += 7) {
        buf_clear(&buf);
        buf_printf(&buf, "%*d", width, 5);
        assert_int_equal(buf.size, width < 1 ? 1 : width);
        assert_int_equal(strlen(buf_text(&buf)), buf.size);
    }
    buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_of_all_kinds_follow_each_other),
        cmocka_unit_test(reserved_room_counts_once_it_is_committed),
        cmocka_unit_test(an_append_past_the_maximum_changes_nothing_and_is_remembered),
        cmocka_unit_test(a_buffer_of_nothing_takes_nothing),
        cmocka_unit_test(sizes_near_the_largest_number_overflow_the_buffer_only),
        cmocka_unit_test(memory_never_exceeds_the_maximum_by_more_than_the_zero),
        cmocka_unit_test(consume_drops_from_the_front),
        cmocka_unit_test(taken_bytes_belong_to_the_caller_and_end_with_a_zero),
        cmocka_unit_test(printed_text_of_any_length_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
