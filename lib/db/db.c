#include "lib/db/db.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/db/sqlite_disk.h"

struct db_statement {
    struct db *db;
    sqlite3_stmt *stmt;
    struct db_statement *next;
};

struct db {
    struct sqlite_disk *vfs;
    sqlite3 *handle;
    struct db_statement *statements;
};

static enum rc
code_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return RC_CONFLICT;
    case SQLITE_FULL:
        return RC_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RC_LOCKED;
    default:
        return RC_IO;
    }
}

static enum rc
fail(struct db *db, const char *sql, struct err *e)
{
    enum rc rc = code_of(sqlite3_extended_errcode(db->handle));
    const struct err below = sqlite_disk_take_error(db->vfs);

    if (below.code != RC_OK && (rc == RC_IO || rc == RC_NO_SPACE))
        return err_set(e, rc, "%s: %s (%.60s)", sqlite3_errmsg(db->handle), below.text, sql);
    return err_set(e, rc, "%s (%.60s)", sqlite3_errmsg(db->handle), sql);
}

enum rc
db_execute(struct db *db, const char *sql, struct err *e)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : fail(db, sql, e);
}

enum rc
db_open_sqlite(struct disk *disk, const char *path, struct db **out, struct err *e)
{
    struct db *db = xcalloc(1, sizeof *db);
    enum rc rc;

    db->vfs = sqlite_disk_new(disk);
    rc = sqlite_disk_settle(db->vfs, path, e);
    if (rc == RC_OK &&
        sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
            sqlite_disk_name(db->vfs)) != SQLITE_OK) {
        rc = fail(db, path, e);
    } else if (rc == RC_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        rc = db_execute(db,
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON",
            e);
    }
    if (rc != RC_OK) {
        db_close(db);
        err_note(e, "database %s", path);
        return rc;
    }
    *out = db;
    return RC_OK;
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    while (db->statements != NULL) {
        struct db_statement *statement = db->statements;

        db->statements = statement->next;
        sqlite3_finalize(statement->stmt);
        free(statement);
    }
    sqlite3_close(db->handle);
    sqlite_disk_free(db->vfs);
    free(db);
}

enum rc
db_begin(struct db *db, struct err *e)
{
    return db_execute(db, "BEGIN IMMEDIATE", e);
}

enum rc
db_commit(struct db *db, struct err *e)
{
    enum rc rc = db_execute(db, "COMMIT", e);

    if (rc != RC_OK)
        db_rollback(db);
    return rc;
}

void
db_rollback(struct db *db)
{
    if (sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

enum rc
db_prepare(struct db *db, const char *sql, struct db_statement **out, struct err *e)
{
    struct db_statement *statement = xcalloc(1, sizeof *statement);

    if (sqlite3_prepare_v3(
            db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->stmt, NULL) != SQLITE_OK) {
        free(statement);
        return fail(db, sql, e);
    }
    statement->db = db;
    statement->next = db->statements;
    db->statements = statement;
    *out = statement;
    return RC_OK;
}

void
db_bind_int(struct db_statement *statement, int position, int64_t value)
{
    REQUIRE(sqlite3_bind_int64(statement->stmt, position, value) == SQLITE_OK);
}

void
db_bind_text(struct db_statement *statement, int position, const char *text, size_t size)
{
    REQUIRE(sqlite3_bind_text64(
                statement->stmt, position, text, size, SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
}

void
db_bind_blob(struct db_statement *statement, int position, const void *data, size_t size)
{
    REQUIRE(sqlite3_bind_blob64(statement->stmt, position, data == NULL ? "" : data, size,
                SQLITE_TRANSIENT) == SQLITE_OK);
}

void
db_bind_null(struct db_statement *statement, int position)
{
    REQUIRE(sqlite3_bind_null(statement->stmt, position) == SQLITE_OK);
}

enum rc
db_step(struct db_statement *statement, bool *row, struct err *e)
{
    int code = sqlite3_step(statement->stmt);
    enum rc rc;

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return RC_OK;
    rc = fail(statement->db, sqlite3_sql(statement->stmt), e);
    sqlite3_reset(statement->stmt);
    return rc;
}

enum rc
db_run(struct db_statement *statement, struct err *e)
{
    bool row;
    enum rc rc = db_step(statement, &row, e);

    REQUIRE(!row);
    db_reset(statement);
    return rc;
}

void
db_reset(struct db_statement *statement)
{
    sqlite3_reset(statement->stmt);
    sqlite3_clear_bindings(statement->stmt);
}

int64_t
db_column_int(struct db_statement *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

const void *
db_column_bytes(struct db_statement *statement, int column, size_t *size)
{
    const void *data = sqlite3_column_blob(statement->stmt, column);

    *size = (size_t)sqlite3_column_bytes(statement->stmt, column);
    return data;
}

const char *
db_column_text(struct db_statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->stmt, column);

    return text == NULL ? "" : (const char *)text;
}

bool
db_column_is_null(struct db_statement *statement, int column)
{
    return sqlite3_column_type(statement->stmt, column) == SQLITE_NULL;
}

enum rc
db_ask_int(struct db *db, const char *sql, int64_t *out, struct err *e)
{
    struct db_statement *statement;
    bool row = false;
    enum rc rc = db_prepare(db, sql, &statement, e);

    if (rc == RC_OK)
        rc = db_step(statement, &row, e);
    if (rc != RC_OK)
        return rc;
    *out = row ? db_column_int(statement, 0) : 0;
    db_reset(statement);
    return RC_OK;
}

static enum rc
migration_apply(struct db *db, const struct db_migration *migration, struct err *e)
{
    char sql[96];
    enum rc rc = db_begin(db, e);

    snprintf(sql, sizeof sql, "INSERT INTO schema_version VALUES (%d)", migration->version);
    if (rc == RC_OK)
        rc = db_execute(db, migration->sql, e);
    if (rc == RC_OK)
        rc = db_execute(db, sql, e);
    if (rc == RC_OK)
        return db_commit(db, e);
    db_rollback(db);
    return rc;
}

enum rc
db_migrate(struct db *db, const struct db_migration *migrations, size_t count, struct err *e)
{
    int last = count == 0 ? 0 : migrations[count - 1].version;
    int64_t version = 0;
    enum rc rc =
        db_execute(db, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)", e);

    if (rc == RC_OK)
        rc = db_ask_int(db, "SELECT coalesce(max(version), 0) FROM schema_version", &version, e);
    if (rc == RC_OK && version > last)
        rc = err_set(e, RC_UNSUPPORTED,
            "its format is version %" PRId64 ", this program knows versions up to %d", version,
            last);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        if (migrations[i].version > version)
            rc = migration_apply(db, &migrations[i], e);
    if (rc != RC_OK)
        err_note(e, "schema of the database");
    return rc;
}
