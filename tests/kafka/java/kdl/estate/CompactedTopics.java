package kdl.estate;

import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Compacted topics: tables, mistakes, and the topics in which other programs of the family keep their state. */
final class CompactedTopics implements Part {
    private static final int CUSTOMERS = 200;

    @Override
    public void declare(World world, Truth truth) {
        truth.topic("customers", 6).idempotent().compacted("compact", "a table: " + CUSTOMERS + " keys, re-written again and again")
            .fact("keys", "rewritten").fact("tombstones", true);
        truth.topic("prices", 2).idempotent().compacted("compact,delete", "a table with retention: keys are re-written")
            .config("retention.ms", "604800000").fact("keys", "rewritten");
        truth.topic("sessions", 3).idempotent().compacted("compact", "compact by mistake: no key ever comes twice")
            .changesNeeded("compacted by mistake: no key repeats, so cleanup.policy=delete loses nothing").fact("keys", "unique");
        String connect = "keeps the state of a Connect cluster";
        truth.topic("connect-configs", 1).idempotent().compacted("compact", connect).fact("looks_like", "connect configs");
        truth.topic("connect-offsets", 25).idempotent().compacted("compact", connect).fact("looks_like", "connect offsets");
        truth.topic("connect-status", 5).idempotent().compacted("compact", connect).fact("looks_like", "connect status");
        truth.topic("_schemas", 1).idempotent().compacted("compact", "keeps the subjects of a Schema Registry").fact("looks_like", "schema registry");
    }

    @Override
    public void make(World world) {
        Content customers = new Content("customers");
        write(world, "customers", 3000 * world.scale, i ->
            // One in fifty is a tombstone.
            new ProducerRecord<>("customers", null, world.startMs - 40_000 + i, customers.keyOf(i, CUSTOMERS), i % 50 == 49 ? null : customers.value(i)));
        Content prices = new Content("prices");
        write(world, "prices", 1000 * world.scale, i ->
            new ProducerRecord<>("prices", null, world.startMs - 40_000 + i, prices.keyOf(i, 40), prices.value(i)));
        Content sessions = new Content("sessions");
        write(world, "sessions", 3000 * world.scale, i ->
            new ProducerRecord<>("sessions", null, world.startMs - 40_000 + i, sessions.key(i), sessions.value(i)));
        connect(world);
        schemas(world);
    }

    private static void write(World world, String topic, int count, IntFunction<ProducerRecord<byte[], byte[]>> maker) {
        world.write(topic + "-writer", Map.of("compression.type", "lz4"), count, maker);
    }

    private static void rows(World world, String topic, List<String[]> rows) {
        write(world, topic, rows.size(), i ->
            new ProducerRecord<>(topic, Content.utf8(rows.get(i)[0]), rows.get(i)[1] == null ? null : Content.utf8(rows.get(i)[1])));
    }

    /** Keys and values as Connect's three internal topics have them. */
    private static void connect(World world) {
        rows(world, "connect-configs", List.of(
            new String[] {"session-key", "{\"key\":\"bm90IGEgc2VjcmV0\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":1700000000000}"},
            new String[] {"connector-inventory", "{\"properties\":{\"connector.class\":\"FileStreamSource\",\"name\":\"inventory\",\"tasks.max\":\"1\",\"topic\":\"app.events\"}}"},
            new String[] {"task-inventory-0", "{\"properties\":{\"task.class\":\"org.apache.kafka.connect.file.FileStreamSourceTask\",\"topic\":\"app.events\"}}"},
            new String[] {"commit-inventory", "{\"tasks\":1}"},
            new String[] {"target-state-inventory", "{\"state\":\"STARTED\"}"}));
        write(world, "connect-offsets", 100, i ->
            new ProducerRecord<>("connect-offsets", Content.utf8("[\"inventory\",{\"filename\":\"/data/in-" + i % 10 + ".txt\"}]"), Content.utf8("{\"position\":" + i * 100 + "}")));
        rows(world, "connect-status", List.of(
            new String[] {"status-connector-inventory", "{\"state\":\"RUNNING\",\"trace\":null,\"worker_id\":\"127.0.0.1:8083\",\"generation\":1}"},
            new String[] {"status-task-inventory-0", "{\"state\":\"RUNNING\",\"trace\":null,\"worker_id\":\"127.0.0.1:8083\",\"generation\":1}"},
            new String[] {"status-topic-app.events:connector-inventory", "{\"topic\":{\"name\":\"app.events\",\"connector\":\"inventory\",\"task\":0,\"discoverTimestamp\":1700000000000}}"}));
    }

    /** Keys and values in the shape of a Schema Registry's store; its keys name a kind, a subject and a version. */
    private static void schemas(World world) {
        String[] subjects = {"payments.orders-value", "payments.invoices-value", "customers-value"};
        write(world, "_schemas", 12, i -> {
            if (i == 0) {
                return new ProducerRecord<>("_schemas", Content.utf8("{\"keytype\":\"NOOP\",\"magic\":0}"), null);
            }
            String subject = subjects[i % subjects.length];
            int version = 1 + i / subjects.length;
            String key = "{\"keytype\":\"SCHEMA\",\"subject\":\"" + subject + "\",\"version\":" + version + ",\"magic\":1}";
            String value = "{\"subject\":\"" + subject + "\",\"version\":" + version + ",\"id\":" + i
                + ",\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R" + i + "\\\",\\\"fields\\\":[]}\",\"deleted\":false}";
            return new ProducerRecord<>("_schemas", Content.utf8(key), Content.utf8(value));
        });
    }
}
