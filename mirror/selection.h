/*
 * selection: which topics and partitions a mirror or a verification is about, and where their logs
 * begin and end.
 *
 * Patterns are shell globs, separated by commas; a pattern that begins with '!' takes topics out
 * again. Internal topics are taken only where a pattern names them letter by letter. Partitions are
 * numbered through all topics (items of cluster_fan).
 */
#ifndef MIRROR_SELECTION_H
#define MIRROR_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/kafka/cluster.h"

struct selection_topic {
    char *name;
    struct wire_uuid id; /* at the cluster that was asked */
    int32_t partition_count;
    uint32_t first; /* number of its partition 0 */
    bool compacts;  /* cleanup.policy, set by topics_compaction */
};

struct selection_partition {
    uint32_t topic;
    int32_t partition;
    int64_t log_start_offset;
    int64_t end_offset; /* high watermark */
};

struct selection {
    struct selection_topic *topics;
    uint32_t topic_count;
    struct selection_partition *partitions;
    uint32_t partition_count;
    struct map by_name; /* topic -> its place in topics, plus 1 */
};

/* Partitions of one topic among the items of a request. */
struct selection_group {
    const char *topic;
    uint32_t *numbers;
    size_t count;
};

/* selection_init asks a cluster for its topics and takes those that match; RC_NOTFOUND where none
 * does, RC_REMOTE where one of them has an error. */
MUST_CHECK enum rc selection_init(
    struct selection *selection, struct cluster *cluster, const char *patterns, struct err *e);

/* selection_same makes the same topics and partitions as `other`, as another cluster has them;
 * RC_NOTFOUND where a topic is missing there, RC_CONFLICT where its partitions are not as many. */
MUST_CHECK enum rc selection_same(struct selection *selection, struct cluster *cluster,
    const struct selection *other, struct err *e);

void selection_fini(struct selection *selection);

/* selection_offsets reads start and end of every partition's log. */
MUST_CHECK enum rc selection_offsets(
    struct selection *selection, struct cluster *cluster, struct err *e);

/* selection_stable reads every partition's last stable offset into `out`, by number: below the end
 * while a transaction is open. */
MUST_CHECK enum rc selection_stable(
    struct selection *selection, struct cluster *cluster, int64_t *out, struct err *e);

/* selection_matches tells whether a topic's name is meant by the patterns. */
bool selection_matches(const char *patterns, const char *name, bool is_internal);

/* selection_find returns the number of a partition, or UINT32_MAX. */
uint32_t selection_find(
    const struct selection *selection, struct wire_string topic, int32_t partition);

/* selection_group sorts the items of a request by topic, as requests want them; NULL where the
 * arena is full. */
struct selection_group *selection_group(const struct selection *selection, const uint32_t *items,
    size_t count, struct arena *arena, size_t *group_count);

/* selection_name returns the topic's name of a partition number. */
const char *selection_name(const struct selection *selection, uint32_t number);

#endif
