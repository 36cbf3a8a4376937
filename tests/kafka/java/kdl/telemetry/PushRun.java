package kdl.telemetry;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer and a consumer that push their metrics: sends and reads some records, prints the
 * instance ids that the broker gave both, and sends and reads as many again for each "more" that its
 * standard input says, until that says "end".
 */
public final class PushRun {
    private static final String TOPIC = "pushed";
    private static final int RECORDS = 25;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private PushRun() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: PushRun BOOTSTRAP");
            System.exit(2);
        }
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<String, Object> producing = new HashMap<>(Map.of("bootstrap.servers", args[0], "client.id", "kdl \"producer\"", "enable.metrics.push", "true"));
        Map<String, Object> consuming = new HashMap<>(Map.of("bootstrap.servers", args[0], "client.id", "kdl-consumer", "enable.metrics.push", "true",
            "group.id", "pushing", "auto.offset.reset", "earliest"));
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer());
             KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            sendAndRead(producer, consumer);
            System.out.println("producer " + producer.clientInstanceId(TIMEOUT));
            System.out.println("consumer " + consumer.clientInstanceId(TIMEOUT));
            for (String said = ""; !said.equals("end"); said = orders.ready() ? orders.readLine() : "") {
                if (said.equals("more")) {
                    sendAndRead(producer, consumer);
                }
                consumer.poll(Duration.ofMillis(50));
            }
        }
        System.out.println("closed");
    }

    private static void sendAndRead(KafkaProducer<String, String> producer, KafkaConsumer<String, String> consumer) throws Exception {
        for (int i = 0; i < RECORDS; i++) {
            producer.send(new ProducerRecord<>(TOPIC, "value " + i)).get();
        }
        for (int read = 0; read < RECORDS;) {
            read += consumer.poll(Duration.ofMillis(100)).count();
        }
    }
}
