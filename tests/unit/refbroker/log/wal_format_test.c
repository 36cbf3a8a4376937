/* Headers and names of WAL files: what is written is read, and nothing else is. */
#include "refbroker/log/wal_format.h"

#include "lib/wire/crc32c.h"
#include "tests/unit/unit.h"

static const struct wal_file_header file_header = {.number = 0x1122334455667788,
    .after_sequence = 77,
    .salt = 0xfedcba9876543210,
    .recycled = true};
static const struct wal_group_header group_header = {.sequence = 0x0102030405060708,
    .entry_count = 9,
    .payload_bytes = 0xfffffff0,
    .crc = 0xdeadbeef};

static void
a_file_header_is_read_as_written(void **state)
{
    uint8_t page[WAL_FILE_HEADER_BYTES];
    struct wal_file_header got = {0};

    (void)state;
    memset(page, 0xff, sizeof page);
    wal_format_file_header(page, &file_header);
    assert_int_equal(wal_format_file_parse(page, &got, NULL), RC_OK);
    assert_true(got.number == file_header.number);
    assert_int_equal(got.after_sequence, 77);
    assert_true(got.salt == file_header.salt);
    assert_true(got.recycled);
    for (size_t i = 64; i < sizeof page; i++)
        assert_int_equal(page[i], 0);
}

static void
every_damaged_bit_of_a_file_header_is_noticed(void **state)
{
    uint8_t page[WAL_FILE_HEADER_BYTES];
    struct wal_file_header got;

    (void)state;
    wal_format_file_header(page, &file_header);
    for (size_t bit = 0; bit < 44 * 8; bit++) {
        bool in_version = bit / 8 >= 8 && bit / 8 < 12;
        struct err e = {0};

        page[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(
            wal_format_file_parse(page, &got, &e), in_version ? RC_UNSUPPORTED : RC_CORRUPT);
        page[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void
another_version_is_told_by_number_whatever_follows_it(void **state)
{
    uint8_t page[WAL_FILE_HEADER_BYTES];
    struct wal_file_header got;
    struct err e = {0};

    (void)state;
    wal_format_file_header(page, &file_header);
    page[11] = WAL_FORMAT_VERSION + 1;
    memset(page + 12, 0x77, 100);
    assert_int_equal(wal_format_file_parse(page, &got, &e), RC_UNSUPPORTED);
    assert_string_equal(e.text, "its format is version 2, this program knows version 1");
}

static void
a_page_of_zeros_is_a_file_that_was_never_used(void **state)
{
    uint8_t page[WAL_FILE_HEADER_BYTES] = {0};
    struct wal_file_header got;

    (void)state;
    assert_int_equal(wal_format_file_parse(page, &got, NULL), RC_NOTFOUND);
    page[1000] = 1;
    assert_int_equal(wal_format_file_parse(page, &got, NULL), RC_NOTFOUND);
    page[40] = 1;
    assert_int_equal(wal_format_file_parse(page, &got, NULL), RC_CORRUPT);
}

static void
a_group_header_is_read_as_written_and_only_so(void **state)
{
    uint8_t bytes[WAL_GROUP_HEADER_BYTES];
    struct wal_group_header got = {0};

    (void)state;
    wal_format_group_header(bytes, 5, &group_header);
    assert_true(wal_format_group_parse(bytes, 5, &got));
    assert_true(got.sequence == group_header.sequence);
    assert_int_equal(got.entry_count, 9);
    assert_true(got.payload_bytes == 0xfffffff0);
    assert_true(got.crc == 0xdeadbeef);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(wal_format_group_parse(bytes, 5, &got));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(bytes, 0, sizeof bytes);
    assert_false(wal_format_group_parse(bytes, 5, &got));
}

static void
groups_of_a_file_with_another_salt_do_not_check_out(void **state)
{
    uint8_t bytes[WAL_GROUP_HEADER_BYTES];
    struct wal_group_header got;

    (void)state;
    wal_format_group_header(bytes, 5, &group_header);
    for (uint64_t salt = 0; salt < 1000; salt++)
        assert_int_equal(wal_format_group_parse(bytes, salt, &got), salt == 5);
    assert_int_not_equal(wal_format_crc(5, 1, bytes, 32), wal_format_crc(6, 1, bytes, 32));
    assert_int_not_equal(wal_format_crc(5, 1, bytes, 32), wal_format_crc(5, 2, bytes, 32));
    assert_int_equal(
        crc32c_extend(crc32c_extend(wal_format_crc_begin(5, 1), bytes, 9), bytes + 9, 23),
        wal_format_crc(5, 1, bytes, 32));
}

static void
names_are_numbers_and_back(void **state)
{
    static const uint64_t numbers[] = {0, 1, 255, 0x123456789abcdef0, UINT64_MAX};
    char name[WAL_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t number = 42;

        wal_format_name(name, numbers[i]);
        assert_memory_equal(name, WAL_FOLDER "/", strlen(WAL_FOLDER) + 1);
        assert_true(wal_format_number(name + strlen(WAL_FOLDER) + 1, &number));
        assert_true(number == numbers[i]);
    }
    wal_format_name(name, 26);
    assert_string_equal(name, "wal/000000000000001a.wal");
}

static void
other_names_are_no_numbers(void **state)
{
    static const char *const names[] = {"", ".wal", "0000000000000001", "000000000000001.wal",
        "00000000000000001.wal", "0000000000000001.WAL", "0000000000000001.wal~",
        "000000000000001A.wal", "000000000000000g.wal", "0x00000000000001.wal",
        "+000000000000001.wal", "-000000000000001.wal", " 000000000000001.wal", "lost+found"};
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(wal_format_number(names[i], &number));
}

static void
sizes_round_up_to_pages(void **state)
{
    (void)state;
    assert_int_equal(wal_format_aligned(0), 0);
    assert_int_equal(wal_format_aligned(1), DISK_ALIGN_BYTES);
    assert_int_equal(wal_format_aligned(DISK_ALIGN_BYTES), DISK_ALIGN_BYTES);
    assert_int_equal(wal_format_aligned(DISK_ALIGN_BYTES + 1), 2 * DISK_ALIGN_BYTES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_header_is_read_as_written),
        cmocka_unit_test(every_damaged_bit_of_a_file_header_is_noticed),
        cmocka_unit_test(another_version_is_told_by_number_whatever_follows_it),
        cmocka_unit_test(a_page_of_zeros_is_a_file_that_was_never_used),
        cmocka_unit_test(a_group_header_is_read_as_written_and_only_so),
        cmocka_unit_test(groups_of_a_file_with_another_salt_do_not_check_out),
        cmocka_unit_test(names_are_numbers_and_back),
        cmocka_unit_test(other_names_are_no_numbers),
        cmocka_unit_test(sizes_round_up_to_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
