#include "lib/crypto/scram.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* A piece of a message. */
struct piece {
    const char *data;
    size_t size;
};

enum rc
scram_kind(const char *mechanism, enum digest_kind *kind)
{
    if (strcmp(mechanism, "SCRAM-SHA-256") == 0)
        *kind = DIGEST_SHA256;
    else if (strcmp(mechanism, "SCRAM-SHA-512") == 0)
        *kind = DIGEST_SHA512;
    else
        return RC_NOTFOUND;
    return RC_OK;
}

static char *
nonce_new(const char *given)
{
    uint8_t bytes[SCRAM_NONCE_BYTES];
    struct buf text;
    size_t size;

    if (given != NULL)
        return xstrdup(given);
    digest_random(bytes, sizeof bytes);
    buf_init(&text, SCRAM_MESSAGE_MAX);
    digest_base64_encode(bytes, sizeof bytes, &text);
    return (char *)buf_take(&text, &size);
}

static void
secret_free(char *text)
{
    if (text != NULL)
        digest_wipe(text, strlen(text));
    free(text);
}

/* --- reading messages ------------------------------------------------------------------------- */

/* Text without control characters, so that pieces of it may be shown. */
static enum rc
message_check(const void *data, size_t size, struct err *e)
{
    const uint8_t *bytes = data;

    if (size > SCRAM_MESSAGE_MAX)
        return err_set(e, RC_PROTOCOL, "a SCRAM message has %zu bytes", size);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return err_set(e, RC_PROTOCOL, "a SCRAM message has a control character");
    return RC_OK;
}

/* Takes the next attribute, `name=value`, off the front of rest, up to a comma or the end. */
static bool
attribute_take(struct piece *rest, char name, struct piece *value)
{
    const char *comma;

    if (rest->size < 2 || rest->data[0] != name || rest->data[1] != '=')
        return false;
    value->data = rest->data + 2;
    comma = memchr(value->data, ',', rest->size - 2);
    value->size = comma == NULL ? rest->size - 2 : (size_t)(comma - value->data);
    rest->size -= 2 + value->size + (comma != NULL);
    rest->data = value->data + value->size + (comma != NULL);
    return true;
}

static enum rc
malformed(struct err *e, const char *which)
{
    return err_set(e, RC_PROTOCOL, "the peer's %s SCRAM message is malformed", which);
}

static bool
starts_with(const struct piece *text, const char *prefix)
{
    size_t size = strlen(prefix);

    return text->size >= size && memcmp(text->data, prefix, size) == 0;
}

/* A decimal number of at most seven digits, which the largest iteration count has; 0 otherwise. */
static uint32_t
number_of(const struct piece *text)
{
    uint32_t value = 0;

    if (text->size == 0 || text->size > 7)
        return 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return 0;
        value = value * 10 + (uint32_t)(text->data[i] - '0');
    }
    return value;
}

/* Decodes base64 into at most `capacity` bytes; returns how many, or SIZE_MAX. */
static size_t
decode(const struct piece *text, uint8_t *out, size_t capacity)
{
    struct buf bytes;
    size_t size = SIZE_MAX;

    buf_init(&bytes, capacity);
    if (digest_base64_decode(text->data, text->size, &bytes, NULL) == RC_OK) {
        size = bytes.size;
        if (size > 0)
            memcpy(out, bytes.data, size);
    }
    buf_fini(&bytes);
    return size;
}

/* --- computations (RFC 5802, 3) ----------------------------------------------------------------
 */

static void
proof_make(enum digest_kind kind, const uint8_t *client_key, const struct buf *auth_message,
    uint8_t *proof)
{
    size_t size = digest_size(kind);
    uint8_t stored_key[DIGEST_BYTES_MAX];

    digest_compute(kind, client_key, size, stored_key);
    digest_hmac(kind, stored_key, size, auth_message->data, auth_message->size, proof);
    for (size_t i = 0; i < size; i++)
        proof[i] ^= client_key[i];
}

void
scram_credential_derive(struct scram_credential *out, enum digest_kind kind,
    const uint8_t *salted_password, size_t salted_size, const uint8_t *salt, size_t salt_size,
    uint32_t iterations)
{
    size_t size = digest_size(kind);
    uint8_t client_key[DIGEST_BYTES_MAX];

    REQUIRE(salt_size <= SCRAM_SALT_MAX);
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->iterations = iterations;
    out->salt_size = salt_size;
    if (salt_size > 0)
        memcpy(out->salt, salt, salt_size);
    digest_hmac(kind, salted_password, salted_size, "Client Key", 10, client_key);
    digest_compute(kind, client_key, size, out->stored_key);
    digest_hmac(kind, salted_password, salted_size, "Server Key", 10, out->server_key);
    digest_wipe(client_key, sizeof client_key);
}

