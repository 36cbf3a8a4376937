/* kdl audit diff: what has changed between two snapshots. Asks no cluster. */
#include <string.h>

#include "audit/diff.h"
#include "cli/audit_keep.h"
#include "cli/audit_output.h"
#include "cli/command.h"
#include "lib/base/xalloc.h"

static const struct option_row rows[] = {
    {"output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "what is printed"},
    AUDIT_OUTPUT_DESIGN,
    {"fail-on-worse", 0, OPTION_SWITCH, "", NULL, 0, 0, "exit 1 where a verdict is worse"},
};

static int
compare(const struct audit_inventory *before, const struct audit_inventory *after, uint32_t designs,
    const struct options *options)
{
    struct diff diff;
    struct err e;
    int code = EXIT_OK;

    if (diff_make(&diff, before, after, designs, &e) != RC_OK)
        code = command_fail(&e);
    else if (strcmp(options_text(options, "output", "text"), "json") == 0)
        diff_json(&diff, stdout);
    else
        diff_print(&diff, stdout);
    if (code == EXIT_OK && options_is(options, "fail-on-worse") && diff.worse > 0)
        code = EXIT_FAILED;
    diff_free(&diff);
    return code;
}

static int
run(const struct invocation *in)
{
    struct audit_inventory before, after;
    uint32_t designs;
    struct err e;
    int code;

    if (in->options.word_count != 2)
        return command_wrong_use(in->command, "it takes two snapshots, the older one first.");
    if (audit_output_designs(&in->options, &designs, &e) != RC_OK)
        return command_wrong_use(in->command, "%s", e.text);
    inventory_init(&before);
    inventory_init(&after);
    if (audit_keep_read(in->options.words[0], &before, &e) != RC_OK ||
        audit_keep_read(in->options.words[1], &after, &e) != RC_OK)
        code = command_fail(&e);
    else
        code = compare(&before, &after, designs, &in->options);
    inventory_fini(&before);
    inventory_fini(&after);
    return code;
}

const struct command command_audit_diff = {
    .name = "audit diff",
    .arguments = "OLDER NEWER",
    .summary = "what has changed between two snapshots of audits",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl audit diff monday.kdla friday.kdla\n"
                "kdl audit diff monday.kdla friday.kdla --design all --fail-on-worse -o json",
    .notes = "Both are judged by the rules of today. What one of them could not see is no "
             "difference.\n\n"
             "exit codes\n"
             "  0 compared, 1 a verdict is worse (--fail-on-worse), 2 wrong use, or a file is no "
             "snapshot",
    .run = run,
};
