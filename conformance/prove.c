#include "conformance/prove.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/catalog.h"
#include "conformance/kc_login.h"
#include "conformance/mutants.h"
#include "lib/base/xalloc.h"

#define MUTANTS_MAX 250
#define MUTANT_DEADLINE_S 90
#define NULL_DEADLINE_S 240
#define MUTANT_MULT 0.4 /* of the time limits: what is lost is noticed sooner */
#define NULL_MULT 0.1
#define NULL_JOBS 32
#define LISTED_MAX 20

/* Something that cannot be touched by a mutant of another area. */
#define CONTROL "meta.partitions_dense"
#define CONTROL_OF_META "offsets.empty_topic"

/* Where everybody has to log in, and for the mutants of that check itself. */
#define CONTROL_OF_LOGINS "sasl.plain_ok"
#define CONTROL_OF_PLAIN "sasl.handshake_ok"

/* --- the proxy, in a process of its own ------------------------------------------------------- */

struct front {
    pid_t pid;
    struct target target;
};

/* What the target has told of itself holds for the proxy, at another address. Asking again would
 * need a login where the target wants one. */
static void
target_behind(struct target *out, const struct target *target, uint16_t port)
{
    *out = (struct target){.conf = target->conf,
        .is_plain = target->is_plain,
        .versions = target->versions,
        .api_count = target->api_count,
        .broker_count = 1,
        .was_connected = true};
    out->brokers = xcalloc(1, sizeof *out->brokers);
    out->brokers[0] = (struct target_broker){target->brokers[0].id, port, xstrdup(PROXY_HOST)};
    if (target->cluster_id != NULL)
        out->cluster_id = xstrdup(target->cluster_id);
}

static void
front_start(struct kc *kc, struct front *front, const struct proxy_rule *rule)
{
    const struct target_broker *broker = &kc->target->brokers[0];
    struct err e = {0};
    uint16_t port;
    int fds[2];

    if (pipe(fds) != 0)
        kc_error(kc, "no pipe");
    front->pid = fork();
    if (front->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        _exit(proxy_run(rule, broker->host, broker->port, fds[1], &e) == RC_OK ? 0 : 1);
    }
    close(fds[1]);
    if (front->pid < 0 || read(fds[0], &port, sizeof port) != sizeof port)
        kc_error(kc, "the proxy does not start");
    close(fds[0]);
    target_behind(&front->target, kc->target, port);
}

static void
front_stop(struct front *front)
{
    kill(front->pid, SIGKILL);
    waitpid(front->pid, NULL, 0);
    target_fini(&front->target);
}

/* A run of its own inside this one; its topics are its own, too, and the target is its own to
 * control where this check runs alone. */
static struct kc_options
inner_options(const struct kc *kc, double mult)
{
    struct kc_options options = *kc->options;
    struct env env;

    env_init_real(&env);
    snprintf(options.run_id, sizeof options.run_id, "%08" PRIx32, (uint32_t)env_random(&env));
    options.timeout_mult *= mult;
    if (!check_needs_control(kc->check))
        options.ctl = NULL;
    return options;
}

static void
inner_run(struct kc *kc, const struct front *front, const struct kc_options *options,
    struct runner *runner)
{
    struct profile *profile = profile_new_empty();
    struct kc_options sweeping = *options;
    struct err e = {0};

    runner->target = &front->target;
    runner->options = options;
    runner->profile = profile;
    runner->properties = check_properties(kc->check);
    if (runner_run(runner, &e) != RC_OK)
        kc_error(kc, "%s", e.text);
    profile_free(profile);
    /* Those who log in make no topics. */
    if (check_properties(kc->check) == kc_login_properties)
        return;
    sweeping.timeout_mult = kc->options->timeout_mult; /* the target itself is as quick as ever */
    if (!runner_sweep(kc->target, &sweeping))
        kc_error(kc, "the topics of a run could not be deleted");
}

/* --- mutants ---------------------------------------------------------------------------------- */

struct trial {
    const struct mutant *mutant;
    char *named; /* how the named check ended */
    char *control;
    bool is_judged; /* as it should be: noticed, or found to be right where it is only unusual */
    bool is_alone; /* the control passed */
};

static void
on_trial(void *arg, const struct runner_outcome *outcome)
{
    struct trial *trial = arg;
    const struct result *result = &outcome->result;
    char *text = xasprintf("%s %s (%s%s%s)", outcome->entry.check->id, result_word(result->verdict),
        result->observed == NULL ? "" : result->observed, result->reason == NULL ? "" : " ",
        result->reason == NULL ? "" : result->reason);

    if (strcmp(outcome->entry.check->id, trial->mutant->check) == 0) {
        trial->named = text;
        trial->is_judged = trial->mutant->observed == NULL
                               ? result->verdict == VERDICT_PASS
                               : result->verdict == VERDICT_FAIL &&
                                     profile_is_observed(trial->mutant->observed, result->observed);
    } else {
        trial->control = text;
        trial->is_alone = result->verdict == VERDICT_PASS;
    }
}

static struct runner_item
item_of(struct kc *kc, const char *id)
{
    for (size_t i = 0; i < catalog_count(); i++)
        if (strcmp(catalog_at(i).check->id, id) == 0)
            return (struct runner_item){catalog_at(i), i};
    kc_error(kc, "there is no check %s", id);
}

