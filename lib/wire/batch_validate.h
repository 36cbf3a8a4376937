/*
 * batch_validate: whether a broker takes the records of one partition of a Produce request.
 *
 * The checks and their order are those of Apache Kafka 4.3.1 (ProduceRequest.validateRecords,
 * UnifiedLog.analyzeAndValidateRecords, LogValidator), and so is the error code of every answer.
 * Sequence numbers against the producer's history are not looked at here.
 *
 * Where we differ: a limit on decompressed records; a record of a compressed batch must fill its
 * length (Kafka skips through without looking, and its consumers then fail).
 */
#ifndef LIB_WIRE_BATCH_VALIDATE_H
#define LIB_WIRE_BATCH_VALIDATE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/wire/batch_view.h"

enum batch_validate_fault {
    BATCH_VALIDATE_OK,
#define FAULT(name, code, text) BATCH_VALIDATE_##name,
#include "lib/wire/batch_validate.def"
#undef FAULT
};

/* The topic's configuration, and when and how the records came. */
struct batch_validate_rules {
    int64_t now_ms;
    int64_t timestamp_before_max_ms; /* message.timestamp.before.max.ms */
    int64_t timestamp_after_max_ms;
    size_t batch_bytes_max;        /* max.message.bytes */
    size_t uncompressed_bytes_max; /* ours */
    int16_t produce_version;
    bool log_append_time; /* message.timestamp.type */
    bool compacted;       /* cleanup.policy has compact */
};

struct batch_validate_record_error {
    int32_t batch_index;
    enum batch_validate_fault fault;
};

struct batch_validate_result {
    enum batch_validate_fault fault;
    const struct batch_validate_record_error *errors; /* of single records, in the arena */
    int32_t error_count;
    /* The rest is set where fault is BATCH_VALIDATE_OK. */
    struct batch_view batch;            /* bytes behind its end are to be dropped */
    int64_t max_timestamp;              /* what the stored header must say */
    int32_t max_timestamp_offset_delta; /* of the first record that has it */
    size_t uncompressed_bytes;          /* of the records */
    bool offsets_dense;                 /* the records' offsets are 0, 1, 2, … */
};

/*
 * batch_validate checks `size` bytes of records and fills *result; RC_OK whatever the verdict.
 * `scratch` holds decompressed records and is cleared first. RC_LIMIT where the arena cannot hold
 * the errors of single records.
 */
MUST_CHECK enum rc batch_validate(const void *data, size_t size,
    const struct batch_validate_rules *rules, struct arena *arena, struct buf *scratch,
    struct batch_validate_result *result, struct err *e);

/* batch_validate_find looks at what the request says of its records alone, before any log is asked
 * (the faults before BASE_OFFSET): one batch must be there, and nothing behind it that would be a
 * second one. It is *batch where the result is BATCH_VALIDATE_OK. */
enum batch_validate_fault batch_validate_find(
    const void *data, size_t size, int16_t produce_version, struct batch_view *batch);

/* batch_validate_code returns the error code of Kafka's protocol for a fault, batch_validate_text
 * what to tell people; static. */
int16_t batch_validate_code(enum batch_validate_fault fault);
const char *batch_validate_text(enum batch_validate_fault fault);

#endif
