/* Reading a snapshot: every row is checked against those that it refers to. */
#include <stdlib.h>
#include <string.h>

#include "audit/snapshot.h"
#include "audit/snapshot_file.h"
#include "audit/snapshot_rows.h"
#include "audit/snapshot_schema.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

/* Calls take for each row of a statement. */
static enum rc
rows_each(struct db_statement *statement,
    enum rc (*take)(struct audit_inventory *, struct db_statement *, struct err *),
    struct audit_inventory *inventory, struct err *e)
{
    bool row = false;
    enum rc rc = db_step(statement, &row, e);

    while (rc == RC_OK && row) {
        rc = take(inventory, statement, e);
        if (rc == RC_OK)
            rc = db_step(statement, &row, e);
    }
    db_reset(statement);
    return rc;
}

static enum rc
sql_each(struct db *db, const char *sql,
    enum rc (*take)(struct audit_inventory *, struct db_statement *, struct err *),
    struct audit_inventory *inventory, struct err *e)
{
    struct db_statement *statement;
    enum rc rc = db_prepare(db, sql, &statement, e);

    return rc == RC_OK ? rows_each(statement, take, inventory, e) : rc;
}

static enum rc
table_each(struct db *db, const struct snapshot_table *table,
    enum rc (*take)(struct audit_inventory *, struct db_statement *, struct err *),
    struct audit_inventory *inventory, struct err *e)
{
    struct db_statement *statement;
    enum rc rc = snapshot_rows_reader(db, table, &statement, e);

    return rc == RC_OK ? rows_each(statement, take, inventory, e) : rc;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

/* Times are subtracted and added to: none beyond what any clock will ever say. */
static bool
is_time(int64_t wall_ms)
{
    return wall_ms >= 0 && wall_ms < INT64_C(1) << 53;
}

static enum rc
cluster_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_cluster, inventory, inventory, e);

    if (rc == RC_OK &&
        (!is_time(inventory->watch.first_ms) || !is_time(inventory->watch.longest_gap_ms) ||
            !is_time(inventory->took_ms)))
        rc = err_set(e, RC_CORRUPT, "a time that cannot be");
    return rc;
}

static enum rc
group_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    struct audit_group group = {.id = NULL}, *added;
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_groups, inventory, &group, e);

    if (rc != RC_OK)
        return rc;
    if (group.id == NULL || snapshot_rows_key(row, 0) != inventory->group_count ||
        group.type >= AUDIT_GROUP_TYPES || group.app > AUDIT_APP_YES ||
        (group.app == AUDIT_APP_YES && group.app_why == NULL) ||
        inventory_group(inventory, codec_string(group.id)) != INVENTORY_NO_NUMBER)
        return err_set(e, RC_CORRUPT, "a group that cannot be");
    added = inventory_add_group(inventory, codec_string(group.id), group.type);
    group.id = added->id;
    group.state = group.state == NULL ? "" : group.state;
    group.protocol_type = group.protocol_type == NULL ? "" : group.protocol_type;
    *added = group;
    return RC_OK;
}

static enum rc
topic_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    struct audit_topic topic = {.name = NULL}, *added;
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_topics, inventory, &topic, e);

    if (rc != RC_OK)
        return rc;
    /* all_read has seen that the partitions are no more than there are rows. */
    if (topic.name == NULL || topic.partition_count < 0 ||
        snapshot_rows_key(row, 0) != inventory->topic_count ||
        topic.role > AUDIT_ROLE_REPARTITION ||
        (topic.role != AUDIT_ROLE_NONE && topic.role_group >= inventory->group_count) ||
        inventory_topic(inventory, codec_string(topic.name)) != INVENTORY_NO_NUMBER)
        return err_set(e, RC_CORRUPT, "a topic that cannot be");
    added = inventory_add_topic(inventory, topic.name, topic.partition_count);
    topic.name = added->name;
    topic.first = added->first;
    *added = topic;
    return RC_OK;
}

static enum rc
partition_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = snapshot_rows_key(row, 0), partition = snapshot_rows_key(row, 1);

    if (topic < 0 || topic >= inventory->topic_count || partition < 0 ||
        partition >= inventory->topics[topic].partition_count)
        return err_set(e, RC_CORRUPT, "a partition that cannot be");
    return snapshot_rows_read(row, &snapshot_rows_partitions, inventory,
        &inventory->partitions[inventory->topics[topic].first + (uint32_t)partition], e);
}

static enum rc
use_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = snapshot_rows_key(row, 0);
    struct audit_use read = {.group = 0}, *use;
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_uses, inventory, &read, e);

    if (rc != RC_OK)
        return rc;
    if (topic < 0 || topic >= inventory->topic_count || read.group >= inventory->group_count)
        return err_set(e, RC_CORRUPT, "a group of a topic that cannot be");
    use = inventory_use(
        inventory, read.group, codec_string(inventory->topics[topic].name), false, false);
    if (use == NULL)
        return err_set(e, RC_LIMIT, "it is too large");
    read.next = use->next;
    *use = read;
    return RC_OK;
}

