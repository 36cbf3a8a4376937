/* Changes of the metadata that requests wait for, of every kind, in a broker whose lanes the test
 * moves by hand. */
#include "refbroker/api/alteration.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/meta/topics.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define STEPS 400
#define SCRAM_SHA_256_ID 1
#define RESOURCE_TOPIC_ID 2
#define OPERATION_READ_ID 3
#define PERMISSION_ALLOW_ID 3
#define PATTERN_LITERAL_ID 3
#define SAFE_DOWNGRADE 2
#define PARTITIONS_MORE (BROKER_WORLD_PARTITIONS + 1)
#define RETENTION_MS 1234567

/* --- one request of each kind ----------------------------------------------------------------- */

static void
quota_ask(struct broker_world *world)
{
    struct km_alter_client_quotas_request_entity_data entity = {
        request_text("client-id"), request_text("c")};
    struct km_alter_client_quotas_request_op_data op = {
        request_text("producer_byte_rate"), 1000, false};
    struct km_alter_client_quotas_request_entry_data entry = {{&entity, 1}, {&op, 1}};
    struct km_alter_client_quotas_request in = {{&entry, 1}, false};

    (void)broker_world_ask(world, KM_ALTER_CLIENT_QUOTAS, 1, &in);
}

static int16_t
quota_code(const void *out)
{
    return ((const struct km_alter_client_quotas_response *)out)->entries.items[0].error_code;
}

static bool
quota_is_there(const struct broker *broker)
{
    return map_count(&broker->quotas.by_entity) == 1;
}

static void
scram_ask(struct broker_world *world)
{
    struct km_alter_user_scram_credentials_request_scram_credential_upsertion upsertion = {
        request_text("u"), SCRAM_SHA_256_ID, 4096, {(const uint8_t *)"salt", 4},
        {(const uint8_t *)"0123456789abcdef0123456789abcdef", 32}};
    struct km_alter_user_scram_credentials_request in = {{NULL, 0}, {&upsertion, 1}};

    (void)broker_world_ask(world, KM_ALTER_USER_SCRAM_CREDENTIALS, 0, &in);
}

static int16_t
scram_code(const void *out)
{
    return ((const struct km_alter_user_scram_credentials_response *)out)
        ->results.items[0]
        .error_code;
}

static bool
scram_is_there(const struct broker *broker)
{
    return map_count(&broker->scram_users.by_name) == 1;
}

static void
acl_ask(struct broker_world *world)
{
    struct km_create_acls_request_acl_creation creation = {RESOURCE_TOPIC_ID, request_text("t"),
        PATTERN_LITERAL_ID, request_text("User:u"), request_text("*"), OPERATION_READ_ID,
        PERMISSION_ALLOW_ID};
    struct km_create_acls_request in = {{&creation, 1}};

    world->broker->options.authorizer = 1;
    (void)broker_world_ask(world, KM_CREATE_ACLS, 3, &in);
}

static int16_t
acl_code(const void *out)
{
    return ((const struct km_create_acls_response *)out)->results.items[0].error_code;
}

static bool
acl_is_there(const struct broker *broker)
{
    return map_count(&broker->acls.by_key) == 1;
}

static void
feature_ask(struct broker_world *world)
{
    struct km_update_features_request_feature_update_key update = {
        request_text("group.version"), 0, false, SAFE_DOWNGRADE};
    struct km_update_features_request in = {1000, {&update, 1}, false};

    (void)broker_world_ask(world, KM_UPDATE_FEATURES, 1, &in);
}

static int16_t
feature_code(const void *out)
{
    return ((const struct km_update_features_response *)out)->error_code;
}

static bool
feature_is_there(const struct broker *broker)
{
    return broker->features.levels[FEATURE_GROUP_VERSION] == 0;
}

static void
partitions_ask(struct broker_world *world)
{
    struct km_create_partitions_request_topic topic = {
        request_text("wal"), PARTITIONS_MORE, {NULL, -1}};
    struct km_create_partitions_request in = {{&topic, 1}, 1000, false};

    (void)broker_world_ask(world, KM_CREATE_PARTITIONS, 3, &in);
}

static int16_t
partitions_code(const void *out)
{
    return ((const struct km_create_partitions_response *)out)->results.items[0].error_code;
}

static const struct topic *
the_topic(const struct broker *broker)
{
    return topics_find(&broker->topics, "wal", 3);
}

static bool
partitions_is_there(const struct broker *broker)
{
    return the_topic(broker)->partition_count == PARTITIONS_MORE;
}

static void
config_ask(struct broker_world *world)
{
    struct km_incremental_alter_configs_request_alterable_config config = {
        request_text("retention.ms"), 0, request_text("1234567")};
    struct km_incremental_alter_configs_request_alter_configs_resource resource = {
        RESOURCE_TOPIC_ID, request_text("wal"), {&config, 1}};
    struct km_incremental_alter_configs_request in = {{&resource, 1}, false};

    (void)broker_world_ask(world, KM_INCREMENTAL_ALTER_CONFIGS, 1, &in);
}

