/*
 * top_poll: a thread that asks the cluster, so that the screen never waits for the network.
 *
 * It has a loop and connections of its own, asks once per interval, and leaves its newest model for
 * whoever takes it. A round that fails leaves the last good numbers with the error's text.
 * Sizes (DescribeLogDirs) cost the brokers more: they are asked for in every fifth round.
 */
#ifndef CLI_TOP_POLL_H
#define CLI_TOP_POLL_H

#include "cli/top_model.h"
#include "lib/base/err.h"
#include "lib/kafka/conf.h"

struct top_poll;

/* top_poll_start begins; the confs must outlive the poll. `to` may be NULL. */
struct top_poll *top_poll_start(
    const struct conf_client *from, const struct conf_client *to, int64_t interval_ms);

/* top_poll_stop is as top_worker_stop: where it returns false nothing is freed. */
bool top_poll_stop(struct top_poll *poll, int64_t patience_ms);

/* top_poll_take moves the newest model into *model if there is one that was not taken yet. */
bool top_poll_take(struct top_poll *poll, struct top_model *model);

/* top_poll_once asks on the caller's thread: once, or, where interval_ms is not 0, twice with that
 * much between, for rates. */
MUST_CHECK enum rc top_poll_once(const struct conf_client *from, const struct conf_client *to,
    int64_t interval_ms, struct top_model *model, struct err *e);

#endif
