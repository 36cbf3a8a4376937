/*
 * session: one connection of a command to a cluster, and calls that wait for their answer.
 *
 * For commands that ask any broker a few questions. The connection comes from the cluster flags
 * (-b, -F, -X) and the environment; bootstrap addresses are tried in turn.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conn.h"

struct session;

/* session_conf reads the cluster flags of an invocation; the caller frees it with conf_free. */
MUST_CHECK enum rc session_conf(const struct options *options, struct conf **conf,
    const struct conf_client **client, struct err *e);

/* session_open connects. RC_CONFIG for wrong flags, otherwise what the last address said. */
MUST_CHECK enum rc session_open(const struct options *options, struct session **out, struct err *e);
void session_close(struct session *session);

/* session_call sends a request with the best common version and waits. *reply is a view until the
 * next call or the end. */
MUST_CHECK enum rc session_call(
    struct session *session, int16_t api_key, const void *body, const void **reply, struct err *e);

#endif
