/*
 * batch_peer: our side of the comparison of record batches with Apache Kafka (kdl.codec.BatchOracle
 * is the other one, README.md has the format).
 *
 *   batch_peer make SEED N FILE   record sets that we build, and FILE.json: what should be in them
 *   batch_peer check FILE         the same lines for sets built by Kafka; exit 1 where we refuse
 * one
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/codec_bytes.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)
#define BATCH_BYTES_MAX ((size_t)1 << 26)
#define TIME_MS INT64_C(1700000000000)

enum kind {
    PLAIN,
    IDEMPOTENT,
    TRANSACTIONAL,
    APPEND_TIME,
    COMPACTED,
    HORIZON,
    LARGE,
    RECODED,
    REWRITTEN,
    MARKER,
    EMPTY,
    KINDS
};

static void
hex_print(FILE *out, const uint8_t *data, int32_t size)
{
    if (size < 0) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (int32_t i = 0; i < size; i++)
        fprintf(out, "%02x", data[i]);
    fputc('"', out);
}

static void
record_print(FILE *out, const struct batch_records_record *record, bool first)
{
    struct batch_records_headers headers = record->headers;
    struct batch_records_header header;
    const char *comma = "";

    fprintf(out, "%s{\"offset\":%" PRId64 ",\"timestamp\":%" PRId64 ",\"key\":", first ? "" : ",",
        record->offset, record->timestamp);
    hex_print(out, record->key, record->key_size);
    fputs(",\"value\":", out);
    hex_print(out, record->value, record->value_size);
    fputs(",\"headers\":[", out);
    for (; batch_records_header_next(&headers, &header); comma = ",") {
        fprintf(out, "%s[", comma);
        hex_print(out, header.key, header.key_size);
        fputc(',', out);
        hex_print(out, header.value, header.value_size);
        fputc(']', out);
    }
    fputs("]}", out);
}

static const char *
timestamp_type(const struct batch_view *batch)
{
    if (batch->magic == 0)
        return "NoTimestampType";
    return batch_view_is_log_append_time(batch) ? "LogAppendTime" : "CreateTime";
}

static void
batch_print(FILE *out, unsigned entry, const struct batch_view *batch, int64_t first_offset)
{
    bool old = batch->magic < 2;

    fprintf(out,
        "{\"entry\":%u,\"magic\":%d,\"size\":%zu,\"crc\":%" PRIu32 ",\"codec\":\"%s\","
        "\"timestamp_type\":\"%s\",\"base_offset\":%" PRId64 ",\"last_offset\":%" PRId64
        ",\"base_timestamp\":%" PRId64 ",\"max_timestamp\":%" PRId64 ",\"leader_epoch\":%" PRId32
        ",\"producer_id\":%" PRId64 ",\"producer_epoch\":%d,\"base_sequence\":%" PRId32
        ",\"last_sequence\":%" PRId32 ",\"transactional\":%s,\"control\":%s,"
        "\"delete_horizon_ms\":%" PRId64 ",\"records\":[",
        entry, batch->magic, batch->size, batch->crc, compress_name(batch_view_codec(batch)),
        timestamp_type(batch), old ? first_offset : batch->base_offset,
        batch_view_last_offset(batch), old ? -1 : batch->base_timestamp, batch->max_timestamp,
        batch->leader_epoch, batch->producer_id, batch->producer_epoch, batch->base_sequence,
        batch_view_last_sequence(batch), batch_view_is_transactional(batch) ? "true" : "false",
        batch_view_is_control(batch) ? "true" : "false", batch_view_delete_horizon_ms(batch));
}

/* One line for a batch whose CRC and records are right. */
static enum rc
batch_line(
    FILE *out, unsigned entry, const struct batch_view *batch, struct buf *scratch, struct err *e)
{
    struct batch_records records;
    struct batch_records_record record;
    bool found, first = true;
    enum rc rc;

    if (!batch_view_is_intact(batch))
        return err_set(e, RC_CORRUPT, "wrong CRC");
    rc = batch_records_open(&records, batch, scratch, BATCH_BYTES_MAX, e);
    while (rc == RC_OK) {
        rc = batch_records_next(&records, &record, &found, e);
        if (rc != RC_OK)
            break;
        if (first)
            batch_print(out, entry, batch, found ? record.offset : -1);
        if (!found)
            break;
        record_print(out, &record, first);
        first = false;
    }
    if (rc == RC_OK)
        fputs("]}\n", out);
    return rc;
}

static enum rc
set_lines(
    FILE *out, unsigned entry, const uint8_t *data, size_t size, struct buf *scratch, struct err *e)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_view batch;
    bool found;
    enum rc rc;

    for (;;) {
        rc = batch_view_next(&cursor, &batch, &found, e);
        if (rc != RC_OK)
            return rc;
        if (!found)
            return cursor.size == 0 ? RC_OK : err_set(e, RC_CORRUPT, "a cut batch");
        rc = batch_line(out, entry, &batch, scratch, e);
        if (rc != RC_OK)
            return rc;
    }
}

