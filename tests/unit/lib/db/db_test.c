/* SQL through db.h: statements, transactions, migrations, and what goes wrong. Crashes are in
 * db_cut_test.c. */
#include "lib/db/db.h"

#include "tests/sim/disk_cut.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

static struct disk *disk;

static struct db *
open_db(void)
{
    struct db *db = NULL;
    struct err e = {0};

    if (db_open_sqlite(disk, "test.sqlite", &db, &e) != RC_OK)
        fail_msg("%s", e.text);
    return db;
}

static int
setup(void **state)
{
    disk = disk_cut_new(1);
    *state = open_db();
    return 0;
}

static int
teardown(void **state)
{
    db_close(*state);
    db_close(NULL);
    disk_free(disk);
    return 0;
}

static void
run(struct db *db, const char *sql)
{
    struct err e = {0};

    if (db_execute(db, sql, &e) != RC_OK)
        fail_msg("%s: %s", sql, e.text);
}

static int64_t
number_of(struct db *db, const char *sql)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t number;

    assert_int_equal(db_prepare(db, sql, &statement, NULL), RC_OK);
    assert_int_equal(db_step(statement, &row, NULL), RC_OK);
    assert_true(row);
    number = db_column_int(statement, 0);
    db_reset(statement);
    return number;
}

static void
values_come_back_as_they_were_bound(void **state)
{
    struct db *db = *state;
    struct db_statement *put = NULL, *get = NULL;
    uint8_t blob[] = {0, 1, 0xff, 0};
    const void *bytes;
    size_t size = 99;
    bool row;

    run(db, "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d, e BLOB, f TEXT)");
    assert_int_equal(
        db_prepare(db, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &put, NULL), RC_OK);
    db_bind_int(put, 1, INT64_MIN);
    db_bind_text(put, 2, "text beyond", 4);
    db_bind_blob(put, 3, blob, sizeof blob);
    db_bind_null(put, 4);
    db_bind_blob(put, 5, NULL, 0);
    db_bind_text(put, 6, "", 0);
    assert_int_equal(db_run(put, NULL), RC_OK);
    assert_int_equal(db_prepare(db, "SELECT a, b, c, d, e, f FROM t", &get, NULL), RC_OK);
    assert_int_equal(db_step(get, &row, NULL), RC_OK);
    assert_true(row);
    assert_true(db_column_int(get, 0) == INT64_MIN);
    assert_string_equal(db_column_text(get, 1), "text");
    bytes = db_column_bytes(get, 2, &size);
    assert_int_equal(size, sizeof blob);
    assert_memory_equal(bytes, blob, sizeof blob);
    assert_true(db_column_is_null(get, 3));
    assert_string_equal(db_column_text(get, 3), "");
    assert_int_equal(db_column_int(get, 3), 0);
    assert_false(db_column_is_null(get, 4));
    (void)db_column_bytes(get, 4, &size);
    assert_int_equal(size, 0);
    assert_false(db_column_is_null(get, 5));
    assert_int_equal(db_step(get, &row, NULL), RC_OK);
    assert_false(row);
    db_reset(get);
}

static void
a_statement_is_used_again_and_remembers_no_binding(void **state)
{
    struct db *db = *state;
    struct db_statement *put = NULL;

    run(db, "CREATE TABLE t (a)");
    assert_int_equal(db_prepare(db, "INSERT INTO t VALUES (?1)", &put, NULL), RC_OK);
    for (int i = 0; i < 10; i++) {
        db_bind_int(put, 1, i);
        assert_int_equal(db_run(put, NULL), RC_OK);
    }
    assert_int_equal(db_run(put, NULL), RC_OK);
    assert_int_equal(number_of(db, "SELECT sum(a) FROM t"), 45);
    assert_int_equal(number_of(db, "SELECT count(*) FROM t WHERE a IS NULL"), 1);
}

static void
a_broken_constraint_is_a_conflict_and_the_statement_goes_on(void **state)
{
    struct db *db = *state;
    struct db_statement *put = NULL;
    struct err e = {0};

    run(db, "CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE TABLE u (b REFERENCES t)");
    assert_int_equal(db_prepare(db, "INSERT INTO t VALUES (?1)", &put, NULL), RC_OK);
    db_bind_int(put, 1, 7);
    assert_int_equal(db_run(put, NULL), RC_OK);
    db_bind_int(put, 1, 7);
    assert_int_equal(db_run(put, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "UNIQUE constraint failed: t.a"));
    assert_non_null(strstr(e.text, "INSERT INTO t"));
    db_bind_int(put, 1, 8);
    assert_int_equal(db_run(put, NULL), RC_OK);
    /* Foreign keys are on. */
    assert_int_equal(db_execute(db, "INSERT INTO u VALUES (99)", NULL), RC_CONFLICT);
}

