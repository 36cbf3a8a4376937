/* kdl audit explain: the rules of an audit, from their table. Asks no cluster. */
#include <stdio.h>
#include <string.h>

#include "audit/probe.h"
#include "audit/rules.h"
#include "cli/command.h"
#include "lib/base/xalloc.h"

#define WIDTH 96
#define INDENT 14

static const struct option_row rows[] = {
    {"output", 'o', OPTION_WORD, "FORMAT", "text|markdown", 0, 0, "what is printed"},
};

/* "blocks" and the like, as the verdict that it allows, or the weight where it allows READY. */
static const char *
effect(const struct rules_rule *rule, enum rules_design design)
{
    enum rules_weight weight = rules_weight_of(rule, design);

    if (weight >= RULES_CHANGES)
        return rules_verdict(rules_allows(weight));
    return weight == RULES_NOTHING ? "-" : rules_weight_name(weight);
}

/* A paragraph behind a label, wrapped. */
static void
paragraph(const char *label, const char *text)
{
    size_t column = INDENT;

    printf("  %-*s", INDENT - 2, label);
    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        if (column > INDENT && column + 1 + size > WIDTH) {
            printf("\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)size, text);
        column += size;
        text += size + (text[size] == ' ');
    }
    putchar('\n');
}

/* Which requests must be answered for the rule to say no. */
static void
needs_print(const struct rules_rule *rule, const char *before, const char *after)
{
    const char *separator = before;

    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        if ((rule->needs & UINT64_C(1) << i) != 0) {
            printf("%s%s", separator, audit_probe_api((enum audit_probe)i));
            separator = ", ";
        }
    if (rule->needs != 0)
        fputs(after, stdout);
}

static void
rule_print(const struct rules_rule *rule)
{
    printf("%s  %s\n\n", rule->id, rule->title);
    paragraph("why", rule->why);
    paragraph("what to do", rule->remedy);
    if (*rule->command != '\0')
        paragraph("command", rule->command);
    needs_print(rule, "  unknown without ", "\n");
    putchar('\n');
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        printf("  %-18s  %-18s  %s\n", rules_design((enum rules_design)d),
            effect(rule, (enum rules_design)d), rules_design_title((enum rules_design)d));
}

static void
overview_print(void)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    for (size_t i = 0; i < count; i++)
        printf("%-8s %-8s %s\n", rules[i].id,
            rules[i].subject == RULES_OF_CLUSTER ? "cluster" : "topic", rules[i].title);
    printf("\n%zu rules. kdl audit explain ID says what one means.\n", count);
}

static void
markdown_print(void)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    fputs("# Rules of kdl audit\n\n"
          "Made by `kdl audit explain -o markdown` from `audit/rules.def`. A design that is not "
          "named is not concerned. **BLOCKED**, **UNKNOWN** and **READY_WITH_CHANGES** are "
          "verdicts; warnings and notes leave a topic READY.\n",
        stdout);
    for (size_t i = 0; i < count; i++) {
        const struct rules_rule *rule = &rules[i];

        printf("\n## %s\n\nThe %s: %s.\n\n%s.\n\nWhat to do: %s.\n", rule->id,
            rule->subject == RULES_OF_CLUSTER ? "cluster" : "topic", rule->title, rule->why,
            rule->remedy);
        if (*rule->command != '\0')
            printf("\n    %s\n", rule->command);
        needs_print(rule, "\nNot known without ", ".\n");
        putchar('\n');
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            if (rules_weight_of(rule, (enum rules_design)d) != RULES_NOTHING)
                printf("- `%s`: %s\n", rules_design((enum rules_design)d),
                    effect(rule, (enum rules_design)d));
    }
}

static int
run(const struct invocation *in)
{
    if (strcmp(options_text(&in->options, "output", "text"), "markdown") == 0) {
        markdown_print();
        return EXIT_OK;
    }
    if (in->options.word_count == 0)
        overview_print();
    for (size_t i = 0; i < in->options.word_count; i++) {
        const struct rules_rule *rule = rules_find(in->options.words[i]);

        if (rule == NULL)
            return command_wrong_use(in->command,
                "no rule is called %s; kdl audit explain lists them all.", in->options.words[i]);
        if (i > 0)
            putchar('\n');
        rule_print(rule);
    }
    return EXIT_OK;
}

const struct command command_audit_explain = {
    .name = "audit explain",
    .arguments = "[ID...]",
    .summary = "what the rules of an audit mean, and what to do",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl audit explain\n"
                "kdl audit explain TXN-001\n"
                "kdl audit explain -o markdown",
    .notes = "Asks no cluster.\n\nexit codes\n  0 fine, 2 wrong use or no such rule",
    .run = run,
};
