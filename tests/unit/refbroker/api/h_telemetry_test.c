/* Clients that are asked for their metrics and push them, in a whole broker. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/compress.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/coord/client_report.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/refbroker/coord/otlp_rig.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)8 << 20)

struct rig {
    struct broker_world world;
    struct arena arena;
    struct buf metrics;
    struct buf shown;
};

static const struct wire_uuid me = {{7, 7, 7}};

static int
setup_as(void **state, bool on)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    rig->world.client_metrics = on;
    assert_null(broker_world_start(&rig->world));
    arena_init(&rig->arena, BYTES_MAX);
    buf_init(&rig->metrics, BYTES_MAX);
    buf_init(&rig->shown, BYTES_MAX);
    *state = rig;
    return 0;
}

static int
setup(void **state)
{
    return setup_as(state, true);
}

static int
setup_off(void **state)
{
    return setup_as(state, false);
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    broker_world_fini(&rig->world);
    arena_fini(&rig->arena);
    buf_fini(&rig->metrics);
    buf_fini(&rig->shown);
    free(rig);
    return 0;
}

static struct km_get_telemetry_subscriptions_response
get(struct rig *rig, const struct wire_uuid *id)
{
    struct km_get_telemetry_subscriptions_request in = {*id};
    struct km_get_telemetry_subscriptions_response out;

    assert_true(
        broker_world_call(&rig->world, KM_GET_TELEMETRY_SUBSCRIPTIONS, 0, &in, &rig->arena, &out));
    return out;
}

static struct km_push_telemetry_request
push_of(const struct rig *rig, int32_t subscription_id)
{
    return (struct km_push_telemetry_request){.client_instance_id = me,
        .subscription_id = subscription_id,
        .metrics = {rig->metrics.data, (int32_t)rig->metrics.size}};
}

static int16_t
push_as(struct rig *rig, const struct km_push_telemetry_request *in)
{
    struct km_push_telemetry_response out;

    assert_true(broker_world_call(&rig->world, KM_PUSH_TELEMETRY, 0, in, &rig->arena, &out));
    return out.error_code;
}

static int16_t
push(struct rig *rig)
{
    struct km_push_telemetry_request in = push_of(rig, get(rig, &me).subscription_id);

    return push_as(rig, &in);
}

static const char *
shown(struct rig *rig)
{
    buf_clear(&rig->shown);
    client_samples_write(&rig->world.broker->client_instances->samples, &rig->shown);
    return buf_text(&rig->shown);
}

/* Sets a config of the subscription "s". */
static void
subscribe(struct rig *rig, const char *name, const char *value)
{
    struct km_incremental_alter_configs_request_alterable_config config = {
        request_text(name), 0, request_text(value)};
    struct km_incremental_alter_configs_request_alter_configs_resource resource = {
        RESOURCE_CLIENT_METRICS, request_text("s"), {&config, 1}};
    struct km_incremental_alter_configs_request in;
    struct km_incremental_alter_configs_response out;

    codec_init(&km_incremental_alter_configs_request_desc, &in);
    in.resources.items = &resource;
    in.resources.count = 1;
    assert_true(
        broker_world_call(&rig->world, KM_INCREMENTAL_ALTER_CONFIGS, 1, &in, &rig->arena, &out));
    assert_int_equal(out.responses.items[0].error_code, KE_NONE);
}

static bool
is_listed(struct rig *rig, int16_t key)
{
    struct km_api_versions_request in;
    struct km_api_versions_response out;

    codec_init(&km_api_versions_request_desc, &in);
    in.client_software_name = request_text("kdl-test");
    in.client_software_version = request_text("1.2.3");
    assert_true(broker_world_call(&rig->world, KM_API_VERSIONS, 3, &in, &rig->arena, &out));
    for (int32_t i = 0; i < out.api_keys.count; i++)
        if (out.api_keys.items[i].api_key == key)
            return true;
    return false;
}

static void
switched_off_it_is_hidden_and_refused(void **state)
{
    struct km_get_telemetry_subscriptions_request in = {me};
    struct rig *rig = *state;

    assert_false(is_listed(rig, KM_GET_TELEMETRY_SUBSCRIPTIONS));
    assert_false(is_listed(rig, KM_PUSH_TELEMETRY));
    subscribe(rig, "metrics", "org.a");
    assert_null(rig->world.client->software_name);
    (void)broker_world_ask(&rig->world, KM_GET_TELEMETRY_SUBSCRIPTIONS, 0, &in);
    assert_true(rig->world.closed);
}

