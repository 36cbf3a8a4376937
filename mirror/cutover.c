#include "mirror/cutover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "mirror/fence.h"
#include "mirror/topics.h"

typedef enum rc gate_fn(struct cutover_gates *gates, bool *holds, struct err *e);

/* --- gates in a row ----------------------------------------------------------------------------
 */

enum rc
cutover_check(struct cluster *source, struct cluster *to, const char *patterns,
    const struct cutover_options *options, bool *holds, struct err *e)
{
    static gate_fn *const gates[] = {cutover_gates_still, cutover_gates_drained,
        cutover_gates_equal, cutover_gates_groups, cutover_gates_as_still};
    struct cutover_gates looked;
    enum rc rc = cutover_gates_open(&looked, source, to, patterns, options, e);

    looked.is_rehearsal = true;
    *holds = true;
    for (size_t i = 0; i < ARRAY_LEN(gates) && rc == RC_OK; i++) {
        bool is_open = false;

        rc = gates[i](&looked, &is_open, e);
        *holds = *holds && is_open;
    }
    cutover_gates_close(&looked);
    return rc;
}

/* --- the record --------------------------------------------------------------------------------
 */

static enum rc
phase_set(struct cutover_record *record, enum cutover_phase phase, struct err *e)
{
    record->phase = phase;
    return cutover_record_save(record, e);
}

static const char *
id_of(struct cluster *cluster)
{
    const char *id = cluster_view(cluster)->cluster_id;

    return id == NULL ? "" : id;
}

static enum rc
begin(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    record->source_id = xstrdup(id_of(gates->source));
    record->target_id = xstrdup(id_of(gates->to));
    cutover_record_take_topics(record, &gates->from);
    return phase_set(record, CUTOVER_BEGUN, e);
}

/* Whether the clusters are those of the record. */
static enum rc
sides_check(
    const struct cutover_record *record, struct cluster *source, struct cluster *to, struct err *e)
{
    if (record->source_id == NULL || strcmp(record->source_id, id_of(source)) != 0)
        return err_set(e, RC_CONFLICT,
            "record %s is of a cut-over from cluster %s, not from %s: name another record",
            record->name, record->source_id == NULL ? "?" : record->source_id, id_of(source));
    if (record->target_id == NULL || strcmp(record->target_id, id_of(to)) != 0)
        return err_set(e, RC_CONFLICT,
            "record %s is of a cut-over to cluster %s, not to %s: name another record",
            record->name, record->target_id == NULL ? "?" : record->target_id, id_of(to));
    return RC_OK;
}

static enum rc
topics_check(const struct cutover_record *record, const struct cutover_gates *gates, struct err *e)
{
    if (cutover_record_is_of(record, &gates->from))
        return RC_OK;
    return err_set(e, RC_CONFLICT,
        "record %s is of other topics, or they have other partitions now: kdl cutover back ends "
        "it, another record begins anew",
        record->name);
}

typedef int64_t *ends_fn(struct cutover_record_topic *topic);

static int64_t *
source_ends(struct cutover_record_topic *topic)
{
    return topic->source_ends;
}

static int64_t *
target_ends(struct cutover_record_topic *topic)
{
    return topic->target_ends;
}

/* The record's topics and the selection's are the same, in the same order. */
static void
ends_take(struct cutover_record *record, const struct selection *selection, ends_fn *ends)
{
    for (uint32_t i = 0; i < selection->topic_count; i++)
        for (int32_t k = 0; k < selection->topics[i].partition_count; k++)
            ends(&record->topics[i])[k] =
                selection->partitions[selection->topics[i].first + (uint32_t)k].end_offset;
}

/* How much came since. */
static int64_t
ends_growth(struct cutover_record *record, const struct selection *selection, ends_fn *ends)
{
    int64_t growth = 0;

    for (uint32_t i = 0; i < selection->topic_count; i++)
        for (int32_t k = 0; k < selection->topics[i].partition_count; k++)
            growth += selection->partitions[selection->topics[i].first + (uint32_t)k].end_offset -
                      ends(&record->topics[i])[k];
    return growth;
}

/* --- the steps ---------------------------------------------------------------------------------
 */

/* By topic, as fence.h wants it; the caller frees it. */
static bool *
opened_of(const struct cutover_record *record)
{
    bool *opened = xcalloc((size_t)record->topic_count + 1, sizeof *opened);

    for (uint32_t i = 0; i < record->topic_count; i++)
        opened[i] = record->topics[i].is_opened;
    return opened;
}

/* Notes which topics have to be opened. */
static enum rc
fence_plan(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    bool *has_rules = xcalloc((size_t)record->topic_count + 1, sizeof *has_rules);
    enum rc rc = fence_look(gates->source, &gates->from, has_rules, e);

    for (uint32_t i = 0; i < record->topic_count && rc == RC_OK; i++) {
        struct cutover_record_topic *topic = &record->topics[i];

        if (has_rules[i] || topic->is_opened)
            continue;
        topic->is_opened = gates->options->opens;
        if (!topic->is_opened)
            rc = err_set(e, RC_CONFLICT,
                "topic %s has no access rule, and one that denies Write may end that everybody "
                "reads it (allow.everyone.if.no.acl.found): --allow-reads adds one that allows it, "
                "or stop the producers and leave out --fence",
                topic->name);
    }
    free(has_rules);
    return rc == RC_OK ? rc : err_note(e, "source");
}

