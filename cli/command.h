/*
 * command: what kdl can do, as a table: one row and one file c_<name>.c per command.
 *
 * main.c finds the command by its words ("mirror run"), parses its flags, answers --help and
 * --version, connects nothing by itself. A command gets an invocation and returns an exit code of
 * exits.def; it prints results to stdout and everything else to stderr.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"
#include "lib/base/err.h"

struct invocation {
    const struct command *command;
    struct options options;
};

typedef int command_fn(const struct invocation *invocation);

struct command {
    const char *name;      /* "topic create" */
    const char *arguments; /* "NAME", or "" */
    const char *summary;
    const struct option_row *rows;
    size_t row_count;
    const char *examples; /* one a line */
    const char *notes;    /* exit codes and what else help should say; may be NULL */
    command_fn *run;
};

/* command_table returns all commands; command_count how many. */
const struct command *const *command_table(size_t *count);

/* command_fail prints "kdl: text" and returns the exit code for the error. */
int command_fail(const struct err *e);

/* command_wrong_use prints one line with the way to the help, and returns EXIT_USAGE. */
int command_wrong_use(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* command_refuse is command_wrong_use for RC_CONFIG, command_fail for any other error. */
int command_refuse(const struct command *command, const struct err *e);

/* The flags that every command with a cluster has. */
#define COMMAND_CLUSTER_OPTIONS                                                                    \
    {"bootstrap", 'b', OPTION_TEXT, "HOST:PORT,...", NULL, 0, 0, "brokers to begin with"},         \
        {"config-file", 'F', OPTION_LIST, "FILE", NULL, 0, 0,                                      \
            "client properties, with Java's or librdkafka's names"},                               \
    {                                                                                              \
        "property", 'X', OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "one client property"              \
    }

#endif
