#include "cli/price_probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "audit/inventory.h"
#include "audit/probe.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

#define RACKS_MAX 64
#define STATE_STABLE "Stable"

/* One look at the cluster. */
struct look {
    struct audit_inventory inventory;
    int64_t sized_us; /* when sizes were asked for */
};

/* What was written between two looks, over all topics. */
struct written {
    double bytes_per_s;
    double read_per_s;   /* the same, times the groups that read it */
    uint32_t candidates; /* topics; of these */
    uint32_t topics;     /* could be compared, */
    uint32_t estimated;  /* part of them by records and their mean size; */
    uint32_t unsized;    /* others were written to, and have no size */
};

static enum rc
look_at(struct cluster *cluster, const char *patterns, bool with_groups, struct look *look,
    struct err *e)
{
    struct probe probe = {&look->inventory, cluster};
    enum rc rc = probe_topics_end(probe_topics_begin(&probe), patterns, e);

    if (rc != RC_OK)
        return rc;
    probe_offsets(&probe);
    look->sized_us = loop_now_us(cluster_loop(cluster));
    probe_sizes_end(probe_sizes_begin(&probe));
    if (with_groups) {
        probe_rights(&probe);
        probe_groups(&probe);
        probe_commits_end(probe_commits_begin(&probe));
        probe_members_end(probe_members_begin(&probe));
    }
    return inventory_check(&look->inventory, e);
}

static void
pause_for(struct loop *loop, int64_t ms)
{
    int64_t end_us = loop_now_us(loop) + ms * 1000;
    int64_t now_us;

    while ((now_us = loop_now_us(loop)) < end_us)
        loop_step(loop, end_us - now_us);
}

/* --- rates ------------------------------------------------------------------------------------ */

/* How many bytes a topic's logs grew; -1 where that cannot be seen: a partition is new, unknown, or
 * lost its beginning meanwhile. */
static double
growth(const struct look *before, const struct audit_topic *was, const struct look *after,
    const struct audit_topic *is)
{
    double sum = 0;

    if (was->partition_count != is->partition_count || was->bytes < 0 || is->bytes < 0)
        return -1;
    for (uint32_t i = 0; i < (uint32_t)is->partition_count; i++) {
        const struct audit_partition *old = &before->inventory.partitions[was->first + i];
        const struct audit_partition *new = &after->inventory.partitions[is->first + i];

        if (old->log_start_offset < 0 || old->log_start_offset != new->log_start_offset ||
            new->bytes < old->bytes)
            return -1;
        sum += (double)(new->bytes - old->bytes);
    }
    return sum;
}

/* The same by the records that came, each as long as those that were stored before. */
static double
growth_by_records(const struct look *before, const struct audit_topic *was,
    const struct look *after, const struct audit_topic *is)
{
    double records = 0;

    if (was->partition_count > is->partition_count)
        return -1;
    for (uint32_t i = 0; i < (uint32_t)was->partition_count; i++) {
        const struct audit_partition *old = &before->inventory.partitions[was->first + i];
        const struct audit_partition *new = &after->inventory.partitions[is->first + i];

        if (old->log_start_offset < 0 || new->log_start_offset < 0 ||
            new->end_offset < old->end_offset)
            return -1;
        records += (double)new->end_offset - (double)old->end_offset;
    }
    if (records == 0)
        return 0;
    if (was->bytes >= 0 && was->offsets > 0)
        return records * (double)was->bytes / (double)was->offsets;
    return is->bytes >= 0 && is->offsets > 0 ? records * (double)is->bytes / (double)is->offsets
                                             : -1;
}

/* Groups that read a topic now: with members on it, or with offsets and members at all. */
static uint32_t
readers(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    uint32_t count = 0;

    for (const struct audit_use *use = topic->uses; use != NULL; use = use->next) {
        const struct audit_group *group = &inventory->groups[use->group];

        count += use->members ||
                 (use->commits && group->state != NULL && strcmp(group->state, STATE_STABLE) == 0);
    }
    return count;
}

