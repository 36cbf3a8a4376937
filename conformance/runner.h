/*
 * runner: runs checks, each in a process of its own, several at a time.
 *
 * A check that gives no verdict by its deadline gets SIGTERM, two seconds later SIGKILL, and has
 * failed. Checks that must be alone run last, one after the other, those that need the same
 * properties of the target in a row: the runner has the control start it with them, again where a
 * check that kills it has not passed, and at the end as it was. Results arrive in the order of the
 * run, whatever ended first. When several checks in a row got no answer at all and the target
 * does not answer the runner either, the rest fails at once instead of waiting one by one.
 */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include "conformance/catalog.h"
#include "conformance/kc.h"
#include "conformance/profile.h"
#include "conformance/result.h"

#define RUNNER_JOBS_MAX 64
#define RUNNER_PROBE_MS 5000

/* A check to run; `number` makes its topics' names. */
struct runner_item {
    struct catalog_entry entry;
    size_t number;
};

struct runner_outcome {
    struct catalog_entry entry;
    struct result result;
};

typedef void runner_done_fn(void *arg, const struct runner_outcome *outcome);

struct runner {
    const struct target *target;
    const struct kc_options *options;
    const struct profile *profile;
    const char *const *properties; /* what the target runs with, as in struct check */
    const struct runner_item *items;
    size_t count;
    size_t jobs;
    runner_done_fn *done;
    void *arg;
};

/* runner_run returns when all are done; RC_CANCELED when runner_stop was called meanwhile, RC_IO or
 * RC_TIMEOUT when the target could not be started again as it was. */
MUST_CHECK enum rc runner_run(const struct runner *runner, struct err *e);

/* runner_stop ends the run soon; may be called by a signal handler. */
void runner_stop(void);

/* runner_refuse gives every check the verdict that the target did not get as far as being checked,
 * and why. */
void runner_refuse(const struct runner *runner, const char *why);

/* runner_sweep deletes the topics of a run; false where that failed. */
bool runner_sweep(const struct target *target, const struct kc_options *options);

#endif
