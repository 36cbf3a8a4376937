/* What a broker with one copy of everything says to whoever wants to move copies. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define REPLICAS_MAX 3

struct rig {
    struct broker_world world;
    struct arena arena;
};

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    arena_init(&rig->arena, BYTES_MAX);
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    broker_world_fini(&rig->world);
    arena_fini(&rig->arena);
    free(rig);
    return 0;
}

/* Asks for one partition's replicas; count -1 takes a move back. Returns the code. */
static int16_t
move(struct rig *rig, const char *name, int32_t index, const int32_t *replicas, int32_t count,
    const char **message)
{
    struct km_alter_partition_reassignments_request_reassignable_partition partition;
    struct km_alter_partition_reassignments_request_reassignable_topic topic = {
        request_text(name), {&partition, 1}};
    struct km_alter_partition_reassignments_request in;
    struct km_alter_partition_reassignments_response out;
    const struct km_alter_partition_reassignments_response_reassignable_partition_response *answer;
    int32_t ids[REPLICAS_MAX];

    codec_init(&km_alter_partition_reassignments_request_desc, &in);
    partition.partition_index = index;
    memcpy(ids, replicas, sizeof ids);
    partition.replicas.items = ids;
    partition.replicas.count = count;
    in.topics.items = &topic;
    in.topics.count = 1;
    assert_true(broker_world_call(
        &rig->world, KM_ALTER_PARTITION_REASSIGNMENTS, 0, &in, &rig->arena, &out));
    assert_int_equal(out.responses.count, 1);
    answer = &out.responses.items[0].partitions.items[0];
    assert_int_equal(answer->partition_index, index);
    *message = answer->error_message.size < 0
                   ? NULL
                   : arena_printf(&rig->arena, "%.*s", answer->error_message.size,
                         answer->error_message.data);
    return answer->error_code;
}

static void
a_copy_stays_where_it_is_and_goes_nowhere_else(void **state)
{
    static const struct {
        int32_t replicas[REPLICAS_MAX];
        int32_t count;
        int16_t code;
        const char *message;
    } cases[] = {
        {{1}, 1, KE_NONE, NULL},
        {{2}, 1, KE_INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes broker 2, but no such broker is registered."},
        {{1, 2}, 2, KE_INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes broker 2, but no such broker is registered."},
        {{1, 1}, 2, KE_INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes the broker 1 more than once."},
        {{0}, 0, KE_INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes an empty replica list."},
        {{0}, -1, KE_NO_REASSIGNMENT_IN_PROGRESS, "No partition reassignment is in progress."},
    };
    struct rig *rig = *state;
    const char *message;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            move(rig, "wal", 0, cases[i].replicas, cases[i].count, &message), cases[i].code);
        if (cases[i].message == NULL)
            assert_null(message);
        else
            assert_string_equal(message, cases[i].message);
    }
}

static void
what_is_not_there_cannot_be_moved(void **state)
{
    static const int32_t here[REPLICAS_MAX] = {1};
    const char *message;

    assert_int_equal(move(*state, "nowhere", 0, here, 1, &message), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_string_equal(message, "Unable to find topic named nowhere.");
    assert_int_equal(move(*state, "wal", 99, here, 1, &message), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(move(*state, "wal", -1, here, 1, &message), KE_UNKNOWN_TOPIC_OR_PARTITION);
}

static void
no_move_is_ever_under_way(void **state)
{
    struct km_list_partition_reassignments_request in;
    struct km_list_partition_reassignments_response out;
    struct rig *rig = *state;

    codec_init(&km_list_partition_reassignments_request_desc, &in);
    assert_true(
        broker_world_call(&rig->world, KM_LIST_PARTITION_REASSIGNMENTS, 0, &in, &rig->arena, &out));
    assert_int_equal(out.error_code, KE_NONE);
    assert_int_equal(out.topics.count, 0);
}

static void
elections_are_not_needed(void **state)
{
    int32_t indexes[] = {0, 99};
    struct km_elect_leaders_request_topic_partitions topics[] = {
        {request_text("wal"), {indexes, 2}}, {request_text("nowhere"), {indexes, 1}}};
    struct km_elect_leaders_request in;
    struct km_elect_leaders_response out;
    struct rig *rig = *state;

    codec_init(&km_elect_leaders_request_desc, &in);
    in.topic_partitions.items = topics;
    in.topic_partitions.count = 2;
    assert_true(broker_world_call(&rig->world, KM_ELECT_LEADERS, 2, &in, &rig->arena, &out));
    assert_int_equal(out.replica_election_results.count, 2);
    assert_int_equal(out.replica_election_results.items[0].partition_result.items[0].error_code,
        KE_ELECTION_NOT_NEEDED);
    assert_int_equal(out.replica_election_results.items[0].partition_result.items[1].error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out.replica_election_results.items[1].partition_result.items[0].error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    in.topic_partitions.count = -1;
    assert_true(broker_world_call(&rig->world, KM_ELECT_LEADERS, 2, &in, &rig->arena, &out));
    assert_int_equal(out.replica_election_results.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_copy_stays_where_it_is_and_goes_nowhere_else, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_cannot_be_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(no_move_is_ever_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(elections_are_not_needed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
