/* kdl mirror run: plan, copy, progress. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/mirror_groups.h"
#include "cli/pair.h"
#include "cli/units.h"
#include "lib/base/env.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "mirror/pipe.h"
#include "mirror/prepare.h"

#define TERMINAL_US 250000
#define LINES_US 10000000
#define RATE_US 5000000
#define BAR_CELLS 24
#define LINE_BYTES_MAX 4096

static const struct option_row rows[] = {
    PAIR_OPTIONS,
    {"until", 0, OPTION_WORD, "WHAT", "caught-up", 0, 0,
        "end once the target has all that the source had at the start"},
    {"fetch-bytes", 0, OPTION_INT, "N", NULL, 1024, 1 << 28,
        "bytes to fetch of a partition at a time (default 4194304)"},
    MIRROR_GROUPS_OPTION("groups, by name or glob, whose committed offsets go along"),
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "no progress"},
};

struct job {
    struct pair pair;
    struct selection from;
    struct selection target;
    struct pipe *pipe;
    struct mirror_groups groups;
    struct loop_timer timer;
    const struct pipe_partition *state;
    int64_t started_us;
    int64_t seen_us; /* of the last rate */
    uint64_t seen_bytes;
    double rate;      /* bytes a second */
    int64_t line_us;  /* when the next one is due, where there is no terminal */
    uint32_t waiting; /* partitions that are tried again, */
    uint32_t failed;  /* and those that are not */
    int printed_lines;
    bool terminal;
    bool quiet;
    bool over;
    bool interrupted;
};

static uint64_t
bytes_copied(const struct job *job)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < job->from.partition_count; i++)
        bytes += job->state[i].bytes;
    return bytes;
}

struct topic_sum {
    int64_t total;
    int64_t left;
    bool live;
    bool failed;
};

static struct topic_sum
topic_sum(const struct job *job, const struct selection_topic *topic)
{
    struct topic_sum sum = {.live = true};

    for (int32_t k = 0; k < topic->partition_count; k++) {
        const struct pipe_partition *p = &job->state[topic->first + (uint32_t)k];
        int64_t end = p->source_end > p->goal_offset ? p->source_end : p->goal_offset;

        sum.total = saturate_add(sum.total, saturate_subtract(end, p->log_start_offset));
        if (end > p->next_offset)
            sum.left = saturate_add(sum.left, saturate_subtract(end, p->next_offset));
        sum.live = sum.live && p->caught_up;
        sum.failed = sum.failed || p->failed.code != RC_OK;
    }
    return sum;
}

static void
bar_print(double share, bool utf8)
{
    int full = (int)(share * BAR_CELLS);

    for (int i = 0; i < BAR_CELLS; i++)
        fputs(i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."), stderr);
}

static void
topic_print(const struct job *job, const struct selection_topic *topic)
{
    struct topic_sum sum = topic_sum(job, topic);
    double share = sum.total <= 0 ? 1 : 1 - (double)sum.left / (double)sum.total;
    char count[32];

    fprintf(stderr, "%-32.32s ", topic->name);
    if (job->terminal)
        bar_print(share, units_utf8());
    units_count(sum.left, count);
    fprintf(stderr, " %3.0f %%  lag %s records%s\n", share * 100, count,
        sum.failed ? "  FAILED"
        : sum.live ? "  live"
                   : "");
}

static void
rate_measure(struct job *job)
{
    int64_t now = loop_now_us(job->pair.loop);
    uint64_t bytes = bytes_copied(job);

    if (now - job->seen_us < TERMINAL_US)
        return;
    double fresh = (double)(bytes - job->seen_bytes) * 1e6 / (double)(now - job->seen_us);
    double weight = (double)(now - job->seen_us) / RATE_US;

    job->rate = job->rate == 0 || weight > 1 ? fresh : job->rate * (1 - weight) + fresh * weight;
    job->seen_us = now;
    job->seen_bytes = bytes;
}

/* *first is one of them. */
static uint32_t
failed_count(const struct job *job, const struct err **first)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < job->from.partition_count; i++)
        if (job->state[i].failed.code != RC_OK && failed++ == 0)
            *first = &job->state[i].failed;
    return failed;
}

