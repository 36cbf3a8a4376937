/*
 * topic_configs: the configs of a topic: which there are, which values they take, what they are
 * when nobody set them.
 *
 * The table is topic_configs.def (LogConfig.java). Texts are kept and reported in the form that
 * Kafka shows (config_def); the values that the broker acts on are parsed once, into struct
 * topic_values. What a topic inherits from the broker's configs stands in struct topic_defaults,
 * one for all topics.
 *
 * Limits: values of CONFIG_DEF_BYTES_MAX bytes. Owned by its topic; not thread-safe.
 */
#ifndef REFBROKER_META_TOPIC_CONFIGS_H
#define REFBROKER_META_TOPIC_CONFIGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/map.h"
#include "refbroker/meta/config_def.h"

enum topic_config_effect {
    TOPIC_CONFIG_KEPT,
    TOPIC_CONFIG_EFFECTIVE, /* this broker acts on it */
    TOPIC_CONFIG_HIDDEN,    /* kept, and shown only where it is set */
};

struct topic_config_row {
    struct config_def def;
    enum topic_config_effect effect;
    const char *broker_name; /* of the broker's config that is the default, NULL: there is none */
};

/* What the broker acts on. */
struct topic_values {
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: without limit */
    int64_t delete_retention_ms;
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    int64_t segment_ms;
    int64_t segment_bytes;
    double min_cleanable_dirty_ratio;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    int32_t max_message_bytes;
    int32_t compression_level; /* of compression_codec */
    int8_t compression_codec;  /* enum compress_codec; -1: as the producer sent it */
    bool log_append_time;
    bool compacts;
    bool deletes;
    bool coordinated;
};

/* What a topic has that nobody set: Kafka's defaults, or what the broker's own configs say. */
struct topic_defaults {
    char **texts; /* by row of the table */
    struct topic_values values;
};

struct topic_configs {
    const struct topic_defaults *defaults;
    struct map set; /* name -> text that somebody set */
    struct topic_values values;
};

/* topic_configs_rows returns the table, in the order of names as Kafka lists them. */
const struct topic_config_row *topic_configs_rows(size_t *count);

/* topic_configs_find returns the row of a name, or NULL. */
const struct topic_config_row *topic_configs_find(const char *name);

/* topic_configs_check refuses unknown names and wrong values with RC_CONFIG and Kafka's message. */
MUST_CHECK enum rc topic_configs_check(const char *name, const char *value, struct err *e);

/* Defaults. */

/* topic_configs_defaults_init sets them to Kafka's. */
void topic_configs_defaults_init(struct topic_defaults *defaults);
void topic_configs_defaults_fini(struct topic_defaults *defaults);

/* topic_configs_defaults_set changes one to a checked value, NULL to Kafka's; topics that were made
 * before learn of it by topic_configs_refresh. */
void topic_configs_defaults_set(
    struct topic_defaults *defaults, const struct topic_config_row *row, const char *text);

/* topic_configs_defaults_get returns the text of a row. */
const char *topic_configs_defaults_get(
    const struct topic_defaults *defaults, const struct topic_config_row *row);

/* Configs of a topic. */

/* topic_configs_init sets nothing; the defaults must live as long. */
void topic_configs_init(struct topic_configs *configs, const struct topic_defaults *defaults);
void topic_configs_fini(struct topic_configs *configs);

/* topic_configs_get returns the text in force: the one that was set, or the default. The name must
 * be in the table. */
const char *topic_configs_get(const struct topic_configs *configs, const char *name);

/* topic_configs_is_set tells whether somebody set it. */
bool topic_configs_is_set(const struct topic_configs *configs, const char *name);

/* topic_configs_set stores a checked value; NULL sets the default again. */
void topic_configs_set(struct topic_configs *configs, const char *name, const char *value);

/* topic_configs_refresh reads the defaults again. */
void topic_configs_refresh(struct topic_configs *configs);

#endif
