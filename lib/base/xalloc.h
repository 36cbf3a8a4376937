/*
 * xalloc: small internal allocations, and the assertion for programmer errors.
 *
 * Memory whose size a peer, a file or a configuration decides comes from an arena or a buf with a
 * limit, which return RC_LIMIT; what is left are nodes and tables of our own, for which no error
 * path is worth writing: these functions end the process when memory is gone.
 */
#ifndef LIB_BASE_XALLOC_H
#define LIB_BASE_XALLOC_H

#include <stddef.h>

/* REQUIRE ends the process with a message when cond is false: for programmer errors only, never for
 * what a peer sent. It is on in every build. */
#define REQUIRE(cond) ((cond) ? (void)0 : xalloc_fail(#cond, __FILE__, __LINE__))

#define ARRAY_LEN(array) (sizeof(array) / sizeof *(array))

_Noreturn void xalloc_fail(const char *what, const char *file, int line);

/* xmalloc returns size bytes that the caller frees with free(); xcalloc returns them zeroed;
 * neither returns NULL. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* xrealloc changes the size to count * size bytes, checked for overflow. */
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* xstrdup and xmemdup return copies that the caller frees; xmemdup adds a zero byte behind the
 * copy. */
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *data, size_t size) __attribute__((malloc, returns_nonnull));

/* xasprintf returns formatted text that the caller frees. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
