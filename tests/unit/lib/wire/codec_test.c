/* Round trips and hostile input over every message and version of the schema; single rules on
 * messages that have them. tests/kafka compares the same codec with Kafka's own. */
#include "lib/wire/codec.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/codec_random.h"
#include "tests/unit/unit.h"

/* What one decoded byte may cost at most in memory: an element of a wide struct. */
#define MEMORY_PER_BYTE 512
#define MEMORY_BASE 4096

static struct env env;
static struct arena arena;
static struct buf wire;
static struct buf again;

typedef void each_fn(const struct wire_message *message, int16_t version);

static void
each_version(each_fn *fn)
{
    for (size_t i = 0; km_messages[i] != NULL; i++)
        for (int16_t v = km_messages[i]->versions.min; v <= km_messages[i]->versions.max; v++)
            fn(km_messages[i], v);
}

/* A random message's bytes in `wire`. */
static void
random_encode(const struct wire_message *message, int16_t version)
{
    void *object = xmalloc(message->body->size);
    struct err e;

    arena_reset(&arena);
    buf_clear(&wire);
    assert_int_equal(codec_random(message, version, &env, &arena, object, &e), RC_OK);
    if (codec_encode(message, version, object, &wire, &e) != RC_OK)
        fail_msg("%s", e.text);
    free(object);
}

/* Decodes a copy that ends with its memory, so that a read behind the end is seen. */
static enum rc
decode(const struct wire_message *message, int16_t version, const uint8_t *data, size_t size,
    size_t *used)
{
    uint8_t *copy = xmalloc(size == 0 ? 1 : size);
    void *object = xmalloc(message->body->size);
    enum rc rc;

    if (size > 0)
        memcpy(copy, data, size);
    arena_reset(&arena);
    rc = codec_decode(message, version, copy, size, &arena, object, used, NULL);
    buf_clear(&again);
    if (rc == RC_OK)
        assert_int_equal(codec_encode(message, version, object, &again, NULL), RC_OK);
    free(object);
    free(copy);
    return rc;
}

static void
round_trip(const struct wire_message *message, int16_t version)
{
    for (int round = 0; round < 25; round++) {
        size_t used;

        random_encode(message, version);
        assert_int_equal(decode(message, version, wire.data, wire.size, &used), RC_OK);
        assert_int_equal(used, wire.size);
        assert_int_equal(again.size, wire.size);
        assert_memory_equal(again.data, wire.data, wire.size);
    }
}

static void
every_message_and_version_comes_back_the_same(void **state)
{
    (void)state;
    each_version(round_trip);
}

static void
measure_and_gather(const struct wire_message *message, int16_t version)
{
    void *object = xmalloc(message->body->size);
    struct wire_fragment *pieces;
    size_t size, count, at = 0;

    random_encode(message, version);
    arena_reset(&arena);
    assert_int_equal(
        codec_decode(message, version, wire.data, wire.size, &arena, object, NULL, NULL), RC_OK);
    assert_int_equal(codec_measure(message, version, object, &size, NULL), RC_OK);
    assert_int_equal(size, wire.size);
    buf_clear(&again);
    assert_int_equal(
        codec_gather(message, version, object, &again, &arena, &pieces, &count, NULL), RC_OK);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(pieces[i].data, wire.data + at, pieces[i].size);
        at += pieces[i].size;
    }
    assert_int_equal(at, wire.size);
    free(object);
}

static void
measuring_and_gathering_agree_with_encoding(void **state)
{
    (void)state;
    each_version(measure_and_gather);
}

