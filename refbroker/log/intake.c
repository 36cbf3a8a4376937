#include "refbroker/log/intake.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "refbroker/log/coordinated.h"

#define RECORD_BYTES_MIN 7
#define ROOM_KEPT_BYTES_MAX ((size_t)1024 * 1024)

/* One batch on its way. Owner and lane never look at it at the same time. */
struct intake {
    struct work_job job;
    struct broker *broker;
    struct partition *partition;  /* held, like the blob, while it is on a lane */
    struct intake_waiter *waiter; /* NULL: gone */
    struct intake_ask ask;
    struct batch_validate_rules rules;
    int8_t codec;            /* enum compress_codec of the topic; -1: as the producer sent it */
    int64_t log_append_time; /* for the stored header; -1: the records' own */
    struct arena arena;      /* the errors of single records */
    struct buf *room;        /* for decompressed records: the owner's, or that of the lane */
    struct batch_validate_result valid;
    struct append_batch batch; /* what is stored; its blob, where it is not the ask's, is ours */
    enum rc rc;
    struct err err;
};

static size_t
charge_of(const struct intake *intake)
{
    return intake->ask.size + sizeof *intake;
}

static void
intake_init(struct intake *intake, struct broker *broker, struct partition *partition,
    const struct intake_ask *ask, struct intake_waiter *waiter)
{
    const struct topic_values *values = &partition->topic->configs.values;
    int64_t now_ms = env_wall_ms(broker->env);

    memset(intake, 0, sizeof *intake);
    intake->broker = broker;
    intake->partition = partition;
    intake->waiter = waiter;
    intake->ask = *ask;
    intake->codec = values->compression_codec;
    /* On the coordinated path the reader writes the time, together with the offsets. */
    intake->log_append_time = values->log_append_time && !values->coordinated ? now_ms : -1;
    intake->rules = (struct batch_validate_rules){
        .now_ms = now_ms,
        .timestamp_before_max_ms = values->timestamp_before_max_ms,
        .timestamp_after_max_ms = values->timestamp_after_max_ms,
        .batch_bytes_max = (size_t)values->max_message_bytes,
        .produce_version = ask->produce_version,
        .log_append_time = values->log_append_time,
        .compacted = values->compacts,
    };
    intake->batch.has_transactional_id = ask->has_transactional_id;
    intake->batch.log_append_time = values->log_append_time ? now_ms : -1;
    arena_init(&intake->arena, LIMIT_ARENA_BYTES_MAX);
    intake->room = &broker->intake_rooms[0];
}

static void
intake_fini(struct intake *intake)
{
    if (intake->batch.blob != intake->ask.blob)
        blob_unref(intake->batch.blob);
    arena_fini(&intake->arena);
}

/* --- on either thread ------------------------------------------------------------------------ */

static enum rc
recompress(struct intake *intake)
{
    struct append_batch *batch = &intake->batch;
    struct buf out;
    enum rc rc;

    buf_init(&out, INTAKE_UNCOMPRESSED_BYTES_MAX);
    rc = batch_rewrite_codec(&intake->valid.batch, (enum compress_codec)intake->codec,
        intake->room, INTAKE_UNCOMPRESSED_BYTES_MAX, &out, &intake->err);
    if (rc == RC_OK) {
        batch->blob = blob_new(out.size);
        if (batch->blob == NULL) {
            rc = err_set(&intake->err, RC_LIMIT, "no memory for %zu bytes", out.size);
        } else {
            memcpy(batch->blob->data, out.data, out.size);
            batch->data = batch->blob->data;
            batch->size = out.size;
        }
    }
    buf_fini(&out);
    return rc;
}

/* Gives a valid batch the form in which it is stored: the topic's codec, and the header's timestamp
 * as the records have it or as the topic wants it. */
