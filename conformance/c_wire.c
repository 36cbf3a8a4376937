/* Area wire, first half: ApiVersions, correlation, order. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_produce.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define FUTURE_VERSION 127
#define SOFTWARE_VERSION "1.0"

static const struct km_api_versions_response *
api_versions(struct kc *kc, struct link *link, int16_t version, const char *software)
{
    struct km_api_versions_request body;

    codec_init(&km_api_versions_request_desc, &body);
    body.client_software_name = kc_string(software);
    body.client_software_version = kc_string(SOFTWARE_VERSION);
    return kc_ask(kc, link, KM_API_VERSIONS, version, &body);
}

static const struct km_api_versions_response_api_version *
api_find(const struct km_api_versions_response *response, int16_t key)
{
    for (int32_t i = 0; i < response->api_keys.count; i++)
        if (response->api_keys.items[i].api_key == key)
            return &response->api_keys.items[i];
    return NULL;
}

/* What must hold of every list of APIs. */
static void
list_is_sane(struct kc *kc, const struct km_api_versions_response *response)
{
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const struct km_api_versions_response_api_version *it = &response->api_keys.items[i];

        kc_that(kc, it->min_version <= it->max_version, "min-above-max",
            "min <= max for API %d, not %d > %d", it->api_key, it->min_version, it->max_version);
        kc_that(kc, api_find(response, it->api_key) == it, "key-twice", "API %d once", it->api_key);
    }
    kc_that(
        kc, api_find(response, KM_API_VERSIONS) != NULL, "no-apiversions", "API 18 in the list");
    kc_int(kc, "apiversions_min", api_find(response, KM_API_VERSIONS)->min_version, 0);
}

static void
apiversions_v0(struct kc *kc)
{
    list_is_sane(kc, api_versions(kc, kc_link_new(kc, 0), 0, NULL));
}

static void
apiversions_v3_header_v0(struct kc *kc)
{
    for (int16_t version = 3; version <= 4; version++)
        if (kc_has_version(kc, KM_API_VERSIONS, version))
            list_is_sane(kc, api_versions(kc, kc_link_new(kc, 0), version, "kdl"));
}

static void
apiversions_future_version(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    const struct km_api_versions_response *response;
    const struct km_api_versions_response_api_version *listed;
    struct wire_range known =
        conn_versions_range(&kc->target->versions, frame_api(KM_API_VERSIONS));
    struct buf out;

    kc_frame_start(kc, &out, KM_API_VERSIONS, FUTURE_VERSION, 77);
    buf_append_byte(&out, 0); /* the header of flexible versions ends with tags */
    buf_append_text(&out, "whatever a later version may say");
    response = kc_receive(kc, link,
        kc_send_bytes(kc, link, frame_api(KM_API_VERSIONS), 0, 77, kc_frame_end(kc, &out)));
    kc_code(kc, "error_code", response->error_code, KE_UNSUPPORTED_VERSION);
    kc_int(kc, "api_keys_count", response->api_keys.count, 1);
    listed = &response->api_keys.items[0];
    kc_int(kc, "api_key", listed->api_key, KM_API_VERSIONS);
    kc_int(kc, "min_version", listed->min_version, known.min);
    kc_int(kc, "max_version", listed->max_version, known.max);
    list_is_sane(kc, api_versions(kc, link, 0, NULL));
}

static void
apiversions_empty_software_name(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);

    kc_code(kc, "error_code", api_versions(kc, link, 3, "")->error_code, KE_INVALID_REQUEST);
    list_is_sane(kc, api_versions(kc, link, 3, "kdl"));
}

