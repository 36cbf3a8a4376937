/* kdl: finds the command, parses its flags, answers help, version and completion. */
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "lib/base/xalloc.h"

#define HELP_BYTES_MAX 65536
#define WORDS_MAX 3
#define MEMORY_PIECE_BYTES (32 << 20) /* larger than any fetch reply of a mirror */
#define MEMORY_KEPT_BYTES (128 << 20)

static const struct option_row common_rows[] = {
    {"help", 'h', OPTION_SWITCH, "", NULL, 0, 0, "this text"},
};

static void
print_overview(FILE *out)
{
    size_t count;
    const struct command *const *table = command_table(&count);

    fputs("kdl moves Kafka estates to diskless Kafka, with evidence at each step.\n\n"
          "usage: kdl COMMAND [OPTIONS]\n\n",
        out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-16s %s\n", table[i]->name, table[i]->summary);
    fputs("\nkdl COMMAND --help explains a command. kdl --version prints the version.\n\n"
          "exit codes\n",
        out);
#define EXIT(name, code, meaning) fprintf(out, "  %3d  %s\n", code, meaning);
#include "lib/base/exits.def"
#undef EXIT
}

static void
print_help(const struct command *command)
{
    struct buf out;

    buf_init(&out, HELP_BYTES_MAX);
    buf_printf(&out, "kdl %s: %s\n\nusage: kdl %s%s%s [OPTIONS]\n\noptions\n", command->name,
        command->summary, command->name, *command->arguments == '\0' ? "" : " ",
        command->arguments);
    options_help(command->rows, command->row_count, &out);
    options_help(common_rows, ARRAY_LEN(common_rows), &out);
    buf_append_text(&out, "\nexamples\n");
    for (const char *line = command->examples; *line != '\0';) {
        size_t size = strcspn(line, "\n");

        buf_printf(&out, "  %.*s\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
    if (command->notes != NULL)
        buf_printf(&out, "\n%s\n", command->notes);
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
}

/* How many words of argv the name consists of, 0 where it is another command. */
static int
name_match(const struct command *command, int argc, const char **argv)
{
    const char *name = command->name;
    int words = 0;

    while (*name != '\0') {
        size_t size = strcspn(name, " ");

        if (words == argc || strlen(argv[words]) != size || strncmp(argv[words], name, size) != 0)
            return 0;
        words++;
        name += size + (name[size] == ' ');
    }
    return words;
}

static const struct command *
command_find(int argc, const char **argv, int *words)
{
    size_t count;
    const struct command *const *table = command_table(&count);
    const struct command *best = NULL;

    *words = 0;
    for (size_t i = 0; i < count; i++) {
        int matched = name_match(table[i], argc, argv);

        if (matched > *words) {
            *words = matched;
            best = table[i];
        }
    }
    return best;
}

static int
unknown_command(int argc, const char **argv)
{
    const char *names[64];
    char typed[128] = "";
    size_t count;
    const struct command *const *table = command_table(&count);
    int nearest;

    for (int i = 0; i < argc && i < WORDS_MAX && argv[i][0] != '-'; i++)
        snprintf(
            typed + strlen(typed), sizeof typed - strlen(typed), "%s%s", i > 0 ? " " : "", argv[i]);
    for (size_t i = 0; i < count && i < ARRAY_LEN(names); i++)
        names[i] = table[i]->name;
    nearest = options_nearest(typed, names, count);
    if (nearest >= 0)
        fprintf(stderr, "kdl: unknown command %s. Did you mean %s? (kdl --help)\n", typed,
            names[nearest]);
    else
        fprintf(stderr, "kdl: unknown command %s. (kdl --help lists them)\n", typed);
    return EXIT_USAGE;
}

static bool
wants_help(int argc, const char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int
command_run(const struct command *command, int argc, const char **argv)
{
    struct invocation invocation = {.command = command};
    struct err e;

    if (wants_help(argc, argv)) {
        print_help(command);
        return EXIT_OK;
    }
    if (options_parse(&invocation.options, command->rows, command->row_count, argc, argv, &e) !=
        RC_OK)
        return command_wrong_use(command, "%s", e.text);
    return command->run(&invocation);
}

int
main(int argc, char **argv)
{
    const char **words = xcalloc((size_t)argc, sizeof(const char *));
    const struct command *command;
    int used = 0, code;

    signal(SIGPIPE, SIG_IGN);
    /* Replies of many MiB come and go. By default each would get fresh pages, whose first touch
     * costs a mirror more than all the rest of its work. */
    mallopt(M_MMAP_THRESHOLD, MEMORY_PIECE_BYTES);
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT_BYTES);
    for (int i = 1; i < argc; i++)
        words[i - 1] = argv[i];
    argc--;
    command = command_find(argc, words, &used);
    if (command != NULL) {
        code = command_run(command, argc - used, words + used);
    } else if (argc > 0 && strcmp(words[0], "--version") == 0) {
        puts("kdl " KDL_VERSION);
        code = EXIT_OK;
    } else if (argc == 0 || wants_help(argc, words) || strcmp(words[0], "help") == 0) {
        print_overview(argc == 0 ? stderr : stdout);
        code = argc == 0 ? EXIT_USAGE : EXIT_OK;
    } else {
        code = unknown_command(argc, words);
    }
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    free(words);
    return code;
}
