#include "lib/net/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

struct tls {
    SSL *ssl;
    char *host;
    char *trust;
    const struct tls_io *io;
    void *io_arg;
    int io_errno; /* of the last transport failure */
    bool saw_end;
    bool ready;
    enum tls_reason reason;
    X509 *refused; /* the peer's certificate, where we do not accept it */
};

/* --- bytes through our own functions -----------------------------------------------------------
 */

static BIO_METHOD *method;

static int
bio_read(BIO *bio, char *data, size_t size, size_t *moved)
{
    struct tls *tls = BIO_get_data(bio);
    ssize_t got = tls->io->read(tls->io_arg, data, size);

    BIO_clear_retry_flags(bio);
    if (got > 0) {
        *moved = (size_t)got;
        return 1;
    }
    if (got == 0)
        tls->saw_end = true;
    else if (errno == EAGAIN || errno == EINTR)
        BIO_set_retry_read(bio);
    else
        tls->io_errno = errno;
    return 0;
}

static int
bio_write(BIO *bio, const char *data, size_t size, size_t *moved)
{
    struct tls *tls = BIO_get_data(bio);
    ssize_t put = tls->io->write(tls->io_arg, data, size);

    BIO_clear_retry_flags(bio);
    if (put > 0) {
        *moved = (size_t)put;
        return 1;
    }
    if (errno == EAGAIN || errno == EINTR)
        BIO_set_retry_write(bio);
    else
        tls->io_errno = errno;
    return 0;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
    struct tls *tls = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return tls->saw_end;
    return command == BIO_CTRL_FLUSH;
}

static void
method_make(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls_io");
    REQUIRE(method != NULL && BIO_meth_set_read_ex(method, bio_read) == 1 &&
            BIO_meth_set_write_ex(method, bio_write) == 1 &&
            BIO_meth_set_ctrl(method, bio_control) == 1);
}

/* --- sessions ----------------------------------------------------------------------------------
 */

static bool
is_address(const char *host)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    bool found = address != NULL;

    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return found;
}

static void
host_expect(struct tls *tls, bool check)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);

    if (is_address(tls->host)) {
        if (check)
            REQUIRE(X509_VERIFY_PARAM_set1_ip_asc(param, tls->host) == 1);
        return;
    }
    /* A host name that is no valid server name fails at the check, not here. */
    SSL_set_tlsext_host_name(tls->ssl, tls->host);
    if (check) {
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        REQUIRE(X509_VERIFY_PARAM_set1_host(param, tls->host, 0) == 1);
    }
}

/* OpenSSL forgets a certificate that it refuses, and the message has to name it. */
static int
on_verify(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);

    if (!good && tls->refused == NULL && certificate != NULL) {
        X509_up_ref(certificate);
        tls->refused = certificate;
    }
    return good;
}

struct tls *
tls_new(struct tls_context *context, const char *host, const struct tls_io *io, void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tls *tls = xcalloc(1, sizeof *tls);
    BIO *bio;

    pthread_once(&once, method_make);
    tls->io = io;
    tls->io_arg = arg;
    tls->trust = xstrdup(tls_context_trust(context));
    tls->ssl = SSL_new(tls_context_native(context));
    bio = BIO_new(method);
    REQUIRE(tls->ssl != NULL && bio != NULL);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_verify(tls->ssl, SSL_get_verify_mode(tls->ssl), on_verify);
    if (!tls_context_is_client(context)) {
        SSL_set_accept_state(tls->ssl);
        return tls;
    }
    tls->host = xstrdup(host);
    host_expect(tls, tls_context_checks_host(context));
    SSL_set_connect_state(tls->ssl);
    return tls;
}

void
tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    X509_free(tls->refused);
    free(tls->host);
    free(tls->trust);
    free(tls);
}

/* --- what went wrong ---------------------------------------------------------------------------
 */

static void
name_append(struct buf *out, const GENERAL_NAME *name)
{
    const uint8_t *bytes;
    int size;

    if (name->type == GEN_DNS) {
        bytes = ASN1_STRING_get0_data(name->d.dNSName);
        size = ASN1_STRING_length(name->d.dNSName);
        buf_printf(out, "%s%.*s", out->size > 0 ? ", " : "", size, (const char *)bytes);
    } else if (name->type == GEN_IPADD) {
        char *text = i2s_ASN1_OCTET_STRING(NULL, name->d.iPAddress);

        bytes = ASN1_STRING_get0_data(name->d.iPAddress);
        if (ASN1_STRING_length(name->d.iPAddress) == 4)
            buf_printf(out, "%s%u.%u.%u.%u", out->size > 0 ? ", " : "", bytes[0], bytes[1],
                bytes[2], bytes[3]);
        else if (text != NULL)
            buf_printf(out, "%s%s", out->size > 0 ? ", " : "", text);
        OPENSSL_free(text);
    }
}

/* A peer wrote these names, and a terminal may show them. */
static void
names_clean(struct buf *names)
{
    for (size_t i = 0; i < names->size; i++)
        if (names->data[i] < 0x20 || names->data[i] == 0x7f)
            names->data[i] = '?';
}

/* The hosts that a certificate is for. */
static void
certificate_hosts(X509 *certificate, struct buf *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char common_name[128];

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        name_append(out, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    if (out->size > 0)
        return;
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name,
            sizeof common_name) > 0)
        buf_append_text(out, common_name);
    else
        buf_append_text(out, "nobody");
}