static enum rc
fence_build(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    bool was_fenced = record->is_fenced, *opened;
    enum rc rc = fence_plan(record, gates, e);

    if (rc != RC_OK)
        return rc;
    record->is_fenced = true;
    rc = cutover_record_save(record, e);
    if (rc != RC_OK)
        return rc;
    opened = opened_of(record);
    rc = fence_set(gates->source, &gates->from, opened, e);
    free(opened);
    /* Who may not set rules may not lift them either: the way back must not try. */
    if (rc == RC_DENIED || rc == RC_UNSUPPORTED) {
        record->is_fenced = was_fenced;
        if (cutover_record_save(record, NULL) != RC_OK)
            record->is_fenced = true; /* as the file says */
    }
    return rc == RC_OK ? rc : err_note(e, "source");
}

static enum rc
fence(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    uint32_t opened = 0;
    enum rc rc;

    if (!gates->options->fences) {
        cutover_gates_tell(gates, CUTOVER_STEP_FENCE, CUTOVER_IS_LEFT_OUT, "%s",
            record->is_fenced ? "it stands since an earlier run"
                              : "no --fence: whoever runs the producers stops them");
        return RC_OK;
    }
    rc = fence_build(record, gates, e);
    if (rc != RC_OK)
        return rc;
    for (uint32_t i = 0; i < record->topic_count; i++)
        opened += record->topics[i].is_opened;
    cutover_gates_tell(gates, CUTOVER_STEP_FENCE, CUTOVER_HOLDS,
        "Write is denied to User:* on %u topics at the source%s", gates->from.topic_count,
        opened > 0 ? ", Read is allowed where there was no rule" : "");
    return RC_OK;
}

static enum rc
both_look(struct cutover_gates *gates, struct err *e)
{
    enum rc rc = selection_offsets(&gates->from, gates->source, e);

    if (rc != RC_OK)
        return err_note(e, "source");
    rc = selection_offsets(&gates->target, gates->to, e);
    return rc == RC_OK ? rc : err_note(e, "target");
}

/* Above what clients have seen of each topic at the source. */
static int32_t *
epochs_of(const struct cutover_gates *gates)
{
    const struct cluster_map *map = cluster_view(gates->source);
    int32_t *epochs = xcalloc(gates->from.topic_count, sizeof *epochs);

    for (uint32_t i = 0; i < gates->from.topic_count; i++) {
        const struct cluster_topic *topic = cluster_map_topic(map, gates->from.topics[i].name);

        epochs[i] = -1;
        for (int32_t k = 0; topic != NULL && k < topic->partition_count; k++)
            if (topic->partitions[k].leader_epoch > epochs[i])
                epochs[i] = topic->partitions[k].leader_epoch;
    }
    return epochs;
}

static void
promoted_tell(struct cutover_record *record, struct cutover_gates *gates, bool *holds)
{
    int64_t late = ends_growth(record, &gates->from, source_ends);
    int64_t written = ends_growth(record, &gates->target, target_ends);

    *holds = late == 0;
    if (late != 0)
        cutover_gates_tell(gates, CUTOVER_STEP_PROMOTED, CUTOVER_REFUSES,
            "the target takes records; but %" PRId64
            " came late, to the source, and are not at the target: find who writes there",
            late);
    else
        cutover_gates_tell(gates, CUTOVER_STEP_PROMOTED, CUTOVER_HOLDS,
            "%u topics take records at the target, which has %" PRId64
            " of its own; none came late, to the source",
            gates->from.topic_count, written);
}

/* Once more after a crash, too: topics that are promoted already stay so. */
static enum rc
promote(struct cutover_record *record, struct cutover_gates *gates, bool *holds, struct err *e)
{
    int32_t *epochs;
    enum rc rc = cluster_refresh(gates->source, e); /* leaders may have moved meanwhile */

    if (rc != RC_OK)
        return err_note(e, "source");
    epochs = epochs_of(gates);
    rc = topics_promote(gates->to, &gates->target, epochs, gates->options->aborts_open, e);
    free(epochs);
    if (rc != RC_OK)
        return err_note(e, "target");
    rc = both_look(gates, e);
    if (rc != RC_OK)
        return rc;
    ends_take(record, &gates->target, target_ends);
    promoted_tell(record, gates, holds);
    return phase_set(record, CUTOVER_PROMOTED, e);
}

static enum rc
gates_pass(struct cutover_gates *gates, bool *holds, struct err *e)
{
    static gate_fn *const steps[] = {cutover_gates_still, cutover_gates_drained,
        cutover_gates_equal, cutover_gates_groups, cutover_gates_as_still};
    enum rc rc = RC_OK;

    *holds = true;
    for (size_t i = 0; i < ARRAY_LEN(steps) && rc == RC_OK && *holds; i++)
        rc = steps[i](gates, holds, e);
    return rc;
}

