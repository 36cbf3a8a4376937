#include "refbroker/coord/member_order.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"

#define TIMELINE_CAPACITY_MIN 2
#define TIMELINE_FACTOR UINT64_C(11400714819323198485) /* BaseHashTable.findSlot: 2^64 / phi */

/* As HashMap this table doubles when it is filled beyond three quarters, but before the entry that
 * does so is in; BaseHashTable.baseAddOrReplace compares with the capacity itself. */
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
    size_t capacity = java_hash_capacity(JAVA_HASH_CAPACITY, count), known = 0;
    unsigned bits;

    for (size_t i = 0; i < count; i++)
        known += !members[i].is_new;
    bits = timeline_bits(known);
    for (size_t i = 0; i < count; i++) {
        int32_t hash = java_hash_text(members[i].member_id);

        members[i].bucket = java_hash_bucket(hash, capacity);
        members[i].slot = (uint32_t)((uint64_t)(int64_t)hash * TIMELINE_FACTOR >> (64 - bits));
    }
    qsort(members, count, sizeof *members, compare);
}

struct member_order *
member_order_of(const struct map *members, member_order_new_fn *is_new, const void *arg)
{
    size_t count = map_count(members), position = 0, i = 0, size;
    struct member_order *order = xcalloc(count + 1, sizeof *order);
    char **ids = xcalloc(count + 1, sizeof *ids);
    const void *id;
    void *member;

    while ((member = map_next(members, &position, &id, &size)) != NULL) {
        ids[i] = xmemdup(id, size);
        order[i] = (struct member_order){
            .member_id = ids[i], .is_new = is_new(arg, member), .at = i, .member = member};
        i++;
    }
    member_order_sort(order, count);
    for (i = 0; i < count; i++) {
        order[i].member_id = NULL;
        free(ids[i]);
    }
    free(ids);
    return order;
}
