#include "refbroker/coord/quota_meters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define KEY_BYTES_MAX ((size_t)2 * 32770 + 64)
#define BUCKET_SECONDS ((double)QUOTA_METERS_SAMPLES * QUOTA_METERS_SAMPLE_MS / 1000)
#define AT_REST_MS ((int64_t)(QUOTA_METERS_SAMPLES + 1) * QUOTA_METERS_SAMPLE_MS)

#define CONNECT_WAIT_MS_MAX QUOTA_METERS_SAMPLE_MS /* ConnectionQuotas: one sample */

struct sample {
    int64_t start_ms;
    double sum;
};

struct meter {
    struct sample samples[QUOTA_METERS_SAMPLES]; /* a ring */
    size_t current;
    size_t count; /* samples in use */
    double tokens;
    int64_t used_ms;
};

void
quota_meters_init(struct quota_meters *meters, const struct quotas *quotas)
{
    meters->quotas = quotas;
    map_init(&meters->meters);
}

void
quota_meters_fini(struct quota_meters *meters)
{
    map_fini(&meters->meters, free);
}

/* Meters that say the same as a new one. */
static void
forget_resting(struct quota_meters *meters, int64_t now_ms)
{
    const void *key;
    size_t position = 0, size;
    struct meter *meter;

    while ((meter = map_next(&meters->meters, &position, &key, &size)) != NULL)
        if (now_ms - meter->used_ms > AT_REST_MS)
            free(map_remove(&meters->meters, key, size));
}

/* The meter of an entity; NULL where there are too many. */
static struct meter *
meter_get(struct quota_meters *meters, enum quota_name name, const struct quota *quota,
    const struct quota_entity *entity, int64_t now_ms)
{
    struct meter *meter;
    struct buf key;

    buf_init(&key, KEY_BYTES_MAX);
    buf_append(&key, &(uint8_t){(uint8_t)name}, 1);
    quotas_entity_key(entity, &key);
    meter = map_get(&meters->meters, key.data, key.size);
    if (meter == NULL && map_count(&meters->meters) >= QUOTA_METERS_MAX)
        forget_resting(meters, now_ms);
    if (meter == NULL && map_count(&meters->meters) < QUOTA_METERS_MAX) {
        meter = xcalloc(1, sizeof *meter);
        meter->tokens = quota->values[name] * BUCKET_SECONDS;
        meter->used_ms = now_ms;
        (void)map_put(&meters->meters, key.data, key.size, meter);
    }
    buf_fini(&key);
    return meter;
}

/* The meter that clients of this quota's entity share. */
static struct meter *
meter_of(struct quota_meters *meters, enum quota_name name, const struct quota *quota,
    const struct quota_client *client, int64_t now_ms)
{
    struct quota_entity shared = {0};

    shared.has[QUOTA_PART_USER] = quota->entity.has[QUOTA_PART_USER];
    shared.names[QUOTA_PART_USER] = client->user;
    shared.has[QUOTA_PART_CLIENT_ID] = quota->entity.has[QUOTA_PART_CLIENT_ID];
    shared.names[QUOTA_PART_CLIENT_ID] = client->client_id;
    return meter_get(meters, name, quota, &shared, now_ms);
}

/* A quota may be so small that the time is beyond every number. */
static int64_t
wait_of(double ms)
{
    return llround(fmin(ms, INT32_MAX));
}

/* --- rates ----------------------------------------------------------------------------------- */

static void
note(struct meter *meter, double amount, int64_t now_ms)
{
    struct sample *sample = &meter->samples[meter->current];

    meter->used_ms = now_ms;
    if (meter->count == 0 || now_ms - sample->start_ms >= QUOTA_METERS_SAMPLE_MS) {
        meter->current = meter->count == 0 ? 0 : (meter->current + 1) % QUOTA_METERS_SAMPLES;
        meter->count += meter->count < QUOTA_METERS_SAMPLES;
        sample = &meter->samples[meter->current];
        *sample = (struct sample){.start_ms = now_ms};
    }
    sample->sum += amount;
}

