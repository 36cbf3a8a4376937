/* The table for people: it fits into the width that it is given. */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"
#include "tests/unit/unit.h"

/* A short and a long name, with nothing known of either: both need a decision. */
static void
fill(struct audit_inventory *inventory)
{
    static const char name[] = "payments-application-with-a-long-id";
    struct wire_string id = {name, sizeof name - 1};

    inventory_init(inventory);
    inventory->cluster_id = "5L6g3nShT-eMCtK--X86sw";
    inventory->brokers = 3;
    inventory->is_restricted = true;
    inventory->cluster.scram_users = 1;
    inventory_add_transactional_id(inventory, id);
    inventory_add_topic(inventory, "orders", 24)->configs[AUDIT_CONFIG_CLEANUP_POLICY].value =
        "compact";
    inventory_add_topic(
        inventory, "a-topic-with-a-name-that-is-longer-than-any-column-of-the-table", 3)
        ->configs[AUDIT_CONFIG_CLEANUP_POLICY]
        .value = "compact";
    inventory_add_footprint(inventory, 0, 0, AUDIT_TRACE_OPEN);
    inventory_add_footprint(inventory, 0, 1, AUDIT_TRACE_OPEN);
    inventory_gap(inventory, INVENTORY_NO_NUMBER, AUDIT_ACLS, NULL, RC_REMOTE, 31, NULL);
    facts_derive(inventory);
    rules_apply(inventory);
}

static char *
table(const struct audit_inventory *inventory, size_t width)
{
    struct audit_report_look look = {.width = width};
    struct audit_report report;
    struct waves waves;
    struct err e;
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(waves_plan(&waves, inventory, AUDIT_REPORT_DESIGNS, NULL, 0, &e), RC_OK);
    audit_report_init(&report, inventory, AUDIT_REPORT_DESIGNS);
    report.waves = &waves;
    audit_report_table(&report, &look, out);
    audit_report_fini(&report);
    waves_free(&waves);
    assert_int_equal(fclose(out), 0);
    return text;
}

static size_t
widest_line(const char *text)
{
    size_t widest = 0;

    while (*text != '\0') {
        size_t size = strcspn(text, "\n");

        widest = size > widest ? size : widest;
        text += size + (text[size] == '\n');
    }
    return widest;
}

static void
no_line_is_wider_than_the_terminal(void **state)
{
    struct audit_inventory inventory;

    (void)state;
    fill(&inventory);
    for (size_t width = AUDIT_REPORT_WIDTH_MIN; width < 220; width++) {
        char *text = table(&inventory, width);

        assert_non_null(strstr(text, "orders"));
        assert_non_null(strstr(text, "BLOCKED"));
        assert_in_range(widest_line(text), 1, width);
        free(text);
    }
    inventory_fini(&inventory);
}

static void
a_wide_terminal_has_the_reason_on_the_same_line(void **state)
{
    struct audit_inventory inventory;
    char *text;

    (void)state;
    fill(&inventory);
    text = table(&inventory, 160);
    assert_non_null(strstr(text, "WHY"));
    free(text);
    text = table(&inventory, 80);
    assert_null(strstr(text, "WHY"));
    free(text);
    inventory_fini(&inventory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_wide_terminal_has_the_reason_on_the_same_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
