package kdl.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import kdl.wire.Asker;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreateDelegationTokenRequestData;
import org.apache.kafka.common.message.DescribeDelegationTokenRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The same logins at any broker that wants SASL over plain TCP and has the user admin of PLAIN:
 * raw requests, then Java's clients. Two brokers that do the same print the same.
 */
public final class LoginScript {
    private static final String MODULES = "org.apache.kafka.common.security.";
    private static final int LATE_MS = 90;
    private static final int TRIES = 5;
    private static final double RATE = 1000;
    private static final int ROUNDS = 100;

    private final String bootstrap;
    private final String password;

    private LoginScript(String bootstrap, String password) {
        this.bootstrap = bootstrap;
        this.password = password;
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: LoginScript BOOTSTRAP PASSWORD");
            System.exit(2);
        }
        LoginScript script = new LoginScript(args[0], args[1]);
        script.requests();
        script.tokens();
        script.clients();
        script.quotas();
    }

    // --- raw requests ------------------------------------------------------------------------------

    private record Step(String what, ApiMessage request, int version) { }

    /** Steps on one connection. */
    private void play(String what, Step... steps) throws Exception {
        Asker broker = new Asker(bootstrap);
        System.out.println("== " + what);
        for (Step step : steps) {
            try {
                broker.ask(step.what, step.request, step.version);
            } catch (IOException e) {
                System.out.println(step.what + ": closed");
            }
        }
    }

    /** How long the last step took, whatever it led to. */
    private long lastMs(Step... steps) throws Exception {
        long start = 0;
        try (RawConnection broker = RawConnection.toFirstOf(bootstrap)) {
            for (Step step : steps) {
                start = System.nanoTime();
                broker.ask(step.request, step.version);
            }
        } catch (IOException e) {
            return (System.nanoTime() - start) / 1_000_000;
        }
        return (System.nanoTime() - start) / 1_000_000;
    }

    /** Whether the last step always takes the time of a refusal: once it may by chance. */
    private void late(String what, Step... steps) throws Exception {
        boolean late = true;
        for (int i = 0; i < TRIES && late; i++) {
            late = lastMs(steps) >= LATE_MS;
        }
        System.out.println(what + " is late: " + late);
    }

    /** Names that are no software's are told so; which APIs there are is another test's matter. */
    private static Step versions(String name) {
        return new Step("versions", new ApiVersionsRequestData().setClientSoftwareName(name).setClientSoftwareVersion("1"), 3);
    }

    private static Step handshake(String mechanism) {
        return new Step("handshake " + mechanism, new SaslHandshakeRequestData().setMechanism(mechanism), 1);
    }

    private static Step token(String text, int version) {
        return new Step("token", new SaslAuthenticateRequestData().setAuthBytes(text.getBytes(StandardCharsets.UTF_8)), version);
    }

    private static Step metadata() {
        return new Step("metadata", new MetadataRequestData().setTopics(List.of()), 13);
    }

    private static Step groups() {
        return new Step("groups", new ListGroupsRequestData(), 4);
    }

    private void requests() throws Exception {
        String good = "\0admin\0" + password;
        late("the end of a stranger", metadata());
        late("a handshake", handshake("PLAIN"));
        late("an unknown mechanism", handshake("FOO"));
        late("a right password", handshake("PLAIN"), token(good, 2));
        late("a wrong password", handshake("PLAIN"), token(good + "x", 2));
        late("another request", handshake("PLAIN"), metadata());
        play("nobody", metadata());
        play("nobody lists groups", groups());
        play("a token first", token(good, 2));
        play("no software", versions("no/name"), versions(""), handshake("PLAIN"), versions("no/name"));
        play("an unknown mechanism", handshake("FOO"), metadata());
        play("no mechanism", handshake(""), metadata());
        play("metadata between", handshake("PLAIN"), metadata(), token(good, 2));
        play("groups between", handshake("PLAIN"), groups(), token(good, 2));
        play("a handshake between", handshake("PLAIN"), handshake("PLAIN"), token(good, 2));
        play("once in", handshake("PLAIN"), token(good, 2), handshake("PLAIN"), token(good, 2), groups(),
            new Step("create token", new CreateDelegationTokenRequestData(), 3),
            new Step("describe tokens", new DescribeDelegationTokenRequestData(), 3));
    }

    private void tokens() throws Exception {
        for (int version = 0; version <= 2; version++) {
            play("right v" + version, handshake("PLAIN"), token("\0admin\0" + password, version));
            play("wrong v" + version, handshake("PLAIN"), token("\0admin\0wrong", version));
        }
        play("acts as itself", handshake("PLAIN"), token("admin\0admin\0" + password, 2));
        play("acts as another", handshake("PLAIN"), token("other\0admin\0" + password, 2));
        play("unknown", handshake("PLAIN"), token("\0nobody\0" + password, 2));
        play("no name", handshake("PLAIN"), token("\0\0" + password, 2));
        play("no password", handshake("PLAIN"), token("\0admin\0", 2));
        play("two parts", handshake("PLAIN"), token("admin\0" + password, 2));
        play("four parts", handshake("PLAIN"), token("\0admin\0" + password + "\0", 2));
        play("empty", handshake("PLAIN"), token("", 2));
        for (String mechanism : new String[] {"SCRAM-SHA-256", "SCRAM-SHA-512"}) {
            play("unknown, " + mechanism, handshake(mechanism), token("n,,n=nobody,r=abc", 2));
            play("unknown as another, " + mechanism, handshake(mechanism), token("n,a=x,n=nobody,r=abc", 2));
            play("no message, " + mechanism, handshake(mechanism), token("hello", 2));
            play("nothing, " + mechanism, handshake(mechanism), token("", 2));
        }
    }

    // --- clients -----------------------------------------------------------------------------------

    private Properties client(String mechanism, String user, String secret) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("security.protocol", "SASL_PLAINTEXT");
        p.put("sasl.mechanism", mechanism);
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        p.put("sasl.jaas.config", String.format("%s%s required username=\"%s\" password=\"%s\";", MODULES, module, user, secret));
        p.put("default.api.timeout.ms", "10000");
        p.put("request.timeout.ms", "5000");
        return p;
    }

    /** How one connection ends. */
    private String login(String mechanism, String user, String secret) throws InterruptedException {
        try (Admin admin = Admin.create(client(mechanism, user, secret))) {
            return admin.describeCluster().nodes().get().size() + " broker";
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName() + ": " + e.getCause().getMessage();
        }
    }

    /** What a change of users may take a moment to reach. */
    private void tell(String what, String mechanism, String user, String secret, boolean wanted) throws Exception {
        String end = login(mechanism, user, secret);
        for (int i = 0; i < ROUNDS && end.startsWith(SaslAuthenticationException.class.getSimpleName()) == wanted; i++) {
            end = login(mechanism, user, secret);
        }
        System.out.println(what + ", " + mechanism + ": " + end);
    }

    private void set(Admin admin, String user, ScramMechanism mechanism, String secret) throws Exception {
        admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, new ScramCredentialInfo(mechanism, 4096), secret)))
            .all().get();
    }

    private void clients() throws Exception {
        System.out.println("== clients");
        try (Admin admin = Admin.create(client("PLAIN", "admin", password))) {
            for (ScramMechanism mechanism : new ScramMechanism[] {ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512}) {
                String name = mechanism.mechanismName();
                set(admin, "anna", mechanism, "first");
                tell("right", name, "anna", "first", true);
                tell("wrong", name, "anna", "wrong", false);
                set(admin, "anna", mechanism, "second");
                tell("the second password", name, "anna", "second", true);
                tell("the first one then", name, "anna", "first", false);
                tell("unknown", name, "nobody", "first", false);
            }
            set(admin, "a,b=c", ScramMechanism.SCRAM_SHA_256, "x");
            tell("a strange name", "SCRAM-SHA-256", "a,b=c", "x", true);
        }
        tell("right", "PLAIN", "admin", password, true);
        tell("wrong", "PLAIN", "admin", "wrong", false);
        tell("unknown", "PLAIN", "nobody", password, false);
    }

    // --- quotas of users ---------------------------------------------------------------------------

    private double throttled(Properties login) throws Exception {
        Properties p = new Properties();
        p.putAll(login);
        p.put("max.block.ms", "10000");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("logins", new byte[(int) RATE * 15])).get();
            return producer.metrics().entrySet().stream().filter(entry -> entry.getKey().name().equals("produce-throttle-time-max"))
                .mapToDouble(entry -> (Double) entry.getValue().metricValue()).max().orElse(-1);
        }
    }

    private void quotas() throws Exception {
        Properties anna = client("SCRAM-SHA-256", "anna", "second");
        System.out.println("== quotas");
        try (Admin admin = Admin.create(client("PLAIN", "admin", password))) {
            admin.createTopics(List.of(new NewTopic("logins", 1, (short) 1))).all().get();
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "anna")),
                List.of(new ClientQuotaAlteration.Op("producer_byte_rate", RATE))))).all().get();
        }
        double most = 0;
        for (int i = 0; i < ROUNDS && most <= 0; i++) {
            most = throttled(anna);
        }
        System.out.println("her quota: " + (most > 0));
        System.out.println("nobody else's: " + (throttled(client("PLAIN", "admin", password)) > 0));
    }
}
