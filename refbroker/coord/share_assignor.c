#include "refbroker/coord/share_assignor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"

#define NOBODY (-1)

/* A partition in a lot, and who has had it until now and keeps it. */
struct spot {
    struct topic_part part;
    int32_t hash;
    uint32_t bucket;
    size_t came;      /* its number among those of its lot */
    int32_t *holders; /* places of members, in the order in which they came */
    size_t holder_count;
    size_t holder_most; /* that there were */
    size_t holder_capacity;
};

/* What a member has in a lot. */
struct hand {
    size_t *spots; /* places in the lot's spots: what it keeps, then what it gets */
    size_t count;
    size_t capacity;
    size_t wanted;
    size_t given_last; /* the place of the last spot that it got, plus 1 */
};

/* Partitions that are shared out at once: all of a homogeneous group, or those of one topic. */
struct lot {
    struct share_assignor_group *group;
    bool by_topic;    /* its spots are of one topic */
    struct map found; /* the place of a spot plus 1, by topic and partition */
    struct spot *spots;
    size_t spot_count;
    size_t spot_capacity;
    size_t open_count; /* spots that can be given */
    struct hand *hands;
    int32_t *readers; /* places of members */
    int32_t reader_count;
};

/* --- the spots -----------------------------------------------------------------------------------
 */

/* TopicIdPartition is a record, whose hash is made as that of a list; or it is the number. */
static int32_t
part_hash(const struct lot *lot, const struct topic_part *part)
{
    if (lot->by_topic)
        return part->partition;
    return (int32_t)((uint32_t)java_hash_uuid(&part->topic_id) * 31 + (uint32_t)part->partition);
}

static size_t
spot_find(struct lot *lot, int32_t topic, int32_t partition)
{
    int64_t key = (int64_t)topic << 32 | (uint32_t)partition;
    size_t place = (size_t)(uintptr_t)map_get_int(&lot->found, key);
    struct spot *spot;

    if (place > 0)
        return place - 1;
    if (lot->spot_count == lot->spot_capacity) {
        lot->spot_capacity = lot->spot_capacity == 0 ? 16 : lot->spot_capacity * 2;
        lot->spots = xrealloc(lot->spots, lot->spot_capacity, sizeof *lot->spots);
    }
    spot = &lot->spots[lot->spot_count];
    *spot = (struct spot){
        .part = {lot->group->topics[topic].topic_id, partition, 0}, .came = lot->spot_count};
    spot->hash = part_hash(lot, &spot->part);
    map_put_int(&lot->found, key, (void *)(uintptr_t)++lot->spot_count);
    return lot->spot_count - 1;
}

static void
holder_add(struct spot *spot, int32_t member)
{
    if (spot->holder_count == spot->holder_capacity) {
        spot->holder_capacity = spot->holder_capacity == 0 ? 2 : spot->holder_capacity * 2;
        spot->holders = xrealloc(spot->holders, spot->holder_capacity, sizeof *spot->holders);
    }
    spot->holders[spot->holder_count++] = member;
    spot->holder_most = spot->holder_count;
}

static void
hand_add(struct hand *hand, size_t spot)
{
    if (hand->count == hand->capacity) {
        hand->capacity = hand->capacity == 0 ? 8 : hand->capacity * 2;
        hand->spots = xrealloc(hand->spots, hand->capacity, sizeof *hand->spots);
    }
    hand->spots[hand->count++] = spot;
}

static bool
holder_has(const struct spot *spot, int32_t member)
{
    for (size_t i = 0; i < spot->holder_count; i++)
        if (spot->holders[i] == member)
            return true;
    return false;
}

static void
holder_remove(struct spot *spot, int32_t member)
{
    size_t kept = 0;

    for (size_t i = 0; i < spot->holder_count; i++)
        if (spot->holders[i] != member)
            spot->holders[kept++] = spot->holders[i];
    spot->holder_count = kept;
}

static void
hand_remove(struct hand *hand, size_t spot)
{
    size_t kept = 0;

    for (size_t i = 0; i < hand->count; i++)
        if (hand->spots[i] != spot)
            hand->spots[kept++] = hand->spots[i];
    hand->count = kept;
}

/* --- the order of Java's tables ------------------------------------------------------------------
 */

struct ordered {
    uint32_t bucket;
    size_t came;
    size_t at;
};

static int
compare_ordered(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;

    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    return (x->came > y->came) - (x->came < y->came);
}

