/*
 * kdl audit watch: looks at a cluster again and again, and keeps what it saw in a snapshot.
 *
 * Each look is an audit of its own, to which what the ones before saw is added (carry.h); then the
 * snapshot is replaced by it, whole. A watch that was killed goes on with the same command: the
 * snapshot is its only state.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/carry.h"
#include "audit/snapshot.h"
#include "cli/audit_output.h"
#include "cli/command.h"
#include "cli/session.h"
#include "cli/units.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"

static const struct option_row rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"topics", 't', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,
        "which topics: shell patterns; one with ! before it takes out again (default: all)"},
    {"snapshot", 's', OPTION_TEXT, "FILE", NULL, 0, 0,
        "where it is kept; goes on with one of an earlier watch"},
    {"for", 0, OPTION_TEXT, "TIME", NULL, 0, 0, "how long, from the first look on (default: 7d)"},
    {"every", 0, OPTION_TEXT, "TIME", NULL, 0, 0, "how often to look (default: 10m)"},
    {"sample-bytes", 0, OPTION_INT, "N", NULL, 0, INT64_C(1) << 50,
        "how much of the stored batches to read at the first look (default: 268435456)"},
    AUDIT_OUTPUT_OPTIONS,
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "no line per look"},
};

struct watching {
    const struct conf_client *conf;
    struct loop *loop;
    const struct options *options;
    const char *path;
    int64_t for_ms;
    int64_t every_ms;
    struct audit_inventory seen; /* so far; watch.looks is 0 before the first look */
    bool interrupted;
};

static int64_t
now_ms(void)
{
    struct env env;

    env_init_real(&env);
    return env_wall_ms(&env);
}

static void
on_signal(void *arg)
{
    struct watching *watching = arg;

    watching->interrupted = true;
    loop_stop(watching->loop);
}

static void
on_time(void *arg)
{
    loop_stop(arg);
}

/* --- a look ------------------------------------------------------------------------------------
 */

static enum rc
look(struct watching *watching, struct audit_inventory *fresh, struct err *e)
{
    const struct options *options = watching->options;
    struct audit_options wanted = {.patterns = options_text(options, "topics", "*"),
        .sample_bytes =
            watching->seen.watch.looks > 0
                ? 0
                : (uint64_t)options_int(options, "sample-bytes", (int64_t)AUDIT_SAMPLE_BYTES)};
    struct cluster *cluster = NULL;
    enum rc rc = cluster_new(watching->loop, watching->conf, &cluster, e);

    if (rc == RC_OK)
        rc = audit_run(cluster, &wanted, fresh, e);
    cluster_free(cluster);
    if (rc == RC_OK && watching->seen.watch.looks > 0)
        rc = carry_on(fresh, &watching->seen, e);
    return rc == RC_OK ? snapshot_replace(fresh, watching->path, e) : rc;
}

static void
look_print(const struct watching *watching, int64_t end_ms)
{
    const struct audit_inventory *seen = &watching->seen;
    char past[UNITS_BYTES], all[UNITS_BYTES];
    uint32_t tied = 0;

    if (options_is(watching->options, "quiet"))
        return;
    for (uint32_t t = 0; t < seen->topic_count; t++)
        tied += seen->topics[t].traces[AUDIT_TRACE_OPEN].ids > 0;
    units_seconds((seen->asked_ms[AUDIT_METADATA] - seen->watch.first_ms) / 1000, past);
    units_seconds((end_ms - seen->watch.first_ms) / 1000, all);
    fprintf(stderr,
        "look %" PRIu32 ": %" PRIu32 " topics, %" PRIu32 " seen in transactions of %" PRIu32
        " ids, %" PRIu32 " groups; %s of %s\n",
        seen->watch.looks, seen->topic_count, tied, seen->transactional_id_count, seen->group_count,
        past, all);
}

/* False where watching makes no sense: nothing was seen yet, or the file is of another cluster. */
static bool
look_take(struct watching *watching, int64_t *end_ms, struct err *e)
{
    struct audit_inventory fresh;
    enum rc rc;

    inventory_init(&fresh);
    rc = look(watching, &fresh, e);
    if (rc != RC_OK) {
        inventory_fini(&fresh);
        if (watching->seen.watch.looks == 0 || rc == RC_CONFLICT || rc == RC_CONFIG)
            return false;
        fprintf(stderr, "no look: %s; the next one comes all the same\n", e->text);
        return true;
    }
    inventory_fini(&watching->seen);
    watching->seen = fresh;
    *end_ms = fresh.watch.first_ms + watching->for_ms;
    look_print(watching, *end_ms);
    return true;
}

