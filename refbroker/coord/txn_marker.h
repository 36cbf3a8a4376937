/*
 * txn_marker: the control batch that ends a transaction in a partition.
 *
 * A marker is judged against what the partition knows of the producer, appended, and, once it is
 * durable, ends the producer's pending offsets where the partition is one of __consumer_offsets.
 * Rules: ProducerAppendInfo.appendEndTxnMarker, KafkaApis.handleWriteTxnMarkersRequest of
 * Kafka 4.3.
 *
 * Owner's thread only; nothing here blocks.
 */
#ifndef REFBROKER_COORD_TXN_MARKER_H
#define REFBROKER_COORD_TXN_MARKER_H

#include "lib/wire/batch_builder.h"
#include "refbroker/broker.h"
#include "refbroker/log/append.h"

/* One marker on its way. It must live until `done`, which is called once, at once or later. */
struct txn_marker {
    struct append_waiter waiter;
    int64_t producer_id;
    int32_t coordinator_epoch;
    int16_t producer_epoch;
    int16_t version; /* of the transaction: with 2 the epoch must be above the last one */
    bool commit;
    int32_t offsets_partition; /* set by txn_marker_write */
    void (*done)(struct broker *broker, struct txn_marker *marker, int16_t error);
};

/*
 * txn_marker_write writes a marker into a partition; `done` gets 0 when it is durable, or
 * UNKNOWN_TOPIC_OR_PARTITION (deleted meanwhile, too), INVALID_TOPIC_EXCEPTION (coordinated and
 * mirrored topics have no transactions), INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED,
 * NOT_LEADER_OR_FOLLOWER (its state is changing) or KAFKA_STORAGE_ERROR.
 */
void txn_marker_write(struct broker *broker, const char *topic, size_t size, int32_t index,
    struct txn_marker *marker);

/* txn_marker_append appends a marker without judging it; its base offset and leader epoch are set
 * here. */
void txn_marker_append(struct broker *broker, struct partition *partition,
    const struct batch_builder_marker *marker, struct append_result *result);

#endif
