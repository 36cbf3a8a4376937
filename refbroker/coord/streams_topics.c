#include "refbroker/coord/streams_topics.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/coord/streams_plan.h"
#include "refbroker/limits.h"

#define NAMES_SHOWN 3 /* of topics that are missing */

typedef struct km_streams_group_topology_value_subtopology subtopology;
typedef struct km_streams_group_topology_value_topic_info topic_info;

void
streams_topics_init(struct streams_topics *topics)
{
    *topics = (struct streams_topics){.status = STREAMS_STATUS_NONE};
    map_init(&topics->partitions);
}

void
streams_topics_fini(struct streams_topics *topics)
{
    free(topics->detail);
    free(topics->subtopologies);
    free(topics->missing);
    map_fini(&topics->partitions, NULL);
    streams_topics_init(topics);
}

bool
streams_topics_is_ready(const struct streams_topics *topics)
{
    return topics->is_decided && topics->status == STREAMS_STATUS_NONE;
}

int32_t
streams_topics_partitions(const struct streams_topics *topics, const topic_info *info)
{
    if (info->partitions != 0)
        return info->partitions;
    return (int32_t)(intptr_t)map_get(
        &topics->partitions, info->name.data, (size_t)info->name.size);
}

/* --- what Kafka cannot take ----------------------------------------------------------------------
 */

static bool
places_fit(const int16_t *places, int32_t count, int32_t names)
{
    for (int32_t i = 0; i < count; i++)
        if (places[i] < 0 || places[i] >= names)
            return false;
    return true;
}

/* Copartition groups name topics by their places. */
static bool
groups_fit(const subtopology *s)
{
    for (int32_t i = 0; i < s->copartition_groups.count; i++) {
        const struct km_streams_group_topology_value_copartition_group *group =
            &s->copartition_groups.items[i];

        if (!places_fit(
                group->source_topics.items, group->source_topics.count, s->source_topics.count) ||
            !places_fit(group->repartition_source_topics.items,
                group->repartition_source_topics.count, s->repartition_source_topics.count))
            return false;
    }
    return true;
}

static bool
configs_fit(const topic_info *info)
{
    struct map seen;
    bool fit = true;

    map_init(&seen);
    for (int32_t i = 0; i < info->topic_configs.count; i++) {
        struct wire_string key = info->topic_configs.items[i].key;

        fit = fit && map_put(&seen, key.data, (size_t)key.size, &seen) == NULL;
    }
    map_fini(&seen, NULL);
    return fit;
}

/* No topic twice in a list, no config twice in a topic, and partitions at all. */
static bool
infos_fit(const struct streams_topics *topics, const topic_info *infos, int32_t count)
{
    struct map seen;
    bool fit = true;

    map_init(&seen);
    for (int32_t i = 0; fit && i < count; i++)
        fit = map_put(&seen, infos[i].name.data, (size_t)infos[i].name.size, &seen) == NULL &&
              streams_topics_partitions(topics, &infos[i]) >= 1 && configs_fit(&infos[i]);
    map_fini(&seen, NULL);
    return fit;
}

/* --- source topics -------------------------------------------------------------------------------
 */

