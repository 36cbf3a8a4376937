#include "refbroker/log/object.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define MAGIC "KDLOBJ\r\n"
#define INDEX_BYTES_MAX ((size_t)1 << 30)

void
object_begin(struct buf *out)
{
    uint8_t header[OBJECT_HEADER_BYTES] = {0};

    memcpy(header, MAGIC, 8);
    codec_bytes_put_int32(header + 8, OBJECT_FORMAT_VERSION);
    buf_append(out, header, sizeof header);
}

void
object_end(struct buf *out, size_t at, const struct object_run *runs, size_t count)
{
    uint8_t footer[OBJECT_FOOTER_BYTES];
    size_t start = out->size;

    for (size_t i = 0; i < count; i++) {
        uint8_t entry[OBJECT_ENTRY_BYTES];

        memcpy(entry, &runs[i].topic_id, sizeof runs[i].topic_id);
        codec_bytes_put_int32(entry + 16, runs[i].partition);
        codec_bytes_put_int64(entry + 20, runs[i].run.base_offset);
        codec_bytes_put_int64(entry + 28, runs[i].run.last_offset);
        codec_bytes_put_int64(entry + 36, runs[i].run.max_timestamp);
        codec_bytes_put_int64(entry + 44, runs[i].run.position);
        codec_bytes_put_int32(entry + 52, (int32_t)runs[i].run.size);
        codec_bytes_put_int32(entry + 56, (int32_t)runs[i].run.crc);
        codec_bytes_put_int32(entry + 60, 0);
        buf_append(out, entry, sizeof entry);
    }
    if (buf_is_overflowed(out))
        return;
    codec_bytes_put_int64(footer, (int64_t)at);
    codec_bytes_put_int32(footer + 8, (int32_t)(out->size - start));
    codec_bytes_put_int32(footer + 12, (int32_t)crc32c_of(out->data + start, out->size - start));
    memcpy(footer + 16, MAGIC, 8);
    buf_append(out, footer, sizeof footer);
}

/* A server that is told the object's checksum finds what is damaged on the way. Runs have one of
 * their own, and where there are none yet, batches have. */
static uint32_t
crc_of(const struct pieces *object, const struct object_run *runs, size_t run_count)
{
    const struct pieces_item *first = object->items, *last = first + object->count - 1;
    uint32_t crc = crc32c_of(first->data, first->size);

    for (size_t i = 0; i < run_count; i++)
        crc = crc32c_join(crc, runs[i].run.crc, runs[i].run.size);
    for (const struct pieces_item *batch = first + 1; run_count == 0 && batch < last; batch++)
        crc = batch_view_crc_behind(crc, batch->data, batch->size);
    return crc32c_extend(crc, last->data, last->size);
}

enum rc
object_put(struct store *store, const char *key, const struct pieces_item *batches, size_t count,
    const struct object_run *runs, size_t run_count, size_t *object_bytes, struct err *e)
{
    struct pieces_item *items = xcalloc(count + 2, sizeof *items);
    struct buf ends; /* header, index and footer */
    struct pieces pieces;
    enum rc rc;

    buf_init(&ends, INDEX_BYTES_MAX);
    object_begin(&ends);
    memcpy(items + 1, batches, count * sizeof *items);
    object_end(&ends, OBJECT_HEADER_BYTES + pieces_of(batches, count).size, runs, run_count);
    items[0] = (struct pieces_item){ends.data, OBJECT_HEADER_BYTES};
    items[count + 1] =
        (struct pieces_item){ends.data + OBJECT_HEADER_BYTES, ends.size - OBJECT_HEADER_BYTES};
    pieces = pieces_of(items, count + 2);
    pieces.crc32c = crc_of(&pieces, runs, run_count);
    pieces.has_crc32c = true;
    *object_bytes = pieces.size;
    rc = buf_is_overflowed(&ends) ? err_set(e, RC_LIMIT, "an object of too many runs")
                                  : store_put_pieces(store, key, &pieces, e);
    buf_fini(&ends);
    free(items);
    return rc;
}

static enum rc
entry_read(const uint8_t *p, int64_t index_at, struct object_run *out, struct err *e)
{
    memcpy(&out->topic_id, p, sizeof out->topic_id);
    out->partition = codec_bytes_int32(p + 16);
    out->run.base_offset = codec_bytes_int64(p + 20);
    out->run.last_offset = codec_bytes_int64(p + 28);
    out->run.max_timestamp = codec_bytes_int64(p + 36);
    out->run.log_append_time = -1;
    out->run.position = codec_bytes_int64(p + 44);
    out->run.size = (uint32_t)codec_bytes_int32(p + 52);
    out->run.crc = (uint32_t)codec_bytes_int32(p + 56);
    if (out->partition < 0 || out->run.base_offset < 0 ||
        out->run.last_offset < out->run.base_offset || out->run.position < OBJECT_HEADER_BYTES ||
        out->run.position > index_at || (int64_t)out->run.size > index_at - out->run.position)
        return err_set(e, RC_CORRUPT, "an entry of the object's index makes no sense");
    return RC_OK;
}

enum rc
object_parse(
    const uint8_t *data, size_t size, struct object_run **runs, size_t *count, struct err *e)
{
    const uint8_t *footer;
    int64_t at, bytes;
    enum rc rc = RC_OK;

    *runs = NULL;
    *count = 0;
    if (size < OBJECT_HEADER_BYTES + OBJECT_FOOTER_BYTES || memcmp(data, MAGIC, 8) != 0 ||
        memcmp(data + size - 8, MAGIC, 8) != 0)
        return err_set(e, RC_CORRUPT, "this is no object of refbroker, or it is cut");
    footer = data + size - OBJECT_FOOTER_BYTES;
    if (codec_bytes_int32(data + 8) != OBJECT_FORMAT_VERSION)
        return err_set(e, RC_UNSUPPORTED, "its format is version %d", codec_bytes_int32(data + 8));
    at = codec_bytes_int64(footer);
    bytes = codec_bytes_int32(footer + 8);
    if (at < OBJECT_HEADER_BYTES || bytes < 0 || bytes % OBJECT_ENTRY_BYTES != 0 ||
        at + bytes != (int64_t)(size - OBJECT_FOOTER_BYTES) ||
        crc32c_of(data + at, (size_t)bytes) != (uint32_t)codec_bytes_int32(footer + 12))
        return err_set(e, RC_CORRUPT, "the object's index is damaged");
    *count = (size_t)bytes / OBJECT_ENTRY_BYTES;
    *runs = xcalloc(*count, sizeof **runs);
    for (size_t i = 0; i < *count && rc == RC_OK; i++)
        rc = entry_read(data + at + i * OBJECT_ENTRY_BYTES, at, &(*runs)[i], e);
    return rc;
}
