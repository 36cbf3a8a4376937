/* Snapshots: all that was seen comes back; hostile files do no harm; redacted ones name nobody. */
#include "audit/audit.h"
#include "audit/audit_report.h"
#include "audit/snapshot_rows.h"
#include "audit/snapshot_schema.h"
#include "lib/base/env.h"
#include "tests/unit/audit/snapshot_rig.h"

#define FLIPS 400

static int
setup(void **state)
{
    (void)state;
    begin_snapshot();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_snapshot();
    return 0;
}

static struct wire_string
text(const char *from)
{
    return (struct wire_string){from, (int32_t)strlen(from)};
}

/* --- everything ------------------------------------------------------------------------------- */

static bool
is_column(const struct snapshot_column *column, const char *name)
{
    return strcmp(column->name, name) == 0;
}

/* A value of its own in each column, but names, counts of rows and what is limited. */
static void
columns_fill(const struct snapshot_table *table, void *into, int64_t seed)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct snapshot_column *column = &table->columns[i];
        void *field = (char *)into + column->offset;
        int64_t value = seed + (int64_t)i;

        if (is_column(column, "partition_count") || is_column(column, "role") ||
            is_column(column, "role_group") || is_column(column, "type") ||
            is_column(column, "app") || is_column(column, "grp"))
            continue;
        switch (column->kind) {
        case SNAPSHOT_NAME:
            break;
        case SNAPSHOT_TEXT:
            *(const char **)field = inventory_printf(&inventory, "text %d", (int)value);
            break;
        case SNAPSHOT_BOOL:
            *(bool *)field = (value & 1) != 0;
            break;
        case SNAPSHOT_I32:
            *(int32_t *)field = (int32_t)-value;
            break;
        case SNAPSHOT_U32:
            *(uint32_t *)field = UINT32_MAX - (uint32_t)value;
            break;
        case SNAPSHOT_I64:
            *(int64_t *)field = INT64_MIN + value;
            break;
        case SNAPSHOT_U64:
            *(uint64_t *)field = UINT64_MAX - (uint64_t)value;
            break;
        }
    }
}

static void
columns_compare(const struct snapshot_table *table, const void *a, const void *b)
{
    static const size_t sizes[] = {[SNAPSHOT_BOOL] = sizeof(bool),
        [SNAPSHOT_I32] = 4,
        [SNAPSHOT_U32] = 4,
        [SNAPSHOT_I64] = 8,
        [SNAPSHOT_U64] = 8};

    for (size_t i = 0; i < table->count; i++) {
        const struct snapshot_column *column = &table->columns[i];
        const char *x = (const char *)a + column->offset, *y = (const char *)b + column->offset;

        if (column->kind > SNAPSHOT_TEXT)
            assert_memory_equal(x, y, sizes[column->kind]);
        else if (*(const char *const *)x == NULL)
            assert_null(*(const char *const *)y);
        else
            assert_string_equal(*(const char *const *)x, *(const char *const *)y);
    }
}

static void
estate_fill(void)
{
    static const char *const names[] = {"acme.orders", "acme-app-KSTREAM-STORE-1-changelog",
        "acme-app-counts-repartition", "billing-dlq", "mm2-offset-syncs.acme.internal"};
    static const enum audit_group_type types[] = {
        AUDIT_GROUP_CLASSIC, AUDIT_GROUP_CONSUMER, AUDIT_GROUP_STREAMS};

    for (int g = 0; g < 3; g++) {
        char id[32];

        snprintf(id, sizeof id, g == 2 ? "acme-app" : "group-%d", g);
        inventory_add_group(&inventory, text(id), types[g]);
        columns_fill(&snapshot_rows_groups, &inventory.groups[g], 1000 * g);
        inventory.groups[g].app = (enum audit_app)g;
        if (g == AUDIT_APP_MAYBE)
            inventory.groups[g].app_why = NULL;
    }
    for (uint32_t t = 0; t < ARRAY_LEN(names); t++) {
        struct audit_topic *topic = inventory_add_topic(&inventory, names[t], (int32_t)t + 1);

        columns_fill(&snapshot_rows_topics, topic, 100 * t);
        topic->configs[AUDIT_CONFIG_CLEANUP_POLICY] =
            (struct audit_config){t == 1 ? "compact" : "delete", t == 1};
        for (int32_t p = 0; p < topic->partition_count; p++)
            columns_fill(&snapshot_rows_partitions,
                &inventory.partitions[topic->first + (uint32_t)p], 10 * p);
        for (uint32_t g = 0; g < 3; g++)
            columns_fill(&snapshot_rows_uses,
                inventory_use(&inventory, g, text(names[t]), false, false), 7 * g);
    }
    inventory.topics[1].role = AUDIT_ROLE_CHANGELOG;
    inventory.topics[1].role_group = 2;
    columns_fill(&snapshot_rows_cluster, &inventory, 5);
    inventory.watch = (struct audit_watch){3, NOW_MS - 5000, 4000};
    inventory.took_ms = 77;
    inventory.cluster_id = "acme-cluster";
    inventory.configs[AUDIT_BROKER_AUTHORIZER] = (struct audit_config){"com.acme.Guard", true};
    inventory.configs[AUDIT_BROKER_SUPER_USERS] = (struct audit_config){"User:acme", true};
    inventory.cluster.features[0] = 25;
    inventory_add_transactional_id(&inventory, text("acme-app-tx-1"));
    inventory_add_transactional_id(&inventory, text("other-tx"));
    inventory_add_footprint(&inventory, 1, 3, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 1, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 2, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 4, AUDIT_TRACE_READ);
    inventory_add_footprint(&inventory, 1, 2, AUDIT_TRACE_PAST);
    inventory_add_footprint(&inventory, 0, 0, AUDIT_TRACE_REQUESTED);
    inventory_gap(&inventory, 4, AUDIT_PRODUCERS, NULL, RC_REMOTE, 29, NULL);
    inventory_gap(
        &inventory, INVENTORY_NO_NUMBER, AUDIT_SIZES, "broker acme-1", RC_REMOTE, 31, NULL);
    inventory.asked_ms[AUDIT_SAMPLES] = 0;
}

