/* txns_rig: a whole broker whose lanes and clock the test moves, with __consumer_offsets in place.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_TXNS_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_TXNS_RIG_H

#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/groups.h"
#include "refbroker/coord/txns.h"
#include "tests/sim/disk_cut.h"
#include "tests/sim/txn_client.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 22)

static struct broker_world world;

static inline int
set_up(void **state)
{
    (void)state;
    broker_world_init(&world, 7);
    assert_null(broker_world_start(&world));
    (void)groups_ready(world.broker->groups);
    broker_world_rest(&world, 100);
    assert_true(groups_ready(world.broker->groups));
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

static inline struct txn_client
begun(const char *id, bool bumps)
{
    struct txn_client client;

    txn_client_init(&client, &world, id, "group", bumps);
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
    client.retry = false;
    return client;
}

static inline int64_t
log_end(int partition)
{
    return broker_world_partition(&world, partition)->log_end_offset;
}

static inline const struct txn *
txn_of(const char *id)
{
    return txns_find(world.broker->txns, request_text(id));
}

static inline void
time_passes(int64_t ms)
{
    env_advance(&world.time, ms * 1000);
    broker_world_rest(&world, 200);
}

#endif
