#include "refbroker/meta/topics.h"

#include "refbroker/log/cache.h"
#include "tests/unit/unit.h"

static struct cache cache;
static struct topics topics;

static int
setup(void **state)
{
    (void)state;
    cache_init(&cache, 1 << 20);
    topics_init(&topics, &cache);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    topics_fini(&topics);
    return 0;
}

static struct topic *
add(const char *name, uint8_t id, int32_t partitions)
{
    return topics_add(&topics, &(struct wire_uuid){{id, 1}}, name, partitions);
}

static void
a_topic_is_found_by_name_and_by_id(void **state)
{
    struct topic *a = add("orders", 1, 3), *b = add("orders-2", 2, 1);

    (void)state;
    assert_ptr_equal(topics_find(&topics, "orders", 6), a);
    assert_ptr_equal(topics_find(&topics, "orders-2", 8), b);
    assert_ptr_equal(topics_find(&topics, "orders-2", 6), a);
    assert_null(topics_find(&topics, "order", 5));
    assert_null(topics_find(&topics, "", 0));
    assert_ptr_equal(topics_find_id(&topics, &(struct wire_uuid){{2, 1}}), b);
    assert_null(topics_find_id(&topics, &(struct wire_uuid){{3, 1}}));
    assert_string_equal(a->name, "orders");
    assert_int_equal(a->state, TOPIC_ACTIVE);
    assert_int_equal(a->replication_factor, 1);
}

static void
partitions_belong_to_their_topic_and_grow(void **state)
{
    struct topic *topic = add("t", 1, 2);
    struct partition *first = topics_partition(topic, 0);

    (void)state;
    assert_int_equal(topics.partition_count, 2);
    assert_ptr_equal(first->topic, topic);
    assert_int_equal(topics_partition(topic, 1)->index, 1);
    assert_null(topics_partition(topic, 2));
    assert_null(topics_partition(topic, -1));
    assert_null(topics_partition(topic, INT32_MIN));
    assert_null(topics_partition(topic, INT32_MAX));
    topics_grow(&topics, topic, 2);
    topics_grow(&topics, topic, 100);
    assert_ptr_equal(topics_partition(topic, 0), first);
    assert_int_equal(topics_partition(topic, 99)->index, 99);
    assert_int_equal(topics.partition_count, 100);
}

static void
a_removed_topic_is_gone_and_its_name_is_free(void **state)
{
    struct topic *topic = add("t", 1, 5);
    struct partition *held = topics_partition(topic, 3);
    struct blob *blob = blob_new(10);

    (void)state;
    add("u", 2, 1);
    cache_add(held, blob, blob->data, 10, 0, 0, 0);
    partition_hold(held);
    topics_remove(&topics, topic);
    assert_null(topics_find(&topics, "t", 1));
    assert_null(topics_find_id(&topics, &(struct wire_uuid){{1, 1}}));
    assert_int_equal(topics.partition_count, 1);
    assert_int_equal(blob->refs, 1);
    assert_null(held->topic);
    assert_true(held->stopped);
    partition_release(held);
    assert_non_null(add("t", 3, 1));
    blob_unref(blob);
}

static void
a_walk_follows_the_order_of_creation(void **state)
{
    size_t position = 0;
    struct topic *c = add("c", 1, 1), *a = add("a", 2, 1), *b = add("b", 3, 1);

    (void)state;
    topics_remove(&topics, a);
    assert_ptr_equal(topics_next(&topics, &position), c);
    assert_ptr_equal(topics_next(&topics, &position), b);
    assert_null(topics_next(&topics, &position));
}

static void
names_that_kafka_takes_are_taken(void **state)
{
    static const char *const names[] = {
        "a", "A-Z_0.9", "...", "__consumer_offsets", "-", ".a", "a.", "0"};
    char longest[249];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(topics_name_check(names[i], strlen(names[i])));
    memset(longest, 'n', sizeof longest);
    assert_null(topics_name_check(longest, sizeof longest));
}

/* The words are those of Topic.validate. */
static void
other_names_are_refused_in_kafkas_words(void **state)
{
    static const struct {
        const char *name;
        size_t size;
        const char *words;
    } bad[] = {
        {"", 0, "the empty string is not allowed"},
        {".", 1, "'.' is not allowed"},
        {"..", 2, "'..' is not allowed"},
        {"a b", 3,
            "it contains one or more characters other than ASCII alphanumerics, '.', '_' "
            "and '-'"},
        {"a/b", 3, NULL},
        {"a\0b", 3, NULL},
        {"\0", 1, NULL},
        {"a\n", 2, NULL},
        {"\xc3\xa4", 2, NULL},
        {"\xff", 1, NULL},
        {"a:b", 3, NULL},
    };
    char longer[250];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *words = topics_name_check(bad[i].name, bad[i].size);

        assert_non_null(words);
        if (bad[i].words != NULL)
            assert_string_equal(words, bad[i].words);
    }
    memset(longer, 'n', sizeof longer);
    assert_string_equal(topics_name_check(longer, sizeof longer),
        "the length of the name is longer than the max allowed length 249");
}

static void
names_that_differ_in_dots_and_underscores_only_collide(void **state)
{
    struct topic *topic = add("a.b_c", 1, 1);

    (void)state;
    assert_ptr_equal(topics_name_collides(&topics, "a_b_c"), topic);
    assert_ptr_equal(topics_name_collides(&topics, "a_b.c"), topic);
    assert_null(topics_name_collides(&topics, "a.b_c"));
    assert_null(topics_name_collides(&topics, "a.b"));
    assert_null(topics_name_collides(&topics, "a.b_c_"));
    assert_null(topics_name_collides(&topics, "a.b-c"));
    assert_null(topics_name_collides(&topics, "abc"));
}

static void
internal_topics_are_kafkas_three(void **state)
{
    (void)state;
    assert_true(topics_is_internal("__consumer_offsets"));
    assert_true(topics_is_internal("__transaction_state"));
    assert_true(topics_is_internal("__share_group_state"));
    assert_false(topics_is_internal("__consumer_offsets2"));
    assert_false(topics_is_internal("_schemas"));
    assert_false(topics_is_internal(""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_is_found_by_name_and_by_id),
        TEST(partitions_belong_to_their_topic_and_grow),
        TEST(a_removed_topic_is_gone_and_its_name_is_free),
        TEST(a_walk_follows_the_order_of_creation),
        TEST(names_that_kafka_takes_are_taken),
        TEST(other_names_are_refused_in_kafkas_words),
        TEST(names_that_differ_in_dots_and_underscores_only_collide),
        TEST(internal_topics_are_kafkas_three),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
