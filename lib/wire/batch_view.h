/*
 * batch_view: the header of a record batch, read in place.
 *
 * A view holds the header's fields and points to the batch; nothing is copied, and parsing looks at
 * the header only: neither CRC nor records are checked. It lives as long as the bytes. All magics
 * are read: what Kafka calls a batch is, in formats v0 and v1, one message, which may be a wrapper
 * around a compressed message set.
 *
 * Layout of v2 (KIP-98), big-endian: base offset 8, length of what follows 4, partition leader
 * epoch 4, magic 1, CRC-32C of what follows 4, attributes 2, last offset delta 4, base timestamp 8,
 * max timestamp 8, producer id 8, producer epoch 2, base sequence 4, record count 4, records.
 * Layout of v0 and v1: offset 8, length 4, CRC-32 of what follows 4, magic 1, attributes 1,
 * timestamp 8 (v1 only), key and value, each with an int32 length of which -1 is null.
 */
#ifndef LIB_WIRE_BATCH_VIEW_H
#define LIB_WIRE_BATCH_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/wire/compress.h"

#define BATCH_VIEW_HEADER_BYTES 61
#define BATCH_VIEW_OVERHEAD_BYTES 12 /* base offset and length, which the length does not count */
#define BATCH_VIEW_MAGIC_AT 16

/* Positions in a batch of format v2. */
#define BATCH_VIEW_LENGTH_AT 8
#define BATCH_VIEW_LEADER_EPOCH_AT 12
#define BATCH_VIEW_CRC_AT 17
#define BATCH_VIEW_ATTRIBUTES_AT 21 /* the CRC covers everything from here on */
#define BATCH_VIEW_LAST_OFFSET_DELTA_AT 23
#define BATCH_VIEW_BASE_TIMESTAMP_AT 27
#define BATCH_VIEW_MAX_TIMESTAMP_AT 35
#define BATCH_VIEW_PRODUCER_ID_AT 43
#define BATCH_VIEW_PRODUCER_EPOCH_AT 51
#define BATCH_VIEW_BASE_SEQUENCE_AT 53
#define BATCH_VIEW_RECORD_COUNT_AT 57

/* Bits of the attributes; the lowest three are the codec. */
#define BATCH_VIEW_CODEC_MASK 0x07
#define BATCH_VIEW_LOG_APPEND_TIME 0x08
#define BATCH_VIEW_TRANSACTIONAL 0x10
#define BATCH_VIEW_CONTROL 0x20
#define BATCH_VIEW_DELETE_HORIZON 0x40
#define BATCH_VIEW_KNOWN_BITS 0x7f

/* No producer, no sequence, no leader epoch, no timestamp. */
#define BATCH_VIEW_NONE (-1)

/*
 * In formats v0 and v1 base_offset is the offset stored (a wrapper's is that of its last message),
 * last_offset_delta 0, both timestamps the message's own (-1 in v0), record_count 1 or, for a
 * wrapper, -1 (unknown), and the producer's fields and the leader epoch are BATCH_VIEW_NONE.
 */
struct batch_view {
    const uint8_t *data;
    size_t size; /* of the whole batch */
    int64_t base_offset;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t producer_id;
    uint32_t crc; /* as stored */
    int32_t leader_epoch;
    int32_t last_offset_delta;
    int32_t base_sequence;
    int32_t record_count;
    int16_t attributes;
    int16_t producer_epoch;
    int8_t magic;
};

/*
 * batch_view_begin tells whether a batch of some format may begin at data: RC_CORRUPT for a length
 * below that of any format or a magic outside 0 to 2, RC_TRUNCATED where these are not there whole.
 */
MUST_CHECK enum rc batch_view_begin(const void *data, size_t size, struct err *e);

/*
 * batch_view_parse reads the batch that begins at data, of which `size` bytes are there.
 * RC_TRUNCATED where the batch is longer than that; RC_CORRUPT for a length below the format's
 * minimum or a magic outside 0 to 2.
 */
MUST_CHECK enum rc batch_view_parse(
    const void *data, size_t size, struct batch_view *out, struct err *e);

/* What is left of a row of batches. */
struct batch_view_cursor {
    const uint8_t *data;
    size_t size;
};

/*
 * batch_view_next reads the next batch of a row and moves behind it; *found is false at the end. A
 * last batch that is cut, as fetch replies may have, ends the row too: the cursor's size is then
 * that of the piece, else 0, and e stays as it was. RC_CORRUPT as batch_view_parse, and the cursor
 * stays.
 */
MUST_CHECK enum rc batch_view_next(
    struct batch_view_cursor *cursor, struct batch_view *out, bool *found, struct err *e);

/* batch_view_codec returns the codec's number, which may be unknown to enum compress_codec. */
enum compress_codec batch_view_codec(const struct batch_view *batch);

bool batch_view_is_log_append_time(const struct batch_view *batch);
bool batch_view_is_transactional(const struct batch_view *batch);
bool batch_view_is_control(const struct batch_view *batch);

/* batch_view_has_producer tells whether the batch carries a producer id. */
bool batch_view_has_producer(const struct batch_view *batch);

/* batch_view_delete_horizon_ms returns when tombstones of a compacted batch may go (KIP-534), or
 * BATCH_VIEW_NONE. */
int64_t batch_view_delete_horizon_ms(const struct batch_view *batch);

/* batch_view_last_offset and batch_view_next_offset return the offset of the last record, also
 * where compaction took it away, and the one behind it. */
int64_t batch_view_last_offset(const struct batch_view *batch);
int64_t batch_view_next_offset(const struct batch_view *batch);

/* batch_view_last_sequence and batch_view_next_sequence do so for sequence numbers;
 * BATCH_VIEW_NONE where the batch has none. */
int32_t batch_view_last_sequence(const struct batch_view *batch);
int32_t batch_view_next_sequence(const struct batch_view *batch);

/* batch_view_sequence_add counts sequence numbers on: 0 follows the largest. */
int32_t batch_view_sequence_add(int32_t sequence, int32_t count);

/* batch_view_crc computes the checksum over the batch's bytes, batch_view_is_intact compares it
 * with the one stored. This reads the whole batch. */
uint32_t batch_view_crc(const struct batch_view *batch);
bool batch_view_is_intact(const struct batch_view *batch);

/* batch_view_crc_behind returns the CRC-32C of what gave `crc` with a whole batch behind it, as
 * crc32c_extend would. Of a large one it reads the header alone, since the checksum that stands
 * there covers the rest: only for batches that are known to be intact. */
uint32_t batch_view_crc_behind(uint32_t crc, const uint8_t *batch, size_t size);

#endif