static int16_t
config_code(const void *out)
{
    return ((const struct km_incremental_alter_configs_response *)out)
        ->responses.items[0]
        .error_code;
}

static bool
config_is_there(const struct broker *broker)
{
    return the_topic(broker)->configs.values.retention_ms == RETENTION_MS;
}

static const struct {
    int16_t key;
    int16_t version;
    void (*ask)(struct broker_world *world);
    int16_t (*code)(const void *out);
    bool (*is_there)(const struct broker *broker);
} kinds[] = {
    {KM_ALTER_CLIENT_QUOTAS, 1, quota_ask, quota_code, quota_is_there},
    {KM_ALTER_USER_SCRAM_CREDENTIALS, 0, scram_ask, scram_code, scram_is_there},
    {KM_CREATE_ACLS, 3, acl_ask, acl_code, acl_is_there},
    {KM_UPDATE_FEATURES, 1, feature_ask, feature_code, feature_is_there},
    {KM_CREATE_PARTITIONS, 3, partitions_ask, partitions_code, partitions_is_there},
    {KM_INCREMENTAL_ALTER_CONFIGS, 1, config_ask, config_code, config_is_there},
};

union response {
    struct km_alter_client_quotas_response quotas;
    struct km_alter_user_scram_credentials_response scram;
    struct km_create_acls_response acls;
    struct km_update_features_response features;
    struct km_create_partitions_response partitions;
    struct km_incremental_alter_configs_response configs;
};

/* The code of the answer that is there; -1 where none is. */
static int16_t
answer(struct broker_world *world, size_t kind)
{
    union response out;
    struct arena arena;
    int32_t correlation;
    int16_t code = -1;

    arena_init(&arena, BYTES_MAX);
    if (broker_world_reply(world, kinds[kind].key, kinds[kind].version, &arena, &out, &correlation))
        code = kinds[kind].code(&out);
    arena_fini(&arena);
    return code;
}

static void
world_start(struct broker_world *world)
{
    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    broker_world_rest(world, STEPS);
}

/* --- promises --------------------------------------------------------------------------------- */

static void
a_change_is_durable_then_in_effect_then_answered(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        struct broker_world world;

        world_start(&world);
        kinds[kind].ask(&world);
        (void)broker_tick(world.broker);
        assert_int_equal(answer(&world, kind), -1);
        assert_false(kinds[kind].is_there(world.broker));
        (void)work_step(world.work, LANE_DB);
        (void)broker_tick(world.broker);
        assert_true(kinds[kind].is_there(world.broker));
        assert_int_equal(answer(&world, kind), KE_NONE);
        broker_world_crash(&world);
        disk_cut_power(world.disk);
        assert_null(broker_world_start(&world));
        assert_true(kinds[kind].is_there(world.broker));
        broker_world_fini(&world);
    }
}

static void
what_cannot_be_written_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        struct broker_world world;

        world_start(&world);
        disk_cut_fault(world.disk, DISK_CUT_FAIL_SYNC, 1);
        kinds[kind].ask(&world);
        (void)broker_tick(world.broker);
        (void)work_step(world.work, LANE_DB);
        (void)broker_tick(world.broker);
        assert_int_equal(answer(&world, kind), KE_KAFKA_STORAGE_ERROR);
        assert_false(kinds[kind].is_there(world.broker));
        broker_world_fini(&world);
    }
}

static void
who_goes_away_while_it_waits_leaves_a_whole_change(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        struct broker_world world;

        world_start(&world);
        kinds[kind].ask(&world);
        (void)broker_tick(world.broker);
        broker_world_reconnect(&world);
        assert_false(kinds[kind].is_there(world.broker));
        broker_world_rest(&world, STEPS);
        assert_true(kinds[kind].is_there(world.broker));
        assert_int_equal(answer(&world, kind), -1);
        broker_world_fini(&world);
    }
}

/* Nothing of the catalog is needed for that: its lane does not move. */
static void
what_changes_nothing_is_answered_at_once(void **state)
{
    struct km_alter_client_quotas_request in = {{NULL, 0}, false};
    struct km_alter_client_quotas_response out;
    struct broker_world world;
    struct arena arena;
    int32_t correlation;

    (void)state;
    world_start(&world);
    arena_init(&arena, BYTES_MAX);
    (void)broker_world_ask(&world, KM_ALTER_CLIENT_QUOTAS, 1, &in);
    (void)broker_tick(world.broker);
    assert_true(broker_world_reply(&world, KM_ALTER_CLIENT_QUOTAS, 1, &arena, &out, &correlation));
    assert_int_equal(out.entries.count, 0);
    arena_fini(&arena);
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_durable_then_in_effect_then_answered),
        cmocka_unit_test(what_cannot_be_written_is_refused_and_changes_nothing),
        cmocka_unit_test(who_goes_away_while_it_waits_leaves_a_whole_change),
        cmocka_unit_test(what_changes_nothing_is_answered_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
