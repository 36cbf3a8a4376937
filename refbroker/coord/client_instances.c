#include "refbroker/coord/client_instances.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/compress.h"
#include "lib/wire/kerr.h"

/* Longer ago than any interval. */
#define NEVER_MS (INT64_MIN / 2)

struct client_instances *
client_instances_new(struct env *env)
{
    struct client_instances *instances = xcalloc(1, sizeof *instances);

    instances->env = env;
    client_subscriptions_init(&instances->subscriptions);
    client_samples_init(&instances->samples);
    map_init(&instances->by_id);
    list_init(&instances->in_use);
    heap_init(&instances->expiry);
    return instances;
}

static void
end(struct client_instances *instances, struct client_instance *instance)
{
    client_samples_drop(&instances->samples, &instance->values);
    heap_remove(&instances->expiry, &instance->expiry);
    list_remove(&instances->in_use, &instance->in_use);
    (void)map_remove(&instances->by_id, &instance->id, sizeof instance->id);
    free(instance);
}

static struct client_instance *
oldest(const struct client_instances *instances)
{
    struct list_node *node = list_first(&instances->in_use);

    return node == NULL ? NULL : list_of(node, struct client_instance, in_use);
}

void
client_instances_free(struct client_instances *instances)
{
    struct client_instance *instance;

    if (instances == NULL)
        return;
    while ((instance = oldest(instances)) != NULL)
        end(instances, instance);
    map_fini(&instances->by_id, NULL);
    heap_fini(&instances->expiry);
    client_samples_fini(&instances->samples);
    client_subscriptions_fini(&instances->subscriptions);
    free(instances);
}

struct client_instance *
client_instances_find(const struct client_instances *instances, const struct wire_uuid *id)
{
    return map_get(&instances->by_id, id, sizeof *id);
}

static struct client_instance *
add(struct client_instances *instances, const struct wire_uuid *id)
{
    struct client_instance *instance = xcalloc(1, sizeof *instance);

    if (map_count(&instances->by_id) == CLIENT_INSTANCES_MAX)
        end(instances, oldest(instances));
    instance->id = *id;
    (void)map_put(&instances->by_id, id, sizeof *id, instance);
    return instance;
}

/* What the subscriptions of now make of the client. */
static void
renew(struct client_instances *instances, struct client_instance *instance,
    const struct client_traits *traits)
{
    struct client_choice choice;

    client_subscriptions_choose(&instances->subscriptions, traits, &choice);
    instance->version = instances->subscriptions.version;
    instance->interval_ms = choice.interval_ms;
    instance->subscription_id = client_subscriptions_id(&choice, &instance->id);
    instance->get_ms = instance->push_ms = NEVER_MS;
    instance->ended = false;
    instance->last_error = KE_NONE;
    client_subscriptions_choice_fini(&choice);
    client_samples_drop(&instances->samples, &instance->values);
}

struct client_instance *
client_instances_use(struct client_instances *instances, const struct wire_uuid *id,
    const struct client_traits *traits, bool *fresh)
{
    struct client_instance *instance = client_instances_find(instances, id);
    int64_t silent_ms;

    *fresh = instance == NULL || instance->version < instances->subscriptions.version;
    if (instance == NULL)
        instance = add(instances, id);
    if (*fresh)
        renew(instances, instance, traits);
    silent_ms = (int64_t)instance->interval_ms * 3;
    if (silent_ms < CLIENT_INSTANCES_EXPIRY_MS_MIN)
        silent_ms = CLIENT_INSTANCES_EXPIRY_MS_MIN;
    heap_put(&instances->expiry, &instance->expiry, env_now_ms(instances->env) + silent_ms);
    list_remove(&instances->in_use, &instance->in_use);
    list_push_back(&instances->in_use, &instance->in_use);
    return instance;
}

struct wire_uuid
client_instances_new_id(struct client_instances *instances)
{
    struct wire_uuid id;

    /* A random uuid of RFC 4122, as Java makes them; in text none of them begins with a dash. */
    do {
        env_random_bytes(instances->env, id.bytes, sizeof id.bytes);
        id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
        id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    } while (id.bytes[0] >> 2 == 62 || client_instances_find(instances, &id) != NULL);
    return id;
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int16_t
client_instances_get(struct client_instances *instances, struct client_instance *instance)
{
    int64_t now_ms = env_now_ms(instances->env);

    if (now_ms - later(instance->get_ms, instance->push_ms) >= instance->interval_ms)
        instance->get_ms = now_ms;
    else if (instance->last_error != KE_UNKNOWN_SUBSCRIPTION_ID &&
             instance->last_error != KE_UNSUPPORTED_COMPRESSION_TYPE)
        return KE_THROTTLING_QUOTA_EXCEEDED;
    instance->last_error = KE_NONE;
    return KE_NONE;
}

static int16_t
push_check(struct client_instance *instance, const struct client_push *push, int64_t now_ms)
{
    bool due =
        instance->get_ms > instance->push_ms || now_ms - instance->push_ms >= instance->interval_ms;

    if (instance->ended)
        return KE_INVALID_REQUEST;
    if (due)
        instance->push_ms = now_ms;
    else if (!push->last)
        return KE_THROTTLING_QUOTA_EXCEEDED;
    if (push->subscription_id != instance->subscription_id)
        return KE_UNKNOWN_SUBSCRIPTION_ID;
    if (push->codec < COMPRESS_NONE || push->codec >= COMPRESS_CODECS)
        return KE_UNSUPPORTED_COMPRESSION_TYPE;
    return push->size > push->size_max ? KE_TELEMETRY_TOO_LARGE : KE_NONE;
}

int16_t
client_instances_push(struct client_instances *instances, struct client_instance *instance,
    const struct client_push *push)
{
    int16_t error = push_check(instance, push, env_now_ms(instances->env));

    instance->ended = push->last;
    if (error != KE_NONE)
        instance->last_error = error;
    return error;
}

void
client_instances_settle(
    struct client_instances *instances, struct client_instance *instance, int16_t error)
{
    instance->last_error = error;
    if (instance->ended)
        client_samples_drop(&instances->samples, &instance->values);
}

void
client_instances_forget(struct client_instances *instances, const struct wire_uuid *id)
{
    struct client_instance *instance = client_instances_find(instances, id);

    if (instance != NULL)
        end(instances, instance);
}

int64_t
client_instances_tick(struct client_instances *instances)
{
    int64_t now_ms = env_now_ms(instances->env);
    struct heap_node *node;

    while ((node = heap_pop_due(&instances->expiry, now_ms)) != NULL)
        end(instances, list_of(node, struct client_instance, expiry));
    node = heap_first(&instances->expiry);
    return node == NULL ? INT64_MAX : node->deadline;
}
