#include "lib/store/s3_client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/store/s3_credentials.h"
#include "lib/store/s3_http.h"
#include "lib/store/s3_sign.h"
#include "lib/store/s3_xml.h"
#include "lib/wire/crc32c.h"

#define ANSWER_BYTES_MAX ((size_t)8 * 1024 * 1024) /* a list of 1,000 keys has less than one */
#define STALL_MS 10000
#define BODY_BYTES_PER_MS 1000 /* no slower: a body may take longer for its size */
#define HEADERS_MAX 8
#define HASH_BYTES 32
#define UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD" /* where a hash would be */

#define TELL_AFTER_MS 1000
#define TELL_CHANGED_MS 5000
#define TELL_AGAIN_MS 60000

#define PAUSE_MS 50
#define PAUSE_BUSY_MS 500
#define PAUSE_MEND_MS 1000

struct s3_client {
    struct s3_url url;
    struct env *env;
    struct store *store;
    int64_t deadline_ms;
    struct s3_http *http;
    pthread_mutex_t mutex; /* of what follows */
    struct s3_credentials credentials;
    bool is_away;
    int64_t away_since_ms;
    int64_t failed_ms[STORE_KINDS]; /* last, of each kind that fails; 0: it does not */
    int64_t told_ms;
    char told[64]; /* the reason in the line that was logged last */
};

/* Why an attempt failed. */
struct trouble {
    char reason[64]; /* S3's code, or ours where there is none */
    char text[288];
    int64_t pause_ms; /* the first one */
    bool is_to_be_mended;
};

/* Codes for which there is advice; all but the last rows are for people. */
static const struct advice {
    const char *code;
    const char *what;
    int64_t pause_ms;
} advices[] = {
#define KEYS                                                                                       \
    "the keys are refused: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or their file"
#define PLACE "endpoint or region of the store is not this bucket's"
    {"InvalidAccessKeyId", KEYS, PAUSE_MEND_MS},
    {"SignatureDoesNotMatch", KEYS, PAUSE_MEND_MS},
    {"AccessDenied", "the keys do not allow this; look at the bucket's rights", PAUSE_MEND_MS},
    {"ExpiredToken", "the session has ended: set a new AWS_SESSION_TOKEN", PAUSE_MEND_MS},
    {"InvalidToken", KEYS, PAUSE_MEND_MS},
    {"NoSuchBucket", "make the bucket, or name another one", PAUSE_MEND_MS},
    {"AuthorizationHeaderMalformed", PLACE, PAUSE_MEND_MS},
    {"PermanentRedirect", PLACE, PAUSE_MEND_MS},
    {"TemporaryRedirect", PLACE, PAUSE_MEND_MS},
    {"RequestTimeTooSkewed", "set this machine's clock", PAUSE_MEND_MS},
    {"SlowDown", "the server has too much to do", PAUSE_BUSY_MS},
    {"ServiceUnavailable", "the server has too much to do", PAUSE_BUSY_MS},
#undef KEYS
#undef PLACE
};

/* --- what went wrong -------------------------------------------------------------------------- */

struct error_texts {
    char code[64];
    char message[128];
};

static void
error_text(void *arg, const char *place, const char *text)
{
    struct error_texts *texts = arg;

    if (strcmp(place, "Error/Code") == 0)
        snprintf(texts->code, sizeof texts->code, "%.63s", text);
    else if (strcmp(place, "Error/Message") == 0)
        snprintf(texts->message, sizeof texts->message, "%.127s", text);
}

/* Nobody answered, or what came is no answer. */
static void
trouble_of_err(struct trouble *trouble, const struct err *e)
{
    *trouble = (struct trouble){.pause_ms = PAUSE_MS};
    snprintf(trouble->reason, sizeof trouble->reason, "%s", err_name(e->code));
    snprintf(trouble->text, sizeof trouble->text, "%.250s", e->text);
}

static void
trouble_of_status(struct trouble *trouble, int status, const struct error_texts *texts)
{
    const struct advice *advice = NULL;

    *trouble = (struct trouble){.pause_ms = PAUSE_MS};
    for (size_t i = 0; i < ARRAY_LEN(advices) && advice == NULL; i++)
        if (strcmp(advices[i].code, texts->code) == 0)
            advice = &advices[i];
    if (advice != NULL)
        trouble->pause_ms = advice->pause_ms;
    else if (status == 429 || status == 503)
        trouble->pause_ms = PAUSE_BUSY_MS;
    else if (status < 500)
        trouble->pause_ms = PAUSE_MEND_MS;
    trouble->is_to_be_mended = trouble->pause_ms == PAUSE_MEND_MS;
    snprintf(trouble->reason, sizeof trouble->reason, "%d %.50s", status, texts->code);
    snprintf(trouble->text, sizeof trouble->text, "%d %s%s%s%s%s", status, texts->code,
        *texts->message != '\0' ? ": " : "", texts->message, advice != NULL ? "; " : "",
        advice != NULL ? advice->what : "");
}

