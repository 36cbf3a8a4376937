#include "refbroker/log/retention.h"

#include "refbroker/log/partition.h"
#include "tests/unit/unit.h"

#define RUNS_MAX 4
#define NOW_MS 1000000

struct rig {
    struct cache cache;
    struct topic topic;
    struct partition *partition;
};

/* Runs of ten records each; of each the size and the largest timestamp. */
struct log_run {
    uint32_t size;
    int64_t max_timestamp;
};

static int64_t
start_of(const struct topic_values *values, const struct log_run *runs, int64_t log_start)
{
    struct rig rig = {.topic.configs.values = *values};
    int64_t start;

    cache_init(&rig.cache, 0);
    rig.partition = partition_new(&rig.cache, &rig.topic, 0);
    rig.partition->log_start_offset = log_start;
    for (int i = 0; i < RUNS_MAX && runs[i].size > 0; i++) {
        struct run run = {.base_offset = i * 10,
            .last_offset = i * 10 + 9,
            .max_timestamp = runs[i].max_timestamp,
            .size = runs[i].size};

        run_index_add(&rig.partition->runs, &run);
    }
    start = retention_start(rig.partition, NOW_MS);
    partition_drop(rig.partition);
    return start;
}

static const struct log_run aged[RUNS_MAX] = {
    {100, NOW_MS - 501}, {100, NOW_MS - 500}, {100, NOW_MS - 501}, {100, NOW_MS}};

static void
what_is_older_than_retention_ms_goes_from_the_front(void **state)
{
    struct topic_values values = {.deletes = true, .retention_ms = 500, .retention_bytes = -1};

    (void)state;
    assert_int_equal(start_of(&values, aged, 0), 10);
    values.retention_ms = 499;
    assert_int_equal(start_of(&values, aged, 0), 30);
    values.retention_ms = -1;
    assert_int_equal(start_of(&values, aged, 0), 0);
    values.retention_ms = 0;
    assert_int_equal(start_of(&values, aged, 0), 30);
}

static void
a_run_without_timestamps_is_never_too_old(void **state)
{
    static const struct log_run runs[RUNS_MAX] = {{100, -1}, {100, 1}};
    struct topic_values values = {.deletes = true, .retention_ms = 1, .retention_bytes = -1};

    (void)state;
    assert_int_equal(start_of(&values, runs, 0), 0);
}

static void
a_run_goes_while_the_log_without_it_is_at_least_retention_bytes(void **state)
{
    struct topic_values values = {.deletes = true, .retention_ms = -1, .retention_bytes = 200};

    (void)state;
    assert_int_equal(start_of(&values, aged, 0), 20);
    values.retention_bytes = 201;
    assert_int_equal(start_of(&values, aged, 0), 10);
    values.retention_bytes = 400;
    assert_int_equal(start_of(&values, aged, 0), 0);
    values.retention_bytes = 0;
    assert_int_equal(start_of(&values, aged, 0), 40);
}

static void
either_reason_is_enough(void **state)
{
    struct topic_values values = {.deletes = true, .retention_ms = 500, .retention_bytes = 200};

    (void)state;
    assert_int_equal(start_of(&values, aged, 0), 30);
    values.retention_bytes = 300;
    assert_int_equal(start_of(&values, aged, 0), 10);
}

static void
a_policy_without_delete_keeps_all(void **state)
{
    struct topic_values values = {.deletes = false, .retention_ms = 0, .retention_bytes = 0};

    (void)state;
    assert_int_equal(start_of(&values, aged, 0), 0);
}

static void
where_nothing_goes_the_start_stays(void **state)
{
    struct topic_values values = {.deletes = true, .retention_ms = -1, .retention_bytes = -1};
    static const struct log_run empty[RUNS_MAX];

    (void)state;
    assert_int_equal(start_of(&values, aged, 5), 5);
    values.retention_bytes = 0;
    assert_int_equal(start_of(&values, empty, 5), 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_older_than_retention_ms_goes_from_the_front),
        cmocka_unit_test(a_run_without_timestamps_is_never_too_old),
        cmocka_unit_test(a_run_goes_while_the_log_without_it_is_at_least_retention_bytes),
        cmocka_unit_test(either_reason_is_enough),
        cmocka_unit_test(a_policy_without_delete_keeps_all),
        cmocka_unit_test(where_nothing_goes_the_start_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
