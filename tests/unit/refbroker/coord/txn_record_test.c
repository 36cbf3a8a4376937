/* Records of __transaction_state; tests/kafka/transactions.t has Kafka's own reader judge them. */
#include "refbroker/coord/txn_record.h"

#include <string.h>

#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)

static struct batch_records_record
record_of(const struct buf *key, const struct buf *value)
{
    return (struct batch_records_record){.key = key->data,
        .value = value->data,
        .key_size = (int32_t)key->size,
        .value_size = value->size == 0 ? -1 : (int32_t)value->size};
}

/* Writes the next step of a txn and reads it back. */
static struct txn *
there_and_back(const struct txn *txn)
{
    struct batch_records_record record;
    struct buf key, value;
    struct arena arena;
    struct txn *out;
    size_t id_size;
    const char *id;
    struct err e;

    buf_init(&key, BYTES_MAX);
    buf_init(&value, BYTES_MAX);
    arena_init(&arena, BYTES_MAX);
    assert_int_equal(txn_record_key(txn->id, &key, &e), RC_OK);
    assert_int_equal(txn_record_value(txn, &arena, &value, &e), RC_OK);
    record = record_of(&key, &value);
    assert_int_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_OK);
    assert_int_equal(id_size, strlen(txn->id));
    assert_memory_equal(id, txn->id, id_size);
    buf_fini(&key);
    buf_fini(&value);
    arena_fini(&arena);
    return out;
}

static void
what_is_written_of_a_step_is_read_back(void **state)
{
    struct txn *txn = txn_new("my-id", 5, 77, 1000), *out;
    struct txn_init_ask init = {60000, -1, -1, -1, 2000};
    struct txn_end_ask end = {77, INT16_MAX - 1, TXN_VERSION_BUMPS, true, 99, 4000};
    struct txn_partitions set;

    (void)state;
    (void)txn_init(txn, &init);
    out = there_and_back(txn);
    assert_int_equal(out->now.producer_epoch, 0);
    assert_int_equal(out->now.state, TXN_EMPTY);
    assert_int_equal(out->now.timeout_ms, 60000);
    assert_int_equal(out->partitions.count, 0);
    txn_free(out);
    txn_step_end(txn, true);
    txn->now.producer_epoch = INT16_MAX - 1;

    txn_partitions_init(&set);
    txn_partitions_add(&set, "b", 1, 7);
    txn_partitions_add(&set, "a", 1, 3);
    txn_partitions_add(&set, "b", 1, 2);
    (void)txn_add(txn, 77, INT16_MAX - 1, TXN_VERSION_BUMPS, &set, 3000);
    out = there_and_back(txn);
    assert_int_equal(out->now.state, TXN_ONGOING);
    assert_int_equal(out->now.start_ms, 3000);
    assert_int_equal(out->now.update_ms, 3000);
    assert_int_equal(out->now.version, TXN_VERSION_BUMPS);
    assert_int_equal(out->partitions.count, 3);
    assert_true(txn_partitions_has_all(&out->partitions, &set));
    txn_free(out);
    txn_partitions_clear(&set);
    txn_step_end(txn, true);

    (void)txn_end(txn, &end);
    out = there_and_back(txn);
    assert_int_equal(out->now.state, TXN_PREPARE_COMMIT);
    assert_int_equal(out->now.next_producer_id, 99);
    assert_int_equal(out->now.previous_producer_id, 77);
    assert_int_equal(out->now.producer_epoch, INT16_MAX);
    assert_int_equal(out->partitions.count, 3);
    assert_false(out->pending);
    txn_free(out);
    txn_free(txn);
}

static void
a_tombstone_names_the_id_only(void **state)
{
    struct batch_records_record record;
    struct buf key, value;
    struct txn *out = (struct txn *)&key;
    struct arena arena;
    size_t id_size;
    const char *id;
    struct err e;

    (void)state;
    buf_init(&key, BYTES_MAX);
    buf_init(&value, BYTES_MAX);
    arena_init(&arena, BYTES_MAX);
    assert_int_equal(txn_record_key("gone", &key, &e), RC_OK);
    record = record_of(&key, &value);
    assert_int_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_OK);
    assert_null(out);
    assert_memory_equal(id, "gone", 4);
    buf_fini(&key);
    arena_fini(&arena);
}

static void
what_is_no_record_of_a_transaction_is_refused(void **state)
{
    static const uint8_t key[] = {0, 0, 0, 2, 'i', 'd'};
    static const uint8_t other_key[] = {0, 1, 0, 2, 'i', 'd'};
    struct buf value;
    struct arena arena;
    struct txn *txn = txn_new("id", 2, 1, 1), *out;
    struct txn_init_ask init = {60000, -1, -1, -1, 2000};
    struct batch_records_record record;
    size_t id_size;
    const char *id;
    struct err e;

    (void)state;
    buf_init(&value, BYTES_MAX);
    arena_init(&arena, BYTES_MAX);
    (void)txn_init(txn, &init);
    assert_int_equal(txn_record_value(txn, &arena, &value, &e), RC_OK);
    record = (struct batch_records_record){
        .key = other_key, .key_size = 6, .value = value.data, .value_size = (int32_t)value.size};
    assert_int_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_UNSUPPORTED);
    record.key_size = -1;
    assert_int_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_UNSUPPORTED);
    record.key = key;
    record.key_size = 6;
    for (int32_t size = 0; size < (int32_t)value.size; size++) {
        record.value_size = size;
        assert_int_not_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_OK);
    }
    /* Version, producer id, epoch, timeout, then the state. */
    record.value_size = (int32_t)value.size;
    value.data[16] = 9;
    assert_int_equal(txn_record_read(&record, &arena, &id, &id_size, &out, &e), RC_CORRUPT);
    txn_free(txn);
    buf_fini(&value);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_of_a_step_is_read_back),
        cmocka_unit_test(a_tombstone_names_the_id_only),
        cmocka_unit_test(what_is_no_record_of_a_transaction_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
