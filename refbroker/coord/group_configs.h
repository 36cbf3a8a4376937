/*
 * group_configs: configs of single groups (resource type GROUP, KIP-848, KIP-932, KIP-1071), over
 * the broker's settings; the table is group_configs.def.
 *
 * They live in the broker's resource_configs and can be set before a group exists, those of share
 * and streams groups, too. Most must lie between two settings of the broker.
 */
#ifndef REFBROKER_COORD_GROUP_CONFIGS_H
#define REFBROKER_COORD_GROUP_CONFIGS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "refbroker/broker.h"
#include "refbroker/coord/group.h"
#include "refbroker/meta/config_def.h"

/* A setting of the broker, and where in struct group_settings it is; without a name: none. */
struct group_config_bound {
    const char *name;
    size_t at;
};

struct group_config_row {
    struct config_def def;
    struct group_config_bound standard; /* the default; none: def's */
    struct group_config_bound min;
    struct group_config_bound max;
};

const struct group_config_row *group_configs_rows(size_t *count);

/* group_configs_check judges a value; the text is that of Kafka. NULL takes a config away, which
 * may be one that nobody knows. */
MUST_CHECK enum rc group_configs_check(
    const struct broker *broker, const char *name, const char *value, struct err *e);

/* group_configs_check_together judges what a group would have: a session that is longer than its
 * heartbeats' interval. own gives a config that it would have of its own, or NULL. */
typedef const char *group_configs_own_fn(void *arg, const char *name);
MUST_CHECK enum rc group_configs_check_together(
    const struct broker *broker, group_configs_own_fn *own, void *arg, struct err *e);

/* group_configs_default is the value of a group that has none of its own; NULL where the arena is
 * full. */
const char *group_configs_default(
    const struct broker *broker, const struct group_config_row *row, struct arena *arena);

/* What is in force, for the protocol that the group has. */
int64_t group_configs_session_timeout_ms(const struct group *group);
int64_t group_configs_heartbeat_interval_ms(const struct group *group);

/* group_configs_may_assign tells whether a new target may be made now, after one at assigned_ms
 * (wall clock; 0: never): not more often than the group's assignment interval allows. */
bool group_configs_may_assign(const struct group *group, int64_t assigned_ms);

/* Of a streams group: standby tasks of each task, and how long its first rebalance waits. */
int64_t group_configs_streams_standbys(const struct group *group);
int64_t group_configs_streams_delay_ms(const struct group *group);

/* What holds for the records of a share group, which may not exist. */
struct group_share_configs {
    int64_t record_lock_duration_ms;
    int64_t delivery_count_limit;
    int64_t partition_max_record_locks;
    bool read_committed;
    bool renews; /* members may prolong their locks */
};
void group_configs_share(
    const struct broker *broker, const char *group_id, struct group_share_configs *out);

/* Where a share partition begins that has no start offset (share.auto.offset.reset). */
enum group_reset { GROUP_RESET_EARLIEST, GROUP_RESET_LATEST, GROUP_RESET_BY_DURATION };
struct group_share_reset {
    enum group_reset where;
    int64_t duration_ms; /* before now; GROUP_RESET_BY_DURATION */
};
struct group_share_reset group_configs_share_reset(
    const struct broker *broker, const char *group_id);

#endif
