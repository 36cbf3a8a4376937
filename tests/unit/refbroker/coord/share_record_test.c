/* Records of __share_group_state, byte for byte as Kafka's serializers write them. */
#include "refbroker/coord/share_record.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "refbroker/limits.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)4 * 1024 * 1024)

static struct arena arena;
static struct buf key_bytes, value_bytes;

static const struct share_key key = {"grp",
    {{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,
        0x1f}},
    2};

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, BYTES_MAX);
    buf_init(&key_bytes, BYTES_MAX);
    buf_init(&value_bytes, BYTES_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_fini(&key_bytes);
    buf_fini(&value_bytes);
    arena_fini(&arena);
    return 0;
}

static void
encode(enum share_record_type type, const struct share_state *state)
{
    buf_clear(&key_bytes);
    buf_clear(&value_bytes);
    assert_int_equal(share_record_key(type, &key, &key_bytes, NULL), RC_OK);
    if (state != NULL)
        assert_int_equal(share_record_value(type, state, &arena, &value_bytes, NULL), RC_OK);
}

static enum rc
decode(bool is_gone, struct share_record *out)
{
    struct batch_records_record record = {.key = key_bytes.data,
        .key_size = (int32_t)key_bytes.size,
        .value = is_gone ? NULL : value_bytes.data,
        .value_size = is_gone ? -1 : (int32_t)value_bytes.size};

    return share_record_read(&record, &arena, out, NULL);
}

static void
assert_bytes(const struct buf *buf, const void *bytes, size_t size)
{
    assert_int_equal(buf->size, size);
    assert_memory_equal(buf->data, bytes, size);
}

static void
a_snapshot_is_what_kafka_writes(void **state)
{
    static const uint8_t key_wanted[] =
        "\0\0\0\3grp\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b"
        "\x1c\x1d\x1e\x1f\0\0\0\2";
    static const uint8_t wanted[] = "\0\0"
                                    "\0\0\0\5"
                                    "\0\0\0\7"
                                    "\0\0\0\3"
                                    "\0\0\0\0\0\0\0\x64"
                                    "\0\0\0\0\0\0\1\1"
                                    "\0\0\0\0\0\0\1\2"
                                    "\3"
                                    "\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0\x6d\2\0\1\0"
                                    "\0\0\0\0\0\0\0\x6e\0\0\0\0\0\0\0\x6e\4\0\5\0"
                                    "\1\0\4\0\0\0\x0a";
    struct share_batch batches[] = {{100, 109, 1, 2}, {110, 110, 5, 4}};
    struct share_state in = {5, 7, 3, 10, 100, 257, 258, batches, 2};

    (void)state;
    encode(SHARE_RECORD_SNAPSHOT, &in);
    assert_bytes(&key_bytes, key_wanted, sizeof key_wanted - 1);
    assert_bytes(&value_bytes, wanted, sizeof wanted - 1);
}

/* An unknown count is left out. */
static void
an_update_is_what_kafka_writes(void **state)
{
    static const uint8_t key_wanted[] =
        "\0\1\0\3grp\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b"
        "\x1c\x1d\x1e\x1f\0\0\0\2";
    static const uint8_t wanted[] = "\0\0"
                                    "\0\0\0\5"
                                    "\0\0\0\3"
                                    "\xff\xff\xff\xff\xff\xff\xff\xff"
                                    "\2"
                                    "\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0\x6d\2\0\1\0"
                                    "\0";
    struct share_batch batches[] = {{100, 109, 1, 2}};
    struct share_state in = {5, 7, 3, -1, -1, 257, 258, batches, 1};

    (void)state;
    encode(SHARE_RECORD_UPDATE, &in);
    assert_bytes(&key_bytes, key_wanted, sizeof key_wanted - 1);
    assert_bytes(&value_bytes, wanted, sizeof wanted - 1);
}

