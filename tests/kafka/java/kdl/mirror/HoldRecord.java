package kdl.mirror;

import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes a record into a topic's partition 0, in a transaction that stays open. Prints READY when the record is there, and ends without a word to the broker when its standard input
 * closes. Arguments: BOOTSTRAP TOPIC VALUE.
 */
public final class HoldRecord {
    private HoldRecord() {
    }

    public static void main(String[] args) throws Exception {
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", args[0], "transactional.id", args[1] + "-held",
            "transaction.timeout.ms", 600_000), new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(args[1], 0, null, args[2])).get();
        System.out.println("READY");
        while (System.in.read() >= 0) {
            continue;
        }
        Runtime.getRuntime().halt(0);
    }
}
