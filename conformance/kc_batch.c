#include "conformance/kc_batch.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define BATCH_BYTES_MAX ((size_t)64 << 20)
#define TEXT_BYTES 100
#define SIZED_RECORD_BYTES 10
#define SIZED_TRIES 8

int64_t
kc_wall_ms(void)
{
    struct env env;

    env_init_real(&env);
    return env_wall_ms(&env);
}

struct batch_builder_record
kc_record(const char *key, const char *value, int64_t timestamp)
{
    return (struct batch_builder_record){
        .timestamp = timestamp,
        .key = key,
        .key_size = key == NULL ? -1 : (int32_t)strlen(key),
        .value = value,
        .value_size = value == NULL ? -1 : (int32_t)strlen(value),
    };
}

static struct wire_bytes
keep(struct kc *kc, struct buf *out)
{
    struct wire_bytes bytes = {NULL, (int32_t)out->size};
    uint8_t *copy = kc_alloc(kc, out->size, 1);

    memcpy(copy, out->data, out->size);
    bytes.data = copy;
    buf_fini(out);
    return bytes;
}

struct wire_bytes
kc_batch(struct kc *kc, const struct batch_builder_options *options,
    const struct batch_builder_record *records, size_t count)
{
    struct batch_builder_options plain = batch_builder_defaults();
    struct batch_builder builder;
    struct err e = {0};
    struct buf out;
    enum rc rc = RC_OK;

    buf_init(&out, BATCH_BYTES_MAX);
    batch_builder_init(&builder, BATCH_BYTES_MAX);
    batch_builder_start(&builder, options == NULL ? &plain : options);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        struct batch_builder_record record = records[i];

        record.offset = (int64_t)i;
        rc = batch_builder_append(&builder, &record, &e);
    }
    if (rc == RC_OK)
        rc = batch_builder_finish(&builder, &out, &e);
    batch_builder_fini(&builder);
    if (rc != RC_OK)
        kc_error(kc, "a batch cannot be built: %s", e.text);
    return keep(kc, &out);
}

struct wire_bytes
kc_batch_values(struct kc *kc, const char *prefix, size_t count)
{
    struct batch_builder_record *records = kc_alloc(kc, count, sizeof *records);
    int64_t now_ms = kc_wall_ms();

    for (size_t i = 0; i < count; i++)
        records[i] = kc_record(NULL, kc_printf(kc, "%s-%zu", prefix, i), now_ms);
    return kc_batch(kc, NULL, records, count);
}

struct wire_bytes
kc_batch_timed(struct kc *kc, const int64_t *timestamps, size_t count)
{
    struct batch_builder_record *records = kc_alloc(kc, count, sizeof *records);

    for (size_t i = 0; i < count; i++)
        records[i] = kc_record(NULL, kc_printf(kc, "%zu", i), timestamps[i]);
    return kc_batch(kc, NULL, records, count);
}

struct wire_bytes
kc_batch_codec(struct kc *kc, enum compress_codec codec, size_t count)
{
    struct batch_builder_record *records = kc_alloc(kc, count, sizeof *records);
    struct batch_builder_options options = batch_builder_defaults();
    int64_t now_ms = kc_wall_ms();

    for (size_t i = 0; i < count; i++) {
        char *value = kc_alloc(kc, TEXT_BYTES + 1, 1);

        for (size_t k = 0; k < TEXT_BYTES; k++)
            value[k] = (char)('a' + (int)(env_random(&kc->env) % 4));
        records[i] = kc_record(kc_printf(kc, "key-%zu", i), value, now_ms);
    }
    options.codec = codec;
    return kc_batch(kc, &options, records, count);
}

struct wire_bytes
kc_batch_sized(struct kc *kc, size_t size)
{
    int64_t value_size = (int64_t)size - BATCH_VIEW_HEADER_BYTES - SIZED_RECORD_BYTES;
    char *value = kc_alloc(kc, size, 1);

    memset(value, 'x', size);
    /* The lengths in front of the value take a few bytes, which depend on it. */
    for (int i = 0; i < SIZED_TRIES && value_size > 0; i++) {
        struct batch_builder_record record = kc_record(NULL, NULL, kc_wall_ms());
        struct wire_bytes batch;

        record.value = value;
        record.value_size = (int32_t)value_size;
        batch = kc_batch(kc, NULL, &record, 1);
        if (batch.size == (int32_t)size)
            return batch;
        value_size += (int64_t)size - batch.size;
    }
    kc_error(kc, "no batch of one record has %zu bytes", size);
}

struct wire_bytes
kc_batch_sequence(struct kc *kc, const struct kc_producer *producer, int32_t sequence, size_t count)
{
    struct batch_builder_record *records = kc_alloc(kc, count, sizeof *records);
    struct batch_builder_options options = batch_builder_defaults();
    int64_t now_ms = kc_wall_ms();

    for (size_t i = 0; i < count; i++)
        records[i] =
            kc_record(NULL, kc_printf(kc, "e%d-s%d", producer->epoch, sequence + (int)i), now_ms);
    options.producer_id = producer->id;
    options.producer_epoch = producer->epoch;
    options.base_sequence = sequence;
    return kc_batch(kc, &options, records, count);
}

/* --- changed copies --------------------------------------------------------------------------- */

struct wire_bytes
kc_batch_put(struct kc *kc, struct wire_bytes batch, size_t at, size_t width, int64_t value)
{
    uint8_t *copy = kc_alloc(kc, (size_t)batch.size, 1);

    memcpy(copy, batch.data, (size_t)batch.size);
    switch (width) {
    case 8:
        codec_bytes_put_int64(copy + at, value);
        break;
    case 4:
        codec_bytes_put_int32(copy + at, (int32_t)value);
        break;
    case 2:
        codec_bytes_put_int16(copy + at, (int16_t)value);
        break;
    default:
        copy[at] = (uint8_t)value;
        break;
    }
    return (struct wire_bytes){copy, batch.size};
}

struct wire_bytes
kc_batch_seal(struct kc *kc, struct wire_bytes batch)
{
    uint32_t crc = crc32c_of(
        batch.data + BATCH_VIEW_ATTRIBUTES_AT, (size_t)batch.size - BATCH_VIEW_ATTRIBUTES_AT);

    return kc_batch_put(kc, batch, BATCH_VIEW_CRC_AT, 4, (int64_t)crc);
}

struct wire_bytes
kc_batch_join(struct kc *kc, struct wire_bytes first, struct wire_bytes second)
{
    uint8_t *copy = kc_alloc(kc, (size_t)first.size + (size_t)second.size, 1);

    memcpy(copy, first.data, (size_t)first.size);
    memcpy(copy + first.size, second.data, (size_t)second.size);
    return (struct wire_bytes){copy, first.size + second.size};
}
