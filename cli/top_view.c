#include "cli/top_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/top_lists.h"
#include "cli/units.h"
#include "lib/base/xalloc.h"

#define HEAD_TOP 3 /* the head line of a table */
#define LIST_TOP 4 /* what is below it */
#define CLOCK_CELLS 10
#define TABS_CELLS 38 /* of all pages' names */
#define NAME "kdl top  "

static const char *const page_names[] = {"overview", "topics", "groups", "mirror"};
static const char *const page_titles[] = {"Overview", "Topics", "Groups", "Mirror"};

const char *
top_view_page_name(enum top_page page)
{
    return page_names[page];
}

bool
top_view_page_find(const char *name, enum top_page *page)
{
    for (int i = 0; i < TOP_PAGES; i++)
        if (strcmp(page_names[i], name) == 0) {
            *page = (enum top_page)i;
            return true;
        }
    return false;
}

/* The names of all pages, or of the one shown where there is little room; returns their first
 * column. */
static int
tabs_draw(struct top_grid *grid, const struct top_choice *choice)
{
    int x = grid->width - CLOCK_CELLS - TABS_CELLS;
    bool all = x >= (int)sizeof NAME + 10;

    if (!all)
        x = grid->width - CLOCK_CELLS - 2 - (int)strlen(page_titles[choice->page]);
    for (int i = 0, at = x; i < TOP_PAGES; i++) {
        if (i == (int)choice->page)
            at = top_grid_printf(grid, at, 0, TOP_SELECTED, "[%s]", page_titles[i]) + 1;
        else if (all)
            at = top_grid_printf(grid, at, 0, TOP_PLAIN, " %s ", page_titles[i]) + 1;
    }
    return x;
}

static void
head_draw(struct top_grid *grid, const struct top_model *model, const struct top_choice *choice)
{
    time_t seconds = (time_t)(model->asked_wall_ms / 1000);
    int x, tabs = tabs_draw(grid, choice);
    char addresses[2 * TOP_MODEL_TEXT + 8];
    struct tm tm;
    char clock[16];

    x = top_grid_text(grid, 1, 0, TOP_TITLE, NAME);
    snprintf(addresses, sizeof addresses, "%s%s%s", model->from, *model->to == '\0' ? "" : " > ",
        model->to);
    if (tabs - x > 1)
        top_grid_name(grid, x, 0, tabs - x - 1, TOP_TITLE, addresses);
    gmtime_r(&seconds, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    if (choice->paused)
        snprintf(clock, sizeof clock, "paused");
    if (model->asked_wall_ms > 0)
        top_grid_text(grid, grid->width - (int)strlen(clock) - 1, 0, TOP_DIM, clock);
}

static void
sparkline_draw(struct top_grid *grid, int x, int y, const struct top_model *model, bool utf8)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", "_", ".", ".", "-", "-", "=", "#"};
    int32_t first = model->history_count - (grid->width - 1 - x);
    double highest = 1;

    first = first < 0 ? 0 : first;
    for (int32_t i = first; i < model->history_count; i++)
        if (model->history[i] > highest)
            highest = model->history[i];
    for (int32_t i = first; i < model->history_count; i++) {
        int level = (int)(model->history[i] / highest * 7.99);

        level = level < 0 ? 0 : level > 7 ? 7 : level;
        top_grid_text(grid, x + i - first, y, TOP_GOOD, utf8 ? bars[level] : plain[level]);
    }
}

static void
summary_draw(struct top_grid *grid, const struct top_model *model, const struct top_choice *choice)
{
    char records[UNITS_BYTES], rate[UNITS_BYTES];
    int x;

    units_count(model->records, records);
    units_count((int64_t)model->rate, rate);
    x = top_grid_printf(grid, 1, 1, TOP_PLAIN,
        "brokers %d  topics %d  partitions %d  groups %d  records %s  %s/s ", model->brokers,
        model->topic_count, model->partitions, model->group_count, records, rate);
    sparkline_draw(grid, x, 1, model, choice->utf8);
    if (*model->error != '\0')
        top_grid_printf(grid, 1, 2, TOP_BAD, "%s", model->error);
}

static void
number_draw(struct top_grid *grid, int right, int y, double value)
{
    char text[UNITS_BYTES];

    units_count((int64_t)value, text);
    top_grid_text(grid, right - (int)strlen(text), y, TOP_PLAIN, text);
}

