/* Objects in a folder: what was put around the batches is read again, and damage is found. */
#include "refbroker/log/object.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/crc32c.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

#define KEY "object"
#define RUNS 2
#define BATCHES 3
#define BATCH_BYTES ((size_t)100)
#define OBJECT_BYTES                                                                               \
    (OBJECT_HEADER_BYTES + BATCHES * BATCH_BYTES + RUNS * OBJECT_ENTRY_BYTES + OBJECT_FOOTER_BYTES)

struct rig {
    char folder[TEMP_FOLDER_BYTES_MAX];
    struct disk *disk;
    struct store *store;
    uint8_t batches[BATCHES][BATCH_BYTES];
    struct pieces_item places[BATCHES];
    struct object_run runs[RUNS];
    uint8_t object[OBJECT_BYTES];
    struct err err;
};

/* Two batches of one partition, one of another. */
static void
make(struct rig *rig)
{
    for (size_t i = 0; i < BATCHES; i++) {
        memset(rig->batches[i], (int)('a' + i), BATCH_BYTES);
        rig->places[i] = (struct pieces_item){rig->batches[i], BATCH_BYTES};
    }
    for (size_t i = 0; i < RUNS; i++) {
        size_t batches = i == 0 ? 2 : 1;

        memset(&rig->runs[i].topic_id, (int)(i + 1), sizeof rig->runs[i].topic_id);
        rig->runs[i].partition = 7 + (int32_t)i;
        rig->runs[i].run = (struct run){.base_offset = 1000,
            .last_offset = 1009,
            .max_timestamp = 1700000000000,
            .log_append_time = -1,
            .position = (int64_t)(OBJECT_HEADER_BYTES + i * 2 * BATCH_BYTES),
            .size = (uint32_t)(batches * BATCH_BYTES),
            .crc = 0x89abcdefu + (uint32_t)i};
    }
}

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    temp_folder_make(rig->folder);
    assert_int_equal(disk_open_real(rig->folder, &rig->disk, NULL), RC_OK);
    assert_int_equal(store_open_folder(rig->disk, "objects", &rig->store, NULL), RC_OK);
    make(rig);
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    store_free(rig->store);
    disk_free(rig->disk);
    temp_folder_remove(rig->folder);
    free(rig);
    return 0;
}

static void
put(struct rig *rig)
{
    size_t bytes = 0;

    assert_int_equal(
        object_put(rig->store, KEY, rig->places, BATCHES, rig->runs, RUNS, &bytes, NULL), RC_OK);
    assert_int_equal(bytes, OBJECT_BYTES);
    assert_int_equal(store_get(rig->store, KEY, 0, rig->object, bytes, NULL), RC_OK);
}

static enum rc
parse(struct rig *rig, size_t size)
{
    struct object_run *runs;
    size_t count;
    enum rc rc;

    err_clear(&rig->err);
    rc = object_parse(rig->object, size, &runs, &count, &rig->err);
    if (rc == RC_OK) {
        assert_int_equal(count, RUNS);
        assert_memory_equal(runs, rig->runs, sizeof rig->runs);
    }
    free(runs);
    return rc;
}

static void
batches_lie_where_the_runs_say_and_the_index_tells_them(void **state)
{
    struct rig *rig = *state;

    put(rig);
    for (size_t i = 0; i < BATCHES; i++)
        assert_memory_equal(
            rig->object + OBJECT_HEADER_BYTES + i * BATCH_BYTES, rig->batches[i], BATCH_BYTES);
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_OK);
}

static void
an_object_may_have_no_runs_of_its_own(void **state)
{
    struct rig *rig = *state;
    struct object_run *runs;
    size_t bytes, count = 9;

    assert_int_equal(
        object_put(rig->store, KEY, rig->places, BATCHES, NULL, 0, &bytes, NULL), RC_OK);
    assert_int_equal(store_get(rig->store, KEY, 0, rig->object, bytes, NULL), RC_OK);
    assert_int_equal(object_parse(rig->object, bytes, &runs, &count, NULL), RC_OK);
    assert_int_equal(count, 0);
    free(runs);
}

