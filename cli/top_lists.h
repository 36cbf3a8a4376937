/*
 * top_lists: the tables of the dashboard: topics, groups, and the topics of a mirror.
 *
 * A table is a row of columns; a narrow grid shows the most important of them, and names are cut in
 * the middle, numbers never.
 */
#ifndef CLI_TOP_LISTS_H
#define CLI_TOP_LISTS_H

#include "cli/top_view.h"

enum top_list { TOP_LIST_TOPICS, TOP_LIST_GROUPS, TOP_LIST_MIRROR };

/* top_lists_draw draws the head line at row `top` and the rows below it, all but the grid's last
 * one; it keeps the selection on the list and the list on the screen. */
void top_lists_draw(struct top_grid *grid, int top, enum top_list list,
    const struct top_model *model, struct top_choice *choice);

/* top_lists_verdict is a verdict as the audit prints it; "..." (or one character) for none yet. */
const char *top_lists_verdict(enum top_verdict verdict, bool utf8);

#endif
