/* Clients that have to log in, before a whole broker: who may ask what, and when an answer comes.
 */
#include "refbroker/api/login_gate.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/limits.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)4 << 20)
#define MILLISECOND_US INT64_C(1000)
#define DELAY_MS 100

struct rig {
    struct broker_world world;
    struct arena arena;
};

/* The topics of the world are made before logins are wanted. */
static int
setup(void **state)
{
    static const char *const settings[] = {
        "listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256",
        "listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain."
        "PlainLoginModule required user_anna=\"s3cret\";",
        NULL};
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    broker_world_crash(&rig->world);
    disk_cut_kill(rig->world.disk);
    rig->world.settings = settings;
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

static bool
reply(struct rig *rig, int16_t key, int16_t version, void *out)
{
    int32_t correlation;

    return broker_world_reply(&rig->world, key, version, &rig->arena, out, &correlation);
}

/* Milliseconds until the broker has closed the connection, or `most`. */
static int
closed_after(struct rig *rig, int most)
{
    int ms = 0;

    while (!rig->world.closed && ms < most) {
        env_advance(&rig->world.time, MILLISECOND_US);
        (void)broker_tick(rig->world.broker);
        ms++;
    }
    return ms;
}

static void
ask_metadata(struct rig *rig)
{
    struct km_metadata_request in;

    codec_init(&km_metadata_request_desc, &in);
    (void)broker_world_ask(&rig->world, KM_METADATA, 13, &in);
}

static void
handshake(struct rig *rig, const char *mechanism, int16_t version)
{
    struct km_sasl_handshake_request in;

    codec_init(&km_sasl_handshake_request_desc, &in);
    in.mechanism = request_text(mechanism);
    (void)broker_world_ask(&rig->world, KM_SASL_HANDSHAKE, version, &in);
}

static void
authenticate(struct rig *rig, const char *token, size_t size)
{
    struct km_sasl_authenticate_request in;

    codec_init(&km_sasl_authenticate_request_desc, &in);
    in.auth_bytes = (struct wire_bytes){(const uint8_t *)token, (int32_t)size};
    (void)broker_world_ask(&rig->world, KM_SASL_AUTHENTICATE, 2, &in);
}

static void
log_in(struct rig *rig)
{
    struct km_sasl_handshake_response chosen;
    struct km_sasl_authenticate_response out;

    handshake(rig, "PLAIN", 1);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 1, &chosen));
    assert_int_equal(chosen.error_code, KE_NONE);
    assert_int_equal(chosen.mechanisms.count, 2);
    authenticate(rig, "\0anna\0s3cret", 12);
    assert_true(reply(rig, KM_SASL_AUTHENTICATE, 2, &out));
    assert_int_equal(out.error_code, KE_NONE);
    assert_int_equal(out.session_lifetime_ms, 0);
}

static void
who_has_logged_in_is_served_and_may_not_log_in_again(void **state)
{
    struct rig *rig = *state;
    struct km_metadata_response out;
    struct km_sasl_handshake_response chosen;
    struct km_sasl_authenticate_response token;

    log_in(rig);
    ask_metadata(rig);
    assert_true(reply(rig, KM_METADATA, 13, &out));
    assert_int_equal(out.error_code, KE_NONE);
    handshake(rig, "PLAIN", 1);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 1, &chosen));
    assert_int_equal(chosen.error_code, KE_ILLEGAL_SASL_STATE);
    authenticate(rig, "\0anna\0s3cret", 12);
    assert_true(reply(rig, KM_SASL_AUTHENTICATE, 2, &token));
    assert_int_equal(token.error_code, KE_ILLEGAL_SASL_STATE);
    assert_false(rig->world.closed);
}

static void
who_has_not_is_closed_at_once(void **state)
{
    struct rig *rig = *state;

    ask_metadata(rig);
    assert_true(rig->world.closed);
    assert_int_equal(rig->world.received.size, 0);
    assert_int_equal(rig->world.broker->stats.logins_refused_total, 1);
}

