#include "tests/differ/markers.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec_tree.h"

#define TEXT_BYTES_MAX ((size_t)1 << 16)
#define FOREIGN_BYTE 0xdd /* of ids that belong to nothing here */

/* Replaces one value, or leaves it as it is. */
struct changes {
    void (*uuid)(const struct markers *m, struct wire_uuid *id);
    void (*text)(const struct markers *m, struct wire_string *text);
    int64_t (*producer)(const struct markers *m, int64_t id);
};

/* --- values ------------------------------------------------------------------------------------
 */

static bool
is_zero(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id, &zero, sizeof zero) == 0;
}

static void
uuid_to_side(const struct markers *m, struct wire_uuid *id)
{
    size_t number = memory_topic_marked(id);

    if (number != MEMORY_NONE && !is_zero(&m->memory->topics[m->side][number]))
        *id = m->memory->topics[m->side][number];
}

static void
uuid_from_side(const struct markers *m, struct wire_uuid *id)
{
    for (size_t i = 0; i < MEMORY_TOPICS; i++)
        if (!is_zero(id) && memcmp(id, &m->memory->topics[m->side][i], sizeof *id) == 0) {
            *id = memory_topic_marker(i);
            return;
        }
    if (!is_zero(id) && memory_topic_marked(id) == MEMORY_NONE)
        memset(id, FOREIGN_BYTE, sizeof *id);
}

static void
text_to_side(const struct markers *m, struct wire_string *text)
{
    const struct memory_member *member = memory_marked(m->memory, *text);

    if (member != NULL)
        *text =
            (struct wire_string){member->names[m->side], (int32_t)strlen(member->names[m->side])};
}

static bool
is_of_id(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '-' || c == '_';
}

/* Words are of small letters. */
static bool
is_uuid(const char *id, size_t size)
{
    for (size_t i = 0; size == CODEC_TREE_UUID_CHARS && i < size; i++)
        if (isupper((unsigned char)id[i]) != 0 || isdigit((unsigned char)id[i]) != 0)
            return true;
    return false;
}

/* What stands for an id in a text, or NULL. */
static const char *
marker_of(const struct markers *m, const char *id, size_t size)
{
    const struct memory_member *member = memory_member_of(m->memory, m->side, id, size);
    char name[CODEC_TREE_UUID_CHARS + 1];

    if (member != NULL)
        return member->text;
    for (size_t i = 0; size == CODEC_TREE_UUID_CHARS && i < MEMORY_TOPICS; i++) {
        codec_tree_uuid(&m->memory->topics[m->side][i], name);
        if (memcmp(name, id, size) == 0)
            return memory_topic_name(i);
    }
    return is_uuid(id, size) ? "another id" : NULL;
}

static void
text_from_side(const struct markers *m, struct wire_string *text)
{
    struct buf out;
    bool changed = false;

    if (text->size < CODEC_TREE_UUID_CHARS)
        return;
    buf_init(&out, TEXT_BYTES_MAX);
    for (int32_t at = 0, end; at < text->size; at = end) {
        const char *marker;

        end = at;
        while (end < text->size && is_of_id(text->data[end]))
            end++;
        marker = marker_of(m, text->data + at, (size_t)(end - at));
        changed = changed || marker != NULL;
        if (marker != NULL)
            buf_append_text(&out, marker);
        else
            buf_append(&out, text->data + at, (size_t)(end - at));
        if (end < text->size)
            buf_append_byte(&out, (uint8_t)text->data[end++]);
    }
    if (changed && !buf_is_overflowed(&out))
        *text = (struct wire_string){arena_dup(m->arena, out.data, out.size), (int32_t)out.size};
    buf_fini(&out);
}

static int64_t
producer_to_side(const struct markers *m, int64_t id)
{
    const struct memory_producer *producer = memory_produced(m->memory, id);

    return producer == NULL ? id : producer->ids[m->side];
}

