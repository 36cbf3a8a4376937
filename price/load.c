#include "price/load.h"

#include <stdarg.h>
#include <stdio.h>

void
load_know(struct load_number *number, double value, const char *format, ...)
{
    va_list ap;

    number->known = true;
    number->value = value;
    va_start(ap, format);
    vsnprintf(number->how, sizeof number->how, format, ap);
    va_end(ap);
}

void
load_miss(struct load_number *number, const char *format, ...)
{
    va_list ap;

    number->known = false;
    va_start(ap, format);
    vsnprintf(number->how, sizeof number->how, format, ap);
    va_end(ap);
}

static bool
is_open(const struct inputs *inputs, enum sheet_value input)
{
    return inputs->entries[input].origin != INPUTS_GIVEN;
}

static void
put(const struct load *load, const struct load_number *number, double factor,
    enum sheet_value input, struct inputs *inputs)
{
    if (number->known && is_open(inputs, input))
        inputs_put(inputs, input, number->value * factor, load->origin, number->how);
}

void
load_apply(const struct load *load, struct inputs *inputs)
{
    double ratio = inputs->entries[SHEET_compression_ratio].value, sent_per_s;
    char how[INPUTS_NOTE_BYTES];

    put(load, &load->brokers, 1, SHEET_brokers, inputs);
    put(load, &load->zones, 1, SHEET_zones, inputs);
    put(load, &load->partitions, 1, SHEET_partitions, inputs);
    put(load, &load->replication, 1, SHEET_replication_factor, inputs);
    put(load, &load->fan_out, 1, SHEET_fan_out, inputs);
    /* Brokers count what is compressed already. */
    put(load, &load->produced, ratio / 1e6, SHEET_produce_mbps, inputs);
    sent_per_s = inputs->entries[SHEET_produce_mbps].value * 1e6 / ratio;
    if (!load->stored.known || !is_open(inputs, SHEET_retention_hours) ||
        inputs->entries[SHEET_produce_mbps].origin == INPUTS_DEFAULT)
        return;
    snprintf(how, sizeof how, "%.0f bytes stored (%.150s), through what is produced",
        load->stored.value, load->stored.how);
    inputs_put(
        inputs, SHEET_retention_hours, load->stored.value / sent_per_s / 3600, load->origin, how);
}
