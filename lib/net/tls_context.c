#include "lib/net/tls_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "lib/base/text_file.h"
#include "lib/base/xalloc.h"

#define SOURCE_MAX ((size_t)4 << 20)
#define READ_AHEAD_BYTES ((size_t)64 << 10)

struct tls_context {
    SSL_CTX *ssl;
    char *trust; /* where its CAs come from, for messages */
    bool is_client;
    bool check_host;
};

/* OpenSSL's own words for the first error in its queue, which is emptied. */
static const char *
library_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return text == NULL ? "unknown reason" : text;
}

/* Certificates or a key as text, and how to name them in messages. */
struct source {
    struct buf text;
    BIO *bio;
    const char *name;
};

static void
source_close(struct source *source)
{
    BIO_free(source->bio);
    if (source->text.size > 0)
        OPENSSL_cleanse(source->text.data, source->text.size);
    buf_fini(&source->text);
}

static enum rc
source_open(struct source *out, const char *file, const char *text, const char *what, struct err *e)
{
    enum rc rc = RC_OK;

    buf_init(&out->text, SOURCE_MAX);
    out->bio = NULL;
    out->name = text != NULL ? what : file;
    if (text != NULL)
        buf_append_text(&out->text, text);
    else
        rc = text_file_read(file, what, &out->text, e);
    if (rc != RC_OK) {
        source_close(out);
        return rc;
    }
    out->bio = BIO_new_mem_buf(buf_text(&out->text), -1);
    REQUIRE(out->bio != NULL);
    return RC_OK;
}

/* After the last PEM block OpenSSL complains that it finds no other; anything else is an error. */
static bool
pem_ended(void)
{
    unsigned long code = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;

    if (ended)
        ERR_clear_error();
    return ended;
}

static enum rc
trust_add_source(struct tls_context *context, const struct source *source, struct err *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    size_t count = 0;
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(source->bio, NULL, NULL, NULL)) != NULL) {
        int added = X509_STORE_add_cert(store, certificate);

        /* A server asks its clients for certificates of these names. */
        if (!context->is_client)
            SSL_CTX_add_client_CA(context->ssl, certificate);
        X509_free(certificate);
        REQUIRE(added == 1);
        count++;
    }
    if (!pem_ended())
        return err_set(
            e, RC_CONFIG, "%s holds a broken certificate: %s", source->name, library_reason());
    if (count == 0)
        return err_set(e, RC_CONFIG, "%s holds no certificate in PEM form", source->name);
    return RC_OK;
}

