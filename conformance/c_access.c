/* Area admin: users of SCRAM (KIP-554) and access rules (KIP-11, KIP-290), as administrators set
 * them. */
#include <string.h>

#include "conformance/kc_login.h"
#include "conformance/kc_topic.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define APPLY_MS 10000

/* --- users -------------------------------------------------------------------------------------
 */

static void
login_after_alter(struct kc *kc)
{
    const char *user = kc_printf(kc, "%s-user", kc->client_id);
    const struct kc_login first = {"SCRAM-SHA-256", user, "first"};
    const struct kc_login second = {"SCRAM-SHA-256", user, "second"};
    size_t brokers = kc->target->broker_count;
    struct link *admin = kc_login_link(kc, 0);

    kc_login_set(kc, admin, &first);
    for (size_t i = 0; i < brokers; i++)
        kc_control_request(kc, kc_login_await(kc, i, &first, "login", KE_NONE));
    kc_login_set(kc, admin, &second);
    for (size_t i = 0; i < brokers; i++) {
        kc_control_request(kc, kc_login_await(kc, i, &second, "login_after", KE_NONE));
        kc_code(kc, "old_password", kc_login_try(kc, kc_link_new(kc, i), &first),
            KE_SASL_AUTHENTICATION_FAILED);
    }
    kc_login_unset(kc, admin, &second);
    for (size_t i = 0; i < brokers; i++)
        kc_login_await(kc, i, &second, "login_removed", KE_SASL_AUTHENTICATION_FAILED);
}

/* --- access rules ------------------------------------------------------------------------------
 */

/* Numbers of the protocol: ResourceType, PatternType, AclOperation, AclPermissionType. */
enum { ANY = 1 };
enum { TOPIC = 2 };
enum { MATCH = 2, LITERAL = 3, PREFIXED = 4 };
enum { READ = 3 };
enum { ALLOW = 3 };

/* A rule of the check: its principal may read this topic, or topics. */
struct rule {
    int8_t pattern;
    const char *name;
};

static void
rules_create(struct kc *kc, const char *principal, const struct rule *rules, int32_t count)
{
    struct km_create_acls_request body;
    struct km_create_acls_request_acl_creation *items = kc_alloc(kc, (size_t)count, sizeof *items);
    const struct km_create_acls_response *response;

    codec_init(&km_create_acls_request_desc, &body);
    for (int32_t i = 0; i < count; i++) {
        codec_init(&km_create_acls_request_acl_creation_desc, &items[i]);
        items[i].resource_type = TOPIC;
        items[i].resource_name = kc_string(rules[i].name);
        items[i].resource_pattern_type = rules[i].pattern;
        items[i].principal = kc_string(principal);
        items[i].host = kc_string("*");
        items[i].operation = READ;
        items[i].permission_type = ALLOW;
    }
    body.creations.items = items;
    body.creations.count = count;
    response = kc_ask(
        kc, kc_link(kc, 0), KM_CREATE_ACLS, kc_version(kc, KM_CREATE_ACLS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, count);
    for (int32_t i = 0; i < count; i++)
        kc_code(kc, "CreateAcls", response->results.items[i].error_code, KE_NONE);
}

static const struct km_describe_acls_response *
rules_describe(struct kc *kc, const char *principal, const struct rule *filter)
{
    struct km_describe_acls_request body;
    const struct km_describe_acls_response *response;

    codec_init(&km_describe_acls_request_desc, &body);
    body.resource_type_filter = TOPIC;
    body.resource_name_filter = kc_string(filter->name);
    body.pattern_type_filter = filter->pattern;
    body.principal_filter = kc_string(principal);
    body.host_filter = kc_string(NULL);
    body.operation = ANY;
    body.permission_type = ANY;
    response = kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_ACLS,
        kc_version(kc, KM_DESCRIBE_ACLS, KC_VERSION_MAX), &body);
    kc_code(kc, "DescribeAcls", response->error_code, KE_NONE);
    return response;
}

static int32_t
rules_count(const struct km_describe_acls_response *response)
{
    int32_t count = 0;

    for (int32_t i = 0; i < response->resources.count; i++)
        count += response->resources.items[i].acls.count;
    return count;
}

/* Exactly one rule of the answer is this one. */
static void
is_described(struct kc *kc, const struct km_describe_acls_response *response, const char *principal,
    const struct rule *rule)
{
    int32_t times = 0;

    for (int32_t i = 0; i < response->resources.count; i++) {
        const struct km_describe_acls_response_resource *resource = &response->resources.items[i];

        if (resource->resource_type != TOPIC || resource->pattern_type != rule->pattern ||
            !kc_topic_is_named(resource->resource_name, rule->name))
            continue;
        for (int32_t k = 0; k < resource->acls.count; k++)
            times += kc_topic_is_named(resource->acls.items[k].principal, principal) &&
                     kc_topic_is_named(resource->acls.items[k].host, "*") &&
                     resource->acls.items[k].operation == READ &&
                     resource->acls.items[k].permission_type == ALLOW;
    }
    kc_that(kc, times == 1, "acl-missing", "%s may read %s (pattern type %d), once", principal,
        rule->name, rule->pattern);
}