/* The line above the table: what the numbers of the page are worth. */
static void
topics_note_draw(struct top_grid *grid, const struct top_model *model)
{
    if (*model->audit_error != '\0')
        top_grid_printf(grid, 1, 2, TOP_BAD, "audit: %s", model->audit_error);
    else if (model->audit_number == 0)
        top_grid_text(grid, 1, 2, TOP_DIM, "asking for traits and verdicts (kdl audit) ...");
}

static void
mirror_note_draw(struct top_grid *grid, const struct top_model *model)
{
    char lag[UNITS_BYTES], rate[UNITS_BYTES] = "-", eta[UNITS_BYTES] = "-";
    int x;

    units_count(model->mirror_lag, lag);
    if (model->mirror_byte_rate >= 0)
        units_bytes((uint64_t)model->mirror_byte_rate, rate);
    if (model->mirror_eta_s >= 0)
        units_seconds((int64_t)model->mirror_eta_s, eta);
    x = top_grid_printf(grid, 1, 2, TOP_PLAIN, "mirror  lag %s records  %s%s/s  ETA %s", lag,
        model->mirror_bytes_estimated ? "~" : "", rate, model->mirror_lag == 0 ? "live" : eta);
    if (model->mirror_bytes_estimated)
        top_grid_text(grid, x + 2, 2, TOP_DIM, "~ records x their mean size");
}

static void
mirror_draw(struct top_grid *grid, const struct top_model *model, struct top_choice *choice)
{
    if (*model->to == '\0') {
        top_grid_text(
            grid, 2, LIST_TOP, TOP_DIM, "no target: start with --to HOST:PORT to see a mirror");
        return;
    }
    if (model->target_answered && *model->error == '\0')
        mirror_note_draw(grid, model);
    top_lists_draw(grid, HEAD_TOP, TOP_LIST_MIRROR, model, choice);
}

/* How many topics have which verdict. */
static void
verdicts_draw(struct top_grid *grid, int y, const struct top_model *model, bool coordinated)
{
    int counts[TOP_VERDICTS] = {0};
    int x = top_grid_text(grid, 2, y, TOP_PLAIN, coordinated ? "coordinated  " : "wal          ");

    for (int32_t i = 0; i < model->topic_count; i++)
        counts[coordinated ? model->topics[i].traits.coordinated : model->topics[i].traits.wal]++;
    if (model->topic_count > 0 && counts[TOP_NOT_JUDGED] == model->topic_count) {
        top_grid_text(grid, x, y, TOP_DIM, *model->audit_error == '\0' ? "..." : "?");
        return;
    }
    for (int i = TOP_READY; i < TOP_VERDICTS; i++)
        x = top_grid_printf(grid, x, y, i == TOP_BLOCKED && counts[i] > 0 ? TOP_BAD : TOP_PLAIN,
            "%d %s  ", counts[i], top_lists_verdict((enum top_verdict)i, false));
}

static int
cluster_draw(struct top_grid *grid, int y, const struct top_model *model)
{
    int64_t lag = 0;
    int32_t lagging = 0;
    char text[UNITS_BYTES] = "?";

    for (int32_t i = 0; i < model->group_count; i++)
        if (model->groups[i].lag > 0) {
            lag += model->groups[i].lag;
            lagging++;
        }
    top_grid_printf(grid, 2, y++, TOP_PLAIN, "cluster      %s", model->cluster_id);
    if (model->bytes >= 0)
        units_bytes((uint64_t)model->bytes, text);
    top_grid_printf(grid, 2, y++, TOP_PLAIN, "topics       %d with %d partitions, %s",
        model->topic_count, model->partitions, text);
    verdicts_draw(grid, y++, model, true);
    verdicts_draw(grid, y++, model, false);
    units_count(lag, text);
    top_grid_printf(grid, 2, y++, lagging > 0 ? TOP_BAD : TOP_PLAIN,
        "groups       %d, %d of them behind by %s records", model->group_count, lagging, text);
    return y;
}