static int64_t
producer_from_side(const struct markers *m, int64_t id)
{
    const struct memory_producer *producer =
        id < 0 ? NULL : memory_producer_of(m->memory, m->side, id);

    return producer == NULL ? id : MEMORY_PRODUCER + (producer - m->memory->producers);
}

/* --- batches -----------------------------------------------------------------------------------
 */

static void
big_endian_write(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

/* Batches that are damaged stay as they are. */
static void
batches_change(const struct markers *m, const struct changes *changes, struct wire_records *records)
{
    struct batch_view_cursor cursor;
    struct batch_view batch;
    bool found = true;
    uint8_t *copy;

    if (records->size <= 0)
        return;
    copy = arena_dup(m->arena, records->data, (size_t)records->size);
    records->data = copy;
    cursor = (struct batch_view_cursor){copy, (size_t)records->size};
    while (batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found) {
        uint8_t *at = copy + (batch.data - copy);
        int64_t id = changes->producer(m, batch.producer_id);

        if (batch.magic < 2 || id == batch.producer_id || !batch_view_is_intact(&batch))
            continue;
        big_endian_write(at + BATCH_VIEW_PRODUCER_ID_AT, (uint64_t)id, 8);
        big_endian_write(at + BATCH_VIEW_CRC_AT, batch_view_crc(&batch), 4);
    }
}

/* --- messages ----------------------------------------------------------------------------------
 */

static bool
is_producer(const struct wire_field *field)
{
    return field->kind == WIRE_INT64 && strstr(field->name, "producer_id") != NULL;
}

static void
value_change(const struct markers *m, const struct changes *changes, const struct wire_field *field,
    void *at)
{
    if (field->kind == WIRE_UUID)
        changes->uuid(m, at);
    else if (field->kind == WIRE_STRING)
        changes->text(m, at);
    else if (field->kind == WIRE_RECORDS)
        batches_change(m, changes, at);
    else if (is_producer(field))
        *(int64_t *)at = changes->producer(m, *(int64_t *)at);
}

static size_t
element_size(const struct wire_field *field)
{
    switch (field->kind) {
    case WIRE_STRUCT:
        return field->sub->size;
    case WIRE_UUID:
        return sizeof(struct wire_uuid);
    case WIRE_STRING:
        return sizeof(struct wire_string);
    default:
        return is_producer(field) ? sizeof(int64_t) : 0;
    }
}

static void
/* As deep as the schema. NOLINTNEXTLINE(misc-no-recursion) */
walk(const struct markers *m, const struct changes *changes, const struct wire_struct *desc,
    int16_t version, uint8_t *object)
{
    for (uint32_t i = 0; object != NULL && i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        uint8_t *at = object + field->offset;
        struct wire_array array = {at, 1};
        size_t size = element_size(field);

        if (version < field->versions.min || version > field->versions.max)
            continue;
        if (field->is_array)
            memcpy(&array, at, sizeof array);
        else if (field->is_pointer)
            memcpy(&array.items, at, sizeof array.items);
        for (int32_t k = 0; array.items != NULL && k < array.count; k++) {
            uint8_t *item = (uint8_t *)array.items + (size_t)k * size;

            if (field->kind == WIRE_STRUCT)
                walk(m, changes, field->sub, version, item);
            else if (size > 0 || !field->is_array)
                value_change(m, changes, field, item);
        }
    }
}

void
markers_to_side(const struct markers *markers, const struct wire_message *message, int16_t version,
    void *request)
{
    static const struct changes changes = {uuid_to_side, text_to_side, producer_to_side};

    walk(markers, &changes, message->body, version, request);
}

void
markers_from_side(const struct markers *markers, const struct wire_message *message,
    int16_t version, void *answer)
{
    static const struct changes changes = {uuid_from_side, text_from_side, producer_from_side};

    walk(markers, &changes, message->body, version, answer);
}
