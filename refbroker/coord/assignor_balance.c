/*
 * The uniform assignor where members read different topics (UniformHeterogeneousAssignmentBuilder).
 *
 * First everybody keeps what it has and still reads. Then what nobody has goes, topic by topic, to
 * those readers that have least. Then, topic by topic and until nothing changes any more (or for
 * ROUNDS_MAX rounds), partitions move from the readers that have most to those that have least, as
 * long as that makes them more equal. Topics with many partitions per reader come first.
 *
 * Per topic the readers stand sorted by how much they have. The poor are a range at the left end,
 * which gets one partition each before it rises a level and takes in who stands there; the rich are
 * a range at the right end, which gives one each before it sinks a level:
 *
 *                  rich
 *                 [  ##]#   <- these have nothing of this topic to give
 *       [poor  ]##[####]#
 *       [######]##[####]#
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"

#define ROUNDS_MAX 16

/* A topic while it is balanced. */
struct reader_list {
    int32_t *members;
    int32_t count;
};

struct balance {
    struct assignor_group *group;
    struct reader_list *readers; /* by topic */
    int32_t **owners;            /* by topic and partition: place of the member, -1 */
    int32_t *sizes;              /* by member */
    int32_t *order;              /* topics, in the order in which they are taken */
    int32_t order_count;
    /* The two ranges of a topic, and its readers sorted. */
    int32_t *sorted;
    int32_t sorted_count;
    int32_t poor_end, poor_level, poor_next;
    int32_t rich_start, rich_end, rich_level, rich_next;
    /* The topic's partitions, those of one owner together, and where each owner's lie. */
    int32_t *parts;
    int32_t *parts_start;
    int32_t *parts_end;
};

/* --- orders --------------------------------------------------------------------------------------
 */

/* Java's order of uuids: two signed halves. */
static int
compare_uuid(const struct wire_uuid *a, const struct wire_uuid *b)
{
    for (int half = 0; half < 16; half += 8) {
        int sign_a = a->bytes[half] >> 7, sign_b = b->bytes[half] >> 7;
        int order =
            sign_a != sign_b ? sign_b - sign_a : memcmp(a->bytes + half, b->bytes + half, 8);

        if (order != 0)
            return order;
    }
    return 0;
}

/* More partitions per reader first, then fewer readers, then by id. */
static int
compare_topics(const void *a_, const void *b_, void *arg)
{
    const struct balance *b = arg;
    int32_t x = *(const int32_t *)a_, y = *(const int32_t *)b_;
    int64_t left = (int64_t)b->group->topics[x].partition_count * b->readers[y].count;
    int64_t right = (int64_t)b->group->topics[y].partition_count * b->readers[x].count;

    if (left != right)
        return left > right ? -1 : 1;
    if (b->readers[x].count != b->readers[y].count)
        return b->readers[x].count < b->readers[y].count ? -1 : 1;
    return compare_uuid(&b->group->topics[x].topic_id, &b->group->topics[y].topic_id);
}

static int
compare_readers(const void *a_, const void *b_, void *arg)
{
    const struct balance *b = arg;
    int32_t x = *(const int32_t *)a_, y = *(const int32_t *)b_;

    if (b->sizes[x] != b->sizes[y])
        return b->sizes[x] < b->sizes[y] ? -1 : 1;
    return x < y ? -1 : 1;
}

struct owned_order {
    const int32_t *owners;
};

static int
compare_owned(const void *a_, const void *b_, void *arg)
{
    const struct owned_order *order = arg;
    int32_t x = *(const int32_t *)a_, y = *(const int32_t *)b_;

    if (order->owners[x] != order->owners[y])
        return order->owners[x] < order->owners[y] ? -1 : 1;
    return x < y ? -1 : 1;
}

/* --- begin ---------------------------------------------------------------------------------------
 */

static void
readers_collect(struct balance *b)
{
    const struct assignor_group *group = b->group;

    for (int32_t i = 0; i < group->member_count; i++)
        for (int32_t k = 0; k < group->members[i].topic_count; k++)
            b->readers[group->members[i].topics[k]].count++;
    for (int32_t i = 0; i < group->topic_count; i++) {
        b->readers[i].members = xcalloc((size_t)b->readers[i].count + 1, sizeof(int32_t));
        b->readers[i].count = 0;
    }
    for (int32_t i = 0; i < group->member_count; i++)
        for (int32_t k = 0; k < group->members[i].topic_count; k++) {
            struct reader_list *readers = &b->readers[group->members[i].topics[k]];

            readers->members[readers->count++] = i;
        }
}