/* After a crash behind the note that the promotion begins. Topics that are mirrored still were not
 * promoted, and time has passed: their gates are asked again. */
static enum rc
promotion_resume(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    enum rc rc = topics_mirroring(gates->to, &gates->target, e);

    if (rc == RC_OK)
        return phase_set(record, CUTOVER_BEGUN, e);
    return rc == RC_CONFLICT ? RC_OK : err_note(e, "target");
}

static enum rc
go_on(struct cutover_record *record, struct cutover_gates *gates, bool *holds, struct err *e)
{
    enum rc rc = RC_OK;

    *holds = true;
    if (record->phase == CUTOVER_PROMOTED) {
        rc = both_look(gates, e);
        if (rc == RC_OK)
            promoted_tell(record, gates, holds);
        return rc;
    }
    if (record->phase == CUTOVER_PROMOTING)
        rc = promotion_resume(record, gates, e);
    if (rc == RC_OK && record->phase == CUTOVER_PROMOTING)
        return promote(record, gates, holds, e);
    if (rc == RC_OK)
        rc = fence(record, gates, e);
    if (rc == RC_OK)
        rc = gates_pass(gates, holds, e);
    if (rc == RC_OK)
        rc = cutover_record_save(record, e);
    if (rc != RC_OK || !*holds)
        return rc;
    ends_take(record, &gates->from, source_ends);
    rc = phase_set(record, CUTOVER_PROMOTING, e);
    return rc == RC_OK ? promote(record, gates, holds, e) : rc;
}

enum rc
cutover_run(struct cutover_record *record, struct cluster *source, struct cluster *to,
    const char *patterns, const struct cutover_options *options, bool *holds, struct err *e)
{
    struct cutover_gates gates;
    enum rc rc;

    if (record->phase == CUTOVER_BACK)
        return err_set(e, RC_CONFLICT,
            "the cut-over of record %s was taken back: name another record to begin anew",
            record->name);
    rc = cutover_gates_open(&gates, source, to, patterns, options, e);
    if (rc == RC_OK && record->phase == CUTOVER_NONE)
        rc = begin(record, &gates, e);
    if (rc == RC_OK)
        rc = sides_check(record, source, to, e);
    if (rc == RC_OK)
        rc = topics_check(record, &gates, e);
    if (rc == RC_OK)
        rc = go_on(record, &gates, holds, e);
    cutover_gates_close(&gates);
    return rc;
}

/* --- the way back ------------------------------------------------------------------------------
 */

static enum rc
written_check(struct cutover_record *record, struct cutover_gates *gates, bool loses, bool *holds,
    struct err *e)
{
    enum rc rc = both_look(gates, e);
    int64_t written;

    if (rc != RC_OK)
        return rc;
    written = ends_growth(record, &gates->target, target_ends);
    *holds = written == 0 || loses;
    if (!*holds)
        cutover_gates_tell(gates, CUTOVER_STEP_BACK, CUTOVER_REFUSES,
            "%" PRId64 " records were written at the target since it was promoted, and the source "
            "lacks them: --lose-writes goes back all the same",
            written);
    return RC_OK;
}

static enum rc
go_back(struct cutover_record *record, struct cutover_gates *gates, struct err *e)
{
    bool was_fenced = record->is_fenced, *opened = opened_of(record);
    enum rc rc = was_fenced ? fence_lift(gates->source, &gates->from, opened, e) : RC_OK;

    free(opened);
    if (rc != RC_OK)
        return err_note(e, "source");
    record->is_fenced = false;
    cutover_gates_tell(gates, CUTOVER_STEP_BACK, CUTOVER_HOLDS, "%s",
        was_fenced ? "the source's topics take records again"
                   : "the source's topics were not fenced: its producers may be started");
    return phase_set(record, CUTOVER_BACK, e);
}

enum rc
cutover_back(struct cutover_record *record, struct cluster *source, struct cluster *to, bool loses,
    const struct cutover_options *options, bool *holds, struct err *e)
{
    struct cutover_gates gates;
    char *patterns;
    enum rc rc;

    *holds = true;
    if (record->phase == CUTOVER_NONE || record->phase == CUTOVER_BACK)
        return err_set(e, RC_CONFLICT, "record %s: %s, so there is nothing to take back",
            record->name, cutover_record_phase_meaning(record->phase));
    if (record->phase == CUTOVER_PROMOTING && !loses)
        return err_set(e, RC_CONFLICT,
            "record %s: a promotion was interrupted: kdl cutover run ends it first (--lose-writes "
            "goes back without a look at the target)",
            record->name);
    patterns = cutover_record_patterns(record);
    rc = cutover_gates_open(&gates, source, to, patterns, options, e);
    free(patterns);
    if (rc == RC_OK)
        rc = sides_check(record, source, to, e);
    if (rc == RC_OK)
        rc = topics_check(record, &gates, e);
    if (rc == RC_OK && record->phase == CUTOVER_PROMOTED)
        rc = written_check(record, &gates, loses, holds, e);
    if (rc == RC_OK && *holds)
        rc = go_back(record, &gates, e);
    cutover_gates_close(&gates);
    return rc;
}
