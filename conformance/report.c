#include "conformance/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define AREAS_MAX 32
#define REASONS_MAX 32
#define TEXT_BYTES_MAX ((size_t)64 << 20)

struct area {
    const char *name;
    size_t counts[VERDICT_COUNT];
};

struct reason {
    char *text;
    size_t count;
};

struct report {
    const struct report_options *options;
    struct area areas[AREAS_MAX];
    size_t area_count;
    struct reason reasons[REASONS_MAX]; /* of skips */
    size_t reason_count;
    size_t counts[VERDICT_COUNT];
    size_t number;
    int64_t started_us;
    struct buf failures;
    struct jdoc *json;
    struct jdoc *checks; /* owned by json at the end */
};

/* --- words ------------------------------------------------------------------------------------ */

static const char *
dot(const struct report *report)
{
    return report->options->is_utf8 ? "·" : "-";
}

static const char *
color(const struct report *report, const char *code)
{
    return report->options->has_color ? code : "";
}

static double
seconds(const struct report *report)
{
    return (double)(wire_client_now_us() - report->started_us) / 1e6;
}

/* --- the top ---------------------------------------------------------------------------------- */

static void
text_begin(const struct report *report)
{
    const struct report_options *options = report->options;
    const struct profile *profile = options->profile;

    fprintf(options->out, "target %s", options->bootstrap);
    if (options->target->cluster_id != NULL)
        fprintf(options->out, " %s cluster %s", dot(report), options->target->cluster_id);
    if (options->target->broker_count > 0)
        fprintf(options->out, " %s %zu broker%s %s %zu APIs", dot(report),
            options->target->broker_count, options->target->broker_count == 1 ? "" : "s",
            dot(report), options->target->api_count);
    fprintf(options->out, " %s profile %s", dot(report), profile->name);
    if (profile->expectation_count > 0)
        fprintf(options->out, " (%zu expected deviations)", profile->expectation_count);
    fprintf(options->out, " %s seed %" PRIu64 "\n\n", dot(report), options->options->seed);
    fflush(options->out);
}

struct report *
report_new(const struct report_options *options)
{
    struct report *report = xcalloc(1, sizeof *report);

    report->options = options;
    report->started_us = wire_client_now_us();
    report->checks = jdoc_array();
    buf_init(&report->failures, TEXT_BYTES_MAX);
    if (options->format == REPORT_TEXT)
        text_begin(report);
    if (options->format == REPORT_TAP) {
        fprintf(options->out, "TAP version 14\n1..%zu\n", options->count);
        fflush(options->out);
    }
    return report;
}

void
report_free(struct report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->reason_count; i++)
        free(report->reasons[i].text);
    buf_fini(&report->failures);
    jdoc_free(report->json);
    jdoc_free(report->checks);
    free(report);
}

/* --- one check -------------------------------------------------------------------------------- */

static void
line_add(struct buf *out, const char *indent, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    buf_printf(out, "%s%-11s", indent, name);
    for (; *text != '\0'; text++)
        buf_append_byte(out, *text == '\n' ? ' ' : (uint8_t)*text);
    buf_append_text(out, "\n");
}

static void
failure_add(struct report *report, const struct runner_outcome *outcome)
{
    const struct result *result = &outcome->result;
    const struct check *check = outcome->entry.check;
    struct buf *out = &report->failures;
    bool is_failed = result->verdict == VERDICT_FAIL;

    buf_printf(out, "%s%s%s %s   %s\n", color(report, is_failed ? "\033[1;31m" : "\033[1;33m"),
        is_failed                          ? "FAILED"
        : result->verdict == VERDICT_STALE ? "STALE "
                                           : "ERROR ",
        color(report, "\033[0m"), check->id, check->rule);
    line_add(out, "  ", "sent", result->sent);
    line_add(out, "  ", "expected", result->expected);
    line_add(out, "  ", "received", result->received);
    line_add(out, "  ", "answer", result->answer);
    line_add(out, "  ", "", result->reason);
    line_add(out, "  ", "sent hex", result->sent_hex);
    line_add(out, "  ", "answer hex", result->answer_hex);
    line_add(out, "  ", "source", check->source);
    buf_printf(out, "  %-10skdl conformance %s --run %s --trace\n\n", "again",
        report->options->again, check->id);
}

