/*
 * text_file: a user's file, whole, in bounded memory.
 *
 * Errors name the file as users gave it, with what it is before it ("CA file /x: ...") where the
 * caller says so. Nothing of the file is left in other memory than the buffer's, so that a caller
 * can wipe secrets.
 */
#ifndef LIB_BASE_TEXT_FILE_H
#define LIB_BASE_TEXT_FILE_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* text_file_read appends the file to `out`, whose limit it has to stay below. `what` may be NULL.
 * RC_CONFIG where it cannot be read, or is too large (the buffer is overflowed then). */
MUST_CHECK enum rc text_file_read(
    const char *path, const char *what, struct buf *out, struct err *e);

#endif
