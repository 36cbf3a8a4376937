/*
 * group_loading: one record of __consumer_offsets at a start, as the modules see it that make
 * groups of such records (consumer_load.c, share_load.c, streams_load.c).
 */
#ifndef REFBROKER_COORD_GROUP_LOADING_H
#define REFBROKER_COORD_GROUP_LOADING_H

#include "refbroker/coord/groups.h"

struct group_loading {
    struct groups *groups;
    struct arena *arena;
    struct wire_bytes key;
    struct wire_bytes value; /* size -1: a tombstone */
};

bool group_loading_is_tombstone(const struct group_loading *l);

/* group_loading_read decodes what stands behind a leading int16; false where it is not readable. */
bool group_loading_read(const struct group_loading *l, const struct wire_message *message,
    struct wire_bytes data, void *out);

/* group_loading_read_value does so with the record's value, or leaves `out` as it was of a
 * tombstone. */
bool group_loading_read_value(
    const struct group_loading *l, const struct wire_message *message, void *out);

/* GROUP_LOADING_READ reads key and value of a record into structs that are called so. */
#define GROUP_LOADING_READ(l, name)                                                                \
    (group_loading_read(l, &km_##name##_key_message, (l)->key, &key) &&                            \
        group_loading_read_value(l, &km_##name##_value_message, &value))

/* group_loading_group returns the group of a record, made where it is not there; NULL for a
 * tombstone of a group that is not there, and at the limit of groups. */
struct group *group_loading_group(const struct group_loading *l, struct wire_string group_id);

#endif
