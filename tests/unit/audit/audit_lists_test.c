/* What an audit asks for before, behind and without the list of topics: of a broker that holds the
 * list back until it was asked for what it could work on meanwhile. */
#include "tests/unit/unit.h"

#include "audit/audit.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define END_OFFSET 10
#define COMMITTED 4
#define BYTES 77
#define MANY_PARTITIONS 450000 /* whose offsets are 9 MB, more than an audit keeps (probe.h) */
#define HOLD_US 5000000        /* half of what a client waits for an answer */
#define HELD_MAX 3             /* the list of topics, and the two that go behind it */

static struct cluster_rig rig;
static struct audit_inventory inventory;

/* Requests that the broker which was asked for the topics has not answered, in order. As a broker
 * does, it answers those of one connection one after the other. */
static struct {
    struct fake_conn *conn;
    struct frame_request request;
} held[HELD_MAX];
static size_t held_count;
static struct loop_timer give_up;
static bool given_up, released;

static int listed, listed_before;     /* answers to ListGroups, and those before the topics */
static int found_before;              /* groups whose coordinator was told before the topics */
static int offset_fetches;            /* requests */
static int32_t offsets;               /* of the one group */
static bool list_fails, rest_is_late; /* only the list of topics is answered */

static int64_t
offset(int32_t partition, const struct km_list_offsets_request *question, int64_t timestamp)
{
    (void)partition;
    (void)question;
    return timestamp == -2 ? 0 : END_OFFSET;
}

/* One group, which the first broker knows. */
static void
groups_answer(struct fake_conn *conn, const struct frame_request *request)
{
    struct km_list_groups_response_listed_group group;
    struct km_list_groups_response response;

    codec_init(&km_list_groups_response_desc, &response);
    codec_init(&km_list_groups_response_listed_group_desc, &group);
    group.group_id = codec_string("g");
    group.protocol_type = codec_string("consumer");
    group.group_state = codec_string("Empty");
    response.groups.items = &group;
    response.groups.count = fake_id(&rig.fake, conn) == 1;
    listed++;
    fake_reply(conn, request, &response);
}

static void
offsets_answer(struct fake_conn *conn, const struct frame_request *request)
{
    struct km_offset_fetch_response_topics topic;
    struct km_offset_fetch_response_group group;
    struct km_offset_fetch_response response;

    codec_init(&km_offset_fetch_response_topics_desc, &topic);
    topic.name = codec_string("t");
    topic.partitions.items =
        codec_array(&conn->broker->arena, &km_offset_fetch_response_partitions_desc, offsets);
    topic.partitions.count = offsets;
    for (int32_t i = 0; i < offsets; i++) {
        topic.partitions.items[i].partition_index = i;
        topic.partitions.items[i].committed_offset = COMMITTED;
    }
    codec_init(&km_offset_fetch_response_group_desc, &group);
    group.group_id = codec_string("g");
    group.topics.items = &topic;
    group.topics.count = 1;
    codec_init(&km_offset_fetch_response_desc, &response);
    response.groups.items = &group;
    response.groups.count = 1;
    fake_reply(conn, request, &response);
}

static void
sizes_answer(struct fake_conn *conn, const struct frame_request *request)
{
    struct km_describe_log_dirs_response_partition partition;
    struct km_describe_log_dirs_response_topic topic;
    struct km_describe_log_dirs_response_result folder;
    struct km_describe_log_dirs_response response;

    codec_init(&km_describe_log_dirs_response_partition_desc, &partition);
    partition.partition_size = BYTES;
    codec_init(&km_describe_log_dirs_response_topic_desc, &topic);
    topic.name = codec_string("t");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    codec_init(&km_describe_log_dirs_response_result_desc, &folder);
    folder.topics.items = &topic;
    folder.topics.count = 1;
    codec_init(&km_describe_log_dirs_response_desc, &response);
    response.results.items = &folder;
    response.results.count = 1;
    fake_reply(conn, request, &response);
}

/* What this test does not look at: no error, and nothing else. */
static void
empty_answer(struct fake_conn *conn, const struct frame_request *request)
{
    const struct wire_struct *desc = request->api->response->body;
    void *response = arena_alloc(&conn->broker->arena, desc->size);

    codec_init(desc, response);
    fake_reply(conn, request, response);
}

/* body is NULL where it is gone. */
static void
reply(struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    switch (request->api_key) {
    case KM_METADATA:
    case KM_FIND_COORDINATOR:
    case KM_LIST_OFFSETS:
        if (body != NULL)
            fake_cluster_request(&rig.fake, conn, request, body);
        else
            empty_answer(conn, request);
        break;
    case KM_LIST_GROUPS:
        groups_answer(conn, request);
        break;
    case KM_OFFSET_FETCH:
        offsets_answer(conn, request);
        break;
    case KM_DESCRIBE_LOG_DIRS:
        sizes_answer(conn, request);
        break;
    default:
        empty_answer(conn, request);
    }
}

