/* What topologies promise. */
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/streams_topology_rig.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 26);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static int16_t
names_of(const char *text, struct wire_string **names, size_t *count, struct err *e)
{
    return streams_topology_check_names(rig_topology_of(&arena, 0, text), &arena, names, count, e);
}

static void
all_names_are_listed_once_in_the_order_of_the_request(void **state)
{
    static const char *const expected[] = {"s2", "s1", "r1", "c1", "c2"};
    struct wire_string *names;
    size_t count;

    (void)state;
    assert_int_equal(names_of("a: s2 s1 s2 >r1 *c1; b: <r1 *c2 *c1", &names, &count, NULL), 0);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        assert_true(codec_string_is(names[i], expected[i]));
}

static void
kafkas_own_topics_are_refused_before_names_that_are_none(void **state)
{
    struct wire_string *names;
    size_t count;
    struct err e;

    (void)state;
    assert_int_equal(names_of("a: s/1 __consumer_offsets >__transaction_state", &names, &count, &e),
        KE_STREAMS_INVALID_TOPOLOGY);
    assert_string_equal(e.text, "Use of Kafka internal topics "
                                "__consumer_offsets,__transaction_state in a Kafka Streams "
                                "topology is prohibited.");
    assert_int_equal(names_of("a: s/1 s2 *c&1", &names, &count, &e), KE_STREAMS_INVALID_TOPOLOGY);
    assert_string_equal(e.text, "Topic names s/1,c&1 are not valid topic names.");
}

static void
a_text_that_is_too_long_is_cut(void **state)
{
    struct wire_string *names;
    char text[1200] = "a:", word[80];
    size_t count;
    struct err e;

    (void)state;
    for (int i = 0; i < 16; i++) {
        (void)snprintf(word, sizeof word, " /%060d", i);
        (void)strncat(text, word, sizeof text - strlen(text) - 1);
    }
    assert_int_equal(names_of(text, &names, &count, &e), KE_STREAMS_INVALID_TOPOLOGY);
    assert_int_equal(count, 16);
    assert_ptr_equal(strstr(e.text, "Topic names /0"), e.text);
}

static void
patterns_and_sized_changelogs_are_refused(void **state)
{
    rig_topology *topology = rig_topology_of(&arena, 0, "a: s1 *c1; b: s2 *c2 *c3=4");
    struct wire_string pattern = codec_string("s.*");
    struct err e;

    (void)state;
    assert_int_equal(streams_topology_check_features(topology, &e), 0);
    assert_int_equal(streams_topology_check(topology, &e), KE_STREAMS_INVALID_TOPOLOGY);
    assert_string_equal(
        e.text, "Changelog topic c3 must have an undefined partition count, but it is set to 4.");
    topology->subtopologies.items[1].state_changelog_topics.count = 1;
    assert_int_equal(streams_topology_check(topology, &e), 0);
    topology->subtopologies.items[1].source_topic_regex.items = &pattern;
    topology->subtopologies.items[1].source_topic_regex.count = 1;
    assert_int_equal(streams_topology_check_features(topology, &e), KE_INVALID_REQUEST);
    assert_string_equal(e.text, "Regular expressions for source topics are not supported yet.");
}

static void
limits_are_checked_with_names(void **state)
{
    rig_topology topology = {.epoch = 0};
    rig_subtopology *items =
        xcalloc(LIMIT_STREAMS_SUBTOPOLOGIES_MAX + 1, sizeof *topology.subtopologies.items);
    struct wire_string *texts = xcalloc(LIMIT_STREAMS_TOPICS_MAX + 1, sizeof *texts), *names;
    struct arena small;
    size_t count;
    struct err e;

    (void)state;
    for (int i = 0; i <= LIMIT_STREAMS_TOPICS_MAX; i++)
        texts[i] = codec_string("s");
    for (int i = 0; i <= LIMIT_STREAMS_SUBTOPOLOGIES_MAX; i++)
        items[i].subtopology_id = codec_string("0");
    topology.subtopologies.items = items;
    topology.subtopologies.count = LIMIT_STREAMS_SUBTOPOLOGIES_MAX + 1;
    assert_int_equal(streams_topology_check_names(&topology, &arena, &names, &count, &e),
        KE_STREAMS_INVALID_TOPOLOGY);
    assert_int_equal(e.code, RC_LIMIT);
    topology.subtopologies.count = 1;
    items->source_topics.items = texts;
    items->source_topics.count = LIMIT_STREAMS_TOPICS_MAX + 1;
    assert_int_equal(streams_topology_check_names(&topology, &arena, &names, &count, &e),
        KE_STREAMS_INVALID_TOPOLOGY);
    items->source_topics.count = LIMIT_STREAMS_TOPICS_MAX;
    assert_int_equal(streams_topology_check_names(&topology, &arena, &names, &count, &e), 0);
    assert_int_equal(count, 1);
    arena_init(&small, 64);
    assert_int_equal(streams_topology_check_names(&topology, &small, &names, &count, &e),
        KE_STREAMS_INVALID_TOPOLOGY);
    arena_fini(&small);
    items->subtopology_id = (struct wire_string){"0\0a", 3};
    assert_int_equal(
        streams_topology_check_names(&topology, &arena, &names, &count, &e), KE_INVALID_REQUEST);
    free(texts);
    free(items);
}

