package kdl.telemetry;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kdl.wire.Asker;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsRequestData;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.message.PushTelemetryResponseData;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Gauge;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;

/**
 * The same requests about clients' metrics (KIP-714) to any broker that asks for them; prints every
 * answer. Two brokers that do the same print the same.
 */
public final class TelemetryScript {
    private static final byte CLIENT_METRICS = 16;
    private static final int MAX_BYTES = 1 << 20;
    private static final int DEFAULT_INTERVAL_MS = 300_000;
    private static final byte NONE = CompressionType.NONE.id;

    private final String bootstrap;
    private final Asker broker;
    private int ids = 10;
    private byte[] metrics;

    private TelemetryScript(String bootstrap) throws Exception {
        this.bootstrap = bootstrap;
        broker = new Asker(bootstrap);
        metrics = metrics(1);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: TelemetryScript BOOTSTRAP");
            System.exit(2);
        }
        TelemetryScript script = new TelemetryScript(args[0]);
        script.part("nothing", script::nothing);
        script.part("matching", script::matching);
        script.part("states", script::states);
        script.part("changes", script::changes);
        script.part("payloads", script::payloads);
        script.part("time", script::time);
    }

    private interface Part {
        void play() throws Exception;
    }

    private void part(String name, Part part) throws Exception {
        System.out.println("== " + name);
        part.play();
    }

    // --- requests ----------------------------------------------------------------------------------

    /** An id that is the same for every broker, so that what follows from it can be compared. */
    private Uuid newId() {
        return new Uuid(0x1234_5678_9abc_def0L, ++ids);
    }

    private void set(String subscription, String... pairs) throws Exception {
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(CLIENT_METRICS).setResourceName(subscription);
        for (int i = 0; i < pairs.length; i += 2) {
            resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(pairs[i]).setValue(pairs[i + 1])
                .setConfigOperation((byte) (pairs[i + 1] == null ? 1 : 0)));
        }
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource);
        broker.ask(request, 1);
    }

    private void unset(String subscription) throws Exception {
        set(subscription, "metrics", null, "interval.ms", null, "match", null);
    }

    private GetTelemetrySubscriptionsResponseData get(String what, Asker from, Uuid id) throws Exception {
        return (GetTelemetrySubscriptionsResponseData) from.ask(what, new GetTelemetrySubscriptionsRequestData().setClientInstanceId(id), 0);
    }

    private GetTelemetrySubscriptionsResponseData get(String what, Uuid id) throws Exception {
        return get(what, broker, id);
    }

    /** Waits until a change of subscriptions has reached the broker: asks as a new client each time. */
    private void settled(List<String> metrics, int intervalMs) throws Exception {
        long limit = System.currentTimeMillis() + 10_000;
        GetTelemetrySubscriptionsResponseData answer;
        do {
            answer = (GetTelemetrySubscriptionsResponseData) broker.ask(new GetTelemetrySubscriptionsRequestData(), 0);
        } while (!(new HashSet<>(answer.requestedMetrics()).equals(new HashSet<>(metrics)) && answer.pushIntervalMs() == intervalMs)
            && System.currentTimeMillis() < limit);
    }

    private void settled(List<String> metrics) throws Exception {
        settled(metrics, DEFAULT_INTERVAL_MS);
    }

    private short push(String what, Uuid id, int subscription, boolean last, int codec, byte[] bytes) throws Exception {
        return ((PushTelemetryResponseData) broker.ask(what, new PushTelemetryRequestData().setClientInstanceId(id).setSubscriptionId(subscription)
            .setTerminating(last).setCompressionType((byte) codec).setMetrics(ByteBuffer.wrap(bytes)), 0)).errorCode();
    }

    private short push(String what, Uuid id, int subscription) throws Exception {
        return push(what, id, subscription, false, NONE, metrics);
    }

    private static byte[] metrics(int points) {
        Gauge.Builder gauge = Gauge.newBuilder();
        for (int i = 0; i < points; i++) {
            gauge.addDataPoints(NumberDataPoint.newBuilder().setAsDouble(i));
        }
        return MetricsData.newBuilder().addResourceMetrics(ResourceMetrics.newBuilder().addScopeMetrics(ScopeMetrics.newBuilder()
            .addMetrics(Metric.newBuilder().setName("kdl.test").setGauge(gauge)))).build().toByteArray();
    }

    private static byte[] compressed(CompressionType type, byte[] bytes) throws Exception {
        ByteBufferOutputStream out = new ByteBufferOutputStream(512);
        try (OutputStream stream = Compression.of(type).build().wrapForOutput(out, (byte) 2)) {
            stream.write(bytes);
        }
        ByteBuffer buffer = out.buffer().flip();
        byte[] result = new byte[buffer.remaining()];
        buffer.get(result);
        return result;
    }

    // --- parts -------------------------------------------------------------------------------------

    private void nothing() throws Exception {
        Uuid id = newId();
        int subscription = get("nobody subscribed", id).subscriptionId();
        push("a push even so", id, subscription);
        GetTelemetrySubscriptionsResponseData made = (GetTelemetrySubscriptionsResponseData) broker.ask(new GetTelemetrySubscriptionsRequestData(), 0);
        System.out.println("an id is made: " + (made.clientInstanceId().toString().length() == 22 && !made.clientInstanceId().equals(Uuid.ZERO_UUID)));
        get("the id of the metadata's topic", Uuid.ONE_UUID);
        push("no id", Uuid.ZERO_UUID, 0);
        push("its id", Uuid.ONE_UUID, 0);
    }

    private void matching() throws Exception {
        // A change reaches the broker behind those before it: the last one is one that can be seen.
        Map<String, String> subscriptions = new LinkedHashMap<>();
        subscriptions.put("org.a", "client_id=kdl-.*");
        subscriptions.put("org.b", "client_id=kdl");
        subscriptions.put("org.c", "client_software_name=unknown,client_software_version=unknown");
        subscriptions.put("org.d", "client_software_name=kdl-test");
        subscriptions.put("org.f", "client_id=kdl-.*,client_id=other");
        subscriptions.put("org.g", "client_instance_id=" + new Uuid(0x1234_5678_9abc_def0L, 99));
        subscriptions.put("org.e", "client_source_address=127\\.0\\.0\\.1,client_source_port=[0-9]+");
        for (Map.Entry<String, String> entry : subscriptions.entrySet()) {
            set(entry.getKey().replace("org.", "watch-"), "metrics", entry.getKey() + ",org.common", "match", entry.getValue(), "interval.ms", "2000000");
        }
        settled(List.of("org.a", "org.c", "org.e", "org.common"));
        named("what fits is joined", broker, newId());
        named("by its id", broker, new Uuid(0x1234_5678_9abc_def0L, 99));
        Asker other = new Asker(bootstrap);
        other.ask(new ApiVersionsRequestData().setClientSoftwareName("kdl-test").setClientSoftwareVersion("1.0"), 4);
        named("by its software", other, newId());
        other.ask(new ApiVersionsRequestData(), 2);
        named("that an older ApiVersions does not tell", other, newId());
        other.ask(new ApiVersionsRequestData().setClientSoftwareName("-").setClientSoftwareVersion("1.0"), 4);
        named("nor a wrong one", other, newId());
        for (String name : subscriptions.keySet()) {
            unset(name.replace("org.", "watch-"));
        }
        settled(List.of());
        get("nobody any more", newId());
    }

    /** With several metrics the id of a subscription hangs on the order of a hash table. */
    private void named(String what, Asker from, Uuid id) throws Exception {
        GetTelemetrySubscriptionsResponseData answer =
            (GetTelemetrySubscriptionsResponseData) from.ask(new GetTelemetrySubscriptionsRequestData().setClientInstanceId(id), 0);
        from.tell(what, answer.setSubscriptionId(0), 0);
    }

    private void states() throws Exception {
        set("watch", "metrics", "org.apache.kafka.producer.", "interval.ms", "3600000");
        settled(List.of("org.apache.kafka.producer."));
        get("the interval is the default at most", newId());
        set("watch", "interval.ms", "200000");
        settled(List.of("org.apache.kafka.producer."), 200000);
        Uuid id = newId();
        int subscription = get("asked", id).subscriptionId();
        get("asked again", id);
        push("pushed", id, subscription);
        push("pushed again", id, subscription);
        get("asked after a push", id);
        push("the last push may come early", id, subscription, true, NONE, metrics);
        push("and is the last", id, subscription, true, NONE, metrics);
        push("again", id, subscription);
        push("which is forgotten", id, subscription);
        Uuid lost = newId();
        push("a push of somebody new, of no subscription", lost, 5);
        get("who may ask then", lost);
        push("and pushes too early", lost, subscription);
        Uuid packed = newId();
        subscription = get("another one", packed).subscriptionId();
        push("in a codec that is none", packed, subscription, false, 7, metrics);
        get("may ask then", packed);
        Uuid negative = newId();
        subscription = get("and one more", negative).subscriptionId();
        push("in a codec below all", negative, subscription, false, -1, metrics);
        Uuid quick = newId();
        subscription = get("somebody", quick).subscriptionId();
        push("ends with the first push", quick, subscription, true, NONE, new byte[0]);
        get("and may not ask", quick);
        Uuid here = newId();
        Asker other = new Asker(bootstrap);
        subscription = get("known here", here).subscriptionId();
        get("and there", other, here);
    }

    private void changes() throws Exception {
        Uuid id = newId();
        int subscription = get("before", id).subscriptionId();
        push("pushed", id, subscription);
        set("watch", "metrics", "org.apache.kafka.consumer.");
        settled(List.of("org.apache.kafka.consumer."), 200000);
        push("of what is no more", id, subscription);
        subscription = get("after", id).subscriptionId();
        push("too early, since that was a push", id, subscription);
        set("all", "metrics", "*,org.apache.kafka.admin.", "interval.ms", "100000");
        settled(List.of("*"), 100000);
        get("all", id);
        unset("all");
        unset("watch");
        settled(List.of());
    }

    private void payload(String what, int codec, byte[] bytes) throws Exception {
        Uuid id = newId();
        int subscription = ((GetTelemetrySubscriptionsResponseData) broker.ask(
            new GetTelemetrySubscriptionsRequestData().setClientInstanceId(id), 0)).subscriptionId();
        push(what, id, subscription, false, codec, bytes);
        get("then", id);
    }

    private void payloads() throws Exception {
        for (CompressionType type : new CompressionType[] {CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4, CompressionType.ZSTD}) {
            payload(type.name, type.id, compressed(type, metrics));
            payload(type.name + " that is none", type.id, metrics);
            payload(type.name + " of too much", type.id, compressed(type, new byte[MAX_BYTES + 1]));
        }
        payload("nothing", NONE, new byte[0]);
        payload("no metrics", NONE, new byte[] {1, 2, 3});
        payload("metrics that are cut", NONE, Arrays.copyOf(metrics, metrics.length - 1));
        payload("many", NONE, metrics(5000));
        payload("as much as may be", NONE, padded(MAX_BYTES));
        payload("more", NONE, padded(MAX_BYTES + 1));
    }

    /** One unknown field that fills up. */
    private static byte[] padded(int size) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int body = size - 5;
        out.write(0x7a);
        for (int i = 0; i < 4; i++) {
            out.write((body >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
        }
        out.write(new byte[body]);
        return out.toByteArray();
    }

    private void time() throws Exception {
        set("quick", "metrics", "org.apache.kafka.producer.", "interval.ms", "300");
        settled(List.of("org.apache.kafka.producer."), 300);
        Uuid id = newId();
        long started = System.currentTimeMillis();
        int subscription = get("asked", id).subscriptionId();
        push("pushed", id, subscription);
        push("too early", id, subscription);
        while (((PushTelemetryResponseData) broker.ask(new PushTelemetryRequestData().setClientInstanceId(id).setSubscriptionId(subscription)
            .setMetrics(ByteBuffer.wrap(metrics)), 0)).errorCode() != 0) {
            Thread.onSpinWait();
        }
        long waited = System.currentTimeMillis() - started;
        System.out.println("after the interval: " + (waited >= 300 && waited < 3000));
        unset("quick");
        settled(List.of());
    }
}
