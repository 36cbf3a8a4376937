/* kdl top: the dashboard. Model, view and terminal are modules of their own; this is the loop
 * between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/top_audit.h"
#include "cli/top_poll.h"
#include "cli/top_term.h"
#include "cli/top_view.h"
#include "cli/units.h"
#include "lib/base/xalloc.h"

#define KEY_WAIT_MS 100
#define ONCE_WIDTH 120
#define END_PATIENCE_MS 200
#define DUMP_BYTES_MAX ((size_t)1 << 24)

static const struct option_row rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"to", 0, OPTION_TEXT, "HOST:PORT,...", NULL, 0, 0, "the target of a mirror, for page Mirror"},
    {"to-config", 0, OPTION_LIST, "FILE", NULL, 0, 0, "client properties for the target"},
    {"to-property", 0, OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "one of them"},
    {"page", 'p', OPTION_WORD, "PAGE", "overview|topics|groups|mirror", 0, 0, "where to begin"},
    {"interval-ms", 'i', OPTION_INT, "N", NULL, 100, 3600000, "time between two rounds (2000)"},
    {"once", '1', OPTION_SWITCH, "", NULL, 0, 0,
        "print the page as text and end; with -i after two rounds, for rates"},
    {"rows", 0, OPTION_INT, "N", NULL, 8, 100000, "with --once: lines to print (40)"},
};

struct top {
    struct conf *from_conf;
    struct conf *to_conf;
    const struct conf_client *from;
    const struct conf_client *to;
    struct top_model model;
    struct top_choice choice;
    struct top_grid grid;
};

static enum rc
confs_open(struct top *top, const struct options *options, struct err *e)
{
    const char *to = options_text(options, "to", NULL), *text;
    size_t position = 0;
    enum rc rc = session_conf(options, &top->from_conf, &top->from, e);

    if (rc != RC_OK || to == NULL)
        return rc;
    top->to_conf = conf_new();
    while (rc == RC_OK && (text = options_list(options, "to-config", &position)) != NULL)
        rc = conf_load_file(top->to_conf, text, e);
    position = 0;
    while (rc == RC_OK && (text = options_list(options, "to-property", &position)) != NULL)
        rc = conf_set(top->to_conf, text, e);
    if (rc == RC_OK)
        rc = conf_set_pair(top->to_conf, "bootstrap.servers", to, "--to", e);
    return rc == RC_OK ? conf_finish(top->to_conf, &top->to, e) : rc;
}

static int
print_once(struct top *top, int height, int64_t interval_ms)
{
    struct buf out;
    struct err e;

    if (top_poll_once(top->from, top->to, interval_ms, &top->model, &e) != RC_OK)
        return command_fail(&e);
    if (top->choice.page == TOP_OVERVIEW || top->choice.page == TOP_TOPICS)
        top_audit_once(top->from, &top->model);
    top_grid_resize(&top->grid, ONCE_WIDTH, height);
    top_view_draw(&top->grid, &top->model, &top->choice);
    buf_init(&out, DUMP_BYTES_MAX);
    top_grid_dump(&top->grid, &out);
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
    return EXIT_OK;
}

static int
run_screen(struct top *top, int64_t interval_ms)
{
    bool color = getenv("NO_COLOR") == NULL, going = true;
    struct top_audit *audit;
    struct top_poll *poll;
    enum top_key key;
    int character = 0;
    struct err e;

    if (top_term_open(color, &e) != RC_OK) {
        fprintf(stderr, "kdl: %s\n", e.text);
        return EXIT_USAGE;
    }
    poll = top_poll_start(top->from, top->to, interval_ms);
    audit = top_audit_start(top->from);
    top->choice.keys = true;
    while (going) {
        if (!top->choice.paused)
            (void)top_poll_take(poll, &top->model);
        top_audit_apply(audit, &top->model);
        top_term_size(&top->grid.width, &top->grid.height);
        top_grid_resize(&top->grid, top->grid.width, top->grid.height);
        top_view_draw(&top->grid, &top->model, &top->choice);
        top_term_show(&top->grid);
        key = top_term_key(KEY_WAIT_MS, &character);
        going = top_choice_key(&top->choice, key, character, top->grid.height);
    }
    top_term_close();
    fflush(stdout);
    /* Who waits for a broker that does not answer goes with the process. */
    if (!top_audit_stop(audit, END_PATIENCE_MS) || !top_poll_stop(poll, END_PATIENCE_MS))
        _exit(EXIT_OK);
    return EXIT_OK;
}

static int
run(const struct invocation *in)
{
    struct top top = {.from_conf = NULL};
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    top.choice.utf8 = units_utf8();
    (void)top_view_page_find(options_text(&in->options, "page", "overview"), &top.choice.page);
    if (confs_open(&top, &in->options, &e) != RC_OK)
        code = command_fail(&e);
    else if (options_is(&in->options, "once"))
        code = print_once(&top, (int)options_int(&in->options, "rows", 40),
            options_int(&in->options, "interval-ms", 0));
    else
        code = run_screen(&top, options_int(&in->options, "interval-ms", 2000));
    top_model_fini(&top.model);
    top_grid_fini(&top.grid);
    conf_free(top.from_conf);
    conf_free(top.to_conf);
    return code;
}

const struct command command_top = {
    .name = "top",
    .arguments = "",
    .summary = "what is happening now: topics, groups and their lag, a mirror's progress",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl top -b 127.0.0.1:9092\n"
                "kdl top -b broker-1:9092 --to 127.0.0.1:9092 --page mirror\n"
                "kdl top -b 127.0.0.1:9092 --page groups --once",
    .notes = "keys: 1-4 or Tab pages, arrows select, / filter, s sort, p pause, ? help, q quit",
    .run = run,
};
