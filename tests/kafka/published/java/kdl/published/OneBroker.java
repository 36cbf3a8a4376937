package kdl.published;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import kafka.server.ControllerServer;
import kafka.server.KafkaBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.test.ClusterInstance;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.common.test.api.Type;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.fault.FaultHandlerException;
import org.opentest4j.TestAbortedException;

/**
 * The cluster that a test of Kafka's gets: one broker, known by its address only. What reaches deeper into a Java
 * broker than a {@link StandIn} goes ends the test as not applicable, and the reason stands in its row. A test that asks for several brokers gets one
 * as well, with the replication factors of the topics that it creates lowered to 1; such rows are counted apart.
 */
public final class OneBroker implements ClusterInstance {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Set<String> PLUG_INS = Set.of("create.topic.policy.class.name", "alter.config.policy.class.name", "metric.reporters",
        "client.quota.callback.class", "principal.builder.class", "replica.selector.class");
    private final ClusterConfig config;
    private final boolean combined;
    private final org.apache.kafka.common.test.api.Type type;
    private final List<Admin> admins = new ArrayList<>();
    private Broker broker;
    private boolean started;
    private static int brokersAsked;

    public OneBroker(ClusterConfig config, boolean combined) {
        this.config = config;
        this.combined = combined;
        this.type = combined ? Type.CO_KRAFT : Type.KRAFT;
    }

    /** How many brokers the last test asked for. */
    static int brokersAsked() {
        return brokersAsked;
    }

    /** Notes how many brokers a test asks for. */
    public static void asked(int brokers) {
        brokersAsked = brokers;
    }

    /** Ends the test as not applicable. */
    public static TestAbortedException notApplicable(String reason) {
        return new TestAbortedException("not applicable: " + reason);
    }

    /** Ends a test whose broker would load classes of its own. */
    public static void refusePlugIns(Set<String> settings) {
        settings.stream().filter(PLUG_INS::contains).findFirst().ifPresent(name -> {
            throw notApplicable("needs a Java class in the broker: " + name);
        });
    }

    /** What no single plain broker can give is refused before anything starts. */
    public void prepare() {
        brokersAsked = config.numBrokers();
        if (config.brokerSecurityProtocol() != SecurityProtocol.PLAINTEXT)
            throw notApplicable("needs a listener with " + config.brokerSecurityProtocol());
        if (config.numDisksPerBroker() > 1)
            throw notApplicable("asks for " + config.numDisksPerBroker() + " log folders");
        if (config.perServerOverrideProperties().keySet().stream().anyMatch(id -> id > 0 && id < Broker.CONTROLLER_ID))
            throw notApplicable("needs cluster: sets up brokers one by one");
        refusePlugIns(config.serverProperties().keySet());
        if ("true".equals(config.serverProperties().get("remote.log.storage.system.enable"))) throw notApplicable("needs tiered storage");
        broker = Broker.of(config, combined);
    }

    @Override
    public void start() {
        if (started) return;
        try {
            broker.start();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        started = true;
    }

    @Override
    public void stop() {
        // A test that ended before it could close them is no leak.
        admins.forEach(admin -> admin.close(Duration.ZERO));
        admins.clear();
        if (broker != null) broker.discard();
        broker = null;
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public boolean stopped() {
        return started && broker == null;
    }

    private void onlyOne(int brokerId, String what) {
        if (config.numBrokers() > 1) throw notApplicable("needs cluster: " + what + " one of " + config.numBrokers() + " brokers");
        if (brokerId != broker.id()) throw new IllegalArgumentException("no broker " + brokerId);
    }

    @Override
    public Admin admin(Map<String, Object> configs, boolean usingBootstrapControllers) {
        if (usingBootstrapControllers) throw notApplicable("speaks to a controller");
        Admin admin = ClusterInstance.super.admin(configs, false);
        admins.add(admin);
        return LoweredAdmin.of(admin, config.numBrokers() > 1);
    }

    /** One of our own, that no test sees. */
    Admin plainAdmin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
    }

    @Override
    public void shutdownBroker(int brokerId) {
        onlyOne(brokerId, "ends");
        try {
            broker.stop();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void startBroker(int brokerId) {
        onlyOne(brokerId, "starts");
        try {
            broker.start();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Type type() {
        return type;
    }

    @Override
    public ClusterConfig config() {
        return config;
    }

    @Override
    public Set<Integer> brokerIds() {
        return Set.of(broker.id());
    }

    @Override
    public Set<Integer> controllerIds() {
        return Set.of(Broker.controllerId(combined));
    }

    @Override
    public ListenerName clientListener() {
        return config.brokerListenerName();
    }

    @Override
    public ListenerName controllerListenerName() {
        return config.controllerListenerName();
    }

    @Override
    public String bootstrapServers() {
        return broker.bootstrap();
    }

    @Override
    public String bootstrapControllers() {
        throw notApplicable("speaks to a controller");
    }

    @Override
    public List<Integer> controllerBoundPorts() {
        throw notApplicable("speaks to a controller");
    }

    @Override
    public List<Integer> brokerBoundPorts() {
        return List.of(Integer.parseInt(broker.bootstrap().replaceAll(".*:", "")));
    }

    @Override
    public String clusterId() {
        try (Admin admin = plainAdmin()) {
            return admin.describeCluster().clusterId().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Map<Integer, KafkaBroker> brokers() {
        return Map.of(broker.id(), StandIn.broker(this, broker));
    }

    @Override
    public Map<Integer, KafkaBroker> aliveBrokers() {
        return broker.isRunning() ? brokers() : Map.of();
    }

    @Override
    public Map<Integer, ControllerServer> controllers() {
        return StandIn.controllers(this);
    }

    @Override
    public List<Authorizer> authorizers() {
        throw notApplicable("reaches into a Java broker's authorizer");
    }

    @Override
    public Optional<FaultHandlerException> firstFatalException() {
        return Optional.empty();
    }

    @Override
    public Optional<FaultHandlerException> firstNonFatalException() {
        return Optional.empty();
    }

    @Override
    public void waitForReadyBrokers() throws InterruptedException {
        await("the broker", admin -> true);
    }

    @Override
    public void waitTopicCreation(String topic, int partitions) throws InterruptedException {
        settle();
        await("topic " + topic, admin -> {
            TopicDescription seen = describe(admin, topic);
            return seen != null && seen.partitions().size() == partitions && seen.partitions().stream().allMatch(p -> p.leader() != null);
        });
    }

    @Override
    public void waitTopicDeletion(String topic) throws InterruptedException {
        settle();
        await("the end of topic " + topic, admin -> describe(admin, topic) == null);
    }

    @Override
    public void ensureConsistentMetadata() {
        settle();
    }

    @Override
    public void ensureConsistentMetadata(Collection<KafkaBroker> brokers, Collection<ControllerServer> controllers) {
        settle();
    }

    private void settle() {
        try {
            broker.settle();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static TopicDescription describe(Admin admin, String topic) {
        try {
            return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) return null;
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void await(String what, Predicate<Admin> fact) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        try (Admin admin = plainAdmin()) {
            while (!fact.test(admin)) {
                if (System.nanoTime() > end) throw new AssertionError(what + " did not come to be");
                Thread.sleep(10);
            }
        }
    }
}
