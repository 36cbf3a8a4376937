/*
 * put_loop: what an S3 server takes by itself: objects of one size, several PUTs at a time, one
 * after another.
 *
 *   put_loop ENDPOINT BUCKET REGION OBJECT_BYTES PARALLEL SECONDS
 *
 * libcurl on one thread, with connections that are kept. Requests are signed (the keys are those of
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and their payloads are not, which is the least that
 * a client can do. The same PARALLEL names are written again and again. Prints figures as
 * "metric<TAB>unit<TAB>value": bytes of objects that the server said it has, per second, its
 * answers' latencies, and the client's own CPU seconds.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/bench/bare_file.h"
#include "tests/bench/measure.h"

#define PARALLEL_MAX 64
#define PUTS_MAX 1000000
#define WAIT_MS 100

struct put {
    CURL *handle;
    const uint8_t *data;
    size_t at;
    int64_t started_us;
};

struct loop {
    CURLM *multi;
    struct curl_slist *headers;
    struct put puts[PARALLEL_MAX];
    const uint8_t *data;
    size_t object_bytes;
    int64_t *times;
    size_t count;
    int under_way;
};

static size_t
give(char *out, size_t size, size_t count, void *arg)
{
    struct put *put = arg;

    memcpy(out, put->data + put->at, size * count);
    put->at += size * count;
    return size * count;
}

static size_t
take(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static void
set(struct put *put, CURLoption option, const char *value)
{
    REQUIRE(curl_easy_setopt(put->handle, option, value) == CURLE_OK);
}

/* Which libcurl signs, once it stands there: the payload is not hashed. */
static struct curl_slist *
headers_make(void)
{
    struct curl_slist *headers = curl_slist_append(NULL, "x-amz-content-sha256: UNSIGNED-PAYLOAD");

    REQUIRE(headers != NULL);
    return headers;
}

static void
put_make(struct loop *loop, struct put *put, int number, char **argument)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    char *text;

    put->handle = curl_easy_init();
    put->data = loop->data;
    REQUIRE(put->handle != NULL && id != NULL && secret != NULL);
    text = xasprintf("%s/%s/put-loop-%d", argument[1], argument[2], number);
    set(put, CURLOPT_URL, text);
    free(text);
    text = xasprintf("aws:amz:%s:s3", argument[3]);
    set(put, CURLOPT_AWS_SIGV4, text);
    free(text);
    text = xasprintf("%s:%s", id, secret);
    set(put, CURLOPT_USERPWD, text);
    free(text);
    set(put, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(put->handle, CURLOPT_HTTPHEADER, loop->headers);
    curl_easy_setopt(put->handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(put->handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)loop->object_bytes);
    curl_easy_setopt(put->handle, CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
    curl_easy_setopt(put->handle, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(put->handle, CURLOPT_READDATA, put);
    curl_easy_setopt(put->handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(put->handle, CURLOPT_PRIVATE, put);
}

static void
put_start(struct loop *loop, struct put *put)
{
    put->at = 0;
    put->started_us = measure_now_us();
    REQUIRE(curl_multi_add_handle(loop->multi, put->handle) == CURLM_OK);
    loop->under_way++;
}

static void
put_end(struct loop *loop, const CURLMsg *message)
{
    struct put *put;
    long status = 0;

    REQUIRE(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &put) == CURLE_OK);
    curl_easy_getinfo(put->handle, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result != CURLE_OK || status != 200) {
        fprintf(
            stderr, "put_loop: %s, status %ld\n", curl_easy_strerror(message->data.result), status);
        exit(1);
    }
    curl_multi_remove_handle(loop->multi, put->handle);
    loop->under_way--;
    if (loop->count < PUTS_MAX)
        loop->times[loop->count++] = measure_now_us() - put->started_us;
}

/* Until the time is over and no request is under way. */
static void
run(struct loop *loop, int64_t end)
{
    while (loop->under_way > 0) {
        CURLMsg *message;
        int left;

        REQUIRE(curl_multi_perform(loop->multi, &left) == CURLM_OK);
        while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
            struct put *put;

            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &put);
            put_end(loop, message);
            if (measure_now_us() < end)
                put_start(loop, put);
        }
        curl_multi_poll(loop->multi, NULL, 0, WAIT_MS, NULL);
    }
}

int
main(int argc, char **argv)
{
    static struct loop loop;
    struct rusage usage;
    int64_t started;
    double seconds;
    int parallel;

    if (argc != 7) {
        fprintf(stderr, "usage: put_loop ENDPOINT BUCKET REGION OBJECT_BYTES PARALLEL SECONDS\n");
        return 2;
    }
    loop.object_bytes = strtoull(argv[4], NULL, 10);
    parallel = (int)strtol(argv[5], NULL, 10);
    REQUIRE(loop.object_bytes % BARE_FILE_ALIGN_BYTES == 0 && parallel <= PARALLEL_MAX);
    loop.data = bare_file_noise(loop.object_bytes);
    loop.times = xcalloc(PUTS_MAX, sizeof *loop.times);
    REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    loop.multi = curl_multi_init();
    REQUIRE(loop.multi != NULL);
    loop.headers = headers_make();
    started = measure_now_us();
    for (int i = 0; i < parallel; i++) {
        put_make(&loop, &loop.puts[i], i, argv);
        put_start(&loop, &loop.puts[i]);
    }
    run(&loop, started + (int64_t)(strtod(argv[6], NULL) * 1e6));
    seconds = (double)(measure_now_us() - started) / 1e6;
    REQUIRE(loop.count > 0 && getrusage(RUSAGE_SELF, &usage) == 0);
    printf(
        "throughput\tMB/s\t%.1f\n", (double)loop.count * (double)loop.object_bytes / seconds / 1e6);
    measure_print_latencies(loop.times, loop.count);
    printf("client's CPU\ts/GB\t%.3f\n",
        measure_cpu_seconds(&usage) / ((double)loop.count * (double)loop.object_bytes / 1e9));
    return 0;
}
