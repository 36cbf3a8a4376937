/* Metadata: which topics and brokers there are. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

static bool
is_meant(const char *patterns, const char *name)
{
    char *copy = xstrdup(patterns), *rest = copy, *pattern;
    bool taken = false;

    while ((pattern = strsep(&rest, ",")) != NULL) {
        bool out = *pattern == '!';

        if (*pattern != '\0' && fnmatch(pattern + out, name, 0) == 0)
            taken = !out;
    }
    free(copy);
    return taken;
}

static int
by_name(const void *a, const void *b)
{
    const struct cluster_topic *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void
partitions_take(struct audit_inventory *inventory, struct audit_topic *topic,
    const struct cluster_topic *seen)
{
    for (int32_t i = 0; i < seen->partition_count; i++) {
        const struct cluster_partition *partition = &seen->partitions[i];

        inventory->partitions[topic->first + (uint32_t)i].leader_epoch = partition->leader_epoch;
        if (partition->replicas > 0 && (uint32_t)partition->replicas > topic->replication)
            topic->replication = (uint32_t)partition->replicas;
        topic->lagging += partition->in_sync_replicas < partition->replicas;
        topic->leaderless += partition->leader < 0;
    }
}

enum rc
probe_begin(const struct probe *probe, struct err *e)
{
    return cluster_refresh_some(probe->cluster, NULL, 0, e);
}

struct probe_topics {
    struct probe probe;
    struct cluster_refreshing *refreshing;
};

struct probe_topics *
probe_topics_begin(const struct probe *probe)
{
    struct probe_topics *own = xcalloc(1, sizeof *own);

    own->probe = *probe;
    own->refreshing = cluster_refresh_begin(probe->cluster);
    return own;
}

static enum rc
topics_take(const struct probe *probe, const char *patterns, struct err *e)
{
    struct audit_inventory *inventory = probe->inventory;
    const struct cluster_map *map = cluster_view(probe->cluster);
    const struct cluster_topic **sorted, *topic;
    size_t position = 0, count = 0;
    struct env env;

    env_init_real(&env);
    inventory->asked_ms[AUDIT_METADATA] = env_wall_ms(&env);
    inventory->cluster_id = map->cluster_id == NULL ? ""
                                                    : inventory_text(inventory, map->cluster_id,
                                                          (int32_t)strlen(map->cluster_id));
    inventory->brokers = (uint32_t)map_count(&map->brokers);
    /* In order of names, so that two audits can be compared. */
    sorted = xcalloc(map_count(&map->topics) + 1, sizeof *sorted);
    while ((topic = cluster_map_next_topic(map, &position)) != NULL)
        if (topic->is_internal || is_meant(patterns, topic->name))
            sorted[count++] = topic;
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        struct audit_topic *own =
            inventory_add_topic(inventory, sorted[i]->name, sorted[i]->partition_count);

        own->id = sorted[i]->id;
        own->is_internal = sorted[i]->is_internal;
        partitions_take(inventory, own, sorted[i]);
        if (sorted[i]->error != KE_NONE)
            inventory_gap(
                inventory, (uint32_t)i, AUDIT_METADATA, NULL, RC_REMOTE, sorted[i]->error, NULL);
    }
    free(sorted);
    return inventory_check(inventory, e);
}

enum rc
probe_topics_end(struct probe_topics *own, const char *patterns, struct err *e)
{
    enum rc rc = cluster_refresh_end(own->refreshing, e);

    if (rc == RC_OK)
        rc = topics_take(&own->probe, patterns, e);
    free(own);
    return rc;
}
