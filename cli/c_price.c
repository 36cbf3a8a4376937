/* kdl price: what an estate costs a month, classic and diskless, and where each number is from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/price_probe.h"
#include "cli/session.h"
#include "cli/units.h"
#include "lib/base/xalloc.h"
#include "price/audited.h"
#include "price/book.h"
#include "price/estimate.h"
#include "price/explain.h"

#define WIDTH_DEFAULT 100
#define SAMPLE_SECONDS 10
#define WHERE_BYTES 128

static const struct option_row rows[] = {
#define FLAG(name, flag, kind, unit, base, low, high, min, max, what, source)                      \
    {flag, 0, OPTION_TEXT, unit, NULL, 0, 0, what " (default: " #base ")"},
#define PARAMETER(...)
#include "price/parameters.def"
    {"set", 's', OPTION_LIST, "NAME=VALUE", NULL, 0, 0,
        "any other input, a price included; VALUE may be LOW:VALUE:HIGH, here and above"},
    {"prices", 0, OPTION_TEXT, "FILE", NULL, 0, 0, "prices of your own, as --print-prices shows"},
    {"print-prices", 0, OPTION_SWITCH, "", NULL, 0, 0, "print the built-in price file"},
    COMMAND_CLUSTER_OPTIONS,
    {"topics", 't', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,
        "which topics of that cluster: shell patterns (default: all)"},
    {"sample-seconds", 0, OPTION_INT, "N", NULL, 1, 86400,
        "time between the two looks at that cluster (default: 10)"},
    {"from", 0, OPTION_TEXT, "FILE", NULL, 0, 0,
        "partitions, sizes and groups from kdl audit -o json"},
    {"explain", 'e', OPTION_TEXT, "NAME|all", NULL, 0, 0,
        "the formula of a number, and what it is made of"},
    {"output", 'o', OPTION_WORD, "FORMAT", "table|json", 0, 0, "what is printed"},
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "no progress"},
};

/* The flags that are inputs. */
static const struct {
    const char *flag;
    const char *called;
    enum sheet_value input;
} input_flags[] = {
#define FLAG(name, flag, ...) {flag, "--" flag, SHEET_##name},
#define PARAMETER(...)
#include "price/parameters.def"
};

static enum rc
inputs_read(const struct options *options, struct inputs *inputs, struct err *e)
{
    const char *path = options_text(options, "prices", NULL), *pair;
    size_t position = 0;
    enum rc rc;

    inputs_init(inputs);
    rc = path == NULL ? book_read(inputs, book_builtin(), strlen(book_builtin()), BOOK_BUILTIN, e)
                      : book_load(inputs, path, e);
    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(input_flags); i++) {
        const char *text = options_text(options, input_flags[i].flag, NULL);

        if (text != NULL)
            rc = inputs_give(inputs, input_flags[i].input, text, input_flags[i].called, e);
    }
    while (rc == RC_OK && (pair = options_list(options, "set", &position)) != NULL)
        rc = inputs_give_pair(inputs, pair, e);
    return rc;
}

static bool
has_cluster(const struct options *options)
{
    return options_is(options, "bootstrap") || options_is(options, "config-file") ||
           options_is(options, "property");
}

static enum rc
measure(const struct options *options, struct load *load, struct err *e)
{
    int64_t seconds = options_int(options, "sample-seconds", SAMPLE_SECONDS);
    bool shows = isatty(STDERR_FILENO) != 0 && !options_is(options, "quiet");
    const struct conf_client *client;
    struct cluster *cluster = NULL;
    struct loop *loop = NULL;
    char where[WHERE_BYTES];
    struct conf *conf;
    enum rc rc = session_conf(options, &conf, &client, e);

    if (rc != RC_OK)
        return rc;
    snprintf(
        where, sizeof where, "%s:%u", client->servers[0].host, (unsigned)client->servers[0].port);
    rc = loop_new(&loop, e);
    if (rc == RC_OK)
        rc = cluster_new(loop, client, &cluster, e);
    if (rc == RC_OK)
        rc = price_probe(cluster, where, options_text(options, "topics", "*"), seconds * 1000,
            shows ? stderr : NULL, load, e);
    cluster_free(cluster);
    loop_free(loop);
    conf_free(conf);
    return rc;
}

