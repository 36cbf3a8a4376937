/*
 * strange_proxy: a broker that answers in the right format and says what cannot be, or says it in a
 * wrong format.
 *
 *   strange_proxy SEED HOST PORT
 *
 * Stands in front of a real broker and prints its own address. Every fourth answer is bent at
 * random places: arrays lose elements, numbers become extreme, texts vanish, records get another
 * byte; some are cut or have a bit flipped as bytes. ApiVersions stays, so that clients get further
 * than the first request. For tests that no program falls over whatever its peer says.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/proxy.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"

#define ANSWERS_PER_BEND 4
#define ANSWERS_PER_CUT 16
#define FIELDS_PER_BEND 12
#define HEAD_BYTES 8 /* length and correlation id */

static struct env dice;

static bool
chance(uint64_t one_in)
{
    return env_random_below(&dice, one_in) == 0;
}

static const int64_t extremes[] = {
    0, -1, 1, INT8_MAX, INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1000000};

static void
number_bend(uint8_t *at, size_t size)
{
    int64_t value = extremes[env_random_below(&dice, ARRAY_LEN(extremes))];

    /* The low bytes, wherever the machine keeps them. */
    memcpy(at, (const uint8_t *)&value, size);
}

static void
records_bend(uint8_t *at)
{
    struct wire_records records;

    memcpy(&records, at, sizeof records);
    if (records.size <= 0 || records.data == NULL)
        return;
    if (chance(2))
        records.size -= (int32_t)env_random_below(&dice, (uint64_t)records.size);
    else
        /* The bytes are the proxy's own copy of the answer. */
        ((uint8_t *)(uintptr_t)records.data)[env_random_below(&dice, (uint64_t)records.size)] ^=
            (uint8_t)(1U << env_random_below(&dice, 8));
    memcpy(at, &records, sizeof records);
}

static void
scalar_bend(const struct wire_field *field, uint8_t *at)
{
    struct wire_bytes text;

    switch (field->kind) {
    case WIRE_INT8:
        number_bend(at, 1);
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        number_bend(at, 2);
        break;
    case WIRE_INT32:
        number_bend(at, 4);
        break;
    case WIRE_INT64:
        number_bend(at, 8);
        break;
    case WIRE_STRING:
    case WIRE_BYTES:
        memcpy(&text, at, sizeof text);
        text.size = text.size > 0 ? (int32_t)env_random_below(&dice, (uint64_t)text.size) : 0;
        memcpy(at, &text, sizeof text);
        break;
    case WIRE_RECORDS:
        records_bend(at);
        break;
    default:
        break;
    }
}

static void
/* As deep as the schema. NOLINTNEXTLINE(misc-no-recursion) */
bend(const struct wire_struct *desc, int16_t version, uint8_t *object)
{
    for (uint32_t i = 0; object != NULL && i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        uint8_t *at = object + field->offset;
        struct wire_array array;

        if (version < field->versions.min || version > field->versions.max)
            continue;
        if (field->is_array) {
            memcpy(&array, at, sizeof array);
            if (array.count > 0 && chance(FIELDS_PER_BEND))
                array.count = (int32_t)env_random_below(&dice, (uint64_t)array.count);
            memcpy(at, &array, sizeof array);
            for (int32_t k = 0; field->kind == WIRE_STRUCT && k < array.count; k++)
                bend(field->sub, version, (uint8_t *)array.items + (size_t)k * field->sub->size);
        } else if (field->kind == WIRE_STRUCT && !field->is_pointer) {
            bend(field->sub, version, at);
        } else if (field->kind != WIRE_STRUCT && chance(FIELDS_PER_BEND)) {
            scalar_bend(field, at);
        }
    }
}

static void
on_response(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_API_VERSIONS || !chance(ANSWERS_PER_BEND))
        return;
    bend(call->api->response->body, call->version, call->response);
    call->is_changed = true;
}

static void
on_frame(struct proxy *proxy, struct proxy_call *call)
{
    uint32_t length;

    (void)proxy;
    if (call->api_key == KM_API_VERSIONS || call->frame.size <= HEAD_BYTES ||
        !chance(ANSWERS_PER_CUT))
        return;
    if (chance(2)) {
        call->frame.data[HEAD_BYTES + env_random_below(&dice, call->frame.size - HEAD_BYTES)] ^=
            (uint8_t)(1U << env_random_below(&dice, 8));
        return;
    }
    call->frame.size -= env_random_below(&dice, call->frame.size - HEAD_BYTES);
    length = __builtin_bswap32((uint32_t)(call->frame.size - 4));
    memcpy(call->frame.data, &length, sizeof length);
}

static void *
ready_print(void *arg)
{
    uint16_t port;

    if (read(*(int *)arg, &port, sizeof port) == (ssize_t)sizeof port) {
        printf("127.0.0.1:%u\n", (unsigned)port);
        fflush(stdout);
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    static const struct proxy_rule rule = {.on_response = on_response, .on_frame = on_frame};
    pthread_t printer;
    int ready[2];
    struct err e;

    if (argc != 4) {
        fprintf(stderr, "usage: strange_proxy SEED HOST PORT\n");
        return 2;
    }
    env_init_seeded(&dice, strtoull(argv[1], NULL, 10), 0);
    if (pipe(ready) != 0 || pthread_create(&printer, NULL, ready_print, &ready[0]) != 0)
        return 1;
    if (proxy_run(&rule, argv[2], (uint16_t)strtoul(argv[3], NULL, 10), ready[1], &e) != RC_OK)
        fprintf(stderr, "strange_proxy: %s\n", e.text);
    return 1;
}
