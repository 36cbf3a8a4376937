/*
 * s3_fake: a small S3 server in this process, and a hostile one.
 *
 * It keeps one bucket's objects in memory and answers PUT, GET with a range, DELETE, DeleteObjects
 * and ListObjectsV2 as Amazon's does, holding objects against x-amz-content-sha256, where it is a
 * hash, and x-amz-checksum-crc32c (not signatures: tests/kafka/s3.t has a server that does). A test
 * may have it answer the next requests in another way.
 */
#ifndef TESTS_UNIT_LIB_STORE_S3_FAKE_H
#define TESTS_UNIT_LIB_STORE_S3_FAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/store.h"

#define S3_FAKE_BUCKET "bucket"

struct s3_fake;

/* What one request gets instead of its answer: `text`, and then the connection is closed. */
struct s3_fake_fault {
    const char *text;
    const char *endless; /* behind it, again and again, until the client goes */
    bool hangs;          /* nothing more, and the connection stays open */
    bool is_done;        /* the request is carried out before */
};

struct s3_fake *s3_fake_new(void);
void s3_fake_free(struct s3_fake *fake);
int s3_fake_port(const struct s3_fake *fake);

/* s3_fake_script answers the next `count` (up to 200) requests with faults, whose texts must stay.
 */
void s3_fake_script(struct s3_fake *fake, const struct s3_fake_fault *faults, size_t count);

/* s3_fake_page sets how many keys a list has at once (1,000). */
void s3_fake_page(struct s3_fake *fake, size_t keys);

/* s3_fake_requests returns how many requests of a kind came, s3_fake_bytes the bytes of objects in
 * them, or in answers to them. */
int s3_fake_requests(struct s3_fake *fake, enum store_kind kind);
int64_t s3_fake_bytes(struct s3_fake *fake, enum store_kind kind);

/* s3_fake_unsigned returns how many requests came without a hash of their body. */
int s3_fake_unsigned(struct s3_fake *fake);

#endif
