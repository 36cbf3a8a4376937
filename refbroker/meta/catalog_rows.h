/*
 * catalog_rows: rows of the metadata on their way into the topics, at a start.
 *
 * The file may have been damaged or edited: nothing that it says may make the process end later, so
 * every number is looked at before it is believed. RC_CORRUPT where one cannot be; `e` tells the
 * row. The columns are those of the statements *_all of catalog_sql.def, in their order; topics
 * come before all that belongs to them.
 */
#ifndef REFBROKER_META_CATALOG_ROWS_H
#define REFBROKER_META_CATALOG_ROWS_H

#include "lib/db/db.h"
#include "refbroker/meta/quotas.h"
#include "refbroker/meta/scram_users.h"
#include "refbroker/meta/topics.h"

/* Takes one row over into the topics. */
typedef enum rc catalog_row_fn(struct db_statement *row, struct topics *topics, struct err *e);

MUST_CHECK enum rc catalog_rows_topic(
    struct db_statement *row, struct topics *topics, struct err *e);
MUST_CHECK enum rc catalog_rows_config(
    struct db_statement *row, struct topics *topics, struct err *e);
MUST_CHECK enum rc catalog_rows_partition(
    struct db_statement *row, struct topics *topics, struct err *e);
MUST_CHECK enum rc catalog_rows_epoch(
    struct db_statement *row, struct topics *topics, struct err *e);
MUST_CHECK enum rc catalog_rows_run(struct db_statement *row, struct topics *topics, struct err *e);

/* These fill what administrators set. */
MUST_CHECK enum rc catalog_rows_quota(
    struct db_statement *row, struct quotas *quotas, struct err *e);
MUST_CHECK enum rc catalog_rows_scram(
    struct db_statement *row, struct scram_users *users, struct err *e);

#endif
