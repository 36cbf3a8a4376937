/*
 * client_metrics: subscriptions to the metrics of clients (KIP-714): their configs.
 *
 * A subscription is a resource of configs (type CLIENT_METRICS): which metrics, how often, of which
 * clients (client_match.h). Rules and messages are those of ClientMetricsConfigs.java.
 */
#ifndef REFBROKER_COORD_CLIENT_METRICS_H
#define REFBROKER_COORD_CLIENT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "refbroker/meta/topic_configs.h"

#define CLIENT_METRICS_INTERVAL_MS "interval.ms"
#define CLIENT_METRICS_MATCH "match"
#define CLIENT_METRICS_METRICS "metrics"

struct client_metrics_row {
    const char *name;
    enum config_type type;
    const char *default_text;
    const char *help;
};

const struct client_metrics_row *client_metrics_rows(size_t *count);

/* client_metrics_default returns the default of one of these configs. */
const char *client_metrics_default(const char *name);

/* client_metrics_check judges a config of a subscription; value NULL takes it back. The error code
 * of Kafka's protocol, 0 where it is fine; the text stands in e. */
int16_t client_metrics_check(
    const char *subscription, const char *name, const char *value, struct err *e);

#endif
