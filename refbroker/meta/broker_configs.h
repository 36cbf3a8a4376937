/*
 * broker_configs: the configs of the broker: which there are, what is in force, and what may be
 * changed while it runs (KIP-226, DynamicBrokerConfig).
 *
 * The table is broker_configs.def. A value comes from the first of these that has one: what was set
 * for this broker, what was set for all brokers, what was given at the start (--set), the default.
 * The first two are kept in the catalog, as configs of the broker's id and of "", in the words in
 * which they were set. Names that nobody knows are kept, too, and their values shown to nobody, as
 * in Kafka. A name may have listener.name.<listener>. in front; the one listener here acts on what
 * it was given at the start (logins.h).
 *
 * What is in force stands where the broker looks for it: in its options, or in what topics inherit.
 *
 * Limits: BROKER_CONFIGS_MAX names of this broker, as many of all brokers, CONFIG_DEF_BYTES_MAX
 * bytes each.
 */
#ifndef REFBROKER_META_BROKER_CONFIGS_H
#define REFBROKER_META_BROKER_CONFIGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "refbroker/meta/config_def.h"

struct broker;
struct broker_options;

#define BROKER_CONFIGS_MAX 1000

enum broker_config_mode {
    BROKER_CONFIG_READ_ONLY,
    BROKER_CONFIG_CLUSTER_WIDE, /* for one broker, or for all */
    BROKER_CONFIG_PER_BROKER,
    BROKER_CONFIG_PER_LISTENER, /* of one broker */
};

enum broker_config_effect {
    BROKER_CONFIG_ACTS,    /* this broker acts on it, and takes it at its start */
    BROKER_CONFIG_KEPT,    /* kept, checked and shown */
    BROKER_CONFIG_EXTRA,   /* shown only where it is set */
    BROKER_CONFIG_TAKEN,   /* so is this, and it may be given at the start */
    BROKER_CONFIG_FOREIGN, /* never shown */
};

/* Where the value in force is held. */
enum broker_config_place {
    BROKER_CONFIG_NOWHERE,
    BROKER_CONFIG_LISTENER, /* in the logins; the listener may have one of its own */
    BROKER_CONFIG_INT,      /* int32_t */
    BROKER_CONFIG_LONG,     /* int64_t */
    BROKER_CONFIG_BYTES,    /* size_t */
    BROKER_CONFIG_BOOLEAN,  /* bool */
    BROKER_CONFIG_CHOICE,   /* int64_t: which of the words */
    BROKER_CONFIG_BITS,     /* int64_t: a bit for each word */
};

struct broker_config_row {
    struct config_def def;
    enum broker_config_mode mode;
    enum broker_config_effect effect;
    enum broker_config_place place;
    size_t offset; /* in struct broker_options */
};

/* broker_configs_rows returns the table, in the order of names; broker_configs_find the row of a
 * name, or NULL. */
const struct broker_config_row *broker_configs_rows(size_t *count);
const struct broker_config_row *broker_configs_find(const char *name);

/* At the start. */

/* broker_configs_default fills in the options that the table has. */
void broker_configs_default(struct broker_options *options);

/* broker_configs_give takes a config as it is given at the start; RC_CONFIG says what is wrong. */
MUST_CHECK enum rc broker_configs_give(
    struct broker_options *options, const char *name, const char *text, struct err *e);

/* broker_configs_is_setting tells whether the config of a row may be given. */
bool broker_configs_is_setting(const struct broker_config_row *row);

/* broker_configs_given judges together what only together makes sense, once all of it is given;
 * RC_CONFIG says in one line what to do. */
MUST_CHECK enum rc broker_configs_given(struct broker_options *options, struct err *e);

/* broker_configs_load makes effective what is given and what the catalog has. */
void broker_configs_load(struct broker *broker);

/* While the broker runs. */

/* A change of what is set for a resource; the value NULL takes it back. */
struct broker_config_change {
    const char *name;
    const char *value;
};

/* broker_configs_check judges all changes of one resource, the broker's id or "" for all brokers:
 * RC_CONFIG, in Kafka's words. */
MUST_CHECK enum rc broker_configs_check(const struct broker *broker, const char *resource,
    const struct broker_config_change *changes, size_t count, struct err *e);

/* broker_configs_take_effect follows a change that stands in the broker's resource_configs. */
void broker_configs_take_effect(struct broker *broker, const char *name);

/* What is in force. */

/* One value of a config, and who set it. A name may have synonyms: what it falls back to. */
struct broker_config_value {
    const char *name;
    const char *text; /* as it was set */
    enum config_source source;
};

/* Three names, four sources. */
#define BROKER_CONFIG_VALUES_MAX 12

/* broker_configs_values lists all values of a config from the nearest on; the first one is in
 * force. None where there is no value under its own name. Views, until the next change. */
size_t broker_configs_values(const struct broker *broker, const char *name,
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX]);

/* broker_configs_in_force returns the first of a config's own values, NULL for none. Where
 * `resource` is not NULL, a change of it (the value NULL: taken back) is thought to be made. */
const char *broker_configs_in_force(
    const struct broker *broker, const char *name, const char *resource, const char *value);

/* broker_configs_behind_listener returns the name behind listener.name.<listener>., or NULL. */
const char *broker_configs_behind_listener(const char *name);

/* broker_configs_type tells the type of any name, CONFIG_UNKNOWN where nobody knows it. */
enum config_type broker_configs_type(const char *name);

#endif
