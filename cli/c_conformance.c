/* kdl conformance: whether a target keeps Kafka's semantics, check by check. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/session.h"
#include "conformance/prove.h"
#include "conformance/report.h"
#include "conformance/report_junit.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"

#define JOBS 4
#define TIMEOUT_MULT_MAX 100.0
#define PROBE_MS 8000
#define JUNIT_BYTES_MAX ((size_t)64 << 20)
#define TEXT_BYTES_MAX ((size_t)4096)

static const struct option_row rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"profile", 0, OPTION_TEXT, "NAME|FILE", NULL, 0, 0,
        "what the target is documented to differ in"},
    {"run", 'r', OPTION_LIST, "GLOB", NULL, 0, 0, "only checks whose id fits"},
    {"area", 'a', OPTION_LIST, "AREA", NULL, 0, 0, "only checks of this area"},
    {"core", 0, OPTION_SWITCH, "", NULL, 0, 0, "only the checks that matter most"},
    {"jobs", 'j', OPTION_INT, "N", NULL, 1, RUNNER_JOBS_MAX, "checks at a time (default: 4)"},
    {"topic-config", 0, OPTION_LIST, "NAME=VALUE", NULL, 0, 0,
        "a config of every topic that checks create"},
    {"ctl", 0, OPTION_TEXT, "COMMAND", NULL, 0, 0,
        "controls the target: COMMAND start [K=V]...|kill|restart|stop"},
    {"timeout-mult", 0, OPTION_TEXT, "X", NULL, 0, 0, "all time limits times X (default: 1)"},
    {"seed", 0, OPTION_INT, "N", NULL, 0, INT64_MAX, "repeat a run's random choices"},
    {"output", 'o', OPTION_WORD, "FORMAT", "text|tap|json", 0, 0,
        "default: text on a terminal, else tap"},
    {"junit", 0, OPTION_TEXT, "FILE", NULL, 0, 0, "write JUnit XML, too"},
    {"list", 0, OPTION_SWITCH, "", NULL, 0, 0, "print the checks and run none"},
    {"prove", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "run the checks on wrong brokers in front of the target: all must be noticed"},
    {"trace", 0, OPTION_SWITCH, "", NULL, 0, 0, "print every request and answer to stderr"},
};

struct job {
    const struct invocation *in;
    struct conf *conf;
    const struct conf_client *client;
    struct profile *profile;
    struct kc_options options;
    struct target target;
    struct runner_item *items;
    size_t count;
};

/* --- flags ------------------------------------------------------------------------------------ */

/* Everything that could be run: the checks, or with --prove the brokers that they must notice. */
static void
items_read(struct job *job)
{
    bool is_proof = options_is(&job->in->options, "prove");

    job->count = is_proof ? prove_count() : catalog_count();
    job->items = xcalloc(job->count, sizeof *job->items);
    for (size_t i = 0; i < job->count; i++)
        job->items[i] = is_proof ? prove_at(i) : (struct runner_item){catalog_at(i), i};
}

/* Keeps the items that one of the words of a flag fits; RC_CONFIG where a word fits none. */
static enum rc
items_keep(struct job *job, const char *flag,
    bool (*fits)(const struct runner_item *, const char *), struct err *e)
{
    bool *is_kept = xcalloc(job->count + 1, sizeof *is_kept);
    bool is_given = false;
    const char *word;
    size_t position = 0, kept = 0;
    enum rc rc = RC_OK;

    while ((word = options_list(&job->in->options, flag, &position)) != NULL) {
        bool fits_any = false;

        is_given = true;
        for (size_t i = 0; i < job->count; i++)
            if (fits(&job->items[i], word))
                is_kept[i] = fits_any = true;
        if (!fits_any)
            rc = err_set(e, RC_CONFIG, "no check fits --%s %s (--list shows them).", flag, word);
    }
    for (size_t i = 0; is_given && i < job->count; i++)
        if (is_kept[i])
            job->items[kept++] = job->items[i];
    if (is_given)
        job->count = kept;
    free(is_kept);
    return rc;
}

static bool
id_fits(const struct runner_item *item, const char *pattern)
{
    return fnmatch(pattern, item->entry.check->id, 0) == 0;
}

static bool
area_fits(const struct runner_item *item, const char *area)
{
    return strcmp(area, item->entry.area) == 0;
}

static enum rc
filter_read(struct job *job, struct err *e)
{
    size_t kept = 0;
    enum rc rc;

    items_read(job);
    rc = items_keep(job, "run", id_fits, e);
    if (rc == RC_OK)
        rc = items_keep(job, "area", area_fits, e);
    if (rc != RC_OK || !options_is(&job->in->options, "core"))
        return rc;
    for (size_t i = 0; i < job->count; i++)
        if ((job->items[i].entry.check->flags & CHECK_CORE) != 0)
            job->items[kept++] = job->items[i];
    job->count = kept;
    return kept > 0 ? RC_OK : err_set(e, RC_CONFIG, "no check fits all of these flags.");
}

