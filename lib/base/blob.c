#include "lib/base/blob.h"

#include <stdlib.h>

#include "lib/base/disk.h"
#include "lib/base/xalloc.h"

/* Blobs of one power of two share a list of spares; smaller ones are malloc's business. */
#define CLASS_MIN 16
#define CLASS_MAX 24
#define CLASS_NONE 0

_Static_assert(sizeof(struct blob) <= DISK_ALIGN_BYTES, "it fits before what is aligned");

struct spare {
    struct spare *next;
};

static _Thread_local struct spare *spares[CLASS_MAX + 1];
static _Thread_local size_t spare_bytes;

static uint32_t
class_of(size_t size)
{
    uint32_t class = CLASS_MIN;

    if (size <= ((size_t)1 << CLASS_MIN) / 2 || size > (size_t)1 << CLASS_MAX)
        return CLASS_NONE;
    while ((size_t)1 << class < size)
        class ++;
    return class;
}

struct blob *
blob_new(size_t size)
{
    uint32_t class = class_of(size);
    struct blob *blob;

    if (size > SIZE_MAX - sizeof *blob)
        return NULL;
    if (class != CLASS_NONE && spares[class] != NULL) {
        blob = (struct blob *)(void *)spares[class];
        spares[class] = spares[class]->next;
        spare_bytes -= (size_t)1 << class;
    } else {
        blob = malloc(sizeof *blob + (class == CLASS_NONE ? size : (size_t)1 << class));
        if (blob == NULL)
            return NULL;
    }
    blob->refs = 1;
    blob->size_class = class;
    blob->size = size;
    blob->memory = blob;
    return blob;
}

/* The blob ends one page of the buffer, so that its data begins the next. */
struct blob *
blob_new_direct(size_t size)
{
    struct blob *blob;
    uint8_t *buffer =
        size > SIZE_MAX - DISK_ALIGN_BYTES ? NULL : disk_buffer_new(DISK_ALIGN_BYTES + size);

    if (buffer == NULL)
        return NULL;
    blob = (struct blob *)(void *)(buffer + DISK_ALIGN_BYTES - sizeof *blob);
    blob->refs = 1;
    blob->size_class = CLASS_NONE;
    blob->size = size;
    blob->memory = buffer;
    return blob;
}

struct blob *
blob_ref(struct blob *blob)
{
    REQUIRE(blob->refs > 0);
    blob->refs++;
    return blob;
}

void
blob_unref(struct blob *blob)
{
    struct spare *spare;
    uint32_t class;

    if (blob == NULL)
        return;
    REQUIRE(blob->refs > 0);
    if (--blob->refs > 0)
        return;
    class = blob->size_class;
    if (class == CLASS_NONE || spare_bytes + ((size_t)1 << class) > BLOB_SPARE_MAX) {
        free(blob->memory);
        return;
    }
    spare = (struct spare *)(void *)blob;
    spare->next = spares[class];
    spares[class] = spare;
    spare_bytes += (size_t)1 << class;
}

void
blob_trim(void)
{
    for (uint32_t class = CLASS_MIN; class <= CLASS_MAX; class ++)
        while (spares[class] != NULL) {
            struct spare *spare = spares[class];

            spares[class] = spare->next;
            free(spare);
        }
    spare_bytes = 0;
}
