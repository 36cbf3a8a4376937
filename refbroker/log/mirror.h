/*
 * mirror: batches of another cluster into a partition, verbatim.
 *
 * mirror_append takes whole batches of format v2 in ascending order of their offsets. Each is
 * checked (length, CRC) and put at its own offset: above the log's end, gaps allowed. A batch below
 * the end must be there already with the same CRC; a part of the log that lies in an object is read
 * for that, so the call may ask to be repeated (loading). Nothing behind the first batch that is
 * refused is appended.
 */
#ifndef REFBROKER_LOG_MIRROR_H
#define REFBROKER_LOG_MIRROR_H

#include "refbroker/log/reader.h"

struct mirror_result {
    int16_t error; /* Kafka's code */
    const char *text;
    int64_t diverging_offset; /* -1: none */
    bool loading;             /* repeat the call once waiter is called */
};

void mirror_append(struct broker *broker, struct partition *partition, struct blob *blob,
    uint8_t *data, size_t size, struct reader_waiter *waiter, struct mirror_result *result);

#endif
