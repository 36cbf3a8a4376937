/*
 * cutover_record: what a cut-over has done, in a file that outlives its process.
 *
 * One JSON object: the two clusters, the phase, whether the source may be fenced, the topics with
 * the ends of their logs at the moment of the switch, and a line for each step that was judged.
 * Writing replaces the whole file (a new one is synced, then renamed), so that after a crash there
 * is the record of before or that of after. One process at a time holds a record (FILE.lock).
 *
 * Limits: CUTOVER_RECORD_BYTES_MAX for a file. It is read as something that anybody may have
 * changed.
 */
#ifndef MIRROR_CUTOVER_RECORD_H
#define MIRROR_CUTOVER_RECORD_H

#include "lib/base/disk.h"
#include "lib/base/jdoc.h"
#include "mirror/selection.h"

#define CUTOVER_RECORD_BYTES_MAX ((size_t)64 << 20)

enum cutover_phase {
#define CUTOVER_PHASE(name, word, meaning) CUTOVER_##name,
#include "mirror/cutover_phases.def"
#undef CUTOVER_PHASE
    CUTOVER_PHASES
};

struct cutover_record_topic {
    char *name;
    int32_t partition_count;
    int64_t *source_ends; /* by partition: when the target was promoted */
    int64_t *target_ends; /* behind the promotion */
    bool is_opened;       /* by the fence: see fence.h */
};

struct cutover_record_line {
    int64_t at_ms; /* since 1970 */
    char *step;
    char *outcome;
    char *text;
};

struct cutover_record {
    struct disk *disk;
    char *name; /* of the file */
    struct disk_file *lock;
    enum cutover_phase phase;
    bool is_fenced;  /* the source's topics may have the rules of fence.h */
    char *source_id; /* cluster ids; NULL: unknown */
    char *target_id;
    struct cutover_record_topic *topics;
    uint32_t topic_count;
    struct cutover_record_line *lines;
    uint32_t line_count;
};

/* cutover_record_open locks the record and reads it where it is there; otherwise its phase is NONE.
 * RC_LOCKED where another process holds it, RC_CORRUPT where it is no such record, or what the disk
 * says. The caller closes it, also after an error. */
MUST_CHECK enum rc cutover_record_open(
    struct cutover_record *record, struct disk *disk, const char *name, struct err *e);

/* cutover_record_read is for who only looks: it takes no lock, and is RC_NOTFOUND where there is no
 * record. */
MUST_CHECK enum rc cutover_record_read(
    struct cutover_record *record, struct disk *disk, const char *name, struct err *e);
void cutover_record_close(struct cutover_record *record);

/* cutover_record_save returns when the file is on the medium. */
MUST_CHECK enum rc cutover_record_save(struct cutover_record *record, struct err *e);

/* cutover_record_doc returns what the file holds, which the caller frees. */
struct jdoc *cutover_record_doc(const struct cutover_record *record);

/* cutover_record_note appends a line; it is saved with the next save. */
void cutover_record_note(struct cutover_record *record, int64_t at_ms, const char *step,
    const char *outcome, const char *text);

/* cutover_record_take_topics sets the topics, with no ends yet (-1). */
void cutover_record_take_topics(struct cutover_record *record, const struct selection *selection);

/* cutover_record_is_of tells whether its topics are those of a selection. */
bool cutover_record_is_of(const struct cutover_record *record, const struct selection *selection);

/* cutover_record_patterns returns its topics as patterns of selection.h, which the caller frees. */
char *cutover_record_patterns(const struct cutover_record *record);

const char *cutover_record_phase_word(enum cutover_phase phase);
const char *cutover_record_phase_meaning(enum cutover_phase phase);

#endif
