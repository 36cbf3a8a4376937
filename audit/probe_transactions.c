/* ListTransactions and DescribeTransactions: who writes transactions, and where to. */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define IDS_PER_REQUEST 100

/* --- ListTransactions, of every broker ------------------------------------------------------- */

static int16_t
list_take(struct audit_inventory *inventory, const void *answer)
{
    const struct km_list_transactions_response *response = answer;

    for (int32_t i = 0; i < response->transaction_states.count; i++) {
        const struct km_list_transactions_response_transaction_state *state =
            &response->transaction_states.items[i];

        inventory_add_transactional_id(inventory, state->transactional_id);
        inventory_note_producer(inventory, state->transactional_id, state->producer_id);
    }
    return response->error_code;
}

/* --- DescribeTransactions, of those that were listed ----------------------------------------- */

static void
describe_target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct audit_inventory *inventory = arg;

    *out = (struct cluster_target){CLUSTER_TRANSACTION, inventory->transactional_ids[item], 0};
}

static size_t
describe_build(void *arg, struct cluster_fan_batch *batch)
{
    const struct audit_inventory *inventory = arg;
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
    struct audit_inventory *inventory = arg;
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
                inventory_add_footprint(inventory, number, place, AUDIT_TRACE_OPEN);
        }
        /* An id may expire between the two questions. */
        cluster_fan_settle(batch->fan, number,
            state->error_code == KE_TRANSACTIONAL_ID_NOT_FOUND ? KE_NONE : state->error_code);
    }
}

static void
describe_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct audit_inventory *inventory = arg;

    if (rc != RC_OK)
        inventory_gap(inventory, INVENTORY_NO_NUMBER, AUDIT_FOOTPRINTS,
            inventory->transactional_ids[item], rc, code, e);
}

void
probe_transactions(const struct probe *probe)
{
    struct cluster_fan_spec describe = {.api = frame_api(KM_DESCRIBE_TRANSACTIONS),
        .target = describe_target,
        .build = describe_build,
        .parse = describe_parse,
        .done = describe_done,
        .arg = probe->inventory,
        .batch_items_max = IDS_PER_REQUEST};

    probe_list(probe, AUDIT_TRANSACTIONS, KM_LIST_TRANSACTIONS, false, list_take);
    describe.item_count = probe->inventory->transactional_id_count;
    probe_fan(probe, AUDIT_FOOTPRINTS, &describe);
}
