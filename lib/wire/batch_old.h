/*
 * batch_old: messages of formats v0 and v1. For batch_records.c only.
 */
#ifndef LIB_WIRE_BATCH_OLD_H
#define LIB_WIRE_BATCH_OLD_H

#include "lib/wire/batch_records.h"

/* batch_old_open and batch_old_next do for these formats what batch_records.h says. */
MUST_CHECK enum rc batch_old_open(
    struct batch_records *records, struct buf *scratch, size_t size_max, struct err *e);
MUST_CHECK enum rc batch_old_next(
    struct batch_records *records, struct batch_records_record *out, bool *found, struct err *e);

#endif
