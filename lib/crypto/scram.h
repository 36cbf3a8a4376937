/*
 * scram: both sides of SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677; KIP-84), as Kafka
 * speaks it: no channel binding, user names and passwords taken as the bytes they are.
 *
 * Each side turns the message it got into the one to send; how they travel is the caller's
 * business. Messages come from a peer: they are limited to SCRAM_MESSAGE_MAX bytes, and a server's
 * iteration count to SCRAM_ITERATIONS_MIN..MAX, because a lower one makes passwords guessable and a
 * higher one costs the client more than a second. Whatever is wrong with a message is RC_PROTOCOL;
 * a wrong password or a server that does not know it is RC_DENIED.
 *
 * Not thread-safe: one owner.
 */
#ifndef LIB_CRYPTO_SCRAM_H
#define LIB_CRYPTO_SCRAM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/digest.h"

#define SCRAM_MESSAGE_MAX ((size_t)4096)
#define SCRAM_ITERATIONS_MIN 4096
#define SCRAM_ITERATIONS_MAX 1000000
#define SCRAM_SALT_MAX ((size_t)128)
#define SCRAM_NONCE_BYTES 24

/* scram_kind returns the digest of a mechanism's name ("SCRAM-SHA-256"); RC_NOTFOUND for another.
 */
MUST_CHECK enum rc scram_kind(const char *mechanism, enum digest_kind *kind);

/* Client. */

struct scram_client {
    enum digest_kind kind;
    char *user;
    char *password;
    char *nonce;
    struct buf auth_message;
    uint8_t server_signature[DIGEST_BYTES_MAX];
};

/* scram_client_init copies user and password. A nonce of NULL is drawn at random; tests give one.
 */
void scram_client_init(struct scram_client *client, enum digest_kind kind, const char *user,
    const char *password, const char *nonce);

/* scram_client_fini wipes and frees. */
void scram_client_fini(struct scram_client *client);

/* scram_client_first appends the first message. */
void scram_client_first(struct scram_client *client, struct buf *out);

/* scram_client_final reads the server's first message and appends the client's last one. Takes the
 * time of the iterations that the server asks for. */
MUST_CHECK enum rc scram_client_final(
    struct scram_client *client, const void *data, size_t size, struct buf *out, struct err *e);

/* scram_client_verify reads the server's last message: RC_DENIED where the server refuses, or where
 * it proves not to know the password. */
MUST_CHECK enum rc scram_client_verify(
    struct scram_client *client, const void *data, size_t size, struct err *e);

/* Server. */

/* What a server keeps of a password; the keys do not allow to log in (RFC 5802, 3). */
struct scram_credential {
    enum digest_kind kind;
    uint32_t iterations;
    size_t salt_size;
    uint8_t salt[SCRAM_SALT_MAX];
    uint8_t stored_key[DIGEST_BYTES_MAX];
    uint8_t server_key[DIGEST_BYTES_MAX];
};

/* scram_credential_make derives what is kept of a password; scram_credential_derive does so from a
 * password that the client has salted already (AlterUserScramCredentials). salt_size is at most
 * SCRAM_SALT_MAX. */
void scram_credential_make(struct scram_credential *out, enum digest_kind kind,
    const char *password, const uint8_t *salt, size_t salt_size, uint32_t iterations);
void scram_credential_derive(struct scram_credential *out, enum digest_kind kind,
    const uint8_t *salted_password, size_t salted_size, const uint8_t *salt, size_t salt_size,
    uint32_t iterations);

struct scram_server {
    enum digest_kind kind;
    char *user;   /* who the client says that it is, after scram_server_first */
    char *header; /* of the client's first message; it has to repeat it */
    char *nonce;
    struct buf auth_message;
    struct scram_credential credential;
};

void scram_server_init(struct scram_server *server, enum digest_kind kind);
void scram_server_fini(struct scram_server *server);

/* scram_server_first reads the client's first message; the caller then looks up server->user. */
MUST_CHECK enum rc scram_server_first(
    struct scram_server *server, const void *data, size_t size, struct err *e);

/* scram_server_challenge appends the server's first message for that user's credential (copied). A
 * nonce of NULL is drawn at random. */
void scram_server_challenge(struct scram_server *server, const struct scram_credential *credential,
    const char *nonce, struct buf *out);

/* scram_server_final reads the client's last message and appends the server's; RC_DENIED, with a
 * message to send all the same, where the proof is wrong. */
MUST_CHECK enum rc scram_server_final(
    struct scram_server *server, const void *data, size_t size, struct buf *out, struct err *e);

#endif
