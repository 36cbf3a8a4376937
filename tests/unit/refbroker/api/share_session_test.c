#include "refbroker/api/share_session.h"

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "tests/unit/unit.h"

#define SESSIONS_MAX 3
#define PARTITIONS_MAX 8
#define CLIENT(number) ((struct client *)(uintptr_t)(number))

struct rig {
    struct share_sessions *sessions;
    struct share_session *session; /* of the last request */
    struct client *client;         /* of the next one */
    const char *group;
};

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    rig->sessions = share_sessions_new();
    rig->client = CLIENT(64);
    rig->group = "g";
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    share_sessions_free(rig->sessions);
    free(rig);
    return 0;
}

/* A ShareFetch of partitions first, first + 1, … of one topic, which forgets one (-1: none). */
static int16_t
fetch_range(struct rig *rig, const char *member_id, int32_t epoch, int32_t first, int32_t count,
    int32_t forgotten)
{
    struct km_share_fetch_request_fetch_partition *items =
        xcalloc((size_t)count + 1, sizeof *items);
    struct km_share_fetch_request_forgotten_topic gone = {.partitions = {&forgotten, 1}};
    struct km_share_fetch_request_fetch_topic topic = {.partitions = {items, count}};
    struct share_session_key member = {rig->group, member_id};
    struct km_share_fetch_request in;
    int16_t code;

    codec_init(&km_share_fetch_request_desc, &in);
    for (int32_t i = 0; i < count; i++)
        items[i].partition_index = first + i;
    in.topics.items = &topic;
    in.topics.count = count > 0;
    in.forgotten_topics_data.items = &gone;
    in.forgotten_topics_data.count = forgotten >= 0;
    in.share_session_epoch = epoch;
    code = share_session_begin(
        rig->sessions, &member, &in, false, rig->client, SESSIONS_MAX, &rig->session);
    free(items);
    return code;
}

static int16_t
fetch(struct rig *rig, const char *member_id, int32_t epoch, int32_t count)
{
    return fetch_range(rig, member_id, epoch, 0, count, -1);
}

static int16_t
step(struct rig *rig, const char *member_id, int32_t epoch)
{
    struct share_session_key member = {rig->group, member_id};

    return share_session_step(rig->sessions, &member, epoch);
}

static void
assert_parts(const struct rig *rig, const char *expected)
{
    const struct share_part *part;
    char text[PARTITIONS_MAX + 1] = "";
    size_t position = 0, size = 0;

    while ((part = map_next(&rig->session->parts, &position, NULL, NULL)) != NULL)
        text[size++] = (char)('0' + part->partition);
    assert_string_equal(text, expected);
}

static void
the_first_request_makes_a_session_whose_requests_are_counted(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "m", 1, 0), KE_SHARE_SESSION_NOT_FOUND);
    assert_int_equal(fetch(rig, "m", 0, 3), KE_NONE);
    assert_parts(rig, "012");
    assert_int_equal(fetch(rig, "m", 1, 0), KE_NONE);
    assert_parts(rig, "012");
    assert_int_equal(fetch(rig, "m", 1, 0), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(fetch(rig, "m", 3, 0), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(fetch(rig, "m", 2, 0), KE_NONE);
    assert_int_equal(fetch(rig, "other", 2, 0), KE_SHARE_SESSION_NOT_FOUND);
}

static void
acknowledgements_count_too(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(step(rig, "m", 1), KE_SHARE_SESSION_NOT_FOUND);
    assert_int_equal(step(rig, "m", 0), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(fetch(rig, "m", 0, 1), KE_NONE);
    assert_int_equal(step(rig, "m", 1), KE_NONE);
    assert_int_equal(step(rig, "m", 1), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(fetch(rig, "m", 2, 0), KE_NONE);
    assert_int_equal(step(rig, "m", -1), KE_NONE);
}

static void
a_first_request_acknowledges_nothing(void **state)
{
    struct rig *rig = *state;
    struct share_session_key member = {"g", "m"};
    struct km_share_fetch_request in;

    codec_init(&km_share_fetch_request_desc, &in);
    assert_int_equal(share_session_begin(rig->sessions, &member, &in, true, rig->client,
                         SESSIONS_MAX, &rig->session),
        KE_INVALID_REQUEST);
    assert_int_equal(share_sessions_count(rig->sessions), 0);
}

static void
the_count_begins_anew_behind_its_largest(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "m", 0, 1), KE_NONE);
    rig->session->epoch = INT32_MAX;
    assert_int_equal(fetch(rig, "m", INT32_MAX, 0), KE_NONE);
    assert_int_equal(step(rig, "m", 1), KE_NONE);
}

static void
requests_carry_changes_only(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "m", 0, 3), KE_NONE);
    assert_int_equal(fetch_range(rig, "m", 1, 3, 2, 1), KE_NONE);
    assert_parts(rig, "0234");
    assert_int_equal(fetch_range(rig, "m", 2, 0, 1, 7), KE_NONE);
    assert_parts(rig, "0234");
}

