#include "mirror/cutover_gates.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "mirror/group_sync.h"
#include "mirror/pipe.h"
#include "mirror/topics.h"
#include "mirror/verify.h"

#define TEXT_BYTES 512
#define LOOK_US 250000 /* at most so long until an interruption is noticed */
#define AGAIN_US 2000000

static const struct {
    const char *word;
    const char *meaning;
} steps[] = {
#define CUTOVER_STEP(name, word, meaning) {word, meaning},
#include "mirror/cutover.def"
#undef CUTOVER_STEP
};

const char *
cutover_gates_step_word(enum cutover_step step)
{
    return steps[step].word;
}

const char *
cutover_gates_step_meaning(enum cutover_step step)
{
    return steps[step].meaning;
}

const char *
cutover_gates_outcome_word(enum cutover_outcome outcome)
{
    static const char *const words[] = {"ok", "refused", "waits", "left out"};

    return words[outcome];
}

void
cutover_gates_tell(const struct cutover_gates *gates, enum cutover_step step,
    enum cutover_outcome outcome, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    gates->options->tell(gates->options->arg, step, outcome, text);
}

/* --- new and free ------------------------------------------------------------------------------
 */

enum rc
cutover_gates_open(struct cutover_gates *gates, struct cluster *source, struct cluster *to,
    const char *patterns, const struct cutover_options *options, struct err *e)
{
    *gates = (struct cutover_gates){.source = source, .to = to, .options = options};
    if (selection_init(&gates->from, source, patterns, e) != RC_OK)
        return err_note(e, "source");
    gates->still_ends = xcalloc(gates->from.partition_count, sizeof *gates->still_ends);
    if (selection_same(&gates->target, to, &gates->from, e) != RC_OK)
        return err_note(e, "target");
    return RC_OK;
}

