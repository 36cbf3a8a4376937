#include "lib/store/s3_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"

#define CONNECT_MS_MAX 3000
#define POLL_MS_MAX 10000
#define UPLOAD_BUFFER_BYTES (512L * 1024)

/* A request on its way; it lies on the stack of the thread that waits for it. */
struct transfer {
    struct list_node node; /* in `queued`, then in `running` */
    struct s3_http_request *request;
    CURL *easy;
    struct curl_slist *headers;
    struct pieces_cursor body;
    size_t headers_bytes;
    bool does_not_fit;
    char why[CURL_ERROR_SIZE];
    bool ended; /* under the mutex */
    enum rc rc;
    struct err err;
};

struct s3_http {
    CURLM *multi;
    pthread_t thread;
    struct list running; /* the thread's own */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a transfer ended, or everything is canceled */
    struct list queued;
    bool canceled;
    bool stopping;
};

/* --- what curl calls, on the thread ----------------------------------------------------------- */

static size_t
body_read(char *to, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;

    return pieces_read(&t->body, to, size * count);
}

/* Where a kept connection turns out to be closed, curl sends anew. */
static int
body_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > t->request->body->size)
        return CURL_SEEKFUNC_FAIL;
    pieces_seek(&t->body, t->request->body, (size_t)offset);
    return CURL_SEEKFUNC_OK;
}

static size_t
answer_write(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    struct s3_http_request *request = t->request;
    size_t part = size * count;
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 206 && request->into != NULL) {
        if (part > request->into_size - request->into_got) {
            t->does_not_fit = true;
            return 0;
        }
        memcpy((uint8_t *)request->into + request->into_got, data, part);
        request->into_got += part;
        return part;
    }
    buf_append(request->answer, data, part);
    t->does_not_fit = buf_is_overflowed(request->answer);
    return t->does_not_fit ? 0 : part;
}

static size_t
header_count(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;

    (void)data;
    t->headers_bytes += size * count;
    t->does_not_fit = t->headers_bytes > S3_HTTP_HEADERS_BYTES_MAX;
    return t->does_not_fit ? 0 : size * count;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void
transfer_end(struct s3_http *http, struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    pthread_mutex_lock(&http->mutex);
    t->ended = true;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->mutex);
}

static bool
headers_make(struct transfer *t)
{
    /* Without this curl waits a second for a server's leave to send a body. */
    struct curl_slist *longer = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; longer != NULL && i < t->request->header_count; i++) {
        t->headers = longer;
        longer = curl_slist_append(longer, t->request->headers[i]);
    }
    if (longer == NULL)
        return false;
    t->headers = longer;
    return true;
}

#define SET(option, value) (curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool
transfer_prepare(struct transfer *t)
{
    const struct s3_http_request *request = t->request;
    bool well;

    t->easy = curl_easy_init();
    if (t->easy == NULL || !headers_make(t))
        return false;
    well = SET(CURLOPT_URL, request->url) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PATH_AS_IS, 1L) &&
           SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_ERRORBUFFER, t->why) &&
           SET(CURLOPT_PRIVATE, t) && SET(CURLOPT_WRITEFUNCTION, answer_write) &&
           SET(CURLOPT_WRITEDATA, t) && SET(CURLOPT_HEADERFUNCTION, header_count) &&
           SET(CURLOPT_HEADERDATA, t) && SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS_MAX) &&
           SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) && SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
           SET(CURLOPT_LOW_SPEED_TIME, (long)(request->stall_ms / 1000));
    if (well && request->body != NULL) {
        pieces_seek(&t->body, request->body, 0);
        well = SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES) &&
               SET(CURLOPT_READFUNCTION, body_read) && SET(CURLOPT_READDATA, t) &&
               SET(CURLOPT_SEEKFUNCTION, body_seek) && SET(CURLOPT_SEEKDATA, t) &&
               SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body->size);
    }
    return well && SET(CURLOPT_CUSTOMREQUEST, request->method);
}

#undef SET

static void
transfer_start(struct s3_http *http, struct transfer *t)
{
    if (transfer_prepare(t) && curl_multi_add_handle(http->multi, t->easy) == CURLM_OK) {
        list_push_back(&http->running, &t->node);
        return;
    }
    t->rc = err_set(&t->err, RC_LIMIT, "no memory for a request");
    transfer_end(http, t);
}

static void
counts_read(struct transfer *t)
{
    struct s3_http_request *request = t->request;
    curl_off_t sent = 0;
    long status = 0, request_size = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_size);
    (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    request->status = (int)status;
    request->was_sent = request_size > 0;
    request->body_bytes_sent = sent;
}

static void
transfer_leave(struct s3_http *http, struct transfer *t)
{
    counts_read(t);
    (void)curl_multi_remove_handle(http->multi, t->easy);
    list_remove(&http->running, &t->node);
    transfer_end(http, t);
}

