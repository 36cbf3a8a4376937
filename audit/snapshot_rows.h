/*
 * snapshot_rows: structs as rows of a database, by tables of columns (snapshot.def).
 *
 * A table names its columns, and where in a struct each of them lies. Rows begin with key columns,
 * which are numbers that the caller has (a topic's place, a group's), then come the struct's.
 *
 * Reading believes nothing: a number that does not fit its field, or a text with a zero byte in it,
 * is RC_CORRUPT and names table and column. Texts are copied to the inventory's arena.
 */
#ifndef AUDIT_SNAPSHOT_ROWS_H
#define AUDIT_SNAPSHOT_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/inventory.h"
#include "lib/db/db.h"

enum snapshot_kind {
    SNAPSHOT_NAME, /* const char *, what a redaction changes; may be null, as texts */
    SNAPSHOT_TEXT, /* const char * */
    SNAPSHOT_BOOL,
    SNAPSHOT_I32,
    SNAPSHOT_U32, /* enums too */
    SNAPSHOT_I64,
    SNAPSHOT_U64, /* as the int64 of the same bits */
};

struct snapshot_column {
    const char *name;
    size_t offset;
    enum snapshot_kind kind;
};

#define SNAPSHOT_KEYS_MAX 2

struct snapshot_table {
    const char *name;
    const char *keys[SNAPSHOT_KEYS_MAX]; /* NULL: fewer */
    const struct snapshot_column *columns;
    size_t count;
};

extern const struct snapshot_table snapshot_rows_topics;
extern const struct snapshot_table snapshot_rows_partitions;
extern const struct snapshot_table snapshot_rows_groups;
extern const struct snapshot_table snapshot_rows_uses;
extern const struct snapshot_table snapshot_rows_clients;
extern const struct snapshot_table snapshot_rows_contacts;
extern const struct snapshot_table snapshot_rows_principals;
extern const struct snapshot_table snapshot_rows_grants;
extern const struct snapshot_table snapshot_rows_cluster;

/* How names are written: as they are where it is NULL. */
typedef const char *snapshot_name_fn(void *arg, const char *name);

struct snapshot_names {
    snapshot_name_fn *change;
    void *arg;
};

/* snapshot_rows_writer prepares the INSERT of a table, _reader its SELECT in the order of the keys.
 */
MUST_CHECK enum rc snapshot_rows_writer(
    struct db *db, const struct snapshot_table *table, struct db_statement **out, struct err *e);
MUST_CHECK enum rc snapshot_rows_reader(
    struct db *db, const struct snapshot_table *table, struct db_statement **out, struct err *e);

/* snapshot_rows_write inserts one struct. */
MUST_CHECK enum rc snapshot_rows_write(struct db_statement *writer,
    const struct snapshot_table *table, const int64_t *keys, const void *from,
    const struct snapshot_names *names, struct err *e);

/* snapshot_rows_key returns a key of the reader's row. */
int64_t snapshot_rows_key(struct db_statement *reader, int key);

/* snapshot_rows_read fills a struct from the reader's row; fields that are no columns stay. */
MUST_CHECK enum rc snapshot_rows_read(struct db_statement *reader,
    const struct snapshot_table *table, struct audit_inventory *inventory, void *into,
    struct err *e);

#endif
