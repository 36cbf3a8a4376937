/* What FindCoordinator, JoinGroup, SyncGroup, LeaveGroup and OffsetCommit answer in the corners
 * where Apache Kafka looks at one thing before another. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define SESSION_MS 30000
#define US_OF_MS INT64_C(1000)

static struct broker_world world;
static struct arena arena;

static int16_t
coordinator_find(int16_t version, struct km_find_coordinator_response *out)
{
    struct km_find_coordinator_request in;
    struct wire_string key = request_text("g");

    codec_init(&km_find_coordinator_request_desc, &in);
    if (version < 4) {
        in.key = key;
    } else {
        in.coordinator_keys.items = &key;
        in.coordinator_keys.count = 1;
    }
    assert_true(broker_world_call(&world, KM_FIND_COORDINATOR, version, &in, &arena, out));
    return version < 4 ? out->error_code : out->coordinators.items[0].error_code;
}

static int
setup(void **state)
{
    struct km_find_coordinator_response out;

    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    arena_init(&arena, BYTES_MAX);
    while (coordinator_find(3, &out) != KE_NONE)
        broker_world_rest(&world, 10);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    broker_world_fini(&world);
    return 0;
}

static struct wire_string
told(const char *text)
{
    return request_text(text);
}

static void
is_told(struct wire_string got, const char *wanted)
{
    assert_int_equal(got.size, strlen(wanted));
    assert_memory_equal(got.data, wanted, strlen(wanted));
}

static void
a_kind_that_is_none_is_refused_with_kafkas_text_in_every_version(void **state)
{
    static const char why[] =
        "This most likely occurs because of a request being malformed by the client library or "
        "the message was sent to an incompatible broker. See the broker logs for more details.";
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct wire_string key = told("g");

    (void)state;
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key_type = -1;
    in.coordinator_keys.items = &key;
    in.coordinator_keys.count = 1;
    assert_true(broker_world_call(&world, KM_FIND_COORDINATOR, 4, &in, &arena, &out));
    assert_int_equal(out.coordinators.items[0].error_code, KE_INVALID_REQUEST);
    is_told(out.coordinators.items[0].error_message, why);
    in.coordinator_keys.count = 0;
    in.key = key;
    assert_true(broker_world_call(&world, KM_FIND_COORDINATOR, 1, &in, &arena, &out));
    assert_int_equal(out.error_code, KE_INVALID_REQUEST);
    is_told(out.error_message, why);
}

static void
success_has_a_text_in_old_versions_only(void **state)
{
    struct km_find_coordinator_response out;

    (void)state;
    assert_int_equal(coordinator_find(3, &out), KE_NONE);
    is_told(out.error_message, "NONE");
    assert_int_equal(coordinator_find(4, &out), KE_NONE);
    is_told(out.coordinators.items[0].error_message, "");
}

/* --- members -----------------------------------------------------------------------------------
 */

/* Without `out` nobody waits for the answer. */
static void
join_with(int16_t version, const char *group, struct wire_string member, const char *instance,
    struct km_join_group_response *out)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;

    codec_init(&km_join_group_request_desc, &in);
    codec_init(&km_join_group_request_protocol_desc, &protocol);
    protocol.name = told("range");
    in.group_id = told(group);
    in.member_id = member;
    in.group_instance_id = told(instance);
    in.session_timeout_ms = SESSION_MS;
    if (version > 0)
        in.rebalance_timeout_ms = SESSION_MS;
    in.protocol_type = told("consumer");
    in.protocols.items = &protocol;
    in.protocols.count = 1;
    if (out == NULL)
        (void)broker_world_ask(&world, KM_JOIN_GROUP, version, &in);
    else
        assert_true(broker_world_call(&world, KM_JOIN_GROUP, version, &in, &arena, out));
}

static void
join(int16_t version, const char *group, struct wire_string member,
    struct km_join_group_response *out)
{
    join_with(version, group, member, NULL, out);
}

static int16_t
leave(const char *group, struct wire_string member, const char *instance)
{
    struct km_leave_group_request_member_identity identity;
    struct km_leave_group_request in;
    struct km_leave_group_response out;

    codec_init(&km_leave_group_request_desc, &in);
    codec_init(&km_leave_group_request_member_identity_desc, &identity);
    identity.member_id = member;
    identity.group_instance_id = told(instance);
    in.group_id = told(group);
    in.members.items = &identity;
    in.members.count = 1;
    assert_true(broker_world_call(&world, KM_LEAVE_GROUP, 5, &in, &arena, &out));
    assert_int_equal(out.error_code, KE_NONE);
    return out.members.items[0].error_code;
}

static void
a_first_generation_does_not_wait_for_those_who_were_given_an_id(void **state)
{
    struct km_join_group_response absent, member;

    (void)state;
    join(7, "g", told(""), &absent);
    assert_int_equal(absent.error_code, KE_MEMBER_ID_REQUIRED);
    join(7, "g", told(""), &member);
    join(7, "g", member.member_id, &member);
    assert_int_equal(member.error_code, KE_NONE);
    assert_int_equal(member.generation_id, 1);
}

