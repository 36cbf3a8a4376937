/*
 * client_subscriptions: which metrics a client is asked for, and how often (KIP-714): the configs
 * of type CLIENT_METRICS, read, and what those that fit a client come to.
 *
 * Where several fit, their metrics are joined and the shortest interval counts; "*" among them asks
 * for all metrics (ClientMetricsManager.java). A change of any subscription is a new version, by
 * which an answer of before is known to be old.
 *
 * Costs: a change compiles the patterns of one subscription, a choice looks at all of them. Owned
 * by the broker; not thread-safe.
 */
#ifndef REFBROKER_COORD_CLIENT_SUBSCRIPTIONS_H
#define REFBROKER_COORD_CLIENT_SUBSCRIPTIONS_H

#include <stdint.h>

#include "lib/wire/desc.h"
#include "refbroker/coord/client_match.h"
#include "refbroker/meta/resource_configs.h"

#define CLIENT_SUBSCRIPTIONS_ALL "*"

struct client_subscriptions {
    struct map by_name; /* -> struct client_subscription */
    int64_t version;
};

/* What one client is asked for. */
struct client_choice {
    const char **metrics; /* sorted, each once; views, until the next change */
    size_t metric_count;
    int32_t interval_ms;
};

void client_subscriptions_init(struct client_subscriptions *subscriptions);
void client_subscriptions_fini(struct client_subscriptions *subscriptions);

/* client_subscriptions_load takes all that is set, client_subscriptions_update what is set now for
 * one of them: nothing any more ends it. */
void client_subscriptions_load(
    struct client_subscriptions *subscriptions, const struct resource_configs *configs);
void client_subscriptions_update(struct client_subscriptions *subscriptions,
    const struct resource_configs *configs, const char *name);

/* client_subscriptions_choose fills in out, which client_subscriptions_choice_fini frees. */
void client_subscriptions_choose(const struct client_subscriptions *subscriptions,
    const struct client_traits *traits, struct client_choice *out);
void client_subscriptions_choice_fini(struct client_choice *choice);

/* client_subscriptions_id computes the id by which a client names what it was asked for: the
 * CRC-32C of metrics and interval as Java prints them, xored with the hash of the client's instance
 * id. With several metrics the order of Kafka's is that of a hash table; here it is that of names.
 */
int32_t client_subscriptions_id(
    const struct client_choice *choice, const struct wire_uuid *client_instance_id);

#endif
