package kdl.estate;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A member of a share group that takes and acknowledges records until closed. */
final class LiveShareConsumer implements AutoCloseable {
    private final KafkaShareConsumer<byte[], byte[]> consumer;
    private final Thread thread;

    LiveShareConsumer(World world, String group, String topic) {
        consumer = new KafkaShareConsumer<>(Map.of(
            "bootstrap.servers", world.bootstrap, "group.id", group, "client.id", group + "-1",
            "key.deserializer", ByteArrayDeserializer.class, "value.deserializer", ByteArrayDeserializer.class));
        thread = new Thread(() -> run(topic), "share-" + topic);
        thread.start();
    }

    private void run(String topic) {
        try (consumer) {
            consumer.subscribe(Set.of(topic));
            while (true) {
                // The next poll acknowledges what this one took.
                consumer.poll(Duration.ofMillis(500));
            }
        } catch (WakeupException closing) {
            return;
        }
    }

    @Override
    public void close() throws InterruptedException {
        consumer.wakeup();
        thread.join();
    }
}
