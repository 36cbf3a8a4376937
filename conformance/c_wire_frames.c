/* Area wire, second half: what is refused by closing, odd frames, every API in every version. */
#include <stdio.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_produce.h"
#include "conformance/minimal.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define UNKNOWN_TAG 4242
#define TAG_BYTES 16
#define FLEXIBLE_METADATA 9
#define FLEXIBLE_PRODUCE 9
#define NO_CORRELATION 0
#define MARKED_WAIT_MS 1500
#define PIPELINED 20
#define IDLE_MS 2000

/* --- what is refused by closing --------------------------------------------------------------- */

/* Sends bytes on a connection that is served so far, and asserts that this closes it, and that the
 * target goes on serving others. */
static void
closes(struct kc *kc, struct wire_bytes bytes)
{
    struct link *link = kc_link_new(kc, 0);
    struct exchange *sent;

    kc_control_request(kc, link);
    sent = kc_send_bytes(kc, link, NULL, 0, NO_CORRELATION, bytes);
    kc_closed(kc, link);
    kc_control_request(kc, kc_link_new(kc, 0));
    kc->last = sent;
}

static void
closes_text(struct kc *kc, const char *data, size_t size)
{
    closes(kc, (struct wire_bytes){(const uint8_t *)data, (int32_t)size});
}

/* A request that is nothing but a header. */
static struct wire_bytes
bare_header(struct kc *kc, int16_t key, int16_t version)
{
    struct buf out;

    kc_frame_start(kc, &out, key, version, 1);
    return kc_frame_end(kc, &out);
}

static struct wire_bytes
metadata_bytes(struct kc *kc, int16_t version, int32_t *correlation_id)
{
    struct km_metadata_request body;

    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = version < 4;
    return kc_encode(kc, KM_METADATA, version, &body, correlation_id);
}

static void
no_internal_apis(struct kc *kc)
{
    static const int16_t keys[] = {4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73};
    struct km_api_versions_request body;
    const struct km_api_versions_response *response;

    codec_init(&km_api_versions_request_desc, &body);
    response = kc_ask(kc, kc_link(kc, 0), KM_API_VERSIONS, 0, &body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc, response->api_keys.count > 0, "no-apis", "a list of APIs");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        for (int32_t k = 0; k < response->api_keys.count; k++)
            kc_that(kc, response->api_keys.items[k].api_key != keys[i], "internal-api-listed",
                "API %d not listed for clients", keys[i]);
        closes(kc, bare_header(kc, keys[i], 0));
    }
}

static void
produce_min_advertised_zero(struct kc *kc)
{
    struct wire_range range = conn_versions_range(&kc->target->versions, frame_api(KM_PRODUCE));
    struct buf out;

    kc_control_request(kc, kc_link_new(kc, 0));
    kc_int(kc, "produce_min", range.min, 0);
    kc_frame_start(kc, &out, KM_PRODUCE, 2, 1);
    buf_append(&out, "\0\1\0\0\x03\xe8\0\0\0\0", 10); /* acks 1, timeout 1 s, no topic */
    closes(kc, kc_frame_end(kc, &out));
}

static void
unadvertised_version_closes(struct kc *kc)
{
    struct wire_range range = conn_versions_range(&kc->target->versions, frame_api(KM_METADATA));
    int32_t correlation_id;
    struct wire_bytes bytes =
        metadata_bytes(kc, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &correlation_id);

    closes(kc, kc_batch_put(kc, bytes, FRAME_LENGTH_BYTES + 2, 2, range.max + 1));
}

static void
unknown_api_key_closes(struct kc *kc)
{
    closes(kc, bare_header(kc, -1, 0));
    closes(kc, bare_header(kc, 9999, 0));
}

static void
negative_size_closes(struct kc *kc)
{
    closes_text(kc, "\xff\xff\xff\xff", 4);
}

static void
oversize_closes(struct kc *kc)
{
    closes_text(kc, "\x7f\xff\xff\xff", 4);
}

static void
truncated_header_closes(struct kc *kc)
{
    closes_text(kc, "\0\0\0\4\0\3\0\1", 8);
}

