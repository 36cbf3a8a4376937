package kdl.estate;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;

/** A member that stays in its group: reads and commits on a thread of its own until closed. */
final class LiveConsumer implements AutoCloseable {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private final AtomicBoolean caughtUp = new AtomicBoolean();
    private volatile RuntimeException failure;

    LiveConsumer(KafkaConsumer<byte[], byte[]> consumer, String topic) {
        this.consumer = consumer;
        thread = new Thread(() -> run(topic), "live-" + topic);
        thread.start();
    }

    private void run(String topic) {
        try (consumer) {
            consumer.subscribe(Set.of(topic));
            while (true) {
                boolean any = !consumer.poll(Duration.ofMillis(500)).isEmpty();
                if (any) {
                    consumer.commitSync();
                }
                if (!consumer.assignment().isEmpty() && isAtEnd()) {
                    caughtUp.set(true);
                }
            }
        } catch (WakeupException closing) {
            return;
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private boolean isAtEnd() {
        return consumer.assignment().stream().allMatch(partition -> consumer.currentLag(partition).orElse(1) == 0);
    }

    /** True once it has committed everything there was to read. */
    boolean isCaughtUp() {
        if (failure != null) {
            throw failure;
        }
        return caughtUp.get();
    }

    @Override
    public void close() throws InterruptedException {
        consumer.wakeup();
        thread.join();
    }
}
