/*
 * cutover_gates: the questions between two clusters whose answers let a cut-over go on.
 *
 * Each gate looks, tells what it found (cutover_tell_fn), and sets *holds. A gate that does not
 * hold is no error; an error is where it could not look. Some gates bring about what they ask for,
 * as the last records that are missing at the target: not where is_rehearsal.
 */
#ifndef MIRROR_CUTOVER_GATES_H
#define MIRROR_CUTOVER_GATES_H

#include "mirror/selection.h"

enum cutover_step {
#define CUTOVER_STEP(name, word, meaning) CUTOVER_STEP_##name,
#include "mirror/cutover.def"
#undef CUTOVER_STEP
    CUTOVER_STEPS
};

enum cutover_outcome {
    CUTOVER_HOLDS,
    CUTOVER_REFUSES,
    CUTOVER_WAITS, /* and is asked again */
    CUTOVER_IS_LEFT_OUT,
};

typedef void cutover_tell_fn(
    void *arg, enum cutover_step step, enum cutover_outcome outcome, const char *text);

struct cutover_options {
    const char *groups;   /* patterns; NULL: none */
    bool fences;          /* by fence.h, */
    bool opens;           /* and topics that have no access rule are opened by it */
    bool aborts_open;     /* transactions that are open do not hold it up, and are aborted */
    int64_t still_ms;     /* how long the source's logs must not grow */
    int64_t wait_ms;      /* for them to be still, and for the target to come to their ends */
    int64_t tail_records; /* of each partition, to be compared; 0: none */
    int32_t fetch_bytes;
    cutover_tell_fn *tell;
    void *arg;
    const bool *is_interrupted; /* becomes true: RC_CANCELED as soon as possible */
};

struct cutover_gates {
    struct cluster *source;
    struct cluster *to;
    struct selection from; /* with the ends of the last look */
    struct selection target;
    int64_t *still_ends; /* of the source, when they were found to be still; by partition number */
    const struct cutover_options *options;
    bool is_rehearsal;
};

/* cutover_gates_open asks both clusters for the topics; RC_NOTFOUND where the target lacks one. The
 * caller closes it, also after an error. */
MUST_CHECK enum rc cutover_gates_open(struct cutover_gates *gates, struct cluster *source,
    struct cluster *to, const char *patterns, const struct cutover_options *options, struct err *e);
void cutover_gates_close(struct cutover_gates *gates);

MUST_CHECK enum rc cutover_gates_still(struct cutover_gates *gates, bool *holds, struct err *e);
MUST_CHECK enum rc cutover_gates_drained(struct cutover_gates *gates, bool *holds, struct err *e);
MUST_CHECK enum rc cutover_gates_equal(struct cutover_gates *gates, bool *holds, struct err *e);
MUST_CHECK enum rc cutover_gates_groups(struct cutover_gates *gates, bool *holds, struct err *e);
MUST_CHECK enum rc cutover_gates_as_still(struct cutover_gates *gates, bool *holds, struct err *e);

const char *cutover_gates_step_word(enum cutover_step step);
const char *cutover_gates_step_meaning(enum cutover_step step);
const char *cutover_gates_outcome_word(enum cutover_outcome outcome);

/* cutover_gates_tell formats and tells. */
void cutover_gates_tell(const struct cutover_gates *gates, enum cutover_step step,
    enum cutover_outcome outcome, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
