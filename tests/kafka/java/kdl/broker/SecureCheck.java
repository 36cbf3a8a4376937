package kdl.broker;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;

/**
 * Says whether a broker started with --secure lets in whom it should and nobody else.
 * Run: kdl.broker.SecureCheck DIR/secure.env; exit 1 when an expectation fails.
 */
final class SecureCheck {
    private static final String MODULES = "org.apache.kafka.common.security.";
    private final Map<String, String> env = new HashMap<>();
    private int failures;

    public static void main(String[] args) throws Exception {
        SecureCheck check = new SecureCheck();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            int equals = line.indexOf('=');
            check.env.put(line.substring(0, equals), line.substring(equals + 1));
        }
        check.tls();
        check.sasl();
        System.exit(check.failures == 0 ? 0 : 1);
    }

    private void tls() {
        Class<?> refused = SslAuthenticationException.class;
        expect("TLS", ssl("SSL"), null);
        expect("TLS, another CA trusted", with(ssl("SSL"), "ssl.truststore.location", env.get("OTHER_CA_FILE")), refused);
        expect("mutual TLS", with(ssl("MTLS"), clientKey("CLIENT_KEYSTORE")), null);
        expect("mutual TLS without a certificate", ssl("MTLS"), refused);
        String stranger = env.get("CLIENT_KEYSTORE").replace("client.keystore", "other-client.keystore");
        expect("mutual TLS, certificate of another CA",
            with(ssl("MTLS"), Map.of("ssl.keystore.type", "PEM", "ssl.keystore.location", stranger)), refused);
        expect("wrong host name", ssl("WRONG_HOST"), refused);
        expect("wrong host name, name not checked",
            with(ssl("WRONG_HOST"), "ssl.endpoint.identification.algorithm", ""), null);
    }

    private void sasl() {
        for (String listener : new String[] {"SASL_SSL", "SASL_PLAINTEXT"}) {
            for (String mechanism : new String[] {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
                String user = mechanism.equals("PLAIN") ? "PLAIN" : "SCRAM";
                String secret = env.get(user + "_PASSWORD");
                expect(listener + " " + mechanism, sasl(listener, mechanism, env.get(user + "_USER"), secret), null);
                expect(listener + " " + mechanism + ", wrong password",
                    sasl(listener, mechanism, env.get(user + "_USER"), secret + "x"), SaslAuthenticationException.class);
                expect(listener + " " + mechanism + ", unknown user",
                    sasl(listener, mechanism, "nobody", secret), SaslAuthenticationException.class);
            }
        }
    }

    private Properties ssl(String listener) {
        Properties p = new Properties();
        p.put("bootstrap.servers", env.get(listener + "_BOOTSTRAP"));
        p.put("security.protocol", "SSL");
        p.put("ssl.truststore.type", "PEM");
        p.put("ssl.truststore.location", env.get("CA_FILE"));
        return p;
    }

    private Map<String, String> clientKey(String variable) {
        return Map.of("ssl.keystore.type", "PEM", "ssl.keystore.location", env.get(variable));
    }

    private Properties sasl(String listener, String mechanism, String user, String password) {
        Properties p = ssl(listener);
        p.put("security.protocol", listener);
        p.put("sasl.mechanism", mechanism);
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        p.put("sasl.jaas.config", String.format("%s%s required username=\"%s\" password=\"%s\";", MODULES, module, user, password));
        return p;
    }

    private static Properties with(Properties p, String key, String value) {
        return with(p, Map.of(key, value));
    }

    private static Properties with(Properties p, Map<String, String> more) {
        p.putAll(more);
        return p;
    }

    /** One connection; error is the class it must fail with, or null when it must succeed. */
    private void expect(String what, Properties p, Class<?> error) {
        p.put("default.api.timeout.ms", "10000");
        p.put("request.timeout.ms", "5000");
        Throwable seen = null;
        try (Admin admin = Admin.create(p)) {
            admin.describeCluster().nodes().get();
        } catch (ExecutionException e) {
            seen = e.getCause();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        boolean right = error == null ? seen == null : error.isInstance(seen);
        System.out.printf("%s %s%s%n", right ? "ok" : "WRONG", what, right ? "" : ": " + seen);
        failures += right ? 0 : 1;
    }
}
