/*
 * ApiVersions (KIP-35, KIP-511, KIP-584).
 *
 * Names of client software must match Kafka's pattern, otherwise 42. Supported features whose
 * lowest level is 0 are shown from v4 on only, since older clients fail to read them (KAFKA-17492).
 */
#include <ctype.h>
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/dispatch.h"
#include "refbroker/api/handlers.h"
#include "refbroker/client.h"
#include "refbroker/limits.h"

/* [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? */
static bool
name_is_valid(struct wire_string name)
{
    if (name.size <= 0 || !isalnum((unsigned char)name.data[0]) ||
        !isalnum((unsigned char)name.data[name.size - 1]))
        return false;
    for (int32_t i = 0; i < name.size; i++)
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '-' && name.data[i] != '.')
            return false;
    return true;
}

static bool
features_fill(struct broker *broker, struct request *request, struct km_api_versions_response *out)
{
    out->supported_features.items = codec_array(
        &request->arena, &km_api_versions_response_supported_feature_key_desc, FEATURE_COUNT);
    out->finalized_features.items = codec_array(
        &request->arena, &km_api_versions_response_finalized_feature_key_desc, FEATURE_COUNT);
    if (arena_is_full(&request->arena))
        return false;
    for (enum feature_id id = 0; id < FEATURE_COUNT; id++) {
        const struct feature_row *row = features_row(id);
        int16_t level = broker->features.levels[id];

        if (row->lowest > 0 || request->header.api_version >= 4)
            out->supported_features.items[out->supported_features.count++] =
                (struct km_api_versions_response_supported_feature_key){
                    request_text(row->name), row->lowest, features_highest(&broker->features, id)};
        if (level > 0)
            out->finalized_features.items[out->finalized_features.count++] =
                (struct km_api_versions_response_finalized_feature_key){
                    request_text(row->name), level, level};
    }
    out->finalized_features_epoch = broker->features.epoch;
    return true;
}

/* A copy, as long as names may be; NULL where there is none. */
static char *
software_dup(struct wire_string text)
{
    size_t size = text.size <= 0 ? 0 : (size_t)text.size;

    if (size > LIMIT_CLIENT_TRAIT_BYTES_MAX)
        size = LIMIT_CLIENT_TRAIT_BYTES_MAX;
    return size == 0 ? NULL : xmemdup(text.data, size);
}

/* Subscriptions to the metrics of clients may ask for it. */
static void
software_note(struct client *client, const struct km_api_versions_request *in)
{
    free(client->software_name);
    free(client->software_version);
    client->software_name = software_dup(in->client_software_name);
    client->software_version = software_dup(in->client_software_version);
}

enum h_result
h_api_versions(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_api_versions_request *in = in_;
    struct km_api_versions_response *out = out_;
    int16_t min, max;
    const struct wire_api *api;
    int32_t count = 0;

    if (request->header.api_version >= 3 &&
        (!name_is_valid(in->client_software_name) || !name_is_valid(in->client_software_version))) {
        out->error_code = KE_INVALID_REQUEST;
        return H_DONE;
    }
    if (broker->client_instances != NULL)
        software_note(request->client, in);
    while (dispatch_apis(broker, (size_t)count, &min, &max) != NULL)
        count++;
    out->api_keys.items =
        codec_array(&request->arena, &km_api_versions_response_api_version_desc, count);
    if (out->api_keys.items == NULL)
        return H_CLOSE;
    out->api_keys.count = count;
    for (int32_t i = 0; i < count; i++) {
        api = dispatch_apis(broker, (size_t)i, &min, &max);
        out->api_keys.items[i] = (struct km_api_versions_response_api_version){api->key, min, max};
    }
    if (!features_fill(broker, request, out))
        return H_CLOSE;
    login_versions_told(&request->client->login);
    return H_DONE;
}
