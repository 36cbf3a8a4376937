#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/xalloc.h"

#define COMMAND(symbol) extern const struct command command_##symbol;
#include "cli/commands.def"
#undef COMMAND

static const struct command *const table[] = {
#define COMMAND(symbol) &command_##symbol,
#include "cli/commands.def"
#undef COMMAND
};

const struct command *const *
command_table(size_t *count)
{
    *count = ARRAY_LEN(table);
    return table;
}

int
command_fail(const struct err *e)
{
    fprintf(stderr, "kdl: %s\n", e->text);
    return (int)err_exit_code(e->code);
}

int
command_wrong_use(const struct command *command, const char *format, ...)
{
    va_list ap;

    fputs("kdl: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, " (kdl %s --help)\n", command->name);
    return EXIT_USAGE;
}

int
command_refuse(const struct command *command, const struct err *e)
{
    return e->code == RC_CONFIG ? command_wrong_use(command, "%s", e->text) : command_fail(e);
}
