/*
 * text_pairs: texts by name: client tags of a streams group's member, settings of an assignment.
 *
 * Sorted by bytes of the names, each once; owns its texts. The zero value is empty.
 */
#ifndef REFBROKER_COORD_TEXT_PAIRS_H
#define REFBROKER_COORD_TEXT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/wire/desc.h"

struct text_pair {
    char *name;
    char *value;
};

struct text_pairs {
    struct text_pair *items;
    size_t count;
};

void text_pairs_fini(struct text_pairs *pairs);

/* text_pairs_add puts one in; RC_CONFLICT where the name is there already. O(count): who adds what
 * a peer sent bounds how many there are. */
MUST_CHECK enum rc text_pairs_add(
    struct text_pairs *pairs, struct wire_string name, struct wire_string value, struct err *e);

/* text_pairs_move empties `from`, too. */
void text_pairs_move(struct text_pairs *to, struct text_pairs *from);

bool text_pairs_equal(const struct text_pairs *a, const struct text_pairs *b);

#endif
