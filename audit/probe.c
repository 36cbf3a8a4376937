#include "audit/probe.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

static const struct probe_allowed allowed[] = {
#define ALLOWED(key, name, fields) {KM_##key, name, fields},
#include "audit/allowed.def"
#undef ALLOWED
};

const struct probe_allowed *
probe_allowed_rows(size_t *count)
{
    *count = ARRAY_LEN(allowed);
    return allowed;
}

static bool
is_allowed(int16_t api_key)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (allowed[i].key == api_key)
            return true;
    return false;
}

struct cluster_fan *
probe_fan_start(
    const struct probe *probe, enum audit_probe which, const struct cluster_fan_spec *spec)
{
    struct env env;

    REQUIRE(is_allowed(spec->api->key));
    env_init_real(&env);
    probe->inventory->asked_ms[which] = env_wall_ms(&env);
    return spec->item_count > 0 ? cluster_fan_start(probe->cluster, spec) : NULL;
}

void
probe_fan(const struct probe *probe, enum audit_probe which, const struct cluster_fan_spec *spec)
{
    struct cluster_fan *fan = probe_fan_start(probe, which, spec);

    if (fan != NULL)
        cluster_fan_finish(probe->cluster, fan, NULL);
}

int32_t *
probe_brokers(const struct probe *probe, uint32_t *count)
{
    const struct cluster_map *map = cluster_view(probe->cluster);
    const struct cluster_broker *broker;
    int32_t *ids = xcalloc(map_count(&map->brokers) + 1, sizeof *ids);
    size_t position = 0;

    *count = 0;
    while ((broker = cluster_map_next_broker(map, &position)) != NULL)
        ids[(*count)++] = broker->id;
    return ids;
}

/* --- lists that every broker has a part of ------------------------------------------------------
 */

struct listing {
    struct audit_inventory *inventory;
    enum audit_probe which;
    int32_t *brokers;
    probe_list_fn *take;
};

static void
list_target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_BROKER, NULL, ((struct listing *)arg)->brokers[item]};
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
    struct listing *listing = arg;

    cluster_fan_settle(
        batch->fan, batch->items[0], listing->take(listing->inventory, batch->response));
}

static void
list_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct listing *listing = arg;

    (void)item;
    if (rc != RC_OK)
        inventory_gap(listing->inventory, INVENTORY_NO_NUMBER, listing->which, NULL, rc, code, e);
}

void
probe_list(const struct probe *probe, enum audit_probe which, int16_t api_key, bool aside,
    probe_list_fn *take)
{
    struct listing listing = {.inventory = probe->inventory, .which = which, .take = take};
    struct cluster_fan_spec spec = {.api = frame_api(api_key),
        .target = list_target,
        .build = list_build,
        .parse = list_parse,
        .done = list_done,
        .arg = &listing,
        .batch_items_max = 1,
        .aside = aside};

    listing.brokers = probe_brokers(probe, &spec.item_count);
    probe_fan(probe, which, &spec);
    free(listing.brokers);
}
