#include "cli/audit_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_report.h"
#include "audit/baseline.h"
#include "audit/waivers.h"
#include "cli/audit_keep.h"
#include "cli/command.h"
#include "cli/units.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

#define WIDTH_DEFAULT 120
#define NAMES_BYTES_MAX 1024

static enum rc
designs_refuse(const char *text, int size, struct err *e)
{
    struct buf names;
    enum rc rc;

    buf_init(&names, NAMES_BYTES_MAX);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        buf_printf(&names, "%s%s", d == 0 ? "" : ", ", rules_design((enum rules_design)d));
    rc = err_set(e, RC_CONFIG, "--design: no other design is called \"%.*s\"; there are all, %s.",
        size, text, buf_text(&names));
    buf_fini(&names);
    return rc;
}

enum rc
audit_output_designs(const struct options *options, uint32_t *designs, struct err *e)
{
    const char *text = options_text(options, "design", NULL);

    *designs = AUDIT_REPORT_DESIGNS;
    if (text == NULL)
        return RC_OK;
    *designs = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        uint32_t before = *designs;

        for (unsigned d = 0; d < RULES_DESIGNS; d++) {
            const char *name = rules_design((enum rules_design)d);

            if ((strlen(name) == size && strncmp(text, name, size) == 0) ||
                (size == 3 && strncmp(text, "all", size) == 0))
                *designs |= 1U << d;
        }
        if (*designs == before)
            return designs_refuse(text, (int)size, e);
        text += size + (text[size] == ',');
    }
    if (*designs == 0)
        return err_set(e, RC_CONFIG, "--design needs a name.");
    return RC_OK;
}

static void
look_init(struct audit_report_look *look)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) != 0;

    look->width = units_columns(WIDTH_DEFAULT);
    look->colour = terminal && (no_colour == NULL || *no_colour == '\0') &&
                   (term == NULL || strcmp(term, "dumb") != 0);
    look->utf8 = units_utf8();
}

/* The verdict that a level of --fail-on names; BLOCKED without one. */
static enum rules_verdict
verdict_of(const char *level)
{
    if (level == NULL || strcmp(level, "blocked") == 0)
        return RULES_BLOCKED;
    return strcmp(level, "changes") == 0 ? RULES_READY_WITH_CHANGES : RULES_UNKNOWN;
}

/* The exit code that --fail-on asks for. Verdicts are ordered by how much they stand in the way. */
static int
judged(const struct audit_report *report, const char *level)
{
    enum rules_verdict least = verdict_of(level);
    bool failed = false, unknown = false;

    if (level == NULL)
        return EXIT_OK;
    for (uint32_t i = 0; i < report->row_count; i++)
        for (unsigned d = 0; d < RULES_DESIGNS; d++) {
            enum rules_verdict verdict = report->rows[i].new_verdicts[d];

            if (!audit_report_shows(report, d))
                continue;
            failed |= verdict >= least && verdict != RULES_UNKNOWN;
            unknown |= verdict >= least && verdict == RULES_UNKNOWN;
        }
    /* Metadata leaves out, without a word, what a login may not see. */
    if (report->row_count == 0 && report->inventory->is_restricted)
        unknown |= least <= RULES_UNKNOWN;
    return failed ? EXIT_FAILED : unknown ? EXIT_PARTIAL : EXIT_OK;
}

static enum rc
html_write(const struct audit_report *report, const char *path, struct err *e)
{
    FILE *file = fopen(path, "we");
    bool failed;

    if (file == NULL)
        return err_set_errno(e, RC_IO, errno, "--html %s", path);
    audit_report_html(report, file);
    failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return err_set_errno(e, RC_IO, errno, "--html %s", path);
    return RC_OK;
}

static void
format_print(const struct audit_report *report, const char *format, const char *level)
{
    static const struct {
        const char *name;
        void (*print)(const struct audit_report *report, FILE *out);
    } formats[] = {{"json", audit_report_json}, {"html", audit_report_html},
        {"csv", audit_report_csv}, {"markdown", audit_report_markdown},
        {"sarif", audit_report_sarif}, {"waves", audit_report_waves}, {"dot", audit_report_dot}};
    struct audit_report_look look;

    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(format, formats[i].name) == 0) {
            formats[i].print(report, stdout);
            return;
        }
    if (strcmp(format, "junit") == 0) {
        audit_report_junit(report, verdict_of(level), stdout);
        return;
    }
    look_init(&look);
    audit_report_table(report, &look, stdout);
}

/* The table with all designs. */
static void
wide_print(const struct audit_report *narrow)
{
    struct audit_report_look look;
    struct audit_report report;

    look_init(&look);
    audit_report_init(&report, narrow->inventory, (1U << RULES_DESIGNS) - 1);
    report.waves = narrow->waves;
    report.has_baseline = narrow->has_baseline;
    audit_report_table(&report, &look, stdout);
    audit_report_fini(&report);
}

