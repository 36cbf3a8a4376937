#include "lib/kafka/conn_reply.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

struct conn_reply *
conn_reply_new_take(struct blob *frame, int32_t correlation_id)
{
    struct conn_reply *reply = xcalloc(1, sizeof *reply);

    reply->frame = frame;
    reply->correlation_id = correlation_id;
    reply->refs = 1;
    arena_init(&reply->arena, CONN_REPLY_ARENA_FACTOR * frame->size + CONN_REPLY_ARENA_BYTES);
    return reply;
}

struct conn_reply *
conn_reply_ref(struct conn_reply *reply)
{
    REQUIRE(reply->refs > 0);
    reply->refs++;
    return reply;
}

void
conn_reply_unref(struct conn_reply *reply)
{
    if (reply == NULL)
        return;
    REQUIRE(reply->refs > 0);
    if (--reply->refs > 0)
        return;
    arena_fini(&reply->arena);
    blob_unref(reply->frame);
    free(reply);
}

enum rc
conn_reply_decode(
    struct conn_reply *reply, const struct wire_api *api, int16_t version, struct err *e)
{
    void *response = arena_alloc(&reply->arena, api->response->body->size);
    int32_t got;
    enum rc rc;

    if (response == NULL)
        return err_set(e, RC_LIMIT, "no memory for the answer to %s", api->name);
    rc = frame_response_decode(
        api, version, reply->frame->data, reply->frame->size, &got, &reply->arena, response, e);
    if (rc != RC_OK)
        return rc;
    if (got != reply->correlation_id)
        return err_set(e, RC_PROTOCOL, "an answer to request %d came for request %d", got,
            reply->correlation_id);
    reply->api = api;
    reply->version = version;
    reply->response = response;
    return RC_OK;
}

static const struct wire_field *
field_find(const struct conn_reply *reply, const char *name, enum wire_kind kind)
{
    const struct wire_struct *body = reply->api->response->body;

    for (uint32_t i = 0; i < body->field_count; i++) {
        const struct wire_field *field = &body->fields[i];

        if (field->kind == kind && !field->is_array && strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

int32_t
conn_reply_throttle_ms(const struct conn_reply *reply)
{
    const struct wire_field *field =
        reply->response == NULL ? NULL : field_find(reply, "throttle_time_ms", WIRE_INT32);
    int32_t value = 0;

    if (field != NULL)
        memcpy(&value, (const char *)reply->response + field->offset, sizeof value);
    return value < 0 ? 0 : value;
}

int16_t
conn_reply_error(const struct conn_reply *reply)
{
    const struct wire_field *field =
        reply->response == NULL ? NULL : field_find(reply, "error_code", WIRE_INT16);
    int16_t value = 0;

    if (field != NULL)
        memcpy(&value, (const char *)reply->response + field->offset, sizeof value);
    return value;
}
