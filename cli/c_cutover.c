/* kdl cutover check|run|back|status: the switch from one cluster to the other, gate by gate. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/pair.h"
#include "lib/base/disk.h"
#include "lib/base/env.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"
#include "mirror/cutover.h"

#define RECORD "cutover.json"
#define FETCH_BYTES (4 << 20)
#define STILL_S 10
#define WAIT_S 600
#define TAIL_RECORDS 10000
#define WAITS_US ((int64_t)10 * 1000 * 1000) /* between two lines about the same step */
#define PATH_BYTES_MAX 4096

#define RECORD_OPTION                                                                              \
    {                                                                                              \
        "record", 'r', OPTION_TEXT, "FILE", NULL, 0, 0,                                            \
            "what was done, so that it can go on (default cutover.json)"                           \
    }
#define OUTPUT_OPTION                                                                              \
    {                                                                                              \
        "output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "for people or for programs"      \
    }
#define GATE_OPTIONS                                                                               \
    {"groups", 'g', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,                                        \
        "groups, by name or glob, that go along: their offsets are a gate"},                       \
        {"abort-open", 0, OPTION_SWITCH, "", NULL, 0, 0,                                           \
            "open transactions hold nothing up, and are aborted at the target"},                   \
        {"still-seconds", 0, OPTION_INT, "N", NULL, 1, 3600,                                       \
            "how long the source's logs must not grow (default 10)"},                              \
        {"tail-records", 0, OPTION_INT, "N", NULL, 0, 1000000000,                                  \
            "of each partition, to be compared on both sides; 0: none (default 10000)"},           \
        OUTPUT_OPTION

static const char exits[] =
    "exit codes\n"
    "  0 done, 1 a failed operation, 2 wrong use, 3 unreachable or refused by a cluster, 5 a gate "
    "refused,\n  7 another process works with the record, 130 interrupted";

/* --- what is told ------------------------------------------------------------------------------
 */

struct telling {
    struct cutover_record *record; /* NULL: nothing is written down */
    struct jdoc *lines;            /* NULL: for people */
    int64_t waits_us;              /* when the next line about waiting is due */
    enum cutover_step waits_for;
    enum cutover_step refused; /* the last gate that did */
    struct env env;
};

static void
line_print(const char *step, const char *outcome, const char *text)
{
    printf("  %-9s %-9s %s\n", outcome, step, text);
    fflush(stdout);
}

static void
waits_print(struct telling *telling, enum cutover_step step, const char *text)
{
    int64_t now_us = env_now_us(&telling->env);

    if (step == telling->waits_for && now_us < telling->waits_us)
        return;
    telling->waits_for = step;
    telling->waits_us = now_us + WAITS_US;
    fprintf(stderr, "  waits     %-9s %s\n", cutover_gates_step_word(step), text);
}

static void
tell(void *arg, enum cutover_step step, enum cutover_outcome outcome, const char *text)
{
    struct telling *telling = arg;
    const char *word = cutover_gates_step_word(step), *how = cutover_gates_outcome_word(outcome);

    if (outcome == CUTOVER_WAITS) {
        waits_print(telling, step, text);
        return;
    }
    if (outcome == CUTOVER_REFUSES)
        telling->refused = step;
    if (telling->record != NULL)
        cutover_record_note(telling->record, env_wall_ms(&telling->env), word, how, text);
    if (telling->lines == NULL) {
        line_print(word, how, text);
        return;
    }
    struct jdoc *line = jdoc_object();

    jdoc_set_text(line, "step", word);
    jdoc_set_text(line, "meaning", cutover_gates_step_meaning(step));
    jdoc_set_text(line, "outcome", how);
    jdoc_set_text(line, "text", text);
    jdoc_add_take(telling->lines, line);
}

static void
json_print(struct jdoc *doc)
{
    char *text = jdoc_dump(doc, 2);

    puts(text);
    free(text);
    jdoc_free(doc);
}

/* The last line, or all of it for programs. */
static void
result_print(struct telling *telling, bool holds, enum cutover_phase phase, const char *text)
{
    struct jdoc *doc;

    if (telling->lines == NULL) {
        printf("%s\n", text);
        return;
    }
    doc = jdoc_object();
    jdoc_set_take(doc, "steps", telling->lines);
    jdoc_set_bool(doc, "holds", holds);
    jdoc_set_text(doc, "phase", cutover_record_phase_word(phase));
    telling->lines = NULL;
    json_print(doc);
}

/* --- one call ----------------------------------------------------------------------------------
 */

struct job {
    const struct invocation *in;
    struct pair pair;
    struct disk *disk;
    struct cutover_record record;
    struct telling telling;
    struct cutover_options options;
    bool is_interrupted;
};

/* A request that is under way is waited for; whoever does not want that says so once more. The
 * record is always as far as what was done. */
static void
interrupted(void *arg)
{
    struct job *job = arg;

    if (job->is_interrupted)
        _exit(EXIT_INTERRUPTED);
    job->is_interrupted = true;
}

static void
job_init(struct job *job, const struct invocation *in)
{
    *job = (struct job){.in = in};
    env_init_real(&job->telling.env);
    job->telling.waits_for = CUTOVER_STEPS;
    if (strcmp(options_text(&in->options, "output", "text"), "json") == 0)
        job->telling.lines = jdoc_array();
    job->options = (struct cutover_options){.fetch_bytes = FETCH_BYTES,
        .tell = tell,
        .arg = &job->telling,
        .is_interrupted = &job->is_interrupted};
}

static void
gates_read(struct job *job)
{
    const struct options *options = &job->in->options;

    job->options.groups = options_text(options, "groups", NULL);
    job->options.aborts_open = options_is(options, "abort-open");
    job->options.still_ms = options_int(options, "still-seconds", STILL_S) * 1000;
    job->options.tail_records = options_int(options, "tail-records", TAIL_RECORDS);
}

static void
job_fini(struct job *job)
{
    jdoc_free(job->telling.lines);
    cutover_record_close(&job->record);
    disk_free(job->disk);
    if (job->pair.loop != NULL)
        loop_signal_clear(job->pair.loop);
    pair_close(&job->pair);
}

typedef enum rc open_fn(
    struct cutover_record *record, struct disk *disk, const char *name, struct err *e);

static enum rc
record_open(struct job *job, open_fn *open, struct err *e)
{
    const char *path = options_text(&job->in->options, "record", RECORD);
    const char *slash = strrchr(path, '/');
    char folder[PATH_BYTES_MAX];
    size_t size = slash == NULL ? 1 : (size_t)(slash - path) + 1;
    enum rc rc;

    if (size >= sizeof folder || (slash != NULL && slash[1] == '\0'))
        return err_set(e, RC_CONFIG, "--record wants the name of a file.");
    memcpy(folder, slash == NULL ? "." : path, size);
    folder[size] = '\0';
    if (access(folder, F_OK) != 0) /* a disk would make it */
        return err_set(e, RC_CONFIG, "--record %s: its folder is not there.", path);
    rc = disk_open_real(folder, &job->disk, e);
    if (rc == RC_OK)
        rc = open(&job->record, job->disk, slash == NULL ? path : slash + 1, e);
    job->telling.record = &job->record;
    return rc;
}

/* What one of the commands does with two clusters. */
struct work {
    enum rc (*pair_open)(const struct options *options, struct pair *pair, struct err *e);
    enum rc (*run)(struct job *job, bool *holds, struct err *e);
    void (*end)(struct job *job, bool holds); /* the last line */
    bool has_record;
};

static enum rc
job_open(struct job *job, const struct work *work, struct err *e)
{
    enum rc rc = work->has_record ? record_open(job, cutover_record_open, e) : RC_OK;

    if (rc == RC_OK)
        rc = work->pair_open(&job->in->options, &job->pair, e);
    if (rc != RC_OK)
        return rc;
    loop_signal_add(job->pair.loop, SIGINT, interrupted, job);
    loop_signal_add(job->pair.loop, SIGTERM, interrupted, job);
    return RC_OK;
}

static int
job_run(const struct invocation *in, const struct work *work)
{
    struct job job;
    struct err e;
    bool holds = false;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    job_init(&job, in);
    if (job_open(&job, work, &e) != RC_OK) {
        code = command_refuse(in->command, &e);
    } else if (work->run(&job, &holds, &e) != RC_OK) {
        code = command_fail(&e);
    } else {
        work->end(&job, holds);
        code = holds ? EXIT_OK : EXIT_GATE;
    }
    job_fini(&job);
    return code;
}

/* --- check -------------------------------------------------------------------------------------
 */

static const struct option_row check_rows[] = {PAIR_OPTIONS, GATE_OPTIONS};

static enum rc
check_work(struct job *job, bool *holds, struct err *e)
{
    gates_read(job);
    return cutover_check(
        job->pair.from.cluster, job->pair.to.cluster, job->pair.topics, &job->options, holds, e);
}

static void
check_end(struct job *job, bool holds)
{
    result_print(&job->telling, holds, CUTOVER_NONE,
        holds ? "all gates are open; nothing was changed."
              : "a gate refuses; nothing was changed.");
}

static int
check_run(const struct invocation *in)
{
    static const struct work work = {pair_open, check_work, check_end, false};

    return job_run(in, &work);
}

const struct command command_cutover_check = {
    .name = "cutover check",
    .arguments = "",
    .summary = "ask all gates of a cut-over, and change nothing",
    .rows = check_rows,
    .row_count = ARRAY_LEN(check_rows),
    .examples = "kdl cutover check --from broker-1:9092 --to 127.0.0.1:9092 --topics 'orders,pay*' "
                "--groups '*'",
    .notes = exits,
    .run = check_run,
};

/* --- run ---------------------------------------------------------------------------------------
 */

static const struct option_row run_rows[] = {
    PAIR_OPTIONS,
    GATE_OPTIONS,
    RECORD_OPTION,
    {"fence", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "keep producers from the source's topics by access rules"},
    {"allow-reads", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "with --fence: allow everybody to read topics that have no access rule"},
    {"wait-seconds", 0, OPTION_INT, "N", NULL, 0, 86400,
        "for logs to be still, for the last records, for groups to stop (default 600)"},
};

static enum rc
run_work(struct job *job, bool *holds, struct err *e)
{
    const struct options *options = &job->in->options;

    gates_read(job);
    job->options.fences = options_is(options, "fence");
    job->options.opens = options_is(options, "allow-reads");
    job->options.wait_ms = options_int(options, "wait-seconds", WAIT_S) * 1000;
    return cutover_run(&job->record, job->pair.from.cluster, job->pair.to.cluster, job->pair.topics,
        &job->options, holds, e);
}

static void
run_end(struct job *job, bool holds)
{
    char text[PATH_BYTES_MAX];

    if (holds)
        (void)snprintf(text, sizeof text,
            "cut over: producers, and the groups' consumers, may be started at the target.");
    else if (job->record.phase == CUTOVER_PROMOTED)
        (void)snprintf(text, sizeof text,
            "cut over, with records that came late. They are at the source only.");
    else
        (void)snprintf(text, sizeof text,
            "refused at \"%s\"; the target is as it was%s. Run the same command again, or kdl "
            "cutover back.",
            cutover_gates_step_word(job->telling.refused),
            job->record.is_fenced ? ", and the source is fenced still" : "");
    result_print(&job->telling, holds, job->record.phase, text);
}

static int
run_run(const struct invocation *in)
{
    static const struct work work = {pair_open, run_work, run_end, true};

    return job_run(in, &work);
}

const struct command command_cutover_run = {
    .name = "cutover run",
    .arguments = "",
    .summary = "switch: fence, wait, copy the last records and offsets, promote the target",
    .rows = run_rows,
    .row_count = ARRAY_LEN(run_rows),
    .examples = "kdl cutover run --from broker-1:9092 --to 127.0.0.1:9092 --topics 'orders,pay*' "
                "--groups '*' --fence",
    .notes = exits,
    .run = run_run,
};

/* --- back --------------------------------------------------------------------------------------
 */

static const struct option_row back_rows[] = {
    PAIR_SIDES_OPTIONS,
    RECORD_OPTION,
    {"lose-writes", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "also where the target has records that the source will lack"},
    OUTPUT_OPTION,
};

static enum rc
back_work(struct job *job, bool *holds, struct err *e)
{
    return cutover_back(&job->record, job->pair.from.cluster, job->pair.to.cluster,
        options_is(&job->in->options, "lose-writes"), &job->options, holds, e);
}

static void
back_end(struct job *job, bool holds)
{
    result_print(&job->telling, holds, job->record.phase,
        holds ? "taken back: producers and consumers may be started at the source."
              : "not taken back; nothing was changed.");
}

static int
back_run(const struct invocation *in)
{
    static const struct work work = {pair_open_sides, back_work, back_end, true};

    return job_run(in, &work);
}

const struct command command_cutover_back = {
    .name = "cutover back",
    .arguments = "",
    .summary = "take a cut-over back, as long as no record is lost by that",
    .rows = back_rows,
    .row_count = ARRAY_LEN(back_rows),
    .examples = "kdl cutover back --from broker-1:9092 --to 127.0.0.1:9092",
    .notes = exits,
    .run = back_run,
};

/* --- status ------------------------------------------------------------------------------------
 */

static const struct option_row status_rows[] = {RECORD_OPTION, OUTPUT_OPTION};

static void
status_text(const struct cutover_record *record)
{
    printf("%s: %s. %u topics, %s.\n", cutover_record_phase_word(record->phase),
        cutover_record_phase_meaning(record->phase), record->topic_count,
        record->is_fenced ? "fenced at the source" : "not fenced");
    for (uint32_t i = 0; i < record->line_count; i++) {
        const struct cutover_record_line *line = &record->lines[i];
        time_t at = (time_t)(line->at_ms / 1000);
        char when[32] = "?";
        struct tm parts;

        if (gmtime_r(&at, &parts) != NULL)
            (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
        printf("%s", when);
        line_print(line->step, line->outcome, line->text);
    }
}

static int
status_run(const struct invocation *in)
{
    struct job job;
    struct err e;
    int code = EXIT_OK;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    job_init(&job, in);
    if (record_open(&job, cutover_record_read, &e) != RC_OK)
        code = command_refuse(in->command, &e);
    else if (job.telling.lines == NULL)
        status_text(&job.record);
    else
        json_print(cutover_record_doc(&job.record));
    job_fini(&job);
    return code;
}

const struct command command_cutover_status = {
    .name = "cutover status",
    .arguments = "",
    .summary = "tell what a cut-over has done so far, by its record",
    .rows = status_rows,
    .row_count = ARRAY_LEN(status_rows),
    .examples = "kdl cutover status --record cutover.json",
    .notes = exits,
    .run = status_run,
};
