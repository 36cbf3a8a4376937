/* Writing a snapshot: every table from the inventory, in one transaction. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/snapshot.h"
#include "audit/snapshot_file.h"
#include "audit/snapshot_rows.h"
#include "audit/snapshot_schema.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

struct writer {
    const struct audit_inventory *inventory;
    struct redaction *redaction;
    struct snapshot_names names;
    struct db *db;
};

static const char *
name_change(void *arg, const char *name)
{
    return redaction_name(arg, name);
}

/* Binds a row of numbers (n), texts (t) and runs it. */
static enum rc
row_put(struct db_statement *statement, struct err *e, const char *kinds, ...)
{
    va_list ap;

    va_start(ap, kinds);
    for (int i = 0; kinds[i] != '\0'; i++) {
        if (kinds[i] == 'n') {
            db_bind_int(statement, i + 1, va_arg(ap, int64_t));
        } else {
            const char *text = va_arg(ap, const char *);

            db_bind_text(statement, i + 1, text, strlen(text));
        }
    }
    va_end(ap);
    return db_run(statement, e);
}

static const char *
name_of(const struct writer *writer, const char *name)
{
    return writer->redaction == NULL ? name : redaction_name(writer->redaction, name);
}

static enum rc
topics_put(const struct writer *writer, struct err *e)
{
    struct db_statement *topics, *partitions = NULL;
    enum rc rc = snapshot_rows_writer(writer->db, &snapshot_rows_topics, &topics, e);

    if (rc == RC_OK)
        rc = snapshot_rows_writer(writer->db, &snapshot_rows_partitions, &partitions, e);
    for (int64_t t = 0; t < writer->inventory->topic_count && rc == RC_OK; t++)
        rc = snapshot_rows_write(
            topics, &snapshot_rows_topics, &t, &writer->inventory->topics[t], &writer->names, e);
    for (uint32_t p = 0; p < writer->inventory->partition_count && rc == RC_OK; p++) {
        const struct audit_partition *partition = &writer->inventory->partitions[p];
        const int64_t keys[] = {partition->topic, partition->partition};

        rc = snapshot_rows_write(
            partitions, &snapshot_rows_partitions, keys, partition, &writer->names, e);
    }
    return rc;
}

static enum rc
groups_put(const struct writer *writer, struct err *e)
{
    struct db_statement *groups, *uses = NULL;
    enum rc rc = snapshot_rows_writer(writer->db, &snapshot_rows_groups, &groups, e);

    if (rc == RC_OK)
        rc = snapshot_rows_writer(writer->db, &snapshot_rows_uses, &uses, e);
    for (int64_t g = 0; g < writer->inventory->group_count && rc == RC_OK; g++)
        rc = snapshot_rows_write(
            groups, &snapshot_rows_groups, &g, &writer->inventory->groups[g], &writer->names, e);
    for (uint32_t t = 0; t < writer->inventory->topic_count && rc == RC_OK; t++) {
        int64_t keys[] = {t, writer->inventory->topics[t].use_count};

        /* The list begins with the one that was seen last. */
        for (const struct audit_use *use = writer->inventory->topics[t].uses;
             use != NULL && rc == RC_OK; use = use->next) {
            keys[1]--;
            rc = snapshot_rows_write(uses, &snapshot_rows_uses, keys, use, &writer->names, e);
        }
    }
    return rc;
}

static enum rc
clients_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *clients, *contacts = NULL;
    enum rc rc = snapshot_rows_writer(writer->db, &snapshot_rows_clients, &clients, e);

    if (rc == RC_OK)
        rc = snapshot_rows_writer(writer->db, &snapshot_rows_contacts, &contacts, e);
    for (int64_t c = 0; c < inventory->client_count && rc == RC_OK; c++)
        rc = snapshot_rows_write(
            clients, &snapshot_rows_clients, &c, &inventory->clients[c], &writer->names, e);
    for (uint32_t t = 0; t < inventory->topic_count && rc == RC_OK; t++) {
        int64_t keys[] = {t, inventory->topics[t].contact_count};

        /* As with groups, the last is the first of the list. */
        for (const struct audit_contact *contact = inventory->topics[t].contacts;
             contact != NULL && rc == RC_OK; contact = contact->next) {
            keys[1]--;
            rc = snapshot_rows_write(
                contacts, &snapshot_rows_contacts, keys, contact, &writer->names, e);
        }
    }
    return rc;
}

static enum rc
grants_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *principals, *grants = NULL;
    enum rc rc = snapshot_rows_writer(writer->db, &snapshot_rows_principals, &principals, e);

    if (rc == RC_OK)
        rc = snapshot_rows_writer(writer->db, &snapshot_rows_grants, &grants, e);
    for (int64_t p = 0; p < inventory->principal_count && rc == RC_OK; p++)
        rc = snapshot_rows_write(principals, &snapshot_rows_principals, &p,
            &inventory->principals[p], &writer->names, e);
    for (uint32_t t = 0; t < inventory->topic_count && rc == RC_OK; t++) {
        int64_t keys[] = {t, inventory->topics[t].grant_count};

        for (const struct audit_grant *grant = inventory->topics[t].grants;
             grant != NULL && rc == RC_OK; grant = grant->next) {
            keys[1]--;
            rc = snapshot_rows_write(grants, &snapshot_rows_grants, keys, grant, &writer->names, e);
        }
    }
    return rc;
}

