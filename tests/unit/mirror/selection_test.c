#include "mirror/selection.h"

#include "tests/unit/unit.h"

static void
patterns_are_globs_and_the_last_that_fits_decides(void **state)
{
    (void)state;
    assert_true(selection_matches("orders", "orders", false));
    assert_false(selection_matches("orders", "orders2", false));
    assert_true(selection_matches("pay*,orders", "payments.eu", false));
    assert_true(selection_matches("*,!logs.*", "orders", false));
    assert_false(selection_matches("*,!logs.*", "logs.web", false));
    assert_true(selection_matches("*,!logs.*,logs.web", "logs.web", false));
    assert_false(selection_matches("", "orders", false));
    assert_true(selection_matches(",,orders,", "orders", false));
}

static void
internal_topics_are_taken_by_their_whole_name_only(void **state)
{
    (void)state;
    assert_false(selection_matches("*", "__consumer_offsets", true));
    assert_true(selection_matches("__consumer_offsets", "__consumer_offsets", true));
}

/* Two topics of 3 and 2 partitions. */
static void
fill(struct selection *s, struct selection_topic *topics, struct selection_partition *partitions)
{
    static char a[] = "a", b[] = "b";

    memset(s, 0, sizeof *s);
    topics[0] = (struct selection_topic){.name = a, .partition_count = 3, .first = 0};
    topics[1] = (struct selection_topic){.name = b, .partition_count = 2, .first = 3};
    for (uint32_t i = 0; i < 5; i++)
        partitions[i] = (struct selection_partition){
            .topic = i >= 3, .partition = (int32_t)(i >= 3 ? i - 3 : i)};
    s->topics = topics;
    s->topic_count = 2;
    s->partitions = partitions;
    s->partition_count = 5;
    map_put_text(&s->by_name, "a", (void *)(uintptr_t)1);
    map_put_text(&s->by_name, "b", (void *)(uintptr_t)2);
}

static void
partitions_are_found_by_name_and_number(void **state)
{
    struct selection_partition partitions[5];
    struct selection_topic topics[2];
    struct selection s;

    (void)state;
    fill(&s, topics, partitions);
    assert_int_equal(selection_find(&s, (struct wire_string){"b", 1}, 1), 4);
    assert_int_equal(selection_find(&s, (struct wire_string){"b", 1}, 2), UINT32_MAX);
    assert_int_equal(selection_find(&s, (struct wire_string){"b", 1}, -1), UINT32_MAX);
    assert_int_equal(selection_find(&s, (struct wire_string){"c", 1}, 0), UINT32_MAX);
    assert_int_equal(selection_find(&s, (struct wire_string){NULL, -1}, 0), UINT32_MAX);
    map_fini(&s.by_name, NULL);
}

static void
items_of_a_request_are_grouped_by_topic(void **state)
{
    static const uint32_t items[] = {4, 0, 3, 2};
    struct selection_partition partitions[5];
    struct selection_topic topics[2];
    struct selection_group *groups;
    struct selection s;
    struct arena arena;
    size_t count;

    (void)state;
    fill(&s, topics, partitions);
    arena_init(&arena, 65536);
    groups = selection_group(&s, items, 4, &arena, &count);
    assert_int_equal(count, 2);
    assert_string_equal(groups[0].topic, "a");
    assert_int_equal(groups[0].count, 2);
    assert_int_equal(groups[0].numbers[1], 2);
    assert_string_equal(groups[1].topic, "b");
    assert_int_equal(groups[1].numbers[0], 3);
    assert_int_equal(groups[1].numbers[1], 4);
    arena_fini(&arena);
    map_fini(&s.by_name, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_globs_and_the_last_that_fits_decides),
        cmocka_unit_test(internal_topics_are_taken_by_their_whole_name_only),
        cmocka_unit_test(partitions_are_found_by_name_and_number),
        cmocka_unit_test(items_of_a_request_are_grouped_by_topic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
