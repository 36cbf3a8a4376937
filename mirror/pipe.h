/*
 * pipe: copies partitions, byte for byte and at their own offsets, from any Kafka cluster into a
 * refbroker, and follows them live.
 *
 * Each partition goes round: fetch from its leader, append the batches as they are to the target
 * (MirrorAppend), and only when that is durable fetch on. The target's log is the only state: after
 * a crash of either side the pipe goes on at the target's end, and what was appended twice is
 * passed over there. Batches are not decompressed. The target's log begins where the source's does,
 * an empty one too.
 *
 * A partition that fails for good (the logs part, the topic is gone) stops alone and says why. Runs
 * on a loop; nothing blocks.
 */
#ifndef MIRROR_PIPE_H
#define MIRROR_PIPE_H

#include "mirror/selection.h"

struct pipe;

struct pipe_partition {
    int64_t next_offset; /* the target has everything below */
    int64_t goal_offset; /* the source's end when the pipe began */
    int64_t source_end;  /* high watermark, as last seen */
    int64_t log_start_offset;
    int64_t target_start; /* the target's log start, which follows */
    uint64_t bytes;       /* copied */
    bool begun;           /* the target has something of it */
    bool caught_up;       /* next_offset reached goal_offset */
    bool waits;           /* the last attempt failed, and there will be another: pipe_trouble */
    struct err failed;    /* RC_OK: it runs */
};

struct pipe_options {
    bool until_caught_up; /* end when every partition has reached its goal */
    int32_t fetch_bytes;  /* per partition and round */
};

/* The end: every partition has caught up (if asked) or failed. */
typedef void pipe_end_fn(void *arg);

/* pipe_start begins; both selections have their offsets, and lie in the same order. They and the
 * clusters must outlive the pipe. */
struct pipe *pipe_start(struct cluster *source, const struct selection *from, struct cluster *to,
    const struct selection *target, const struct pipe_options *options, pipe_end_fn *end,
    void *arg);

/* pipe_stop ends it at once: what is under way may or may not arrive. */
void pipe_free(struct pipe *pipe);

/* pipe_state returns the partitions, by their numbers in the selection. */
const struct pipe_partition *pipe_state(const struct pipe *pipe);

/* pipe_trouble tells why partitions wait: which cluster, and what happened there last. View; of use
 * where one of them waits. */
const char *pipe_trouble(const struct pipe *pipe);

#endif