static void
a_first_request_takes_the_place_of_the_session_before(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "m", 0, 3), KE_NONE);
    assert_int_equal(fetch_range(rig, "m", 0, 5, 1, -1), KE_NONE);
    assert_parts(rig, "5");
    assert_int_equal(share_sessions_count(rig->sessions), 1);
}

static void
sessions_are_bounded(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "a", 0, 1), KE_NONE);
    assert_int_equal(fetch(rig, "b", 0, 1), KE_NONE);
    assert_int_equal(fetch(rig, "c", 0, 1), KE_NONE);
    assert_int_equal(fetch(rig, "d", 0, 1), KE_SHARE_SESSION_LIMIT_REACHED);
    assert_null(rig->session);
    assert_int_equal(fetch(rig, "c", 0, 1), KE_NONE);
    share_session_end(rig->sessions, rig->session);
    assert_int_equal(fetch(rig, "d", 0, 1), KE_NONE);
}

static void
partitions_of_all_sessions_are_bounded(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "a", 0, 2), KE_NONE);
    assert_int_equal(
        fetch(rig, "b", 0, LIMIT_SHARE_SESSION_PARTS_MAX - 1), KE_SHARE_SESSION_LIMIT_REACHED);
    assert_int_equal(fetch(rig, "b", 0, LIMIT_SHARE_SESSION_PARTS_MAX - 2), KE_NONE);
    assert_int_equal(fetch_range(rig, "a", 1, 5, 1, -1), KE_SHARE_SESSION_NOT_FOUND);
    assert_int_equal(share_sessions_count(rig->sessions), 1);
}

static void
what_is_told_is_news(void **state)
{
    struct rig *rig = *state;
    struct wire_uuid none = {0};

    assert_int_equal(fetch(rig, "m", 0, 2), KE_NONE);
    assert_false(share_session_tells(rig->session, &none, 0, false, false));
    assert_true(share_session_tells(rig->session, &none, 0, true, false));
    assert_parts(rig, "10");
    /* An error is told, and that it is over, too. */
    assert_true(share_session_tells(rig->session, &none, 1, false, true));
    assert_true(share_session_tells(rig->session, &none, 1, false, false));
    assert_false(share_session_tells(rig->session, &none, 1, false, false));
    /* So is what has come to the session later. */
    assert_int_equal(fetch_range(rig, "m", 1, 4, 1, -1), KE_NONE);
    assert_true(share_session_tells(rig->session, &none, 4, false, false));
    assert_false(share_session_tells(rig->session, &none, 4, false, false));
    assert_false(share_session_tells(rig->session, &none, 7, false, false));
}

