/* Fetch of __consumer_offsets: which topics transactions read, by the offsets that were committed
 * in them (KIP-98: the batches of TxnOffsetCommit bear the producer's id). Where no id has ever
 * been seen, and all could be, there is nothing to look for. Transactions that were aborted count:
 * the program reads there all the same. Without the right to read it nothing is lost but this. */
#include "audit/probe.h"
#include "audit/probe_tail.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define TOPIC "__consumer_offsets"
#define KEY_TYPE 1
#define OFFSETS_BACK 20000
#define PARTITION_BYTES_MAX (1U << 20)
#define RECORD_BYTES_MAX ((size_t)1 << 20) /* of one record, decoded */

struct reading {
    struct audit_inventory *inventory;
    struct map known;     /* "NUMBER TOPIC" of what was noted, */
    struct map strangers; /* and "PRODUCER GROUP" of those whose transactional id is not known */
    struct buf scratch;
    struct arena arena; /* of one record */
    int64_t producer_id;
};

static bool
is_new(struct reading *own, struct map *map, int64_t number, struct wire_string name)
{
    char *pair = arena_printf(
        &own->arena, "%lld %.*s", (long long)number, name.size < 0 ? 0 : (int)name.size, name.data);

    return pair != NULL && map_put_text(map, pair, own) == NULL;
}

static void
commit_note(struct reading *own, const struct km_offset_commit_key *key)
{
    struct audit_inventory *inventory = own->inventory;
    uint32_t id = inventory_producer(inventory, own->producer_id);
    uint32_t topic = inventory_topic(inventory, key->topic);
    struct err e;

    if (id != INVENTORY_NO_NUMBER && topic != INVENTORY_NO_NUMBER) {
        if (is_new(own, &own->known, id, key->topic))
            inventory_add_footprint(inventory, id, topic, AUDIT_TRACE_READ);
    } else if (topic != INVENTORY_NO_NUMBER &&
               is_new(own, &own->strangers, own->producer_id, key->group)) {
        inventory_gap(inventory, INVENTORY_NO_NUMBER, AUDIT_COMMIT_LOG, NULL,
            err_set(&e, RC_NOTFOUND,
                "group %.*s has committed offsets in transactions of producer %lld, whose "
                "transactional id is not known",
                (int)key->group.size, key->group.data, (long long)own->producer_id),
            0, &e);
    }
}

static enum rc
record_take(void *arg, const struct batch_records_record *record, struct err *e)
{
    struct reading *own = arg;
    struct km_offset_commit_key key;
    enum rc rc;

    if (record->key_size < 2 || codec_bytes_int16(record->key) != KEY_TYPE)
        return RC_OK;
    arena_reset(&own->arena);
    rc = codec_decode(&km_offset_commit_key_message, 0, record->key + 2,
        (size_t)record->key_size - 2, &own->arena, &key, NULL, e);
    if (rc == RC_OK)
        commit_note(own, &key);
    return rc;
}

/* Most batches are none of a transaction: their headers tell. */
static enum rc
batch_take(void *arg, const struct batch_view *batch, struct err *e)
{
    struct reading *own = arg;

    if (!batch_view_is_transactional(batch) || batch_view_is_control(batch))
        return RC_OK;
    own->producer_id = batch->producer_id;
    return probe_tail_records(batch, &own->scratch, record_take, own, e);
}

uint64_t
probe_commit_log(const struct probe *probe, uint64_t bytes_max)
{
    struct audit_inventory *inventory = probe->inventory;
    struct reading own = {.inventory = inventory};
    struct probe_tail tail = {
        TOPIC, AUDIT_COMMIT_LOG, OFFSETS_BACK, PARTITION_BYTES_MAX, bytes_max, batch_take, &own};
    uint64_t bytes;

    if (inventory->transactional_id_count == 0 && inventory->gaps[AUDIT_TRANSACTIONS].why == NULL &&
        !inventory->is_restricted)
        return 0;
    map_init(&own.known);
    map_init(&own.strangers);
    buf_init(&own.scratch, PROBE_TAIL_UNCOMPRESSED_MAX);
    arena_init(&own.arena, RECORD_BYTES_MAX);
    bytes = probe_tail(probe, &tail);
    arena_fini(&own.arena);
    buf_fini(&own.scratch);
    map_fini(&own.known, NULL);
    map_fini(&own.strangers, NULL);
    return bytes;
}
