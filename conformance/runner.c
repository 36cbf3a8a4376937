#include "conformance/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/control.h"
#include "conformance/sweep.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

#define GRACE_US 2000000
#define POLL_MS 200
#define SILENT_MAX 6

static volatile sig_atomic_t is_stopped;

/* A process at work. */
struct worker {
    pid_t pid; /* 0: none */
    int fd;
    size_t at; /* in the order of the run */
    int64_t deadline_us;
    bool was_told; /* got SIGTERM */
    struct buf said;
};

struct run {
    const struct runner *runner;
    struct runner_outcome *outcomes; /* in the order of the run */
    bool *is_done;
    const struct runner_item **order;
    size_t next;     /* to start */
    size_t reported; /* handed out */
    size_t silent;   /* checks in a row that got no answer */
    bool is_dead;
    const char *const *properties; /* what the target runs with */
    bool is_adrift;                /* a check that kills the target has not passed */
    struct worker workers[RUNNER_JOBS_MAX];
};

void
runner_stop(void)
{
    is_stopped = 1;
}

/* --- what needs no process -------------------------------------------------------------------- */

static const char *
skip_reason(const struct runner *runner, const struct check *check)
{
    for (size_t i = 0; i < CHECK_NEEDS_MAX; i++) {
        struct wire_range range =
            conn_versions_range(&runner->target->versions, frame_api(check->needs[i].key));

        if (check->needs[i].is_set && range.max < check->needs[i].version)
            return "not advertised";
    }
    if ((check->flags & CHECK_RAW) != 0 && !runner->target->is_plain)
        return "no plain connection";
    if (check_needs_control(check) && runner->options->ctl == NULL)
        return "needs --ctl";
    return NULL;
}

/* --- results ---------------------------------------------------------------------------------- */

/* Hands out what is done, in order. */
static void
report(struct run *run)
{
    const struct runner *runner = run->runner;

    while (run->reported < runner->count && run->is_done[run->reported]) {
        struct runner_outcome *outcome = &run->outcomes[run->reported++];

        runner->done(runner->arg, outcome);
        result_fini(&outcome->result);
    }
}

static void
outcome_set(struct run *run, size_t at, struct result result)
{
    struct runner_outcome *outcome = &run->outcomes[at];

    outcome->entry = run->order[at]->entry;
    outcome->result = result;
    profile_judge(run->runner->profile, outcome->entry.check->id, &outcome->result);
    run->is_done[at] = true;
    report(run);
}

/* The target answers nobody any more: what is left fails without a try. */
static void
silence_count(struct run *run, const struct result *result)
{
    run->silent = result->was_silent ? run->silent + 1 : 0;
    if (run->silent < SILENT_MAX)
        return;
    run->silent = 0;
    run->is_dead = !target_is_alive(run->runner->target, (int64_t)RUNNER_PROBE_MS * 1000);
}

static struct result
verdict_of(const char *observed, const char *expected, const char *received)
{
    return (struct result){.verdict = VERDICT_FAIL,
        .observed = xstrdup(observed),
        .expected = xstrdup(expected),
        .received = xstrdup(received)};
}

static void
worker_end(struct run *run, struct worker *worker)
{
    struct result result;
    struct jdoc *json = NULL;
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(worker->fd);
    if (jdoc_parse((char *)worker->said.data, worker->said.size, &json, NULL) == RC_OK &&
        result_from_json(json, &result, NULL) == RC_OK)
        silence_count(run, &result);
    else if (worker->was_told)
        result = verdict_of("deadline", "a verdict before the deadline", "none");
    else
        result = (struct result){.verdict = VERDICT_ERROR,
            .reason = xasprintf("the check's process ended with %s %d",
                WIFSIGNALED(status) ? "signal" : "code",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status))};
    jdoc_free(json);
    buf_fini(&worker->said);
    worker->pid = 0;
    if ((run->order[worker->at]->entry.check->flags & CHECK_CONTROL) != 0 &&
        result.verdict != VERDICT_PASS)
        run->is_adrift = true;
    outcome_set(run, worker->at, result);
}

/* --- the target ------------------------------------------------------------------------------- */

