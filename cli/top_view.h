/*
 * top_view: the pages of the dashboard, drawn from the model into a grid. No terminal, no network,
 * no clock but the model's.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include "cli/top_choice.h"
#include "cli/top_grid.h"
#include "cli/top_model.h"

/* top_view_draw draws the page; it also keeps `selected` and `first` within the list and the
 * screen. */
void top_view_draw(struct top_grid *grid, struct top_model *model, struct top_choice *choice);

/* top_view_page_name and top_view_page_find are for flags: "topics". */
const char *top_view_page_name(enum top_page page);
bool top_view_page_find(const char *name, enum top_page *page);

#endif
