/* Starts on WALs that are torn, damaged, made by others or hostile: wal_open takes them or refuses
 * them in one line, and never takes a byte for another. Each rig file holds two of the groups of
 * GROUP_BYTES. */
#include "refbroker/log/wal_format.h"

#include "lib/wire/codec_bytes.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/refbroker/log/wal_rig.h"
#include "tests/unit/unit.h"

#define PAGE DISK_ALIGN_BYTES
#define GROUP_BYTES 10000
#define GROUP_PAGES 3

/* The place of the `index`th group (from 0) in its file. */
static int64_t
place_of(int index)
{
    return PAGE + (int64_t)(index % 2) * GROUP_PAGES * PAGE;
}

static void
name_of(char out[WAL_NAME_BYTES], int index)
{
    wal_format_name(out, (uint64_t)index / 2 + 1);
}

static void
flip(struct wal_rig *rig, int index, int64_t offset)
{
    char name[WAL_NAME_BYTES];

    name_of(name, index);
    assert_true(disk_cut_flip(rig->disk, name, place_of(index) + offset, 0x10));
}

static struct disk_file *
open_file(struct wal_rig *rig, uint64_t number)
{
    struct disk_file *file = NULL;
    char name[WAL_NAME_BYTES];

    wal_format_name(name, number);
    assert_int_equal(disk_open(rig->disk, name, DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    return file;
}

static void
assert_refused(struct wal_rig *rig, enum rc rc, const char *words)
{
    const char *wrong = NULL;
    struct err e = {0};

    assert_int_equal(wal_rig_open(rig, &wrong, &e), rc);
    if (strstr(e.text, words) == NULL)
        fail_msg("'%s' does not tell '%s'", e.text, words);
    assert_null(strchr(e.text, '\n'));
}

static void
a_wal_that_was_stopped_in_good_order_starts_without_a_word(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, 5, GROUP_BYTES);
    for (int i = 0; i < 3; i++) {
        log_capture_begin();
        assert_null(wal_rig_start(rig));
        assert_string_equal(log_capture_end(), "");
        assert_int_equal(rig->found_count, 5);
        wal_rig_stop(rig);
    }
}

/* Also in files that were used before, where the bytes of earlier groups lie behind the last one.
 */
static void
old_groups_in_a_file_used_again_are_neither_found_nor_taken_for_torn(void **state)
{
    struct wal_rig *rig = *state;

    for (int i = 0; i < 9; i++) {
        wal_rig_append(rig, 0, GROUP_BYTES);
        wal_rig_settle(rig);
        wal_rig_trim(rig, rig->sequence_max);
        wal_rig_settle(rig);
    }
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    wal_rig_stop(rig);
    log_capture_begin();
    assert_null(wal_rig_start(rig));
    assert_string_equal(log_capture_end(), "");
    assert_in_range(rig->found_count, 1, 2);
}

static void
a_torn_last_group_is_cut_with_one_line(void **state)
{
    /* In the header, the first byte of the payload, its middle, its end. */
    static const int64_t places[] = {0, 17, 31, 32, 60, 5000, 32 + 24 + GROUP_BYTES - 1};

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct wal_rig *rig = wal_rig_new(i);
        const char *text;

        assert_null(wal_rig_start(rig));
        wal_rig_write_groups(rig, 3, GROUP_BYTES);
        flip(rig, 2, places[i]);
        rig->batches[2].state = WAL_RIG_SENT; /* as if it had not been acknowledged */
        log_capture_begin();
        assert_null(wal_rig_start(rig));
        text = log_capture_end();
        assert_int_equal(log_capture_count(text, " WAL-TAIL-CUT file 0000000000000002: "), 1);
        assert_int_equal(log_capture_count(text, "\n"), 1);
        assert_int_equal(rig->found_count, 2);
        wal_rig_write_groups(rig, 1, GROUP_BYTES);
        log_capture_begin();
        assert_null(wal_rig_start(rig));
        assert_string_equal(log_capture_end(), "");
        assert_int_equal(rig->found_count, 3);
        wal_rig_free(rig);
    }
}

