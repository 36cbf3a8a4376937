#include "cli/top_sizes.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

struct asking {
    const struct selection *selection;
    int32_t *brokers; /* by number of the item */
    int64_t *bytes;
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_BROKER, NULL, ((struct asking *)arg)->brokers[item]};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    ((struct km_describe_log_dirs_request *)batch->request)->topics.count = -1;
    return 1;
}

static void
folder_take(struct asking *asking, const struct km_describe_log_dirs_response_result *folder)
{
    for (int32_t i = 0; i < folder->topics.count; i++) {
        const struct km_describe_log_dirs_response_topic *topic = &folder->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_describe_log_dirs_response_partition *p = &topic->partitions.items[k];
            uint32_t number = selection_find(asking->selection, topic->name, p->partition_index);

            if (number != UINT32_MAX && !p->is_future_key &&
                p->partition_size > asking->bytes[number])
                asking->bytes[number] = p->partition_size;
        }
    }
}

/* A refusal leaves the partitions of its broker unknown; whether it was one does not matter here.
 */
static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_describe_log_dirs_response *response = batch->response;

    for (int32_t i = 0; i < response->results.count; i++)
        folder_take(arg, &response->results.items[i]);
    cluster_fan_settle(batch->fan, batch->items[0], KE_NONE);
}

int64_t *
top_sizes_ask(struct cluster *cluster, const struct selection *selection)
{
    struct asking asking = {.selection = selection};
    struct cluster_fan_spec spec = {.api = frame_api(KM_DESCRIBE_LOG_DIRS),
        .target = target,
        .build = build,
        .parse = parse,
        .arg = &asking,
        .batch_items_max = 1,
        .no_retry = true};
    const struct cluster_map *map = cluster_view(cluster);
    const struct cluster_broker *broker;
    size_t position = 0;

    asking.brokers = xcalloc(map_count(&map->brokers) + 1, sizeof *asking.brokers);
    asking.bytes = xcalloc((size_t)selection->partition_count + 1, sizeof *asking.bytes);
    for (uint32_t i = 0; i < selection->partition_count; i++)
        asking.bytes[i] = -1;
    while ((broker = cluster_map_next_broker(map, &position)) != NULL)
        asking.brokers[spec.item_count++] = broker->id;
    if (spec.item_count > 0)
        cluster_fan_out(cluster, &spec, NULL);
    free(asking.brokers);
    return asking.bytes;
}
