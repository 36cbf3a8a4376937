#include "refbroker/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"

struct request *
request_new(struct client *client, struct blob *frame_take, int64_t now_us)
{
    struct request *request = xcalloc(1, sizeof *request);

    request->client = client;
    request->frame = frame_take;
    request->arrived_us = now_us;
    arena_init(&request->arena, LIMIT_ARENA_BYTES_MAX);
    buf_init(&request->head, LIMIT_ARENA_BYTES_MAX);
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