static void
certificate_issuer(X509 *certificate, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long size;

    REQUIRE(bio != NULL);
    X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
    size = BIO_get_mem_data(bio, &text);
    buf_append(out, text, (size_t)size);
    BIO_free(bio);
}

/* The peer's certificate was refused by our own check. */
static void
verify_failed(struct tls *tls, long result, struct err *e)
{
    X509 *certificate = tls->refused;
    struct buf words;

    buf_init(&words, 200);
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        tls->reason = TLS_REASON_WRONG_HOST;
        if (certificate != NULL)
            certificate_hosts(certificate, &words);
        names_clean(&words);
        (void)err_set(
            e, RC_DENIED, "its certificate is for %s, not for %s", buf_text(&words), tls->host);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        tls->reason = TLS_REASON_NOT_TRUSTED;
        if (certificate != NULL)
            certificate_issuer(certificate, &words);
        names_clean(&words);
        (void)err_set(e, RC_DENIED, "its certificate is not trusted by %s (issued by %s)",
            tls->trust, buf_text(&words));
        break;
    default:
        (void)err_set(
            e, RC_DENIED, "its certificate is refused: %s", X509_verify_cert_error_string(result));
    }
    buf_fini(&words);
}

/* An error that the peer sent, or that our side found in what it sent. */
static void
protocol_failed(struct tls *tls, unsigned long code, struct err *e)
{
    const char *text = ERR_reason_error_string(code);

    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_BAD_RECORD_TYPE:
        if (!tls->ready) {
            tls->reason = TLS_REASON_NOT_TLS;
            (void)err_set(e, RC_PROTOCOL, "the peer does not speak TLS");
            return;
        }
        break;
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        tls->reason = TLS_REASON_WANTS_CERTIFICATE;
        (void)err_set(e, RC_DENIED, "a client certificate is required");
        return;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        tls->reason = TLS_REASON_WANTS_CERTIFICATE;
        if (SSL_get_certificate(tls->ssl) == NULL)
            (void)err_set(e, RC_DENIED, "a client certificate is required");
        else
            (void)err_set(e, RC_DENIED, "the peer refuses our certificate (%s)", text);
        return;
    default:
        break;
    }
    (void)err_set(e, RC_DENIED, "TLS failed: %s", text == NULL ? "unknown reason" : text);
}

static void
failed(struct tls *tls, int ssl_error, struct err *e)
{
    unsigned long code = ERR_peek_error();
    long result = SSL_get_verify_result(tls->ssl);

    if (ssl_error == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
        result != X509_V_OK && tls->host != NULL) {
        verify_failed(tls, result, e);
    } else if (!tls->ready && (tls->io_errno != 0 || tls->saw_end)) {
        tls->reason = TLS_REASON_CLOSED;
        (void)err_set(e, RC_CLOSED, "the peer closed the connection during the TLS handshake");
    } else if (tls->io_errno != 0) {
        (void)err_set_errno(e, RC_CLOSED, tls->io_errno, "the connection broke");
    } else if (tls->saw_end) {
        (void)err_set(e, RC_CLOSED, "the peer closed the connection");
    } else {
        protocol_failed(tls, code, e);
    }
    ERR_clear_error();
}

static enum tls_status
status_of(struct tls *tls, int result, struct err *e)
{
    int ssl_error;

    if (result == 1)
        return TLS_DONE;
    ssl_error = SSL_get_error(tls->ssl, result);
    switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        failed(tls, ssl_error, e);
        return TLS_FAILED;
    }
}

/* --- use ---------------------------------------------------------------------------------------
 */

enum tls_status
tls_handshake(struct tls *tls, struct err *e)
{
    enum tls_status status;

    ERR_clear_error();
    status = status_of(tls, SSL_do_handshake(tls->ssl), e);
    if (status == TLS_DONE)
        tls->ready = true;
    return status;
}

enum tls_status
tls_read(struct tls *tls, void *data, size_t size, size_t *moved, struct err *e)
{
    *moved = 0;
    ERR_clear_error();
    return status_of(tls, SSL_read_ex(tls->ssl, data, size, moved), e);
}

enum tls_status
tls_write(struct tls *tls, const void *data, size_t size, size_t *moved, struct err *e)
{
    *moved = 0;
    ERR_clear_error();
    return status_of(tls, SSL_write_ex(tls->ssl, data, size, moved), e);
}

enum tls_status
tls_end(struct tls *tls, struct err *e)
{
    int result;

    ERR_clear_error();
    result = SSL_shutdown(tls->ssl);
    /* 0: our side is ended, the peer's not yet; that is all we want. */
    return result == 0 ? TLS_DONE : status_of(tls, result, e);
}

bool
tls_has_pending(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

enum tls_reason
tls_reason(const struct tls *tls)
{
    return tls->reason;
}

bool
tls_peer_name(const struct tls *tls, char *out, size_t size)
{
    X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
    BIO *bio;
    char *text;
    long length;

    if (certificate == NULL)
        return false;
    bio = BIO_new(BIO_s_mem());
    REQUIRE(bio != NULL && size > 0);
    X509_NAME_print_ex(
        bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    length = BIO_get_mem_data(bio, &text);
    snprintf(out, size, "%.*s", (int)length, text);
    BIO_free(bio);
    X509_free(certificate);
    return true;
}