static void
what_was_written_is_read(void **state)
{
    struct share_batch batches[] = {{100, 109, 1, 2}, {110, 110, 5, 4}};
    struct share_state in = {5, 7, 3, 10, 100, 257, 258, batches, 2};
    struct share_record out;

    (void)state;
    encode(SHARE_RECORD_SNAPSHOT, &in);
    assert_int_equal(decode(false, &out), RC_OK);
    assert_int_equal(out.type, SHARE_RECORD_SNAPSHOT);
    assert_string_equal(out.key.group_id, "grp");
    assert_memory_equal(&out.key.topic_id, &key.topic_id, sizeof key.topic_id);
    assert_int_equal(out.key.partition, 2);
    assert_int_equal(out.state.state_epoch, 7);
    assert_int_equal(out.state.created_ms, 257);
    assert_int_equal(out.state.written_ms, 258);
    assert_int_equal(out.state.batch_count, 2);
    assert_int_equal(out.state.batches[1].delivery_count, 5);
    assert_int_equal(decode(true, &out), RC_OK);
    assert_true(out.is_gone);
    encode(SHARE_RECORD_UPDATE, &in);
    assert_int_equal(decode(false, &out), RC_OK);
    assert_int_equal(out.type, SHARE_RECORD_UPDATE);
    assert_int_equal(out.state.snapshot_epoch, 5);
    assert_int_equal(out.state.leader_epoch, 3);
    assert_int_equal(out.state.delivery_complete_count, 10);
    assert_int_equal(out.state.batches[0].last_offset, 109);
}

static void
what_is_no_such_record_is_refused(void **state)
{
    struct share_batch batch = {0, 9, 1, 2};
    struct share_state in = {5, 7, 3, 10, 0, 257, 258, &batch, 1};
    struct share_record out;

    (void)state;
    encode(SHARE_RECORD_UPDATE, &in);
    assert_int_equal(decode(true, &out), RC_CORRUPT);
    key_bytes.data[1] = 2;
    assert_int_equal(decode(false, &out), RC_UNSUPPORTED);
    key_bytes.data[1] = 1;
    value_bytes.data[1] = 1;
    assert_int_equal(decode(false, &out), RC_UNSUPPORTED);
    value_bytes.data[1] = 0;
    for (size_t size = key_bytes.size; key_bytes.size-- > 0;) {
        assert_int_not_equal(decode(false, &out), RC_OK);
        if (key_bytes.size == 0) {
            key_bytes.size = size;
            break;
        }
    }
    for (size_t size = value_bytes.size; value_bytes.size-- > 0;) {
        assert_int_not_equal(decode(false, &out), RC_OK);
        if (value_bytes.size == 0) {
            value_bytes.size = size;
            break;
        }
    }
    assert_int_equal(decode(false, &out), RC_OK);
    memcpy(key_bytes.data + 4, "g\0p", 3);
    assert_int_equal(decode(false, &out), RC_CORRUPT);
}

static void
states_that_cannot_be_are_refused(void **state)
{
    static const struct share_batch bad[] = {{-1, 9, 1, 2}, {9, 8, 1, 2}, {0, 9, 1, 5}};
    struct share_batch batch;
    struct share_state in = {5, 7, 3, 10, 0, 257, 258, &batch, 1};
    struct share_record out;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        batch = bad[i];
        encode(SHARE_RECORD_SNAPSHOT, &in);
        assert_int_equal(decode(false, &out), RC_CORRUPT);
    }
    in.batch_count = 0;
    in.start_offset = -2;
    encode(SHARE_RECORD_SNAPSHOT, &in);
    assert_int_equal(decode(false, &out), RC_CORRUPT);
}

static void
more_batches_than_one_may_have_are_refused(void **state)
{
    size_t count = LIMIT_SHARE_STATE_BATCHES_MAX + 1;
    struct share_batch *batches = calloc(count, sizeof *batches);
    struct share_state in = {.batches = batches, .batch_count = count};
    struct share_record out;

    (void)state;
    for (size_t i = 0; i < count; i++)
        batches[i] = (struct share_batch){(int64_t)i * 2, (int64_t)i * 2, 1, 0};
    encode(SHARE_RECORD_UPDATE, &in);
    assert_int_equal(decode(false, &out), RC_CORRUPT);
    arena_reset(&arena);
    in.batch_count--;
    encode(SHARE_RECORD_UPDATE, &in);
    assert_int_equal(decode(false, &out), RC_OK);
    assert_true(value_bytes.size < 1024 * 1024);
    free(batches);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_is_what_kafka_writes),
        TEST(an_update_is_what_kafka_writes),
        TEST(what_was_written_is_read),
        TEST(what_is_no_such_record_is_refused),
        TEST(states_that_cannot_be_are_refused),
        TEST(more_batches_than_one_may_have_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
