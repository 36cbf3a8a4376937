#include "refbroker/meta/create.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct create_topic *topics;
    size_t count;
    int64_t now_ms;
    create_done_fn *done;
    void *arg;
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct create_topic *topic, int16_t error, const char *format, ...)
{
    va_list ap;

    topic->error = error;
    va_start(ap, format);
    vsnprintf(topic->text, sizeof topic->text, format, ap);
    va_end(ap);
}

static bool
is_coordinated(const struct create_topic *topic)
{
    bool coordinated = false;

    for (size_t i = 0; i < topic->config_count; i++)
        if (strcmp(topic->configs[i].name, "diskless.enable") == 0)
            coordinated =
                topic->configs[i].value != NULL && strcasecmp(topic->configs[i].value, "true") == 0;
    return coordinated;
}

static void
name_check(struct broker *broker, struct create_topic *topic)
{
    char why[TOPICS_NAME_WHY_BYTES];
    const struct topic *other;

    if (topics_name_check(topic->name, strlen(topic->name)) != NULL) {
        topics_name_why(topic->name, strlen(topic->name), why);
        refuse(topic, KE_INVALID_TOPIC_EXCEPTION, "%s", why);
        return;
    }
    if (topics_find(&broker->topics, topic->name, strlen(topic->name)) != NULL ||
        map_get_text(&broker->creating, topic->name) != NULL) {
        refuse(topic, KE_TOPIC_ALREADY_EXISTS, "Topic '%s' already exists.", topic->name);
        return;
    }
    other = topics_name_collides(&broker->topics, topic->name);
    if (other != NULL)
        refuse(topic, KE_INVALID_TOPIC_EXCEPTION, "Topic '%s' collides with existing topic: %s",
            topic->name, other->name);
}

/* Whether the assignments are for partitions 0..n-1, each once. */
static bool
is_consecutive(const struct create_topic *topic)
{
    bool *seen = xcalloc(topic->assignment_count, sizeof *seen);
    bool consecutive = true;

    for (size_t i = 0; i < topic->assignment_count && consecutive; i++) {
        int32_t partition = topic->assignments[i].partition;

        consecutive =
            partition >= 0 && (size_t)partition < topic->assignment_count && !seen[partition];
        if (consecutive)
            seen[partition] = true;
    }
    free(seen);
    return consecutive;
}

