/*
 * sqlite on a disk that loses its power: what was committed is there, what was not is there whole
 * or not at all, and what a start has shown stays.
 *
 * Transaction n inserts row n with a blob that follows from n, and sets the counter to n. So the
 * counter tells which rows there must be.
 */
#include "lib/db/db.h"

#include "lib/base/env.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define SEEDS 120
#define STARTS 4

struct rig {
    struct disk *disk;
    struct env env;
    struct db *db;
    int64_t committed; /* promised */
    int64_t sent;      /* the last that was tried */
    const char *wrong;
};

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE row (n INTEGER PRIMARY KEY, data BLOB); CREATE TABLE counter (n INTEGER);"
        "INSERT INTO counter VALUES (0)"},
    {2, "CREATE INDEX row_data ON row (data)"},
};

static bool
number(struct db *db, const char *sql, int64_t *out)
{
    struct db_statement *statement = NULL;
    bool row = false;

    if (db_prepare(db, sql, &statement, NULL) != RC_OK || db_step(statement, &row, NULL) != RC_OK ||
        !row)
        return false;
    *out = db_column_int(statement, 0);
    db_reset(statement);
    return true;
}

/* Opens and judges; NULL in rig->db where everything has stopped. */
static void
start(struct rig *rig)
{
    static char text[256];
    int64_t counter = -1, rows = -1, last = -1, wrong_rows = -1;
    struct err e = {0};

    rig->db = NULL;
    if (db_open_sqlite(rig->disk, "t.sqlite", &rig->db, &e) != RC_OK ||
        db_migrate(rig->db, migrations, 2, &e) != RC_OK ||
        db_execute(rig->db, "PRAGMA wal_autocheckpoint = 12", &e) != RC_OK) {
        db_close(rig->db);
        rig->db = NULL;
        if (!disk_cut_is_stopped(rig->disk)) {
            snprintf(text, sizeof text, "cannot start: %.200s", e.text);
            rig->wrong = text;
        }
        return;
    }
    if (!number(rig->db, "SELECT n FROM counter", &counter) ||
        !number(rig->db, "SELECT count(*) FROM row", &rows) ||
        !number(rig->db, "SELECT coalesce(max(n), 0) FROM row", &last) ||
        !number(rig->db,
            "SELECT count(*) FROM row WHERE length(data) <> 10 + (n * 977) % 5000 OR "
            "substr(data, 1, 8) <> printf('%08d', n)",
            &wrong_rows) ||
        !number(rig->db,
            "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
            &wrong_rows))
        rig->wrong = disk_cut_is_stopped(rig->disk) ? NULL : "cannot read";
    else if (rows != counter || last != counter || wrong_rows != 0)
        rig->wrong = "a part of a transaction is there";
    else if (counter < rig->committed)
        rig->wrong = "a committed transaction is lost";
    else if (counter > rig->sent)
        rig->wrong = "a transaction is there that was never tried";
    else
        rig->committed = rig->sent = counter;
}

static void
transact(struct rig *rig)
{
    char sql[200];
    int64_t n = rig->committed + 1;
    struct err e;

    rig->sent = n;
    snprintf(sql, sizeof sql,
        "INSERT INTO row VALUES (%lld, printf('%%08d', %lld) || zeroblob(2 + (%lld * 977) %% "
        "5000));"
        "UPDATE counter SET n = %lld",
        (long long)n, (long long)n, (long long)n, (long long)n);
    if (db_begin(rig->db, &e) != RC_OK)
        return;
    if (db_execute(rig->db, sql, &e) != RC_OK) {
        db_rollback(rig->db);
        return;
    }
    if (db_commit(rig->db, &e) == RC_OK && !disk_cut_is_stopped(rig->disk))
        rig->committed = n;
}

static void
stop(struct rig *rig, bool power)
{
    if (!disk_cut_is_stopped(rig->disk) && env_random_below(&rig->env, 3) > 0)
        disk_cut_stop_at(rig->disk, 1);
    db_close(rig->db);
    rig->db = NULL;
    if (power)
        disk_cut_power(rig->disk);
    else
        disk_cut_kill(rig->disk);
}

/* Random lives; a fault strikes in some of them. */
static const char *
live_and_die(struct rig *rig, int starts, bool with_faults)
{
    for (int i = 0; i < starts; i++) {
        if (env_random_below(&rig->env, 3) == 0)
            disk_cut_stop_at(rig->disk, 1 + env_random_below(&rig->env, 40));
        start(rig);
        if (rig->wrong != NULL) {
            db_close(rig->db);
            return rig->wrong;
        }
        if (with_faults)
            disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 1 + env_random_below(&rig->env, 20));
        disk_cut_stop_at(rig->disk, 1 + env_random_below(&rig->env, 200));
        for (uint64_t n = env_random_below(&rig->env, 40); n > 0 && rig->db != NULL; n--)
            if (!disk_cut_is_stopped(rig->disk))
                transact(rig);
        stop(rig, env_random_below(&rig->env, 3) > 0);
    }
    start(rig);
    db_close(rig->db);
    return rig->wrong;
}

