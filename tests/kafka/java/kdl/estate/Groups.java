package kdl.estate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Consumer groups of every kind over the topics of the other parts, which must have been made before. */
final class Groups implements Part {
    private static final Map<String, Object> CLASSIC = Map.of();
    private static final Map<String, Object> KIP_848 = Map.of("group.protocol", "consumer");
    private static final int JOBS = 500;
    private final List<LiveConsumer> live = new ArrayList<>();
    private boolean newProtocol;
    private boolean shareGroups;

    @Override
    public void declare(World world, Truth truth) {
        newProtocol = world.hasFeature("group.version");
        shareGroups = world.hasFeature("share.version");
        truth.group("clickstream-etl", "classic", "STABLE", "live, keeps up", "web.clicks");
        truth.group("reporting", "classic", "EMPTY", "nobody there, all read", "app.events");
        truth.group("archiver", "classic", "EMPTY", "nobody there, a quarter read", "iot.readings");
        truth.group("offset-keeper", "classic", "EMPTY", "assigns its partitions itself and only keeps offsets", "audit-log");
        if (newProtocol) {
            truth.group("fraud-check", "consumer", "STABLE", "live, read_committed, keeps up", "payments.orders");
            truth.group("loyalty", "consumer", "EMPTY", "nobody there, a quarter read", "customers");
        }
        if (shareGroups) {
            truth.topic("jobs.queue", 2).idempotent().undecided("read by a share group, about which the designs promise nothing");
            truth.group("job-workers", "share", "STABLE", "live share group (KIP-932)", "jobs.queue");
        }
    }

    @Override
    public void make(World world) {
        live.add(world.keep(new LiveConsumer(world.consumer("clickstream-etl", CLASSIC), "web.clicks")));
        if (newProtocol) {
            Map<String, Object> conf = new HashMap<>(KIP_848);
            conf.put("isolation.level", "read_committed");
            live.add(world.keep(new LiveConsumer(world.consumer("fraud-check", conf), "payments.orders")));
        }
        if (shareGroups) {
            Content content = new Content("jobs.queue");
            world.keep(new LiveShareConsumer(world, "job-workers", "jobs.queue"));
            world.write("jobs-writer", Map.of(), JOBS * world.scale, i -> new ProducerRecord<>("jobs.queue", content.key(i), content.value(i)));
        }
        visit(world, "reporting", CLASSIC, "app.events", 1);
        visit(world, "archiver", CLASSIC, "iot.readings", 4);
        if (newProtocol) {
            visit(world, "loyalty", KIP_848, "customers", 4);
        }
        try (KafkaConsumer<byte[], byte[]> consumer = world.consumer("offset-keeper", CLASSIC)) {
            consumer.commitSync(Map.of(new TopicPartition("audit-log", 0), new OffsetAndMetadata(100, "kept by hand")));
        }
    }

    void await(World world) {
        for (LiveConsumer consumer : live) {
            World.await("the live groups to catch up", consumer::isCaughtUp);
        }
        if (shareGroups) {
            World.await("job-workers to be given partitions", () ->
                World.get(world.admin.describeShareGroups(List.of("job-workers")).all()).get("job-workers").members().stream()
                    .anyMatch(member -> !member.assignment().topicPartitions().isEmpty()));
        }
    }

    /** Joins as a member, commits the n-th part of every partition, and leaves. */
    private static void visit(World world, String group, Map<String, Object> conf, String topic, int n) {
        try (KafkaConsumer<byte[], byte[]> consumer = world.consumer(group, conf)) {
            consumer.subscribe(List.of(topic));
            World.await(group + " to be given partitions of " + topic, () -> {
                consumer.poll(Duration.ofMillis(50));
                return !consumer.assignment().isEmpty();
            });
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            consumer.endOffsets(consumer.assignment()).forEach((partition, end) -> positions.put(partition, new OffsetAndMetadata(end / n)));
            consumer.commitSync(positions);
        }
    }
}
