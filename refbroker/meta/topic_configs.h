/*
 * topic_configs: the configs of a topic: which there are, which values they take, what they are
 * when nobody set them.
 *
 * The table is topic_configs.def. Texts are kept and reported in the form that Kafka shows (numbers
 * as numbers, lists without spaces); the values that the broker acts on are parsed once, into
 * struct topic_values. Messages of refusals have Kafka's words, because tools show them
 * (LogConfig.java, ConfigDef.java).
 *
 * Limits: values of TOPIC_CONFIG_BYTES_MAX bytes. Owned by its topic; not thread-safe.
 */
#ifndef REFBROKER_META_TOPIC_CONFIGS_H
#define REFBROKER_META_TOPIC_CONFIGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/map.h"

#define TOPIC_CONFIG_BYTES_MAX 65536

/* The numbers of DescribeConfigs (ConfigType). */
enum config_type {
    CONFIG_BOOLEAN = 1,
    CONFIG_STRING = 2,
    CONFIG_INT = 3,
    CONFIG_SHORT = 4,
    CONFIG_LONG = 5,
    CONFIG_DOUBLE = 6,
    CONFIG_LIST = 7,
    CONFIG_CLASS = 8,
    CONFIG_PASSWORD = 9,
};

enum topic_config_effect {
    TOPIC_CONFIG_KEPT,
    TOPIC_CONFIG_EFFECTIVE, /* this broker acts on it */
    TOPIC_CONFIG_HIDDEN,    /* kept, and not shown to clients */
};

struct topic_config_row {
    const char *name;
    enum config_type type;
    const char *default_text;
    enum rc (*check)(const struct topic_config_row *row, const char *text, struct err *e);
    enum topic_config_effect effect;
    const char *broker_name; /* of the default, NULL: it is nobody's */
    const char *help;
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

struct topic_configs {
    struct map set; /* name -> text that somebody set */
    struct topic_values values;
};

/* topic_configs_rows returns the table, in the order of names as Kafka lists them. */
const struct topic_config_row *topic_configs_rows(size_t *count);

/* topic_configs_find returns the row of a name, or NULL. */
const struct topic_config_row *topic_configs_find(const char *name);

void topic_configs_init(struct topic_configs *configs);
void topic_configs_fini(struct topic_configs *configs);

/* topic_configs_get returns the text in force: the one that was set, or the default. The name must
 * be in the table. */
const char *topic_configs_get(const struct topic_configs *configs, const char *name);

/* topic_configs_is_set tells whether somebody set it. */
bool topic_configs_is_set(const struct topic_configs *configs, const char *name);

/* topic_configs_check refuses unknown names and wrong values with RC_CONFIG and Kafka's message. */
MUST_CHECK enum rc topic_configs_check(const char *name, const char *value, struct err *e);

/* topic_configs_set stores a checked value; NULL sets the default again. */
void topic_configs_set(struct topic_configs *configs, const char *name, const char *value);

#endif
