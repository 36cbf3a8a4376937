/* Internal topics that the broker makes for streams groups, and what is remembered of those that it
 * cannot make. */
#include "refbroker/coord/streams_creation.h"

#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define REMEMBER_MS 10000
#define TOO_MANY (LIMIT_STREAMS_FAILURES_MAX + 5)

/* Internal topics "t0", "t1", ... that are missing. */
struct missing {
    struct km_streams_group_topology_value_topic_info *infos;
    struct streams_topics topics;
    char (*names)[16];
};

static void
missing_make(struct missing *m, size_t count, int16_t replication_factor)
{
    streams_topics_init(&m->topics);
    m->infos = xcalloc(count, sizeof *m->infos);
    m->names = xcalloc(count, sizeof *m->names);
    m->topics.missing = xcalloc(count, sizeof *m->topics.missing);
    m->topics.missing_count = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(m->names[i], sizeof m->names[i], "t%zu", i);
        codec_init(&km_streams_group_topology_value_topic_info_desc, &m->infos[i]);
        m->infos[i].name = request_text(m->names[i]);
        m->infos[i].replication_factor = replication_factor;
        m->topics.missing[i] = (struct streams_internal_topic){&m->infos[i], 2};
    }
}

static void
missing_fini(struct missing *m)
{
    streams_topics_fini(&m->topics);
    free(m->infos);
    free(m->names);
}

static void
make(struct streams_rig *rig, const struct missing *m)
{
    struct streams_creation *creation =
        streams_creation_new(rig->world.broker->groups, &m->topics, REMEMBER_MS);

    assert_non_null(creation);
    streams_creation_begin(creation, "g");
    streams_rig_rest(rig);
}

static const struct topic *
topic_of(const struct streams_rig *rig, const char *name)
{
    return topics_find(&rig->world.broker->topics, name, strlen(name));
}

/* What a heartbeat would tell. */
static void
assert_why(const struct streams_rig *rig, const struct missing *m, const char *expected)
{
    struct buf text;

    buf_init(&text, STREAMS_RIG_BYTES_MAX);
    streams_creation_why(rig->world.broker->groups, &m->topics, &text);
    if (expected == NULL)
        assert_int_equal(text.size, 0);
    else
        assert_non_null(strstr(buf_text(&text), expected));
    buf_fini(&text);
}

static void
missing_topics_are_made_and_survive_a_crash(void **state)
{
    struct streams_rig *rig = *state;
    struct missing m;

    missing_make(&m, 3, 0);
    make(rig, &m);
    assert_int_equal(topic_of(rig, "t2")->partition_count, 2);
    assert_why(rig, &m, NULL);
    streams_rig_crash(rig);
    assert_non_null(topic_of(rig, "t0"));
    missing_fini(&m);
}

static void
what_is_there_already_is_told_and_left_alone(void **state)
{
    struct streams_rig *rig = *state;
    struct missing m;

    missing_make(&m, 1, 0);
    make(rig, &m);
    m.topics.missing[0].partitions = 7;
    make(rig, &m);
    assert_int_equal(topic_of(rig, "t0")->partition_count, 2);
    assert_why(rig, &m, "; Creation failed: t0 (Topic 't0' already exists.).");
    missing_fini(&m);
}

static void
nothing_is_made_twice_at_once(void **state)
{
    struct streams_rig *rig = *state;
    struct groups *groups = rig->world.broker->groups;
    struct missing m;

    missing_make(&m, 2, 0);
    streams_creation_begin(streams_creation_new(groups, &m.topics, REMEMBER_MS), "g");
    streams_creation_begin(streams_creation_new(groups, &m.topics, REMEMBER_MS), "g");
    streams_rig_rest(rig);
    assert_non_null(topic_of(rig, "t1"));
    assert_why(rig, &m, NULL);
    missing_fini(&m);
}

static void
failures_are_told_for_a_while_three_at_a_time(void **state)
{
    struct streams_rig *rig = *state;
    struct missing m;

    missing_make(&m, 5, 3);
    make(rig, &m);
    assert_null(topic_of(rig, "t0"));
    assert_why(rig, &m, "; Creation failed: t0 (Unable to replicate");
    assert_why(rig, &m, ", t2 (Unable to replicate");
    assert_why(rig, &m, ") and 2 more.");
    streams_rig_pass(rig, REMEMBER_MS + 1);
    assert_why(rig, &m, NULL);
    missing_fini(&m);
}

static void
one_that_cannot_be_made_does_not_keep_the_others_back(void **state)
{
    struct streams_rig *rig = *state;
    struct missing m;

    missing_make(&m, 3, 0);
    m.infos[1].replication_factor = 3;
    make(rig, &m);
    assert_non_null(topic_of(rig, "t0"));
    assert_null(topic_of(rig, "t1"));
    assert_non_null(topic_of(rig, "t2"));
    assert_why(rig, &m, "; Creation failed: t1 (Unable to replicate");
    missing_fini(&m);
}

static void
only_so_many_failures_are_remembered_the_latest_ones(void **state)
{
    struct streams_rig *rig = *state;
    const struct map *failures = &rig->world.broker->groups->streams_failures;
    struct missing m;

    missing_make(&m, TOO_MANY, 3);
    make(rig, &m);
    assert_int_equal(map_count(failures), LIMIT_STREAMS_FAILURES_MAX);
    assert_null(map_get_text(failures, "t0"));
    assert_non_null(map_get_text(failures, m.names[TOO_MANY - 1]));
    missing_fini(&m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streams_rig_setup, streams_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(missing_topics_are_made_and_survive_a_crash),
        TEST(what_is_there_already_is_told_and_left_alone),
        TEST(nothing_is_made_twice_at_once),
        TEST(failures_are_told_for_a_while_three_at_a_time),
        TEST(one_that_cannot_be_made_does_not_keep_the_others_back),
        TEST(only_so_many_failures_are_remembered_the_latest_ones),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
