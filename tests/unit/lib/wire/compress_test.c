#include "lib/wire/compress.h"

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "tests/unit/unit.h"

enum { LARGE = 300000 };

static uint8_t sample[LARGE];

/* Half text, half noise, so that every codec meets blocks that it can and cannot shrink. */
static int
sample_make(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 7, 0);
    env_random_bytes(&env, sample, sizeof sample);
    for (size_t i = 0; i < sizeof sample; i++)
        if ((i / 40000) % 2 == 0)
            sample[i] = (uint8_t)("the quick brown fox "[i % 20]);
    return 0;
}

static struct buf
encoded(enum compress_codec codec, const void *data, size_t size)
{
    struct buf out;

    buf_init(&out, 1 << 28);
    assert_int_equal(compress_encode(codec, data, size, &out, NULL), RC_OK);
    return out;
}

static enum rc
decode_limited(
    enum compress_codec codec, const void *data, size_t size, size_t size_max, struct buf *out)
{
    struct err e;
    enum rc rc;

    buf_clear(out);
    rc = compress_decode(codec, data, size, size_max, out, &e);
    assert_true(out->size <= size_max);
    return rc;
}

static void
what_was_compressed_comes_back_and_the_limit_is_exact(void **state)
{
    static const size_t sizes[] = {
        0, 1, 2, 100, 4095, 4096, 4097, 32767, 32768, 32769, 65536, 65537, 131072, LARGE};
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct buf in = encoded((enum compress_codec)codec, sample, sizes[i]);

            assert_int_equal(
                decode_limited((enum compress_codec)codec, in.data, in.size, sizes[i], &out),
                RC_OK);
            assert_int_equal(out.size, sizes[i]);
            if (sizes[i] > 0)
                assert_memory_equal(out.data, sample, sizes[i]);
            if (sizes[i] > 0)
                assert_int_equal(decode_limited((enum compress_codec)codec, in.data, in.size,
                                     sizes[i] - 1, &out),
                    RC_LIMIT);
            buf_fini(&in);
        }
    }
    buf_fini(&out);
}

static void
output_is_appended_and_a_full_buffer_is_a_limit(void **state)
{
    (void)state;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        struct buf in = encoded((enum compress_codec)codec, sample, 5000);
        struct buf out, small;

        buf_init(&out, 6000);
        buf_append_text(&out, "before");
        assert_int_equal(
            compress_decode((enum compress_codec)codec, in.data, in.size, SIZE_MAX, &out, NULL),
            RC_OK);
        assert_int_equal(out.size, 5006);
        assert_memory_equal(out.data + 6, sample, 5000);
        assert_int_equal(
            compress_decode((enum compress_codec)codec, in.data, in.size, SIZE_MAX, &out, NULL),
            RC_LIMIT);
        buf_init(&small, 10);
        assert_int_equal(
            compress_encode((enum compress_codec)codec, sample, 5000, &small, NULL), RC_LIMIT);
        buf_fini(&small);
        buf_fini(&out);
        buf_fini(&in);
    }
}

static void
codecs_have_kafkas_names(void **state)
{
    enum compress_codec codec;

    (void)state;
    assert_string_equal(compress_name(COMPRESS_NONE), "none");
    assert_string_equal(compress_name(COMPRESS_ZSTD), "zstd");
    assert_string_equal(compress_name((enum compress_codec)5), "unknown");
    for (int i = 0; i < COMPRESS_CODECS; i++) {
        assert_true(compress_find(compress_name((enum compress_codec)i), &codec));
        assert_int_equal(codec, i);
    }
    assert_false(compress_find("brotli", &codec));
}

static void
an_unknown_codec_is_unsupported(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (int codec = COMPRESS_CODECS; codec < 8; codec++)
        assert_int_equal(
            compress_decode((enum compress_codec)codec, "x", 1, 100, &out, NULL), RC_UNSUPPORTED);
    buf_fini(&out);
}