static void
a_topology_is_a_copy_in_several_orders(void **state)
{
    static const char *const required[] = {"s2", "r1", "c1", "s1"};
    struct streams_topology *topology = rig_topology_make(3, "b: s1 >r1; 2: <r1=4; a: s2 <r1 *c1");
    size_t position = 0, size, count = 0;
    const void *name;

    (void)state;
    assert_int_equal(topology->value.epoch, 3);
    assert_string_equal(topology->value.subtopologies.items[0].subtopology_id.data, "b");
    assert_string_equal(topology->by_id[0]->subtopology_id.data, "2");
    assert_string_equal(topology->by_id[1]->subtopology_id.data, "a");
    assert_string_equal(topology->by_id[2]->subtopology_id.data, "b");
    /* Of 16 buckets "a" (97) is in 1, "b" in 2, and so is "2" (50), which came later. */
    assert_string_equal(topology->by_table[0]->subtopology_id.data, "a");
    assert_string_equal(topology->by_table[1]->subtopology_id.data, "b");
    assert_string_equal(topology->by_table[2]->subtopology_id.data, "2");
    assert_int_equal(topology->by_table[2]->repartition_source_topics.items[0].partitions, 4);
    while (map_next(&topology->required, &position, &name, &size) != NULL)
        assert_memory_equal(name, required[count++], size);
    assert_int_equal(count, 4);
    assert_int_equal(streams_topology_find(topology, codec_string("b")), 2);
    assert_int_equal(streams_topology_find(topology, codec_string("bb")), -1);
    assert_int_equal(streams_topology_find(topology, codec_string("")), -1);
    streams_topology_free(topology);
    streams_topology_free(NULL);
}

static void
a_record_gives_the_same_topology(void **state)
{
    static const char text[] = "a: s1 >r1 *c1 {0}; b: <r1=2 {r0}";
    struct streams_topology *topology = rig_topology_make(1, text), *again;
    struct km_streams_group_topology_value value;
    struct buf bytes;
    int16_t error;

    (void)state;
    buf_init(&bytes, SIZE_MAX);
    assert_int_equal(
        codec_encode(&km_streams_group_topology_value_message, 0, &topology->value, &bytes, NULL),
        RC_OK);
    assert_int_equal(codec_decode(&km_streams_group_topology_value_message, 0, bytes.data,
                         bytes.size, &arena, &value, NULL, NULL),
        RC_OK);
    again = streams_topology_of_record(&value, &error, NULL);
    buf_fini(&bytes);
    assert_non_null(again);
    assert_true(streams_topology_equal(topology, again));
    assert_string_equal(again->by_id[1]->repartition_source_topics.items[0].name.data, "r1");
    streams_topology_free(again);
    streams_topology_free(topology);
}

static bool
equal(const char *a, const char *b)
{
    struct streams_topology *x = rig_topology_make(1, a), *y = rig_topology_make(1, b);
    bool is = streams_topology_equal(x, y);

    streams_topology_free(x);
    streams_topology_free(y);
    return is;
}

static void
the_order_counts_in_lists_only(void **state)
{
    struct streams_topology *a = rig_topology_make(1, "a: s1"), *b = rig_topology_make(2, "a: s1");

    (void)state;
    assert_true(equal("a: s1 s2; b: s3", "b: s3; a: s1 s2"));
    assert_false(equal("a: s1 s2; b: s3", "a: s2 s1; b: s3"));
    assert_false(equal("a: s1; b: s3", "a: s1"));
    assert_false(equal("a: s1 <r1", "a: s1 <r1=1"));
    assert_false(equal("a: s1 {0}", "a: s1"));
    assert_false(streams_topology_equal(a, b));
    streams_topology_free(a);
    streams_topology_free(b);
}

static void
what_kafka_cannot_take_in_is_refused(void **state)
{
    int16_t error;
    struct err e;

    (void)state;
    assert_null(streams_topology_of_request(rig_topology_of(&arena, -1, "a: s1"), &error, &e));
    assert_int_equal(error, KE_UNKNOWN_SERVER_ERROR);
    assert_string_equal(e.text, "");
    assert_null(
        streams_topology_of_request(rig_topology_of(&arena, 0, "a: s1; a: s2"), &error, &e));
    assert_int_equal(error, KE_UNKNOWN_SERVER_ERROR);
}

static void
a_topology_larger_than_a_record_is_refused(void **state)
{
    rig_topology *topology = rig_topology_of(&arena, 0, "a: s1 *c1");
    rig_info *info = topology->subtopologies.items[0].state_changelog_topics.items;
    int32_t count = (int32_t)LIMIT_STREAMS_TOPOLOGY_BYTES_MAX / 3;
    struct streams_topology *made;
    int16_t error;
    struct err e;

    (void)state;
    info->topic_configs.items = xcalloc((size_t)count, sizeof *info->topic_configs.items);
    for (int32_t i = 0; i < count; i++)
        info->topic_configs.items[i].key = info->topic_configs.items[i].value = codec_string("");
    info->topic_configs.count = count;
    assert_null(streams_topology_of_request(topology, &error, &e));
    assert_int_equal(error, KE_STREAMS_INVALID_TOPOLOGY);
    info->topic_configs.count = count - 100; /* the most memory that a record can take */
    made = streams_topology_of_request(topology, &error, &e);
    assert_non_null(made);
    streams_topology_free(made);
    free(info->topic_configs.items);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_names_are_listed_once_in_the_order_of_the_request),
        cmocka_unit_test(kafkas_own_topics_are_refused_before_names_that_are_none),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
        cmocka_unit_test(patterns_and_sized_changelogs_are_refused),
        cmocka_unit_test(limits_are_checked_with_names),
        cmocka_unit_test(a_topology_is_a_copy_in_several_orders),
        cmocka_unit_test(a_record_gives_the_same_topology),
        cmocka_unit_test(the_order_counts_in_lists_only),
        cmocka_unit_test(what_kafka_cannot_take_in_is_refused),
        cmocka_unit_test(a_topology_larger_than_a_record_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
