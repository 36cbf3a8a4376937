/*
 * conn_sasl: the client's side of a SASL exchange as Kafka carries it: PLAIN (RFC 4616) and
 * SCRAM-SHA-256/512. It makes and reads tokens and knows nothing of the connection.
 */
#ifndef LIB_KAFKA_CONN_SASL_H
#define LIB_KAFKA_CONN_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/scram.h"

struct conn_sasl {
    const char *user; /* views, which must outlive the exchange */
    const char *password;
    bool is_scram;
    int step;
    struct scram_client scram;
};

/* conn_sasl_init starts an exchange; mechanism is one that conf_finish has let through. */
void conn_sasl_init(
    struct conn_sasl *sasl, const char *mechanism, const char *user, const char *password);

/* conn_sasl_fini wipes; it may be called on a zeroed or finished struct. */
void conn_sasl_fini(struct conn_sasl *sasl);

/* conn_sasl_first appends the first token. */
void conn_sasl_first(struct conn_sasl *sasl, struct buf *out);

/* conn_sasl_next reads the server's token and either sets *done or appends the next one. RC_DENIED
 * where the server refuses or is an impostor, RC_PROTOCOL where it says what makes no sense. */
MUST_CHECK enum rc conn_sasl_next(struct conn_sasl *sasl, const void *data, size_t size,
    struct buf *out, bool *done, struct err *e);

#endif