static int
file_read(const char *path, struct buf *out)
{
    FILE *in = fopen(path, "rb");
    size_t n;
    void *room;

    if (in == NULL)
        return fprintf(stderr, "batch_peer: %s: %s\n", path, strerror(errno)), 1;
    do {
        room = buf_reserve(out, 1 << 16);
        n = room == NULL ? 0 : fread(room, 1, 1 << 16, in);
        if (n > 0)
            buf_commit(out, n);
    } while (n > 0);
    fclose(in);
    return 0;
}

static int
check(const char *path)
{
    struct buf file, scratch;
    struct err e;
    size_t at = 0;
    int bad = 0;

    buf_init(&file, FILE_BYTES_MAX);
    buf_init(&scratch, BATCH_BYTES_MAX);
    if (file_read(path, &file) != 0)
        return 1;
    for (unsigned entry = 0; at + 4 <= file.size; entry++) {
        size_t size = (uint32_t)codec_bytes_int32(file.data + at);

        if (size > file.size - at - 4) {
            fprintf(stderr, "batch_peer: the file ends inside entry %u\n", entry);
            bad = 1;
            break;
        }
        if (set_lines(stdout, entry, file.data + at + 4, size, &scratch, &e) != RC_OK) {
            printf("{\"entry\":%u,\"error\":\"%s\"}\n", entry, e.text);
            bad = 1;
        }
        at += 4 + size;
    }
    buf_fini(&file);
    buf_fini(&scratch);
    return bad;
}

struct maker {
    struct env env;
    struct batch_builder builder;
    struct buf scratch;
    uint8_t noise[100000];
};

static int64_t
dice(struct maker *maker, int64_t sides)
{
    return (int64_t)env_random_below(&maker->env, (uint64_t)sides);
}

static int32_t
blob(struct maker *maker, bool large, const void **data)
{
    int32_t size = (int32_t)dice(maker, large ? (int64_t)sizeof maker->noise : 40);

    *data = dice(maker, 5) == 0 ? NULL
                                : maker->noise + dice(maker, (int64_t)sizeof maker->noise - size);
    return size;
}

static struct batch_builder_options
options_of(struct maker *maker, enum kind kind)
{
    struct batch_builder_options options = batch_builder_defaults();

    options.codec = (enum compress_codec)dice(maker, COMPRESS_CODECS);
    options.base_offset = dice(maker, 3) == 0 ? 0 : dice(maker, INT64_C(1) << dice(maker, 60));
    options.leader_epoch = (int32_t)dice(maker, 100) - 1;
    options.transactional = kind == TRANSACTIONAL;
    if (kind == IDEMPOTENT || kind == TRANSACTIONAL) {
        options.producer_id = dice(maker, 4) == 0 ? INT64_MAX : dice(maker, 1 << 20);
        options.producer_epoch = (int16_t)dice(maker, INT16_MAX + 1);
        options.base_sequence = dice(maker, 2) == 0 ? INT32_MAX - (int32_t)dice(maker, 3)
                                                    : (int32_t)dice(maker, 1 << 20);
    }
    if (kind == APPEND_TIME)
        options.append_time_ms = TIME_MS + dice(maker, 1 << 20);
    if (kind == HORIZON)
        options.delete_horizon_ms = TIME_MS + dice(maker, 1 << 20);
    return options;
}

static enum rc
fill(struct maker *maker, enum kind kind, int64_t base, struct err *e)
{
    int64_t count = kind == EMPTY ? 0 : 1 + dice(maker, kind == LARGE ? 3 : 6);
    int64_t offset = base;
    enum rc rc = RC_OK;

    for (int64_t i = 0; i < count && rc == RC_OK; i++) {
        struct batch_builder_header headers[4];
        struct batch_builder_record record = {.headers = headers};

        offset += kind == COMPACTED ? dice(maker, 1000) : 0;
        record.offset = offset++;
        record.timestamp = dice(maker, 10) == 0 ? dice(maker, INT64_C(1) << 50)
                                                : TIME_MS - 100000 + dice(maker, 200000);
        record.key_size = blob(maker, false, &record.key);
        record.value_size = blob(maker, kind == LARGE, &record.value);
        record.header_count = (int32_t)dice(maker, 2) * (int32_t)dice(maker, 4);
        for (int32_t h = 0; h < record.header_count; h++) {
            headers[h].key = "some header's name";
            headers[h].key_size = (int32_t)dice(maker, 19);
            headers[h].value_size = blob(maker, false, &headers[h].value);
        }
        rc = batch_builder_append(&maker->builder, &record, e);
    }
    if (rc == RC_OK && (kind == COMPACTED || kind == EMPTY))
        rc = batch_builder_reach(&maker->builder, offset + dice(maker, 3), e);
    return rc;
}