static void
versions_are_told_before_once(void **state)
{
    struct rig *rig = *state;
    struct km_api_versions_request in;
    struct km_api_versions_response out;

    codec_init(&km_api_versions_request_desc, &in);
    in.client_software_name = request_text("no/name");
    in.client_software_version = request_text("1");
    (void)broker_world_ask(&rig->world, KM_API_VERSIONS, 3, &in);
    assert_true(reply(rig, KM_API_VERSIONS, 3, &out));
    assert_int_equal(out.error_code, KE_INVALID_REQUEST);
    in.client_software_name = request_text("world");
    (void)broker_world_ask(&rig->world, KM_API_VERSIONS, 3, &in);
    assert_true(reply(rig, KM_API_VERSIONS, 3, &out));
    assert_int_equal(out.error_code, KE_NONE);
    assert_false(rig->world.closed);
    (void)broker_world_ask(&rig->world, KM_API_VERSIONS, 3, &in);
    assert_false(reply(rig, KM_API_VERSIONS, 3, &out));
    assert_true(rig->world.closed);
}

static void
a_wrong_password_is_told_late_and_nothing_is_heard_behind_it(void **state)
{
    struct rig *rig = *state;
    struct km_sasl_handshake_response chosen;
    struct km_sasl_authenticate_response out;

    handshake(rig, "PLAIN", 1);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 1, &chosen));
    authenticate(rig, "\0anna\0wrong", 11);
    authenticate(rig, "\0anna\0s3cret", 12);
    assert_false(reply(rig, KM_SASL_AUTHENTICATE, 2, &out));
    assert_true(rig->world.client->paused);
    assert_int_equal(closed_after(rig, 1000), DELAY_MS);
    assert_true(reply(rig, KM_SASL_AUTHENTICATE, 2, &out));
    assert_int_equal(out.error_code, KE_SASL_AUTHENTICATION_FAILED);
    assert_int_equal(out.auth_bytes.size, 0);
    assert_int_equal(rig->world.received.size, 0);
}

static void
a_mechanism_that_is_not_enabled_is_told_late_with_those_that_are(void **state)
{
    struct rig *rig = *state;
    struct km_sasl_handshake_response out;

    handshake(rig, "SCRAM-SHA-512", 1);
    assert_int_equal(closed_after(rig, 1000), DELAY_MS);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 1, &out));
    assert_int_equal(out.error_code, KE_UNSUPPORTED_SASL_MECHANISM);
    assert_int_equal(out.mechanisms.count, 2);
    assert_true(request_is_text(out.mechanisms.items[0], "PLAIN"));
    assert_true(request_is_text(out.mechanisms.items[1], "SCRAM-SHA-256"));
}

static void
another_request_between_the_tokens_is_told_so(void **state)
{
    struct rig *rig = *state;
    struct km_sasl_handshake_response chosen;
    struct km_metadata_response out;

    handshake(rig, "PLAIN", 1);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 1, &chosen));
    ask_metadata(rig);
    assert_int_equal(closed_after(rig, 1000), DELAY_MS);
    assert_true(reply(rig, KM_METADATA, 13, &out));
    assert_int_equal(out.error_code, KE_ILLEGAL_SASL_STATE);
}

/* A frame that is no request. */
static void
raw(struct rig *rig, const char *token, size_t size)
{
    struct blob *frame = blob_new(size);

    memcpy(frame->data, token, size);
    broker_frame(rig->world.broker, rig->world.client, frame);
}

