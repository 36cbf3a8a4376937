#include "refbroker/coord/share_record.h"

#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/limits.h"

#define VALUE_VERSION 0

static void
number_append(struct buf *out, int16_t number)
{
    uint8_t bytes[2];

    codec_bytes_put_int16(bytes, number);
    buf_append(out, bytes, sizeof bytes);
}

enum rc
share_record_key(
    enum share_record_type type, const struct share_key *key, struct buf *out, struct err *e)
{
    struct wire_string group_id = codec_string(key->group_id);
    struct km_share_snapshot_key snapshot = {group_id, key->topic_id, key->partition};
    struct km_share_update_key update = {group_id, key->topic_id, key->partition};

    number_append(out, (int16_t)type);
    return type == SHARE_RECORD_SNAPSHOT
               ? codec_encode(&km_share_snapshot_key_message, 0, &snapshot, out, e)
               : codec_encode(&km_share_update_key_message, 0, &update, out, e);
}

/* --- values ---------------------------------------------------------------------------------- */

static enum rc
snapshot_append(
    const struct share_state *state, struct arena *arena, struct buf *out, struct err *e)
{
    struct km_share_snapshot_value value = {.snapshot_epoch = state->snapshot_epoch,
        .state_epoch = state->state_epoch,
        .leader_epoch = state->leader_epoch,
        .start_offset = state->start_offset,
        .delivery_complete_count = state->delivery_complete_count,
        .create_timestamp = state->created_ms,
        .write_timestamp = state->written_ms};

    value.state_batches.items =
        codec_array(arena, &km_share_snapshot_value_state_batch_desc, (int32_t)state->batch_count);
    if (value.state_batches.items == NULL)
        return err_set(e, RC_LIMIT, "no memory for a record of a share group");
    value.state_batches.count = (int32_t)state->batch_count;
    for (size_t i = 0; i < state->batch_count; i++) {
        const struct share_batch *batch = &state->batches[i];

        value.state_batches.items[i] = (struct km_share_snapshot_value_state_batch){
            batch->first_offset, batch->last_offset, batch->delivery_state, batch->delivery_count};
    }
    return codec_encode(&km_share_snapshot_value_message, VALUE_VERSION, &value, out, e);
}

static enum rc
update_append(const struct share_state *state, struct arena *arena, struct buf *out, struct err *e)
{
    struct km_share_update_value value = {.snapshot_epoch = state->snapshot_epoch,
        .leader_epoch = state->leader_epoch,
        .start_offset = state->start_offset,
        .delivery_complete_count = state->delivery_complete_count};

    value.state_batches.items =
        codec_array(arena, &km_share_update_value_state_batch_desc, (int32_t)state->batch_count);
    if (value.state_batches.items == NULL)
        return err_set(e, RC_LIMIT, "no memory for a record of a share group");
    value.state_batches.count = (int32_t)state->batch_count;
    for (size_t i = 0; i < state->batch_count; i++) {
        const struct share_batch *batch = &state->batches[i];

        value.state_batches.items[i] = (struct km_share_update_value_state_batch){
            batch->first_offset, batch->last_offset, batch->delivery_state, batch->delivery_count};
    }
    return codec_encode(&km_share_update_value_message, VALUE_VERSION, &value, out, e);
}

enum rc
share_record_value(enum share_record_type type, const struct share_state *state,
    struct arena *arena, struct buf *out, struct err *e)
{
    number_append(out, VALUE_VERSION);
    return type == SHARE_RECORD_SNAPSHOT ? snapshot_append(state, arena, out, e)
                                         : update_append(state, arena, out, e);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Room for the batches of a record, which are checked when they are there. */
static enum rc
batches_make(struct share_state *state, int32_t count, struct arena *arena, struct err *e)
{
    if (count > LIMIT_SHARE_STATE_BATCHES_MAX)
        return err_set(e, RC_CORRUPT, "a record of a share group has %d batches", count);
    state->batch_count = (size_t)count;
    state->batches = arena_array(arena, state->batch_count, sizeof *state->batches);
    return state->batches == NULL ? err_set(e, RC_LIMIT, "no memory for %d batches", count) : RC_OK;
}

static enum rc
snapshot_read(const struct km_share_snapshot_value *value, struct arena *arena,
    struct share_state *out, struct err *e)
{
    enum rc rc = batches_make(out, value->state_batches.count, arena, e);