static enum rc
marker_make(struct maker *maker, struct buf *out, struct err *e)
{
    struct batch_builder_marker marker = {.base_offset = dice(maker, INT64_C(1) << 40),
        .producer_id = dice(maker, 1 << 20),
        .timestamp = TIME_MS,
        .leader_epoch = (int32_t)dice(maker, 100),
        .coordinator_epoch = (int32_t)dice(maker, 100),
        .producer_epoch = (int16_t)dice(maker, 100),
        .commit = dice(maker, 2) == 0};

    return batch_builder_marker(&marker, out, e);
}

static void
header_change(struct maker *maker, struct buf *out)
{
    struct batch_rewrite change = {.fields = (unsigned)dice(maker, 32),
        .base_offset = dice(maker, INT64_C(1) << 40),
        .max_timestamp = TIME_MS + dice(maker, 1000),
        .producer_id = dice(maker, 1 << 20),
        .leader_epoch = (int32_t)dice(maker, 1000),
        .base_sequence = (int32_t)dice(maker, 1000),
        .producer_epoch = (int16_t)dice(maker, 1000),
        .log_append_time = dice(maker, 2) == 0,
        .transactional = dice(maker, 2) == 0};

    batch_rewrite_header(out->data, out->size, &change);
}

static enum rc
set_make(struct maker *maker, enum kind kind, struct buf *out, struct err *e)
{
    struct batch_builder_options options = options_of(maker, kind);
    struct batch_view batch;
    struct buf plain;
    enum rc rc;

    if (kind == MARKER)
        return marker_make(maker, out, e);
    batch_builder_start(&maker->builder, &options);
    rc = fill(maker, kind, options.base_offset, e);
    if (rc != RC_OK || kind != RECODED) {
        rc = rc == RC_OK ? batch_builder_finish(&maker->builder, out, e) : rc;
        if (rc == RC_OK && kind == REWRITTEN)
            header_change(maker, out);
        return rc;
    }
    buf_init(&plain, BATCH_BYTES_MAX);
    rc = batch_builder_finish(&maker->builder, &plain, e);
    if (rc == RC_OK)
        rc = batch_view_parse(plain.data, plain.size, &batch, e);
    if (rc == RC_OK)
        rc = batch_rewrite_codec(&batch, (enum compress_codec)dice(maker, COMPRESS_CODECS),
            &maker->scratch, BATCH_BYTES_MAX, out, e);
    buf_fini(&plain);
    return rc;
}

static int
make(uint64_t seed, unsigned count, const char *path)
{
    struct maker *maker = xcalloc(1, sizeof *maker);
    char *json_path = xasprintf("%s.json", path);
    FILE *out = fopen(path, "wb"), *json = fopen(json_path, "wb");
    enum rc rc = out == NULL || json == NULL ? RC_IO : RC_OK;
    struct err e = {.code = rc};
    struct buf set;

    env_init_seeded(&maker->env, seed, 0);
    env_random_bytes(&maker->env, maker->noise, sizeof maker->noise / 2);
    batch_builder_init(&maker->builder, BATCH_BYTES_MAX);
    buf_init(&maker->scratch, BATCH_BYTES_MAX);
    buf_init(&set, BATCH_BYTES_MAX);
    for (unsigned i = 0; i < count && rc == RC_OK; i++) {
        uint8_t length[4];

        buf_clear(&set);
        rc = set_make(maker, (enum kind)(i % KINDS), &set, &e);
        if (rc == RC_OK)
            rc = set_lines(json, i, set.data, set.size, &maker->scratch, &e);
        codec_bytes_put_int32(length, (int32_t)set.size);
        if (rc == RC_OK &&
            (fwrite(length, 1, 4, out) != 4 || fwrite(set.data, 1, set.size, out) != set.size))
            rc = err_set_errno(&e, RC_IO, errno, "%s", path);
    }
    if (out != NULL && fclose(out) != 0)
        rc = err_set_errno(&e, RC_IO, errno, "%s", path);
    if (json != NULL && fclose(json) != 0)
        rc = err_set_errno(&e, RC_IO, errno, "%s", json_path);
    if (rc != RC_OK)
        fprintf(stderr, "batch_peer: %s\n", e.text);
    batch_builder_fini(&maker->builder);
    buf_fini(&maker->scratch);
    buf_fini(&set);
    free(json_path);
    free(maker);
    return rc == RC_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(strtoull(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10), argv[4]);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(argv[2]);
    fputs("usage: batch_peer make SEED N FILE (writes FILE and FILE.json) | check FILE\n", stderr);
    return 2;
}
