#include "tests/unit/unit.h"

#include "audit/streams.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

#define BYTES_MAX ((size_t)1 << 16)

static struct wire_string
text(const char *t)
{
    return (struct wire_string){t, (int32_t)strlen(t)};
}

static void
a_topic_belongs_to_the_application_that_its_name_begins_with(void **state)
{
    (void)state;
    assert_true(streams_owner("wordcount-counts-changelog", "wordcount"));
    assert_true(streams_owner("a-b-c-repartition", "a"));
    assert_true(streams_owner("a-b-c-repartition", "a-b"));
    assert_false(streams_owner("a-b-c-repartition", "a-b-c"));
    assert_false(streams_owner("wordcount-changelog", "wordcount"));
    assert_false(streams_owner("wordcounts-x-changelog", "wordcount"));
    assert_false(streams_owner("wordcount-counts", "wordcount"));
    assert_false(streams_owner("-x-changelog", ""));
}

static void
a_name_tells_which_role_a_topic_would_have(void **state)
{
    (void)state;
    assert_int_equal(streams_role("a-b-changelog"), AUDIT_ROLE_CHANGELOG);
    assert_int_equal(streams_role("a-b-repartition"), AUDIT_ROLE_REPARTITION);
    assert_int_equal(streams_role("a-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000014-topic"),
        AUDIT_ROLE_REPARTITION);
    assert_int_equal(streams_role("my-topic"), AUDIT_ROLE_NONE);
    assert_int_equal(streams_role("-changelog"), AUDIT_ROLE_NONE);
    assert_int_equal(streams_role("orders"), AUDIT_ROLE_NONE);
}

static void
client_ids_of_stream_threads_are_recognised(void **state)
{
    (void)state;
    assert_true(streams_is_client_id(text("app-3f2c-StreamThread-1-consumer")));
    assert_false(streams_is_client_id(text("consumer-app-1")));
    assert_false(streams_is_client_id((struct wire_string){NULL, -1}));
}

/* The user data of a member, as Streams encodes it. */
static void
user_data(int32_t version, struct buf *out)
{
    struct km_subscription_info_data info;

    codec_init(&km_subscription_info_data_desc, &info);
    info.version = version;
    info.latest_supported_version = version >= 3 ? version : -1;
    buf_init(out, BYTES_MAX);
    assert_int_equal(
        codec_encode(&km_subscription_info_data_message, (int16_t)version, &info, out, NULL),
        RC_OK);
}

static void
user_data_of_all_versions_is_recognised_and_nothing_else(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, BYTES_MAX);
    for (int32_t version = 1; version <= 11; version++) {
        struct wire_bytes bytes;
        struct buf data;

        user_data(version, &data);
        bytes = (struct wire_bytes){data.data, (int32_t)data.size};
        assert_true(streams_is_user_data(bytes, &arena));
        bytes.size--;
        assert_false(streams_is_user_data(bytes, &arena));
        buf_append_byte(&data, 0);
        bytes = (struct wire_bytes){data.data, (int32_t)data.size};
        assert_false(streams_is_user_data(bytes, &arena));
        buf_fini(&data);
    }
    assert_false(streams_is_user_data((struct wire_bytes){NULL, -1}, &arena));
    assert_false(
        streams_is_user_data((struct wire_bytes){(const uint8_t *)"\0\0\0\x63xx", 6}, &arena));
    arena_fini(&arena);
}

static void
a_subscription_of_a_newer_version_is_read_as_the_newest_known(void **state)
{
    struct km_consumer_protocol_subscription in, out;
    struct wire_string topics[] = {text("orders"), text("payments")};
    struct arena arena;
    struct buf data;

    (void)state;
    codec_init(&km_consumer_protocol_subscription_desc, &in);
    in.topics.items = topics;
    in.topics.count = 2;
    buf_init(&data, BYTES_MAX);
    buf_append(&data, "\0\x09", 2);
    assert_int_equal(
        codec_encode(&km_consumer_protocol_subscription_message, 3, &in, &data, NULL), RC_OK);
    arena_init(&arena, BYTES_MAX);
    assert_true(
        streams_subscription((struct wire_bytes){data.data, (int32_t)data.size}, &arena, &out));
    assert_int_equal(out.topics.count, 2);
    assert_true(codec_string_is(out.topics.items[1], "payments"));
    assert_false(streams_subscription((struct wire_bytes){data.data, 1}, &arena, &out));
    assert_false(streams_subscription((struct wire_bytes){data.data, 8}, &arena, &out));
    arena_fini(&arena);
    buf_fini(&data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_belongs_to_the_application_that_its_name_begins_with),
        cmocka_unit_test(a_name_tells_which_role_a_topic_would_have),
        cmocka_unit_test(client_ids_of_stream_threads_are_recognised),
        cmocka_unit_test(user_data_of_all_versions_is_recognised_and_nothing_else),
        cmocka_unit_test(a_subscription_of_a_newer_version_is_read_as_the_newest_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
