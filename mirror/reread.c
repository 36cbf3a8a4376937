#include "mirror/reread.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* The records of one range. */
struct records {
    struct difference_record *items;
    size_t count;
    size_t capacity;
};

struct side {
    struct reread *reread;
    struct cluster *cluster;
    const struct selection *selection;
    struct scan *scan;
    struct scan_partition *partitions;
    struct records records[REREAD_AT_ONCE];
};

struct reread {
    struct side sides[2];
    struct reread_range *ranges;
    size_t count;
    size_t first; /* of the ranges that are being read */
    int ended;    /* sides */
    scan_end_fn *end;
    void *arg;
};

static size_t
group_end(const struct reread *reread)
{
    size_t end = reread->first + REREAD_AT_ONCE;

    return end < reread->count ? end : reread->count;
}

static void
record_seen(void *arg, uint32_t number, const struct batch_view *batch,
    const struct batch_records_record *record)
{
    struct side *side = arg;
    struct records *records;
    size_t i = side->reread->first;

    while (side->reread->ranges[i].number != number)
        i++;
    records = &side->records[i - side->reread->first];
    if (records->count == records->capacity) {
        records->capacity = records->capacity == 0 ? 64 : records->capacity * 2;
        records->items = xrealloc(records->items, records->capacity, sizeof *records->items);
    }
    records->items[records->count++] = difference_record_of(batch, record);
}

static bool
is_read(const struct side *side, uint32_t number)
{
    return side->partitions[number].failed.code == RC_OK;
}

static void
group_compare(struct reread *reread)
{
    for (size_t i = reread->first; i < group_end(reread); i++) {
        struct reread_range *range = &reread->ranges[i];
        struct records *source = &reread->sides[0].records[i - reread->first];
        struct records *target = &reread->sides[1].records[i - reread->first];

        if (is_read(&reread->sides[0], range->number) && is_read(&reread->sides[1], range->number))
            range->difference =
                difference_find(source->items, source->count, target->items, target->count);
        source->count = target->count = 0;
    }
}

static void side_ended(void *arg);

static void
group_start(struct reread *reread)
{
    reread->ended = 0;
    for (int s = 0; s < 2; s++) {
        struct side *side = &reread->sides[s];

        memset(side->partitions, 0, side->selection->partition_count * sizeof *side->partitions);
        for (size_t i = reread->first; i < group_end(reread); i++) {
            side->partitions[reread->ranges[i].number].from = reread->ranges[i].from;
            side->partitions[reread->ranges[i].number].to = reread->ranges[i].to;
        }
    }
    for (int s = 0; s < 2; s++) {
        struct side *side = &reread->sides[s];

        side->scan = scan_start(
            side->cluster, side->selection, side->partitions, record_seen, side_ended, side);
    }
}

static void
side_ended(void *arg)
{
    struct reread *reread = ((struct side *)arg)->reread;

    if (++reread->ended < 2)
        return;
    group_compare(reread);
    for (int s = 0; s < 2; s++) {
        scan_free(reread->sides[s].scan);
        reread->sides[s].scan = NULL;
    }
    reread->first = group_end(reread);
    if (reread->first < reread->count)
        group_start(reread);
    else
        reread->end(reread->arg);
}

struct reread *
reread_start(struct cluster *source, const struct selection *from, struct cluster *to,
    const struct selection *target, struct reread_range *ranges, size_t count, scan_end_fn *end,
    void *arg)
{
    struct reread *reread = xcalloc(1, sizeof *reread);

    REQUIRE(count > 0);
    reread->ranges = ranges;
    reread->count = count;
    reread->end = end;
    reread->arg = arg;
    reread->sides[0].cluster = source;
    reread->sides[0].selection = from;
    reread->sides[1].cluster = to;
    reread->sides[1].selection = target;
    for (int s = 0; s < 2; s++) {
        reread->sides[s].reread = reread;
        reread->sides[s].partitions = xcalloc(
            reread->sides[s].selection->partition_count, sizeof *reread->sides[s].partitions);
    }
    group_start(reread);
    return reread;
}

void
reread_free(struct reread *reread)
{
    if (reread == NULL)
        return;
    for (int s = 0; s < 2; s++) {
        scan_free(reread->sides[s].scan);
        free(reread->sides[s].partitions);
        for (size_t i = 0; i < REREAD_AT_ONCE; i++)
            free(reread->sides[s].records[i].items);
    }
    free(reread);
}