static void
a_client_is_told_what_is_subscribed_to(void **state)
{
    struct rig *rig = *state;
    struct km_get_telemetry_subscriptions_response out;

    assert_true(is_listed(rig, KM_GET_TELEMETRY_SUBSCRIPTIONS));
    assert_true(is_listed(rig, KM_PUSH_TELEMETRY));
    subscribe(rig, "metrics", "org.b,org.a");
    subscribe(rig, "match", "client_software_name=kdl-test,client_software_version=1.2.3");
    subscribe(rig, "interval.ms", "5000");
    out = get(rig, &me);
    assert_int_equal(out.error_code, KE_NONE);
    assert_memory_equal(&out.client_instance_id, &me, sizeof me);
    assert_int_equal(out.push_interval_ms, 5000);
    assert_int_equal(out.telemetry_max_bytes, 1048576);
    assert_true(out.delta_temporality);
    assert_int_equal(out.accepted_compression_types.count, 4);
    assert_int_equal(out.accepted_compression_types.items[0], COMPRESS_ZSTD);
    assert_int_equal(out.requested_metrics.count, 2);
    assert_true(request_is_text(out.requested_metrics.items[0], "org.a"));
    assert_true(request_is_text(out.requested_metrics.items[1], "org.b"));
}

static void
subscriptions_are_there_after_a_start(void **state)
{
    struct rig *rig = *state;

    subscribe(rig, "metrics", "org.a");
    broker_world_crash(&rig->world);
    disk_cut_power(rig->world.disk);
    assert_null(broker_world_start(&rig->world));
    assert_int_equal(get(rig, &me).requested_metrics.count, 1);
}

static void
a_client_without_an_id_is_given_one(void **state)
{
    static const struct wire_uuid zero;
    struct rig *rig = *state;
    struct wire_uuid one = get(rig, &zero).client_instance_id;

    assert_memory_not_equal(&one, &zero, sizeof one);
    assert_int_equal(get(rig, &one).error_code, KE_THROTTLING_QUOTA_EXCEEDED);
    assert_int_equal(get(rig, &zero).error_code, KE_NONE);
}

static void
ids_that_mean_something_else_cannot_push(void **state)
{
    struct rig *rig = *state;
    struct km_push_telemetry_request in = push_of(rig, 0);

    memset(&in.client_instance_id, 0, sizeof in.client_instance_id);
    assert_int_equal(push_as(rig, &in), KE_INVALID_REQUEST);
    in.client_instance_id.bytes[15] = 1;
    assert_int_equal(push_as(rig, &in), KE_INVALID_REQUEST);
    assert_int_equal(map_count(&rig->world.broker->client_instances->by_id), 0);
}

static void
what_is_pushed_is_shown_until_the_connection_ends(void **state)
{
    struct rig *rig = *state;

    assert_true(is_listed(rig, KM_PUSH_TELEMETRY));
    otlp_rig_gauge(&rig->metrics, "a.b", 0.5);
    assert_int_equal(push(rig), KE_NONE);
    assert_non_null(strstr(shown(rig), "client_a_b{"));
    assert_non_null(strstr(shown(rig), "client_software_name=\"kdl-test\""));
    assert_non_null(strstr(shown(rig), "group_id=\"g\"} 0.5\n"));
    broker_world_reconnect(&rig->world);
    assert_string_equal(shown(rig), "");
}

static void
it_may_be_compressed(void **state)
{
    struct rig *rig = *state;

    for (enum compress_codec codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++) {
        struct km_push_telemetry_request in;
        struct buf packed;

        broker_world_reconnect(&rig->world);
        buf_clear(&rig->metrics);
        otlp_rig_gauge(&rig->metrics, "a", codec + 1);
        buf_init(&packed, BYTES_MAX);
        assert_int_equal(
            compress_encode(codec, rig->metrics.data, rig->metrics.size, &packed, NULL), RC_OK);
        in = push_of(rig, get(rig, &me).subscription_id);
        in.metrics = (struct wire_bytes){packed.data, (int32_t)packed.size};
        in.compression_type = (int8_t)codec;
        assert_int_equal(push_as(rig, &in), KE_NONE);
        assert_true(strtod(strrchr(shown(rig), ' '), NULL) == codec + 1);
        buf_fini(&packed);
    }
}

/* A thousand times as large as it looks. */
static void
a_bomb_is_refused(void **state)
{
    struct rig *rig = *state;
    struct km_push_telemetry_request in;
    struct buf packed;
    uint8_t *zeros = xcalloc(1, BYTES_MAX);

    for (enum compress_codec codec = COMPRESS_GZIP; codec < COMPRESS_CODECS; codec++) {
        broker_world_reconnect(&rig->world);
        buf_init(&packed, BYTES_MAX);
        assert_int_equal(compress_encode(codec, zeros, BYTES_MAX / 2, &packed, NULL), RC_OK);
        in = push_of(rig, get(rig, &me).subscription_id);
        in.metrics = (struct wire_bytes){packed.data, (int32_t)packed.size};
        in.compression_type = (int8_t)codec;
        assert_int_equal(push_as(rig, &in), KE_INVALID_RECORD);
        buf_fini(&packed);
    }
    free(zeros);
}

static void
what_cannot_be_read_is_refused(void **state)
{
    struct rig *rig = *state;

    buf_append_text(&rig->metrics, "\x01\x02\x03");
    assert_int_equal(push(rig), KE_INVALID_RECORD);
    assert_string_equal(shown(rig), "");
}