/* A check that has nothing to do with what the mutant of this one changes. */
static const char *
control_of(const struct catalog_entry *named)
{
    if (check_properties(named->check) == kc_login_properties)
        return strcmp(named->check->id, CONTROL_OF_LOGINS) == 0 ? CONTROL_OF_PLAIN
                                                                : CONTROL_OF_LOGINS;
    return strcmp(named->area, "meta") == 0 || strcmp(named->area, "wire") == 0 ? CONTROL_OF_META
                                                                                : CONTROL;
}

static void
mutant_run(struct kc *kc)
{
    const char *name = strchr(kc->check->id, '.') + 1;
    struct kc_options options = inner_options(kc, MUTANT_MULT);
    struct trial trial = {0};
    struct runner_item items[2];
    struct runner runner = {.items = items, .count = 2, .jobs = 2, .done = on_trial, .arg = &trial};
    struct front front = {0};

    for (size_t i = 0; i < mutants_count(); i++)
        if (strcmp(mutants_at(i)->name, name) == 0)
            trial.mutant = mutants_at(i);
    REQUIRE(trial.mutant != NULL);
    items[0] = item_of(kc, trial.mutant->check);
    items[1] = item_of(kc, control_of(&items[0].entry));
    front_start(kc, &front, &trial.mutant->rule);
    inner_run(kc, &front, &options, &runner);
    front_stop(&front);
    if (trial.mutant->observed == NULL)
        kc_that(kc, trial.is_judged, "refused", "%s ok, not %s", trial.mutant->check, trial.named);
    else
        kc_that(kc, trial.is_judged, "survived", "%s failed with %s, not %s", trial.mutant->check,
            trial.mutant->observed, trial.named);
    kc_that(kc, trial.is_alone, "control-failed", "%s ok, not %s", items[1].entry.check->id,
        trial.control);
    free(trial.named);
    free(trial.control);
}

/* --- null brokers ----------------------------------------------------------------------------- */

struct sweep {
    struct buf passed;
    size_t count;
    size_t failed;
};

static void
on_null(void *arg, const struct runner_outcome *outcome)
{
    struct sweep *sweep = arg;

    if (result_is_bad(outcome->result.verdict)) {
        sweep->failed++;
        return;
    }
    if (sweep->count++ < LISTED_MAX)
        buf_printf(&sweep->passed, " %s %s,", outcome->entry.check->id,
            result_word(outcome->result.verdict));
}

static void
null_run(struct kc *kc)
{
    const char *name = strchr(kc->check->id, '.') + 1;
    struct kc_options options = inner_options(kc, NULL_MULT);
    struct sweep sweep = {0};
    struct runner runner = {.jobs = NULL_JOBS, .done = on_null, .arg = &sweep};
    struct runner_item *items = kc_alloc(kc, catalog_count(), sizeof *items);
    struct front front = {0};

    /* Those that control the target cannot run here; they are skipped, which proves nothing. */
    for (size_t i = 0; i < catalog_count(); i++)
        if (!check_needs_control(catalog_at(i).check))
            items[runner.count++] = (struct runner_item){catalog_at(i), i};
    runner.items = items;
    buf_init(&sweep.passed, RESULT_TEXT_MAX);
    for (size_t i = 0; i < mutants_null_count(); i++)
        if (strcmp(mutants_null_at(i)->name, name) == 0)
            front_start(kc, &front, &mutants_null_at(i)->rule);
    inner_run(kc, &front, &options, &runner);
    front_stop(&front);
    if (sweep.count > 0)
        kc_fail(kc, "passed", kc_printf(kc, "%zu passed:%s", sweep.count, buf_text(&sweep.passed)),
            "none of %zu checks passed", runner.count);
    kc_int(kc, "checks_failed", (int64_t)sweep.failed, (int64_t)runner.count);
    buf_fini(&sweep.passed);
}

/* --- items ------------------------------------------------------------------------------------ */

size_t
prove_count(void)
{
    return mutants_count() + mutants_null_count();
}

/* A mutant's check that controls the target, or wants it otherwise, makes its mutant one that does.
 */
static void
take_needs(struct check *check, const struct mutant *mutant)
{
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct check *named = catalog_at(i).check;

        if (strcmp(named->id, mutant->check) != 0)
            continue;
        check->flags = named->flags & CHECK_CONTROL;
        memcpy(check->needs, named->needs, sizeof check->needs);
    }
}

struct runner_item
prove_at(size_t i)
{
    static struct check checks[MUTANTS_MAX];
    static char ids[MUTANTS_MAX][64];
    size_t mutants = mutants_count();
    bool is_mutant = i < mutants;

    REQUIRE(i < prove_count() && prove_count() <= MUTANTS_MAX);
    snprintf(ids[i], sizeof ids[i], "%s.%s",
        !is_mutant                        ? "null"
        : mutants_at(i)->observed == NULL ? "unusual"
                                          : "mutant",
        is_mutant ? mutants_at(i)->name : mutants_null_at(i - mutants)->name);
    checks[i] = (struct check){.id = ids[i],
        .rule = is_mutant ? mutants_at(i)->what : mutants_null_at(i - mutants)->what,
        .source = is_mutant ? mutants_at(i)->check : "all checks",
        .flags = is_mutant ? 0 : CHECK_CLUSTER,
        .deadline_s = is_mutant ? MUTANT_DEADLINE_S : NULL_DEADLINE_S,
        .run = is_mutant ? mutant_run : null_run};
    if (is_mutant)
        take_needs(&checks[i], mutants_at(i));
    return (struct runner_item){{is_mutant ? "mutants" : "nulls", &checks[i]}, i};
}
