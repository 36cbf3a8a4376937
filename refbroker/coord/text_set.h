/*
 * text_set: texts of members of groups: the set of topics that one reads, and texts that a request
 * may replace.
 *
 * A set is sorted by bytes, holds each text once, and owns them; the zero value is the empty set.
 */
#ifndef REFBROKER_COORD_TEXT_SET_H
#define REFBROKER_COORD_TEXT_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wire/desc.h"

struct text_set {
    char **items;
    size_t count;
};

/* text_set_from makes a set of strings of a message; text_set_fini frees it and leaves the empty
 * set. */
struct text_set text_set_from(const struct wire_string *items, int32_t count);
void text_set_fini(struct text_set *set);

bool text_set_equal(const struct text_set *a, const struct text_set *b);
bool text_set_has(const struct text_set *set, const char *text);

/* text_replace sets an owned text to a string of a message; size -1 is NULL. It tells whether that
 * changed it. */
bool text_replace(char **text, struct wire_string value);

/* text_is_blank tells whether a string of a message is given, but blank. */
bool text_is_blank(struct wire_string text);

#endif
