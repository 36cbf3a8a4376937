/*
 * client_report: a push of metrics (PushTelemetry) on its way: decompressed and read beside the
 * owner's thread, on the lane of what can wait, then kept as the last values of its client.
 *
 * Limits: telemetry.max.bytes decompressed; CLIENT_REPORT_SCRATCH_BYTES_MAX to read them;
 * CLIENT_REPORT_TEXT_BYTES_MAX for names and labels, and what does not fit is counted as dropped;
 * CLIENT_REPORTS_BYTES_MAX for all that are under way.
 */
#ifndef REFBROKER_COORD_CLIENT_REPORT_H
#define REFBROKER_COORD_CLIENT_REPORT_H

#include "lib/wire/compress.h"
#include "refbroker/broker.h"
#include "refbroker/coord/client_match.h"

#define CLIENT_REPORT_SCRATCH_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define CLIENT_REPORT_TEXT_BYTES_MAX ((size_t)1024 * 1024)
#define CLIENT_REPORTS_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct client_report;

struct client_report_ask {
    struct blob *frame; /* holds the bytes */
    struct wire_bytes metrics;
    enum compress_codec codec;
    struct wire_uuid client_instance_id;
    const struct client_traits *traits; /* copied */
};

/* Tells the error of Kafka's protocol, 0 where all is fine. */
typedef void client_report_done_fn(struct broker *broker, void *arg, int16_t error);

/* client_report_submit begins; NULL where too much is under way. `done` is called once, unless
 * client_report_forget was: the report then goes on, and nobody is told. */
struct client_report *client_report_submit(struct broker *broker,
    const struct client_report_ask *ask, client_report_done_fn *done, void *arg);
void client_report_forget(struct client_report *report);

#endif