    out->snapshot_epoch = value->snapshot_epoch;
    out->state_epoch = value->state_epoch;
    out->leader_epoch = value->leader_epoch;
    out->start_offset = value->start_offset;
    out->delivery_complete_count = value->delivery_complete_count;
    out->created_ms = value->create_timestamp;
    out->written_ms = value->write_timestamp;
    for (size_t i = 0; rc == RC_OK && i < out->batch_count; i++) {
        const struct km_share_snapshot_value_state_batch *from = &value->state_batches.items[i];

        out->batches[i] = (struct share_batch){
            from->first_offset, from->last_offset, from->delivery_count, from->delivery_state};
    }
    return rc;
}

static enum rc
update_read(const struct km_share_update_value *value, struct arena *arena, struct share_state *out,
    struct err *e)
{
    enum rc rc = batches_make(out, value->state_batches.count, arena, e);

    out->snapshot_epoch = value->snapshot_epoch;
    out->leader_epoch = value->leader_epoch;
    out->start_offset = value->start_offset;
    out->delivery_complete_count = value->delivery_complete_count;
    for (size_t i = 0; rc == RC_OK && i < out->batch_count; i++) {
        const struct km_share_update_value_state_batch *from = &value->state_batches.items[i];

        out->batches[i] = (struct share_batch){
            from->first_offset, from->last_offset, from->delivery_count, from->delivery_state};
    }
    return rc;
}

static enum rc
key_read(const struct batch_records_record *record, struct arena *arena, struct share_record *out,
    struct err *e)
{
    const uint8_t *body = record->key + 2;
    size_t size = (size_t)record->key_size - 2;
    struct km_share_snapshot_key snapshot;
    struct km_share_update_key update;
    struct wire_string group_id;
    enum rc rc;

    if (out->type == SHARE_RECORD_SNAPSHOT) {
        rc = codec_decode(&km_share_snapshot_key_message, 0, body, size, arena, &snapshot, NULL, e);
        if (rc != RC_OK)
            return rc;
        group_id = snapshot.group_id;
        out->key = (struct share_key){NULL, snapshot.topic_id, snapshot.partition};
    } else {
        rc = codec_decode(&km_share_update_key_message, 0, body, size, arena, &update, NULL, e);
        if (rc != RC_OK)
            return rc;
        group_id = update.group_id;
        out->key = (struct share_key){NULL, update.topic_id, update.partition};
    }
    if (group_id.size <= 0 || memchr(group_id.data, '\0', (size_t)group_id.size) != NULL)
        return err_set(e, RC_CORRUPT, "a record of a share group has no group that can be");
    out->key.group_id = arena_dup(arena, group_id.data, (size_t)group_id.size);
    return out->key.group_id == NULL ? err_set(e, RC_LIMIT, "no memory for a group's id") : RC_OK;
}

static enum rc
value_read(const struct batch_records_record *record, struct arena *arena, struct share_record *out,
    struct err *e)
{
    const uint8_t *body = record->value + 2;
    size_t size = (size_t)record->value_size - 2;
    struct km_share_snapshot_value snapshot;
    struct km_share_update_value update;
    enum rc rc;

    if (record->value_size < 2 || codec_bytes_int16(record->value) != VALUE_VERSION)
        return err_set(e, RC_UNSUPPORTED, "a record of a share group of another version");
    if (out->type == SHARE_RECORD_SNAPSHOT) {
        rc = codec_decode(
            &km_share_snapshot_value_message, VALUE_VERSION, body, size, arena, &snapshot, NULL, e);
        if (rc == RC_OK)
            rc = snapshot_read(&snapshot, arena, &out->state, e);
    } else {
        rc = codec_decode(
            &km_share_update_value_message, VALUE_VERSION, body, size, arena, &update, NULL, e);
        if (rc == RC_OK)
            rc = update_read(&update, arena, &out->state, e);
    }
    if (rc == RC_OK &&
        (out->state.start_offset < SHARE_OFFSET_UNKNOWN ||
            !share_state_batches_are_valid(out->state.batches, out->state.batch_count)))
        rc = err_set(e, RC_CORRUPT, "a record of a share group has offsets that cannot be");
    return rc;
}

enum rc
share_record_read(const struct batch_records_record *record, struct arena *arena,
    struct share_record *out, struct err *e)
{
    int16_t type = record->key_size < 2 ? -1 : codec_bytes_int16(record->key);
    enum rc rc;

    memset(out, 0, sizeof *out);
    if (type != SHARE_RECORD_SNAPSHOT && type != SHARE_RECORD_UPDATE)
        return err_set(e, RC_UNSUPPORTED, "no key of a share group's state");
    out->type = (enum share_record_type)type;
    rc = key_read(record, arena, out, e);
    if (rc != RC_OK)
        return rc;
    out->is_gone = record->value_size < 0;
    if (!out->is_gone)
        return value_read(record, arena, out, e);
    return out->type == SHARE_RECORD_SNAPSHOT
               ? RC_OK
               : err_set(e, RC_CORRUPT, "an update of a share group without a value");
}
