/*
 * book: a file of prices: one line each, NAME PRICE DATE SOURCE; `#` begins a comment; a line
 * `title TEXT` names it; without one it is called as its file.
 *
 * Every price of prices.def must be there once. The book that comes with kdl is built in, so that
 * the command needs no file; prices.conf is its text.
 */
#ifndef PRICE_BOOK_H
#define PRICE_BOOK_H

#include "price/inputs.h"

#define BOOK_BYTES_MAX ((size_t)1 << 20)
#define BOOK_BUILTIN "prices.conf"

/* book_builtin returns the text that comes with kdl. */
const char *book_builtin(void);

/* book_read takes over all prices of a text; `file` is what errors and sources call it. RC_CONFIG
 * with file and line for a line that is wrong, and for a price that is missing. */
MUST_CHECK enum rc book_read(
    struct inputs *inputs, const char *text, size_t size, const char *file, struct err *e);

/* book_load reads a file. RC_CONFIG where it cannot be read, too: a wrong --prices. */
MUST_CHECK enum rc book_load(struct inputs *inputs, const char *path, struct err *e);

#endif
