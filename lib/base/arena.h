/*
 * arena: memory that is given back all at once, and never grows past a cap.
 *
 * One request (or one reply) lives in one arena: the decoded message, the response and scratch.
 * Nothing is freed singly; arena_reset frees all and keeps the first block, so that a recycled
 * arena touches no fresh page. A peer that asks for more than the cap gets NULL, and from then on
 * every allocation fails until the reset: many allocations, one check (arena_is_full).
 *
 * Not thread-safe: one owner.
 */
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first; /* kept by arena_reset */
    struct arena_block *last;
    size_t used_bytes; /* what was handed out since the last reset, alignment included */
    size_t cap_bytes;
    bool full;
};

/* arena_init prepares an empty arena that hands out at most cap_bytes between two resets; nothing
 * is allocated yet. */
void arena_init(struct arena *arena, size_t cap_bytes);

/* arena_fini frees everything. */
void arena_fini(struct arena *arena);

/* arena_reset takes everything back and clears the full mark. */
void arena_reset(struct arena *arena);

/*
 * arena_mark remembers how much is handed out; arena_rewind takes back what was handed out since,
 * and clears the full mark. Marks are used last in, first out.
 */
struct arena_mark {
    struct arena_block *block;
    size_t block_used;
    size_t used_bytes;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* arena_alloc returns `size` zeroed bytes, aligned for any type and valid until the reset, or NULL
 * past the cap. */
void *arena_alloc(struct arena *arena, size_t size);

/* arena_array is arena_alloc for count * size bytes, safe against overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* arena_dup copies `size` bytes and adds a zero byte; NULL past the cap. arena_strdup does so for a
 * C string. */
void *arena_dup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);

/* arena_printf formats into the arena; NULL past the cap. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* arena_is_full tells whether an allocation was refused since the last reset. */
bool arena_is_full(const struct arena *arena);

#endif