void
scram_credential_make(struct scram_credential *out, enum digest_kind kind, const char *password,
    const uint8_t *salt, size_t salt_size, uint32_t iterations)
{
    uint8_t salted_password[DIGEST_BYTES_MAX];

    digest_pbkdf2(kind, password, strlen(password), salt, salt_size, iterations, salted_password);
    scram_credential_derive(
        out, kind, salted_password, digest_size(kind), salt, salt_size, iterations);
    digest_wipe(salted_password, sizeof salted_password);
}

/* --- client ------------------------------------------------------------------------------------
 */

void
scram_client_init(struct scram_client *client, enum digest_kind kind, const char *user,
    const char *password, const char *nonce)
{
    memset(client, 0, sizeof *client);
    client->kind = kind;
    client->user = xstrdup(user);
    client->password = xstrdup(password);
    client->nonce = nonce_new(nonce);
    buf_init(&client->auth_message, 4 * SCRAM_MESSAGE_MAX);
}

void
scram_client_fini(struct scram_client *client)
{
    free(client->user);
    secret_free(client->password);
    free(client->nonce);
    buf_fini(&client->auth_message);
    digest_wipe(client, sizeof *client);
}

void
scram_client_first(struct scram_client *client, struct buf *out)
{
    struct buf *bare = &client->auth_message;

    buf_clear(bare);
    buf_append_text(bare, "n=");
    for (const char *c = client->user; *c != '\0'; c++) {
        if (*c == ',')
            buf_append_text(bare, "=2C");
        else if (*c == '=')
            buf_append_text(bare, "=3D");
        else
            buf_append_byte(bare, (uint8_t)*c);
    }
    buf_printf(bare, ",r=%s", client->nonce);
    buf_append_text(out, "n,,");
    buf_append(out, bare->data, bare->size);
}

struct challenge {
    struct piece nonce;
    uint8_t salt[SCRAM_SALT_MAX];
    size_t salt_size;
    uint32_t iterations;
};

static enum rc
challenge_read(const struct scram_client *client, const void *data, size_t size,
    struct challenge *out, struct err *e)
{
    struct piece rest = {data, size}, salt, iterations;
    enum rc rc = message_check(data, size, e);

    if (rc != RC_OK)
        return rc;
    if (starts_with(&rest, "e="))
        return err_set(e, RC_DENIED, "the server refuses: %.*s", (int)(size - 2), rest.data + 2);
    if (!attribute_take(&rest, 'r', &out->nonce) || !attribute_take(&rest, 's', &salt) ||
        !attribute_take(&rest, 'i', &iterations))
        return malformed(e, "first");
    /* The server adds to our nonce; a replayed challenge has another one. */
    if (out->nonce.size <= strlen(client->nonce) || !starts_with(&out->nonce, client->nonce))
        return err_set(e, RC_PROTOCOL, "the server's nonce does not follow ours");
    out->salt_size = decode(&salt, out->salt, sizeof out->salt);
    if (out->salt_size == SIZE_MAX || out->salt_size == 0)
        return malformed(e, "first");
    out->iterations = number_of(&iterations);
    if (out->iterations < SCRAM_ITERATIONS_MIN || out->iterations > SCRAM_ITERATIONS_MAX)
        return err_set(e, RC_PROTOCOL, "the server asks for %.*s iterations, allowed are %d to %d",
            iterations.size > 20 ? 20 : (int)iterations.size, iterations.data, SCRAM_ITERATIONS_MIN,
            SCRAM_ITERATIONS_MAX);
    return RC_OK;
}

enum rc
scram_client_final(
    struct scram_client *client, const void *data, size_t size, struct buf *out, struct err *e)
{
    enum digest_kind kind = client->kind;
    size_t hash_size = digest_size(kind), start = out->size;
    uint8_t salted[DIGEST_BYTES_MAX], key[DIGEST_BYTES_MAX], proof[DIGEST_BYTES_MAX];
    struct buf *auth_message = &client->auth_message;
    struct challenge challenge;
    enum rc rc = challenge_read(client, data, size, &challenge, e);

