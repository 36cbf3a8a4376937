#include "lib/net/tcp_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/base/xalloc.h"
#include "lib/net/tcp.h"

#define GATHER_MAX 64
#define TLS_RECORD_BYTES ((size_t)16384)

struct write {
    struct list_node node;
    loop_fn *release;
    void *arg;
    size_t count;
    size_t next;   /* the first piece that is not wholly sent */
    size_t offset; /* how much of it is */
    struct tcp_piece pieces[];
};

void
tcp_queue_init(struct tcp_queue *queue)
{
    memset(queue, 0, sizeof *queue);
    list_init(&queue->writes);
}

static void
write_end(struct tcp_queue *queue, struct write *write)
{
    list_remove(&queue->writes, &write->node);
    if (write->release != NULL)
        write->release(write->arg);
    free(write);
}

void
tcp_queue_clear(struct tcp_queue *queue)
{
    struct list_node *node;

    while ((node = list_first(&queue->writes)) != NULL)
        write_end(queue, list_of(node, struct write, node));
    queue->bytes = queue->joined_size = queue->joined_sent = 0;
}

void
tcp_queue_fini(struct tcp_queue *queue)
{
    tcp_queue_clear(queue);
    free(queue->joined);
    queue->joined = NULL;
}

void
tcp_queue_add(struct tcp_queue *queue, const struct tcp_piece *pieces, size_t count,
    loop_fn *release, void *arg)
{
    struct write *write = xmalloc(sizeof *write + count * sizeof *pieces);

    memset(write, 0, sizeof *write);
    write->release = release;
    write->arg = arg;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size == 0)
            continue;
        write->pieces[write->count++] = pieces[i];
        queue->bytes += pieces[i].size;
    }
    list_push_back(&queue->writes, &write->node);
    if (write->count == 0)
        write_end(queue, write);
}

size_t
tcp_queue_bytes(const struct tcp_queue *queue)
{
    return queue->bytes;
}

/* Counts `size` bytes at the front as sent (or joined) and ends the writes that are through. */
static void
advance(struct tcp_queue *queue, size_t size)
{
    while (size > 0) {
        struct write *write = list_of(list_first(&queue->writes), struct write, node);
        size_t left = write->pieces[write->next].size - write->offset;

        if (size < left) {
            write->offset += size;
            return;
        }
        size -= left;
        write->offset = 0;
        if (++write->next == write->count)
            write_end(queue, write);
    }
}

enum tls_status
tcp_queue_send(struct tcp_queue *queue, int fd, size_t *sent, struct err *e)
{
    struct iovec parts[GATHER_MAX];
    struct msghdr message = {.msg_iov = parts};
    ssize_t n;

    LIST_EACH(&queue->writes, node)
    {
        struct write *write = list_of(node, struct write, node);

        for (size_t i = write->next; i < write->count && message.msg_iovlen < GATHER_MAX; i++) {
            size_t skip = i == write->next ? write->offset : 0;
            struct iovec *part = &parts[message.msg_iovlen++];

            /* sendmsg only reads, but its struct does not say so. */
            memcpy(&part->iov_base, &write->pieces[i].data, sizeof part->iov_base);
            part->iov_base = (char *)part->iov_base + skip;
            part->iov_len = write->pieces[i].size - skip;
        }
        if (message.msg_iovlen == GATHER_MAX)
            break;
    }
    n = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return TLS_WANT_WRITE;
        (void)err_set_errno(e, RC_CLOSED, errno, "the connection broke");
        return TLS_FAILED;
    }
    *sent = (size_t)n;
    queue->bytes -= (size_t)n;
    advance(queue, (size_t)n);
    return TLS_DONE;
}

/* Copies small pieces from the front into one record. They count as unsent until it is out. */
static void
join(struct tcp_queue *queue)
{
    if (queue->joined == NULL)
        queue->joined = xmalloc(TLS_RECORD_BYTES);
    queue->joined_size = queue->joined_sent = 0;
    while (!list_is_empty(&queue->writes)) {
        struct write *write = list_of(list_first(&queue->writes), struct write, node);
        const struct tcp_piece *piece = &write->pieces[write->next];
        size_t size = piece->size - write->offset;

        if (size > TLS_RECORD_BYTES - queue->joined_size)
            return;
        memcpy(
            queue->joined + queue->joined_size, (const uint8_t *)piece->data + write->offset, size);
        queue->joined_size += size;
        advance(queue, size);
    }
}

enum tls_status
tcp_queue_send_tls(struct tcp_queue *queue, struct tls *tls, size_t *sent, struct err *e)
{
    enum tls_status status;

    if (queue->joined_sent == queue->joined_size)
        join(queue);
    if (queue->joined_sent < queue->joined_size) {
        status = tls_write(tls, queue->joined + queue->joined_sent,
            queue->joined_size - queue->joined_sent, sent, e);
        queue->joined_sent += *sent;
    } else {
        const struct write *write = list_of(list_first(&queue->writes), struct write, node);
        const struct tcp_piece *piece = &write->pieces[write->next];
        size_t size = piece->size - write->offset;

        if (size > TLS_RECORD_BYTES)
            size = TLS_RECORD_BYTES;
        status = tls_write(tls, (const uint8_t *)piece->data + write->offset, size, sent, e);
        advance(queue, *sent);
    }
    queue->bytes -= *sent;
    return status;
}