static void
apiversions_bad_software_chars(struct kc *kc)
{
    static const char *const bad[] = {"my client", "-x", "x-", "\xc3\xa9", "a/b"};
    static const char *const good[] = {"a", "a.b-c", "A1"};
    struct link *link = kc_link_new(kc, 0);

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        kc_code(kc, "error_code_good", api_versions(kc, link, 3, good[i])->error_code, KE_NONE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        kc_code(
            kc, "error_code", api_versions(kc, link, 3, bad[i])->error_code, KE_INVALID_REQUEST);
}

static void
apiversions_features(struct kc *kc)
{
    const struct km_api_versions_response *response = api_versions(kc, kc_link(kc, 0), 3, "kdl");
    bool has_metadata = false;

    list_is_sane(kc, response);
    for (int32_t i = 0; i < response->supported_features.count; i++)
        has_metadata |=
            kc_topic_is_named(response->supported_features.items[i].name, "metadata.version");
    kc_that(kc, has_metadata, "no-metadata-version", "metadata.version among the features");
    kc_that(kc, response->finalized_features_epoch >= 0, "no-features-epoch",
        "finalized_features_epoch >= 0");
    for (int32_t i = 0; i < response->finalized_features.count; i++)
        kc_that(kc, response->finalized_features.items[i].max_version_level > 0, "level-0",
            "no finalized feature at level 0");
}

static void
apiversions_min0_feature_hidden(struct kc *kc)
{
    const struct km_api_versions_response *old = api_versions(kc, kc_link(kc, 0), 3, "kdl");
    const struct km_api_versions_response *new = api_versions(kc, kc_link(kc, 0), 4, "kdl");

    list_is_sane(kc, old);
    list_is_sane(kc, new);
    for (int32_t i = 0; i < old->supported_features.count; i++)
        kc_that(kc, old->supported_features.items[i].min_version > 0, "min-0-listed",
            "no feature with min_version 0 in version 3");
    kc_that(kc, new->supported_features.count >= old->supported_features.count, "v4-lists-fewer",
        "every feature of version 3 in version 4");
}

static void
apiversions_equal_across_brokers(struct kc *kc)
{
    const struct km_api_versions_response *first = NULL;

    for (size_t broker = 0; broker < kc->target->broker_count; broker++) {
        const struct km_api_versions_response *it = api_versions(kc, kc_link(kc, broker), 3, "kdl");

        list_is_sane(kc, it);
        if (first == NULL)
            first = it;
        kc_int(kc, "api_keys_count", it->api_keys.count, first->api_keys.count);
        for (int32_t i = 0; i < first->api_keys.count; i++) {
            const struct km_api_versions_response_api_version *one = &first->api_keys.items[i];
            const struct km_api_versions_response_api_version *other = api_find(it, one->api_key);

            kc_that(kc,
                other != NULL && other->min_version == one->min_version &&
                    other->max_version == one->max_version,
                "ranges-differ", "the same versions of API %d at every broker", one->api_key);
        }
    }
}

static void
correlation_echo(struct kc *kc)
{
    static const int32_t ids[] = {0, 1, -1, INT32_MAX, INT32_MIN, 0x01020304};
    struct link *link = kc_link_new(kc, 0);

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        kc->correlation_next = ids[i]; /* the answer must carry it, or kc_ask fails */
        kc_control_request(kc, link);
        kc->correlation_next = 1;
    }
}

static const struct check checks[] = {
    {"wire.apiversions_v0",
        "ApiVersions v0 lists every API once, with min <= max, itself from 0 on",
        "ApiVersionsRequestTest", CHECK_CORE, 0, {CHECK_NEED(API_VERSIONS, 0)}, apiversions_v0},
    {"wire.apiversions_v3_header_v0",
        "ApiVersions v3 and v4 are answered with response header v0 and a flexible body", "KIP-511",
        CHECK_CORE, 0, {CHECK_NEED(API_VERSIONS, 3)}, apiversions_v3_header_v0},
    {"wire.apiversions_future_version",
        "an unknown version of ApiVersions, whatever its body, is answered in v0 with 35 and its "
        "own range",
        "KIP-511, ApiVersionsRequestTest", CHECK_CORE | CHECK_RAW, 0, {CHECK_NEED(API_VERSIONS, 0)},
        apiversions_future_version},
    {"wire.apiversions_empty_software_name",
        "an empty client_software_name is answered 42, and the connection stays",
        "ApiVersionsRequestTest", 0, 0, {CHECK_NEED(API_VERSIONS, 3)},
        apiversions_empty_software_name},
    {"wire.apiversions_bad_software_chars",
        "client_software_name is letters and digits, with '.' and '-' inside; else 42",
        "ApiVersionsRequest.java", 0, 0, {CHECK_NEED(API_VERSIONS, 3)},
        apiversions_bad_software_chars},
    {"wire.apiversions_features", "ApiVersions v3 says which features are supported and finalized",
        "KIP-584", 0, 0, {CHECK_NEED(API_VERSIONS, 3)}, apiversions_features},
    {"wire.apiversions_min0_feature_hidden",
        "features with min_version 0 are not shown to ApiVersions v3", "KAFKA-17492", 0, 0,
        {CHECK_NEED(API_VERSIONS, 4)}, apiversions_min0_feature_hidden},
    {"wire.apiversions_equal_across_brokers", "all brokers speak the same versions", "KIP-35", 0, 0,
        {CHECK_NEED(API_VERSIONS, 3)}, apiversions_equal_across_brokers},
    {"wire.correlation_echo", "every correlation id comes back as it was sent", "protocol guide",
        CHECK_CORE, 0, {CHECK_NEED(METADATA, 0)}, correlation_echo},
};

const struct check_table c_wire_table = CHECK_TABLE("wire", checks);
