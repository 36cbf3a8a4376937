#include "lib/wire/codec_tree.h"

#include <math.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_random.h"
#include "tests/unit/unit.h"

static const struct wire_message *const fetch = &km_fetch_response_message;

static struct km_fetch_response_partition_data partitions[2];
static struct km_fetch_response_fetchable_topic_response topic;
static struct km_fetch_response_aborted_transaction aborted;
static struct km_fetch_response response;
static struct buf text;

/* One topic of two partitions; the first has records and an aborted transaction. */
static int
set_up(void **state)
{
    (void)state;
    codec_init(&km_fetch_response_desc, &response);
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    codec_init(&km_fetch_response_aborted_transaction_desc, &aborted);
    for (int32_t i = 0; i < 2; i++) {
        codec_init(&km_fetch_response_partition_data_desc, &partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].aborted_transactions.count = -1;
    }
    aborted.producer_id = 77;
    partitions[0].records = (struct wire_records){(const uint8_t *)"abc", NULL, 3, 0};
    partitions[0].aborted_transactions.items = &aborted;
    partitions[0].aborted_transactions.count = 1;
    partitions[1].error_code = 6;
    topic.topic = (struct wire_string){"t\"\n", 3};
    topic.partitions.items = partitions;
    topic.partitions.count = 2;
    response.responses.items = &topic;
    response.responses.count = 1;
    buf_init(&text, 1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

static void
a_message_reads_as_one_line_with_the_fields_of_its_version(void **state)
{
    (void)state;
    codec_tree_text(fetch, 4, &response, &text);
    assert_string_equal(buf_text(&text),
        "fetch_response v4 {throttle_time_ms=0 responses=[{topic=\"t\\\"\\u000a\" partitions=["
        "{partition_index=0 error_code=0 high_watermark=0 last_stable_offset=-1 "
        "aborted_transactions=[{producer_id=77 first_offset=0}] records=<3 bytes>} "
        "{partition_index=1 error_code=6 high_watermark=0 last_stable_offset=-1 "
        "aborted_transactions=null records=null}]}]}");
}

static void
a_full_buffer_ends_the_line_early(void **state)
{
    struct buf small;

    (void)state;
    buf_init(&small, 40);
    codec_tree_text(fetch, 4, &response, &small);
    assert_true(buf_is_overflowed(&small));
    assert_memory_equal(small.data, "fetch_response v4 {throttle_time_ms=0", 37);
    buf_fini(&small);
}

static void
a_message_reads_as_json(void **state)
{
    struct jdoc *json = codec_tree_json(fetch, 13, &response);
    const struct jdoc *first = jdoc_at(jdoc_get(json, "responses"), 0);
    const struct jdoc *part = jdoc_at(jdoc_get(first, "partitions"), 0);

    (void)state;
    assert_null(jdoc_get(first, "topic"));
    assert_string_equal(jdoc_get_text(first, "topic_id", ""), "AAAAAAAAAAAAAAAAAAAAAA");
    assert_int_equal(jdoc_count(jdoc_get(first, "partitions")), 2);
    assert_int_equal(jdoc_get_int(part, "records", -1), 3);
    assert_int_equal(
        jdoc_get_int(jdoc_at(jdoc_get(part, "aborted_transactions"), 0), "producer_id", -1), 77);
    assert_int_equal(jdoc_get_int(jdoc_get(part, "current_leader"), "leader_id", 0), -1);
    jdoc_free(json);
}

static void
every_message_can_be_printed_and_is_valid_json(void **state)
{
    struct arena arena;
    struct env env;

    (void)state;
    arena_init(&arena, 1 << 24);
    env_init_seeded(&env, 9, 0);
    for (size_t i = 0; km_messages[i] != NULL; i++) {
        const struct wire_message *message = km_messages[i];
        void *object = xmalloc(message->body->size);

        for (int16_t v = message->versions.min; v <= message->versions.max; v++) {
            struct jdoc *json, *back;
            char *dump;

            arena_reset(&arena);
            assert_int_equal(codec_random(message, v, &env, &arena, object, NULL), RC_OK);
            json = codec_tree_json(message, v, object);
            dump = jdoc_dump(json, 0);
            assert_int_equal(jdoc_parse(dump, strlen(dump), &back, NULL), RC_OK);
            buf_clear(&text);
            codec_tree_text(message, v, object, &text);
            assert_false(buf_is_overflowed(&text));
            assert_null(strchr(buf_text(&text), '\n'));
            jdoc_free(json);
            jdoc_free(back);
            free(dump);
        }
        free(object);
    }
    arena_fini(&arena);
}

/* A peer may send any float, and JSON knows finite ones only. */
static void
floats_that_json_lacks_become_text(void **state)
{
    struct km_alter_client_quotas_request_op_data op;
    struct km_alter_client_quotas_request_entry_data entry;
    struct km_alter_client_quotas_request request;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{NAN, "NaN"}, {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"}};

    (void)state;
    codec_init(&km_alter_client_quotas_request_op_data_desc, &op);
    codec_init(&km_alter_client_quotas_request_entry_data_desc, &entry);
    codec_init(&km_alter_client_quotas_request_desc, &request);
    entry.ops.items = &op;
    entry.ops.count = 1;
    request.entries.items = &entry;
    request.entries.count = 1;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jdoc *json;

        op.value = cases[i].value;
        json = codec_tree_json(&km_alter_client_quotas_request_message, 1, &request);
        assert_string_equal(
            jdoc_get_text(
                jdoc_at(jdoc_get(jdoc_at(jdoc_get(json, "entries"), 0), "ops"), 0), "value", ""),
            cases[i].text);
        jdoc_free(json);
    }
}

static int64_t
number(int16_t version, const char *path)
{
    int64_t value = -12345;

    assert_int_equal(codec_tree_int(fetch, version, &response, path, &value, NULL), RC_OK);
    return value;
}

static void
paths_lead_to_numbers_text_and_counts(void **state)
{
    (void)state;
    assert_int_equal(number(12, "throttle_time_ms"), 0);
    assert_int_equal(number(12, "responses[]"), 1);
    assert_int_equal(number(12, "responses[0].partitions[]"), 2);
    assert_int_equal(number(12, "responses[0].partitions[1].error_code"), 6);
    assert_int_equal(number(12, "responses[0].partitions[0].current_leader.leader_epoch"), -1);
    assert_int_equal(
        codec_tree_print(fetch, 4, &response, "responses[0].topic", &text, NULL), RC_OK);
    buf_append_byte(&text, ' ');
    assert_int_equal(codec_tree_print(fetch, 4, &response, "responses[]", &text, NULL), RC_OK);
    buf_append_byte(&text, ' ');
    assert_int_equal(codec_tree_print(fetch, 4, &response,
                         "responses[0].partitions[0].aborted_transactions[0]", &text, NULL),
        RC_OK);
    assert_string_equal(buf_text(&text), "\"t\\\"\\u000a\" 1 {producer_id=77 first_offset=0}");
}

static void
paths_that_lead_nowhere_say_why(void **state)
{
    static const struct {
        const char *path;
        enum rc rc;
    } bad[] = {
        {"", RC_CONFIG},
        {".", RC_CONFIG},
        {"nothing", RC_CONFIG},
        {"session_id", RC_CONFIG}, /* not in version 4 */
        {"responses.", RC_CONFIG},
        {"responses.topic", RC_CONFIG},
        {"responses[", RC_CONFIG},
        {"responses[x]", RC_CONFIG},
        {"responses[-1]", RC_CONFIG},
        {"responses[0", RC_CONFIG},
        {"responses[0]x", RC_CONFIG},
        {"responses[0]..topic", RC_CONFIG},
        {"responses[0][0]", RC_CONFIG},
        {"responses[].topic", RC_CONFIG},
        {"throttle_time_ms[0]", RC_CONFIG},
        {"throttle_time_ms.x", RC_CONFIG},
        {"responses[1]", RC_NOTFOUND},
        {"responses[99999999999999999999]", RC_NOTFOUND},
        {"responses[0].partitions[1].aborted_transactions[0].producer_id", RC_NOTFOUND},
        {"responses[0].partitions[1].aborted_transactions[]", RC_NOTFOUND},
    };
    struct codec_tree_node node;
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(codec_tree_find(fetch, 4, &response, bad[i].path, &node, NULL), bad[i].rc);
    assert_int_equal(
        codec_tree_int(fetch, 4, &response, "responses[0].topic", &value, NULL), RC_CONFIG);
    assert_int_equal(codec_tree_int(fetch, 4, &response, "responses", &value, NULL), RC_CONFIG);
}

static void
bytes_and_uuids_have_their_text(void **state)
{
    struct km_sasl_authenticate_request request;
    struct wire_uuid uuid;
    char out[CODEC_TREE_UUID_CHARS + 1];

    (void)state;
    codec_init(&km_sasl_authenticate_request_desc, &request);
    request.auth_bytes = (struct wire_bytes){(const uint8_t *)"\0a\xff", 3};
    codec_tree_text(&km_sasl_authenticate_request_message, 1, &request, &text);
    assert_string_equal(buf_text(&text), "sasl_authenticate_request v1 {auth_bytes=0x0061ff}");
    for (size_t i = 0; i < sizeof uuid.bytes; i++)
        uuid.bytes[i] = (uint8_t)(0xf0 + i);
    codec_tree_uuid(&uuid, out);
    assert_string_equal(out, "8PHy8_T19vf4-fr7_P3-_w");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_message_reads_as_one_line_with_the_fields_of_its_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_buffer_ends_the_line_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_reads_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            every_message_can_be_printed_and_is_valid_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(floats_that_json_lacks_become_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_lead_to_numbers_text_and_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_that_lead_nowhere_say_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_and_uuids_have_their_text, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
