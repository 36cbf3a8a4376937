/*
 * snapshot: an audit in a file, to be reported on later, without the cluster, and to be compared.
 *
 * A snapshot keeps what the probes saw, gaps included, and not what followed from it: facts and
 * rules are derived anew by whoever reads it, so that an old snapshot is judged by today's rules. A
 * request that the version which wrote it did not know counts as a gap of today's.
 *
 * The file is an sqlite database (snapshot_schema.c) with the application id SNAPSHOT_APPLICATION;
 * one of an older version is brought up to date when it is read, a newer one is refused. It holds
 * names, offsets, configs and counts; never a record, a key or a password.
 *
 * Redacted (redaction.h), names are other names, the same for the same, which facts and rules take
 * for the same things; texts of errors, which may name anything, are left out.
 */
#ifndef AUDIT_SNAPSHOT_H
#define AUDIT_SNAPSHOT_H

#include "audit/inventory.h"
#include "audit/redaction.h"

#define SNAPSHOT_APPLICATION 0x6b646c61 /* "kdla" */

/* snapshot_check tells, before a long audit, whether snapshot_write would find its folder, and no
 * file in its way. */
MUST_CHECK enum rc snapshot_check(const char *path, struct err *e);

/* snapshot_write makes a file, whole or not at all (by way of PATH.part). redaction may be NULL.
 * RC_EXISTS where there is a file already: nothing is overwritten. */
MUST_CHECK enum rc snapshot_write(const struct audit_inventory *inventory, const char *path,
    struct redaction *redaction, struct err *e);

/* snapshot_replace writes one in the place of a file that may be there: an audit that is carried
 * on.
 */
MUST_CHECK enum rc snapshot_replace(
    const struct audit_inventory *inventory, const char *path, struct err *e);

/* snapshot_remove removes a snapshot; one that is not there is none. */
MUST_CHECK enum rc snapshot_remove(const char *path, struct err *e);

/*
 * snapshot_read fills an inventory that was just initialised; what it holds after an error is of no
 * use, and to be freed all the same. RC_NOTFOUND; RC_CORRUPT for a file that is none, or whose
 * rows contradict each other; RC_UNSUPPORTED for one of a newer version.
 */
MUST_CHECK enum rc snapshot_read(
    const char *path, struct audit_inventory *inventory, struct err *e);

#endif
