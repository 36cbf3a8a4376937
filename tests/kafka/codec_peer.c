/*
 * codec_peer: our side of the comparison with Kafka's own message classes (CodecOracle).
 *
 *   codec_peer make SEED N FILE   N random messages of every message and version, in the oracle's
 * format codec_peer check FILE         reads the oracle's messages: each must decode to its last
 * byte and encode to the same bytes codec_peer table              key, name, lowest and highest
 * version of every API that the schema has
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/codec_random.h"

#define MESSAGE_BYTES_MAX ((size_t)1 << 26)
#define PRIVATE_KEY_MIN 10000

static const struct wire_message *
message_find(const char *name)
{
    for (const struct wire_message *const *m = km_messages; *m != NULL; m++)
        if (strcmp((*m)->name, name) == 0)
            return *m;
    return NULL;
}

static bool
message_write(
    FILE *out, const struct wire_message *message, int16_t version, const struct buf *body)
{
    uint8_t head[2], tail[6];
    size_t name_size = strlen(message->name);

    codec_bytes_put_int16(head, (int16_t)name_size);
    codec_bytes_put_int16(tail, version);
    codec_bytes_put_int32(tail + 2, (int32_t)body->size);
    return fwrite(head, sizeof head, 1, out) == 1 &&
           fwrite(message->name, name_size, 1, out) == 1 &&
           fwrite(tail, sizeof tail, 1, out) == 1 &&
           (body->size == 0 || fwrite(body->data, body->size, 1, out) == 1);
}

static bool
version_make(FILE *out, const struct wire_message *message, int16_t version, struct env *env,
    struct arena *arena)
{
    struct buf body;
    struct err e;
    void *object;
    bool ok = false;

    arena_reset(arena);
    buf_init(&body, MESSAGE_BYTES_MAX);
    object = arena_alloc(arena, message->body->size);
    if (codec_random(message, version, env, arena, object, &e) == RC_OK &&
        codec_encode(message, version, object, &body, &e) == RC_OK)
        ok = message_write(out, message, version, &body);
    else
        fprintf(stderr, "%s\n", e.text);
    buf_fini(&body);
    return ok;
}

static int
make(uint64_t seed, long count, const char *path)
{
    FILE *out = fopen(path, "wb");
    struct arena arena;
    struct env env;
    bool ok = out != NULL;

    env_init_seeded(&env, seed, 0);
    arena_init(&arena, MESSAGE_BYTES_MAX);
    for (const struct wire_message *const *m = km_messages; *m != NULL && ok; m++) {
        if ((*m)->key >= PRIVATE_KEY_MIN)
            continue;
        for (int16_t v = (*m)->versions.min; v <= (*m)->versions.max && ok; v++)
            for (long i = 0; i < count && ok; i++)
                ok = version_make(out, *m, v, &env, &arena);
    }
    arena_fini(&arena);
    return out == NULL || fclose(out) != 0 || !ok;
}

/* Decodes and encodes one message; says what is wrong. */
static bool
message_check(const struct wire_message *message, int16_t version, const uint8_t *data, size_t size,
    struct arena *arena)
{
    struct buf again;
    struct err e = {.text = "other bytes"};
    void *object;
    size_t used = 0;
    bool ok;

    arena_reset(arena);
    buf_init(&again, MESSAGE_BYTES_MAX);
    object = arena_alloc(arena, message->body->size);
    ok = codec_decode(message, version, data, size, arena, object, &used, &e) == RC_OK &&
         used == size && codec_encode(message, version, object, &again, &e) == RC_OK &&
         again.size == size && (size == 0 || memcmp(again.data, data, size) == 0);
    if (!ok)
        printf("mismatch %s v%d: %s (%zu of %zu bytes read)\n", message->name, version, e.text,
            used, size);
    buf_fini(&again);
    return ok;
}

struct input {
    FILE *file;
    char name[256];
    int16_t version;
    uint8_t *body;
    size_t size;
};

static bool
message_read(struct input *in)
{
    uint8_t head[2], tail[6];
    size_t name_size;

    if (fread(head, sizeof head, 1, in->file) != 1)
        return false;
    name_size = (size_t)codec_bytes_int16(head);
    if (name_size >= sizeof in->name || fread(in->name, name_size, 1, in->file) != 1 ||
        fread(tail, sizeof tail, 1, in->file) != 1)
        return false;
    in->name[name_size] = '\0';
    in->version = codec_bytes_int16(tail);
    in->size = (size_t)codec_bytes_int32(tail + 2);
    in->body = xrealloc(in->body, in->size + 1, 1);
    return in->size == 0 || fread(in->body, in->size, 1, in->file) == 1;
}

static int
check(const char *path)
{
    struct input in = {.file = fopen(path, "rb")};
    size_t good = 0, bad = 0, unknown = 0;
    struct arena arena;

    if (in.file == NULL)
        return 1;
    arena_init(&arena, MESSAGE_BYTES_MAX);
    while (message_read(&in)) {
        const struct wire_message *message = message_find(in.name);

        if (message == NULL)
            unknown++;
        else if (message_check(message, in.version, in.body, in.size, &arena))
            good++;
        else
            bad++;
    }
    printf("ok %zu, mismatches %zu, not in the schema %zu\n", good, bad, unknown);
    arena_fini(&arena);
    free(in.body);
    fclose(in.file);
    return bad > 0 || good == 0;
}

static int
table(void)
{
    for (size_t i = 0; i < KM_API_COUNT; i++)
        if (km_apis[i].key < PRIVATE_KEY_MIN)
            printf("%d %s %d %d\n", km_apis[i].key, km_apis[i].name,
                km_apis[i].key == KM_PRODUCE ? 0 : km_apis[i].request->versions.min,
                km_apis[i].request->versions.max - (km_apis[i].request->last_unstable ? 1 : 0));
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(strtoull(argv[2], NULL, 10), strtol(argv[3], NULL, 10), argv[4]);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(argv[2]);
    if (argc == 2 && strcmp(argv[1], "table") == 0)
        return table();
    fprintf(stderr, "usage: codec_peer make SEED N FILE | check FILE | table\n");
    return 2;
}
