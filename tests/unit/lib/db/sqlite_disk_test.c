/* The seam between sqlite and a struct disk; what it is for is tested through db (db_test.c,
 * db_cut_test.c). */
#include "lib/db/sqlite_disk.h"

#include "lib/db/db.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

static int
setup(void **state)
{
    *state = disk_cut_new(1);
    return 0;
}

static int
teardown(void **state)
{
    disk_free(*state);
    return 0;
}

static void
every_disk_has_a_name_of_its_own(void **state)
{
    struct sqlite_disk *a = sqlite_disk_new(*state), *b = sqlite_disk_new(*state);

    assert_string_not_equal(sqlite_disk_name(a), sqlite_disk_name(b));
    sqlite_disk_free(a);
    sqlite_disk_free(b);
    sqlite_disk_free(NULL);
}

static void
two_databases_of_one_disk_do_not_mix(void **state)
{
    struct db *a = NULL, *b = NULL;

    assert_int_equal(db_open_sqlite(*state, "a", &a, NULL), RC_OK);
    assert_int_equal(db_open_sqlite(*state, "b", &b, NULL), RC_OK);
    assert_int_equal(db_execute(a, "CREATE TABLE t (x)", NULL), RC_OK);
    assert_int_equal(db_execute(b, "CREATE TABLE t (x)", NULL), RC_OK);
    assert_int_equal(db_execute(a, "INSERT INTO t VALUES (1)", NULL), RC_OK);
    db_close(a);
    assert_int_equal(db_execute(b, "INSERT INTO t VALUES (2)", NULL), RC_OK);
    db_close(b);
}

static void
nothing_is_settled_where_no_log_is(void **state)
{
    struct sqlite_disk *vfs = sqlite_disk_new(*state);
    uint64_t steps = disk_cut_counts(*state)->steps;
    struct err e = {0};

    assert_int_equal(sqlite_disk_settle(vfs, "a", &e), RC_OK);
    assert_int_equal(e.code, RC_OK);
    assert_int_equal(disk_cut_counts(*state)->steps, steps);
    sqlite_disk_free(vfs);
}

static void
a_settled_log_is_the_same_and_durable(void **state)
{
    enum { SIZE = 600000 };
    struct sqlite_disk *vfs = sqlite_disk_new(*state);
    struct disk_file *file = NULL;
    uint8_t *bytes = malloc(SIZE), *got = malloc(SIZE);
    size_t n;

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 1000);
    assert_int_equal(disk_open(*state, "a-wal", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, bytes, SIZE, NULL), RC_OK);
    disk_close(file);
    assert_int_equal(sqlite_disk_settle(vfs, "a", NULL), RC_OK);
    disk_cut_power(*state);
    assert_int_equal(disk_open(*state, "a-wal", DISK_READ, &file, NULL), RC_OK);
    assert_int_equal(disk_read(file, 0, got, SIZE, &n, NULL), RC_OK);
    assert_int_equal(n, SIZE);
    assert_memory_equal(got, bytes, SIZE);
    disk_close(file);
    sqlite_disk_free(vfs);
    free(bytes);
    free(got);
}

static void
a_log_that_cannot_be_settled_refuses_the_database(void **state)
{
    struct disk_file *file = NULL;
    struct db *db = NULL;
    struct err e = {0};

    assert_int_equal(disk_open(*state, "a-wal", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, "12345678", 8, NULL), RC_OK);
    disk_close(file);
    disk_cut_fault(*state, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(db_open_sqlite(*state, "a", &db, &e), RC_IO);
    assert_string_equal(e.text, "database a: a sync failed");
    disk_cut_fault(*state, DISK_CUT_FAIL_READ, 1);
    assert_int_equal(db_open_sqlite(*state, "a", &db, &e), RC_IO);
    assert_null(db);
}

static void
a_database_in_a_folder_survives_with_its_name(void **state)
{
    struct db *db = NULL;

    assert_int_equal(disk_make_folder(*state, "f", NULL), RC_OK);
    assert_int_equal(disk_sync_folder(*state, "", NULL), RC_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(db_open_sqlite(*state, "f/a", &db, NULL), RC_OK);
        assert_int_equal(
            db_execute(db, i == 0 ? "CREATE TABLE t (x)" : "INSERT INTO t VALUES (1)", NULL),
            RC_OK);
        disk_cut_stop_at(*state, 1);
        db_close(db);
        disk_cut_power(*state);
    }
}

static void
an_error_is_told_once(void **state)
{
    struct sqlite_disk *vfs = sqlite_disk_new(*state);
    struct err e = sqlite_disk_take_error(vfs);

    assert_int_equal(e.code, RC_OK);
    sqlite_disk_free(vfs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_disk_has_a_name_of_its_own),
        TEST(two_databases_of_one_disk_do_not_mix),
        TEST(nothing_is_settled_where_no_log_is),
        TEST(a_settled_log_is_the_same_and_durable),
        TEST(a_log_that_cannot_be_settled_refuses_the_database),
        TEST(a_database_in_a_folder_survives_with_its_name),
        TEST(an_error_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
