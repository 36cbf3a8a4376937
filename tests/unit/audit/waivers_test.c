/* Waivers: read with every mistake named, and applied to what they say, until their day. */
#include "audit/waivers.h"

#include <unistd.h>

#include "audit/audit.h"
#include "tests/unit/audit/rules_rig.h"
#include "tests/unit/temp_folder.h"

#define DAY_MS INT64_C(86400000)

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 16];
static struct waivers waivers;
static struct err e;

static int
setup(void **state)
{
    (void)state;
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/waivers", folder);
    begin_inventory();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    waivers_free(&waivers);
    inventory_fini(&inventory);
    temp_folder_remove(folder);
    return 0;
}

static enum rc
read_text(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return waivers_read(path, &waivers, &e);
}

static void
lines_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_text("# who answers for what\n\n"
                               "TXN-001\tpayments.* 2027-03-01  team-pay   rewritten by then \r\n"
                               "  * - 2026-12-31 ops all of the cluster's"),
        RC_OK);
    assert_int_equal(waivers.count, 2);
    assert_string_equal(waivers.items[0].rule, "TXN-001");
    assert_string_equal(waivers.items[0].topics, "payments.*");
    assert_string_equal(waivers.items[0].owner, "team-pay");
    assert_string_equal(waivers.items[0].why, "rewritten by then ");
    assert_int_equal(waivers.items[0].line, 3);
    /* 2027-03-01T00:00:00Z and a day. */
    assert_int_equal(waivers.items[0].ends_ms, INT64_C(1803859200000) + DAY_MS);
    assert_string_equal(waivers.items[1].topics, "-");
    assert_string_equal(waivers.items[1].why, "all of the cluster's");
}

static void
mistakes_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"TXN-001 a 2027-03-01 me", "line 1: it does not say why"},
        {"\nTXN-001 a 2027-03-01", "line 2: it takes RULE TOPICS UNTIL OWNER WHY"},
        {"TXN-999 a 2027-03-01 me x", "line 1: no rule is called TXN-999; kdl audit explain"},
        {"TXN-001 a 2027-02-31 me x", "line 1: 2027-02-31 is no day"},
        {"TXN-001 a 01.03.2027 me x", "line 1: 01.03.2027 is no day"},
        {"TXN-001 a 2027-3-1 me x", "line 1: 2027-3-1 is no day"},
        {"TXN-001 a 2027-03-01x me x", "line 1: 2027-03-01x is no day"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(read_text(rows[i].text), RC_CONFIG);
        if (strstr(e.text, rows[i].said) == NULL)
            fail_msg("%s: %s", rows[i].text, e.text);
        waivers_free(&waivers);
    }
    assert_int_equal(waivers_read("/nowhere", &waivers, &e), RC_CONFIG);
    waivers_free(&waivers);
    assert_int_equal(waivers_read("/dev/zero", &waivers, &e), RC_CONFIG);
}

static void
what_is_waived_weighs_nothing_until_its_day(void **state)
{
    (void)state;
    plain_topic("payments.a", 1)->sample.transactional = 3;
    plain_topic("orders", 1)->sample.transactional = 3;
    inventory.cluster.scram_users = 2;
    assert_int_equal(audit_judge(&inventory, &e), RC_OK);
    assert_int_equal(rules_judge(&inventory.topics[0], RULES_COORDINATED), RULES_BLOCKED);
    assert_int_equal(read_text("txn-001 payments.* 2027-03-01 me x\n* - 2027-03-01 me x\nTXN-001 "
                               "other 2027-03-01 me x"),
        RC_OK);
    waivers_apply(&waivers, &inventory, waivers.items[0].ends_ms - 1);
    assert_int_equal(rules_judge(&inventory.topics[0], RULES_COORDINATED), RULES_READY);
    assert_int_equal(rules_judge(&inventory.topics[1], RULES_COORDINATED), RULES_BLOCKED);
    assert_int_equal(waivers.items[0].findings, 1);
    assert_ptr_equal(inventory.hits->waiver, &waivers.items[1]);
    assert_int_equal(waivers.items[2].findings, 0);
    waivers_apply(&waivers, &inventory, waivers.items[0].ends_ms);
    assert_true(waivers.items[0].is_over);
    assert_int_equal(rules_judge(&inventory.topics[0], RULES_COORDINATED), RULES_BLOCKED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_waived_weighs_nothing_until_its_day, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