static void
wrong_sql_is_an_error_with_its_text(void **state)
{
    struct db_statement *statement = NULL;
    struct err e = {0};

    assert_int_equal(db_execute(*state, "CREATE TABEL t (a)", &e), RC_IO);
    assert_string_equal(e.text, "near \"TABEL\": syntax error (CREATE TABEL t (a))");
    assert_int_equal(db_prepare(*state, "SELECT a FROM nowhere", &statement, &e), RC_IO);
    assert_non_null(strstr(e.text, "no such table: nowhere"));
    assert_null(statement);
}

static void
a_transaction_is_whole_or_nothing(void **state)
{
    struct db *db = *state;

    run(db, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
    assert_int_equal(db_begin(db, NULL), RC_OK);
    run(db, "INSERT INTO t VALUES (1)");
    db_rollback(db);
    assert_int_equal(number_of(db, "SELECT count(*) FROM t"), 0);
    db_rollback(db);
    assert_int_equal(db_begin(db, NULL), RC_OK);
    assert_int_equal(db_begin(db, NULL), RC_IO);
    run(db, "INSERT INTO t VALUES (1)");
    assert_int_equal(db_commit(db, NULL), RC_OK);
    assert_int_equal(db_commit(db, NULL), RC_IO);
    assert_int_equal(number_of(db, "SELECT count(*) FROM t"), 1);
}

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"},
    {2, "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1"},
    {5, "CREATE TABLE u (c)"},
};

static void
migrations_run_once_and_in_order(void **state)
{
    struct db *db = *state;

    assert_int_equal(db_migrate(db, migrations, 1, NULL), RC_OK);
    assert_int_equal(db_migrate(db, migrations, 3, NULL), RC_OK);
    assert_int_equal(db_migrate(db, migrations, 3, NULL), RC_OK);
    assert_int_equal(number_of(db, "SELECT b FROM t"), 2);
    assert_int_equal(number_of(db, "SELECT max(version) FROM schema_version"), 5);
    assert_int_equal(number_of(db, "SELECT count(*) FROM schema_version"), 3);
}

static void
a_newer_schema_is_refused(void **state)
{
    struct err e = {0};

    assert_int_equal(db_migrate(*state, migrations, 3, NULL), RC_OK);
    assert_int_equal(db_migrate(*state, migrations, 2, &e), RC_UNSUPPORTED);
    assert_string_equal(e.text, "schema of the database: its format is version 5, this program "
                                "knows versions up to 2");
    assert_int_equal(db_migrate(*state, migrations, 2, NULL), RC_UNSUPPORTED);
    assert_int_equal(db_migrate(*state, NULL, 0, NULL), RC_UNSUPPORTED);
}

