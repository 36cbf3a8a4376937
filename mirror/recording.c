#include "mirror/recording.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define MAGIC_BYTES 8
#define HEAD_BYTES 6

/* Decoded structs are larger than their bytes: an array element of a few bytes becomes one of some
 * dozens. */
#define ARENA_BYTES_MAX (4 * RECORDING_ENTRY_BYTES_MAX)

static const char magic[MAGIC_BYTES] = {'k', 'd', 'l', 'r', 'e', 'c', '1', '\n'};

static const struct wire_message *const messages[] = {&km_recording_topic_message,
    &km_recording_batches_message, &km_recording_group_message, &km_recording_end_message};

struct recording_writer {
    char *path;
    char *path_unfinished;
    FILE *file;
    struct buf entry;
    int64_t entry_count;
    uint64_t bytes;
};

struct recording_reader {
    char *path;
    FILE *file;
    struct arena arena;
    uint8_t *entry;
    size_t entry_capacity;
    int64_t entry_count;
    bool ended;
};

/* --- writing -----------------------------------------------------------------------------------
 */

static void
writer_free(struct recording_writer *writer)
{
    if (writer->file != NULL)
        fclose(writer->file);
    buf_fini(&writer->entry);
    free(writer->path);
    free(writer->path_unfinished);
    free(writer);
}

static enum rc
write_all(struct recording_writer *writer, const void *data, size_t size, struct err *e)
{
    if (fwrite(data, 1, size, writer->file) != size)
        return err_set_errno(e, RC_IO, errno, "%s", writer->path_unfinished);
    writer->bytes += size;
    return RC_OK;
}

enum rc
recording_create(const char *path, struct recording_writer **out, struct err *e)
{
    struct recording_writer *writer = xcalloc(1, sizeof *writer);
    enum rc rc;

    writer->path = xstrdup(path);
    writer->path_unfinished = xasprintf("%s.tmp", path);
    buf_init(&writer->entry, RECORDING_ENTRY_BYTES_MAX);
    writer->file = fopen(writer->path_unfinished, "we");
    rc = writer->file == NULL ? err_set_errno(e, RC_IO, errno, "%s", writer->path_unfinished)
                              : write_all(writer, magic, sizeof magic, e);
    if (rc != RC_OK) {
        recording_give_up(writer);
        return rc;
    }
    *out = writer;
    return RC_OK;
}

enum rc
recording_put(struct recording_writer *writer, const struct wire_message *message, const void *body,
    struct err *e)
{
    uint8_t head[HEAD_BYTES];
    enum rc rc;

    buf_clear(&writer->entry);
    rc = codec_encode(message, message->versions.max, body, &writer->entry, e);
    if (rc != RC_OK)
        return err_note(e, "%s", message->name);
    codec_bytes_put_int16(head, message->key);
    codec_bytes_put_int32(head + sizeof(int16_t), (int32_t)writer->entry.size);
    rc = write_all(writer, head, sizeof head, e);
    if (rc == RC_OK)
        rc = write_all(writer, writer->entry.data, writer->entry.size, e);
    writer->entry_count++;
    return rc;
}

enum rc
recording_finish_take(struct recording_writer **taken, uint64_t *bytes, struct err *e)
{
    struct recording_writer *writer = *taken;
    struct km_recording_end end = {writer->entry_count};
    enum rc rc = recording_put(writer, &km_recording_end_message, &end, e);

    *taken = NULL;
    if (rc == RC_OK && (fflush(writer->file) != 0 || fsync(fileno(writer->file)) != 0 ||
                           rename(writer->path_unfinished, writer->path) != 0))
        rc = err_set_errno(e, RC_IO, errno, "%s", writer->path);
    if (rc != RC_OK) {
        recording_give_up(writer);
        return rc;
    }
    *bytes = writer->bytes;
    writer_free(writer);
    return RC_OK;
}

void
recording_give_up(struct recording_writer *writer)
{
    if (writer == NULL)
        return;
    unlink(writer->path_unfinished);
    writer_free(writer);
}

