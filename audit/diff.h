/*
 * diff: what has changed between two audits of a cluster, and what was written in between.
 *
 * Topics and groups are the same where their names are. What one of the two audits could not see (a
 * config that it did not get, an offset) is no difference; a fact or verdict that became unknown is
 * one. A verdict is worse where it stands more in the way (rules.h); so is that of a new topic that
 * is not READY. Internal topics have none.
 *
 * Ownership: texts lie in the diff's arena or are views of the inventories, which must outlive it.
 */
#ifndef AUDIT_DIFF_H
#define AUDIT_DIFF_H

#include <stdbool.h>
#include <stdio.h>

#include "audit/inventory.h"
#include "audit/rules.h"

enum diff_kind {
#define KIND(name, json) DIFF_##name,
#include "audit/diff.def"
#undef KIND
    DIFF_KINDS,
};

struct diff_change {
    enum diff_kind kind;
    const char *topic;  /* NULL: the cluster */
    const char *what;   /* the design, fact, config, group or number; NULL: the topic itself */
    const char *before; /* NULL: there was none */
    const char *after;  /* NULL: there is none any more */
    const char *why;    /* of a verdict that is worse; may be NULL */
    int worse;          /* of a verdict: 1, or -1 where it is better */
};

/* What a topic grew by. */
struct diff_rate {
    const char *topic;
    int64_t records; /* offsets, to be exact: markers count, and what compaction took later */
    double per_s;
};

struct diff {
    struct diff_change *changes; /* by kind, then as the newer audit has the topics */
    size_t change_count;
    struct diff_rate *rates; /* of those that grew, the fastest first */
    size_t rate_count;
    size_t worse; /* verdicts */
    size_t better;
    int64_t before_ms; /* when offsets were asked for; 0: not known */
    int64_t after_ms;
    struct arena arena;
};

/* diff_make compares two audits that have been judged, for the designs given as bits; RC_LIMIT
 * where the differences do not fit. diff_free is to be called in any case. */
MUST_CHECK enum rc diff_make(struct diff *diff, const struct audit_inventory *before,
    const struct audit_inventory *after, uint32_t designs, struct err *e);
void diff_free(struct diff *diff);

const char *diff_kind_name(enum diff_kind kind);

/* For people, and as JSON. */
void diff_print(const struct diff *diff, FILE *out);
void diff_json(const struct diff *diff, FILE *out);

#endif
