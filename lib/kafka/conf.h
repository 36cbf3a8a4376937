/*
 * conf: how to reach a Kafka cluster, from the files and names that its users have already.
 *
 * Understood are the property names of Java's clients and of librdkafka (conf.def), in Java's
 * .properties syntax, as "name=value" arguments and from the environment. Sources are read in the
 * order in which they are given; later beats earlier. A known name that means nothing here is
 * skipped and counted; an unknown one is refused with the nearest known. conf_finish then checks
 * everything at once and gives struct conf_client. Secrets never appear in an error or a
 * description.
 *
 * Certificates and keys are PEM. A Java key store (JKS, PKCS#12) is refused with the command that
 * converts it.
 */
#ifndef LIB_KAFKA_CONF_H
#define LIB_KAFKA_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/kafka/conf_text.h"
#include "lib/net/tls_context.h"

#define CONF_FILE_BYTES_MAX ((size_t)1 << 20)
#define CONF_MS_MAX 86400000

struct conf;

/*
 * What a user calls the ways in which properties come, for messages that say what to do and for the
 * environment. A command with one cluster has conf_names_usual, one with two has its own.
 */
struct conf_names {
    const char *server_flag;   /* "-b" */
    const char *property_flag; /* "-X" */
    const char *variables;     /* "KDL_": how variables of the environment begin */
};

extern const struct conf_names conf_names_usual;

/* What a connection needs. Everything is a view into its conf. */
struct conf_client {
    const struct conf_names *names;
    struct conf_text_server *servers;
    size_t server_count;
    bool with_tls;
    bool with_sasl;
    struct tls_options tls;
    const char *mechanism; /* PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; NULL without SASL */
    const char *user;
    const char *password;
    const char *client_id;
    int64_t request_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t retry_backoff_ms;
    size_t response_bytes_max;
};

struct conf *conf_new(void);

/* conf_new_named: with other names than the usual ones, which must outlive it. */
struct conf *conf_new_named(const struct conf_names *names);

/* conf_free wipes secrets; NULL is accepted. */
void conf_free(struct conf *conf);

/* conf_set_pair sets one property; `origin` (copied) is where it stands, for messages. RC_CONFIG
 * for an unknown name or a value that cannot be. */
MUST_CHECK enum rc conf_set_pair(
    struct conf *conf, const char *name, const char *value, const char *origin, struct err *e);

/* conf_set sets "name=value", as given with the property flag. */
MUST_CHECK enum rc conf_set(struct conf *conf, const char *pair, struct err *e);

/* conf_load_file reads a .properties file. */
MUST_CHECK enum rc conf_load_file(struct conf *conf, const char *path, struct err *e);

/* conf_load_env reads from an environment ("NAME=value", NULL at the end): KDL_BOOTSTRAP, KDL_USER,
 * KDL_PASSWORD, KDL_KEY_PASSWORD, and KDL_X_<NAME> for any property, with '_' for '.'; or the same
 * behind what the names begin with instead of KDL_. */
MUST_CHECK enum rc conf_load_env(struct conf *conf, char *const *environment, struct err *e);

/* conf_finish checks how the properties fit together and returns the view to use. */
MUST_CHECK enum rc conf_finish(struct conf *conf, const struct conf_client **out, struct err *e);

/* conf_ignored returns how many properties were skipped because they mean nothing here. */
size_t conf_ignored(const struct conf *conf);

/* conf_describe appends one line per property that was set: name, value (a secret as ****) and
 * origin. */
void conf_describe(const struct conf *conf, struct buf *out);

/* conf_export_librdkafka calls fn with each property that librdkafka needs to reach the same
 * cluster; values are secret. After conf_finish only. */
typedef void conf_export_fn(void *arg, const char *name, const char *value);
void conf_export_librdkafka(const struct conf *conf, conf_export_fn *fn, void *arg);

#endif
