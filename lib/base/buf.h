/*
 * buf: bytes that grow, up to a maximum.
 *
 * No buffer in this project grows without a limit. An append past the maximum changes nothing and
 * marks the buffer as overflowed; further appends do nothing, so a writer appends many times and
 * checks once (buf_is_overflowed). A buf owns its bytes until buf_fini or buf_take.
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool overflowed;
};

/* buf_init prepares an empty buffer of at most size_max bytes; nothing is allocated yet. */
void buf_init(struct buf *buf, size_t size_max);

/* buf_fini frees the bytes and leaves an empty, usable buffer. */
void buf_fini(struct buf *buf);

/* buf_clear forgets the content and keeps the memory. */
void buf_clear(struct buf *buf);

/* buf_reserve returns room for `size` more bytes behind the content, or NULL on overflow;
 * buf_commit then counts `size` of them as content. */
void *buf_reserve(struct buf *buf, size_t size);
void buf_commit(struct buf *buf, size_t size);

/* buf_append adds bytes, buf_append_text a C string without its zero, buf_printf formatted text. */
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* buf_consume drops `size` bytes (at most the content) from the front. */
void buf_consume(struct buf *buf, size_t size);

/* buf_text returns the content as a C string, valid until the next change. */
const char *buf_text(struct buf *buf);

/* buf_take hands the bytes to the caller, who frees them, and leaves an empty buffer; the bytes end
 * with an uncounted zero. */
uint8_t *buf_take(struct buf *buf, size_t *size);

/* buf_is_overflowed tells whether an append was refused since buf_init or buf_clear. */
bool buf_is_overflowed(const struct buf *buf);

#endif