static void
records_in_fragments_are_gathered_without_a_copy(void **state)
{
    static const uint8_t first[] = "first batch", second[] = "second";
    static const struct wire_fragment fragments[] = {{first, 11}, {second, 6}};
    struct km_fetch_response_partition_data partitions[3];
    struct km_fetch_response_fetchable_topic_response topic;
    struct km_fetch_response response;
    struct wire_fragment *pieces;
    size_t count, size = 0, shared = 0;

    (void)state;
    arena_reset(&arena);
    codec_init(&km_fetch_response_desc, &response);
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    for (size_t i = 0; i < 3; i++) {
        codec_init(&km_fetch_response_partition_data_desc, &partitions[i]);
        partitions[i].records = (struct wire_records){NULL, fragments, 17, 2};
    }
    topic.partitions.items = partitions;
    topic.partitions.count = 3;
    response.responses.items = &topic;
    response.responses.count = 1;
    buf_clear(&wire);
    buf_clear(&again);
    assert_int_equal(codec_encode(&km_fetch_response_message, 12, &response, &wire, NULL), RC_OK);
    buf_append_text(&again, "head");
    assert_int_equal(codec_gather(&km_fetch_response_message, 12, &response, &again, &arena,
                         &pieces, &count, NULL),
        RC_OK);
    assert_ptr_equal(pieces[0].data, again.data);
    for (size_t i = 0; i < count; i++) {
        size_t skip = i == 0 ? 4 : 0;

        assert_memory_equal(pieces[i].data + skip, wire.data + size, pieces[i].size - skip);
        size += pieces[i].size - skip;
        shared += pieces[i].data == first || pieces[i].data == second;
    }
    assert_int_equal(size, wire.size);
    assert_int_equal(shared, 6);
    assert_int_equal(again.size, 4 + wire.size - 3 * 17);
}

static void
truncate_everywhere(const struct wire_message *message, int16_t version)
{
    do
        random_encode(message, version);
    while (wire.size > 600);
    for (size_t cut = 0; cut < wire.size; cut++) {
        enum rc rc = decode(message, version, wire.data, cut, NULL);

        assert_true(rc == RC_TRUNCATED || rc == RC_PROTOCOL);
        assert_true(arena.used_bytes <= MEMORY_BASE + MEMORY_PER_BYTE * cut);
    }
}

static void
a_message_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    each_version(truncate_everywhere);
}

static void
mutate(const struct wire_message *message, int16_t version)
{
    for (int round = 0; round < 60; round++) {
        enum rc rc;

        if (round % 10 == 0)
            random_encode(message, version);
        for (uint64_t n = wire.size == 0 ? 0 : 1 + env_random_below(&env, 3); n > 0; n--)
            wire.data[env_random_below(&env, wire.size)] = (uint8_t)env_random(&env);
        rc = decode(message, version, wire.data, wire.size, NULL);
        assert_true(rc == RC_OK || rc == RC_TRUNCATED || rc == RC_PROTOCOL);
        assert_true(arena.used_bytes <= MEMORY_BASE + MEMORY_PER_BYTE * wire.size);
    }
}

static void
mutated_messages_never_do_more_than_fail(void **state)
{
    (void)state;
    each_version(mutate);
}

static void
fields_that_a_version_lacks_are_decoded_as_their_defaults(void **state)
{
    struct km_fetch_response response;
    struct km_metadata_request request;
    static const uint8_t no_topics[] = {0, 0, 0, 0};
    static const uint8_t fetch_v4[] = {0, 0, 0, 7, 0, 0, 0, 0};

    (void)state;
    memset(&request, 0xff, sizeof request);
    memset(&response, 0xff, sizeof response);
    arena_reset(&arena);
    assert_int_equal(codec_decode(&km_metadata_request_message, 0, no_topics, sizeof no_topics,
                         &arena, &request, NULL, NULL),
        RC_OK);
    assert_true(request.allow_auto_topic_creation);
    assert_false(request.include_topic_authorized_operations);
    assert_int_equal(request.topics.count, 0);
    assert_int_equal(codec_decode(&km_fetch_response_message, 4, fetch_v4, sizeof fetch_v4, &arena,
                         &response, NULL, NULL),
        RC_OK);
    assert_int_equal(response.throttle_time_ms, 7);
    assert_int_equal(response.session_id, 0);
    assert_int_equal(response.node_endpoints.count, 0);
}

