#include "lib/wire/batch_records.h"

#include "lib/base/env.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "tests/unit/unit.h"

#include "tests/unit/lib/wire/batch_vectors.h"

enum { SCRATCH_MAX = 1 << 20 };

static struct buf scratch;

static void
hex_put(struct buf *out, const uint8_t *data, int32_t size)
{
    if (size < 0)
        buf_append_text(out, "null");
    for (int32_t i = 0; i < size; i++)
        buf_printf(out, "%02x", data[i]);
}

static void
record_put(struct buf *out, const struct batch_records_record *record)
{
    struct batch_records_headers headers = record->headers;
    struct batch_records_header header;

    buf_printf(out, "%lld %lld ", (long long)record->offset, (long long)record->timestamp);
    hex_put(out, record->key, record->key_size);
    buf_append_text(out, " ");
    hex_put(out, record->value, record->value_size);
    while (batch_records_header_next(&headers, &header)) {
        buf_append_text(out, " ");
        hex_put(out, header.key, header.key_size);
        buf_append_text(out, "=");
        hex_put(out, header.value, header.value_size);
    }
    buf_append_text(out, "\n");
}

/* Reads all of a batch as lines; the first error ends it. */
static enum rc
records_read(const void *data, size_t size, struct buf *out)
{
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    bool found = true;
    enum rc rc = batch_view_parse(data, size, &batch, NULL);

    if (rc == RC_OK)
        rc = batch_records_open(&records, &batch, &scratch, SCRATCH_MAX, NULL);
    while (rc == RC_OK && found) {
        rc = batch_records_next(&records, &record, &found, NULL);
        if (rc == RC_OK && found && out != NULL)
            record_put(out, &record);
    }
    return rc;
}

static void
records_of_kafkas_batches_read_as_kafka_reads_them(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, SCRATCH_MAX);
    for (size_t i = 0; i < ARRAY_LEN(batch_vectors); i++) {
        size_t size;
        uint8_t *bytes = batch_vector_bytes(batch_vectors[i].hex, &size);

        buf_clear(&text);
        assert_int_equal(records_read(bytes, size, &text), RC_OK);
        assert_string_equal(buf_text(&text), batch_vectors[i].records);
        free(bytes);
    }
    buf_fini(&text);
}

static void
a_plain_batch_is_read_in_place(void **state)
{
    size_t size;
    uint8_t *bytes = batch_vector_bytes(batch_vectors[0].hex, &size);
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    bool found;

    (void)state;
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_OK);
    assert_int_equal(batch_records_open(&records, &batch, NULL, 0, NULL), RC_OK);
    assert_int_equal(batch_records_next(&records, &record, &found, NULL), RC_OK);
    assert_true(found && record.key > bytes && record.key < bytes + size);
    assert_int_equal(record.size, 15);
    free(bytes);
}

/* A batch of v2 around these bytes, with right length and CRC. */
static void
wrap(struct buf *out, enum compress_codec codec, int32_t count, const void *records, size_t size)
{
    uint8_t *p;

    buf_clear(out);
    p = buf_reserve(out, BATCH_VIEW_HEADER_BYTES);
    memset(p, 0, BATCH_VIEW_HEADER_BYTES);
    buf_commit(out, BATCH_VIEW_HEADER_BYTES);
    assert_int_equal(compress_encode(codec, records, size, out, NULL), RC_OK);
    p = out->data;
    codec_bytes_put_int32(p + BATCH_VIEW_LENGTH_AT, (int32_t)out->size - 12);
    p[BATCH_VIEW_MAGIC_AT] = 2;
    codec_bytes_put_int16(p + BATCH_VIEW_ATTRIBUTES_AT, (int16_t)codec);
    codec_bytes_put_int32(p + BATCH_VIEW_RECORD_COUNT_AT, count);
}

static enum rc
wrapped_read(int32_t count, const void *records, size_t size)
{
    enum rc rc = RC_OK;

    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        struct buf batch;

        buf_init(&batch, SCRATCH_MAX);
        wrap(&batch, (enum compress_codec)codec, count, records, size);
        if (codec == 0)
            rc = records_read(batch.data, batch.size, NULL);
        else
            assert_int_equal(records_read(batch.data, batch.size, NULL), rc);
        buf_fini(&batch);
    }
    return rc;
}