static void
owned_keep(struct balance *b)
{
    const struct assignor_group *group = b->group;

    for (int32_t i = 0; i < group->topic_count; i++) {
        int32_t count = group->topics[i].partition_count;

        b->owners[i] = xcalloc((size_t)count + 1, sizeof(int32_t));
        for (int32_t k = 0; k < count; k++)
            b->owners[i][k] = -1;
    }
    for (int32_t i = 0; i < group->member_count; i++) {
        const struct assignor_member *member = &group->members[i];

        for (size_t k = 0; k < member->owned->count; k++) {
            const struct topic_part *part = &member->owned->items[k];
            int32_t topic = assignor_topic_find(group, &part->topic_id);

            if (topic < 0 || part->partition >= group->topics[topic].partition_count ||
                !assignor_reads(member, topic))
                continue;
            b->owners[topic][part->partition] = i;
            b->sizes[i]++;
        }
    }
}

static struct balance
balance_begin(struct assignor_group *group)
{
    size_t topics = (size_t)group->topic_count + 1, members = (size_t)group->member_count + 1;
    struct balance b = {.group = group};
    int32_t widest = 0;

    b.readers = xcalloc(topics, sizeof *b.readers);
    b.owners = xcalloc(topics, sizeof *b.owners);
    b.order = xcalloc(topics, sizeof *b.order);
    b.sizes = xcalloc(members, sizeof *b.sizes);
    b.sorted = xcalloc(members, sizeof *b.sorted);
    b.parts_start = xcalloc(members, sizeof *b.parts_start);
    b.parts_end = xcalloc(members, sizeof *b.parts_end);
    for (int32_t i = 0; i < group->topic_count; i++)
        if (group->topics[i].partition_count > widest)
            widest = group->topics[i].partition_count;
    b.parts = xcalloc((size_t)widest + 1, sizeof *b.parts);
    readers_collect(&b);
    owned_keep(&b);
    return b;
}

static void
balance_end(struct balance *b)
{
    for (int32_t i = 0; i < b->group->topic_count; i++) {
        free(b->readers[i].members);
        free(b->owners[i]);
    }
    free(b->readers);
    free(b->owners);
    free(b->order);
    free(b->sizes);
    free(b->sorted);
    free(b->parts);
    free(b->parts_start);
    free(b->parts_end);
}

static void
give(struct balance *b, int32_t topic, int32_t partition, int32_t member)
{
    int32_t before = b->owners[topic][partition];

    if (before >= 0)
        b->sizes[before]--;
    b->owners[topic][partition] = member;
    b->sizes[member]++;
}

/* --- the ranges ----------------------------------------------------------------------------------
 */

/* Sorts the readers of a topic and returns how far the richest is above the poorest. */
static int32_t
ranges_begin(struct balance *b, int32_t topic)
{
    const struct reader_list *readers = &b->readers[topic];
    int32_t poorest, richest;

    b->sorted_count = readers->count;
    memcpy(b->sorted, readers->members, (size_t)readers->count * sizeof *b->sorted);
    qsort_r(b->sorted, (size_t)readers->count, sizeof *b->sorted, compare_readers, b);
    poorest = b->sizes[b->sorted[0]];
    richest = b->sizes[b->sorted[readers->count - 1]];
    b->poor_end = 0;
    b->poor_level = poorest - 1;
    b->poor_next = 0;
    b->rich_start = b->rich_end = readers->count;
    b->rich_level = richest + 1;
    b->rich_next = readers->count - 1;
    return richest - poorest;
}

static int32_t
poor_take(struct balance *b)
{
    if (b->poor_next >= b->poor_end) {
        b->poor_level++;
        while (b->poor_end < b->sorted_count && b->sizes[b->sorted[b->poor_end]] == b->poor_level)
            b->poor_end++;
        b->poor_next = 0;
    }
    return b->sorted[b->poor_next++];
}

