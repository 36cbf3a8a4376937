/*
 * audited: the load that an audit's JSON (kdl audit -o json) tells of: brokers, partitions, bytes
 * and groups. An audit looks once, so that it knows rates only where it was given the brokers'
 * metrics (kdl audit --metrics); then fan-out is what was read for what was written, not groups.
 */
#ifndef PRICE_AUDITED_H
#define PRICE_AUDITED_H

#include "price/load.h"

#define AUDITED_BYTES_MAX ((size_t)256 << 20)

/* audited_read reads a text; `file` is what errors and sources call it. RC_CONFIG for what is no
 * audit. */
MUST_CHECK enum rc audited_read(
    struct load *load, const char *text, size_t size, const char *file, struct err *e);

MUST_CHECK enum rc audited_load(struct load *load, const char *path, struct err *e);

#endif
