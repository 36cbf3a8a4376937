#include "lib/wire/frame.h"

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "tests/unit/unit.h"

static void
a_request_comes_back_as_it_was_sent(void **state)
{
    struct km_fetch_request body;
    struct frame_request header;
    struct arena arena;
    struct buf out;
    struct err e;

    (void)state;
    arena_init(&arena, 1 << 16);
    for (int16_t version = 4; version <= 18; version++) {
        buf_init(&out, 4096);
        codec_init(&km_fetch_request_desc, &body);
        body.max_wait_ms = 500;
        assert_int_equal(
            frame_request_encode(frame_api(KM_FETCH), version, 77, "me", &body, &out, &e), RC_OK);
        assert_int_equal(codec_bytes_int32(out.data), out.size - 4);
        assert_int_equal(frame_request_decode(out.data + 4, out.size - 4, &header, &e), RC_OK);
        assert_ptr_equal(header.api, frame_api(KM_FETCH));
        assert_int_equal(header.api_version, version);
        assert_int_equal(header.correlation_id, 77);
        assert_int_equal(header.client_id.size, 2);
        assert_memory_equal(header.client_id.data, "me", 2);
        assert_int_equal(
            codec_decode(header.api->request, version, out.data + 4 + header.header_size,
                out.size - 4 - header.header_size, &arena, &body, NULL, &e),
            RC_OK);
        assert_int_equal(body.max_wait_ms, 500);
        buf_fini(&out);
    }
    arena_fini(&arena);
}

static void
an_unknown_api_or_version_is_told_with_what_is_known(void **state)
{
    static const uint8_t future[] = {0, 18, 0, 127, 0, 0, 0, 9, 1, 2, 3};
    static const uint8_t unknown[] = {0x27, 0x0f, 0, 0, 0, 0, 0, 9, 0xff, 0xff};
    struct frame_request header;
    struct err e;

    (void)state;
    assert_int_equal(frame_request_decode(future, sizeof future, &header, &e), RC_UNSUPPORTED);
    assert_int_equal(header.api_key, KM_API_VERSIONS);
    assert_int_equal(header.correlation_id, 9);
    assert_int_equal(frame_request_decode(unknown, sizeof unknown, &header, &e), RC_UNSUPPORTED);
    assert_null(header.api);
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(frame_request_decode(future, size, &header, &e), RC_TRUNCATED);
}

static void
the_response_header_of_api_versions_never_has_tags(void **state)
{
    struct km_api_versions_response body;
    struct buf out;
    struct err e;

    (void)state;
    codec_init(&km_api_versions_response_desc, &body);
    for (int16_t version = 0; version <= 4; version++) {
        buf_init(&out, 4096);
        assert_int_equal(
            frame_response_encode(frame_api(KM_API_VERSIONS), version, 5, &body, &out, &e), RC_OK);
        assert_int_equal(codec_bytes_int32(out.data + 4), 5);
        assert_int_equal(codec_bytes_int16(out.data + 8), 0);
        assert_int_equal(out.size, 4 + 4 + (version == 0 ? 6 : version < 3 ? 10 : 8));
        buf_fini(&out);
    }
}

static void
gathered_pieces_hold_the_same_bytes_as_a_copy(void **state)
{
    static const struct wire_fragment fragments[] = {
        {(const uint8_t *)"abc", 3}, {(const uint8_t *)"defgh", 5}};
    struct km_fetch_response body;
    struct km_fetch_response_fetchable_topic_response topic;
    struct km_fetch_response_partition_data partition;
    struct wire_fragment *pieces;
    struct arena arena;
    struct buf out, copy;
    size_t count, at = 0;
    struct err e;

    (void)state;
    arena_init(&arena, 1 << 16);
    buf_init(&out, 4096);
    buf_init(&copy, 4096);
    codec_init(&km_fetch_response_desc, &body);
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    codec_init(&km_fetch_response_partition_data_desc, &partition);
    partition.records = (struct wire_records){NULL, fragments, 8, 2};
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    body.responses.items = &topic;
    body.responses.count = 1;
    assert_int_equal(frame_response_encode(frame_api(KM_FETCH), 13, 1, &body, &copy, &e), RC_OK);
    assert_int_equal(
        frame_response_gather(frame_api(KM_FETCH), 13, 1, &body, &out, &arena, &pieces, &count, &e),
        RC_OK);
    assert_int_equal(count, 4);
    assert_ptr_equal(pieces[1].data, fragments[0].data);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(pieces[i].data, copy.data + at, pieces[i].size);
        at += pieces[i].size;
    }
    assert_int_equal(at, copy.size);
    buf_fini(&out);
    buf_fini(&copy);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_as_it_was_sent),
        cmocka_unit_test(an_unknown_api_or_version_is_told_with_what_is_known),
        cmocka_unit_test(the_response_header_of_api_versions_never_has_tags),
        cmocka_unit_test(gathered_pieces_hold_the_same_bytes_as_a_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
