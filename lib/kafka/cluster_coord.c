#include "lib/kafka/cluster_coord.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/cluster_fan.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define KEYS_PER_REQUEST 1000

/* From version 4 on many keys fit into a request; share partitions came with 6. */
#define VERSION_MANY_KEYS 4

struct coordinator {
    int32_t broker; /* -1: unknown */
    int16_t code;   /* why */
};

struct cluster_coord_find {
    struct cluster *cluster;
    struct cluster_fan *fan;
    struct cluster_coord_key *keys;
    void (*fn)(void *arg, const struct err *e);
    void *arg;
    struct err err; /* of the first key that nobody answered */
};

/* --- what is known -------------------------------------------------------------------------------
 */

/* The type, then the key; the caller frees it. */
static uint8_t *
map_key(enum cluster_coord_type type, const char *key, size_t *size)
{
    size_t key_size = strlen(key);
    uint8_t *out = xmalloc(key_size + 1);

    out[0] = (uint8_t)type;
    memcpy(out + 1, key, key_size);
    *size = key_size + 1;
    return out;
}

int16_t
cluster_coord_get(
    const struct cluster *cluster, enum cluster_coord_type type, const char *key, int32_t *broker)
{
    size_t size;
    uint8_t *name = map_key(type, key, &size);
    const struct coordinator *known = map_get(&cluster->coordinators, name, size);

    free(name);
    *broker = known == NULL ? -1 : known->broker;
    return known == NULL ? KE_NONE : known->code;
}

static void
put(struct cluster *cluster, const struct cluster_coord_key *key, int32_t broker, int16_t code)
{
    struct coordinator *known = xmalloc(sizeof *known);
    size_t size;
    uint8_t *name = map_key(key->type, key->key, &size);

    *known = (struct coordinator){broker, code};
    free(map_put(&cluster->coordinators, name, size, known));
    free(name);
}

void
cluster_coord_forget(struct cluster *cluster, enum cluster_coord_type type, const char *key)
{
    size_t size;
    uint8_t *name = map_key(type, key, &size);

    free(map_remove(&cluster->coordinators, name, size));
    free(name);
}

void
cluster_coord_clear(struct cluster *cluster)
{
    map_fini(&cluster->coordinators, free);
    map_init(&cluster->coordinators);
}

/* --- looking up ----------------------------------------------------------------------------------
 */

static void
on_target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    out->kind = CLUSTER_ANY;
}

static struct wire_string
key_text(const struct cluster_coord_key *key)
{
    return (struct wire_string){key->key, (int32_t)strlen(key->key)};
}

/* A request has one type of key; an old one also only one key. */
static size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    const struct cluster_coord_find *find = arg;
    struct km_find_coordinator_request *request = batch->request;
    enum cluster_coord_type type = find->keys[batch->items[0]].type;
    size_t count = 0;

    request->key_type = (int8_t)type;
    if (batch->version < VERSION_MANY_KEYS) {
        request->key = key_text(&find->keys[batch->items[0]]);
        return 1;
    }
    request->coordinator_keys.items =
        arena_array(batch->arena, batch->count, sizeof *request->coordinator_keys.items);
    if (request->coordinator_keys.items == NULL)
        return 1;
    while (count < batch->count && find->keys[batch->items[count]].type == type) {
        request->coordinator_keys.items[count] = key_text(&find->keys[batch->items[count]]);
        count++;
    }
    request->coordinator_keys.count = (int32_t)count;
    return count;
}

/* Takes over one coordinator, whose address may be news. */
static void
settle(struct cluster_coord_find *find, struct cluster_fan_batch *batch, uint32_t item,
    int16_t code, int32_t id, const struct wire_string *host, int32_t port)
{
    char name[256];

    if (code == KE_NONE &&
        (host->size < 1 || (size_t)host->size >= sizeof name || port < 1 || port > UINT16_MAX))
        code = KE_COORDINATOR_NOT_AVAILABLE;
    if (code == KE_NONE) {
        memcpy(name, host->data, (size_t)host->size);
        name[host->size] = '\0';
        if (cluster_nodes_add(&find->cluster->nodes, id, name, (uint16_t)port, NULL) != RC_OK)
            code = KE_COORDINATOR_NOT_AVAILABLE;
    }
    put(find->cluster, &find->keys[item], code == KE_NONE ? id : -1, code);
    cluster_fan_settle(batch->fan, item, code);
}

static void
on_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct cluster_coord_find *find = arg;
    const struct km_find_coordinator_response *response = batch->response;

    if (batch->version < VERSION_MANY_KEYS) {
        settle(find, batch, batch->items[0], response->error_code, response->node_id,
            &response->host, response->port);
        return;
    }
    /* The answer keeps the order of the keys. */
    for (int32_t i = 0; i < response->coordinators.count && (size_t)i < batch->count; i++) {
        const struct km_find_coordinator_response_coordinator *row =
            &response->coordinators.items[i];
        const struct wire_string wanted = key_text(&find->keys[batch->items[i]]);

        if (row->key.size == wanted.size &&
            memcmp(row->key.data, wanted.data, (size_t)wanted.size) == 0)
            settle(
                find, batch, batch->items[i], row->error_code, row->node_id, &row->host, row->port);
    }
}

static void
on_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct cluster_coord_find *find = arg;

    (void)item;
    (void)code;
    if (rc != RC_OK && rc != RC_REMOTE && find->err.code == RC_OK)
        find->err = *e;
}

static void
on_end(void *arg)
{
    struct cluster_coord_find *find = arg;
    void (*fn)(void *arg, const struct err *e) = find->fn;
    void *fn_arg = find->arg;
    struct err e = find->err;

    cluster_coord_find_cancel(find);
    fn(fn_arg, &e);
}

struct cluster_coord_find *
cluster_coord_find_start(struct cluster *cluster, const struct cluster_coord_key *keys,
    size_t count, int64_t deadline_us, void (*fn)(void *arg, const struct err *e), void *arg)
{
    struct cluster_coord_find *find = xcalloc(1, sizeof *find);
    struct cluster_fan_spec spec = {.api = frame_api(KM_FIND_COORDINATOR),
        .item_count = (uint32_t)count,
        .target = on_target,
        .build = on_build,
        .parse = on_parse,
        .done = on_done,
        .end = on_end,
        .arg = find,
        .batch_items_max = KEYS_PER_REQUEST,
        .deadline_us = deadline_us};

    find->cluster = cluster;
    find->keys = xmemdup(keys, count * sizeof *keys);
    find->fn = fn;
    find->arg = arg;
    find->fan = cluster_fan_start(cluster, &spec);
    return find;
}

void
cluster_coord_find_cancel(struct cluster_coord_find *find)
{
    if (find == NULL)
        return;
    cluster_fan_free(find->fan);
    free(find->keys);
    free(find);
}
