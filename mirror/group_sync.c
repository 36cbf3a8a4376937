#include "mirror/group_sync.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

static const struct {
    const char *word;
    const char *meaning;
    bool is_done;
} verdicts[] = {
#define GROUP_SYNC(name, word, is_done, meaning) {word, meaning, is_done},
#include "mirror/group_sync.def"
#undef GROUP_SYNC
};

/* Offsets by group, as in the list. */
struct pass {
    struct group_sync *sync;
    const struct selection *target;
    const struct group_sync_options *options;
    struct group_offsets *at_source;
    struct group_offsets *at_target;
    struct group_offsets *commits; /* what is to be written */
    struct group_offsets *back;    /* what stands at the target then */
    bool *wanted;                  /* groups to ask the target about */
};

const char *
group_sync_word(enum group_sync_verdict verdict)
{
    return verdicts[verdict].word;
}

const char *
group_sync_meaning(enum group_sync_verdict verdict)
{
    return verdicts[verdict].meaning;
}

bool
group_sync_verdict_is_done(enum group_sync_verdict verdict)
{
    return verdicts[verdict].is_done;
}

/* --- what is to be done ------------------------------------------------------------------------
 */

static void
count(const struct pass *pass, uint32_t group, enum group_sync_verdict verdict)
{
    pass->sync->groups[group].counts[verdict]++;
    pass->sync->totals[verdict]++;
}

static bool
is_same(const struct group_offset *a, const struct group_offset *b)
{
    return a->offset == b->offset && a->metadata_size == b->metadata_size &&
           memcmp(a->metadata, b->metadata, (size_t)a->metadata_size) == 0;
}

static void
group_fail(struct group_sync_group *group, const struct err *e)
{
    if (group->failed.code == RC_OK)
        group->failed = *e;
}

/* An offset that one side does not tell. */
static void
refused(struct pass *pass, uint32_t group, const char *side, int16_t code)
{
    struct err e;

    if (code == KE_UNSTABLE_OFFSET_COMMIT) {
        count(pass, group, GROUP_SYNC_PENDING);
        return;
    }
    err_set(&e, RC_REMOTE, "%s: OffsetFetch: %d %s", side, code, kerr_name(code));
    group_fail(&pass->sync->groups[group], &e);
    count(pass, group, GROUP_SYNC_FAILED);
}

static void
commit_add(struct pass *pass, uint32_t group, const struct group_offset *from, int64_t offset)
{
    group_offsets_add(&pass->commits[group], from->partition, offset,
        (struct wire_string){from->metadata, from->metadata_size});
}

/* Counts what is settled, and notes what has to be written. */
static void
offset_decide(struct pass *pass, uint32_t group, const struct group_offset *from)
{
    const struct group_offset *there = group_offsets_find(&pass->at_target[group], from->partition);
    int64_t end = pass->target->partitions[from->partition].end_offset;
    int64_t goal = from->offset < end ? from->offset : end;

    if (from->code != KE_NONE) {
        refused(pass, group, "source", from->code);
    } else if (there != NULL && there->code != KE_NONE) {
        refused(pass, group, "target", there->code);
    } else if (there != NULL && is_same(from, there)) {
        count(pass, group, GROUP_SYNC_EQUAL);
        if (pass->options->renews)
            commit_add(pass, group, from, from->offset);
    } else if (there != NULL && there->offset > goal && !pass->options->rewinds) {
        count(pass, group, there->offset > from->offset ? GROUP_SYNC_AHEAD : GROUP_SYNC_BEHIND);
    } else if (there != NULL && there->offset == goal && goal < from->offset) {
        count(pass, group, GROUP_SYNC_BEHIND);
    } else if (pass->options->is_rehearsal) {
        count(pass, group, goal < from->offset ? GROUP_SYNC_BEHIND : GROUP_SYNC_COPIED);
    } else {
        commit_add(pass, group, from, goal);
    }
}

/* Partitions of the topics that a group has offsets on, for which it has none. */
static uint32_t
without_count(const struct pass *pass, const struct group_offsets *offsets)
{
    const struct selection *s = pass->target;
    uint32_t partitions = 0;

    for (uint32_t i = 0; i < offsets->count; i++) {
        uint32_t topic = s->partitions[offsets->items[i].partition].topic;

        if (i == 0 || s->partitions[offsets->items[i - 1].partition].topic != topic)
            partitions += (uint32_t)s->topics[topic].partition_count;
    }
    return partitions - offsets->count;
}

static void
side_failed(struct pass *pass, uint32_t group, const char *side, const struct err *failed)
{
    struct err e = *failed;

    err_note(&e, "%s", side);
    group_fail(&pass->sync->groups[group], &e);
    for (uint32_t i = 0; i < pass->at_source[group].count; i++)
        count(pass, group, GROUP_SYNC_FAILED);
}

static void
group_decide(struct pass *pass, uint32_t group)
{
    const struct group_offsets *from = &pass->at_source[group];

    pass->sync->groups[group].without = without_count(pass, from);
    pass->sync->groups[group].elsewhere = from->elsewhere;
    if (from->failed.code != RC_OK) {
        side_failed(pass, group, "source", &from->failed);
    } else if (pass->at_target[group].failed.code != RC_OK) {
        side_failed(pass, group, "target", &pass->at_target[group].failed);
    } else {
        for (uint32_t i = 0; i < from->count; i++)
            offset_decide(pass, group, &from->items[i]);
    }
}

