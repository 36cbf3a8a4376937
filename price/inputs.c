#include "price/inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PRICE_MAX 1e9
#define NUMBER_BYTES_MAX 63

enum kind { REAL, WHOLE };

struct limit {
    enum kind kind;
    double base, low, high, min, max;
    const char *source;
};

static const struct limit limits[SHEET_INPUTS] = {
#define PARAMETER(name, kind, unit, base, low, high, min, max, what, source)                       \
    {kind, base, low, high, min, max, source},
#include "price/parameters.def"
#define PRICE(name, unit, what) {REAL, 0, 0, 0, 0, PRICE_MAX, ""},
#include "price/prices.def"
};

void
inputs_init(struct inputs *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    for (size_t i = 0; i < SHEET_INPUTS; i++) {
        struct inputs_entry *entry = &inputs->entries[i];

        entry->value = limits[i].base;
        entry->low = limits[i].low;
        entry->high = limits[i].high;
        snprintf(entry->note, sizeof entry->note, "%s", limits[i].source);
    }
}

bool
inputs_number(const char *text, size_t size, double *out)
{
    char copy[NUMBER_BYTES_MAX + 1], *end;

    /* strtod would also take blanks, hexadecimal digits and "nan". */
    if (size == 0 || size > NUMBER_BYTES_MAX || strspn(text, "0123456789.eE+-") < size)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0' && end != copy && isfinite(*out);
}

static bool
is_accepted(enum sheet_value input, double value)
{
    const struct limit *limit = &limits[input];

    return value >= limit->min && value <= limit->max &&
           (limit->kind == REAL || value == floor(value));
}

/* VALUE, or LOW:VALUE:HIGH, into numbers[0..2]. */
static bool
numbers_read(const char *text, double *numbers)
{
    size_t count = 0;

    for (;;) {
        size_t size = strcspn(text, ":");

        if (count == 3 || !inputs_number(text, size, &numbers[count]))
            return false;
        count++;
        if (text[size] == '\0')
            break;
        text += size + 1;
    }
    if (count == 1)
        numbers[1] = numbers[2] = numbers[0];
    return count != 2 && numbers[0] <= numbers[1] && numbers[1] <= numbers[2];
}

enum rc
inputs_give(struct inputs *inputs, enum sheet_value input, const char *text, const char *called,
    struct err *e)
{
    struct inputs_entry *entry = &inputs->entries[input];
    const struct limit *limit = &limits[input];
    double numbers[3];

    if (!numbers_read(text, numbers) || !is_accepted(input, numbers[0]) ||
        !is_accepted(input, numbers[1]) || !is_accepted(input, numbers[2]))
        return err_set(e, RC_CONFIG,
            "%s wants a %snumber from %g to %g (%s), or LOW:VALUE:HIGH, not %s.", called,
            limit->kind == WHOLE ? "whole " : "", limit->min, limit->max, sheet_row(input)->unit,
            text);
    entry->low = numbers[0];
    entry->value = numbers[1];
    entry->high = numbers[2];
    entry->origin = INPUTS_GIVEN;
    snprintf(entry->note, sizeof entry->note, "%s", called);
    return RC_OK;
}

enum rc
inputs_give_pair(struct inputs *inputs, const char *pair, struct err *e)
{
    size_t size = strcspn(pair, "=");
    enum sheet_value input = sheet_find(pair, size);
    const char *nearest;
    char *name, *called;
    enum rc rc;

    if (pair[size] != '=')
        return err_set(e, RC_CONFIG, "--set wants NAME=VALUE, not %s.", pair);
    name = xmemdup(pair, size);
    if (input < SHEET_INPUTS) {
        called = xasprintf("--set %s", name);
        rc = inputs_give(inputs, input, pair + size + 1, called, e);
        free(called);
    } else if (input != SHEET_VALUES) {
        rc = err_set(
            e, RC_CONFIG, "--set %s: that is computed; --explain %s shows from what.", name, name);
    } else if ((nearest = sheet_nearest(name, SHEET_INPUTS)) != NULL) {
        rc = err_set(e, RC_CONFIG, "--set knows no %s. Did you mean %s?", name, nearest);
    } else {
        rc = err_set(e, RC_CONFIG, "--set knows no %s; --explain all lists what there is.", name);
    }
    free(name);
    return rc;
}

void
inputs_put(struct inputs *inputs, enum sheet_value input, double value, enum inputs_origin origin,
    const char *note)
{
    struct inputs_entry *entry = &inputs->entries[input];

    entry->value = fmin(fmax(value, limits[input].min), limits[input].max);
    entry->low = entry->high = entry->value;
    entry->origin = origin;
    snprintf(entry->note, sizeof entry->note, "%s", note);
}

void
inputs_values(const struct inputs *inputs, double *values)
{
    for (size_t i = 0; i < SHEET_INPUTS; i++)
        values[i] = inputs->entries[i].value;
}

const char *
inputs_origin(enum inputs_origin origin)
{
    static const char *const names[INPUTS_ORIGINS] = {
        "default", "prices", "measured", "audit", "given"};

    return names[origin];
}
