#include "refbroker/api/fetch_session.h"

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/limits.h"
#include "refbroker/request.h"
#include "tests/unit/unit.h"

#define NOT_FOUND 70
#define WRONG_EPOCH 71
#define ID_ERROR 106
#define PARTITIONS_MAX 8

struct rig {
    struct env env;
    struct fetch_sessions *sessions;
    struct fetch_session *session; /* of the last request */
    bool incremental;
};

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    env_init_seeded(&rig->env, 1, 0);
    rig->sessions = fetch_sessions_new(&rig->env);
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    fetch_sessions_free(rig->sessions);
    free(rig);
    return 0;
}

/* A fetch of partitions 0, 1, … of topic t. */
static int16_t
fetch(struct rig *rig, int32_t id, int32_t epoch, int32_t partitions)
{
    struct km_fetch_request_partition *items = xcalloc((size_t)partitions + 1, sizeof *items);
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;
    int16_t code;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    for (int32_t i = 0; i < partitions; i++) {
        codec_init(&km_fetch_request_partition_desc, &items[i]);
        items[i].partition = i;
        items[i].fetch_offset = 100 + epoch;
    }
    topic.topic = request_text("t");
    topic.partitions.items = items;
    topic.partitions.count = partitions;
    in.topics.items = &topic;
    in.topics.count = partitions > 0;
    in.session_id = id;
    in.session_epoch = epoch;
    code = fetch_session_begin(rig->sessions, &in, false, &rig->session, &rig->incremental);
    free(items);
    return code;
}

static int16_t
forget(struct rig *rig, int32_t id, int32_t epoch, int32_t partition)
{
    struct km_fetch_request_forgotten_topic topic;
    struct km_fetch_request in;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_forgotten_topic_desc, &topic);
    topic.topic = request_text("t");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.forgotten_topics_data.items = &topic;
    in.forgotten_topics_data.count = 1;
    in.session_id = id;
    in.session_epoch = epoch;
    return fetch_session_begin(rig->sessions, &in, false, &rig->session, &rig->incremental);
}

/* The partitions of the session in the order in which they are served, as digits. */
static void
assert_parts(const struct rig *rig, const char *expected)
{
    const struct fetch_part *part;
    char text[PARTITIONS_MAX + 1] = "";
    size_t position = 0, size = 0;

    while ((part = map_next(&rig->session->parts, &position, NULL, NULL)) != NULL)
        text[size++] = (char)('0' + part->partition);
    assert_string_equal(text, expected);
}

static void
a_full_fetch_makes_a_session_whose_requests_are_counted(void **state)
{
    struct rig *rig = *state;
    int32_t id;

    assert_int_equal(fetch(rig, 0, 0, 3), 0);
    assert_non_null(rig->session);
    assert_false(rig->incremental);
    id = rig->session->id;
    assert_true(id > 0);
    assert_int_equal(fetch(rig, id, 1, 0), 0);
    assert_true(rig->incremental);
    assert_parts(rig, "012");
    assert_int_equal(fetch(rig, id, 1, 0), WRONG_EPOCH);
    assert_int_equal(fetch(rig, id, 3, 0), WRONG_EPOCH);
    assert_int_equal(fetch(rig, id, 2, 0), 0);
    assert_int_equal(fetch(rig, id + 1, 1, 0), NOT_FOUND);
}

static void
the_count_begins_anew_behind_its_largest(void **state)
{
    struct rig *rig = *state;
    int32_t id;

    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    id = rig->session->id;
    rig->session->epoch = INT32_MAX;
    assert_int_equal(fetch(rig, id, INT32_MAX, 0), 0);
    assert_int_equal(fetch(rig, id, 1, 0), 0);
}

static void
requests_carry_changes_only(void **state)
{
    struct rig *rig = *state;
    const struct fetch_part *part;
    size_t position = 0;
    int32_t id;

    assert_int_equal(fetch(rig, 0, 0, 3), 0);
    id = rig->session->id;
    assert_int_equal(fetch(rig, id, 1, 1), 0);
    part = map_next(&rig->session->parts, &position, NULL, NULL);
    assert_int_equal(part->fetch_offset, 101);
    part = map_next(&rig->session->parts, &position, NULL, NULL);
    assert_int_equal(part->fetch_offset, 100);
    assert_int_equal(forget(rig, id, 2, 1), 0);
    assert_parts(rig, "02");
    assert_int_equal(forget(rig, id, 3, 7), 0);
    assert_parts(rig, "02");
    assert_int_equal(fetch(rig, id, 4, 4), 0);
    assert_parts(rig, "0213");
}