static void
a_file_that_ends_anywhere_in_its_last_group_is_cut_there(void **state)
{
    (void)state;
    for (int64_t size = 0; size <= place_of(1) + GROUP_PAGES * PAGE; size += 509) {
        struct wal_rig *rig = wal_rig_new((uint64_t)size);
        struct disk_file *file;
        size_t whole = size >= place_of(1) + 32 + 24 + GROUP_BYTES   ? 2
                       : size >= place_of(0) + 32 + 24 + GROUP_BYTES ? 1
                                                                     : 0;

        assert_null(wal_rig_start(rig));
        wal_rig_write_groups(rig, 2, GROUP_BYTES);
        for (size_t i = whole; i < 2; i++)
            rig->batches[i].state = WAL_RIG_SENT;
        rig->sequence_max = whole;
        file = open_file(rig, 1);
        assert_int_equal(disk_resize(file, size, NULL), RC_OK);
        disk_close(file);
        log_capture_quiet();
        assert_null(wal_rig_start(rig));
        assert_int_equal(rig->found_count, whole);
        wal_rig_append(rig, 0, 100);
        wal_rig_settle(rig);
        wal_rig_crash(rig, true);
        assert_null(wal_rig_start(rig));
        assert_int_equal(rig->found_count, whole + 1);
        wal_rig_free(rig);
    }
}

static void
damage_before_the_last_group_is_refused(void **state)
{
    static const int64_t places[] = {0, 4, 20, 28, 32, 55, 9000};

    (void)state;
    for (int index = 0; index < 4; index++)
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            struct wal_rig *rig = wal_rig_new(i);
            char words[64];

            assert_null(wal_rig_start(rig));
            wal_rig_write_groups(rig, 5, GROUP_BYTES);
            flip(rig, index, places[i]);
            snprintf(words, sizeof words,
                index % 2 == 0 ? "group %d is damaged, and newer groups"
                               : "the files before end with group %d",
                index % 2 == 0 ? index + 1 : index);
            log_capture_quiet();
            assert_refused(rig, RC_CORRUPT, words);
            wal_rig_free(rig);
        }
}

static void
a_missing_file_in_the_middle_is_refused(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, 6, GROUP_BYTES);
    assert_int_equal(disk_remove(rig->disk, "wal/0000000000000002.wal", NULL), RC_OK);
    assert_refused(rig, RC_CORRUPT,
        "WAL file 0000000000000003: it continues group 4, but the files before end with group 2");
}

static void
a_damaged_header_is_refused(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, 3, GROUP_BYTES);
    assert_true(disk_cut_flip(rig->disk, "wal/0000000000000001.wal", 24, 1));
    assert_refused(rig, RC_CORRUPT, "WAL file 0000000000000001: its header is damaged");
}

static void
a_newer_format_is_refused_by_its_number(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, 3, GROUP_BYTES);
    assert_true(disk_cut_flip(rig->disk, "wal/0000000000000002.wal", 11, 3));
    assert_refused(rig, RC_UNSUPPORTED,
        "WAL file 0000000000000002: its format is version 2, this program knows version 1");
}

static void
names_that_are_no_wal_files_are_left_alone(void **state)
{
    struct wal_rig *rig = *state;
    struct disk_file *file = NULL;

    wal_rig_write_groups(rig, 3, GROUP_BYTES);
    assert_int_equal(
        disk_open(rig->disk, "wal/notes.txt", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, "keep me", 7, NULL), RC_OK);
    disk_close(file);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 3);
    assert_int_equal(disk_open(rig->disk, "wal/notes.txt", DISK_READ, &file, NULL), RC_OK);
    disk_close(file);
}

/* A power cut can undo the renaming of a file that is used again and keep its new header: it then
 * stands among the oldest files and claims that everything up to the newest group was durable. */
static void
a_header_under_another_number_does_not_count(void **state)
{
    struct wal_rig *rig = *state;
    uint8_t page[PAGE];
    struct disk_file *file;
    size_t got;

    for (int i = 0; i < 4; i++) {
        wal_rig_append(rig, 0, GROUP_BYTES);
        wal_rig_settle(rig);
    }
    wal_rig_trim(rig, 2);
    wal_rig_settle(rig);
    wal_rig_stop(rig);
    file = open_file(rig, 2);
    assert_int_equal(disk_read(file, 0, page, sizeof page, &got, NULL), RC_OK);
    disk_close(file);
    wal_format_file_header(
        page, &(struct wal_file_header){.number = 3, .after_sequence = 4, .salt = 1});
    file = open_file(rig, 1);
    assert_int_equal(disk_write(file, 0, page, sizeof page, NULL), RC_OK);
    disk_close(file);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 2);
}

static void
a_lost_group_stays_out_once_a_later_one_is_durable(void **state)
{
    struct wal_rig *rig = *state;
    const char *text;

    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 1);
    log_capture_quiet();
    wal_rig_append(rig, 1, 100);
    wal_rig_settle(rig);
    wal_rig_append(rig, 2, 100);
    wal_rig_settle(rig);
    assert_int_equal(rig->lost_count, 1);
    wal_rig_crash(rig, false);
    for (int i = 0; i < 3; i++) {
        log_capture_begin();
        assert_null(wal_rig_start(rig));
        text = log_capture_end();
        assert_int_equal(
            log_capture_count(text, " WAL-LOST-LEFT-OUT file 0000000000000001: group 2"), 1);
        assert_int_equal(rig->found_count, (size_t)i + 2);
        assert_int_equal(rig->batches[1].state, WAL_RIG_GONE);
        wal_rig_append(rig, 1, 100);
        wal_rig_settle(rig);
        assert_true(rig->sequence_max >= 4);
        wal_rig_crash(rig, false);
    }
}

