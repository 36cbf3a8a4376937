/*
 * snapshot_schema: the tables of a snapshot, version by version. A version that was published is
 * never changed; the next one changes the tables of the one before.
 */
#ifndef AUDIT_SNAPSHOT_SCHEMA_H
#define AUDIT_SNAPSHOT_SCHEMA_H

#include "lib/db/db.h"

#define SNAPSHOT_WHOLE_CLUSTER (-1) /* in the place of a topic */

/* snapshot_schema_versions returns the migrations, oldest first. */
const struct db_migration *snapshot_schema_versions(size_t *count);

#endif