static void
yaml_line(FILE *out, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    fprintf(out, "  %s: \"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    fputs("\"\n", out);
}

static void
tap_add(struct report *report, const struct runner_outcome *outcome)
{
    const struct result *result = &outcome->result;
    const struct check *check = outcome->entry.check;
    FILE *out = report->options->out;

    fprintf(out, "%s %zu - %s",
        result_is_bad(result->verdict) || result->verdict == VERDICT_DOCUMENTED ? "not ok" : "ok",
        report->number, check->id);
    if (result->verdict == VERDICT_SKIP)
        fprintf(out, " # SKIP %s", result->reason);
    if (result->verdict == VERDICT_DOCUMENTED)
        fprintf(out, " # TODO as documented (%s): %s", result->observed, result->reason);
    fputc('\n', out);
    if (result_is_bad(result->verdict)) {
        fputs("  ---\n", out);
        yaml_line(out, "rule", check->rule);
        yaml_line(out, "verdict", result_word(result->verdict));
        yaml_line(out, "observed", result->observed);
        yaml_line(out, "expected", result->expected);
        yaml_line(out, "received", result->received);
        yaml_line(out, "reason", result->reason);
        yaml_line(out, "sent", result->sent);
        yaml_line(out, "answer", result->answer);
        yaml_line(out, "sent_hex", result->sent_hex);
        yaml_line(out, "answer_hex", result->answer_hex);
        yaml_line(out, "source", check->source);
        fprintf(out, "  again: \"kdl conformance %s --run %s --trace\"\n  ...\n",
            report->options->again, check->id);
    }
    fflush(out);
}

static void
json_add(struct report *report, const struct runner_outcome *outcome)
{
    const struct check *check = outcome->entry.check;
    struct jdoc *json = result_to_json(&outcome->result);

    jdoc_set_text(json, "id", check->id);
    jdoc_set_text(json, "area", outcome->entry.area);
    jdoc_set_bool(json, "core", (check->flags & CHECK_CORE) != 0);
    jdoc_set_text(json, "rule", check->rule);
    jdoc_set_text(json, "source", check->source);
    jdoc_add_take(report->checks, json);
}

static void
reason_count(struct report *report, const char *text)
{
    size_t i = 0;

    while (i < report->reason_count && strcmp(report->reasons[i].text, text) != 0)
        i++;
    if (i == REASONS_MAX)
        return;
    if (i == report->reason_count)
        report->reasons[report->reason_count++].text = xstrdup(text);
    report->reasons[i].count++;
}

static struct area *
area_of(struct report *report, const char *name)
{
    size_t i = 0;

    while (i < report->area_count && strcmp(report->areas[i].name, name) != 0)
        i++;
    REQUIRE(i < AREAS_MAX);
    if (i == report->area_count)
        report->areas[report->area_count++].name = name;
    return &report->areas[i];
}

void
report_add(void *arg, const struct runner_outcome *outcome)
{
    struct report *report = arg;
    enum verdict verdict = outcome->result.verdict;

    report->number++;
    report->counts[verdict]++;
    area_of(report, outcome->entry.area)->counts[verdict]++;
    if (verdict == VERDICT_SKIP)
        reason_count(report, outcome->result.reason);
    if (result_is_bad(verdict))
        failure_add(report, outcome);
    if (report->options->format == REPORT_TAP)
        tap_add(report, outcome);
    json_add(report, outcome);
    if (report->options->progress != NULL)
        fprintf(report->options->progress, "\r\033[K%zu of %zu  %s", report->number,
            report->options->count, outcome->entry.check->id);
}

/* --- the end ---------------------------------------------------------------------------------- */

size_t
report_count(const struct report *report, enum verdict verdict)
{
    return report->counts[verdict];
}