static void
truncated_body_closes(struct kc *kc)
{
    int32_t correlation_id;
    struct wire_bytes bytes = metadata_bytes(kc, FLEXIBLE_METADATA, &correlation_id);

    bytes = kc_batch_put(kc, bytes, 0, 4, bytes.size - FRAME_LENGTH_BYTES - 3);
    bytes.size -= 3;
    closes(kc, bytes);
}

static void
huge_array_length_closes(struct kc *kc)
{
    struct buf out;

    kc_frame_start(kc, &out, KM_METADATA, 1, 1);
    buf_append(&out, "\x7f\xff\xff\xff", 4);
    closes(kc, kc_frame_end(kc, &out));
}

static void
null_for_nonnullable_closes(struct kc *kc)
{
    /* Header tags, group "g", generation -1, member "", no instance, one topic: name null, no
     * partitions; tags. */
    static const char body[] = "\0\2g\xff\xff\xff\xff\1\0\2\0\1\0\0";
    struct buf out;

    kc_frame_start(kc, &out, KM_OFFSET_COMMIT, 8, 1);
    buf_append(&out, body, sizeof body - 1);
    closes(kc, kc_frame_end(kc, &out));
}

static void
http_on_kafka_port(struct kc *kc)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: kafka\r\n\r\n";

    closes_text(kc, text, sizeof text - 1);
}

static void
tls_hello_on_plaintext(struct kc *kc)
{
    static const char hello[] = "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03 and 32 random bytes";

    closes_text(kc, hello, sizeof hello - 1);
}

static const char *const short_idle[] = {"connections.max.idle.ms=2000", NULL};

static void
idle_close(struct kc *kc)
{
    struct link *link;
    int64_t since_us, took_ms;

    link = kc_link_new(kc, 0);
    kc_control_request(kc, link);
    since_us = wire_client_now_us();
    kc_closed(kc, link);
    took_ms = (wire_client_now_us() - since_us) / 1000;
    kc_that(kc, took_ms >= IDLE_MS * 9 / 10, "too-early", "closed after %d ms, not %d", IDLE_MS,
        (int)took_ms);
}

/* --- what is unusual and fine ----------------------------------------------------------------- */

/* A copy with the one byte at `at`, an empty section of tags, replaced by one with an unknown tag.
 */
static struct wire_bytes
tags_insert(struct kc *kc, struct wire_bytes bytes, size_t at)
{
    uint8_t section[4 + TAG_BYTES] = {1};
    size_t size = 1 + codec_bytes_put_uvarint(section + 1, UNKNOWN_TAG);
    uint8_t *copy = kc_alloc(kc, (size_t)bytes.size + sizeof section, 1);

    kc_that(kc, bytes.data[at] == 0, "no-tags", "an empty section of tags to replace");
    section[size++] = TAG_BYTES;
    size += TAG_BYTES;
    memcpy(copy, bytes.data, at);
    memcpy(copy + at, section, size);
    memcpy(copy + at + size, bytes.data + at + 1, (size_t)bytes.size - at - 1);
    bytes = (struct wire_bytes){copy, bytes.size + (int32_t)size - 1};
    return kc_batch_put(kc, bytes, 0, 4, bytes.size - FRAME_LENGTH_BYTES);
}

static void
unknown_header_tag(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    const struct km_metadata_response *response;
    int32_t correlation_id;
    struct wire_bytes bytes = metadata_bytes(kc, FLEXIBLE_METADATA, &correlation_id);
    size_t header_end = FRAME_LENGTH_BYTES + 10 + strlen(kc->client_id);

    kc_control_request(kc, link);
    bytes = tags_insert(kc, bytes, header_end);
    response = kc_receive(kc, link,
        kc_send_bytes(kc, link, frame_api(KM_METADATA), FLEXIBLE_METADATA, correlation_id, bytes));
    kc_that(kc, response->brokers.count > 0, "no-brokers", "the normal answer");
}