/* The rate per second, and the time over which it is taken. */
static double
rate(const struct meter *meter, int64_t now_ms, double *window_ms)
{
    int64_t oldest_ms = now_ms, elapsed_ms, full;
    double sum = 0;

    for (size_t i = 0; i < meter->count; i++) {
        const struct sample *sample = &meter->samples[i];

        if (now_ms - sample->start_ms >= (int64_t)QUOTA_METERS_SAMPLES * QUOTA_METERS_SAMPLE_MS)
            continue;
        sum += sample->sum;
        if (sample->start_ms < oldest_ms)
            oldest_ms = sample->start_ms;
    }
    /* As if all samples but the current one had been there from the beginning, so that the first
     * amounts are no peak (Rate.windowSize). */
    elapsed_ms = now_ms - oldest_ms;
    full = elapsed_ms / QUOTA_METERS_SAMPLE_MS;
    if (full < QUOTA_METERS_SAMPLES - 1)
        elapsed_ms += (QUOTA_METERS_SAMPLES - 1 - full) * QUOTA_METERS_SAMPLE_MS;
    *window_ms = (double)elapsed_ms;
    return sum * 1000 / *window_ms;
}

/* Notes an amount and returns how long it has to wait for a quota of `most` a second. */
static int64_t
note_and_wait(struct meter *meter, double amount, double most, int64_t now_ms)
{
    double window_ms, value;

    note(meter, amount, now_ms);
    value = rate(meter, now_ms, &window_ms);
    return value <= most ? 0 : wait_of((value - most) / most * window_ms);
}

int64_t
quota_meters_record(struct quota_meters *meters, enum quota_name name,
    const struct quota_client *client, double amount, int64_t now_ms)
{
    const struct quota *quota =
        quotas_in_force(meters->quotas, name, client->user, client->client_id);
    struct meter *meter = quota == NULL ? NULL : meter_of(meters, name, quota, client, now_ms);

    return meter == NULL ? 0 : note_and_wait(meter, amount, quota->values[name], now_ms);
}

void
quota_meters_unrecord(struct quota_meters *meters, enum quota_name name,
    const struct quota_client *client, double amount, int64_t now_ms)
{
    const struct quota *quota =
        quotas_in_force(meters->quotas, name, client->user, client->client_id);
    struct meter *meter = quota == NULL ? NULL : meter_of(meters, name, quota, client, now_ms);

    if (meter != NULL)
        note(meter, -amount, now_ms);
}

double
quota_meters_most(
    const struct quota_meters *meters, enum quota_name name, const struct quota_client *client)
{
    const struct quota *quota =
        quotas_in_force(meters->quotas, name, client->user, client->client_id);

    return quota == NULL
               ? INFINITY
               : quota->values[name] * (QUOTA_METERS_SAMPLES - 1) * QUOTA_METERS_SAMPLE_MS / 1000;
}

int64_t
quota_meters_connect(struct quota_meters *meters, struct wire_string address, int64_t now_ms)
{
    const enum quota_name name = QUOTA_CONNECTION_CREATION_RATE;
    const struct quota *quota = quotas_in_force_address(meters->quotas, name, address);
    struct quota_entity entity = {0};
    struct meter *meter;
    int64_t wait_ms;

    if (quota == NULL)
        return 0;
    entity.has[QUOTA_PART_IP] = true;
    entity.names[QUOTA_PART_IP] = address;
    meter = meter_get(meters, name, quota, &entity, now_ms);
    if (meter == NULL)
        return 0;
    wait_ms = note_and_wait(meter, 1, quota->values[name], now_ms);
    if (wait_ms > 0)
        note(meter, -1, now_ms);
    return wait_ms < CONNECT_WAIT_MS_MAX ? wait_ms : CONNECT_WAIT_MS_MAX;
}

/* --- tokens ---------------------------------------------------------------------------------- */

bool
quota_meters_take(struct quota_meters *meters, const struct quota_client *client, double mutations,
    bool strict, int64_t now_ms, int64_t *wait_ms)
{
    const enum quota_name name = QUOTA_CONTROLLER_MUTATION_RATE;
    const struct quota *quota =
        quotas_in_force(meters->quotas, name, client->user, client->client_id);
    struct meter *meter = quota == NULL ? NULL : meter_of(meters, name, quota, client, now_ms);
    double per_second, burst;
    bool overdrawn;

    *wait_ms = 0;
    if (meter == NULL)
        return true;
    per_second = quota->values[name];
    burst = per_second * BUCKET_SECONDS;
    meter->tokens =
        fmin(burst, meter->tokens + per_second * (double)(now_ms - meter->used_ms) / 1000);
    meter->used_ms = now_ms;
    overdrawn = meter->tokens < 0;
    if (!overdrawn || !strict)
        meter->tokens = fmin(burst, meter->tokens - mutations);
    if (overdrawn || (!strict && meter->tokens < 0))
        *wait_ms = wait_of(-meter->tokens / per_second * 1000);
    return !overdrawn || !strict;
}
