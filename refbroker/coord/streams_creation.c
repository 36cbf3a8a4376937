#include "refbroker/coord/streams_creation.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_records.h"
#include "refbroker/limits.h"
#include "refbroker/meta/create.h"

#define TOLD_MAX 3 /* failures that a heartbeat tells */

struct failure {
    int64_t until_ms; /* monotonic */
    char text[CREATE_TEXT_BYTES];
};

/* Topics that wait for their group's log. */
struct streams_creation {
    struct append_waiter waiter;
    struct groups *groups;
    int64_t remember_ms;
    struct create_topic *topics;
    size_t count;
};

/* --- failures ------------------------------------------------------------------------------------
 */

static const struct failure *
failure_find(const struct groups *groups, const char *name)
{
    const struct failure *failure = map_get_text(&groups->streams_failures, name);

    return failure == NULL || env_now_ms(groups->broker->env) >= failure->until_ms ? NULL : failure;
}

/* The oldest one makes room. */
static void
failure_drop(struct map *failures)
{
    size_t position = 0, size;
    const void *name;

    if (map_next(failures, &position, &name, &size) != NULL)
        free(map_remove(failures, name, size));
}

static void
failure_put(struct groups *groups, const struct create_topic *topic, int64_t remember_ms)
{
    struct failure *failure = xcalloc(1, sizeof *failure);

    failure->until_ms = env_now_ms(groups->broker->env) + remember_ms;
    memcpy(failure->text, topic->text, sizeof failure->text);
    free(map_remove_text(&groups->streams_failures, topic->name));
    if (map_count(&groups->streams_failures) >= LIMIT_STREAMS_FAILURES_MAX)
        failure_drop(&groups->streams_failures);
    map_put_text(&groups->streams_failures, topic->name, failure);
}

void
streams_creation_why(
    const struct groups *groups, const struct streams_topics *topics, struct buf *text)
{
    size_t count = 0;

    for (size_t i = 0; i < topics->missing_count; i++) {
        const char *name = topics->missing[i].info->name.data;
        const struct failure *failure = failure_find(groups, name);

        if (failure == NULL)
            continue;
        if (count < TOLD_MAX)
            buf_printf(
                text, "%s%s (%s)", count == 0 ? "; Creation failed: " : ", ", name, failure->text);
        count++;
    }
    if (count > TOLD_MAX)
        buf_printf(text, " and %zu more", count - TOLD_MAX);
    if (count > 0)
        buf_append_text(text, ".");
}

void
streams_creation_forget(struct groups *groups)
{
    map_fini(&groups->streams_failures, free);
}

/* --- making --------------------------------------------------------------------------------------
 */

static void
failures_note(struct streams_creation *creation, const struct create_topic *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (topics[i].error == KE_NONE)
            continue;
        log_info(
            "STREAMS-TOPIC", "internal topic %s was not made: %s", topics[i].name, topics[i].text);
        failure_put(creation->groups, &topics[i], creation->remember_ms);
    }
}

static void
made(struct broker *broker, void *arg, struct create_topic *topics, size_t count)
{
    (void)broker;
    failures_note(arg, topics, count);
    free(arg);
}

/* Whether it is to be tried now: nobody is making it, and it has not just failed. */
static bool
is_due(const struct groups *groups, const char *name)
{
    return map_get_text(&groups->broker->creating, name) == NULL &&
           failure_find(groups, name) == NULL;
}

static void
topics_free_from(struct streams_creation *creation, size_t from)
{
    size_t count = creation->count - from;
    struct create_topic *rest = xcalloc(count + 1, sizeof *rest);

    memcpy(rest, creation->topics + from, count * sizeof *rest);
    create_topics_free(rest, count);
    creation->count = from;
}

/* Takes out the topics that are not to be tried. */
static void
topics_sift(struct streams_creation *creation)
{
    size_t kept = 0;

    for (size_t i = 0; i < creation->count; i++) {
        struct create_topic topic = creation->topics[i];

        creation->topics[i] = creation->topics[kept];
        creation->topics[kept] = topic;
        kept += is_due(creation->groups, topic.name);
    }
    topics_free_from(creation, kept);
}

static void
durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct streams_creation *creation = (struct streams_creation *)(void *)waiter;
    size_t faults = 0;

    if (error == KE_NONE)
        topics_sift(creation);
    for (size_t i = 0; error == KE_NONE && i < creation->count; i++) {
        create_check(broker, &creation->topics[i]);
        faults += creation->topics[i].error != KE_NONE;
    }
    if (error != KE_NONE || faults == creation->count) {
        failures_note(creation, creation->topics, faults);
        create_topics_free(creation->topics, creation->count);
        free(creation);
        return;
    }
    /* What cannot be made goes along, and comes back with its error. */
    create_submit(broker, creation->topics, creation->count, made, creation);
}

static char *
text_of(struct wire_string text)
{
    return xmemdup(text.data, (size_t)text.size);
}

static void
topic_fill(struct create_topic *to, const struct streams_internal_topic *from)
{
    size_t count = (size_t)from->info->topic_configs.count;

    to->name = text_of(from->info->name);
    to->partitions = from->partitions;
    to->replication_factor =
        from->info->replication_factor == 0 ? -1 : from->info->replication_factor;
    to->configs = xcalloc(count + 1, sizeof *to->configs);
    to->config_count = count;
    for (size_t i = 0; i < count; i++) {
        to->configs[i].name = text_of(from->info->topic_configs.items[i].key);
        to->configs[i].value = text_of(from->info->topic_configs.items[i].value);
    }
}

struct streams_creation *
streams_creation_new(
    struct groups *groups, const struct streams_topics *topics, int64_t remember_ms)
{
    struct streams_creation *creation;

    if (topics->missing_count == 0)
        return NULL;
    creation = xcalloc(1, sizeof *creation);
    creation->waiter.done = durable;
    creation->groups = groups;
    creation->remember_ms = remember_ms;
    creation->topics = xcalloc(topics->missing_count, sizeof *creation->topics);
    creation->count = topics->missing_count;
    for (size_t i = 0; i < creation->count; i++)
        topic_fill(&creation->topics[i], &topics->missing[i]);
    return creation;
}

void
streams_creation_begin(struct streams_creation *creation_take, const char *group_id)
{
    struct group_records nothing;

    group_records_init(&nothing);
    group_records_append(&nothing, creation_take->groups, group_id, &creation_take->waiter);
    group_records_fini(&nothing);
}