static void
unknown_body_tags(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_values(kc, "v", 1)};
    const struct km_produce_response *produced;
    const struct km_metadata_response *response;
    struct km_metadata_request body;
    struct km_metadata_request_topic asked;
    struct link *link = kc_topic_leader(kc, topic, 0);
    struct wire_bytes bytes;
    int32_t id;

    codec_init(&km_metadata_request_desc, &body);
    codec_init(&km_metadata_request_topic_desc, &asked);
    asked.name = kc_string(topic->name);
    body.topics.items = &asked;
    body.topics.count = 1;
    bytes = kc_encode(kc, KM_METADATA, FLEXIBLE_METADATA, &body, &id);
    /* From the end: the message's tags, three flags, the topic's tags. */
    bytes = tags_insert(kc, bytes, (size_t)bytes.size - 1);
    bytes = tags_insert(kc, bytes, (size_t)bytes.size - 3 - TAG_BYTES - 5);
    response = kc_receive(
        kc, link, kc_send_bytes(kc, link, frame_api(KM_METADATA), FLEXIBLE_METADATA, id, bytes));
    kc_that(kc, kc_topic_find(response, topic->name) != NULL, "no-topic", "the topic described");

    bytes =
        kc_encode(kc, KM_PRODUCE, FLEXIBLE_PRODUCE, kc_produce_body(kc, &options, &append, 1), &id);
    for (int i = 0; i < 3; i++) /* of the partition, the topic and the message */
        bytes = tags_insert(kc, bytes, (size_t)bytes.size - 1 - (size_t)i * (4 + TAG_BYTES));
    produced = kc_receive(
        kc, link, kc_send_bytes(kc, link, frame_api(KM_PRODUCE), FLEXIBLE_PRODUCE, id, bytes));
    kc_code(kc, "error_code", kc_produce_part(kc, produced, topic, 0)->error_code, KE_NONE);
}

static void
null_client_id(struct kc *kc)
{
    struct exchange *exchange = kc_alloc(kc, 1, sizeof *exchange);
    struct link *link = kc_link_new(kc, 0);
    const struct km_metadata_response *response;
    struct km_metadata_request body;
    struct err e = {0};

    kc_control_request(kc, link);
    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = false;
    if (exchange_encode(exchange, frame_api(KM_METADATA),
            kc_version(kc, KM_METADATA, KC_VERSION_MAX), 5, NULL, &body, &kc->arena, &e) != RC_OK)
        kc_error(kc, "%s", e.text);
    kc->last = exchange;
    if (exchange_send(exchange, link, kc_deadline(kc, KC_REQUEST_MS), &e) != RC_OK)
        kc_fail_err(kc, &e, "a request without client id");
    response = kc_receive(kc, link, exchange);
    kc_that(kc, response->brokers.count > 0, "no-brokers", "the normal answer");
}

static void
byte_dribble(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    const struct km_metadata_response *response;
    int16_t version = kc_version(kc, KM_METADATA, KC_VERSION_MAX);
    int32_t id;
    struct wire_bytes bytes = metadata_bytes(kc, version, &id);
    struct exchange *exchange = NULL;

    kc_control_request(kc, link);
    for (int32_t i = 0; i < bytes.size; i++)
        exchange = kc_send_bytes(
            kc, link, frame_api(KM_METADATA), version, id, (struct wire_bytes){bytes.data + i, 1});
    response = kc_receive(kc, link, exchange);
    kc_that(kc, response->brokers.count > 0, "no-brokers", "the normal answer");
}

static void
sasl_handshake_on_plaintext(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    struct km_sasl_handshake_request body;
    const struct km_sasl_handshake_response *response;

    codec_init(&km_sasl_handshake_request_desc, &body);
    body.mechanism = kc_string("PLAIN");
    response = kc_ask(kc, link, KM_SASL_HANDSHAKE, 1, &body);
    kc_code(kc, "error_code", response->error_code, KE_ILLEGAL_SASL_STATE);
    kc_control_request(kc, link);
}

/* --- many requests ---------------------------------------------------------------------------- */

static void
every_advertised_version_parses(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    int asked = 0;

    kc_control_request(kc, link);
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        const struct wire_api *api = &km_apis[i];
        struct wire_range range = conn_versions_range(&kc->target->versions, api);

        for (int16_t version = range.min; version <= range.max; version++) {
            const void *body = minimal_body(kc, api, version);

            if (!codec_has_version(api->request, version) || body == NULL)
                continue;
            kc_ask(kc, link, (enum km_api)api->key, version, body);
            asked++;
        }
    }
    kc_that(kc, asked >= 20, "few-apis", "at least 20 versions of APIs to ask, not %d", asked);
}

