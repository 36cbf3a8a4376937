/*
 * object: the bytes of an object: runs of record batches of many partitions, an index, a footer.
 *
 *     header  8 bytes magic, int32 version, int32 0
 *     runs    each the batches of one partition, byte for byte as the log has them
 *     index   one entry per run: topic id, partition, base and last offset, max timestamp,
 * position, size, CRC-32C footer  position and size of the index, its CRC-32C, magic
 *
 * The index makes an object readable without the database (orphan scan, repair). Numbers are
 * big-endian. The runs need not lie in one place with the rest (lib/base/pieces.h).
 */
#ifndef REFBROKER_LOG_OBJECT_H
#define REFBROKER_LOG_OBJECT_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/pieces.h"
#include "lib/store/store.h"
#include "lib/wire/desc.h"
#include "refbroker/log/run_index.h"

#define OBJECT_FORMAT_VERSION 1
#define OBJECT_HEADER_BYTES 16
#define OBJECT_ENTRY_BYTES 64
#define OBJECT_FOOTER_BYTES 24

/* A run with the partition that it belongs to. */
struct object_run {
    struct wire_uuid topic_id;
    int32_t partition;
    struct run run; /* object_id is not stored */
};

/* object_begin appends the header, OBJECT_HEADER_BYTES. */
void object_begin(struct buf *out);

/* object_end appends index and footer, which begin at `at` in the object; runs' positions, sizes
 * and CRCs are set. */
void object_end(struct buf *out, size_t at, const struct object_run *runs, size_t count);

/*
 * object_put writes an object whose batches lie in `count` places, one run behind the other;
 * header, index and footer are put around them, and nothing is copied. *object_bytes is the size of
 * all of it, set whatever comes of the writing. RC_LIMIT for an index of more than 1 GiB, otherwise
 * what store_put_pieces returns.
 */
MUST_CHECK enum rc object_put(struct store *store, const char *key,
    const struct pieces_item *batches, size_t count, const struct object_run *runs,
    size_t run_count, size_t *object_bytes, struct err *e);

/*
 * object_parse reads footer and index of a whole object in memory; *runs is allocated, the caller
 * frees it. RC_CORRUPT for anything that does not check out, RC_UNSUPPORTED for a newer format.
 */
MUST_CHECK enum rc object_parse(
    const uint8_t *data, size_t size, struct object_run **runs, size_t *count, struct err *e);

#endif