static enum rc
convert(struct intake *intake)
{
    const struct batch_validate_result *valid = &intake->valid;
    struct append_batch *batch = &intake->batch;
    struct batch_rewrite change = {.fields = BATCH_REWRITE_TIMESTAMP,
        .max_timestamp =
            intake->log_append_time >= 0 ? intake->log_append_time : valid->max_timestamp,
        .log_append_time = intake->log_append_time >= 0};
    enum rc rc = RC_OK;

    batch->blob = intake->ask.blob;
    batch->data = intake->ask.data;
    batch->size = valid->batch.size;
    if (intake->codec >= 0 && (int)batch_view_codec(&valid->batch) != intake->codec) {
        batch->blob = NULL;
        rc = recompress(intake);
    }
    if (rc == RC_OK &&
        (change.log_append_time || valid->batch.max_timestamp != valid->max_timestamp ||
            batch_view_is_log_append_time(&valid->batch)))
        batch_rewrite_header(batch->data, batch->size, &change);
    return rc;
}

static void
judge(struct intake *intake, size_t uncompressed_bytes_max)
{
    buf_clear(intake->room);
    intake->rules.uncompressed_bytes_max = uncompressed_bytes_max;
    intake->rc = batch_validate(intake->ask.data, intake->ask.size, &intake->rules, &intake->arena,
        intake->room, &intake->valid, &intake->err);
    if (intake->rc == RC_OK && intake->valid.fault == BATCH_VALIDATE_OK)
        intake->rc = convert(intake);
}

/* --- on the owner's thread ------------------------------------------------------------------- */

static void
refuse(struct intake *intake, struct append_result *result, int16_t error, const char *text)
{
    intake->broker->stats.produce_refused_total++;
    result->error = error;
    result->text = text;
}

/* Hands the batch on, or says why not. */
static void
settle(struct intake *intake, struct append_result *result)
{
    struct partition *partition = intake->partition;
    enum batch_validate_fault fault = intake->valid.fault;
    struct append_waiter *committed = intake->waiter == NULL ? NULL : intake->waiter->committed;

    *result = (struct append_result){.base_offset = -1, .log_append_time = -1};
    if (intake->rc != RC_OK) {
        log_warn("PRODUCE-MEMORY", "a batch of %zu bytes: %s", intake->ask.size, intake->err.text);
        refuse(intake, result, KE_UNKNOWN_SERVER_ERROR, "the records need too much memory");
    } else if (fault != BATCH_VALIDATE_OK) {
        refuse(intake, result, batch_validate_code(fault), batch_validate_text(fault));
        result->record_errors = intake->valid.errors;
        result->record_error_count = intake->valid.error_count;
    } else if (partition->topic == NULL) {
        refuse(intake, result, KE_UNKNOWN_TOPIC_OR_PARTITION, NULL);
    } else if (partition->topic->changing) {
        refuse(intake, result, KE_NOT_LEADER_OR_FOLLOWER, NULL);
    } else if (partition->topic->state == TOPIC_MIRRORING) {
        refuse(intake, result, KE_INVALID_TOPIC_EXCEPTION, NULL);
    } else if (partition->topic->configs.values.coordinated) {
        coordinated_append(intake->broker, partition, &intake->batch, committed, result);
    } else {
        append_client(intake->broker, partition, &intake->batch, result);
    }
}

static void
finish(struct intake *intake)
{
    struct intake_waiter *waiter = intake->waiter;
    struct append_result result;

    settle(intake, &result);
    if (waiter == NULL)
        return;
    waiter->under_way = NULL;
    waiter->taken(intake->broker, waiter, &result);
}

static void
lane_run(struct work_job *job)
{
    struct intake *intake = list_of(job, struct intake, job);

    judge(intake, INTAKE_UNCOMPRESSED_BYTES_MAX);
    if (intake->room->capacity > ROOM_KEPT_BYTES_MAX)
        buf_fini(intake->room);
}

static void
lane_done(struct work_job *job)
{
    struct intake *intake = list_of(job, struct intake, job);
    struct partition *partition = intake->partition;
    struct blob *blob = intake->ask.blob;

    partition->intakes--;
    intake->broker->intake_bytes -= charge_of(intake);
    finish(intake);
    intake_fini(intake);
    blob_unref(blob);
    partition_release(partition);
    free(intake);
}

