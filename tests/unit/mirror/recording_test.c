/* Files are written by the writer and then bent by hand; every way in which one can be damaged must
 * be told, none may be believed. */
#include "mirror/recording.h"

#include <fcntl.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

#define MAGIC_BYTES 8

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 16];

static int
setup(void **state)
{
    (void)state;
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/sample", folder);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

static struct wire_string
text(const char *value)
{
    return (struct wire_string){value, (int32_t)strlen(value)};
}

static void
put_topic(struct recording_writer *writer, const char *name)
{
    struct km_recording_topic_partition partition = {7, 9};
    struct km_recording_topic_config config = {text("cleanup.policy"), text("compact")};
    struct km_recording_topic topic = {text(name), {&config, 1}, {&partition, 1}};

    assert_int_equal(recording_put(writer, &km_recording_topic_message, &topic, NULL), RC_OK);
}

static void
put_batches(struct recording_writer *writer, const char *name, const void *data, size_t size)
{
    struct km_recording_batches batches = {text(name), 3, {data, NULL, (int32_t)size, 0}};

    assert_int_equal(recording_put(writer, &km_recording_batches_message, &batches, NULL), RC_OK);
}

static uint64_t
write_sample(void)
{
    struct recording_writer *writer;
    uint64_t bytes = 0;

    assert_int_equal(recording_create(path, &writer, NULL), RC_OK);
    put_topic(writer, "orders");
    put_batches(writer, "orders", "some batches", 12);
    assert_int_equal(recording_finish_take(&writer, &bytes, NULL), RC_OK);
    assert_null(writer);
    return bytes;
}

/* Reads to the end; returns what the first failed call says, or RC_OK. */
static enum rc
read_all(struct err *e)
{
    const struct wire_message *message = NULL;
    struct recording_reader *reader;
    const void *body;
    enum rc rc = recording_open(path, &reader, e);

    if (rc != RC_OK)
        return rc;
    do
        rc = recording_next(reader, &message, &body, e);
    while (rc == RC_OK && message != NULL);
    recording_close(reader);
    return rc;
}

static void
poke(off_t at, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, size, at), (ssize_t)size);
    close(fd);
}

static void
what_was_put_comes_back_in_order(void **state)
{
    const struct km_recording_topic *topic;
    const struct km_recording_batches *batches;
    const struct wire_message *message;
    struct recording_reader *reader;
    const void *body;
    uint64_t bytes = write_sample();
    struct err e = {0};

    (void)state;
    assert_int_equal(recording_open(path, &reader, NULL), RC_OK);
    assert_int_equal(recording_next(reader, &message, &body, NULL), RC_OK);
    assert_ptr_equal(message, &km_recording_topic_message);
    topic = body;
    assert_int_equal(topic->partitions.count, 1);
    assert_int_equal(topic->partitions.items[0].end_offset, 9);
    assert_memory_equal(topic->configs.items[0].value.data, "compact", 7);
    assert_int_equal(recording_next(reader, &message, &body, NULL), RC_OK);
    assert_ptr_equal(message, &km_recording_batches_message);
    batches = body;
    assert_int_equal(batches->partition, 3);
    assert_int_equal(batches->records.size, 12);
    assert_memory_equal(batches->records.data, "some batches", 12);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(recording_next(reader, &message, &body, NULL), RC_OK);
        assert_null(message);
    }
    recording_close(reader);
    assert_int_equal(truncate(path, (off_t)bytes), 0);
    assert_int_equal(read_all(&e), RC_OK);
}

static void
a_file_has_its_name_only_when_it_is_finished(void **state)
{
    struct recording_writer *writer;
    char unfinished[sizeof path + 8];

    (void)state;
    snprintf(unfinished, sizeof unfinished, "%s.tmp", path);
    assert_int_equal(recording_create(path, &writer, NULL), RC_OK);
    put_topic(writer, "orders");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(unfinished, F_OK), 0);
    recording_give_up(writer);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(unfinished, F_OK), 0);
    recording_give_up(NULL);
}