static void
a_connection_stands_for_the_session_that_it_began_last(void **state)
{
    struct rig *rig = *state;
    const struct share_connection *connection;

    assert_null(share_sessions_connection(rig->sessions, CLIENT(64)));
    assert_int_equal(fetch(rig, "a", 0, 1), KE_NONE);
    assert_int_equal(fetch(rig, "b", 0, 1), KE_NONE);
    connection = share_sessions_connection(rig->sessions, CLIENT(64));
    assert_string_equal(connection->session->member_id, "b");
    assert_int_equal(share_sessions_group_count(rig->sessions, "g"), 2);
    share_session_end(rig->sessions, connection->session);
    connection = share_sessions_connection(rig->sessions, CLIENT(64));
    assert_null(connection->session);
    assert_string_equal(connection->group_id, "g");
    share_sessions_forget(rig->sessions, CLIENT(64));
    assert_null(share_sessions_connection(rig->sessions, CLIENT(64)));
    assert_int_equal(share_sessions_group_count(rig->sessions, "g"), 1);
    assert_int_equal(step(rig, "a", 1), KE_NONE);
}

static void
a_member_may_move_to_another_connection(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(fetch(rig, "a", 0, 1), KE_NONE);
    rig->client = CLIENT(128);
    assert_int_equal(fetch(rig, "a", 0, 1), KE_NONE);
    assert_null(share_sessions_connection(rig->sessions, CLIENT(64))->session);
    share_sessions_forget(rig->sessions, CLIENT(64));
    assert_ptr_equal(share_sessions_connection(rig->sessions, CLIENT(128))->session, rig->session);
}

static int16_t
member_read(struct wire_string group_id, struct wire_string member_id)
{
    struct request *request = request_new(NULL, blob_new(1), 0);
    struct share_session_key member;
    int16_t code = share_session_key_read(request, group_id, member_id, &member);

    if (code == KE_NONE)
        assert_int_equal(strlen(member.member_id), member_id.size);
    request_free(request);
    return code;
}

static void
members_are_named(void **state)
{
    static const char longest[] = "123456789012345678901234567890123456";
    static const char too_long[] = "1234567890123456789012345678901234567";
    /* Java counts units of 16 bits: an umlaut is one, what lies beyond 64 K is two. */
    static const char umlauts[] = "12345678901234567890123456789012345\xc3\xa4";
    static const char emoji[] = "12345678901234567890123456789012345\xf0\x9f\x98\x80";

    (void)state;
    assert_int_equal(member_read(request_text("g"), request_text(longest)), KE_NONE);
    assert_int_equal(member_read(request_text(""), request_text("m")), KE_NONE);
    assert_int_equal(member_read(request_text("g"), request_text(umlauts)), KE_NONE);
    assert_int_equal(member_read(request_text("g"), request_text(emoji)), KE_INVALID_REQUEST);
    assert_int_equal(member_read(request_text("g"), request_text(too_long)), KE_INVALID_REQUEST);
    assert_int_equal(member_read(request_text("g"), request_text("")), KE_INVALID_REQUEST);
    assert_int_equal(member_read(request_text("g"), request_text(NULL)), KE_INVALID_REQUEST);
    assert_int_equal(member_read(request_text(NULL), request_text("m")), KE_INVALID_REQUEST);
    assert_int_equal(
        member_read(request_text("g"), (struct wire_string){"a\0b", 3}), KE_INVALID_REQUEST);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_request_makes_a_session_whose_requests_are_counted),
        TEST(acknowledgements_count_too),
        TEST(a_first_request_acknowledges_nothing),
        TEST(the_count_begins_anew_behind_its_largest),
        TEST(requests_carry_changes_only),
        TEST(a_first_request_takes_the_place_of_the_session_before),
        TEST(sessions_are_bounded),
        TEST(partitions_of_all_sessions_are_bounded),
        TEST(what_is_told_is_news),
        TEST(a_connection_stands_for_the_session_that_it_began_last),
        TEST(a_member_may_move_to_another_connection),
        TEST(members_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