static struct ordered *
order_make(size_t count)
{
    return xcalloc(count + 1, sizeof(struct ordered));
}

static void
order_sort(struct ordered *order, size_t count)
{
    qsort(order, count, sizeof *order, compare_ordered);
}

/* --- who has what --------------------------------------------------------------------------------
 */

static int
compare_topic(const void *key, const void *item)
{
    return memcmp(
        key, &((const struct share_assignor_topic *)item)->topic_id, sizeof(struct wire_uuid));
}

static int32_t
topic_find(const struct share_assignor_group *group, const struct wire_uuid *topic_id)
{
    const struct share_assignor_topic *topic =
        group->topic_count == 0 ? NULL
                                : bsearch(topic_id, group->topics, (size_t)group->topic_count,
                                      sizeof *group->topics, compare_topic);

    return topic == NULL ? NOBODY : (int32_t)(topic - group->topics);
}

/* A member keeps, to begin with, what it has of one topic: `count` parts. */
static void
run_keep(
    struct lot *lot, int32_t member, int32_t topic, const struct topic_part *parts, size_t count)
{
    struct ordered *order = order_make(count);

    for (size_t i = 0; i < count; i++)
        order[i] =
            (struct ordered){java_hash_bucket(parts[i].partition, java_hash_copied(count)), i, i};
    order_sort(order, count);
    for (size_t i = 0; i < count; i++) {
        size_t spot = spot_find(lot, topic, parts[order[i].at].partition);

        holder_add(&lot->spots[spot], member);
        hand_add(&lot->hands[member], spot);
    }
    free(order);
}

/* The topics of a member come in the order of a table that was made of its record. */
static void
all_keep(struct lot *lot, int32_t member)
{
    const struct topic_parts *owned = lot->group->members[member].owned;
    size_t topics = topic_parts_topics(owned), i = 0;
    struct ordered *order = order_make(topics);

    for (size_t at = 0; at < owned->count; at += topic_parts_run(owned, at), i++)
        order[i] = (struct ordered){java_hash_bucket(java_hash_uuid(&owned->items[at].topic_id),
                                        java_hash_capacity(JAVA_HASH_CAPACITY, topics)),
            at, at};
    order_sort(order, topics);
    for (i = 0; i < topics; i++) {
        const struct topic_part *first = &owned->items[order[i].at];
        int32_t topic = topic_find(lot->group, &first->topic_id);

        if (topic != NOBODY)
            run_keep(lot, member, topic, first, topic_parts_run(owned, order[i].at));
    }
    free(order);
}