/* What a filter finds, soon: a broker learns of rules from the metadata log. */
static void
finds(struct kc *kc, const char *principal, const struct rule *filter,
    const struct rule *const *wanted, int32_t count)
{
    struct kc_wait wait = kc_wait_begin(kc, APPLY_MS);
    const struct km_describe_acls_response *response;

    do
        response = rules_describe(kc, principal, filter);
    while (rules_count(response) != count && !kc_wait_over(kc, &wait));
    kc_int(kc, "acls", rules_count(response), count);
    for (int32_t i = 0; i < count; i++)
        is_described(kc, response, principal, wanted[i]);
}

/* Deletes what a filter means; it must be these. */
static void
deletes(struct kc *kc, const char *principal, const struct rule *filter,
    const struct rule *const *wanted, int32_t count)
{
    struct km_delete_acls_request body;
    struct km_delete_acls_request_filter one;
    const struct km_delete_acls_response *response;
    const struct km_delete_acls_response_filter_result *result;

    codec_init(&km_delete_acls_request_desc, &body);
    codec_init(&km_delete_acls_request_filter_desc, &one);
    one.resource_type_filter = TOPIC;
    one.resource_name_filter = kc_string(filter->name);
    one.pattern_type_filter = filter->pattern;
    one.principal_filter = kc_string(principal);
    one.host_filter = kc_string(NULL);
    one.operation = ANY;
    one.permission_type = ANY;
    body.filters.items = &one;
    body.filters.count = 1;
    response = kc_ask(
        kc, kc_link(kc, 0), KM_DELETE_ACLS, kc_version(kc, KM_DELETE_ACLS, KC_VERSION_MAX), &body);
    kc_int(kc, "filter_results_count", response->filter_results.count, 1);
    result = &response->filter_results.items[0];
    kc_code(kc, "DeleteAcls", result->error_code, KE_NONE);
    kc_int(kc, "deleted", result->matching_acls.count, count);
    for (int32_t i = 0; i < count; i++) {
        bool is_there = false;

        kc_code(kc, "matching_acl", result->matching_acls.items[i].error_code, KE_NONE);
        for (int32_t k = 0; k < count; k++)
            is_there |=
                result->matching_acls.items[k].pattern_type == wanted[i]->pattern &&
                kc_topic_is_named(result->matching_acls.items[k].resource_name, wanted[i]->name) &&
                kc_topic_is_named(result->matching_acls.items[k].principal, principal);
        kc_that(kc, is_there, "other-deleted", "%s among what was deleted", wanted[i]->name);
    }
}

static void
create_describe_delete(struct kc *kc)
{
    const char *base = kc_topic_name(kc), *principal = kc_printf(kc, "User:%s", kc->client_id);
    const struct rule rules[] = {{LITERAL, kc_printf(kc, "%s-orders", base)}, {PREFIXED, base},
        {LITERAL, kc_printf(kc, "%s-other", base)}};
    const struct rule *const all[] = {&rules[0], &rules[1], &rules[2]};
    const struct rule any = {ANY, NULL}, match = {MATCH, rules[0].name};
    const struct rule any_pattern = {ANY, rules[0].name};

    rules_create(kc, principal, rules, (int32_t)ARRAY_LEN(rules));
    finds(kc, principal, &any, all, 3);
    finds(kc, principal, &rules[0], all, 1);
    finds(kc, principal, &rules[1], all + 1, 1);
    finds(kc, principal, &any_pattern, all, 1);
    finds(kc, principal, &match, all, 2);
    finds(kc, kc_printf(kc, "%s-else", principal), &any, NULL, 0);
    deletes(kc, principal, &match, all, 2);
    finds(kc, principal, &any, all + 2, 1);
    deletes(kc, principal, &match, NULL, 0);
    deletes(kc, principal, &any, all + 2, 1);
    finds(kc, principal, &any, NULL, 0);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static const char *const with_authorizer[] = {
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
    NULL,
};

static const struct check checks[] = {
    {"scram.login_after_alter",
        "a user's password holds for the next login, and the one before it does not", "KIP-554",
        CHECK_CORE | CHECK_RAW, 60,
        {CHECK_NEED(ALTER_USER_SCRAM_CREDENTIALS, 0), CHECK_NEED(SASL_AUTHENTICATE, 0),
            CHECK_START(kc_login_properties)},
        login_after_alter},
    {"acl.create_describe_delete",
        "filters find rules by pattern type, MATCH those that apply, and deletion tells what went",
        "KIP-290", CHECK_CORE, 60,
        {CHECK_NEED(CREATE_ACLS, 1), CHECK_NEED(DESCRIBE_ACLS, 1), CHECK_NEED(DELETE_ACLS, 1),
            CHECK_START(with_authorizer)},
        create_describe_delete},
};

const struct check_table c_access_table = CHECK_TABLE("admin", checks);
