/* Area admin: quotas of clients (KIP-13, KIP-219, KIP-546). Every check has a client id of its own,
 * and so quotas that touch no other. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_produce.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define RATE                                                                                       \
    200000.0 /* bytes per second: 2 MB at once, within the ten seconds that Kafka looks at */
#define PUSH_BYTES ((size_t)500000)
#define PUSHES_MAX 20
#define APPLY_MS 10000
#define MATCH_EXACT 0
#define MATCH_ANY 2

static const char rate_key[] = "producer_byte_rate";

static int16_t
quota_alter(struct kc *kc, const char *type, const char *name, const char *key, double value)
{
    struct km_alter_client_quotas_request body;
    struct km_alter_client_quotas_request_entry_data entry;
    struct km_alter_client_quotas_request_entity_data entity;
    struct km_alter_client_quotas_request_op_data op;
    const struct km_alter_client_quotas_response *response;

    codec_init(&km_alter_client_quotas_request_desc, &body);
    codec_init(&km_alter_client_quotas_request_entry_data_desc, &entry);
    codec_init(&km_alter_client_quotas_request_entity_data_desc, &entity);
    codec_init(&km_alter_client_quotas_request_op_data_desc, &op);
    entity.entity_type = kc_string(type);
    entity.entity_name = kc_string(name);
    op.key = kc_string(key);
    op.value = value;
    op.remove = value == 0;
    entry.entity.items = &entity;
    entry.entity.count = 1;
    entry.ops.items = &op;
    entry.ops.count = 1;
    body.entries.items = &entry;
    body.entries.count = 1;
    response = kc_ask(kc, kc_link(kc, 0), KM_ALTER_CLIENT_QUOTAS,
        kc_version(kc, KM_ALTER_CLIENT_QUOTAS, KC_VERSION_MAX), &body);
    kc_int(kc, "entries_count", response->entries.count, 1);
    return response->entries.items[0].error_code;
}

/* The rate of the check's client id as DescribeClientQuotas tells it, 0 for none. */
static double
rate_described(struct kc *kc, int8_t match_type)
{
    struct km_describe_client_quotas_request body;
    struct km_describe_client_quotas_request_component_data component;
    const struct km_describe_client_quotas_response *response;

    codec_init(&km_describe_client_quotas_request_desc, &body);
    codec_init(&km_describe_client_quotas_request_component_data_desc, &component);
    component.entity_type = kc_string("client-id");
    component.match_type = match_type;
    component.match = kc_string(match_type == MATCH_EXACT ? kc->client_id : NULL);
    body.components.items = &component;
    body.components.count = 1;
    body.strict = true;
    response = kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_CLIENT_QUOTAS,
        kc_version(kc, KM_DESCRIBE_CLIENT_QUOTAS, KC_VERSION_MAX), &body);
    kc_code(kc, "DescribeClientQuotas", response->error_code, KE_NONE);
    for (int32_t i = 0; i < response->entries.count; i++) {
        const struct km_describe_client_quotas_response_entry_data *entry =
            &response->entries.items[i];
        struct wire_string name = entry->entity.items[0].entity_name;

        if (name.size == (int32_t)strlen(kc->client_id) &&
            memcmp(name.data, kc->client_id, strlen(kc->client_id)) == 0 && entry->values.count > 0)
            return entry->values.items[0].value;
    }
    return 0;
}

static void
rate_await(struct kc *kc, double rate)
{
    struct kc_wait wait = kc_wait_begin(kc, APPLY_MS);

    while (rate_described(kc, MATCH_EXACT) != rate)
        kc_wait_more(kc, &wait, "DescribeClientQuotas tells what was altered");
}

static void
set_describe(struct kc *kc)
{
    kc_code(kc, "error_code", quota_alter(kc, "client-id", kc->client_id, rate_key, RATE), KE_NONE);
    rate_await(kc, RATE);
    kc_that(kc, rate_described(kc, MATCH_ANY) == RATE, "not-matched", "it among any client's");
    kc_code(kc, "error_code", quota_alter(kc, "client-id", kc->client_id, rate_key, 0), KE_NONE);
    rate_await(kc, 0);
}

