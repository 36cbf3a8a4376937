package org.apache.kafka.streams.integration.utils;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import kdl.published.Broker;
import kdl.published.OneBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.server.util.MockTime;
import org.apache.kafka.test.TestUtils;

/**
 * The cluster of Kafka Streams' integration tests: one broker (kdl.target says which), known by its address only. Who asks for several gets one, and
 * topics get one copy.
 */
public class EmbeddedKafkaCluster {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** A clock of the tests alone; no broker looks at it. */
    public final MockTime time;

    private final int brokers;
    private final ClusterConfig config;
    private Broker broker;

    public EmbeddedKafkaCluster(int brokers) {
        this(brokers, new Properties());
    }

    public EmbeddedKafkaCluster(int brokers, Properties settings) {
        this(brokers, settings, Map.of());
    }

    public EmbeddedKafkaCluster(int brokers, Properties settings, long millis) {
        this(brokers, settings, Map.of(), millis, System.nanoTime());
    }

    public EmbeddedKafkaCluster(int brokers, Properties settings, Map<Integer, Map<String, String>> settingsOfOne) {
        this(brokers, settings, settingsOfOne, System.currentTimeMillis(), System.nanoTime());
    }

    public EmbeddedKafkaCluster(int brokers, Properties settings, Map<Integer, Map<String, String>> settingsOfOne, long millis, long nanos) {
        Map<String, String> all = new HashMap<>(Map.of(
            "group.streams.min.session.timeout.ms", "100", "group.streams.min.heartbeat.interval.ms", "100",
            "group.min.session.timeout.ms", "0", "group.initial.rebalance.delay.ms", "0",
            "offsets.topic.num.partitions", "5", "transaction.state.log.num.partitions", "5"));
        settings.forEach((name, value) -> all.put(name.toString(), value.toString()));
        all.put("log.cleaner.dedupe.buffer.size", "2097152");
        OneBroker.asked(brokers);
        if (all.getOrDefault("listener.security.protocol.map", "").contains("SSL")) throw OneBroker.notApplicable("needs a listener with SSL");
        OneBroker.refusePlugIns(all.keySet());
        if (!settingsOfOne.isEmpty()) throw OneBroker.notApplicable("needs cluster: sets up brokers one by one");
        this.brokers = brokers;
        config = ClusterConfig.defaultBuilder().setBrokers(1).setServerProperties(all).build();
        time = new MockTime(millis, nanos);
    }

    /** A fresh one each time: classes keep their cluster, and start it for each of their methods that runs alone. */
    public void start() {
        OneBroker.asked(brokers);
        broker = Broker.of(config, true);
        try {
            broker.start();
            broker.settle();
        } catch (Exception e) {
            throw new IllegalStateException("the broker does not start", e);
        }
    }

    public void verifyClusterReadiness() {
        String topic = "ready-" + UUID.randomUUID();
        createTopic(topic);
        deleteTopic(topic);
    }

    public void stop() {
        if (broker != null) broker.discard();
    }

    public String bootstrapServers() {
        return broker.bootstrap();
    }

    public boolean sslEnabled() {
        return false;
    }

    /* Topics. */

    public void createTopics(String... topics) {
        for (String topic : topics) createTopic(topic);
    }

    public void createTopic(String topic) {
        createTopic(topic, 1);
    }

    public void createTopic(String topic, int partitions) {
        createTopic(topic, partitions, 1);
    }

    public void createTopic(String topic, int partitions, int copies) {
        createTopic(topic, partitions, copies, Map.of());
    }

    public void createTopic(String topic, int partitions, int copies, Map<String, String> configs) {
        if (copies > brokers) throw new InvalidReplicationFactorException(copies + " copies on " + brokers + " brokers");
        administer(TopicExistsException.class, admin -> {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
            TestUtils.waitForCondition(() -> admin.listTopics().names().get().contains(topic), "topic " + topic + " is listed");
        });
    }

