/*
 * f_codec: any bytes as any message of any version.
 *
 * Input: two bytes choose the message, one the version, the rest is the body. What decodes must
 * encode, and then come back the same; printing and comparing must hold as well. Memory must be
 * paid for by input.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_diff.h"
#include "lib/wire/codec_tree.h"

#define CHOICE_BYTES 3
#define MEMORY_PER_BYTE 512
#define MEMORY_BASE 4096
#define OBJECT_BYTES_MAX 4096
#define TEXT_BYTES_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct buf wire;
static struct buf again;
static struct buf text;

static void
start(void)
{
    if (wire.size_max != 0)
        return;
    arena_init(&arena, (size_t)1 << 28);
    buf_init(&wire, (size_t)1 << 24);
    buf_init(&again, (size_t)1 << 24);
    buf_init(&text, TEXT_BYTES_MAX);
}

/* What was decoded is encoded, decoded and encoded once more: both encodings are the same. */
static void
round_trip(const struct wire_message *message, int16_t version, const void *object)
{
    _Alignas(max_align_t) uint8_t second[OBJECT_BYTES_MAX];
    size_t used;

    buf_clear(&wire);
    buf_clear(&again);
    buf_clear(&text);
    REQUIRE(codec_encode(message, version, object, &wire, NULL) == RC_OK);
    REQUIRE(
        codec_decode(message, version, wire.data, wire.size, &arena, second, &used, NULL) == RC_OK);
    REQUIRE(used == wire.size);
    REQUIRE(codec_encode(message, version, second, &again, NULL) == RC_OK);
    REQUIRE(again.size == wire.size && memcmp(again.data, wire.data, wire.size) == 0);
    REQUIRE(codec_diff(message, version, object, second, &text) == 0);
    codec_tree_text(message, version, object, &text);
    jdoc_free(codec_tree_json(message, version, object));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _Alignas(max_align_t) uint8_t object[OBJECT_BYTES_MAX];
    const struct wire_message *message;
    size_t count = 0, used = 0;
    int16_t version;
    enum rc rc;

    start();
    while (km_messages[count] != NULL)
        count++;
    if (size < CHOICE_BYTES || count == 0)
        return 0;
    message = km_messages[(size_t)(data[0] << 8 | data[1]) % count];
    version = (int16_t)(message->versions.min +
                        data[2] % (message->versions.max - message->versions.min + 1));
    data += CHOICE_BYTES;
    size -= CHOICE_BYTES;
    arena_reset(&arena);
    REQUIRE(message->body->size <= sizeof object);
    rc = codec_decode(message, version, data, size, &arena, object, &used, NULL);
    REQUIRE(rc == RC_OK || rc == RC_TRUNCATED || rc == RC_PROTOCOL);
    REQUIRE(used <= size);
    REQUIRE(arena.used_bytes <= MEMORY_BASE + MEMORY_PER_BYTE * size);
    if (rc == RC_OK)
        round_trip(message, version, object);
    return 0;
}