static void
a_lost_group_that_was_the_last_thing_counts_and_is_durable_then(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct wal_rig *rig = wal_rig_new(seed);

        assert_null(wal_rig_start(rig));
        disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 2);
        log_capture_quiet();
        wal_rig_append(rig, 1, 9000);
        wal_rig_settle(rig);
        assert_int_equal(rig->lost_count, 1);
        wal_rig_crash(rig, false);
        assert_null(wal_rig_start(rig));
        assert_int_equal(rig->found_count, 1);
        wal_rig_crash(rig, true);
        assert_null(wal_rig_start(rig));
        assert_int_equal(rig->found_count, 1);
        wal_rig_free(rig);
    }
}

/* A producer knows the format and hides a group with a high sequence in its records, at a page's
 * beginning. Where the real group is torn, the false one must not look like a newer group. */
static void
a_batch_that_looks_like_a_group_is_not_taken_for_one(void **state)
{
    struct wal_rig *rig = *state;
    struct wal_group_header header = {.sequence = 99, .entry_count = 1, .payload_bytes = 24};
    uint8_t payload[24] = {0};
    struct blob *blob = blob_new(3 * PAGE);
    uint8_t *fake = blob->data + PAGE - WAL_GROUP_HEADER_BYTES - WAL_ENTRY_BYTES;
    struct cached_batch *batch;
    const char *text;

    memset(blob->data, 0, blob->size);
    header.crc = wal_format_crc(0, 99, payload, sizeof payload);
    wal_format_group_header(fake, 0, &header);
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    batch = cache_add(rig->partitions[1], blob, blob->data, (uint32_t)blob->size, 1, 1, 1);
    rig->batch_count++;
    rig->batches[1] = (struct wal_rig_batch){.size = 0, .partition = 1};
    wal_append(rig->wal, batch);
    wal_rig_settle(rig);
    assert_int_equal(rig->durable_count, 2);
    rig->batches[1].state = WAL_RIG_SENT;
    wal_rig_stop(rig);
    /* The second group lies in the third page of the file. */
    assert_true(disk_cut_flip(rig->disk, "wal/0000000000000001.wal", 2 * PAGE + 40, 1));
    log_capture_begin();
    assert_null(wal_rig_start(rig));
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, " WAL-TAIL-CUT "), 1);
    assert_int_equal(rig->found_count, 1);
    blob_unref(blob);
}

static void
a_read_that_fails_or_breaks_off_refuses_the_start(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t reads;

    wal_rig_write_groups(rig, 5, GROUP_BYTES);
    reads = disk_cut_counts(rig->disk)->reads;
    assert_null(wal_rig_start(rig));
    reads = disk_cut_counts(rig->disk)->reads - reads;
    wal_rig_stop(rig);
    /* Headers, where an index may be, files; and the last group with its header. */
    assert_int_equal(reads, 3 + 3 + 3 + 2);
    for (uint64_t n = 1; n <= reads; n++) {
        disk_cut_fault(rig->disk, DISK_CUT_FAIL_READ, n);
        assert_refused(rig, RC_IO, "WAL file 000000000000000");
        disk_cut_fault(rig->disk, DISK_CUT_SHORT_READ, n);
        assert_refused(rig, RC_TRUNCATED, "bytes were read of");
    }
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 5);
}

static void
a_start_whose_own_sync_fails_is_refused(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, 3, GROUP_BYTES);
    for (uint64_t n = 1; n <= 2; n++) {
        disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, n);
        assert_refused(rig, RC_IO, "a sync failed");
    }
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 3);
}

static enum rc
found_refuses(void *arg, const struct wal_found_batch *batch, struct err *e)
{
    (void)arg;
    return batch->sequence < 2 ? RC_OK : err_set(e, RC_LIMIT, "the broker wants no more");
}

static void
an_error_of_the_owner_ends_the_start_and_is_told(void **state)
{
    struct wal_rig *rig = *state;
    struct wal_options options = {.disk = rig->disk, .work = work_new(1, false, NULL, NULL)};
    struct wal_scan scan;
    struct err e = {0};

    wal_rig_write_groups(rig, 3, GROUP_BYTES);
    assert_int_equal(wal_recover_scan(&options, found_refuses, NULL, &scan, &e), RC_LIMIT);
    work_free(options.work);
    assert_string_equal(e.text, "WAL file 0000000000000001: the broker wants no more");
    free(scan.files);
    assert_null(wal_rig_start(rig));
}