/* Names of classes may be those of a company; users are names. */
static const char *
value_of(const struct writer *writer, enum audit_broker_config config)
{
    const char *value = writer->inventory->configs[config].value;

    if (config == AUDIT_BROKER_SUPER_USERS)
        return name_of(writer, value);
    if (strncmp(value, "org.apache.kafka.", 17) == 0 || strncmp(value, "kafka.", 6) == 0 ||
        strchr(value, '.') == NULL)
        return value;
    return name_of(writer, value);
}

static enum rc
configs_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *configs;
    enum rc rc = db_prepare(writer->db, "INSERT INTO configs VALUES (?, ?, ?, ?)", &configs, e);

    for (uint32_t t = 0; t < inventory->topic_count; t++)
        for (unsigned c = 0; c < AUDIT_TOPIC_CONFIGS && rc == RC_OK; c++) {
            const struct audit_config *config = &inventory->topics[t].configs[c];

            if (config->value != NULL)
                rc = row_put(configs, e, "nttn", (int64_t)t,
                    inventory_topic_key((enum audit_topic_config)c), config->value,
                    (int64_t)config->is_own);
        }
    for (unsigned c = 0; c < AUDIT_BROKER_CONFIGS && rc == RC_OK; c++)
        if (inventory->configs[c].value != NULL)
            rc = row_put(configs, e, "nttn", (int64_t)SNAPSHOT_WHOLE_CLUSTER,
                inventory_broker_key((enum audit_broker_config)c),
                value_of(writer, (enum audit_broker_config)c),
                (int64_t)inventory->configs[c].is_own);
    return rc;
}

/* Of an error's text only "29 TOPIC_AUTHORIZATION_FAILED" is known to name nothing else. */
static const char *
why_of(const struct writer *writer, const char *why)
{
    const char *last = strrchr(why, ':');
    const char *code = last == NULL ? why : last + 1, *at;

    if (writer->redaction == NULL)
        return why;
    code += *code == ' ';
    at = code + (*code == '-');
    at += strspn(at, "0123456789");
    if (at == code || *at != ' ' || strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(at + 1))
        return "an error, whose text was left out";
    return code;
}

static enum rc
gaps_put(const struct writer *writer, int64_t topic, const struct audit_gap *gaps,
    struct db_statement *statement, struct err *e)
{
    enum rc rc = RC_OK;

    for (unsigned p = 0; p < AUDIT_PROBES && rc == RC_OK; p++)
        if (gaps[p].why != NULL)
            rc = row_put(statement, e, "nttnn", topic, audit_probe_name((enum audit_probe)p),
                why_of(writer, gaps[p].why), (int64_t)gaps[p].unsupported,
                (int64_t)gaps[p].failures);
    return rc;
}

static enum rc
probes_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *probes, *gaps = NULL;
    enum rc rc = db_prepare(writer->db, "INSERT INTO probes VALUES (?, ?)", &probes, e);

    if (rc == RC_OK)
        rc = db_prepare(writer->db, "INSERT INTO gaps VALUES (?, ?, ?, ?, ?)", &gaps, e);
    for (unsigned p = 0; p < AUDIT_PROBES && rc == RC_OK; p++)
        rc =
            row_put(probes, e, "tn", audit_probe_name((enum audit_probe)p), inventory->asked_ms[p]);
    if (rc == RC_OK)
        rc = gaps_put(writer, SNAPSHOT_WHOLE_CLUSTER, inventory->gaps, gaps, e);
    for (uint32_t t = 0; t < inventory->topic_count && rc == RC_OK; t++)
        rc = gaps_put(writer, t, inventory->topics[t].gaps, gaps, e);
    return rc;
}

static enum rc
transactions_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *ids, *footprints = NULL;
    int64_t place = 0;
    enum rc rc = db_prepare(writer->db, "INSERT INTO transactional_ids VALUES (?, ?)", &ids, e);

    if (rc == RC_OK)
        rc = db_prepare(writer->db, "INSERT INTO footprints VALUES (?, ?, ?, ?)", &footprints, e);
    for (uint32_t i = 0; i < inventory->transactional_id_count && rc == RC_OK; i++)
        rc = row_put(ids, e, "nt", (int64_t)i, name_of(writer, inventory->transactional_ids[i]));
    /* The list begins with the one that was seen last. */
    for (const struct audit_footprint *f = inventory->footprints; f != NULL && rc == RC_OK;
         f = f->next)
        rc = row_put(footprints, e, "nnnn", place--,
            (int64_t)inventory_transactional_id(inventory, codec_string(f->transactional_id)),
            (int64_t)f->topic, (int64_t)f->trace);
    return rc;
}

