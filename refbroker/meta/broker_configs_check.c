/* What may be set, in Kafka's words (DynamicBrokerConfig.java and what it asks: DynamicThreadPool,
 * LogCleaner, KafkaConfig). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/broker.h"
#include "refbroker/meta/broker_configs.h"

/* --- what is to be in force, beside what is ----------------------------------------------------
 */

/* Judges the text that is to be in force, in the form that is shown. */
typedef enum rc judge_fn(
    const struct broker *broker, const char *name, const char *text, struct err *e);

/* What Kafka says when a part of it does not want a new value. */
static enum rc __attribute__((format(printf, 2, 3)))
dynamic_refuse(struct err *e, const char *format, ...)
{
    char why[256];
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof why, format, ap);
    va_end(ap);
    return err_set(e, RC_CONFIG,
        "Invalid value org.apache.kafka.common.config.ConfigException: %s for configuration "
        "Invalid dynamic configuration",
        why);
}

static int64_t
now_in_force(const struct broker *broker, const char *name)
{
    return strtoll(broker_configs_in_force(broker, name, NULL, NULL), NULL, 10);
}

static enum rc
judge_threads(const struct broker *broker, const char *name, const char *text, struct err *e)
{
    int64_t now = now_in_force(broker, name), next = strtoll(text, NULL, 10);

    if (next < now / 2)
        return dynamic_refuse(e,
            "Dynamic thread count update validation failed for %s=%s, value should be at least "
            "half the current value %lld",
            name, text, (long long)now);
    if (next > now * 2)
        return dynamic_refuse(e,
            "Dynamic thread count update validation failed for %s=%s, value should not be greater "
            "than double the current value %lld",
            name, text, (long long)now);
    return RC_OK;
}

static enum rc
cleaner_memory(int64_t buffer_bytes, int64_t threads, struct err *e)
{
    if (buffer_bytes / threads > 1048576)
        return RC_OK;
    return err_set(e, RC_CONFIG,
        "requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner "
        "thread.");
}

static enum rc
judge_cleaner_buffer(const struct broker *broker, const char *name, const char *text, struct err *e)
{
    (void)name;
    return cleaner_memory(strtoll(text, NULL, 10), now_in_force(broker, "log.cleaner.threads"), e);
}

static enum rc
judge_cleaner_threads(
    const struct broker *broker, const char *name, const char *text, struct err *e)
{
    int64_t now = now_in_force(broker, name), next = strtoll(text, NULL, 10);

    enum rc rc =
        next < 1 ? dynamic_refuse(e, "Log cleaner threads should be at least 1")
                 : cleaner_memory(now_in_force(broker, "log.cleaner.dedupe.buffer.size"), next, e);

    if (rc != RC_OK)
        return rc;
    if (next < now / 2)
        return dynamic_refuse(e,
            "Log cleaner threads cannot be reduced to less than half the current value %lld",
            (long long)now);
    if (next > now * 2)
        return dynamic_refuse(e,
            "Log cleaner threads cannot be increased to more than double the current value %lld",
            (long long)now);
    return RC_OK;
}

static enum rc
judge_retention(const struct broker *broker, const char *name, const char *text, struct err *e)
{
    (void)broker;
    if (strtoll(text, NULL, 10) != 0)
        return RC_OK;
    return err_set(e, RC_CONFIG,
        "requirement failed: %s must be unlimited (-1) or, greater than or equal to 1", name);
}

static enum rc
judge_assignment_interval(
    const struct broker *broker, const char *name, const char *text, struct err *e)
{
    const struct group_settings *groups = &broker->options.groups;
    int64_t interval_ms = strtoll(text, NULL, 10);

    if (interval_ms < groups->consumer_min_assignment_interval_ms)
        return err_set(e, RC_CONFIG,
            "%s must be greater than or equal to group.consumer.min.assignment.interval.ms", name);
    if (interval_ms > groups->consumer_max_assignment_interval_ms)
        return err_set(e, RC_CONFIG,
            "%s must be less than or equal to group.consumer.max.assignment.interval.ms", name);
    return RC_OK;
}

/* Kafka opens and closes listeners while it runs, and cordons folders. */
static enum rc
judge_fixed_here(const struct broker *broker, const char *name, const char *text, struct err *e)
{
    (void)broker;
    (void)text;
    return err_set(e, RC_CONFIG, "%s cannot be changed while this broker runs", name);
}

/* There are no classes here but those that are in force already. */
static enum rc
judge_class(const struct broker *broker, const char *name, const char *text, struct err *e)
{
    const char *now = broker_configs_in_force(broker, name, NULL, NULL);

    if (now != NULL && strcmp(now, text) == 0)
        return RC_OK;
    return err_set(e, RC_CONFIG,
        "Invalid value %s for configuration %s: Class %s could not be found.", text, name, text);
}