static void
a_value_that_must_not_be_dropped_is_refused_where_the_version_lacks_it(void **state)
{
    struct km_fetch_response response;
    size_t size;

    (void)state;
    codec_init(&km_fetch_response_desc, &response);
    response.session_id = 5;
    assert_int_equal(codec_measure(&km_fetch_response_message, 7, &response, &size, NULL), RC_OK);
    assert_int_equal(
        codec_measure(&km_fetch_response_message, 6, &response, &size, NULL), RC_UNSUPPORTED);
    response.session_id = 0;
    response.error_code = 3; /* ignorable */
    assert_int_equal(codec_measure(&km_fetch_response_message, 6, &response, &size, NULL), RC_OK);
}

/* The same over all messages, for members that are numbers: 1 is not their default. */
static void
drop_or_refuse(const struct wire_message *message, int16_t version)
{
    uint8_t *object = xmalloc(message->body->size);

    for (uint32_t i = 0; i < message->body->field_count; i++) {
        const struct wire_field *field = &message->body->fields[i];
        size_t size;

        if (field->is_array || field->kind >= WIRE_UUID ||
            (version >= field->versions.min && version <= field->versions.max))
            continue;
        arena_reset(&arena);
        assert_int_equal(codec_random(message, version, &env, &arena, object, NULL), RC_OK);
        object[field->offset] ^= 1;
        assert_int_equal(codec_measure(message, version, object, &size, NULL),
            field->ignorable ? RC_OK : RC_UNSUPPORTED);
    }
    free(object);
}

static void
every_such_number_is_dropped_or_refused_as_the_schema_says(void **state)
{
    (void)state;
    each_version(drop_or_refuse);
}

static void
versions_outside_the_schema_are_unsupported(void **state)
{
    struct km_fetch_response response;
    size_t size;

    (void)state;
    codec_init(&km_fetch_response_desc, &response);
    for (int16_t v = -1; v < 30; v++) {
        enum rc want = v >= 4 && v <= 18 ? RC_OK : RC_UNSUPPORTED;

        assert_int_equal(codec_has_version(&km_fetch_response_message, v), want == RC_OK);
        assert_int_equal(
            codec_measure(&km_fetch_response_message, v, &response, &size, NULL), want);
        if (want != RC_OK)
            assert_int_equal(decode(&km_fetch_response_message, v, NULL, 0, NULL), RC_UNSUPPORTED);
    }
    assert_true(codec_is_flexible(&km_fetch_response_message, 12));
    assert_false(codec_is_flexible(&km_fetch_response_message, 11));
}

/* ApiVersions response v3 with these bytes as its tag section. */
static enum rc
tags_decode(const uint8_t *tags, size_t size, struct km_api_versions_response *out)
{
    static const uint8_t head[] = {0, 0, 1, 0, 0, 0, 0};
    uint8_t bytes[64];

    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, tags, size);
    arena_reset(&arena);
    return codec_decode(
        &km_api_versions_response_message, 3, bytes, sizeof head + size, &arena, out, NULL, NULL);
}

static void
unknown_tags_are_skipped_and_known_ones_read(void **state)
{
    static const uint8_t tags[] = {
        3, 1, 8, 0, 0, 0, 0, 0, 0, 0, 9, 50, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0};
    struct km_api_versions_response out;

    (void)state;
    assert_int_equal(tags_decode(tags, sizeof tags, &out), RC_OK);
    assert_int_equal(out.finalized_features_epoch, 9);
    assert_int_equal(out.supported_features.count, 0);
    assert_int_equal(tags_decode((const uint8_t[]){0}, 1, &out), RC_OK);
    assert_int_equal(out.finalized_features_epoch, -1);
}

