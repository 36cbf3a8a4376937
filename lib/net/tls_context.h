/*
 * tls_context: the certificates, keys and rules that TLS sessions share.
 *
 * Files are read once, when the context is made; what is wrong with one is said with its name. A
 * context may be used by sessions of several threads.
 *
 * It and tls.c are the only ones that include OpenSSL's TLS and certificate headers.
 */
#ifndef LIB_NET_TLS_CONTEXT_H
#define LIB_NET_TLS_CONTEXT_H

#include <stdbool.h>

#include "lib/base/err.h"

struct tls_context;

/* Every certificate and key is a PEM file or PEM text (the text wins); NULL where there is none.
 * One file may hold key and certificates. */
struct tls_options {
    const char *ca_file; /* may be a folder with hashed names, too; NULL: the system's CAs */
    const char *ca_text;
    const char *certificate_file; /* our own, then those that lead to the CA */
    const char *certificate_text;
    const char *key_file;
    const char *key_text;
    const char *key_password;
    bool skip_peer;          /* client: take any certificate */
    bool skip_host;          /* client: take a certificate for any host */
    bool require_peer;       /* server: clients must show a certificate */
    const char *ciphers;     /* TLS 1.2 cipher list as OpenSSL writes it; NULL: its default */
    const char *version_min; /* "TLSv1.2" (default) or "TLSv1.3" */
};

/* tls_context_new_client and tls_context_new_server read all files. RC_CONFIG, with the file's name
 * and what is wrong with it, otherwise. */
MUST_CHECK enum rc tls_context_new_client(
    const struct tls_options *options, struct tls_context **out, struct err *e);
MUST_CHECK enum rc tls_context_new_server(
    const struct tls_options *options, struct tls_context **out, struct err *e);

/* tls_context_free accepts NULL; sessions that are left keep what they need. */
void tls_context_free(struct tls_context *context);

/* For tls.c: OpenSSL's object, where the CAs come from (for messages), and which checks to make. */
struct ssl_ctx_st *tls_context_native(const struct tls_context *context);
const char *tls_context_trust(const struct tls_context *context);
bool tls_context_is_client(const struct tls_context *context);
bool tls_context_checks_host(const struct tls_context *context);

#endif
