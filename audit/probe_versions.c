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

struct probe_versions {
    struct probe probe;
    struct cluster_fan *fan; /* NULL: nobody to ask */
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
    *out = (struct cluster_target){
        CLUSTER_BROKER, NULL, ((struct probe_versions *)arg)->brokers[item]};
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
    struct probe_versions *own = arg;

    if (response->error_code == KE_NONE && own->answers[batch->items[0]] == NULL)
        own->answers[batch->items[0]] = conn_reply_ref(batch->reply);
    cluster_fan_settle(batch->fan, batch->items[0], response->error_code);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK)
        inventory_gap(((struct probe_versions *)arg)->probe.inventory, INVENTORY_NO_NUMBER,
            AUDIT_BROKER_VERSIONS, NULL, rc, code, e);
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
first_answer(const struct probe_versions *own)
{
    const struct conn_reply *first = NULL;
    int32_t lowest = 0;

    for (uint32_t i = 0; i < own->count; i++)
        if (own->answers[i] != NULL && (first == NULL || own->brokers[i] < lowest)) {
            first = own->answers[i];
            lowest = own->brokers[i];
        }
    return first;
}

static void
odd_count(const struct probe_versions *own, const struct conn_reply *first)
{
    struct served usual = served_of(first);

    for (uint32_t i = 0; i < own->count; i++) {
        struct served other;

        if (own->answers[i] == NULL || own->answers[i] == first)
            continue;
        other = served_of(own->answers[i]);
        own->probe.inventory->cluster.odd_brokers += !served_same(&usual, &other);
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
newest_features_take(const struct probe_versions *own, const struct conn_reply *first)
{
    const struct km_api_versions_response *newest = first->response;

    for (uint32_t i = 0; i < own->count; i++) {
        const struct km_api_versions_response *other =
            own->answers[i] == NULL ? NULL : own->answers[i]->response;

        if (other != NULL && other->finalized_features_epoch > newest->finalized_features_epoch)
            newest = other;
    }
    features_take(own->probe.inventory, newest);
}

/* Features are the cluster's: one broker that does not answer leaves open whether it serves the
 * same, and nothing else. */
static void
answers_take(const struct probe_versions *own)
{
    struct audit_inventory *inventory = own->probe.inventory;
    const struct conn_reply *first = first_answer(own);

    inventory->asked_ms[AUDIT_VERSIONS] = inventory->asked_ms[AUDIT_BROKER_VERSIONS];
    if (first == NULL) {
        inventory->gaps[AUDIT_VERSIONS] = inventory->gaps[AUDIT_BROKER_VERSIONS];
        return;
    }
    odd_count(own, first);
    newest_features_take(own, first);
}

struct probe_versions *
probe_versions_begin(const struct probe *probe)
{
    struct probe_versions *own = xcalloc(1, sizeof *own);
    struct cluster_fan_spec spec = {.api = frame_api(KM_API_VERSIONS),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = own,
        .batch_items_max = 1};

    own->probe = *probe;
    own->brokers = probe_brokers(probe, &own->count);
    own->answers = xcalloc((size_t)own->count + 1, sizeof(struct conn_reply *));
    spec.item_count = own->count;
    own->fan = probe_fan_start(probe, AUDIT_BROKER_VERSIONS, &spec);
    return own;
}

void
probe_versions_end(struct probe_versions *own)
{
    if (own->fan != NULL)
        cluster_fan_finish(own->probe.cluster, own->fan, NULL);
    answers_take(own);
    for (uint32_t i = 0; i < own->count; i++)
        conn_reply_unref(own->answers[i]);
    free(own->answers);
    free(own->brokers);
    free(own);
}
