#include "refbroker/coord/txn_record.h"

#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define KEY_TYPE 0
#define VALUE_VERSION 1

static void
number_append(struct buf *out, int16_t number)
{
    uint8_t bytes[2];

    codec_bytes_put_int16(bytes, number);
    buf_append(out, bytes, sizeof bytes);
}

static struct wire_string
text_of(const char *text)
{
    return (struct wire_string){text, (int32_t)strlen(text)};
}

enum rc
txn_record_key(const char *id, struct buf *out, struct err *e)
{
    struct km_transaction_log_key key = {.transactional_id = text_of(id)};

    number_append(out, KEY_TYPE);
    return codec_encode(&km_transaction_log_key_message, 0, &key, out, e);
}

/* Views of the partitions' topics. */
static enum rc
partitions_fill(struct km_transaction_log_value *value, const struct txn_partitions *partitions,
    struct arena *arena, struct err *e)
{
    const struct txn_topic *topic;
    size_t position = 0;

    value->transaction_partitions.items = codec_array(arena,
        &km_transaction_log_value_partitions_schema_desc, (int32_t)map_count(&partitions->topics));
    if (value->transaction_partitions.items == NULL)
        return err_set(e, RC_LIMIT, "no memory for the record of a transaction");
    value->transaction_partitions.count = 0;
    while ((topic = txn_partitions_next(partitions, &position)) != NULL) {
        struct km_transaction_log_value_partitions_schema *to =
            &value->transaction_partitions.items[value->transaction_partitions.count++];

        to->topic = text_of(topic->name);
        to->partition_ids.items = topic->indexes;
        to->partition_ids.count = topic->count;
    }
    return RC_OK;
}

enum rc
txn_record_value(const struct txn *txn, struct arena *arena, struct buf *out, struct err *e)
{
    bool has_partitions = txn->next.state == TXN_ONGOING || txn->next.state == TXN_PREPARE_COMMIT ||
                          txn->next.state == TXN_PREPARE_ABORT;
    struct km_transaction_log_value value;
    struct txn_partitions all;
    enum rc rc = RC_OK;

    codec_init(&km_transaction_log_value_desc, &value);
    value.producer_id = txn->next.producer_id;
    value.previous_producer_id = txn->next.previous_producer_id;
    value.next_producer_id = txn->next.next_producer_id;
    value.producer_epoch = txn->next.producer_epoch;
    value.transaction_timeout_ms = txn->next.timeout_ms;
    value.transaction_status = (int8_t)txn->next.state;
    value.transaction_last_update_timestamp_ms = txn->next.update_ms;
    value.transaction_start_timestamp_ms = txn->next.start_ms;
    value.client_transaction_version = txn->next.version;
    txn_partitions_init(&all);
    if (has_partitions) {
        txn_partitions_add_all(&all, &txn->partitions);
        txn_partitions_add_all(&all, &txn->added);
    }
    /* Kafka writes null for an id in state Empty, an empty list otherwise. */
    value.transaction_partitions.count = -1;
    if (txn->next.state != TXN_EMPTY)
        rc = partitions_fill(&value, &all, arena, e);
    number_append(out, VALUE_VERSION);
    if (rc == RC_OK)
        rc = codec_encode(&km_transaction_log_value_message, VALUE_VERSION, &value, out, e);
    txn_partitions_clear(&all);
    return rc;
}

static struct txn *
txn_make(const struct km_transaction_log_key *key, const struct km_transaction_log_value *value)
{
    struct txn *txn = txn_new(key->transactional_id.data, (size_t)key->transactional_id.size,
        value->producer_id, value->transaction_last_update_timestamp_ms);

    txn->now.previous_producer_id = value->previous_producer_id;
    txn->now.next_producer_id = value->next_producer_id;
    txn->now.start_ms = value->transaction_start_timestamp_ms;
    txn->now.timeout_ms = value->transaction_timeout_ms;
    txn->now.producer_epoch = value->producer_epoch;
    txn->now.version = value->client_transaction_version;
    txn->now.state = (enum txn_state)value->transaction_status;
    for (int32_t i = 0; i < value->transaction_partitions.count; i++) {
        const struct km_transaction_log_value_partitions_schema *from =
            &value->transaction_partitions.items[i];

        for (int32_t k = 0; k < from->partition_ids.count; k++)
            txn_partitions_add(&txn->partitions, from->topic.data, (size_t)from->topic.size,
                from->partition_ids.items[k]);
    }
    return txn;
}

enum rc
txn_record_read(const struct batch_records_record *record, struct arena *arena, const char **id,
    size_t *id_size, struct txn **out, struct err *e)
{
    struct km_transaction_log_value value;
    struct km_transaction_log_key key;
    enum rc rc;

    if (record->key_size < 2 || codec_bytes_int16(record->key) != KEY_TYPE)
        return err_set(e, RC_UNSUPPORTED, "no key of a transaction");
    rc = codec_decode(&km_transaction_log_key_message, 0, (const uint8_t *)record->key + 2,
        (size_t)record->key_size - 2, arena, &key, NULL, e);
    if (rc != RC_OK)
        return rc;
    *id = key.transactional_id.data;
    *id_size = (size_t)key.transactional_id.size;
    *out = NULL;
    if (record->value_size < 0)
        return RC_OK;
    if (record->value_size < 2)
        return err_set(e, RC_CORRUPT, "a transaction's record is too short");
    rc = codec_decode(&km_transaction_log_value_message, codec_bytes_int16(record->value),
        (const uint8_t *)record->value + 2, (size_t)record->value_size - 2, arena, &value, NULL, e);
    if (rc == RC_OK && !txn_state_is_valid(value.transaction_status))
        rc = err_set(e, RC_CORRUPT, "a transaction's state is %d", value.transaction_status);
    if (rc == RC_OK)
        *out = txn_make(&key, &value);
    return rc;
}