static void
lane_submit(struct broker *broker, struct partition *partition, const struct intake_ask *ask,
    struct intake_waiter *waiter)
{
    struct intake *intake = xmalloc(sizeof *intake);
    unsigned lane = (partition->topic_id.bytes[0] + (unsigned)partition->index) % LANE_BATCH_COUNT;

    intake_init(intake, broker, partition, ask, waiter);
    intake->room = &broker->intake_rooms[1 + lane];
    waiter->under_way = intake;
    (void)blob_ref(ask->blob);
    partition_hold(partition);
    partition->intakes++;
    broker->intake_bytes += charge_of(intake);
    broker->stats.produce_lane_batches_total++;
    intake->job.run = lane_run;
    intake->job.done = lane_done;
    work_submit(broker->options.work, LANE_BATCH + lane, &intake->job);
}

/* Judges by the header alone; a batch that has no good one is refused quickly. */
static bool
is_long(const struct intake *intake)
{
    const struct broker *broker = intake->broker;
    struct batch_view batch;
    struct err e;
    int codec;

    if (intake->partition->intakes > 0)
        return true;
    if (batch_view_parse(intake->ask.data, intake->ask.size, &batch, &e) != RC_OK ||
        batch.magic != 2 || batch.record_count <= 0)
        return false;
    codec = (int)batch_view_codec(&batch);
    if (intake->codec >= 0 && intake->codec != codec)
        return true;
    if ((size_t)batch.record_count > broker->tick_records_left)
        return true;
    return codec != COMPRESS_NONE &&
           (batch.size > broker->tick_unpacked_bytes_left ||
               (size_t)batch.record_count * RECORD_BYTES_MIN > broker->tick_unpacked_bytes_left);
}

/* Counts against the tick's allowance; false where the batch turned out to be long. */
static bool
is_within_tick(struct intake *intake)
{
    struct broker *broker = intake->broker;
    const struct batch_validate_result *valid = &intake->valid;
    size_t records = valid->batch.record_count < 0 ? 0 : (size_t)valid->batch.record_count;

    if (valid->fault == BATCH_VALIDATE_UNCOMPRESSED_SIZE) {
        broker->tick_unpacked_bytes_left = 0;
        return false;
    }
    broker->tick_records_left -=
        records < broker->tick_records_left ? records : broker->tick_records_left;
    broker->tick_unpacked_bytes_left -= intake->room->size;
    return true;
}

void
intake_open(struct broker *broker)
{
    for (size_t i = 0; i < ARRAY_LEN(broker->intake_rooms); i++)
        buf_init(&broker->intake_rooms[i], INTAKE_UNCOMPRESSED_BYTES_MAX);
    intake_tick(broker);
}

void
intake_close(struct broker *broker)
{
    for (size_t i = 0; i < ARRAY_LEN(broker->intake_rooms); i++)
        buf_fini(&broker->intake_rooms[i]);
}

void
intake_submit(struct broker *broker, struct partition *partition, const struct intake_ask *ask,
    struct intake_waiter *waiter)
{
    struct intake intake;

    bool short_work = false;

    intake_init(&intake, broker, partition, ask, waiter);
    if (!is_long(&intake)) {
        judge(&intake, broker->tick_unpacked_bytes_left);
        short_work = is_within_tick(&intake);
    }
    if (short_work)
        finish(&intake);
    intake_fini(&intake);
    if (!short_work)
        lane_submit(broker, partition, ask, waiter);
}

void
intake_forget(struct intake_waiter *waiter)
{
    if (waiter->under_way != NULL)
        waiter->under_way->waiter = NULL;
    waiter->under_way = NULL;
}

void
intake_tick(struct broker *broker)
{
    broker->tick_unpacked_bytes_left = LIMIT_TICK_UNPACKED_BYTES;
    broker->tick_records_left = LIMIT_TICK_RECORDS;
}
