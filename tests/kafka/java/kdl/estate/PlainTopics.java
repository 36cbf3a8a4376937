package kdl.estate;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

/** Append-only topics: what a diskless design of either kind takes as it is. */
final class PlainTopics implements Part {
    private static final Map<String, Object> PLAIN = Map.of("enable.idempotence", false);
    private static final Map<String, Object> IDEMPOTENT = Map.of("enable.idempotence", true);

    @Override
    public void declare(World world, Truth truth) {
        truth.topic("web.clicks", 6).fact("codecs", "none");
        truth.topic("logs.gzip", 3).fact("codecs", "gzip");
        truth.topic("logs.snappy", 3).fact("codecs", "snappy");
        truth.topic("logs.lz4", 3).idempotent().fact("codecs", "lz4");
        truth.topic("logs.zstd", 3).idempotent().fact("codecs", "zstd");
        truth.topic("iot.readings", 50).idempotent().fact("keys", "null");
        truth.topic("app.events", 12).idempotent().fact("headers", "trace-id, source (null value on every third record)");
        truth.topic("metrics.append-time", 4).idempotent().config("message.timestamp.type", "LogAppendTime");
        truth.topic("audit-log", 1).fact("keys", "null");
        truth.topic("idle.never-written", 2).fact("records", 0);
        // Only its name says Streams: a tool that goes by suffixes is wrong here.
        truth.topic("daily-report-changelog", 2);
    }

    @Override
    public void make(World world) {
        write(world, "web.clicks", 6000, PLAIN, "none");
        write(world, "logs.gzip", 3000, PLAIN, "gzip");
        write(world, "logs.snappy", 3000, PLAIN, "snappy");
        write(world, "logs.lz4", 3000, IDEMPOTENT, "lz4");
        write(world, "logs.zstd", 3000, IDEMPOTENT, "zstd");
        write(world, "metrics.append-time", 2000, IDEMPOTENT, "none");
        write(world, "daily-report-changelog", 500, PLAIN, "none");

        Content readings = new Content("iot.readings");
        // Round robin by hand: the sticky partitioner would leave some of the fifty partitions empty.
        send(world, "iot.readings", 10000, IDEMPOTENT, "lz4", i ->
            new ProducerRecord<>("iot.readings", i % 50, world.startMs - 60_000 + i, null, readings.value(i)));
        Content audit = new Content("audit-log");
        send(world, "audit-log", 1000, PLAIN, "none", i ->
            new ProducerRecord<>("audit-log", null, world.startMs - 60_000 + i, null, audit.value(i)));
        Content events = new Content("app.events");
        send(world, "app.events", 4000, IDEMPOTENT, "none", i -> {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("app.events", null, world.startMs - 60_000 + i, events.key(i), events.value(i));
            addHeaders(record.headers(), i);
            return record;
        });
    }

    private static void addHeaders(Headers headers, int number) {
        headers.add("trace-id", Content.utf8("trace-" + number));
        headers.add("source", number % 3 == 0 ? null : Content.utf8("estate"));
    }

    private static void write(World world, String topic, int count, Map<String, Object> conf, String codec) {
        Content content = new Content(topic);
        send(world, topic, count, conf, codec, i ->
            new ProducerRecord<>(topic, null, world.startMs - 60_000 + i, content.keyOf(i, 500), content.value(i)));
    }

    private static void send(World world, String topic, int count, Map<String, Object> conf, String codec, IntFunction<ProducerRecord<byte[], byte[]>> maker) {
        Map<String, Object> all = new HashMap<>(conf);
        all.put("compression.type", codec);
        world.write(topic + "-writer", all, count * world.scale, maker);
    }
}
