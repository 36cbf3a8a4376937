/* ApiVersions of every broker: whether all serve the same, and which features are finalized. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

typedef struct km_api_versions_response_api_version served_api;

struct asking {
    struct audit_inventory *inventory;
    int32_t *brokers;
    struct conn_reply **answers; /* by broker, NULL: it has none */
    uint32_t count;
};

/* What a broker serves, by api key. */
struct served {
    served_api *apis;
    size_t count;
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_BROKER, NULL, ((struct asking *)arg)->brokers[item]};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_api_versions_request *request = batch->request;

    (void)arg;
    request->client_software_name = codec_string("kdl");
    request->client_software_version = codec_string(KDL_VERSION);
    return 1;
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_api_versions_response *response = batch->response;
    struct asking *asking = arg;

    if (response->error_code == KE_NONE && asking->answers[batch->items[0]] == NULL)
        asking->answers[batch->items[0]] = conn_reply_ref(batch->reply);
    cluster_fan_settle(batch->fan, batch->items[0], response->error_code);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK)
        inventory_gap(((struct asking *)arg)->inventory, INVENTORY_NO_NUMBER, AUDIT_BROKER_VERSIONS,
            NULL, rc, code, e);
}

/* --- do all serve the same? ---------------------------------------------------------------------
 */

static int
api_compare(const void *a, const void *b)
{
    const served_api *x = a, *y = b;

    if (x->api_key != y->api_key)
        return x->api_key - y->api_key;
    if (x->min_version != y->min_version)
        return x->min_version - y->min_version;
    return x->max_version - y->max_version;
}

/* Brokers may list the same in another order. */
static struct served
served_of(const struct conn_reply *answer)
{
    const struct km_api_versions_response *response = answer->response;
    struct served out = {NULL, 0};

    if (response->api_keys.count > 0) {
        out.count = (size_t)response->api_keys.count;
        out.apis = xcalloc(out.count, sizeof *out.apis);
        memcpy(out.apis, response->api_keys.items, out.count * sizeof *out.apis);
        qsort(out.apis, out.count, sizeof *out.apis, api_compare);
    }
    return out;
}

static bool
served_same(const struct served *a, const struct served *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; i < a->count && same; i++)
        same = api_compare(&a->apis[i], &b->apis[i]) == 0;
    return same;
}

/* The answer of the broker with the lowest id, so that each audit counts the same brokers as odd.
 */
static const struct conn_reply *
first_answer(const struct asking *asking)
{
    const struct conn_reply *first = NULL;
    int32_t lowest = 0;

    for (uint32_t i = 0; i < asking->count; i++)
        if (asking->answers[i] != NULL && (first == NULL || asking->brokers[i] < lowest)) {
            first = asking->answers[i];
            lowest = asking->brokers[i];
        }
    return first;
}

static void
odd_count(const struct asking *asking, const struct conn_reply *first)
{
    struct served usual = served_of(first);

    for (uint32_t i = 0; i < asking->count; i++) {
        struct served other;

        if (asking->answers[i] == NULL || asking->answers[i] == first)
            continue;
        other = served_of(asking->answers[i]);
        asking->inventory->cluster.odd_brokers += !served_same(&usual, &other);
        free(other.apis);
    }
    free(usual.apis);
}

/* --- features -----------------------------------------------------------------------------------
 */

static void
features_take(struct audit_inventory *inventory, const struct km_api_versions_response *response)
{
    for (int32_t i = 0; i < response->finalized_features.count; i++)
        for (unsigned k = 0; k < AUDIT_FEATURES; k++)
            if (codec_string_is(response->finalized_features.items[i].name,
                    inventory_feature_name((enum audit_feature)k)))
                inventory->cluster.features[k] =
                    response->finalized_features.items[i].max_version_level;
}

/* A broker that is behind tells those of before; the largest epoch is the newest. */
static void
newest_features_take(const struct asking *asking, const struct conn_reply *first)
{
    const struct km_api_versions_response *newest = first->response;

    for (uint32_t i = 0; i < asking->count; i++) {
        const struct km_api_versions_response *other =
            asking->answers[i] == NULL ? NULL : asking->answers[i]->response;

        if (other != NULL && other->finalized_features_epoch > newest->finalized_features_epoch)
            newest = other;
    }
    features_take(asking->inventory, newest);
}

/* Features are the cluster's: one broker that does not answer leaves open whether it serves the
 * same, and nothing else. */
static void
answers_take(const struct asking *asking)
{
    struct audit_inventory *inventory = asking->inventory;
    const struct conn_reply *first = first_answer(asking);

    inventory->asked_ms[AUDIT_VERSIONS] = inventory->asked_ms[AUDIT_BROKER_VERSIONS];
    if (first == NULL) {
        inventory->gaps[AUDIT_VERSIONS] = inventory->gaps[AUDIT_BROKER_VERSIONS];
        return;
    }
    odd_count(asking, first);
    newest_features_take(asking, first);
}

void
probe_versions(const struct probe *probe)
{
    struct asking asking = {.inventory = probe->inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_API_VERSIONS),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &asking,
        .batch_items_max = 1};

    asking.brokers = probe_brokers(probe, &asking.count);
    asking.answers = xcalloc((size_t)asking.count + 1, sizeof(struct conn_reply *));
    spec.item_count = asking.count;
    probe_fan(probe, AUDIT_BROKER_VERSIONS, &spec);
    answers_take(&asking);
    for (uint32_t i = 0; i < asking.count; i++)
        conn_reply_unref(asking.answers[i]);
    free(asking.answers);
    free(asking.brokers);
}
