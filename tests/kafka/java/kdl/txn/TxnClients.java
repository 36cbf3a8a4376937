package kdl.txn;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What Java's clients see of transactions, a line for each thing: commit, abort, fencing, timeouts, offsets, and the
 * administration of what hangs. The lines of two brokers are equal where they behave alike. Argument: BOOTSTRAP of a broker
 * that aborts what lasts too long within a second.
 */
public final class TxnClients {
    private static final String TOPIC = "clients";
    private static final int PARTITIONS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final String bootstrap;
    private final Admin admin;

    private TxnClients(String bootstrap, Admin admin) {
        this.bootstrap = bootstrap;
        this.admin = admin;
    }

    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            Topics.make(admin, List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)));
            TxnClients clients = new TxnClients(args[0], admin);
            clients.commitAndAbort();
            clients.fencing();
            clients.timeout();
            clients.offsets();
            clients.wakeUp();
            clients.fenceByAdmin();
            clients.abortByAdmin();
        }
    }

    private static void see(String what, Object seen) {
        System.out.println(what + ": " + seen);
    }

    private KafkaProducer<String, String> producer(String id, int timeoutMs) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("transactional.id", id);
        config.put("transaction.timeout.ms", timeoutMs);
        config.put("delivery.timeout.ms", Math.max(timeoutMs, 10_000));
        config.put("request.timeout.ms", 5_000);
        config.put("linger.ms", 0);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private KafkaConsumer<String, String> consumer(String isolation, String group) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("isolation.level", isolation);
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", false);
        if (group != null) {
            config.put("group.id", group);
        }
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static void send(KafkaProducer<String, String> producer, int partition, String value) throws Exception {
        producer.send(new ProducerRecord<>(TOPIC, partition, null, value)).get();
    }

    private static String outcome(Runnable step) {
        try {
            step.run();
            return "done";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }

    private static String sent(KafkaProducer<String, String> producer, int partition, String value) {
        return outcome(() -> {
            try {
                send(producer, partition, value);
            } catch (ExecutionException e) {
                throw (RuntimeException) e.getCause();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static void await(String what, BooleanSupplier fact) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!fact.getAsBoolean()) {
            if (System.nanoTime() > end) {
                see("never", what);
                return;
            }
            RawProducer.pause();
        }
    }

    /** All values of a partition up to its end, as the isolation level shows them. */
    private List<String> values(int partition, String isolation) {
        TopicPartition place = new TopicPartition(TOPIC, partition);
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(isolation, null)) {
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            long end = consumer.endOffsets(List.of(place)).get(place);
            while (consumer.position(place) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }

    /** Whether nothing is open in a partition. */
    private boolean isStable(int partition) {
        TopicPartition place = new TopicPartition(TOPIC, partition);
        try (KafkaConsumer<String, String> committed = consumer("read_committed", null);
             KafkaConsumer<String, String> all = consumer("read_uncommitted", null)) {
            return committed.endOffsets(List.of(place)).equals(all.endOffsets(List.of(place)));
        }
    }

    private void commitAndAbort() throws Exception {
        try (KafkaProducer<String, String> producer = producer("commit", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, 0, "a");
            send(producer, 1, "b");
            see("open, read_committed", values(0, "read_committed"));
            see("open, read_uncommitted", values(0, "read_uncommitted"));
            producer.commitTransaction();
            producer.beginTransaction();
            send(producer, 0, "c");
            producer.abortTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            send(producer, 0, "d");
            producer.commitTransaction();
            await("markers", () -> isStable(0) && isStable(1));
        }
        see("read_committed", values(0, "read_committed") + " " + values(1, "read_committed"));
        see("read_uncommitted", values(0, "read_uncommitted"));
    }

    private void fencing() throws Exception {
        try (KafkaProducer<String, String> old = producer("fenced", 60_000);
             KafkaProducer<String, String> now = producer("fenced", 60_000)) {
            old.initTransactions();
            old.beginTransaction();
            send(old, 2, "old");
            now.initTransactions();
            see("the old one sends", sent(old, 2, "late"));
            see("the old one commits", outcome(old::commitTransaction));
            now.beginTransaction();
            send(now, 2, "new");
            now.commitTransaction();
            await("markers", () -> isStable(2));
        }
        see("after fencing", values(2, "read_committed"));
        try (KafkaProducer<String, String> old = producer("fenced-at-commit", 60_000);
             KafkaProducer<String, String> now = producer("fenced-at-commit", 60_000)) {
            old.initTransactions();
            old.beginTransaction();
            send(old, 2, "old");
            now.initTransactions();
            see("the old one commits first", outcome(old::commitTransaction));
        }
    }

    private void timeout() throws Exception {
        try (KafkaProducer<String, String> slow = producer("slow", 1_000)) {
            slow.initTransactions();
            slow.beginTransaction();
            send(slow, 2, "slow");
            await("the timeout", () -> isStable(2));
            see("too slow, send", sent(slow, 2, "later"));
            see("too slow, commit", outcome(slow::commitTransaction));
            see("too slow, abort", outcome(slow::abortTransaction));
        }
        see("after the timeout", values(2, "read_committed"));
        try (KafkaProducer<String, String> patient = producer("patient", 900_001)) {
            see("timeout above the limit", outcome(patient::initTransactions));
        }
    }

    @SuppressWarnings("removal") // A group's metadata without a member of it.
    private void offsets() throws Exception {
        TopicPartition place = new TopicPartition(TOPIC, 0);
        try (KafkaProducer<String, String> producer = producer("offsets", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(7, "seven")), new ConsumerGroupMetadata("offsets"));
            producer.commitTransaction();
            await("offset", () -> committed("offsets", place) != null);
            see("committed", committed("offsets", place));
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(8)), new ConsumerGroupMetadata("offsets"));
            producer.abortTransaction();
            see("aborted", committed("offsets", place));
            producer.beginTransaction();
            see("zombie", outcome(() -> producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(9)),
                new ConsumerGroupMetadata("offsets", 5, "gone", java.util.Optional.empty()))));
            producer.abortTransaction();
        }
    }

    /** A consumer waits while the offset is not stable. */
    private OffsetAndMetadata committed(String group, TopicPartition place) {
        try (KafkaConsumer<String, String> consumer = consumer("read_committed", group)) {
            return consumer.committed(java.util.Set.of(place)).get(place);
        }
    }

    /** A consumer that waits at the end of what is stable gets the rest as soon as it is. */
    private void wakeUp() throws Exception {
        TopicPartition place = new TopicPartition(TOPIC, 1);
        try (KafkaProducer<String, String> producer = producer("wake-up", 60_000);
             KafkaConsumer<String, String> consumer = consumer("read_committed", null)) {
            producer.initTransactions();
            consumer.assign(List.of(place));
            consumer.seekToEnd(List.of(place));
            consumer.position(place);
            List<String> values = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                producer.beginTransaction();
                send(producer, 1, "w" + i);
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(5))) {
                    values.add(record.value());
                }
                if (i % 3 == 0) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
            await("the last one", () -> {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(record.value());
                }
                return values.contains("w19");
            });
            see("woken up", values);
        }
    }

    private void fenceByAdmin() throws Exception {
        try (KafkaProducer<String, String> producer = producer("fence-me", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, 2, "fence me");
            admin.fenceProducers(List.of("fence-me")).all().get();
            see("fenced by an administrator, send", sent(producer, 2, "late"));
            see("fenced by an administrator, commit", outcome(producer::commitTransaction));
            await("the abort", () -> isStable(2));
        }
    }

    private void abortByAdmin() throws Exception {
        TopicPartition place = new TopicPartition(TOPIC, 2);
        try (KafkaProducer<String, String> producer = producer("hanging", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, 2, "hanging");
            ProducerState open = admin.describeProducers(List.of(place)).partitionResult(place).get().activeProducers().stream()
                .filter(state -> state.currentTransactionStartOffset().isPresent()).findFirst().orElseThrow();
            admin.abortTransaction(new AbortTransactionSpec(place, open.producerId(), (short) open.producerEpoch(),
                open.coordinatorEpoch().orElse(0))).all().get();
            see("aborted by an administrator", isStable(2));
        }
        see("at the end", values(2, "read_committed"));
    }
}
