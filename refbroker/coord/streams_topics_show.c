/* What is told of the topics of a topology: to members that have an endpoint, and to whoever
 * describes a group. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/coord/streams_topics.h"

typedef struct km_streams_group_topology_value_subtopology subtopology;
typedef struct km_streams_group_topology_value_topic_info topic_info;
typedef struct km_streams_group_heartbeat_response_topic_partition topic_partition;
typedef struct km_streams_group_describe_response_topic_info shown_info;
typedef struct km_streams_group_describe_response_subtopology shown_subtopology;

/* --- tasks of a request --------------------------------------------------------------------------
 */

int16_t
streams_topics_check_tasks(const struct streams_topics *topics,
    const struct km_streams_group_heartbeat_request_task_ids_array *tasks, struct err *e)
{
    for (int32_t i = 0; i < tasks->count; i++) {
        const struct km_streams_group_heartbeat_request_task_ids *at = &tasks->items[i];
        struct wire_string id = at->subtopology_id;
        int32_t place = streams_topology_find(topics->topology, id), count;

        if (place < 0) {
            err_set(e, RC_CONFIG, "Subtopology %.*s does not exist in the topology.", (int)id.size,
                id.data);
            return KE_INVALID_REQUEST;
        }
        count = topics->subtopologies[place].task_count;
        for (int32_t k = 0; k < at->partitions.count; k++) {
            if (at->partitions.items[k] >= 0 && at->partitions.items[k] < count)
                continue;
            err_set(e, RC_CONFIG,
                "Task %d for subtopology %.*s is invalid. Number of tasks for this subtopology: "
                "%d",
                at->partitions.items[k], (int)id.size, id.data, count);
            return KE_INVALID_REQUEST;
        }
    }
    return KE_NONE;
}

/* --- endpoints -----------------------------------------------------------------------------------
 */

/* Sorts names, who stand in the order in which they came into a table, into its own, and drops what
 * is there twice. Returns how many are left. */
static size_t
names_order(struct wire_string *names, size_t count, size_t capacity)
{
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);
    struct wire_string *ordered = xcalloc(count + 1, sizeof *ordered);
    struct map seen;
    size_t kept = 0;

    map_init(&seen);
    for (size_t i = 0; i < count; i++)
        if (map_put(&seen, names[i].data, (size_t)names[i].size, &seen) == NULL)
            entries[kept++] =
                (struct java_hash_entry){.hash = java_hash_text(names[i].data), .at = i};
    java_hash_sort(entries, kept, java_hash_capacity(capacity, kept));
    for (size_t i = 0; i < kept; i++)
        ordered[i] = names[entries[i].at];
    memcpy(names, ordered, kept * sizeof *names);
    map_fini(&seen, NULL);
    free(ordered);
    free(entries);
    return kept;
}

/* What a subtopology reads, as Kafka puts it together: its source topics, from a set of their list,
 * and the keys of its table of repartition topics, in one more set. */
static struct wire_string *
sources_make(const subtopology *s, size_t *count)
{
    size_t sources = (size_t)s->source_topics.count, copied;
    size_t repartitions = (size_t)s->repartition_source_topics.count;
    struct wire_string *names = xcalloc(sources + repartitions + 1, sizeof *names);

    if (sources > 0)
        memcpy(names, s->source_topics.items, sources * sizeof *names);
    copied = names_order(names, sources, java_hash_copied(sources));
    for (size_t i = 0; i < repartitions; i++)
        names[copied + i] = s->repartition_source_topics.items[i].name;
    repartitions = names_order(&names[copied], repartitions, JAVA_HASH_CAPACITY);
    *count = names_order(names, copied + repartitions, java_hash_copied(copied));
    return names;
}

