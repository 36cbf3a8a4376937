/*
 * check: one rule that a Kafka broker keeps, as one row and one function.
 *
 * Rows stand in the file of their area (c_wire.c, c_produce.c …), one table per file; catalog.c
 * joins the tables. A check function runs in a process of its own and asserts one rule through
 * its struct kc; it returns when the rule holds and does not return otherwise.
 */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/messages.h"

struct kc;

typedef void check_fn(struct kc *kc);

enum {
    CHECK_CORE = 1 << 0,    /* matters most to whoever migrates */
    CHECK_RAW = 1 << 1,     /* needs the bytes of a plain connection */
    CHECK_CONTROL = 1 << 2, /* kills or restarts the target; runs alone */
    CHECK_CLUSTER = 1 << 3, /* changes what all of the cluster sees; runs alone */
};

#define CHECK_NEEDS_MAX 4

/* An API that must be advertised with this version or a higher one, or properties that the target
 * has to be started with ("name=value", NULL-terminated); such a check runs alone. */
struct check_need {
    bool is_set;
    int16_t key;
    int16_t version;
    const char *const *properties;
};

#define CHECK_NEED(api, from)                                                                      \
    {                                                                                              \
        true, KM_##api, from, NULL                                                                 \
    }
#define CHECK_START(properties)                                                                    \
    {                                                                                              \
        false, 0, 0, (properties)                                                                  \
    }

struct check {
    const char *id; /* "produce.acks_all"; the area is what stands before the dot */
    const char *rule;
    const char *source;
    unsigned flags;
    int deadline_s; /* 0: CHECK_DEADLINE_S */
    struct check_need needs[CHECK_NEEDS_MAX];
    check_fn *run;
};

/* check_properties: what the target has to be started with; NULL: nothing. */
static inline const char *const *
check_properties(const struct check *check)
{
    const char *const *properties = NULL;

    for (size_t i = 0; i < CHECK_NEEDS_MAX; i++)
        if (check->needs[i].properties != NULL)
            properties = check->needs[i].properties;
    return properties;
}

/* check_is_alone tells whether nothing else may run beside it. */
static inline bool
check_is_alone(const struct check *check)
{
    return (check->flags & (CHECK_CONTROL | CHECK_CLUSTER)) != 0 || check_properties(check) != NULL;
}

/* check_needs_control tells whether it needs a --ctl. */
static inline bool
check_needs_control(const struct check *check)
{
    return (check->flags & CHECK_CONTROL) != 0 || check_properties(check) != NULL;
}

#define CHECK_DEADLINE_S 30

/* The checks of one file. */
struct check_table {
    const char *area; /* as in the catalogue; dtp. and cluster. are of meta, delrec. of
                         offsets, retain. of compact, tv2. of txn, sgroup. of streams, quota.,
                         scram. and acl. of admin, sasl. of sec */
    const struct check *checks;
    size_t count;
};

#define CHECK_TABLE(area, checks)                                                                  \
    {                                                                                              \
        (area), (checks), sizeof(checks) / sizeof *(checks)                                        \
    }

#endif