void
cutover_gates_close(struct cutover_gates *gates)
{
    selection_fini(&gates->from);
    selection_fini(&gates->target);
    free(gates->still_ends);
    *gates = (struct cutover_gates){0};
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void
nothing(void *arg)
{
    (void)arg;
}

static struct loop *
loop_of(const struct cutover_gates *gates)
{
    return cluster_loop(gates->source);
}

/* Goes round until *is_over, where that is not NULL, or until_us; RC_CANCELED by interruption. */
static enum rc
go_round(const struct cutover_gates *gates, const bool *is_over, int64_t until_us, struct err *e)
{
    struct loop *loop = loop_of(gates);
    struct loop_timer timer = {.fn = NULL};

    while (!*gates->options->is_interrupted && (is_over == NULL || !*is_over) &&
           loop_now_us(loop) < until_us) {
        int64_t next_us = loop_now_us(loop) + LOOK_US;

        loop_timer_set(loop, &timer, next_us < until_us ? next_us : until_us, nothing, NULL);
        loop_step(loop, -1);
    }
    loop_timer_cancel(loop, &timer);
    return *gates->options->is_interrupted ? err_set(e, RC_CANCELED, "interrupted") : RC_OK;
}

/* What a step that takes long has come to, for who waits. */
typedef void progress_fn(const struct cutover_gates *gates, const void *arg);

/* Goes round until *is_over or until_us, and tells how far it is meanwhile. */
static enum rc
go_on_telling(const struct cutover_gates *gates, const bool *is_over, int64_t until_us,
    progress_fn *progress, const void *arg, struct err *e)
{
    enum rc rc = RC_OK;

    while (rc == RC_OK && !*is_over && loop_now_us(loop_of(gates)) < until_us) {
        int64_t next_us = loop_now_us(loop_of(gates)) + AGAIN_US;

        rc = go_round(gates, is_over, next_us < until_us ? next_us : until_us, e);
        if (rc == RC_OK && !*is_over)
            progress(gates, arg);
    }
    return rc;
}

static int64_t
deadline_of(const struct cutover_gates *gates)
{
    return loop_now_us(loop_of(gates)) + gates->options->wait_ms * 1000;
}

/* --- partitions that differ --------------------------------------------------------------------
 */

/* How much in all, in how many partitions, and one of them. */
struct sum {
    int64_t offsets;
    uint32_t partitions;
    uint32_t first;
};

static void
sum_add(struct sum *sum, uint32_t number, int64_t offsets)
{
    if (sum->partitions++ == 0)
        sum->first = number;
    sum->offsets += offsets;
}

/* "orders-3", or "orders-3 and 4 others". */
static const char *
sum_names(const struct cutover_gates *gates, const struct sum *sum, char out[TEXT_BYTES])
{
    int size = snprintf(out, TEXT_BYTES, "%s-%d", selection_name(&gates->from, sum->first),
        gates->from.partitions[sum->first].partition);

    if (sum->partitions > 1 && size > 0 && size < TEXT_BYTES)
        (void)snprintf(out + size, (size_t)(TEXT_BYTES - size), " and %u other%s",
            sum->partitions - 1, sum->partitions == 2 ? "" : "s");
    return out;
}

/* --- still -------------------------------------------------------------------------------------
 */

static enum rc
source_look(struct cutover_gates *gates, struct err *e)
{
    return selection_offsets(&gates->from, gates->source, e) == RC_OK ? RC_OK
                                                                      : err_note(e, "source");
}

static struct sum
grown(const struct cutover_gates *gates)
{
    struct sum sum = {0};

    for (uint32_t i = 0; i < gates->from.partition_count; i++)
        if (gates->from.partitions[i].end_offset != gates->still_ends[i])
            sum_add(&sum, i, gates->from.partitions[i].end_offset - gates->still_ends[i]);
    return sum;
}

static enum rc
open_look(struct cutover_gates *gates, struct sum *open, struct err *e)
{
    int64_t *stable = xcalloc(gates->from.partition_count, sizeof *stable);
    enum rc rc = selection_stable(&gates->from, gates->source, stable, e);

    for (uint32_t i = 0; i < gates->from.partition_count && rc == RC_OK; i++)
        if (stable[i] < gates->from.partitions[i].end_offset)
            sum_add(open, i, gates->from.partitions[i].end_offset - stable[i]);
    free(stable);
    return rc == RC_OK ? rc : err_note(e, "source");
}

/* One look over still_ms. */
static enum rc
still_look(struct cutover_gates *gates, struct sum *growth, struct sum *open, struct err *e)
{
    int64_t still_us = gates->options->still_ms * 1000;
    enum rc rc = source_look(gates, e);

    if (rc != RC_OK)
        return rc;
    for (uint32_t i = 0; i < gates->from.partition_count; i++)
        gates->still_ends[i] = gates->from.partitions[i].end_offset;
    rc = go_round(gates, NULL, loop_now_us(loop_of(gates)) + still_us, e);
    /* What begins behind this look, the gate as_still finds. */
    if (rc == RC_OK)
        rc = source_look(gates, e);
    if (rc != RC_OK)
        return rc;
    *growth = grown(gates);
    return gates->options->aborts_open ? RC_OK : open_look(gates, open, e);
}

static void
still_tell(const struct cutover_gates *gates, const struct sum *growth, const struct sum *open,
    enum cutover_outcome outcome)
{
    double seconds = (double)gates->options->still_ms / 1000;
    char names[TEXT_BYTES];

    if (growth->partitions > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_STILL, outcome,
            "%" PRId64 " records came to %s within %.0f s: stop the producers%s", growth->offsets,
            sum_names(gates, growth, names), seconds,
            gates->options->fences ? "; they stand above access rules (super users)" : "");
    else if (open->partitions > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_STILL, outcome,
            "a transaction is open on %s: let it end, or have it aborted with --abort-open",
            sum_names(gates, open, names));
    else
        cutover_gates_tell(gates, CUTOVER_STEP_STILL, outcome,
            "%u partitions, no record within %.0f s%s", gates->from.partition_count, seconds,
            gates->options->aborts_open ? "" : ", no open transaction");
}

enum rc
cutover_gates_still(struct cutover_gates *gates, bool *holds, struct err *e)
{
    int64_t until_us = deadline_of(gates);

    for (;;) {
        struct sum growth = {0}, open = {0};
        bool is_last = gates->is_rehearsal || loop_now_us(loop_of(gates)) >= until_us;
        enum rc rc = still_look(gates, &growth, &open, e);

        if (rc != RC_OK)
            return rc;
        *holds = growth.partitions == 0 && open.partitions == 0;
        still_tell(gates, &growth, &open,
            *holds    ? CUTOVER_HOLDS
            : is_last ? CUTOVER_REFUSES
                      : CUTOVER_WAITS);
        if (*holds || is_last)
            return RC_OK;
    }
}

enum rc
cutover_gates_as_still(struct cutover_gates *gates, bool *holds, struct err *e)
{
    char names[TEXT_BYTES];
    enum rc rc = source_look(gates, e);
    struct sum sum;

    if (rc != RC_OK)
        return rc;
    sum = grown(gates);
    *holds = sum.partitions == 0;
    if (*holds)
        cutover_gates_tell(gates, CUTOVER_STEP_AS_STILL, CUTOVER_HOLDS,
            "%u partitions end where they did", gates->from.partition_count);
    else
        cutover_gates_tell(gates, CUTOVER_STEP_AS_STILL, CUTOVER_REFUSES,
            "%" PRId64 " records came to %s meanwhile: somebody still writes there", sum.offsets,
            sum_names(gates, &sum, names));
    return RC_OK;
}

/* --- drained -----------------------------------------------------------------------------------
 */

static void
ended(void *arg)
{
    *(bool *)arg = true;
}

static void
copy_progress(const struct cutover_gates *gates, const void *arg)
{
    const struct pipe_partition *state = arg;
    struct sum missing = {0};
    char names[TEXT_BYTES];

    for (uint32_t i = 0; i < gates->from.partition_count; i++)
        if (state[i].next_offset < gates->still_ends[i])
            sum_add(&missing, i, gates->still_ends[i] - state[i].next_offset);
    if (missing.partitions > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_DRAINED, CUTOVER_WAITS,
            "%" PRId64 " records are missing in %s", missing.offsets,
            sum_names(gates, &missing, names));
}

/* Copies what is missing; *failed is the first partition's failure. */
static enum rc
copy(struct cutover_gates *gates, struct err *failed, struct err *e)
{
    struct pipe_options options = {
        .until_caught_up = true, .fetch_bytes = gates->options->fetch_bytes};
    bool is_over = false;
    struct pipe *pipe;
    enum rc rc = topics_mirroring(gates->to, &gates->target, e);

    if (rc != RC_OK)
        return err_note(e, "target");
    pipe = pipe_start(
        gates->source, &gates->from, gates->to, &gates->target, &options, ended, &is_over);
    rc = go_on_telling(gates, &is_over, deadline_of(gates), copy_progress, pipe_state(pipe), e);
    for (uint32_t i = 0; i < gates->from.partition_count && failed->code == RC_OK; i++)
        *failed = pipe_state(pipe)[i].failed;
    pipe_free(pipe);
    return rc;
}

static enum rc
target_look(struct cutover_gates *gates, struct err *e)
{
    return selection_offsets(&gates->target, gates->to, e) == RC_OK ? RC_OK : err_note(e, "target");
}

static void
drained_tell(const struct cutover_gates *gates, bool *holds)
{
    struct sum missing = {0}, more = {0};
    char names[TEXT_BYTES];

    for (uint32_t i = 0; i < gates->from.partition_count; i++) {
        int64_t gap = gates->still_ends[i] - gates->target.partitions[i].end_offset;

        if (gap > 0)
            sum_add(&missing, i, gap);
        else if (gap < 0)
            sum_add(&more, i, -gap);
    }
    *holds = missing.partitions == 0 && more.partitions == 0;
    if (more.partitions > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_DRAINED, CUTOVER_REFUSES,
            "the target has %" PRId64 " records more in %s: it is no copy", more.offsets,
            sum_names(gates, &more, names));
    else if (missing.partitions > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_DRAINED, CUTOVER_REFUSES,
            "%" PRId64 " records are missing in %s: kdl mirror run brings them", missing.offsets,
            sum_names(gates, &missing, names));
    else
        cutover_gates_tell(gates, CUTOVER_STEP_DRAINED, CUTOVER_HOLDS,
            "%u partitions end at the same offsets", gates->from.partition_count);
}

enum rc
cutover_gates_drained(struct cutover_gates *gates, bool *holds, struct err *e)
{
    struct err failed = {.code = RC_OK};
    enum rc rc = target_look(gates, e);

    *holds = false;
    if (rc == RC_OK && !gates->is_rehearsal)
        rc = copy(gates, &failed, e);
    if (rc == RC_OK)
        rc = target_look(gates, e);
    if (rc != RC_OK)
        return rc;
    if (failed.code != RC_OK)
        cutover_gates_tell(gates, CUTOVER_STEP_DRAINED, CUTOVER_REFUSES, "%s", failed.text);
    else
        drained_tell(gates, holds);
    return RC_OK;
}

/* --- equal -------------------------------------------------------------------------------------
 */

/* Of both sides only the last records are looked at. */
static void
tails_set(struct cutover_gates *gates)
{
    for (uint32_t i = 0; i < gates->from.partition_count; i++) {
        struct selection_partition *p = &gates->from.partitions[i];
        int64_t from = p->end_offset - gates->options->tail_records;

        if (from > p->log_start_offset)
            p->log_start_offset = from;
    }
}

static void
equal_progress(const struct cutover_gates *gates, const void *arg)
{
    cutover_gates_tell(gates, CUTOVER_STEP_EQUAL, CUTOVER_WAITS,
        "%" PRIu64 " MB read on both sides", verify_bytes(arg) / 1000000);
}

static void
equal_tell(const struct cutover_gates *gates, const struct verify *verify, bool *holds)
{
    struct verify_partition found;
    uint32_t bad = 0, first = 0;
    uint64_t records = 0;

    for (uint32_t i = 0; i < gates->from.partition_count; i++) {
        verify_result(verify, i, &found);
        records += found.source_records;
        if (found.verdict != VERIFY_EQUAL && bad++ == 0)
            first = i;
    }
    *holds = bad == 0;
    if (*holds) {
        cutover_gates_tell(gates, CUTOVER_STEP_EQUAL, CUTOVER_HOLDS,
            "%" PRIu64 " records, the last %" PRId64 " of each partition", records,
            gates->options->tail_records);
        return;
    }
    verify_result(verify, first, &found);
    cutover_gates_tell(gates, CUTOVER_STEP_EQUAL, CUTOVER_REFUSES,
        "%u partitions are not the same, or could not be read: %s-%d: %s", bad,
        selection_name(&gates->from, first), gates->from.partitions[first].partition, found.text);
}

enum rc
cutover_gates_equal(struct cutover_gates *gates, bool *holds, struct err *e)
{
    bool is_over = false;
    struct verify *verify;
    enum rc rc;

    *holds = true;
    if (gates->options->tail_records == 0) {
        cutover_gates_tell(gates, CUTOVER_STEP_EQUAL, CUTOVER_IS_LEFT_OUT, "by --tail-records 0");
        return RC_OK;
    }
    rc = topics_compaction(gates->source, &gates->from, e);
    if (rc != RC_OK)
        return err_note(e, "source");
    tails_set(gates);
    verify = verify_start(gates->source, &gates->from, gates->to, &gates->target, ended, &is_over);
    rc = go_on_telling(gates, &is_over, INT64_MAX, equal_progress, verify, e);
    if (rc == RC_OK)
        equal_tell(gates, verify, holds);
    verify_free(verify);
    return rc;
}

/* --- groups ------------------------------------------------------------------------------------
 */

static enum rc
ends(void *arg, struct selection *target, struct err *e)
{
    return selection_offsets(target, arg, e);
}

/* A group that reads these topics and goes on doing so at the source; NULL: none. */
static const char *
at_work(const struct group_sync *sync)
{
    for (uint32_t i = 0; i < sync->list.count; i++)
        for (int k = 0; k < GROUP_SYNC_VERDICTS; k++)
            if (sync->groups[i].counts[k] > 0 && sync->list.groups[i].has_members)
                return sync->list.groups[i].id;
    return NULL;
}

static const struct err *
first_failure(const struct group_sync *sync)
{
    for (uint32_t i = 0; i < sync->list.count; i++)
        if (sync->groups[i].failed.code != RC_OK)
            return &sync->groups[i].failed;
    return NULL;
}

/* Offsets that are higher at the target, or of groups with members there, are those of consumers
 * who have moved already. */
static bool
groups_hold(const struct group_sync *sync)
{
    return at_work(sync) == NULL && first_failure(sync) == NULL &&
           sync->totals[GROUP_SYNC_BEHIND] + sync->totals[GROUP_SYNC_PENDING] == 0;
}

static void
groups_tell(
    const struct cutover_gates *gates, const struct group_sync *sync, enum cutover_outcome outcome)
{
    const char *active = at_work(sync);
    const struct err *failed = first_failure(sync);
    const uint32_t *totals = sync->totals;
    uint32_t away = totals[GROUP_SYNC_BEHIND] + totals[GROUP_SYNC_PENDING];

    if (failed != NULL)
        cutover_gates_tell(gates, CUTOVER_STEP_GROUPS, outcome, "%s", failed->text);
    else if (active != NULL)
        cutover_gates_tell(gates, CUTOVER_STEP_GROUPS, outcome,
            "group %s has members at the source: stop them, or leave it out with --groups "
            "'...,!%s'",
            active, active);
    else if (away > 0)
        cutover_gates_tell(gates, CUTOVER_STEP_GROUPS, outcome,
            "%u offsets are not at the target yet: kdl mirror groups tells which", away);
    else
        cutover_gates_tell(gates, CUTOVER_STEP_GROUPS, outcome,
            "%u groups, %u offsets equal, %u %s, %u higher or in use at the target",
            sync->with_offsets, totals[GROUP_SYNC_EQUAL], totals[GROUP_SYNC_COPIED],
            gates->is_rehearsal ? "to be copied" : "copied",
            totals[GROUP_SYNC_AHEAD] + totals[GROUP_SYNC_IN_USE]);
}

static enum rc
groups_look(struct cutover_gates *gates, bool is_last, bool *holds, struct err *e)
{
    struct group_sync_options options = {
        .is_rehearsal = gates->is_rehearsal, .ends = ends, .arg = gates->to};
    struct group_sync sync;
    enum rc rc = group_sync_pass(&sync, gates->source, &gates->from, gates->to, &gates->target,
        gates->options->groups, &options, e);

    if (rc == RC_OK) {
        *holds = groups_hold(&sync);
        groups_tell(gates, &sync,
            *holds    ? CUTOVER_HOLDS
            : is_last ? CUTOVER_REFUSES
                      : CUTOVER_WAITS);
    }
    group_sync_fini(&sync);
    return rc;
}

enum rc
cutover_gates_groups(struct cutover_gates *gates, bool *holds, struct err *e)
{
    int64_t until_us = deadline_of(gates);

    *holds = true;
    if (gates->options->groups == NULL) {
        cutover_gates_tell(gates, CUTOVER_STEP_GROUPS, CUTOVER_IS_LEFT_OUT, "no --groups");
        return RC_OK;
    }
    for (;;) {
        int64_t now_us = loop_now_us(loop_of(gates));
        bool is_last = gates->is_rehearsal || now_us >= until_us;
        enum rc rc = groups_look(gates, is_last, holds, e);

        if (rc != RC_OK || *holds || is_last)
            return rc;
        rc = go_round(gates, NULL, now_us + AGAIN_US, e);
        if (rc != RC_OK)
            return rc;
    }
}
