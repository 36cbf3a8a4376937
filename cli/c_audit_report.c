/* kdl audit report: what an audit found, from its snapshot. Asks no cluster. */
#include "cli/audit_keep.h"
#include "cli/audit_output.h"
#include "cli/command.h"
#include "lib/base/xalloc.h"

static const struct option_row rows[] = {
    {"from", 'f', OPTION_TEXT, "FILE", NULL, 0, 0, "a snapshot that kdl audit --snapshot wrote"},
    AUDIT_OUTPUT_OPTIONS,
    AUDIT_KEEP_OPTIONS,
};

static int
report(const char *path, struct audit_output *output, struct audit_keep *keep)
{
    struct audit_inventory inventory;
    struct err e;
    int code;

    inventory_init(&inventory);
    if (audit_keep_read(path, &inventory, &e) != RC_OK ||
        audit_keep_write(keep, &inventory, &e) != RC_OK)
        code = command_fail(&e);
    else
        code = audit_output_print(output, &inventory);
    inventory_fini(&inventory);
    return code;
}

static int
run(const struct invocation *in)
{
    const char *path = options_text(&in->options, "from", NULL);
    struct audit_keep keep = {.path = NULL};
    struct audit_output output;
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (path == NULL)
        return command_wrong_use(in->command, "--from FILE is missing.");
    if (audit_output_init(&output, &in->options, &e) != RC_OK ||
        audit_keep_init(&keep, &in->options, &e) != RC_OK)
        code = command_refuse(in->command, &e);
    else
        code = report(path, &output, &keep);
    audit_keep_fini(&keep);
    audit_output_fini(&output);
    return code;
}

const struct command command_audit_report = {
    .name = "audit report",
    .arguments = "",
    .summary = "report on an audit of before, from its snapshot",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl audit -b broker-1:9092 --snapshot monday.kdla\n"
                "kdl audit report --from monday.kdla --html audit.html\n"
                "kdl audit report --from monday.kdla -o json --design all --fail-on blocked\n"
                "kdl audit report --from monday.kdla --snapshot for-others.kdla --redact key",
    .notes =
        "Asks no cluster. An old snapshot is judged by the rules of today. " AUDIT_OUTPUT_NOTES,
    .run = run,
};