static void
flexible_response_header(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    int asked = 0;

    kc_control_request(kc, link);
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        const struct wire_api *api = &km_apis[i];
        struct wire_range range = conn_versions_range(&kc->target->versions, api);
        const void *body;

        if (range.max > api->request->versions.max)
            range.max = api->request->versions.max;
        body = minimal_body(kc, api, range.max);
        if (body == NULL || range.max < range.min || range.max < api->request->flexible_min ||
            api->key == KM_API_VERSIONS)
            continue;
        kc_ask(kc, link, (enum km_api)api->key, range.max, body);
        asked++;
    }
    kc_that(kc, asked >= 10, "few-apis", "at least 10 flexible APIs to ask, not %d", asked);
}

static void
response_order(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);
    struct link *link = kc_link_new(kc, topic->leaders[0]);
    const struct km_fetch_response *fetched;
    const struct km_metadata_response *described;
    struct exchange *first, *second;
    struct km_metadata_request body;
    int64_t since_us = wire_client_now_us();

    options.max_wait_ms = MARKED_WAIT_MS;
    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = false;
    first = kc_send(
        kc, link, KM_FETCH, kc_fetch_version(kc, &options), kc_fetch_body(kc, &options, &part, 1));
    second = kc_send(kc, link, KM_METADATA, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &body);
    kc_classify(kc, "out-of-order");
    fetched = kc_receive(kc, link, first);
    kc_code(kc, "error_code", kc_fetch_part(kc, fetched, topic, 0)->error_code, KE_NONE);
    kc_that(kc, (wire_client_now_us() - since_us) / 1000 >= MARKED_WAIT_MS / 2, "no-wait",
        "a Fetch that waits, with the Metadata behind it");
    described = kc_receive(kc, link, second);
    kc_that(kc, described->brokers.count > 0, "no-brokers", "the normal answer");
}

static void
pipelined_produces_in_order(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_producer producer = kc_producer_new(kc);
    struct kc_produce_options options = kc_produce_defaults();
    struct link *link = kc_link_new(kc, topic->leaders[0]);
    struct exchange *sent[PIPELINED];

    for (int i = 0; i < PIPELINED; i++) {
        struct kc_append append = {topic, 0, kc_batch_sequence(kc, &producer, i, 1)};

        sent[i] = kc_send(kc, link, KM_PRODUCE, kc_produce_version(kc, &options),
            kc_produce_body(kc, &options, &append, 1));
    }
    for (int i = 0; i < PIPELINED; i++) {
        const struct km_produce_response_partition_produce_response *part =
            kc_produce_part(kc, kc_receive(kc, link, sent[i]), topic, 0);

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_int(kc, "base_offset", part->base_offset, i);
    }
}

static void
apiversions_telemetry_hidden(struct kc *kc)
{
    static const int16_t keys[] = {KM_GET_TELEMETRY_SUBSCRIPTIONS, KM_PUSH_TELEMETRY};

    kc_control_request(kc, kc_link_new(kc, 0));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct wire_range range = conn_versions_range(&kc->target->versions, frame_api(keys[i]));

        kc_that(kc, range.max < range.min, "telemetry-listed",
            "API %d not listed, as no receiver of telemetry is configured", keys[i]);
    }
}