static void
estate_write(void)
{
    struct err e;

    estate_fill();
    assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_OK);
}

static void
write_and_read(void)
{
    struct err e = {0};

    if (snapshot_write(&inventory, path, NULL, &e) != RC_OK ||
        snapshot_read(path, &again, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static void
everything_comes_back(void **state)
{
    (void)state;
    estate_fill();
    write_and_read();
    columns_compare(&snapshot_rows_cluster, &inventory, &again);
    assert_int_equal(again.topic_count, inventory.topic_count);
    assert_int_equal(again.partition_count, inventory.partition_count);
    assert_int_equal(again.group_count, inventory.group_count);
    for (uint32_t t = 0; t < again.topic_count; t++) {
        const struct audit_topic *a = &inventory.topics[t], *b = &again.topics[t];
        const struct audit_use *y = b->uses;

        columns_compare(&snapshot_rows_topics, a, b);
        assert_int_equal(a->first, b->first);
        assert_int_equal(a->use_count, b->use_count);
        for (unsigned i = 0; i < AUDIT_TRACES; i++)
            assert_int_equal(a->traces[i].ids, b->traces[i].ids);
        for (const struct audit_use *x = a->uses; x != NULL; x = x->next, y = y->next)
            columns_compare(&snapshot_rows_uses, x, y);
        assert_null(y);
        for (unsigned c = 0; c < AUDIT_TOPIC_CONFIGS; c++) {
            assert_int_equal(a->configs[c].value == NULL, b->configs[c].value == NULL);
            assert_int_equal(a->configs[c].is_own, b->configs[c].is_own);
        }
    }
    for (uint32_t p = 0; p < again.partition_count; p++)
        columns_compare(&snapshot_rows_partitions, &inventory.partitions[p], &again.partitions[p]);
    for (uint32_t g = 0; g < again.group_count; g++)
        columns_compare(&snapshot_rows_groups, &inventory.groups[g], &again.groups[g]);
    assert_string_equal(again.topics[1].configs[AUDIT_CONFIG_CLEANUP_POLICY].value, "compact");
    assert_string_equal(again.configs[AUDIT_BROKER_AUTHORIZER].value, "com.acme.Guard");
    assert_int_equal(again.cluster.features[0], 25);
    assert_string_equal(again.topics[1].traces[AUDIT_TRACE_OPEN].first, "acme-app-tx-1");
    assert_int_equal(again.footprints->topic, 0);
    assert_int_equal(again.footprints->trace, AUDIT_TRACE_REQUESTED);
    assert_string_equal(again.topics[2].traces[AUDIT_TRACE_PAST].first, "other-tx");
    assert_string_equal(again.topics[4].traces[AUDIT_TRACE_READ].first, "acme-app-tx-1");
    assert_string_equal(again.topics[4].gaps[AUDIT_PRODUCERS].why, "29 TOPIC_AUTHORIZATION_FAILED");
    assert_string_equal(
        again.gaps[AUDIT_SIZES].why, "broker acme-1: 31 CLUSTER_AUTHORIZATION_FAILED");
    assert_null(again.gaps[AUDIT_METADATA].why);
    assert_memory_equal(again.asked_ms, inventory.asked_ms, sizeof again.asked_ms);
}

static char *
json_of(struct audit_inventory *of)
{
    struct audit_report report;
    size_t size = 0;
    char *json = NULL;
    FILE *out = open_memstream(&json, &size);
    struct err e;

    assert_int_equal(audit_judge(of, &e), RC_OK);
    audit_report_init(&report, of, (1U << RULES_DESIGNS) - 1);
    audit_report_json(&report, out);
    audit_report_fini(&report);
    fclose(out);
    return json;
}

static void
the_report_is_the_same(void **state)
{
    char *before, *after;

    (void)state;
    plain_topic("clicks", 3);
    plain_topic("orders", 2)->sample.transactional = 4;
    plain_topic("app-store-changelog", 2)->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = "compact";
    inventory_add_group(&inventory, text("app"), AUDIT_GROUP_CLASSIC)->app = AUDIT_APP_YES;
    inventory.groups[inventory.group_count - 1].app_why = "of its members";
    /* Judging leaves what was seen as it was, also where it is done twice. */
    free(json_of(&inventory));
    before = json_of(&inventory);
    assert_non_null(strstr(before, "changelog of application app: of its members"));
    write_and_read();
    after = json_of(&again);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void
no_file_is_overwritten(void **state)
{
    struct err e;

    (void)state;
    plain_topic("clicks", 3);
    write_and_read();
    assert_int_equal(snapshot_check(path, &e), RC_EXISTS);
    assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_EXISTS);
    assert_non_null(strstr(e.text, "it is there already, and is not overwritten"));
    assert_int_equal(snapshot_write(&inventory, "/nowhere/at/all", NULL, &e), RC_NOTFOUND);
    assert_int_equal(snapshot_check("/nowhere/at/all", &e), RC_NOTFOUND);
    assert_int_equal(snapshot_check("", &e), RC_CONFIG);
    assert_int_equal(snapshot_check("/tmp/", &e), RC_CONFIG);
}

/* --- files of others ---------------------------------------------------------------------------
 */

/* Of kdl before it read the transaction log: its transactions were open ones. */
static void
a_snapshot_of_version_1_is_read(void **state)
{
    struct err e = {0};

    (void)state;
    estate_write();
    execute(UNDO_VERSION_5 "DELETE FROM footprints WHERE trace > 0;"
                           "ALTER TABLE footprints DROP COLUMN trace;"
                           "DROP TABLE clients; DROP TABLE contacts;"
                           "DELETE FROM schema_version WHERE version > 1;"
                           "DELETE FROM probes WHERE probe IN ('TRANSACTION_LOG', 'COMMIT_LOG')");
    if (snapshot_read(path, &again, &e) != RC_OK)
        fail_msg("%s", e.text);
    assert_int_equal(again.footprints->topic, 2);
    assert_int_equal(again.footprints->trace, AUDIT_TRACE_OPEN);
    assert_non_null(again.gaps[AUDIT_TRANSACTION_LOG].why);
    assert_non_null(again.gaps[AUDIT_COMMIT_LOG].why);
    assert_null(again.gaps[AUDIT_REQUESTS].why);
    assert_non_null(again.gaps[AUDIT_METRICS_SUBSCRIPTIONS].why);
    assert_non_null(again.gaps[AUDIT_BROKER_VERSIONS].why);
    assert_null(again.gaps[AUDIT_VERSIONS].why);
    assert_int_equal(again.cluster.fullest.total_bytes, 0);
}

static void
contradictions_are_found(void **state)
{
    static const char *const damages[] = {
        "UPDATE topics SET partition_count = 2000000000 WHERE topic = 0",
        "UPDATE topics SET partition_count = -1 WHERE topic = 0",
        "UPDATE topics SET topic = 9 WHERE topic = 4",
        "UPDATE topics SET role = 77",
        "UPDATE topics SET role_group = 3 WHERE role != 0",
        "UPDATE topics SET last_sequence = 3000000000",
        "UPDATE topics SET is_internal = 2",
        "UPDATE topics SET name = 'a' || char(0) || 'b' WHERE topic = 0",
        "UPDATE partitions SET partition = 5 WHERE topic = 0",
        "UPDATE partitions SET topic = 17 WHERE topic = 4",
        "UPDATE groups SET type = 4 WHERE grp = 0",
        "UPDATE groups SET app = 3 WHERE grp = 0",
        "UPDATE groups SET app_why = NULL",
        "UPDATE groups SET grp = 7 WHERE grp = 2",
        "UPDATE uses SET grp = 3",
        "UPDATE uses SET topic = 99 WHERE topic = 0",
        "UPDATE configs SET topic = 5 WHERE topic = 0",
        "UPDATE configs SET topic = -2 WHERE topic = -1",
        "UPDATE features SET level = 70000",
        "UPDATE gaps SET topic = 5",
        "UPDATE gaps SET failures = -1",
        "UPDATE transactional_ids SET number = 5 WHERE number = 1",
        "UPDATE footprints SET number = 2",
        "UPDATE footprints SET topic = 5",
        "UPDATE footprints SET trace = 99",
        "UPDATE footprints SET trace = -1",
        "DELETE FROM cluster",
        "UPDATE cluster SET first_ms = -1",
        "UPDATE cluster SET longest_gap_ms = 9007199254740992",
        "UPDATE probes SET at_ms = 9223372036854775807 WHERE probe = 'METADATA'",
        "INSERT INTO topics SELECT 5, name || '!', partition_count, is_internal, bytes, offsets,"
        " began_later, last_ms, unstable, replication, lagging, leaderless, moving, producers,"
        " transactional_producers, open_transactions, last_sequence, rate_records, rate_window_ms, "
        "peak_records, peak_window_ms, role, role_group,"
        " sample_batches, sample_transactional, sample_control, sample_with_producer,"
        " sample_bytes, sample_offsets, sample_offsets_stored, sample_holes, sample_keyed,"
        " sample_unkeyed, sample_repeated, sample_program, sample_programs, sample_cut,"
        " sample_partitions, sample_old_format, sample_log_append_time, sample_horizons,"
        " sample_uncompressed_bytes, sample_records, sample_counted, sample_tombstones,"
        " sample_backwards, sample_newest_ms, traffic_bytes_in, traffic_bytes_out,"
        " traffic_records_in, traffic_window_ms, tiered, aborted_asked, aborted_found FROM topics WHERE topic = 0",
    };

    (void)state;
    estate_fill();
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct audit_inventory read;
        struct err e = {0};

        assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_OK);
        execute(damages[i]);
        inventory_init(&read);
        if (snapshot_read(path, &read, &e) != RC_CORRUPT)
            fail_msg("%s: %s", damages[i], e.text);
        inventory_fini(&read);
        assert_int_equal(remove(path), 0);
    }
}

static void
only_snapshots_are_read(void **state)
{
    struct err e;
    FILE *file;

    (void)state;
    assert_int_equal(snapshot_read(path, &again, &e), RC_NOTFOUND);
    execute("CREATE TABLE topics (name TEXT)");
    assert_int_equal(snapshot_read(path, &again, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "it is no snapshot of kdl audit"));
    assert_int_equal(remove(path), 0);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("topic,verdict\nclicks,READY\nand more that is no database, for some hundred bytes\n"
          "0123456789012345678901234567890123456789012345678901234567890123456789",
        file);
    fclose(file);
    assert_int_equal(snapshot_read(path, &again, &e), RC_CORRUPT);
    assert_int_equal(remove(path), 0);
    plain_topic("clicks", 3);
    assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_OK);
    execute("INSERT INTO schema_version VALUES (99)");
    assert_int_equal(snapshot_read(path, &again, &e), RC_UNSUPPORTED);
}