/* Length 6, attributes, timestamp delta 0, offset delta 0, no key, no value, no headers. */
static const uint8_t least[] = {12, 0, 0, 0, 1, 1, 0};

static void
malformed_records_are_corrupt_in_every_codec(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t size;
    } bad[] = {
        {{0}, 1},                                           /* empty body */
        {{1}, 1},                                           /* negative length */
        {{14, 0, 0, 0, 1, 1, 0}, 7},                        /* longer than the data */
        {{10, 0, 0, 0, 1, 1, 0}, 7},                        /* shorter than its content */
        {{14, 0, 0, 0, 1, 1, 0, 0}, 8},                     /* a byte too many */
        {{12, 0, 0, 0, 2, 1, 0}, 7},                        /* key runs into the rest */
        {{12, 0, 0, 0, 1, 40, 0}, 7},                       /* value longer than the record */
        {{12, 0, 0, 0, 1, 1, 1}, 7},                        /* -1 headers */
        {{12, 0, 0, 0, 1, 1, 2}, 7},                        /* one header, no bytes */
        {{16, 0, 0, 0, 1, 1, 2, 1, 0}, 9},                  /* header key null */
        {{18, 0, 0, 0, 1, 1, 2, 0, 20, 0}, 10},             /* header value too long */
        {{12, 0, 0x80, 0x80, 0x80, 0x80, 0x80}, 7},         /* timestamp runs out */
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0, 0, 0}, 9}, /* length of six bytes */
        {{24, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 1, 0, 0}, 13}, /* offset of six bytes */
        {{24, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1, 0}, 13}, /* -2^31 is null; then */
    };

    (void)state;
    assert_int_equal(wrapped_read(1, least, sizeof least), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(wrapped_read(1, bad[i].bytes, bad[i].size), RC_CORRUPT);
}

static void
any_negative_length_is_null(void **state)
{
    static const uint8_t record[] = {20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 3, 0};
    struct buf text, batch;

    (void)state;
    buf_init(&text, 1000);
    buf_init(&batch, 1000);
    wrap(&batch, COMPRESS_NONE, 1, record, sizeof record);
    assert_int_equal(records_read(batch.data, batch.size, &text), RC_OK);
    assert_string_equal(buf_text(&text), "0 0 null null\n");
    buf_fini(&text);
    buf_fini(&batch);
}

static void
the_count_must_fit_the_records(void **state)
{
    uint8_t two[2 * sizeof least];

    (void)state;
    memcpy(two, least, sizeof least);
    memcpy(two + sizeof least, least, sizeof least);
    assert_int_equal(wrapped_read(2, two, sizeof two), RC_OK);
    assert_int_equal(wrapped_read(1, two, sizeof two), RC_CORRUPT);
    assert_int_equal(wrapped_read(3, two, sizeof two), RC_CORRUPT);
    assert_int_equal(wrapped_read(1, two, 0), RC_CORRUPT);
    assert_int_equal(wrapped_read(INT32_MAX, two, sizeof two), RC_CORRUPT);
    assert_int_equal(wrapped_read(-1, two, sizeof two), RC_CORRUPT);
    assert_int_equal(wrapped_read(INT32_MIN, two, sizeof two), RC_CORRUPT);
    /* As Kafka, which does not look at the records of a batch that has none. */
    assert_int_equal(wrapped_read(0, two, sizeof two), RC_OK);
}

static void
numbers_that_lie_do_not_overflow(void **state)
{
    static const uint8_t record[] = {38, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 1, 0};
    struct buf batch;

    (void)state;
    buf_init(&batch, 1000);
    wrap(&batch, COMPRESS_NONE, 1, record, sizeof record);
    codec_bytes_put_int64(batch.data, INT64_MAX);
    codec_bytes_put_int64(batch.data + BATCH_VIEW_BASE_TIMESTAMP_AT, INT64_MAX);
    assert_int_equal(records_read(batch.data, batch.size, NULL), RC_OK);
    buf_fini(&batch);
}

