#include "mirror/cutover_record.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

#define KIND "cutover"
#define VERSION 1
#define PARTITIONS_MAX 1000000

static const struct {
    const char *word;
    const char *meaning;
} phases[] = {
#define CUTOVER_PHASE(name, word, meaning) {word, meaning},
#include "mirror/cutover_phases.def"
#undef CUTOVER_PHASE
};

const char *
cutover_record_phase_word(enum cutover_phase phase)
{
    return phases[phase].word;
}

const char *
cutover_record_phase_meaning(enum cutover_phase phase)
{
    return phases[phase].meaning;
}

/* --- topics and lines --------------------------------------------------------------------------
 */

static int64_t *
ends_new(int32_t count)
{
    int64_t *ends = xcalloc((size_t)count + 1, sizeof *ends);

    for (int32_t i = 0; i < count; i++)
        ends[i] = -1;
    return ends;
}

static struct cutover_record_topic *
topic_add(struct cutover_record *record, const char *name, int32_t partition_count)
{
    struct cutover_record_topic *topic;

    record->topics = xrealloc(record->topics, record->topic_count + 1, sizeof *record->topics);
    topic = &record->topics[record->topic_count++];
    *topic = (struct cutover_record_topic){.name = xstrdup(name),
        .partition_count = partition_count,
        .source_ends = ends_new(partition_count),
        .target_ends = ends_new(partition_count)};
    return topic;
}

static void
topics_forget(struct cutover_record *record)
{
    for (uint32_t i = 0; i < record->topic_count; i++) {
        free(record->topics[i].name);
        free(record->topics[i].source_ends);
        free(record->topics[i].target_ends);
    }
    free(record->topics);
    record->topics = NULL;
    record->topic_count = 0;
}

void
cutover_record_take_topics(struct cutover_record *record, const struct selection *selection)
{
    topics_forget(record);
    for (uint32_t i = 0; i < selection->topic_count; i++)
        (void)topic_add(record, selection->topics[i].name, selection->topics[i].partition_count);
}

bool
cutover_record_is_of(const struct cutover_record *record, const struct selection *selection)
{
    if (record->topic_count != selection->topic_count)
        return false;
    for (uint32_t i = 0; i < record->topic_count; i++)
        if (strcmp(record->topics[i].name, selection->topics[i].name) != 0 ||
            record->topics[i].partition_count != selection->topics[i].partition_count)
            return false;
    return true;
}

char *
cutover_record_patterns(const struct cutover_record *record)
{
    struct buf names;
    size_t size;

    buf_init(&names, CUTOVER_RECORD_BYTES_MAX);
    for (uint32_t i = 0; i < record->topic_count; i++)
        buf_printf(&names, "%s%s", i == 0 ? "" : ",", record->topics[i].name);
    return (char *)buf_take(&names, &size);
}

