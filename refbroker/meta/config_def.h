/*
 * config_def: one config as Kafka defines it: its name, type and default, which values it takes,
 * and how a value is shown (ConfigDef.java). Topics and the broker have tables of these.
 *
 * A value is read into the form that Kafka shows: numbers as numbers, booleans in small letters,
 * nothing around a text, lists without spaces. Refusals have Kafka's words, because tools show
 * them.
 *
 * Limits: values of CONFIG_DEF_BYTES_MAX bytes.
 */
#ifndef REFBROKER_META_CONFIG_DEF_H
#define REFBROKER_META_CONFIG_DEF_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define CONFIG_DEF_BYTES_MAX 65536

/* The numbers of DescribeConfigs (ConfigType). */
enum config_type {
    CONFIG_UNKNOWN = 0,
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

/* The numbers of ConfigSource: who set a value. */
enum config_source {
    CONFIG_SOURCE_TOPIC = 1,
    CONFIG_SOURCE_BROKER = 2,
    CONFIG_SOURCE_ALL_BROKERS = 3,
    CONFIG_SOURCE_STATIC_BROKER = 4,
    CONFIG_SOURCE_DEFAULT = 5,
    CONFIG_SOURCE_CLIENT_METRICS = 7,
    CONFIG_SOURCE_GROUP = 8,
};

struct config_def;

/* A rule beyond those below; it sees the text in the form that is shown. */
typedef enum rc config_rule_fn(const struct config_def *def, const char *text, struct err *e);

struct config_check {
    int64_t low; /* of numbers */
    int64_t high;
    const char *words; /* ", " between those that a text, or an element of a list, may be */
    config_rule_fn *rule;
};

/* The checks of the tables. */
#define CONFIG_ANY                                                                                 \
    {                                                                                              \
        INT64_MIN, INT64_MAX, NULL, NULL                                                           \
    }
#define CONFIG_FROM(low)                                                                           \
    {                                                                                              \
        (low), INT64_MAX, NULL, NULL                                                               \
    }
#define CONFIG_BETWEEN(low, high)                                                                  \
    {                                                                                              \
        (low), (high), NULL, NULL                                                                  \
    }
#define CONFIG_ONE_OF(words)                                                                       \
    {                                                                                              \
        INT64_MIN, INT64_MAX, (words), NULL                                                        \
    }
#define CONFIG_RULE(rule)                                                                          \
    {                                                                                              \
        INT64_MIN, INT64_MAX, NULL, (rule)                                                         \
    }

struct config_def {
    const char *name;
    enum config_type type;
    const char *default_text; /* NULL: none */
    struct config_check check;
    const char *help;
};

/* config_def_read appends the text as it is shown to `out`; RC_CONFIG says in Kafka's words why it
 * is none for this config. */
MUST_CHECK enum rc config_def_read(
    const struct config_def *def, const char *text, struct buf *out, struct err *e);

/* config_def_check does so without keeping it. */
MUST_CHECK enum rc config_def_check(const struct config_def *def, const char *text, struct err *e);

/* config_def_refuse is for rules: "Invalid value <text> for configuration <name>: <why>". */
enum rc config_def_refuse(
    const struct config_def *def, const char *text, const char *why, struct err *e);

/* The rule of gzip's level, which topics and the broker have. */
config_rule_fn config_def_gzip_level;

#endif