static void
tokens_without_a_header_are_answered_so(void **state)
{
    struct rig *rig = *state;
    struct km_sasl_handshake_response chosen;
    struct km_metadata_response out;

    handshake(rig, "PLAIN", 0);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 0, &chosen));
    raw(rig, "\0anna\0s3cret", 12);
    assert_int_equal(rig->world.received.size, 4);
    assert_int_equal(codec_bytes_int32(rig->world.received.data), 0);
    buf_clear(&rig->world.received);
    ask_metadata(rig);
    assert_true(reply(rig, KM_METADATA, 13, &out));

    broker_world_reconnect(&rig->world);
    handshake(rig, "PLAIN", 0);
    assert_true(reply(rig, KM_SASL_HANDSHAKE, 0, &chosen));
    raw(rig, "\0anna\0wrong", 11);
    assert_int_equal(closed_after(rig, 1000), DELAY_MS);
    assert_int_equal(rig->world.received.size, 0);
}

static void
frames_are_small_until_the_login_is_over(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(broker_frame_bytes_max(rig->world.client), LIMIT_LOGIN_BYTES_MAX);
    log_in(rig);
    assert_int_equal(broker_frame_bytes_max(rig->world.client), LIMIT_REQUEST_BYTES_MAX);
}

static void
a_login_that_failed_may_go_away_before_it_is_told(void **state)
{
    struct rig *rig = *state;

    handshake(rig, "FOO", 1);
    broker_world_reconnect(&rig->world);
    for (int i = 0; i < 2 * DELAY_MS; i++) {
        env_advance(&rig->world.time, MILLISECOND_US);
        (void)broker_tick(rig->world.broker);
    }
    assert_int_equal(rig->world.received.size, 0);
    log_in(rig);
}

static void
quotas_and_tokens_see_who_logged_in(void **state)
{
    struct km_alter_client_quotas_request_entity_data entity;
    struct km_alter_client_quotas_request_op_data operation;
    struct km_alter_client_quotas_request_entry_data entry = {{&entity, 1}, {&operation, 1}};
    struct km_alter_client_quotas_request in;
    struct km_alter_client_quotas_response altered;
    struct km_create_delegation_token_request create;
    struct km_create_delegation_token_response created;
    struct rig *rig = *state;

    log_in(rig);
    assert_true(request_is_text(client_user(rig->world.client), "anna"));
    codec_init(&km_alter_client_quotas_request_entity_data_desc, &entity);
    codec_init(&km_alter_client_quotas_request_op_data_desc, &operation);
    codec_init(&km_alter_client_quotas_request_desc, &in);
    entity.entity_type = request_text("user");
    entity.entity_name = request_text("anna");
    operation.key = request_text("producer_byte_rate");
    operation.value = 1;
    in.entries.items = &entry;
    in.entries.count = 1;
    assert_true(
        broker_world_call(&rig->world, KM_ALTER_CLIENT_QUOTAS, 1, &in, &rig->arena, &altered));
    assert_int_equal(altered.entries.items[0].error_code, KE_NONE);
    codec_init(&km_create_delegation_token_request_desc, &create);
    for (int16_t version = 1; version <= 3; version++) {
        (void)broker_world_ask(&rig->world, KM_CREATE_DELEGATION_TOKEN, version, &create);
        assert_true(reply(rig, KM_CREATE_DELEGATION_TOKEN, version, &created));
        assert_int_equal(created.error_code, KE_DELEGATION_TOKEN_AUTH_DISABLED);
        assert_true(request_is_text(created.principal_name, "anna"));
    }
    assert_true(request_is_text(created.token_requester_principal_name, "anna"));
    broker_world_run(&rig->world, 1);
    assert_true(rig->world.broker->stats.requests_throttled_total > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_has_logged_in_is_served_and_may_not_log_in_again, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_not_is_closed_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(versions_are_told_before_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_wrong_password_is_told_late_and_nothing_is_heard_behind_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_mechanism_that_is_not_enabled_is_told_late_with_those_that_are, setup, teardown),
        cmocka_unit_test_setup_teardown(
            another_request_between_the_tokens_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_without_a_header_are_answered_so, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_are_small_until_the_login_is_over, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_login_that_failed_may_go_away_before_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(quotas_and_tokens_see_who_logged_in, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