static void
a_cut_stream_is_corrupt_at_every_byte(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    for (int codec = COMPRESS_GZIP; codec < COMPRESS_CODECS; codec++) {
        struct buf in = encoded((enum compress_codec)codec, sample, 600);

        for (size_t cut = 0; cut < in.size; cut++) {
            enum rc rc = decode_limited((enum compress_codec)codec, in.data, cut, 10000, &out);

            /* No stream at all is an empty one to zstd, and a header alone to snappy. */
            if ((codec == COMPRESS_ZSTD && cut == 0) ||
                (codec == COMPRESS_SNAPPY && cut >= 16 && cut < 20))
                assert_int_equal(rc, RC_OK);
            else
                assert_int_equal(rc, RC_CORRUPT);
            assert_true(out.size <= 600);
        }
        buf_fini(&in);
    }
    buf_fini(&out);
}

static void
a_mutated_stream_never_does_more_than_fail(void **state)
{
    struct buf out;
    struct env env;

    (void)state;
    env_init_seeded(&env, 3, 0);
    buf_init(&out, SIZE_MAX / 4);
    for (int codec = COMPRESS_GZIP; codec < COMPRESS_CODECS; codec++) {
        struct buf in = encoded((enum compress_codec)codec, sample + 39000, 2000);

        for (int round = 0; round < 4000; round++) {
            size_t at = (size_t)env_random_below(&env, in.size);
            uint8_t old = in.data[at];
            enum rc rc;

            in.data[at] = (uint8_t)env_random(&env);
            rc = decode_limited((enum compress_codec)codec, in.data, in.size, 100000, &out);
            assert_true(rc == RC_OK || rc == RC_CORRUPT || rc == RC_LIMIT);
            in.data[at] = old;
        }
        assert_true(out.capacity <= 1 << 18);
        buf_fini(&in);
    }
    buf_fini(&out);
}

static void
a_bomb_is_cut_at_the_limit(void **state)
{
    enum { BOMB = 64 << 20, LIMIT = 1 << 20 };
    uint8_t *zeroes = xcalloc(1, BOMB);

    (void)state;
    for (int codec = COMPRESS_GZIP; codec < COMPRESS_CODECS; codec++) {
        struct buf in = encoded((enum compress_codec)codec, zeroes, BOMB);
        struct buf out;

        buf_init(&out, SIZE_MAX / 4);
        assert_int_equal(
            decode_limited((enum compress_codec)codec, in.data, in.size, LIMIT, &out), RC_LIMIT);
        assert_true(out.capacity <= 4 * LIMIT);
        buf_fini(&out);
        buf_fini(&in);
    }
    free(zeroes);
}

static void
streams_behind_one_another_are_one(void **state)
{
    static const enum compress_codec codecs[] = {COMPRESS_GZIP, COMPRESS_SNAPPY, COMPRESS_ZSTD};
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        struct buf in = encoded(codecs[i], sample, 1000);

        assert_int_equal(compress_encode(codecs[i], sample + 1000, 2000, &in, NULL), RC_OK);
        assert_int_equal(decode_limited(codecs[i], in.data, in.size, 3000, &out), RC_OK);
        assert_int_equal(out.size, 3000);
        assert_memory_equal(out.data, sample, 3000);
        buf_fini(&in);
    }
    buf_fini(&out);
}

static void
bytes_that_javas_readers_overlook_are_overlooked(void **state)
{
    static const enum compress_codec codecs[] = {COMPRESS_GZIP, COMPRESS_LZ4, COMPRESS_SNAPPY};
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        struct buf in = encoded(codecs[i], sample, 1000);

        buf_append(&in, "\xff\xff\xff", 3);
        assert_int_equal(decode_limited(codecs[i], in.data, in.size, 2000, &out), RC_OK);
        assert_int_equal(out.size, 1000);
        buf_fini(&in);
    }
    buf_fini(&out);
}

/* "aaaaaaaaaa": a literal of one byte and a copy of nine, as a raw block. */
static const uint8_t raw_snappy[] = {10, 0x00, 'a', 0x15, 0x01};

