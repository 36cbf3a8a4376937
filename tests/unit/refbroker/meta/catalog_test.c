/* What is put comes back by catalog_load; jobs are whole or nothing; what cannot be is refused.
 * Power cuts of sqlite itself are in lib/db/db_cut_test.c. */
#include "refbroker/meta/catalog.h"

#include "lib/db/db.h"
#include "refbroker/log/cache.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

static const struct wire_uuid orders = {{1, 2, 3}}, users = {{9, 8, 7}};

static struct disk *disk;
static struct work *work;
static struct catalog *catalog;
static struct cache cache;
static struct topics topics;

static void
open_catalog(void)
{
    struct err e = {0};

    if (catalog_open(disk, work, 0, &catalog, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static int
setup(void **state)
{
    (void)state;
    disk = disk_cut_new(1);
    work = work_new(1, false, NULL, NULL);
    cache_init(&cache, 1 << 20);
    topics_init(&topics, &cache);
    open_catalog();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    topics_fini(&topics);
    catalog_close(catalog);
    catalog_close(NULL);
    work_free(work);
    disk_free(disk);
    return 0;
}

/* Ends everything and reads it anew. */
static enum rc
reload(struct err *e)
{
    catalog_close(catalog);
    catalog = NULL;
    topics_fini(&topics);
    topics_init(&topics, &cache);
    open_catalog();
    return catalog_load(catalog, &topics, e);
}

static void
put_topics(void)
{
    assert_int_equal(catalog_put_topic(catalog, &orders, "orders", 3, 2, 1000, NULL), RC_OK);
    assert_int_equal(catalog_put_topic(catalog, &users, "users", 1, 1, 500, NULL), RC_OK);
}

static void
topics_come_back_with_all_that_belongs_to_them(void **state)
{
    const struct run run = {0, 9, 777, -1, 5, 100, 4000000000u, 3000000000u};
    struct topic *topic;
    struct partition *partition;
    size_t position = 0;

    (void)state;
    put_topics();
    assert_int_equal(catalog_put_topic_state(catalog, &users, TOPIC_MIRRORING, NULL), RC_OK);
    assert_int_equal(catalog_put_config(catalog, &orders, "retention.ms", "5", NULL), RC_OK);
    assert_int_equal(catalog_put_config(catalog, &orders, "retention.ms", "6", NULL), RC_OK);
    assert_int_equal(catalog_put_config(catalog, &orders, "segment.ms", "7", NULL), RC_OK);
    assert_int_equal(catalog_put_config(catalog, &orders, "segment.ms", NULL, NULL), RC_OK);
    assert_int_equal(catalog_put_log_start(catalog, &orders, 1, 40, NULL), RC_OK);
    assert_int_equal(catalog_put_committed(catalog, &orders, 0, 10, NULL, 0, NULL), RC_OK);
    assert_int_equal(catalog_put_leader_epoch(catalog, &orders, 0, 2, 4, NULL), RC_OK);
    assert_int_equal(catalog_put_leader_epoch(catalog, &orders, 0, 5, 8, NULL), RC_OK);
    assert_int_equal(catalog_put_object(catalog, 5, 5000, 1, NULL), RC_OK);
    assert_int_equal(catalog_put_run(catalog, &orders, 0, &run, NULL), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);

    topic = topics_next(&topics, &position);
    assert_string_equal(topic->name, "users"); /* the older one */
    assert_int_equal(topic->state, TOPIC_MIRRORING);
    topic = topics_next(&topics, &position);
    assert_string_equal(topic->name, "orders");
    assert_memory_equal(&topic->topic_id, &orders, sizeof orders);
    assert_int_equal(topic->partition_count, 3);
    assert_int_equal(topic->replication_factor, 2);
    assert_int_equal(topic->created_ms, 1000);
    assert_int_equal(topic->configs.values.retention_ms, 6);
    assert_false(topic_configs_is_set(&topic->configs, "segment.ms"));
    partition = topics_partition(topic, 0);
    assert_int_equal(partition->committed_end, 10);
    assert_int_equal(partition->log_end_offset, 10);
    assert_int_equal(partition->high_watermark, 10);
    assert_int_equal(partition->leader_epoch, 5);
    assert_int_equal(partition->epoch_count, 2);
    assert_int_equal(partition->epochs[1].start_offset, 8);
    assert_int_equal(partition->runs.count, 1);
    assert_memory_equal(&partition->runs.runs[0], &run, sizeof run);
    partition = topics_partition(topic, 1);
    assert_int_equal(partition->log_start_offset, 40);
    assert_int_equal(partition->log_end_offset, 40);
    assert_int_equal(topics_partition(topic, 2)->log_end_offset, 0);
}

static void
producer_state_comes_back(void **state)
{
    struct producers *producers = producers_new(10);
    struct producer_batch batch = {.producer_id = 77,
        .base_offset = 3,
        .last_offset = 5,
        .base_sequence = 0,
        .last_sequence = 2,
        .is_transactional = true};
    const struct partition *partition;
    struct buf saved;

    (void)state;
    put_topics();
    buf_init(&saved, 1000);
    producers_note(producers, &batch);
    producers_save(producers, &saved);
    assert_int_equal(
        catalog_put_committed(catalog, &users, 0, 6, saved.data, saved.size, NULL), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    partition = topics_partition(topics_find(&topics, "users", 5), 0);
    assert_int_equal(producers_count(partition->producers), 1);
    assert_int_equal(partition_last_stable_offset(partition), 3);
    assert_int_equal(partition->committed_producers_size, saved.size);
    assert_memory_equal(partition->committed_producers, saved.data, saved.size);
    buf_fini(&saved);
    producers_free(producers);
}

static void
a_deleted_topic_takes_everything_with_it_and_late_writes_leave_nothing(void **state)
{
    const struct run run = {.last_offset = 1, .object_id = 5, .size = 1};

    (void)state;
    put_topics();
    assert_int_equal(catalog_put_object(catalog, 5, 1, 1, NULL), RC_OK);
    assert_int_equal(catalog_put_run(catalog, &users, 0, &run, NULL), RC_OK);
    assert_int_equal(catalog_put_config(catalog, &users, "segment.ms", "7", NULL), RC_OK);
    assert_int_equal(catalog_put_leader_epoch(catalog, &users, 0, 1, 0, NULL), RC_OK);
    assert_int_equal(catalog_delete_topic(catalog, &users, NULL), RC_OK);
    assert_int_equal(catalog_put_run(catalog, &users, 0, &run, NULL), RC_OK);
    assert_int_equal(catalog_put_committed(catalog, &users, 0, 2, NULL, 0, NULL), RC_OK);
    assert_int_equal(catalog_put_log_start(catalog, &users, 0, 2, NULL), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    assert_null(topics_find(&topics, "users", 5));
    assert_non_null(topics_find(&topics, "orders", 6));
    /* The name is free again. */
    assert_int_equal(catalog_put_topic(catalog, &users, "users", 2, 1, 2000, NULL), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    assert_int_equal(topics_find(&topics, "users", 5)->partition_count, 2);
    assert_int_equal(topics_partition(topics_find(&topics, "users", 5), 0)->runs.count, 0);
}

static void
a_second_topic_of_a_name_or_id_is_a_conflict(void **state)
{
    (void)state;
    put_topics();
    assert_int_equal(
        catalog_put_topic(catalog, &(struct wire_uuid){{5}}, "users", 1, 1, 0, NULL), RC_CONFLICT);
    assert_int_equal(catalog_put_topic(catalog, &users, "other", 1, 1, 0, NULL), RC_CONFLICT);
    assert_int_equal(
        catalog_put_topic(catalog, &(struct wire_uuid){{5}}, "new", 1, 1, 0, NULL), RC_OK);
}

static void
settings_are_replaced_and_missing_ones_are_not_found(void **state)
{
    char text[16] = "";
    struct err e = {0};

    (void)state;
    assert_int_equal(catalog_get_setting(catalog, "cluster", text, sizeof text, &e), RC_NOTFOUND);
    assert_string_equal(e.text, "no setting cluster");
    assert_int_equal(catalog_put_setting(catalog, "cluster", "one", NULL), RC_OK);
    assert_int_equal(catalog_put_setting(catalog, "cluster", "two", NULL), RC_OK);
    assert_int_equal(catalog_get_setting(catalog, "cluster", text, sizeof text, NULL), RC_OK);
    assert_string_equal(text, "two");
    assert_int_equal(
        catalog_put_setting(catalog, "long", "much longer than the room for it", NULL), RC_OK);
    assert_int_equal(catalog_get_setting(catalog, "long", text, sizeof text, NULL), RC_OK);
    assert_string_equal(text, "much longer tha");
}

static void
partitions_grow_and_runs_are_dropped_from_the_front(void **state)
{
    (void)state;
    put_topics();
    assert_int_equal(catalog_put_partition_count(catalog, &users, 4, NULL), RC_OK);
    assert_int_equal(catalog_put_object(catalog, 1, 1, 1, NULL), RC_OK);
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(catalog_put_run(catalog, &users, 3,
                             &(struct run){i * 10, i * 10 + 9, 0, -1, 1, i, 1, 0}, NULL),
            RC_OK);
    assert_int_equal(catalog_delete_runs(catalog, &users, 3, 29, NULL), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    assert_int_equal(topics_find(&topics, "users", 5)->partition_count, 4);
    assert_int_equal(topics_partition(topics_find(&topics, "users", 5), 3)->runs.count, 3);
    assert_int_equal(
        topics_partition(topics_find(&topics, "users", 5), 3)->runs.runs[0].base_offset, 20);
}

static void
objects_without_runs_are_marked_listed_and_forgotten(void **state)
{
    int64_t ids[4], last = -1;
    size_t count = 99;
    bool known = false;

    (void)state;
    put_topics();
    assert_int_equal(catalog_last_object(catalog, &last, NULL), RC_OK);
    assert_int_equal(last, 0);
    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(catalog_put_object(catalog, id, 100, 10, NULL), RC_OK);
    assert_int_equal(
        catalog_put_run(catalog, &users, 0, &(struct run){.object_id = 2, .size = 1}, NULL), RC_OK);
    assert_int_equal(catalog_last_object(catalog, &last, NULL), RC_OK);
    assert_int_equal(last, 3);
    assert_int_equal(catalog_mark_objects(catalog, 50, NULL), RC_OK);
    assert_int_equal(catalog_marked_objects(catalog, 49, ids, 4, &count, NULL), RC_OK);
    assert_int_equal(count, 0);
    assert_int_equal(catalog_marked_objects(catalog, 50, ids, 1, &count, NULL), RC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(catalog_marked_objects(catalog, 50, ids, 4, &count, NULL), RC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(ids[0] + ids[1], 1 + 3);
    assert_int_equal(catalog_delete_object(catalog, 1, NULL), RC_OK);
    assert_int_equal(catalog_has_object(catalog, 1, &known, NULL), RC_OK);
    assert_false(known);
    assert_int_equal(catalog_has_object(catalog, 2, &known, NULL), RC_OK);
    assert_true(known);
}

static void
the_coordinator_reads_end_and_producers(void **state)
{
    int64_t end = -1;
    const void *producers;
    size_t size;

    (void)state;
    put_topics();
    assert_int_equal(
        catalog_get_committed(catalog, &users, 0, &end, &producers, &size, NULL), RC_OK);
    assert_int_equal(end, 0);
    assert_int_equal(size, 0);
    assert_int_equal(catalog_put_committed(catalog, &users, 0, 9, "abc", 3, NULL), RC_OK);
    assert_int_equal(
        catalog_get_committed(catalog, &users, 0, &end, &producers, &size, NULL), RC_OK);
    assert_int_equal(end, 9);
    assert_int_equal(size, 3);
    assert_memory_equal(producers, "abc", 3);
    assert_int_equal(
        catalog_get_committed(catalog, &(struct wire_uuid){{5}}, 0, &end, &producers, &size, NULL),
        RC_NOTFOUND);
}

/* --- jobs ------------------------------------------------------------------------------------ */

struct job {
    struct catalog_job job;
    const char *name;
    bool refuses;
    bool done;
};

static enum rc
apply(struct catalog *c, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    enum rc rc = catalog_put_setting(c, job->name, "x", e);

    return rc == RC_OK && job->refuses ? err_set(e, RC_CONFLICT, "changed its mind") : rc;
}

static void
done(struct catalog_job *catalog_job)
{
    ((struct job *)(void *)catalog_job)->done = true;
}

static void
submit(struct job *job, const char *name, bool refuses)
{
    *job = (struct job){.job = {.apply = apply, .done = done}, .name = name, .refuses = refuses};
    catalog_submit(catalog, &job->job);
}

static enum rc
run_job(const char *name, bool refuses, struct err *e)
{
    struct job job;

    submit(&job, name, refuses);
    while (work_step(work, 0))
        ;
    assert_false(job.done);
    assert_int_equal(work_reap(work), 1);
    assert_true(job.done);
    *e = job.job.err;
    return job.job.rc;
}

static bool
has_setting(const char *name)
{
    char text[8];

    return catalog_get_setting(catalog, name, text, sizeof text, NULL) == RC_OK;
}

static void
jobs_run_on_the_lane_in_order_each_in_a_transaction(void **state)
{
    struct job first, second;
    struct err e;

    (void)state;
    assert_true(catalog_idle(catalog));
    submit(&first, "a", false);
    submit(&second, "b", true);
    assert_false(catalog_idle(catalog));
    assert_true(work_step(work, 0));
    assert_true(has_setting("a"));
    assert_true(work_step(work, 0));
    assert_int_equal(work_reap(work), 2);
    assert_true(first.done && second.done);
    assert_int_equal(first.job.rc, RC_OK);
    assert_int_equal(second.job.rc, RC_CONFLICT);
    assert_string_equal(second.job.err.text, "changed its mind");
    assert_false(has_setting("b"));
    assert_true(catalog_idle(catalog));
    assert_int_equal(run_job("c", false, &e), RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    assert_true(has_setting("a") && !has_setting("b") && has_setting("c"));
}

static void
after_a_failed_sync_every_job_fails_until_the_next_start(void **state)
{
    struct err e;
    const char *text;

    (void)state;
    assert_int_equal(run_job("a", false, &e), RC_OK);
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    log_capture_begin();
    assert_int_equal(run_job("b", false, &e), RC_IO);
    assert_int_equal(run_job("c", false, &e), RC_IO);
    assert_non_null(strstr(e.text, "a sync failed"));
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, " DB-SYNC-FAILED "), 1);
    assert_int_equal(reload(NULL), RC_OK);
    assert_true(has_setting("a"));
    assert_false(has_setting("c"));
    assert_int_equal(run_job("d", false, &e), RC_OK);
}

static void
a_full_disk_fails_a_job_and_the_next_one_works(void **state)
{
    struct err e;

    (void)state;
    disk_cut_limit(disk, 0);
    assert_int_equal(run_job("a", false, &e), RC_NO_SPACE);
    disk_cut_limit(disk, UINT64_MAX);
    assert_int_equal(run_job("b", false, &e), RC_OK);
    assert_false(has_setting("a"));
    assert_true(has_setting("b"));
}

/* --- files that cannot be -------------------------------------------------------------------- */

/* Changes the file behind the catalog's back. */
static void
edit(const char *sql)
{
    struct db *db = NULL;
    struct err e = {0};

    catalog_close(catalog);
    catalog = NULL;
    assert_int_equal(db_open_sqlite(disk, "metadata.sqlite", &db, NULL), RC_OK);
    assert_int_equal(db_execute(db, "PRAGMA foreign_keys = OFF", NULL), RC_OK);
    if (db_execute(db, sql, &e) != RC_OK)
        fail_msg("%s", e.text);
    db_close(db);
}

static void
a_newer_format_is_refused(void **state)
{
    struct err e = {0};

    (void)state;
    edit("INSERT INTO schema_version VALUES (99)");
    assert_int_equal(catalog_open(disk, work, 0, &catalog, &e), RC_UNSUPPORTED);
    assert_non_null(strstr(e.text, "its format is version 99, this program knows versions up to"));
    assert_null(strchr(e.text, '\n'));
}

static void
rows_that_cannot_be_are_corrupt(void **state)
{
    static const char *const edits[] = {
        "UPDATE topic SET topic_id = x'01' WHERE name = 'users'",
        "UPDATE topic SET name = 'a/b' WHERE name = 'users'",
        "UPDATE topic SET name = '' WHERE name = 'users'",
        "UPDATE topic SET name = CAST(x'610062' AS TEXT) WHERE name = 'users'",
        "UPDATE topic SET partitions = 0",
        "UPDATE topic SET partitions = -1",
        "UPDATE topic SET partitions = 2000000000",
        "UPDATE topic SET partitions = 4294967297",
        "UPDATE topic SET partitions = 'many'",
        "UPDATE topic SET state = 7",
        "UPDATE topic SET replication_factor = 70000",
        "INSERT INTO topic_config VALUES (x'05', 'segment.ms', '1')",
        "INSERT INTO topic_config VALUES (zeroblob(16), 'segment.ms', '1')",
        "UPDATE partition SET partition = 1",
        "UPDATE partition SET partition = -1",
        "UPDATE partition SET partition = 4294967296",
        "UPDATE partition SET log_start = -1",
        "UPDATE partition SET committed_end = -1",
        "UPDATE partition SET leader_epoch = 2147483648",
        "UPDATE partition SET producers = x'00020000'",
        "UPDATE leader_epoch SET epoch = -1",
        "UPDATE leader_epoch SET epoch = epoch + 4294967296",
        "UPDATE leader_epoch SET start_offset = -1",
        "UPDATE run SET base_offset = -1 WHERE base_offset = 0",
        "UPDATE run SET last_offset = 12 WHERE base_offset = 0",
        "UPDATE run SET last_offset = 9 WHERE base_offset = 10",
        "UPDATE run SET last_offset = 9223372036854775807 WHERE base_offset = 10",
        "UPDATE run SET position = -1",
        "UPDATE run SET size = 0",
        "UPDATE run SET size = 4294967296",
        "UPDATE run SET crc = -1",
    };

    (void)state;
    put_topics();
    assert_int_equal(catalog_put_object(catalog, 1, 1, 1, NULL), RC_OK);
    assert_int_equal(catalog_put_committed(catalog, &users, 0, 20, NULL, 0, NULL), RC_OK);
    assert_int_equal(catalog_put_leader_epoch(catalog, &users, 0, 1, 0, NULL), RC_OK);
    for (int64_t i = 0; i < 2; i++)
        assert_int_equal(catalog_put_run(catalog, &users, 0,
                             &(struct run){i * 10, i * 10 + 9, 0, -1, 1, i, 1, 0}, NULL),
            RC_OK);
    assert_int_equal(reload(NULL), RC_OK);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char sql[300];
        struct err e = {0};

        edit("VACUUM INTO 'copy'");
        edit(edits[i]);
        if (reload(&e) != RC_CORRUPT)
            fail_msg("%s: %s", edits[i], e.text);
        assert_memory_equal(e.text, "metadata: ", 10);
        snprintf(sql, sizeof sql, "%s", edits[i]);
        catalog_close(catalog);
        catalog = NULL;
        assert_int_equal(disk_remove(disk, "metadata.sqlite", NULL), RC_OK);
        assert_int_equal(disk_rename(disk, "copy", "metadata.sqlite", NULL), RC_OK);
        open_catalog();
    }
    assert_int_equal(reload(NULL), RC_OK);
}

static void
a_damaged_file_is_refused_or_read_and_never_more(void **state)
{
    struct disk_file *file = NULL;
    int64_t size = 0;
    int refused = 0;

    (void)state;
    put_topics();
    catalog_close(catalog);
    catalog = NULL;
    assert_int_equal(disk_open(disk, "metadata.sqlite", DISK_READ, &file, NULL), RC_OK);
    assert_int_equal(disk_size(file, &size, NULL), RC_OK);
    disk_close(file);
    for (int64_t at = 0; at < size; at += 397) {
        enum rc rc;

        assert_true(disk_cut_flip(disk, "metadata.sqlite", at, 0x5a));
        rc = catalog_open(disk, work, 0, &catalog, NULL);
        if (rc == RC_OK)
            rc = catalog_load(catalog, &topics, NULL);
        refused += rc != RC_OK;
        catalog_close(catalog);
        catalog = NULL;
        topics_fini(&topics);
        topics_init(&topics, &cache);
        assert_true(disk_cut_flip(disk, "metadata.sqlite", at, 0x5a));
    }
    assert_true(refused > 0);
    open_catalog();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(topics_come_back_with_all_that_belongs_to_them),
        TEST(producer_state_comes_back),
        TEST(a_deleted_topic_takes_everything_with_it_and_late_writes_leave_nothing),
        TEST(a_second_topic_of_a_name_or_id_is_a_conflict),
        TEST(settings_are_replaced_and_missing_ones_are_not_found),
        TEST(partitions_grow_and_runs_are_dropped_from_the_front),
        TEST(objects_without_runs_are_marked_listed_and_forgotten),
        TEST(the_coordinator_reads_end_and_producers),
        TEST(jobs_run_on_the_lane_in_order_each_in_a_transaction),
        TEST(after_a_failed_sync_every_job_fails_until_the_next_start),
        TEST(a_full_disk_fails_a_job_and_the_next_one_works),
        TEST(a_newer_format_is_refused),
        TEST(rows_that_cannot_be_are_corrupt),
        TEST(a_damaged_file_is_refused_or_read_and_never_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