static void
wrong_tag_sections_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t size;
        enum rc rc;
    } bad[] = {
        {{2, 50, 0, 50, 0}, 5, RC_PROTOCOL},                          /* twice */
        {{2, 50, 0, 49, 0}, 5, RC_PROTOCOL},                          /* descending */
        {{1, 1, 9, 0, 0, 0, 0, 0, 0, 0, 9, 0}, 12, RC_PROTOCOL},      /* a byte too many */
        {{1, 1, 7, 0, 0, 0, 0, 0, 0, 0}, 10, RC_TRUNCATED},           /* a byte too few */
        {{1, 50, 9}, 3, RC_TRUNCATED},                                /* longer than the data */
        {{2, 50, 0}, 3, RC_TRUNCATED},                                /* one tag missing */
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, RC_TRUNCATED},            /* 2^32 - 1 tags */
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 6, RC_PROTOCOL},       /* count too long */
        {{1, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, 9, RC_PROTOCOL}, /* huge array in a tag */
    };
    struct km_api_versions_response out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(tags_decode(bad[i].bytes, bad[i].size, &out), bad[i].rc);
        assert_true(arena.used_bytes < MEMORY_BASE);
    }
}

static void
huge_counts_are_refused_before_memory_is_spent(void **state)
{
    static const uint8_t plain[] = {0x7f, 0xff, 0xff, 0xff, 0, 1, 'a', 0, 0, 0};
    static const uint8_t compact[] = {0xff, 0xff, 0xff, 0xff, 0x07, 2, 'a', 0, 0, 0};
    static const uint8_t beyond[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 2, 'a', 0, 0, 0};

    (void)state;
    assert_int_equal(
        decode(&km_metadata_request_message, 1, plain, sizeof plain, NULL), RC_TRUNCATED);
    assert_int_equal(arena.used_bytes, 0);
    assert_int_equal(
        decode(&km_metadata_request_message, 9, compact, sizeof compact, NULL), RC_TRUNCATED);
    assert_int_equal(
        decode(&km_metadata_request_message, 9, beyond, sizeof beyond, NULL), RC_PROTOCOL);
    assert_int_equal(arena.used_bytes, 0);
}

static void
a_full_arena_is_a_limit(void **state)
{
    static const uint8_t request[] = {0, 0, 0, 2, 0, 1, 'a', 0, 1, 'b'};
    struct km_metadata_request out;
    struct arena small;

    (void)state;
    arena_init(&small, 32);
    assert_int_equal(codec_decode(&km_metadata_request_message, 1, request, sizeof request, &small,
                         &out, NULL, NULL),
        RC_LIMIT);
    arena_fini(&small);
}

static void
null_is_taken_where_the_version_allows_it(void **state)
{
    static const uint8_t minus_one[] = {0xff, 0xff, 0xff, 0xff};
    static const uint8_t minus_five[] = {0xff, 0xff, 0xff, 0xfb};
    static const uint8_t null_name[] = {0, 0, 0, 1, 0xff, 0xff};
    struct km_metadata_request request;
    size_t size;

    (void)state;
    assert_int_equal(decode(&km_metadata_request_message, 1, minus_one, 4, NULL), RC_OK);
    assert_int_equal(decode(&km_metadata_request_message, 1, minus_five, 4, NULL), RC_OK);
    assert_memory_equal(again.data, minus_one, 4);
    assert_int_equal(decode(&km_metadata_request_message, 0, minus_one, 4, NULL), RC_PROTOCOL);
    assert_int_equal(decode(&km_metadata_request_message, 1, null_name, 6, NULL), RC_PROTOCOL);
    codec_init(&km_metadata_request_desc, &request);
    request.topics.count = -1;
    assert_int_equal(
        codec_measure(&km_metadata_request_message, 0, &request, &size, NULL), RC_PROTOCOL);
    assert_int_equal(codec_measure(&km_metadata_request_message, 1, &request, &size, NULL), RC_OK);
}

