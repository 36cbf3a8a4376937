/* Two sessions joined by two buffers in memory: no socket, every order of events is ours. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/base/buf.h"
#include "lib/net/tls.h"
#include "tests/unit/lib/net/certificates.h"

/* What one end reads from and writes to. */
struct end {
    struct buf *in;
    struct buf *out;
    bool peer_gone;
    size_t chunk; /* moves at most so many bytes at a time; 0: any number */
    struct tls *tls;
    struct err err;
};

static struct certificate ca, other_ca, server_certificate, client_certificate;
static struct buf to_server, to_client;
static struct end client, server;

static ssize_t
end_read(void *arg, void *data, size_t size)
{
    struct end *end = arg;

    if (end->chunk > 0 && size > end->chunk)
        size = end->chunk;
    if (size > end->in->size)
        size = end->in->size;
    if (size == 0) {
        errno = EAGAIN;
        return end->peer_gone ? 0 : -1;
    }
    memcpy(data, end->in->data, size);
    buf_consume(end->in, size);
    return (ssize_t)size;
}

static ssize_t
end_write(void *arg, const void *data, size_t size)
{
    struct end *end = arg;

    if (end->chunk > 0 && size > end->chunk)
        size = end->chunk;
    if (end->out->size + size > 60000) {
        errno = EAGAIN;
        return -1;
    }
    buf_append(end->out, data, size);
    return (ssize_t)size;
}

static const struct tls_io io = {end_read, end_write};

static int
make_certificates(void **state)
{
    (void)state;
    ca = certificate_make("right CA", NULL, NULL);
    other_ca = certificate_make("other CA", NULL, NULL);
    server_certificate =
        certificate_make("broker", "DNS:broker-1,DNS:*.test.example,IP:10.0.0.1", &ca);
    client_certificate = certificate_make("anna", "", &ca);
    return 0;
}

static int
free_certificates(void **state)
{
    (void)state;
    certificate_fini(&ca);
    certificate_fini(&other_ca);
    certificate_fini(&server_certificate);
    certificate_fini(&client_certificate);
    return 0;
}

static int
start(void **state)
{
    (void)state;
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    buf_init(&to_server, 1 << 20);
    buf_init(&to_client, 1 << 20);
    client.in = server.out = &to_client;
    server.in = client.out = &to_server;
    return 0;
}

static int
end_all(void **state)
{
    (void)state;
    tls_free(client.tls);
    tls_free(server.tls);
    buf_fini(&to_server);
    buf_fini(&to_client);
    return 0;
}

static struct tls_options
server_options(void)
{
    return (struct tls_options){
        .certificate_text = server_certificate.text, .key_text = server_certificate.key_text};
}

static void
open_both(const struct tls_options *client_options, const struct tls_options *for_server,
    const char *host)
{
    struct tls_context *context;
    struct err e;

    assert_int_equal(tls_context_new_client(client_options, &context, &e), RC_OK);
    client.tls = tls_new(context, host, &io, &client);
    tls_context_free(context);
    assert_int_equal(tls_context_new_server(for_server, &context, &e), RC_OK);
    server.tls = tls_new(context, NULL, &io, &server);
    tls_context_free(context);
}

/* Lets both ends work until neither moves; the statuses they end with. */
static void
shake(enum tls_status *client_status, enum tls_status *server_status)
{
    *client_status = *server_status = TLS_WANT_READ;
    for (int i = 0; i < 100000; i++) {
        size_t before = to_client.size + to_server.size;

        if (*client_status == TLS_WANT_READ || *client_status == TLS_WANT_WRITE)
            *client_status = tls_handshake(client.tls, &client.err);
        if (*server_status == TLS_WANT_READ || *server_status == TLS_WANT_WRITE)
            *server_status = tls_handshake(server.tls, &server.err);
        if (to_client.size + to_server.size == before && to_client.size == 0 && to_server.size == 0)
            return;
        if (*client_status == TLS_FAILED && *server_status != TLS_WANT_READ)
            return;
    }
}

static void
expect_open(void)
{
    enum tls_status a, b;

    shake(&a, &b);
    assert_int_equal(a, TLS_DONE);
    assert_int_equal(b, TLS_DONE);
}

static enum tls_reason
expect_client_failure(enum rc rc)
{
    enum tls_status a, b;

    shake(&a, &b);
    assert_int_equal(a, TLS_FAILED);
    assert_int_equal(client.err.code, rc);
    return tls_reason(client.tls);
}