    public void deleteTopics(String... topics) {
        for (String topic : topics) deleteTopic(topic);
    }

    public void deleteTopic(String topic) {
        administer(UnknownTopicOrPartitionException.class, admin -> admin.deleteTopics(Set.of(topic)).all().get());
    }

    public void deleteAllTopics() {
        administer(UnknownTopicOrPartitionException.class, admin -> admin.deleteTopics(admin.listTopics().names().get()).all().get());
    }

    public Set<String> getAllTopicsInCluster() {
        try (Admin admin = createAdminClient()) {
            return admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    public void waitForRemainingTopics(long timeoutMs, String... topics) throws InterruptedException {
        TestUtils.waitForCondition(() -> getAllTopicsInCluster().equals(Set.of(topics)), timeoutMs, "only these topics are left: " + String.join(", ", topics));
    }

    /** What was set for a topic itself. */
    public Properties getLogConfig(String topic) {
        Properties set = new Properties();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        administer(null, admin -> admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
            .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
            .forEach(entry -> set.put(entry.name(), entry.value())));
        return set;
    }

    /* Groups of the streams protocol. */

    public void setGroupSessionTimeout(String group, int ms) {
        setOfGroup(group, "streams.session.timeout.ms", ms);
    }

    public void setGroupHeartbeatTimeout(String group, int ms) {
        setOfGroup(group, "streams.heartbeat.interval.ms", ms);
    }

    public void setGroupStandbyReplicas(String group, int count) {
        setOfGroup(group, "streams.num.standby.replicas", count);
    }

    public void setGroupStreamsInitialRebalanceDelay(String group, int ms) {
        setOfGroup(group, "streams.initial.rebalance.delay.ms", ms);
    }

    private void setOfGroup(String group, String name, int value) {
        administer(null, admin -> admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, group),
            List.of(new AlterConfigOp(new ConfigEntry(name, String.valueOf(value)), AlterConfigOp.OpType.SET)))).all().get());
    }

    /* Clients. */

    public Map<String, String> clientDefaultConfig() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrapServers()));
    }

    public Admin createAdminClient() {
        return Admin.create(new HashMap<>(clientDefaultConfig()));
    }

    public KafkaConsumer<byte[], byte[]> createConsumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(clientDefaultConfig());
        all.putAll(Map.of("group.id", UUID.randomUUID().toString(), "enable.auto.commit", "false", "auto.offset.reset", "earliest",
            "key.deserializer", ByteArrayDeserializer.class.getName(), "value.deserializer", ByteArrayDeserializer.class.getName()));
        all.putAll(settings);
        return new KafkaConsumer<>(all);
    }

    public KafkaConsumer<byte[], byte[]> createConsumerAndSubscribeTo(Map<String, Object> settings, String... topics) {
        return createConsumerAndSubscribeTo(settings, null, topics);
    }

    public KafkaConsumer<byte[], byte[]> createConsumerAndSubscribeTo(Map<String, Object> settings, ConsumerRebalanceListener listener, String... topics) {
        KafkaConsumer<byte[], byte[]> consumer = createConsumer(settings);
        if (listener == null) consumer.subscribe(List.of(topics));
        else consumer.subscribe(List.of(topics), listener);
        return consumer;
    }

    public void produce(Map<String, Object> settings, String topic, Integer partition, String key, String value) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, partition, key == null ? null : key.getBytes(), value == null ? null : value.getBytes()))
                .get(PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("a record for " + topic + " is not taken", e);
        }
    }

    private interface Task {
        void run(Admin admin) throws Exception;
    }

    /** An error of the kind that may be is none. */
    private void administer(Class<? extends Exception> mayBe, Task task) {
        try (Admin admin = createAdminClient()) {
            task.run(admin);
        } catch (Exception e) {
            if (mayBe == null || !mayBe.isInstance(e.getCause())) throw new IllegalStateException(e);
        }
    }
}
