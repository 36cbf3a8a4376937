#include "refbroker/coord/share_assignor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/coord/share_result.h"

#define NOBODY (-1)

/* A partition in a lot, and who has had it until now and keeps it. */
struct spot {
    int32_t topic; /* its place in the group */
    int32_t partition;
    int32_t hash;
    int32_t *holders; /* places of members, in the order in which they came */
    size_t holder_count;
    size_t holder_most; /* that there were */
    size_t holder_capacity;
};

/* What a member has in a lot. */
struct hand {
    size_t *spots; /* places in the lot's spots: what it keeps, then what it gets, as they came */
    size_t count;
    size_t capacity;
    size_t had; /* before anything was taken */
    size_t wanted;
    size_t given_last; /* the place of the last spot that it got, plus 1 */
};

/* Partitions that are shared out at once: all of a homogeneous group, or those of one topic. */
struct lot {
    struct share_assignor_group *group;
    struct share_result *results; /* of the members */
    bool by_topic;    /* its spots are of one topic */
    size_t buckets;   /* of Kafka's table of the spots, which come by computeIfAbsent */
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
spot_hash(const struct lot *lot, int32_t topic, int32_t partition)
{
    const struct wire_uuid *topic_id = &lot->group->topics[topic].topic_id;

    return lot->by_topic ? partition
                         : (int32_t)((uint32_t)java_hash_uuid(topic_id) * 31 + (uint32_t)partition);
}

static size_t
spot_find(struct lot *lot, int32_t topic, int32_t partition)
{
    int64_t key = (int64_t)topic << 32 | (uint32_t)partition;
    size_t place = (size_t)(uintptr_t)map_get_int(&lot->found, key);

    lot->buckets = java_hash_capacity(lot->buckets, lot->spot_count);
    if (place > 0)
        return place - 1;
    if (lot->spot_count == lot->spot_capacity) {
        lot->spot_capacity = lot->spot_capacity == 0 ? 16 : lot->spot_capacity * 2;
        lot->spots = xrealloc(lot->spots, lot->spot_capacity, sizeof *lot->spots);
    }
    lot->spots[lot->spot_count] = (struct spot){
        .topic = topic, .partition = partition, .hash = spot_hash(lot, topic, partition)};
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

static struct java_hash_entry *
order_make(size_t count)
{
    return xcalloc(count + 1, sizeof(struct java_hash_entry));
}

/* --- who has what --------------------------------------------------------------------------------
 */

/* A member keeps, to begin with, what it has of one topic. */
static void
topic_keep(struct lot *lot, int32_t member, int32_t topic, const struct share_parts_topic *has)
{
    for (int32_t i = 0; i < has->partition_count; i++) {
        size_t spot = spot_find(lot, topic, has->partitions[i]);

        holder_add(&lot->spots[spot], member);
        hand_add(&lot->hands[member], spot);
    }
    lot->hands[member].had = lot->hands[member].count;
}

static void
all_keep(struct lot *lot, int32_t member)
{
    const struct share_parts *owned = lot->group->members[member].owned;

    for (size_t i = 0; i < owned->count; i++) {
        int32_t topic = share_assignor_topic_find(lot->group, &owned->topics[i].topic_id);

        if (topic != SHARE_ASSIGNOR_NOWHERE)
            topic_keep(lot, member, topic, &owned->topics[i]);
    }
}

static void
topic_open(struct lot *lot, int32_t topic)
{
    const struct share_assignor_topic *from = &lot->group->topics[topic];

    for (int32_t i = 0; i < from->partition_count; i++)
        (void)spot_find(lot, topic, from->partitions[i]);
}

static int
compare_name(const void *a, const void *b)
{
    const struct share_assignor_topic *x = *(const struct share_assignor_topic *const *)a;
    const struct share_assignor_topic *y = *(const struct share_assignor_topic *const *)b;

    return strcmp(x->name, y->name);
}

/* The topics that a member reads, as the set of their names has them, into which they came by name;
 * the caller frees them. */
static struct java_hash_entry *
topics_read(const struct share_assignor_group *group, const struct share_assignor_member *member)
{
    size_t count = (size_t)member->topic_count;
    const struct share_assignor_topic **by_name = xcalloc(count + 1, sizeof *by_name);
    struct java_hash_entry *order = order_make(count);

    for (size_t i = 0; i < count; i++)
        by_name[i] = &group->topics[member->topics[i]];
    qsort(by_name, count, sizeof *by_name, compare_name);
    for (size_t i = 0; i < count; i++)
        order[i] =
            (struct java_hash_entry){.bucket = java_hash_bucket(java_hash_text(by_name[i]->name),
                                         java_hash_copied(member->name_count)),
                .came = i,
                .at = (size_t)(by_name[i] - group->topics)};
    java_hash_order(order, count);
    free(by_name);
    return order;
}

/* Of a homogeneous group: in the order of any of its members. */
static void
topics_open(struct lot *lot)
{
    struct java_hash_entry *order = topics_read(lot->group, &lot->group->members[0]);

    for (int32_t i = 0; i < lot->group->topic_count; i++)
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
    size_t count = hand->count, kept = 0;
    struct java_hash_entry *order;
    bool *goes;

    if (count <= hand->wanted)
        return;
    order = order_make(count);
    goes = xcalloc(count, sizeof *goes);
    for (size_t i = 0; i < count; i++)
        order[i] =
            (struct java_hash_entry){.bucket = java_hash_bucket(lot->spots[hand->spots[i]].hash,
                                         java_hash_capacity(JAVA_HASH_CAPACITY, count)),
                .came = i,
                .at = i};
    java_hash_order(order, count);
    for (size_t i = 0; i < count - hand->wanted; i++)
        goes[order[i].at] = true;
    for (size_t i = 0; i < count; i++) {
        if (goes[i])
            holder_remove(&lot->spots[hand->spots[i]], member);
        else
            hand->spots[kept++] = hand->spots[i];
    }
    hand->count = kept;
    free(goes);
    free(order);
}

/* A partition that too many have is taken from the first of them. */
static void
overshared_revoke(struct lot *lot, size_t place)
{
    struct spot *spot = &lot->spots[place];
    size_t count = spot->holder_count, sharing = sharing_of(lot);
    struct java_hash_entry *order;

    if (count <= sharing)
        return;
    order = order_make(count);
    for (size_t i = 0; i < count; i++)
        order[i] =
            (struct java_hash_entry){.bucket = java_hash_bucket(spot->holders[i],
                                         java_hash_capacity(JAVA_HASH_CAPACITY, spot->holder_most)),
                .came = i,
                .at = (size_t)spot->holders[i]};
    java_hash_order(order, count);
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
        share_result_give(&lot->results[member], lot->group, spot->topic,
            hand->given_last == place + 1 ? SHARE_RESULT_AGAIN : spot->partition);
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
    struct java_hash_entry *order = order_make(lot->spot_count);
    struct unfilled unfilled;

    unfilled_init(&unfilled, lot);
    for (size_t i = 0; i < lot->spot_count; i++)
        order[i] =
            (struct java_hash_entry){.bucket = java_hash_bucket(lot->spots[i].hash, lot->buckets),
                .came = lot->spot_count - i,
                .at = i};
    java_hash_order(order, lot->spot_count);
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
    for (int32_t i = 0; i < lot->group->member_count; i++)
        for (size_t k = 0; k < lot->hands[i].count; k++) {
            const struct spot *spot = &lot->spots[lot->hands[i].spots[k]];

            share_result_keep(&lot->results[i], spot->topic, spot->partition);
        }
    rest_give(lot);
    for (int32_t i = 0; i < lot->group->member_count; i++)
        if (!lot->by_topic && lot->hands[i].had > 0 && lot->hands[i].had >= lot->hands[i].wanted)
            lot->results[i].is_made_anew = true;
}

static void
lot_init(struct lot *lot, struct share_assignor_group *group, struct share_result *results,
    bool by_topic, size_t open_count)
{
    *lot = (struct lot){.group = group,
        .results = results,
        .by_topic = by_topic,
        .open_count = open_count,
        .buckets = java_hash_reserved((size_t)((float)(open_count + 1) / 0.75f + 1.0f))};
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
all_share(struct share_assignor_group *group, struct share_result *results)
{
    size_t open_count = 0;
    struct lot lot;

    for (int32_t i = 0; i < group->topic_count; i++)
        open_count += (size_t)group->topics[i].partition_count;
    lot_init(&lot, group, results, false, open_count);
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
topic_share(struct share_assignor_group *group, int32_t topic, struct share_result *results)
{
    struct lot lot;

    lot_init(&lot, group, results, true, (size_t)group->topics[topic].partition_count);
    for (int32_t i = 0; i < group->member_count; i++)
        if (reads(&group->members[i], topic))
            lot.readers[lot.reader_count++] = i;
    for (int32_t i = 0; i < group->member_count; i++)
        if (results[i].places[topic] > 0)
            topic_keep(
                &lot, i, topic, &group->members[i].owned->topics[results[i].places[topic] - 1]);
    topic_open(&lot, topic);
    lot_share(&lot);
    lot_fini(&lot);
}

/* Numbers the topics as they come when the members are asked one after the other what they read. */
static void
topics_number(const struct share_assignor_group *group, struct java_hash_entry *topics)
{
    size_t came = 0;

    for (int32_t i = 0; i < group->member_count; i++) {
        struct java_hash_entry *named = topics_read(group, &group->members[i]);

        for (int32_t k = 0; k < group->members[i].topic_count; k++)
            if (topics[named[k].at].came == 0)
                topics[named[k].at].came = ++came;
        free(named);
    }
}

/* Topics come in the order of a set of their ids. */
static void
each_share(struct share_assignor_group *group, struct share_result *results)
{
    size_t count = (size_t)group->topic_count;
    struct java_hash_entry *order = order_make(count);

    for (size_t i = 0; i < count; i++)
        order[i] = (struct java_hash_entry){
            .bucket = java_hash_bucket(java_hash_uuid(&group->topics[i].topic_id),
                java_hash_capacity(JAVA_HASH_CAPACITY, count)),
            .at = i};
    topics_number(group, order);
    java_hash_order(order, count);
    for (size_t i = 0; i < count; i++)
        topic_share(group, (int32_t)order[i].at, results);
    free(order);
}

void
share_assignor_simple(struct share_assignor_group *group)
{
    struct share_result *results;

    if (group->member_count == 0 || group->topic_count == 0)
        return;
    results = xcalloc((size_t)group->member_count, sizeof *results);
    for (int32_t i = 0; i < group->member_count; i++)
        share_result_init(&results[i], group, i);
    if (group->homogeneous)
        all_share(group, results);
    else
        each_share(group, results);
    for (int32_t i = 0; i < group->member_count; i++)
        share_result_end(&results[i], &group->members[i]);
    free(results);
}