static void
overview_draw(struct top_grid *grid, const struct top_model *model)
{
    bool moving = model->rate > 0;
    int y = cluster_draw(grid, LIST_TOP - 1, model) + 1;

    top_grid_text(grid, 2, y++, TOP_HEAD,
        moving ? "BUSIEST TOPICS            records/s" : "LARGEST TOPICS              records");
    for (int32_t i = 0; i < model->topic_count && y < grid->height - 1; i++) {
        const struct top_topic *topic = &model->topics[i];
        double value = moving ? topic->rate : (double)topic->records;

        if (value <= 0)
            continue;
        top_grid_name(grid, 2, y, 24, TOP_PLAIN, topic->name);
        number_draw(grid, 37, y++, value);
    }
}

static void
help_draw(struct top_grid *grid)
{
    static const char *const lines[] = {"1 2 3 4, Tab   pages", "up, down       select",
        "PgUp, PgDn     a screen further",
        "/              filter by a part of the name, Esc ends it",
        "s              sort by name, or by what is largest", "p              pause, go on",
        "?              this help", "q              quit"};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        top_grid_printf(grid, 6, LIST_TOP + (int)i, TOP_SELECTED, " %-55s ", lines[i]);
}

static void
foot_draw(struct top_grid *grid, const struct top_choice *choice)
{
    int y = grid->height - 1, x = 1;

    if (choice->typing || choice->filter[0] != '\0')
        x = top_grid_printf(grid, x, y, TOP_TITLE, "/%s%s", choice->filter,
                choice->typing ? "_  Enter keep  Esc all" : "  Esc all") +
            3;
    if (choice->keys && !choice->typing)
        top_grid_text(grid, x, y, TOP_DIM,
            "1-4 Tab pages   up down select   / filter   s sort   p pause   ? help   q quit");
}

static int
topics_by_name(const void *a, const void *b)
{
    return strcmp(((const struct top_topic *)a)->name, ((const struct top_topic *)b)->name);
}

static int
topics_by_rate(const void *a, const void *b)
{
    const struct top_topic *x = a, *y = b;

    if (x->rate != y->rate)
        return x->rate < y->rate ? 1 : -1;
    if (x->records != y->records)
        return x->records < y->records ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* What is mirrored first, and of it what lacks most. */
static int
topics_by_lag(const void *a, const void *b)
{
    const struct top_topic *x = a, *y = b;

    if (x->mirrored != y->mirrored)
        return y->mirrored - x->mirrored;
    if (x->lag != y->lag)
        return x->lag < y->lag ? 1 : -1;
    return topics_by_rate(a, b);
}

static int
groups_by_name(const void *a, const void *b)
{
    return strcmp(((const struct top_group *)a)->name, ((const struct top_group *)b)->name);
}

static int
groups_by_lag(const void *a, const void *b)
{
    const struct top_group *x = a, *y = b;

    if (x->lag != y->lag)
        return x->lag < y->lag ? 1 : -1;
    return strcmp(x->name, y->name);
}

void
top_view_draw(struct top_grid *grid, struct top_model *model, struct top_choice *choice)
{
    if (model->topic_count > 0)
        qsort(model->topics, (size_t)model->topic_count, sizeof *model->topics,
            choice->by_name              ? topics_by_name
            : choice->page == TOP_MIRROR ? topics_by_lag
                                         : topics_by_rate);
    if (model->group_count > 0)
        qsort(model->groups, (size_t)model->group_count, sizeof *model->groups,
            choice->by_name ? groups_by_name : groups_by_lag);
    top_grid_resize(grid, grid->width, grid->height);
    head_draw(grid, model, choice);
    if (model->rounds == 0 && *model->error == '\0') {
        top_grid_text(grid, 2, LIST_TOP, TOP_DIM, "asking the cluster ...");
        return;
    }
    summary_draw(grid, model, choice);
    switch (choice->page) {
    case TOP_TOPICS:
        if (*model->error == '\0')
            topics_note_draw(grid, model);
        top_lists_draw(grid, HEAD_TOP, TOP_LIST_TOPICS, model, choice);
        break;
    case TOP_GROUPS:
        top_lists_draw(grid, HEAD_TOP, TOP_LIST_GROUPS, model, choice);
        break;
    case TOP_MIRROR:
        mirror_draw(grid, model, choice);
        break;
    default:
        overview_draw(grid, model);
        break;
    }
    if (choice->help)
        help_draw(grid);
    foot_draw(grid, choice);
}