static void
invalid(struct kc *kc)
{
    kc_code(kc, "unknown_key", quota_alter(kc, "client-id", kc->client_id, "no_such_rate", 1),
        KE_INVALID_REQUEST);
    kc_code(kc, "negative", quota_alter(kc, "client-id", kc->client_id, rate_key, -1),
        KE_INVALID_REQUEST);
    kc_code(
        kc, "unknown_entity", quota_alter(kc, "planet", "x", rate_key, RATE), KE_INVALID_REQUEST);
    kc_code(kc, "key_of_others", quota_alter(kc, "ip", "127.0.0.1", rate_key, RATE),
        KE_INVALID_REQUEST);
}

/* What a client that writes too much gets to feel. */
struct felt {
    int32_t throttle_ms;
    int64_t answer_ms; /* until that was told */
    int64_t mute_ms;   /* from that request until the next one on this connection was answered */
    size_t pushes;
};

static struct felt
push(struct kc *kc, const struct kc_topic *topic)
{
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_sized(kc, PUSH_BYTES)};
    struct felt felt = {0};
    int64_t sent_us = 0;

    options.link = kc_topic_leader(kc, topic, 0);
    while (felt.throttle_ms == 0 && felt.pushes++ < PUSHES_MAX) {
        sent_us = wire_client_now_us();
        felt.throttle_ms = kc_produce(kc, &options, &append, 1)->throttle_time_ms;
        felt.answer_ms = (wire_client_now_us() - sent_us) / 1000;
    }
    kc_control_request(kc, options.link);
    /* Since when the broker counts is not seen: an answer may lie here unread while others work. */
    felt.mute_ms = (wire_client_now_us() - sent_us) / 1000;
    return felt;
}

static void
produce_throttle(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct felt felt;

    kc_code(kc, "error_code", quota_alter(kc, "client-id", kc->client_id, rate_key, RATE), KE_NONE);
    rate_await(kc, RATE);
    felt = push(kc, topic);
    kc_code(kc, "error_code", quota_alter(kc, "client-id", kc->client_id, rate_key, 0), KE_NONE);
    kc_that(kc, felt.throttle_ms > 0, "never-throttled", "throttle_time_ms within %d MB",
        (int)(PUSHES_MAX * PUSH_BYTES / 1000000));
    kc_that(kc, felt.pushes > 2, "too-early", "what ten seconds allow, at once");
    kc_that(kc, felt.answer_ms < felt.throttle_ms, "late-answer",
        "an answer that says %d ms at once, not after %d", felt.throttle_ms, (int)felt.answer_ms);
    kc_that(kc, felt.mute_ms >= felt.throttle_ms * 9 / 10, "not-muted",
        "%d ms until the connection is heard again, not %d", felt.throttle_ms, (int)felt.mute_ms);
}

/* --- the table -------------------------------------------------------------------------------- */

#define NEED_QUOTAS                                                                                \
    {                                                                                              \
        CHECK_NEED(ALTER_CLIENT_QUOTAS, 0), CHECK_NEED(DESCRIBE_CLIENT_QUOTAS, 0)                  \
    }

static const struct check checks[] = {
    {"quota.set_describe", "a quota is told, exactly and among all, until it is removed", "KIP-546",
        0, 0, NEED_QUOTAS, set_describe},
    {"quota.invalid", "unknown keys and entities and what is below 0 are answered 42",
        "ClientQuotaControlManager", 0, 0, NEED_QUOTAS, invalid},
    {"quota.produce_throttle",
        "who writes too much is told at once for how long nothing is read of him", "KIP-219",
        CHECK_CORE, 60, NEED_QUOTAS, produce_throttle},
};

const struct check_table c_quota_table = CHECK_TABLE("admin", checks);
