/* Reading __transaction_state back at a start: the records in order, the last one of an id wins. */
#include "lib/wire/batch_view.h"
#include "refbroker/coord/txn_record.h"
#include "refbroker/coord/txns_entry.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct loader {
    struct txns *txns;
    struct arena arena;
};

static bool
record_load(void *arg, const struct state_log_entry *from)
{
    struct loader *l = arg;
    struct txns_entry *entry;
    const char *id;
    size_t id_size;
    struct txn *txn;
    struct err e;

    if (batch_view_is_control(from->batch))
        return true;
    arena_reset(&l->arena);
    if (txn_record_read(from->record, &l->arena, &id, &id_size, &txn, &e) != RC_OK)
        return false;
    entry = map_get(&l->txns->by_id, id, id_size);
    if (entry != NULL)
        txns_entry_remove(entry);
    if (txn == NULL)
        return true;
    entry = txns_entry_add(l->txns, txn);
    txns_timer_set(entry);
    return true;
}

enum rc
txns_load(struct txns *txns, struct err *e)
{
    struct loader l = {.txns = txns};
    enum rc rc;

    arena_init(&l.arena, ARENA_BYTES_MAX);
    rc = state_log_read(txns->broker, TXNS_TOPIC, record_load, &l, e);
    arena_fini(&l.arena);
    return rc;
}