/* Explicit assignments: partitions 0..n-1, each on this broker alone. */
static void
assignments_check(struct broker *broker, struct create_topic *topic)
{
    if (topic->replication_factor != -1) {
        refuse(topic, KE_INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to "
            "-1.");
        return;
    }
    if (topic->partitions != -1) {
        refuse(topic, KE_INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1.");
        return;
    }
    if (!is_consecutive(topic)) {
        refuse(topic, KE_INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence");
        return;
    }
    for (size_t i = 0; i < topic->assignment_count && topic->error == 0; i++) {
        const struct create_assignment *a = &topic->assignments[i];

        if (a->broker_count != 1 || a->brokers[0] != broker->options.node_id)
            refuse(topic, KE_INVALID_REPLICA_ASSIGNMENT,
                "The manual partition assignment includes broker %d, but no such broker is "
                "registered.",
                a->broker_count > 0 ? a->brokers[a->broker_count - 1] : -1);
    }
    topic->partitions = (int32_t)topic->assignment_count;
    topic->replication_factor = 1;
}

static void
sizes_check(struct broker *broker, struct create_topic *topic)
{
    if (topic->partitions == -1)
        topic->partitions = broker->options.num_partitions;
    if (topic->replication_factor == -1)
        topic->replication_factor = 1;
    if (topic->replication_factor <= 0)
        refuse(topic, KE_INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.");
    else if (topic->partitions <= 0)
        refuse(topic, KE_INVALID_PARTITIONS,
            "Number of partitions was set to an invalid non-positive value.");
    else if (topic->replication_factor > 1)
        refuse(topic, KE_INVALID_REPLICATION_FACTOR,
            is_coordinated(topic)
                ? "Replication factor for diskless topics must be 1 or -1 when managed replicas "
                  "are disabled."
                : "Unable to replicate the partition %d time(s): The target replication factor of "
                  "%d cannot be reached because only 1 broker(s) are registered or some brokers "
                  "have all their log directories cordoned.",
            topic->replication_factor, topic->replication_factor);
    else if (topic->partitions > LIMIT_PARTITIONS_PER_TOPIC_MAX ||
             broker->topics.partition_count + topic->partitions > LIMIT_PARTITIONS_MAX)
        refuse(topic, KE_INVALID_PARTITIONS, "Too many partitions: this broker holds at most %d",
            LIMIT_PARTITIONS_MAX);
}

/* Of a config that is named twice the last one counts. */
static void
configs_check(struct create_topic *topic)
{
    struct map seen;
    struct err e;

    map_init(&seen);
    for (size_t i = topic->config_count; i-- > 0 && topic->error == 0;) {
        const struct create_config *config = &topic->configs[i];

        if (config->value == NULL)
            refuse(topic, KE_INVALID_CONFIG, "Null value not supported for topic configs: %s",
                config->name);
        else if (map_get_text(&seen, config->name) == NULL &&
                 topic_configs_check(config->name, config->value, &e) != RC_OK)
            refuse(topic, KE_INVALID_CONFIG, "%s", e.text);
        map_put_text(&seen, config->name, topic);
    }
    map_fini(&seen, NULL);
}

void
create_check(struct broker *broker, struct create_topic *topic)
{
    name_check(broker, topic);
    if (topic->error == 0)
        configs_check(topic);
    if (topic->error == 0 && topic->assignment_count > 0 && is_coordinated(topic))
        refuse(topic, KE_INVALID_REQUEST,
            "A manual partition assignment cannot be specified for diskless topics.");
    if (topic->error == 0 && topic->assignment_count > 0)
        assignments_check(broker, topic);
    if (topic->error == 0)
        sizes_check(broker, topic);
    if (topic->error == 0 && map_count(&broker->topics.by_name) >= LIMIT_TOPICS_MAX)
        refuse(topic, KE_POLICY_VIOLATION, "This broker holds at most %d topics", LIMIT_TOPICS_MAX);
    if (topic->error != 0)
        return;
    env_random_bytes(broker->env, &topic->topic_id, sizeof topic->topic_id);
    /* Version 4 of RFC 4122, as Kafka's ids are. */
    topic->topic_id.bytes[6] = (uint8_t)((topic->topic_id.bytes[6] & 0x0f) | 0x40);
    topic->topic_id.bytes[8] = (uint8_t)((topic->topic_id.bytes[8] & 0x3f) | 0x80);
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++) {
        const struct create_topic *topic = &job->topics[i];

        if (topic->error != 0)
            continue;
        rc = catalog_put_topic(catalog, &topic->topic_id, topic->name, topic->partitions,
            topic->replication_factor, job->now_ms, e);
        for (size_t k = 0; k < topic->config_count && rc == RC_OK; k++)
            rc = catalog_put_config(
                catalog, &topic->topic_id, topic->configs[k].name, topic->configs[k].value, e);
    }
    return rc;
}

static void
topic_enter(struct broker *broker, const struct create_topic *from, int64_t now_ms)
{
    struct topic *topic =
        topics_add(&broker->topics, &from->topic_id, from->name, from->partitions);

    topic->replication_factor = from->replication_factor;
    topic->created_ms = now_ms;
    for (size_t i = 0; i < from->config_count; i++)
        topic_configs_set(&topic->configs, from->configs[i].name, from->configs[i].value);
    broker->stats.topics++;
    broker->stats.partitions += from->partitions;
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;

    if (catalog_job->rc != RC_OK)
        log_error("TOPIC-CREATE", "%s", catalog_job->err.text);
    for (size_t i = 0; i < job->count; i++) {
        struct create_topic *topic = &job->topics[i];

        if (topic->error != 0)
            continue;
        map_remove_text(&broker->creating, topic->name);
        if (catalog_job->rc == RC_OK)
            topic_enter(broker, topic, job->now_ms);
        else
            refuse(topic, KE_KAFKA_STORAGE_ERROR, "the metadata could not be written");
    }
    job->done(broker, job->arg, job->topics, job->count);
    create_topics_free(job->topics, job->count);
    free(job);
}

void
create_submit(struct broker *broker, struct create_topic *topics_take, size_t count,
    create_done_fn *done, void *arg)
{
    struct job *job = xcalloc(1, sizeof *job);

    job->broker = broker;
    job->topics = topics_take;
    job->count = count;
    job->now_ms = env_wall_ms(broker->env);
    job->done = done;
    job->arg = arg;
    job->job.apply = apply;
    job->job.done = job_done;
    for (size_t i = 0; i < count; i++) {
        struct create_topic *topic = &topics_take[i];

        if (topic->error != 0)
            continue;
        map_put_text(&broker->creating, topic->name, job);
    }
    catalog_submit(broker->catalog, &job->job);
}

void
create_topics_free(struct create_topic *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < topics[i].config_count; k++) {
            free(topics[i].configs[k].name);
            free(topics[i].configs[k].value);
        }
        free(topics[i].configs);
        free(topics[i].name);
    }
    free(topics);
}

static void
used_done(struct broker *broker, void *arg, struct create_topic *topics, size_t count)
{
    (void)broker;
    (void)arg;
    (void)topics;
    (void)count;
}

/* Internal topics are made the way Kafka makes them. */
static void
internal_shape(const struct broker *broker, struct create_topic *topic)
{
    enum internal_topic id = internal_topics_find(topic->name);
    struct internal_topic_config configs[INTERNAL_TOPIC_CONFIGS_MAX];

    if (id == INTERNAL_TOPIC_COUNT)
        return;
    topic->partitions = broker->options.internal_topics[id].partitions;
    topic->config_count =
        internal_topics_configs(id, &broker->options.internal_topics[id], configs);
    topic->configs = xcalloc(topic->config_count, sizeof *topic->configs);
    for (size_t i = 0; i < topic->config_count; i++) {
        topic->configs[i].name = xstrdup(configs[i].name);
        topic->configs[i].value = xstrdup(configs[i].value);
    }
}

void
create_topic_by_use(struct broker *broker, const char *name, size_t size)
{
    struct create_topic *topic = xcalloc(1, sizeof *topic);

    topic->name = xmemdup(name, size);
    topic->partitions = -1;
    topic->replication_factor = -1;
    internal_shape(broker, topic);
    if (map_get_text(&broker->creating, topic->name) == NULL)
        create_check(broker, topic);
    else
        topic->error = KE_TOPIC_ALREADY_EXISTS;
    if (topic->error != 0)
        create_topics_free(topic, 1);
    else
        create_submit(broker, topic, 1, used_done, NULL);
}
