/* Mutants of the areas produce and idem: batches on their way in, acknowledgements on their way
 * back. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/base/env.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define BATCH_BYTES_MAX ((size_t)64 << 20)
#define CHOSEN 20
#define ONE_ID 1000

#define answer_part struct km_produce_response_partition_produce_response

/* --- walking ---------------------------------------------------------------------------------- */

/* The records of a Produce request, partition by partition: start with *i = 0; NULL at the end. */
static struct wire_records *
records_next(struct proxy_call *call, int32_t *i)
{
    struct km_produce_request *request = call->request;
    int32_t at = (*i)++;

    /* cppcheck-suppress nullPointerRedundantCheck; it takes NULL for a request of another kind */
    if (request == NULL || call->api_key != KM_PRODUCE)
        return NULL;
    for (int32_t t = 0; t < request->topic_data.count; t++) {
        if (at < request->topic_data.items[t].partition_data.count)
            return &request->topic_data.items[t].partition_data.items[at].records;
        at -= request->topic_data.items[t].partition_data.count;
    }
    return NULL;
}

/* The partitions of a Produce answer, likewise. */
static answer_part *
answer_next(struct proxy_call *call, int32_t *i)
{
    struct km_produce_response *response = call->response;
    int32_t at = (*i)++;

    if (call->api_key != KM_PRODUCE || response == NULL)
        return NULL;
    call->is_changed = true;
    for (int32_t t = 0; t < response->responses.count; t++) {
        if (at < response->responses.items[t].partition_responses.count)
            return &response->responses.items[t].partition_responses.items[at];
        at -= response->responses.items[t].partition_responses.count;
    }
    return NULL;
}

/* The first batch of a request. */
static bool
first_batch(struct proxy_call *call, struct batch_view *out)
{
    int32_t i = 0;
    const struct wire_records *records = records_next(call, &i);

    return records != NULL && records->size > 0 &&
           batch_view_parse(records->data, (size_t)records->size, out, NULL) == RC_OK &&
           out->magic == 2;
}

static void
error_set(struct proxy_call *call, int16_t code)
{
    answer_part *part;

    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;) {
        part->error_code = code;
        if (code != KE_NONE)
            part->base_offset = -1;
    }
}

static void
error_replace(struct proxy_call *call, int16_t old, int16_t new)
{
    answer_part *part;

    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        if (part->error_code == old)
            part->error_code = new;
}

/* --- batches, byte by byte -------------------------------------------------------------------- */

/* A copy of a partition's records that may be changed; NULL where there are none. */
static uint8_t *
records_own(struct proxy_call *call, struct wire_records *records)
{
    uint8_t *copy;

    if (records->size < BATCH_VIEW_HEADER_BYTES)
        return NULL;
    copy = arena_dup(&call->arena, records->data, (size_t)records->size);
    records->data = copy;
    call->is_changed = true;
    return copy;
}

static void
seal(uint8_t *batch, int32_t size)
{
    uint32_t crc =
        crc32c_of(batch + BATCH_VIEW_ATTRIBUTES_AT, (size_t)size - BATCH_VIEW_ATTRIBUTES_AT);

    codec_bytes_put_int32(batch + BATCH_VIEW_CRC_AT, (int32_t)crc);
}

void
mutants_produce_mends_crc(struct proxy *proxy, struct proxy_call *call)
{
    struct wire_records *records;

    (void)proxy;
    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;) {
        uint8_t *data = records_own(call, records);

        if (data != NULL)
            seal(data, records->size);
    }
}

void
mutants_produce_control(struct proxy *proxy, struct proxy_call *call)
{
    struct wire_records *records;

    (void)proxy;
    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;) {
        uint8_t *data = records_own(call, records);

        if (data == NULL)
            continue;
        data[BATCH_VIEW_ATTRIBUTES_AT + 1] &= (uint8_t)~BATCH_VIEW_CONTROL;
        seal(data, records->size);
    }
}

void
mutants_produce_first_batch(struct proxy *proxy, struct proxy_call *call)
{
    struct wire_records *records;
    struct batch_view batch;

    (void)proxy;
    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;)
        if (records->size > 0 &&
            batch_view_parse(records->data, (size_t)records->size, &batch, NULL) == RC_OK) {
            records->size = (int32_t)batch.size;
            call->is_changed = true;
        }
}

/* Without producer id nothing is known of sequences. */
static void
producer_forget(struct proxy_call *call)
{
    const struct batch_rewrite change = {.fields = BATCH_REWRITE_PRODUCER,
        .producer_id = BATCH_VIEW_NONE,
        .producer_epoch = BATCH_VIEW_NONE,
        .base_sequence = BATCH_VIEW_NONE};
    struct wire_records *records;

    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;) {
        uint8_t *data = records_own(call, records);

        if (data != NULL)
            batch_rewrite_header(data, (size_t)records->size, &change);
    }
}