/* The partitions of a run in the order of Kafka's set of numbers. */
static int32_t *
partitions_order(const struct streams_run *run)
{
    struct java_hash_entry *entries = xcalloc(run->count + 1, sizeof *entries);
    int32_t *partitions = xcalloc(run->count + 1, sizeof *partitions);

    for (size_t i = 0; i < run->count; i++)
        entries[i] = (struct java_hash_entry){.hash = run->tasks[i].partition, .at = i};
    java_hash_sort(entries, run->count, java_hash_capacity(JAVA_HASH_CAPACITY, run->count));
    for (size_t i = 0; i < run->count; i++)
        partitions[i] = run->tasks[entries[i].at].partition;
    free(entries);
    return partitions;
}

/* Where the topic has fewer partitions, the first of the run by number. */
static void
partitions_write(const struct streams_run *run, const int32_t *order, size_t existing,
    struct arena *arena, topic_partition *out)
{
    size_t count = run->count < existing ? run->count : existing;

    out->partitions.items = arena_array(arena, count + 1, sizeof *out->partitions.items);
    if (out->partitions.items == NULL)
        return;
    out->partitions.count = (int32_t)count;
    for (size_t i = 0; i < count; i++)
        out->partitions.items[i] = count == run->count ? order[i] : run->tasks[i].partition;
}

/* What a run reads, in a list of room enough. */
static int16_t
run_write(const subtopology *s, const struct streams_run *run,
    const struct streams_topics_view *view, struct arena *arena,
    struct km_streams_group_heartbeat_response_topic_partition_array *out)
{
    size_t count;
    struct wire_string *names = sources_make(s, &count);
    int32_t *order = partitions_order(run);
    int16_t error = KE_NONE;

    for (size_t i = 0; error == KE_NONE && i < count && !arena_is_full(arena); i++) {
        int32_t existing = view->count(view->arg, names[i].data);

        if (existing == 0) {
            error = KE_UNKNOWN_SERVER_ERROR;
        } else {
            out->items[out->count].topic = names[i];
            partitions_write(run, order, (size_t)existing, arena, &out->items[out->count++]);
        }
    }
    free(order);
    free(names);
    return error;
}

static const subtopology *
subtopology_find(const struct streams_topics *topics, const char *subtopology_id)
{
    int32_t place = streams_topology_find(topics->topology, codec_string(subtopology_id));

    return place < 0 ? NULL : topics->subtopologies[place].from;
}

int16_t
streams_topics_endpoint(const struct streams_topics *topics, const struct streams_tasks *tasks,
    const struct streams_topics_view *view, struct arena *arena,
    struct km_streams_group_heartbeat_response_topic_partition_array *out)
{
    int32_t room = 0;
    int16_t error = KE_NONE;
    size_t *order;

    out->items = NULL;
    out->count = 0;
    if (!topics->is_decided)
        return KE_UNKNOWN_SERVER_ERROR;
    for (size_t i = 0; i < tasks->count; i++) {
        const subtopology *s = subtopology_find(topics, tasks->runs[i].subtopology_id);

        if (s == NULL)
            return KE_UNKNOWN_SERVER_ERROR;
        room += s->source_topics.count + s->repartition_source_topics.count;
    }
    out->items =
        codec_array(arena, &km_streams_group_heartbeat_response_topic_partition_desc, room);
    if (out->items == NULL)
        return KE_NONE;
    order = streams_tasks_by_table(tasks);
    for (size_t i = 0; error == KE_NONE && i < tasks->count; i++) {
        const struct streams_run *run = &tasks->runs[order[i]];

        error = run_write(subtopology_find(topics, run->subtopology_id), run, view, arena, out);
    }
    free(order);
    return error;
}

/* --- descriptions --------------------------------------------------------------------------------
 */

static int
compare_text(const void *a, const void *b)
{
    const struct wire_string *x = a, *y = b;

    return strcmp(x->data, y->data);
}

static int
compare_info(const void *a, const void *b)
{
    return compare_text(&((const shown_info *)a)->name, &((const shown_info *)b)->name);
}

/* A list of names, sorted; each once where it is shown as a set. */
static bool
names_show(const struct wire_string *names, int32_t count, bool as_set, struct arena *arena,
    struct wire_string **out, int32_t *out_count)
{
    int32_t kept = 0;