static void
a_failed_migration_leaves_the_one_before(void **state)
{
    static const struct db_migration broken[] = {
        {1, "CREATE TABLE t (a)"}, {2, "CREATE TABLE u (b); CREATE TABLE t (a)"}};
    struct db *db = *state;

    assert_int_equal(db_migrate(db, broken, 2, NULL), RC_IO);
    assert_int_equal(number_of(db, "SELECT max(version) FROM schema_version"), 1);
    assert_int_equal(
        number_of(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('t', 'u')"), 1);
}

static void
what_was_committed_is_there_when_it_is_opened_again(void **state)
{
    run(*state, "CREATE TABLE t (a); INSERT INTO t VALUES (42)");
    assert_int_equal(db_begin(*state, NULL), RC_OK);
    run(*state, "INSERT INTO t VALUES (43)");
    db_close(*state);
    *state = open_db();
    assert_int_equal(number_of(*state, "SELECT sum(a) FROM t"), 42);
}

static void
a_file_that_is_no_database_is_corrupt(void **state)
{
    struct disk_file *file = NULL;
    struct db *db = NULL;
    char junk[8192];
    struct err e = {0};

    (void)state;
    memset(junk, 'j', sizeof junk);
    assert_int_equal(disk_open(disk, "junk", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, junk, sizeof junk, NULL), RC_OK);
    disk_close(file);
    assert_int_equal(db_open_sqlite(disk, "junk", &db, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "database junk: file is not a database"));
    assert_int_equal(db_open_sqlite(disk, "junk", &db, NULL), RC_CORRUPT);
    assert_null(db);
}

static void
a_database_that_cannot_be_reached_is_an_error_with_its_cause(void **state)
{
    char name[600];
    struct db *db = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(db_open_sqlite(disk, "no/where", &db, &e), RC_IO);
    assert_non_null(strstr(e.text, "database no/where: unable to open database file: cannot"));
    memset(name, 'n', sizeof name);
    name[599] = '\0';
    assert_int_equal(db_open_sqlite(disk, name, &db, NULL), RC_LIMIT);
}

static void
without_space_a_commit_fails_whole_and_works_again_later(void **state)
{
    struct db *db = *state;
    struct err e = {0};

    run(db, "CREATE TABLE t (a BLOB)");
    disk_cut_limit(disk, 16384);
    assert_int_equal(db_begin(db, NULL), RC_OK);
    run(db, "INSERT INTO t VALUES (zeroblob(100000))");
    assert_int_equal(db_commit(db, &e), RC_NO_SPACE);
    assert_non_null(strstr(e.text, "no space for"));
    assert_int_equal(number_of(db, "SELECT count(*) FROM t"), 0);
    disk_cut_limit(disk, UINT64_MAX);
    assert_int_equal(db_begin(db, NULL), RC_OK);
    run(db, "INSERT INTO t VALUES (zeroblob(100000))");
    assert_int_equal(db_commit(db, &e), RC_OK);
    assert_int_equal(number_of(db, "SELECT count(*) FROM t"), 1);
}

static void
after_a_failed_sync_every_commit_fails_until_it_is_opened_again(void **state)
{
    struct db *db = *state;
    struct err e = {0};

    run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(db_execute(db, "INSERT INTO t VALUES (2)", &e), RC_IO);
    assert_non_null(strstr(e.text, "a sync failed"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_execute(db, "INSERT INTO t VALUES (3)", &e), RC_IO);
        assert_non_null(strstr(e.text, "an earlier sync failed"));
    }
    db_close(db);
    *state = db = open_db();
    assert_int_equal(number_of(db, "SELECT count(*) FROM t WHERE a = 1"), 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM t WHERE a = 3"), 0);
    run(db, "INSERT INTO t VALUES (4)");
}

/* sqlite itself ignores it when the sync of a checkpoint fails, and would sync the same file again.
 */
static void
a_sync_that_fails_in_a_checkpoint_counts_too(void **state)
{
    struct db *db = *state;
    bool failed = false;

    run(db, "CREATE TABLE t (a BLOB); PRAGMA wal_autocheckpoint = 10");
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 40);
    for (int i = 0; i < 200; i++) {
        bool was_due = disk_cut_fault_is_due(disk, DISK_CUT_FAIL_SYNC);

        if (db_execute(db, "INSERT INTO t VALUES (zeroblob(9000))", NULL) != RC_OK)
            failed = true;
        else if (failed || !was_due)
            fail_msg("insert %d works after a failed sync", i);
    }
    assert_true(failed);
}

static void
a_database_works_on_a_real_folder(void **state)
{
    char folder[TEMP_FOLDER_BYTES_MAX];
    struct disk *real = NULL;
    struct db *db = NULL;

    (void)state;
    temp_folder_make(folder);
    assert_int_equal(disk_open_real(folder, &real, NULL), RC_OK);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(db_open_sqlite(real, "test.sqlite", &db, NULL), RC_OK);
        run(db, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)");
        assert_int_equal(number_of(db, "SELECT count(*) FROM t"), i);
        db_close(db);
    }
    disk_free(real);
    temp_folder_remove(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
one_number_of_a_query(void **state)
{
    struct err e = {0};
    int64_t number = -1;

    assert_int_equal(db_ask_int(*state, "SELECT 42", &number, &e), RC_OK);
    assert_int_equal(number, 42);
    assert_int_equal(db_ask_int(*state, "SELECT 42 WHERE 0", &number, &e), RC_OK);
    assert_int_equal(number, 0);
    assert_int_equal(db_ask_int(*state, "SELECT absent", &number, &e), RC_IO);
    assert_non_null(strstr(e.text, "no such column"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_as_they_were_bound),
        TEST(a_statement_is_used_again_and_remembers_no_binding),
        TEST(a_broken_constraint_is_a_conflict_and_the_statement_goes_on),
        TEST(wrong_sql_is_an_error_with_its_text),
        TEST(one_number_of_a_query),
        TEST(a_transaction_is_whole_or_nothing),
        TEST(migrations_run_once_and_in_order),
        TEST(a_newer_schema_is_refused),
        TEST(a_failed_migration_leaves_the_one_before),
        TEST(what_was_committed_is_there_when_it_is_opened_again),
        TEST(a_file_that_is_no_database_is_corrupt),
        TEST(a_database_that_cannot_be_reached_is_an_error_with_its_cause),
        TEST(without_space_a_commit_fails_whole_and_works_again_later),
        TEST(after_a_failed_sync_every_commit_fails_until_it_is_opened_again),
        TEST(a_sync_that_fails_in_a_checkpoint_counts_too),
        cmocka_unit_test(a_database_works_on_a_real_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