static bool
is_same_set(const char *const *a, const char *const *b)
{
    static const char *const none[] = {NULL};

    a = a == NULL ? none : a;
    b = b == NULL ? none : b;
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The target, while no check runs, with these properties. */
static enum rc
target_prepare(struct run *run, const char *const *properties, struct err *e)
{
    const char *ctl = run->runner->options->ctl;
    enum rc rc = RC_OK;

    if (ctl == NULL || (!run->is_adrift && is_same_set(run->properties, properties)))
        return RC_OK;
    rc = control_start(ctl, properties, CONTROL_LIMIT_MS, e);
    run->properties = properties;
    run->is_adrift = rc != RC_OK;
    return rc;
}

/* --- processes -------------------------------------------------------------------------------- */

static void
on_term(int number)
{
    (void)number; /* its purpose is to interrupt poll */
}

static _Noreturn void
child_run(const struct run *run, size_t at, int fd)
{
    struct sigaction action = {.sa_handler = on_term};
    const struct runner_item *item = run->order[at];

    sigaction(SIGTERM, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the runner ends its checks */
    signal(SIGPIPE, SIG_IGN);
    kc_run(item->entry.check, item->number, run->runner->target, run->runner->options, fd);
}

static bool
worker_start(struct run *run, struct worker *worker, size_t at)
{
    const struct check *check = run->order[at]->entry.check;
    int deadline_s = check->deadline_s > 0 ? check->deadline_s : CHECK_DEADLINE_S;
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child_run(run, at, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return false;
    }
    *worker = (struct worker){.pid = pid, .fd = fds[0], .at = at};
    worker->deadline_us = wire_client_now_us() + (int64_t)((double)deadline_s * 1000000.0 *
                                                           run->runner->options->timeout_mult);
    buf_init(&worker->said, RESULT_JSON_MAX);
    return true;
}

/* Starts what may start now, or gives it its result without a process. */
static void
workers_fill(struct run *run)
{
    const struct runner *runner = run->runner;
    size_t busy = 0;
    bool is_alone_busy = false;

    for (size_t i = 0; i < runner->jobs; i++)
        if (run->workers[i].pid != 0) {
            busy++;
            is_alone_busy |= check_is_alone(run->order[run->workers[i].at]->entry.check);
        }
    while (run->next < runner->count && busy < runner->jobs && !is_alone_busy) {
        const struct check *check = run->order[run->next]->entry.check;
        const char *reason = skip_reason(runner, check);
        struct worker *worker = run->workers;
        struct err e = {0};

        if (reason != NULL) {
            outcome_set(run, run->next++,
                (struct result){.verdict = VERDICT_SKIP, .reason = xstrdup(reason)});
            continue;
        }
        if (run->is_dead) {
            outcome_set(run, run->next++,
                verdict_of("no-answer", "a target that answers", "it answers nobody any more"));
            continue;
        }
        is_alone_busy = check_is_alone(check);
        if (is_alone_busy && busy > 0)
            return;
        if (is_alone_busy && target_prepare(run, check_properties(check), &e) != RC_OK) {
            outcome_set(run, run->next++,
                (struct result){.verdict = VERDICT_ERROR, .reason = xstrdup(e.text)});
            is_alone_busy = false;
            continue;
        }
        while (worker->pid != 0)
            worker++;
        if (!worker_start(run, worker, run->next++))
            outcome_set(run, run->next - 1,
                (struct result){.verdict = VERDICT_ERROR, .reason = xstrdup("fork failed")});
        else
            busy++;
    }
}

static void
worker_read(struct run *run, struct worker *worker)
{
    void *room = buf_reserve(&worker->said, 4096);
    ssize_t size = room == NULL ? 0 : read(worker->fd, room, 4096);

    if (size > 0)
        buf_commit(&worker->said, (size_t)size);
    else if (size == 0 || errno != EINTR)
        worker_end(run, worker);
}

static void
deadlines_enforce(struct run *run)
{
    int64_t now_us = wire_client_now_us();

    for (size_t i = 0; i < run->runner->jobs; i++) {
        struct worker *worker = &run->workers[i];

        if (worker->pid == 0 || (worker->deadline_us > now_us && is_stopped == 0))
            continue;
        if (!worker->was_told)
            kill(worker->pid, SIGTERM);
        else if (worker->deadline_us + GRACE_US < now_us || is_stopped != 0)
            kill(worker->pid, SIGKILL);
        worker->was_told = true;
    }
}

/* Waits for what the processes say; false when none is left. */
static bool
workers_wait(struct run *run)
{
    struct pollfd fds[RUNNER_JOBS_MAX];
    struct worker *of[RUNNER_JOBS_MAX];
    nfds_t count = 0;

    for (size_t i = 0; i < run->runner->jobs; i++)
        if (run->workers[i].pid != 0) {
            of[count] = &run->workers[i];
            fds[count++] = (struct pollfd){.fd = run->workers[i].fd, .events = POLLIN};
        }
    if (count == 0)
        return false;
    if (poll(fds, count, POLL_MS) > 0)
        for (nfds_t i = 0; i < count; i++)
            if (fds[i].revents != 0)
                worker_read(run, of[i]);
    deadlines_enforce(run);
    return true;
}

/* --- the run ---------------------------------------------------------------------------------- */

/* Those that may run together first, then those that are alone, those with properties at last. */
static int
turn_of(const struct check *check)
{
    return check_properties(check) != NULL ? 2 : check_is_alone(check) ? 1 : 0;
}

/* By turns, equal properties in a row. */
static void
order_make(struct run *run)
{
    const struct runner *runner = run->runner;
    bool *is_placed = xcalloc(runner->count + 1, sizeof *is_placed);
    size_t at = 0;

    for (int turn = 0; turn <= 2; turn++)
        for (size_t i = 0; i < runner->count; i++) {
            const struct check *first = runner->items[i].entry.check;

            if (is_placed[i] || turn_of(first) != turn)
                continue;
            for (size_t j = i; j < runner->count; j++) {
                const struct check *check = runner->items[j].entry.check;

                if (is_placed[j] || turn_of(check) != turn ||
                    !is_same_set(check_properties(check), check_properties(first)))
                    continue;
                is_placed[j] = true;
                run->order[at++] = &runner->items[j];
            }
        }
    free(is_placed);
}

static void
run_init(struct run *run, const struct runner *runner)
{

    memset(run, 0, sizeof *run);
    run->runner = runner;
    run->outcomes = xcalloc(runner->count + 1, sizeof *run->outcomes);
    run->is_done = xcalloc(runner->count + 1, sizeof *run->is_done);
    run->order = xcalloc(runner->count + 1, sizeof *run->order);
    run->properties = runner->properties;
    order_make(run);
}

static void
run_fini(struct run *run)
{
    free(run->outcomes);
    free(run->is_done);
    free(run->order);
}

enum rc
runner_run(const struct runner *runner, struct err *e)
{
    struct run run;
    enum rc rc;

    REQUIRE(runner->jobs > 0 && runner->jobs <= RUNNER_JOBS_MAX);
    run_init(&run, runner);
    do {
        if (is_stopped == 0)
            workers_fill(&run);
    } while (workers_wait(&run));
    rc = target_prepare(&run, runner->properties, e);
    run_fini(&run);
    return is_stopped != 0 ? err_set(e, RC_CANCELED, "stopped") : rc;
}

void
runner_refuse(const struct runner *runner, const char *why)
{
    struct run run;

    run_init(&run, runner);
    for (size_t i = 0; i < runner->count; i++)
        outcome_set(&run, i, verdict_of("no-answer", "a Kafka broker", why));
    run_fini(&run);
}

static void
on_swept(void *arg, const struct runner_outcome *outcome)
{
    bool *is_ok = arg;

    *is_ok = outcome->result.verdict == VERDICT_PASS;
}

bool
runner_sweep(const struct target *target, const struct kc_options *options)
{
    static const struct check sweep = {.id = "sweep.topics", .run = sweep_topics};
    struct runner_item item = {{"sweep", &sweep}, 0};
    struct profile *profile = profile_new_empty();
    bool is_ok = false;
    struct runner runner = {.target = target,
        .options = options,
        .profile = profile,
        .items = &item,
        .count = 1,
        .jobs = 1,
        .done = on_swept,
        .arg = &is_ok};

    is_stopped = 0;
    is_ok = runner_run(&runner, NULL) == RC_OK && is_ok;
    profile_free(profile);
    return is_ok;
}
