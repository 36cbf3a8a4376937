#include "lib/base/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_BYTES_MAX 1024

_Noreturn void
xalloc_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken assumption: %s\n", file, line, what);
    abort();
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size == 0 ? 1 : size);

    REQUIRE(p != NULL);
    return p;
}

void *
xcalloc(size_t count, size_t size)
{
    void *p;

    REQUIRE(size == 0 || count <= SIZE_MAX / size);
    /* glibc's calloc does not look for small pieces where malloc and free keep them. */
    if (count * size <= SMALL_BYTES_MAX)
        return memset(xmalloc(count * size), 0, count * size);
    p = calloc(count, size);
    REQUIRE(p != NULL);
    return p;
}

void *
xrealloc(void *old, size_t count, size_t size)
{
    void *p;

    REQUIRE(size == 0 || count <= SIZE_MAX / size);
    p = realloc(old, count * size == 0 ? 1 : count * size);
    REQUIRE(p != NULL);
    return p;
}

char *
xstrdup(const char *text)
{
    return xmemdup(text, strlen(text));
}

void *
xmemdup(const void *data, size_t size)
{
    char *copy = xmalloc(size + 1);

    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *
xasprintf(const char *format, ...)
{
    va_list ap;
    char *text;
    int size;

    va_start(ap, format);
    size = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    REQUIRE(size >= 0);
    text = xmalloc((size_t)size + 1);
    va_start(ap, format);
    vsnprintf(text, (size_t)size + 1, format, ap);
    va_end(ap);
    return text;
}
