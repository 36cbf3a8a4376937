#include "refbroker/coord/streams_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/java_hash.h"

typedef struct km_streams_group_topology_value_subtopology subtopology;
typedef struct km_streams_group_topology_value_copartition_group copartition_group;

static int16_t
refuse(struct err *e, const char *text)
{
    err_set(e, RC_CONFIG, "%s", text);
    return KE_STREAMS_INVALID_TOPOLOGY;
}

/* --- names ---------------------------------------------------------------------------------------
 */

static size_t
names_count(const subtopology *s)
{
    return (size_t)s->source_topics.count + (size_t)s->repartition_sink_topics.count +
           (size_t)s->repartition_source_topics.count + (size_t)s->state_changelog_topics.count;
}

static int32_t
place_of(struct streams_plan *plan, struct wire_string name, const struct streams_topics_view *view)
{
    void *found = map_get(&plan->by_name, name.data, (size_t)name.size);
    size_t place = (size_t)(uintptr_t)found;

    if (place > 0)
        return (int32_t)place - 1;
    plan->places[plan->place_count] = (struct streams_place){.name = name.data,
        .hash = java_hash_text(name.data),
        .existing = view->count(view->arg, name.data)};
    map_put(
        &plan->by_name, name.data, (size_t)name.size, (void *)(uintptr_t)(plan->place_count + 1));
    return (int32_t)plan->place_count++;
}

/* Sets the places of a part, whose lists go one behind the other from `numbers` on. */
static int32_t *
part_make(struct streams_plan *plan, struct streams_plan_part *part, const subtopology *from,
    const struct streams_topics_view *view, int32_t *numbers)
{
    part->from = from;
    part->sources = numbers;
    for (int32_t i = 0; i < from->source_topics.count; i++) {
        *numbers = place_of(plan, from->source_topics.items[i], view);
        plan->places[*numbers++].is_source = true;
    }
    part->repartitions = numbers;
    for (int32_t i = 0; i < from->repartition_source_topics.count; i++)
        *numbers++ = place_of(plan, from->repartition_source_topics.items[i].name, view);
    part->sinks = numbers;
    for (int32_t i = 0; i < from->repartition_sink_topics.count; i++)
        *numbers++ = place_of(plan, from->repartition_sink_topics.items[i], view);
    part->changelogs = numbers;
    for (int32_t i = 0; i < from->state_changelog_topics.count; i++)
        *numbers++ = place_of(plan, from->state_changelog_topics.items[i].name, view);
    return numbers;
}

void
streams_plan_init(struct streams_plan *plan, const struct streams_topology *topology,
    const struct streams_topics_view *view)
{
    int32_t count = topology->value.subtopologies.count, *numbers;
    size_t names = 0;

    for (int32_t i = 0; i < count; i++)
        names += names_count(topology->by_table[i]);
    *plan = (struct streams_plan){.part_count = count,
        .places = xcalloc(names + 1, sizeof *plan->places),
        .parts = xcalloc((size_t)count + 1, sizeof *plan->parts),
        .numbers = xcalloc(names + 1, sizeof *plan->numbers)};
    map_init(&plan->by_name);
    numbers = plan->numbers;
    for (int32_t i = 0; i < count; i++)
        numbers = part_make(plan, &plan->parts[i], topology->by_table[i], view, numbers);
}

void
streams_plan_fini(struct streams_plan *plan)
{
    map_fini(&plan->by_name, NULL);
    free(plan->places);
    free(plan->parts);
    free(plan->numbers);
}

struct streams_place *
streams_plan_place(const struct streams_plan *plan, struct wire_string name)
{
    void *found = map_get(&plan->by_name, name.data, (size_t)name.size);

    return &plan->places[(uintptr_t)found - 1];
}

/* The number of partitions that a place has, or else is to have. */
static int32_t
place_count(const struct streams_place *place)
{
    return place->existing > 0 ? place->existing : place->decided;
}

void
streams_plan_sort(const struct streams_plan *plan, int32_t *places, size_t count)
{
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);

    for (size_t i = 0; i < count; i++)
        entries[i] =
            (struct java_hash_entry){.hash = plan->places[places[i]].hash, .at = (size_t)places[i]};
    java_hash_sort(entries, count, java_hash_capacity(JAVA_HASH_CAPACITY, count));
    for (size_t i = 0; i < count; i++)
        places[i] = (int32_t)entries[i].at;
    free(entries);
}

/* --- repartition topics --------------------------------------------------------------------------
 */

static void
place_decide(struct streams_place *place, int32_t count)
{
    place->decided = count;
    place->is_decided = true;
}

static void
given_take(struct streams_plan *plan)
{
    for (int32_t i = 0; i < plan->part_count; i++) {
        const struct streams_plan_part *part = &plan->parts[i];

        for (int32_t k = 0; k < part->from->repartition_source_topics.count; k++) {
            struct streams_place *place = &plan->places[part->repartitions[k]];
            int32_t given = part->from->repartition_source_topics.items[k].partitions;

            if (given == 0) {
                place->is_flexible = true;
                continue;
            }
            place->is_fixed = true;
            place_decide(place, given);
        }
    }
}

