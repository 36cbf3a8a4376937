/*
 * target: what is being judged, as it says itself: its APIs, brokers and cluster id.
 *
 * Learned once, before the checks, and by them only read. A server that lists no Produce, Fetch
 * and Metadata among its APIs is no Kafka broker, and nothing is checked.
 */
#ifndef CONFORMANCE_TARGET_H
#define CONFORMANCE_TARGET_H

#include "conformance/link.h"
#include "lib/kafka/conn_versions.h"

#define TARGET_BROKERS_MAX 1000

struct target_broker {
    int32_t id;
    uint16_t port;
    char *host;
};

struct target {
    const struct conf_client *conf;
    bool is_plain;
    struct conn_versions versions;
    size_t api_count; /* listed, those that we do not know included */
    struct target_broker *brokers;
    size_t broker_count;
    char *cluster_id;   /* NULL: none */
    bool was_connected; /* it took a connection, whatever it said then */
};

/* target_probe asks; the whole of it takes at most timeout_us. conf must outlive the target, which
 * needs target_fini in any case. */
MUST_CHECK enum rc target_probe(
    struct target *target, const struct conf_client *conf, int64_t timeout_us, struct err *e);
void target_fini(struct target *target);

/* target_is_alive asks for ApiVersions once more. */
bool target_is_alive(const struct target *target, int64_t timeout_us);

#endif
