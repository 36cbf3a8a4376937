#include "audit/snapshot_rows.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

#define SQL_BYTES_MAX 8192

#define COLUMN(type, column, field, kind) {#column, offsetof(type, field), SNAPSHOT_##kind},

static const struct snapshot_column topic_columns[] = {
#define TOPIC(column, field, kind) COLUMN(struct audit_topic, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column partition_columns[] = {
#define PARTITION(column, field, kind) COLUMN(struct audit_partition, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column group_columns[] = {
#define GROUP(column, field, kind) COLUMN(struct audit_group, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column use_columns[] = {
#define USE(column, field, kind) COLUMN(struct audit_use, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column client_columns[] = {
#define CLIENT(column, field, kind) COLUMN(struct audit_client, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column contact_columns[] = {
#define CONTACT(column, field, kind) COLUMN(struct audit_contact, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column principal_columns[] = {
#define PRINCIPAL(column, field, kind) COLUMN(struct audit_principal, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column grant_columns[] = {
#define GRANT(column, field, kind) COLUMN(struct audit_grant, column, field, kind)
#include "audit/snapshot.def"
};

static const struct snapshot_column cluster_columns[] = {
#define CLUSTER(column, field, kind) COLUMN(struct audit_inventory, column, field, kind)
#include "audit/snapshot.def"
};

const struct snapshot_table snapshot_rows_topics = {
    "topics", {"topic"}, topic_columns, ARRAY_LEN(topic_columns)};
const struct snapshot_table snapshot_rows_partitions = {
    "partitions", {"topic", "partition"}, partition_columns, ARRAY_LEN(partition_columns)};
const struct snapshot_table snapshot_rows_groups = {
    "groups", {"grp"}, group_columns, ARRAY_LEN(group_columns)};
const struct snapshot_table snapshot_rows_uses = {
    "uses", {"topic", "place"}, use_columns, ARRAY_LEN(use_columns)};
const struct snapshot_table snapshot_rows_clients = {
    "clients", {"client"}, client_columns, ARRAY_LEN(client_columns)};
const struct snapshot_table snapshot_rows_contacts = {
    "contacts", {"topic", "place"}, contact_columns, ARRAY_LEN(contact_columns)};
const struct snapshot_table snapshot_rows_principals = {
    "principals", {"number"}, principal_columns, ARRAY_LEN(principal_columns)};
const struct snapshot_table snapshot_rows_grants = {
    "grants", {"topic", "place"}, grant_columns, ARRAY_LEN(grant_columns)};
const struct snapshot_table snapshot_rows_cluster = {
    "cluster", {"audit"}, cluster_columns, ARRAY_LEN(cluster_columns)};

static int
key_count(const struct snapshot_table *table)
{
    int count = 0;

    while (count < SNAPSHOT_KEYS_MAX && table->keys[count] != NULL)
        count++;
    return count;
}

static void
names_append(const struct snapshot_table *table, struct buf *sql)
{
    for (int k = 0; k < key_count(table); k++)
        buf_printf(sql, "%s\"%s\"", k == 0 ? "" : ", ", table->keys[k]);
    for (size_t i = 0; i < table->count; i++)
        buf_printf(sql, ", \"%s\"", table->columns[i].name);
}

enum rc
snapshot_rows_writer(
    struct db *db, const struct snapshot_table *table, struct db_statement **out, struct err *e)
{
    size_t values = table->count + (size_t)key_count(table);
    struct buf sql;
    enum rc rc;

    buf_init(&sql, SQL_BYTES_MAX);
    buf_printf(&sql, "INSERT INTO \"%s\" (", table->name);
    names_append(table, &sql);
    buf_printf(&sql, ") VALUES (");
    for (size_t i = 0; i < values; i++)
        buf_printf(&sql, i == 0 ? "?" : ", ?");
    buf_printf(&sql, ")");
    rc = db_prepare(db, buf_text(&sql), out, e);
    buf_fini(&sql);
    return rc;
}

enum rc
snapshot_rows_reader(
    struct db *db, const struct snapshot_table *table, struct db_statement **out, struct err *e)
{
    struct buf sql;
    enum rc rc;