static enum rc
profile_read(struct job *job, struct err *e)
{
    const char *name = options_text(&job->in->options, "profile", NULL);
    enum rc rc;

    if (name == NULL) {
        job->profile = profile_new_empty();
        return RC_OK;
    }
    rc = profile_load(name, &job->profile, e);
    for (size_t i = 0; rc == RC_OK && i < job->profile->expectation_count; i++)
        if (!catalog_has(job->profile->expectations[i].pattern))
            rc = err_set(e, RC_CONFIG, "profile %s expects something of %s, which is no check.",
                name, job->profile->expectations[i].pattern);
    return rc;
}

static enum rc
topic_configs_read(struct job *job, struct err *e)
{
    struct kc_options *options = &job->options;
    const char *text;
    size_t position = 0;

    for (size_t i = 0; i < job->profile->topic_count; i++)
        options->topic_configs[options->topic_config_count++] = job->profile->topics[i];
    while ((text = options_list(&job->in->options, "topic-config", &position)) != NULL) {
        const char *equals = strchr(text, '=');
        size_t at = 0;

        if (equals == NULL || equals == text)
            return err_set(e, RC_CONFIG, "--topic-config wants NAME=VALUE, not %s.", text);
        /* One that the profile has, too, takes its place. */
        while (at < options->topic_config_count &&
               strncmp(options->topic_configs[at], text, (size_t)(equals - text) + 1) != 0)
            at++;
        if (at == KC_TOPIC_CONFIGS_MAX / 2)
            return err_set(e, RC_CONFIG, "too many --topic-config.");
        options->topic_configs[at] = text;
        options->topic_config_count += at == options->topic_config_count;
    }
    return RC_OK;
}

static enum rc
numbers_read(struct job *job, struct err *e)
{
    const char *mult = options_text(&job->in->options, "timeout-mult", "1");
    struct env env;
    char *end;

    env_init_real(&env);
    errno = 0;
    job->options.timeout_mult = strtod(mult, &end);
    if (end == mult || *end != '\0' || errno != 0 || !(job->options.timeout_mult > 0.0) ||
        job->options.timeout_mult > TIMEOUT_MULT_MAX)
        return err_set(
            e, RC_CONFIG, "--timeout-mult wants a number above 0, at most 100, not %s.", mult);
    job->options.seed =
        (uint64_t)options_int(&job->in->options, "seed", (int64_t)(env_random(&env) % 1000000));
    snprintf(
        job->options.run_id, sizeof job->options.run_id, "%08" PRIx32, (uint32_t)env_random(&env));
    job->options.commit_ms = job->profile->commit_ms;
    job->options.metadata_ms = job->profile->metadata_ms;
    job->options.ctl = options_text(&job->in->options, "ctl", NULL);
    job->options.trace = options_is(&job->in->options, "trace");
    return RC_OK;
}

static enum rc
job_read(struct job *job, struct err *e)
{
    enum rc rc = profile_read(job, e);

    if (rc == RC_OK)
        rc = filter_read(job, e);
    if (rc == RC_OK)
        rc = topic_configs_read(job, e);
    if (rc == RC_OK)
        rc = numbers_read(job, e);
    return rc;
}

static void
job_fini(struct job *job)
{
    profile_free(job->profile);
    conf_free(job->conf);
    free(job->items);
}

/* --- output ----------------------------------------------------------------------------------- */

static int
list_print(const struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct check *check = job->items[i].entry.check;
        char layer = (check->flags & CHECK_CONTROL) != 0 ? 'X'
                     : check_properties(check) != NULL   ? 'G'
                                                         : 'R';

        printf("%-42s %s %c  %s\n", check->id, (check->flags & CHECK_CORE) != 0 ? "core" : "    ",
            layer, check->rule);
    }
    return EXIT_OK;
}

/* The flags to give again for one check of this run. */
static void
again_write(const struct job *job, struct buf *out)
{
    const struct options *options = &job->in->options;
    const char *text;
    size_t position = 0;

    for (size_t i = 0; i < job->client->server_count; i++)
        buf_printf(out, "%s%s:%u", i == 0 ? "-b " : ",", job->client->servers[i].host,
            (unsigned)job->client->servers[i].port);
    while ((text = options_list(options, "config-file", &position)) != NULL)
        buf_printf(out, " -F %s", text);
    if (options_text(options, "profile", NULL) != NULL)
        buf_printf(out, " --profile %s", options_text(options, "profile", NULL));
    position = 0;
    while ((text = options_list(options, "topic-config", &position)) != NULL)
        buf_printf(out, " --topic-config %s", text);
    if (job->options.ctl != NULL)
        buf_printf(out, " --ctl '%s'", job->options.ctl);
    buf_printf(out, " --seed %" PRIu64, job->options.seed);
}

