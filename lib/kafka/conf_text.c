#include "lib/kafka/conf_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/jaas.h"

/* --- .properties -------------------------------------------------------------------------------
 */

struct reader {
    const char *at;
    const char *end;
    unsigned line;
    struct buf name;
    struct buf value;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool
is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static void
blanks_skip(struct reader *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

static void
line_end_skip(struct reader *r)
{
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end && *r->at == '\n')
        r->at++;
    r->line++;
}

/* Four hexadecimal digits as UTF-8. */
static enum rc
unicode_append(struct reader *r, struct buf *out, struct err *e)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++, r->at++) {
        const char *digit = NULL;

        if (r->at < r->end && *r->at != '\0')
            digit = strchr("0123456789abcdef", tolower((unsigned char)*r->at));
        if (digit == NULL)
            return err_set(e, RC_CONFIG, "line %u: \\u needs four hexadecimal digits", r->line);
        code = code << 4 | (uint32_t)(digit - "0123456789abcdef");
    }
    if (code < 0x80) {
        buf_append_byte(out, (uint8_t)code);
    } else if (code < 0x800) {
        buf_append_byte(out, (uint8_t)(0xc0 | code >> 6));
        buf_append_byte(out, (uint8_t)(0x80 | (code & 63)));
    } else {
        buf_append_byte(out, (uint8_t)(0xe0 | code >> 12));
        buf_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 63)));
        buf_append_byte(out, (uint8_t)(0x80 | (code & 63)));
    }
    return RC_OK;
}

/* What stands behind a backslash. */
static enum rc
escape_append(struct reader *r, struct buf *out, struct err *e)
{
    static const char from[] = "tnrf", to[] = "\t\n\r\f";
    const char *place;
    char c;

    if (r->at == r->end)
        return RC_OK;
    if (is_line_end(*r->at)) {
        line_end_skip(r);
        blanks_skip(r);
        return RC_OK;
    }
    c = *r->at++;
    if (c == 'u')
        return unicode_append(r, out, e);
    place = c == '\0' ? NULL : strchr(from, c);
    buf_append_byte(out, (uint8_t)(place != NULL ? to[place - from] : c));
    return RC_OK;
}

/* Reads up to the line's end, or up to what separates name and value. */
static enum rc
word_read(struct reader *r, bool is_name, struct buf *out, struct err *e)
{
    enum rc rc = RC_OK;

    buf_clear(out);
    while (rc == RC_OK && r->at < r->end && !is_line_end(*r->at)) {
        if (is_name && (is_blank(*r->at) || *r->at == '=' || *r->at == ':'))
            break;
        if (*r->at == '\\') {
            r->at++;
            rc = escape_append(r, out, e);
        } else {
            buf_append_byte(out, (uint8_t)*r->at++);
        }
    }
    return rc;
}

static enum rc
pair_read(struct reader *r, conf_text_pair_fn *fn, void *arg, struct err *e)
{
    unsigned line = r->line;
    enum rc rc = word_read(r, true, &r->name, e);

    if (rc != RC_OK)
        return rc;
    blanks_skip(r);
    if (r->at < r->end && (*r->at == '=' || *r->at == ':')) {
        r->at++;
        blanks_skip(r);
    }
    rc = word_read(r, false, &r->value, e);
    if (rc != RC_OK)
        return rc;
    if (strlen(buf_text(&r->name)) != r->name.size || strlen(buf_text(&r->value)) != r->value.size)
        return err_set(e, RC_CONFIG, "line %u: a zero byte", line);
    return fn(arg, buf_text(&r->name), buf_text(&r->value), line, e);
}

enum rc
conf_text_properties(const char *text, size_t size, conf_text_pair_fn *fn, void *arg, struct err *e)
{
    struct reader r = {.at = text, .end = text + size, .line = 1};
    enum rc rc = RC_OK;

    buf_init(&r.name, size);
    buf_init(&r.value, size);
    while (rc == RC_OK) {
        blanks_skip(&r);
        if (r.at == r.end)
            break;
        if (is_line_end(*r.at)) {
            line_end_skip(&r);
        } else if (*r.at == '#' || *r.at == '!') {
            while (r.at < r.end && !is_line_end(*r.at))
                r.at++;
        } else {
            rc = pair_read(&r, fn, arg, e);
        }
    }
    buf_fini(&r.name);
    buf_fini(&r.value);
    return rc;
}

/* --- the login module line -----------------------------------------------------------------------
 */

static char *
option_dup(const struct jaas *jaas, const char *name)
{
    const char *value = jaas_get(jaas, name);

    return value == NULL ? NULL : xstrdup(value);
}

enum rc
conf_text_jaas(const char *text, char **module, char **user, char **password, struct err *e)
{
    struct jaas jaas;
    struct err why;

    *module = *user = *password = NULL;
    if (jaas_read(text, &jaas, &why) != RC_OK)
        return err_set(e, RC_CONFIG,
            "sasl.jaas.config %s; it should look like: ...ScramLoginModule required "
            "username=\"USER\" password=\"PASSWORD\";",
            why.text);
    *module = xstrdup(jaas.module);
    *user = option_dup(&jaas, "username");
    *password = option_dup(&jaas, "password");
    jaas_fini(&jaas);
    return RC_OK;
}

