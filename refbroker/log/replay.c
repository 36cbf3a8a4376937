#include "refbroker/log/replay.h"

#include "lib/base/buf.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec_bytes.h"

/* A control batch holds one small record. */
#define CONTROL_BYTES_MAX ((size_t)65536)

struct producer_batch
replay_ask(const struct batch_view *batch)
{
    return (struct producer_batch){
        .producer_id = batch->producer_id,
        .base_offset = batch->base_offset,
        .last_offset = batch_view_last_offset(batch),
        .max_timestamp = batch->max_timestamp,
        .base_sequence = batch->base_sequence,
        .last_sequence = batch_view_last_sequence(batch),
        .producer_epoch = batch->producer_epoch,
        .is_transactional = batch_view_is_transactional(batch),
    };
}

/* The key is version and type (0 abort, 1 commit), the value version and the coordinator's epoch
 * (EndTransactionMarker). */
static void
note_marker(struct producers *producers, const struct batch_view *batch)
{
    struct batch_records_record record;
    struct batch_records records;
    struct buf scratch;
    bool found = false;
    struct err e;
    int32_t coordinator_epoch = -1;

    buf_init(&scratch, CONTROL_BYTES_MAX);
    if (batch_records_open(&records, batch, &scratch, CONTROL_BYTES_MAX, &e) == RC_OK &&
        batch_records_next(&records, &record, &found, &e) == RC_OK && found &&
        record.key_size >= 4 && record.key[2] == 0 && record.key[3] <= 1) {
        if (record.value_size >= 6)
            coordinator_epoch = codec_bytes_int32(record.value + 2);
        producers_note_marker(producers, batch->producer_id, batch->producer_epoch,
            coordinator_epoch, record.offset, record.timestamp, record.key[3] == 1);
    }
    buf_fini(&scratch);
}

void
replay_batch(struct producers *producers, const struct batch_view *batch)
{
    struct producer_batch note;

    if (!batch_view_has_producer(batch))
        return;
    if (batch_view_is_control(batch)) {
        note_marker(producers, batch);
        return;
    }
    note = replay_ask(batch);
    producers_note(producers, &note);
}