static void
both_ends_open_and_exchange_bytes(void **state)
{
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();
    char in[100];
    size_t moved;

    (void)state;
    open_both(&options, &for_server, "broker-1");
    expect_open();
    assert_int_equal(tls_write(client.tls, "hello", 5, &moved, NULL), TLS_DONE);
    assert_int_equal(moved, 5);
    assert_int_equal(tls_read(server.tls, in, 2, &moved, NULL), TLS_DONE);
    assert_int_equal(moved, 2);
    assert_true(tls_has_pending(server.tls));
    assert_int_equal(tls_read(server.tls, in + 2, sizeof in - 2, &moved, NULL), TLS_DONE);
    assert_memory_equal(in, "hello", 5);
    assert_false(tls_has_pending(server.tls));
    assert_int_equal(tls_read(server.tls, in, sizeof in, &moved, NULL), TLS_WANT_READ);
    assert_int_equal(tls_end(client.tls, NULL), TLS_DONE);
    assert_int_equal(tls_read(server.tls, in, sizeof in, &moved, NULL), TLS_ENDED);
    assert_int_equal(tls_write(server.tls, "still", 5, &moved, NULL), TLS_DONE);
    assert_int_equal(tls_read(client.tls, in, sizeof in, &moved, NULL), TLS_DONE);
    assert_int_equal(moved, 5);
}

static void
a_handshake_survives_the_smallest_steps(void **state)
{
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();

    (void)state;
    open_both(&options, &for_server, "broker-1");
    client.chunk = server.chunk = 1;
    expect_open();
}

static void
a_full_transport_makes_writing_wait_and_loses_nothing(void **state)
{
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();
    enum { SIZE = 200000 };
    uint8_t *out = xmalloc(SIZE), *in = xmalloc(SIZE);
    size_t sent = 0, got = 0, moved;
    bool waited = false;

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        out[i] = (uint8_t)(i * 31 >> 3);
    open_both(&options, &for_server, "broker-1");
    expect_open();
    while (got < SIZE) {
        while (sent < SIZE) {
            enum tls_status status = tls_write(client.tls, out + sent, SIZE - sent, &moved, NULL);

            if (status == TLS_WANT_WRITE) {
                waited = true;
                break;
            }
            assert_int_equal(status, TLS_DONE);
            sent += moved;
        }
        while (tls_read(server.tls, in + got, SIZE - got, &moved, NULL) == TLS_DONE)
            if ((got += moved) == SIZE)
                break;
    }
    assert_true(waited);
    assert_memory_equal(in, out, SIZE);
    free(in);
    free(out);
}

static void
names_and_addresses_of_the_certificate_are_accepted(void **state)
{
    static const char *const hosts[] = {"broker-1", "BROKER-1", "a.test.example", "10.0.0.1"};
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        start(state);
        open_both(&options, &for_server, hosts[i]);
        expect_open();
        if (i + 1 < ARRAY_LEN(hosts))
            end_all(state);
    }
}

static void
a_certificate_for_another_host_is_refused_with_its_names(void **state)
{
    static const char *const hosts[] = {"broker-2", "a.b.test.example", "10.0.0.2"};
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();
    char expected[200];

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        start(state);
        open_both(&options, &for_server, hosts[i]);
        assert_int_equal(expect_client_failure(RC_DENIED), TLS_REASON_WRONG_HOST);
        snprintf(expected, sizeof expected,
            "its certificate is for broker-1, *.test.example, 10.0.0.1, not for %s", hosts[i]);
        assert_string_equal(client.err.text, expected);
        end_all(state);
    }
    start(state);
    options.skip_host = true;
    open_both(&options, &for_server, "broker-2");
    expect_open();
}

static void
a_certificate_of_an_unknown_ca_is_refused(void **state)
{
    struct tls_options options = {.ca_text = other_ca.text}, for_server = server_options();

    open_both(&options, &for_server, "broker-1");
    assert_int_equal(expect_client_failure(RC_DENIED), TLS_REASON_NOT_TRUSTED);
    assert_string_equal(client.err.text,
        "its certificate is not trusted by the CA certificates given (issued by CN=right CA)");
    end_all(state);
    start(state);
    options.ca_text = NULL;
    open_both(&options, &for_server, "broker-1");
    assert_int_equal(expect_client_failure(RC_DENIED), TLS_REASON_NOT_TRUSTED);
    assert_non_null(strstr(client.err.text, "not trusted by the system's CAs"));
    end_all(state);
    start(state);
    options.skip_peer = true;
    open_both(&options, &for_server, "elsewhere");
    expect_open();
}

