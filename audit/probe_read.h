/*
 * probe_read: the stored batches of one partition, read by Fetch from an offset on.
 *
 * An answer of Fetch may begin with a batch that was read before, hold no batch though there is
 * one, or say that the log begins later by now (retention, DeleteRecords). A probe asks for
 * next_offset, hands what comes back to probe_read_batches, and ends where it has seen enough.
 */
#ifndef AUDIT_PROBE_READ_H
#define AUDIT_PROBE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/wire/batch_view.h"

#define PROBE_READ_PARTITION_BYTES 1048576U /* to ask for of one partition, */
#define PROBE_READ_ANSWER_BYTES 4194304U    /* and of all partitions of a request */
#define PROBE_READ_EMPTY_MAX 50             /* answers without a batch, in a row */

struct probe_read {
    int64_t next_offset;
    uint32_t empty;       /* answers without a batch, in a row */
    uint32_t batch_bytes; /* of a batch of which the last answer held the beginning only; 0: none */
};

/* Takes a batch. Where it sets *enough, the batch counts as not read. */
typedef enum rc probe_read_fn(
    void *arg, const struct batch_view *batch, bool *enough, struct err *e);

/* The versions that name topics by name. */
extern const struct wire_range probe_read_versions;

/* probe_read_request fills in all but the topics. */
void probe_read_request(struct km_fetch_request *request);

/* probe_read_ask_bytes returns what to ask for of a partition of which so much is left to read: a
 * batch that was cut is asked for whole. */
uint32_t probe_read_ask_bytes(const struct probe_read *reading, uint64_t left);

/* probe_read_has_moved tells whether the answer is that the log begins above next_offset, and goes
 * there; not without end where it moves on and on. */
bool probe_read_has_moved(
    struct probe_read *reading, const struct km_fetch_response_partition_data *data);

/* probe_read_is_at_end tells whether there was nothing at next_offset because the log ends there.
 */
bool probe_read_is_at_end(
    const struct probe_read *reading, const struct km_fetch_response_partition_data *data);

/* probe_read_batches hands the batches that end above next_offset to `take`, in their order, and
 * moves behind each. Errors are those of take, RC_CORRUPT, and RC_PROTOCOL where answer after
 * answer brings no batch. */
MUST_CHECK enum rc probe_read_batches(struct probe_read *reading, const struct wire_records *bytes,
    probe_read_fn *take, void *arg, struct err *e);

#endif
