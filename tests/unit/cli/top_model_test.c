#include "cli/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct top_topic *
topic_add(struct top_model *model, const char *name, int64_t records, int64_t end)
{
    struct top_topic *topics =
        realloc(model->topics, (size_t)(model->topic_count + 1) * sizeof *topics);

    assert_non_null(topics);
    model->topics = topics;
    topics[model->topic_count] = (struct top_topic){.name = strdup(name),
        .partitions = 3,
        .records = records,
        .end = end,
        .rate = -1,
        .size.bytes = -1,
        .target_size.bytes = -1,
        .mirrored = true};
    return &topics[model->topic_count++];
}

static void
rates_are_the_ends_moved_by_the_time_passed(void **state)
{
    struct top_model before = {.asked_ms = 1000, .rounds = 4}, now = {.asked_ms = 3000};

    (void)state;
    topic_add(&before, "a", 100, 100)->lag = 60;
    topic_add(&now, "a", 150, 200)->lag = 20;
    topic_add(&now, "new", 10, 10);
    top_model_rates(&now, &before);
    assert_true(now.topics[0].rate == 50);
    assert_true(now.topics[0].mirror_rate == 70);
    assert_true(now.topics[1].rate == -1);
    assert_true(now.rate == 50);
    assert_true(now.mirror_rate == 70);
    assert_int_equal(now.rounds, 5);
    assert_int_equal(now.history_count, 1);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
the_history_keeps_the_newest(void **state)
{
    struct top_model before = {.asked_ms = 0}, now = {.asked_ms = 0};

    (void)state;
    for (int i = 1; i <= TOP_MODEL_HISTORY + 5; i++) {
        now.asked_ms = i * 1000;
        topic_add(&now, "a", 0, i * i);
        top_model_rates(&now, &before);
        top_model_move(&before, &now);
        assert_null(now.topics);
    }
    assert_int_equal(before.history_count, TOP_MODEL_HISTORY);
    /* the squares grow by 2i - 1 */
    assert_true(before.history[TOP_MODEL_HISTORY - 1] == 2 * (TOP_MODEL_HISTORY + 5) - 1);
    assert_true(before.history[0] == 2 * 6 - 1);
    top_model_fini(&before);
}

/* The rate of bytes between two sizes, 4 s apart. */
static double
byte_rate(struct top_size first, struct top_size second)
{
    struct top_model before = {.asked_ms = 1000, .sized_ms = 1000};
    struct top_model now = {.asked_ms = 5000, .sized_ms = 5000};
    double rate;

    topic_add(&before, "a", 100, 100)->size = first;
    topic_add(&now, "a", 100, 100)->size = second;
    top_model_rates(&now, &before);
    rate = now.topics[0].byte_rate;
    top_model_fini(&before);
    top_model_fini(&now);
    return rate;
}

static void
bytes_a_second_are_the_growth_of_a_log_that_lost_nothing(void **state)
{
    (void)state;
    assert_true(byte_rate((struct top_size){1000, 7}, (struct top_size){5000, 7}) == 1000);
    assert_true(byte_rate((struct top_size){1000, 7}, (struct top_size){1000, 7}) == 0);
    assert_true(byte_rate((struct top_size){1000, 7}, (struct top_size){5000, 8}) == -1);
    assert_true(byte_rate((struct top_size){1000, 7}, (struct top_size){900, 7}) == -1);
    assert_true(byte_rate((struct top_size){-1, 7}, (struct top_size){5000, 7}) == -1);
    assert_true(byte_rate((struct top_size){1000, 7}, (struct top_size){-1, 7}) == -1);
}

static void
sizes_that_a_round_did_not_ask_for_are_those_of_the_round_before(void **state)
{
    struct top_model before = {.asked_ms = 1000, .sized_ms = 1000}, now = {.asked_ms = 3000};

    (void)state;
    topic_add(&before, "a", 100, 100)->size.bytes = 5000;
    topic_add(&before, "b", 100, 100)->size.bytes = -1;
    before.topics[0].byte_rate = 12;
    topic_add(&now, "a", 100, 100);
    topic_add(&now, "b", 100, 100);
    top_model_rates(&now, &before);
    assert_int_equal(now.topics[0].size.bytes, 5000);
    assert_true(now.topics[0].byte_rate == 12);
    assert_int_equal(now.sized_ms, 1000);
    assert_int_equal(now.bytes, 5000);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
a_mirror_counts_the_bytes_of_the_target_or_estimates_them_from_records(void **state)
{
    struct top_model before = {.asked_ms = 1000, .sized_ms = 1000};
    struct top_model now = {.asked_ms = 3000, .sized_ms = 3000};

    (void)state;
    topic_add(&before, "measured", 100, 100)->target_size.bytes = 1000;
    topic_add(&now, "measured", 100, 100)->target_size.bytes = 5000;
    topic_add(&before, "estimated", 100, 100)->lag = 60;
    topic_add(&now, "estimated", 100, 100)->lag = 20;
    now.topics[1].size.bytes = 700; /* 7 a record, and 20 records a second */
    topic_add(&before, "unknown", 100, 100);
    topic_add(&now, "unknown", 100, 100);
    top_model_rates(&now, &before);
    assert_true(now.topics[0].mirror_byte_rate == 2000);
    assert_false(now.topics[0].mirror_bytes_estimated);
    assert_true(now.topics[1].mirror_byte_rate == 140);
    assert_true(now.topics[1].mirror_bytes_estimated);
    assert_true(now.topics[2].mirror_byte_rate == -1);
    assert_true(now.mirror_byte_rate == -1);
    assert_true(now.mirror_bytes_estimated);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
the_time_to_go_is_the_lag_by_how_fast_it_shrinks(void **state)
{
    struct top_model before = {.asked_ms = 1000}, now = {.asked_ms = 3000};

    (void)state;
    topic_add(&before, "shrinks", 100, 100)->lag = 60;
    topic_add(&now, "shrinks", 150, 150)->lag = 40;
    topic_add(&before, "grows", 100, 100)->lag = 60;
    topic_add(&now, "grows", 200, 200)->lag = 80;
    topic_add(&before, "live", 100, 100);
    topic_add(&now, "live", 200, 200);
    topic_add(&now, "new", 100, 100)->lag = 7;
    top_model_rates(&now, &before);
    assert_true(now.topics[0].eta_s == 4);
    assert_true(now.topics[1].eta_s == -1);
    assert_true(now.topics[2].eta_s == 0);
    assert_true(now.topics[3].eta_s == -1);
    assert_true(now.mirror_eta_s == -1);
    assert_true(now.topics[1].mirror_rate == 40);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
a_lag_that_grows_faster_than_the_source_is_no_negative_rate(void **state)
{
    struct top_model before = {.asked_ms = 1000}, now = {.asked_ms = 2000};

    (void)state;
    topic_add(&before, "a", 100, 100);
    topic_add(&now, "a", 110, 110)->lag = 30;
    now.topics[0].size.bytes = 1100;
    top_model_rates(&now, &before);
    assert_true(now.topics[0].mirror_rate == 0);
    assert_true(now.topics[0].mirror_byte_rate == 0);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
a_copy_shares_nothing(void **state)
{
    struct top_model model = {.rounds = 3}, copy;

    (void)state;
    topic_add(&model, "a", 100, 100);
    top_model_copy(&copy, &model);
    top_model_fini(&model);
    assert_string_equal(copy.topics[0].name, "a");
    assert_int_equal(copy.rounds, 3);
    top_model_fini(&copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_the_ends_moved_by_the_time_passed),
        cmocka_unit_test(the_history_keeps_the_newest),
        cmocka_unit_test(bytes_a_second_are_the_growth_of_a_log_that_lost_nothing),
        cmocka_unit_test(sizes_that_a_round_did_not_ask_for_are_those_of_the_round_before),
        cmocka_unit_test(a_mirror_counts_the_bytes_of_the_target_or_estimates_them_from_records),
        cmocka_unit_test(the_time_to_go_is_the_lag_by_how_fast_it_shrinks),
        cmocka_unit_test(a_lag_that_grows_faster_than_the_source_is_no_negative_rate),
        cmocka_unit_test(a_copy_shares_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