static void
a_server_may_require_a_certificate(void **state)
{
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();
    char name[64];
    enum tls_status a, b;
    size_t moved;

    for_server.ca_text = ca.text;
    for_server.require_peer = true;
    open_both(&options, &for_server, "broker-1");
    shake(&a, &b);
    assert_int_equal(b, TLS_FAILED);
    assert_int_equal(tls_reason(server.tls), TLS_REASON_WANTS_CERTIFICATE);
    /* With TLS 1.3 the client learns it when it reads. */
    assert_int_equal(a, TLS_DONE);
    assert_int_equal(tls_read(client.tls, name, sizeof name, &moved, &client.err), TLS_FAILED);
    assert_int_equal(client.err.code, RC_DENIED);
    assert_int_equal(tls_reason(client.tls), TLS_REASON_WANTS_CERTIFICATE);
    assert_string_equal(client.err.text, "a client certificate is required");
    end_all(state);

    start(state);
    options.certificate_text = client_certificate.text;
    options.key_text = client_certificate.key_text;
    open_both(&options, &for_server, "broker-1");
    expect_open();
    assert_true(tls_peer_name(server.tls, name, sizeof name));
    assert_string_equal(name, "CN=anna");
    end_all(state);

    start(state);
    for_server.ca_text = other_ca.text;
    open_both(&options, &for_server, "broker-1");
    shake(&a, &b);
    assert_int_equal(b, TLS_FAILED);
    assert_int_equal(tls_read(client.tls, name, sizeof name, &moved, &client.err), TLS_FAILED);
    assert_int_equal(tls_reason(client.tls), TLS_REASON_WANTS_CERTIFICATE);
    assert_non_null(strstr(client.err.text, "the peer refuses our certificate"));
}

static void
a_peer_without_tls_is_recognised(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
        "\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x23", "SSH-2.0-OpenSSH_9.2\r\n",
        "\xff\xff\xff\xff\xff\xff\xff\xff"};
    struct tls_options options = {.ca_text = ca.text};
    struct tls_context *context;

    assert_int_equal(tls_context_new_client(&options, &context, NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        start(state);
        client.tls = tls_new(context, "broker-1", &io, &client);
        assert_int_equal(tls_handshake(client.tls, &client.err), TLS_WANT_READ);
        buf_append(&to_client, answers[i], i == 1 ? 10 : strlen(answers[i]));
        assert_int_equal(tls_handshake(client.tls, &client.err), TLS_FAILED);
        assert_int_equal(tls_reason(client.tls), TLS_REASON_NOT_TLS);
        assert_string_equal(client.err.text, "the peer does not speak TLS");
        end_all(state);
    }
    start(state);
    client.tls = tls_new(context, "broker-1", &io, &client);
    client.peer_gone = true;
    assert_int_equal(tls_handshake(client.tls, &client.err), TLS_FAILED);
    assert_int_equal(tls_reason(client.tls), TLS_REASON_CLOSED);
    assert_int_equal(client.err.code, RC_CLOSED);
    tls_context_free(context);
}

static void
a_stream_that_is_cut_or_changed_is_an_error(void **state)
{
    struct tls_options options = {.ca_text = ca.text}, for_server = server_options();
    char in[100];
    size_t moved;

    open_both(&options, &for_server, "broker-1");
    expect_open();
    assert_int_equal(tls_write(server.tls, "hello", 5, &moved, NULL), TLS_DONE);
    to_client.data[to_client.size - 1] ^= 1;
    assert_int_equal(tls_read(client.tls, in, sizeof in, &moved, &client.err), TLS_FAILED);
    end_all(state);
    start(state);
    open_both(&options, &for_server, "broker-1");
    expect_open();
    client.peer_gone = true;
    assert_int_equal(tls_read(client.tls, in, sizeof in, &moved, &client.err), TLS_FAILED);
    assert_int_equal(client.err.code, RC_CLOSED);
    assert_string_equal(client.err.text, "the peer closed the connection");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end_all)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ends_open_and_exchange_bytes),
        TEST(a_handshake_survives_the_smallest_steps),
        TEST(a_full_transport_makes_writing_wait_and_loses_nothing),
        TEST(names_and_addresses_of_the_certificate_are_accepted),
        TEST(a_certificate_for_another_host_is_refused_with_its_names),
        TEST(a_certificate_of_an_unknown_ca_is_refused),
        TEST(a_server_may_require_a_certificate),
        TEST(a_peer_without_tls_is_recognised),
        TEST(a_stream_that_is_cut_or_changed_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
