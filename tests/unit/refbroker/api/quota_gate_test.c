/* A client above its quota is answered, told to wait, and not heard until it has waited. */
#include "refbroker/api/quota_gate.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define SECOND_US INT64_C(1000000)

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

/* A quota of all of a kind: users, addresses. */
static void
quota_of(struct rig *rig, const char *kind, const char *name, double value)
{
    struct km_alter_client_quotas_request_entity_data entity;
    struct km_alter_client_quotas_request_op_data operation;
    struct km_alter_client_quotas_request_entry_data entry = {{&entity, 1}, {&operation, 1}};
    struct km_alter_client_quotas_request in;
    struct km_alter_client_quotas_response out;

    codec_init(&km_alter_client_quotas_request_entity_data_desc, &entity);
    codec_init(&km_alter_client_quotas_request_op_data_desc, &operation);
    codec_init(&km_alter_client_quotas_request_desc, &in);
    entity.entity_type = request_text(kind);
    entity.entity_name = request_text(NULL);
    operation.key = request_text(name);
    operation.value = value;
    in.entries.items = &entry;
    in.entries.count = 1;
    assert_true(broker_world_call(&rig->world, KM_ALTER_CLIENT_QUOTAS, 1, &in, &rig->arena, &out));
    assert_int_equal(out.entries.items[0].error_code, KE_NONE);
}

static void
quota(struct rig *rig, const char *name, double value)
{
    quota_of(rig, "user", name, value);
}

static void
a_request_is_answered_and_the_next_one_waits(void **state)
{
    struct rig *rig = *state;
    struct broker_world *world = &rig->world;
    struct km_list_groups_request in;
    struct km_list_groups_response out;
    int64_t before_ms;
    int32_t first, second, answered;

    codec_init(&km_list_groups_request_desc, &in);
    quota(rig, "request_percentage", 1e-9);
    /* The clock stands still while a handler works, so that the next two cost nothing. */
    first = broker_world_ask(world, KM_LIST_GROUPS, 4, &in);
    assert_true(broker_world_reply(world, KM_LIST_GROUPS, 4, &rig->arena, &out, &answered));
    assert_int_equal(answered, first);
    assert_int_equal(out.throttle_time_ms, 0);

    quota(rig, "producer_byte_rate", 1);
    broker_world_run(world, 1);
    assert_int_equal(world->acked_count, 1);
    before_ms = env_now_ms(&world->time);
    second = broker_world_ask(world, KM_LIST_GROUPS, 4, &in);
    assert_false(broker_world_reply(world, KM_LIST_GROUPS, 4, &rig->arena, &out, &answered));
    while (!broker_world_reply(world, KM_LIST_GROUPS, 4, &rig->arena, &out, &answered)) {
        env_advance(&world->time, SECOND_US / 10);
        (void)broker_tick(world->broker);
    }
    assert_int_equal(answered, second);
    assert_true(env_now_ms(&world->time) - before_ms > 1000);
    assert_true(world->broker->stats.requests_throttled_total > 0);
}

static void
other_connections_are_heard(void **state)
{
    struct rig *rig = *state;
    struct broker_world *world = &rig->world;
    struct km_list_groups_request in;
    struct km_list_groups_response out;
    int32_t answered;

    codec_init(&km_list_groups_request_desc, &in);
    quota(rig, "producer_byte_rate", 1);
    broker_world_run(world, 1);
    assert_int_equal(world->acked_count, 1);
    broker_world_reconnect(world);
    (void)broker_world_ask(world, KM_LIST_GROUPS, 4, &in);
    assert_true(broker_world_reply(world, KM_LIST_GROUPS, 4, &rig->arena, &out, &answered));
}

static void
a_connection_too_many_of_an_address_is_not_heard_and_closed(void **state)
{
    struct rig *rig = *state;
    struct broker_world *world = &rig->world;
    struct km_list_groups_request in;
    struct km_list_groups_response out;
    int32_t answered;

    codec_init(&km_list_groups_request_desc, &in);
    quota_of(rig, "ip", "connection_creation_rate", 1);
    for (int i = 0; i < 10; i++) {
        broker_world_reconnect(world);
        assert_true(broker_world_call(world, KM_LIST_GROUPS, 4, &in, &rig->arena, &out));
    }
    broker_world_reconnect(world);
    assert_int_equal(world->broker->stats.connections_throttled_total, 1);
    (void)broker_world_ask(world, KM_LIST_GROUPS, 4, &in);
    (void)broker_tick(world->broker);
    assert_false(world->closed);
    env_advance(&world->time, SECOND_US);
    (void)broker_tick(world->broker);
    assert_true(world->closed);
    assert_false(broker_world_reply(world, KM_LIST_GROUPS, 4, &rig->arena, &out, &answered));
    env_advance(&world->time, 11 * SECOND_US);
    broker_world_reconnect(world);
    assert_true(broker_world_call(world, KM_LIST_GROUPS, 4, &in, &rig->arena, &out));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_request_is_answered_and_the_next_one_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_connection_too_many_of_an_address_is_not_heard_and_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(other_connections_are_heard, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
