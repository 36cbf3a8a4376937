/* kdl verify: reads both sides in whole and says whether they are equal. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/pair.h"
#include "cli/units.h"
#include "gen/messages.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"
#include "mirror/topics.h"
#include "mirror/verify.h"

#define PROGRESS_US 1000000
#define LINES_US 10000000

static const struct option_row rows[] = {
    PAIR_OPTIONS,
    {"output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "for people or for programs"},
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "no progress"},
};

struct job {
    struct pair pair;
    struct selection from;
    struct selection target;
    struct verify *verify;
    struct loop_timer timer;
    int64_t started_us;
    bool terminal;
    bool quiet;
    bool over;
    bool interrupted;
};

static void
ended(void *arg)
{
    ((struct job *)arg)->over = true;
}

static void
interrupted(void *arg)
{
    ((struct job *)arg)->interrupted = true;
}

static void
tick(void *arg)
{
    struct job *job = arg;
    char size[UNITS_BYTES];

    units_bytes(verify_bytes(job->verify), size);
    if (!job->quiet)
        fprintf(stderr, job->terminal ? "\r\033[Kread %s" : "read %s\n", size);
    loop_timer_set(job->pair.loop, &job->timer,
        loop_now_us(job->pair.loop) + (job->terminal ? PROGRESS_US : LINES_US), tick, job);
}

struct counts {
    uint32_t equal;
    uint32_t different;
    uint32_t failed;
    uint64_t records;
};

static struct jdoc *
blob_json(const struct difference_blob *blob, const char *counted)
{
    struct jdoc *object = jdoc_object();
    char hash[20];

    snprintf(hash, sizeof hash, "%016" PRIx64, blob->hash);
    jdoc_set_int(object, counted, blob->size);
    if (blob->size > 0)
        jdoc_set_text(object, "hash", hash);
    return object;
}

static struct jdoc *
record_json(const struct difference_record *record, bool of_key)
{
    struct jdoc *object = jdoc_object();

    if (record->offset < 0) {
        jdoc_free(object);
        return jdoc_null();
    }
    jdoc_set_int(object, "offset", record->offset);
    if (!of_key) {
        jdoc_set_int(object, "batch", record->base_offset);
        jdoc_set_int(object, "attributes", record->attributes);
        jdoc_set_int(object, "timestamp", record->timestamp);
        jdoc_set_int(object, "producer_id", record->producer_id);
        jdoc_set_int(object, "producer_epoch", record->producer_epoch);
        jdoc_set_int(object, "base_sequence", record->base_sequence);
        jdoc_set_take(object, "headers", blob_json(&record->headers, "count"));
    }
    jdoc_set_take(object, "key", blob_json(&record->key, "size"));
    jdoc_set_take(object, "value", blob_json(&record->value, "size"));
    return object;
}

/* The first differing record: what differs, and how it looks on both sides; null where it is not
 * there. */
static struct jdoc *
difference_json(const struct difference *difference)
{
    const struct difference_record *source = &difference->source, *target = &difference->target;
    struct jdoc *object = jdoc_object(), *what = jdoc_array();
    unsigned fields = difference_fields(source, target, difference->of_key);

    if (source->offset < 0 || target->offset < 0)
        jdoc_add_take(what,
            jdoc_text(source->offset < 0 ? "missing at the source" : "missing at the target"));
    else
        for (unsigned i = 0; i < DIFFERENCE_FIELDS; i++)
            if ((fields & 1U << i) != 0)
                jdoc_add_take(what, jdoc_text(difference_field_text((enum difference_field)i)));
    jdoc_set_take(object, "what", what);
    jdoc_set_bool(object, "last_of_key", difference->of_key);
    jdoc_set_take(object, "source", record_json(source, difference->of_key));
    jdoc_set_take(object, "target", record_json(target, difference->of_key));
    return object;
}

static void
partition_json(const struct job *job, uint32_t number, const struct verify_partition *result,
    struct jdoc *list)
{
    static const char *const names[] = {"equal", "different", "unknown"};
    struct jdoc *row = jdoc_object();

    jdoc_set_text(row, "topic", selection_name(&job->from, number));
    jdoc_set_int(row, "partition", job->from.partitions[number].partition);
    jdoc_set_text(row, "verdict", names[result->verdict]);
    jdoc_set_int(row, "from", result->from);
    jdoc_set_int(row, "to", result->to);
    jdoc_set_int(row, "source_records", (int64_t)result->source_records);
    jdoc_set_int(row, "target_records", (int64_t)result->target_records);
    if (result->verdict != VERIFY_EQUAL)
        jdoc_set_text(row, "why", result->text);
    if (result->verdict == VERIFY_DIFFERENT && result->different_offset >= 0)
        jdoc_set_int(row, "different_offset", result->different_offset);
    if (result->difference.found)
        jdoc_set_take(row, "difference", difference_json(&result->difference));
    jdoc_add_take(list, row);
}

