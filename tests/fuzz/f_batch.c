/*
 * f_batch: any bytes as a row of record batches, as a client fetches them and as a broker checks
 * them.
 *
 * Input: one byte of switches, then the batches. A switch mends the CRCs, so that the fuzzer gets
 * behind them; the others are the topic's configuration. What can be read must be what a batch
 * built anew from it gives back.
 */
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/batch_validate.h"
#include "lib/wire/codec_bytes.h"

#define MEND_CRC 0x01
#define COMPACTED 0x02
#define APPEND_TIME 0x04
#define STRICT_TIME 0x08

#define UNCOMPRESSED_MAX ((size_t)1 << 20)
#define MEMORY_BASE ((size_t)1 << 17)
#define MEMORY_PER_BYTE 64
#define HEADERS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct buf set;
static struct buf scratch;
static struct buf other_scratch;
static struct buf rebuilt;
static struct batch_builder builder;

static void
start(void)
{
    if (set.size_max != 0)
        return;
    arena_init(&arena, (size_t)1 << 24);
    buf_init(&set, (size_t)1 << 24);
    buf_init(&scratch, SIZE_MAX / 4);
    buf_init(&other_scratch, SIZE_MAX / 4);
    buf_init(&rebuilt, (size_t)1 << 24);
    batch_builder_init(&builder, (size_t)1 << 23);
}

static void
crcs_mend(void)
{
    struct batch_view_cursor cursor = {set.data, set.size};
    struct batch_view batch;
    bool found;

    while (batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found)
        codec_bytes_put_int32(
            set.data + (batch.data - set.data) + (batch.magic == 2 ? BATCH_VIEW_CRC_AT : 12),
            (int32_t)batch_view_crc(&batch));
}

static bool
blob_equal(const uint8_t *a, int32_t a_size, const uint8_t *b, int32_t b_size)
{
    return a_size == b_size && (a_size <= 0 || memcmp(a, b, (size_t)a_size) == 0);
}

/* Appends a record to the builder; false where the source's offsets do not ascend, or it has more
 * headers than we care for. */
static bool
record_copy(const struct batch_records_record *record)
{
    struct batch_builder_header headers[HEADERS_MAX];
    struct batch_records_headers cursor = record->headers;
    struct batch_records_header header;
    int32_t count = 0;

    for (; batch_records_header_next(&cursor, &header); count++)
        if (count < HEADERS_MAX)
            headers[count] = (struct batch_builder_header){
                header.key, header.value, header.key_size, header.value_size};
    return count <= HEADERS_MAX && batch_builder_append(&builder,
                                       &(struct batch_builder_record){.offset = record->offset,
                                           .timestamp = record->timestamp,
                                           .key = record->key,
                                           .value = record->value,
                                           .headers = headers,
                                           .key_size = record->key_size,
                                           .value_size = record->value_size,
                                           .header_count = count},
                                       NULL) == RC_OK;
}

/* Reads `batch` and, where all went into the builder, compares with the batch built from it. */
static void
rebuilt_compare(const struct batch_view *batch)
{
    struct batch_records mine, theirs;
    struct batch_records_record a, b;
    struct batch_view view;
    bool found, found_too;

    buf_clear(&rebuilt);
    REQUIRE(batch_builder_finish(&builder, &rebuilt, NULL) == RC_OK);
    REQUIRE(batch_view_parse(rebuilt.data, rebuilt.size, &view, NULL) == RC_OK);
    REQUIRE(batch_view_is_intact(&view));
    REQUIRE(batch_records_open(&mine, &view, &other_scratch, UNCOMPRESSED_MAX * 8, NULL) == RC_OK);
    REQUIRE(batch_records_open(&theirs, batch, &scratch, UNCOMPRESSED_MAX, NULL) == RC_OK);
    do {
        REQUIRE(batch_records_next(&mine, &a, &found, NULL) == RC_OK);
        REQUIRE(batch_records_next(&theirs, &b, &found_too, NULL) == RC_OK);
        REQUIRE(found == found_too);
        if (found)
            REQUIRE(a.offset == b.offset && a.timestamp == b.timestamp &&
                    blob_equal(a.key, a.key_size, b.key, b.key_size) &&
                    blob_equal(a.value, a.value_size, b.value, b.value_size) &&
                    a.headers.left == b.headers.left);
    } while (found);
}