void
mutants_produce_forgets(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    producer_forget(call);
}

void
mutants_produce_takes_gaps(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    producer_forget(call);
}

void
mutants_produce_doubles(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    producer_forget(call);
}

void
mutants_produce_no_epochs(struct proxy *proxy, struct proxy_call *call)
{
    struct wire_records *records;

    (void)proxy;
    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;) {
        uint8_t *data = records_own(call, records);

        if (data == NULL)
            continue;
        codec_bytes_put_int16(data + BATCH_VIEW_PRODUCER_EPOCH_AT, 0);
        seal(data, records->size);
    }
}

/* --- batches, record by record ---------------------------------------------------------------- */

typedef void record_fn(struct batch_builder_record *record);

/* Builds a batch anew, each record as `change` leaves it, uncompressed and without headers. */
static bool
batch_rebuild(const struct batch_view *batch, record_fn *change, struct buf *out)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct batch_records records;
    struct batch_records_record seen;
    struct buf scratch;
    bool found = true, is_ok;

    buf_init(&scratch, BATCH_BYTES_MAX);
    batch_builder_init(&builder, BATCH_BYTES_MAX);
    batch_builder_start(&builder, &options);
    is_ok = batch_records_open(&records, batch, &scratch, BATCH_BYTES_MAX, NULL) == RC_OK;
    while (is_ok && found) {
        struct batch_builder_record record = {0};

        is_ok = batch_records_next(&records, &seen, &found, NULL) == RC_OK;
        if (!is_ok || !found)
            break;
        record.offset = seen.offset;
        record.timestamp = seen.timestamp;
        record.key = seen.key_size < 0 ? NULL : (const void *)seen.key;
        record.key_size = seen.key_size;
        record.value = seen.value_size < 0 ? NULL : (const void *)seen.value;
        record.value_size = seen.value_size;
        change(&record);
        is_ok = batch_builder_append(&builder, &record, NULL) == RC_OK;
    }
    is_ok = is_ok && batch_builder_finish(&builder, out, NULL) == RC_OK;
    batch_builder_fini(&builder);
    buf_fini(&scratch);
    return is_ok;
}

static void
records_rebuild(struct proxy_call *call, record_fn *change)
{
    struct wire_records *records;
    struct batch_view batch;
    struct buf out;

    for (int32_t i = 0; (records = records_next(call, &i)) != NULL;) {
        buf_init(&out, BATCH_BYTES_MAX);
        if (records->size > 0 &&
            batch_view_parse(records->data, (size_t)records->size, &batch, NULL) == RC_OK &&
            batch_rebuild(&batch, change, &out)) {
            records->data = arena_dup(&call->arena, out.data, out.size);
            records->size = (int32_t)out.size;
            call->is_changed = true;
        }
        buf_fini(&out);
    }
}

static void
record_same(struct batch_builder_record *record)
{
    (void)record;
}

static void
record_key_empty(struct batch_builder_record *record)
{
    if (record->key == NULL) {
        record->key = "";
        record->key_size = 0;
    }
}

static void
record_value_null(struct batch_builder_record *record)
{
    if (record->value_size == 0) {
        record->value = NULL;
        record->value_size = -1;
    }
}

static void
record_value_empty(struct batch_builder_record *record)
{
    if (record->value == NULL) {
        record->value = "";
        record->value_size = 0;
    }
}

/* No key comes twice. */
static void
record_key_unique(struct batch_builder_record *record)
{
    static int64_t keys[4096];
    static int64_t next;
    int64_t *key = &keys[next % 4096];

    *key = next++;
    record->key = key;
    record->key_size = sizeof *key;
}

static void
record_now(struct batch_builder_record *record)
{
    struct env env;

    env_init_real(&env);
    record->timestamp = env_wall_ms(&env) + 1;
}

void
mutants_produce_no_headers(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_same);
}

void
mutants_produce_recodes(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_same);
}

void
mutants_produce_empty_key(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_key_empty);
}

void
mutants_produce_keyless(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_key_empty);
}

void
mutants_produce_empty_is_null(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_value_null);
}

void
mutants_produce_null_is_empty(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_value_empty);
}

void
mutants_produce_keys_apart(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_key_unique);
}

void
mutants_produce_now(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_now);
}