static void
a_bomb_is_cut_at_the_limit(void **state)
{
    static uint8_t zeroes[8 << 20];

    (void)state;
    for (int codec = 1; codec < COMPRESS_CODECS; codec++) {
        struct batch_records records;
        struct batch_view batch;
        struct buf data;

        buf_init(&data, 1 << 24);
        wrap(&data, (enum compress_codec)codec, 1, zeroes, sizeof zeroes);
        assert_int_equal(batch_view_parse(data.data, data.size, &batch, NULL), RC_OK);
        assert_int_equal(batch_records_open(&records, &batch, &scratch, 1 << 16, NULL), RC_LIMIT);
        assert_true(scratch.size <= 1 << 16);
        buf_fini(&data);
    }
}

static void
unknown_codecs_are_unsupported(void **state)
{
    struct buf batch;

    (void)state;
    buf_init(&batch, 1000);
    for (int codec = COMPRESS_CODECS; codec < 8; codec++) {
        wrap(&batch, COMPRESS_NONE, 1, least, sizeof least);
        batch.data[BATCH_VIEW_ATTRIBUTES_AT + 1] = (uint8_t)codec;
        assert_int_equal(records_read(batch.data, batch.size, NULL), RC_UNSUPPORTED);
    }
    buf_fini(&batch);
}

/* A message of v0 or v1 with null key. */
static void
message_put(
    struct buf *out, int magic, int64_t offset, int attributes, const void *value, int32_t size)
{
    size_t start = out->size, head = magic == 0 ? 26 : 34;
    uint8_t *p = buf_reserve(out, head);

    memset(p, 0, head);
    codec_bytes_put_int64(p, offset);
    codec_bytes_put_int32(p + 8, (int32_t)head - 12 + (size > 0 ? size : 0));
    p[16] = (uint8_t)magic;
    p[17] = (uint8_t)attributes;
    codec_bytes_put_int32(p + head - 8, -1);
    codec_bytes_put_int32(p + head - 4, size);
    buf_commit(out, head);
    if (size > 0)
        buf_append(out, value, (size_t)size);
    p = out->data + start;
    codec_bytes_put_int32(p + 12, (int32_t)crc32c_old(p + 16, out->size - start - 16));
}

/* A wrapper at `offset` around `inner`. */
static enum rc
wrapper_read(int magic, int64_t offset, const struct buf *inner, struct buf *text)
{
    struct buf packed, outer;
    enum rc rc;

    buf_init(&packed, SCRATCH_MAX);
    buf_init(&outer, SCRATCH_MAX);
    assert_int_equal(
        compress_encode(COMPRESS_GZIP, inner->data, inner->size, &packed, NULL), RC_OK);
    message_put(&outer, magic, offset, COMPRESS_GZIP, packed.data, (int32_t)packed.size);
    rc = records_read(outer.data, outer.size, text);
    buf_fini(&packed);
    buf_fini(&outer);
    return rc;
}

static void
a_v1_wrapper_gives_absolute_offsets(void **state)
{
    struct buf inner, text;

    (void)state;
    buf_init(&inner, 1000);
    buf_init(&text, 1000);
    message_put(&inner, 1, 0, 0, "a", 1);
    message_put(&inner, 1, 3, 0, "b", 1);
    assert_int_equal(wrapper_read(1, 10, &inner, &text), RC_OK);
    assert_string_equal(buf_text(&text), "7 0 null 61\n10 0 null 62\n");
    buf_clear(&text);
    assert_int_equal(wrapper_read(1, 0, &inner, &text), RC_OK);
    assert_string_equal(buf_text(&text), "0 0 null 61\n3 0 null 62\n");
    assert_int_equal(wrapper_read(1, 2, &inner, &text), RC_CORRUPT);
    buf_fini(&inner);
    buf_fini(&text);
}