static int
path_print(const struct audit_report *report, const char *text)
{
    size_t size = strcspn(text, ",");
    const char *second = text[size] == ',' ? text + size + 1 : "";
    uint32_t from = inventory_topic(report->inventory, (struct wire_string){text, (int32_t)size});
    uint32_t to = inventory_topic(report->inventory, codec_string(second));

    if (from == INVENTORY_NO_NUMBER || to == INVENTORY_NO_NUMBER) {
        fprintf(stderr,
            "kdl: --path %s: it takes two topics that are there, with a comma between.\n", text);
        return EXIT_USAGE;
    }
    audit_report_path(report, from, to, stdout);
    return EXIT_OK;
}

static int
report_print(const struct audit_output *output, const struct audit_inventory *inventory)
{
    const struct options *options = output->options;
    const char *format = options_text(options, "output", "table");
    const char *level = options_text(options, "fail-on", NULL);
    const char *html = options_text(options, "html", NULL);
    const char *ties[OPTIONS_REPEAT_MAX], *path = options_text(options, "path", NULL);
    size_t tie_count = 0, position = 0;
    struct audit_report report;
    struct waves waves;
    struct err e;
    int code;

    while (tie_count < OPTIONS_REPEAT_MAX &&
           (ties[tie_count] = options_list(options, "tie", &position)) != NULL)
        tie_count++;
    if (waves_plan(&waves, inventory, output->designs, ties, tie_count, &e) != RC_OK) {
        (void)err_note(&e, "--tie");
        return command_fail(&e);
    }
    audit_report_init(&report, inventory, output->designs);
    report.waves = &waves;
    report.has_baseline = output->before != NULL;
    code = EXIT_OK;
    if (path != NULL)
        code = path_print(&report, path);
    else if (strcmp(format, "wide") == 0)
        wide_print(&report);
    else
        format_print(&report, format, level);
    if (code == EXIT_OK)
        code = judged(&report, level);
    if (html != NULL && html_write(&report, html, &e) != RC_OK)
        code = command_fail(&e);
    audit_report_fini(&report);
    waves_free(&waves);
    return code;
}

/* --- what does not count ------------------------------------------------------------------------
 */

static enum rc
baseline_read(struct audit_output *output, const char *path, struct err *e)
{
    output->before = xcalloc(1, sizeof *output->before);
    inventory_init(output->before);
    return audit_keep_read(path, output->before, e) == RC_OK ? RC_OK : err_note(e, "--baseline");
}

enum rc
audit_output_init(struct audit_output *output, const struct options *options, struct err *e)
{
    const char *path = options_text(options, "waivers", NULL);
    const char *baseline = options_text(options, "baseline", NULL);

    memset(output, 0, sizeof *output);
    output->options = options;
    if (path != NULL && waivers_read(path, &output->waivers, e) != RC_OK)
        return err_note(e, "--waivers");
    if (baseline != NULL && baseline_read(output, baseline, e) != RC_OK)
        return e->code;
    return audit_output_designs(options, &output->designs, e);
}

void
audit_output_fini(struct audit_output *output)
{
    waivers_free(&output->waivers);
    if (output->before != NULL)
        inventory_fini(output->before);
    free(output->before);
}

static void
baseline_take(const struct audit_inventory *before, struct audit_inventory *inventory)
{
    if (strcmp(before->cluster_id, inventory->cluster_id) != 0)
        fprintf(stderr, "kdl: --baseline: it is of cluster %s, this is %s.\n", before->cluster_id,
            inventory->cluster_id);
    baseline_apply(before, inventory);
}

/* One that is over, or waives nothing, is to be looked at again by its owner. */
static void
waivers_tell(const struct waivers *waivers)
{
    for (size_t i = 0; i < waivers->count; i++) {
        const struct waiver *waiver = &waivers->items[i];

        if (waiver->is_over || waiver->findings == 0)
            fprintf(stderr, "kdl: waivers, line %u (%s %s, %s): %s%s\n", waiver->line, waiver->rule,
                waiver->topics, waiver->owner, waiver->is_over ? "over since " : "waives nothing",
                waiver->is_over ? waiver->until : "");
    }
}

int
audit_output_print(struct audit_output *output, struct audit_inventory *inventory)
{
    struct env env;
    int code;

    env_init_real(&env);
    waivers_apply(&output->waivers, inventory, env_wall_ms(&env));
    if (output->before != NULL)
        baseline_take(output->before, inventory);
    code = report_print(output, inventory);
    waivers_tell(&output->waivers);
    return code;
}
