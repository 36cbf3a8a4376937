#include "mirror/fetching.h"

#include "gen/messages.h"
#include "lib/wire/codec.h"

const struct wire_range fetching_versions = {4, 12};

size_t
fetching_build(struct cluster_fan_batch *batch, const struct selection *selection,
    const struct fetching_limits *limits, fetching_offset_fn *offset, const void *arg)
{
    struct km_fetch_request *request = batch->request;
    size_t count = 0;
    struct selection_group *groups =
        selection_group(selection, batch->items, batch->count, batch->arena, &count);

    request->max_wait_ms = limits->wait_ms;
    request->min_bytes = 1;
    request->max_bytes = limits->bytes_max;
    request->session_epoch = -1;
    request->topics.items = codec_array(batch->arena, &km_fetch_request_topic_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_fetch_request_topic *topic = &request->topics.items[i];

        topic->topic = codec_string(groups[i].topic);
        topic->partitions.items =
            codec_array(batch->arena, &km_fetch_request_partition_desc, (int32_t)groups[i].count);
        for (size_t k = 0; topic->partitions.items != NULL && k < groups[i].count; k++) {
            uint32_t number = groups[i].numbers[k];

            topic->partitions.items[k].partition = selection->partitions[number].partition;
            topic->partitions.items[k].fetch_offset = offset(arg, number);
            topic->partitions.items[k].partition_max_bytes = limits->partition_bytes_max;
        }
        topic->partitions.count = (int32_t)groups[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : batch->count;
}
