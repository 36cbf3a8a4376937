/* What an audit that was ended had read is not read again; what was made anew is. */
#include "audit/resume.h"

#include "tests/unit/audit/rules_rig.h"

#define BYTES 1000
#define BATCHES 7

static struct audit_inventory begun; /* by the audit that was ended */
static uint64_t bytes;

/* Three partitions with ten records each, of which the first was done with when the audit ended. */
static void
fill(struct audit_inventory *of, const char *name)
{
    struct audit_topic *topic = inventory_add_topic(of, name, 3);

    for (int32_t i = 0; i < 3; i++) {
        of->partitions[topic->first + (uint32_t)i].log_start_offset = 0;
        of->partitions[topic->first + (uint32_t)i].end_offset = 10;
    }
}

static struct audit_partition *
partition(struct audit_inventory *of, uint32_t topic, uint32_t number)
{
    return &of->partitions[of->topics[topic].first + number];
}

static int
start(void **state)
{
    (void)state;
    inventory_init(&begun);
    begin_inventory();
    fill(&begun, "t");
    fill(&inventory, "t");
    partition(&begun, 0, 0)->is_sampled = true;
    begun.topics[0].sample = (struct audit_sample){
        .batches = BATCHES, .bytes = BYTES, .partitions = 1, .cut = 2, .programs = "a program"};
    return 0;
}

static int
end(void **state)
{
    (void)state;
    inventory_fini(&begun);
    inventory_fini(&inventory);
    return 0;
}

static void
what_was_read_is_taken_over(void **state)
{
    const struct audit_topic *topic = &inventory.topics[0];

    (void)state;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 1);
    assert_int_equal(bytes, BYTES);
    assert_int_equal(topic->sample.batches, BATCHES);
    assert_int_equal(topic->sample.partitions, 1);
    assert_string_equal(topic->sample.programs, "a program");
    assert_true(partition(&inventory, 0, 0)->is_sampled);
    assert_false(partition(&inventory, 0, 1)->is_sampled);
    /* The two that were not read are about to be. */
    assert_int_equal(topic->sample.cut, 0);
}

static void
texts_outlive_the_audit_that_was_ended(void **state)
{
    (void)state;
    begun.topics[0].sample.programs = inventory_printf(&begun, "a program");
    (void)resume_take(&inventory, &begun, &bytes);
    assert_ptr_not_equal(inventory.topics[0].sample.programs, begun.topics[0].sample.programs);
}

static void
what_was_cut_stays_cut(void **state)
{
    (void)state;
    begun.topics[0].sample.cut = 3;
    (void)resume_take(&inventory, &begun, &bytes);
    assert_int_equal(inventory.topics[0].sample.cut, 1);
}

static void
what_came_since_was_not_read(void **state)
{
    (void)state;
    partition(&inventory, 0, 0)->end_offset = 11;
    partition(&inventory, 0, 1)->end_offset = 11;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 1);
    assert_int_equal(inventory.topics[0].sample.cut, 1);
}

static void
a_topic_that_was_made_anew_is_read_anew(void **state)
{
    (void)state;
    partition(&inventory, 0, 0)->end_offset = 9;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(inventory.topics[0].sample.batches, 0);
    assert_false(partition(&inventory, 0, 0)->is_sampled);
}

static void
so_is_one_whose_partition_is_gone_or_not_known(void **state)
{
    (void)state;
    partition(&begun, 0, 2)->is_sampled = true;
    inventory.topics[0].partition_count = 2;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 0);
    inventory.topics[0].partition_count = 3;
    partition(&inventory, 0, 2)->end_offset = -1;
    partition(&inventory, 0, 2)->log_start_offset = -1;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 0);
}

static void
topics_that_are_gone_or_were_not_read_are_passed_over(void **state)
{
    (void)state;
    fill(&begun, "gone");
    partition(&begun, 1, 0)->is_sampled = true;
    begun.topics[1].sample.partitions = 1;
    fill(&begun, "unread");
    fill(&inventory, "unread");
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 1);
    assert_int_equal(inventory.topics[1].sample.partitions, 0);
}

/* Such a file was not written by an audit; its counts may be anything. */
static void
a_file_that_lies_about_what_was_cut_does_no_harm(void **state)
{
    (void)state;
    begun.topics[0].sample.cut = 0;
    assert_int_equal(resume_take(&inventory, &begun, &bytes), 1);
    assert_int_equal(inventory.topics[0].sample.cut, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_is_taken_over),
        TEST(texts_outlive_the_audit_that_was_ended),
        TEST(what_was_cut_stays_cut),
        TEST(what_came_since_was_not_read),
        TEST(a_topic_that_was_made_anew_is_read_anew),
        TEST(so_is_one_whose_partition_is_gone_or_not_known),
        TEST(topics_that_are_gone_or_were_not_read_are_passed_over),
        TEST(a_file_that_lies_about_what_was_cut_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