static enum rc
trust_add(struct tls_context *context, const struct tls_options *options, struct err *e)
{
    struct source source;
    struct stat info;
    enum rc rc;

    if (options->ca_file == NULL && options->ca_text == NULL) {
        context->trust = xstrdup("the system's CAs");
        if (context->is_client && SSL_CTX_set_default_verify_paths(context->ssl) != 1)
            return err_set(
                e, RC_CONFIG, "cannot read the system's CA certificates: %s", library_reason());
        return RC_OK;
    }
    context->trust = options->ca_text != NULL ? xstrdup("the CA certificates given")
                                              : xasprintf("CA %s", options->ca_file);
    if (options->ca_text == NULL && stat(options->ca_file, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (SSL_CTX_load_verify_dir(context->ssl, options->ca_file) != 1)
            return err_set(e, RC_CONFIG, "cannot read CA certificates of folder %s: %s",
                options->ca_file, library_reason());
        return RC_OK;
    }
    rc = source_open(&source, options->ca_file, options->ca_text, "CA file", e);
    if (rc != RC_OK)
        return rc;
    rc = trust_add_source(context, &source, e);
    source_close(&source);
    return rc;
}

static enum rc
certificate_add(struct tls_context *context, const struct tls_options *options, struct err *e)
{
    struct source source;
    X509 *certificate;
    bool good;
    enum rc rc = source_open(
        &source, options->certificate_file, options->certificate_text, "certificate file", e);

    if (rc != RC_OK)
        return rc;
    certificate = PEM_read_bio_X509(source.bio, NULL, NULL, NULL);
    good = certificate != NULL && SSL_CTX_use_certificate(context->ssl, certificate) == 1;
    X509_free(certificate);
    while (good && (certificate = PEM_read_bio_X509(source.bio, NULL, NULL, NULL)) != NULL) {
        good = SSL_CTX_add1_chain_cert(context->ssl, certificate) == 1;
        X509_free(certificate);
    }
    if (!good)
        rc = err_set(e, RC_CONFIG, "%s holds no usable certificate in PEM form: %s", source.name,
            library_reason());
    else if (!pem_ended())
        rc = err_set(
            e, RC_CONFIG, "%s holds a broken certificate: %s", source.name, library_reason());
    source_close(&source);
    return rc;
}

/* Without a password OpenSSL would ask on the terminal. */
static int
give_password(char *out, int size, int writing, void *arg)
{
    const char *password = arg;
    size_t length = password == NULL ? 0 : strlen(password);

    (void)writing;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(out, password, length);
    return (int)length;
}

static enum rc
key_add(struct tls_context *context, const struct tls_options *options, struct err *e)
{
    struct source source;
    EVP_PKEY *key;
    char *password = options->key_password == NULL ? NULL : xstrdup(options->key_password);
    enum rc rc = source_open(&source, options->key_file, options->key_text, "key file", e);

    if (rc != RC_OK) {
        free(password);
        return rc;
    }
    key = PEM_read_bio_PrivateKey(source.bio, NULL, give_password, password);
    if (key == NULL && strstr(buf_text(&source.text), "PRIVATE KEY-----") == NULL)
        rc = err_set(e, RC_CONFIG, "%s holds no private key in PEM form", source.name);
    else if (key == NULL)
        rc = err_set(e, RC_CONFIG, "the private key in %s cannot be read: %s%s", source.name,
            password == NULL ? "its password is missing (ssl.key.password), or "
                             : "the password is wrong (ssl.key.password), or ",
            library_reason());
    else if (SSL_CTX_use_PrivateKey(context->ssl, key) != 1)
        rc = err_set(
            e, RC_CONFIG, "the private key in %s does not belong to the certificate", source.name);
    ERR_clear_error();
    EVP_PKEY_free(key);
    source_close(&source);
    if (password != NULL)
        OPENSSL_cleanse(password, strlen(password));
    free(password);
    return rc;
}

static enum rc
rules_set(struct tls_context *context, const struct tls_options *options, struct err *e)
{
    int version = TLS1_2_VERSION, mode = SSL_VERIFY_NONE;

    if (options->version_min != NULL && strcmp(options->version_min, "TLSv1.3") == 0)
        version = TLS1_3_VERSION;
    else if (options->version_min != NULL && strcmp(options->version_min, "TLSv1.2") != 0)
        return err_set(
            e, RC_CONFIG, "TLS version %s is not known (TLSv1.2 or TLSv1.3)", options->version_min);
    SSL_CTX_set_min_proto_version(context->ssl, version);
    if (options->ciphers != NULL && SSL_CTX_set_cipher_list(context->ssl, options->ciphers) != 1)
        return err_set(e, RC_CONFIG, "cipher list %s holds no cipher that OpenSSL knows: %s",
            options->ciphers, library_reason());
    if (context->is_client)
        mode = options->skip_peer ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    else if (options->require_peer)
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    else if (options->ca_file != NULL || options->ca_text != NULL)
        mode = SSL_VERIFY_PEER;
    SSL_CTX_set_verify(context->ssl, mode, NULL);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    /* Otherwise each record costs two calls, one of them for five bytes. */
    SSL_CTX_set_read_ahead(context->ssl, 1);
    SSL_CTX_set_default_read_buffer_len(context->ssl, READ_AHEAD_BYTES);
    /* A session per connection; renegotiation only lets a peer make work. */
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (!context->is_client)
        SSL_CTX_set_session_id_context(context->ssl, (const unsigned char *)"kdl", 3);
    context->check_host = !options->skip_peer && !options->skip_host;
    return RC_OK;
}

static enum rc
context_new(
    const struct tls_options *options, bool is_client, struct tls_context **out, struct err *e)
{
    struct tls_context *context = xcalloc(1, sizeof *context);
    bool has_certificate = options->certificate_file != NULL || options->certificate_text != NULL;
    bool has_key = options->key_file != NULL || options->key_text != NULL;
    enum rc rc;

    context->is_client = is_client;
    context->ssl = SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method());
    REQUIRE(context->ssl != NULL);
    rc = rules_set(context, options, e);
    if (rc == RC_OK)
        rc = trust_add(context, options, e);
    if (rc == RC_OK && has_certificate != has_key)
        rc = err_set(
            e, RC_CONFIG, "a TLS certificate needs its private key, and the other way round");
    if (rc == RC_OK && !is_client && !has_certificate)
        rc = err_set(e, RC_CONFIG, "a TLS server needs a certificate and its private key");
    if (rc == RC_OK && has_certificate)
        rc = certificate_add(context, options, e);
    if (rc == RC_OK && has_key)
        rc = key_add(context, options, e);
    ERR_clear_error();
    if (rc != RC_OK) {
        tls_context_free(context);
        return rc;
    }
    *out = context;
    return RC_OK;
}

enum rc
tls_context_new_client(const struct tls_options *options, struct tls_context **out, struct err *e)
{
    return context_new(options, true, out, e);
}

enum rc
tls_context_new_server(const struct tls_options *options, struct tls_context **out, struct err *e)
{
    return context_new(options, false, out, e);
}

void
tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    free(context->trust);
    free(context);
}

struct ssl_ctx_st *
tls_context_native(const struct tls_context *context)
{
    return context->ssl;
}

const char *
tls_context_trust(const struct tls_context *context)
{
    return context->trust;
}

bool
tls_context_is_client(const struct tls_context *context)
{
    return context->is_client;
}

bool
tls_context_checks_host(const struct tls_context *context)
{
    return context->check_host;
}