static bool
has_come(int64_t after_ms, struct km_join_group_response *out)
{
    int32_t correlation;

    env_advance(&world.time, after_ms * US_OF_MS);
    (void)broker_tick(world.broker);
    return broker_world_reply(&world, KM_JOIN_GROUP, 0, &arena, out, &correlation);
}

/* The first member does not come to the second generation, which waits for it that long. */
static void
version_0_has_the_sessions_timeout_for_rebalances(void **state)
{
    struct km_join_group_response first, second;

    (void)state;
    join(0, "old", told(""), &first);
    assert_int_equal(first.error_code, KE_NONE);
    join(0, "old", told(""), NULL);
    assert_false(has_come(SESSION_MS - 1, &second));
    assert_true(has_come(1, &second));
    assert_int_equal(second.error_code, KE_NONE);
    assert_int_equal(second.generation_id, 2);
}

/* Kafka fails inside: -1, and nothing else. */
static void
whoever_was_given_an_id_may_not_come_with_an_instance(void **state)
{
    struct km_join_group_response pending, out;

    (void)state;
    join(7, "g", told(""), &pending);
    assert_int_equal(pending.error_code, KE_MEMBER_ID_REQUIRED);
    join_with(7, "g", pending.member_id, "i", &out);
    assert_int_equal(out.error_code, KE_UNKNOWN_SERVER_ERROR);
    is_told(out.member_id, "");
    join(7, "g", pending.member_id, &out);
    assert_int_equal(out.error_code, KE_NONE);
}

static void
whoever_was_given_an_id_may_leave_with_any_instance(void **state)
{
    struct km_join_group_response pending;

    (void)state;
    join(7, "g", told(""), &pending);
    assert_int_equal(pending.error_code, KE_MEMBER_ID_REQUIRED);
    assert_int_equal(leave("g", told(""), NULL), KE_UNKNOWN_MEMBER_ID);
    assert_int_equal(leave("g", told(""), "of nobody"), KE_UNKNOWN_MEMBER_ID);
    assert_int_equal(leave("g", pending.member_id, "of nobody"), KE_NONE);
    assert_int_equal(leave("g", pending.member_id, "of nobody"), KE_UNKNOWN_MEMBER_ID);
}

static void
a_sync_without_protocols_is_inconsistent_before_its_group_is_looked_at(void **state)
{
    struct km_sync_group_request in;
    struct km_sync_group_response out;

    (void)state;
    codec_init(&km_sync_group_request_desc, &in);
    in.group_id = told("");
    in.protocol_type = in.protocol_name = told(NULL);
    assert_true(broker_world_call(&world, KM_SYNC_GROUP, 5, &in, &arena, &out));
    assert_int_equal(out.error_code, KE_INCONSISTENT_GROUP_PROTOCOL);
    assert_true(broker_world_call(&world, KM_SYNC_GROUP, 4, &in, &arena, &out));
    assert_int_equal(out.error_code, KE_INVALID_GROUP_ID);
}

/* --- commits -----------------------------------------------------------------------------------
 */

static int16_t
commit(const char *group, const char *topic, int32_t generation)
{
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topics;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topics);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    in.group_id = told(group);
    in.generation_id_or_member_epoch = generation;
    topics.name = told(topic);
    topics.partitions.items = &partition;
    in.topics.items = &topics;
    topics.partitions.count = in.topics.count = 1;
    assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, 8, &in, &arena, &out));
    return out.topics.items[0].partitions.items[0].error_code;
}

static bool
is_there(const char *group)
{
    struct km_list_groups_request in;
    struct km_list_groups_response out;
    bool found = false;

    codec_init(&km_list_groups_request_desc, &in);
    assert_true(broker_world_call(&world, KM_LIST_GROUPS, 4, &in, &arena, &out));
    for (int32_t i = 0; i < out.groups.count; i++)
        found = found || (out.groups.items[i].group_id.size == (int32_t)strlen(group) &&
                             memcmp(out.groups.items[i].group_id.data, group, strlen(group)) == 0);
    return found;
}

static void
a_commit_to_nowhere_asks_and_makes_no_group(void **state)
{
    (void)state;
    assert_int_equal(commit("nowhere", "no-such", -1), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_false(is_there("nowhere"));
    assert_int_equal(commit("nowhere", "no-such", 5), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(commit("nowhere", "wal", 5), KE_ILLEGAL_GENERATION);
    assert_false(is_there("nowhere"));
    assert_int_equal(commit("nowhere", "wal", -1), KE_NONE);
    assert_true(is_there("nowhere"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_kind_that_is_none_is_refused_with_kafkas_text_in_every_version, setup, teardown),
        cmocka_unit_test_setup_teardown(success_has_a_text_in_old_versions_only, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_first_generation_does_not_wait_for_those_who_were_given_an_id, setup, teardown),
        cmocka_unit_test_setup_teardown(
            version_0_has_the_sessions_timeout_for_rebalances, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_was_given_an_id_may_not_come_with_an_instance, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_was_given_an_id_may_leave_with_any_instance, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_sync_without_protocols_is_inconsistent_before_its_group_is_looked_at, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            a_commit_to_nowhere_asks_and_makes_no_group, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