static const struct check checks[] = {
    {"wire.apiversions_telemetry_hidden",
        "a broker without a receiver of telemetry does not list APIs 71 and 72", "KIP-714", 0, 0,
        {CHECK_NEED(METADATA, 0)}, apiversions_telemetry_hidden},
    {"wire.no_internal_apis_on_client_listener",
        "APIs between brokers are not listed for clients, and asking one closes", "SocketServer",
        CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, no_internal_apis},
    {"wire.produce_min_advertised_zero",
        "Produce is listed from 0 on for old librdkafka, but version 2 closes", "KAFKA-18659",
        CHECK_RAW, 0, {CHECK_NEED(PRODUCE, 3)}, produce_min_advertised_zero},
    {"wire.every_advertised_version_parses",
        "every listed version of every API answers a minimal request, to the last byte",
        "RequestResponseTest", CHECK_CORE, 60, {CHECK_NEED(METADATA, 0)},
        every_advertised_version_parses},
    {"wire.unadvertised_version_closes", "a version that is not listed closes, without a byte",
        "SocketServer", CHECK_CORE | CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)},
        unadvertised_version_closes},
    {"wire.unknown_api_key_closes", "an unknown API closes its connection and no other",
        "EdgeCaseRequestTest", CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, unknown_api_key_closes},
    {"wire.negative_size_closes", "a frame of length -1 closes", "NetworkReceive", CHECK_RAW, 0,
        {CHECK_NEED(METADATA, 0)}, negative_size_closes},
    {"wire.oversize_closes",
        "a length above socket.request.max.bytes closes, without waiting for the bytes",
        "NetworkReceive", CHECK_CORE | CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, oversize_closes},
    {"wire.truncated_header_closes", "a frame that ends inside the header closes",
        "EdgeCaseRequestTest", CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, truncated_header_closes},
    {"wire.truncated_body_closes", "a frame that ends inside the body closes", "RequestContext",
        CHECK_RAW, 0, {CHECK_NEED(METADATA, 9)}, truncated_body_closes},
    {"wire.unknown_header_tag", "an unknown tag in the request header is passed over", "KIP-482",
        CHECK_RAW, 0, {CHECK_NEED(METADATA, 9)}, unknown_header_tag},
    {"wire.unknown_body_tags", "unknown tags are passed over, in nested structures too", "KIP-482",
        CHECK_CORE, 0, {CHECK_NEED(METADATA, 9), CHECK_NEED(PRODUCE, 9)}, unknown_body_tags},
    {"wire.huge_array_length_closes", "an array of 2^31-1 elements in an empty frame closes",
        "generated readers", CHECK_RAW, 0, {CHECK_NEED(METADATA, 1)}, huge_array_length_closes},
    {"wire.null_for_nonnullable_closes", "null where the schema has none closes",
        "generated readers", CHECK_RAW, 0, {CHECK_NEED(OFFSET_COMMIT, 8)},
        null_for_nonnullable_closes},
    {"wire.null_client_id", "a client id of null is fine", "EdgeCaseRequestTest", 0, 0,
        {CHECK_NEED(METADATA, 0)}, null_client_id},
    {"wire.flexible_response_header", "answers in flexible versions have a header with tags",
        "KIP-482", 0, 0, {CHECK_NEED(METADATA, 9)}, flexible_response_header},
    {"wire.response_order",
        "answers come in the order of the requests, also behind a waiting Fetch", "protocol guide",
        CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, response_order},
    {"wire.pipelined_produces_in_order", "requests of one connection take effect in their order",
        "KIP-98", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0)},
        pipelined_produces_in_order},
    {"wire.byte_dribble", "a request may arrive byte by byte", "TCP", CHECK_RAW, 0,
        {CHECK_NEED(METADATA, 0)}, byte_dribble},
    {"wire.idle_close", "an idle connection is closed after connections.max.idle.ms, not before",
        "SocketServer", CHECK_RAW, 90, {CHECK_NEED(METADATA, 0), CHECK_START(short_idle)},
        idle_close},
    {"wire.http_on_kafka_port", "an HTTP request closes, without a byte", "NetworkReceive",
        CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, http_on_kafka_port},
    {"wire.tls_hello_on_plaintext", "a TLS hello on the plain port closes, without a byte",
        "NetworkReceive", CHECK_RAW, 0, {CHECK_NEED(METADATA, 0)}, tls_hello_on_plaintext},
    {"wire.sasl_handshake_on_plaintext", "SaslHandshake without SASL is answered 34", "KafkaApis",
        CHECK_RAW, 0, {CHECK_NEED(SASL_HANDSHAKE, 1)}, sasl_handshake_on_plaintext},
};

const struct check_table c_wire_frames_table = CHECK_TABLE("wire", checks);
