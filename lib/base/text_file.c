#include "lib/base/text_file.h"

#include <errno.h>
#include <stdio.h>

#define PIECE_BYTES ((size_t)64 << 10)

/* Returns errno, or 0. */
static int
all_read(FILE *file, struct buf *out)
{
    size_t got;

    /* Straight into the buffer. */
    (void)setvbuf(file, NULL, _IONBF, 0);
    do {
        size_t left = out->size_max - out->size;
        size_t piece = left == 0 ? 1 : left < PIECE_BYTES ? left : PIECE_BYTES;
        void *room = buf_reserve(out, piece);

        if (room == NULL)
            return 0;
        got = fread(room, 1, piece, file);
        buf_commit(out, got);
    } while (got > 0);
    return ferror(file) != 0 ? errno : 0;
}

enum rc
text_file_read(const char *path, const char *what, struct buf *out, struct err *e)
{
    const char *before = what == NULL ? "" : what, *between = what == NULL ? "" : " ";
    FILE *file = fopen(path, "re");
    int number = file == NULL ? errno : all_read(file, out);

    if (file != NULL)
        (void)fclose(file);
    if (number != 0)
        return err_set_errno(e, RC_CONFIG, number, "cannot read %s%s%s", before, between, path);
    if (buf_is_overflowed(out))
        return err_set(e, RC_CONFIG, "%s%s%s is too large: %zu bytes and more are not read", before,
            between, path, out->size_max);
    return RC_OK;
}