static void
topic_keep(struct lot *lot, int32_t member, int32_t topic)
{
    const struct topic_parts *owned = lot->group->members[member].owned;
    struct topic_part key = {lot->group->topics[topic].topic_id, INT32_MIN, 0};
    size_t low = 0, high = owned->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (topic_parts_compare(&owned->items[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < owned->count &&
        memcmp(&owned->items[low].topic_id, &key.topic_id, sizeof key.topic_id) == 0)
        run_keep(lot, member, topic, &owned->items[low], topic_parts_run(owned, low));
}

static void
topic_open(struct lot *lot, int32_t topic)
{
    const struct share_assignor_topic *from = &lot->group->topics[topic];

    for (int32_t i = 0; i < from->partition_count; i++)
        (void)spot_find(lot, topic, from->partitions[i]);
    lot->open_count += (size_t)from->partition_count;
}

/* The topics of a homogeneous group come in the order of a set of their names. */
static void
topics_open(struct lot *lot)
{
    size_t count = (size_t)lot->group->topic_count;
    struct ordered *order = order_make(count);

    for (size_t i = 0; i < count; i++)
        order[i] = (struct ordered){
            java_hash_bucket(java_hash_text(lot->group->topics[i].name), java_hash_copied(count)),
            i, i};
    order_sort(order, count);
    for (size_t i = 0; i < count; i++)
        topic_open(lot, (int32_t)order[i].at);
    free(order);
}

/* --- shares --------------------------------------------------------------------------------------
 */

/* How many members are to have each partition. */
static size_t
sharing_of(const struct lot *lot)
{
    return lot->open_count == 0
               ? 0
               : ((size_t)lot->reader_count + lot->open_count - 1) / lot->open_count;
}

/* In floating point as Kafka has it, where rounding may go wrong. */
static void
wanted_compute(struct lot *lot)
{
    double each = (double)(sharing_of(lot) * lot->open_count) / (double)lot->reader_count;

    for (int32_t i = 0; i < lot->reader_count; i++)
        lot->hands[lot->readers[i]].wanted =
            (size_t)((int64_t)ceil(each * (i + 1)) - (int64_t)ceil(each * i));
}

/* A member gives back what it has beyond its share, the first of its table first. */
static void
overfilled_revoke(struct lot *lot, int32_t member)
{
    struct hand *hand = &lot->hands[member];
    size_t count = hand->count;
    struct ordered *order;

    if (count <= hand->wanted)
        return;
    order = order_make(count);
    for (size_t i = 0; i < count; i++)
        order[i] = (struct ordered){java_hash_bucket(lot->spots[hand->spots[i]].hash,
                                        java_hash_capacity(JAVA_HASH_CAPACITY, count)),
            i, hand->spots[i]};
    order_sort(order, count);
    for (size_t i = 0; i < count; i++) {
        if (i < count - hand->wanted)
            holder_remove(&lot->spots[order[i].at], member);
        else
            hand->spots[i - (count - hand->wanted)] = order[i].at;
    }
    hand->count = hand->wanted;
    free(order);
}

/* A partition that too many have is taken from the first of them. */
static void
overshared_revoke(struct lot *lot, size_t place)
{
    struct spot *spot = &lot->spots[place];
    size_t count = spot->holder_count, sharing = sharing_of(lot);
    struct ordered *order;

    if (count <= sharing)
        return;
    order = order_make(count);
    for (size_t i = 0; i < count; i++)
        order[i] = (struct ordered){java_hash_bucket(spot->holders[i],
                                        java_hash_capacity(JAVA_HASH_CAPACITY, spot->holder_most)),
            i, (size_t)spot->holders[i]};
    order_sort(order, count);
    for (size_t i = 0; i < count - sharing; i++) {
        holder_remove(spot, (int32_t)order[i].at);
        hand_remove(&lot->hands[order[i].at], place);
    }
    free(order);
}

/* --- the rest ------------------------------------------------------------------------------------
 */

/* Members that have less than their share, as a chain in the order of their places, through which
 * one walks round and round; whoever has its share leaves it. */
struct unfilled {
    int32_t *next; /* by place plus 1; [0] is the first; NOBODY: the end */
    int32_t at;    /* the last one that was looked at, plus 1; 0: none yet */
    int32_t before;
    bool gave; /* somebody got something in this round */
};

static void
unfilled_init(struct unfilled *unfilled, const struct lot *lot)
{
    int32_t last = 0;

    *unfilled = (struct unfilled){
        .next = xcalloc((size_t)lot->group->member_count + 1, sizeof *unfilled->next)};
    unfilled->next[0] = NOBODY;
    for (int32_t i = 0; i < lot->reader_count; i++) {
        int32_t member = lot->readers[i];

        if (lot->hands[member].count >= lot->hands[member].wanted)
            continue;
        unfilled->next[last] = member;
        unfilled->next[member + 1] = NOBODY;
        last = member + 1;
    }
}

/* The next member, or NOBODY once a whole round has given nothing. */
static int32_t
unfilled_next(struct unfilled *unfilled)
{
    int32_t member = unfilled->next[unfilled->at];

    if (member == NOBODY) {
        if (!unfilled->gave)
            return NOBODY;
        unfilled->gave = false;
        unfilled->at = 0;
        member = unfilled->next[0];
        if (member == NOBODY)
            return NOBODY;
    }
    unfilled->before = unfilled->at;
    unfilled->at = member + 1;
    return member;
}

/* The member that was looked at last has its share. */
static void
unfilled_leave(struct unfilled *unfilled)
{
    unfilled->next[unfilled->before] = unfilled->next[unfilled->at];
    unfilled->at = unfilled->before;
}

/* Gives a partition to as many as it lacks. One that gets it in a second round over the same
 * members has it once, but is counted twice, as in Kafka. */
static void
spot_give(struct lot *lot, size_t place, struct unfilled *unfilled)
{
    const struct spot *spot = &lot->spots[place];
    size_t sharing = sharing_of(lot), given = spot->holder_count;
    int32_t member;

    while (given < sharing && (member = unfilled_next(unfilled)) != NOBODY) {
        struct hand *hand = &lot->hands[member];

        if (holder_has(spot, member))
            continue;
        if (hand->given_last != place + 1)
            hand_add(hand, place);
        hand->given_last = place + 1;
        unfilled->gave = true;
        given++;
        if (hand->count >= hand->wanted)
            unfilled_leave(unfilled);
    }
}

static void
rest_give(struct lot *lot)
{
    size_t reserved = java_hash_reserved((size_t)((float)(lot->open_count + 1) / 0.75f + 1.0f));
    struct ordered *order = order_make(lot->spot_count);
    struct unfilled unfilled;

    unfilled_init(&unfilled, lot);
    for (size_t i = 0; i < lot->spot_count; i++)
        order[i] = (struct ordered){
            java_hash_bucket(lot->spots[i].hash, java_hash_capacity(reserved, lot->spot_count)), i,
            i};
    order_sort(order, lot->spot_count);
    for (size_t i = 0; i < lot->spot_count && unfilled.next[0] != NOBODY; i++)
        spot_give(lot, order[i].at, &unfilled);
    free(unfilled.next);
    free(order);
}

/* --- a lot ---------------------------------------------------------------------------------------
 */

static void
lot_share(struct lot *lot)
{
    wanted_compute(lot);
    for (int32_t i = 0; i < lot->group->member_count; i++)
        overfilled_revoke(lot, i);
    for (size_t i = 0; i < lot->spot_count; i++)
        overshared_revoke(lot, i);
    rest_give(lot);
    for (int32_t i = 0; i < lot->group->member_count; i++)
        for (size_t k = 0; k < lot->hands[i].count; k++)
            topic_parts_add(
                &lot->group->members[i].target, &lot->spots[lot->hands[i].spots[k]].part);
}

static void
lot_init(struct lot *lot, struct share_assignor_group *group, bool by_topic)
{
    *lot = (struct lot){.group = group, .by_topic = by_topic};
    map_init(&lot->found);
    lot->hands = xcalloc((size_t)group->member_count + 1, sizeof *lot->hands);
    lot->readers = xcalloc((size_t)group->member_count + 1, sizeof *lot->readers);
}

static void
lot_fini(struct lot *lot)
{
    for (size_t i = 0; i < lot->spot_count; i++)
        free(lot->spots[i].holders);
    for (int32_t i = 0; i < lot->group->member_count; i++)
        free(lot->hands[i].spots);
    map_fini(&lot->found, NULL);
    free(lot->spots);
    free(lot->hands);
    free(lot->readers);
}

static void
all_share(struct share_assignor_group *group)
{
    struct lot lot;

    lot_init(&lot, group, false);
    for (int32_t i = 0; i < group->member_count; i++)
        lot.readers[lot.reader_count++] = i;
    for (int32_t i = 0; i < group->member_count; i++)
        all_keep(&lot, i);
    topics_open(&lot);
    lot_share(&lot);
    lot_fini(&lot);
}

static int
compare_place(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static bool
reads(const struct share_assignor_member *member, int32_t topic)
{
    return member->topic_count > 0 && bsearch(&topic, member->topics, (size_t)member->topic_count,
                                          sizeof topic, compare_place) != NULL;
}

static void
topic_share(struct share_assignor_group *group, int32_t topic)
{
    struct lot lot;

    lot_init(&lot, group, true);
    for (int32_t i = 0; i < group->member_count; i++)
        if (reads(&group->members[i], topic))
            lot.readers[lot.reader_count++] = i;
    for (int32_t i = 0; i < group->member_count; i++)
        topic_keep(&lot, i, topic);
    topic_open(&lot, topic);
    lot_share(&lot);
    lot_fini(&lot);
}

/* What nobody reads any more is not looked at, and stays in the target; members are not told. */
static void
unread_keep(struct share_assignor_group *group)
{
    for (int32_t i = 0; i < group->member_count; i++) {
        struct share_assignor_member *member = &group->members[i];

        for (size_t k = 0; k < member->owned->count; k++)
            if (topic_find(group, &member->owned->items[k].topic_id) == NOBODY)
                topic_parts_add(&member->target, &member->owned->items[k]);
    }
}

void
share_assignor_simple(struct share_assignor_group *group)
{
    if (group->member_count == 0 || group->topic_count == 0)
        return;
    if (group->homogeneous) {
        all_share(group);
    } else {
        for (int32_t i = 0; i < group->topic_count; i++)
            topic_share(group, i);
        unread_keep(group);
    }
    for (int32_t i = 0; i < group->member_count; i++)
        topic_parts_sort(&group->members[i].target);
}