static enum rc
junit_write(struct report *report, const char *path, struct err *e)
{
    FILE *file = fopen(path, "we");
    struct buf text;
    bool is_written;

    if (file == NULL)
        return err_set_errno(e, RC_CONFIG, errno, "%s cannot be written", path);
    buf_init(&text, JUNIT_BYTES_MAX);
    report_junit_text(report_json(report), &text);
    is_written = fwrite(text.data, 1, text.size, file) == text.size;
    buf_fini(&text);
    if (fclose(file) != 0 || !is_written)
        return err_set(e, RC_IO, "%s cannot be written", path);
    return RC_OK;
}

static enum report_format
format_of(const struct options *options)
{
    const char *word = options_text(options, "output", NULL);

    if (word == NULL)
        return isatty(STDOUT_FILENO) ? REPORT_TEXT : REPORT_TAP;
    return strcmp(word, "text") == 0  ? REPORT_TEXT
           : strcmp(word, "tap") == 0 ? REPORT_TAP
                                      : REPORT_JSON;
}

/* --- running ---------------------------------------------------------------------------------- */

static void
on_signal(int number)
{
    (void)number;
    runner_stop();
}

/* The checks, or, where the target is none, why there is nothing to check. */
static enum rc
checks_run(struct job *job, struct report *report, const char *refusal, struct err *e)
{
    struct runner runner = {.target = &job->target,
        .options = &job->options,
        .profile = job->profile,
        .items = job->items,
        .count = job->count,
        .jobs = (size_t)options_int(&job->in->options, "jobs", JOBS),
        .done = report_add,
        .arg = report};
    struct sigaction action = {.sa_handler = on_signal};
    enum rc rc;

    if (refusal != NULL) {
        runner_refuse(&runner, refusal);
        return RC_OK;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    rc = runner_run(&runner, e);
    if (!runner_sweep(&job->target, &job->options))
        fprintf(
            stderr, "kdl: topics kc-%s-* of this run could not be deleted\n", job->options.run_id);
    return rc;
}

static int
job_report(struct job *job, const char *refusal)
{
    const char *junit = options_text(&job->in->options, "junit", NULL);
    struct report_options options = {
        .format = format_of(&job->in->options),
        .out = stdout,
        .has_color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
        .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .target = &job->target,
        .options = &job->options,
        .profile = job->profile,
        .count = job->count,
    };
    struct report *report;
    struct buf again, bootstrap;
    struct err e = {0};
    int code;

    options.progress = isatty(STDERR_FILENO) && !job->options.trace ? stderr : NULL;
    buf_init(&again, TEXT_BYTES_MAX);
    buf_init(&bootstrap, TEXT_BYTES_MAX);
    again_write(job, &again);
    buf_printf(
        &bootstrap, "%s:%u", job->client->servers[0].host, (unsigned)job->client->servers[0].port);
    options.again = buf_text(&again);
    options.bootstrap = buf_text(&bootstrap);
    report = report_new(&options);
    code = checks_run(job, report, refusal, &e) == RC_OK ? EXIT_OK : command_fail(&e);
    if (code == EXIT_OK)
        code = report_end(report);
    if (junit != NULL && junit_write(report, junit, &e) != RC_OK)
        code = command_fail(&e);
    report_free(report);
    buf_fini(&again);
    buf_fini(&bootstrap);
    return code;
}

static int
run(const struct invocation *in)
{
    struct job job = {.in = in};
    struct err e = {0};
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(
            in->command, "%s is too much; checks are chosen with --run.", in->options.words[0]);
    if (job_read(&job, &e) != RC_OK) {
        code = command_wrong_use(in->command, "%s", e.text);
    } else if (options_is(&in->options, "list")) {
        code = list_print(&job);
    } else if (session_conf(&in->options, &job.conf, &job.client, &e) != RC_OK) {
        code = command_fail(&e);
    } else {
        enum rc rc = target_probe(&job.target, job.client, (int64_t)PROBE_MS * 1000, &e);

        if (rc == RC_OK && options_is(&in->options, "prove") &&
            (job.target.broker_count != 1 || !job.target.is_plain))
            code = command_wrong_use(in->command, "--prove wants a single broker without TLS.");
        else if (rc == RC_OK)
            code = job_report(&job, NULL);
        else if (job.target.was_connected)
            code = job_report(&job, e.text);
        else
            code = command_fail(&e);
        target_fini(&job.target);
    }
    job_fini(&job);
    return code;
}

const struct command command_conformance = {
    .name = "conformance",
    .arguments = "",
    .summary = "check whether a target keeps Kafka's semantics",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl conformance -b 127.0.0.1:9092\n"
                "kdl conformance -b 127.0.0.1:9092 --core --area produce --junit produce.xml\n"
                "kdl conformance -b 127.0.0.1:9092 --profile coordinated\n"
                "kdl conformance -b 127.0.0.1:9092 --run 'fetch.session_*' --trace",
    .notes = "Checks create topics kc-<run>-... and delete them at the end; they touch nothing "
             "else.\n"
             "Exit codes: 0 all as expected, 1 a check failed, 2 wrong use, 3 unreachable.",
    .run = run,
};
