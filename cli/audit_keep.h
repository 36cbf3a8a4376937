/*
 * audit_keep: snapshots of the command line, by --snapshot and --redact; and how they are read
 * again.
 */
#ifndef CLI_AUDIT_KEEP_H
#define CLI_AUDIT_KEEP_H

#include "audit/snapshot.h"
#include "cli/options.h"

#define AUDIT_KEEP_OPTIONS                                                                         \
    {"snapshot", 's', OPTION_TEXT, "FILE", NULL, 0, 0,                                             \
        "also keep what was seen, for kdl audit report and diff"},                                 \
    {                                                                                              \
        "redact", 0, OPTION_TEXT, "KEY_FILE", NULL, 0, 0,                                          \
            "no true names in the snapshot; the key is made where there is none"                   \
    }

/* Where a snapshot goes; path is NULL where none is wanted. Until it is there, what an audit that
 * is ended would need to go on is kept beside it, unless it is to be redacted. */
#define AUDIT_KEEP_UNFINISHED ".unfinished"
struct audit_keep {
    const char *path;
    char *unfinished; /* NULL: nothing is kept before the end */
    bool redacts;
    bool complained; /* that nothing can be kept */
    struct redaction redaction;
};

/* audit_keep_init reads the flags and finds out, before the audit, what would be in the way behind
 * it. RC_CONFIG for wrong use. audit_keep_fini is to be called in any case; one that is all zero is
 * none. */
MUST_CHECK enum rc audit_keep_init(
    struct audit_keep *keep, const struct options *options, struct err *e);
void audit_keep_fini(struct audit_keep *keep);

/* audit_keep_begun fills an inventory that was just initialised with what an audit that was ended
 * has left; RC_NOTFOUND where it left nothing, RC_CONFIG where that is of no use. */
MUST_CHECK enum rc audit_keep_begun(
    const struct audit_keep *keep, struct audit_inventory *inventory, struct err *e);

/* audit_keep_refuse adds to an error, that what was left is of no use, what to do about it. */
enum rc audit_keep_refuse(const struct audit_keep *keep, struct err *e);

/* audit_keep_unfinished keeps what is known so far. Where it cannot be kept it says so, once, on
 * stderr. */
void audit_keep_unfinished(struct audit_keep *keep, const struct audit_inventory *inventory);

/* audit_keep_write keeps a snapshot, where one is wanted. */
MUST_CHECK enum rc audit_keep_write(
    struct audit_keep *keep, const struct audit_inventory *inventory, struct err *e);

/* audit_keep_finished removes what was kept before the end. */
MUST_CHECK enum rc audit_keep_finished(struct audit_keep *keep, struct err *e);

/* audit_keep_read fills an inventory that was just initialised with the snapshot that the user has
 * named, and judges it by the rules of today. RC_CONFIG for a file that cannot be read. */
MUST_CHECK enum rc audit_keep_read(
    const char *path, struct audit_inventory *inventory, struct err *e);

#endif