/* The whole file, *size bytes, which the caller frees. */
static uint8_t *
file_bytes(size_t *size)
{
    FILE *file = fopen(path, "r");
    uint8_t *bytes;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = xmalloc(*size);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* What a flipped bit does to it is open; it must end, with a code. */
static void
flipped_bits_do_no_harm(void **state)
{
    struct env env;
    uint8_t *bytes;
    size_t size;
    FILE *file;
    struct err e;

    (void)state;
    env_init_seeded(&env, 4, 0);
    estate_write();
    bytes = file_bytes(&size);
    for (int i = 0; i < FLIPS; i++) {
        size_t at = env_random_below(&env, size);
        uint8_t bit = (uint8_t)(1U << env_random_below(&env, 8));
        struct audit_inventory read;

        bytes[at] ^= bit;
        file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        inventory_init(&read);
        if (snapshot_read(path, &read, &e) == RC_OK)
            free(json_of(&read));
        inventory_fini(&read);
        bytes[at] ^= bit;
    }
    free(bytes);
}

static void
a_request_that_the_writer_did_not_know_is_a_gap(void **state)
{
    struct err e;

    (void)state;
    plain_topic("clicks", 3);
    assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_OK);
    execute("DELETE FROM probes WHERE probe = 'ACLS'; INSERT INTO probes VALUES ('FUTURE', 1);"
            "INSERT INTO gaps VALUES (0, 'FUTURE', 'x', 0, 1);"
            "INSERT INTO configs VALUES (0, 'of.the.future', 'x', 1);"
            "INSERT INTO features VALUES ('of.the.future', 1)");
    assert_int_equal(snapshot_read(path, &again, &e), RC_OK);
    assert_non_null(strstr(again.gaps[AUDIT_ACLS].why, "did not ask"));
    assert_null(again.gaps[AUDIT_QUOTAS].why);
}

