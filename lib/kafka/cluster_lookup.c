#include "lib/kafka/cluster_lookup.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
cluster_lookup_init(
    struct cluster_lookup *lookup, struct cluster *cluster, cluster_lookup_fn *fn, void *arg)
{
    memset(lookup, 0, sizeof *lookup);
    lookup->cluster = cluster;
    lookup->fn = fn;
    lookup->arg = arg;
    map_init(&lookup->topics);
}

static void
collection_clear(struct cluster_lookup *lookup)
{
    lookup->wants_brokers = false;
    map_fini(&lookup->topics, NULL);
    free(lookup->keys);
    lookup->keys = NULL;
    lookup->key_count = 0;
}

void
cluster_lookup_cancel(struct cluster_lookup *lookup)
{
    cluster_refresh_cancel(lookup->refresh);
    cluster_coord_find_cancel(lookup->find);
    lookup->refresh = NULL;
    lookup->find = NULL;
}

void
cluster_lookup_fini(struct cluster_lookup *lookup)
{
    cluster_lookup_cancel(lookup);
    collection_clear(lookup);
}

bool
cluster_lookup_is_coordinator(const struct cluster_target *target)
{
    return target->kind >= CLUSTER_GROUP;
}

/* The kinds of coordinators stand last in their enum, in the order of their types. */
static enum cluster_coord_type
coord_type(const struct cluster_target *target)
{
    return (enum cluster_coord_type)(target->kind - CLUSTER_GROUP);
}

int16_t
cluster_lookup_coordinator(
    const struct cluster *cluster, const struct cluster_target *target, int32_t *broker)
{
    return cluster_coord_get(cluster, coord_type(target), target->name, broker);
}

void
cluster_lookup_add(struct cluster_lookup *lookup, const struct cluster_target *target, bool afresh)
{
    if (target->kind == CLUSTER_LEADER) {
        if (map_get_text(&lookup->topics, target->name) == NULL)
            map_put_text(&lookup->topics, target->name, lookup);
    } else if (cluster_lookup_is_coordinator(target)) {
        if (afresh)
            cluster_coord_forget(lookup->cluster, coord_type(target), target->name);
        lookup->keys = xrealloc(lookup->keys, lookup->key_count + 1, sizeof *lookup->keys);
        lookup->keys[lookup->key_count++] =
            (struct cluster_coord_key){coord_type(target), target->name};
    } else {
        lookup->wants_brokers = true;
    }
}

static void
on_found(void *arg, const struct err *e)
{
    struct cluster_lookup *lookup = arg;

    lookup->find = NULL;
    lookup->fn(lookup->arg, true, e);
}

static void
on_refreshed(void *arg, const struct err *e)
{
    struct cluster_lookup *lookup = arg;

    lookup->refresh = NULL;
    lookup->fn(lookup->arg, false, e);
}

static void
refresh_start(struct cluster_lookup *lookup, int64_t deadline_us)
{
    size_t count = map_count(&lookup->topics), position = 0, i = 0;
    const char **names = xcalloc(count + 1, sizeof *names);
    struct cluster_refresh_topics topics = {.count = count, .names = names};
    const void *key;

    while (map_next(&lookup->topics, &position, &key, NULL) != NULL)
        names[i++] = key;
    lookup->refresh =
        cluster_refresh_start(lookup->cluster, &topics, deadline_us, on_refreshed, lookup);
    free(names);
}

void
cluster_lookup_start(struct cluster_lookup *lookup, int64_t deadline_us)
{
    bool wants_metadata = lookup->wants_brokers || map_count(&lookup->topics) > 0;

    REQUIRE(!cluster_lookup_is_running(lookup));
    if (wants_metadata || (lookup->key_count > 0 && map_count(&lookup->cluster->map.brokers) == 0))
        refresh_start(lookup, deadline_us);
    else if (lookup->key_count > 0)
        lookup->find = cluster_coord_find_start(
            lookup->cluster, lookup->keys, lookup->key_count, deadline_us, on_found, lookup);
    collection_clear(lookup);
}

bool
cluster_lookup_is_running(const struct cluster_lookup *lookup)
{
    return lookup->refresh != NULL || lookup->find != NULL;
}
