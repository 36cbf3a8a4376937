package kdl.estate;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The cluster that the estate is built in, and what every part of the estate needs to work there. */
final class World implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final String bootstrap;
    final int scale;
    final Admin admin;
    /** Timestamps count back from here, so that retention finds nothing to delete. */
    final long startMs = System.currentTimeMillis();
    private final Deque<AutoCloseable> kept = new ArrayDeque<>();

    World(String bootstrap, int scale) {
        this.bootstrap = bootstrap;
        this.scale = scale;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "client.id", "estate-admin"));
    }

    /** Keeps something running until the estate ends; the last kept is closed first. */
    <T extends AutoCloseable> T keep(T running) {
        synchronized (kept) {
            kept.push(running);
        }
        return running;
    }

    /** Whether the cluster has finalized a feature, such as share.version, at 1 or above. */
    boolean hasFeature(String feature) {
        var found = get(admin.describeFeatures().featureMetadata()).finalizedFeatures().get(feature);
        return found != null && found.maxVersionLevel() >= 1;
    }

    Producer<byte[], byte[]> producer(String clientId, Map<String, ?> conf) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", bootstrap);
        all.put("client.id", clientId);
        all.put("linger.ms", 5);
        all.put("key.serializer", ByteArraySerializer.class);
        all.put("value.serializer", ByteArraySerializer.class);
        all.putAll(conf);
        return new KafkaProducer<>(all);
    }

    KafkaConsumer<byte[], byte[]> consumer(String group, Map<String, ?> conf) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", bootstrap);
        all.put("group.id", group);
        all.put("client.id", group + "-1");
        all.put("auto.offset.reset", "earliest");
        all.put("enable.auto.commit", "false");
        all.put("key.deserializer", ByteArrayDeserializer.class);
        all.put("value.deserializer", ByteArrayDeserializer.class);
        all.putAll(conf);
        return new KafkaConsumer<>(all);
    }

    /** Sends count records and returns when all are acknowledged. */
    static void send(Producer<byte[], byte[]> producer, int count, IntFunction<ProducerRecord<byte[], byte[]>> maker) {
        AtomicReference<Exception> failure = new AtomicReference<>();
        for (int i = 0; i < count; i++) {
            producer.send(maker.apply(i), (metadata, e) -> failure.compareAndSet(null, e));
        }
        producer.flush();
        if (failure.get() != null) {
            throw new IllegalStateException("a record was not accepted", failure.get());
        }
    }

    /** A producer for one topic, used once. */
    void write(String clientId, Map<String, ?> conf, int count, IntFunction<ProducerRecord<byte[], byte[]>> maker) {
        try (Producer<byte[], byte[]> producer = producer(clientId, conf)) {
            send(producer, count, maker);
        }
    }

    static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Looks at a fact until it is true. */
    static void await(String what, BooleanSupplier fact) {
        long giveUpNs = System.nanoTime() + PATIENCE.toNanos();
        while (!fact.getAsBoolean()) {
            if (System.nanoTime() > giveUpNs) {
                throw new IllegalStateException("still waiting after " + PATIENCE.toSeconds() + " s for: " + what);
            }
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Override
    public void close() throws Exception {
        while (!kept.isEmpty()) {
            kept.pop().close();
        }
        admin.close(Duration.ofSeconds(5));
    }
}
