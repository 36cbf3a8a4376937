/*
 * group_list: the groups of a cluster that patterns choose.
 *
 * Every broker is asked for its part of the list (ListGroups). Patterns are those of selection.h.
 * Share groups are listed, too, though they commit no offsets (KIP-932 keeps them elsewhere).
 */
#ifndef MIRROR_GROUP_LIST_H
#define MIRROR_GROUP_LIST_H

#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/kafka/cluster.h"

enum group_list_type {
#define GROUP_LIST(name, text, commits) GROUP_LIST_##name,
#include "mirror/group_list.def"
#undef GROUP_LIST
};

struct group_list_group {
    char *id;
    enum group_list_type
        type;         /* classic where the broker is too old to tell (before ListGroups 5) */
    bool has_members; /* false, too, where it is too old for that (before 4) */
};

struct group_list {
    struct group_list_group *groups; /* by id, in bytes' order */
    uint32_t count;
    struct map by_id; /* id -> its place in groups, plus 1 */
};

/* group_list_init fails where one of the brokers does not tell its part: RC_REMOTE for a code of
 * Kafka's, or what the connection says. A list without groups is none. */
MUST_CHECK enum rc group_list_init(
    struct group_list *list, struct cluster *cluster, const char *patterns, struct err *e);

void group_list_fini(struct group_list *list);

/* group_list_find returns a group's place, or UINT32_MAX. */
uint32_t group_list_find(const struct group_list *list, struct wire_string id);

const char *group_list_type_text(enum group_list_type type);
bool group_list_commits(enum group_list_type type);

#endif