static void
partition_print(const struct job *job, uint32_t number, const struct verify_partition *result)
{
    const char *topic = selection_name(&job->from, number);
    int32_t partition = job->from.partitions[number].partition;
    char more[96] = "";

    if (result->different_buckets > 1)
        snprintf(more, sizeof more, "; first of %" PRIu64 " %s", result->different_buckets,
            result->difference.of_key ? "keys that differ" : "differing ranges of 4,096 offsets");
    if (result->verdict == VERIFY_EQUAL)
        printf("  equal      %s-%d  offsets %" PRId64 " .. %" PRId64 ", %" PRIu64 " records\n",
            topic, partition, result->from, result->to, result->source_records);
    else
        printf("  %s  %s-%d  %s%s\n",
            result->verdict == VERIFY_DIFFERENT ? "different" : "unknown  ", topic, partition,
            result->text, more);
}

static int
report(const struct job *job, bool json)
{
    struct jdoc *doc = jdoc_object(), *list = jdoc_array();
    struct verify_partition result;
    struct counts counts = {0};
    char size[UNITS_BYTES], took[UNITS_BYTES], *text;

    for (uint32_t i = 0; i < job->from.partition_count; i++) {
        verify_result(job->verify, i, &result);
        counts.equal += result.verdict == VERIFY_EQUAL;
        counts.different += result.verdict == VERIFY_DIFFERENT;
        counts.failed += result.verdict == VERIFY_FAILED;
        counts.records += result.source_records;
        partition_json(job, i, &result, list);
        if (!json)
            partition_print(job, i, &result);
    }
    units_bytes(verify_bytes(job->verify), size);
    units_seconds((loop_now_us(job->pair.loop) - job->started_us) / 1000000, took);
    jdoc_set_take(doc, "partitions", list);
    jdoc_set_bool(doc, "equal", counts.different + counts.failed == 0);
    if (json) {
        text = jdoc_dump(doc, 2);
        puts(text);
        free(text);
    } else {
        printf("%u topics, %u partitions, %" PRIu64 " records, %s read on both sides in %s: %u "
               "equal, %u different, %u unknown\n%s\n",
            job->from.topic_count, job->from.partition_count, counts.records, size, took,
            counts.equal, counts.different, counts.failed,
            counts.different > 0 ? "not equal."
            : counts.failed > 0  ? "not proven."
                                 : "equal.");
    }
    jdoc_free(doc);
    return counts.different > 0 ? EXIT_DIFFERS : counts.failed > 0 ? EXIT_PARTIAL : EXIT_OK;
}

static int
compare(struct job *job, const struct options *options)
{
    int code = EXIT_INTERRUPTED;

    job->quiet = options_is(options, "quiet");
    job->terminal = isatty(STDERR_FILENO) != 0;
    job->started_us = loop_now_us(job->pair.loop);
    loop_signal_add(job->pair.loop, SIGINT, interrupted, job);
    loop_signal_add(job->pair.loop, SIGTERM, interrupted, job);
    job->verify = verify_start(
        job->pair.from.cluster, &job->from, job->pair.to.cluster, &job->target, ended, job);
    loop_timer_set(job->pair.loop, &job->timer, job->started_us + PROGRESS_US, tick, job);
    while (!job->over && !job->interrupted)
        loop_step(job->pair.loop, -1);
    if (job->terminal && !job->quiet)
        fputs("\r\033[K", stderr);
    if (job->over)
        code = report(job, strcmp(options_text(options, "output", "text"), "json") == 0);
    loop_timer_cancel(job->pair.loop, &job->timer);
    loop_signal_clear(job->pair.loop);
    verify_free(job->verify);
    return code;
}

static enum rc
prepare(struct job *job, struct err *e)
{
    enum rc rc = selection_init(&job->from, job->pair.from.cluster, job->pair.topics, e);

    if (rc == RC_OK)
        rc = selection_offsets(&job->from, job->pair.from.cluster, e);
    if (rc == RC_OK)
        rc = topics_compaction(job->pair.from.cluster, &job->from, e);
    if (rc != RC_OK) {
        err_note(e, "source");
        return rc;
    }
    rc = selection_same(&job->target, job->pair.to.cluster, &job->from, e);
    if (rc == RC_OK)
        rc = selection_offsets(&job->target, job->pair.to.cluster, e);
    return rc == RC_OK ? rc : err_note(e, "target");
}

static int
run(const struct invocation *in)
{
    struct job job = {.over = false};
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (pair_open(&in->options, &job.pair, &e) != RC_OK)
        return command_refuse(in->command, &e);
    code = prepare(&job, &e) == RC_OK ? compare(&job, &in->options) : command_fail(&e);
    selection_fini(&job.from);
    selection_fini(&job.target);
    pair_close(&job.pair);
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "prove that two clusters hold the same records",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl verify --from broker-1:9092 --to 127.0.0.1:9092 --topics orders",
    .notes = "Reads every byte of both sides over [the larger log start, the source's end at the "
             "start), checks every CRC, and\ncompares offsets, attributes, timestamps, producer "
             "fields, keys, values and headers; compacted topics by the\nlast value per key.\n\n"
             "exit codes\n"
             "  0 equal, 2 wrong use, 3 unreachable or refused, 4 something could not be read, 6 "
             "different, 130 interrupted",
    .run = run,
};
