/*
 * verifications: what a broker remembers of transactions that were to begin in its partitions
 * (KIP-890).
 *
 * Before a producer's first batch of a transaction is taken the coordinator is asked whether the
 * transaction is there. Where that fails the batch is lost, and later ones of the same producer,
 * which may be on their way already, must not get in before it: they are refused (45) until one
 * with the lowest sequence that was seen, or a lower one, is in the log.
 *
 * Rules: VerificationStateEntry, UnifiedLog.maybeStartTransactionVerification, .updateProducers and
 * ProducerAppendInfo.checkSequence of Kafka 4.3. In memory only, as there.
 *
 * Limits: LIMIT_VERIFICATIONS_MAX producers in partitions; what comes beyond them is not noted, and
 * nothing waits for it.
 */
#ifndef REFBROKER_LOG_VERIFICATIONS_H
#define REFBROKER_LOG_VERIFICATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

struct verifications;

/* A producer in a partition. */
struct verification_place {
    struct wire_uuid topic_id;
    int32_t partition;
    int64_t producer_id;
};

/* A batch whose transaction is to be verified. */
struct verification {
    int64_t noted_ms;
    int32_t base_sequence;
    int16_t producer_epoch;
    bool bumps; /* the epoch goes up with each transaction (the request adds partitions) */
};

/* verifications_new makes a table for `max` producers in partitions. */
struct verifications *verifications_new(size_t max);

/* verifications_free accepts NULL. */
void verifications_free(struct verifications *verifications);

/* verifications_note: of several batches the first decides whether epochs go up. */
void verifications_note(struct verifications *verifications, const struct verification_place *place,
    const struct verification *noted);

/* verifications_block tells whether a batch has to wait for one before it. Where epochs go up the
 * first batch of a producer that is new to the partition has the sequence 0. */
bool verifications_block(const struct verifications *verifications,
    const struct verification_place *place, int32_t base_sequence, bool is_new);

/* verifications_end: a transactional batch, or a marker, of this producer is in the log. Where
 * epochs go up a marker has the epoch of the next transaction, and does not end its verification.
 */
void verifications_end(struct verifications *verifications, const struct verification_place *place,
    int16_t producer_epoch, bool is_marker);

/* verifications_expire forgets those that were noted first before then. */
void verifications_expire(struct verifications *verifications, int64_t before_ms);

#endif
