/* A stream of known frames, fed in every size of step; what comes out is compared byte for byte. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/kafka/conn_frames.h"
#include "lib/wire/codec_bytes.h"

#define FRAMES 40
#define SIZE_MAX_ALLOWED ((size_t)1 << 20)

static struct conn_frames *frames;

static int
start(void **state)
{
    (void)state;
    frames = xcalloc(1, sizeof *frames);
    conn_frames_init(frames);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    conn_frames_fini(frames);
    free(frames);
    blob_trim();
    return 0;
}

static size_t
frame_size(size_t i)
{
    /* None, small ones, one that just fits the staging memory, one that just does not, large ones.
     */
    static const size_t sizes[] = {
        0, 1, 5, 1000, CONN_FRAMES_STAGING_BYTES - 4, CONN_FRAMES_STAGING_BYTES - 3, 300000, 17};

    return sizes[i % ARRAY_LEN(sizes)];
}

static uint8_t
frame_byte(size_t i, size_t at)
{
    return (uint8_t)(i * 31 + at * 7 + (at >> 8));
}

static void
feed(const uint8_t *data, size_t size, size_t step, size_t *seen)
{
    for (size_t at = 0; at < size;) {
        struct blob *frame;
        size_t room_size;
        void *room = conn_frames_room(frames, &room_size);
        size_t now = step < size - at ? step : size - at;

        assert_true(room_size > 0);
        if (now > room_size)
            now = room_size;
        memcpy(room, data + at, now);
        conn_frames_add(frames, now);
        at += now;
        for (;;) {
            assert_int_equal(conn_frames_next(frames, SIZE_MAX_ALLOWED, &frame, NULL), RC_OK);
            if (frame == NULL)
                break;
            assert_int_equal(frame->size, frame_size(*seen));
            for (size_t k = 0; k < frame->size; k++)
                assert_int_equal(frame->data[k], frame_byte(*seen, k));
            ++*seen;
            blob_unref(frame);
        }
    }
}

static void
frames_come_out_as_they_went_in_whatever_the_steps(void **state)
{
    static const size_t steps[] = {1000000, 65536, 65535, 4096, 777, 7};
    uint8_t *stream = xmalloc(FRAMES * 310000);
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < FRAMES; i++) {
        codec_bytes_put_int32(stream + size, (int32_t)frame_size(i));
        size += 4;
        for (size_t k = 0; k < frame_size(i); k++)
            stream[size++] = frame_byte(i, k);
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        size_t seen = 0;

        feed(stream, size, steps[i], &seen);
        assert_int_equal(seen, FRAMES);
    }
    free(stream);
}

static void
a_length_that_cannot_be_is_refused_and_can_be_looked_at(void **state)
{
    static const char *const bad[] = {
        "\xff\xff\xff\xff", "\x80\0\0\0", "\x7f\xff\xff\xff", "\0\x10\0\1"};
    struct blob *frame;
    struct err e;
    size_t size;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        conn_frames_init(frames);
        memcpy(conn_frames_room(frames, &size), bad[i], 4);
        conn_frames_add(frames, 4);
        assert_int_equal(conn_frames_next(frames, SIZE_MAX_ALLOWED, &frame, &e), RC_PROTOCOL);
        assert_non_null(strstr(e.text, "allowed are 0 to 1048576"));
        assert_memory_equal(conn_frames_peek(frames, &size), bad[i], 4);
        assert_int_equal(size, 4);
    }
}

static void
a_frame_that_never_ends_is_given_back(void **state)
{
    struct blob *frame;
    size_t size;

    (void)state;
    memcpy(conn_frames_room(frames, &size), "\0\x0f\0\0abc", 7);
    conn_frames_add(frames, 7);
    assert_int_equal(conn_frames_next(frames, SIZE_MAX_ALLOWED, &frame, NULL), RC_OK);
    assert_null(frame);
    /* The rest goes to its place at once. */
    (void)conn_frames_room(frames, &size);
    assert_int_equal(size, 0xf0000 - 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            frames_come_out_as_they_went_in_whatever_the_steps, start, end),
        cmocka_unit_test_setup_teardown(
            a_length_that_cannot_be_is_refused_and_can_be_looked_at, start, end),
        cmocka_unit_test_setup_teardown(a_frame_that_never_ends_is_given_back, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