static int
compare_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Kafka's summary of names: the first few, and how many more there are. */
static void
names_print(struct buf *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        buf_printf(text, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (count > NAMES_SHOWN)
        buf_printf(text, " and %zu additional topics", count - NAMES_SHOWN);
}

static char *
names_summary(const char *before, const char *const *names, size_t count, const char *behind)
{
    struct buf text;
    size_t size;

    buf_init(&text, SIZE_MAX);
    buf_append_text(&text, before);
    names_print(&text, names, count);
    buf_append_text(&text, behind);
    return (char *)buf_take(&text, &size);
}

/* False where topics are missing that the topology does not make. */
static bool
sources_check(const struct streams_plan *plan, struct streams_fault *fault)
{
    const char **names = xcalloc(plan->place_count + 1, sizeof(const char *));
    size_t count = 0;

    for (size_t i = 0; i < plan->place_count; i++)
        if (plan->places[i].is_source && plan->places[i].existing == 0)
            names[count++] = plan->places[i].name;
    qsort(names, count, sizeof(const char *), compare_name);
    if (count > 0) {
        fault->status = STREAMS_STATUS_MISSING_SOURCE_TOPICS;
        fault->detail = names_summary("Source topics ", names, count, " are missing.");
    }
    free(names);
    return count == 0;
}

/* --- internal topics -----------------------------------------------------------------------------
 */

/* The internal topics of a topology, as Kafka's table of those that are to be made has them: each
 * name once, where it came first, with what was said of it last. */
struct wanted {
    int32_t *places;
    size_t count;
    struct streams_internal_topic *topics; /* by place */
};

static void
wanted_add(struct wanted *wanted, const struct streams_topics *topics, int32_t place,
    const topic_info *info)
{
    if (wanted->topics[place].info == NULL)
        wanted->places[wanted->count++] = place;
    wanted->topics[place] =
        (struct streams_internal_topic){info, streams_topics_partitions(topics, info)};
}

/* The topics of one list come in the order of a table of their names. */
static void
infos_want(struct wanted *wanted, const struct streams_topics *topics,
    const struct streams_plan *plan, const topic_info *infos, int32_t count)
{
    struct java_hash_entry *entries = xcalloc((size_t)count + 1, sizeof *entries);

    for (int32_t i = 0; i < count; i++)
        entries[i] = (struct java_hash_entry){
            .hash = streams_plan_place(plan, infos[i].name)->hash, .at = (size_t)i};
    java_hash_sort(entries, (size_t)count, java_hash_capacity(JAVA_HASH_CAPACITY, (size_t)count));
    for (int32_t i = 0; i < count; i++) {
        const topic_info *info = &infos[entries[i].at];

        wanted_add(
            wanted, topics, (int32_t)(streams_plan_place(plan, info->name) - plan->places), info);
    }
    free(entries);
}

static void
wanted_collect(
    struct wanted *wanted, const struct streams_topics *topics, const struct streams_plan *plan)
{
    *wanted = (struct wanted){.places = xcalloc(plan->place_count + 1, sizeof *wanted->places),
        .topics = xcalloc(plan->place_count + 1, sizeof *wanted->topics)};
    for (int32_t i = 0; i < topics->subtopology_count; i++) {
        const subtopology *s = topics->subtopologies[i].from;

        infos_want(wanted, topics, plan, s->repartition_source_topics.items,
            s->repartition_source_topics.count);
        infos_want(
            wanted, topics, plan, s->state_changelog_topics.items, s->state_changelog_topics.count);
    }
    streams_plan_sort(plan, wanted->places, wanted->count);
}

/* False where an internal topic exists that is not as large as it is to be: the first one in the
 * order of Kafka's set of the topics that the topology requires. */
static bool
existing_check(const struct wanted *wanted, const struct streams_topology *topology,
    const struct streams_plan *plan, struct streams_fault *fault)
{
    int32_t *order = xcalloc(plan->place_count + 1, sizeof *order);
    size_t count = 0, position = 0, size;
    const void *name;
    bool fit = true;

    while (map_next(&topology->required, &position, &name, &size) != NULL)
        order[count++] =
            (int32_t)(streams_plan_place(plan, (struct wire_string){name, (int32_t)size}) -
                      plan->places);
    streams_plan_sort(plan, order, count);
    for (size_t i = 0; fit && i < count; i++) {
        const struct streams_place *place = &plan->places[order[i]];
        const struct streams_internal_topic *want = &wanted->topics[order[i]];

        if (want->info == NULL || place->existing == 0 || place->existing == want->partitions)
            continue;
        fit = false;
        fault->status = STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS;
        fault->detail = xasprintf("Existing topic %s has different number of partitions: expected "
                                  "%d, found %d",
            place->name, want->partitions, place->existing);
    }
    free(order);
    return fit;
}

static void
missing_take(struct streams_topics *topics, const struct wanted *wanted,
    const struct streams_plan *plan, struct streams_fault *fault)
{
    const char **names = xcalloc(wanted->count + 1, sizeof(const char *));

    topics->missing = xcalloc(wanted->count + 1, sizeof *topics->missing);
    for (size_t i = 0; i < wanted->count; i++) {
        const struct streams_place *place = &plan->places[wanted->places[i]];

        if (place->existing > 0)
            continue;
        names[topics->missing_count] = place->name;
        topics->missing[topics->missing_count++] = wanted->topics[wanted->places[i]];
    }
    if (topics->missing_count > 0) {
        fault->status = STREAMS_STATUS_MISSING_INTERNAL_TOPICS;
        fault->detail =
            names_summary("Internal topics are missing: ", names, topics->missing_count, "");
    }
    free(names);
}

static bool
missing_find(
    struct streams_topics *topics, const struct streams_plan *plan, struct streams_fault *fault)
{
    struct wanted wanted;
    bool fit;

    wanted_collect(&wanted, topics, plan);
    fit = existing_check(&wanted, topics->topology, plan, fault);
    if (fit)
        missing_take(topics, &wanted, plan, fault);
    free(wanted.places);
    free(wanted.topics);
    return fit;
}

/* --- a topology ----------------------------------------------------------------------------------
 */

static void
partitions_take(struct streams_topics *topics, const struct streams_plan *plan)
{
    for (size_t i = 0; i < plan->place_count; i++) {
        const struct streams_place *place = &plan->places[i];

        if (place->is_decided)
            (void)map_put(&topics->partitions, place->name, strlen(place->name),
                (void *)(intptr_t)place->decided);
    }
}

static int16_t
subtopologies_make(struct streams_topics *topics, const struct streams_plan *plan, struct err *e)
{
    const struct streams_topology *topology = topics->topology;
    int64_t tasks = 0;

    topics->subtopologies = xcalloc((size_t)plan->part_count + 1, sizeof *topics->subtopologies);
    for (int32_t i = 0; i < plan->part_count; i++) {
        const struct streams_plan_part *part = &plan->parts[i];
        const subtopology *from = part->from;
        struct streams_subtopology *to =
            &topics->subtopologies[streams_topology_find(topology, from->subtopology_id)];

        to->from = from;
        to->is_stateful = from->state_changelog_topics.count > 0;
        (void)streams_plan_reads(plan, part, &to->task_count);
        tasks += to->task_count;
        if (to->task_count < 1 ||
            !infos_fit(topics, from->repartition_source_topics.items,
                from->repartition_source_topics.count) ||
            !infos_fit(
                topics, from->state_changelog_topics.items, from->state_changelog_topics.count)) {
            err_set(e, RC_CONFIG, "%s", "");
            return KE_UNKNOWN_SERVER_ERROR;
        }
    }
    topics->subtopology_count = plan->part_count;
    if (tasks > LIMIT_STREAMS_TASKS_MAX) {
        err_set(e, RC_LIMIT, "The topology has more than %d tasks.", LIMIT_STREAMS_TASKS_MAX);
        return KE_STREAMS_INVALID_TOPOLOGY;
    }
    return KE_NONE;
}

/* Everything, with the names of the topology at hand. */
static int16_t
topics_decide(struct streams_topics *topics, struct streams_plan *plan, struct err *e)
{
    struct streams_fault fault = {STREAMS_STATUS_NONE, NULL};
    int16_t error = KE_NONE;

    if (sources_check(plan, &fault))
        error = streams_plan_decide(plan, &fault, e);
    if (error == KE_NONE && fault.status == STREAMS_STATUS_NONE) {
        partitions_take(topics, plan);
        error = subtopologies_make(topics, plan, e);
        topics->is_decided = error == KE_NONE && missing_find(topics, plan, &fault);
    }
    topics->status = fault.status;
    topics->detail = fault.detail;
    return error;
}

int16_t
streams_topics_configure(struct streams_topics *topics, const struct streams_topology *topology,
    const struct streams_topics_view *view, struct err *e)
{
    struct streams_plan plan;
    int16_t error;

    for (int32_t i = 0; i < topology->value.subtopologies.count; i++)
        if (!groups_fit(topology->by_table[i])) {
            err_set(e, RC_CONFIG, "%s", "");
            return KE_UNKNOWN_SERVER_ERROR;
        }
    topics->topology = topology;
    streams_plan_init(&plan, topology, view);
    error = topics_decide(topics, &plan, e);
    streams_plan_fini(&plan);
    if (error != KE_NONE) {
        streams_topics_fini(topics);
    } else if (!topics->is_decided) {
        free(topics->subtopologies);
        topics->subtopologies = NULL;
        topics->subtopology_count = 0;
    }
    return error;
}
