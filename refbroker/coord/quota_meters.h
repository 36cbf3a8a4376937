/*
 * quota_meters: what clients have used of their quotas, and how long they have to wait (KIP-13,
 * KIP-124, KIP-219, KIP-599).
 *
 * Rates are Kafka's (Rate.java, QuotaUtils.java): amounts in samples of one second, eleven of them,
 * over the time since the oldest; where that is above the quota, the client waits until it would be
 * below. Controller mutations are a bucket of tokens (TokenBucket.java), which fills at the rate of
 * the quota up to eleven seconds of it and may be overdrawn by one request. Connections (KIP-612)
 * are a rate of each address, whose ever the quota is (ConnectionQuotas.scala).
 *
 * Who shares a meter follows from the entity whose quota is in force: all clients of the user, all
 * with the client id, or those with both. Without quotas nothing is noted and nothing costs.
 *
 * Limits: QUOTA_METERS_MAX meters; those at rest are forgotten first, and beyond that clients are
 * not throttled. Not thread-safe.
 */
#ifndef REFBROKER_COORD_QUOTA_METERS_H
#define REFBROKER_COORD_QUOTA_METERS_H

#include <stdbool.h>
#include <stdint.h>

#include "refbroker/meta/quotas.h"

#define QUOTA_METERS_MAX 100000
#define QUOTA_METERS_SAMPLES 11
#define QUOTA_METERS_SAMPLE_MS 1000

struct quota_meters {
    const struct quotas *quotas; /* borrowed */
    struct map meters;
};

/* Who asks. */
struct quota_client {
    struct wire_string user;
    struct wire_string client_id;
};

void quota_meters_init(struct quota_meters *meters, const struct quotas *quotas);
void quota_meters_fini(struct quota_meters *meters);

/* quota_meters_record notes an amount of a rate and returns how many ms the client has to wait, 0
 * where it is within its quota or has none. quota_meters_unrecord takes an amount back. */
int64_t quota_meters_record(struct quota_meters *meters, enum quota_name name,
    const struct quota_client *client, double amount, int64_t now_ms);
void quota_meters_unrecord(struct quota_meters *meters, enum quota_name name,
    const struct quota_client *client, double amount, int64_t now_ms);

/* quota_meters_most returns the amount that can be noted at once without being above the quota for
 * sure; INFINITY without one. */
double quota_meters_most(
    const struct quota_meters *meters, enum quota_name name, const struct quota_client *client);

/* quota_meters_take takes mutations from the bucket. `strict`: where it is overdrawn already,
 * nothing is taken and false returned. *wait_ms: until it is not overdrawn any more. */
bool quota_meters_take(struct quota_meters *meters, const struct quota_client *client,
    double mutations, bool strict, int64_t now_ms, int64_t *wait_ms);

/* quota_meters_connect notes a connection from an address: 0 where it is within the quota or there
 * is none. Otherwise it is not noted, and to be closed after this many ms. */
int64_t quota_meters_connect(
    struct quota_meters *meters, struct wire_string address, int64_t now_ms);

#endif
