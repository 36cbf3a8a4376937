#include "lib/base/lines.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"

#define CHUNK_BYTES ((size_t)64 << 10)

struct reading {
    size_t bytes_max;
    lines_fn *take;
    void *arg;
    char *line; /* bytes_max, and room for the zero byte */
    size_t size;
    uint64_t number;
    bool is_begun; /* something of this line was read, */
    bool is_long;  /* more than there is room for */
};

static void
line_end(struct reading *own)
{
    own->line[own->size] = '\0';
    own->take(own->arg, ++own->number, own->line, !own->is_long);
    own->size = 0;
    own->is_begun = own->is_long = false;
}

static void
byte_take(struct reading *own, char byte)
{
    if (byte == '\n') {
        line_end(own);
        return;
    }
    own->is_begun = true;
    if (byte == '\0')
        return;
    if (own->size < own->bytes_max)
        own->line[own->size++] = byte;
    else
        own->is_long = true;
}

enum rc
lines_read(FILE *file, size_t bytes_max, lines_fn *take, void *arg, struct err *e)
{
    struct reading own = {
        .bytes_max = bytes_max, .take = take, .arg = arg, .line = xmalloc(bytes_max + 1)};
    char *chunk = xmalloc(CHUNK_BYTES);
    size_t got;
    enum rc rc = RC_OK;

    while ((got = fread(chunk, 1, CHUNK_BYTES, file)) > 0)
        for (size_t i = 0; i < got; i++)
            byte_take(&own, chunk[i]);
    if (ferror(file) != 0)
        rc = err_set_errno(e, RC_IO, errno, "read");
    else if (own.is_begun)
        line_end(&own);
    free(chunk);
    free(own.line);
    return rc;
}
