#include "lib/wire/varint.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static const int64_t values[] = {0, -1, 1, 63, -64, 64, -65, 8191, -8192, 8192, 1048575, -1048576,
    134217727, -134217728, 134217728, INT32_MAX, INT32_MIN, (int64_t)INT32_MAX + 1, 1700000000000,
    -1700000000000, INT64_MAX, INT64_MIN};

static void
numbers_come_back_and_their_size_is_foretold(void **state)
{
    uint8_t bytes[VARINT_LONG_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        size_t size = varint_put_long(bytes, values[i]);
        int64_t wide;
        int32_t word;

        assert_int_equal(size, varint_size_long(values[i]));
        assert_int_equal(varint_get_long(bytes, sizeof bytes, &wide), size);
        assert_int_equal(wide, values[i]);
        if (values[i] < INT32_MIN || values[i] > INT32_MAX)
            continue;
        assert_int_equal(varint_put(bytes, (int32_t)values[i]), size);
        assert_int_equal(varint_size((int32_t)values[i]), size);
        assert_int_equal(varint_get(bytes, sizeof bytes, &word), size);
        assert_int_equal(word, values[i]);
    }
}

static void
the_bytes_are_those_of_zig_zag(void **state)
{
    uint8_t bytes[VARINT_LONG_BYTES_MAX];

    (void)state;
    assert_int_equal(varint_put(bytes, -1), 1);
    assert_int_equal(bytes[0], 0x01);
    assert_int_equal(varint_put(bytes, 300), 2);
    assert_memory_equal(bytes, "\xd8\x04", 2);
    assert_int_equal(varint_put(bytes, INT32_MIN), 5);
    assert_memory_equal(bytes, "\xff\xff\xff\xff\x0f", 5);
    assert_int_equal(varint_put_long(bytes, INT64_MIN), 10);
    assert_memory_equal(bytes, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
}

static void
a_cut_number_is_refused_at_every_byte(void **state)
{
    uint8_t bytes[VARINT_LONG_BYTES_MAX];
    int64_t wide;
    int32_t word;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        size_t size = varint_put_long(bytes, values[i]);

        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(varint_get_long(bytes, cut, &wide), 0);
            assert_int_equal(varint_get(bytes, cut, &word), 0);
        }
    }
}

static void
a_number_may_be_longer_than_needed_but_not_too_long(void **state)
{
    const uint8_t padded[] = {0x82, 0x80, 0x80, 0x80, 0x00};
    const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    int64_t wide;
    int32_t word;

    (void)state;
    assert_int_equal(varint_get(padded, sizeof padded, &word), 5);
    assert_int_equal(word, 1);
    assert_int_equal(varint_get(endless, sizeof endless, &word), 0);
    assert_int_equal(varint_get_long(endless, sizeof endless, &wide), 0);
    assert_int_equal(varint_get_long(endless + 2, sizeof endless - 2, &wide), 10);
    assert_int_equal(wide, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back_and_their_size_is_foretold),
        cmocka_unit_test(the_bytes_are_those_of_zig_zag),
        cmocka_unit_test(a_cut_number_is_refused_at_every_byte),
        cmocka_unit_test(a_number_may_be_longer_than_needed_but_not_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
