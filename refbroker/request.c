#include "refbroker/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"

/*
 * Requests that are over, with the memory that they had: a small one is made without asking for
 * any. What the sanitizer watches is made anew, so that a request which is used behind its end is
 * found.
 */
#ifdef __SANITIZE_ADDRESS__
#define SPARES_MAX 0
#else
#define SPARES_MAX 256
#endif
#define SPARE_BYTES_MAX ((size_t)4096) /* of its arena, and of its head */

static _Thread_local struct request *spares[SPARES_MAX + 1];
static _Thread_local size_t spare_count;

static struct request *
spare_take(void)
{
    struct request *request;

    if (spare_count > 0)
        return spares[--spare_count];
    request = xcalloc(1, sizeof *request);
    arena_init(&request->arena, LIMIT_ARENA_BYTES_MAX);
    buf_init(&request->head, LIMIT_ARENA_BYTES_MAX);
    return request;
}

/* False where there are enough, or this one holds too much. */
static bool
spare_put(struct request *request)
{
    if (spare_count == SPARES_MAX || request->arena.used_bytes > SPARE_BYTES_MAX ||
        request->head.capacity > SPARE_BYTES_MAX)
        return false;
    arena_reset(&request->arena);
    buf_clear(&request->head);
    spares[spare_count++] = request;
    return true;
}

struct request *
request_new(struct client *client, struct blob *frame_take, int64_t now_us)
{
    struct request *request = spare_take();

    *request = (struct request){.client = client,
        .frame = frame_take,
        .arena = request->arena,
        .arrived_us = now_us,
        .head = request->head};
    return request;
}

void
request_unhold(struct request *request)
{
    for (size_t i = 0; i < request->held_count; i++)
        blob_unref(request->held[i]);
    request->held_count = 0;
}

void
request_free(struct request *request)
{
    request_unhold(request);
    free(request->held);
    blob_unref(request->frame);
    if (spare_put(request))
        return;
    arena_fini(&request->arena);
    buf_fini(&request->head);
    free(request);
}

void
request_hold(struct request *request, struct blob *blob)
{
    if (request->held_count == request->held_capacity) {
        request->held_capacity = request->held_capacity == 0 ? 8 : request->held_capacity * 2;
        request->held = xrealloc(request->held, request->held_capacity, sizeof(struct blob *));
    }
    request->held[request->held_count++] = blob_ref(blob);
}

void *
request_answer_member(const struct request *request, const char *name)
{
    const struct wire_struct *body = request->header.api->response->body;
    int16_t version = request->header.api_version;

    for (uint32_t i = 0; i < body->field_count; i++) {
        const struct wire_field *field = &body->fields[i];

        if (strcmp(field->name, name) == 0 && version >= field->versions.min &&
            version <= field->versions.max)
            return (char *)request->out + field->offset;
    }
    return NULL;
}

struct wire_string
request_text(const char *text)
{
    return text == NULL ? (struct wire_string){NULL, -1}
                        : (struct wire_string){text, (int32_t)strlen(text)};
}

struct wire_string
request_text_dup(struct request *request, const char *text)
{
    return request_text(text == NULL ? NULL : arena_strdup(&request->arena, text));
}

bool
request_is_text(struct wire_string string, const char *text)
{
    size_t size = strlen(text);

    return string.size == (int32_t)size && memcmp(string.data, text, size) == 0;
}

bool
request_is_plain(struct wire_string string)
{
    return string.size <= 0 || memchr(string.data, '\0', (size_t)string.size) == NULL;
}
