/* Access rules, and what they permit on which topic. */
#include "audit/grants.h"

#include "lib/wire/codec.h"
#include "tests/unit/audit/rules_rig.h"

enum { TOPIC = 2, GROUP = 3, TRANSACTIONAL_ID = 5 };
enum { LITERAL = 3, PREFIXED = 4 };
enum { ALL = 2, READ = 3, WRITE = 4, DESCRIBE = 8 };
enum { DENY = 2, ALLOW = 3 };

#define RULES_MAX 16

static struct km_describe_acls_response_resource resources[RULES_MAX];
static struct km_describe_acls_response_acl_description acls[RULES_MAX];
static struct km_describe_acls_response response;

static int
setup(void **state)
{
    (void)state;
    begin_inventory();
    plain_topic("pay.orders", 1);
    plain_topic("pay.refunds", 1);
    plain_topic("clicks", 1);
    memset(&response, 0, sizeof response);
    response.resources.items = resources;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    return 0;
}

static void
rule_of(const char *host, int permission, const char *principal, int operation, int type,
    const char *name, int pattern)
{
    int32_t at = response.resources.count++;

    assert_true(at < RULES_MAX);
    acls[at] =
        (struct km_describe_acls_response_acl_description){.principal = codec_string(principal),
            .host = codec_string(host),
            .operation = (int8_t)operation,
            .permission_type = (int8_t)permission};
    resources[at] = (struct km_describe_acls_response_resource){.resource_type = (int8_t)type,
        .resource_name = codec_string(name),
        .pattern_type = (int8_t)pattern,
        .acls = {&acls[at], 1}};
}

static void
allow(const char *principal, int operation, int type, const char *name, int pattern)
{
    rule_of("*", ALLOW, principal, operation, type, name, pattern);
}

static void
deny(const char *principal, int operation, int type, const char *name, int pattern)
{
    rule_of("*", DENY, principal, operation, type, name, pattern);
}

/* Derives, and compares what a topic's list says: "alice=rw bob=r". */
static void
permits(uint32_t topic, const char *expected)
{
    char text[256] = "";

    for (const struct audit_grant *g = inventory.topics[topic].grants; g != NULL; g = g->next) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof text - used, "%s%s=%s%s", used == 0 ? "" : " ",
            inventory.principals[g->principal].name + strlen("User:"), g->may_read ? "r" : "",
            g->may_write ? "w" : "");
    }
    assert_string_equal(text, expected);
}

static void
names_prefixes_and_all_are_matched(void **state)
{
    (void)state;
    allow("User:alice", WRITE, TOPIC, "pay.orders", LITERAL);
    allow("User:bob", READ, TOPIC, "pay.", PREFIXED);
    allow("User:carol", ALL, TOPIC, "*", LITERAL);
    allow("User:bob", WRITE, TOPIC, "pay.refunds", LITERAL);
    allow("User:dave", WRITE, TOPIC, "", PREFIXED);
    allow("User:erin", DESCRIBE, TOPIC, "*", LITERAL);
    allow("User:erin", READ, GROUP, "*", LITERAL);
    allow("User:erin", READ, TOPIC, "gone", LITERAL);
    allow("User:erin", WRITE, TOPIC, "*", PREFIXED);
    grants_derive(&inventory, &response);
    permits(0, "alice=w bob=r carol=rw dave=w");
    permits(1, "bob=rw carol=rw dave=w");
    permits(2, "carol=rw dave=w");
}

static void
denials_count_for_more(void **state)
{
    (void)state;
    allow("User:alice", ALL, TOPIC, "*", LITERAL);
    allow("User:bob", WRITE, TOPIC, "*", LITERAL);
    deny("User:alice", WRITE, TOPIC, "pay.", PREFIXED);
    deny("User:bob", ALL, TOPIC, "clicks", LITERAL);
    deny("User:*", READ, TOPIC, "pay.refunds", LITERAL);
    rule_of("10.0.0.1", DENY, "User:bob", WRITE, TOPIC, "*", LITERAL);
    rule_of("10.0.0.1", ALLOW, "User:carol", READ, TOPIC, "clicks", LITERAL);
    grants_derive(&inventory, &response);
    permits(0, "alice=r bob=w");
    permits(1, "bob=w");
    permits(2, "alice=rw carol=r");
}

static const char *
transactions_say(uint32_t topic)
{
    const struct audit_finding *finding = &inventory.topics[topic].facts[AUDIT_FACT_TRANSACTIONS];

    assert_int_equal(finding->value, AUDIT_NO);
    for (const struct audit_evidence *e = finding->first; e != NULL; e = e->next)
        if (e->probe == AUDIT_ACLS)
            return e->text;
    return "";
}

/* Evidence, and no more: nobody has used it. */
static void
permits_of_transactions_are_told(void **state)
{
    (void)state;
    allow("User:alice", WRITE, TRANSACTIONAL_ID, "till-", PREFIXED);
    allow("User:alice", WRITE, TRANSACTIONAL_ID, "other", LITERAL);
    allow("User:bob", ALL, TRANSACTIONAL_ID, "*", LITERAL);
    allow("User:carol", DESCRIBE, TRANSACTIONAL_ID, "*", LITERAL);
    deny("User:dave", WRITE, TRANSACTIONAL_ID, "*", LITERAL);
    allow("User:alice", WRITE, TOPIC, "pay.orders", LITERAL);
    allow("User:bob", WRITE, TOPIC, "pay.orders", LITERAL);
    allow("User:bob", WRITE, TOPIC, "pay.refunds", LITERAL);
    allow("User:alice", READ, TOPIC, "clicks", LITERAL);
    allow("User:carol", WRITE, TOPIC, "clicks", LITERAL);
    allow("User:dave", WRITE, TOPIC, "clicks", LITERAL);
    grants_derive(&inventory, &response);
    facts_derive(&inventory);
    assert_string_equal(transactions_say(0),
        "access rules let User:alice and others write it, and use transactional ids (till-*): a "
        "permit, no use");
    assert_string_equal(transactions_say(1),
        "access rules let User:bob write it, and use transactional ids (*): a permit, no use");
    assert_string_equal(transactions_say(2), "");
}

/* Everybody on everything would be more than an audit has room for. */
static void
more_than_there_is_room_for_is_said(void **state)
{
    static struct km_describe_acls_response_acl_description many[GRANTS_MAX / 3 + 2];
    static char names[GRANTS_MAX / 3 + 2][16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        snprintf(names[i], sizeof names[i], "User:%zu", i);
        many[i] = (struct km_describe_acls_response_acl_description){
            codec_string(names[i]), codec_string("*"), READ, ALLOW};
    }
    allow("User:x", READ, TOPIC, "*", LITERAL);
    resources[0].acls.items = many;
    resources[0].acls.count = ARRAY_LEN(many);
    grants_derive(&inventory, &response);
    assert_int_equal(inventory.topics[0].grant_count + inventory.topics[1].grant_count +
                         inventory.topics[2].grant_count,
        GRANTS_MAX);
    assert_non_null(strstr(inventory.gaps[AUDIT_ACLS].why, "more than an audit keeps"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_prefixes_and_all_are_matched, setup, teardown),
        cmocka_unit_test_setup_teardown(denials_count_for_more, setup, teardown),
        cmocka_unit_test_setup_teardown(permits_of_transactions_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_there_is_room_for_is_said, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
