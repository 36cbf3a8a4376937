/* How far a share group's partitions are: what each step makes of the sets. */
#include "refbroker/coord/share_stages.h"

#include "tests/unit/unit.h"

static const struct wire_uuid one = {{1}}, two = {{2}};

static struct share_topics
topics_of(const struct wire_uuid *topic_id, const int32_t *partitions, int32_t count)
{
    struct share_topics topics = {0};

    share_topics_add(&topics, topic_id, "t", partitions, count);
    return topics;
}

static int
count_of(const struct share_topics *topics, const struct wire_uuid *topic_id)
{
    const struct share_topic *topic = share_topics_find(topics, topic_id);

    return topic == NULL ? -1 : topic->partition_count;
}

static void
partitions_are_joined_in_order_and_once(void **state)
{
    static const int32_t first[] = {5, 1, 5}, second[] = {3, 1};
    static const int32_t expected[] = {1, 3, 5};
    struct share_topics topics = topics_of(&two, first, 3);

    (void)state;
    share_topics_add(&topics, &one, "o", NULL, 0);
    share_topics_add(&topics, &two, "new name", second, 2);
    assert_int_equal(topics.count, 2);
    assert_int_equal(count_of(&topics, &one), 0);
    assert_int_equal(count_of(&topics, &two), 3);
    assert_memory_equal(topics.items[1].partitions, expected, sizeof expected);
    assert_string_equal(topics.items[1].name, "new name");
    assert_true(share_topic_has(&topics.items[1], 3));
    assert_false(share_topic_has(&topics.items[1], 4));
    assert_false(share_topic_has(&topics.items[0], 0));
    share_topics_fini(&topics);
}

static void
what_is_begun_is_completed_or_withdrawn_part_by_part(void **state)
{
    static const int32_t all[] = {0, 1, 2}, some[] = {0, 2}, rest[] = {1};
    struct share_topics begun = topics_of(&one, all, 3), done = topics_of(&one, some, 2),
                        failed = topics_of(&one, rest, 1);
    struct share_stages stages = {0};

    (void)state;
    share_stages_begin(&stages, &begun);
    assert_int_equal(count_of(&stages.initializing, &one), 3);
    share_stages_complete(&stages, &done);
    assert_int_equal(count_of(&stages.initializing, &one), 1);
    assert_int_equal(count_of(&stages.initialized, &one), 2);
    share_stages_withdraw(&stages, &failed);
    assert_int_equal(count_of(&stages.initializing, &one), -1);
    assert_int_equal(count_of(&stages.initialized, &one), 2);
    share_stages_withdraw(&stages, &failed);
    share_topics_fini(&begun);
    share_topics_fini(&done);
    share_topics_fini(&failed);
    share_stages_fini(&stages);
}

static void
what_is_deleted_may_begin_again(void **state)
{
    static const int32_t all[] = {0, 1};
    struct share_topics begun = topics_of(&one, all, 2);
    struct share_stages stages = {0};

    (void)state;
    share_stages_complete(&stages, &begun);
    share_stages_delete(&stages, &two);
    share_stages_delete(&stages, &one);
    assert_int_equal(count_of(&stages.initialized, &one), -1);
    assert_int_equal(count_of(&stages.deleting, &one), 0);
    assert_int_equal(stages.deleting.count, 1);
    share_stages_begin(&stages, &begun);
    assert_int_equal(stages.deleting.count, 0);
    share_topics_fini(&begun);
    share_stages_fini(&stages);
}

static void
all_is_deleted_whatever_its_stage(void **state)
{
    static const int32_t all[] = {0};
    struct share_topics first = topics_of(&one, all, 1), second = topics_of(&two, all, 1);
    struct share_stages stages = {0};

    (void)state;
    share_stages_complete(&stages, &first);
    share_stages_begin(&stages, &second);
    share_stages_delete_all(&stages);
    assert_int_equal(stages.initialized.count + stages.initializing.count, 0);
    assert_int_equal(stages.deleting.count, 2);
    assert_true(share_stages_forget(&stages, &one));
    assert_false(share_stages_forget(&stages, &one));
    share_topics_fini(&first);
    share_topics_fini(&second);
    share_stages_fini(&stages);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_joined_in_order_and_once),
        cmocka_unit_test(what_is_begun_is_completed_or_withdrawn_part_by_part),
        cmocka_unit_test(what_is_deleted_may_begin_again),
        cmocka_unit_test(all_is_deleted_whatever_its_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
