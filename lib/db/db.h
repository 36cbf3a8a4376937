/*
 * db: SQL behind one small interface.
 *
 * The metadata of a broker and the snapshots of an audit live in SQL: sqlite in one file, reached
 * through a struct disk so that its durability is tested like the log's. A commit that returns
 * RC_OK is on the medium (synchronous FULL), and so is all that can be read after db_open_sqlite.
 * After a failed sync every later commit fails too, until the database is opened again.
 *
 * Statements are prepared once and reused: bind by position from 1, then db_step until it gives no
 * row, then db_reset. Text and blobs of a row are views until the next step or reset.
 *
 * Errors: RC_CONFLICT for a broken constraint, RC_NO_SPACE, RC_CORRUPT, RC_LOCKED, RC_IO for the
 * rest, with the statement's name in the text. One thread at a time.
 */
#ifndef LIB_DB_DB_H
#define LIB_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/disk.h"
#include "lib/base/err.h"

struct db;
struct db_statement;

/* Version `version` of the schema and the SQL that leads to it from the one before. */
struct db_migration {
    int version;
    const char *sql;
};

/* db_open_sqlite opens (or makes) a database file of a disk, for this process alone. The disk must
 * outlive it. */
MUST_CHECK enum rc db_open_sqlite(
    struct disk *disk, const char *path, struct db **out, struct err *e);

/* db_close finalises all statements and closes; NULL is accepted. */
void db_close(struct db *db);

/* db_migrate brings the schema to the last of `count` migrations, each in its own transaction.
 * RC_UNSUPPORTED where the file was written by a newer version. */
MUST_CHECK enum rc db_migrate(
    struct db *db, const struct db_migration *migrations, size_t count, struct err *e);

/* db_execute runs SQL that gives no rows. */
MUST_CHECK enum rc db_execute(struct db *db, const char *sql, struct err *e);

/* Transactions do not nest. After a failed commit the transaction is rolled back; whether it is on
 * the medium is unknown only for RC_IO. */
MUST_CHECK enum rc db_begin(struct db *db, struct err *e);
MUST_CHECK enum rc db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

/* db_prepare compiles one statement, which belongs to db. */
MUST_CHECK enum rc db_prepare(
    struct db *db, const char *sql, struct db_statement **out, struct err *e);

void db_bind_int(struct db_statement *statement, int position, int64_t value);
void db_bind_text(struct db_statement *statement, int position, const char *text, size_t size);
void db_bind_blob(struct db_statement *statement, int position, const void *data, size_t size);
void db_bind_null(struct db_statement *statement, int position);

/* db_step sets *row and, where it is true, the columns can be read. After an error the statement is
 * reset. */
MUST_CHECK enum rc db_step(struct db_statement *statement, bool *row, struct err *e);

/* db_run steps a statement that gives no rows, and resets it. */
MUST_CHECK enum rc db_run(struct db_statement *statement, struct err *e);

void db_reset(struct db_statement *statement);

/* db_ask_int gives the first column of the first row of a query; 0 where there is none. */
MUST_CHECK enum rc db_ask_int(struct db *db, const char *sql, int64_t *out, struct err *e);

/* Columns count from 0. */
int64_t db_column_int(struct db_statement *statement, int column);
const void *db_column_bytes(struct db_statement *statement, int column, size_t *size);
const char *db_column_text(struct db_statement *statement, int column);
bool db_column_is_null(struct db_statement *statement, int column);

#endif