static void
a_file_that_cannot_be_written_or_read_is_told(void **state)
{
    char nowhere[] = "/nonexistent-folder/sample";
    struct recording_writer *writer;
    struct recording_reader *reader;
    struct err e = {0};

    (void)state;
    assert_int_equal(recording_create(nowhere, &writer, &e), RC_IO);
    assert_non_null(strstr(e.text, nowhere));
    assert_int_equal(recording_open(path, &reader, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.text, path));
}

static void
a_file_cut_anywhere_is_damaged(void **state)
{
    uint64_t bytes = write_sample();
    struct err e = {0};

    (void)state;
    for (uint64_t size = bytes; size-- > 0;) {
        assert_int_equal(truncate(path, (off_t)size), 0);
        assert_int_equal(read_all(&e), RC_CORRUPT);
    }
}

static void
a_file_with_more_behind_its_end_is_damaged(void **state)
{
    uint64_t bytes = write_sample();
    struct err e = {0};

    (void)state;
    poke((off_t)bytes, "x", 1);
    assert_int_equal(read_all(&e), RC_CORRUPT);
}

static void
entries_that_are_none_are_damaged(void **state)
{
    static const uint8_t unknown_type[] = {0x12, 0x34};
    static const uint8_t sizes[][4] = {
        {0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0x04, 0x00, 0x00, 0x01}};
    struct err e = {0};

    (void)state;
    write_sample();
    poke(MAGIC_BYTES, unknown_type, sizeof unknown_type);
    assert_int_equal(read_all(&e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "entry 0"));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        write_sample();
        poke(MAGIC_BYTES + 2, sizes[i], sizeof sizes[i]);
        assert_int_equal(read_all(&e), RC_CORRUPT);
    }
    write_sample();
    poke(0, "KDL", 3);
    assert_int_equal(read_all(&e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "no recording"));
}

/* An entry may claim 64 MiB; without the bytes it must not get the memory. */
static void
a_large_claim_without_bytes_is_cut(void **state)
{
    static const uint8_t claim[] = {0x03, 0xff, 0xff, 0xff};
    struct err e = {0};

    (void)state;
    write_sample();
    poke(MAGIC_BYTES + 2, claim, sizeof claim);
    assert_int_equal(read_all(&e), RC_CORRUPT);
}

static void
any_flipped_bit_is_refused_or_harmless(void **state)
{
    uint64_t bytes = write_sample();
    uint8_t *all = xmalloc(bytes);
    FILE *file = fopen(path, "rb");
    struct err e = {0};

    (void)state;
    assert_non_null(file);
    assert_int_equal(fread(all, 1, bytes, file), bytes);
    fclose(file);
    for (uint64_t bit = 0; bit < bytes * 8; bit++) {
        uint8_t bent = (uint8_t)(all[bit / 8] ^ (1U << bit % 8));
        enum rc rc;

        poke((off_t)(bit / 8), &bent, 1);
        rc = read_all(&e);
        assert_true(rc == RC_OK || rc == RC_CORRUPT || rc == RC_PROTOCOL || rc == RC_TRUNCATED);
        poke((off_t)(bit / 8), &all[bit / 8], 1);
    }
    free(all);
}

static void
an_entry_has_a_limit(void **state)
{
    size_t size = RECORDING_ENTRY_BYTES_MAX + 1;
    uint8_t *large = xcalloc(size, 1);
    struct km_recording_batches batches = {text("orders"), 0, {large, NULL, (int32_t)size, 0}};
    struct recording_writer *writer;
    struct err e = {0};

    (void)state;
    assert_int_equal(recording_create(path, &writer, NULL), RC_OK);
    assert_int_equal(recording_put(writer, &km_recording_batches_message, &batches, &e), RC_LIMIT);
    recording_give_up(writer);
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_comes_back_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_has_its_name_only_when_it_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_that_cannot_be_written_or_read_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_is_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_with_more_behind_its_end_is_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_that_are_none_are_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_claim_without_bytes_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(any_flipped_bit_is_refused_or_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_has_a_limit, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
