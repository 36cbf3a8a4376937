#include "refbroker/coord/member_order.h"

#include <stdlib.h>

#include "refbroker/coord/java_hash.h"

#define HASH_MAP_CAPACITY_MIN 16
#define TIMELINE_CAPACITY_MIN 2
#define TIMELINE_FACTOR UINT64_C(11400714819323198485) /* BaseHashTable.findSlot: 2^64 / phi */

/* Both tables double when they are filled beyond three quarters: HashMap once they are,
 * TimelineHashMap before. */
static size_t
hash_map_capacity(size_t count)
{
    size_t capacity = HASH_MAP_CAPACITY_MIN;

    while (count * 4 > capacity * 3)
        capacity *= 2;
    return capacity;
}

/* BaseHashTable.baseAddOrReplace compares with the capacity itself. */
static unsigned
timeline_bits(size_t count)
{
    unsigned bits = 1;

    while (count * 3 > ((size_t)TIMELINE_CAPACITY_MIN << (bits - 1)) * 4)
        bits++;
    return bits;
}

static int
compare(const void *a, const void *b)
{
    const struct member_order *x = a, *y = b;

    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    if (x->is_new != y->is_new)
        return x->is_new ? 1 : -1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    /* TimelineHashMap goes through a slot from its end. */
    return x->at > y->at ? -1 : x->at < y->at;
}

void
member_order_sort(struct member_order *members, size_t count)
{
    size_t capacity = hash_map_capacity(count), known = 0;
    unsigned bits;

    for (size_t i = 0; i < count; i++)
        known += !members[i].is_new;
    bits = timeline_bits(known);
    for (size_t i = 0; i < count; i++) {
        int32_t hash = java_hash_text(members[i].member_id);
        uint32_t spread = (uint32_t)hash ^ (uint32_t)hash >> 16;

        members[i].bucket = spread & (uint32_t)(capacity - 1);
        members[i].slot = (uint32_t)((uint64_t)(int64_t)hash * TIMELINE_FACTOR >> (64 - bits));
    }
    qsort(members, count, sizeof *members, compare);
}
