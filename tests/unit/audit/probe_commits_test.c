/* Offsets of groups, asked of scripted brokers before anybody knows the topics. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "lib/wire/codec.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define PARTITIONS 3
#define GROUPS 1200
#define COMMITTED 4
#define END_OFFSET 10
#define PADDING_NAME_BYTES 200

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

static int32_t padding; /* topics that a group has besides, which do not exist */
static int16_t refusal; /* of group 7 */
static bool holds;      /* a transaction holds the offset of group 5 back */
static uint32_t requests, asked;

static int64_t
offset(int32_t partition, const struct km_list_offsets_request *question, int64_t timestamp)
{
    (void)partition;
    (void)question;
    return timestamp == -2 ? 0 : END_OFFSET;
}

/* What a broker says of an offset that a transaction is about to commit anew. */
static void
topics_answer(
    struct arena *arena, bool is_unstable, struct km_offset_fetch_response_topics_array *out)
{
    static char name[PADDING_NAME_BYTES];

    memset(name, 'x', sizeof name);
    out->items = codec_array(arena, &km_offset_fetch_response_topics_desc, padding + 1);
    out->count = padding + 1;
    for (int32_t i = 0; i <= padding; i++) {
        out->items[i].name = i == padding ? (struct wire_string){"t", 1}
                                          : (struct wire_string){name, PADDING_NAME_BYTES};
        out->items[i].partitions.items =
            codec_array(arena, &km_offset_fetch_response_partitions_desc, 1);
        out->items[i].partitions.count = 1;
        out->items[i].partitions.items[0].committed_offset = is_unstable ? -1 : COMMITTED;
        out->items[i].partitions.items[0].error_code =
            is_unstable ? KE_UNSTABLE_OFFSET_COMMIT : KE_NONE;
    }
}

static void
one_answer(struct fake_conn *conn, const struct frame_request *request, bool is_unstable)
{
    struct arena *arena = &conn->broker->arena;
    struct km_offset_fetch_response response;

    codec_init(&km_offset_fetch_response_desc, &response);
    response.topics.items = codec_array(arena, &km_offset_fetch_response_topic_desc, 1);
    response.topics.count = 1;
    response.topics.items[0].name = (struct wire_string){"t", 1};
    response.topics.items[0].partitions.items =
        codec_array(arena, &km_offset_fetch_response_partition_desc, 1);
    response.topics.items[0].partitions.count = 1;
    response.topics.items[0].partitions.items[0].committed_offset = is_unstable ? -1 : COMMITTED;
    response.topics.items[0].partitions.items[0].error_code =
        is_unstable ? KE_UNSTABLE_OFFSET_COMMIT : KE_NONE;
    fake_reply(conn, request, &response);
}

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    const struct km_offset_fetch_request *in = body;
    struct arena *arena = &conn->broker->arena;
    struct km_offset_fetch_response response;

    if (request->api_key != KM_OFFSET_FETCH) {
        fake_cluster_request(arg, conn, request, body);
        return;
    }
    requests++;
    if (request->api_version < 8) {
        asked++;
        one_answer(
            conn, request, holds && in->require_stable && codec_string_is(in->group_id, "g5"));
        return;
    }
    asked += (uint32_t)in->groups.count;
    codec_init(&km_offset_fetch_response_desc, &response);
    response.groups.items =
        codec_array(arena, &km_offset_fetch_response_group_desc, in->groups.count);
    response.groups.count = in->groups.count;
    for (int32_t i = 0; i < in->groups.count; i++) {
        struct wire_string id = in->groups.items[i].group_id;

        response.groups.items[i].group_id = id;
        if (refusal != KE_NONE && codec_string_is(id, "g7"))
            response.groups.items[i].error_code = refusal;
        else
            topics_answer(arena, holds && in->require_stable && codec_string_is(id, "g5"),
                &response.groups.items[i].topics);
    }
    fake_reply(conn, request, &response);
}

static int
start(void **state)
{
    (void)state;
    padding = 0;
    refusal = KE_NONE;
    holds = false;
    requests = asked = 0;
    if (cluster_rig_start(&rig, PARTITIONS) != 0)
        return -1;
    rig.fake.offset = offset;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = answer;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    for (int i = 0; i < GROUPS; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "g%d", i);
        inventory_add_group(&inventory, codec_string(id),
            i == GROUPS - 1 ? AUDIT_GROUP_SHARE : AUDIT_GROUP_CLASSIC);
    }
    return 0;
}

static int
end(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    cluster_rig_stop(&rig);
    return 0;
}

/* Begins before the topics are known, and ends behind their offsets. */
static void
ask(void)
{
    struct probe_commits *commits;

    assert_int_equal(probe_begin(&probe, NULL), RC_OK);
    commits = probe_commits_begin(&probe);
    assert_int_equal(inventory.topic_count, 0);
    assert_int_equal(probe_topics_end(probe_topics_begin(&probe), "*", NULL), RC_OK);
    probe_offsets(&probe);
    probe_commits_end(commits);
}

