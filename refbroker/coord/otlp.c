#include "refbroker/coord/otlp.h"

#include <inttypes.h>
#include <string.h>

#include "gen/otlp.pb-c.h"

#define TEMPORALITY_SINCE_LAST 1

struct reader {
    struct arena *arena;
    struct otlp_point *points;
    struct otlp_report *out;
};

/* The library's memory: it asks for less than it was sent bytes for, many times. What it gives back
 * stays in the arena. */
static void *
library_alloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void
library_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static struct wire_string
text_of(const ProtobufCBinaryData *data)
{
    return (struct wire_string){(const char *)data->data, (int32_t)data->len};
}

static struct wire_string
text_of_c(const char *text)
{
    return text == NULL ? (struct wire_string){"", 0}
                        : (struct wire_string){text, (int32_t)strlen(text)};
}

/* An attribute's value as text; lists and maps have none. */
static bool
value_text(struct arena *arena, const Otlp__Value *value, struct wire_string *out)
{
    if (value == NULL)
        return false;
    switch (value->value_case) {
    case OTLP__VALUE__VALUE_TEXT:
        *out = text_of(&value->text);
        return true;
    case OTLP__VALUE__VALUE_TRUTH:
        *out = text_of_c(value->truth ? "true" : "false");
        return true;
    case OTLP__VALUE__VALUE_WHOLE:
        *out = text_of_c(arena_printf(arena, "%" PRId64, value->whole));
        return true;
    case OTLP__VALUE__VALUE_REAL:
        *out = text_of_c(arena_printf(arena, "%g", value->real));
        return true;
    default:
        return false;
    }
}

static size_t
attributes_read(struct arena *arena, Otlp__Attribute *const *in, size_t in_count,
    struct otlp_attribute out[OTLP_ATTRIBUTES_MAX], size_t count)
{
    for (size_t i = 0; i < in_count && count < OTLP_ATTRIBUTES_MAX; i++) {
        out[count].key = text_of(&in[i]->key);
        if (value_text(arena, in[i]->value, &out[count].value))
            count++;
    }
    return count;
}

static void
point_read(struct reader *reader, const Otlp__Point *in, const struct otlp_point *kind,
    const struct otlp_attribute *common, size_t common_count)
{
    struct otlp_attribute attributes[OTLP_ATTRIBUTES_MAX];
    struct otlp_point *point = &reader->points[reader->out->point_count];

    if (reader->out->point_count == OTLP_POINTS_MAX ||
        in->value_case == OTLP__POINT__VALUE__NOT_SET) {
        reader->out->dropped_count++;
        return;
    }
    memcpy(attributes, common, common_count * sizeof *common);
    *point = *kind;
    point->value = in->value_case == OTLP__POINT__VALUE_REAL ? in->real : (double)in->whole;
    point->attribute_count =
        attributes_read(reader->arena, in->attributes, in->n_attributes, attributes, common_count);
    point->attributes =
        arena_dup(reader->arena, attributes, point->attribute_count * sizeof *point->attributes);
    reader->out->point_count++;
}

static void
metric_read(struct reader *reader, const Otlp__Metric *in, const struct otlp_attribute *common,
    size_t common_count)
{
    struct otlp_point kind = {.name = text_of(&in->name)};
    Otlp__Point *const *points = NULL;
    size_t count = 0;

    if (in->data_case == OTLP__METRIC__DATA_GAUGE && in->gauge != NULL) {
        points = in->gauge->points;
        count = in->gauge->n_points;
    } else if (in->data_case == OTLP__METRIC__DATA_SUM && in->sum != NULL) {
        points = in->sum->points;
        count = in->sum->n_points;
        kind.counter = in->sum->monotonic != 0;
        kind.adds = in->sum->temporality == TEMPORALITY_SINCE_LAST;
    } else {
        reader->out->dropped_count++;
    }
    for (size_t i = 0; i < count; i++)
        point_read(reader, points[i], &kind, common, common_count);
}

static void
resource_read(struct reader *reader, const Otlp__ResourceMetrics *in)
{
    struct otlp_attribute common[OTLP_ATTRIBUTES_MAX];
    size_t count = 0;

    if (in->resource != NULL)
        count = attributes_read(
            reader->arena, in->resource->attributes, in->resource->n_attributes, common, 0);
    for (size_t i = 0; i < in->n_scope_metrics; i++)
        for (size_t k = 0; k < in->scope_metrics[i]->n_metrics; k++)
            metric_read(reader, in->scope_metrics[i]->metrics[k], common, count);
}

static enum rc
too_large(struct err *e)
{
    return err_set(e, RC_LIMIT, "the metrics need more memory than allowed");
}

enum rc
otlp_read(
    const void *data, size_t size, struct arena *arena, struct otlp_report *out, struct err *e)
{
    ProtobufCAllocator memory = {library_alloc, library_free, arena};
    struct reader reader = {arena, NULL, out};
    const Otlp__Data *message;

    memset(out, 0, sizeof *out);
    message = otlp__data__unpack(&memory, size, data);
    reader.points = arena_array(arena, OTLP_POINTS_MAX, sizeof *reader.points);
    if (arena_is_full(arena))
        return too_large(e);
    if (message == NULL)
        return err_set(e, RC_CORRUPT, "the metrics are no OpenTelemetry data");
    out->points = reader.points;
    for (size_t i = 0; i < message->n_resource_metrics; i++)
        resource_read(&reader, message->resource_metrics[i]);
    return arena_is_full(arena) ? too_large(e) : RC_OK;
}