void
mutants_produce_any_time(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    records_rebuild(call, record_now);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Answers a Produce in the broker's place: everything is fine, at offset 0. */
static void
answer_forge(struct proxy_call *call)
{
    const struct km_produce_request *request = call->request;
    struct km_produce_response response;
    struct km_produce_response_topic_produce_response topic;
    answer_part part;

    codec_init(&km_produce_response_desc, &response);
    codec_init(&km_produce_response_topic_produce_response_desc, &topic);
    codec_init(&km_produce_response_partition_produce_response_desc, &part);
    part.index = request->topic_data.items[0].partition_data.items[0].index;
    topic.name = request->topic_data.items[0].name;
    topic.topic_id = request->topic_data.items[0].topic_id;
    topic.partition_responses.items = &part;
    topic.partition_responses.count = 1;
    response.responses.items = &topic;
    response.responses.count = 1;
    if (frame_response_encode(
            call->api, call->version, call->correlation_id, &response, &call->frame, NULL) == RC_OK)
        call->action = PROXY_ANSWER;
}

void
mutants_produce_acks_1_lost(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_produce_request *request = call->request;

    (void)proxy;
    if (call->api_key == KM_PRODUCE && request != NULL && request->acks == 1)
        answer_forge(call);
}

void
mutants_produce_answers_acks_0(struct proxy *proxy, struct proxy_call *call)
{
    struct km_produce_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_PRODUCE || request == NULL || request->acks != 0)
        return;
    request->acks = 1;
    call->is_unanswered = false;
    call->is_changed = true;
}

void
mutants_produce_twice(struct proxy *proxy, struct proxy_call *call)
{
    if (call->api_key == KM_PRODUCE && ++proxy->notes[0] == CHOSEN)
        call->action = PROXY_TWICE;
}

void
mutants_produce_drops(struct proxy *proxy, struct proxy_call *call)
{
    if (call->api_key == KM_PRODUCE && ++proxy->notes[0] == CHOSEN)
        call->action = PROXY_SWALLOW;
}

/* --- answers ---------------------------------------------------------------------------------- */

void
mutants_produce_offset_zero(struct proxy *proxy, struct proxy_call *call)
{
    answer_part *part;

    (void)proxy;
    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        part->base_offset = 0;
}

void
mutants_produce_offset_off(struct proxy *proxy, struct proxy_call *call)
{
    answer_part *part;

    (void)proxy;
    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        part->base_offset++;
}

void
mutants_produce_no_append_time(struct proxy *proxy, struct proxy_call *call)
{
    answer_part *part;

    (void)proxy;
    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        part->log_append_time_ms = -1;
}

void
mutants_produce_no_record_errors(struct proxy *proxy, struct proxy_call *call)
{
    answer_part *part;

    (void)proxy;
    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        part->record_errors.count = 0;
}

void
mutants_produce_any_size(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_replace(call, KE_MESSAGE_TOO_LARGE, KE_NONE);
}

void
mutants_produce_not_yet(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response *response = call->response;

    if (call->api_key != KM_FETCH || response->responses.count == 0 || proxy->notes[0]++ % 2 != 0)
        return;
    response->responses.items[0].partitions.items[0].records.size = 0;
    call->is_changed = true;
}

void
mutants_produce_one_only(struct proxy *proxy, struct proxy_call *call)
{
    answer_part *part;

    for (int32_t i = 0; (part = answer_next(call, &i)) != NULL;)
        if (part->base_offset < proxy->notes[0])
            part->error_code = KE_DUPLICATE_SEQUENCE_NUMBER;
        else
            proxy->notes[0] = part->base_offset;
}

void
mutants_produce_no_wrap(struct proxy *proxy, struct proxy_call *call)
{
    struct batch_view batch;

    if (!first_batch(call, &batch))
        return;
    if (batch.base_sequence == 0 && proxy->notes[0] != 0)
        error_set(call, KE_OUT_OF_ORDER_SEQUENCE_NUMBER);
    proxy->notes[0] = batch_view_last_sequence(&batch) == INT32_MAX;
}

void
mutants_produce_epoch_keeps_sequence(struct proxy *proxy, struct proxy_call *call)
{
    struct batch_view batch;

    (void)proxy;
    if (first_batch(call, &batch) && batch.producer_epoch > 0 && batch.base_sequence == 0)
        error_set(call, KE_OUT_OF_ORDER_SEQUENCE_NUMBER);
}

void
mutants_produce_sequence(struct proxy *proxy, struct proxy_call *call)
{
    struct batch_view batch;

    (void)proxy;
    if (first_batch(call, &batch) && batch.base_sequence == 1)
        error_set(call, KE_OUT_OF_ORDER_SEQUENCE_NUMBER);
}

void
mutants_produce_one_id(struct proxy *proxy, struct proxy_call *call)
{
    struct km_init_producer_id_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_INIT_PRODUCER_ID || response->error_code != KE_NONE)
        return;
    response->producer_id = ONE_ID;
    call->is_changed = true;
}
