#include "lib/net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* The owner and the thread hold it both; the last one frees it. */
struct resolve {
    struct loop *loop;
    char *host;
    uint16_t port;
    resolve_fn *fn;
    void *arg;
    struct loop_task task;

    pthread_mutex_t lock; /* guards `canceled` and holders, and orders what follows */
    bool canceled;
    int holders;
    enum rc rc;
    size_t count;
    struct err err;
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
};

static atomic_int threads;

/* The host without brackets, in memory of the caller's. */
static char *
host_dup(const char *host)
{
    size_t size = strlen(host);

    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    return xmemdup(host, size);
}

static enum rc
lookup(const char *host, uint16_t port, int flags, struct resolve_address *addresses, size_t *count,
    struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    char service[8];
    int status;

    snprintf(service, sizeof service, "%u", port);
    *count = 0;
    status = getaddrinfo(host, service, &hints, &list);
    if (status != 0)
        return err_set(e, RC_IO, "host %s is unknown (%s)", host, gai_strerror(status));
    for (struct addrinfo *at = list; at != NULL && *count < RESOLVE_ADDRESSES_MAX;
         at = at->ai_next) {
        struct resolve_address *address = &addresses[*count];

        if (at->ai_addrlen > sizeof address->at)
            continue;
        address->size = at->ai_addrlen;
        memcpy(&address->at, at->ai_addr, at->ai_addrlen);
        ++*count;
    }
    freeaddrinfo(list);
    if (*count == 0)
        return err_set(e, RC_IO, "host %s has no address", host);
    return RC_OK;
}

static void
drop(struct resolve *resolve)
{
    bool last;

    pthread_mutex_lock(&resolve->lock);
    last = --resolve->holders == 0;
    pthread_mutex_unlock(&resolve->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&resolve->lock);
    free(resolve->host);
    free(resolve);
}

/* On the loop's thread, when the answer is there. */
static void
on_answer(void *arg)
{
    struct resolve *resolve = arg;

    resolve->fn(resolve->arg, resolve->rc, resolve->addresses, resolve->count, &resolve->err);
    drop(resolve);
}

static void *
lookup_run(void *arg)
{
    struct resolve *resolve = arg;

    resolve->rc =
        lookup(resolve->host, resolve->port, 0, resolve->addresses, &resolve->count, &resolve->err);
    /* Under the lock, because the loop may be gone as soon as resolve_cancel has returned. */
    pthread_mutex_lock(&resolve->lock);
    if (!resolve->canceled)
        loop_post(resolve->loop, &resolve->task);
    pthread_mutex_unlock(&resolve->lock);
    drop(resolve);
    atomic_fetch_sub(&threads, 1);
    return NULL;
}

/* Once it runs, the thread owns the result. */
static enum rc
thread_start(struct resolve *resolve, struct err *e)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int status;

    if (atomic_fetch_add(&threads, 1) >= RESOLVE_THREADS_MAX) {
        atomic_fetch_sub(&threads, 1);
        return err_set(
            e, RC_LIMIT, "%d host names are being looked up already", RESOLVE_THREADS_MAX);
    }
    REQUIRE(pthread_attr_init(&attributes) == 0);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    resolve->holders++;
    status = pthread_create(&thread, &attributes, lookup_run, resolve);
    pthread_attr_destroy(&attributes);
    if (status == 0)
        return RC_OK;
    resolve->holders--;
    atomic_fetch_sub(&threads, 1);
    return err_set_errno(e, RC_IO, status, "cannot look up host %s", resolve->host);
}

struct resolve *
resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_fn *fn, void *arg)
{
    struct resolve *resolve = xcalloc(1, sizeof *resolve);
    struct err e = {.code = RC_OK};
    enum rc rc;

    REQUIRE(pthread_mutex_init(&resolve->lock, NULL) == 0);
    resolve->loop = loop;
    resolve->host = host_dup(host);
    resolve->port = port;
    resolve->fn = fn;
    resolve->arg = arg;
    resolve->holders = 1;
    resolve->task.fn = on_answer;
    resolve->task.arg = resolve;
    rc = lookup(resolve->host, port, AI_NUMERICHOST, resolve->addresses, &resolve->count, &e);
    if (rc != RC_OK && thread_start(resolve, &e) == RC_OK)
        return resolve;
    resolve->rc = rc == RC_OK ? RC_OK : e.code;
    resolve->err = e;
    loop_post(loop, &resolve->task);
    return resolve;
}

void
resolve_cancel(struct resolve *resolve)
{
    if (resolve == NULL)
        return;
    pthread_mutex_lock(&resolve->lock);
    resolve->canceled = true;
    pthread_mutex_unlock(&resolve->lock);
    loop_task_cancel(resolve->loop, &resolve->task);
    drop(resolve);
}

enum rc
resolve_now(const char *host, uint16_t port, struct resolve_address *addresses, size_t *count,
    struct err *e)
{
    char *bare = host_dup(host);
    enum rc rc = lookup(bare, port, AI_PASSIVE, addresses, count, e);

    free(bare);
    return rc;
}

void
resolve_address_text(const struct resolve_address *address, char *out)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->at.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address->at.ipv6.sin6_addr, host, sizeof host);
        snprintf(out, RESOLVE_TEXT_MAX, "[%s]:%u", host, ntohs(address->at.ipv6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address->at.ipv4.sin_addr, host, sizeof host);
        snprintf(out, RESOLVE_TEXT_MAX, "%s:%u", host, ntohs(address->at.ipv4.sin_port));
    }
}