static void
transfer_finish(struct s3_http *http, struct transfer *t, CURLcode code)
{
    const char *why = *t->why != '\0' ? t->why : curl_easy_strerror(code);

    t->rc = RC_OK;
    if (t->does_not_fit)
        t->rc = err_set(&t->err, RC_LIMIT, "the answer is larger than it may be");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        t->rc = err_set(&t->err, RC_TIMEOUT, "%s", why);
    else if (code != CURLE_OK)
        t->rc = err_set(&t->err, RC_CLOSED, "%s", why);
    transfer_leave(http, t);
}

static void
finished_reap(struct s3_http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct transfer *t = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        transfer_finish(http, t, code);
    }
}

static void
running_cancel(struct s3_http *http)
{
    while (!list_is_empty(&http->running)) {
        struct transfer *t = list_of(list_first(&http->running), struct transfer, node);

        t->rc = err_set(&t->err, RC_CANCELED, "the program ends");
        transfer_leave(http, t);
    }
}

static void *
thread_main(void *arg)
{
    struct s3_http *http = arg;
    bool stopping = false;
    int running;

    while (!stopping) {
        struct list_node *node;
        bool canceled;

        do {
            pthread_mutex_lock(&http->mutex);
            node = list_pop(&http->queued);
            canceled = http->canceled;
            stopping = http->stopping;
            pthread_mutex_unlock(&http->mutex);
            if (node != NULL)
                transfer_start(http, list_of(node, struct transfer, node));
        } while (node != NULL);
        if (canceled)
            running_cancel(http);
        (void)curl_multi_perform(http->multi, &running);
        finished_reap(http);
        if (!stopping)
            (void)curl_multi_poll(http->multi, NULL, 0, POLL_MS_MAX, NULL);
    }
    return NULL;
}

/* --- the other threads ------------------------------------------------------------------------ */

enum rc
s3_http_run(struct s3_http *http, struct s3_http_request *request, struct err *e)
{
    struct transfer t = {.request = request};

    request->status = 0;
    request->into_got = 0;
    request->was_sent = false;
    request->body_bytes_sent = 0;
    pthread_mutex_lock(&http->mutex);
    if (http->canceled) {
        pthread_mutex_unlock(&http->mutex);
        return err_set(e, RC_CANCELED, "the program ends");
    }
    list_push_back(&http->queued, &t.node);
    (void)curl_multi_wakeup(http->multi);
    while (!t.ended)
        pthread_cond_wait(&http->changed, &http->mutex);
    pthread_mutex_unlock(&http->mutex);
    if (t.rc != RC_OK && e != NULL)
        *e = t.err;
    return t.rc;
}

enum rc
s3_http_pause(struct s3_http *http, int64_t ms, struct err *e)
{
    struct timespec until;
    bool canceled;
    int waited = 0;

    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&http->mutex);
    while (!http->canceled && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&http->changed, &http->mutex, &until);
    canceled = http->canceled;
    pthread_mutex_unlock(&http->mutex);
    return canceled ? err_set(e, RC_CANCELED, "the program ends") : RC_OK;
}

void
s3_http_cancel(struct s3_http *http)
{
    pthread_mutex_lock(&http->mutex);
    http->canceled = true;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->mutex);
    (void)curl_multi_wakeup(http->multi);
}

/* Curl's own preparation, once for the process; it has no other user here. */
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static CURLcode prepared_code;

static void
prepare(void)
{
    prepared_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum rc
s3_http_new(struct s3_http **out, struct err *e)
{
    struct s3_http *http = xcalloc(1, sizeof *http);
    pthread_condattr_t clock;

    REQUIRE(pthread_once(&prepared, prepare) == 0);
    list_init(&http->running);
    list_init(&http->queued);
    REQUIRE(pthread_mutex_init(&http->mutex, NULL) == 0);
    REQUIRE(pthread_condattr_init(&clock) == 0);
    REQUIRE(pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0);
    REQUIRE(pthread_cond_init(&http->changed, &clock) == 0);
    pthread_condattr_destroy(&clock);
    http->multi = prepared_code == CURLE_OK ? curl_multi_init() : NULL;
    if (http->multi != NULL && pthread_create(&http->thread, NULL, thread_main, http) == 0) {
        *out = http;
        return RC_OK;
    }
    (void)curl_multi_cleanup(http->multi);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->mutex);
    free(http);
    return err_set(e, RC_LIMIT, "curl cannot be started");
}

void
s3_http_free(struct s3_http *http)
{
    if (http == NULL)
        return;
    pthread_mutex_lock(&http->mutex);
    http->stopping = true;
    pthread_mutex_unlock(&http->mutex);
    (void)curl_multi_wakeup(http->multi);
    pthread_join(http->thread, NULL);
    (void)curl_multi_cleanup(http->multi);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->mutex);
    free(http);
}
