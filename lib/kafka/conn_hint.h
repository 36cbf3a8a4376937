/*
 * conn_hint: what an operator can do when a connection to a broker does not come about.
 *
 * Each function completes an err with the likely cause and the property to set, so that one line
 * says it all. They look at facts only; nothing is tried.
 */
#ifndef LIB_KAFKA_CONN_HINT_H
#define LIB_KAFKA_CONN_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/kafka/conf.h"
#include "lib/net/tls.h"

/* conn_hint_tls: the connection ended before it was ready, e says how, reason is tls_reason's. */
void conn_hint_tls(const struct conf_client *conf, enum tls_reason reason, struct err *e);

/* conn_hint_closed: a connection without SASL was closed on its first request behind
 * ApiVersions. */
void conn_hint_closed(const struct conf_client *conf, struct err *e);

/* conn_hint_bytes says what a peer seems to be whose first bytes (4 at least) are no answer to
 * ApiVersions. Always RC_PROTOCOL. */
enum rc conn_hint_bytes(const struct conf_client *conf, const char *address, const uint8_t *data,
    size_t size, struct err *e);

/* conn_hint_mechanism: SaslHandshake was answered with an error. */
enum rc conn_hint_mechanism(const struct conf_client *conf, const char *address,
    const struct km_sasl_handshake_response *response, struct err *e);

/* conn_hint_denied: SaslAuthenticate was answered with an error. */
enum rc conn_hint_denied(const struct conf_client *conf, const char *address,
    const struct km_sasl_authenticate_response *response, struct err *e);

#endif