/* --- the watch ---------------------------------------------------------------------------------
 */

static enum rc
watch(struct watching *watching, struct err *e)
{
    struct loop_timer timer = {0};
    int64_t end_ms = now_ms() + watching->for_ms;

    for (;;) {
        int64_t started_us = loop_now_us(watching->loop);

        if (!look_take(watching, &end_ms, e))
            return e->code;
        if (watching->interrupted || now_ms() + watching->every_ms > end_ms)
            return RC_OK;
        loop_timer_set(watching->loop, &timer, started_us + watching->every_ms * 1000, on_time,
            watching->loop);
        loop_run(watching->loop);
        if (watching->interrupted) {
            loop_timer_cancel(watching->loop, &timer);
            return RC_OK;
        }
    }
}

static enum rc
before_read(struct watching *watching, struct err *e)
{
    enum rc rc = snapshot_read(watching->path, &watching->seen, e);

    if (rc == RC_OK)
        return RC_OK;
    if (rc != RC_NOTFOUND)
        return e->code = RC_CONFIG;
    /* There is no such file, or no such folder. */
    return snapshot_check(watching->path, e);
}

static int
watch_and_report(struct watching *watching, struct audit_output *output)
{
    struct err e;
    int code;

    inventory_init(&watching->seen);
    loop_signal_add(watching->loop, SIGINT, on_signal, watching);
    loop_signal_add(watching->loop, SIGTERM, on_signal, watching);
    if (before_read(watching, &e) != RC_OK || watch(watching, &e) != RC_OK ||
        audit_judge(&watching->seen, &e) != RC_OK)
        code = command_fail(&e);
    else
        code = audit_output_print(output, &watching->seen);
    loop_signal_clear(watching->loop);
    inventory_fini(&watching->seen);
    return code;
}

static enum rc
times_read(struct watching *watching, struct err *e)
{
    const char *until = options_text(watching->options, "for", "7d");
    const char *every = options_text(watching->options, "every", "10m");

    if (!units_seconds_read(until, &watching->for_ms))
        return err_set(
            e, RC_CONFIG, "--for %s: it takes a time such as 90s, 10m, 12h or 7d.", until);
    if (!units_seconds_read(every, &watching->every_ms))
        return err_set(
            e, RC_CONFIG, "--every %s: it takes a time such as 90s, 10m, 12h or 7d.", every);
    watching->for_ms *= 1000;
    watching->every_ms *= 1000;
    watching->path = options_text(watching->options, "snapshot", NULL);
    if (watching->path == NULL)
        return err_set(e, RC_CONFIG, "--snapshot FILE is missing: it is where a watch is kept.");
    return RC_OK;
}

static int
run(const struct invocation *in)
{
    struct watching watching = {.options = &in->options};
    struct audit_output output;
    struct conf *conf = NULL;
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (audit_output_init(&output, &in->options, &e) != RC_OK ||
        times_read(&watching, &e) != RC_OK ||
        session_conf(&in->options, &conf, &watching.conf, &e) != RC_OK)
        code = command_refuse(in->command, &e);
    else if (loop_new(&watching.loop, &e) == RC_OK)
        code = watch_and_report(&watching, &output);
    else
        code = command_fail(&e);
    audit_output_fini(&output);
    loop_free(watching.loop);
    conf_free(conf);
    return code;
}

const struct command command_audit_watch = {
    .name = "audit watch",
    .arguments = "",
    .summary = "audit again and again for days, and keep all that shows for moments only",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl audit watch -b broker-1:9092 --snapshot week.kdla\n"
                "kdl audit watch -b broker-1:9092 --snapshot day.kdla --for 1d --every 2m -o waves",
    .notes =
        "Open transactions, the groups of jobs that run at night, producers that are gone after a "
        "day: what one\naudit misses. Killed, it goes on with the same command; interrupted "
        "(Ctrl-C), it reports what it has. " AUDIT_OUTPUT_NOTES,
    .run = run,
};
