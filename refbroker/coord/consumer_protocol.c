#include "refbroker/coord/consumer_protocol.h"

#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

enum rc
consumer_protocol_version(struct wire_bytes data, int16_t *version, struct err *e)
{
    int16_t highest = km_consumer_protocol_subscription_message.versions.max;

    if (data.size < 2)
        return err_set(e, RC_CORRUPT, "no version of the consumer protocol");
    *version = codec_bytes_int16(data.data);
    if (*version < 0)
        return err_set(e, RC_CORRUPT, "version %d of the consumer protocol", *version);
    if (*version > highest)
        *version = highest;
    return RC_OK;
}

/* Bytes behind the message are of a version that is not known, and left alone. */
static enum rc
body_read(const struct wire_message *message, struct wire_bytes data, int16_t version_max,
    struct arena *arena, void *out, struct err *e)
{
    int16_t version = 0;
    size_t used;
    enum rc rc = consumer_protocol_version(data, &version, e);

    if (rc != RC_OK)
        return rc;
    if (version > version_max)
        version = version_max;
    return codec_decode(
        message, version, data.data + 2, (size_t)data.size - 2, arena, out, &used, e);
}

enum rc
consumer_protocol_subscription(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_subscription *out, struct err *e)
{
    return body_read(&km_consumer_protocol_subscription_message, data, INT16_MAX, arena, out, e);
}

enum rc
consumer_protocol_topics(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_subscription *out, struct err *e)
{
    return body_read(&km_consumer_protocol_subscription_message, data, 0, arena, out, e);
}

enum rc
consumer_protocol_assignment(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_assignment *out, struct err *e)
{
    return body_read(&km_consumer_protocol_assignment_message, data, INT16_MAX, arena, out, e);
}

enum rc
consumer_protocol_assignment_put(int16_t version,
    const struct km_consumer_protocol_assignment *assignment, struct buf *out, struct err *e)
{
    uint8_t number[2];

    codec_bytes_put_int16(number, version);
    buf_append(out, number, sizeof number);
    return codec_encode(&km_consumer_protocol_assignment_message, version, assignment, out, e);
}
