/* kdl mirror groups: one pass over the offsets of groups, and how each stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/mirror_groups.h"
#include "cli/pair.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define NAME_CELLS 32

static const struct option_row rows[] = {
    PAIR_OPTIONS,
    MIRROR_GROUPS_OPTION("groups by name or glob; !PATTERN takes some out again (default: all)"),
    {"rewind", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "also set back what is higher at the target, as after a reset at the source"},
    {"dry-run", 0, OPTION_SWITCH, "", NULL, 0, 0, "commit nothing; tell what would be copied"},
    {"output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "for people or for programs"},
};

/* --- for people --------------------------------------------------------------------------------
 */

static bool
is_shown(const struct group_sync *sync, uint32_t group)
{
    const struct group_sync_group *of = &sync->groups[group];

    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++)
        if (of->counts[i] > 0)
            return true;
    return of->failed.code != RC_OK;
}

static void
group_text(const struct group_sync *sync, uint32_t group, struct buf *out)
{
    const struct group_list_group *listed = &sync->list.groups[group];
    const struct group_sync_group *of = &sync->groups[group];

    buf_printf(out, "  %-*s %-9s ", NAME_CELLS, listed->id, group_list_type_text(listed->type));
    mirror_groups_counts(of->counts, out);
    if (of->without > 0)
        buf_printf(out, "; %u without an offset", of->without);
    if (of->elsewhere > 0)
        buf_printf(out, "; %u of other topics", of->elsewhere);
    buf_append_text(out, "\n");
    if (of->failed.code != RC_OK)
        buf_printf(out, "  %*s %s\n", NAME_CELLS, "", of->failed.text);
}

/* What the words mean that ask for something, and what is left out. */
static void
notes_text(const struct group_sync *sync, struct buf *out)
{
    uint32_t shares = 0, without = 0, elsewhere = 0;
    uint32_t idle;

    for (uint32_t i = 0; i < sync->list.count; i++) {
        shares += !group_list_commits(sync->list.groups[i].type);
        without += sync->groups[i].without;
        elsewhere += is_shown(sync, i) ? sync->groups[i].elsewhere : 0;
    }
    idle = sync->list.count - sync->with_offsets - shares;
    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++)
        if (sync->totals[i] > 0 && !group_sync_verdict_is_done((enum group_sync_verdict)i))
            buf_printf(out, "%s: %s.\n", group_sync_word((enum group_sync_verdict)i),
                group_sync_meaning((enum group_sync_verdict)i));
    if (without > 0)
        buf_append_text(out, "without an offset: the group reads the topic's other partitions and "
                             "has committed nothing there; auto.offset.reset decides.\n");
    if (elsewhere > 0)
        buf_append_text(out, "of other topics: the group has committed offsets on topics that are "
                             "not selected, and needs those, too, before it moves.\n");
    if (idle > 0)
        buf_printf(out, "%u other group%s no offsets on these topics.\n", idle,
            idle == 1 ? " has" : "s have");
    if (shares > 0)
        buf_printf(out,
            "%u share group%s left out: it is kafka-share-groups.sh that sets where "
            "they begin.\n",
            shares, shares == 1 ? " is" : "s are");
}

static void
report_text(const struct group_sync *sync, bool is_rehearsal, struct buf *out)
{
    for (uint32_t i = 0; i < sync->list.count; i++)
        if (is_shown(sync, i))
            group_text(sync, i, out);
    notes_text(sync, out);
    mirror_groups_sum(sync, out);
    buf_append_text(out, is_rehearsal               ? "\nnothing was committed (--dry-run).\n"
                         : group_sync_is_done(sync) ? "\nthe target has them all.\n"
                                                    : "\nthe target does not have them all.\n");
}

/* --- for programs ------------------------------------------------------------------------------
 */

static void
counts_json(const uint32_t *counts, struct jdoc *out)
{
    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++) {
        char *name = xstrdup(group_sync_word((enum group_sync_verdict)i));

        for (char *c = strchr(name, ' '); c != NULL; c = strchr(c, ' '))
            *c = '_';
        jdoc_set_int(out, name, counts[i]);
        free(name);
    }
}

