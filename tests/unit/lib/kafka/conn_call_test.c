/* Calls without a connection: what they encode, and when their memory and their `done` end. */
#include "tests/unit/unit.h"

#include "gen/messages.h"
#include "lib/kafka/conn_call.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

static struct loop *loop;
static struct conf_client conf = {.client_id = "me"};
static struct conn_setup setup = {.conf = &conf};
static struct conn_versions versions;
static int done_count;
static enum rc done_rc;

static void
on_done(void *arg, struct conn_reply *reply, const struct err *e)
{
    (void)arg;
    assert_null(reply);
    done_count++;
    done_rc = e->code;
}

static int
start(void **state)
{
    struct km_api_versions_response_api_version row = {.api_key = KM_METADATA, .max_version = 99};
    struct km_api_versions_response response = {.api_keys = {&row, 1}};

    (void)state;
    done_count = 0;
    conn_versions_load(&versions, &response);
    return loop_new(&loop, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static struct conn_call *
call_new(const struct km_metadata_request *body)
{
    struct conn_request request = {.api = frame_api(KM_METADATA), .body = body, .done = on_done};

    return conn_call_new(NULL, loop, &request);
}

static void
a_request_is_encoded_with_length_and_header(void **state)
{
    struct km_metadata_request body;
    struct frame_request header;
    struct conn_call *call;
    uint8_t frame[200];
    size_t size = 0;

    (void)state;
    codec_init(&km_metadata_request_desc, &body);
    call = call_new(&body);
    assert_int_equal(conn_call_encode(call, &versions, &setup, 77, NULL), RC_OK);
    /* Once only, whatever is asked for later. */
    assert_int_equal(conn_call_encode(call, &versions, &setup, 78, NULL), RC_OK);
    for (size_t i = 0; i < call->piece_count; i++) {
        memcpy(frame + size, call->pieces[i].data, call->pieces[i].size);
        size += call->pieces[i].size;
    }
    assert_int_equal(size, call->size);
    assert_int_equal(codec_bytes_int32(frame), size - 4);
    assert_int_equal(frame_request_decode(frame + 4, size - 4, &header, NULL), RC_OK);
    assert_int_equal(header.api_key, KM_METADATA);
    assert_int_equal(header.api_version, 13);
    assert_int_equal(header.correlation_id, 77);
    assert_int_equal(header.client_id.size, 2);
    assert_false(call->borrows);
    conn_call_drop(call);
    assert_int_equal(done_count, 0);
}

static void
a_call_ends_once_and_stays_while_it_is_being_written(void **state)
{
    static const struct err late = {.code = RC_TIMEOUT}, fine = {.code = RC_OK};
    struct km_metadata_request body;
    struct conn_call *call;
    struct list list;

    (void)state;
    list_init(&list);
    codec_init(&km_metadata_request_desc, &body);
    call = call_new(&body);
    conn_call_move(call, &list);
    call->sent = true;
    conn_call_abandon(call, &late);
    assert_int_equal(done_count, 1);
    assert_int_equal(done_rc, RC_TIMEOUT);
    /* It keeps its place until the answer has gone by, and its memory until it is written. */
    assert_int_equal(list.count, 1);
    conn_call_finish(call, NULL, &fine);
    assert_int_equal(done_count, 1);
    assert_int_equal(list.count, 0);
    conn_call_written(call);
    call = call_new(&body);
    conn_call_move(call, &list);
    conn_call_abandon(call, &late);
    assert_int_equal(done_count, 2);
    assert_int_equal(list.count, 0);
}

static void
a_request_that_cannot_be_encoded_says_why(void **state)
{
    struct km_metadata_request body;
    struct conn_call *call;
    struct err e;

    (void)state;
    codec_init(&km_metadata_request_desc, &body);
    conn_versions_clear(&versions);
    call = call_new(&body);
    assert_string_equal(conn_call_name(call), "metadata");
    assert_int_equal(conn_call_encode(call, &versions, &setup, 1, &e), RC_UNSUPPORTED);
    conn_call_drop(call);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_encoded_with_length_and_header, start, end),
        cmocka_unit_test_setup_teardown(
            a_call_ends_once_and_stays_while_it_is_being_written, start, end),
        cmocka_unit_test_setup_teardown(a_request_that_cannot_be_encoded_says_why, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
