/*
 * top_grid: a rectangle of cells: what a page of the dashboard draws on, without knowing a
 * terminal.
 *
 * A cell holds one character of UTF-8 and a role (title, bad, dim), which the terminal turns into a
 * colour. Text outside of the rectangle is cut. Tests compare grids as text.
 */
#ifndef CLI_TOP_GRID_H
#define CLI_TOP_GRID_H

#include "lib/base/buf.h"

enum top_role {
    TOP_PLAIN,
    TOP_TITLE,
    TOP_HEAD,
    TOP_SELECTED,
    TOP_GOOD,
    TOP_BAD,
    TOP_DIM,
    TOP_ROLES
};

struct top_cell {
    char text[5]; /* one character, zero behind it */
    uint8_t role;
};

struct top_grid {
    int width;
    int height;
    struct top_cell *cells;
};

/* top_grid_resize makes the grid empty, with a new size. */
void top_grid_resize(struct top_grid *grid, int width, int height);
void top_grid_fini(struct top_grid *grid);

/* top_grid_text writes text from a cell on; top_grid_printf formats it. Both return the column
 * behind it. */
int top_grid_text(struct top_grid *grid, int x, int y, enum top_role role, const char *text);
int top_grid_printf(struct top_grid *grid, int x, int y, enum top_role role, const char *format,
    ...) __attribute__((format(printf, 5, 6)));

/* top_grid_name writes a name into a field of `width` cells; one that is too long is cut in the
 * middle. */
void top_grid_name(
    struct top_grid *grid, int x, int y, int width, enum top_role role, const char *name);

/* top_grid_role gives a whole row a role. */
void top_grid_role(struct top_grid *grid, int y, enum top_role role);

/* top_grid_dump appends the rows as lines, without blanks at their ends and without the
 * empty rows at the end. */
void top_grid_dump(const struct top_grid *grid, struct buf *out);

#endif