static uint32_t
waiting_count(const struct job *job)
{
    uint32_t waiting = 0;

    for (uint32_t i = 0; i < job->from.partition_count; i++)
        waiting += job->state[i].waits && job->state[i].failed.code == RC_OK;
    return waiting;
}

static void
groups_print(struct job *job, FILE *to)
{
    struct buf line;

    buf_init(&line, LINE_BYTES_MAX);
    mirror_groups_line(&job->groups, &line);
    if (line.size > 0)
        fprintf(to, "%s\n", buf_text(&line));
    job->printed_lines += line.size > 0;
    buf_fini(&line);
}

static void
progress_print(struct job *job)
{
    const struct err *first = NULL;
    uint32_t failed;
    uint64_t bytes = bytes_copied(job);
    int64_t total = 0, left = 0;
    char size[32], speed[32];

    if (job->quiet)
        return;
    if (job->terminal && job->printed_lines > 0)
        fprintf(stderr, "\033[%dA\033[J", job->printed_lines);
    job->printed_lines = 0;
    for (uint32_t i = 0; i < job->from.topic_count; i++) {
        struct topic_sum sum = topic_sum(job, &job->from.topics[i]);

        total = saturate_add(total, sum.total);
        left = saturate_add(left, sum.left);
        if (!job->terminal || i >= 20)
            continue;
        topic_print(job, &job->from.topics[i]);
        job->printed_lines++;
    }
    units_bytes(bytes, size);
    units_bytes((uint64_t)job->rate, speed);
    fprintf(stderr, "%u topics  %s copied  %s/s  %.1f %%", job->from.topic_count, size, speed,
        total <= 0 ? 100.0 : 100.0 * (double)(total - left) / (double)total);
    if (left > 0 && total > left && bytes > 0) {
        double elapsed = (double)(loop_now_us(job->pair.loop) - job->started_us) / 1e6;
        char eta[32];

        units_seconds((int64_t)(elapsed * (double)left / (double)(total - left)), eta);
        fprintf(stderr, "  ETA %s", eta);
    }
    fputc('\n', stderr);
    job->printed_lines++;
    if (job->waiting > 0) {
        fprintf(stderr, "%u of %u partitions wait, and are tried again: %s\n", job->waiting,
            job->from.partition_count, pipe_trouble(job->pipe));
        job->printed_lines++;
    }
    failed = failed_count(job, &first);
    if (failed > 0) {
        fprintf(stderr, "%u of %u partitions have failed, as %s\n", failed,
            job->from.partition_count, first->text);
        job->printed_lines++;
    }
    groups_print(job, stderr);
}

static void
tick(void *arg)
{
    struct job *job = arg;
    int64_t now_us = loop_now_us(job->pair.loop);
    const struct err *first = NULL;
    uint32_t waiting = waiting_count(job), failed = failed_count(job, &first);
    bool begins = (waiting > 0 && job->waiting == 0) || failed > job->failed;

    rate_measure(job);
    job->waiting = waiting;
    job->failed = failed;
    if (job->terminal || begins || now_us >= job->line_us) {
        progress_print(job);
        job->line_us = now_us + LINES_US;
    }
    loop_timer_set(job->pair.loop, &job->timer, now_us + TERMINAL_US, tick, job);
}

static void
ended(void *arg)
{
    struct job *job = arg;

    job->over = true;
}

static void
interrupted(void *arg)
{
    struct job *job = arg;

    /* Groups' offsets that are being asked for are waited for, unless it is said once more. */
    if (job->interrupted)
        _exit(EXIT_INTERRUPTED);
    job->interrupted = true;
}

static int
result_print(struct job *job)
{
    char size[32], took[32];
    const struct err *first = NULL;
    uint32_t failed = failed_count(job, &first);

    for (uint32_t i = 0; i < job->from.partition_count; i++)
        if (job->state[i].failed.code != RC_OK)
            fprintf(stderr, "kdl: %s\n", job->state[i].failed.text);
    units_bytes(bytes_copied(job), size);
    units_seconds((loop_now_us(job->pair.loop) - job->started_us) / 1000000, took);
    if (failed > 0) {
        printf("mirror: %u of %u partitions failed, %s copied in %s\n", failed,
            job->from.partition_count, size, took);
        return EXIT_FAILED;
    }
    if (job->interrupted) {
        printf(
            "stopping: %s copied in %s, state saved. Run the same command to go on.\n", size, took);
        return EXIT_INTERRUPTED;
    }
    printf("caught up: %u topics, %u partitions, %s copied in %s\n", job->from.topic_count,
        job->from.partition_count, size, took);
    groups_print(job, stdout);
    printf("next: kdl verify with the same --from, --to and --topics proves that both are equal\n");
    return mirror_groups_is_done(&job->groups) ? EXIT_OK : EXIT_PARTIAL;
}