    if (rc != RC_OK)
        return rc;
    /* "biws" is the header of the first message, "n,,", in base64. */
    buf_printf(out, "c=biws,r=%.*s", (int)challenge.nonce.size, challenge.nonce.data);
    buf_append_text(auth_message, ",");
    buf_append(auth_message, data, size);
    buf_append_text(auth_message, ",");
    buf_append(auth_message, out->data + start, out->size - start);
    if (buf_is_overflowed(out) || buf_is_overflowed(auth_message))
        return err_set(e, RC_LIMIT, "the SCRAM exchange is too long");

    digest_pbkdf2(kind, client->password, strlen(client->password), challenge.salt,
        challenge.salt_size, challenge.iterations, salted);
    digest_hmac(kind, salted, hash_size, "Client Key", 10, key);
    proof_make(kind, key, auth_message, proof);
    digest_hmac(kind, salted, hash_size, "Server Key", 10, key);
    digest_hmac(
        kind, key, hash_size, auth_message->data, auth_message->size, client->server_signature);
    digest_wipe(salted, sizeof salted);
    digest_wipe(key, sizeof key);
    buf_append_text(out, ",p=");
    digest_base64_encode(proof, hash_size, out);
    if (buf_is_overflowed(out))
        return err_set(e, RC_LIMIT, "the SCRAM exchange is too long");
    return RC_OK;
}

enum rc
scram_client_verify(struct scram_client *client, const void *data, size_t size, struct err *e)
{
    struct piece rest = {data, size}, value;
    uint8_t signature[DIGEST_BYTES_MAX];
    enum rc rc = message_check(data, size, e);

    if (rc != RC_OK)
        return rc;
    if (attribute_take(&rest, 'e', &value))
        return err_set(e, RC_DENIED, "the server refuses: %.*s", (int)value.size, value.data);
    if (!attribute_take(&rest, 'v', &value) ||
        decode(&value, signature, sizeof signature) != digest_size(client->kind))
        return malformed(e, "last");
    if (!digest_equal(signature, client->server_signature, digest_size(client->kind)))
        return err_set(e, RC_DENIED,
            "the server does not know the password of user %s: it may be "
            "an impostor",
            client->user);
    return RC_OK;
}

/* --- server ------------------------------------------------------------------------------------
 */

void
scram_server_init(struct scram_server *server, enum digest_kind kind)
{
    memset(server, 0, sizeof *server);
    server->kind = kind;
    buf_init(&server->auth_message, 4 * SCRAM_MESSAGE_MAX);
}

void
scram_server_fini(struct scram_server *server)
{
    free(server->user);
    free(server->header);
    free(server->nonce);
    buf_fini(&server->auth_message);
    digest_wipe(server, sizeof *server);
}

/* A name with =2C for a comma and =3D for an equals sign; NULL for any other use of '='. */
static char *
name_decode(const struct piece *name)
{
    char *out = xmalloc(name->size + 1), *end = out;

    for (size_t i = 0; i < name->size; i++) {
        if (name->data[i] != '=') {
            *end++ = name->data[i];
            continue;
        }
        if (name->size - i < 3 ||
            (memcmp(name->data + i, "=2C", 3) != 0 && memcmp(name->data + i, "=3D", 3) != 0)) {
            free(out);
            return NULL;
        }
        *end++ = name->data[i + 2] == 'C' ? ',' : '=';
        i += 2;
    }
    *end = '\0';
    return out;
}

/* The header of the first message: "n,," or "y,,", where the name of another user to act as may
 * stand between the commas. It returns its size, 0 where it is malformed. */
static size_t
header_read(const struct piece *message, struct piece *acts_as)
{
    struct piece rest;

    *acts_as = (struct piece){NULL, 0};
    if (message->size < 3 || (message->data[0] != 'n' && message->data[0] != 'y') ||
        message->data[1] != ',')
        return 0;
    if (message->data[2] == ',')
        return 3;
    rest = (struct piece){message->data + 2, message->size - 2};
    if (!attribute_take(&rest, 'a', acts_as) || rest.size == 0)
        return 0;
    return message->size - rest.size;
}

