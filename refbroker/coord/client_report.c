#include "refbroker/coord/client_report.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/client_instances.h"

/* Owner and lane never look at it at the same time. */
struct client_report {
    struct work_job job;
    struct broker *broker;
    struct client_report_ask ask;
    client_report_done_fn *done; /* NULL: nobody waits */
    void *arg;
    struct client_traits traits;
    size_t size_max;
    struct arena arena; /* traits, samples and their texts */
    struct client_sample *samples;
    size_t sample_count;
    size_t dropped_count;
    enum rc rc;
    struct err err;
};

static size_t
charge_of(const struct client_report *report)
{
    return (size_t)report->ask.metrics.size + CLIENT_REPORT_TEXT_BYTES_MAX;
}

/* --- on the lane ------------------------------------------------------------------------------ */

static void
samples_make(struct client_report *report, const struct otlp_report *read)
{
    report->dropped_count = read->dropped_count;
    report->samples = arena_array(&report->arena, read->point_count, sizeof *report->samples);
    for (size_t i = 0; i < read->point_count; i++)
        if (report->samples != NULL && client_samples_name(&read->points[i], &report->traits,
                                           &report->arena, &report->samples[report->sample_count]))
            report->sample_count++;
        else
            report->dropped_count++;
}

static void
lane_run(struct work_job *job)
{
    struct client_report *report = list_of(job, struct client_report, job);
    const struct wire_bytes *metrics = &report->ask.metrics;
    struct otlp_report read;
    struct arena scratch;
    struct buf plain;

    arena_init(&scratch, CLIENT_REPORT_SCRATCH_BYTES_MAX);
    buf_init(&plain, report->size_max);
    report->rc = compress_decode(report->ask.codec, metrics->data, (size_t)metrics->size,
        report->size_max, &plain, &report->err);
    if (report->rc == RC_OK)
        report->rc = otlp_read(plain.data, plain.size, &scratch, &read, &report->err);
    if (report->rc == RC_OK)
        samples_make(report, &read);
    buf_fini(&plain);
    arena_fini(&scratch);
}

/* --- on the owner's thread -------------------------------------------------------------------- */

static int16_t
settle(struct client_report *report)
{
    struct broker *broker = report->broker;
    struct client_instances *instances = broker->client_instances;
    int16_t error = report->rc == RC_OK ? KE_NONE : KE_INVALID_RECORD;
    struct client_instance *instance =
        client_instances_find(instances, &report->ask.client_instance_id);

    if (report->rc != RC_OK)
        log_info(
            "CLIENT-METRICS", "a push of %d bytes: %s", report->ask.metrics.size, report->err.text);
    else
        broker->stats.client_metrics_pushes_total++;
    /* It may have gone meanwhile. */
    if (instance == NULL)
        return error;
    for (size_t i = 0; i < report->sample_count; i++)
        report->dropped_count +=
            !client_samples_put(&instances->samples, &instance->values, &report->samples[i]);
    broker->stats.client_metrics_dropped_total += (int64_t)report->dropped_count;
    client_instances_settle(instances, instance, error);
    return error;
}

static void
lane_done(struct work_job *job)
{
    struct client_report *report = list_of(job, struct client_report, job);
    struct broker *broker = report->broker;
    int16_t error = settle(report);

    broker->client_reports_bytes -= charge_of(report);
    if (report->done != NULL)
        report->done(broker, report->arg, error);
    blob_unref(report->ask.frame);
    arena_fini(&report->arena);
    free(report);
}

struct client_report *
client_report_submit(struct broker *broker, const struct client_report_ask *ask,
    client_report_done_fn *done, void *arg)
{
    struct client_report *report = xcalloc(1, sizeof *report);

    report->broker = broker;
    report->ask = *ask;
    report->ask.traits = &report->traits;
    report->done = done;
    report->arg = arg;
    report->size_max = broker->options.telemetry_bytes_max;
    if (broker->client_reports_bytes + charge_of(report) > CLIENT_REPORTS_BYTES_MAX) {
        free(report);
        return NULL;
    }
    arena_init(&report->arena, CLIENT_REPORT_TEXT_BYTES_MAX);
    for (enum client_trait trait = 0; trait < CLIENT_TRAIT_COUNT; trait++)
        if (ask->traits->values[trait] != NULL)
            report->traits.values[trait] = arena_strdup(&report->arena, ask->traits->values[trait]);
    (void)blob_ref(ask->frame);
    broker->client_reports_bytes += charge_of(report);
    report->job.run = lane_run;
    report->job.done = lane_done;
    work_submit(broker->options.work, LANE_CLEANER, &report->job);
    return report;
}

void
client_report_forget(struct client_report *report)
{
    report->done = NULL;
}