/* --- what came of it ---------------------------------------------------------------------------
 */

/* Codes by which brokers refuse offsets of nobody's while a group has members. */
static bool
is_in_use(int16_t code)
{
    return code == KE_UNKNOWN_MEMBER_ID || code == KE_ILLEGAL_GENERATION ||
           code == KE_REBALANCE_IN_PROGRESS || code == KE_STALE_MEMBER_EPOCH ||
           code == KE_FENCED_MEMBER_EPOCH || code == KE_FENCED_INSTANCE_ID;
}

static void
commit_failed(struct pass *pass, uint32_t group, const struct group_offset *wanted,
    const struct group_offset *found)
{
    const struct selection *s = pass->target;
    struct err e = pass->commits[group].failed;

    if (is_in_use(pass->commits[group].code)) {
        count(pass, group, GROUP_SYNC_IN_USE);
        return;
    }
    if (e.code == RC_OK)
        e = pass->back[group].failed;
    if (e.code == RC_OK)
        err_set(&e, RC_DIFFERS, "%s-%d: %" PRId64 " was committed, and %" PRId64 " is there",
            selection_name(s, wanted->partition), s->partitions[wanted->partition].partition,
            wanted->offset, found == NULL ? -1 : found->offset);
    err_note(&e, "target");
    group_fail(&pass->sync->groups[group], &e);
    count(pass, group, GROUP_SYNC_FAILED);
}

static void
group_judge(struct pass *pass, uint32_t group)
{
    const struct group_offsets *commits = &pass->commits[group];

    for (uint32_t i = 0; i < commits->count; i++) {
        const struct group_offset *wanted = &commits->items[i];
        const struct group_offset *from =
            group_offsets_find(&pass->at_source[group], wanted->partition);
        const struct group_offset *before =
            group_offsets_find(&pass->at_target[group], wanted->partition);
        const struct group_offset *found =
            group_offsets_find(&pass->back[group], wanted->partition);

        if (before != NULL && is_same(before, from))
            continue; /* equal, and counted so: it was renewed */
        if (found == NULL || !is_same(found, wanted))
            commit_failed(pass, group, wanted, found);
        else
            count(
                pass, group, wanted->offset < from->offset ? GROUP_SYNC_BEHIND : GROUP_SYNC_COPIED);
    }
}

/* --- a pass ------------------------------------------------------------------------------------
 */

static void
pass_begin(struct pass *pass, uint32_t groups)
{
    pass->sync->groups = xcalloc((size_t)groups + 1, sizeof *pass->sync->groups);
    pass->at_source = xcalloc((size_t)groups + 1, sizeof *pass->at_source);
    pass->at_target = xcalloc((size_t)groups + 1, sizeof *pass->at_target);
    pass->commits = xcalloc((size_t)groups + 1, sizeof *pass->commits);
    pass->back = xcalloc((size_t)groups + 1, sizeof *pass->back);
    pass->wanted = xcalloc((size_t)groups + 1, sizeof *pass->wanted);
}

static void
pass_end(struct pass *pass, uint32_t groups)
{
    group_offsets_free(pass->at_source, groups);
    group_offsets_free(pass->at_target, groups);
    group_offsets_free(pass->commits, groups);
    group_offsets_free(pass->back, groups);
    free(pass->wanted);
}

static void
target_bring(struct pass *pass, struct cluster *to)
{
    const struct group_list *list = &pass->sync->list;

    for (uint32_t i = 0; i < list->count; i++)
        pass->wanted[i] = pass->at_source[i].count > 0;
    group_offsets_read(to, pass->target, list, pass->wanted, pass->at_target);
    for (uint32_t i = 0; i < list->count; i++) {
        group_decide(pass, i);
        pass->sync->with_offsets += pass->wanted[i] || pass->sync->groups[i].failed.code != RC_OK;
        pass->wanted[i] = pass->commits[i].count > 0;
    }
    group_offsets_commit(to, pass->target, list, pass->commits);
    group_offsets_read(to, pass->target, list, pass->wanted, pass->back);
    for (uint32_t i = 0; i < list->count; i++)
        group_judge(pass, i);
}

enum rc
group_sync_pass(struct group_sync *sync, struct cluster *source, const struct selection *from,
    struct cluster *to, struct selection *target, const char *patterns,
    const struct group_sync_options *options, struct err *e)
{
    struct pass pass = {.sync = sync, .target = target, .options = options};
    enum rc rc;

    *sync = (struct group_sync){0};
    if (group_list_init(&sync->list, source, patterns, e) != RC_OK)
        return err_note(e, "source");
    pass_begin(&pass, sync->list.count);
    group_offsets_read(source, from, &sync->list, NULL, pass.at_source);
    rc = options->ends(options->arg, target, e);
    if (rc == RC_OK)
        target_bring(&pass, to);
    pass_end(&pass, sync->list.count);
    return rc == RC_OK ? rc : err_note(e, "target");
}

void
group_sync_fini(struct group_sync *sync)
{
    group_list_fini(&sync->list);
    free(sync->groups);
    *sync = (struct group_sync){0};
}

bool
group_sync_is_done(const struct group_sync *sync)
{
    for (size_t i = 0; i < GROUP_SYNC_VERDICTS; i++)
        if (!verdicts[i].is_done && sync->totals[i] > 0)
            return false;
    for (uint32_t i = 0; i < sync->list.count; i++)
        if (sync->groups[i].failed.code != RC_OK)
            return false;
    return true;
}
