/* Access rules that keep producers out, asked of scripted brokers. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "mirror/fence.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define TOPIC 2
#define LITERAL 3
#define PREFIXED 4
#define READ 3
#define WRITE 4
#define DESCRIBE_CONFIGS 10
#define DENY 2
#define ALLOW 3

static struct cluster_rig rig;
static struct selection selection;
static struct err e;

/* Of the brokers. */
static struct km_describe_acls_response_resource rules[2];
static int32_t rule_count;
static int16_t code;      /* of every answer, */
static int16_t late_code; /* of what DeleteAcls has found, */
static int32_t missing;   /* and how many answers it leaves out */
static struct km_create_acls_request_acl_creation made[8];
static struct km_delete_acls_request_filter gone[8];
static int32_t made_count, gone_count;

static void
describe(struct fake_conn *conn, const struct frame_request *request,
    const struct km_describe_acls_request *in)
{
    struct km_describe_acls_response response;

    assert_int_equal(in->resource_type_filter, TOPIC);
    codec_init(&km_describe_acls_response_desc, &response);
    response.error_code = code;
    response.resources.items = rules;
    response.resources.count = rule_count;
    fake_reply(conn, request, &response);
}

static void
create(struct fake_conn *conn, const struct frame_request *request,
    const struct km_create_acls_request *in)
{
    struct km_create_acls_response_acl_creation_result results[8];
    struct km_create_acls_response response;

    codec_init(&km_create_acls_response_desc, &response);
    memset(results, 0, sizeof results);
    made_count = in->creations.count;
    for (int32_t i = 0; i < made_count; i++) {
        made[i] = in->creations.items[i];
        results[i].error_message = codec_string(NULL);
        results[i].error_code = code;
    }
    response.results.items = results;
    response.results.count = made_count - missing;
    fake_reply(conn, request, &response);
}

static void
lift(struct fake_conn *conn, const struct frame_request *request,
    const struct km_delete_acls_request *in)
{
    struct km_delete_acls_response_filter_result results[8];
    struct km_delete_acls_response_matching_acl found;
    struct km_delete_acls_response response;

    codec_init(&km_delete_acls_response_desc, &response);
    codec_init(&km_delete_acls_response_matching_acl_desc, &found);
    found.error_code = late_code;
    gone_count = in->filters.count;
    for (int32_t i = 0; i < gone_count; i++) {
        gone[i] = in->filters.items[i];
        codec_init(&km_delete_acls_response_filter_result_desc, &results[i]);
        results[i].error_code = code;
        results[i].matching_acls.items = &found;
        results[i].matching_acls.count = i == 0;
    }
    response.filter_results.items = results;
    response.filter_results.count = gone_count - missing;
    fake_reply(conn, request, &response);
}

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    if (request->api_key == KM_DESCRIBE_ACLS)
        describe(conn, request, body);
    else if (request->api_key == KM_CREATE_ACLS)
        create(conn, request, body);
    else if (request->api_key == KM_DELETE_ACLS)
        lift(conn, request, body);
    else
        fake_cluster_request(arg, conn, request, body);
}