static void
a_string_of_more_than_32767_bytes_is_refused(void **state)
{
    static const uint8_t head[] = {0x82, 0x80, 0x02}; /* 32,769: one more than the length */
    static char text[32769];
    struct km_api_versions_request request;

    (void)state;
    codec_init(&km_api_versions_request_desc, &request);
    request.client_software_name = (struct wire_string){text, 32768};
    buf_clear(&wire);
    assert_int_equal(
        codec_encode(&km_api_versions_request_message, 3, &request, &wire, NULL), RC_PROTOCOL);
    assert_int_equal(wire.size, 0);
    request.client_software_name.size = 32767;
    assert_int_equal(
        codec_encode(&km_api_versions_request_message, 3, &request, &wire, NULL), RC_OK);
    buf_clear(&wire);
    buf_append(&wire, head, sizeof head);
    buf_append(&wire, text, sizeof text);
    buf_append(&wire, "\1\0", 2);
    assert_int_equal(
        decode(&km_api_versions_request_message, 3, wire.data, wire.size, NULL), RC_PROTOCOL);
}

static void
errors_tell_the_message_and_the_field(void **state)
{
    static const uint8_t cut[] = {0, 0, 0, 1, 0, 9, 'a'};
    struct km_metadata_request request;
    struct err e;

    (void)state;
    arena_reset(&arena);
    assert_int_equal(
        codec_decode(&km_metadata_request_message, 1, cut, sizeof cut, &arena, &request, NULL, &e),
        RC_TRUNCATED);
    assert_non_null(strstr(e.text, "metadata_request v1: topics: name: "));
}

static void
a_full_buffer_is_a_limit_and_keeps_its_content(void **state)
{
    struct km_metadata_request request;
    struct buf small;

    (void)state;
    codec_init(&km_metadata_request_desc, &request);
    buf_init(&small, 5);
    buf_append_text(&small, "abc");
    assert_int_equal(
        codec_encode(&km_metadata_request_message, 1, &request, &small, NULL), RC_LIMIT);
    assert_int_equal(small.size, 3);
    buf_fini(&small);
}

static int
set_up(void **state)
{
    (void)state;
    env_init_seeded(&env, 20, 0);
    arena_init(&arena, 1 << 26);
    buf_init(&wire, 1 << 26);
    buf_init(&again, 1 << 26);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    buf_fini(&wire);
    buf_fini(&again);
    return 0;
}

static void
a_string_views_a_text_and_equals_it_alone(void **state)
{
    struct wire_string null = codec_string(NULL), empty = codec_string("");

    (void)state;
    assert_int_equal(codec_string("abc").size, 3);
    assert_true(codec_string_is(codec_string("abc"), "abc"));
    assert_false(codec_string_is(codec_string("abc"), "ab"));
    assert_false(codec_string_is(codec_string("abc"), "abd"));
    assert_int_equal(null.size, -1);
    assert_int_equal(empty.size, 0);
    assert_true(codec_string_is(empty, ""));
    assert_false(codec_string_is(null, ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_and_version_comes_back_the_same),
        cmocka_unit_test(measuring_and_gathering_agree_with_encoding),
        cmocka_unit_test(records_in_fragments_are_gathered_without_a_copy),
        cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
        cmocka_unit_test(mutated_messages_never_do_more_than_fail),
        cmocka_unit_test(fields_that_a_version_lacks_are_decoded_as_their_defaults),
        cmocka_unit_test(a_value_that_must_not_be_dropped_is_refused_where_the_version_lacks_it),
        cmocka_unit_test(every_such_number_is_dropped_or_refused_as_the_schema_says),
        cmocka_unit_test(versions_outside_the_schema_are_unsupported),
        cmocka_unit_test(unknown_tags_are_skipped_and_known_ones_read),
        cmocka_unit_test(wrong_tag_sections_are_refused),
        cmocka_unit_test(huge_counts_are_refused_before_memory_is_spent),
        cmocka_unit_test(a_full_arena_is_a_limit),
        cmocka_unit_test(null_is_taken_where_the_version_allows_it),
        cmocka_unit_test(a_string_of_more_than_32767_bytes_is_refused),
        cmocka_unit_test(errors_tell_the_message_and_the_field),
        cmocka_unit_test(a_full_buffer_is_a_limit_and_keeps_its_content),
        cmocka_unit_test(a_string_views_a_text_and_equals_it_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
