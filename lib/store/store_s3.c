#include "lib/store/store_s3.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/store/s3_client.h"
#include "lib/store/s3_sign.h"
#include "lib/store/s3_xml.h"

#define KEY_BYTES                                                                                  \
    (S3_URL_PREFIX_BYTES + STORE_S3_FOLDER_BYTES_MAX + STORE_KEY_BYTES_MAX + 4) /* with '/' */
#define RANGE_BYTES 64
#define TOKEN_BYTES 2048
#define PAGE_KEYS_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define DELETE_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct s3_store {
    struct store store;
    struct s3_client *client;
    char *prefix; /* of each key, with the '/' behind it */
};

static struct s3_store *
s3_of(struct store *store)
{
    return (struct s3_store *)(void *)store;
}

static void
key_write(const struct s3_store *s, const char *key, char out[KEY_BYTES])
{
    int size = snprintf(out, KEY_BYTES, "%s%s", s->prefix, key);

    REQUIRE(size > 0 && size < KEY_BYTES);
}

static enum rc
s3_put(struct store *store, const char *key, const struct pieces *pieces, struct err *e)
{
    struct s3_store *s = s3_of(store);
    char path[KEY_BYTES];
    struct s3_client_request request = {
        .kind = STORE_PUT, .method = "PUT", .key = path, .query = "", .body = pieces};

    key_write(s, key, path);
    return s3_client_run(s->client, &request, e);
}

/* --- get -------------------------------------------------------------------------------------- */

static enum rc
range_take(void *arg, const struct s3_client_answer *answer, struct err *e)
{
    const size_t *wanted = arg;

    if (answer->status != 206)
        return err_set(e, RC_PROTOCOL, "a range was asked for, and %d answered", answer->status);
    return answer->into_got == *wanted
               ? RC_OK
               : err_set(e, RC_TRUNCATED, "the object ends %zu bytes too early",
                     *wanted - answer->into_got);
}

/* There is no empty range, so for one the first byte is asked for: an empty object has none, and is
 * there. */
static enum rc
s3_get(struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e)
{
    struct s3_store *s = s3_of(store);
    char path[KEY_BYTES], range[RANGE_BYTES];
    uint8_t first = 0;
    size_t wanted = size == 0 ? 1 : size;
    int64_t from = size == 0 ? 0 : at;
    struct s3_client_request request = {.kind = STORE_GET,
        .method = "GET",
        .key = path,
        .query = "",
        .range = range,
        .into = size == 0 ? &first : data,
        .into_size = wanted,
        .take = range_take,
        .arg = &wanted};
    enum rc rc;

    key_write(s, key, path);
    snprintf(range, sizeof range, "bytes=%" PRId64 "-%" PRId64, from, from + (int64_t)wanted - 1);
    rc = s3_client_run(s->client, &request, e);
    if (size == 0 && rc == RC_TRUNCATED) {
        err_clear(e);
        rc = RC_OK;
    }
    if (rc == RC_TRUNCATED)
        return err_set(e, rc, "%s ends before byte %" PRId64, key, at + (int64_t)size);
    return rc;
}

/* --- remove ----------------------------------------------------------------------------------- */

static enum rc
s3_remove(struct store *store, const char *key, struct err *e)
{
    struct s3_store *s = s3_of(store);
    char path[KEY_BYTES];
    struct s3_client_request request = {
        .kind = STORE_DELETE, .method = "DELETE", .key = path, .query = ""};
    enum rc rc;

    key_write(s, key, path);
    rc = s3_client_run(s->client, &request, e);
    if (rc != RC_NOTFOUND)
        return rc;
    err_clear(e);
    return RC_OK;
}

struct removal {
    const struct s3_store *s;
    const char *const *keys;
    size_t count;
    bool *removed;
    size_t next; /* where the next one is most likely */
    char error[160];
};

/* Key of one that is gone, or why one is not. */
static void
removal_text(void *arg, const char *place, const char *text)
{
    struct removal *r = arg;
    size_t prefix = strlen(r->s->prefix);

    if (strcmp(place, "DeleteResult/Error/Code") == 0)
        snprintf(r->error, sizeof r->error, "%.150s", text);
    if (strcmp(place, "DeleteResult/Deleted/Key") != 0 || strncmp(text, r->s->prefix, prefix) != 0)
        return;
    for (size_t i = 0; i < r->count; i++) {
        size_t at = (r->next + i) % r->count;

        if (strcmp(text + prefix, r->keys[at]) != 0)
            continue;
        r->removed[at] = true;
        r->next = at + 1;
        return;
    }
}

static enum rc
removal_take(void *arg, const struct s3_client_answer *answer, struct err *e)
{
    struct removal *r = arg;

    memset(r->removed, 0, r->count * sizeof *r->removed);
    *r->error = '\0';
    return s3_xml_read(answer->body, answer->body_size, removal_text, r, e);
}

static enum rc
s3_remove_many(
    struct store *store, const char *const *keys, size_t count, bool *removed, struct err *e)
{
    struct removal removal = {s3_of(store), keys, count, removed, 0, ""};
    struct s3_client_request request = {.kind = STORE_DELETE,
        .method = "POST",
        .key = "",
        .query = "delete=",
        .take = removal_take,
        .arg = &removal};
    struct pieces_item item;
    struct pieces pieces;
    struct buf body;
    enum rc rc;

