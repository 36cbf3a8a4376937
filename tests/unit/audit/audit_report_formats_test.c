/* Every format of a report, byte for byte as in the folder golden. UPDATE_GOLDEN=1 writes them
 * anew. */
#include <stdlib.h>

#include "audit/audit_report.h"
#include "audit/waivers.h"
#include "lib/base/jdoc.h"
#include "tests/unit/audit/rules_rig.h"

#define FOLDER "tests/unit/audit/golden/"

static const struct waiver waiver = {
    "*", "payments", "2027-03-01", "team <pay>", "its producer is \"rewritten\"", 0, 1, 1, false};

/* One topic per verdict, names that every format has to escape, and a cluster with users. */
static void
fill(void)
{
    struct wire_string id = {"pay \"1\"", 7};
    struct audit_topic *topic;

    begin_inventory();
    inventory.cluster_id = "5L6g3nShT-eMCtK--X86sw";
    inventory.brokers = 3;
    inventory.requests = 42;
    inventory.took_ms = 1200;
    plain_topic("clicks", 4);
    topic = plain_topic("orders", 24);
    topic->sample.transactional = 3;
    topic->replication = 3;
    topic = plain_topic("sessions", 12);
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY] = (struct audit_config){"compact", true};
    topic = plain_topic("a \"b\", <c> & |d|", 1);
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = NULL;
    inventory_gap(&inventory, 3, AUDIT_CONFIGS, NULL, RC_REMOTE, 29, NULL);
    plain_topic("payments", 6);
    inventory.cluster.scram_users = 2;
    inventory_add_transactional_id(&inventory, id);
    inventory_add_footprint(&inventory, 0, 1, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 4, AUDIT_TRACE_OPEN);
    derive();
    for (struct audit_hit *hit = inventory.topics[4].hits; hit != NULL; hit = hit->next)
        hit->waiver = &waiver;
}

/* The version is that of the program. */
static char *
without_version(char *text)
{
    char *at = strstr(text, "\"" KDL_VERSION "\"");

    if (at != NULL)
        memset(at + 1, 'V', strlen(KDL_VERSION));
    return text;
}

static char *
printed(void (*print)(const struct audit_report *report, FILE *out), uint32_t designs)
{
    struct audit_report report;
    struct waves waves;
    struct err e;
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fill();
    assert_int_equal(waves_plan(&waves, &inventory, designs, NULL, 0, &e), RC_OK);
    audit_report_init(&report, &inventory, designs);
    report.waves = &waves;
    print(&report, out);
    audit_report_fini(&report);
    waves_free(&waves);
    inventory_fini(&inventory);
    assert_int_equal(fclose(out), 0);
    return without_version(text);
}

static char *
read_all(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}

static void
compare(const char *path, char *text)
{
    char *wanted;

    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    wanted = read_all(path);
    assert_string_equal(text, wanted);
    free(wanted);
    free(text);
}

static void
table(const struct audit_report *report, FILE *out)
{
    struct audit_report_look look = {.width = 150};

    audit_report_table(report, &look, out);
}

static void
junit(const struct audit_report *report, FILE *out)
{
    audit_report_junit(report, RULES_READY_WITH_CHANGES, out);
}

static void
path(const struct audit_report *report, FILE *out)
{
    audit_report_path(report, 1, 4, out);
    audit_report_path(report, 0, 1, out);
}

static void
each_format_is_as_in_its_file(void **state)
{
    static const struct {
        const char *file;
        void (*print)(const struct audit_report *report, FILE *out);
    } formats[] = {
        {FOLDER "audit.txt", table},
        {FOLDER "audit.json", audit_report_json},
        {FOLDER "audit.csv", audit_report_csv},
        {FOLDER "audit.md", audit_report_markdown},
        {FOLDER "audit.html", audit_report_html},
        {FOLDER "audit.sarif", audit_report_sarif},
        {FOLDER "audit.junit.xml", junit},
        {FOLDER "audit.waves.txt", audit_report_waves},
        {FOLDER "audit.dot", audit_report_dot},
        {FOLDER "audit.path.txt", path},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        compare(formats[i].file, printed(formats[i].print, AUDIT_REPORT_DESIGNS));
}

static void
a_design_that_is_not_looked_at_is_not_told(void **state)
{
    char *text = printed(table, 1U << RULES_WAL);

    (void)state;
    assert_null(strstr(text, "coordinated"));
    assert_non_null(strstr(text, "5 topics are READY for the design"));
    free(text);
    text = printed(junit, 1U << RULES_WAL);
    assert_non_null(strstr(text, "tests=\"5\" failures=\"0\""));
    free(text);
}

static void
json_and_sarif_can_be_read_back(void **state)
{
    char *text = printed(audit_report_sarif, (1U << RULES_DESIGNS) - 1);
    const struct jdoc *run, *results, *rules;
    struct jdoc *doc;
    struct err e;

    (void)state;
    assert_int_equal(jdoc_parse(text, strlen(text), &doc, &e), RC_OK);
    run = jdoc_at(jdoc_get(doc, "runs"), 0);
    results = jdoc_get(run, "results");
    rules = jdoc_get(jdoc_get(jdoc_get(run, "tool"), "driver"), "rules");
    assert_true(jdoc_count(results) > 4);
    /* Each result points to its rule. */
    for (size_t i = 0; i < jdoc_count(results); i++) {
        const struct jdoc *result = jdoc_at(results, i);
        size_t index = (size_t)jdoc_get_int(result, "ruleIndex", -1);

        assert_string_equal(
            jdoc_get_text(result, "ruleId", ""), jdoc_get_text(jdoc_at(rules, index), "id", "-"));
    }
    jdoc_free(doc);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_is_as_in_its_file),
        cmocka_unit_test(a_design_that_is_not_looked_at_is_not_told),
        cmocka_unit_test(json_and_sarif_can_be_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