/* --- reading -----------------------------------------------------------------------------------
 */

enum rc
recording_open(const char *path, struct recording_reader **out, struct err *e)
{
    FILE *file = fopen(path, "re");
    struct recording_reader *reader;
    char begin[MAGIC_BYTES];

    if (file == NULL)
        return err_set_errno(e, errno == ENOENT ? RC_NOTFOUND : RC_IO, errno, "%s", path);
    if (fread(begin, 1, sizeof begin, file) != sizeof begin ||
        memcmp(begin, magic, sizeof begin) != 0) {
        fclose(file);
        return err_set(e, RC_CORRUPT, "%s is no recording", path);
    }
    reader = xcalloc(1, sizeof *reader);
    reader->path = xstrdup(path);
    reader->file = file;
    arena_init(&reader->arena, ARENA_BYTES_MAX);
    *out = reader;
    return RC_OK;
}

static enum rc
damaged(const struct recording_reader *reader, const char *what, struct err *e)
{
    return err_set(
        e, RC_CORRUPT, "%s: entry %lld %s", reader->path, (long long)reader->entry_count, what);
}

/* Memory follows the bytes that are there, not the size that the entry claims. */
static enum rc
entry_read(struct recording_reader *reader, size_t size, struct err *e)
{
    size_t have = 0;

    while (have < size) {
        size_t step = size - have, got;

        if (step > BUFSIZ + have)
            step = BUFSIZ + have;
        if (have + step > reader->entry_capacity) {
            reader->entry_capacity = have + step;
            reader->entry = xrealloc(reader->entry, reader->entry_capacity, 1);
        }
        got = fread(reader->entry + have, 1, step, reader->file);
        have += got;
        if (got < step)
            return damaged(reader, "is cut", e);
    }
    return RC_OK;
}

static const struct wire_message *
message_find(int16_t key)
{
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        if (messages[i]->key == key)
            return messages[i];
    return NULL;
}

static enum rc
end_check(struct recording_reader *reader, const struct km_recording_end *end, struct err *e)
{
    if (end->entry_count != reader->entry_count)
        return err_set(e, RC_CORRUPT, "%s has %lld entries and should have %lld", reader->path,
            (long long)reader->entry_count, (long long)end->entry_count);
    if (fgetc(reader->file) != EOF)
        return err_set(e, RC_CORRUPT, "%s goes on behind its end", reader->path);
    reader->ended = true;
    return RC_OK;
}

enum rc
recording_next(struct recording_reader *reader, const struct wire_message **message,
    const void **body, struct err *e)
{
    uint8_t head[HEAD_BYTES];
    const struct wire_message *found;
    size_t size, used = 0;
    void *object;
    enum rc rc;

    *message = NULL;
    if (reader->ended)
        return RC_OK;
    if (fread(head, 1, sizeof head, reader->file) != sizeof head)
        return damaged(reader, "is cut", e);
    found = message_find(codec_bytes_int16(head));
    size = (uint32_t)codec_bytes_int32(head + sizeof(int16_t));
    if (found == NULL || size > RECORDING_ENTRY_BYTES_MAX)
        return damaged(reader, "is none", e);
    rc = entry_read(reader, size, e);
    if (rc != RC_OK)
        return rc;
    arena_reset(&reader->arena);
    object = arena_alloc(&reader->arena, found->body->size);
    rc = codec_decode(
        found, found->versions.max, reader->entry, size, &reader->arena, object, &used, e);
    if (rc != RC_OK)
        return err_note(e, "%s: entry %lld", reader->path, (long long)reader->entry_count);
    if (used != size)
        return damaged(reader, "is longer than what it says", e);
    if (found == &km_recording_end_message)
        return end_check(reader, object, e);
    reader->entry_count++;
    *message = found;
    *body = object;
    return RC_OK;
}

void
recording_close(struct recording_reader *reader)
{
    if (reader == NULL)
        return;
    fclose(reader->file);
    arena_fini(&reader->arena);
    free(reader->entry);
    free(reader->path);
    free(reader);
}
