/*
 * broker_configs: the configs of the broker that can be changed while it runs (KIP-226): the
 * throttles of replication, which tools set and take back around reassignments. With one copy of
 * everything they throttle nothing. Everything else is set at the start.
 *
 * They are kept as configs of the broker's id, or of "" for all brokers. Messages are those of
 * DynamicBrokerConfig and ConfigDef.
 */
#ifndef REFBROKER_META_BROKER_CONFIGS_H
#define REFBROKER_META_BROKER_CONFIGS_H

#include <stddef.h>

#include "lib/base/err.h"

struct broker_config_row {
    const char *name;
    const char *help;
};

/* Whole numbers from 0, all of them. */
const struct broker_config_row *broker_configs_rows(size_t *count);

/* broker_configs_check judges a new value: RC_CONFIG, in Kafka's words. */
MUST_CHECK enum rc broker_configs_check(const char *name, const char *value, struct err *e);

#endif
