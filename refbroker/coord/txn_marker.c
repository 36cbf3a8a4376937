#include "refbroker/coord/txn_marker.h"

#include <string.h>

#include "lib/wire/kerr.h"
#include "refbroker/coord/groups.h"

#define MARKER_BYTES_MAX 256
#define NO_PARTITION (-1)

void
txn_marker_append(struct broker *broker, struct partition *partition,
    const struct batch_builder_marker *marker, struct append_result *result)
{
    struct blob *blob;
    struct buf out;
    struct err e;

    *result = (struct append_result){.error = KE_UNKNOWN_SERVER_ERROR};
    buf_init(&out, MARKER_BYTES_MAX);
    blob = batch_builder_marker(marker, &out, &e) == RC_OK ? blob_new(out.size) : NULL;
    if (blob != NULL) {
        memcpy(blob->data, out.data, out.size);
        append_internal(broker, partition, blob, blob->data, out.size, result);
        blob_unref(blob);
    }
    buf_fini(&out);
}

static int16_t
marker_judge(const struct partition *partition, const struct txn_marker *marker)
{
    if (partition->topic->configs.values.coordinated || partition->topic->state == TOPIC_MIRRORING)
        return KE_INVALID_TOPIC_EXCEPTION;
    if (partition->topic->changing)
        return KE_NOT_LEADER_OR_FOLLOWER;
    if (partition->producers == NULL)
        return KE_NONE;
    switch (producers_check_marker(partition->producers, marker->producer_id,
        marker->producer_epoch, marker->coordinator_epoch, marker->version)) {
    case PRODUCER_MARKER_APPEND:
        return KE_NONE;
    case PRODUCER_MARKER_FENCED:
        return KE_INVALID_PRODUCER_EPOCH;
    case PRODUCER_MARKER_COORDINATOR_FENCED:
        return KE_TRANSACTION_COORDINATOR_FENCED;
    }
    return KE_NONE;
}

static void
durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct txn_marker *marker = list_of(waiter, struct txn_marker, waiter);

    if (error == KE_NONE && marker->offsets_partition != NO_PARTITION)
        groups_txn_end(
            broker->groups, marker->offsets_partition, marker->producer_id, marker->commit);
    marker->done(broker, marker, error);
}

void
txn_marker_write(
    struct broker *broker, const char *name, size_t size, int32_t index, struct txn_marker *marker)
{
    struct topic *topic = topics_find(&broker->topics, name, size);
    struct partition *partition = topic == NULL ? NULL : topics_partition(topic, index);
    struct append_result result = {.error = KE_UNKNOWN_TOPIC_OR_PARTITION};
    struct batch_builder_marker bytes = {.producer_id = marker->producer_id,
        .timestamp = env_wall_ms(broker->env),
        .coordinator_epoch = marker->coordinator_epoch,
        .producer_epoch = marker->producer_epoch,
        .commit = marker->commit};

    marker->waiter.done = durable;
    marker->offsets_partition =
        topic != NULL && strcmp(topic->name, GROUPS_TOPIC) == 0 ? index : NO_PARTITION;
    if (partition != NULL)
        result.error = marker_judge(partition, marker);
    if (result.error == KE_NONE)
        txn_marker_append(broker, partition, &bytes, &result);
    if (result.error != KE_NONE) {
        marker->done(broker, marker, result.error);
        return;
    }
    marker->waiter.end_offset = result.end_offset;
    append_wait(broker, partition, &marker->waiter);
}
