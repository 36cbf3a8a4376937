#include "tests/unit/lib/store/s3_fake.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/wire/crc32c.h"

#define CONNECTIONS_MAX 64
#define FAULTS_MAX 200
#define HEAD_BYTES_MAX ((size_t)64 * 1024)
#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct object {
    uint8_t *data;
    size_t size;
};

struct connection {
    struct s3_fake *fake;
    pthread_t thread;
    int fd;
};

struct s3_fake {
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct map objects;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
    struct s3_fake_fault faults[FAULTS_MAX];
    size_t fault_next;
    size_t fault_count;
    size_t page_keys;
    int requests[STORE_KINDS];
    int64_t bytes[STORE_KINDS];
    int unsigned_payloads;
};

/* One request as it came. */
struct asked {
    char method[16];
    char path[1024];
    char query[4096];
    int64_t from, to; /* range; to < 0: none */
    char sha256[65];
    char crc32c[16];
    struct buf body;
};

static void
object_free(void *value)
{
    struct object *object = value;

    if (object != NULL)
        free(object->data);
    free(object);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
answer(struct buf *out, const char *status, const void *body, size_t size)
{
    buf_printf(out, "HTTP/1.1 %s\r\ncontent-length: %zu\r\n\r\n", status, size);
    buf_append(out, body, size);
}

static void
answer_error(struct buf *out, const char *status, const char *code)
{
    char body[256];

    snprintf(body, sizeof body, "<?xml version=\"1.0\"?><Error><Code>%s</Code></Error>", code);
    answer(out, status, body, strlen(body));
}

static bool
is_unsigned(const struct asked *asked)
{
    return strcmp(asked->sha256, "UNSIGNED-PAYLOAD") == 0;
}

static bool
has_hash(const struct asked *asked)
{
    uint8_t hash[32];
    char hex[65];

    digest_compute(DIGEST_SHA256, asked->body.data, asked->body.size, hash);
    digest_hex(hash, sizeof hash, hex);
    return strcmp(hex, asked->sha256) == 0;
}

static bool
has_crc(const struct asked *asked)
{
    uint32_t crc = htonl(crc32c_of(asked->body.data, asked->body.size));
    struct buf text;
    bool same;

    buf_init(&text, sizeof asked->crc32c);
    digest_base64_encode(&crc, sizeof crc, &text);
    same = strcmp(buf_text(&text), asked->crc32c) == 0;
    buf_fini(&text);
    return same;
}

static void
do_put(struct s3_fake *fake, const struct asked *asked, const char *key, struct buf *out)
{
    struct object *object;

    if (!is_unsigned(asked) && !has_hash(asked)) {
        answer_error(out, "400 Bad Request", "XAmzContentSHA256Mismatch");
        return;
    }
    if (!has_crc(asked)) {
        answer_error(out, "400 Bad Request", "BadDigest");
        return;
    }
    object = xcalloc(1, sizeof *object);
    object->data =
        xmemdup(asked->body.size > 0 ? (const void *)asked->body.data : "", asked->body.size);
    object->size = asked->body.size;
    object_free(map_put_text(&fake->objects, key, object));
    fake->bytes[STORE_PUT] += (int64_t)object->size;
    answer(out, "200 OK", "", 0);
}

static void
do_get(struct s3_fake *fake, const struct asked *asked, const char *key, struct buf *out)
{
    struct object *object = map_get_text(&fake->objects, key);
    int64_t to = asked->to;

    if (object == NULL) {
        answer_error(out, "404 Not Found", "NoSuchKey");
    } else if (asked->from >= (int64_t)object->size) {
        answer_error(out, "416 Range Not Satisfiable", "InvalidRange");
    } else {
        if (to >= (int64_t)object->size)
            to = (int64_t)object->size - 1;
        fake->bytes[STORE_GET] += to + 1 - asked->from;
        answer(
            out, "206 Partial Content", object->data + asked->from, (size_t)(to + 1 - asked->from));
    }
}

static void
do_delete_many(struct s3_fake *fake, struct asked *asked, struct buf *out)
{
    const char *at = buf_text(&asked->body), *end;
    struct buf body;
    char key[1024];

    buf_init(&body, BODY_BYTES_MAX);
    buf_append_text(&body, "<DeleteResult xmlns=\"x\">\n");
    while ((at = strstr(at, "<Key>")) != NULL && (end = strstr(at, "</Key>")) != NULL) {
        snprintf(key, sizeof key, "%.*s", (int)(end - at - 5), at + 5);
        object_free(map_remove_text(&fake->objects, key));
        buf_printf(&body, "  <Deleted><Key>%s</Key></Deleted>\n", key);
        at = end;
    }
    buf_append_text(&body, "</DeleteResult>");
    answer(out, "200 OK", body.data, body.size);
    buf_fini(&body);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The token is the last key of the page before, escaped as the client must escape it back. */
static void
do_list(struct s3_fake *fake, const struct asked *asked, struct buf *out)
{
    const char *token = strstr(asked->query, "continuation-token=after%2F");
    const char **keys = xcalloc(map_count(&fake->objects) + 1, sizeof *keys);
    size_t position = 0, count = 0, told = 0;
    const void *key;
    struct buf body;
    char after[1024] = "";
    bool more = false;

    if (token != NULL)
        snprintf(after, sizeof after, "%.*s", (int)strcspn(token + 27, "&"), token + 27);
    while (map_next(&fake->objects, &position, &key, &(size_t){0}) != NULL)
        keys[count++] = key;
    qsort(keys, count, sizeof *keys, by_text);
    buf_init(&body, BODY_BYTES_MAX);
    buf_append_text(&body, "<ListBucketResult>");
    for (size_t i = 0; i < count && !more; i++) {
        const char *name = strrchr(keys[i], '/') + 1;

        if (strcmp(name, after) <= 0)
            continue;
        more = told++ == fake->page_keys;
        if (!more)
            buf_printf(&body, "<Contents><Key>%s</Key><Size>1</Size></Contents>", keys[i]);
        else
            buf_printf(&body, "<NextContinuationToken>after/%s</NextContinuationToken>",
                strrchr(keys[i - 1], '/') + 1);
    }
    buf_printf(&body, "<IsTruncated>%s</IsTruncated></ListBucketResult>", more ? "true" : "false");
    answer(out, "200 OK", body.data, body.size);
    buf_fini(&body);
    free(keys);
}

static enum store_kind
kind_of(const struct asked *asked)
{
    if (strcmp(asked->method, "PUT") == 0)
        return STORE_PUT;
    if (strcmp(asked->method, "GET") != 0)
        return STORE_DELETE;
    return strstr(asked->query, "list-type=2") != NULL ? STORE_LIST : STORE_GET;
}

/* The answer to a request, or true and the fault that comes in its place. */
static bool
serve(struct s3_fake *fake, struct asked *asked, struct buf *out, struct s3_fake_fault *fault)
{
    bool fails = fake->fault_next < fake->fault_count;
    const char *key = asked->path + strlen("/" S3_FAKE_BUCKET "/");
    enum store_kind kind = kind_of(asked);

    fake->requests[kind]++;
    fake->unsigned_payloads += is_unsigned(asked);
    if (fails)
        *fault = fake->faults[fake->fault_next++];
    if (fails && !fault->is_done)
        return true;
    if (strncmp(asked->path, "/" S3_FAKE_BUCKET, strlen("/" S3_FAKE_BUCKET)) != 0) {
        answer_error(out, "404 Not Found", "NoSuchBucket");
    } else if (kind == STORE_PUT) {
        do_put(fake, asked, key, out);
    } else if (kind == STORE_GET) {
        do_get(fake, asked, key, out);
    } else if (kind == STORE_LIST) {
        do_list(fake, asked, out);
    } else if (strcmp(asked->method, "POST") == 0) {
        do_delete_many(fake, asked, out);
    } else {
        object_free(map_remove_text(&fake->objects, key));
        answer(out, "204 No Content", "", 0);
    }
    return fails;
}

/* --- connections ------------------------------------------------------------------------------ */

static bool
send_all(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, (const uint8_t *)data + sent, size - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static void
fault_send(int fd, const struct s3_fake_fault *fault)
{
    char byte;

    if (!send_all(fd, fault->text, strlen(fault->text)))
        return;
    while (fault->endless != NULL && send_all(fd, fault->endless, strlen(fault->endless)))
        ;
    while (fault->hangs && recv(fd, &byte, 1, 0) > 0)
        ;
}

static void
head_read(struct asked *asked, const char *head, size_t *body_bytes)
{
    const char *line;
    char url[4096] = "", *question;

    (void)sscanf(head, "%15s %4095s", asked->method, url);
    question = strchr(url, '?');
    snprintf(asked->query, sizeof asked->query, "%s", question != NULL ? question + 1 : "");
    if (question != NULL)
        *question = '\0';
    snprintf(asked->path, sizeof asked->path, "%.1000s", url);
    asked->from = 0;
    asked->to = -1;
    line = strcasestr(head, "\r\nrange: bytes=");
    if (line != NULL)
        (void)sscanf(line + 15, "%" SCNd64 "-%" SCNd64, &asked->from, &asked->to);
    line = strcasestr(head, "\r\nx-amz-content-sha256: ");
    if (line != NULL)
        (void)sscanf(line + 24, "%64s", asked->sha256);
    asked->crc32c[0] = '\0';
    line = strcasestr(head, "\r\nx-amz-checksum-crc32c: ");
    if (line != NULL)
        (void)sscanf(line + 25, "%15s", asked->crc32c);
    line = strcasestr(head, "\r\ncontent-length: ");
    *body_bytes = line != NULL ? strtoul(line + 18, NULL, 10) : 0;
}

/* Reads one request; false at the end of the connection. `in` keeps what came behind it. */
static bool
asked_read(int fd, struct buf *in, struct asked *asked)
{
    const char *end;
    size_t head_bytes, body_bytes;
    uint8_t part[65536];
    ssize_t n = 1;

    while ((end = strstr(buf_text(in), "\r\n\r\n")) == NULL && n > 0) {
        n = recv(fd, part, sizeof part, 0);
        if (n > 0)
            buf_append(in, part, (size_t)n);
    }
    if (end == NULL)
        return false;
    head_bytes = (size_t)(end - (const char *)in->data) + 4;
    head_read(asked, (const char *)in->data, &body_bytes);
    while (in->size < head_bytes + body_bytes && n > 0) {
        n = recv(fd, part, sizeof part, 0);
        if (n > 0)
            buf_append(in, part, (size_t)n);
    }
    if (in->size < head_bytes + body_bytes)
        return false;
    buf_clear(&asked->body);
    buf_append(&asked->body, in->data + head_bytes, body_bytes);
    buf_consume(in, head_bytes + body_bytes);
    return true;
}

static void *
connection_main(void *arg)
{
    struct connection *c = arg;
    struct s3_fake_fault fault;
    bool fails = false;
    struct asked *asked = xcalloc(1, sizeof *asked);
    struct buf in, out;

    buf_init(&in, HEAD_BYTES_MAX + BODY_BYTES_MAX);
    buf_init(&out, BODY_BYTES_MAX);
    buf_init(&asked->body, BODY_BYTES_MAX);
    while (!fails && asked_read(c->fd, &in, asked)) {
        buf_clear(&out);
        pthread_mutex_lock(&c->fake->mutex);
        fails = serve(c->fake, asked, &out, &fault);
        pthread_mutex_unlock(&c->fake->mutex);
        if (fails)
            fault_send(c->fd, &fault);
        else if (!send_all(c->fd, out.data, out.size))
            break;
    }
    (void)shutdown(c->fd, SHUT_RDWR);
    buf_fini(&in);
    buf_fini(&out);
    buf_fini(&asked->body);
    free(asked);
    return NULL;
}

static void *
accept_main(void *arg)
{
    struct s3_fake *fake = arg;
    int fd;

    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        struct connection *c = &fake->connections[fake->connection_count];

        REQUIRE(fake->connection_count < CONNECTIONS_MAX);
        *c = (struct connection){.fake = fake, .fd = fd};
        REQUIRE(pthread_create(&c->thread, NULL, connection_main, c) == 0);
        fake->connection_count++;
    }
    return NULL;
}

struct s3_fake *
s3_fake_new(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct s3_fake *fake = xcalloc(1, sizeof *fake);
    socklen_t size = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->page_keys = 1000;
    map_init(&fake->objects);
    REQUIRE(pthread_mutex_init(&fake->mutex, NULL) == 0);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(fake->listener, (struct sockaddr *)(void *)&address, sizeof address) == 0);
    REQUIRE(listen(fake->listener, 16) == 0);
    REQUIRE(getsockname(fake->listener, (struct sockaddr *)(void *)&address, &size) == 0);
    fake->port = ntohs(address.sin_port);
    REQUIRE(pthread_create(&fake->thread, NULL, accept_main, fake) == 0);
    return fake;
}

void
s3_fake_free(struct s3_fake *fake)
{
    if (fake == NULL)
        return;
    (void)shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    (void)close(fake->listener);
    for (size_t i = 0; i < fake->connection_count; i++) {
        (void)shutdown(fake->connections[i].fd, SHUT_RDWR);
        pthread_join(fake->connections[i].thread, NULL);
        (void)close(fake->connections[i].fd);
    }
    map_fini(&fake->objects, object_free);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
}

int
s3_fake_port(const struct s3_fake *fake)
{
    return fake->port;
}

void
s3_fake_script(struct s3_fake *fake, const struct s3_fake_fault *faults, size_t count)
{
    pthread_mutex_lock(&fake->mutex);
    REQUIRE(count <= FAULTS_MAX);
    for (size_t i = 0; i < count; i++)
        fake->faults[i] = faults[i];
    fake->fault_next = 0;
    fake->fault_count = count;
    pthread_mutex_unlock(&fake->mutex);
}

void
s3_fake_page(struct s3_fake *fake, size_t keys)
{
    pthread_mutex_lock(&fake->mutex);
    fake->page_keys = keys;
    pthread_mutex_unlock(&fake->mutex);
}

int
s3_fake_requests(struct s3_fake *fake, enum store_kind kind)
{
    int count;

    pthread_mutex_lock(&fake->mutex);
    count = fake->requests[kind];
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

int
s3_fake_unsigned(struct s3_fake *fake)
{
    int count;

    pthread_mutex_lock(&fake->mutex);
    count = fake->unsigned_payloads;
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

int64_t
s3_fake_bytes(struct s3_fake *fake, enum store_kind kind)
{
    int64_t bytes;

    pthread_mutex_lock(&fake->mutex);
    bytes = fake->bytes[kind];
    pthread_mutex_unlock(&fake->mutex);
    return bytes;
}