static void
what_came_since_the_last_push_adds_up(void **state)
{
    struct rig *rig = *state;
    struct km_push_telemetry_request in;

    subscribe(rig, "interval.ms", "100");
    otlp_rig_sum(&rig->metrics, "sent", 3, OTLP_RIG_SINCE_LAST);
    assert_int_equal(push(rig), KE_NONE);
    for (int i = 0; i < 3; i++) {
        env_advance(&rig->world.time, 100000);
        in = push_of(
            rig, client_instances_find(rig->world.broker->client_instances, &me)->subscription_id);
        assert_int_equal(push_as(rig, &in), KE_NONE);
    }
    assert_non_null(strstr(shown(rig), "# TYPE client_sent counter\n"));
    assert_non_null(strstr(shown(rig), " 12\n"));
}

static void
the_last_push_ends_what_is_shown(void **state)
{
    struct rig *rig = *state;
    struct km_push_telemetry_request in;

    otlp_rig_gauge(&rig->metrics, "a", 1);
    assert_int_equal(push(rig), KE_NONE);
    assert_string_not_equal(shown(rig), "");
    in = push_of(
        rig, client_instances_find(rig->world.broker->client_instances, &me)->subscription_id);
    in.terminating = true;
    assert_int_equal(push_as(rig, &in), KE_NONE);
    assert_string_equal(shown(rig), "");
    assert_int_equal(push_as(rig, &in), KE_INVALID_REQUEST);
}

static void
a_connection_may_break_while_its_push_is_read(void **state)
{
    struct rig *rig = *state;
    struct km_push_telemetry_request in;

    otlp_rig_gauge(&rig->metrics, "a", 1);
    in = push_of(rig, get(rig, &me).subscription_id);
    (void)broker_world_ask(&rig->world, KM_PUSH_TELEMETRY, 0, &in);
    assert_int_equal(work_pending(rig->world.work, LANE_CLEANER), 1);
    broker_world_reconnect(&rig->world);
    broker_world_rest(&rig->world, 100);
    assert_string_equal(shown(rig), "");
    assert_int_equal(rig->world.broker->client_reports_bytes, 0);
}

/* Each on a connection of its own, since a client waits for its answer. */
static void
pushes_under_way_are_bounded(void **state)
{
    enum { CLIENTS = CLIENT_REPORTS_BYTES_MAX / CLIENT_REPORT_TEXT_BYTES_MAX };
    struct rig *rig = *state;
    struct broker_world *world = &rig->world;
    struct client *first = world->client, *others[CLIENTS];
    struct km_push_telemetry_response out;
    int32_t sent, answered;

    otlp_rig_gauge(&rig->metrics, "a", 1);
    for (int i = 0; i < CLIENTS; i++) {
        struct km_push_telemetry_request in;

        others[i] = world->client = broker_connect(world->broker, world, "pusher", 1);
        in = push_of(rig, 0);
        in.client_instance_id.bytes[0] = (uint8_t)i;
        in.subscription_id = get(rig, &in.client_instance_id).subscription_id;
        sent = broker_world_ask(world, KM_PUSH_TELEMETRY, 0, &in);
    }
    assert_true(broker_world_reply(world, KM_PUSH_TELEMETRY, 0, &rig->arena, &out, &answered));
    assert_int_equal(answered, sent);
    assert_int_equal(out.error_code, KE_THROTTLING_QUOTA_EXCEEDED);
    for (int i = 0; i < CLIENTS; i++)
        broker_disconnect(world->broker, others[i]);
    world->client = first;
    broker_world_rest(world, 1000);
    assert_int_equal(world->broker->client_reports_bytes, 0);
}

static void
who_is_silent_is_forgotten(void **state)
{
    struct rig *rig = *state;

    otlp_rig_gauge(&rig->metrics, "a", 1);
    assert_int_equal(push(rig), KE_NONE);
    (void)broker_tick(rig->world.broker);
    assert_int_equal(rig->world.broker->stats.client_metrics_instances, 1);
    assert_int_equal(rig->world.broker->stats.client_metrics_values, 1);
    env_advance(&rig->world.time, INT64_C(900000000));
    (void)broker_tick(rig->world.broker);
    assert_int_equal(rig->world.broker->stats.client_metrics_instances, 0);
    assert_string_equal(shown(rig), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(switched_off_it_is_hidden_and_refused, setup_off, teardown),
        cmocka_unit_test_setup_teardown(a_client_is_told_what_is_subscribed_to, setup, teardown),
        cmocka_unit_test_setup_teardown(subscriptions_are_there_after_a_start, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_without_an_id_is_given_one, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_that_mean_something_else_cannot_push, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_pushed_is_shown_until_the_connection_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(it_may_be_compressed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bomb_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_since_the_last_push_adds_up, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_push_ends_what_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_connection_may_break_while_its_push_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(pushes_under_way_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_silent_is_forgotten, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