static void
away_tell(
    struct s3_client *client, enum store_kind kind, const struct trouble *trouble, int64_t tried_ms)
{
    int64_t now = env_now_ms(client->env);
    bool tell;

    pthread_mutex_lock(&client->mutex);
    tell = trouble->is_to_be_mended || tried_ms >= TELL_AFTER_MS;
    if (tell)
        client->failed_ms[kind] = now;
    if (tell && client->is_away)
        tell = now - client->told_ms >=
               (strcmp(client->told, trouble->reason) != 0 ? TELL_CHANGED_MS : TELL_AGAIN_MS);
    if (tell) {
        if (!client->is_away)
            client->away_since_ms = now - tried_ms;
        client->is_away = true;
        client->told_ms = now;
        snprintf(client->told, sizeof client->told, "%s", trouble->reason);
        log_warn("STORE-AWAY", "bucket %s at %s: %s; trying again", client->url.bucket,
            client->url.endpoint, trouble->text);
    }
    pthread_mutex_unlock(&client->mutex);
}

/* The server is back when nothing fails any more: keys may allow to read, and not to write. What
 * nobody has asked for lately does not count. */
static void
back_tell(struct s3_client *client, enum store_kind kind)
{
    int64_t now = env_now_ms(client->env);
    bool well = true;

    pthread_mutex_lock(&client->mutex);
    client->failed_ms[kind] = 0;
    for (int i = 0; i < STORE_KINDS; i++)
        well &= client->failed_ms[i] == 0 || now - client->failed_ms[i] > TELL_AGAIN_MS;
    if (well && client->is_away)
        log_notice("STORE-BACK", "bucket %s at %s answers again after %" PRId64 " s",
            client->url.bucket, client->url.endpoint, (now - client->away_since_ms + 999) / 1000);
    client->is_away &= !well;
    pthread_mutex_unlock(&client->mutex);
}

/* --- one attempt ------------------------------------------------------------------------------ */

struct checksums {
    char sha256[2 * HASH_BYTES + 1];
    struct buf md5; /* the two as base64, empty without a body */
    struct buf crc32c;
};

static void
digest_pieces(enum digest_kind kind, const struct pieces *body, uint8_t *hash)
{
    struct digest *digest = digest_new(kind);

    for (size_t i = 0; i < body->count; i++)
        digest_add(digest, body->items[i].data, body->items[i].size);
    digest_finish(digest, hash);
}

static uint32_t
crc_of(const struct pieces *body)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < body->count; i++)
        crc = crc32c_extend(crc, body->items[i].data, body->items[i].size);
    return crc;
}

static void
checksums_make(const struct s3_client_request *request, bool signs_payload, struct checksums *sums)
{
    static const struct pieces nothing = {.items = NULL};
    const struct pieces *body = request->body != NULL ? request->body : &nothing;
    uint8_t hash[HASH_BYTES], crc_bytes[4];
    uint32_t crc;

    if (request->kind == STORE_PUT && !signs_payload) {
        memcpy(sums->sha256, UNSIGNED_PAYLOAD, sizeof UNSIGNED_PAYLOAD);
    } else {
        digest_pieces(DIGEST_SHA256, body, hash);
        digest_hex(hash, sizeof hash, sums->sha256);
    }
    buf_init(&sums->md5, 64);
    buf_init(&sums->crc32c, 64);
    if (request->body == NULL)
        return;
    crc = body->has_crc32c ? body->crc32c : crc_of(body);
    for (int i = 0; i < 4; i++)
        crc_bytes[i] = (uint8_t)(crc >> (24 - 8 * i));
    digest_base64_encode(crc_bytes, sizeof crc_bytes, &sums->crc32c);
    /* DeleteObjects has asked for this one since before there were others. */
    if (request->kind != STORE_DELETE)
        return;
    digest_pieces(DIGEST_MD5, body, hash);
    digest_base64_encode(hash, digest_size(DIGEST_MD5), &sums->md5);
}

static void
checksums_free(struct checksums *sums)
{
    buf_fini(&sums->md5);
    buf_fini(&sums->crc32c);
}

struct headers {
    struct s3_sign_header pairs[HEADERS_MAX];
    size_t count;
};

