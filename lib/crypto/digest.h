/*
 * digest: hashes, keyed hashes, random bytes, and their spellings as text.
 *
 * The only module that includes OpenSSL's digest headers. Nothing here fails for what a peer sends;
 * where OpenSSL itself fails (no memory, no entropy) the process ends, since nothing sensible
 * follows.
 */
#ifndef LIB_CRYPTO_DIGEST_H
#define LIB_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define DIGEST_BYTES_MAX 64
#define DIGEST_HEX_MAX (2 * DIGEST_BYTES_MAX + 1)

enum digest_kind { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512 };

struct digest;

/* digest_size returns the bytes of a hash of this kind. */
size_t digest_size(enum digest_kind kind);

/* digest_compute and digest_hmac write digest_size(kind) bytes to out. */
void digest_compute(enum digest_kind kind, const void *data, size_t size, uint8_t *out);
void digest_hmac(enum digest_kind kind, const void *key, size_t key_size, const void *data,
    size_t size, uint8_t *out);

/* The same in pieces: digest_new, any number of digest_add, then digest_finish, which also frees.
 */
struct digest *digest_new(enum digest_kind kind);
void digest_add(struct digest *digest, const void *data, size_t size);
void digest_finish(struct digest *digest, uint8_t *out);

/* digest_pbkdf2 stretches a password (RFC 8018 with HMAC); it takes time in proportion to
 * iterations, about a microsecond for each. */
void digest_pbkdf2(enum digest_kind kind, const char *password, size_t password_size,
    const uint8_t *salt, size_t salt_size, uint32_t iterations, uint8_t *out);

/* digest_random fills memory from the kernel's random source. */
void digest_random(void *data, size_t size);

/* digest_equal compares without telling by its time where the difference is. */
bool digest_equal(const void *a, const void *b, size_t size);

/* digest_wipe overwrites a secret; the compiler does not remove it. */
void digest_wipe(void *data, size_t size);

/* digest_hex writes 2 * size digits in lower case and a zero to out. */
void digest_hex(const void *data, size_t size, char *out);

/* digest_base64_encode appends the text with padding, without line breaks. */
void digest_base64_encode(const void *data, size_t size, struct buf *out);

/* digest_base64_decode appends the bytes. RC_PROTOCOL for what RFC 4648 does not allow: other
 * characters, wrong padding, bits that are set behind the end. RC_LIMIT where out is full. */
MUST_CHECK enum rc digest_base64_decode(
    const char *text, size_t size, struct buf *out, struct err *e);

#endif
