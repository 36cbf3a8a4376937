/* otlp_rig: metrics as a client would push them. */
#ifndef TESTS_UNIT_REFBROKER_COORD_OTLP_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_OTLP_RIG_H

#include <string.h>

#include "gen/otlp.pb-c.h"
#include "lib/base/buf.h"

#define OTLP_RIG_SINCE_LAST 1
#define OTLP_RIG_SO_FAR 2

static inline ProtobufCBinaryData
otlp_rig_text(const char *text)
{
    /* The library's views have no const, and it does not change them. */
    union {
        const char *ours;
        uint8_t *theirs;
    } u = {.ours = text};

    return (ProtobufCBinaryData){strlen(text), u.theirs};
}

/* Appends one metric, with the resource's attribute key=value where key is not NULL. */
static inline void
otlp_rig_metric(struct buf *out, Otlp__Metric *metric, const char *key, const char *value)
{
    Otlp__Value text;
    Otlp__Attribute attribute = OTLP__ATTRIBUTE__INIT, *attributes[] = {&attribute};
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    Otlp__ScopeMetrics scope = OTLP__SCOPE_METRICS__INIT, *scopes[] = {&scope};
    Otlp__ResourceMetrics of_resource = OTLP__RESOURCE_METRICS__INIT, *resources[] = {&of_resource};
    Otlp__Data data = OTLP__DATA__INIT;

    otlp__value__init(&text);
    if (key != NULL) {
        attribute.key = otlp_rig_text(key);
        text.value_case = OTLP__VALUE__VALUE_TEXT;
        text.text = otlp_rig_text(value);
        attribute.value = &text;
        resource.n_attributes = 1;
        resource.attributes = attributes;
        of_resource.resource = &resource;
    }
    scope.n_metrics = 1;
    scope.metrics = &metric;
    of_resource.n_scope_metrics = 1;
    of_resource.scope_metrics = scopes;
    data.n_resource_metrics = 1;
    data.resource_metrics = resources;
    buf_commit(out, otlp__data__pack(&data, buf_reserve(out, otlp__data__get_packed_size(&data))));
}

/* Appends a gauge of one value, otlp_rig_sum a sum. */
static inline void
otlp_rig_gauge(struct buf *out, const char *name, double value)
{
    Otlp__Point point = OTLP__POINT__INIT, *points[] = {&point};
    Otlp__Gauge gauge = OTLP__GAUGE__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT;

    point.value_case = OTLP__POINT__VALUE_REAL;
    point.real = value;
    gauge.n_points = 1;
    gauge.points = points;
    metric.name = otlp_rig_text(name);
    metric.data_case = OTLP__METRIC__DATA_GAUGE;
    metric.gauge = &gauge;
    otlp_rig_metric(out, &metric, "group_id", "g");
}

static inline void
otlp_rig_sum(struct buf *out, const char *name, int64_t value, int32_t temporality)
{
    Otlp__Point point = OTLP__POINT__INIT, *points[] = {&point};
    Otlp__Sum sum = OTLP__SUM__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT;

    point.value_case = OTLP__POINT__VALUE_WHOLE;
    point.whole = value;
    sum.n_points = 1;
    sum.points = points;
    sum.temporality = temporality;
    sum.monotonic = 1;
    metric.name = otlp_rig_text(name);
    metric.data_case = OTLP__METRIC__DATA_SUM;
    metric.sum = &sum;
    otlp_rig_metric(out, &metric, NULL, NULL);
}

#endif
