/*
 * put_loop: what an S3 server takes by itself: objects of one size, several PUTs at a time, one
 * after another.
 *
 *   put_loop ENDPOINT BUCKET REGION OBJECT_BYTES KEPT_BYTES PARALLEL SECONDS
 *
 * libcurl on one thread, with connections that are kept. Requests are signed (the keys are those of
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and their payloads are not, which is the least that
 * a client can do; they bring a CRC-32C, as refbroker's do (without one the server makes a slower
 * one). Each object has a name of its own, and an old one is removed for each that comes once there
 * are KEPT_BYTES: objects that are replaced before they reach the disk would cost less than those
 * of a log. Prints figures as "metric<TAB>unit<TAB>value": bytes of objects that the server said it
 * has, per second, its answers' latencies, and the client's own CPU seconds.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "tests/bench/bare_file.h"
#include "tests/bench/measure.h"

#define PARALLEL_MAX 64
#define PUTS_MAX 1000000
#define WAIT_MS 100

/* One of the PARALLEL; in turn an object is put and an old one removed. */
struct put {
    CURL *handle;
    CURL *remove;
    const uint8_t *data;
    size_t at;
    size_t number; /* of the object */
    int64_t started_us;
};

struct loop {
    CURLM *multi;
    struct curl_slist *put_headers;
    struct curl_slist *remove_headers;
    struct put puts[PARALLEL_MAX];
    const char *bucket; /* its URL */
    const uint8_t *data;
    size_t object_bytes;
    size_t kept;    /* objects */
    size_t started; /* objects */
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
set(CURL *handle, CURLoption option, const char *value)
{
    REQUIRE(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

/* Which libcurl signs, once it stands there: the payload is not hashed. */
static struct curl_slist *
headers_make(const char *checksum)
{
    struct curl_slist *headers = curl_slist_append(NULL, "x-amz-content-sha256: UNSIGNED-PAYLOAD");

    if (headers != NULL && checksum != NULL)
        headers = curl_slist_append(headers, checksum);
    REQUIRE(headers != NULL);
    return headers;
}

/* The header with the objects' checksum; they are all alike. */
static char *
checksum_make(const struct loop *loop)
{
    uint32_t crc = crc32c_of(loop->data, loop->object_bytes);
    uint8_t bytes[4];
    struct buf text;
    char *header;

    codec_bytes_put_int32(bytes, (int32_t)crc);
    buf_init(&text, 64);
    digest_base64_encode(bytes, sizeof bytes, &text);
    header = xasprintf("x-amz-checksum-crc32c: %s", buf_text(&text));
    buf_fini(&text);
    return header;
}

static CURL *
handle_make(struct put *put, struct curl_slist *headers, const char *region)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    CURL *handle = curl_easy_init();
    char *text;

    REQUIRE(handle != NULL && id != NULL && secret != NULL);
    text = xasprintf("aws:amz:%s:s3", region);
    set(handle, CURLOPT_AWS_SIGV4, text);
    free(text);
    text = xasprintf("%s:%s", id, secret);
    set(handle, CURLOPT_USERPWD, text);
    free(text);
    set(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, put);
    return handle;
}

static void
put_make(struct loop *loop, struct put *put, const char *region)
{
    put->data = loop->data;
    put->handle = handle_make(put, loop->put_headers, region);
    curl_easy_setopt(put->handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(put->handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)loop->object_bytes);
    curl_easy_setopt(put->handle, CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
    curl_easy_setopt(put->handle, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(put->handle, CURLOPT_READDATA, put);
    put->remove = handle_make(put, loop->remove_headers, region);
    set(put->remove, CURLOPT_CUSTOMREQUEST, "DELETE");
}

static void
request_start(struct loop *loop, CURL *handle, size_t number)
{
    char *url = xasprintf("%s/put-loop-%zu", loop->bucket, number);

    set(handle, CURLOPT_URL, url);
    free(url);
    REQUIRE(curl_multi_add_handle(loop->multi, handle) == CURLM_OK);
    loop->under_way++;
}

static void
put_start(struct loop *loop, struct put *put)
{
    put->at = 0;
    put->number = loop->started++;
    put->started_us = measure_now_us();
    request_start(loop, put->handle, put->number);
}

/* What comes after a request that has ended; nothing more once `over`. */
static void
request_end(struct loop *loop, const CURLMsg *message, bool over)
{
    CURL *handle = message->easy_handle;
    struct put *put;
    long status = 0;
    bool removed;

    REQUIRE(curl_easy_getinfo(handle, CURLINFO_PRIVATE, &put) == CURLE_OK);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    removed = handle == put->remove;
    if (message->data.result != CURLE_OK || status != (removed ? 204 : 200)) {
        fprintf(
            stderr, "put_loop: %s, status %ld\n", curl_easy_strerror(message->data.result), status);
        exit(1);
    }
    curl_multi_remove_handle(loop->multi, handle);
    loop->under_way--;
    if (!removed && loop->count < PUTS_MAX)
        loop->times[loop->count++] = measure_now_us() - put->started_us;
    if (over)
        return;
    if (!removed && put->number >= loop->kept)
        request_start(loop, put->remove, put->number - loop->kept);
    else
        put_start(loop, put);
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
            if (message->msg == CURLMSG_DONE)
                request_end(loop, message, measure_now_us() >= end);
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

    if (argc != 8 || getenv("AWS_ACCESS_KEY_ID") == NULL ||
        getenv("AWS_SECRET_ACCESS_KEY") == NULL) {
        fprintf(stderr, "usage: put_loop ENDPOINT BUCKET REGION OBJECT_BYTES KEPT_BYTES PARALLEL "
                        "SECONDS, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n");
        return 2;
    }
    loop.bucket = xasprintf("%s/%s", argv[1], argv[2]);
    loop.object_bytes = strtoull(argv[4], NULL, 10);
    loop.kept = strtoull(argv[5], NULL, 10) / loop.object_bytes;
    parallel = (int)strtol(argv[6], NULL, 10);
    REQUIRE(loop.object_bytes % BARE_FILE_ALIGN_BYTES == 0 && parallel <= PARALLEL_MAX);
    loop.data = bare_file_noise(loop.object_bytes);
    loop.times = xcalloc(PUTS_MAX, sizeof *loop.times);
    REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    loop.multi = curl_multi_init();
    REQUIRE(loop.multi != NULL);
    loop.put_headers = headers_make(checksum_make(&loop));
    loop.remove_headers = headers_make(NULL);
    started = measure_now_us();
    for (int i = 0; i < parallel; i++) {
        put_make(&loop, &loop.puts[i], argv[3]);
        put_start(&loop, &loop.puts[i]);
    }
    run(&loop, started + (int64_t)(strtod(argv[7], NULL) * 1e6));
    seconds = (double)(measure_now_us() - started) / 1e6;
    REQUIRE(loop.count > 0 && getrusage(RUSAGE_SELF, &usage) == 0);
    printf(
        "throughput\tMB/s\t%.1f\n", (double)loop.count * (double)loop.object_bytes / seconds / 1e6);
    measure_print_latencies(loop.times, loop.count);
    printf("client's CPU\ts/GB\t%.3f\n",
        measure_cpu_seconds(&usage) / ((double)loop.count * (double)loop.object_bytes / 1e9));
    return 0;
}
