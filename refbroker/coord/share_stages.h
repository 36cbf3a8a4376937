/*
 * share_stages: how far the partitions of a share group are with the share coordinator: being
 * initialised there, initialised (only these are assigned to members), or, topic by topic, being
 * deleted.
 *
 * It is what a ShareGroupStatePartitionMetadata record says: every change makes one, and a start
 * reads the last one back. The functions change memory only. A topic keeps the name that it had.
 * Rules: GroupMetadataManager of Kafka 4.3. What does not change within a call stays as it is.
 * Limit: the topics that exist when they are added.
 */
#ifndef REFBROKER_COORD_SHARE_STAGES_H
#define REFBROKER_COORD_SHARE_STAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

/* Partitions of one topic, ascending; owned. They may be none. */
struct share_topic {
    struct wire_uuid topic_id;
    char *name;
    int32_t *partitions;
    int32_t partition_count;
};

/* Sorted by topic id; owned. The zero value is empty. */
struct share_topics {
    struct share_topic *items;
    size_t count;
    size_t capacity;
};

struct share_stages {
    bool exists;         /* has a record */
    int64_t recorded_ms; /* wall clock: when that was made, or read at a start */
    struct share_topics initializing;
    struct share_topics initialized;
    struct share_topics deleting; /* without partitions */
};

void share_topics_fini(struct share_topics *topics);

/* share_topics_add joins partitions, in any order, to those of a topic. */
void share_topics_add(struct share_topics *topics, const struct wire_uuid *topic_id,
    const char *name, const int32_t *partitions, int32_t count);

/* share_topics_remove takes a topic away, and tells whether it was there. */
bool share_topics_remove(struct share_topics *topics, const struct wire_uuid *topic_id);

const struct share_topic *share_topics_find(
    const struct share_topics *topics, const struct wire_uuid *topic_id);

bool share_topic_has(const struct share_topic *topic, int32_t partition);

void share_stages_fini(struct share_stages *stages);

/* share_stages_begin: these are being initialised; they are not being deleted any more.
 * share_stages_complete: that was done. share_stages_withdraw: it was not. */
void share_stages_begin(struct share_stages *stages, const struct share_topics *topics);
void share_stages_complete(struct share_stages *stages, const struct share_topics *topics);
void share_stages_withdraw(struct share_stages *stages, const struct share_topics *topics);

/* share_stages_delete: an initialised topic is being deleted from now on; share_stages_delete_all:
 * every topic is. */
void share_stages_delete(struct share_stages *stages, const struct wire_uuid *topic_id);
void share_stages_delete_all(struct share_stages *stages);

/* share_stages_forget drops a topic, which was deleted, and tells whether it was anywhere. */
bool share_stages_forget(struct share_stages *stages, const struct wire_uuid *topic_id);

#endif