/* -1 where nobody is left. */
static int32_t
rich_take(struct balance *b)
{
    if (b->rich_next < b->rich_start) {
        /* Where all of the range had nothing to give, the level is that of the next one. */
        if (b->rich_end <= b->rich_start && b->rich_start > 0)
            b->rich_level = b->sizes[b->sorted[b->rich_start - 1]];
        else
            b->rich_level--;
        while (b->rich_start > 0 && b->sizes[b->sorted[b->rich_start - 1]] == b->rich_level)
            b->rich_start--;
        b->rich_next = b->rich_end - 1;
    }
    return b->rich_next < 0 ? -1 : b->sorted[b->rich_next--];
}

/* The one just taken leaves the range, to its right. */
static void
rich_exclude(struct balance *b)
{
    int32_t place = b->rich_next + 1, member = b->sorted[place];

    b->sorted[place] = b->sorted[b->rich_end - 1];
    b->sorted[b->rich_end - 1] = member;
    b->rich_end--;
}

static bool
is_balanced(const struct balance *b)
{
    return b->rich_level - b->poor_level <= 1;
}

/* --- the steps -----------------------------------------------------------------------------------
 */

/* Topics with at least so many readers, in the order in which they are taken. */
static void
topics_order(struct balance *b, int32_t readers_min)
{
    b->order_count = 0;
    for (int32_t i = 0; i < b->group->topic_count; i++)
        if (b->readers[i].count >= readers_min)
            b->order[b->order_count++] = i;
    qsort_r(b->order, (size_t)b->order_count, sizeof *b->order, compare_topics, b);
}

static void
free_give(struct balance *b)
{
    topics_order(b, 1);
    for (int32_t i = 0; i < b->order_count; i++) {
        int32_t topic = b->order[i];

        (void)ranges_begin(b, topic);
        for (int32_t k = 0; k < b->group->topics[topic].partition_count; k++)
            if (b->owners[topic][k] < 0)
                give(b, topic, k, poor_take(b));
    }
}

/* The topic's partitions by owner; the last one of an owner is given away first. */
static void
parts_sort(struct balance *b, int32_t topic)
{
    int32_t count = b->group->topics[topic].partition_count;
    struct owned_order order = {b->owners[topic]};

    for (int32_t i = 0; i < count; i++)
        b->parts[i] = i;
    qsort_r(b->parts, (size_t)count, sizeof *b->parts, compare_owned, &order);
    for (int32_t i = 0; i < b->group->member_count; i++)
        b->parts_start[i] = b->parts_end[i] = 0;
    for (int32_t i = count; i-- > 0;) {
        int32_t owner = b->owners[topic][b->parts[i]];

        if (b->parts_end[owner] == 0)
            b->parts_end[owner] = i + 1;
        b->parts_start[owner] = i;
    }
}

/* A rich reader that has something of the topic to give, or -1. */
static int32_t
giver_find(struct balance *b)
{
    int32_t member;

    while ((member = rich_take(b)) >= 0 && b->parts_end[member] <= b->parts_start[member])
        rich_exclude(b);
    return member;
}

static bool
topic_balance(struct balance *b, int32_t topic)
{
    bool moved = false;
    int32_t giver, taker;

    if (ranges_begin(b, topic) <= 1)
        return false;
    parts_sort(b, topic);
    while (!is_balanced(b) && (giver = giver_find(b)) >= 0) {
        int32_t partition = b->parts[--b->parts_end[giver]];

        taker = poor_take(b);
        if (is_balanced(b))
            break;
        give(b, topic, partition, taker);
        moved = true;
    }
    return moved;
}

static void
topics_balance(struct balance *b)
{
    int32_t last = -1; /* place of the topic that was changed last */

    topics_order(b, 2);
    for (int round = 0; round < ROUNDS_MAX; round++)
        for (int32_t i = 0; i < b->order_count; i++) {
            if (i == last)
                return;
            if (topic_balance(b, b->order[i]) || last == -1)
                last = i;
        }
}

void
assignor_balance(struct assignor_group *group)
{
    struct balance b = balance_begin(group);

    free_give(&b);
    topics_balance(&b);
    for (int32_t i = 0; i < group->topic_count; i++)
        for (int32_t k = 0; k < group->topics[i].partition_count; k++)
            if (b.owners[i][k] >= 0)
                assignor_give(group, &group->members[b.owners[i][k]], i, k);
    balance_end(&b);
}