static void
the_final_epoch_ends_a_session(void **state)
{
    struct rig *rig = *state;
    int32_t id;

    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    id = rig->session->id;
    assert_int_equal(fetch(rig, id, -1, 1), 0);
    assert_null(rig->session);
    assert_int_equal(fetch_session_count(rig->sessions), 0);
    assert_int_equal(fetch(rig, id, 1, 0), NOT_FOUND);
}

static void
a_full_fetch_takes_the_place_of_the_session_that_it_names(void **state)
{
    struct rig *rig = *state;
    int32_t id;

    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    id = rig->session->id;
    assert_int_equal(fetch(rig, id, 0, 2), 0);
    assert_int_equal(fetch_session_count(rig->sessions), 1);
    assert_null(fetch_session_find(rig->sessions, id));
}

static void
a_fetch_of_nothing_makes_no_session(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, 0, 0, 0), 0);
    assert_null(rig->session);
}

static void
a_session_does_not_change_between_names_and_ids(void **state)
{
    struct rig *rig = *state;
    struct km_fetch_request in;

    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    codec_init(&km_fetch_request_desc, &in);
    in.session_id = rig->session->id;
    in.session_epoch = 1;
    assert_int_equal(
        fetch_session_begin(rig->sessions, &in, true, &rig->session, &rig->incremental), ID_ERROR);
}

static void
a_partition_that_got_data_is_served_last_next_time(void **state)
{
    struct rig *rig = *state;
    struct fetch_part told = {.topic = (char[]){"t"}, .partition = 0, .told_high_watermark = 9};
    const struct fetch_part *part;
    size_t position = 0;

    assert_int_equal(fetch(rig, 0, 0, 3), 0);
    fetch_session_told(rig->session, &told, false);
    assert_parts(rig, "012");
    part = map_next(&rig->session->parts, &position, NULL, NULL);
    assert_int_equal(part->told_high_watermark, 9);
    fetch_session_told(rig->session, &told, true);
    assert_parts(rig, "120");
    told.partition = 7;
    fetch_session_told(rig->session, &told, true);
    assert_parts(rig, "120");
}

static void
a_new_session_takes_the_place_of_one_that_was_silent_for_two_minutes(void **state)
{
    struct rig *rig = *state;
    int32_t first, second;

    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    first = rig->session->id;
    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    second = rig->session->id;
    for (int i = 2; i < LIMIT_FETCH_SESSIONS_MAX; i++)
        assert_int_equal(fetch(rig, 0, 0, 1), 0);
    env_advance(&rig->env, 119999000);
    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    assert_null(rig->session);
    assert_int_equal(fetch(rig, first, 1, 0), 0);
    env_advance(&rig->env, 1000);
    assert_int_equal(fetch(rig, 0, 0, 1), 0);
    assert_non_null(rig->session);
    assert_int_equal(fetch_session_count(rig->sessions), LIMIT_FETCH_SESSIONS_MAX);
    assert_non_null(fetch_session_find(rig->sessions, first));
    assert_null(fetch_session_find(rig->sessions, second));
}

static void
partitions_of_all_sessions_are_bounded(void **state)
{
    struct rig *rig = *state;
    int32_t first;

    assert_int_equal(fetch(rig, 0, 0, LIMIT_FETCH_SESSION_PARTS_MAX - 2), 0);
    first = rig->session->id;
    assert_int_equal(fetch(rig, 0, 0, 3), 0);
    assert_null(rig->session);
    assert_int_equal(fetch(rig, 0, 0, 2), 0);
    assert_non_null(rig->session);
    assert_int_equal(fetch(rig, first, 1, LIMIT_FETCH_SESSION_PARTS_MAX - 1), NOT_FOUND);
    assert_null(rig->session);
    assert_int_equal(fetch_session_count(rig->sessions), 1);
    assert_int_equal(fetch(rig, 0, 0, LIMIT_FETCH_SESSION_PARTS_MAX - 2), 0);
    assert_non_null(rig->session);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_full_fetch_makes_a_session_whose_requests_are_counted),
        TEST(the_count_begins_anew_behind_its_largest),
        TEST(requests_carry_changes_only),
        TEST(the_final_epoch_ends_a_session),
        TEST(a_full_fetch_takes_the_place_of_the_session_that_it_names),
        TEST(a_fetch_of_nothing_makes_no_session),
        TEST(a_session_does_not_change_between_names_and_ids),
        TEST(a_partition_that_got_data_is_served_last_next_time),
        TEST(a_new_session_takes_the_place_of_one_that_was_silent_for_two_minutes),
        TEST(partitions_of_all_sessions_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