    *out = arena_array(arena, (size_t)count + 1, sizeof **out);
    if (*out == NULL)
        return false;
    if (count > 0) {
        memcpy(*out, names, (size_t)count * sizeof **out);
        qsort(*out, (size_t)count, sizeof **out, compare_text);
    }
    for (int32_t i = 0; i < count; i++)
        if (kept == 0 || !as_set || compare_text(&(*out)[kept - 1], &(*out)[i]) != 0)
            (*out)[kept++] = (*out)[i];
    *out_count = kept;
    return true;
}

/* Configs as they came, or in the order of Kafka's table of them. */
static bool
configs_show(const topic_info *info, bool as_table, struct arena *arena, shown_info *out)
{
    size_t count = (size_t)info->topic_configs.count;
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);

    out->topic_configs.items = arena_array(arena, count + 1, sizeof *out->topic_configs.items);
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct java_hash_entry){
            .hash = java_hash_text(info->topic_configs.items[i].key.data), .at = i};
    if (as_table)
        java_hash_sort(entries, count, java_hash_capacity(JAVA_HASH_CAPACITY, count));
    for (size_t i = 0; out->topic_configs.items != NULL && i < count; i++) {
        out->topic_configs.items[i].key = info->topic_configs.items[entries[i].at].key;
        out->topic_configs.items[i].value = info->topic_configs.items[entries[i].at].value;
    }
    out->topic_configs.count = (int32_t)count;
    free(entries);
    return out->topic_configs.items != NULL;
}

static bool
infos_show(const struct streams_topics *ready, const topic_info *infos, int32_t count,
    struct arena *arena, struct km_streams_group_describe_response_topic_info_array *out)
{
    out->items = codec_array(arena, &km_streams_group_describe_response_topic_info_desc, count);
    if (out->items == NULL)
        return false;
    out->count = count;
    for (int32_t i = 0; i < count; i++) {
        out->items[i].name = infos[i].name;
        out->items[i].partitions =
            ready == NULL ? infos[i].partitions : streams_topics_partitions(ready, &infos[i]);
        out->items[i].replication_factor = infos[i].replication_factor;
        if (!configs_show(&infos[i], ready != NULL, arena, &out->items[i]))
            return false;
    }
    if (count > 1)
        qsort(out->items, (size_t)count, sizeof *out->items, compare_info);
    return true;
}

static bool
subtopology_show(const struct streams_topics *ready, const subtopology *s, struct arena *arena,
    shown_subtopology *out)
{
    out->subtopology_id = s->subtopology_id;
    return names_show(s->source_topics.items, s->source_topics.count, ready != NULL, arena,
               &out->source_topics.items, &out->source_topics.count) &&
           names_show(s->repartition_sink_topics.items, s->repartition_sink_topics.count,
               ready != NULL, arena, &out->repartition_sink_topics.items,
               &out->repartition_sink_topics.count) &&
           infos_show(ready, s->repartition_source_topics.items, s->repartition_source_topics.count,
               arena, &out->repartition_source_topics) &&
           infos_show(ready, s->state_changelog_topics.items, s->state_changelog_topics.count,
               arena, &out->state_changelog_topics);
}

bool
streams_topics_describe(const struct streams_topics *topics,
    const struct streams_topology *topology, struct arena *arena,
    struct km_streams_group_describe_response_topology *out)
{
    const struct streams_topics *ready =
        topics != NULL && streams_topics_is_ready(topics) ? topics : NULL;
    int32_t count = topology->value.subtopologies.count;

    codec_init(&km_streams_group_describe_response_topology_desc, out);
    out->epoch = topology->value.epoch;
    out->subtopologies.items =
        codec_array(arena, &km_streams_group_describe_response_subtopology_desc, count);
    if (out->subtopologies.items == NULL)
        return false;
    out->subtopologies.count = count;
    for (int32_t i = 0; i < count; i++)
        if (!subtopology_show(ready, topology->by_id[i], arena, &out->subtopologies.items[i]))
            return false;
    return true;
}