static void
batch_read(const struct batch_view *batch)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_records_record record;
    struct batch_records records;
    bool found = true, copied = true;
    int32_t count = 0;
    enum rc rc = batch_records_open(&records, batch, &scratch, UNCOMPRESSED_MAX, NULL);

    REQUIRE(rc == RC_OK || rc == RC_CORRUPT || rc == RC_LIMIT || rc == RC_UNSUPPORTED);
    REQUIRE(scratch.size <= UNCOMPRESSED_MAX);
    options.base_offset = batch->magic == 2 ? batch->base_offset : 0;
    options.codec = (enum compress_codec)(batch->crc % COMPRESS_CODECS);
    batch_builder_start(&builder, &options);
    while (rc == RC_OK && found) {
        rc = batch_records_next(&records, &record, &found, NULL);
        REQUIRE(rc == RC_OK || rc == RC_CORRUPT);
        if (rc == RC_OK && found) {
            count++;
            copied = copied && record_copy(&record);
        }
    }
    if (rc == RC_OK && copied && count > 0)
        rebuilt_compare(batch);
}

static void
recode(const struct batch_view *batch)
{
    struct batch_view view;

    buf_clear(&rebuilt);
    if (batch_rewrite_codec(batch, (enum compress_codec)(batch->crc % COMPRESS_CODECS), &scratch,
            UNCOMPRESSED_MAX, &rebuilt, NULL) != RC_OK)
        return;
    REQUIRE(batch_view_parse(rebuilt.data, rebuilt.size, &view, NULL) == RC_OK);
    REQUIRE(view.size == rebuilt.size && batch_view_is_intact(&view));
}

static void
judge(uint8_t switches)
{
    struct batch_validate_rules rules = {.now_ms = INT64_C(1700000000000),
        .timestamp_before_max_ms = (switches & STRICT_TIME) != 0 ? 1000 : INT64_MAX,
        .timestamp_after_max_ms = (switches & STRICT_TIME) != 0 ? 1000 : INT64_MAX,
        .batch_bytes_max = (size_t)1 << 20,
        .uncompressed_bytes_max = UNCOMPRESSED_MAX,
        .produce_version = 3 + (switches >> 4),
        .log_append_time = (switches & APPEND_TIME) != 0,
        .compacted = (switches & COMPACTED) != 0};
    struct batch_validate_result result;
    struct batch_rewrite change = {.fields = ~0u, .base_offset = 7, .max_timestamp = 5};
    struct batch_view view;

    arena_reset(&arena);
    REQUIRE(batch_validate(set.data, set.size, &rules, &arena, &scratch, &result, NULL) == RC_OK);
    REQUIRE(arena.used_bytes <= MEMORY_BASE + 2 * UNCOMPRESSED_MAX);
    if (result.fault != BATCH_VALIDATE_OK)
        return;
    REQUIRE(result.batch.size <= set.size && result.error_count == 0);
    batch_rewrite_header(set.data, result.batch.size, &change);
    REQUIRE(batch_view_parse(set.data, set.size, &view, NULL) == RC_OK);
    REQUIRE(batch_view_is_intact(&view) && view.base_offset == 7);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_view_cursor cursor;
    struct batch_view batch;
    bool found;

    start();
    if (size == 0)
        return 0;
    buf_clear(&set);
    buf_append(&set, data + 1, size - 1);
    if (buf_is_overflowed(&set))
        return 0;
    if ((data[0] & MEND_CRC) != 0)
        crcs_mend();
    buf_fini(&scratch);
    cursor = (struct batch_view_cursor){set.data, set.size};
    while (batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found) {
        REQUIRE(batch.data >= set.data && batch.data + batch.size <= set.data + set.size);
        batch_read(&batch);
        if (batch.magic == 2)
            recode(&batch);
    }
    REQUIRE(scratch.capacity <= MEMORY_BASE + MEMORY_PER_BYTE * size + 4 * UNCOMPRESSED_MAX);
    judge(data[0]);
    return 0;
}
