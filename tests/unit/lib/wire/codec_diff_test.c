#include "lib/wire/codec_diff.h"

#include "gen/messages.h"
#include "lib/base/arena.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_random.h"
#include "tests/unit/unit.h"

static struct buf out;

struct pair {
    struct km_metadata_response_topic topics[2][2];
    struct km_metadata_response sides[2];
};

static void
pair_init(struct pair *pair)
{
    for (int s = 0; s < 2; s++) {
        codec_init(&km_metadata_response_desc, &pair->sides[s]);
        for (int i = 0; i < 2; i++) {
            codec_init(&km_metadata_response_topic_desc, &pair->topics[s][i]);
            pair->topics[s][i].name = (struct wire_string){"name", 4};
        }
        pair->sides[s].topics.items = pair->topics[s];
        pair->sides[s].topics.count = 2;
    }
}

static size_t
diff(const struct pair *pair, int16_t version)
{
    buf_clear(&out);
    return codec_diff(
        &km_metadata_response_message, version, &pair->sides[0], &pair->sides[1], &out);
}

static void
equal_messages_have_no_difference(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    assert_int_equal(diff(&pair, 12), 0);
    assert_int_equal(out.size, 0);
}

static void
differences_are_listed_by_path(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.sides[1].controller_id = 3;
    pair.sides[1].cluster_id = (struct wire_string){"c", 1};
    pair.topics[1][1].name.size = 3;
    pair.topics[1][0].is_internal = true;
    assert_int_equal(diff(&pair, 12), 4);
    assert_string_equal(buf_text(&out),
        "cluster_id: null, \"c\"\ncontroller_id: -1, 3\ntopics[0].is_internal: false, true\n"
        "topics[1].name: \"name\", \"nam\"\n");
}

static void
fields_that_the_version_lacks_do_not_count(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.sides[1].controller_id = 3;
    assert_int_equal(diff(&pair, 0), 0);
    assert_int_equal(diff(&pair, 1), 1);
}

static void
arrays_differ_in_their_count_and_common_elements(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.sides[1].topics.count = 1;
    pair.topics[1][0].error_code = 9;
    assert_int_equal(diff(&pair, 1), 2);
    assert_string_equal(buf_text(&out), "topics[]: 2, 1\ntopics[0].error_code: 0, 9\n");
    pair.sides[0].topics.count = -1;
    assert_int_equal(diff(&pair, 1), 1);
}

static void
records_are_compared_through_their_fragments(void **state)
{
    static const struct wire_fragment pieces[] = {
        {(const uint8_t *)"ab", 2}, {(const uint8_t *)"", 0}, {(const uint8_t *)"cde", 3}};
    struct km_produce_request_partition_produce_data parts[2];
    struct km_produce_request_topic_produce_data topics[2];
    struct km_produce_request sides[2];

    (void)state;
    for (int s = 0; s < 2; s++) {
        codec_init(&km_produce_request_desc, &sides[s]);
        codec_init(&km_produce_request_topic_produce_data_desc, &topics[s]);
        codec_init(&km_produce_request_partition_produce_data_desc, &parts[s]);
        topics[s].partition_data.items = &parts[s];
        topics[s].partition_data.count = 1;
        sides[s].topic_data.items = &topics[s];
        sides[s].topic_data.count = 1;
    }
    buf_clear(&out);
    parts[0].records = (struct wire_records){NULL, pieces, 5, 3};
    parts[1].records = (struct wire_records){(const uint8_t *)"abcde", NULL, 5, 0};
    assert_int_equal(codec_diff(&km_produce_request_message, 9, &sides[0], &sides[1], &out), 0);
    parts[1].records.data = (const uint8_t *)"abcdf";
    assert_int_equal(codec_diff(&km_produce_request_message, 9, &sides[0], &sides[1], &out), 1);
    assert_string_equal(
        buf_text(&out), "topic_data[0].partition_data[0].records: <5 bytes>, <5 bytes>\n");
    parts[1].records.size = 4;
    assert_int_equal(codec_diff(&km_produce_request_message, 9, &sides[0], &sides[1], &out), 1);
}

static void
a_decoded_message_does_not_differ_from_what_was_encoded(void **state)
{
    struct arena arena;
    struct buf wire;
    struct env env;

    (void)state;
    arena_init(&arena, 1 << 24);
    buf_init(&wire, 1 << 24);
    env_init_seeded(&env, 33, 0);
    for (size_t i = 0; km_messages[i] != NULL; i++) {
        const struct wire_message *message = km_messages[i];
        void *object = xmalloc(message->body->size), *back = xmalloc(message->body->size);

        for (int16_t v = message->versions.min; v <= message->versions.max; v++) {
            arena_reset(&arena);
            buf_clear(&wire);
            buf_clear(&out);
            assert_int_equal(codec_random(message, v, &env, &arena, object, NULL), RC_OK);
            assert_int_equal(codec_encode(message, v, object, &wire, NULL), RC_OK);
            assert_int_equal(
                codec_decode(message, v, wire.data, wire.size, &arena, back, NULL, NULL), RC_OK);
            if (codec_diff(message, v, object, back, &out) != 0)
                fail_msg("%s v%d: %s", message->name, v, buf_text(&out));
        }
        free(object);
        free(back);
    }
    arena_fini(&arena);
    buf_fini(&wire);
}

static int
out_init(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int
out_fini(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_messages_have_no_difference),
        cmocka_unit_test(differences_are_listed_by_path),
        cmocka_unit_test(fields_that_the_version_lacks_do_not_count),
        cmocka_unit_test(arrays_differ_in_their_count_and_common_elements),
        cmocka_unit_test(records_are_compared_through_their_fragments),
        cmocka_unit_test(a_decoded_message_does_not_differ_from_what_was_encoded),
    };

    return cmocka_run_group_tests(tests, out_init, out_fini);
}