static enum rc
cluster_put(const struct writer *writer, struct err *e)
{
    const struct audit_inventory *inventory = writer->inventory;
    struct db_statement *cluster, *features = NULL, *version = NULL;
    const int64_t only = 1;
    enum rc rc = snapshot_rows_writer(writer->db, &snapshot_rows_cluster, &cluster, e);

    if (rc == RC_OK)
        rc = snapshot_rows_write(
            cluster, &snapshot_rows_cluster, &only, inventory, &writer->names, e);
    if (rc == RC_OK)
        rc = db_prepare(writer->db, "UPDATE cluster SET kdl = ?", &version, e);
    if (rc == RC_OK)
        rc = row_put(version, e, "t", KDL_VERSION);
    if (rc == RC_OK)
        rc = db_prepare(writer->db, "INSERT INTO features VALUES (?, ?)", &features, e);
    for (unsigned f = 0; f < AUDIT_FEATURES && rc == RC_OK; f++)
        rc = row_put(features, e, "tn", inventory_feature_name((enum audit_feature)f),
            (int64_t)inventory->cluster.features[f]);
    return rc;
}

static enum rc
all_put(const struct writer *writer, struct err *e)
{
    static enum rc (*const parts[])(const struct writer *writer, struct err *e) = {cluster_put,
        topics_put, groups_put, clients_put, grants_put, configs_put, probes_put, transactions_put};
    const struct db_migration *versions;
    char mark[64];
    size_t count;
    enum rc rc;

    versions = snapshot_schema_versions(&count);
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", SNAPSHOT_APPLICATION);
    rc = db_execute(writer->db, mark, e);
    if (rc == RC_OK)
        rc = db_migrate(writer->db, versions, count, e);
    if (rc == RC_OK)
        rc = db_begin(writer->db, e);
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == RC_OK; i++)
        rc = parts[i](writer, e);
    return rc == RC_OK ? db_commit(writer->db, e) : rc;
}

static enum rc
way_check(const struct snapshot_file *file, struct err *e)
{
    if (snapshot_file_is_there(file))
        return err_set(e, RC_EXISTS, "it is there already, and is not overwritten");
    return RC_OK;
}

enum rc
snapshot_check(const char *path, struct err *e)
{
    struct snapshot_file file;
    enum rc rc = snapshot_file_open(&file, path, e);

    if (rc == RC_OK)
        rc = way_check(&file, e);
    snapshot_file_close(&file);
    return rc == RC_OK ? RC_OK : err_note(e, "snapshot %s", path);
}

static enum rc
file_make(struct snapshot_file *file, struct writer *writer, const char *part, struct err *e)
{
    enum rc rc = disk_remove(file->disk, part, e);

    if (rc != RC_OK && rc != RC_NOTFOUND)
        return rc;
    rc = db_open_sqlite(file->disk, part, &writer->db, e);
    if (rc == RC_OK)
        rc = all_put(writer, e);
    db_close(writer->db);
    if (rc == RC_OK)
        rc = disk_rename(file->disk, part, file->name, e);
    return rc == RC_OK ? disk_sync_folder(file->disk, "", e) : rc;
}

static enum rc
inventory_keep(const struct audit_inventory *inventory, const char *path,
    struct redaction *redaction, bool replaces, struct err *e)
{
    struct writer writer = {.inventory = inventory,
        .redaction = redaction,
        .names = {redaction == NULL ? NULL : name_change, redaction}};
    struct snapshot_file file;
    char part[SNAPSHOT_FILE_PATH_MAX];
    enum rc rc = snapshot_file_open(&file, path, e);

    if (rc == RC_OK && !replaces)
        rc = way_check(&file, e);
    if (rc == RC_OK) {
        snprintf(part, sizeof part, "%s.part", file.name);
        rc = file_make(&file, &writer, part, e);
    }
    snapshot_file_close(&file);
    return rc == RC_OK ? RC_OK : err_note(e, "snapshot %s", path);
}

enum rc
snapshot_write(const struct audit_inventory *inventory, const char *path,
    struct redaction *redaction, struct err *e)
{
    return inventory_keep(inventory, path, redaction, false, e);
}

enum rc
snapshot_replace(const struct audit_inventory *inventory, const char *path, struct err *e)
{
    return inventory_keep(inventory, path, NULL, true, e);
}

enum rc
snapshot_remove(const char *path, struct err *e)
{
    struct snapshot_file file;
    enum rc rc = snapshot_file_open(&file, path, e);

    if (rc == RC_OK)
        rc = disk_remove(file.disk, file.name, e);
    snapshot_file_close(&file);
    return rc == RC_OK || rc == RC_NOTFOUND ? RC_OK : err_note(e, "snapshot %s", path);
}
