#include "cli/top_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/units.h"
#include "lib/base/xalloc.h"

#define LIST_TOP 4 /* first row of a list */

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

static void
head_draw(struct top_grid *grid, const struct top_model *model, const struct top_choice *choice)
{
    int x = top_grid_printf(grid, 1, 0, TOP_TITLE, "kdl top  %s%s%s", model->from,
        *model->to == '\0' ? "" : " > ", model->to);
    time_t seconds = (time_t)(model->asked_wall_ms / 1000);
    struct tm tm;
    char clock[16];

    x = x + 4 > grid->width - 48 ? x + 4 : grid->width - 48;
    for (int i = 0; i < TOP_PAGES; i++)
        x = top_grid_printf(grid, x, 0, i == (int)choice->page ? TOP_SELECTED : TOP_PLAIN,
                i == (int)choice->page ? "[%s]" : " %s ", page_titles[i]) +
            1;
    gmtime_r(&seconds, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    top_grid_text(grid, grid->width - 9, 0, TOP_DIM, clock);
}

static void
sparkline_draw(struct top_grid *grid, int x, int y, const struct top_model *model, bool utf8)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", "_", ".", ".", "-", "-", "=", "#"};
    double highest = 1;

    for (int32_t i = 0; i < model->history_count; i++)
        if (model->history[i] > highest)
            highest = model->history[i];
    for (int32_t i = 0; i < model->history_count; i++) {
        int level = (int)(model->history[i] / highest * 7.99);

        level = level < 0 ? 0 : level > 7 ? 7 : level;
        top_grid_text(grid, x + i, y, TOP_GOOD, utf8 ? bars[level] : plain[level]);
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

/* Keeps the selection on the list and the list on the screen; returns how many rows fit. */
static int
list_fit(const struct top_grid *grid, int count, struct top_choice *choice)
{
    int rows = grid->height - LIST_TOP - 1;

    if (rows < 1)
        rows = 1;
    if (choice->selected >= count)
        choice->selected = count - 1;
    if (choice->selected < 0)
        choice->selected = 0;
    if (choice->selected < choice->first)
        choice->first = choice->selected;
    if (choice->selected >= choice->first + rows)
        choice->first = choice->selected - rows + 1;
    return count - choice->first < rows ? count - choice->first : rows;
}

static void
number_draw(struct top_grid *grid, int right, int y, double value, bool known)
{
    char text[UNITS_BYTES];

    units_count((int64_t)value, text);
    if (!known)
        snprintf(text, sizeof text, "-");
    top_grid_text(grid, right - (int)strlen(text), y, TOP_PLAIN, text);
}

static void
topics_draw(struct top_grid *grid, const struct top_model *model, struct top_choice *choice)
{
    int name = grid->width - 40 > 20 ? grid->width - 40 : 20;
    int rows = list_fit(grid, model->topic_count, choice);

    top_grid_text(grid, 2, LIST_TOP - 1, TOP_HEAD, "TOPIC");
    top_grid_text(grid, name + 4, LIST_TOP - 1, TOP_HEAD, "PARTS     RECORDS        IN/s");
    for (int i = 0; i < rows; i++) {
        const struct top_topic *topic = &model->topics[choice->first + i];
        int y = LIST_TOP + i;

        top_grid_name(grid, 2, y, name, TOP_PLAIN, topic->name);
        top_grid_printf(grid, name + 4, y, TOP_PLAIN, "%5d", topic->partitions);
        number_draw(grid, name + 21, y, (double)topic->records, true);
        number_draw(grid, name + 33, y, topic->rate, topic->rate >= 0);
        if (choice->first + i == choice->selected)
            top_grid_role(grid, y, TOP_SELECTED);
    }
}

static void
groups_draw(struct top_grid *grid, const struct top_model *model, struct top_choice *choice)
{
    int name = grid->width - 56 > 20 ? grid->width - 56 : 20;
    int rows = list_fit(grid, model->group_count, choice);

    top_grid_text(grid, 2, LIST_TOP - 1, TOP_HEAD, "GROUP");
    top_grid_text(
        grid, name + 4, LIST_TOP - 1, TOP_HEAD, "TYPE      STATE                 PARTS        LAG");
    for (int i = 0; i < rows; i++) {
        const struct top_group *group = &model->groups[choice->first + i];
        int y = LIST_TOP + i;

        top_grid_name(grid, 2, y, name, TOP_PLAIN, group->name);
        top_grid_printf(grid, name + 4, y, TOP_PLAIN, "%-9.9s %-20.20s %6d", group->type,
            group->state, group->partitions);
        number_draw(grid, name + 52, y, (double)group->lag, group->lag >= 0);
        if (choice->first + i == choice->selected)
            top_grid_role(grid, y, TOP_SELECTED);
    }
}

static void
bar_draw(struct top_grid *grid, int x, int y, double share, const struct top_choice *choice)
{
    for (int i = 0; i < 20; i++)
        top_grid_text(grid, x + i, y, TOP_GOOD,
            i < (int)(share * 20) ? (choice->utf8 ? "█" : "#") : (choice->utf8 ? "░" : "."));
}

static void
mirror_draw(struct top_grid *grid, const struct top_model *model, struct top_choice *choice)
{
    int name = grid->width - 60 > 20 ? grid->width - 60 : 20;
    int rows = list_fit(grid, model->topic_count, choice);
    char lag[UNITS_BYTES], rate[UNITS_BYTES];

    if (*model->to == '\0') {
        top_grid_text(
            grid, 2, LIST_TOP, TOP_DIM, "no target: start with --to HOST:PORT to see a mirror");
        return;
    }
    units_count(model->mirror_lag, lag);
    units_count((int64_t)model->mirror_rate, rate);
    top_grid_printf(grid, 1, 2, TOP_PLAIN, "mirror  lag %s records  %s/s", lag, rate);
    top_grid_text(grid, 2, LIST_TOP - 1, TOP_HEAD, "TOPIC");
    top_grid_text(grid, name + 4, LIST_TOP - 1, TOP_HEAD,
        "DONE                                LAG     COPIED/s");
    for (int i = 0; i < rows; i++) {
        const struct top_topic *topic = &model->topics[choice->first + i];
        double share = topic->records <= 0 ? 1 : 1 - (double)topic->lag / (double)topic->records;
        int y = LIST_TOP + i;

        top_grid_name(grid, 2, y, name, TOP_PLAIN, topic->name);
        if (!topic->mirrored) {
            top_grid_text(grid, name + 4, y, TOP_DIM, "not mirrored");
        } else {
            bar_draw(grid, name + 4, y, share, choice);
            top_grid_printf(grid, name + 25, y, TOP_PLAIN, "%3.0f %%", share * 100);
            number_draw(grid, name + 43, y, (double)topic->lag, true);
            number_draw(grid, name + 56, y, topic->mirror_rate, topic->rate >= 0);
        }
        if (choice->first + i == choice->selected)
            top_grid_role(grid, y, TOP_SELECTED);
    }
}

static void
overview_draw(struct top_grid *grid, const struct top_model *model)
{
    int y = LIST_TOP;
    int64_t lag = 0;
    int32_t lagging = 0;
    bool moving;

    for (int32_t i = 0; i < model->group_count; i++)
        if (model->groups[i].lag > 0) {
            lag += model->groups[i].lag;
            lagging++;
        }
    top_grid_printf(grid, 2, y++, TOP_PLAIN, "cluster   %s", model->cluster_id);
    top_grid_printf(grid, 2, y++, TOP_PLAIN, "brokers   %d", model->brokers);
    top_grid_printf(grid, 2, y++, TOP_PLAIN, "topics    %d with %d partitions", model->topic_count,
        model->partitions);
    top_grid_printf(grid, 2, y++, lagging > 0 ? TOP_BAD : TOP_PLAIN,
        "groups    %d, %d of them behind by %lld records", model->group_count, lagging,
        (long long)lag);
    y++;
    moving = model->rate > 0;
    top_grid_text(grid, 2, y++, TOP_HEAD,
        moving ? "BUSIEST TOPICS            records/s" : "LARGEST TOPICS              records");
    for (int32_t i = 0; i < model->topic_count && y < grid->height - 1; i++) {
        const struct top_topic *topic = &model->topics[i];
        double value = moving ? topic->rate : (double)topic->records;

        if (value <= 0)
            continue;
        top_grid_name(grid, 2, y, 24, TOP_PLAIN, topic->name);
        number_draw(grid, 37, y++, value, true);
    }
}

static void
help_draw(struct top_grid *grid)
{
    static const char *const lines[] = {"1 2 3 4, Tab   pages", "up, down       select",
        "PgUp, PgDn     a screen further", "s              sort by name, or by what is largest",
        "?              this help", "q              quit"};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        top_grid_printf(grid, 6, LIST_TOP + (int)i, TOP_SELECTED, " %-40s ", lines[i]);
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
            choice->by_name ? topics_by_name : topics_by_rate);
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
        topics_draw(grid, model, choice);
        break;
    case TOP_GROUPS:
        groups_draw(grid, model, choice);
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
    if (choice->keys)
        top_grid_text(grid, 1, grid->height - 1, TOP_DIM,
            "1-4 Tab pages   up down select   s sort   ? help   q quit");
}
