#include "conformance/target.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/exchange.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define CLIENT_ID "kc-setup"
#define ARENA_BYTES ((size_t)64 << 20)

struct probe {
    struct target *target;
    struct link *link;
    struct arena arena;
    int64_t deadline_us;
    int32_t correlation_next;
};

static enum rc
probe_ask(struct probe *probe, enum km_api key, int16_t version, const void *body,
    const void **response, struct err *e)
{
    struct exchange exchange;
    enum rc rc = exchange_encode(&exchange, frame_api((int16_t)key), version,
        probe->correlation_next++, CLIENT_ID, body, &probe->arena, e);

    if (rc == RC_OK)
        rc = exchange_send(&exchange, probe->link, probe->deadline_us, e);
    if (rc == RC_OK)
        rc = exchange_receive(&exchange, probe->link, probe->deadline_us, &probe->arena, e);
    *response = exchange.response;
    return rc;
}

static bool
is_broker(const struct target *target)
{
    static const int16_t needed[] = {KM_PRODUCE, KM_FETCH, KM_METADATA, KM_API_VERSIONS};

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        struct wire_range range = conn_versions_range(&target->versions, frame_api(needed[i]));

        if (range.max < range.min)
            return false;
    }
    return true;
}

static enum rc
probe_versions(struct probe *probe, struct err *e)
{
    struct km_api_versions_request body;
    const struct km_api_versions_response *response;
    const void *answer;
    enum rc rc;

    codec_init(&km_api_versions_request_desc, &body);
    body.client_software_name = (struct wire_string){"kdl", 3};
    body.client_software_version = (struct wire_string){"1", 1};
    rc = probe_ask(probe, KM_API_VERSIONS, 0, &body, &answer, e);
    if (rc != RC_OK)
        return err_note(e, "ApiVersions v0");
    response = answer;
    if (response->error_code != KE_NONE)
        return err_set(e, RC_PROTOCOL, "ApiVersions v0 is answered with %d %s",
            response->error_code, kerr_name(response->error_code));
    conn_versions_load(&probe->target->versions, response);
    probe->target->api_count = (size_t)response->api_keys.count;
    if (!is_broker(probe->target))
        return err_set(e, RC_PROTOCOL,
            "no Kafka broker: its %d APIs lack Produce, Fetch, Metadata or ApiVersions",
            response->api_keys.count);
    return RC_OK;
}

static enum rc
brokers_keep(struct target *target, const struct km_metadata_response *response, struct err *e)
{
    if (response->brokers.count <= 0 || response->brokers.count > TARGET_BROKERS_MAX)
        return err_set(e, RC_PROTOCOL, "Metadata names %d brokers", response->brokers.count);
    target->brokers = xcalloc((size_t)response->brokers.count, sizeof *target->brokers);
    for (int32_t i = 0; i < response->brokers.count; i++) {
        const struct km_metadata_response_broker *broker = &response->brokers.items[i];

        if (broker->host.size <= 0 || broker->port <= 0 || broker->port > UINT16_MAX)
            return err_set(e, RC_PROTOCOL, "Metadata gives broker %d no address", broker->node_id);
        target->brokers[i].id = broker->node_id;
        target->brokers[i].port = (uint16_t)broker->port;
        target->brokers[i].host = xmemdup(broker->host.data, (size_t)broker->host.size);
        target->broker_count++;
    }
    if (response->cluster_id.size > 0)
        target->cluster_id = xmemdup(response->cluster_id.data, (size_t)response->cluster_id.size);
    return RC_OK;
}

static enum rc
probe_brokers(struct probe *probe, struct err *e)
{
    struct km_metadata_request body;
    const void *answer;
    int16_t version;
    enum rc rc =
        conn_versions_pick(&probe->target->versions, frame_api(KM_METADATA), NULL, &version, e);

    if (rc != RC_OK)
        return rc;
    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = version < 4; /* the default, where there is no choice */
    rc = probe_ask(probe, KM_METADATA, version, &body, &answer, e);
    if (rc != RC_OK)
        return err_note(e, "Metadata v%d", version);
    return brokers_keep(probe->target, answer, e);
}

/* A connection to the first server of the list that takes one. */
static enum rc
probe_connect(
    struct probe *probe, struct link_setup *setup, const struct conf_client *conf, struct err *e)
{
    enum rc rc = RC_CONFIG;

    for (size_t i = 0; i < conf->server_count; i++) {
        rc = link_open(setup, conf->servers[i].host, conf->servers[i].port, probe->deadline_us,
            &probe->link, e);
        if (rc == RC_OK)
            return rc;
    }
    return rc;
}

enum rc
target_probe(
    struct target *target, const struct conf_client *conf, int64_t timeout_us, struct err *e)
{
    struct probe probe = {.target = target, .correlation_next = 1};
    struct link_setup setup;
    enum rc rc;

    memset(target, 0, sizeof *target);
    target->conf = conf;
    conn_versions_clear(&target->versions);
    probe.deadline_us = wire_client_now_us() + timeout_us;
    arena_init(&probe.arena, ARENA_BYTES);
    rc = link_setup_init(&setup, conf, e);
    if (rc != RC_OK)
        goto out;
    target->is_plain = setup.is_plain;
    rc = probe_connect(&probe, &setup, conf, e);
    target->was_connected = rc == RC_OK;
    if (rc == RC_OK)
        rc = probe_versions(&probe, e);
    if (rc == RC_OK)
        rc = probe_brokers(&probe, e);
    link_close(probe.link);
out:
    link_setup_fini(&setup);
    arena_fini(&probe.arena);
    return rc;
}

void
target_fini(struct target *target)
{
    for (size_t i = 0; i < target->broker_count; i++)
        free(target->brokers[i].host);
    free(target->brokers);
    free(target->cluster_id);
}

bool
target_is_alive(const struct target *target, int64_t timeout_us)
{
    struct target again;
    bool is_alive = target_probe(&again, target->conf, timeout_us, NULL) == RC_OK;

    target_fini(&again);
    return is_alive;
}
