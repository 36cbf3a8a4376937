/*
 * blob: bytes that several owners share.
 *
 * A request's frame is received into one, and the record batches in it are then shared by the log
 * cache, the WAL and fetch replies without a copy. Whoever keeps a pointer into a blob holds a
 * reference. Counting is not atomic: references are taken and dropped on the owner's thread only;
 * workers use bytes that the owner keeps referenced meanwhile, and may make a blob for the owner.
 *
 * BLOB_SPARE_MAX bytes of freed blobs are kept for reuse, because the first touch of fresh pages
 * costs more than copying them.
 */
#ifndef LIB_BASE_BLOB_H
#define LIB_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#define BLOB_SPARE_MAX ((size_t)256 << 20)

struct blob {
    uint32_t refs;
    uint32_t size_class;
    size_t size;
    void *memory; /* that it lies in */
    uint8_t data[];
};

/* blob_new returns a blob of `size` bytes, not zeroed, with one reference; NULL without memory. */
struct blob *blob_new(size_t size);

/* blob_new_direct is blob_new with `data` fit for direct transfers (disk.h): aligned, and in huge
 * pages where it is large. */
struct blob *blob_new_direct(size_t size);

struct blob *blob_ref(struct blob *blob);

/* blob_unref drops a reference; NULL is accepted. */
void blob_unref(struct blob *blob);

/* blob_trim gives the spare memory of this thread back, at its end or before a long pause. */
void blob_trim(void);

#endif
