/*
 * top_choice: what the user of the dashboard has chosen, and what keys do to it.
 */
#ifndef CLI_TOP_CHOICE_H
#define CLI_TOP_CHOICE_H

#include <stdbool.h>

#include "cli/top_term.h"

#define TOP_FILTER_BYTES 64

enum top_page { TOP_OVERVIEW, TOP_TOPICS, TOP_GROUPS, TOP_MIRROR, TOP_PAGES };

struct top_choice {
    enum top_page page;
    int selected; /* row of the page's list */
    int first;    /* row shown at the top */
    bool by_name; /* sort: by name instead of by what is largest */
    bool paused;  /* the numbers stay as they are */
    bool help;
    bool keys; /* the line that names the keys */
    bool utf8;
    bool typing;                   /* keys go into the filter */
    char filter[TOP_FILTER_BYTES]; /* names on the lists contain it */
};

/* top_choice_key does what a key means; `rows` is how far a page goes. False: the end. */
bool top_choice_key(struct top_choice *choice, enum top_key key, int character, int rows);

/* top_choice_shows tells whether a name passes the filter. */
bool top_choice_shows(const struct top_choice *choice, const char *name);

#endif