static void
a_raw_snappy_block_is_read(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(
        decode_limited(COMPRESS_SNAPPY, raw_snappy, sizeof raw_snappy, 10, &out), RC_OK);
    assert_int_equal(out.size, 10);
    assert_memory_equal(out.data, "aaaaaaaaaa", 10);
    buf_fini(&out);
}

static void
a_snappy_length_that_cannot_be_is_refused_before_memory_is_spent(void **state)
{
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 'a'};
    struct buf in = encoded(COMPRESS_SNAPPY, sample, 100);
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    assert_int_equal(
        decode_limited(COMPRESS_SNAPPY, huge, sizeof huge, SIZE_MAX, &out), RC_CORRUPT);
    codec_bytes_put_int32(in.data + 16, INT32_MAX);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, in.size, SIZE_MAX, &out), RC_CORRUPT);
    codec_bytes_put_int32(in.data + 16, -1);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, in.size, SIZE_MAX, &out), RC_CORRUPT);
    codec_bytes_put_int32(in.data + 8, 0);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, in.size, SIZE_MAX, &out), RC_CORRUPT);
    assert_int_equal(out.capacity, 0);
    buf_fini(&out);
    buf_fini(&in);
}

/* As in snappy-java, which looks at the version of the second one only. */
static void
a_snappy_stream_behind_another_must_be_of_a_known_version(void **state)
{
    struct buf in = encoded(COMPRESS_SNAPPY, sample, 100);
    size_t second = in.size;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    codec_bytes_put_int32(in.data + 8, 0);
    assert_int_equal(compress_encode(COMPRESS_SNAPPY, sample, 100, &in, NULL), RC_OK);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, in.size, 200, &out), RC_OK);
    assert_int_equal(out.size, 200);
    codec_bytes_put_int32(in.data + second + 8, 0);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, in.size, 200, &out), RC_CORRUPT);
    assert_int_equal(decode_limited(COMPRESS_SNAPPY, in.data, second + 15, 200, &out), RC_CORRUPT);
    buf_fini(&out);
    buf_fini(&in);
}

static void
lz4_wants_independent_blocks_and_a_right_header(void **state)
{
    struct buf in = encoded(COMPRESS_LZ4, sample, 1000);
    struct buf out;
    uint8_t flags = in.data[4];

    (void)state;
    buf_init(&out, 1 << 20);
    in.data[4] = (uint8_t)(flags & ~0x20);
    assert_int_equal(decode_limited(COMPRESS_LZ4, in.data, in.size, 2000, &out), RC_CORRUPT);
    in.data[4] = flags;
    in.data[6] ^= 1;
    assert_int_equal(decode_limited(COMPRESS_LZ4, in.data, in.size, 2000, &out), RC_CORRUPT);
    buf_fini(&out);
    buf_fini(&in);
}

static void
in_format_v0_the_header_checksum_of_lz4_is_ignored(void **state)
{
    struct buf in = encoded(COMPRESS_LZ4, sample, LARGE);
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    in.data[6] ^= 0x5a;
    assert_int_equal(compress_decode_old(COMPRESS_LZ4, in.data, in.size, LARGE, &out, NULL), RC_OK);
    assert_int_equal(out.size, LARGE);
    assert_memory_equal(out.data, sample, LARGE);
    in.data[0] ^= 1;
    assert_int_equal(
        compress_decode_old(COMPRESS_LZ4, in.data, in.size, LARGE, &out, NULL), RC_CORRUPT);
    in.data[0] ^= 1;
    in.data[5] = 0x30; /* no such block size */
    assert_int_equal(
        compress_decode_old(COMPRESS_LZ4, in.data, in.size, LARGE, &out, NULL), RC_CORRUPT);
    for (size_t cut = 0; cut < 40; cut++)
        assert_int_equal(
            compress_decode_old(COMPRESS_LZ4, in.data, cut, LARGE, &out, NULL), RC_CORRUPT);
    buf_fini(&out);
    buf_fini(&in);
}