/* --- servers -------------------------------------------------------------------------------------
 */

static enum rc
server_read(const char *text, size_t size, struct conf_text_server *out, struct err *e)
{
    const char *scheme = memmem(text, size, "://", 3);
    const char *end = text + size, *host, *host_end;
    unsigned long port = CONF_TEXT_PORT;

    host = scheme == NULL ? text : scheme + 3;
    host_end = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : NULL;
    host_end = host_end != NULL ? host_end + 1 : memchr(host, ':', (size_t)(end - host));
    if (host_end == NULL)
        host_end = end;
    if (host_end < end) {
        port = 0;
        if (*host_end == ':' && end - host_end > 1 && end - host_end <= 6)
            for (const char *digit = host_end + 1; digit < end; digit++)
                port = *digit < '0' || *digit > '9' ? 65536
                                                    : port * 10 + (unsigned long)(*digit - '0');
    }
    if (host_end == host || port == 0 || port > 65535)
        return err_set(e, RC_CONFIG, "%.*s is no address of a server (HOST:PORT)",
            size > 100 ? 100 : (int)size, text);
    out->host = xmemdup(host, (size_t)(host_end - host));
    out->port = (uint16_t)port;
    return RC_OK;
}

enum rc
conf_text_servers(const char *text, struct conf_text_server **out, size_t *count, struct err *e)
{
    struct conf_text_server *servers = NULL;
    size_t used = 0;
    enum rc rc = RC_OK;

    for (const char *at = text; rc == RC_OK && *at != '\0';) {
        size_t skip = strspn(at, ", \t\r\n"), size = strcspn(at + skip, ", \t\r\n");

        at += skip;
        if (size == 0)
            break;
        if (used == CONF_TEXT_SERVERS_MAX) {
            rc = err_set(e, RC_CONFIG, "more than %d servers", CONF_TEXT_SERVERS_MAX);
            break;
        }
        servers = xrealloc(servers, used + 1, sizeof *servers);
        rc = server_read(at, size, &servers[used], e);
        used += rc == RC_OK;
        at += size;
    }
    if (rc == RC_OK && used == 0)
        rc = err_set(e, RC_CONFIG, "no server is given: HOST:PORT[,HOST:PORT...]");
    if (rc != RC_OK) {
        conf_text_servers_free(servers, used);
        return rc;
    }
    *out = servers;
    *count = used;
    return RC_OK;
}

void
conf_text_servers_free(struct conf_text_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(servers[i].host);
    free(servers);
}

/* --- PEM -----------------------------------------------------------------------------------------
 */

#define PEM_LINE 64

/* One block from "-----BEGIN" on; returns where it ends. */
static const char *
pem_block(const char *at, struct buf *out)
{
    const char *label_end = strstr(at + 5, "-----"), *body, *end, *end_end;
    size_t column = 0;

    body = label_end == NULL ? NULL : label_end + 5;
    end = body == NULL ? NULL : strstr(body, "-----END");
    end_end = end == NULL ? NULL : strstr(end + 5, "-----");
    if (end_end == NULL) {
        buf_append_text(out, at);
        return at + strlen(at);
    }
    end_end += 5;
    /* Lines that are there already may hold headers (an encrypted key's), which must stay lines. */
    if (*body == '\n' || *body == '\r') {
        buf_append(out, at, (size_t)(end_end - at));
        buf_append_byte(out, '\n');
        return end_end;
    }
    buf_append(out, at, (size_t)(body - at));
    for (const char *c = body; c < end; c++) {
        if (isspace((unsigned char)*c))
            continue;
        if (column++ % PEM_LINE == 0)
            buf_append_byte(out, '\n');
        buf_append_byte(out, (uint8_t)*c);
    }
    buf_append_byte(out, '\n');
    buf_append(out, end, (size_t)(end_end - end));
    buf_append_byte(out, '\n');
    return end_end;
}

char *
conf_text_pem(const char *text)
{
    struct buf out;
    size_t size;

    buf_init(&out, 2 * strlen(text) + 1024);
    for (const char *at = text;;) {
        const char *begin = strstr(at, "-----BEGIN");

        if (begin == NULL)
            break;
        at = pem_block(begin, &out);
    }
    return (char *)buf_take(&out, &size);
}

/* --- spelling ------------------------------------------------------------------------------------
 */

#define WORD_MAX 64

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t
conf_text_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], a_size = strlen(a), b_size = strlen(b);

    if (a_size >= WORD_MAX || b_size >= WORD_MAX)
        return SIZE_MAX;
    for (size_t k = 0; k <= b_size; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t k = 1; k <= b_size; k++) {
            row[k] = smaller(above[k], row[k - 1]) + 1;
            row[k] = smaller(row[k], above[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = smaller(row[k], second[k - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}
