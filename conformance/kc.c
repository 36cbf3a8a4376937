#include "conformance/kc.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/control.h"
#include "conformance/result.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define PAUSE_FIRST_US 5000
#define PAUSE_MAX_US 200000

/* --- the verdict ------------------------------------------------------------------------------ */

static _Noreturn void
finish(struct kc *kc, struct result *result)
{
    struct jdoc *json;
    char *text;
    size_t size, done = 0;

    result->duration_ms = (wire_client_now_us() - kc->started_us) / 1000;
    json = result_to_json(result);
    text = jdoc_dump(json, 0);
    size = strlen(text);
    while (done < size) {
        ssize_t n = write(kc->report_fd, text + done, size - done);

        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    free(text);
    jdoc_free(json);
    _exit(0);
}

static void
evidence(struct kc *kc, struct result *result)
{
    struct exchange *last = kc->last;
    struct buf text;

    if (last == NULL)
        return;
    buf_init(&text, RESULT_TEXT_MAX);
    exchange_sent_text(last, &text);
    result->sent = xstrdup(buf_text(&text));
    buf_clear(&text);
    exchange_received_text(last, &text);
    result->answer = xstrdup(buf_text(&text));
    buf_clear(&text);
    exchange_hex(last->sent, last->sent_size, &text);
    result->sent_hex = xstrdup(buf_text(&text));
    buf_clear(&text);
    exchange_hex(last->received, last->received_size, &text);
    result->answer_hex = xstrdup(buf_text(&text));
    buf_fini(&text);
}

static _Noreturn void
fail(struct kc *kc, struct result *result, const char *observed)
{
    result->verdict = kc->setup_depth > 0 ? VERDICT_ERROR : VERDICT_FAIL;
    result->observed = xstrdup(kc->classified != NULL ? kc->classified : observed);
    if (kc->setup_depth > 0)
        result->reason =
            xasprintf("in preparation: %s instead of %s", result->received, result->expected);
    evidence(kc, result);
    finish(kc, result);
}

void
kc_fail(struct kc *kc, const char *observed, const char *received, const char *expected, ...)
{
    struct result result = {0};
    struct buf text;
    va_list ap;

    buf_init(&text, RESULT_TEXT_MAX);
    va_start(ap, expected);
    buf_vprintf(&text, expected, ap);
    va_end(ap);
    result.expected = xstrdup(buf_text(&text));
    result.received = xstrdup(received != NULL ? received : observed);
    buf_fini(&text);
    fail(kc, &result, observed);
}

void
kc_fail_err(struct kc *kc, const struct err *e, const char *doing)
{
    struct result result = {0};
    bool is_silent = e->code == RC_TIMEOUT || e->code == RC_CANCELED;

    result.was_silent = is_silent || e->code == RC_CLOSED || e->code == RC_NOTFOUND;
    result.expected = xasprintf("an answer to %s", doing);
    result.received = xstrdup(e->text);
    fail(kc, &result, is_silent ? "no-answer" : e->code == RC_CLOSED ? "closed" : "unreadable");
}

void
kc_skip(struct kc *kc, const char *reason)
{
    struct result result = {.verdict = VERDICT_SKIP, .reason = xstrdup(reason)};

    finish(kc, &result);
}

void
kc_error(struct kc *kc, const char *format, ...)
{
    struct result result = {.verdict = VERDICT_ERROR};
    struct buf text;
    va_list ap;

    buf_init(&text, RESULT_TEXT_MAX);
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    result.reason = xstrdup(buf_text(&text));
    buf_fini(&text);
    evidence(kc, &result);
    finish(kc, &result);
}

/* --- assertions ------------------------------------------------------------------------------- */

void
kc_code_in(struct kc *kc, const char *what, int16_t got, const int16_t *wanted, size_t count)
{
    struct buf list;

    for (size_t i = 0; i < count; i++)
        if (wanted[i] == got)
            return;
    buf_init(&list, RESULT_TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%d %s", i > 0 ? " or " : "", wanted[i], kerr_name(wanted[i]));
    kc_fail(kc, kc_printf(kc, "%s=%d", what, got),
        kc_printf(kc, "%s %d %s", what, got, kerr_name(got)), "%s %s", what, buf_text(&list));
}

void
kc_code(struct kc *kc, const char *what, int16_t got, int16_t wanted)
{
    kc_code_in(kc, what, got, &wanted, 1);
}

void
kc_int(struct kc *kc, const char *what, int64_t got, int64_t wanted)
{
    if (got == wanted)
        return;
    kc_fail(kc, kc_printf(kc, "%s=%" PRId64, what, got), kc_printf(kc, "%s %" PRId64, what, got),
        "%s %" PRId64, what, wanted);
}

static char *
bytes_text(struct kc *kc, struct wire_bytes bytes)
{
    struct buf text;
    char *copy;

    if (bytes.size < 0)
        return kc_printf(kc, "null");
    buf_init(&text, RESULT_TEXT_MAX);
    buf_printf(&text, "%d bytes ", bytes.size);
    exchange_hex(bytes.data, (size_t)bytes.size, &text);
    copy = kc_printf(kc, "%s", buf_text(&text));
    buf_fini(&text);
    return copy;
}

void
kc_bytes(struct kc *kc, const char *what, struct wire_bytes got, struct wire_bytes wanted)
{
    bool is_null = got.size < 0;

    if (is_null == (wanted.size < 0) &&
        (is_null || (got.size == wanted.size &&
                        (got.size == 0 || memcmp(got.data, wanted.data, (size_t)got.size) == 0))))
        return;
    kc_fail(kc,
        kc_printf(kc, "%s-%s", what,
            is_null                            ? "null"
            : got.size == 0 && wanted.size < 0 ? "empty"
                                               : "differs"),
        kc_printf(kc, "%s %s", what, bytes_text(kc, got)), "%s %s", what, bytes_text(kc, wanted));
}

void
kc_that_fail(struct kc *kc, const char *observed, const char *expected, ...)
{
    struct buf text;
    va_list ap;

    buf_init(&text, RESULT_TEXT_MAX);
    va_start(ap, expected);
    buf_vprintf(&text, expected, ap);
    va_end(ap);
    kc_fail(kc, observed, NULL, "%s", buf_text(&text));
}

void
kc_classify(struct kc *kc, const char *observed)
{
    kc->classified = observed;
}

void
kc_setup_begin(struct kc *kc)
{
    kc->setup_depth++;
}

void
kc_setup_end(struct kc *kc)
{
    REQUIRE(kc->setup_depth > 0);
    kc->setup_depth--;
}

/* --- memory and time -------------------------------------------------------------------------- */

void *
kc_alloc(struct kc *kc, size_t count, size_t size)
{
    void *memory = arena_array(&kc->arena, count == 0 ? 1 : count, size);

    if (memory == NULL)
        kc_error(kc, "more than %zu MiB of memory", ARENA_BYTES >> 20);
    return memory;
}

char *
kc_printf(struct kc *kc, const char *format, ...)
{
    struct buf text;
    char *copy;
    va_list ap;

    buf_init(&text, RESULT_TEXT_MAX);
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    copy = kc_alloc(kc, text.size + 1, 1);
    memcpy(copy, buf_text(&text), text.size + 1);
    buf_fini(&text);
    return copy;
}

struct wire_string
kc_string(const char *text)
{
    return text == NULL ? (struct wire_string){NULL, -1}
                        : (struct wire_string){text, (int32_t)strlen(text)};
}

struct wire_bytes
kc_text_bytes(const char *text)
{
    return text == NULL ? (struct wire_bytes){NULL, -1}
                        : (struct wire_bytes){(const uint8_t *)text, (int32_t)strlen(text)};
}

int64_t
kc_deadline(const struct kc *kc, int64_t ms)
{
    return wire_client_now_us() + (int64_t)((double)ms * 1000.0 * kc->options->timeout_mult);
}

struct kc_wait
kc_wait_begin(const struct kc *kc, int64_t limit_ms)
{
    return (struct kc_wait){kc_deadline(kc, limit_ms), PAUSE_FIRST_US};
}

bool
kc_wait_over(struct kc *kc, struct kc_wait *wait)
{
    int64_t left_us = wait->deadline_us - wire_client_now_us();

    if (left_us <= 0)
        return true;
    if (wait->pause_us > left_us)
        wait->pause_us = left_us;
    if (poll(NULL, 0, (int)(wait->pause_us / 1000 + 1)) < 0 && errno == EINTR)
        kc_error(kc, "stopped by a signal");
    wait->pause_us = wait->pause_us * 2 < PAUSE_MAX_US ? wait->pause_us * 2 : PAUSE_MAX_US;
    return false;
}

void
kc_wait_more(struct kc *kc, struct kc_wait *wait, const char *what)
{
    if (kc_wait_over(kc, wait))
        kc_fail(kc, "never", "not in time", "in time: %s", what);
}

bool
kc_is_late(const struct kc *kc, int64_t ms)
{
    return (double)(wire_client_now_us() - kc->started_us) >
           (double)ms * 1000.0 * kc->options->timeout_mult;
}

/* --- connections ------------------------------------------------------------------------------ */

struct link *
kc_link_new(struct kc *kc, size_t broker)
{
    const struct target_broker *at = &kc->target->brokers[broker];
    struct link *link;
    struct err e = {0};

    if (link_open(&kc->setup, at->host, at->port, kc_deadline(kc, KC_REQUEST_MS), &link, &e) !=
        RC_OK)
        kc_fail_err(kc, &e, "a connection");
    return link;
}

struct link *
kc_link(struct kc *kc, size_t broker)
{
    if (kc->links[broker] == NULL)
        kc->links[broker] = kc_link_new(kc, broker);
    return kc->links[broker];
}

void
kc_links_forget(struct kc *kc)
{
    for (size_t i = 0; i < kc->target->broker_count; i++) {
        link_close(kc->links[i]);
        kc->links[i] = NULL;
    }
}

size_t
kc_broker(struct kc *kc, int32_t id)
{
    for (size_t i = 0; i < kc->target->broker_count; i++)
        if (kc->target->brokers[i].id == id)
            return i;
    kc_fail(kc, "unknown-broker", kc_printf(kc, "broker id %d", id), "one of the %zu brokers",
        kc->target->broker_count);
}

void
kc_control(struct kc *kc, const char *const *words, size_t count)
{
    struct err e = {0};

    if (control_call(kc->options->ctl, words, count, CONTROL_LIMIT_MS, &e) != RC_OK)
        kc_error(kc, "%s", e.text);
}

void
kc_bounce(struct kc *kc, bool by_kill)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};

    if (by_kill)
        kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
}

/* --- running ---------------------------------------------------------------------------------- */

void
kc_run(const struct check *check, size_t number, const struct target *target,
    const struct kc_options *options, int report_fd)
{
    struct kc kc = {.check = check,
        .target = target,
        .options = options,
        .number = number,
        .report_fd = report_fd,
        .started_us = wire_client_now_us(),
        .correlation_next = 1};
    struct result result = {.verdict = VERDICT_PASS};
    struct err e = {0};

    arena_init(&kc.arena, ARENA_BYTES);
    env_init_seeded(&kc.env, options->seed * 1000003 + number, 0);
    snprintf(kc.client_id, sizeof kc.client_id, "kc-%s-%zu", options->run_id, number);
    kc.links = kc_alloc(&kc, target->broker_count, sizeof(struct link *));
    if (link_setup_init(&kc.setup, target->conf, &e) != RC_OK)
        kc_error(&kc, "%s", e.text);
    check->run(&kc);
    finish(&kc, &result);
}
