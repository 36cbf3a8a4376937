/*
 * verifications: what a partition remembers of transactions that were to begin in it (KIP-890).
 *
 * Before a producer's first batch of a transaction is taken the coordinator is asked whether the
 * transaction is there. Where that fails the batch is lost, and later ones of the same producer,
 * which may be on their way already, must not get in before it: they are refused (45) until one
 * with the lowest sequence that was seen, or a lower one, is in the log.
 *
 * Rules: VerificationStateEntry, UnifiedLog.maybeStartTransactionVerification, .updateProducers and
 * ProducerAppendInfo.checkSequence of Kafka 4.3. In memory only, as there.
 *
 * Limits: VERIFICATIONS_MAX producers; beyond them the one that was noted first is forgotten.
 */
#ifndef REFBROKER_LOG_VERIFICATIONS_H
#define REFBROKER_LOG_VERIFICATIONS_H

#include <stdbool.h>
#include <stdint.h>

#define VERIFICATIONS_MAX 10000

struct verifications;

/* A batch whose transaction is to be verified. */
struct verification {
    int64_t producer_id;
    int64_t now_ms;
    int32_t base_sequence;
    int16_t producer_epoch;
    bool bumps; /* the producer's epoch goes up with each transaction (its request adds partitions)
                 */
};

/* verifications_note notes one; *verifications is made where it is NULL, for verifications_free. */
void verifications_note(struct verifications **verifications, const struct verification *noted);

/* verifications_free accepts NULL, as do all that follow. */
void verifications_free(struct verifications *verifications);

/* verifications_block tells whether a batch has to wait for one before it: since KIP-890's new
 * epochs the first batch of a producer that is new to the partition has the sequence 0. */
bool verifications_block(const struct verifications *verifications, int64_t producer_id,
    int32_t base_sequence, bool is_new);

/* verifications_end: a transactional batch, or a marker, of this producer is in the log. */
void verifications_end(struct verifications *verifications, int64_t producer_id,
    int16_t producer_epoch, bool is_marker);

/* verifications_expire forgets those that were made before. */
void verifications_expire(struct verifications *verifications, int64_t before_ms);

#endif