/* How many groups lag as they should, with no one twice. */
static uint32_t
groups_behind(void)
{
    bool seen[GROUPS] = {false};
    uint32_t count = 0;

    for (const struct audit_use *use = inventory.topics[0].uses; use != NULL; use = use->next) {
        assert_true(use->commits && !seen[use->group]);
        seen[use->group] = true;
        count += use->lag == END_OFFSET - COMMITTED;
    }
    return count;
}

/* Groups whose offsets a transaction holds back. */
static uint32_t
groups_held(void)
{
    uint32_t count = 0;

    for (const struct audit_use *use = inventory.topics[0].uses; use != NULL; use = use->next) {
        assert_true(use->pending == 0 || strcmp(inventory.groups[use->group].id, "g5") == 0);
        count += use->pending;
    }
    return count;
}

static void
answers_wait_for_the_topics_and_their_ends(void **state)
{
    (void)state;
    ask();
    assert_int_equal(groups_behind(), GROUPS - 1); /* a share group has none */
    assert_int_equal(requests, 3);
    assert_int_equal(asked, GROUPS - 1);
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

static void
one_group_a_request_is_asked_of_an_old_broker(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].capped_api = KM_OFFSET_FETCH;
        rig.fake.brokers[i].capped_max = 7;
    }
    ask();
    assert_int_equal(groups_behind(), GROUPS - 1);
    assert_int_equal(requests, GROUPS - 1);
}

/* Some 10 kB of each group, 12 MB in all: what is too much to wait is asked for once more. */
static void
what_is_too_much_to_wait_is_asked_for_again(void **state)
{
    (void)state;
    padding = 10000 / PADDING_NAME_BYTES;
    ask();
    assert_int_equal(groups_behind(), GROUPS - 1);
    assert_true(asked > GROUPS - 1 && asked < 2 * (GROUPS - 1));
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

static void
what_a_transaction_holds_back_is_asked_for_again(void **state)
{
    (void)state;
    holds = true;
    ask();
    assert_int_equal(groups_held(), 1);
    assert_int_equal(groups_behind(), GROUPS - 1);
    assert_int_equal(asked, GROUPS);
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

static void
so_it_is_where_it_was_too_much_to_wait(void **state)
{
    (void)state;
    holds = true;
    padding = 10000 / PADDING_NAME_BYTES;
    ask();
    /* In each of its topics, of which one exists. */
    assert_int_equal(groups_held(), 1);
    assert_int_equal(groups_behind(), GROUPS - 1);
}

static void
old_brokers_are_asked_for_what_they_have(void **state)
{
    (void)state;
    holds = true;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].capped_api = KM_OFFSET_FETCH;
        rig.fake.brokers[i].capped_max = i == 0 ? 7 : 6;
    }
    ask();
    assert_int_equal(groups_behind(), GROUPS - 1);
    assert_int_equal(groups_held(), rig.fake.coordinator == 1);
}

static void
a_refusal_leaves_a_gap(void **state)
{
    (void)state;
    refusal = KE_GROUP_AUTHORIZATION_FAILED;
    ask();
    assert_int_equal(groups_behind(), GROUPS - 2);
    assert_non_null(inventory.gaps[AUDIT_COMMITS].why);
}

static void
a_group_that_has_gone_leaves_none(void **state)
{
    (void)state;
    refusal = KE_GROUP_ID_NOT_FOUND;
    ask();
    assert_int_equal(groups_behind(), GROUPS - 2);
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

static uint64_t
bytes_in(void)
{
    struct conn_stats stats;

    cluster_stats(rig.cluster, &stats);
    return stats.bytes_in;
}

/* All that is too much to wait has come. */
static void
what_is_dropped_is_not_asked_for_again(void **state)
{
    struct probe_commits *commits;

    (void)state;
    padding = 10000 / PADDING_NAME_BYTES;
    assert_int_equal(probe_begin(&probe, NULL), RC_OK);
    commits = probe_commits_begin(&probe);
    CLUSTER_RIG_WAIT(&rig, bytes_in() > (uint64_t)(GROUPS - 1) * 10000);
    probe_commits_drop(commits);
    assert_int_equal(probe_topics_end(probe_topics_begin(&probe), "*", NULL), RC_OK);
    assert_int_equal(asked, GROUPS - 1);
    assert_null(inventory.topics[0].uses);
    assert_null(inventory.gaps[AUDIT_COMMITS].why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_wait_for_the_topics_and_their_ends),
        TEST(one_group_a_request_is_asked_of_an_old_broker),
        TEST(what_is_too_much_to_wait_is_asked_for_again),
        TEST(what_a_transaction_holds_back_is_asked_for_again),
        TEST(so_it_is_where_it_was_too_much_to_wait),
        TEST(old_brokers_are_asked_for_what_they_have),
        TEST(a_refusal_leaves_a_gap),
        TEST(a_group_that_has_gone_leaves_none),
        TEST(what_is_dropped_is_not_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
