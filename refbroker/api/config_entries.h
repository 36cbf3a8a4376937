/*
 * config_entries: the configs of one resource in the answer to DescribeConfigs (ConfigHelper).
 *
 * An entry is told where it was asked for, or where nothing was asked for by name. Texts are copied
 * to the request's arena. Passwords, and what nobody knows, are shown without their values.
 */
#ifndef REFBROKER_API_CONFIG_ENTRIES_H
#define REFBROKER_API_CONFIG_ENTRIES_H

#include "gen/messages.h"
#include "refbroker/broker.h"
#include "refbroker/meta/broker_configs.h"

struct config_entry {
    const char *name;
    const char *value; /* in force */
    enum config_type type;
    bool read_only;
    const char *help;
    /* What somebody set for the resource itself, NULL: nothing, and who that is. */
    const char *set;
    enum config_source set_source;
    /* The broker's config that counts otherwise, NULL: none. */
    const char *broker_name;
    /* A default of its own that is told among the synonyms, NULL: none. */
    const char *standard;
};

/* What is asked about a resource, and the answer. */
struct config_entries {
    const struct broker *broker;
    struct request *request;
    const struct km_describe_configs_request_resource *ask;
    struct km_describe_configs_response_result *out;
    struct map asked; /* names */
};

/* config_entries_init begins an answer that config_entries_fini ends. */
void config_entries_init(struct config_entries *entries, const struct broker *broker,
    struct request *request, const struct km_describe_configs_request_resource *ask,
    struct km_describe_configs_response_result *out);
void config_entries_fini(struct config_entries *entries);

/* config_entries_begin makes room for `most` entries; false without memory. */
MUST_CHECK bool config_entries_begin(struct config_entries *entries, size_t most);

/* config_entries_add adds one; false without memory. */
MUST_CHECK bool config_entries_add(
    struct config_entries *entries, const struct config_entry *entry);

/* config_entries_of_broker adds all configs of this broker, or, with `all`, what is set for all
 * brokers. */
MUST_CHECK bool config_entries_of_broker(struct config_entries *entries, bool all);

#endif