static enum rc
client_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    struct audit_client client = {.id = NULL};
    uint32_t count = inventory->client_count;
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_clients, inventory, &client, e);

    if (rc != RC_OK)
        return rc;
    if (client.id == NULL || client.principal == NULL || client.software == NULL ||
        client.version == NULL || snapshot_rows_key(row, 0) != count ||
        inventory_add_client(inventory, &client) != count)
        return err_set(e, RC_CORRUPT, "a client that cannot be");
    return RC_OK;
}

static enum rc
contact_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = snapshot_rows_key(row, 0);
    struct audit_contact read = {.client = 0}, *contact;
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_contacts, inventory, &read, e);

    if (rc != RC_OK)
        return rc;
    if (topic < 0 || topic >= inventory->topic_count || read.client >= inventory->client_count)
        return err_set(e, RC_CORRUPT, "a client of a topic that cannot be");
    contact = inventory_contact(inventory, (uint32_t)topic, read.client);
    if (contact == NULL)
        return err_set(e, RC_LIMIT, "it is too large");
    read.next = contact->next;
    *contact = read;
    return RC_OK;
}

static enum rc
principal_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    struct audit_principal read = {.name = NULL};
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_principals, inventory, &read, e);

    if (rc != RC_OK)
        return rc;
    if (read.name == NULL || snapshot_rows_key(row, 0) != inventory->principal_count)
        return err_set(e, RC_CORRUPT, "a principal that cannot be");
    (void)inventory_add_principal(inventory, read.name, read.transactional_ids);
    return RC_OK;
}

static enum rc
grant_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = snapshot_rows_key(row, 0);
    struct audit_grant read = {.principal = 0};
    enum rc rc = snapshot_rows_read(row, &snapshot_rows_grants, inventory, &read, e);

    if (rc != RC_OK)
        return rc;
    if (topic < 0 || topic >= inventory->topic_count ||
        read.principal >= inventory->principal_count)
        return err_set(e, RC_CORRUPT, "a principal of a topic that cannot be");
    inventory_add_grant(inventory, (uint32_t)topic, &read);
    return RC_OK;
}

static struct audit_config *
config_find(struct audit_inventory *inventory, int64_t topic, const char *key)
{
    for (unsigned c = 0; c < AUDIT_BROKER_CONFIGS && topic < 0; c++)
        if (strcmp(key, inventory_broker_key((enum audit_broker_config)c)) == 0)
            return &inventory->configs[c];
    for (unsigned c = 0; c < AUDIT_TOPIC_CONFIGS && topic >= 0; c++)
        if (strcmp(key, inventory_topic_key((enum audit_topic_config)c)) == 0)
            return &inventory->topics[topic].configs[c];
    return NULL;
}

/* Keys, probes and features that this version does not know are passed over. */
static enum rc
config_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = db_column_int(row, 0);
    const char *key = db_column_text(row, 1), *value = db_column_text(row, 2);
    struct audit_config *config;

    if (topic < SNAPSHOT_WHOLE_CLUSTER || topic >= inventory->topic_count || key == NULL ||
        value == NULL)
        return err_set(e, RC_CORRUPT, "a config that cannot be");
    config = config_find(inventory, topic, key);
    if (config != NULL)
        *config = (struct audit_config){
            inventory_text(inventory, value, (int32_t)strlen(value)), db_column_int(row, 3) != 0};
    return RC_OK;
}

static enum rc
feature_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    const char *name = db_column_text(row, 0);
    int64_t level = db_column_int(row, 1);

    if (name == NULL || level < 0 || level > INT16_MAX)
        return err_set(e, RC_CORRUPT, "a feature that cannot be");
    for (unsigned f = 0; f < AUDIT_FEATURES; f++)
        if (strcmp(name, inventory_feature_name((enum audit_feature)f)) == 0)
            inventory->cluster.features[f] = (int16_t)level;
    return RC_OK;
}

static enum rc
probe_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    enum audit_probe probe = audit_probe_of(db_column_text(row, 0));

    if (!is_time(db_column_int(row, 1)))
        return err_set(e, RC_CORRUPT, "a time that cannot be");
    if (probe != AUDIT_PROBES) {
        inventory->asked_ms[probe] = db_column_int(row, 1);
        inventory->gaps[probe].why = NULL;
    }
    return RC_OK;
}

static enum rc
gap_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t topic = db_column_int(row, 0), failures = db_column_int(row, 4);
    enum audit_probe probe = audit_probe_of(db_column_text(row, 1));
    const char *why = db_column_text(row, 2);
    struct audit_gap *gaps;

    if (topic < SNAPSHOT_WHOLE_CLUSTER || topic >= inventory->topic_count || why == NULL ||
        failures < 0 || failures > UINT32_MAX)
        return err_set(e, RC_CORRUPT, "a gap that cannot be");
    gaps = topic < 0 ? inventory->gaps : inventory->topics[topic].gaps;
    if (probe != AUDIT_PROBES)
        gaps[probe] =
            (struct audit_gap){.why = inventory_text(inventory, why, (int32_t)strlen(why)),
                .unsupported = db_column_int(row, 3) != 0,
                .failures = (uint32_t)failures};
    return RC_OK;
}

