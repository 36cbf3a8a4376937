/*
 * kc_txn: transactions of a check, as clients before and since KIP-890 drive them, and what a
 * read_committed consumer sees of them.
 *
 * Steps that answer "not yet" (a coordinator that loads, markers of the transaction before) are
 * repeated for a while. Functions that return a code leave all other codes to the caller; those
 * that do not fail the check with the name of the API as observation: "AddPartitionsToTxn=17".
 */
#ifndef CONFORMANCE_KC_TXN_H
#define CONFORMANCE_KC_TXN_H

#include "conformance/kc_fetch.h"
#include "conformance/kc_group.h"
#include "conformance/kc_produce.h"

#define KC_TXN_PARTITIONS_MAX 8
#define KC_TXN_TIMEOUT_MS 60000

/* Whose part it is to add partitions and to count epochs. */
enum kc_txn_protocol {
    KC_TXN_V1, /* AddPartitionsToTxn v3, Produce v11, EndTxn v4 */
    KC_TXN_V2, /* KIP-890: Produce v12 adds, EndTxn v5 begins a new epoch */
};

/* A producer with a transactional id; it writes to partitions of one topic. */
struct kc_txn {
    const char *id;
    enum kc_txn_protocol protocol;
    struct link *link; /* to the coordinator */
    struct kc_producer producer;
    int32_t timeout_ms;
    int32_t sequences[KC_TXN_PARTITIONS_MAX]; /* the next, by partition */
    bool is_added[KC_TXN_PARTITIONS_MAX];
};

/* kc_txn_id returns a transactional id or group id that only this check has. */
char *kc_txn_id(struct kc *kc, const char *suffix);

/* kc_txn_locate finds the coordinator; kc_txn_open does so and asks for producer id and epoch. */
struct kc_txn kc_txn_locate(struct kc *kc, const char *id, enum kc_txn_protocol protocol);
struct kc_txn kc_txn_open(struct kc *kc, const char *id, enum kc_txn_protocol protocol);

/* kc_txn_init_once is one InitProducerId; kc_txn_init repeats it and takes what it answers. */
const struct km_init_producer_id_response *kc_txn_init_once(
    struct kc *kc, const struct kc_txn *txn);
void kc_txn_init(struct kc *kc, struct kc_txn *txn);

/* kc_txn_add adds partitions by AddPartitionsToTxn v3 and returns the answer. */
const struct km_add_partitions_to_txn_response *kc_txn_add(struct kc *kc, const struct kc_txn *txn,
    const struct kc_topic *topic, const int32_t *partitions, int32_t count);

/* kc_txn_send produces one record without adding the partition, and takes a sequence number where
 * that was taken. kc_txn_append adds the partition where that is the client's part, and returns
 * the record's offset. */
int16_t kc_txn_send(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic,
    int32_t partition, const char *value);
void kc_txn_append(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic,
    int32_t partition, const char *value);

/* kc_txn_end_once is one EndTxn, kc_txn_end_unheard one whose answer nobody waits for; kc_txn_end
 * fails the check unless it is taken, and goes on with the epoch that it answers. */
const struct km_end_txn_response *kc_txn_end_once(
    struct kc *kc, const struct kc_txn *txn, bool commits);
void kc_txn_end_unheard(struct kc *kc, const struct kc_txn *txn, bool commits);
void kc_txn_end(struct kc *kc, struct kc_txn *txn, bool commits);

/* kc_txn_describe returns the one state of DescribeTransactions. */
const struct km_describe_transactions_response_transaction_state *kc_txn_describe(
    struct kc *kc, const struct kc_txn *txn);

/* kc_txn_offset_commit makes an offset of partition 0 part of the transaction, as nobody;
 * kc_txn_offset_commit_as does so as a member of its group and returns the code. */
void kc_txn_offset_commit(struct kc *kc, const struct kc_txn *txn, const char *group,
    const struct kc_topic *topic, int64_t offset);
int16_t kc_txn_offset_commit_as(struct kc *kc, const struct kc_txn *txn,
    const struct kc_member *member, const struct kc_topic *topic, int64_t offset);

/* kc_txn_offset_fetch returns what a group has committed for partition 0. */
const struct km_offset_fetch_response_partition *kc_txn_offset_fetch(
    struct kc *kc, const char *group, const struct kc_topic *topic, bool require_stable);

/* kc_txn_settled waits until the last stable offset is `offset`. */
void kc_txn_settled(struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset);

/* kc_txn_all_settled waits until no transaction is open that began before this call. EndTxn is
 * answered before markers are written, so the log may end later than when it was asked. */
void kc_txn_all_settled(struct kc *kc, const struct kc_topic *topic, int32_t partition);

/* kc_txn_values asserts what a read_committed consumer returns of a partition, in this order. */
void kc_txn_values(struct kc *kc, const struct kc_topic *topic, int32_t partition,
    const char *const *values, size_t count);

#endif
