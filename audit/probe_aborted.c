/* Fetch, committed records only: whether aborted transactions span offsets, told without records.
 *
 * Beside the records of a partition an answer lists the aborted transactions that reach into what
 * it holds, and at least those that span the offset that was asked for. It does so where the
 * records are cut to nothing, too: a broker returns whole only the first batch of the first
 * partition of a request (KIP-74).
 */
#include <stdlib.h>

#include "audit/probe.h"
#include "audit/probe_choice.h"
#include "audit/probe_read.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 500
#define READ_COMMITTED 1
#define OFFSETS_MAX 8      /* to ask about in a partition, */
#define OFFSETS_ALL 40000U /* and in all, unless there are more partitions */

struct asking {
    struct audit_inventory *inventory;
    struct probe_choice open;
    uint8_t *offsets_done; /* by item */
    uint32_t offsets;      /* of each partition */
    struct map tied;       /* topics and transactional ids, by their numbers, that were noted */
    uint64_t bytes;        /* of answers */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    probe_choice_target(&((const struct asking *)arg)->open, item, out);
}

/* In the middles of as many parts of the log: slices of samples begin where such parts do. */
static int64_t
offset_of(const struct asking *own, uint32_t number)
{
    const struct audit_partition *p = &own->inventory->partitions[number];
    int64_t span = saturate_subtract(p->end_offset, p->log_start_offset);
    int64_t part = span / own->offsets;

    return p->log_start_offset + part * own->offsets_done[own->open.places[number]] + part / 2;
}

static void
partition_ask(void *arg, uint32_t number, struct km_fetch_request_partition *out)
{
    out->fetch_offset = offset_of(arg, number);
    out->partition_max_bytes = 0;
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct asking *own = arg;
    struct km_fetch_request *request = batch->request;
    size_t count;
    struct inventory_run *runs = probe_choice_runs(&own->open, batch, batch->count, &count);

    if (runs == NULL ||
        !probe_read_ask(own->inventory, runs, count, batch->arena, partition_ask, arg, request))
        return 0;
    request->max_wait_ms = 0;
    request->isolation_level = READ_COMMITTED;
    return batch->count;
}

/* Transactions whose id is known tie the topic to the others of that id. */
static void
transactions_take(
    struct asking *own, uint32_t topic, const struct km_fetch_response_partition_data *data)
{
    own->inventory->topics[topic].aborted.asked++;
    own->inventory->topics[topic].aborted.found += data->aborted_transactions.count > 0;
    for (int32_t i = 0; i < data->aborted_transactions.count; i++) {
        uint32_t id =
            inventory_producer(own->inventory, data->aborted_transactions.items[i].producer_id);
        int64_t tie = (int64_t)((uint64_t)topic << 32 | id);

        if (id == INVENTORY_NO_NUMBER || map_get_int(&own->tied, tie) != NULL)
            continue;
        (void)map_put_int(&own->tied, tie, own);
        inventory_add_footprint(own->inventory, id, topic, AUDIT_TRACE_ABORTED);
    }
}

static void
partition_parse(void *arg, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct asking *own = arg;
    uint32_t item = own->open.places[number];

    if (!cluster_fan_is_asked(batch->fan, item))
        return;
    /* What was deleted meanwhile is gone with its transactions. */
    if (data->error_code == KE_NONE)
        transactions_take(own, own->inventory->partitions[number].topic, data);
    else if (data->error_code != KE_OFFSET_OUT_OF_RANGE) {
        cluster_fan_settle(batch->fan, item, data->error_code);
        return;
    }
    if (++own->offsets_done[item] < own->offsets)
        cluster_fan_again(batch->fan, item);
    else
        cluster_fan_settle(batch->fan, item, KE_NONE);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *own = arg;

    own->bytes += batch->reply->frame->size;
    probe_read_answers(own->inventory, batch, partition_parse, own);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct asking *own = arg;

    /* What the budget left out is no failure: how much was asked is told. */
    if (rc != RC_OK && rc != RC_LIMIT)
        inventory_gap(own->inventory, own->inventory->partitions[own->open.partitions[item]].topic,
            AUDIT_ABORTED, NULL, rc, code, e);
}

/* Partitions of topics that show no transaction so far, and of which there is something that was
 * not read. */
static bool
is_open(const struct audit_inventory *inventory, uint32_t number)
{
    const struct audit_partition *partition = &inventory->partitions[number];
    const struct audit_topic *topic = &inventory->topics[partition->topic];

    return !topic->is_internal && topic->sample.cut > 0 && topic->sample.transactional == 0 &&
           !inventory_shows_transactions(topic) && partition->log_start_offset >= 0 &&
           partition->end_offset > partition->log_start_offset;
}

static uint32_t
offsets_of_each(uint32_t partitions)
{
    uint32_t offsets = partitions == 0 ? 0 : OFFSETS_ALL / partitions;

    return offsets < 1 ? 1 : offsets > OFFSETS_MAX ? OFFSETS_MAX : offsets;
}

void
probe_aborted(const struct probe *probe, uint64_t bytes_max)
{
    struct asking own = {.inventory = probe->inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &probe_read_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST,
        .bytes_max = bytes_max};

    map_init(&own.tied);
    if (bytes_max > 0)
        probe_choice_make(&own.open, probe->inventory, is_open);
    own.offsets = offsets_of_each(own.open.count);
    own.offsets_done = xcalloc((size_t)own.open.count + 1, sizeof *own.offsets_done);
    spec.item_count = own.open.count;
    probe_fan(probe, AUDIT_ABORTED, &spec);
    probe->inventory->sampled_bytes += own.bytes;
    map_fini(&own.tied, NULL);
    probe_choice_fini(&own.open);
    free(own.offsets_done);
}
