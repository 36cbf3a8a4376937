/*
 * tcp_queue: what a connection still has to send, in order, as pieces that lie elsewhere.
 *
 * Without TLS the pieces of several writes go out in one gathering system call. TLS makes a record
 * of every write, so small pieces are put together first; large ones are encrypted from where they
 * lie.
 */
#ifndef LIB_NET_TCP_QUEUE_H
#define LIB_NET_TCP_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/list.h"
#include "lib/net/loop.h"
#include "lib/net/tls.h"

struct tcp_piece;

struct tcp_queue {
    struct list writes;
    size_t bytes;    /* all that is not sent, the joined ones included */
    uint8_t *joined; /* small pieces, put together for one TLS record */
    size_t joined_size;
    size_t joined_sent;
};

void tcp_queue_init(struct tcp_queue *queue);

/* tcp_queue_clear releases all writes unsent; tcp_queue_fini also frees. */
void tcp_queue_clear(struct tcp_queue *queue);
void tcp_queue_fini(struct tcp_queue *queue);

/* tcp_queue_add appends a write; release(arg) is called once, when it is sent or cleared. */
void tcp_queue_add(struct tcp_queue *queue, const struct tcp_piece *pieces, size_t count,
    loop_fn *release, void *arg);

size_t tcp_queue_bytes(const struct tcp_queue *queue);

/* tcp_queue_send makes one system call on a non-blocking socket; tcp_queue_send_tls one TLS write.
 * Both set *sent; what they return is as in tls.h. */
enum tls_status tcp_queue_send(struct tcp_queue *queue, int fd, size_t *sent, struct err *e);
enum tls_status tcp_queue_send_tls(
    struct tcp_queue *queue, struct tls *tls, size_t *sent, struct err *e);

#endif
