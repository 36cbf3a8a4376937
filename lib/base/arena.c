#include "lib/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define BLOCK_BYTES_MIN ((size_t)4096)

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

void
arena_init(struct arena *arena, size_t cap_bytes)
{
    memset(arena, 0, sizeof *arena);
    arena->cap_bytes = cap_bytes;
}

static void
blocks_free(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
}

void
arena_fini(struct arena *arena)
{
    blocks_free(arena->first);
    arena_init(arena, arena->cap_bytes);
}

void
arena_reset(struct arena *arena)
{
    if (arena->first != NULL) {
        blocks_free(arena->first->next);
        arena->first->next = NULL;
        arena->first->used = 0;
    }
    arena->last = arena->first;
    arena->used_bytes = 0;
    arena->full = false;
}

struct arena_mark
arena_mark(const struct arena *arena)
{
    return (struct arena_mark){
        arena->last, arena->last == NULL ? 0 : arena->last->used, arena->used_bytes};
}

void
arena_rewind(struct arena *arena, struct arena_mark mark)
{
    if (mark.block == NULL) {
        arena_reset(arena);
        return;
    }
    blocks_free(mark.block->next);
    mark.block->next = NULL;
    mark.block->used = mark.block_used;
    arena->last = mark.block;
    arena->used_bytes = mark.used_bytes;
    arena->full = false;
}

/* Blocks double with the arena, so that a large message costs few of them and the memory held stays
 * within twice what was asked for. */
static struct arena_block *
block_add(struct arena *arena, size_t size)
{
    size_t want = arena->used_bytes > BLOCK_BYTES_MIN ? arena->used_bytes : BLOCK_BYTES_MIN;
    struct arena_block *block;

    if (want < size)
        want = size;
    block = malloc(sizeof *block + want);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->size = want;
    block->used = 0;
    if (arena->last == NULL)
        arena->first = block;
    else
        arena->last->next = block;
    arena->last = block;
    return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block = arena->last;
    void *p;

    if (arena->full || size > arena->cap_bytes || size > SIZE_MAX - align)
        goto refuse;
    size = (size + align - 1) / align * align;
    if (size > arena->cap_bytes - arena->used_bytes)
        goto refuse;
    if (block == NULL || block->size - block->used < size)
        block = block_add(arena, size);
    if (block == NULL)
        goto refuse;
    p = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memset(p, 0, size);
refuse:
    arena->full = true;
    return NULL;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->full = true;
        return NULL;
    }
    return arena_alloc(arena, count * size);
}

void *
arena_dup(struct arena *arena, const void *data, size_t size)
{
    char *copy = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1);

    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
    return arena_dup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list ap;
    char *text;
    int size;

    va_start(ap, format);
    size = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    REQUIRE(size >= 0);
    text = arena_alloc(arena, (size_t)size + 1);
    if (text == NULL)
        return NULL;
    va_start(ap, format);
    vsnprintf(text, (size_t)size + 1, format, ap);
    va_end(ap);
    return text;
}

bool
arena_is_full(const struct arena *arena)
{
    return arena->full;
}