/* The largest of what a part reads as far as it is known; repartition topics that exist count with
 * what is decided for them. */
static bool
part_known(const struct streams_plan *plan, const struct streams_plan_part *part, int32_t *count)
{
    bool known = false;

    *count = 0;
    for (int32_t i = 0; i < part->from->repartition_source_topics.count; i++) {
        const struct streams_place *place = &plan->places[part->repartitions[i]];

        if (place->is_decided && (!known || place->decided > *count)) {
            *count = place->decided;
            known = true;
        }
    }
    for (int32_t i = 0; i < part->from->source_topics.count; i++) {
        const struct streams_place *place = &plan->places[part->sources[i]];

        if (!known || place->existing > *count) {
            *count = place->existing;
            known = true;
        }
    }
    return known;
}

static bool
part_lacks(const struct streams_plan *plan, const struct streams_plan_part *part)
{
    for (int32_t i = 0; i < part->from->repartition_sink_topics.count; i++)
        if (!plan->places[part->sinks[i]].is_decided)
            return true;
    return false;
}

static void
sinks_decide(struct streams_plan *plan, const struct streams_plan_part *part, int32_t count)
{
    for (int32_t i = 0; i < part->from->repartition_sink_topics.count; i++)
        if (!plan->places[part->sinks[i]].is_decided)
            place_decide(&plan->places[part->sinks[i]], count);
}

static int16_t
repartitions_decide(struct streams_plan *plan, struct err *e)
{
    bool lacking, progress;
    int32_t count;

    given_take(plan);
    do {
        lacking = progress = false;
        for (int32_t i = 0; i < plan->part_count; i++) {
            if (!part_lacks(plan, &plan->parts[i]))
                continue;
            if (part_known(plan, &plan->parts[i], &count)) {
                sinks_decide(plan, &plan->parts[i], count);
                progress = true;
            } else {
                lacking = true;
            }
        }
        if (lacking && !progress)
            return refuse(e, "Failed to compute number of partitions for all repartition topics. "
                             "There may be loops in the topology that cannot be resolved.");
    } while (lacking);
    for (int32_t i = 0; i < plan->part_count; i++)
        for (int32_t k = 0; k < plan->parts[i].from->repartition_source_topics.count; k++)
            if (!plan->places[plan->parts[i].repartitions[k]].is_decided)
                return refuse(e, "Failed to compute number of partitions for all repartition "
                                 "topics, because a repartition source topic is never used as a "
                                 "sink topic.");
    return KE_NONE;
}

/* --- copartition groups --------------------------------------------------------------------------
 */

struct group {
    struct streams_plan *plan;
    int32_t *places; /* scratch for all names of the topology */
    int32_t *repartitions;
    int32_t *others;
    size_t count;
    size_t repartition_count;
    size_t other_count;
    bool has_fixed; /* the topology */
    bool fixed_differ;
    int32_t fixed_count;
};

static void
group_add(struct group *group, int32_t place)
{
    if (group->plan->places[place].group == group->plan->groups)
        return;
    group->plan->places[place].group = group->plan->groups;
    group->places[group->count++] = place;
}

/* The group's topics in the order of Kafka's tables: first of all of them, then of those that are
 * repartition topics. */
static void
group_collect(
    struct group *group, const struct streams_plan_part *part, const copartition_group *from)
{
    group->plan->groups++;
    group->count = group->repartition_count = group->other_count = 0;
    for (int32_t i = 0; i < from->source_topics.count; i++)
        group_add(group, part->sources[from->source_topics.items[i]]);
    for (int32_t i = 0; i < from->repartition_source_topics.count; i++)
        group_add(group, part->repartitions[from->repartition_source_topics.items[i]]);
    streams_plan_sort(group->plan, group->places, group->count);
    for (size_t i = 0; i < group->count; i++) {
        const struct streams_place *place = &group->plan->places[group->places[i]];

        if (place->is_fixed || place->is_flexible)
            group->repartitions[group->repartition_count++] = group->places[i];
        else
            group->others[group->other_count++] = group->places[i];
    }
    streams_plan_sort(group->plan, group->repartitions, group->repartition_count);
}

static int
compare_name(const void *a, const void *b)
{
    const struct streams_place *x = *(const struct streams_place *const *)a;
    const struct streams_place *y = *(const struct streams_place *const *)b;

    return strcmp(x->name, y->name);
}

static void
differ_fault(
    const struct group *group, const int32_t *places, size_t count, struct streams_fault *fault)
{
    const struct streams_place **sorted = xcalloc(count + 1, sizeof(const struct streams_place *));
    struct buf text;

    for (size_t i = 0; i < count; i++)
        sorted[i] = &group->plan->places[places[i]];
    qsort(sorted, count, sizeof(const struct streams_place *), compare_name);
    buf_init(&text, SIZE_MAX);
    buf_append_text(&text, "Following topics do not have the same number of partitions: [{");
    for (size_t i = 0; i < count; i++)
        buf_printf(
            &text, "%s%s=%d", i == 0 ? "" : ", ", sorted[i]->name, place_count(sorted[i]));
    buf_append_text(&text, "}]");
    fault->status = STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS;
    fault->detail = xstrdup(buf_text(&text));
    buf_fini(&text);
    free(sorted);
}