/* --- redaction ---------------------------------------------------------------------------------
 */

/* A Flink job reads the first topic and writes the fourth, with numbers that redaction changes. */
static void
flink_fill(void)
{
    static const char *const ids[] = {"acme-sink-12-4096409640", "acme-sink-12-4096409641"};
    static const struct audit_client clients[] = {{"acme-etl-1281281281", "User:acme", "", ""},
        {"acme-etl-enumerator-admin-client", "", "", ""}};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        inventory_add_transactional_id(&inventory, text(ids[i]));
        inventory_add_client(&inventory, &clients[i]);
    }
    inventory_add_footprint(
        &inventory, inventory_transactional_id(&inventory, text(ids[0])), 3, AUDIT_TRACE_PAST);
    inventory_contact(&inventory, 0, 0)->fetches = 9;
}

static void
redacted_snapshots_name_nobody(void **state)
{
    static const char *const secrets[] = {
        "acme", "orders", "billing", "other", "Guard", "counts", "12812", "40964"};
    char key[TEMP_FOLDER_BYTES_MAX + 16];
    struct redaction redaction;
    struct audit_report report[2];
    struct err e = {0};
    uint8_t *bytes;
    size_t size;

    (void)state;
    snprintf(key, sizeof key, "%s/key", folder);
    estate_fill();
    flink_fill();
    assert_int_equal(redaction_init(&redaction, key, &e), RC_OK);
    if (snapshot_write(&inventory, path, &redaction, &e) != RC_OK ||
        snapshot_read(path, &again, &e) != RC_OK)
        fail_msg("%s", e.text);
    bytes = file_bytes(&size);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        if (memmem(bytes, size, secrets[i], strlen(secrets[i])) != NULL)
            fail_msg("%s is in the file", secrets[i]);
    free(bytes);
    assert_string_equal(again.topics[0].name, redaction_name(&redaction, "acme.orders"));
    assert_string_equal(again.gaps[AUDIT_SIZES].why, "31 CLUSTER_AUTHORIZATION_FAILED");
    assert_int_equal(audit_judge(&inventory, &e), RC_OK);
    assert_int_equal(audit_judge(&again, &e), RC_OK);
    assert_non_null(again.topics[0].flink.reader);
    assert_non_null(again.topics[3].flink.transactional_id);
    audit_report_init(&report[0], &inventory, AUDIT_REPORT_DESIGNS);
    audit_report_init(&report[1], &again, AUDIT_REPORT_DESIGNS);
    for (uint32_t t = 0; t < again.topic_count; t++) {
        const struct audit_hit *x = inventory.topics[t].hits, *y = again.topics[t].hits;

        for (unsigned f = 0; f < AUDIT_FACTS; f++)
            assert_int_equal(inventory.topics[t].facts[f].value, again.topics[t].facts[f].value);
        for (; x != NULL && y != NULL; x = x->next, y = y->next)
            assert_ptr_equal(x->rule, y->rule);
        assert_true(x == NULL && y == NULL);
    }
    assert_memory_equal(report[0].verdicts, report[1].verdicts, sizeof report[0].verdicts);
    audit_report_fini(&report[0]);
    audit_report_fini(&report[1]);
    redaction_fini(&redaction);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(everything_comes_back, setup, teardown),
    cmocka_unit_test_setup_teardown(the_report_is_the_same, setup, teardown),
    cmocka_unit_test_setup_teardown(no_file_is_overwritten, setup, teardown),
    cmocka_unit_test_setup_teardown(a_snapshot_of_version_1_is_read, setup, teardown),
    cmocka_unit_test_setup_teardown(contradictions_are_found, setup, teardown),
    cmocka_unit_test_setup_teardown(only_snapshots_are_read, setup, teardown),
    cmocka_unit_test_setup_teardown(flipped_bits_do_no_harm, setup, teardown),
    cmocka_unit_test_setup_teardown(
        a_request_that_the_writer_did_not_know_is_a_gap, setup, teardown),
    cmocka_unit_test_setup_teardown(redacted_snapshots_name_nobody, setup, teardown),
};

int
main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
