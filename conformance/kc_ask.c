#include "conformance/kc_ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define SETUP_CLIENT_ID "kc-setup"
#define FRAME_BYTES_MAX ((size_t)64 << 20)

static struct wire_range
common_range(const struct kc *kc, enum km_api api)
{
    const struct wire_api *known = frame_api((int16_t)api);
    struct wire_range range = conn_versions_range(&kc->target->versions, known);

    if (range.min < known->request->versions.min)
        range.min = known->request->versions.min;
    if (range.max > known->request->versions.max)
        range.max = known->request->versions.max;
    return range;
}

bool
kc_has_version(const struct kc *kc, enum km_api api, int16_t version)
{
    struct wire_range range = common_range(kc, api);

    return version >= range.min && version <= range.max;
}

int16_t
kc_version(struct kc *kc, enum km_api api, int16_t max)
{
    struct wire_range range = common_range(kc, api);

    if (range.max > max)
        range.max = max;
    if (range.max < range.min)
        kc_skip(kc, "not advertised");
    return range.max;
}

/* Any number will do, also behind the highest. */
static int32_t
correlation_take(struct kc *kc)
{
    int32_t id = kc->correlation_next;

    kc->correlation_next = id == INT32_MAX ? 0 : id + 1;
    return id;
}

static const char *
client_id(const struct kc *kc)
{
    return kc->setup_depth > 0 ? SETUP_CLIENT_ID : kc->client_id;
}

static char *
call_name(struct kc *kc, const struct wire_api *api, int16_t version)
{
    return api == NULL ? kc_printf(kc, "what was sent")
                       : kc_printf(kc, "%s v%d", api->name, version);
}

/* --- trace ------------------------------------------------------------------------------------ */

static void
trace(struct kc *kc, const char *arrow, const struct exchange *exchange, bool is_answer)
{
    struct buf text;

    if (!kc->options->trace)
        return;
    buf_init(&text, EXCHANGE_TEXT_MAX * 2);
    if (is_answer)
        exchange_received_text(exchange, &text);
    else
        exchange_sent_text(exchange, &text);
    fprintf(stderr, "%7.1f ms %s %s #%" PRId32 " %s\n",
        (double)(wire_client_now_us() - kc->started_us) / 1000.0, kc->check->id, arrow,
        exchange->correlation_id, buf_text(&text));
    buf_fini(&text);
}

/* --- typed ------------------------------------------------------------------------------------ */

static struct exchange *
send_encoded(struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body,
    bool is_unanswered)
{
    const struct wire_api *known = frame_api((int16_t)api);
    struct exchange *exchange = kc_alloc(kc, 1, sizeof *exchange);
    struct err e = {0};

    if (exchange_encode(exchange, known, version, correlation_take(kc), client_id(kc), body,
            &kc->arena, &e) != RC_OK)
        kc_error(kc, "%s v%d cannot be encoded: %s", known->name, version, e.text);
    exchange->is_unanswered = is_unanswered;
    kc->last = exchange;
    trace(kc, "->", exchange, false);
    if (exchange_send(exchange, link, kc_deadline(kc, KC_REQUEST_MS), &e) != RC_OK)
        kc_fail_err(kc, &e, call_name(kc, known, version));
    return exchange;
}

struct exchange *
kc_send(struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body)
{
    return send_encoded(kc, link, api, version, body, false);
}

void
kc_send_unanswered(
    struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body)
{
    send_encoded(kc, link, api, version, body, true);
}

const void *
kc_receive_within(struct kc *kc, struct link *link, struct exchange *exchange, int64_t limit_ms)
{
    struct err e = {0};
    enum rc rc;

    kc->last = exchange;
    rc = exchange_receive(exchange, link, kc_deadline(kc, limit_ms), &kc->arena, &e);
    trace(kc, "<-", exchange, true);
    if (rc != RC_OK)
        kc_fail_err(kc, &e, call_name(kc, exchange->api, exchange->version));
    return exchange->response;
}

const void *
kc_receive(struct kc *kc, struct link *link, struct exchange *exchange)
{
    return kc_receive_within(kc, link, exchange, KC_REQUEST_MS);
}

const void *
kc_ask(struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body)
{
    return kc_receive(kc, link, kc_send(kc, link, api, version, body));
}

/* --- bytes ------------------------------------------------------------------------------------ */

