/*
 * waivers: findings that somebody answers for, until a day.
 *
 * A file has a line per waiver:
 *
 *     RULE  TOPICS  UNTIL  OWNER  WHY...
 *     TXN-001  payments.*  2027-03-01  team-payments  its producer is rewritten in February
 *
 * RULE is an id of rules.def or *, TOPICS a pattern of the shell (- for the cluster), UNTIL the
 * last day on which it holds (UTC). Words end with blanks; # begins a line that is none. A finding
 * that is waived is still told, with its waiver, and weighs on no verdict.
 */
#ifndef AUDIT_WAIVERS_H
#define AUDIT_WAIVERS_H

#include "audit/inventory.h"
#include "lib/base/arena.h"

#define WAIVERS_BYTES_MAX ((size_t)4 << 20) /* of a file */
#define WAIVERS_DAY_BYTES 11

struct waiver {
    const char *rule; /* "*": any */
    const char *topics;
    const char *until; /* 2027-03-01 */
    const char *owner;
    const char *why;
    int64_t ends_ms; /* wall clock: the first moment at which it does not hold */
    unsigned line;
    uint32_t findings; /* that it waives */
    bool is_over;
};

struct waivers {
    struct waiver *items;
    size_t count;
    struct arena arena;
};

/* waivers_read reads a file; RC_CONFIG with the line and what is wrong with it. waivers_free is to
 * be called in any case. */
MUST_CHECK enum rc waivers_read(const char *path, struct waivers *waivers, struct err *e);
void waivers_free(struct waivers *waivers);

/* waivers_apply marks the hits of an inventory that a waiver is about, the first of several, and
 * counts them; those that are over at now_ms (wall clock) mark none. The waivers must outlive the
 * inventory's use. */
void waivers_apply(struct waivers *waivers, struct audit_inventory *inventory, int64_t now_ms);

#endif
