#include "tests/differ/publication.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/wire_client.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

#define CLIENT_ID "publication"
#define ENTITY_TYPE "client-id"
#define ENTITY_NAME "nobody of this name produces"
#define QUOTA "producer_byte_rate"
#define BYTES_MAX ((size_t)1 << 20)
#define WAIT_US INT64_C(20000000)
#define QUOTAS_VERSION 1
#define EXACT 0 /* match_type */
#define CHANGES 2

struct publication {
    struct wire_client *client;
    struct arena arena;
    struct buf out, in;
    int32_t correlation;
    double quota; /* the last that was set: each is another */
};

static struct wire_string
text(const char *s)
{
    return (struct wire_string){s, (int32_t)strlen(s)};
}

/* The answer lies in the arena until the next question. */
static enum rc
ask(struct publication *p, int16_t key, const void *body, void **answer, struct err *e)
{
    const struct wire_api *api = frame_api(key);
    int64_t deadline_us = wire_client_now_us() + WAIT_US;
    int32_t got = 0;
    enum rc rc;

    arena_reset(&p->arena);
    buf_clear(&p->out);
    buf_clear(&p->in);
    *answer = arena_alloc(&p->arena, api->response->body->size);
    rc = frame_request_encode(api, QUOTAS_VERSION, ++p->correlation, CLIENT_ID, body, &p->out, e);
    if (rc == RC_OK)
        rc = wire_client_write(p->client, p->out.data, p->out.size, deadline_us, e);
    if (rc == RC_OK)
        rc = wire_client_frame(p->client, deadline_us, &p->in, e);
    if (rc == RC_OK)
        rc = frame_response_decode(
            api, QUOTAS_VERSION, p->in.data, p->in.size, &got, &p->arena, *answer, e);
    if (rc == RC_OK && got != p->correlation)
        rc = err_set(e, RC_PROTOCOL, "%s: another correlation id", api->name);
    return rc;
}

static enum rc
quota_change(struct publication *p, struct err *e)
{
    struct km_alter_client_quotas_request_entity_data entity;
    struct km_alter_client_quotas_request_entry_data entry;
    struct km_alter_client_quotas_request_op_data op;
    struct km_alter_client_quotas_request in;
    const struct km_alter_client_quotas_response *out;
    void *answer;
    enum rc rc;

    codec_init(&km_alter_client_quotas_request_desc, &in);
    codec_init(&km_alter_client_quotas_request_entry_data_desc, &entry);
    codec_init(&km_alter_client_quotas_request_entity_data_desc, &entity);
    codec_init(&km_alter_client_quotas_request_op_data_desc, &op);
    entity.entity_type = text(ENTITY_TYPE);
    entity.entity_name = text(ENTITY_NAME);
    op.key = text(QUOTA);
    op.value = p->quota = p->quota + 1;
    entry.entity.items = &entity;
    entry.ops.items = &op;
    in.entries.items = &entry;
    entry.entity.count = entry.ops.count = in.entries.count = 1;
    rc = ask(p, KM_ALTER_CLIENT_QUOTAS, &in, &answer, e);
    if (rc != RC_OK)
        return rc;
    out = answer;
    if (out->entries.count != 1 || out->entries.items[0].error_code != 0)
        return err_set(e, RC_PROTOCOL, "a change of a client's quota is refused");
    return RC_OK;
}

static enum rc
quota_is_shown(struct publication *p, bool *shown, struct err *e)
{
    struct km_describe_client_quotas_request_component_data component;
    struct km_describe_client_quotas_request in;
    const struct km_describe_client_quotas_response *out;
    void *answer;
    enum rc rc;

    codec_init(&km_describe_client_quotas_request_desc, &in);
    codec_init(&km_describe_client_quotas_request_component_data_desc, &component);
    component.entity_type = text(ENTITY_TYPE);
    component.match_type = EXACT;
    component.match = text(ENTITY_NAME);
    in.components.items = &component;
    in.components.count = 1;
    rc = ask(p, KM_DESCRIBE_CLIENT_QUOTAS, &in, &answer, e);
    if (rc != RC_OK)
        return rc;
    out = answer;
    *shown = out->entries.count == 1 && out->entries.items[0].values.count == 1 &&
             out->entries.items[0].values.items[0].value >= p->quota;
    return RC_OK;
}

enum rc
publication_open(const char *host, uint16_t port, struct publication **out, struct err *e)
{
    struct publication *p = xcalloc(1, sizeof *p);
    enum rc rc = wire_client_open(host, port, wire_client_now_us() + WAIT_US, &p->client, e);

    if (rc != RC_OK) {
        free(p);
        return rc;
    }
    arena_init(&p->arena, BYTES_MAX);
    buf_init(&p->out, BYTES_MAX);
    buf_init(&p->in, BYTES_MAX);
    /* Above what an earlier run has left. */
    p->quota = (double)wire_client_now_us();
    *out = p;
    return RC_OK;
}

void
publication_close(struct publication *p)
{
    if (p == NULL)
        return;
    wire_client_close(p->client);
    arena_fini(&p->arena);
    buf_fini(&p->out);
    buf_fini(&p->in);
    free(p);
}

enum rc
publication_wait(struct publication *p, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < CHANGES; i++) {
        int64_t end_us = wire_client_now_us() + WAIT_US;
        bool shown = false;

        rc = quota_change(p, e);
        while (rc == RC_OK && !shown) {
            rc = quota_is_shown(p, &shown, e);
            if (rc == RC_OK && !shown && wire_client_now_us() > end_us)
                rc = err_set(e, RC_TIMEOUT, "a change of a client's quota is not shown");
        }
    }
    return rc;
}
