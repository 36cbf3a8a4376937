#include "lib/kafka/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text_file.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/kafka/conf_options.h"

struct conf {
    const struct conf_names *names;
    struct conf_options options;
    char *jaas_module;
    struct conf_client client;
};

const struct conf_names conf_names_usual = {"-b", "-X", "KDL_"};

struct conf *
conf_new(void)
{
    return conf_new_named(&conf_names_usual);
}

struct conf *
conf_new_named(const struct conf_names *names)
{
    struct conf *conf = xcalloc(1, sizeof *conf);

    conf->names = names;
    conf_options_init(&conf->options);
    return conf;
}

void
conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    conf_options_fini(&conf->options);
    conf_text_servers_free(conf->client.servers, conf->client.server_count);
    free(conf->jaas_module);
    free(conf);
}

/* --- one property ------------------------------------------------------------------------------
 */

/* The login module line says user and password, as if they had been set by themselves. */
static enum rc
jaas_set(struct conf *conf, const char *value, const char *origin, struct err *e)
{
    char *module, *user, *password;
    enum rc rc = conf_text_jaas(value, &module, &user, &password, e);

    if (rc != RC_OK)
        return e == NULL ? rc : err_note(e, "%s", origin);
    free(conf->jaas_module);
    conf->jaas_module = module;
    if (user != NULL)
        rc = conf_options_set(&conf->options, CONF_USER, "", user, origin, e);
    if (rc == RC_OK && password != NULL)
        rc = conf_options_set(&conf->options, CONF_PASSWORD, "", password, origin, e);
    free(user);
    if (password != NULL)
        digest_wipe(password, strlen(password));
    free(password);
    return rc;
}

enum rc
conf_set_pair(
    struct conf *conf, const char *name, const char *value, const char *origin, struct err *e)
{
    enum conf_option option;
    enum rc rc = conf_options_find(name, origin, &option, e);

    if (rc != RC_OK)
        return rc;
    if (option == CONF_OPTION_COUNT) {
        conf->options.ignored++;
        return RC_OK;
    }
    rc = conf_options_set(&conf->options, option, name, value, origin, e);
    return rc == RC_OK && option == CONF_JAAS ? jaas_set(conf, value, origin, e) : rc;
}

/* --- sources -----------------------------------------------------------------------------------
 */

enum rc
conf_set(struct conf *conf, const char *pair, struct err *e)
{
    const char *equals = strchr(pair, '=');
    char *name;
    enum rc rc;

    if (equals == NULL || equals == pair)
        return err_set(
            e, RC_CONFIG, "%s %.100s: it has to be NAME=VALUE", conf->names->property_flag, pair);
    name = xmemdup(pair, (size_t)(equals - pair));
    rc = conf_set_pair(conf, name, equals + 1, conf->names->property_flag, e);
    free(name);
    return rc;
}

struct file_context {
    struct conf *conf;
    const char *path;
};

static enum rc
on_property(void *arg, const char *name, const char *value, unsigned line, struct err *e)
{
    struct file_context *context = arg;
    char *origin = xasprintf("%s:%u", context->path, line);
    enum rc rc = conf_set_pair(context->conf, name, value, origin, e);

    free(origin);
    return rc;
}

enum rc
conf_load_file(struct conf *conf, const char *path, struct err *e)
{
    struct file_context context = {conf, path};
    struct err local;
    struct buf text;
    enum rc rc;

    buf_init(&text, CONF_FILE_BYTES_MAX);
    rc = text_file_read(path, NULL, &text, e);
    if (buf_is_overflowed(&text))
        rc = err_set(e, RC_CONFIG, "%s is larger than %zu bytes: is it a properties file?", path,
            CONF_FILE_BYTES_MAX);
    else if (rc == RC_OK)
        rc = conf_text_properties(
            buf_text(&text), text.size, on_property, &context, e == NULL ? &local : e);
    if (text.size > 0)
        digest_wipe(text.data, text.size);
    buf_fini(&text);
    return rc;
}

/* KDL_X_SSL_CA_LOCATION is ssl.ca.location; `text` is what stands behind KDL_X_. */
static enum rc
env_property(struct conf *conf, const char *text, const char *origin, struct err *e)
{
    const char *equals = strchr(text, '=');
    char *name = xmemdup(text, (size_t)(equals - text));
    enum rc rc;

    for (char *c = name; *c != '\0'; c++)
        *c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
    rc = conf_set_pair(conf, name, equals + 1, origin, e);
    free(name);
    return rc;
}

