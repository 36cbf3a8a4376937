/*
 * group_sync: brings the offsets that groups have committed at a source to a target whose topics
 * have the same offsets, so that consumers go on there where they stopped.
 *
 * One pass reads both sides, commits at the target what is higher at the source, and reads it back.
 * It never goes beyond the end of the target's log, since a consumer that finds its offset out of
 * range starts wherever auto.offset.reset says; and never backwards, unless asked to. Groups that
 * have members at the target are left to them. Offsets that are gone at the source stay.
 *
 * Blocks until it is done, while the loop goes on with what else is on it; it asks over connections
 * of its own, so that a Fetch that waits holds up nothing.
 */
#ifndef MIRROR_GROUP_SYNC_H
#define MIRROR_GROUP_SYNC_H

#include "mirror/group_offsets.h"

enum group_sync_verdict {
#define GROUP_SYNC(name, word, is_done, meaning) GROUP_SYNC_##name,
#include "mirror/group_sync.def"
#undef GROUP_SYNC
    GROUP_SYNC_VERDICTS
};

/* Sets end_offset of the target's partitions; called behind the reading of the source, so that an
 * end is not older than the offsets that it is compared with. */
typedef enum rc group_sync_ends_fn(void *arg, struct selection *target, struct err *e);

struct group_sync_options {
    bool rewinds; /* an offset that is higher at the target goes back */
    bool renews;  /* equal ones are committed again: offsets of groups without members expire */
    bool is_rehearsal; /* commits nothing; COPIED is what would be */
    group_sync_ends_fn *ends;
    void *arg;
};

struct group_sync_group {
    uint32_t counts[GROUP_SYNC_VERDICTS]; /* partitions */
    uint32_t without;   /* partitions of its topics for which it has committed nothing */
    uint32_t elsewhere; /* partitions of topics that are not selected for which it has */
    struct err failed;  /* of the whole group; RC_OK: none */
};

struct group_sync {
    struct group_list list;
    struct group_sync_group *groups; /* as in the list */
    uint32_t totals[GROUP_SYNC_VERDICTS];
    uint32_t with_offsets; /* groups that have any on these topics, or could not be asked */
};

/* group_sync_pass fills *sync, which the caller finishes, also where it fails: RC_REMOTE or what
 * the connection says, where groups cannot be listed or ends not read. What fails of a single group
 * stands there. Both selections lie in the same order. */
MUST_CHECK enum rc group_sync_pass(struct group_sync *sync, struct cluster *source,
    const struct selection *from, struct cluster *to, struct selection *target,
    const char *patterns, const struct group_sync_options *options, struct err *e);

void group_sync_fini(struct group_sync *sync);

/* group_sync_is_done tells whether the target has all that the source has. */
bool group_sync_is_done(const struct group_sync *sync);

/* group_sync_word and group_sync_meaning are the texts of group_sync.def. */
const char *group_sync_word(enum group_sync_verdict verdict);
const char *group_sync_meaning(enum group_sync_verdict verdict);

/* group_sync_verdict_is_done tells whether the target has what the source has. */
bool group_sync_verdict_is_done(enum group_sync_verdict verdict);

#endif