/* 19 bytes that announce a window of 128 MiB: nothing is spent on it. */
static void
a_zstd_window_costs_nothing(void **state)
{
    static const uint8_t frame[] = {
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x19, 0x00, 0x00, 'a', 'b', 'c'};
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    assert_int_equal(decode_limited(COMPRESS_ZSTD, frame, sizeof frame, 1 << 20, &out), RC_OK);
    assert_int_equal(out.size, 3);
    assert_memory_equal(out.data, "abc", 3);
    assert_true(out.capacity <= 1 << 16);
    buf_fini(&out);
}

/* One damaged block, of which some processors' decoders say "too little room", however much there
 * is. */
static void
a_damaged_zstd_block_costs_what_it_can_hold(void **state)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x36, 0x2d, 0x01, 0x00, 0xd0,
        0x1c, 0x00, 0x00, 0x00, 0x06, 0x6b, 0x65, 0x79, 0x0a, 0x76, 0x61, 0x6c, 0x75, 0x65, 0x00,
        0x16, 0x00, 0x0a, 0x02, 0x01, 0x1c, 0x00, 0x19, 0x04, 0x01, 0x06, 0x03, 0x00, 0x80, 0x12,
        0x3e, 0x0f, 0xf1, 0xac, 0x30, 0x01};
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    assert_int_equal(decode_limited(COMPRESS_ZSTD, frame, sizeof frame, 1 << 24, &out), RC_CORRUPT);
    assert_true(out.capacity <= 1 << 18);
    buf_fini(&out);
}

/* Frames whose headers have every form, and one that is to be skipped, are counted right: blocks of
 * one byte each time, of which the last frame has two. */
static void
zstd_frames_of_every_form_are_read(void **state)
{
    static const uint8_t frames[] = {/* a window, no content size */
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x09, 0x00, 0x00, 'a',
        /* one segment, a content size of 1, 2, 4, 8 bytes */
        0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 'b', 0x28, 0xb5, 0x2f, 0xfd, 0xa0,
        0x01, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 'c', 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0x01, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 'd',
        /* skipped */
        0x53, 0x2a, 0x4d, 0x18, 0x02, 0x00, 0x00, 0x00, 'x', 'y',
        /* 100,000 times the same byte, more than there is room for at first, and a raw block */
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, 0x02, 0x35, 0x0c, 'e', 0x09, 0x00, 0x00, 'f'};
    struct buf out;

    (void)state;
    buf_init(&out, SIZE_MAX / 4);
    assert_int_equal(decode_limited(COMPRESS_ZSTD, frames, sizeof frames, 1 << 24, &out), RC_OK);
    assert_int_equal(out.size, 4 + 100000 + 1);
    assert_memory_equal(out.data, "abcde", 5);
    assert_int_equal(out.data[out.size - 1], 'f');
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_compressed_comes_back_and_the_limit_is_exact),
        cmocka_unit_test(output_is_appended_and_a_full_buffer_is_a_limit),
        cmocka_unit_test(codecs_have_kafkas_names),
        cmocka_unit_test(an_unknown_codec_is_unsupported),
        cmocka_unit_test(a_cut_stream_is_corrupt_at_every_byte),
        cmocka_unit_test(a_mutated_stream_never_does_more_than_fail),
        cmocka_unit_test(a_bomb_is_cut_at_the_limit),
        cmocka_unit_test(streams_behind_one_another_are_one),
        cmocka_unit_test(bytes_that_javas_readers_overlook_are_overlooked),
        cmocka_unit_test(a_raw_snappy_block_is_read),
        cmocka_unit_test(a_snappy_length_that_cannot_be_is_refused_before_memory_is_spent),
        cmocka_unit_test(a_snappy_stream_behind_another_must_be_of_a_known_version),
        cmocka_unit_test(lz4_wants_independent_blocks_and_a_right_header),
        cmocka_unit_test(in_format_v0_the_header_checksum_of_lz4_is_ignored),
        cmocka_unit_test(a_zstd_window_costs_nothing),
        cmocka_unit_test(a_damaged_zstd_block_costs_what_it_can_hold),
        cmocka_unit_test(zstd_frames_of_every_form_are_read),
    };

    return cmocka_run_group_tests(tests, sample_make, NULL);
}
