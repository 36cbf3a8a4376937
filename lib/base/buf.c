#include "lib/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define CAPACITY_MIN ((size_t)64)
#define CAPACITY_MAX (SIZE_MAX / 4) /* no sum of sizes overflows */

void
buf_init(struct buf *buf, size_t size_max)
{
    memset(buf, 0, sizeof *buf);
    buf->size_max = size_max < CAPACITY_MAX ? size_max : CAPACITY_MAX;
}

void
buf_fini(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->size_max);
}

void
buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->overflowed = false;
}

/* One byte beyond the content is always there for the zero of buf_text and buf_take. */
static bool
grow(struct buf *buf, size_t more)
{
    size_t need = buf->size + more + 1;
    size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
    uint8_t *data;

    if (need <= buf->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    if (capacity > buf->size_max && need <= buf->size_max + 1)
        capacity = buf->size_max + 1;
    data = realloc(buf->data, capacity);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void *
buf_reserve(struct buf *buf, size_t size)
{
    if (buf->overflowed || size > buf->size_max - buf->size || !grow(buf, size)) {
        buf->overflowed = true;
        return NULL;
    }
    return buf->data + buf->size;
}

void
buf_commit(struct buf *buf, size_t size)
{
    REQUIRE(size < buf->capacity - buf->size || (size == 0 && buf->capacity == 0));
    buf->size += size;
}

void
buf_append(struct buf *buf, const void *data, size_t size)
{
    void *room = buf_reserve(buf, size);

    if (room == NULL || size == 0)
        return;
    memcpy(room, data, size);
    buf->size += size;
}

void
buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void
buf_append_byte(struct buf *buf, uint8_t byte)
{
    buf_append(buf, &byte, 1);
}

void
buf_vprintf(struct buf *buf, const char *format, va_list ap)
{
    va_list again;
    char *room;
    int size;

    va_copy(again, ap);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    REQUIRE(size >= 0);
    room = buf_reserve(buf, (size_t)size);
    if (room == NULL)
        return;
    vsnprintf(room, (size_t)size + 1, format, ap);
    buf->size += (size_t)size;
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    buf_vprintf(buf, format, ap);
    va_end(ap);
}

void
buf_consume(struct buf *buf, size_t size)
{
    REQUIRE(size <= buf->size);
    if (size == 0)
        return;
    memmove(buf->data, buf->data + size, buf->size - size);
    buf->size -= size;
}

const char *
buf_text(struct buf *buf)
{
    if (!grow(buf, 0))
        return "";
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}

uint8_t *
buf_take(struct buf *buf, size_t *size)
{
    uint8_t *data;

    REQUIRE(grow(buf, 0));
    data = buf->data;
    data[buf->size] = '\0';
    *size = buf->size;
    buf_init(buf, buf->size_max);
    return data;
}

bool
buf_is_overflowed(const struct buf *buf)
{
    return buf->overflowed;
}
