/*
 * kc: what a check has in its hands: the target, its verdict, its connections, time and chance.
 *
 * A check runs in a process of its own, so a failed assertion just reports and ends the process;
 * nothing needs to be freed, and all memory comes from one capped arena. While a check prepares
 * what it needs (kc_setup_begin to kc_setup_end) a failure is an error, not a verdict on the rule.
 *
 * Observations. Every failure carries one, a short word without spaces: what was seen instead,
 * "error_code=6". Profiles name it, so a target that fails in another way than documented is
 * found out. kc_classify replaces it where the number is not stable but its meaning is.
 *
 * Related: kc_ask.h (requests), kc_topic.h (topics), kc_batch.h (record batches), kc_produce.h,
 * kc_fetch.h, kc_offsets.h.
 */
#ifndef CONFORMANCE_KC_H
#define CONFORMANCE_KC_H

#include <stdbool.h>
#include <stdint.h>

#include "conformance/check.h"
#include "conformance/exchange.h"
#include "conformance/target.h"
#include "lib/base/arena.h"
#include "lib/base/env.h"

#define KC_RUN_ID_CHARS 8
#define KC_TOPIC_CONFIGS_MAX 32
#define KC_REQUEST_MS 10000
#define KC_CLOSE_MS 5000

/* What all checks of a run share. */
struct kc_options {
    char run_id[KC_RUN_ID_CHARS + 1];
    uint64_t seed;
    double timeout_mult;
    int64_t commit_ms;   /* how long an acknowledgement may take: of the profile */
    int64_t metadata_ms; /* how long until all brokers know a topic */
    const char *topic_configs[KC_TOPIC_CONFIGS_MAX]; /* "name=value" */
    size_t topic_config_count;
    const char *ctl; /* NULL: no control */
    bool trace;
};

struct kc {
    const struct check *check;
    const struct target *target;
    const struct kc_options *options;
    size_t number; /* of the check in the catalogue: part of its topics' names */
    int report_fd;
    int64_t started_us;
    struct link_setup setup;
    struct link **links; /* one for each broker of the target */
    struct arena arena;
    struct env env;
    struct exchange *last;
    const char *classified;
    int setup_depth;
    int topic_next;
    int32_t correlation_next;
    char client_id[64];
};

/* kc_run runs one check in this process, writes its result to report_fd and ends the process. */
_Noreturn void kc_run(const struct check *check, size_t number, const struct target *target,
    const struct kc_options *options, int report_fd);

/* Verdicts. None of these returns. */

/* kc_fail: `observed` instead of what is expected. received may be NULL. */
_Noreturn void kc_fail(struct kc *kc, const char *observed, const char *received,
    const char *expected, ...) __attribute__((format(printf, 4, 5)));

/* kc_fail_err: the exchange itself did not come about: observed is "no-answer", "closed" or
 * "unreadable". */
_Noreturn void kc_fail_err(struct kc *kc, const struct err *e, const char *doing);

/* kc_skip: the check does not apply; texts are few, because the summary counts equal ones. */
_Noreturn void kc_skip(struct kc *kc, const char *reason);

_Noreturn void kc_error(struct kc *kc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Assertions. `what` names the value as the protocol does. */

void kc_code(struct kc *kc, const char *what, int16_t got, int16_t wanted);
void kc_code_in(struct kc *kc, const char *what, int16_t got, const int16_t *wanted, size_t count);
void kc_int(struct kc *kc, const char *what, int64_t got, int64_t wanted);
void kc_bytes(struct kc *kc, const char *what, struct wire_bytes got, struct wire_bytes wanted);

/* kc_that asserts a condition; observed is the word for its failure, what follows says what was
 * expected. A macro, so that compilers and linters know what holds behind it. */
#define kc_that(kc, condition, observed, ...)                                                      \
    ((condition) ? (void)0 : kc_that_fail((kc), (observed), __VA_ARGS__))
_Noreturn void kc_that_fail(struct kc *kc, const char *observed, const char *expected, ...)
    __attribute__((format(printf, 3, 4)));

/* kc_classify gives the next failure its observation; NULL takes it back. */
void kc_classify(struct kc *kc, const char *observed);

void kc_setup_begin(struct kc *kc);
void kc_setup_end(struct kc *kc);

/* Memory, never NULL, zeroed. */
void *kc_alloc(struct kc *kc, size_t count, size_t size);
char *kc_printf(struct kc *kc, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct wire_string kc_string(const char *text);
struct wire_bytes kc_text_bytes(const char *text);

/* Time. */

/* kc_deadline returns the time `ms` (times the multiplier) from now. */
int64_t kc_deadline(const struct kc *kc, int64_t ms);

/*
 * Waiting for what becomes true:
 *     struct kc_wait wait = kc_wait_begin(kc, 10000);
 *     while (!condition)
 *         kc_wait_more(kc, &wait, "the topic is known");
 * kc_wait_more pauses 5 to 200 ms, and fails the check past the limit.
 */
struct kc_wait {
    int64_t deadline_us;
    int64_t pause_us;
};

struct kc_wait kc_wait_begin(const struct kc *kc, int64_t limit_ms);
void kc_wait_more(struct kc *kc, struct kc_wait *wait, const char *what);

/* kc_wait_over is for what must not happen in a window: true at its end. Pauses as kc_wait_more. */
bool kc_wait_over(struct kc *kc, struct kc_wait *wait);

/* kc_is_late tells that the check has been running for `ms` (times the multiplier): loops that
 * repeat something end then, so that a slow target is judged by fewer rounds. */
bool kc_is_late(const struct kc *kc, int64_t ms);

/* Connections; the process's end closes them. */

/* kc_link returns the connection to a broker that is used for everything ordinary. */
struct link *kc_link(struct kc *kc, size_t broker);

/* kc_link_new opens another one: for a request that keeps its connection waiting or loses it. */
struct link *kc_link_new(struct kc *kc, size_t broker);

/* kc_links_forget closes the ordinary connections, after the target was restarted. */
void kc_links_forget(struct kc *kc);

/* kc_broker returns the index of a broker id, or fails the check. */
size_t kc_broker(struct kc *kc, int32_t id);

/* kc_control calls the target's control with words ("kill"), waits for its end, and is an error
 * where that is not 0. Properties are no word for it: they stand in the check's row. */
void kc_control(struct kc *kc, const char *const *words, size_t count);

/* kc_bounce has the target end, by kill -9 or properly, and start again; ordinary connections are
 * closed. */
void kc_bounce(struct kc *kc, bool by_kill);

#endif