static void
run_seeds(uint64_t first, bool with_faults, uint64_t *cuts, int64_t *commits)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        struct rig rig = {.disk = disk_cut_new(seed)};
        const char *wrong;

        env_init_seeded(&rig.env, seed, 0);
        wrong = live_and_die(&rig, STARTS, with_faults);
        if (wrong != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
        *cuts += disk_cut_counts(rig.disk)->cuts;
        *commits += rig.committed;
        disk_free(rig.disk);
    }
}

static void
committed_transactions_survive_cuts_and_kills(void **state)
{
    uint64_t cuts = 0;
    int64_t commits = 0;

    (void)state;
    run_seeds(0, false, &cuts, &commits);
    print_message("# %d power cuts, %d commits\n", (int)cuts, (int)commits);
    assert_true(cuts >= 200 && commits >= 1000);
}

static void
committed_transactions_survive_failed_syncs_too(void **state)
{
    uint64_t cuts = 0;
    int64_t commits = 0;

    (void)state;
    run_seeds(100000, true, &cuts, &commits);
    print_message("# %d power cuts, %d commits\n", (int)cuts, (int)commits);
    assert_true(cuts >= 200);
}

static const char *
life_without(uint64_t seed, const char *place, const char *const **places, size_t *count)
{
    static const char *seen[DISK_CUT_PLACES_MAX];
    struct rig rig = {.disk = disk_cut_new(seed)};
    const char *const *of_disk;
    const char *wrong;

    env_init_seeded(&rig.env, seed, 0);
    disk_cut_omit_place(rig.disk, place);
    wrong = live_and_die(&rig, STARTS, false);
    *count = disk_cut_places(rig.disk, &of_disk);
    memcpy(seen, of_disk, *count * sizeof *seen);
    *places = seen;
    disk_free(rig.disk);
    return wrong;
}

static void
no_place_that_syncs_can_be_left_out(void **state)
{
    const char *all[DISK_CUT_PLACES_MAX];
    const char *const *places;
    size_t count, seen;

    (void)state;
    assert_null(life_without(0, NULL, &places, &count));
    assert_true(count >= 2);
    memcpy(all, places, count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        uint64_t seed = 0;

        while (seed < SEEDS && life_without(seed, all[i], &places, &seen) == NULL)
            seed++;
        if (seed == SEEDS)
            fail_msg("without the sync of %s nothing is lost", all[i]);
    }
}

/* The first start makes three files and their names durable, and a commit is one sync: without it,
 * some cut shows it. */
static void
a_commit_without_its_sync_is_missed(void **state)
{
    bool missed = false;

    (void)state;
    for (uint64_t seed = 0; seed < 40 && !missed; seed++) {
        struct rig rig = {.disk = disk_cut_new(seed)};

        env_init_seeded(&rig.env, seed, 0);
        start(&rig);
        /* A checkpoint would sync the same file once more. */
        assert_int_equal(db_execute(rig.db, "PRAGMA wal_autocheckpoint = 0", NULL), RC_OK);
        transact(&rig);
        transact(&rig);
        disk_cut_fault(rig.disk, DISK_CUT_OMIT_SYNC, 1);
        transact(&rig);
        assert_int_equal(rig.committed, 3);
        disk_cut_stop_at(rig.disk, 1);
        stop(&rig, true);
        start(&rig);
        missed = rig.wrong != NULL;
        db_close(rig.db);
        disk_free(rig.disk);
    }
    assert_true(missed);
}

/* A process dies before the sync of its last commit, behind one that failed, or before the name of
 * the log is durable. The next one shows that commit, others rely on it, and the power goes. */
static void
what_a_start_has_shown_stays(void **state)
{
    int shown = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct rig rig = {.disk = disk_cut_new(seed)};

        env_init_seeded(&rig.env, seed, 0);
        start(&rig);
        transact(&rig);
        if (seed % 3 == 2) { /* sqlite removes its log at the end, and makes a new one */
            db_close(rig.db);
            start(&rig);
        }
        disk_cut_fault(rig.disk, seed % 3 == 0 ? DISK_CUT_FAIL_SYNC : DISK_CUT_OMIT_SYNC,
            seed % 3 == 2 ? 2 : 1);
        transact(&rig);
        rig.committed = 1;
        disk_cut_stop_at(rig.disk, 1);
        stop(&rig, false);
        start(&rig);
        assert_null(rig.wrong);
        shown += rig.committed == 2;
        disk_cut_stop_at(rig.disk, 1);
        stop(&rig, true);
        start(&rig);
        if (rig.wrong != NULL)
            fail_msg("seed %d: %s", (int)seed, rig.wrong);
        db_close(rig.db);
        disk_free(rig.disk);
    }
    assert_true(shown > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_transactions_survive_cuts_and_kills),
        cmocka_unit_test(committed_transactions_survive_failed_syncs_too),
        cmocka_unit_test(no_place_that_syncs_can_be_left_out),
        cmocka_unit_test(a_commit_without_its_sync_is_missed),
        cmocka_unit_test(what_a_start_has_shown_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
