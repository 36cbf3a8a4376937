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

#include "audit/inventory.h"
#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/kafka/cluster_fan.h"
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

/* Says what is asked for of a partition, by its number: offset and bytes. */
typedef void probe_read_ask_fn(void *arg, uint32_t number, struct km_fetch_request_partition *out);

/* probe_read_ask makes a request for partitions sorted by topic (inventory_runs); false where the
 * arena is full. */
MUST_CHECK bool probe_read_ask(const struct audit_inventory *inventory,
    const struct inventory_run *runs, size_t run_count, struct arena *arena, probe_read_ask_fn *ask,
    void *arg, struct km_fetch_request *request);

/* Takes what an answer tells of a partition that the inventory has. */
typedef void probe_read_answer_fn(void *arg, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data);

/* probe_read_answers goes over an answer. What was not asked for may be in it. */
void probe_read_answers(const struct audit_inventory *inventory, struct cluster_fan_batch *batch,
    probe_read_answer_fn *take, void *arg);

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