enum rc
conf_load_env(struct conf *conf, char *const *environment, struct err *e)
{
    static const char *const rows[][2] = {{"BOOTSTRAP", "bootstrap.servers"},
        {"USER", "sasl.username"}, {"PASSWORD", "sasl.password"},
        {"KEY_PASSWORD", "ssl.key.password"}};
    size_t prefix = strlen(conf->names->variables);
    enum rc rc = RC_OK;

    for (; rc == RC_OK && *environment != NULL; environment++) {
        const char *text = *environment + prefix, *equals = strchr(*environment, '=');
        char *origin;

        if (equals == NULL || strncmp(*environment, conf->names->variables, prefix) != 0)
            continue;
        origin = xmemdup(*environment, (size_t)(equals - *environment));
        if (strncmp(text, "X_", 2) == 0 && equals - text > 2)
            rc = env_property(conf, text + 2, origin, e);
        for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(rows); i++)
            if (strcmp(origin + prefix, rows[i][0]) == 0)
                rc = conf_set_pair(conf, rows[i][1], equals + 1, origin, e);
        free(origin);
    }
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static const char *
text_of(const struct conf *conf, enum conf_option option)
{
    return conf_options_text(&conf->options, option);
}

static enum rc
protocol_finish(struct conf *conf, struct err *e)
{
    static const struct {
        const char *name;
        bool with_tls, with_sasl;
    } rows[] = {{"PLAINTEXT", false, false}, {"SSL", true, false}, {"SASL_PLAINTEXT", false, true},
        {"SASL_SSL", true, true}};
    const char *text = text_of(conf, CONF_PROTOCOL);

    for (size_t i = 0; text != NULL && i < ARRAY_LEN(rows); i++)
        if (strcasecmp(text, rows[i].name) == 0) {
            conf->client.with_tls = rows[i].with_tls;
            conf->client.with_sasl = rows[i].with_sasl;
            return RC_OK;
        }
    return err_set(e, RC_CONFIG,
        "security.protocol %.40s is not known (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)",
        text == NULL ? "" : text);
}

static enum rc
mechanism_finish(struct conf *conf, struct err *e)
{
    static const char *const known[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    const char *text = text_of(conf, CONF_MECHANISM);

    if (text == NULL && conf->jaas_module != NULL &&
        strstr(conf->jaas_module, "PlainLoginModule") != NULL)
        text = "PLAIN";
    if (text == NULL)
        return err_set(e, RC_CONFIG,
            "SASL needs a mechanism: %s sasl.mechanism=PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
            conf->names->property_flag);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], text) == 0) {
            conf->client.mechanism = known[i];
            return RC_OK;
        }
    return err_set(e, RC_CONFIG,
        "sasl.mechanism %.40s is not supported (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 are)", text);
}

static enum rc
sasl_finish(struct conf *conf, struct err *e)
{
    struct conf_client *client = &conf->client;
    enum rc rc;

    if (!client->with_sasl)
        return RC_OK;
    rc = mechanism_finish(conf, e);
    if (rc != RC_OK)
        return rc;
    client->user = text_of(conf, CONF_USER);
    /* An empty password is one. */
    client->password = conf->options.values[CONF_PASSWORD].text;
    if (client->user == NULL)
        return err_set(
            e, RC_CONFIG, "SASL needs a user: %s sasl.username=USER", conf->names->property_flag);
    if (client->password == NULL)
        return err_set(e, RC_CONFIG,
            "user %.100s has no password: set %sPASSWORD, or sasl.password in a file", client->user,
            conf->names->variables);
    return RC_OK;
}

/* How a file's first bytes tell a Java key store. */
static const char *
store_kind(const char *path, const char *said)
{
    unsigned char start[4] = {0};
    FILE *file = fopen(path, "re");
    size_t size = 0;

    if (file != NULL) {
        size = fread(start, 1, sizeof start, file);
        fclose(file);
    }
    if (size == 4 && memcmp(start, "\xfe\xed\xfe\xed", 4) == 0)
        return "JKS";
    if (size == 4 && memcmp(start, "\xce\xce\xce\xce", 4) == 0)
        return "JCEKS";
    if (size == 4 && start[0] == 0x30 && (start[1] & 0x80) != 0)
        return "PKCS#12";
    /* Java's fallback is JKS, so people who use PEM say so; but the file knows best. */
    return size == 4 || said == NULL || strcasecmp(said, "PEM") == 0 ? NULL : said;
}

