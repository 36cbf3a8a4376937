/* DescribeLogDirs: bytes of the partitions, and how full the disks are. */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

struct probe_sizes {
    struct probe probe;
    int32_t *brokers;
    struct cluster_fan *fan;     /* NULL: nothing to ask */
    struct conn_reply **answers; /* by broker, NULL: it has none; the topics may come later */
    uint32_t count;
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out =
        (struct cluster_target){CLUSTER_BROKER, NULL, ((struct probe_sizes *)arg)->brokers[item]};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_describe_log_dirs_request *request = batch->request;

    (void)arg;
    request->topics.count = -1;
    return 1;
}

/* Replicas differ by what is not flushed or not yet deleted; the largest is the nearest to what
 * would have to be moved. */
static void
folder_take(struct audit_inventory *inventory, const struct km_describe_log_dirs_response_result *r)
{
    for (int32_t i = 0; i < r->topics.count; i++) {
        const struct km_describe_log_dirs_response_topic *topic = &r->topics.items[i];
        uint32_t place = inventory_topic(inventory, topic->name);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_describe_log_dirs_response_partition *p = &topic->partitions.items[k];
            uint32_t number = inventory_partition(inventory, place, p->partition_index);

            if (number != INVENTORY_NO_NUMBER && !p->is_future_key &&
                p->partition_size > inventory->partitions[number].bytes)
                inventory->partitions[number].bytes = p->partition_size;
        }
    }
}

/* Brokers before Kafka 3.3 do not tell, and none does of a disk that it cannot look at: -1. Folders
 * may share a disk, so that their bytes make no sum, and only the fullest one counts. */
static void
disk_take(struct audit_inventory *inventory, int32_t broker,
    const struct km_describe_log_dirs_response_result *r)
{
    struct audit_disk disk = {broker, r->total_bytes, r->usable_bytes};

    if (r->error_code == KE_NONE &&
        inventory_share_left(&disk) < inventory_share_left(&inventory->cluster.fullest))
        inventory->cluster.fullest = disk;
}

static void
answer_take(struct audit_inventory *inventory, int32_t broker, const struct conn_reply *reply)
{
    const struct km_describe_log_dirs_response *response = reply == NULL ? NULL : reply->response;

    for (int32_t i = 0; response != NULL && i < response->results.count; i++) {
        folder_take(inventory, &response->results.items[i]);
        disk_take(inventory, broker, &response->results.items[i]);
    }
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct probe_sizes *own = arg;
    const struct km_describe_log_dirs_response *response = batch->response;
    int16_t code = response->error_code;

    conn_reply_unref(own->answers[batch->items[0]]);
    own->answers[batch->items[0]] = conn_reply_ref(batch->reply);
    for (int32_t i = 0; i < response->results.count && code == KE_NONE; i++)
        code = response->results.items[i].error_code;
    /* Before version 3 a refusal is an empty answer. */
    if (code == KE_NONE && response->results.count == 0)
        code = KE_CLUSTER_AUTHORIZATION_FAILED;
    cluster_fan_settle(batch->fan, batch->items[0], code);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK)
        inventory_gap(((struct probe_sizes *)arg)->probe.inventory, INVENTORY_NO_NUMBER,
            AUDIT_SIZES, NULL, rc, code, e);
}

struct probe_sizes *
probe_sizes_begin(const struct probe *probe)
{
    struct probe_sizes *own = xcalloc(1, sizeof *own);
    struct cluster_fan_spec spec = {.api = frame_api(KM_DESCRIBE_LOG_DIRS),
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
    own->fan = probe_fan_start(probe, AUDIT_SIZES, &spec);
    return own;
}

void
probe_sizes_drop(struct probe_sizes *sizes)
{
    cluster_fan_free(sizes->fan);
    for (uint32_t i = 0; i < sizes->count; i++)
        conn_reply_unref(sizes->answers[i]);
    free(sizes->answers);
    free(sizes->brokers);
    free(sizes);
}

void
probe_sizes_end(struct probe_sizes *sizes)
{
    struct audit_inventory *inventory = sizes->probe.inventory;

    if (sizes->fan != NULL)
        cluster_fan_finish(sizes->probe.cluster, sizes->fan, NULL);
    sizes->fan = NULL;
    for (uint32_t i = 0; i < sizes->count; i++)
        answer_take(inventory, sizes->brokers[i], sizes->answers[i]);
    probe_sizes_drop(sizes);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        struct audit_topic *topic = &inventory->topics[i];
        int64_t sum = 0;

        for (int32_t k = 0; k < topic->partition_count && sum >= 0; k++) {
            int64_t bytes = inventory->partitions[topic->first + (uint32_t)k].bytes;

            sum = bytes < 0 ? -1 : saturate_add(sum, bytes);
        }
        topic->bytes = sum;
    }
}
