#include "lib/wire/crc32c.h"

#include "tests/unit/unit.h"

/* One bit at a time, from the definition. */
static uint32_t
slow_crc(uint32_t polynomial, const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    }
    return ~crc;
}

static void
the_check_values_of_both_checksums_come_out(void **state)
{
    (void)state;
    assert_int_equal(crc32c_of("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_old("123456789", 9), 0xcbf43926);
    assert_int_equal(crc32c_of("", 0), 0);
    assert_int_equal(crc32c_of(NULL, 0), 0);
    assert_int_equal(crc32c_old(NULL, 0), 0);
}

static void
every_length_and_alignment_agrees_with_the_definition(void **state)
{
    uint8_t data[600];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 131 + (i >> 3));
    for (size_t start = 0; start < 9; start++) {
        for (size_t size = 0; size < 560; size += size < 40 ? 1 : 13) {
            assert_int_equal(
                crc32c_of(data + start, size), slow_crc(0x82f63b78, data + start, size));
            assert_int_equal(
                crc32c_old(data + start, size), slow_crc(0xedb88320, data + start, size));
        }
    }
}

static void
a_checksum_goes_on_over_pieces(void **state)
{
    uint8_t data[300];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t cut = 0; cut <= sizeof data; cut++)
        assert_int_equal(crc32c_extend(crc32c_of(data, cut), data + cut, sizeof data - cut),
            crc32c_of(data, sizeof data));
}

static void
two_checksums_join_as_if_their_bytes_had_been_read(void **state)
{
    static uint8_t data[300000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 9));
    for (size_t cut = 0; cut <= sizeof data; cut += cut < 600 ? 1 : 7919)
        assert_int_equal(crc32c_join(crc32c_of(data, cut), crc32c_of(data + cut, sizeof data - cut),
                             sizeof data - cut),
            crc32c_of(data, sizeof data));
}

/* The checksum of as many zeros as no machine has memory for, by doubling what is small. */
static void
lengths_of_any_size_join(void **state)
{
    uint32_t zeros = crc32c_of("", 1), first = crc32c_of("kdl", 3), one = zeros;

    (void)state;
    for (size_t size = 1; size <= SIZE_MAX / 4; size *= 2) {
        uint32_t end = crc32c_join(first, zeros, size);

        assert_int_equal(
            crc32c_join(end, one, 1), crc32c_join(first, crc32c_join(zeros, one, 1), size + 1));
        zeros = crc32c_join(zeros, zeros, size);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_values_of_both_checksums_come_out),
        cmocka_unit_test(every_length_and_alignment_agrees_with_the_definition),
        cmocka_unit_test(a_checksum_goes_on_over_pieces),
        cmocka_unit_test(two_checksums_join_as_if_their_bytes_had_been_read),
        cmocka_unit_test(lengths_of_any_size_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