enum rc
scram_server_first(struct scram_server *server, const void *data, size_t size, struct err *e)
{
    struct piece message = {data, size}, rest, name, nonce, acts_as;
    size_t header_size;
    char *other;
    enum rc rc = message_check(data, size, e);

    if (rc != RC_OK)
        return rc;
    header_size = header_read(&message, &acts_as);
    rest = (struct piece){message.data + header_size, size - header_size};
    if (header_size == 0 || !attribute_take(&rest, 'n', &name) || name.size == 0 ||
        !attribute_take(&rest, 'r', &nonce) || nonce.size == 0)
        return malformed(e, "first");
    server->user = name_decode(&name);
    if (server->user == NULL)
        return malformed(e, "first");
    if (acts_as.size > 0) {
        other = name_decode(&acts_as);
        rc = other != NULL && strcmp(other, server->user) == 0
                 ? RC_OK
                 : err_set(e, RC_DENIED, "user %s asks to act as another user", server->user);
        free(other);
        if (rc != RC_OK)
            return rc;
    }
    server->header = xmemdup(message.data, header_size);
    server->nonce = xmemdup(nonce.data, nonce.size);
    buf_append(&server->auth_message, message.data + header_size, size - header_size);
    return RC_OK;
}

void
scram_server_challenge(struct scram_server *server, const struct scram_credential *credential,
    const char *nonce, struct buf *out)
{
    char *added = nonce_new(nonce);
    char *whole = xasprintf("%s%s", server->nonce, added);
    size_t start = out->size;

    REQUIRE(credential->kind == server->kind);
    free(added);
    free(server->nonce);
    server->nonce = whole;
    server->credential = *credential;
    buf_printf(out, "r=%s,s=", whole);
    digest_base64_encode(credential->salt, credential->salt_size, out);
    buf_printf(out, ",i=%u", credential->iterations);
    buf_append_text(&server->auth_message, ",");
    buf_append(&server->auth_message, out->data + start, out->size - start);
}

/* Whether the proof shows knowledge of the password (RFC 5802, 3: ClientKey from the proof). */
static bool
proof_is_right(const struct scram_server *server, const uint8_t *proof)
{
    enum digest_kind kind = server->kind;
    size_t size = digest_size(kind);
    uint8_t client_key[DIGEST_BYTES_MAX], stored_key[DIGEST_BYTES_MAX];

    digest_hmac(kind, server->credential.stored_key, size, server->auth_message.data,
        server->auth_message.size, client_key);
    for (size_t i = 0; i < size; i++)
        client_key[i] ^= proof[i];
    digest_compute(kind, client_key, size, stored_key);
    digest_wipe(client_key, sizeof client_key);
    return digest_equal(stored_key, server->credential.stored_key, size);
}

static bool
binding_is_header(const struct scram_server *server, const struct piece *binding)
{
    struct buf header;
    bool equal;

    buf_init(&header, SCRAM_MESSAGE_MAX);
    equal = digest_base64_decode(binding->data, binding->size, &header, NULL) == RC_OK &&
            strcmp(buf_text(&header), server->header) == 0;
    buf_fini(&header);
    return equal;
}

enum rc
scram_server_final(
    struct scram_server *server, const void *data, size_t size, struct buf *out, struct err *e)
{
    struct piece rest = {data, size}, binding, nonce, proof_text = {NULL, 0};
    uint8_t proof[DIGEST_BYTES_MAX] = {0}, signature[DIGEST_BYTES_MAX];
    size_t hash_size = digest_size(server->kind), unsigned_size;
    enum rc rc = message_check(data, size, e);

    if (rc != RC_OK)
        return rc;
    if (!attribute_take(&rest, 'c', &binding) || !attribute_take(&rest, 'r', &nonce))
        return malformed(e, "last");
    /* Extensions may stand between; the proof is last. */
    while (rest.size > 1 && rest.data[0] != 'p')
        if (!attribute_take(&rest, rest.data[0], &proof_text))
            return malformed(e, "last");
    unsigned_size = size - rest.size - 1;
    if (!attribute_take(&rest, 'p', &proof_text) || rest.size != 0 ||
        decode(&proof_text, proof, sizeof proof) != hash_size)
        return malformed(e, "last");
    if (!binding_is_header(server, &binding) || nonce.size != strlen(server->nonce) ||
        memcmp(nonce.data, server->nonce, nonce.size) != 0)
        return err_set(e, RC_PROTOCOL, "the client's last message belongs to another exchange");
    buf_append_text(&server->auth_message, ",");
    buf_append(&server->auth_message, data, unsigned_size);
    if (buf_is_overflowed(&server->auth_message))
        return err_set(e, RC_LIMIT, "the SCRAM exchange is too long");
    if (!proof_is_right(server, proof)) {
        buf_append_text(out, "e=invalid-proof");
        return err_set(e, RC_DENIED, "user %s: wrong password", server->user);
    }
    digest_hmac(server->kind, server->credential.server_key, hash_size, server->auth_message.data,
        server->auth_message.size, signature);
    buf_append_text(out, "v=");
    digest_base64_encode(signature, hash_size, out);
    return RC_OK;
}
