/*
 * top_term: the terminal: keys in, a grid out. The only module that includes ncurses.
 */
#ifndef CLI_TOP_TERM_H
#define CLI_TOP_TERM_H

#include "cli/top_grid.h"
#include "lib/base/err.h"

enum top_key {
    TOP_KEY_NONE, /* nothing came in time */
    TOP_KEY_UP,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_TAB,
    TOP_KEY_ENTER,
    TOP_KEY_BACKSPACE,
    TOP_KEY_ESCAPE,
    TOP_KEY_RESIZE,
    TOP_KEY_CHARACTER,
};

/* top_term_open takes over the terminal; RC_UNSUPPORTED where there is none. `color` false:
 * attributes only. */
MUST_CHECK enum rc top_term_open(bool color, struct err *e);

/* top_term_close gives it back as it was. */
void top_term_close(void);

void top_term_size(int *width, int *height);
void top_term_show(const struct top_grid *grid);

/* top_term_key waits at most wait_ms for a key; *character is set for TOP_KEY_CHARACTER. */
enum top_key top_term_key(int wait_ms, int *character);

#endif