static enum rc
truststore_check(const struct conf *conf, const char *path, const char *said, struct err *e)
{
    const char *kind = store_kind(path, said);

    if (kind == NULL)
        return RC_OK;
    return err_set(e, RC_CONFIG,
        "ssl.truststore.location is a Java key store (%s), and kdl reads PEM. Convert it once "
        "with: "
        "keytool -list -rfc -keystore %.120s > ca.pem   and use %s ssl.ca.location=ca.pem",
        kind, path, conf->names->property_flag);
}

static enum rc
keystore_check(const struct conf *conf, const char *path, const char *said, struct err *e)
{
    const char *kind = store_kind(path, said);

    if (kind == NULL)
        return RC_OK;
    if (strcmp(kind, "PKCS#12") == 0 || strcasecmp(kind, "PKCS12") == 0)
        return err_set(e, RC_CONFIG,
            "ssl.keystore.location is a Java key store (PKCS#12), and kdl reads PEM. Convert it "
            "once with: openssl pkcs12 -nodes -in %.80s -out client.pem   and use "
            "%s ssl.keystore.location=client.pem",
            path, conf->names->property_flag);
    return err_set(e, RC_CONFIG,
        "ssl.keystore.location is a Java key store (%s), and kdl reads PEM. Convert it once with: "
        "keytool -importkeystore -srckeystore %.60s -destkeystore k.p12 -deststoretype PKCS12 && "
        "openssl pkcs12 -nodes -in k.p12 -out client.pem   and use "
        "%s ssl.keystore.location=client.pem",
        kind, path, conf->names->property_flag);
}

static enum rc
trust_finish(struct conf *conf, struct err *e)
{
    static const enum conf_option sources[] = {CONF_CA_FILE, CONF_CA_TEXT, CONF_TRUSTSTORE_FILE};
    enum conf_option source = conf_options_latest(&conf->options, sources, ARRAY_LEN(sources));
    struct tls_options *tls = &conf->client.tls;

    if (source == CONF_OPTION_COUNT)
        return RC_OK;
    if (source == CONF_CA_TEXT)
        tls->ca_text = text_of(conf, source);
    else if (strcmp(text_of(conf, source), "probe") != 0)
        tls->ca_file = text_of(conf, source);
    if (tls->ca_file == NULL)
        return RC_OK;
    return truststore_check(conf, tls->ca_file,
        source == CONF_TRUSTSTORE_FILE ? text_of(conf, CONF_TRUSTSTORE_TYPE) : NULL, e);
}

static enum rc
identity_finish(struct conf *conf, struct err *e)
{
    static const enum conf_option certificates[] = {
        CONF_CERTIFICATE_FILE, CONF_CERTIFICATE_TEXT, CONF_KEYSTORE_FILE};
    static const enum conf_option keys[] = {CONF_KEY_FILE, CONF_KEY_TEXT, CONF_KEYSTORE_FILE};
    enum conf_option certificate =
        conf_options_latest(&conf->options, certificates, ARRAY_LEN(certificates));
    enum conf_option key = conf_options_latest(&conf->options, keys, ARRAY_LEN(keys));
    struct tls_options *tls = &conf->client.tls;

    tls->key_password = text_of(conf, CONF_KEY_PASSWORD);
    if (certificate == CONF_CERTIFICATE_TEXT)
        tls->certificate_text = text_of(conf, certificate);
    else if (certificate != CONF_OPTION_COUNT)
        tls->certificate_file = text_of(conf, certificate);
    if (key == CONF_KEY_TEXT)
        tls->key_text = text_of(conf, key);
    else if (key != CONF_OPTION_COUNT)
        tls->key_file = text_of(conf, key);
    if (certificate == CONF_KEYSTORE_FILE || key == CONF_KEYSTORE_FILE)
        return keystore_check(
            conf, text_of(conf, CONF_KEYSTORE_FILE), text_of(conf, CONF_KEYSTORE_TYPE), e);
    return RC_OK;
}

