/* Access rules: what is one, what filters mean, and what a damaged catalog cannot do. */
#include "refbroker/meta/acls.h"

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "tests/unit/unit.h"

#define KEY_BYTES_MAX 1000

enum { TOPIC = 2, GROUP = 3, CLUSTER = 4, READ = 3, WRITE = 4, DENY = 2, ALLOW = 3 };

static const struct wire_string any = {NULL, -1};

static struct wire_string
text(const char *string)
{
    return (struct wire_string){string, (int32_t)strlen(string)};
}

static struct acl
rule(int8_t type, int8_t pattern, const char *name)
{
    return (struct acl){type, pattern, READ, ALLOW, text(name), text("User:a"), text("*")};
}

static enum rc
add(struct acls *acls, const struct acl *acl)
{
    struct buf key;
    struct err e;
    enum rc rc;

    buf_init(&key, KEY_BYTES_MAX);
    acls_key(acl, &key);
    rc = acls_add(acls, key.data, key.size, &e);
    buf_fini(&key);
    return rc;
}

static void
a_rule_is_kept_once_until_it_is_removed(void **state)
{
    struct acl acl = rule(TOPIC, ACL_PATTERN_LITERAL, "t");
    const struct acl_entry *entry;
    struct acls acls;
    size_t position = 0;

    (void)state;
    acls_init(&acls);
    assert_int_equal(add(&acls, &acl), RC_OK);
    assert_int_equal(add(&acls, &acl), RC_OK);
    entry = acls_next(&acls, &position);
    assert_non_null(entry);
    assert_null(acls_next(&acls, &position));
    assert_true(acls_match(&acl, &entry->acl));
    acls_remove(&acls, entry->key, entry->key_size);
    position = 0;
    assert_null(acls_next(&acls, &position));
    acls_fini(&acls);
}

static void
what_is_no_rule_is_refused(void **state)
{
    struct acl good = rule(TOPIC, ACL_PATTERN_LITERAL, "t"), bad;
    struct err e;

    (void)state;
    assert_int_equal(acls_check(&good, &e), KE_NONE);
    for (int field = 0; field < 4; field++)
        for (int number = -1; number <= 17; number += number == 1 ? 15 : 1) {
            bad = good;
            *(&bad.resource_type + field) = (int8_t)number; /* the four numbers lie together */
            assert_int_equal(acls_check(&bad, &e), KE_UNKNOWN_SERVER_ERROR);
            assert_int_equal(e.code, RC_OK);
        }
    bad = rule(TOPIC, ACL_PATTERN_LITERAL, "");
    assert_int_equal(acls_check(&bad, &e), KE_INVALID_REQUEST);
    assert_string_equal(e.text, "Invalid empty resource name");
    bad = rule(CLUSTER, ACL_PATTERN_LITERAL, "mine");
    assert_int_equal(acls_check(&bad, &e), KE_INVALID_REQUEST);
    bad = rule(CLUSTER, ACL_PATTERN_LITERAL, "kafka-cluster");
    assert_int_equal(acls_check(&bad, &e), KE_NONE);
    bad = good;
    bad.principal = text("a");
    assert_int_equal(acls_check(&bad, &e), KE_INVALID_REQUEST);
}

static void
filters_leave_open_what_they_do_not_name(void **state)
{
    struct acl acl = rule(TOPIC, ACL_PATTERN_LITERAL, "t");
    struct acl open = {ACL_ANY, ACL_ANY, ACL_ANY, ACL_ANY, any, any, any}, filter;

    (void)state;
    assert_true(acls_match(&open, &acl));
    filter = open;
    filter.resource_type = GROUP;
    assert_false(acls_match(&filter, &acl));
    filter = open;
    filter.operation = WRITE;
    assert_false(acls_match(&filter, &acl));
    filter = open;
    filter.permission_type = DENY;
    assert_false(acls_match(&filter, &acl));
    filter = open;
    filter.principal = text("User:b");
    assert_false(acls_match(&filter, &acl));
    filter.principal = text("User:a");
    assert_true(acls_match(&filter, &acl));
    filter.host = text("10.0.0.1");
    assert_false(acls_match(&filter, &acl));
    filter = open;
    filter.resource = text("tt");
    assert_false(acls_match(&filter, &acl));
}

static void
a_match_finds_what_applies_to_a_name(void **state)
{
    struct acl filter = {TOPIC, ACL_PATTERN_MATCH, ACL_ANY, ACL_ANY, text("orders"), any, any};
    struct acl literal = rule(TOPIC, ACL_PATTERN_LITERAL, "orders");
    struct acl all = rule(TOPIC, ACL_PATTERN_LITERAL, "*");
    struct acl prefix = rule(TOPIC, ACL_PATTERN_PREFIXED, "ord");
    struct acl whole = rule(TOPIC, ACL_PATTERN_PREFIXED, "orders");
    struct acl longer = rule(TOPIC, ACL_PATTERN_PREFIXED, "orders-eu");
    struct acl other = rule(TOPIC, ACL_PATTERN_LITERAL, "ord");

    (void)state;
    assert_true(acls_match(&filter, &literal));
    assert_true(acls_match(&filter, &all));
    assert_true(acls_match(&filter, &prefix));
    assert_true(acls_match(&filter, &whole));
    assert_false(acls_match(&filter, &longer));
    assert_false(acls_match(&filter, &other));
    filter.pattern_type = ACL_PATTERN_PREFIXED;
    assert_false(acls_match(&filter, &prefix));
    assert_true(acls_match(&filter, &whole));
}

static void
a_key_that_is_none_is_corrupt(void **state)
{
    struct acl acl = rule(TOPIC, ACL_PATTERN_LITERAL, "t"), wrong = rule(TOPIC, 9, "t");
    struct acls acls;
    struct buf key;
    struct err e;

    (void)state;
    acls_init(&acls);
    buf_init(&key, KEY_BYTES_MAX);
    acls_key(&acl, &key);
    for (size_t size = 0; size < key.size; size++) {
        uint8_t *part = xmemdup(key.data, size);

        assert_int_equal(acls_add(&acls, part, size, &e), RC_CORRUPT);
        free(part);
    }
    assert_int_equal(add(&acls, &wrong), RC_CORRUPT);
    buf_fini(&key);
    acls_fini(&acls);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_kept_once_until_it_is_removed),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(filters_leave_open_what_they_do_not_name),
        cmocka_unit_test(a_match_finds_what_applies_to_a_name),
        cmocka_unit_test(a_key_that_is_none_is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