    buf_init(&body, DELETE_BYTES_MAX);
    buf_append_text(&body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    /* No character of a key needs an escape. */
    for (size_t i = 0; i < count; i++)
        buf_printf(&body, "<Object><Key>%s%s</Key></Object>", removal.s->prefix, keys[i]);
    buf_append_text(&body, "</Delete>");
    REQUIRE(!buf_is_overflowed(&body));
    item = (struct pieces_item){body.data, body.size};
    pieces = pieces_of(&item, 1);
    request.body = &pieces;
    rc = s3_client_run(removal.s->client, &request, e);
    buf_fini(&body);
    if (rc != RC_OK)
        memset(removed, 0, count * sizeof *removed);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        if (!removed[i])
            rc = err_set(e, RC_REMOTE, "object %s was not deleted: %s", keys[i],
                *removal.error != '\0' ? removal.error : "the server does not say why");
    return rc;
}

/* --- list ------------------------------------------------------------------------------------- */

struct page {
    const struct s3_store *s;
    struct buf keys; /* each with its zero */
    char token[TOKEN_BYTES];
    bool is_truncated;
    bool is_wrong;
};

static void
page_text(void *arg, const char *place, const char *text)
{
    struct page *page = arg;
    size_t prefix = strlen(page->s->prefix);

    if (strcmp(place, "ListBucketResult/IsTruncated") == 0)
        page->is_truncated = strcmp(text, "true") == 0;
    else if (strcmp(place, "ListBucketResult/NextContinuationToken") == 0)
        page->is_wrong |= snprintf(page->token, sizeof page->token, "%s", text) >= TOKEN_BYTES;
    if (strcmp(place, "ListBucketResult/Contents/Key") == 0 &&
        strncmp(text, page->s->prefix, prefix) == 0 && store_is_key(text + prefix))
        buf_append(&page->keys, text + prefix, strlen(text + prefix) + 1);
}

static enum rc
page_take(void *arg, const struct s3_client_answer *answer, struct err *e)
{
    struct page *page = arg;
    enum rc rc;

    buf_clear(&page->keys);
    *page->token = '\0';
    page->is_truncated = page->is_wrong = false;
    rc = s3_xml_read(answer->body, answer->body_size, page_text, page, e);
    if (rc == RC_OK && (page->is_wrong || buf_is_overflowed(&page->keys) ||
                           (page->is_truncated && *page->token == '\0')))
        rc = err_set(e, RC_PROTOCOL, "a list goes on, and does not say where");
    return rc;
}

/* Reads the page at `token` ("" for the first). */
static enum rc
page_read(struct page *page, const char *token, struct err *e)
{
    struct s3_client_request request = {
        .kind = STORE_LIST, .method = "GET", .key = "", .take = page_take, .arg = page};
    struct buf query;
    enum rc rc;

    buf_init(&query, 3 * (TOKEN_BYTES + KEY_BYTES));
    if (*token != '\0') {
        buf_append_text(&query, "continuation-token=");
        s3_sign_escape(token, &query);
        buf_append_byte(&query, '&');
    }
    buf_append_text(&query, "list-type=2&prefix=");
    s3_sign_escape(page->s->prefix, &query);
    request.query = buf_text(&query);
    rc = s3_client_run(page->s->client, &request, e);
    buf_fini(&query);
    return rc;
}

static enum rc
s3_list(struct store *store, store_list_fn *fn, void *arg, struct err *e)
{
    struct page page = {.s = s3_of(store)};
    char token[TOKEN_BYTES] = "";
    size_t pages = 0;
    enum rc rc;

    buf_init(&page.keys, PAGE_KEYS_BYTES_MAX);
    do {
        rc = page_read(&page, token, e);
        for (size_t at = 0; rc == RC_OK && at < page.keys.size;) {
            const char *key = (const char *)page.keys.data + at;

            at += strlen(key) + 1;
            fn(arg, key);
        }
        memcpy(token, page.token, sizeof token);
        if (rc == RC_OK && page.is_truncated && ++pages == STORE_S3_PAGES_MAX)
            rc = err_set(e, RC_LIMIT, "a list of more than %d pages", STORE_S3_PAGES_MAX);
    } while (rc == RC_OK && page.is_truncated);
    buf_fini(&page.keys);
    return rc;
}

/* --- the store -------------------------------------------------------------------------------- */

static void
s3_cancel(struct store *store)
{
    s3_client_cancel(s3_of(store)->client);
}

static void
s3_free(struct store *store)
{
    struct s3_store *s = s3_of(store);

    s3_client_free(s->client);
    free(s->prefix);
    free(s);
}

static const struct store_ops s3_ops = {
    .put = s3_put,
    .get = s3_get,
    .remove = s3_remove,
    .remove_many = s3_remove_many,
    .list = s3_list,
    .cancel = s3_cancel,
    .free = s3_free,
};

enum rc
store_s3_open(const struct store_s3_options *options, struct store **out, struct err *e)
{
    struct s3_store *s = xcalloc(1, sizeof *s);
    struct s3_client_options client = {options->url, options->env, &s->store, options->deadline_ms};
    enum rc rc = s3_client_new(&client, &s->client, e);

    REQUIRE(store_is_key(options->folder) && strlen(options->folder) <= STORE_S3_FOLDER_BYTES_MAX);
    if (rc != RC_OK) {
        free(s);
        return rc;
    }
    s->store.ops = &s3_ops;
    s->prefix = xasprintf(
        "%s%s%s/", options->url->prefix, *options->url->prefix != '\0' ? "/" : "", options->folder);
    *out = &s->store;
    return RC_OK;
}
