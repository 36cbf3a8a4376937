/* Fetch of __transaction_state: which topics the transactions of before have written, as far back
 * as that log goes. Without the right to read it nothing is lost but this. */
#include "audit/probe.h"
#include "audit/probe_tail.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define TOPIC "__transaction_state"
#define KEY_TYPE 0
#define OFFSETS_BACK 20000
#define PARTITION_BYTES_MAX (4U << 20)
#define RECORD_BYTES_MAX ((size_t)4 << 20) /* of one record, decoded */

struct reading {
    struct audit_inventory *inventory;
    struct map known; /* "ID TOPIC" of what was noted */
    struct buf scratch;
    struct arena arena; /* of one record */
};

static void
topic_note(struct reading *own, struct wire_string id, struct wire_string name)
{
    struct audit_inventory *inventory = own->inventory;
    uint32_t topic = inventory_topic(inventory, name);
    char *pair;

    if (topic == INVENTORY_NO_NUMBER)
        return;
    pair = arena_printf(&own->arena, "%.*s %.*s", (int)id.size, id.data, (int)name.size, name.data);
    if (pair == NULL || map_get_text(&own->known, pair) != NULL)
        return;
    map_put_text(&own->known, pair, own);
    if (inventory_transactional_id(inventory, id) != INVENTORY_NO_NUMBER)
        inventory_add_footprint(
            inventory, inventory_transactional_id(inventory, id), topic, AUDIT_TRACE_PAST);
}

/* Keys of types that are not known here are passed over, as Kafka's reader does. */
static enum rc
record_take(void *arg, const struct batch_records_record *record, struct err *e)
{
    struct reading *own = arg;
    struct km_transaction_log_value value;
    struct km_transaction_log_key key;
    enum rc rc;

    if (record->key_size < 2 || codec_bytes_int16(record->key) != KEY_TYPE ||
        record->value_size < 2)
        return RC_OK;
    arena_reset(&own->arena);
    rc = codec_decode(&km_transaction_log_key_message, 0, record->key + 2,
        (size_t)record->key_size - 2, &own->arena, &key, NULL, e);
    if (rc == RC_OK)
        rc = codec_decode(&km_transaction_log_value_message, codec_bytes_int16(record->value),
            record->value + 2, (size_t)record->value_size - 2, &own->arena, &value, NULL, e);
    if (rc != RC_OK)
        return rc;
    inventory_add_transactional_id(own->inventory, key.transactional_id);
    inventory_note_producer(own->inventory, key.transactional_id, value.producer_id);
    for (int32_t i = 0; i < value.transaction_partitions.count; i++)
        topic_note(own, key.transactional_id, value.transaction_partitions.items[i].topic);
    return RC_OK;
}

static enum rc
batch_take(void *arg, const struct batch_view *batch, struct err *e)
{
    struct reading *own = arg;

    return probe_tail_records(batch, &own->scratch, record_take, own, e);
}

uint64_t
probe_transaction_log(const struct probe *probe, uint64_t bytes_max)
{
    struct reading own = {.inventory = probe->inventory};
    struct probe_tail tail = {TOPIC, AUDIT_TRANSACTION_LOG, OFFSETS_BACK, PARTITION_BYTES_MAX,
        bytes_max, batch_take, &own};
    uint64_t bytes;

    map_init(&own.known);
    buf_init(&own.scratch, PROBE_TAIL_UNCOMPRESSED_MAX);
    arena_init(&own.arena, RECORD_BYTES_MAX);
    bytes = probe_tail(probe, &tail);
    arena_fini(&own.arena);
    buf_fini(&own.scratch);
    map_fini(&own.known, NULL);
    return bytes;
}
