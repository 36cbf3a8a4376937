/* The fullest disk of scripted brokers, whatever they tell of their disks. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define FOLDERS 2

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

/* What a broker tells of a folder. */
struct told {
    int64_t total;
    int64_t usable;
    int16_t code;
};
static struct told told[FAKE_BROKERS][FOLDERS];
static int32_t folders;
static int16_t code;

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    const struct told *mine = told[fake_id(arg, conn) - 1];
    struct km_describe_log_dirs_response_result results[FOLDERS];
    struct km_describe_log_dirs_response response;

    if (request->api_key != KM_DESCRIBE_LOG_DIRS) {
        fake_cluster_request(arg, conn, request, body);
        return;
    }
    codec_init(&km_describe_log_dirs_response_desc, &response);
    response.error_code = code;
    for (int32_t i = 0; i < folders; i++) {
        codec_init(&km_describe_log_dirs_response_result_desc, &results[i]);
        results[i].error_code = mine[i].code;
        results[i].log_dir = codec_string("/logs");
        if (request->api_version >= 4) {
            results[i].total_bytes = mine[i].total;
            results[i].usable_bytes = mine[i].usable;
        }
    }
    response.results.items = results;
    response.results.count = folders;
    fake_reply(conn, request, &response);
}

static int
start(void **state)
{
    (void)state;
    folders = FOLDERS;
    code = KE_NONE;
    if (cluster_rig_start(&rig, 1) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].handler = answer;
        for (int k = 0; k < FOLDERS; k++)
            told[i][k] = (struct told){1000, 500, KE_NONE};
    }
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    return probe_begin(&probe, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    cluster_rig_stop(&rig);
    return 0;
}

static void
fullest_is(int32_t broker, int64_t total, int64_t usable)
{
    const struct audit_disk *fullest = &inventory.cluster.fullest;

    probe_sizes_end(probe_sizes_begin(&probe));
    assert_int_equal(fullest->total_bytes, total);
    assert_int_equal(fullest->usable_bytes, usable);
    if (broker > 0)
        assert_int_equal(fullest->broker, broker);
}

static void
the_smallest_share_counts_not_the_fewest_bytes(void **state)
{
    (void)state;
    told[0][0] = (struct told){10, 4, KE_NONE};
    told[2][1] = (struct told){100000, 9000, KE_NONE};
    fullest_is(3, 100000, 9000);
}

static void
a_disk_may_have_nothing_left(void **state)
{
    (void)state;
    told[1][0] = (struct told){1000, 0, KE_NONE};
    fullest_is(2, 1000, 0);
}

static void
what_cannot_be_is_not_believed(void **state)
{
    static const struct told odd[] = {{-1, -1, KE_NONE}, {0, 0, KE_NONE}, {1000, -1, KE_NONE},
        {1000, INT64_MIN, KE_NONE}, {-1000, 10, KE_NONE}, {INT64_MIN, INT64_MIN, KE_NONE},
        {1000, 1001, KE_NONE}, {1, INT64_MAX, KE_NONE}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        memset(&inventory.cluster, 0, sizeof inventory.cluster);
        told[0][1] = odd[i];
        fullest_is(-1, 1000, 500);
    }
    assert_null(inventory.gaps[AUDIT_SIZES].why);
}

static void
a_share_lies_between_0_and_1(void **state)
{
    static const struct audit_disk more = {1, 1000, 1001}, nothing = {1, 0, 0}, all = {1, 7, 7},
                                   none = {1, 1000, 0}, quarter = {1, 1000, 250};

    (void)state;
    assert_true(inventory_share_left(&more) == 1 && inventory_share_left(&nothing) == 1);
    assert_true(inventory_share_left(&all) == 1 && inventory_share_left(&none) == 0);
    assert_true(inventory_share_left(&quarter) == 0.25);
}

static void
the_largest_numbers_are_taken(void **state)
{
    (void)state;
    told[0][1] = (struct told){INT64_MAX, 1, KE_NONE};
    fullest_is(1, INT64_MAX, 1);
}

static void
nor_is_a_folder_that_failed(void **state)
{
    (void)state;
    told[1][0] = (struct told){1000, 1, KE_KAFKA_STORAGE_ERROR};
    fullest_is(-1, 1000, 500);
    assert_non_null(inventory.gaps[AUDIT_SIZES].why);
}

static void
older_brokers_tell_nothing(void **state)
{
    (void)state;
    cluster_rig_renew(&rig, 1);
    probe.cluster = rig.cluster;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].capped_api = KM_DESCRIBE_LOG_DIRS;
        rig.fake.brokers[i].capped_max = 3;
    }
    assert_int_equal(probe_begin(&probe, NULL), RC_OK);
    fullest_is(-1, 0, 0);
    assert_null(inventory.gaps[AUDIT_SIZES].why);
}

static void
a_refusal_is_a_gap(void **state)
{
    (void)state;
    folders = 0;
    code = KE_CLUSTER_AUTHORIZATION_FAILED;
    fullest_is(-1, 0, 0);
    assert_non_null(inventory.gaps[AUDIT_SIZES].why);
    assert_int_equal(inventory.gaps[AUDIT_SIZES].failures, FAKE_BROKERS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_smallest_share_counts_not_the_fewest_bytes),
        TEST(a_disk_may_have_nothing_left),
        TEST(what_cannot_be_is_not_believed),
        TEST(a_share_lies_between_0_and_1),
        TEST(the_largest_numbers_are_taken),
        TEST(nor_is_a_folder_that_failed),
        TEST(older_brokers_tell_nothing),
        TEST(a_refusal_is_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
