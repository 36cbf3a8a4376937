#include "price/audited.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static struct load load;

static enum rc
read_text(const char *text, struct err *e)
{
    return audited_read(&load, text, strlen(text), "a.json", e);
}

static void
brokers_partitions_bytes_and_groups_are_taken(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(
        read_text("{\"format\": 1, \"cluster\": {\"brokers\": 3}, \"topics\": ["
                  "{\"partitions\": 6, \"bytes\": 3000, \"facts\": {\"groups\": {\"value\": "
                  "\"yes\", \"names\": [\"a\", \"b\"]}}},"
                  "{\"partitions\": 2, \"bytes\": 1000, \"facts\": {\"groups\": {\"value\": "
                  "\"no\", \"names\": []}}},"
                  "{\"partitions\": 1, \"bytes\": null, \"facts\": {\"groups\": {\"value\": "
                  "\"yes\", \"names\": [\"a\"]}}},"
                  "{\"partitions\": 1, \"bytes\": 500, \"facts\": {\"groups\": {\"value\": "
                  "\"unknown\", \"names\": []}}}],"
                  "\"internal_topics\": [{\"partitions\": 50, \"bytes\": 7}]}",
            &e),
        RC_OK);
    assert_int_equal(load.origin, INPUTS_AUDIT);
    assert_true(load.brokers.value == 3);
    assert_true(load.partitions.value == 60);
    assert_true(load.stored.value == 4500);
    assert_string_equal(load.stored.how, "a.json, 3 of 4 topics");
    assert_true(load.fan_out.value == 1.5);
    assert_false(load.produced.known);
    assert_false(load.zones.known);
}

static void
what_an_audit_could_not_see_is_not_known(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(read_text("{\"format\": 1, \"cluster\": {}, \"topics\": []}", &e), RC_OK);
    assert_false(load.brokers.known);
    assert_false(load.partitions.known);
    assert_false(load.stored.known);
    assert_false(load.fan_out.known);
    assert_int_equal(read_text("{\"format\": 1, \"cluster\": {\"brokers\": -5}, \"topics\": "
                               "[{\"partitions\": -7, \"bytes\": -1}, {\"partitions\": \"x\"}, "
                               "7, null, {\"partitions\": 1, \"bytes\": 0}]}",
                         &e),
        RC_OK);
    assert_false(load.brokers.known);
    assert_true(load.partitions.value == 1);
    assert_false(load.stored.known);
}

static void
what_is_no_audit_is_refused(void **state)
{
    static const char *const texts[] = {"", "{", "7", "[]", "{}", "{\"format\": 1}",
        "{\"format\": 2, \"cluster\": {}, \"topics\": []}", "{\"format\": 1, \"topics\": []}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e;

        assert_int_equal(read_text(texts[i], &e), RC_CONFIG);
        assert_int_equal(e.code, RC_CONFIG);
        assert_int_equal(strncmp(e.text, "a.json is no ", 13), 0);
    }
}

static void
a_file_that_cannot_be_read_is_a_wrong_use(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(audited_load(&load, "/no/such/file", &e), RC_CONFIG);
    assert_int_equal(audited_load(&load, "/", &e), RC_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brokers_partitions_bytes_and_groups_are_taken),
        cmocka_unit_test(what_an_audit_could_not_see_is_not_known),
        cmocka_unit_test(what_is_no_audit_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_wrong_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