struct wire_bytes
kc_encode(
    struct kc *kc, enum km_api api, int16_t version, const void *body, int32_t *correlation_id)
{
    struct exchange exchange;
    struct err e = {0};

    *correlation_id = correlation_take(kc);
    if (exchange_encode(&exchange, frame_api((int16_t)api), version, *correlation_id, client_id(kc),
            body, &kc->arena, &e) != RC_OK)
        kc_error(kc, "%s", e.text);
    return (struct wire_bytes){exchange.sent, (int32_t)exchange.sent_size};
}

void
kc_frame_start(struct kc *kc, struct buf *out, int16_t key, int16_t version, int32_t correlation_id)
{
    const char *id = client_id(kc);
    uint8_t head[FRAME_LENGTH_BYTES + 10];

    buf_init(out, FRAME_BYTES_MAX);
    memset(head, 0, FRAME_LENGTH_BYTES);
    codec_bytes_put_int16(head + 4, key);
    codec_bytes_put_int16(head + 6, version);
    codec_bytes_put_int32(head + 8, correlation_id);
    codec_bytes_put_int16(head + 12, (int16_t)strlen(id));
    buf_append(out, head, sizeof head);
    buf_append_text(out, id);
}

struct wire_bytes
kc_frame_end(struct kc *kc, struct buf *out)
{
    struct wire_bytes bytes = {NULL, (int32_t)out->size};
    uint8_t *copy = kc_alloc(kc, out->size, 1);

    codec_bytes_put_int32(out->data, (int32_t)(out->size - FRAME_LENGTH_BYTES));
    memcpy(copy, out->data, out->size);
    bytes.data = copy;
    buf_fini(out);
    return bytes;
}

struct exchange *
kc_send_bytes(struct kc *kc, struct link *link, const struct wire_api *api, int16_t version,
    int32_t correlation_id, struct wire_bytes bytes)
{
    struct exchange *exchange = kc_alloc(kc, 1, sizeof *exchange);
    struct err e = {0};

    exchange->api = api;
    exchange->version = version;
    exchange->correlation_id = correlation_id;
    exchange->sent = bytes.data;
    exchange->sent_size = (size_t)bytes.size;
    kc->last = exchange;
    trace(kc, "->", exchange, false);
    /* The target may close while it is being written to; what follows asserts whether it should. */
    if (exchange_send(exchange, link, kc_deadline(kc, KC_REQUEST_MS), &e) != RC_OK &&
        e.code != RC_CLOSED)
        kc_fail_err(kc, &e, call_name(kc, api, version));
    return exchange;
}

void
kc_closed(struct kc *kc, struct link *link)
{
    size_t bytes = 0;
    struct err e = {0};
    enum rc rc = wire_client_wait_end(link_wire(link), kc_deadline(kc, KC_CLOSE_MS), &bytes, &e);

    if (bytes > 0)
        kc_fail(kc, "answered", kc_printf(kc, "%zu bytes", bytes),
            "the connection closed, and nothing sent before");
    if (rc == RC_TIMEOUT)
        kc_fail(kc, "left-open", "the connection left open", "the connection closed");
    if (rc != RC_OK)
        kc_fail_err(kc, &e, "the end of the connection");
}

void
kc_control_request(struct kc *kc, struct link *link)
{
    struct km_metadata_request body;
    const struct km_metadata_response *response;

    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = false;
    response = kc_ask(kc, link, KM_METADATA, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &body);
    kc_code(kc, "top_error_code", response->error_code, KE_NONE);
    kc_that(kc, response->brokers.count > 0, "no-brokers", "brokers in the answer to Metadata");
}

int16_t
kc_feature(struct kc *kc, const char *name)
{
    const struct km_api_versions_response *response;
    struct km_api_versions_request body;
    size_t size = strlen(name);

    codec_init(&km_api_versions_request_desc, &body);
    body.client_software_name = kc_string("conformance");
    body.client_software_version = kc_string("1");
    response = kc_ask(kc, kc_link(kc, 0), KM_API_VERSIONS,
        kc_version(kc, KM_API_VERSIONS, KC_VERSION_MAX), &body);
    kc_code(kc, "ApiVersions", response->error_code, KE_NONE);
    for (int32_t i = 0; i < response->finalized_features.count; i++) {
        const struct km_api_versions_response_finalized_feature_key *it =
            &response->finalized_features.items[i];

        if (it->name.size == (int32_t)size && memcmp(it->name.data, name, size) == 0)
            return it->max_version_level;
    }
    return 0;
}