const struct jdoc *
report_json(struct report *report)
{
    const struct report_options *options = report->options;
    struct jdoc *summary, *target;

    if (report->json != NULL)
        return report->json;
    report->json = jdoc_object();
    summary = jdoc_object();
    target = jdoc_object();
    jdoc_set_text(target, "bootstrap", options->bootstrap);
    if (options->target->cluster_id != NULL)
        jdoc_set_text(target, "cluster_id", options->target->cluster_id);
    jdoc_set_int(target, "brokers", (int64_t)options->target->broker_count);
    jdoc_set_int(target, "apis", (int64_t)options->target->api_count);
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        jdoc_set_int(summary, result_word((enum verdict)i), (int64_t)report->counts[i]);
    jdoc_set_text(report->json, "suite", "kdl conformance " KDL_VERSION);
    jdoc_set_take(report->json, "target", target);
    jdoc_set_text(report->json, "profile", options->profile->name);
    jdoc_set_text(report->json, "run", options->options->run_id);
    jdoc_set_int(report->json, "seed", (int64_t)options->options->seed);
    jdoc_set_int(report->json, "duration_ms", (wire_client_now_us() - report->started_us) / 1000);
    jdoc_set_take(report->json, "summary", summary);
    jdoc_set_take(report->json, "checks", report->checks);
    report->checks = NULL;
    return report->json;
}

static void
sums_print(const struct report *report)
{
    FILE *out = report->options->out;
    const char *gap = "";

    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        if (report->counts[i] == 0 && i != VERDICT_FAIL)
            continue;
        fprintf(out, "%s%zu %s", gap, report->counts[i], result_word((enum verdict)i));
        for (size_t k = 0; i == VERDICT_SKIP && k < report->reason_count; k++)
            fprintf(out, "%s%s: %zu%s", k == 0 ? " (" : ", ", report->reasons[k].text,
                report->reasons[k].count, k + 1 == report->reason_count ? ")" : "");
        gap = report->options->is_utf8 ? " · " : " - ";
    }
    fprintf(out, "%s%.0f s\n", gap, seconds(report));
}

static void
text_end(struct report *report)
{
    FILE *out = report->options->out;

    for (size_t i = 0; i < report->area_count; i++) {
        const struct area *area = &report->areas[i];

        fprintf(out, "%-9s", area->name);
        for (size_t v = 0; v < VERDICT_COUNT; v++)
            if (area->counts[v] > 0)
                fprintf(out, " %4zu %s%s%s ", area->counts[v],
                    result_is_bad((enum verdict)v) ? color(report, "\033[1;31m") : "",
                    v == VERDICT_FAIL ? "FAILED" : result_word((enum verdict)v),
                    result_is_bad((enum verdict)v) ? color(report, "\033[0m") : "");
        fputc('\n', out);
    }
    fputc('\n', out);
    fputs(buf_text(&report->failures), out);
    sums_print(report);
}

static void
tap_end(const struct report *report)
{
    size_t bad = 0;

    for (size_t i = 0; i < VERDICT_COUNT; i++)
        bad += result_is_bad((enum verdict)i) ? report->counts[i] : 0;
    fprintf(report->options->out, "# %zu passed, %zu failed, %zu skipped, %zu as documented\n",
        report->counts[VERDICT_PASS], bad, report->counts[VERDICT_SKIP],
        report->counts[VERDICT_DOCUMENTED]);
}

int
report_end(struct report *report)
{
    FILE *out = report->options->out;
    bool is_bad = false;
    char *text;

    if (report->options->progress != NULL)
        fputs("\r\033[K", report->options->progress);
    if (report->options->format == REPORT_TEXT)
        text_end(report);
    if (report->options->format == REPORT_TAP)
        tap_end(report);
    if (report->options->format == REPORT_JSON) {
        text = jdoc_dump(report_json(report), 2);
        fprintf(out, "%s\n", text);
        free(text);
    }
    fflush(out);
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        is_bad |= result_is_bad((enum verdict)i) && report->counts[i] > 0;
    return is_bad ? EXIT_FAILED : EXIT_OK;
}