static void
release(void)
{
    const struct km_metadata_request all = {.topics = {.count = -1}};

    loop_timer_cancel(rig.loop, &give_up);
    released = true;
    if (list_fails)
        rig.fake.cluster_id = "other"; /* a client does not take that */
    reply(held[0].conn, &held[0].request, &all);
    for (size_t i = 1; i < held_count && !rest_is_late; i++)
        reply(held[i].conn, &held[i].request, NULL);
}

static void
on_give_up(void *arg)
{
    (void)arg;
    given_up = true;
    release();
}

static void
hold(struct fake_conn *conn, const struct frame_request *request)
{
    if (held_count == 0) {
        listed_before = listed;
        found_before = rig.fake.find_keys;
        loop_timer_set(rig.loop, &give_up, loop_now_us(rig.loop) + HOLD_US, on_give_up, NULL);
    }
    held[held_count].conn = conn;
    held[held_count++].request = *request;
    if (held_count == HELD_MAX)
        release();
}

static void
handle(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    bool is_list = request->api_key == KM_METADATA &&
                   ((const struct km_metadata_request *)body)->topics.count < 0;

    (void)arg;
    offset_fetches += request->api_key == KM_OFFSET_FETCH;
    if (!released && (is_list || (held_count > 0 && conn == held[0].conn)))
        hold(conn, request);
    else
        reply(conn, request, body);
}

static int
start(void **state)
{
    (void)state;
    held_count = 0;
    given_up = released = list_fails = rest_is_late = false;
    listed = listed_before = found_before = offset_fetches = 0;
    offsets = 1;
    if (cluster_rig_start(&rig, 1) != 0)
        return -1;
    rig.fake.offset = offset;
    rig.fake.coordinator = 1; /* of the group: the broker that is asked for the topics */
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = handle;
    inventory_init(&inventory);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    loop_timer_cancel(rig.loop, &give_up);
    inventory_fini(&inventory);
    cluster_rig_stop(&rig);
    return 0;
}

static enum rc
run(void)
{
    const struct audit_options options = {.patterns = "*"};

    return audit_run(rig.cluster, &options, &inventory, NULL);
}

/* Whether it came behind the list of topics, before that was answered. */
static bool
is_held(int16_t api_key)
{
    for (size_t i = 1; i < held_count; i++)
        if (held[i].request.api_key == api_key)
            return true;
    return false;
}

static void
groups_are_known_before_topics_are_asked_for(void **state)
{
    (void)state;
    assert_int_equal(run(), RC_OK);
    assert_int_equal(listed_before, FAKE_BROKERS);
    assert_int_equal(found_before, 1);
}

static void
sizes_and_offsets_of_groups_are_asked_for_while_topics_are_listed(void **state)
{
    (void)state;
    assert_int_equal(run(), RC_OK);
    assert_false(given_up);
    assert_true(is_held(KM_DESCRIBE_LOG_DIRS));
    assert_true(is_held(KM_OFFSET_FETCH));
    assert_int_equal(offset_fetches, 1);
    assert_int_equal(inventory.topics[0].bytes, BYTES);
    assert_non_null(inventory.topics[0].uses);
    assert_int_equal(inventory.topics[0].uses->lag, END_OFFSET - COMMITTED);
}

static void
without_topics_nothing_is_asked_for_again(void **state)
{
    (void)state;
    list_fails = true;
    offsets = MANY_PARTITIONS;
    assert_int_equal(run(), RC_CONFLICT);
    assert_true(is_held(KM_OFFSET_FETCH));
    assert_int_equal(offset_fetches, 1);
}

/* Nothing but the list is answered: who waits for the rest notes in the end that it is missing. */
static void
without_topics_nothing_is_waited_for(void **state)
{
    (void)state;
    list_fails = rest_is_late = true;
    assert_int_equal(run(), RC_CONFLICT);
    assert_true(is_held(KM_DESCRIBE_LOG_DIRS));
    assert_true(is_held(KM_OFFSET_FETCH));
    assert_null(inventory.gaps[AUDIT_SIZES].why);
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_are_known_before_topics_are_asked_for),
        TEST(sizes_and_offsets_of_groups_are_asked_for_while_topics_are_listed),
        TEST(without_topics_nothing_is_asked_for_again),
        TEST(without_topics_nothing_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
