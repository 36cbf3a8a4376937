/* ListTransactions and DescribeTransactions: who writes transactions, and where to. */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define IDS_PER_REQUEST 100

struct asking {
    const struct probe *probe;
    int32_t *brokers;
};

/* --- ListTransactions, of every broker ------------------------------------------------------- */

static void
list_target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_BROKER, NULL, ((struct asking *)arg)->brokers[item]};
}

static size_t
list_build(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    (void)batch;
    return 1;
}

static void
list_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    const struct km_list_transactions_response *response = batch->response;

    for (int32_t i = 0; i < response->transaction_states.count; i++)
        inventory_add_transactional_id(
            asking->probe->inventory, response->transaction_states.items[i].transactional_id);
    cluster_fan_settle(batch->fan, batch->items[0], response->error_code);
}

static void
list_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK)
        inventory_gap(((struct asking *)arg)->probe->inventory, INVENTORY_NO_NUMBER,
            AUDIT_TRANSACTIONS, NULL, rc, code, e);
}

/* --- DescribeTransactions, of those that were listed ----------------------------------------- */

static void
describe_target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct audit_inventory *inventory = ((struct asking *)arg)->probe->inventory;

    *out = (struct cluster_target){CLUSTER_TRANSACTION, inventory->transactional_ids[item], 0};
}

static size_t
describe_build(void *arg, struct cluster_fan_batch *batch)
{
    const struct audit_inventory *inventory = ((struct asking *)arg)->probe->inventory;
    struct km_describe_transactions_request *request = batch->request;
    struct wire_string *ids = arena_array(batch->arena, batch->count, sizeof *ids);

    if (ids == NULL)
        return 0;
    for (size_t i = 0; i < batch->count; i++)
        ids[i] = codec_string(inventory->transactional_ids[batch->items[i]]);
    request->transactional_ids.items = ids;
    request->transactional_ids.count = (int32_t)batch->count;
    return batch->count;
}

static void
describe_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct audit_inventory *inventory = ((struct asking *)arg)->probe->inventory;
    const struct km_describe_transactions_response *response = batch->response;

    for (int32_t i = 0; i < response->transaction_states.count; i++) {
        const struct km_describe_transactions_response_transaction_state *state =
            &response->transaction_states.items[i];
        uint32_t number = inventory_transactional_id(inventory, state->transactional_id);

        if (!cluster_fan_is_asked(batch->fan, number))
            continue;
        for (int32_t k = 0; state->error_code == KE_NONE && k < state->topics.count; k++) {
            uint32_t place = inventory_topic(inventory, state->topics.items[k].topic);

            if (place != INVENTORY_NO_NUMBER)
                inventory_add_footprint(inventory, number, place, AUDIT_FOOTPRINTS);
        }
        /* An id may expire between the two questions. */
        cluster_fan_settle(batch->fan, number,
            state->error_code == KE_TRANSACTIONAL_ID_NOT_FOUND ? KE_NONE : state->error_code);
    }
}

static void
describe_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct audit_inventory *inventory = ((struct asking *)arg)->probe->inventory;

    if (rc != RC_OK)
        inventory_gap(inventory, INVENTORY_NO_NUMBER, AUDIT_FOOTPRINTS,
            inventory->transactional_ids[item], rc, code, e);
}

void
probe_transactions(const struct probe *probe)
{
    struct asking asking = {.probe = probe};
    uint32_t count;
    struct cluster_fan_spec list = {.api = frame_api(KM_LIST_TRANSACTIONS),
        .target = list_target,
        .build = list_build,
        .parse = list_parse,
        .done = list_done,
        .arg = &asking,
        .batch_items_max = 1};
    struct cluster_fan_spec describe = {.api = frame_api(KM_DESCRIBE_TRANSACTIONS),
        .target = describe_target,
        .build = describe_build,
        .parse = describe_parse,
        .done = describe_done,
        .arg = &asking,
        .batch_items_max = IDS_PER_REQUEST};

    asking.brokers = probe_brokers(probe, &count);
    list.item_count = count;
    probe_fan(probe, AUDIT_TRANSACTIONS, &list);
    free(asking.brokers);
    describe.item_count = probe->inventory->transactional_id_count;
    probe_fan(probe, AUDIT_FOOTPRINTS, &describe);
}