static void
a_cut_message_in_a_wrapper_is_left_out(void **state)
{
    struct buf inner, text;

    (void)state;
    buf_init(&inner, 1000);
    buf_init(&text, 1000);
    message_put(&inner, 0, 5, 0, "a", 1);
    message_put(&inner, 0, 6, 0, "b", 1);
    inner.size--;
    assert_int_equal(wrapper_read(0, 6, &inner, &text), RC_OK);
    assert_string_equal(buf_text(&text), "5 -1 null 61\n");
    inner.size = 26;
    assert_int_equal(wrapper_read(0, 6, &inner, &text), RC_CORRUPT);
    buf_fini(&inner);
    buf_fini(&text);
}

static void
wrong_wrappers_are_corrupt(void **state)
{
    struct buf inner, outer;

    (void)state;
    buf_init(&inner, 1000);
    buf_init(&outer, 1000);
    message_put(&inner, 1, 0, COMPRESS_GZIP, "a", 1);
    assert_int_equal(wrapper_read(1, 0, &inner, NULL), RC_CORRUPT);
    buf_clear(&inner);
    message_put(&inner, 1, 0, 0, "a", 1);
    inner.data[20] ^= 1; /* the CRC does not fit */
    assert_int_equal(wrapper_read(1, 0, &inner, NULL), RC_CORRUPT);
    inner.data[20] ^= 1;
    inner.data[16] = 2;
    assert_int_equal(wrapper_read(1, 0, &inner, NULL), RC_CORRUPT);
    message_put(&outer, 1, 0, COMPRESS_GZIP, NULL, -1);
    assert_int_equal(records_read(outer.data, outer.size, NULL), RC_CORRUPT);
    buf_clear(&outer);
    message_put(&outer, 1, 0, COMPRESS_ZSTD, "a", 1);
    assert_int_equal(records_read(outer.data, outer.size, NULL), RC_UNSUPPORTED);
    buf_clear(&outer);
    message_put(&outer, 1, 0, 0, "a", 1);
    codec_bytes_put_int32(outer.data + 26, 2); /* a key that is not there */
    assert_int_equal(records_read(outer.data, outer.size, NULL), RC_CORRUPT);
    codec_bytes_put_int32(outer.data + 26, 0);
    codec_bytes_put_int32(outer.data + 30, 2);
    assert_int_equal(records_read(outer.data, outer.size, NULL), RC_CORRUPT);
    buf_fini(&inner);
    buf_fini(&outer);
}

static void
mutated_batches_never_do_more_than_fail(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 11, 0);
    for (int round = 0; round < 30000; round++) {
        const struct batch_vector *vector =
            &batch_vectors[env_random_below(&env, ARRAY_LEN(batch_vectors))];
        size_t size;
        uint8_t *bytes = batch_vector_bytes(vector->hex, &size);

        for (int64_t n = 1 + (int64_t)env_random_below(&env, 3); n > 0; n--) {
            size_t at = 12 + (size_t)env_random_below(&env, size - 12);

            bytes[at] = (uint8_t)env_random(&env);
        }
        (void)!records_read(bytes, size, NULL);
        assert_true(scratch.capacity <= 1 << 18);
        free(bytes);
    }
}

static int
scratch_init(void **state)
{
    (void)state;
    buf_init(&scratch, SIZE_MAX / 4);
    return 0;
}

static int
scratch_fini(void **state)
{
    (void)state;
    buf_fini(&scratch);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_kafkas_batches_read_as_kafka_reads_them),
        cmocka_unit_test(a_plain_batch_is_read_in_place),
        cmocka_unit_test(malformed_records_are_corrupt_in_every_codec),
        cmocka_unit_test(any_negative_length_is_null),
        cmocka_unit_test(the_count_must_fit_the_records),
        cmocka_unit_test(numbers_that_lie_do_not_overflow),
        cmocka_unit_test(a_bomb_is_cut_at_the_limit),
        cmocka_unit_test(unknown_codecs_are_unsupported),
        cmocka_unit_test(a_v1_wrapper_gives_absolute_offsets),
        cmocka_unit_test(a_cut_message_in_a_wrapper_is_left_out),
        cmocka_unit_test(wrong_wrappers_are_corrupt),
        cmocka_unit_test(mutated_batches_never_do_more_than_fail),
    };

    return cmocka_run_group_tests(tests, scratch_init, scratch_fini);
}
