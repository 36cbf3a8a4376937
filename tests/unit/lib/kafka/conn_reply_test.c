/* Frames made by the codec, then the same ones spoiled. */
#include "tests/unit/unit.h"

#include "gen/messages.h"
#include "lib/kafka/conn_reply.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

static struct blob *
frame_of(const struct wire_api *api, int16_t version, const void *response)
{
    struct blob *frame;
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_int_equal(frame_response_encode(api, version, 7, response, &out, NULL), RC_OK);
    frame = blob_new(out.size - FRAME_LENGTH_BYTES);
    memcpy(frame->data, out.data + FRAME_LENGTH_BYTES, frame->size);
    buf_fini(&out);
    return frame;
}

static struct conn_reply *
reply_of(const struct wire_api *api, int16_t version, const void *response)
{
    struct conn_reply *reply = conn_reply_new_take(frame_of(api, version, response), 7);

    assert_null(reply->response);
    assert_int_equal(conn_reply_decode(reply, api, version, NULL), RC_OK);
    return reply;
}

static void
throttle_and_error_are_read_from_any_message(void **state)
{
    struct km_find_coordinator_response with_both = {
        .throttle_time_ms = 12, .error_code = 15, .error_message = {NULL, -1}, .host = {"", 0}};
    struct km_sasl_handshake_response without_throttle = {.error_code = 33};
    struct km_metadata_response negative;
    struct conn_reply *reply;

    (void)state;
    reply = reply_of(frame_api(KM_FIND_COORDINATOR), 3, &with_both);
    assert_int_equal(conn_reply_throttle_ms(reply), 12);
    assert_int_equal(conn_reply_error(reply), 15);
    conn_reply_unref(reply);
    reply = reply_of(frame_api(KM_SASL_HANDSHAKE), 1, &without_throttle);
    assert_int_equal(conn_reply_throttle_ms(reply), 0);
    assert_int_equal(conn_reply_error(reply), 33);
    conn_reply_unref(reply);
    codec_init(&km_metadata_response_desc, &negative);
    negative.throttle_time_ms = -5;
    reply = reply_of(frame_api(KM_METADATA), 9, &negative);
    assert_int_equal(conn_reply_throttle_ms(reply), 0);
    assert_int_equal(conn_reply_error(reply), 0);
    conn_reply_unref(reply);
}

static void
a_reply_stays_until_the_last_reference_is_gone(void **state)
{
    struct km_metadata_response response;
    struct conn_reply *reply;

    (void)state;
    codec_init(&km_metadata_response_desc, &response);
    response.cluster_id = (struct wire_string){"abc", 3};
    reply = reply_of(frame_api(KM_METADATA), 9, &response);
    assert_ptr_equal(conn_reply_ref(reply), reply);
    conn_reply_unref(reply);
    assert_memory_equal(
        ((const struct km_metadata_response *)reply->response)->cluster_id.data, "abc", 3);
    conn_reply_unref(reply);
    conn_reply_unref(NULL);
}

static void
spoiled_frames_are_refused(void **state)
{
    struct km_metadata_response response;
    struct conn_reply *reply;
    struct err e;

    (void)state;
    codec_init(&km_metadata_response_desc, &response);
    reply = conn_reply_new_take(frame_of(frame_api(KM_METADATA), 9, &response), 8);
    assert_int_equal(conn_reply_decode(reply, frame_api(KM_METADATA), 9, &e), RC_PROTOCOL);
    assert_string_equal(e.text, "an answer to request 7 came for request 8");
    conn_reply_unref(reply);
    for (size_t size = 0; size < 20; size++) {
        struct blob *frame = frame_of(frame_api(KM_METADATA), 9, &response);

        if (size >= frame->size) {
            blob_unref(frame);
            break;
        }
        frame->size = size;
        reply = conn_reply_new_take(frame, 7);
        assert_int_not_equal(conn_reply_decode(reply, frame_api(KM_METADATA), 9, NULL), RC_OK);
        conn_reply_unref(reply);
    }
}

static void
a_message_that_swells_is_refused(void **state)
{
    /* A Fetch response of 2 MiB that is one array of empty topics: each byte would become a struct.
     */
    size_t size = 2 << 20;
    struct blob *frame = blob_new(size);
    struct conn_reply *reply;

    (void)state;
    memset(frame->data, 1, size);
    memcpy(frame->data, "\0\0\0\7\0" /* header */ "\0\0\0\0\0\0\0\0\0\0", 15);
    memcpy(frame->data + 15, "\x81\x80\x40", 3); /* 2^20 topics */
    reply = conn_reply_new_take(frame, 7);
    assert_int_not_equal(conn_reply_decode(reply, frame_api(KM_FETCH), 12, NULL), RC_OK);
    assert_true(reply->arena.used_bytes <= CONN_REPLY_ARENA_FACTOR * size + CONN_REPLY_ARENA_BYTES);
    conn_reply_unref(reply);
    blob_trim();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttle_and_error_are_read_from_any_message),
        cmocka_unit_test(a_reply_stays_until_the_last_reference_is_gone),
        cmocka_unit_test(spoiled_frames_are_refused),
        cmocka_unit_test(a_message_that_swells_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
