/*
 * topic_groups: rows that each belong to a topic, gathered by topic.
 *
 * For answers that list partitions under their topics, whatever order they were found in: topics in
 * the order in which they come first, the rows of each in their order. In the arena.
 */
#ifndef REFBROKER_API_TOPIC_GROUPS_H
#define REFBROKER_API_TOPIC_GROUPS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

struct topic_group {
    struct wire_uuid topic_id;
    const size_t *rows; /* numbers of its rows */
    int32_t count;
};

struct topic_groups {
    struct topic_group *items;
    int32_t count;
};

/* topic_groups_make gathers `count` rows, of which topic_ids names the topics. False where the
 * arena is full. */
MUST_CHECK bool topic_groups_make(
    struct arena *arena, const struct wire_uuid *topic_ids, size_t count, struct topic_groups *out);

#endif
