/*
 * profile: what a target is documented to do differently, and what it then does.
 *
 * A text, one statement a line, '#' begins a comment:
 *
 *     name     coordinated
 *     about    diskless topics of refbroker
 *     topic    diskless.enable=true              a config of every topic that checks create
 *     limit    commit_ms 5000                    or metadata_ms
 *     require  produce.*                         not advertised is a failure here, no skip
 *     expect   offsets.by_time error_code=6      why it is so, up to the end of the line
 *
 * `expect` names a check (or a shell glob) and the observation that it must fail with; several are
 * separated by '|', each may be a glob. A check that fails otherwise is a failure, one that passes
 * makes the profile stale.
 */
#ifndef CONFORMANCE_PROFILE_H
#define CONFORMANCE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conformance/result.h"
#include "lib/base/err.h"

#define PROFILE_BYTES_MAX ((size_t)1 << 20)
#define PROFILE_LINES_MAX 1000
#define PROFILE_TOPICS_MAX 16

struct profile_expectation {
    char *pattern;
    char *observed;
    char *why;
};

struct profile {
    char *name;
    char *about;
    struct profile_expectation *expectations;
    size_t expectation_count;
    char *topics[PROFILE_TOPICS_MAX];
    size_t topic_count;
    char **required;
    size_t required_count;
    int64_t commit_ms;
    int64_t metadata_ms;
};

/* profile_new_empty is the strict one: nothing is expected. */
struct profile *profile_new_empty(void);

/* profile_parse reads a text; `origin` is for messages. RC_CONFIG with the line's number. */
MUST_CHECK enum rc profile_parse(
    const char *text, size_t size, const char *origin, struct profile **out, struct err *e);

/* profile_load takes a name of those that are built in, or else a file. */
MUST_CHECK enum rc profile_load(const char *name, struct profile **out, struct err *e);
void profile_free(struct profile *profile);

/* profile_names returns the built-in names, separated by ", ". */
const char *profile_names(void);

/* profile_is_observed tells whether an observation fits one of the globs separated by '|'. */
bool profile_is_observed(const char *alternatives, const char *observed);

/* profile_judge turns a check's result into what the profile makes of it. */
void profile_judge(const struct profile *profile, const char *id, struct result *result);

#endif
