/*
 * txn_client: single requests of a transactional producer, in a broker_world.
 *
 * Each function sends one request, lets things happen until the answer is there, and returns its
 * code, or TXN_CLIENT_NONE where the disk stopped before. Codes that clients try again with (14,
 * 15, 51) are tried again where `retry` says so.
 */
#ifndef TESTS_SIM_TXN_CLIENT_H
#define TESTS_SIM_TXN_CLIENT_H

#include "tests/sim/broker_world.h"

#define TXN_CLIENT_NONE INT16_MIN

struct txn_client {
    struct broker_world *world;
    const char *id; /* transactional id */
    const char *group;
    int64_t producer_id;
    int16_t producer_epoch;
    bool bumps; /* follows KIP-890: no requests that add, a new epoch with each end */
    bool retry;
    int32_t timeout_ms;
    int32_t sequences[BROKER_WORLD_PARTITIONS]; /* of the wal topic */
};

void txn_client_init(struct txn_client *client, struct broker_world *world, const char *id,
    const char *group, bool bumps);

/* txn_client_begin gets a producer id; expected ones are sent where client->producer_id is not -1
 * and `expect` is set. */
int16_t txn_client_begin(struct txn_client *client, bool expect);

int16_t txn_client_add(struct txn_client *client, int partition);
int16_t txn_client_add_offsets(struct txn_client *client);

/* txn_client_produce sends a transactional record with a number to a partition of the wal topic. */
int16_t txn_client_produce(struct txn_client *client, int partition, int64_t number);

/* txn_client_commit_offset commits an offset of partition 0 for the group. */
int16_t txn_client_commit_offset(struct txn_client *client, int64_t offset);

int16_t txn_client_end(struct txn_client *client, bool commit);

/* txn_client_fetch_offset reads the group's offset, or -1 where it has none. */
int16_t txn_client_fetch_offset(struct txn_client *client, bool require_stable, int64_t *offset);

#endif
