/*
 * topics: every topic of the broker, by name and by id.
 *
 * The registry is the memory side of the metadata; meta/catalog makes it durable first and changes
 * it here afterwards. A topic owns its partitions and configs. Names follow Kafka's rules
 * (Topic.java): 1 to 249 characters of [a-zA-Z0-9._-], not "." or ".."; two names that differ only
 * in '.' and '_' collide.
 *
 * Limits: LIMIT_TOPICS_MAX, LIMIT_PARTITIONS_MAX. Not thread-safe.
 */
#ifndef REFBROKER_META_TOPICS_H
#define REFBROKER_META_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/map.h"
#include "lib/wire/desc.h"
#include "refbroker/log/partition.h"
#include "refbroker/meta/topic_configs.h"

enum topic_state {
    TOPIC_ACTIVE = 0,
    TOPIC_MIRRORING = 1, /* takes verbatim appends only */
    TOPIC_PROMOTED = 2,  /* was mirrored, takes producers now */
};

struct topic {
    struct wire_uuid topic_id;
    char *name;
    enum topic_state state;
    bool changing; /* a change of the state is under way: no records until it is through */
    int16_t replication_factor; /* as asked for; one copy is what there is */
    int64_t created_ms;
    int32_t partition_count;
    struct partition **partitions;
    struct topic_configs configs;
};

struct topics {
    struct map by_name;
    struct map by_id;
    struct cache *cache; /* of the partitions made here */
    struct topic_defaults defaults;
    int64_t partition_count;
    uint64_t version; /* rises with every topic that comes, grows or goes */
    uint64_t created; /* the version at which the last one came */
};

void topics_init(struct topics *topics, struct cache *cache);
void topics_fini(struct topics *topics);

/* topics_add makes a topic with its partitions; the name must be free. */
struct topic *topics_add(
    struct topics *topics, const struct wire_uuid *topic_id, const char *name, int32_t partitions);

/* topics_grow adds partitions up to `count`. */
void topics_grow(struct topics *topics, struct topic *topic, int32_t count);

/* topics_remove takes the topic out and drops its partitions; their waiters must be gone already.
 */
void topics_remove(struct topics *topics, struct topic *topic);

struct topic *topics_find(const struct topics *topics, const char *name, size_t size);
struct topic *topics_find_id(const struct topics *topics, const struct wire_uuid *topic_id);

/* topics_set_default changes what topics have that set nothing of their own, by a checked value;
 * NULL is Kafka's. All topics are told, so that it costs some 40 ns for each, and 2 us for those
 * that have configs. */
void topics_set_default(
    struct topics *topics, const struct topic_config_row *row, const char *text);

/* topics_next walks the topics in order of creation: start with *position = 0. */
struct topic *topics_next(const struct topics *topics, size_t *position);

/* topics_partition returns the partition or NULL. */
struct partition *topics_partition(struct topic *topic, int32_t index);

/* What Kafka says of a topic or a partition that is not there. */
#define TOPICS_UNKNOWN_WHY "This server does not host this topic-partition."

/* topics_name_check explains in Kafka's words why a name is refused, or returns NULL. The text is
 * static. */
const char *topics_name_check(const char *name, size_t size);

/* topics_name_why writes what Kafka says to whoever uses such a name ("Topic name is invalid:
 * ..."), the name included where Kafka includes it. The name must be one that topics_name_check
 * refuses. */
#define TOPICS_NAME_WHY_BYTES 512
void topics_name_why(const char *name, size_t size, char out[TOPICS_NAME_WHY_BYTES]);

/* topics_name_collides returns the topic whose name differs from this one only in '.' and '_', or
 * NULL. */
const struct topic *topics_name_collides(const struct topics *topics, const char *name);

/* topics_is_internal tells whether the name is one of Kafka's internal topics. */
bool topics_is_internal(const char *name);

#endif