/* Whatever a byte of the files is changed to, the start is refused or only the tail is gone; no
 * batch comes out changed, and nothing reads where it must not (the sanitizers watch). */
static void
random_damage_never_goes_unnoticed(void **state)
{
    int refused = 0, cut = 0;

    (void)state;
    log_capture_quiet();
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct wal_rig *rig = wal_rig_new(seed);
        const char *wrong = NULL;
        char name[WAL_NAME_BYTES];
        struct env env;
        enum rc rc;

        env_init_seeded(&env, seed, 0);
        assert_null(wal_rig_start(rig));
        wal_rig_write_groups(rig, 4, GROUP_BYTES);
        for (size_t id = 0; id < rig->batch_count; id++)
            rig->batches[id].state = WAL_RIG_SENT;
        for (uint64_t n = env_random_below(&env, 4); n < 4; n++) {
            wal_format_name(name, 1 + env_random_below(&env, 2));
            assert_true(disk_cut_flip(rig->disk, name,
                (int64_t)(env_random_below(&env, 7) * PAGE + env_random_below(&env, 64)),
                (uint8_t)(1 + env_random_below(&env, 255))));
        }
        rc = wal_rig_open(rig, &wrong, NULL);
        assert_null(wrong);
        assert_true(rc == RC_OK || rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
        refused += rc != RC_OK;
        cut += rc == RC_OK && rig->found_count < 4;
        wal_rig_free(rig);
    }
    assert_true(refused > 100 && cut > 30);
}

/* A group that checks out and lies about its entries: only a wrong program writes one, and it must
 * not make the next one read outside. */
static void
a_group_that_lies_about_its_entries_is_refused(void **state)
{
    static const struct {
        uint32_t entry_count, payload_bytes, size;
    } lies[] = {{1, 23, 0}, {1, 24, 1}, {1, 100, 77}, {2, 100, 76}, {1, 100, UINT32_MAX},
        {UINT32_MAX, 100, 76}, {0, 100, 76}, {1, 100, 75}};
    uint8_t page[2 * PAGE];

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct wal_rig *rig = wal_rig_new(i);
        struct wal_group_header group = {.sequence = 1,
            .entry_count = lies[i].entry_count,
            .payload_bytes = lies[i].payload_bytes};
        struct disk_file *file;

        memset(page, 0, sizeof page);
        wal_format_file_header(page, &(struct wal_file_header){.number = 1, .salt = 7});
        codec_bytes_put_int32(page + PAGE + 32 + 20, (int32_t)lies[i].size);
        group.crc = wal_format_crc(7, 1, page + PAGE + 32, group.payload_bytes);
        wal_format_group_header(page + PAGE, 7, &group);
        assert_int_equal(disk_make_folder(rig->disk, WAL_FOLDER, NULL), RC_OK);
        file = open_file(rig, 1);
        assert_int_equal(disk_write(file, 0, page, sizeof page, NULL), RC_OK);
        disk_close(file);
        assert_refused(rig, RC_CORRUPT, "group 1 is malformed");
        wal_rig_free(rig);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wal_rig_setup, wal_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wal_that_was_stopped_in_good_order_starts_without_a_word),
        TEST(old_groups_in_a_file_used_again_are_neither_found_nor_taken_for_torn),
        cmocka_unit_test(a_torn_last_group_is_cut_with_one_line),
        cmocka_unit_test(a_file_that_ends_anywhere_in_its_last_group_is_cut_there),
        cmocka_unit_test(damage_before_the_last_group_is_refused),
        TEST(a_missing_file_in_the_middle_is_refused),
        TEST(a_damaged_header_is_refused),
        TEST(a_newer_format_is_refused_by_its_number),
        TEST(names_that_are_no_wal_files_are_left_alone),
        TEST(a_header_under_another_number_does_not_count),
        TEST(a_lost_group_stays_out_once_a_later_one_is_durable),
        cmocka_unit_test(a_lost_group_that_was_the_last_thing_counts_and_is_durable_then),
        TEST(a_batch_that_looks_like_a_group_is_not_taken_for_one),
        TEST(a_read_that_fails_or_breaks_off_refuses_the_start),
        TEST(a_start_whose_own_sync_fails_is_refused),
        TEST(an_error_of_the_owner_ends_the_start_and_is_told),
        cmocka_unit_test(random_damage_never_goes_unnoticed),
        cmocka_unit_test(a_group_that_lies_about_its_entries_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