static void
written_between(const struct look *before, const struct look *after, struct written *out)
{
    double seconds = (double)(after->sized_us - before->sized_us) / 1e6;

    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < after->inventory.topic_count; i++) {
        const struct audit_topic *is = &after->inventory.topics[i], *was;
        uint32_t place = inventory_topic(&before->inventory, codec_string(is->name));
        double bytes;

        if (is->is_internal)
            continue;
        out->candidates++;
        if (place == INVENTORY_NO_NUMBER)
            continue;
        was = &before->inventory.topics[place];
        bytes = growth(before, was, after, is);
        if (bytes < 0) {
            bytes = growth_by_records(before, was, after, is);
            out->estimated += bytes >= 0;
        }
        if (bytes < 0) {
            out->unsized++;
            continue;
        }
        out->topics++;
        out->bytes_per_s += bytes / seconds;
        out->read_per_s += bytes / seconds * readers(&after->inventory, is);
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static uint32_t
racks(const struct cluster_map *map)
{
    const char *seen[RACKS_MAX];
    const struct cluster_broker *broker;
    size_t position = 0;
    uint32_t count = 0;

    while ((broker = cluster_map_next_broker(map, &position)) != NULL && count < RACKS_MAX) {
        uint32_t i = 0;

        if (broker->rack == NULL)
            continue;
        while (i < count && strcmp(seen[i], broker->rack) != 0)
            i++;
        if (i == count)
            seen[count++] = broker->rack;
    }
    return count;
}

static void
estate_know(
    const struct look *look, const struct cluster_map *map, const char *where, struct load *out)
{
    const struct audit_inventory *inventory = &look->inventory;
    uint32_t sized = 0, topics = 0, zones = racks(map);
    double bytes = 0, replica_bytes = 0;

    load_know(&out->brokers, inventory->brokers, "Metadata of %s", where);
    if (zones > 0)
        load_know(&out->zones, zones, "racks of the brokers, Metadata of %s", where);
    if (inventory->partition_count > 0)
        load_know(&out->partitions, inventory->partition_count, "Metadata of %s, internal ones too",
            where);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        if (inventory->topics[i].is_internal)
            continue;
        topics++;
        if (inventory->topics[i].bytes < 0)
            continue;
        sized++;
        bytes += (double)inventory->topics[i].bytes;
        replica_bytes += (double)inventory->topics[i].bytes * inventory->topics[i].replication;
    }
    if (bytes == 0)
        return;
    load_know(&out->stored, bytes, "DescribeLogDirs, %u of %u topics", sized, topics);
    /* Metadata of old brokers tells no replicas. */
    if (replica_bytes > 0)
        load_know(&out->replication, fmax(1, round(replica_bytes / bytes)),
            "replicas of each stored byte, rounded, Metadata of %s", where);
}

static void
rates_know(
    const struct look *before, const struct look *after, const char *patterns, struct load *out)
{
    const struct audit_gap *sizes = &after->inventory.gaps[AUDIT_SIZES];
    struct written written;

    written_between(before, after, &written);
    if (written.candidates == 0) {
        load_miss(&out->produced, "no topic fits %s", patterns);
    } else if (written.bytes_per_s == 0 && written.unsized > 0) {
        load_miss(&out->produced, "sizes are not known (DescribeLogDirs: %s)",
            sizes->why != NULL ? sizes->why : "it has none of these topics");
    } else if (written.bytes_per_s == 0) {
        load_miss(&out->produced, "nothing was written between the two looks");
    } else {
        load_know(&out->produced, written.bytes_per_s,
            "growth of %u of %u topics in %.1f s, %u by records times their mean size",
            written.topics, written.candidates, (double)(after->sized_us - before->sized_us) / 1e6,
            written.estimated);
        if (after->inventory.gaps[AUDIT_GROUPS].why == NULL && !after->inventory.is_restricted)
            load_know(&out->fan_out, written.read_per_s / written.bytes_per_s,
                "groups with members, per byte written; readers without a group are not seen");
    }
}

/* One line, which the next one takes the place of. */
static void __attribute__((format(printf, 2, 3))) tell(FILE *progress, const char *format, ...)
{
    va_list args;

    if (progress == NULL)
        return;
    fputs("\r\033[K", progress);
    va_start(args, format);
    vfprintf(progress, format, args);
    va_end(args);
}

enum rc
price_probe(struct cluster *cluster, const char *where, const char *patterns, int64_t sample_ms,
    FILE *progress, struct load *out, struct err *e)
{
    struct look before = {.sized_us = 0}, after = {.sized_us = 0};
    enum rc rc;

    memset(out, 0, sizeof *out);
    out->origin = INPUTS_MEASURED;
    inventory_init(&before.inventory);
    inventory_init(&after.inventory);
    tell(progress, "looking at topics, sizes and offsets");
    rc = look_at(cluster, patterns, false, &before, e);
    if (rc == RC_OK) {
        tell(progress, "looked once, again in %" PRId64 " s", sample_ms / 1000);
        pause_for(cluster_loop(cluster), sample_ms);
        tell(progress, "looking again");
        rc = look_at(cluster, patterns, true, &after, e);
    }
    tell(progress, "%s", "");
    if (rc == RC_OK) {
        estate_know(&after, cluster_view(cluster), where, out);
        rates_know(&before, &after, patterns, out);
    }
    inventory_fini(&before.inventory);
    inventory_fini(&after.inventory);
    return rc;
}
