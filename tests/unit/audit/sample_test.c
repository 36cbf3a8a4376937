#include "tests/unit/unit.h"

#include "audit/sample.h"
#include "lib/base/xalloc.h"

static void
small_partitions_are_read_whole_and_large_ones_share_what_is_left(void **state)
{
    int64_t sizes[] = {1000000, 100, -1, 0};
    uint64_t parts[4];

    (void)state;
    sample_share(sizes, parts, 4, 10100);
    assert_int_equal(parts[0], 5000);
    assert_int_equal(parts[1], 100);
    assert_int_equal(parts[2], 5000);
    assert_int_equal(parts[3], 0);
    sample_share(sizes, parts, 4, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(parts[i], 0);
}

/* All of it, whatever the struct has, but for what is counted by topic. */
static void
what_was_read_of_a_partition_is_added_to_its_topic(void **state)
{
    struct audit_sample topic = {0}, partition;

    (void)state;
    memset(&partition, 1, sizeof partition);
    partition.programs = "a program";
    partition.offsets_stored = partition.cut = partition.partitions = 0;
    sample_add(&topic, &partition);
    assert_memory_equal(&topic, &partition, sizeof topic);
    partition.programs = NULL;
    partition.newest_ms--;
    sample_add(&topic, &partition);
    assert_int_equal(topic.batches, 2 * partition.batches);
    assert_string_equal(topic.programs, "a program");
    assert_int_equal(topic.newest_ms, partition.newest_ms + 1);
}

static void
each_topic_comes_before_the_second_partition_of_any(void **state)
{
    struct sample_candidate all[] = {{10, 0, true, 0}, {11, 0, true, 0}, {20, 1, false, 0},
        {21, 1, false, 0}, {22, 1, false, 0}, {30, 2, false, 0}};
    static const uint32_t expected[] = {20, 30, 10, 21, 11, 22};

    (void)state;
    sample_order(all, ARRAY_LEN(all));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_int_equal(all[i].partition, expected[i]);
}

static void
a_partition_that_fits_is_one_slice_without_a_limit(void **state)
{
    struct sample_plan plan;

    (void)state;
    sample_plan_make(&plan, 5, 100, 4000, 4000);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.slices[0].from, 5);
    assert_int_equal(plan.slices[0].to, 100);
    assert_true(plan.slices[0].bytes_max == UINT64_MAX);
}

static void
slices_of_a_larger_one_tile_it_from_head_to_tail(void **state)
{
    static const uint64_t parts[] = {1, 5000, 65536, 300000, 5000000};
    static const int64_t spans[] = {1, 2, 7, 1000, INT64_C(1) << 40};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (size_t k = 0; k < ARRAY_LEN(spans); k++)
            for (int known = 0; known < 2; known++) {
                struct sample_plan plan;
                uint64_t sum = 0;

                sample_plan_make(&plan, 10, 10 + spans[k], known ? INT64_C(1) << 40 : -1, parts[i]);
                assert_in_range(plan.count, 1, SAMPLE_SLICES_MAX);
                assert_int_equal(plan.slices[0].from, 10);
                assert_int_equal(plan.slices[plan.count - 1].to, 10 + spans[k]);
                for (uint32_t s = 0; s < plan.count; s++) {
                    assert_true(plan.slices[s].from < plan.slices[s].to);
                    if (s > 0)
                        assert_int_equal(plan.slices[s].from, plan.slices[s - 1].to);
                    sum += plan.slices[s].bytes_max;
                }
                assert_true(sum <= parts[i]);
            }
}

static void
nothing_is_planned_for_an_empty_range_or_without_a_budget(void **state)
{
    struct sample_plan plan;

    (void)state;
    sample_plan_make(&plan, 10, 10, 100, 100);
    assert_int_equal(plan.count, 0);
    sample_plan_make(&plan, -1, 10, 100, 100);
    assert_int_equal(plan.count, 0);
    sample_plan_make(&plan, 0, 10, 100, 0);
    assert_int_equal(plan.count, 0);
}

static struct batch_view
batch_of(int64_t base, int32_t delta, int32_t count, int16_t attributes, int64_t producer)
{
    return (struct batch_view){.size = 100,
        .base_offset = base,
        .last_offset_delta = delta,
        .record_count = count,
        .attributes = attributes,
        .producer_id = producer,
        .magic = 2};
}

static void
headers_tell_transactions_producers_and_what_compaction_took(void **state)
{
    struct batch_view batches[] = {batch_of(0, 9, 10, 0, -1),
        batch_of(10, 9, 7, BATCH_VIEW_TRANSACTIONAL, 5),
        batch_of(30, 0, 1, BATCH_VIEW_TRANSACTIONAL | BATCH_VIEW_CONTROL, 5)};
    struct audit_sample sample = {0};
    struct sample_reader reader;

    (void)state;
    sample_reader_init(&reader, &sample, false);
    sample_reader_slice(&reader, 0);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        assert_int_equal(sample_reader_take(&reader, &batches[i], NULL), RC_OK);
    assert_int_equal(sample.batches, 3);
    assert_int_equal(sample.transactional, 2);
    assert_int_equal(sample.control, 1);
    assert_int_equal(sample.with_producer, 2);
    assert_int_equal(sample.holes, 3 + 10);
    assert_int_equal(sample.offsets, 21);
    sample_reader_fini(&reader);
}

static void
keys_of_known_programs_are_recognised_by_their_shape(void **state)
{
    static const char connect[] = "[\"inventory\",{\"filename\":\"x\"}]";
    static const char registry[] = "{\"keytype\":\"SCHEMA\",\"subject\":\"s\"}";

    (void)state;
    assert_string_equal(
        sample_program((const uint8_t *)connect, sizeof connect - 1), "Kafka Connect");
    assert_string_equal(
        sample_program((const uint8_t *)registry, sizeof registry - 1), "a Schema Registry");
    assert_null(sample_program((const uint8_t *)"[\"x\"]", 5));
    assert_null(sample_program((const uint8_t *)"k00000001", 9));
    assert_null(sample_program((const uint8_t *)"", 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_partitions_are_read_whole_and_large_ones_share_what_is_left),
        cmocka_unit_test(what_was_read_of_a_partition_is_added_to_its_topic),
        cmocka_unit_test(each_topic_comes_before_the_second_partition_of_any),
        cmocka_unit_test(a_partition_that_fits_is_one_slice_without_a_limit),
        cmocka_unit_test(slices_of_a_larger_one_tile_it_from_head_to_tail),
        cmocka_unit_test(nothing_is_planned_for_an_empty_range_or_without_a_budget),
        cmocka_unit_test(headers_tell_transactions_producers_and_what_compaction_took),
        cmocka_unit_test(keys_of_known_programs_are_recognised_by_their_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