static void
report_json(const struct group_sync *sync, bool is_rehearsal, struct buf *out)
{
    struct jdoc *doc = jdoc_object(), *groups = jdoc_array(), *totals = jdoc_object();
    char *text;

    for (uint32_t i = 0; i < sync->list.count; i++) {
        struct jdoc *group = jdoc_object();

        jdoc_set_text(group, "group", sync->list.groups[i].id);
        jdoc_set_text(group, "type", group_list_type_text(sync->list.groups[i].type));
        counts_json(sync->groups[i].counts, group);
        jdoc_set_int(group, "without_offset", sync->groups[i].without);
        jdoc_set_int(group, "other_topics", sync->groups[i].elsewhere);
        if (sync->groups[i].failed.code != RC_OK)
            jdoc_set_text(group, "why", sync->groups[i].failed.text);
        jdoc_add_take(groups, group);
    }
    counts_json(sync->totals, totals);
    jdoc_set_take(doc, "groups", groups);
    jdoc_set_take(doc, "totals", totals);
    jdoc_set_bool(doc, "dry_run", is_rehearsal);
    jdoc_set_bool(doc, "done", group_sync_is_done(sync));
    text = jdoc_dump(doc, 2);
    buf_printf(out, "%s\n", text);
    free(text);
    jdoc_free(doc);
}

/* --- the command -------------------------------------------------------------------------------
 */

static enum rc
ends(void *arg, struct selection *target, struct err *e)
{
    return selection_offsets(target, arg, e);
}

static enum rc
sync_groups(const struct invocation *in, struct pair *pair, const char *patterns,
    struct group_sync *sync, struct err *e)
{
    struct group_sync_options options = {.rewinds = options_is(&in->options, "rewind"),
        .is_rehearsal = options_is(&in->options, "dry-run"),
        .ends = ends,
        .arg = pair->to.cluster};
    struct selection from = {0}, target = {0};
    enum rc rc = selection_init(&from, pair->from.cluster, pair->topics, e);

    if (rc != RC_OK)
        return err_note(e, "source");
    rc = selection_same(&target, pair->to.cluster, &from, e);
    if (rc != RC_OK)
        err_note(e, "target");
    else
        rc = group_sync_pass(
            sync, pair->from.cluster, &from, pair->to.cluster, &target, patterns, &options, e);
    selection_fini(&from);
    selection_fini(&target);
    return rc;
}

static int
report(const struct invocation *in, const struct group_sync *sync)
{
    bool is_rehearsal = options_is(&in->options, "dry-run");
    struct buf out;

    buf_init(&out, TEXT_BYTES_MAX);
    if (strcmp(options_text(&in->options, "output", "text"), "json") == 0)
        report_json(sync, is_rehearsal, &out);
    else
        report_text(sync, is_rehearsal, &out);
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
    return group_sync_is_done(sync) ? EXIT_OK : EXIT_PARTIAL;
}

static int
run(const struct invocation *in)
{
    const char *patterns = options_text(&in->options, "groups", "*");
    struct group_sync sync = {0};
    struct pair pair;
    struct err e;
    enum rc rc;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (pair_open(&in->options, &pair, &e) != RC_OK)
        return command_refuse(in->command, &e);
    rc = sync_groups(in, &pair, patterns, &sync, &e);
    if (rc == RC_OK && sync.list.count == 0)
        rc = err_set(&e, RC_NOTFOUND, "source: no group matches %s", patterns);
    code = rc == RC_OK ? report(in, &sync) : command_fail(&e);
    group_sync_fini(&sync);
    pair_close(&pair);
    return code;
}

const struct command command_mirror_groups = {
    .name = "mirror groups",
    .arguments = "",
    .summary = "bring the offsets that groups have committed to the target of a mirror",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl mirror groups --from broker-1:9092 --to 127.0.0.1:9092 --topics '*'\n"
                "kdl mirror groups --from broker-1:9092 --to 127.0.0.1:9092 --topics 'orders,pay*' "
                "--groups 'billing,!test-*' --dry-run",
    .notes = "One pass: reads both sides, commits at the target what is higher at the source, and "
             "reads it back. Never beyond the\nend of the target's log, never into a group that "
             "has members there. `kdl mirror run --groups` goes on doing so.\n\n"
             "exit codes\n"
             "  0 the target has all offsets, 1 no such topic or group, 2 wrong use, 3 unreachable "
             "or refused, 4 some could not be copied",
    .run = run,
};