static int
copy(struct job *job, const struct options *options)
{
    struct pipe_options pipe = {.until_caught_up = options_is(options, "until"),
        .fetch_bytes = (int32_t)options_int(options, "fetch-bytes", 4 << 20)};
    int code;

    job->quiet = options_is(options, "quiet");
    job->terminal = isatty(STDERR_FILENO) != 0;
    job->started_us = job->seen_us = loop_now_us(job->pair.loop);
    loop_signal_add(job->pair.loop, SIGINT, interrupted, job);
    loop_signal_add(job->pair.loop, SIGTERM, interrupted, job);
    job->pipe = pipe_start(
        job->pair.from.cluster, &job->from, job->pair.to.cluster, &job->target, &pipe, ended, job);
    job->state = pipe_state(job->pipe);
    job->groups = (struct mirror_groups){.patterns = options_text(options, "groups", NULL),
        .pair = &job->pair,
        .from = &job->from,
        .target = &job->target,
        .state = job->state};
    tick(job);
    while (!job->over && !job->interrupted) {
        loop_step(job->pair.loop, -1);
        mirror_groups_pass(&job->groups, false);
    }
    if (!job->interrupted)
        mirror_groups_pass(&job->groups, true);
    rate_measure(job);
    progress_print(job);
    code = result_print(job);
    loop_timer_cancel(job->pair.loop, &job->timer);
    loop_signal_clear(job->pair.loop);
    mirror_groups_fini(&job->groups);
    pipe_free(job->pipe);
    return code;
}

static enum rc
prepare(struct job *job, struct err *e)
{
    struct prepare_result result;
    enum rc rc = selection_init(&job->from, job->pair.from.cluster, job->pair.topics, e);

    if (rc == RC_OK)
        rc = selection_offsets(&job->from, job->pair.from.cluster, e);
    if (rc != RC_OK) {
        err_note(e, "source");
        return rc;
    }
    rc = prepare_target(
        job->pair.from.cluster, &job->from, job->pair.to.cluster, &job->target, &result, e);
    if (rc == RC_OK)
        printf("plan  %u topics, %u partitions, offsets kept, transactions preserved; %u topics "
               "made, %u configs not copied\n",
            job->from.topic_count, job->from.partition_count, result.topics_made,
            result.configs_skipped);
    if (rc == RC_OK && result.configs_skipped > 0)
        fputs(buf_text(&result.skipped), stdout);
    fflush(stdout);
    prepare_result_fini(&result);
    return rc == RC_OK ? rc : err_note(e, "target");
}

static int
run(const struct invocation *in)
{
    struct job job = {.over = false};
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (pair_open(&in->options, &job.pair, &e) != RC_OK)
        return command_refuse(in->command, &e);
    code = prepare(&job, &e) == RC_OK ? copy(&job, &in->options) : command_fail(&e);
    selection_fini(&job.from);
    selection_fini(&job.target);
    pair_close(&job.pair);
    return code;
}

const struct command command_mirror_run = {
    .name = "mirror run",
    .arguments = "",
    .summary = "copy topics into a refbroker, offsets kept, and follow them live",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples =
        "kdl mirror run --from broker-1:9092 --to 127.0.0.1:9092 --topics 'orders,pay*'\n"
        "kdl mirror run --from broker-1:9092 --to 127.0.0.1:9092 --topics '*' --until caught-up\n"
        "kdl mirror run --from broker-1:9092 --to 127.0.0.1:9092 --topics '*' --groups '*'",
    .notes = "The target's log is the state: killed at any point, the same command goes on, and "
             "nothing is lost or doubled.\n\n"
             "exit codes\n"
             "  0 caught up, 1 a partition failed, 2 wrong use, 3 unreachable or refused, 4 caught "
             "up, but not all\n  offsets of --groups, 130 interrupted",
    .run = run,
};