void
cutover_record_note(struct cutover_record *record, int64_t at_ms, const char *step,
    const char *outcome, const char *text)
{
    record->lines = xrealloc(record->lines, record->line_count + 1, sizeof *record->lines);
    record->lines[record->line_count++] =
        (struct cutover_record_line){at_ms, xstrdup(step), xstrdup(outcome), xstrdup(text)};
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool
ends_read(const struct jdoc *from, int64_t *ends, int32_t count)
{
    if (jdoc_count(from) != (size_t)count)
        return false;
    for (int32_t i = 0; i < count; i++)
        ends[i] = jdoc_int_of(jdoc_at(from, (size_t)i), -1);
    return true;
}

static bool
topic_read(struct cutover_record *record, const struct jdoc *from)
{
    const struct jdoc *source = jdoc_get(from, "source_ends");
    const char *name = jdoc_get_text(from, "topic", NULL);
    size_t count = jdoc_count(source);
    struct cutover_record_topic *topic;

    if (name == NULL || source == NULL || count == 0 || count > PARTITIONS_MAX)
        return false;
    topic = topic_add(record, name, (int32_t)count);
    topic->is_opened = jdoc_get_bool(from, "opened", false);
    return ends_read(source, topic->source_ends, topic->partition_count) &&
           ends_read(jdoc_get(from, "target_ends"), topic->target_ends, topic->partition_count);
}

static bool
phase_read(const char *word, enum cutover_phase *out)
{
    for (int i = 0; word != NULL && i < CUTOVER_PHASES; i++)
        if (strcmp(phases[i].word, word) == 0) {
            *out = (enum cutover_phase)i;
            return true;
        }
    return false;
}

static bool
all_read(struct cutover_record *record, const struct jdoc *doc)
{
    const struct jdoc *topics = jdoc_get(doc, "topics"), *lines = jdoc_get(doc, "log");
    const char *source = jdoc_get_text(doc, "source", NULL);
    const char *target = jdoc_get_text(doc, "target", NULL);

    if (strcmp(jdoc_get_text(doc, "kdl", ""), KIND) != 0 ||
        jdoc_get_int(doc, "version", 0) != VERSION ||
        !phase_read(jdoc_get_text(doc, "phase", NULL), &record->phase))
        return false;
    record->is_fenced = jdoc_get_bool(doc, "fenced", false);
    record->source_id = source == NULL ? NULL : xstrdup(source);
    record->target_id = target == NULL ? NULL : xstrdup(target);
    for (size_t i = 0; i < jdoc_count(topics); i++)
        if (!topic_read(record, jdoc_at(topics, i)))
            return false;
    for (size_t i = 0; i < jdoc_count(lines); i++) {
        const struct jdoc *line = jdoc_at(lines, i);

        cutover_record_note(record, jdoc_get_int(line, "at_ms", 0), jdoc_get_text(line, "step", ""),
            jdoc_get_text(line, "outcome", ""), jdoc_get_text(line, "text", ""));
    }
    return true;
}

static enum rc
text_take(struct cutover_record *record, const char *text, size_t size, struct err *e)
{
    struct jdoc *doc = NULL;
    enum rc rc = jdoc_parse(text, size, &doc, e);

    if (rc == RC_OK && !all_read(record, doc))
        rc = err_set(e, RC_CORRUPT, "it is no record of a cut-over");
    jdoc_free(doc);
    return rc;
}

static enum rc
file_read(struct cutover_record *record, struct disk_file *file, struct err *e)
{
    int64_t size;
    char *text;
    enum rc rc = disk_size(file, &size, e);

    if (rc != RC_OK)
        return rc;
    if (size > (int64_t)CUTOVER_RECORD_BYTES_MAX)
        return err_set(e, RC_CORRUPT, "it is too large for the record of a cut-over");
    text = xmalloc((size_t)size + 1);
    rc = disk_read_whole(file, 0, text, (size_t)size, e);
    if (rc == RC_OK)
        rc = text_take(record, text, (size_t)size, e);
    free(text);
    return rc;
}

static enum rc
record_read(struct cutover_record *record, struct err *e)
{
    struct disk_file *file;
    enum rc rc = disk_open(record->disk, record->name, DISK_READ, &file, e);

    if (rc != RC_OK)
        return rc;
    rc = file_read(record, file, e);
    disk_close(file);
    return rc;
}

static enum rc
record_lock(struct cutover_record *record, struct err *e)
{
    char *lock = xasprintf("%s.lock", record->name);
    enum rc rc = disk_open(record->disk, lock, DISK_WRITE | DISK_CREATE, &record->lock, e);

    free(lock);
    return rc == RC_OK ? disk_lock(record->lock, e) : rc;
}

enum rc
cutover_record_read(
    struct cutover_record *record, struct disk *disk, const char *name, struct err *e)
{
    enum rc rc;

    *record = (struct cutover_record){.disk = disk, .name = xstrdup(name)};
    rc = record_read(record, e);
    return rc == RC_OK ? rc : err_note(e, "record %s", name);
}

enum rc
cutover_record_open(
    struct cutover_record *record, struct disk *disk, const char *name, struct err *e)
{
    enum rc rc;

    *record = (struct cutover_record){.disk = disk, .name = xstrdup(name)};
    if (record_lock(record, e) != RC_OK)
        return err_note(e, "record %s", name);
    rc = record_read(record, e);
    return rc == RC_OK || rc == RC_NOTFOUND ? RC_OK : err_note(e, "record %s", name);
}

void
cutover_record_close(struct cutover_record *record)
{
    topics_forget(record);
    for (uint32_t i = 0; i < record->line_count; i++) {
        free(record->lines[i].step);
        free(record->lines[i].outcome);
        free(record->lines[i].text);
    }
    free(record->lines);
    free(record->name);
    free(record->source_id);
    free(record->target_id);
    if (record->lock != NULL)
        disk_close(record->lock);
    *record = (struct cutover_record){0};
}

/* --- writing -----------------------------------------------------------------------------------
 */

static struct jdoc *
ends_write(const int64_t *ends, int32_t count)
{
    struct jdoc *out = jdoc_array();

    for (int32_t i = 0; i < count; i++)
        jdoc_add_take(out, jdoc_int(ends[i]));
    return out;
}

struct jdoc *
cutover_record_doc(const struct cutover_record *record)
{
    struct jdoc *doc = jdoc_object(), *topics = jdoc_array(), *lines = jdoc_array();

    jdoc_set_text(doc, "kdl", KIND);
    jdoc_set_int(doc, "version", VERSION);
    jdoc_set_text(doc, "phase", phases[record->phase].word);
    jdoc_set_bool(doc, "fenced", record->is_fenced);
    if (record->source_id != NULL)
        jdoc_set_text(doc, "source", record->source_id);
    if (record->target_id != NULL)
        jdoc_set_text(doc, "target", record->target_id);
    for (uint32_t i = 0; i < record->topic_count; i++) {
        const struct cutover_record_topic *from = &record->topics[i];
        struct jdoc *topic = jdoc_object();

        jdoc_set_text(topic, "topic", from->name);
        jdoc_set_bool(topic, "opened", from->is_opened);
        jdoc_set_take(topic, "source_ends", ends_write(from->source_ends, from->partition_count));
        jdoc_set_take(topic, "target_ends", ends_write(from->target_ends, from->partition_count));
        jdoc_add_take(topics, topic);
    }
    for (uint32_t i = 0; i < record->line_count; i++) {
        struct jdoc *line = jdoc_object();

        jdoc_set_int(line, "at_ms", record->lines[i].at_ms);
        jdoc_set_text(line, "step", record->lines[i].step);
        jdoc_set_text(line, "outcome", record->lines[i].outcome);
        jdoc_set_text(line, "text", record->lines[i].text);
        jdoc_add_take(lines, line);
    }
    jdoc_set_take(doc, "topics", topics);
    jdoc_set_take(doc, "log", lines);
    return doc;
}

static enum rc
part_write(struct cutover_record *record, const char *part, const char *text, struct err *e)
{
    struct disk_file *file;
    enum rc rc = disk_open(record->disk, part, DISK_WRITE | DISK_CREATE, &file, e);

    if (rc != RC_OK)
        return rc;
    rc = disk_resize(file, 0, e);
    if (rc == RC_OK)
        rc = disk_write(file, 0, text, strlen(text), e);
    if (rc == RC_OK)
        rc = disk_sync(file, e);
    disk_close(file);
    return rc;
}

enum rc
cutover_record_save(struct cutover_record *record, struct err *e)
{
    char *part = xasprintf("%s.part", record->name), *text;
    struct jdoc *doc = cutover_record_doc(record);
    enum rc rc;

    text = jdoc_dump(doc, 1);
    jdoc_free(doc);
    rc = part_write(record, part, text, e);

    if (rc == RC_OK)
        rc = disk_rename(record->disk, part, record->name, e);
    if (rc == RC_OK)
        rc = disk_sync_folder(record->disk, "", e);
    free(part);
    free(text);
    return rc == RC_OK ? rc : err_note(e, "record %s", record->name);
}
