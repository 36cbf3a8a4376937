/*
 * link: one connection of a check: whole requests out, whole answers in, in order.
 *
 * Over a plain target a link is a wire_client, so that nothing stands between the check and the
 * bytes; link_wire gives it. Where the target wants TLS or SASL it is a conn of lib/kafka, which
 * logs in first, and link_wire is NULL. Frames go both ways without their length.
 *
 * Deadlines are on the clock of wire_client_now_us, which is the loop's, too.
 */
#ifndef CONFORMANCE_LINK_H
#define CONFORMANCE_LINK_H

#include "conformance/wire_client.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conn.h"

#define LINK_ANSWER_BYTES_MAX ((size_t)256 << 20)

/* What all links of a process share. */
struct link_setup {
    const struct conf_client *conf;
    bool is_plain;
    struct loop *loop; /* NULL where it is plain */
    struct conn_setup conn;
};

/* link_setup_init: conf must outlive it. */
MUST_CHECK enum rc link_setup_init(
    struct link_setup *setup, const struct conf_client *conf, struct err *e);
void link_setup_fini(struct link_setup *setup);

struct link;

/* link_open connects (and logs in); the caller closes it. */
MUST_CHECK enum rc link_open(struct link_setup *setup, const char *host, uint16_t port,
    int64_t deadline_us, struct link **out, struct err *e);

/* link_close accepts NULL. */
void link_close(struct link *link);

/* link_send sends a request; its bytes begin with the length and may go after the call. An
 * `is_unanswered` one (Produce with acks=0) gives nothing to receive. */
MUST_CHECK enum rc link_send(struct link *link, const void *data, size_t size, bool is_unanswered,
    int64_t deadline_us, struct err *e);

/* link_receive appends the next answer to out. Errors as wire_client_frame. */
MUST_CHECK enum rc link_receive(
    struct link *link, int64_t deadline_us, struct buf *out, struct err *e);

/* link_wire returns the plain connection, or NULL. */
struct wire_client *link_wire(struct link *link);

#endif