static int
start(void **state)
{
    (void)state;
    code = late_code = KE_NONE;
    rule_count = missing = made_count = gone_count = 0;
    if (cluster_rig_start(&rig, 1) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = answer;
    return selection_init(&selection, rig.cluster, "t", NULL) == RC_OK ? 0 : -1;
}

static int
stop(void **state)
{
    (void)state;
    selection_fini(&selection);
    cluster_rig_stop(&rig);
    return 0;
}

/* --- which apply -------------------------------------------------------------------------------
 */

static bool
has_rule(const char *name, int8_t pattern)
{
    bool has_rules = false;

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        codec_init(&km_describe_acls_response_resource_desc, &rules[i]);
    rules[0].resource_type = rules[1].resource_type = TOPIC;
    rules[0].resource_name = codec_string("another");
    rules[0].pattern_type = LITERAL;
    rules[1].resource_name = codec_string(name);
    rules[1].pattern_type = pattern;
    rule_count = 2;
    assert_int_equal(fence_look(rig.cluster, &selection, &has_rules, &e), RC_OK);
    return has_rules;
}

static void
rules_apply_by_name_by_prefix_and_to_all(void **state)
{
    bool has_rules = true;

    (void)state;
    assert_true(has_rule("t", LITERAL));
    assert_true(has_rule("*", LITERAL));
    assert_true(has_rule("t", PREFIXED));
    assert_true(has_rule("", PREFIXED));
    assert_false(has_rule("tt", LITERAL));
    assert_false(has_rule("tt", PREFIXED));
    assert_false(has_rule("*", PREFIXED)); /* a prefix by the letter */
    rule_count = 0;
    assert_int_equal(fence_look(rig.cluster, &selection, &has_rules, &e), RC_OK);
    assert_false(has_rules);
}

/* --- what is set, and taken away ---------------------------------------------------------------
 */

static void
write_is_denied_to_everybody(void **state)
{
    const bool opens = false;

    (void)state;
    assert_int_equal(fence_set(rig.cluster, &selection, &opens, &e), RC_OK);
    assert_int_equal(made_count, 1);
    assert_int_equal(made[0].resource_type, TOPIC);
    assert_int_equal(made[0].resource_pattern_type, LITERAL);
    assert_int_equal(made[0].operation, WRITE);
    assert_int_equal(made[0].permission_type, DENY);
}

static void
what_is_set_is_what_is_lifted(void **state)
{
    static const int8_t operations[] = {WRITE, READ, DESCRIBE_CONFIGS};
    const bool opens = true;

    (void)state;
    assert_int_equal(fence_set(rig.cluster, &selection, &opens, &e), RC_OK);
    assert_int_equal(fence_lift(rig.cluster, &selection, &opens, &e), RC_OK);
    assert_int_equal(made_count, ARRAY_LEN(operations));
    assert_int_equal(gone_count, made_count);
    for (int32_t i = 0; i < (int32_t)ARRAY_LEN(operations); i++) {
        assert_int_equal(made[i].operation, operations[i]);
        assert_int_equal(made[i].permission_type, i == 0 ? DENY : ALLOW);
        assert_int_equal(gone[i].operation, made[i].operation);
        assert_int_equal(gone[i].permission_type, made[i].permission_type);
        assert_int_equal(gone[i].pattern_type_filter, LITERAL);
    }
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static void
every_call_ends_with(enum rc rc, const char *words)
{
    bool flag = true;

    assert_int_equal(fence_set(rig.cluster, &selection, &flag, &e), rc);
    assert_non_null(strstr(e.text, words));
    assert_int_equal(fence_lift(rig.cluster, &selection, &flag, &e), rc);
    assert_non_null(strstr(e.text, words));
    if (missing == 0) {
        assert_int_equal(fence_look(rig.cluster, &selection, &flag, &e), rc);
        assert_non_null(strstr(e.text, words));
    }
}

static void
refusals_say_what_to_do(void **state)
{
    (void)state;
    code = KE_SECURITY_DISABLED;
    every_call_ends_with(RC_UNSUPPORTED, "no authorizer");
    code = KE_CLUSTER_AUTHORIZATION_FAILED;
    every_call_ends_with(RC_DENIED, "grant it Describe and Alter on the cluster");
    code = KE_POLICY_VIOLATION;
    every_call_ends_with(RC_REMOTE, "44 POLICY_VIOLATION");
}

static void
an_answer_about_fewer_rules_is_no_success(void **state)
{
    (void)state;
    missing = 1;
    every_call_ends_with(RC_PROTOCOL, "instead of 3");
}

static void
a_rule_that_stays_is_no_success(void **state)
{
    const bool opens = false;

    (void)state;
    late_code = KE_POLICY_VIOLATION;
    assert_int_equal(fence_lift(rig.cluster, &selection, &opens, &e), RC_REMOTE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_apply_by_name_by_prefix_and_to_all),
        TEST(write_is_denied_to_everybody),
        TEST(what_is_set_is_what_is_lifted),
        TEST(refusals_say_what_to_do),
        TEST(an_answer_about_fewer_rules_is_no_success),
        TEST(a_rule_that_stays_is_no_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
