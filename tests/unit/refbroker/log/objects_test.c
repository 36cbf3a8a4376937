/* The parts of a broker that objects.c touches (catalog, lanes, ids), with an S3 server in this
 * process. */
#include "refbroker/log/objects.h"

#include <inttypes.h>

#include "lib/base/log.h"
#include "lib/store/s3_url.h"
#include "refbroker/log/reader.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/lib/store/s3_fake.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

static struct s3_fake *fake;
static struct disk *disk;
static struct env env;
static struct broker broker;
static struct s3_url url;

/* As at a start of the process; NULL: a folder. */
static enum rc
begin(const char *store, struct err *e)
{
    char text[160];

    memset(&broker, 0, sizeof broker);
    broker.env = broker.options.env = &env;
    broker.options.disk = disk;
    broker.options.work = work_new(LANE_COUNT, false, NULL, NULL);
    memcpy(broker.cluster_id, "cluster", sizeof "cluster");
    broker.object_id_next = 1;
    if (store != NULL) {
        snprintf(text, sizeof text, "%s?endpoint=http://127.0.0.1:%d", store, s3_fake_port(fake));
        assert_int_equal(s3_url_parse(text, &url, NULL), RC_OK);
        broker.options.store = &url;
    }
    assert_int_equal(
        catalog_open(disk, broker.options.work, LANE_DB, &broker.catalog, NULL), RC_OK);
    return objects_open(&broker, e);
}

static void
end(void)
{
    broker.stopping = true;
    work_free(broker.options.work);
    objects_free(broker.sweep);
    store_free(broker.store);
    catalog_close(broker.catalog);
}

static int
setup(void **state)
{
    (void)state;
    env_init_real(&env);
    setenv("AWS_ACCESS_KEY_ID", "ID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "never-told", 1);
    fake = s3_fake_new();
    disk = disk_cut_new(1);
    log_set_fd(-1);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    disk_free(disk);
    s3_fake_free(fake);
    log_set_fd(2);
    return 0;
}

static void
ids_in_a_bucket_never_come_again(void **state)
{
    (void)state;
    for (int64_t start = 1; start <= 3; start++) {
        assert_int_equal(begin("s3://bucket/p", NULL), RC_OK);
        assert_int_equal(broker.object_id_next, start << 32);
        end();
    }
}

static void
ids_in_a_folder_go_on(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(begin(NULL, NULL), RC_OK);
        assert_int_equal(broker.object_id_next, 1);
        objects_sweep(&broker);
        assert_null(broker.sweep);
        end();
    }
}

/* Opens with a place, perhaps notes an object there, and ends. */
static enum rc
visit(const char *store, bool writes, struct err *e)
{
    enum rc rc = begin(store, e);

    if (rc == RC_OK && writes)
        assert_int_equal(
            catalog_put_object(broker.catalog, broker.object_id_next, 10, 1, NULL), RC_OK);
    end();
    return rc;
}

static void
a_catalog_with_objects_stays_at_its_place(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(visit(NULL, false, NULL), RC_OK);
    assert_int_equal(visit("s3://bucket/one", false, NULL), RC_OK);
    assert_int_equal(visit("s3://bucket/two", true, NULL), RC_OK);
    assert_int_equal(visit("s3://bucket/two", false, NULL), RC_OK);
    assert_int_equal(visit("s3://bucket/one", false, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "objects lie in s3://bucket/two"));
    assert_int_equal(visit(NULL, false, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "start with that as --store"));
}

static void
a_folder_with_objects_stays_a_folder(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(visit("s3://bucket/one", false, NULL), RC_OK);
    assert_int_equal(visit(NULL, true, NULL), RC_OK);
    assert_int_equal(visit("s3://bucket/one", false, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "start without --store"));
    assert_int_equal(visit(NULL, false, NULL), RC_OK);
}

/* --- what earlier processes left -------------------------------------------------------------- */

static void
put(const char *key)
{
    assert_int_equal(store_put(broker.store, key, "x", 1, NULL), RC_OK);
}

static void
put_id(int64_t id)
{
    char key[READER_KEY_BYTES];

    reader_key(key, id);
    put(key);
}

static void
count_key(void *arg, const char *key)
{
    (void)key;
    ++*(int *)arg;
}

static void
lanes_run(void)
{
    for (bool ran = true; ran;) {
        ran = false;
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            while (work_step(broker.options.work, lane))
                ran = true;
        (void)work_reap(broker.options.work);
    }
}

static void
left_overs_of_earlier_starts_go_and_nothing_else(void **state)
{
    int left = 0;
    char byte;

    (void)state;
    assert_int_equal(begin("s3://bucket/p", NULL), RC_OK);
    for (int64_t i = 0; i < 1200; i++) {
        put_id((INT64_C(1) << 32) + i);
        if (i % 400 == 7)
            assert_int_equal(
                catalog_put_object(broker.catalog, (INT64_C(1) << 32) + i, 1, 1, NULL), RC_OK);
    }
    end();
    assert_int_equal(begin("s3://bucket/p", NULL), RC_OK);
    put_id(broker.object_id_next); /* an upload of this start, which is not committed yet */
    put("somebody-elses");
    objects_sweep(&broker);
    log_capture_begin();
    lanes_run();
    assert_int_equal(
        log_capture_count(log_capture_end(), "1197 objects of interrupted uploads removed"), 1);
    assert_null(broker.sweep);
    assert_int_equal(store_list(broker.store, count_key, &left, NULL), RC_OK);
    assert_int_equal(left, 3 + 1 + 1);
    assert_int_equal(store_get(broker.store, "0000000100000007.obj", 0, &byte, 1, NULL), RC_OK);
    end();
}

static void
a_server_that_refuses_ends_the_sweep_only(void **state)
{
    static const struct s3_fake_fault kept = {
        .text = "HTTP/1.1 200 x\r\nconnection: close\r\n\r\n<DeleteResult><Error><Code>AccessDenied"
                "</Code></Error></DeleteResult>"};
    const char *told;

    (void)state;
    assert_int_equal(begin("s3://bucket/p", NULL), RC_OK);
    put_id(1);
    objects_sweep(&broker);
    assert_true(work_step(broker.options.work, LANE_CLEANER));
    s3_fake_script(fake, &kept, 1);
    log_capture_begin();
    (void)work_reap(broker.options.work);
    lanes_run();
    told = log_capture_end();
    assert_int_equal(log_capture_count(told, "GARBAGE"), 1);
    assert_int_equal(log_capture_count(told, "AccessDenied"), 1);
    assert_null(broker.sweep);
    end();
}

static void
an_end_of_the_process_ends_it(void **state)
{
    (void)state;
    assert_int_equal(begin("s3://bucket/p", NULL), RC_OK);
    put_id(1);
    objects_sweep(&broker);
    store_cancel(broker.store);
    log_capture_begin();
    lanes_run();
    assert_string_equal(log_capture_end(), "");
    assert_null(broker.sweep);
    end();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_in_a_bucket_never_come_again),
        TEST(ids_in_a_folder_go_on),
        TEST(a_catalog_with_objects_stays_at_its_place),
        TEST(a_folder_with_objects_stays_a_folder),
        TEST(left_overs_of_earlier_starts_go_and_nothing_else),
        TEST(a_server_that_refuses_ends_the_sweep_only),
        TEST(an_end_of_the_process_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
