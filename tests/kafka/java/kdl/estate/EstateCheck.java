package kdl.estate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Looks whether a held estate has the traits that its truth table claims, by other means than those
 * that made it. Run: EstateCheck BOOTSTRAP TRUTH_FILE, on a cluster that holds nothing else.
 */
final class EstateCheck implements AutoCloseable {
    private final JsonNode truth;
    private final Admin admin;
    private final Map<Node, RawConnection> connections = new HashMap<>();
    private int right;
    private int wrong;

    private EstateCheck(String bootstrap, File truthFile) throws IOException {
        truth = new ObjectMapper().readTree(truthFile);
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: EstateCheck BOOTSTRAP TRUTH_FILE");
            System.exit(2);
        }
        try (EstateCheck check = new EstateCheck(args[0], new File(args[1]))) {
            check.topics();
            check.groups();
            check.transactions();
            System.out.printf("%d facts right, %d wrong%n", check.right, check.wrong);
            System.exit(check.wrong == 0 ? 0 : 1);
        }
    }

    @Override
    public void close() throws IOException {
        for (RawConnection connection : connections.values()) {
            connection.close();
        }
        admin.close();
    }

    private void expect(String what, Object expected, Object seen) {
        if (expected.equals(seen)) {
            right++;
        } else {
            wrong++;
            System.out.println("WRONG " + what + ": expected " + expected + ", seen " + seen);
        }
    }

    // --- topics -------------------------------------------------------------------------------

    private void topics() throws IOException {
        List<String> names = new ArrayList<>();
        truth.get("topics").forEach(t -> names.add(t.get("name").asText()));
        // Internal ones (__consumer_offsets, ...) belong to the cluster; admin leaves them out.
        expect("topics", new TreeSet<>(names), new TreeSet<>(World.get(admin.listTopics().names())));
        Map<String, TopicDescription> descriptions = World.get(admin.describeTopics(names).allTopicNames());
        Map<ConfigResource, Config> configs = World.get(admin.describeConfigs(
            names.stream().map(n -> new ConfigResource(ConfigResource.Type.TOPIC, n)).toList()).all());
        for (JsonNode topic : truth.get("topics")) {
            String name = topic.get("name").asText();
            expect(name + " partitions", topic.get("partitions").asInt(), descriptions.get(name).partitions().size());
            Config config = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, name));
            topic.get("configs").properties().forEach(e ->
                expect(name + " " + e.getKey(), Set.of(e.getValue().asText().split(",")), Set.of(config.get(e.getKey()).value().split(","))));
            boolean compact = config.get("cleanup.policy").value().contains("compact");
            expect(name + " compaction", isYes(topic, "compaction"), compact);
            batches(topic, name, TopicScan.of(descriptions.get(name), connections));
        }
    }

    private static boolean isYes(JsonNode topic, String trait) {
        return topic.get(trait).get("value").asText().equals("yes");
    }

    private void batches(JsonNode topic, String name, TopicScan scan) {
        JsonNode facts = topic.get("facts");
        expect(name + " has data", !facts.has("records"), scan.records > 0);
        expect(name + " transactions", isYes(topic, "transactions"), scan.transactional);
        expect(name + " idempotence", isYes(topic, "idempotence"), scan.idempotent);
        expect(name + " only one kind of producer", false, scan.idempotent && scan.plain);
        expect(name + " open transaction", facts.has("open_transaction"), scan.openTransaction);
        if (facts.has("codecs")) {
            expect(name + " codecs", Set.of(facts.get("codecs").asText()), scan.codecs);
        }
        if (topic.get("configs").has("message.timestamp.type")) {
            expect(name + " timestamps", Set.of("LogAppendTime"), scan.timestampTypes);
        }
        expect(name + " headers", facts.has("headers"), scan.withHeaders > 0 && scan.nullHeaderValues > 0);
        if (facts.has("tombstones")) {
            expect(name + " tombstones", true, scan.nullValues > 0);
        }
        if (facts.has("keys")) {
            String keys = scan.nullKeys == scan.records ? "null" : scan.rewrittenKeys() == 0 ? "unique" : "rewritten";
            expect(name + " keys", facts.get("keys").asText(), keys);
        }
        if (topic.get("partitions").asInt() == 50) {
            expect(name + " data in every partition", 50, scan.partitionsWithData.size());
        }
    }

    // --- groups -------------------------------------------------------------------------------

    private void groups() {
        Map<String, GroupListing> seen = new HashMap<>();
        World.get(admin.listGroups().all()).forEach(g -> seen.put(g.groupId(), g));
        Set<String> expected = new HashSet<>();
        Map<String, Set<String>> readers = new HashMap<>();
        for (JsonNode group : truth.get("groups")) {
            String id = group.get("group").asText();
            String type = group.get("type").asText();
            expected.add(id);
            GroupListing listing = seen.get(id);
            if (listing == null) {
                expect("group " + id, "there", "absent");
                continue;
            }
            expect(id + " type", type, listing.type().orElseThrow().toString().toLowerCase(Locale.ROOT));
            expect(id + " state", group.get("state").asText(), listing.groupState().orElseThrow().name());
            if (type.equals("share")) {
                World.get(admin.describeShareGroups(Set.of(id)).all()).get(id).members().forEach(member ->
                    member.assignment().topicPartitions().forEach(p -> readers.computeIfAbsent(p.topic(), t -> new HashSet<>()).add(id)));
            } else {
                offsets(group, id, readers);
            }
        }
        expect("groups", new TreeSet<>(expected), new TreeSet<>(seen.keySet()));
        for (JsonNode topic : truth.get("topics")) {
            String name = topic.get("name").asText();
            expect(name + " groups", isYes(topic, "groups"), readers.containsKey(name));
        }
        streamsState();
    }

    /** A Streams application is known by the assignor of its group, or by the group's type. */
    private void streamsState() {
        Set<String> classic = new HashSet<>();
        Set<String> applications = new HashSet<>();
        for (JsonNode group : truth.get("groups")) {
            if (group.get("type").asText().equals("classic")) {
                classic.add(group.get("group").asText());
            }
        }
        World.get(admin.describeConsumerGroups(classic).all()).forEach((id, group) -> {
            if (group.partitionAssignor().equals("stream")) {
                applications.add(id);
            }
        });
        World.get(admin.listGroups(ListGroupsOptions.forStreamsGroups()).all()).forEach(g -> applications.add(g.groupId()));
        for (JsonNode topic : truth.get("topics")) {
            String name = topic.get("name").asText();
            boolean owned = applications.stream().anyMatch(app -> name.matches(app + "-.+-(changelog|repartition)"));
            expect(name + " streams_state", isYes(topic, "streams_state"), owned);
        }
    }

    private void offsets(JsonNode group, String id, Map<String, Set<String>> readers) {
        var committed = World.get(admin.listConsumerGroupOffsets(id).partitionsToOffsetAndMetadata());
        committed.keySet().forEach(p -> readers.computeIfAbsent(p.topic(), t -> new HashSet<>()).add(id));
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        committed.keySet().forEach(p -> latest.put(p, OffsetSpec.latest()));
        var ends = World.get(admin.listOffsets(latest).all());
        long lag = committed.entrySet().stream().mapToLong(e -> ends.get(e.getKey()).offset() - e.getValue().offset()).sum();
        long end = ends.values().stream().mapToLong(e -> e.offset()).sum();
        Set<String> topics = new TreeSet<>();
        committed.keySet().forEach(p -> topics.add(p.topic()));
        Set<String> claimed = new TreeSet<>();
        group.get("topics").forEach(t -> claimed.add(t.asText()));
        expect(id + " topics", claimed, topics);
        String what = group.get("what").asText();
        if (what.contains("a quarter read")) {
            expect(id + " lags by three quarters", true, lag * 4 >= end * 3 && lag > 0);
        } else if (!what.contains("only keeps offsets")) {
            // A transaction's marker counts as an offset that nobody commits: one per partition.
            expect(id + " keeps up", true, lag <= committed.size());
        }
    }

    // --- transactions -------------------------------------------------------------------------

    private void transactions() {
        Collection<TransactionListing> seen = World.get(admin.listTransactions().all());
        Set<String> unexplained = new TreeSet<>();
        seen.forEach(t -> unexplained.add(t.transactionalId()));
        for (JsonNode transaction : truth.get("transactions")) {
            boolean exact = transaction.has("transactional_id");
            String id = transaction.get(exact ? "transactional_id" : "transactional_id_prefix").asText();
            var found = seen.stream().filter(t -> exact ? t.transactionalId().equals(id) : t.transactionalId().startsWith(id)).findFirst();
            expect(id + " state", transaction.get("state").asText(), found.map(t -> t.state().toString()).orElse("absent"));
            found.ifPresent(t -> unexplained.remove(t.transactionalId()));
            if (transaction.get("state").asText().equals("Ongoing")) {
                open(id, transaction.get("topics").get(0).asText());
            }
        }
        expect("other transactional ids", Set.of(), unexplained);
    }

    private void open(String id, String topic) {
        var footprint = World.get(admin.describeTransactions(Set.of(id)).description(id)).topicPartitions();
        Set<TopicPartition> partitions = Set.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
        expect(id + " footprint", partitions, footprint);
        var producers = World.get(admin.describeProducers(partitions).all());
        for (TopicPartition partition : partitions) {
            List<ProducerState> open = producers.get(partition).activeProducers().stream().filter(p -> p.currentTransactionStartOffset().isPresent()).toList();
            expect(partition + " producers with an open transaction", 1, open.size());
        }
    }
}
