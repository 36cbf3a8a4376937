/* What the topics of a topology promise. Orders in which names are shown were worked out by hand
 * from their hashes: one that is a letter and a digit has 31 * letter + digit, and a table of 16
 * buckets takes the last four bits of that: "c1" is in 14, "c2" in 15, "c3" in 0, "c4" in 1, "r1"
 * in 15, "r2" in 0, "r3" in 1. */
#include "refbroker/coord/streams_topics.h"

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/streams_topology_rig.h"

/* Topics that exist: "s1=3 s2=4". */
static int32_t
count_of(const void *arg, const char *name)
{
    const char *at = arg;
    size_t size = strlen(name);

    while (at != NULL) {
        if (strncmp(at, name, size) == 0 && at[size] == '=')
            return (int32_t)strtol(at + size + 1, NULL, 10);
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    return 0;
}

struct rig {
    struct streams_topology *topology;
    struct streams_topics topics;
    struct streams_topics_view view;
    struct arena arena;
    struct err e;
    int16_t error;
};

static void
begin(struct rig *rig, const char *existing, const char *topology)
{
    memset(rig, 0, sizeof *rig);
    rig->topology = rig_topology_make(0, topology);
    rig->view = (struct streams_topics_view){count_of, existing};
    arena_init(&rig->arena, (size_t)1 << 24);
    streams_topics_init(&rig->topics);
    rig->error = streams_topics_configure(&rig->topics, rig->topology, &rig->view, &rig->e);
}

static void
end(struct rig *rig)
{
    streams_topics_fini(&rig->topics);
    streams_topology_free(rig->topology);
    arena_fini(&rig->arena);
}

static void
assert_ready(const char *existing, const char *topology)
{
    struct rig rig;

    begin(&rig, existing, topology);
    assert_int_equal(rig.error, 0);
    assert_true(streams_topics_is_ready(&rig.topics));
    assert_null(rig.topics.detail);
    end(&rig);
}

static void
assert_status(const char *existing, const char *topology, enum streams_status status, bool decided,
    const char *detail)
{
    struct rig rig;

    begin(&rig, existing, topology);
    assert_int_equal(rig.error, 0);
    assert_int_equal(rig.topics.status, status);
    assert_string_equal(rig.topics.detail, detail);
    assert_int_equal(rig.topics.is_decided, decided);
    assert_int_equal(rig.topics.subtopology_count > 0, decided);
    assert_false(streams_topics_is_ready(&rig.topics));
    end(&rig);
}

static void
assert_error(const char *existing, const char *topology, int16_t error, const char *text)
{
    struct rig rig;

    begin(&rig, existing, topology);
    assert_int_equal(rig.error, error);
    assert_string_equal(rig.e.text, text);
    assert_false(streams_topics_is_ready(&rig.topics));
    assert_int_equal(rig.topics.subtopology_count, 0);
    end(&rig);
}

static int32_t
tasks_of(const char *existing, const char *topology, int place)
{
    struct rig rig;
    int32_t count;

    begin(&rig, existing, topology);
    assert_int_equal(rig.error, 0);
    assert_true(place < rig.topics.subtopology_count);
    count = rig.topics.subtopologies[place].task_count;
    end(&rig);
    return count;
}

/* "name=partitions" of what has to be made. */
static void
assert_missing(const char *existing, const char *topology, const char *expected)
{
    char text[256] = "", item[64];
    struct rig rig;

    begin(&rig, existing, topology);
    assert_int_equal(rig.error, 0);
    for (size_t i = 0; i < rig.topics.missing_count; i++) {
        (void)snprintf(item, sizeof item, "%s%s=%d", i == 0 ? "" : " ",
            rig.topics.missing[i].info->name.data, rig.topics.missing[i].partitions);
        (void)strncat(text, item, sizeof text - strlen(text) - 1);
    }
    assert_string_equal(text, expected);
    end(&rig);
}

static void
a_subtopology_has_as_many_tasks_as_its_largest_topic_has_partitions(void **state)
{
    (void)state;
    assert_ready("s1=3 s2=5", "a: s1; b: s1 s2");
    assert_int_equal(tasks_of("s1=3 s2=5", "b: s1 s2; a: s1", 0), 3);
    assert_int_equal(tasks_of("s1=3 s2=5", "b: s1 s2; a: s1", 1), 5);
    assert_int_equal(tasks_of("s1=3 r1=7", "a: s1 <r1=7", 0), 7);
    assert_ready("", "");
}

static void
missing_source_topics_are_told_sorted_and_three_of_them(void **state)
{
    (void)state;
    assert_status("s1=1", "a: s1 s3; b: s2 s3", STREAMS_STATUS_MISSING_SOURCE_TOPICS, false,
        "Source topics s2, s3 are missing.");
    assert_status("", "a: s5 s4 s3; b: s2 s1 >r1; c: <r1", STREAMS_STATUS_MISSING_SOURCE_TOPICS,
        false, "Source topics s1, s2, s3 and 2 additional topics are missing.");
}

static void
repartition_topics_follow_what_is_read_where_they_are_written(void **state)
{
    (void)state;
    /* r2 follows r1, which comes later in the order of subtopologies. */
    assert_missing("s1=3 s2=4", "a: <r1 >r2; b: s1 s2 >r1; c: <r2", "r2=4 r1=4");
    /* r2 has two that write into it: the first of them decides. */
    assert_missing("s1=3 s2=4", "a: s1 >r2; b: s2 >r2; c: <r2", "r2=3");
    /* What says how many it has keeps them. */
    assert_missing("s1=3", "a: s1 >r1; b: <r1=6 *c1", "c1=6 r1=6");
}

static void
a_topology_that_cannot_be_decided_is_refused(void **state)
{
    (void)state;
    assert_error("s1=1", "a: <r1 >r2; b: <r2 >r1; c: s1", KE_STREAMS_INVALID_TOPOLOGY,
        "Failed to compute number of partitions for all repartition topics. There may be loops in "
        "the topology that cannot be resolved.");
    assert_error("s1=1", "a: s1 <r1", KE_STREAMS_INVALID_TOPOLOGY,
        "Failed to compute number of partitions for all repartition topics, because a repartition "
        "source topic is never used as a sink topic.");
    assert_error("s1=1", "a: s1; b: *c1", KE_STREAMS_INVALID_TOPOLOGY,
        "No source topics found for subtopology b");
}

static void
a_loop_that_reads_something_is_decided(void **state)
{
    (void)state;
    assert_missing("s1=3", "a: s1 <r1 >r1", "r1=3");
}

static void
changelogs_are_as_large_as_what_their_subtopology_reads(void **state)
{
    (void)state;
    assert_missing("s1=3 s2=4", "a: s1 s2 >r1 *c1; b: <r1=9 *c2", "c1=4 r1=9 c2=9");
    assert_missing("s1=3 c1=3", "a: s1 *c1 *c2", "c2=3");
    assert_ready("s1=3 c1=3", "a: s1 *c1");
}

static void
missing_internal_topics_are_told_in_the_order_of_their_table(void **state)
{
    (void)state;
    assert_status("s1=2", "a: s1 *c1 *c2 *c3 *c4", STREAMS_STATUS_MISSING_INTERNAL_TOPICS, true,
        "Internal topics are missing: c3, c4, c1 and 1 additional topics");
    assert_missing("s1=2", "a: s1 *c1 *c2 *c3 *c4", "c3=2 c4=2 c1=2 c2=2");
    /* "c2" and "r1" are in one bucket, and come as the subtopologies do. */
    assert_status("s1=2", "b: s1 *c2; a: s1 >r1 <r1", STREAMS_STATUS_MISSING_INTERNAL_TOPICS, true,
        "Internal topics are missing: r1, c2");
}

static void
existing_internal_topics_must_be_as_large_as_decided(void **state)
{
    (void)state;
    assert_status("s1=2 c1=2 c2=1 c3=5", "a: s1 *c1 *c2 *c3",
        STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS, false,
        "Existing topic c3 has different number of partitions: expected 2, found 5");
    /* A repartition topic that exists counts with what it has for who reads it. */
    assert_status("s1=2 r1=4", "a: s1 >r1; b: <r1 *c1",
        STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS, false,
        "Existing topic r1 has different number of partitions: expected 2, found 4");
}

static void
copartitioned_source_topics_have_one_number(void **state)
{
    (void)state;
    assert_ready("s1=2 s2=2", "a: s1 s2 {0 1 0}");
    assert_ready("s1=2 s2=3", "a: s1 s2 {0} {1} {}");
    assert_status("s1=3 s2=2 s3=3", "a: s3 s2 s1 {0 1 2}",
        STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS, false,
        "Following topics do not have the same number of partitions: [{s1=3, s2=2, s3=3}]");
}

static void
copartitioned_repartition_topics_follow_source_topics(void **state)
{
    (void)state;
    assert_missing("s1=3 s2=5", "a: s1 >r1; b: s2 <r1 {0 r0}", "r1=5");
    assert_status("s1=3", "a: s1 >r1; b: s1 <r1=4 {0 r0}",
        STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS, false,
        "Number of partitions [4] of repartition topic [r1] doesn't match number of partitions "
        "[3] of the source topic.");
}

static void
copartitioned_repartition_topics_follow_the_largest_or_the_fixed(void **state)
{
    (void)state;
    assert_missing("s1=3 s2=5", "a: s1 >r1; b: s2 >r2; c: <r1 <r2 {r0 r1}", "r2=5 r1=5");
    assert_missing("s1=3 s2=5", "a: s1 >r1; b: s2 >r2; c: <r1 <r2=4 {r0 r1}", "r2=4 r1=4");
    /* Fixed ones count that are in no group, too. */
    assert_status("s1=3 s2=5", "a: s1 >r1; b: s2 >r2; c: <r1 {r0}; d: <r2=4 <r3=6 >r3",
        STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS, false,
        "Following topics do not have the same number of partitions: [{r1=3}]");
}

static void
what_kafka_fails_over_is_an_error_without_words(void **state)
{
    (void)state;
    assert_error("", "a: s1 {1}", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 {-1}", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 {r0}", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 <r1=-1", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 *c1 *c1", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 *c1?k:1?k:2", KE_UNKNOWN_SERVER_ERROR, "");
    assert_error("s1=1", "a: s1 <r1=1 <r1=1", KE_UNKNOWN_SERVER_ERROR, "");
}

static void
tasks_have_a_limit(void **state)
{
    char text[64];

    (void)state;
    (void)snprintf(text, sizeof text, "a: s1; b: s2 <r1=%d", LIMIT_STREAMS_TASKS_MAX);
    assert_error(
        "s1=1 s2=1", text, KE_STREAMS_INVALID_TOPOLOGY, "The topology has more than 200000 tasks.");
}

/* A chain that is decided from its end takes as many rounds as it has parts. */
static void
a_long_chain_is_decided(void **state)
{
    enum { PARTS = 60 };
    char text[PARTS * 24] = "", part[32];

    (void)state;
    for (int i = 0; i < PARTS; i++) {
        (void)snprintf(part, sizeof part, "%03d: <r%d >r%d;", i, i + 1, i);
        (void)strncat(text, part, sizeof text - strlen(text) - 1);
    }
    (void)snprintf(part, sizeof part, "%03d: s1 >r%d", PARTS, PARTS);
    (void)strncat(text, part, sizeof text - strlen(text) - 1);
    assert_int_equal(tasks_of("s1=7", text, 0), 7);
}

/* --- any topology --------------------------------------------------------------------------------
 */

/* Appends a random word of a subtopology, sane or not. */
static void
word_append(char *text, size_t size)
{
    static const char *const before[] = {" s", " >r", " <r", " <r", " <r", " *c", " {", " {r"};
    static const char *const behind[] = {"", "", "", "=2", "=-1", "", "}", "}"};
    size_t kind = (size_t)rand() % ARRAY_LEN(before);
    char word[32];

    (void)snprintf(word, sizeof word, "%s%d%s", before[kind], rand() % 4, behind[kind]);
    (void)strncat(text, word, size - strlen(text) - 1);
}

static void
assert_sound(const struct rig *rig)
{
    const struct streams_topics *topics = &rig->topics;

    assert_true(rig->error == 0 || rig->error == KE_STREAMS_INVALID_TOPOLOGY ||
                rig->error == KE_UNKNOWN_SERVER_ERROR);
    assert_int_equal(topics->detail == NULL, topics->status == STREAMS_STATUS_NONE);
    assert_int_equal(
        topics->missing_count > 0, topics->status == STREAMS_STATUS_MISSING_INTERNAL_TOPICS);
    if (!topics->is_decided)
        return;
    assert_int_equal(topics->subtopology_count, rig->topology->value.subtopologies.count);
    for (int32_t i = 0; i < topics->subtopology_count; i++) {
        assert_ptr_equal(topics->subtopologies[i].from, rig->topology->by_id[i]);
        assert_true(topics->subtopologies[i].task_count > 0);
    }
    for (size_t i = 0; i < topics->missing_count; i++) {
        assert_true(topics->missing[i].partitions > 0);
        assert_int_equal(count_of(rig->view.arg, topics->missing[i].info->name.data), 0);
    }
}

static void
random_topologies_are_decided_or_refused(void **state)
{
    int decided = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 3000; seed++) {
        char text[512] = "", id[8];
        struct rig rig;

        srand(seed);
        for (int i = 0, parts = 1 + rand() % 4; i < parts; i++) {
            (void)snprintf(id, sizeof id, "%d:", i);
            (void)strncat(text, id, sizeof text - strlen(text) - 1);
            for (int words = 1 + rand() % 4; words > 0; words--)
                word_append(text, sizeof text);
            (void)strncat(text, ";", sizeof text - strlen(text) - 1);
        }
        begin(&rig, "s0=2 s1=2 s2=2 r1=2 c1=2 c2=3", text);
        assert_sound(&rig);
        decided += rig.topics.is_decided;
        end(&rig);
    }
    assert_true(decided > 100);
}

/* --- what is told --------------------------------------------------------------------------------
 */

static int16_t
tasks_check(struct rig *rig, const char *subtopology_id, int32_t partition)
{
    struct km_streams_group_heartbeat_request_task_ids item = {
        .subtopology_id = codec_string(subtopology_id), .partitions = {&partition, 1}};
    struct km_streams_group_heartbeat_request_task_ids_array tasks = {&item, 1};

    return streams_topics_check_tasks(&rig->topics, &tasks, &rig->e);
}

static void
tasks_that_are_none_are_refused(void **state)
{
    struct km_streams_group_heartbeat_request_task_ids_array null = {NULL, -1};
    struct rig rig;

    (void)state;
    begin(&rig, "s1=3", "a: s1");
    assert_int_equal(streams_topics_check_tasks(&rig.topics, &null, &rig.e), 0);
    assert_int_equal(tasks_check(&rig, "a", 2), 0);
    assert_int_equal(tasks_check(&rig, "a", 3), KE_INVALID_REQUEST);
    assert_string_equal(
        rig.e.text, "Task 3 for subtopology a is invalid. Number of tasks for this subtopology: 3");
    assert_int_equal(tasks_check(&rig, "a", -1), KE_INVALID_REQUEST);
    assert_int_equal(tasks_check(&rig, "b", 0), KE_INVALID_REQUEST);
    assert_string_equal(rig.e.text, "Subtopology b does not exist in the topology.");
    end(&rig);
}

static void
an_endpoint_lists_partitions_of_all_that_its_tasks_read(void **state)
{
    struct km_streams_group_heartbeat_response_topic_partition_array out;
    struct streams_tasks tasks = {.runs = NULL};
    static const int32_t order[] = {16, 1, 17};
    struct rig rig;

    (void)state;
    begin(&rig, "s1=18 r1=2 s2=1", "a: s1 <r1=2; b: s2 >r1");
    streams_tasks_add(&tasks, "a", 17, 0);
    streams_tasks_add(&tasks, "a", 1, 0);
    streams_tasks_add(&tasks, "a", 16, 0);
    streams_tasks_add(&tasks, "b", 0, 0);
    assert_int_equal(streams_topics_endpoint(&rig.topics, &tasks, &rig.view, &rig.arena, &out), 0);
    assert_int_equal(out.count, 3);
    /* "s1" is in bucket 14, "r1" in 15. 16 is in bucket 0, 1 and 17 in 1. */
    assert_true(codec_string_is(out.items[0].topic, "s1"));
    assert_int_equal(out.items[0].partitions.count, 3);
    assert_memory_equal(out.items[0].partitions.items, order, sizeof order);
    /* A topic of fewer partitions than there are tasks: the first of them, by number. */
    assert_true(codec_string_is(out.items[1].topic, "r1"));
    assert_int_equal(out.items[1].partitions.count, 2);
    assert_int_equal(out.items[1].partitions.items[0], 1);
    assert_int_equal(out.items[1].partitions.items[1], 16);
    assert_true(codec_string_is(out.items[2].topic, "s2"));
    streams_tasks_fini(&tasks);
    end(&rig);
}

static void
an_endpoint_fails_where_kafka_fails(void **state)
{
    struct km_streams_group_heartbeat_response_topic_partition_array out;
    struct streams_tasks tasks = {.runs = NULL}, other = {.runs = NULL};
    struct streams_topics_view gone = {count_of, ""};
    struct rig rig;

    (void)state;
    streams_tasks_add(&tasks, "a", 0, 0);
    streams_tasks_add(&other, "c", 0, 0);
    begin(&rig, "s1=3", "a: s1");
    assert_int_equal(streams_topics_endpoint(&rig.topics, &tasks, &gone, &rig.arena, &out),
        KE_UNKNOWN_SERVER_ERROR);
    assert_int_equal(streams_topics_endpoint(&rig.topics, &other, &rig.view, &rig.arena, &out),
        KE_UNKNOWN_SERVER_ERROR);
    end(&rig);
    begin(&rig, "", "a: s1");
    assert_int_equal(streams_topics_endpoint(&rig.topics, &tasks, &rig.view, &rig.arena, &out),
        KE_UNKNOWN_SERVER_ERROR);
    end(&rig);
    streams_tasks_fini(&tasks);
    streams_tasks_fini(&other);
}

static void
a_description_shows_what_is_decided_only_when_ready(void **state)
{
    static const char topology[] = "b: s2 s1 s2 >r1 *c2 *c1; a: <r1";
    struct km_streams_group_describe_response_topology out;
    struct rig rig;

    (void)state;
    begin(&rig, "s1=3 s2=4 r1=4 c1=4 c2=4", topology);
    assert_true(streams_topics_describe(&rig.topics, rig.topology, &rig.arena, &out));
    assert_int_equal(out.subtopologies.count, 2);
    assert_true(codec_string_is(out.subtopologies.items[0].subtopology_id, "a"));
    assert_int_equal(out.subtopologies.items[0].repartition_source_topics.items[0].partitions, 4);
    assert_int_equal(out.subtopologies.items[1].source_topics.count, 2);
    assert_true(codec_string_is(out.subtopologies.items[1].source_topics.items[0], "s1"));
    assert_true(
        codec_string_is(out.subtopologies.items[1].state_changelog_topics.items[0].name, "c1"));
    assert_int_equal(out.subtopologies.items[1].state_changelog_topics.items[0].partitions, 4);
    end(&rig);
    begin(&rig, "s1=3 s2=4 r1=4 c1=4", topology);
    assert_int_equal(rig.topics.status, STREAMS_STATUS_MISSING_INTERNAL_TOPICS);
    assert_true(streams_topics_describe(&rig.topics, rig.topology, &rig.arena, &out));
    assert_int_equal(out.subtopologies.items[0].repartition_source_topics.items[0].partitions, 0);
    assert_int_equal(out.subtopologies.items[1].source_topics.count, 3);
    assert_true(streams_topics_describe(NULL, rig.topology, &rig.arena, &out));
    assert_int_equal(out.subtopologies.items[1].state_changelog_topics.items[1].partitions, 0);
    end(&rig);
}

/* The key of the first config of the first changelog that is shown. */
static struct wire_string
config_shown(struct rig *rig)
{
    struct km_streams_group_describe_response_topology out;

    assert_true(streams_topics_describe(&rig->topics, rig->topology, &rig->arena, &out));
    return out.subtopologies.items[0].state_changelog_topics.items[0].topic_configs.items[0].key;
}

static void
configs_are_kept_and_shown(void **state)
{
    static const char topology[] = "a: s1 *c1?b:1?a:2";
    struct rig rig;

    (void)state;
    begin(&rig, "s1=3", topology);
    assert_int_equal(rig.topics.missing[0].info->topic_configs.count, 2);
    assert_string_equal(rig.topics.missing[0].info->topic_configs.items[1].value.data, "2");
    assert_true(codec_string_is(config_shown(&rig), "b"));
    end(&rig);
    begin(&rig, "s1=3 c1=3", topology);
    assert_true(codec_string_is(config_shown(&rig), "a")); /* as in Kafka's table */
    end(&rig);
}

static void
a_description_that_does_not_fit_is_none(void **state)
{
    struct km_streams_group_describe_response_topology out;
    struct arena small;
    struct rig rig;

    (void)state;
    begin(&rig, "s1=3", "a: s1 s1 s1 s1 *c1?k:v");
    for (size_t bytes = 0; bytes < 1000; bytes += 16) {
        arena_init(&small, bytes);
        if (streams_topics_describe(&rig.topics, rig.topology, &small, &out))
            assert_int_equal(out.subtopologies.items[0].source_topics.count, 4);
        else
            assert_true(arena_is_full(&small));
        arena_fini(&small);
    }
    end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subtopology_has_as_many_tasks_as_its_largest_topic_has_partitions),
        cmocka_unit_test(missing_source_topics_are_told_sorted_and_three_of_them),
        cmocka_unit_test(repartition_topics_follow_what_is_read_where_they_are_written),
        cmocka_unit_test(a_topology_that_cannot_be_decided_is_refused),
        cmocka_unit_test(a_loop_that_reads_something_is_decided),
        cmocka_unit_test(changelogs_are_as_large_as_what_their_subtopology_reads),
        cmocka_unit_test(missing_internal_topics_are_told_in_the_order_of_their_table),
        cmocka_unit_test(existing_internal_topics_must_be_as_large_as_decided),
        cmocka_unit_test(copartitioned_source_topics_have_one_number),
        cmocka_unit_test(copartitioned_repartition_topics_follow_source_topics),
        cmocka_unit_test(copartitioned_repartition_topics_follow_the_largest_or_the_fixed),
        cmocka_unit_test(what_kafka_fails_over_is_an_error_without_words),
        cmocka_unit_test(tasks_have_a_limit),
        cmocka_unit_test(a_long_chain_is_decided),
        cmocka_unit_test(random_topologies_are_decided_or_refused),
        cmocka_unit_test(tasks_that_are_none_are_refused),
        cmocka_unit_test(an_endpoint_lists_partitions_of_all_that_its_tasks_read),
        cmocka_unit_test(an_endpoint_fails_where_kafka_fails),
        cmocka_unit_test(a_description_shows_what_is_decided_only_when_ready),
        cmocka_unit_test(configs_are_kept_and_shown),
        cmocka_unit_test(a_description_that_does_not_fit_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