    buf_init(&sql, SQL_BYTES_MAX);
    buf_printf(&sql, "SELECT ");
    names_append(table, &sql);
    buf_printf(&sql, " FROM \"%s\" ORDER BY 1, 2", table->name);
    rc = db_prepare(db, buf_text(&sql), out, e);
    buf_fini(&sql);
    return rc;
}

static void
text_bind(struct db_statement *statement, int position, const char *text)
{
    if (text == NULL)
        db_bind_null(statement, position);
    else
        db_bind_text(statement, position, text, strlen(text));
}

static void
field_bind(struct db_statement *statement, int position, const struct snapshot_column *column,
    const void *from, const struct snapshot_names *names)
{
    const void *field = (const char *)from + column->offset;
    const char *text;

    switch (column->kind) {
    case SNAPSHOT_NAME:
        text = *(const char *const *)field;
        text_bind(statement, position,
            names->change == NULL || text == NULL ? text : names->change(names->arg, text));
        break;
    case SNAPSHOT_TEXT:
        text_bind(statement, position, *(const char *const *)field);
        break;
    case SNAPSHOT_BOOL:
        db_bind_int(statement, position, *(const bool *)field);
        break;
    case SNAPSHOT_I32:
        db_bind_int(statement, position, *(const int32_t *)field);
        break;
    case SNAPSHOT_U32:
        db_bind_int(statement, position, *(const uint32_t *)field);
        break;
    case SNAPSHOT_I64:
    case SNAPSHOT_U64:
        db_bind_int(statement, position, *(const int64_t *)field);
        break;
    }
}

enum rc
snapshot_rows_write(struct db_statement *writer, const struct snapshot_table *table,
    const int64_t *keys, const void *from, const struct snapshot_names *names, struct err *e)
{
    int position = 1;

    for (int k = 0; k < key_count(table); k++)
        db_bind_int(writer, position++, keys[k]);
    for (size_t i = 0; i < table->count; i++)
        field_bind(writer, position++, &table->columns[i], from, names);
    return db_run(writer, e);
}

int64_t
snapshot_rows_key(struct db_statement *reader, int key)
{
    return db_column_int(reader, key);
}

/* False where the value does not fit the field. */
static bool
field_read(struct db_statement *reader, int at, const struct snapshot_column *column,
    struct audit_inventory *inventory, void *into)
{
    void *field = (char *)into + column->offset;
    int64_t number = db_column_int(reader, at);
    const void *bytes;
    size_t size;

    switch (column->kind) {
    case SNAPSHOT_NAME:
    case SNAPSHOT_TEXT:
        if (db_column_is_null(reader, at)) {
            *(const char **)field = NULL;
            return true;
        }
        bytes = db_column_bytes(reader, at, &size);
        if (size > INT32_MAX || (size > 0 && memchr(bytes, 0, size) != NULL))
            return false;
        *(const char **)field = inventory_text(inventory, bytes, (int32_t)size);
        return true;
    case SNAPSHOT_BOOL:
        *(bool *)field = number != 0;
        return number == 0 || number == 1;
    case SNAPSHOT_I32:
        *(int32_t *)field = (int32_t)number;
        return number >= INT32_MIN && number <= INT32_MAX;
    case SNAPSHOT_U32:
        *(uint32_t *)field = (uint32_t)number;
        return number >= 0 && number <= UINT32_MAX;
    case SNAPSHOT_I64:
    case SNAPSHOT_U64:
        *(int64_t *)field = number;
        return true;
    }
    return false;
}

enum rc
snapshot_rows_read(struct db_statement *reader, const struct snapshot_table *table,
    struct audit_inventory *inventory, void *into, struct err *e)
{
    int at = key_count(table);

    for (size_t i = 0; i < table->count; i++)
        if (!field_read(reader, at++, &table->columns[i], inventory, into))
            return err_set(e, RC_CORRUPT, "a value of %s.%s that cannot be", table->name,
                table->columns[i].name);
    return RC_OK;
}
