/*
 * conf_text: the text formats in which Kafka clients are configured.
 *
 * Java's .properties syntax (comments, escapes, lines that go on), the login module line of
 * sasl.jaas.config, lists of servers, and PEM text that stands on one line. All input is a file or
 * a user's argument; errors name what is wrong and never repeat a secret.
 */
#ifndef LIB_KAFKA_CONF_TEXT_H
#define LIB_KAFKA_CONF_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* One property; name and value are valid during the call. Anything but RC_OK ends the reading. */
typedef enum rc conf_text_pair_fn(
    void *arg, const char *name, const char *value, unsigned line, struct err *e);

/* conf_text_properties calls fn for every property of a text, in order. RC_CONFIG for an escape
 * that is cut, with the line's number; else what fn returned. */
MUST_CHECK enum rc conf_text_properties(
    const char *text, size_t size, conf_text_pair_fn *fn, void *arg, struct err *e);

/* conf_text_jaas reads "MODULE FLAG name=value name="value"...;". The caller frees module, user and
 * password (NULL where there is none). RC_CONFIG for what is no such line. */
MUST_CHECK enum rc conf_text_jaas(
    const char *text, char **module, char **user, char **password, struct err *e);

struct conf_text_server {
    char *host;
    uint16_t port;
};

#define CONF_TEXT_SERVERS_MAX 1000
#define CONF_TEXT_PORT 9092

/* conf_text_servers reads "host:port,[ip6]:port,PROTOCOL://host:port"; without a port 9092. The
 * caller frees it with conf_text_servers_free. RC_CONFIG otherwise, and for an empty list. */
MUST_CHECK enum rc conf_text_servers(
    const char *text, struct conf_text_server **out, size_t *count, struct err *e);
void conf_text_servers_free(struct conf_text_server *servers, size_t count);

/* conf_text_pem returns PEM text with its lines as OpenSSL wants them, also where all of it stood
 * on one line; the caller frees it. */
char *conf_text_pem(const char *text);

/* conf_text_distance returns how many characters have to be inserted, removed, exchanged or swapped
 * to get from one word to the other; for words of less than 64 characters, else SIZE_MAX. */
size_t conf_text_distance(const char *a, const char *b);

#endif
