#include "cli/mirror_groups.h"

#define PASS_US ((int64_t)5 * 1000 * 1000)
/* Offsets of groups without members expire: after a week by default (offsets.retention.minutes). */
#define RENEW_US ((int64_t)3600 * 1000 * 1000)

/* An empty log of the target ends where it begins. */
static enum rc
ends(void *arg, struct selection *target, struct err *e)
{
    const struct mirror_groups *groups = arg;

    (void)e;
    for (uint32_t i = 0; i < target->partition_count; i++)
        target->partitions[i].end_offset =
            groups->state[i].begun ? groups->state[i].next_offset : groups->state[i].target_start;
    return RC_OK;
}

static void
last_forget(struct mirror_groups *groups)
{
    if (groups->has_last)
        group_sync_fini(&groups->last);
    groups->has_last = false;
}

void
mirror_groups_pass(struct mirror_groups *groups, bool is_last)
{
    struct pair *pair = groups->pair;
    struct group_sync_options options = {.ends = ends, .arg = groups};
    struct group_sync sync;
    struct err failed;
    int64_t now_us;

    if (groups->patterns == NULL)
        return;
    now_us = loop_now_us(pair->loop);
    if (now_us < groups->due_us && !is_last)
        return;
    options.renews = now_us >= groups->renew_us;
    if (options.renews)
        groups->renew_us = now_us + RENEW_US;
    /* What is told of the last pass stays meanwhile. */
    if (group_sync_pass(&sync, pair->from.cluster, groups->from, pair->to.cluster, groups->target,
            groups->patterns, &options, &failed) == RC_OK)
        err_clear(&failed);
    last_forget(groups);
    groups->has_last = true;
    groups->last = sync;
    groups->failed = failed;
    groups->due_us = loop_now_us(pair->loop) + PASS_US;
}

void
mirror_groups_fini(struct mirror_groups *groups)
{
    last_forget(groups);
}

bool
mirror_groups_is_done(const struct mirror_groups *groups)
{
    return groups->patterns == NULL ||
           (groups->has_last && groups->failed.code == RC_OK && group_sync_is_done(&groups->last));
}

/* --- words -------------------------------------------------------------------------------------
 */

void
mirror_groups_counts(const uint32_t *counts, struct buf *out)
{
    const char *separator = "";

    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++) {
        if (counts[i] == 0)
            continue;
        buf_printf(
            out, "%s%u %s", separator, counts[i], group_sync_word((enum group_sync_verdict)i));
        separator = ", ";
    }
}

void
mirror_groups_sum(const struct group_sync *sync, struct buf *out)
{
    uint32_t partitions = 0;

    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++)
        partitions += sync->totals[i];
    buf_printf(out, "%u group%s, %u partition%s%s", sync->with_offsets,
        sync->with_offsets == 1 ? "" : "s", partitions, partitions == 1 ? "" : "s",
        partitions == 0 ? "" : ": ");
    mirror_groups_counts(sync->totals, out);
}

void
mirror_groups_line(const struct mirror_groups *groups, struct buf *out)
{
    if (groups->patterns == NULL || !groups->has_last)
        return;
    if (groups->failed.code != RC_OK) {
        buf_printf(out, "offsets of groups are tried again: %s", groups->failed.text);
        return;
    }
    buf_append_text(out, "offsets of ");
    mirror_groups_sum(&groups->last, out);
    for (uint32_t i = 0; i < groups->last.list.count; i++) {
        const struct err *failed = &groups->last.groups[i].failed;

        if (failed->code == RC_OK)
            continue;
        buf_printf(out, "; group %s: %s", groups->last.list.groups[i].id, failed->text);
        return; /* the first one is enough for a line */
    }
}