static enum rc
tls_finish(struct conf *conf, struct err *e)
{
    struct tls_options *tls = &conf->client.tls;
    const char *check = text_of(conf, CONF_CHECK_HOST);
    const char *versions = text_of(conf, CONF_TLS_VERSIONS);
    enum rc rc;

    memset(tls, 0, sizeof *tls);
    if (!conf->client.with_tls)
        return RC_OK;
    tls->skip_host = check == NULL || strcasecmp(check, "none") == 0;
    if (!tls->skip_host && strcasecmp(check, "https") != 0)
        return err_set(e, RC_CONFIG,
            "ssl.endpoint.identification.algorithm %.40s is not known (https, none)", check);
    tls->skip_peer = strcmp(text_of(conf, CONF_CHECK_PEER), "false") == 0;
    if (versions != NULL && strstr(versions, "TLSv1.3") != NULL &&
        strstr(versions, "TLSv1.2") == NULL)
        tls->version_min = "TLSv1.3";
    rc = trust_finish(conf, e);
    return rc == RC_OK ? identity_finish(conf, e) : rc;
}

enum rc
conf_finish(struct conf *conf, const struct conf_client **out, struct err *e)
{
    struct conf_client *client = &conf->client;
    const char *servers = text_of(conf, CONF_BOOTSTRAP), *client_id;
    enum rc rc;

    conf_text_servers_free(client->servers, client->server_count);
    memset(client, 0, sizeof *client);
    client->names = conf->names;
    if (servers == NULL)
        return err_set(e, RC_CONFIG, "no server is given (%s HOST:PORT[,HOST:PORT...])",
            conf->names->server_flag);
    rc = conf_text_servers(servers, &client->servers, &client->server_count, e);
    if (rc == RC_OK)
        rc = protocol_finish(conf, e);
    if (rc == RC_OK)
        rc = sasl_finish(conf, e);
    if (rc == RC_OK)
        rc = tls_finish(conf, e);
    if (rc != RC_OK)
        return rc;
    client_id = text_of(conf, CONF_CLIENT_ID);
    client->client_id = client_id == NULL ? "" : client_id;
    client->request_timeout_ms = conf_options_number(&conf->options, CONF_REQUEST_TIMEOUT);
    client->connect_timeout_ms = conf_options_number(&conf->options, CONF_CONNECT_TIMEOUT);
    client->retry_backoff_ms = conf_options_number(&conf->options, CONF_RETRY_BACKOFF);
    client->response_bytes_max =
        (size_t)conf_options_number(&conf->options, CONF_RESPONSE_BYTES_MAX);
    *out = client;
    return RC_OK;
}

size_t
conf_ignored(const struct conf *conf)
{
    return conf->options.ignored;
}

void
conf_describe(const struct conf *conf, struct buf *out)
{
    conf_options_describe(&conf->options, out);
}

static void
servers_export(const struct conf_client *client, conf_export_fn *fn, void *arg)
{
    struct buf text;

    buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < client->server_count; i++)
        buf_printf(
            &text, "%s%s:%u", i > 0 ? "," : "", client->servers[i].host, client->servers[i].port);
    fn(arg, "bootstrap.servers", buf_text(&text));
    buf_fini(&text);
}

void
conf_export_librdkafka(const struct conf *conf, conf_export_fn *fn, void *arg)
{
    const struct conf_client *client = &conf->client;
    const struct tls_options *tls = &client->tls;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"client.id", client->client_id},
        {"security.protocol", client->with_sasl ? (client->with_tls ? "SASL_SSL" : "SASL_PLAINTEXT")
                              : client->with_tls ? "SSL"
                                                 : "PLAINTEXT"},
        {"sasl.mechanism", client->mechanism},
        {"sasl.username", client->user},
        {"sasl.password", client->password},
        {"ssl.ca.location", tls->ca_file},
        {"ssl.ca.pem", tls->ca_text},
        {"ssl.certificate.location", tls->certificate_file},
        {"ssl.certificate.pem", tls->certificate_text},
        {"ssl.key.location", tls->key_file},
        {"ssl.key.pem", tls->key_text},
        {"ssl.key.password", tls->key_password},
        {"ssl.endpoint.identification.algorithm",
            client->with_tls ? (tls->skip_host ? "none" : "https") : NULL},
        {"enable.ssl.certificate.verification",
            client->with_tls ? (tls->skip_peer ? "false" : "true") : NULL},
    };

    servers_export(client, fn, arg);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].value != NULL)
            fn(arg, rows[i].name, rows[i].value);
}
