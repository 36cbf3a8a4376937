/* Fetch of __transaction_state: which topics the transactions of before have written, as far back
 * as that log goes. Without the right to read it nothing is lost but this. */
#include <stdlib.h>

#include "audit/probe.h"
#include "audit/probe_read.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define TOPIC "__transaction_state"
#define KEY_TYPE 0
#define RECORDS_BACK 20000 /* of each partition, from its end */
#define PARTITION_BYTES_MAX (4U << 20)
#define PARTITIONS_PER_REQUEST 16
#define UNCOMPRESSED_BYTES_MAX ((size_t)16 << 20)
#define RECORD_BYTES_MAX ((size_t)4 << 20) /* of one record, decoded */

struct part {
    int64_t from; /* the limits left out what lies before, if is_cut */
    int64_t to;
    struct probe_read read;
    uint32_t bytes; /* read */
    bool is_cut;
};

struct reading {
    struct audit_inventory *inventory;
    const struct audit_topic *topic;
    struct part *parts;
    struct part *part; /* the one whose batches are being taken */
    struct map known;  /* "ID TOPIC" of what was noted */
    struct buf scratch;
    struct arena arena; /* of one record */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    *out = (struct cluster_target){CLUSTER_LEADER, TOPIC, (int32_t)item};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct reading *own = arg;
    struct km_fetch_request *request = batch->request;
    struct km_fetch_request_topic *topic =
        codec_array(batch->arena, &km_fetch_request_topic_desc, 1);

    if (topic == NULL)
        return 0;
    probe_read_request(request);
    request->topics.items = topic;
    request->topics.count = 1;
    topic->topic = codec_string(TOPIC);
    topic->partitions.items =
        codec_array(batch->arena, &km_fetch_request_partition_desc, (int32_t)batch->count);
    if (topic->partitions.items == NULL)
        return 0;
    topic->partitions.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        topic->partitions.items[i].partition = (int32_t)batch->items[i];
        topic->partitions.items[i].fetch_offset = own->parts[batch->items[i]].read.next_offset;
        topic->partitions.items[i].partition_max_bytes = PROBE_READ_PARTITION_BYTES;
    }
    return batch->count;
}

/* --- records -----------------------------------------------------------------------------------
 */

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
    inventory_add_transactional_id(inventory, id);
    if (inventory_transactional_id(inventory, id) != INVENTORY_NO_NUMBER)
        inventory_add_footprint(
            inventory, inventory_transactional_id(inventory, id), topic, AUDIT_TRANSACTION_LOG);
}

/* Keys of types that are not known here are passed over, as Kafka's reader does. */
static enum rc
record_take(struct reading *own, const struct batch_records_record *record, struct err *e)
{
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
    for (int32_t i = 0; i < value.transaction_partitions.count; i++)
        topic_note(own, key.transactional_id, value.transaction_partitions.items[i].topic);
    return RC_OK;
}

static enum rc
batch_take(void *arg, const struct batch_view *batch, bool *enough, struct err *e)
{
    struct reading *own = arg;
    struct batch_records_record record;
    struct batch_records records;
    bool found = false;
    enum rc rc;

    (void)enough;
    own->part->bytes += (uint32_t)batch->size;
    if (!batch_view_is_intact(batch))
        return err_set(e, RC_CORRUPT, "a batch with a wrong CRC");
    rc = batch_records_open(&records, batch, &own->scratch, UNCOMPRESSED_BYTES_MAX, e);
    while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found)
        rc = record_take(own, &record, e);
    return rc;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void
partition_parse(struct reading *own, struct cluster_fan_batch *batch,
    const struct km_fetch_response_partition_data *data)
{
    uint32_t item = (uint32_t)data->partition_index;
    struct part *part = &own->parts[item];
    struct err e;
    enum rc rc;

    if (probe_read_has_moved(&part->read, data)) {
        part->from = part->read.next_offset;
        part->is_cut = false;
        cluster_fan_again(batch->fan, item);
        return;
    }
    if (data->error_code != KE_NONE) {
        cluster_fan_settle(batch->fan, item, data->error_code);
        return;
    }
    own->part = part;
    rc = probe_read_batches(&part->read, &data->records, batch_take, own, &e);
    if (rc != RC_OK)
        inventory_gap(own->inventory, INVENTORY_NO_NUMBER, AUDIT_TRANSACTION_LOG, NULL, rc, 0, &e);
    part->is_cut =
        rc == RC_OK &&
        (part->is_cut || (part->bytes >= PARTITION_BYTES_MAX && part->read.next_offset < part->to));
    /* Up to the end that it had: somebody writes it all the time. */
    if (rc != RC_OK || part->read.next_offset >= part->to || part->bytes >= PARTITION_BYTES_MAX ||
        probe_read_is_at_end(&part->read, data))
        cluster_fan_settle(batch->fan, item, KE_NONE);
    else
        cluster_fan_again(batch->fan, item);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct reading *own = arg;
    const struct km_fetch_response *response = batch->response;

    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *topic =
            &response->responses.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++)
            if (topic->partitions.items[k].partition_index >= 0 &&
                cluster_fan_is_asked(
                    batch->fan, (uint32_t)topic->partitions.items[k].partition_index))
                partition_parse(own, batch, &topic->partitions.items[k]);
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct reading *own = arg;
    const struct part *part = &own->parts[item];
    struct err limit;

    if (rc == RC_OK && part->is_cut) {
        rc = err_set(&limit, RC_LIMIT,
            "of partition %u of " TOPIC " only the offsets from %lld to %lld were read", item,
            (long long)part->from, (long long)part->read.next_offset - 1);
        e = &limit;
    }
    if (rc != RC_OK)
        inventory_gap(
            own->inventory, INVENTORY_NO_NUMBER, AUDIT_TRANSACTION_LOG, NULL, rc, code, e);
}

/* Where each partition is read from, and to. */
static void
parts_plan(struct reading *own)
{
    for (int32_t i = 0; i < own->topic->partition_count; i++) {
        const struct audit_partition *p =
            &own->inventory->partitions[own->topic->first + (uint32_t)i];
        int64_t begin = p->log_start_offset > 0 ? p->log_start_offset : 0;
        int64_t from = saturate_subtract(p->end_offset, RECORDS_BACK);

        own->parts[i].is_cut = from > begin;
        own->parts[i].from = from > begin ? from : begin;
        own->parts[i].read.next_offset = own->parts[i].from;
        own->parts[i].to = p->end_offset;
    }
}

void
probe_transaction_log(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    uint32_t place = inventory_topic(inventory, codec_string(TOPIC));
    struct reading own = {.inventory = inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &probe_read_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    if (place != INVENTORY_NO_NUMBER) {
        own.topic = &inventory->topics[place];
        spec.item_count = (uint32_t)own.topic->partition_count;
    }
    own.parts = xcalloc((size_t)spec.item_count + 1, sizeof *own.parts);
    map_init(&own.known);
    buf_init(&own.scratch, UNCOMPRESSED_BYTES_MAX);
    arena_init(&own.arena, RECORD_BYTES_MAX);
    if (place != INVENTORY_NO_NUMBER)
        parts_plan(&own);
    probe_fan(probe, AUDIT_TRANSACTION_LOG, &spec);
    arena_fini(&own.arena);
    buf_fini(&own.scratch);
    map_fini(&own.known, NULL);
    free(own.parts);
}
