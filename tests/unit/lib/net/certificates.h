/* Certificates for tests, made on the spot: nothing in the repository ever expires. */
#ifndef TESTS_UNIT_LIB_NET_CERTIFICATES_H
#define TESTS_UNIT_LIB_NET_CERTIFICATES_H

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/base/xalloc.h"

struct certificate {
    EVP_PKEY *key;
    X509 *x509;
    char *key_text; /* PEM */
    char *text;     /* PEM */
};

static inline char *
certificate_bio_text(BIO *bio)
{
    char *data, *text;
    long size = BIO_get_mem_data(bio, &data);

    text = xmemdup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

static inline void
certificate_extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    REQUIRE(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* hosts as OpenSSL writes them ("DNS:localhost,IP:127.0.0.1"), or NULL for a CA; issuer NULL: signs
 * itself. */
static inline struct certificate
certificate_make(const char *name, const char *hosts, const struct certificate *issuer)
{
    static long serial;
    struct certificate out;
    X509_NAME *subject;
    BIO *bio;

    out.key = EVP_EC_gen("P-256");
    out.x509 = X509_new();
    REQUIRE(out.key != NULL && out.x509 != NULL);
    X509_set_version(out.x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(out.x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(out.x509), 3600);
    X509_set_pubkey(out.x509, out.key);
    subject = X509_get_subject_name(out.x509);
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(out.x509, issuer == NULL ? subject : X509_get_subject_name(issuer->x509));
    certificate_extend(out.x509, issuer == NULL ? out.x509 : issuer->x509, NID_basic_constraints,
        hosts == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (hosts != NULL && hosts[0] != '\0')
        certificate_extend(
            out.x509, issuer == NULL ? out.x509 : issuer->x509, NID_subject_alt_name, hosts);
    REQUIRE(X509_sign(out.x509, issuer == NULL ? out.key : issuer->key, EVP_sha256()) > 0);
    bio = BIO_new(BIO_s_mem());
    REQUIRE(PEM_write_bio_X509(bio, out.x509) == 1);
    out.text = certificate_bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    REQUIRE(PEM_write_bio_PrivateKey(bio, out.key, NULL, NULL, 0, NULL, NULL) == 1);
    out.key_text = certificate_bio_text(bio);
    return out;
}

/* The key as encrypted PEM, which the caller frees. */
static inline char *
certificate_locked_key(const struct certificate *certificate, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *copy = xstrdup(password);

    REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio, certificate->key, EVP_aes_256_cbc(), copy,
                (int)strlen(copy), NULL, NULL) == 1);
    free(copy);
    return certificate_bio_text(bio);
}

static inline void
certificate_fini(struct certificate *certificate)
{
    EVP_PKEY_free(certificate->key);
    X509_free(certificate->x509);
    free(certificate->key_text);
    free(certificate->text);
}

#endif