static enum rc
transactional_id_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    const char *id = db_column_text(row, 1);

    if (db_column_int(row, 0) != inventory->transactional_id_count || id == NULL)
        return err_set(e, RC_CORRUPT, "a transactional id that cannot be");
    inventory_add_transactional_id(inventory, codec_string(id));
    return RC_OK;
}

static enum rc
footprint_take(struct audit_inventory *inventory, struct db_statement *row, struct err *e)
{
    int64_t number = db_column_int(row, 1), topic = db_column_int(row, 2);
    int64_t trace = db_column_int(row, 3);

    if (number < 0 || number >= inventory->transactional_id_count || topic < 0 ||
        topic >= inventory->topic_count || trace < 0 || trace >= AUDIT_TRACES)
        return err_set(e, RC_CORRUPT, "a transaction that cannot be");
    inventory_add_footprint(inventory, (uint32_t)number, (uint32_t)topic, (enum audit_trace)trace);
    return RC_OK;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

/* Partitions are made from counts: they must not be more than the file has rows for. */
static enum rc
counts_check(struct db *db, struct err *e)
{
    int64_t wrong;
    enum rc rc = db_ask_int(db,
        "SELECT (SELECT total(partition_count) FROM topics) != (SELECT count(*) FROM partitions)"
        " OR (SELECT count(*) FROM cluster) != 1",
        &wrong, e);

    if (rc == RC_OK && wrong != 0)
        rc = err_set(e, RC_CORRUPT, "topics and partitions contradict each other");
    return rc;
}

static enum rc
all_read(struct db *db, struct audit_inventory *inventory, struct err *e)
{
    static const struct {
        const struct snapshot_table *table; /* or */
        const char *sql;
        enum rc (*take)(struct audit_inventory *, struct db_statement *, struct err *);
    } parts[] = {
        {&snapshot_rows_cluster, NULL, cluster_take},
        {&snapshot_rows_groups, NULL, group_take},
        {&snapshot_rows_topics, NULL, topic_take},
        {&snapshot_rows_partitions, NULL, partition_take},
        {&snapshot_rows_uses, NULL, use_take},
        {&snapshot_rows_clients, NULL, client_take},
        {&snapshot_rows_contacts, NULL, contact_take},
        {&snapshot_rows_principals, NULL, principal_take},
        {&snapshot_rows_grants, NULL, grant_take},
        {NULL, "SELECT topic, key, value, is_own FROM configs", config_take},
        {NULL, "SELECT feature, level FROM features", feature_take},
        {NULL, "SELECT probe, at_ms FROM probes", probe_take},
        {NULL, "SELECT topic, probe, why, unsupported, failures FROM gaps", gap_take},
        {NULL, "SELECT number, id FROM transactional_ids ORDER BY number", transactional_id_take},
        {NULL, "SELECT place, number, topic, trace FROM footprints ORDER BY place", footprint_take},
    };
    enum rc rc = counts_check(db, e);

    /* Nobody is told that he has given no request log and no metrics. */
    for (unsigned p = 0; p < AUDIT_REQUESTS; p++)
        inventory->gaps[p] =
            (struct audit_gap){.why = "the version of kdl that wrote this snapshot did not ask"};
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == RC_OK; i++)
        rc = parts[i].table != NULL ? table_each(db, parts[i].table, parts[i].take, inventory, e)
                                    : sql_each(db, parts[i].sql, parts[i].take, inventory, e);
    return rc == RC_OK ? inventory_check(inventory, e) : rc;
}

static enum rc
file_read(const struct snapshot_file *file, struct audit_inventory *inventory, struct err *e)
{
    const struct db_migration *versions;
    struct db *db = NULL;
    int64_t application = 0;
    size_t count;
    enum rc rc;

    if (!snapshot_file_is_there(file))
        return err_set(e, RC_NOTFOUND, "there is no such file, or it may not be read");
    versions = snapshot_schema_versions(&count);
    rc = db_open_sqlite(file->disk, file->name, &db, e);
    if (rc == RC_CORRUPT)
        return err_set(e, RC_CORRUPT, "it is no snapshot of kdl audit");
    if (rc == RC_OK)
        rc = db_ask_int(db, "PRAGMA application_id", &application, e);
    if (rc == RC_OK && application != SNAPSHOT_APPLICATION)
        rc = err_set(e, RC_CORRUPT, "it is no snapshot of kdl audit");
    if (rc == RC_OK)
        rc = db_migrate(db, versions, count, e);
    if (rc == RC_OK)
        rc = all_read(db, inventory, e);
    db_close(db);
    return rc;
}

enum rc
snapshot_read(const char *path, struct audit_inventory *inventory, struct err *e)
{
    struct snapshot_file file;
    enum rc rc = snapshot_file_open(&file, path, e);

    if (rc == RC_OK)
        rc = file_read(&file, inventory, e);
    snapshot_file_close(&file);
    return rc == RC_OK ? RC_OK : err_note(e, "snapshot %s", path);
}