static void
header_add(struct headers *headers, const char *name, const char *value)
{
    REQUIRE(headers->count < HEADERS_MAX);
    if (value != NULL && *value != '\0')
        headers->pairs[headers->count++] = (struct s3_sign_header){name, value};
}

/* All headers that are sent, as lines that the caller frees. */
static size_t
lines_make(struct s3_client *client, const struct s3_client_request *request,
    struct checksums *sums, const char *path, char *lines[HEADERS_MAX])
{
    struct s3_credentials credentials;
    struct headers headers = {.count = 0};
    char time[S3_SIGN_TIME_BYTES];
    struct buf authorization;

    pthread_mutex_lock(&client->mutex);
    credentials = client->credentials;
    pthread_mutex_unlock(&client->mutex);
    s3_sign_time(env_wall_ms(client->env), time);
    header_add(&headers, "content-md5", buf_text(&sums->md5));
    header_add(&headers, "host", s3_url_host(&client->url));
    header_add(&headers, "range", request->range);
    header_add(&headers, "x-amz-checksum-crc32c", buf_text(&sums->crc32c));
    header_add(&headers, "x-amz-content-sha256", sums->sha256);
    header_add(&headers, "x-amz-date", time);
    header_add(&headers, "x-amz-security-token", credentials.token);
    buf_init(&authorization, 4096);
    s3_sign_authorization(&(struct s3_sign_request){request->method, path, request->query,
                              headers.pairs, headers.count, sums->sha256},
        &credentials, client->url.region, time, &authorization);
    for (size_t i = 0; i < headers.count; i++)
        lines[i] = xasprintf("%s: %s", headers.pairs[i].name, headers.pairs[i].value);
    lines[headers.count] = xasprintf("authorization: %s", buf_text(&authorization));
    buf_fini(&authorization);
    s3_credentials_wipe(&credentials);
    return headers.count + 1;
}

static void
attempt_count(struct s3_client *client, const struct s3_client_request *request,
    const struct s3_http_request *http, bool failed)
{
    int64_t bytes = request->kind == STORE_PUT   ? http->body_bytes_sent
                    : request->kind == STORE_GET ? (int64_t)http->into_got
                                                 : 0;

    if (http->was_sent)
        store_count(client->store, request->kind, bytes, failed);
}

/* RC_OK, RC_NOTFOUND, RC_TRUNCATED, RC_CANCELED are the end, RC_REMOTE is trouble. */
static enum rc
answer_judge(const struct s3_client_request *request, const struct s3_http_request *http,
    struct trouble *trouble, struct err *e)
{
    const struct s3_client_answer answer = {
        http->status, http->into_got, http->answer->data, http->answer->size};
    struct error_texts texts = {"", ""};
    enum rc rc = RC_OK;

    if (http->status >= 200 && http->status < 300) {
        if (request->take != NULL)
            rc = request->take(request->arg, &answer, e);
        if (rc == RC_OK || rc == RC_TRUNCATED)
            return rc;
        trouble_of_err(trouble, e);
        return RC_REMOTE;
    }
    /* One that cannot be read has no code, and its status speaks for it. */
    if (s3_xml_read(answer.body, answer.body_size, error_text, &texts, e) != RC_OK)
        texts = (struct error_texts){"", ""};
    err_clear(e);
    if (http->status == 404 && strcmp(texts.code, "NoSuchKey") == 0)
        return err_set(e, RC_NOTFOUND, "object %s is not there", request->key);
    if (http->status == 416)
        return err_set(e, RC_TRUNCATED, "%s ends before %s", request->key, request->range);
    trouble_of_status(trouble, http->status, &texts);
    return RC_REMOTE;
}

static enum rc
attempt(struct s3_client *client, const struct s3_client_request *request, struct checksums *sums,
    int64_t timeout_ms, struct trouble *trouble, struct err *e)
{
    char *path =
        xasprintf("/%s%s%s", client->url.bucket, *request->key != '\0' ? "/" : "", request->key);
    char *url = xasprintf(
        "%s%s%s%s", client->url.endpoint, path, *request->query != '\0' ? "?" : "", request->query);
    char *lines[HEADERS_MAX];
    size_t line_count = lines_make(client, request, sums, path, lines);
    struct buf answer;
    struct s3_http_request http = {.method = request->method,
        .url = url,
        .headers = (const char *const *)lines,
        .header_count = line_count,
        .body = request->body,
        .timeout_ms = timeout_ms,
        .stall_ms = STALL_MS,
        .into = request->into,
        .into_size = request->into_size,
        .answer = &answer};
    enum rc rc;

    buf_init(&answer, ANSWER_BYTES_MAX);
    rc = s3_http_run(client->http, &http, e);
    if (rc == RC_OK) {
        rc = answer_judge(request, &http, trouble, e);
    } else if (rc != RC_CANCELED) {
        trouble_of_err(trouble, e);
        rc = RC_REMOTE;
    }
    attempt_count(client, request, &http, rc != RC_OK);
    buf_fini(&answer);
    for (size_t i = 0; i < line_count; i++)
        free(lines[i]);
    free(url);
    free(path);
    return rc;
}