static void
what_the_store_refuses_comes_back(void **state)
{
    struct rig *rig = *state;
    size_t bytes;

    assert_int_not_equal(
        object_put(rig->store, "../key", rig->places, BATCHES, NULL, 0, &bytes, &rig->err), RC_OK);
    assert_string_not_equal(rig->err.text, "");
}

static void
whatever_byte_of_index_or_footer_is_damaged_is_noticed(void **state)
{
    struct rig *rig = *state;

    put(rig);
    for (size_t at = OBJECT_HEADER_BYTES + BATCHES * BATCH_BYTES; at < OBJECT_BYTES; at++)
        for (int bit = 0; bit < 8; bit++) {
            rig->object[at] ^= (uint8_t)(1 << bit);
            assert_int_equal(parse(rig, OBJECT_BYTES), RC_CORRUPT);
            rig->object[at] ^= (uint8_t)(1 << bit);
        }
    rig->object[0] ^= 1;
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_CORRUPT);
}

static void
an_object_that_is_cut_is_noticed(void **state)
{
    struct rig *rig = *state;

    put(rig);
    for (size_t size = 0; size < OBJECT_BYTES; size++)
        assert_int_equal(parse(rig, size), RC_CORRUPT);
}

static void
a_newer_format_is_not_read(void **state)
{
    struct rig *rig = *state;

    put(rig);
    rig->object[11]++;
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_UNSUPPORTED);
}

static void
a_run_that_makes_no_sense_is_refused(void **state)
{
    struct rig *rig = *state;
    struct run right = rig->runs[0].run;

    rig->runs[0].run.last_offset = right.base_offset - 1;
    put(rig);
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_CORRUPT);
    rig->runs[0].run = right;
    rig->runs[0].run.position = OBJECT_HEADER_BYTES - 1;
    put(rig);
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_CORRUPT);
    rig->runs[0].run = right;
    rig->runs[0].run.size = (uint32_t)(BATCHES * BATCH_BYTES + 1);
    put(rig);
    assert_int_equal(parse(rig, OBJECT_BYTES), RC_CORRUPT);
}

/* A store that holds the checksum it is told against the bytes. */
static enum rc
spy_put(struct store *store, const char *key, const struct pieces *pieces, struct err *e)
{
    uint32_t crc = 0;

    (void)store;
    (void)key;
    (void)e;
    assert_true(pieces->has_crc32c);
    for (size_t i = 0; i < pieces->count; i++)
        crc = crc32c_extend(crc, pieces->items[i].data, pieces->items[i].size);
    assert_int_equal(pieces->crc32c, crc);
    return RC_OK;
}

static void
the_checksum_of_an_object_comes_from_its_runs_or_its_batches(void **state)
{
    static const struct store_ops ops = {.put = spy_put};
    struct store spy = {.ops = &ops};
    struct rig *rig = *state;
    size_t bytes;

    rig->runs[0].run.crc =
        crc32c_extend(crc32c_of(rig->batches[0], BATCH_BYTES), rig->batches[1], BATCH_BYTES);
    rig->runs[1].run.crc = crc32c_of(rig->batches[2], BATCH_BYTES);
    assert_int_equal(
        object_put(&spy, KEY, rig->places, BATCHES, rig->runs, RUNS, &bytes, NULL), RC_OK);
    assert_int_equal(object_put(&spy, KEY, rig->places, BATCHES, NULL, 0, &bytes, NULL), RC_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            batches_lie_where_the_runs_say_and_the_index_tells_them, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_may_have_no_runs_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_store_refuses_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whatever_byte_of_index_or_footer_is_damaged_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_that_is_cut_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_format_is_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_that_makes_no_sense_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_checksum_of_an_object_comes_from_its_runs_or_its_batches, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
