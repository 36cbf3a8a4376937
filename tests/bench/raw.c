#include "tests/bench/raw.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define RECORD_BYTES 1000
#define UNIQUE_BYTES 400 /* of a record, with a codec: hexadecimal digits, the rest is the same */
#define TIMEOUT_MS 60000

int
raw_try_dial(const char *host, const char *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return -1;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int
raw_dial(const char *host, const char *port)
{
    int fd = raw_try_dial(host, port);

    if (fd < 0) {
        fprintf(stderr, "%s:%s cannot be reached\n", host, port);
        exit(1);
    }
    return fd;
}

void
raw_unblock(int fd)
{
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

void
raw_value_make(struct env *env, enum compress_codec codec, uint8_t *value, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    env_random_bytes(env, value, size);
    for (size_t i = 0; codec != COMPRESS_NONE && i < size; i++)
        value[i] = (uint8_t)(i < UNIQUE_BYTES ? digits[value[i] % 16] : 'x');
}

static struct buf
batch_make(struct env *env, const struct raw_produce *produce)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct buf out;
    struct err e;

    options.codec = produce->codec;
    batch_builder_init(&builder, RAW_BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int64_t i = 0;
         batch_builder_size(&builder) + RECORD_BYTES < produce->batch_bytes || i == 0; i++) {
        struct batch_builder_record record = {.offset = i, .timestamp = env_wall_ms(env)};
        uint8_t value[RECORD_BYTES - 20];

        raw_value_make(env, produce->codec, value, sizeof value);
        record.value = value;
        record.value_size = (int32_t)sizeof value;
        record.key_size = -1;
        REQUIRE(batch_builder_append(&builder, &record, &e) == RC_OK);
    }
    buf_init(&out, RAW_BYTES_MAX);
    REQUIRE(batch_builder_finish(&builder, &out, &e) == RC_OK);
    batch_builder_fini(&builder);
    return out;
}

size_t
raw_produce_make(struct env *env, const struct raw_produce *produce, struct buf *out)
{
    struct km_produce_request_partition_produce_data *partitions =
        xcalloc((size_t)produce->partitions, sizeof *partitions);
    struct km_produce_request_topic_produce_data topic;
    struct buf batch = batch_make(env, produce);
    struct km_produce_request in;
    size_t bytes = batch.size * (size_t)produce->partitions;
    struct err e;

    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    for (int32_t i = 0; i < produce->partitions; i++) {
        codec_init(&km_produce_request_partition_produce_data_desc, &partitions[i]);
        partitions[i].index = produce->first_partition + i;
        partitions[i].records = (struct wire_records){batch.data, NULL, (int32_t)batch.size, 0};
    }
    topic.name = codec_string(produce->topic);
    topic.partition_data.items = partitions;
    topic.partition_data.count = produce->partitions;
    in.acks = -1;
    in.timeout_ms = TIMEOUT_MS;
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    REQUIRE(frame_request_encode(
                frame_api(KM_PRODUCE), RAW_PRODUCE_VERSION, 1, "raw", &in, out, &e) == RC_OK);
    buf_fini(&batch);
    free(partitions);
    return bytes;
}

int16_t
raw_produce_error(const uint8_t *frame, size_t size, int32_t partitions)
{
    struct km_produce_response out;
    int16_t error = KE_NONE;
    struct arena arena;
    int32_t correlation;
    struct err e;

    arena_init(&arena, RAW_BYTES_MAX);
    if (frame_response_decode(frame_api(KM_PRODUCE), RAW_PRODUCE_VERSION, frame, size, &correlation,
            &arena, &out, &e) != RC_OK ||
        out.responses.count != 1 || out.responses.items[0].partition_responses.count != partitions)
        error = KE_UNKNOWN_SERVER_ERROR;
    for (int32_t i = 0; error == KE_NONE && i < partitions; i++)
        error = out.responses.items[0].partition_responses.items[i].error_code;
    arena_fini(&arena);
    return error;
}

static bool
send_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

const uint8_t *
raw_exchange(int fd, const struct buf *request, struct arena *arena, size_t *size)
{
    uint8_t length[FRAME_LENGTH_BYTES], *frame;
    int32_t bytes;

    if (!send_all(fd, request->data, request->size) ||
        recv(fd, length, sizeof length, MSG_WAITALL) != (ssize_t)sizeof length)
        return NULL;
    bytes = codec_bytes_int32(length);
    frame = bytes <= 0 ? NULL : arena_alloc(arena, (size_t)bytes);
    if (frame == NULL || recv(fd, frame, (size_t)bytes, MSG_WAITALL) != bytes)
        return NULL;
    *size = (size_t)bytes;
    return frame;
}

bool
raw_ask(int fd, const struct wire_api *api, int16_t version, const void *request,
    struct arena *arena, void *response)
{
    const uint8_t *frame;
    int32_t correlation;
    struct buf out;
    size_t size;

    buf_init(&out, RAW_BYTES_MAX);
    REQUIRE(frame_request_encode(api, version, 1, "raw", request, &out, NULL) == RC_OK);
    frame = raw_exchange(fd, &out, arena, &size);
    buf_fini(&out);
    return frame != NULL && frame_response_decode(api, version, frame, size, &correlation, arena,
                                response, NULL) == RC_OK;
}