/* --- until it is answered --------------------------------------------------------------------- */

/* A file may have been changed since; without new ones the old ones are as good. */
static void
credentials_renew(struct s3_client *client)
{
    struct s3_credentials found;

    if (s3_credentials_load(&found, NULL) != RC_OK)
        return;
    pthread_mutex_lock(&client->mutex);
    client->credentials = found;
    pthread_mutex_unlock(&client->mutex);
    s3_credentials_wipe(&found);
}

static int64_t
pause_ms(int64_t first_ms, unsigned number)
{
    int64_t ms = first_ms;
    uint64_t dice;

    for (unsigned i = 0; i < number && ms < S3_CLIENT_PAUSE_MS_MAX; i++)
        ms *= 2;
    if (ms > S3_CLIENT_PAUSE_MS_MAX)
        ms = S3_CLIENT_PAUSE_MS_MAX;
    digest_random(&dice, sizeof dice);
    return ms / 2 + (int64_t)(dice % (uint64_t)(ms / 2 + 1));
}

/* The time until which a call tries. */
static int64_t
give_up_ms(const struct s3_client *client, const struct s3_client_request *request)
{
    size_t bytes = (request->body != NULL ? request->body->size : 0) + request->into_size;

    return env_now_ms(client->env) + client->deadline_ms + (int64_t)(bytes / BODY_BYTES_PER_MS);
}

static enum rc
run_until(struct s3_client *client, const struct s3_client_request *request, struct checksums *sums,
    struct err *e)
{
    int64_t started = env_now_ms(client->env), until = give_up_ms(client, request), now;
    struct trouble trouble;
    enum rc rc;

    for (unsigned number = 0;; number++) {
        int64_t pause;

        now = env_now_ms(client->env);
        rc = attempt(client, request, sums, until > now ? until - now : 1, &trouble, e);
        if (rc != RC_REMOTE) {
            if (rc != RC_CANCELED)
                back_tell(client, request->kind);
            return rc;
        }
        now = env_now_ms(client->env);
        away_tell(client, request->kind, &trouble, now - started);
        if (trouble.is_to_be_mended)
            credentials_renew(client);
        pause = pause_ms(trouble.pause_ms, number);
        if (pause > until - now)
            pause = until - now;
        if (pause > 0 && (rc = s3_http_pause(client->http, pause, e)) != RC_OK)
            return rc;
        if (env_now_ms(client->env) >= until)
            return err_set(e, RC_TIMEOUT, "bucket %s at %s: %s", client->url.bucket,
                client->url.endpoint, trouble.text);
    }
}

enum rc
s3_client_run(struct s3_client *client, const struct s3_client_request *request, struct err *e)
{
    struct checksums sums;
    struct err own;
    enum rc rc;

    checksums_make(request, client->url.signs_payload, &sums);
    rc = run_until(client, request, &sums, e != NULL ? e : &own);
    checksums_free(&sums);
    return rc;
}

enum rc
s3_client_new(const struct s3_client_options *options, struct s3_client **out, struct err *e)
{
    struct s3_client *client = xcalloc(1, sizeof *client);
    enum rc rc = s3_credentials_load(&client->credentials, e);

    if (rc == RC_OK)
        rc = s3_http_new(&client->http, e);
    if (rc != RC_OK) {
        s3_credentials_wipe(&client->credentials);
        free(client);
        return rc;
    }
    client->url = *options->url;
    client->env = options->env;
    client->store = options->store;
    client->deadline_ms = options->deadline_ms;
    REQUIRE(pthread_mutex_init(&client->mutex, NULL) == 0);
    *out = client;
    return RC_OK;
}

void
s3_client_free(struct s3_client *client)
{
    if (client == NULL)
        return;
    s3_http_free(client->http);
    pthread_mutex_destroy(&client->mutex);
    s3_credentials_wipe(&client->credentials);
    free(client);
}

void
s3_client_cancel(struct s3_client *client)
{
    s3_http_cancel(client->http);
}
