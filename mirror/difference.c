#include "mirror/difference.h"

#include <inttypes.h>
#include <xxhash.h>

#include "lib/wire/codec_bytes.h"

struct difference_blob
difference_blob_of(const uint8_t *data, int32_t size)
{
    struct difference_blob blob = {size < 0 ? -1 : size, 0};

    if (size > 0)
        blob.hash = XXH3_64bits(data, (size_t)size);
    return blob;
}

/* Number of the headers, and a hash over the sizes and hashes of their keys and values. */
static struct difference_blob
headers_of(struct batch_records_headers headers)
{
    struct difference_blob all = {0, 0};
    struct batch_records_header header;

    while (batch_records_header_next(&headers, &header)) {
        struct difference_blob key = difference_blob_of(header.key, header.key_size);
        struct difference_blob value = difference_blob_of(header.value, header.value_size);
        uint8_t bytes[24];

        codec_bytes_put_int32(bytes, key.size);
        codec_bytes_put_int64(bytes + 4, (int64_t)key.hash);
        codec_bytes_put_int32(bytes + 12, value.size);
        codec_bytes_put_int64(bytes + 16, (int64_t)value.hash);
        all.hash = XXH3_64bits_withSeed(bytes, sizeof bytes, all.hash);
        all.size++;
    }
    return all;
}

struct difference_record
difference_record_of(const struct batch_view *batch, const struct batch_records_record *record)
{
    return (struct difference_record){.offset = record->offset,
        .base_offset = batch->base_offset,
        .timestamp = record->timestamp,
        .producer_id = batch->producer_id,
        .producer_epoch = batch->producer_epoch,
        .base_sequence = batch->base_sequence,
        .attributes = batch->attributes & DIFFERENCE_COMPARED_BITS,
        .key = difference_blob_of(record->key, record->key_size),
        .value = difference_blob_of(record->value, record->value_size),
        .headers = headers_of(record->headers)};
}

static bool
blobs_differ(struct difference_blob a, struct difference_blob b)
{
    return a.size != b.size || a.hash != b.hash;
}

unsigned
difference_fields(const struct difference_record *a, const struct difference_record *b, bool of_key)
{
    unsigned fields = 0;

#define FIELD(name, text, member) fields |= a->member != b->member ? 1U << DIFFERENCE_##name : 0;
#define BLOB(name, text, member)                                                                   \
    fields |= blobs_differ(a->member, b->member) ? 1U << DIFFERENCE_##name : 0;
#include "mirror/difference.def"
#undef FIELD
#undef BLOB
    return of_key ? fields & 1U << DIFFERENCE_VALUE : fields;
}

struct difference
difference_find(const struct difference_record *source, size_t source_count,
    const struct difference_record *target, size_t target_count)
{
    static const struct difference_record none = {.offset = -1};
    size_t i = 0, k = 0;

    while (i < source_count || k < target_count) {
        bool in_source =
            i < source_count && (k == target_count || source[i].offset <= target[k].offset);
        bool in_target =
            k < target_count && (i == source_count || target[k].offset <= source[i].offset);

        if (!in_source || !in_target || difference_fields(&source[i], &target[k], false) != 0)
            return (struct difference){.found = true,
                .source = in_source ? source[i] : none,
                .target = in_target ? target[k] : none};
        i++;
        k++;
    }
    return (struct difference){.found = false, .source = none, .target = none};
}

const char *
difference_field_text(enum difference_field field)
{
    static const char *const texts[] = {
#define FIELD(name, text, member) text,
#define BLOB(name, text, member) text,
#include "mirror/difference.def"
#undef FIELD
#undef BLOB
    };

    return texts[field];
}

static void
blob_print(const struct difference_blob *blob, bool of_headers, struct buf *out)
{
    if (blob->size < 0)
        buf_append_text(out, "null");
    else
        buf_printf(out, "%" PRId32 " %s%s", blob->size, of_headers ? "header" : "byte",
            blob->size == 1 ? "" : "s");
    if (blob->size > 0)
        buf_printf(out, " %016" PRIx64, blob->hash);
}

static void
field_print(const struct difference_record *record, enum difference_field field, struct buf *out)
{
    switch (field) {
#define FIELD(name, text, member)                                                                  \
    case DIFFERENCE_##name:                                                                        \
        buf_printf(out, "%" PRId64, record->member);                                               \
        break;
#define BLOB(name, text, member)                                                                   \
    case DIFFERENCE_##name:                                                                        \
        blob_print(&record->member, DIFFERENCE_##name == DIFFERENCE_HEADERS, out);                 \
        break;
#include "mirror/difference.def"
#undef FIELD
#undef BLOB
    default:
        break;
    }
}

static void
fields_print(const struct difference *difference, unsigned fields, struct buf *out)
{
    const char *between = "";

    for (unsigned i = 0; i < DIFFERENCE_FIELDS; i++) {
        if ((fields & 1U << i) == 0)
            continue;
        buf_printf(
            out, "%s%s differs (source ", between, difference_field_text((enum difference_field)i));
        field_print(&difference->source, (enum difference_field)i, out);
        buf_append_text(out, ", target ");
        field_print(&difference->target, (enum difference_field)i, out);
        buf_append_text(out, ")");
        between = ", ";
    }
}

static void
missing_print(const struct difference *difference, struct buf *out)
{
    bool at_target = difference->target.offset < 0;
    const struct difference_record *there = at_target ? &difference->source : &difference->target;

    buf_printf(out, "missing at the %s (%s: ", at_target ? "target" : "source",
        at_target ? "source" : "target");
    if (!difference->of_key) {
        buf_printf(out, "timestamp %" PRId64 ", key ", there->timestamp);
        blob_print(&there->key, false, out);
        buf_append_text(out, ", ");
    }
    buf_append_text(out, "value ");
    blob_print(&there->value, false, out);
    buf_append_text(out, ")");
}

static void
place_print(int64_t offset, const char *side, struct buf *out)
{
    if (offset < 0)
        buf_printf(out, "nowhere at the %s", side);
    else
        buf_printf(out, "at the %s at offset %" PRId64, side, offset);
}

void
difference_print(const struct difference *difference, struct buf *out)
{
    const struct difference_record *source = &difference->source, *target = &difference->target;

    if (difference->of_key) {
        buf_append_text(out, "last record of the key of ");
        blob_print(source->offset < 0 ? &target->key : &source->key, false, out);
        buf_append_text(out, ", ");
        place_print(source->offset, "source", out);
        buf_append_text(out, ", ");
        place_print(target->offset, "target", out);
        buf_append_text(out, ": ");
    } else {
        buf_printf(
            out, "offset %" PRId64 ": ", source->offset < 0 ? target->offset : source->offset);
    }
    if (source->offset < 0 || target->offset < 0)
        missing_print(difference, out);
    else
        fields_print(difference, difference_fields(source, target, difference->of_key), out);
}