static const struct {
    const char *name;
    judge_fn *judge;
} judges[] = {
    {"background.threads", judge_threads},
    {"num.io.threads", judge_threads},
    {"num.network.threads", judge_threads},
    {"num.recovery.threads.per.data.dir", judge_threads},
    {"num.replica.fetchers", judge_threads},
    {"remote.log.manager.copier.thread.pool.size", judge_threads},
    {"remote.log.manager.expiration.thread.pool.size", judge_threads},
    {"remote.log.manager.follower.thread.pool.size", judge_threads},
    {"remote.log.reader.threads", judge_threads},
    {"log.cleaner.threads", judge_cleaner_threads},
    {"log.cleaner.dedupe.buffer.size", judge_cleaner_buffer},
    {"log.retention.ms", judge_retention},
    {"group.consumer.assignment.interval.ms", judge_assignment_interval},
    {"cordoned.log.dirs", judge_fixed_here},
    {"listeners", judge_fixed_here},
    {"listener.security.protocol.map", judge_fixed_here},
    {"metric.reporters", judge_class},
    {"principal.builder.class", judge_class},
};

static enum rc
consequence_check(const struct broker *broker, const char *resource,
    const struct broker_config_change *change, struct err *e)
{
    const struct broker_config_row *row = broker_configs_find(change->name);
    const char *text = broker_configs_in_force(broker, change->name, resource, change->value);
    struct buf shown;
    enum rc rc = RC_OK;

    if (row == NULL || text == NULL)
        return RC_OK;
    buf_init(&shown, CONFIG_DEF_BYTES_MAX);
    if (config_def_read(&row->def, text, &shown, NULL) == RC_OK)
        for (size_t i = 0; i < ARRAY_LEN(judges) && rc == RC_OK; i++)
            if (strcmp(judges[i].name, change->name) == 0)
                rc = judges[i].judge(broker, change->name, buf_text(&shown), e);
    buf_fini(&shown);
    return rc;
}

/* --- names and values ------------------------------------------------------------------------- */

static bool
is_read_only(const char *name)
{
    const struct broker_config_row *row = broker_configs_find(name);

    return row != NULL && row->mode == BROKER_CONFIG_READ_ONLY;
}

static bool
is_without_listener(const char *name)
{
    const struct broker_config_row *row = broker_configs_find(name);

    return row != NULL && row->mode == BROKER_CONFIG_PER_LISTENER;
}

/* What cannot be set for all brokers: configs of listeners, but those that there are of all. */
static bool
is_of_one_broker(const char *name)
{
    static const char *const of_all[] = {
        "max.connections", "max.connection.creation.rate", "num.network.threads"};
    const struct broker_config_row *row = broker_configs_find(name);
    const char *base = broker_configs_behind_listener(name);

    for (size_t i = 0; base != NULL && i < ARRAY_LEN(of_all); i++)
        if (strcmp(base, of_all[i]) == 0)
            return false;
    return base != NULL || (row != NULL && row->mode == BROKER_CONFIG_PER_BROKER);
}

/* Refuses the names of which something is true, all of them in one line. */
static enum rc
names_check(const struct broker_config_change *changes, size_t count,
    bool (*is_wrong)(const char *), const char *why, struct err *e)
{
    struct buf wrong;
    enum rc rc;

    buf_init(&wrong, CONFIG_DEF_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        if (changes[i].value != NULL && is_wrong(changes[i].name))
            buf_printf(&wrong, "%s%s", wrong.size > 0 ? ", " : "", changes[i].name);
    rc = wrong.size == 0 ? RC_OK : err_set(e, RC_CONFIG, "%s: [%s]", why, buf_text(&wrong));
    buf_fini(&wrong);
    return rc;
}

static enum rc
value_check(const struct broker_config_change *change, struct err *e)
{
    const char *base = broker_configs_behind_listener(change->name);
    const struct broker_config_row *row = broker_configs_find(base == NULL ? change->name : base);

    if (change->value == NULL)
        return RC_OK;
    if (strlen(change->name) > INT16_MAX || strlen(change->value) > CONFIG_DEF_BYTES_MAX)
        return err_set(e, RC_CONFIG, "Invalid value for configuration %.100s: longer than %d bytes",
            change->name, CONFIG_DEF_BYTES_MAX);
    return row == NULL ? RC_OK : config_def_check(&row->def, change->value, e);
}

static enum rc
count_check(const struct broker *broker, const char *resource,
    const struct broker_config_change *changes, size_t count, struct err *e)
{
    const struct resource_configs *kept = &broker->resource_configs;
    size_t names = resource_configs_count(kept, RESOURCE_BROKER, resource);

    for (size_t i = 0; i < count; i++)
        if (changes[i].value != NULL &&
            resource_configs_get(kept, RESOURCE_BROKER, resource, changes[i].name) == NULL &&
            ++names > BROKER_CONFIGS_MAX)
            return err_set(
                e, RC_CONFIG, "at most %d configs are kept for brokers", BROKER_CONFIGS_MAX);
    return RC_OK;
}

enum rc
broker_configs_check(const struct broker *broker, const char *resource,
    const struct broker_config_change *changes, size_t count, struct err *e)
{
    enum rc rc =
        names_check(changes, count, is_read_only, "Cannot update these configs dynamically", e);

    if (rc == RC_OK)
        rc = names_check(changes, count, is_without_listener,
            "These security configs can be dynamically updated only per-listener using the "
            "listener prefix",
            e);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = value_check(&changes[i], e);
    if (rc == RC_OK && *resource == '\0')
        rc = names_check(changes, count, is_of_one_broker,
            "Cannot update these configs at default cluster level, broker id must be specified", e);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = consequence_check(broker, resource, &changes[i], e);
    return rc == RC_OK ? count_check(broker, resource, changes, count, e) : rc;
}