/* What was seen of an estate goes under what is given. */
static enum rc
estate_read(const struct options *options, struct inputs *inputs, struct err *e)
{
    const char *audit = options_text(options, "from", NULL);
    struct load load;
    enum rc rc = RC_OK;

    if (audit != NULL && has_cluster(options))
        return err_set(e, RC_CONFIG, "--from and a cluster (-b, -F, -X) exclude each other.");
    if (audit == NULL && !has_cluster(options))
        return RC_OK;
    rc = audit != NULL ? audited_load(&load, audit, e) : measure(options, &load, e);
    if (rc != RC_OK)
        return rc;
    load_apply(&load, inputs);
    if (inputs->entries[SHEET_produce_mbps].origin != INPUTS_DEFAULT)
        return RC_OK;
    return err_set(e, audit != NULL ? RC_CONFIG : RC_NOTFOUND, "%s: add --produce-mbps N%s.",
        load.produced.how, audit != NULL ? "" : ", or a longer --sample-seconds");
}

static enum rc
explain_read(const char *name, enum sheet_value *value, struct err *e)
{
    const char *nearest;

    *value = SHEET_VALUES;
    if (name == NULL || strcmp(name, "all") == 0)
        return RC_OK;
    *value = sheet_find(name, strlen(name));
    if (*value != SHEET_VALUES)
        return RC_OK;
    nearest = sheet_nearest(name, SHEET_VALUES);
    if (nearest != NULL)
        return err_set(e, RC_CONFIG, "--explain knows no %s. Did you mean %s?", name, nearest);
    return err_set(e, RC_CONFIG, "--explain knows no %s; --explain all lists what there is.", name);
}

static void
report(const struct options *options, const struct inputs *inputs, enum sheet_value explained)
{
    struct estimate_look look = {units_columns(WIDTH_DEFAULT), units_utf8()};
    struct estimate *estimate;

    if (options_is(options, "explain")) {
        if (explained == SHEET_VALUES)
            explain_all(inputs, stdout);
        else
            explain_value(inputs, explained, stdout);
        return;
    }
    estimate = xmalloc(sizeof *estimate);
    estimate_init(estimate, inputs);
    if (strcmp(options_text(options, "output", "table"), "json") == 0)
        estimate_json(estimate, stdout);
    else
        estimate_table(estimate, &look, stdout);
    free(estimate);
}

static int
run(const struct invocation *in)
{
    struct inputs *inputs = xmalloc(sizeof *inputs);
    enum sheet_value explained = SHEET_VALUES;
    struct err e;
    enum rc rc;
    int code = EXIT_OK;

    if (in->options.word_count > 0) {
        free(inputs);
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    }
    if (options_is(&in->options, "print-prices")) {
        fputs(book_builtin(), stdout);
        free(inputs);
        return EXIT_OK;
    }
    rc = explain_read(options_text(&in->options, "explain", NULL), &explained, &e);
    if (rc == RC_OK)
        rc = inputs_read(&in->options, inputs, &e);
    if (rc == RC_OK)
        rc = estate_read(&in->options, inputs, &e);
    if (rc == RC_OK)
        report(&in->options, inputs, explained);
    else if (rc == RC_CONFIG)
        code = command_wrong_use(in->command, "%s", e.text);
    else
        code = command_fail(&e);
    free(inputs);
    return code;
}

const struct command command_price = {
    .name = "price",
    .arguments = "",
    .summary = "what the estate costs a month, classic and diskless, and when diskless is dearer",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples =
        "kdl price --produce-mbps 100 --fan-out 3 --retention-hours 72\n"
        "kdl price -b broker-1:9092 --sample-seconds 600\n"
        "kdl price --produce-mbps 50:100:150 --follower-fetch 0 --set nic_gbps=12.5\n"
        "kdl price --produce-mbps 100 --explain inkless_total\n"
        "kdl price --print-prices > mine.conf; kdl price --produce-mbps 1 --prices mine.conf",
    .notes =
        "List prices of one region, without discounts, support or people. An input that nobody "
        "gave has a range;\nthe bands and the list of what moves a price most are made of "
        "these.\n\n"
        "exit codes\n"
        "  0 fine, 1 the produce rate could not be measured, 2 wrong use, 3 unreachable or refused",
    .run = run,
};
