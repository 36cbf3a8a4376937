/*
 * share_calls: what a share group asks the share coordinator for, for many partitions at once: to
 * initialise them, or to delete them.
 *
 * The calls begin when all that the group has written is durable, so that the share coordinator
 * never knows of a partition that the group could forget in a crash; at most LIMIT_SHARE_CALLS_MAX
 * are under way. Once all have ended `done` gets them with their errors, and they are freed. Where
 * __share_group_state is missing it is made first; where it does not come within some seconds all
 * calls fail.
 *
 * The group may be gone by then, or have changed its mind: before each call to initialise it is
 * asked whether the partition is still in that stage, and the call is left out where it is not.
 */
#ifndef REFBROKER_COORD_SHARE_CALLS_H
#define REFBROKER_COORD_SHARE_CALLS_H

#include "refbroker/coord/share_group.h"
#include "refbroker/coord/share_states.h"

enum share_calls_kind { SHARE_CALLS_INITIALIZE, SHARE_CALLS_DELETE };

struct share_call {
    struct wire_uuid topic_id;
    int32_t partition;
    int64_t start_offset; /* of an initialisation; SHARE_OFFSET_UNKNOWN: by the configs */
    int16_t error;
    bool off; /* it was left out */
};

struct share_calls;
typedef void share_calls_fn(struct groups *groups, struct share_calls *calls);

struct share_calls {
    struct groups *groups;
    char *group_id;
    enum share_calls_kind kind;
    int32_t state_epoch; /* of an initialisation */
    struct share_call *items;
    size_t count;
    size_t capacity;
    share_calls_fn *done;
    void *arg; /* done's */
    /* The rest is share_calls' own. */
    struct list_node in_groups;
    struct append_waiter durable;
    struct group_timer retry;
    size_t next;
    size_t under_way;
    int tries;
    bool running;
};

/* share_calls_new begins a row of calls for a group, which share_calls_send takes over. */
struct share_calls *share_calls_new(
    const struct group *group, enum share_calls_kind kind, share_calls_fn *done, void *arg);

void share_calls_add(struct share_calls *calls, const struct wire_uuid *topic_id, int32_t partition,
    int64_t start_offset);

/* share_calls_add_topic adds all partitions of a topic. */
void share_calls_add_topic(struct share_calls *calls, const struct share_topic *topic);

/* share_calls_send makes the calls; `done` may be called at once. */
void share_calls_send(struct share_calls *calls_take);

/* share_calls_error returns the first error of any call, or 0. */
int16_t share_calls_error(const struct share_calls *calls);

/* share_calls_end ends what still waits, with an error, before the groups are freed. */
void share_calls_end(struct groups *groups);

#endif
