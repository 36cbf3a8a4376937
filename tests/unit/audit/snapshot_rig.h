/* snapshot_rig: an inventory, a folder for its snapshot, and another inventory for what comes back.
 */
#ifndef TESTS_UNIT_AUDIT_SNAPSHOT_RIG_H
#define TESTS_UNIT_AUDIT_SNAPSHOT_RIG_H

#include "audit/snapshot.h"
#include "lib/db/db.h"
#include "tests/unit/audit/rules_rig.h"
#include "tests/unit/temp_folder.h"

#define SNAPSHOT_NAME_IN_FOLDER "a.kdla"

/* SQL that makes a snapshot one of the version before. */
#define UNDO_VERSION_7                                                                             \
    "ALTER TABLE topics DROP COLUMN tiered;"                                                       \
    "ALTER TABLE topics DROP COLUMN aborted_asked;"                                                \
    "ALTER TABLE topics DROP COLUMN aborted_found;"                                                \
    "ALTER TABLE partitions DROP COLUMN epoch_offset;"                                             \
    "ALTER TABLE partitions DROP COLUMN leader_epoch;"                                             \
    "ALTER TABLE partitions DROP COLUMN is_sampled;"                                               \
    "ALTER TABLE uses DROP COLUMN overwritten;"                                                    \
    "ALTER TABLE uses DROP COLUMN pending;"                                                        \
    "ALTER TABLE cluster DROP COLUMN metrics_subscriptions;"                                       \
    "ALTER TABLE cluster DROP COLUMN odd_brokers;"                                                 \
    "ALTER TABLE cluster DROP COLUMN fullest_broker;"                                              \
    "ALTER TABLE cluster DROP COLUMN fullest_total_bytes;"                                         \
    "ALTER TABLE cluster DROP COLUMN fullest_usable_bytes;"                                        \
    "DELETE FROM probes WHERE probe IN ('BROKER_VERSIONS', 'METRICS_SUBSCRIPTIONS');"              \
    "DELETE FROM schema_version WHERE version > 6;"
#define UNDO_VERSION_6                                                                             \
    UNDO_VERSION_7                                                                                 \
    "ALTER TABLE cluster DROP COLUMN tokens; DROP TABLE principals; DROP TABLE grants; DELETE "    \
    "FROM schema_version WHERE version > 5;"
#define UNDO_VERSION_5                                                                             \
    UNDO_VERSION_6                                                                                 \
    "ALTER TABLE topics DROP COLUMN traffic_bytes_in;"                                             \
    "ALTER TABLE topics DROP COLUMN traffic_bytes_out;"                                            \
    "ALTER TABLE topics DROP COLUMN traffic_records_in;"                                           \
    "ALTER TABLE topics DROP COLUMN traffic_window_ms;"                                            \
    "DELETE FROM schema_version WHERE version > 4;"

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 16];
static struct audit_inventory again;

static inline void
begin_snapshot(void)
{
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/" SNAPSHOT_NAME_IN_FOLDER, folder);
    begin_inventory();
    inventory_init(&again);
}

static inline void
end_snapshot(void)
{
    inventory_fini(&inventory);
    inventory_fini(&again);
    temp_folder_remove(folder);
}

/* Changes the snapshot at `path`. */
static inline void
execute(const char *sql)
{
    struct disk *disk;
    struct db *db = NULL;
    struct err e;

    assert_int_equal(disk_open_real(folder, &disk, &e), RC_OK);
    if (db_open_sqlite(disk, SNAPSHOT_NAME_IN_FOLDER, &db, &e) != RC_OK ||
        db_execute(db, sql, &e) != RC_OK)
        fail_msg("%s", e.text);
    db_close(db);
    disk_free(disk);
}

#endif