/* How many partitions the repartition topics of a group are to have; false: a fault. */
static bool
group_count(const struct group *group, int32_t *count, struct streams_fault *fault)
{
    const struct streams_place *places = group->plan->places;

    if (group->other_count > 0) {
        *count = place_count(&places[group->others[0]]);
        for (size_t i = 1; i < group->other_count; i++)
            if (place_count(&places[group->others[i]]) != *count) {
                differ_fault(group, group->others, group->other_count, fault);
                return false;
            }
        return true;
    }
    if (group->has_fixed) {
        if (group->fixed_differ)
            differ_fault(group, group->repartitions, group->repartition_count, fault);
        *count = group->fixed_count;
        return !group->fixed_differ;
    }
    *count = 0;
    for (size_t i = 0; i < group->repartition_count; i++) {
        int32_t at = place_count(&places[group->repartitions[i]]);

        *count = at > *count ? at : *count;
    }
    return true;
}

static bool
group_enforce(struct group *group, struct streams_fault *fault)
{
    int32_t count;

    if (group->count == 0)
        return true;
    if (!group_count(group, &count, fault))
        return false;
    for (size_t i = 0; i < group->repartition_count; i++) {
        struct streams_place *place = &group->plan->places[group->repartitions[i]];
        int32_t is = place_count(place);

        if (place->is_fixed && is != count) {
            fault->status = STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS;
            fault->detail = xasprintf("Number of partitions [%d] of repartition topic [%s] doesn't "
                                      "match number of partitions [%d] of the source topic.",
                is, place->name, count);
            return false;
        }
        place_decide(place, count);
    }
    return true;
}

/* Whether all fixed repartition topics of the topology have one number. No group changes that: it
 * leaves them as they are, or is a fault. */
static void
fixed_compare(struct group *group)
{
    for (size_t i = 0; i < group->plan->place_count; i++) {
        const struct streams_place *place = &group->plan->places[i];

        if (!place->is_fixed)
            continue;
        if (!group->has_fixed)
            group->fixed_count = place_count(place);
        group->has_fixed = true;
        group->fixed_differ |= place_count(place) != group->fixed_count;
    }
}

static void
groups_enforce(struct streams_plan *plan, struct streams_fault *fault)
{
    struct group group = {.plan = plan,
        .places = xcalloc(plan->place_count + 1, sizeof *group.places),
        .repartitions = xcalloc(plan->place_count + 1, sizeof *group.repartitions),
        .others = xcalloc(plan->place_count + 1, sizeof *group.others)};
    bool fits = true;

    fixed_compare(&group);
    for (int32_t i = 0; i < plan->part_count; i++)
        for (int32_t k = 0; fits && k < plan->parts[i].from->copartition_groups.count; k++) {
            group_collect(
                &group, &plan->parts[i], &plan->parts[i].from->copartition_groups.items[k]);
            fits = group_enforce(&group, fault);
        }
    free(group.places);
    free(group.repartitions);
    free(group.others);
}

/* --- changelogs ----------------------------------------------------------------------------------
 */

bool
streams_plan_reads(
    const struct streams_plan *plan, const struct streams_plan_part *part, int32_t *count)
{
    int32_t topics = part->from->source_topics.count + part->from->repartition_source_topics.count;

    *count = INT32_MIN;
    for (int32_t i = 0; i < topics; i++) { /* repartitions stand behind sources */
        int32_t at = place_count(&plan->places[part->sources[i]]);

        *count = at > *count ? at : *count;
    }
    return topics > 0;
}

static int16_t
changelogs_decide(struct streams_plan *plan, struct err *e)
{
    for (int32_t i = 0; i < plan->part_count; i++) {
        const struct streams_plan_part *part = &plan->parts[i];
        int32_t count;

        if (!streams_plan_reads(plan, part, &count)) {
            err_set(e, RC_CONFIG, "No source topics found for subtopology %.*s",
                (int)part->from->subtopology_id.size, part->from->subtopology_id.data);
            return KE_STREAMS_INVALID_TOPOLOGY;
        }
        for (int32_t k = 0; k < part->from->state_changelog_topics.count; k++)
            plan->places[part->changelogs[k]].changelog = count;
    }
    for (size_t i = 0; i < plan->place_count; i++)
        if (plan->places[i].changelog != 0)
            place_decide(&plan->places[i], plan->places[i].changelog);
    return KE_NONE;
}

int16_t
streams_plan_decide(struct streams_plan *plan, struct streams_fault *fault, struct err *e)
{
    int16_t error = repartitions_decide(plan, e);

    if (error != KE_NONE)
        return error;
    groups_enforce(plan, fault);
    return fault->status == STREAMS_STATUS_NONE ? changelogs_decide(plan, e) : KE_NONE;
}
