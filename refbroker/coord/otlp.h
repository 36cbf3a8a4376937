/*
 * otlp: the metrics that a client pushes (KIP-714), read: OpenTelemetry's MetricsData (otlp.proto).
 *
 * Clients of Kafka push numbers: gauges, and sums that count all so far or what came since the last
 * push. Other kinds (histograms, summaries) are passed over and counted.
 *
 * Hostile input: all memory comes from the caller's arena, the library's too, so that its cap
 * bounds what nested and repeated messages can become, in memory and in time. At most
 * OTLP_POINTS_MAX points of OTLP_ATTRIBUTES_MAX attributes are told; points beyond are counted,
 * attributes beyond left out. Texts are bytes that nobody has looked at.
 */
#ifndef REFBROKER_COORD_OTLP_H
#define REFBROKER_COORD_OTLP_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

#define OTLP_POINTS_MAX 1000
#define OTLP_ATTRIBUTES_MAX 16

struct otlp_attribute {
    struct wire_string key;
    struct wire_string value; /* numbers as text */
};

struct otlp_point {
    struct wire_string name;
    double value;
    bool counter;                            /* it only grows */
    bool adds;                               /* the value came since the last push */
    const struct otlp_attribute *attributes; /* the client's, then the point's */
    size_t attribute_count;
};

struct otlp_report {
    const struct otlp_point *points;
    size_t point_count;
    size_t dropped_count; /* points beyond the limit or without a number, metrics of other kinds */
};

/* otlp_read fills in out, all of it in the arena: RC_CORRUPT for bytes that are no such
 * message, RC_LIMIT where it needs more than the arena's cap. */
MUST_CHECK enum rc otlp_read(
    const void *data, size_t size, struct arena *arena, struct otlp_report *out, struct err *e);

#endif
